"""The demo company and the app are found where they lie, and the demo is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from optimizer import bundled
from optimizer.demo import scenario_paths
from optimizer.errors import UsageError
from optimizer.problem import open_company

VARIANTS = ("today", "baseline", "balanced", "capped-moves", "two-more-reps", "one-rep-leaves")


def test_the_demo_and_the_app_are_there() -> None:
    assert (bundled.demo_folder() / "accounts.csv").is_file()
    assert bundled.app_file().name == "app.py"


def test_what_an_installation_lacks_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "_PACKAGE", tmp_path / "optimizer")
    for find in (bundled.demo_folder, bundled.app_file):
        with pytest.raises(UsageError, match="install Bookfit again"):
            find()


def test_the_copy_inside_the_package_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in (tmp_path / "optimizer" / "_bundled", tmp_path):
        (place / "scenarios" / "demo").mkdir(parents=True)
    monkeypatch.setattr(bundled, "_PACKAGE", tmp_path / "optimizer")
    assert bundled.demo_folder() == tmp_path / "optimizer" / "_bundled" / "scenarios" / "demo"


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_scenario_of_the_demo_opens_without_an_error(variant: str) -> None:
    _, scenario, findings = open_company(bundled.demo_folder() / f"{variant}.toml")
    assert not findings.errors
    assert scenario.active


def test_the_demo_solves_the_baseline_first_and_leaves_today_out() -> None:
    stems = [path.stem for path in scenario_paths(bundled.demo_folder())]
    assert stems[0] == "baseline"
    assert set(stems) == set(VARIANTS) - {"today"}


def test_the_readme_of_the_demo_lists_its_files_and_their_rows() -> None:
    folder = bundled.demo_folder()
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert {p.name for p in folder.glob("*.toml")} <= set(re.findall(r"`([\w-]+\.toml)`", page))
    told = {
        name: int(rows.replace(",", "")) for name, rows in re.findall(r"^\| `(\w+\.csv)` \| ([\d,]+) \|", page, re.M)
    }
    assert told == {p.name: len(p.read_text("utf-8").splitlines()) - 1 for p in folder.glob("*.csv")}
