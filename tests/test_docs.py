"""What the documents say is true: their commands and code run, their links lead somewhere, and nothing is left out."""

from __future__ import annotations

import io
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from optimizer import cli
from optimizer.engines.base import Limits
from optimizer.kpis import KPIS
from optimizer.options import build_options
from optimizer.people import RepChanges
from optimizer.problem import Problem, build
from optimizer.read import tables_of
from optimizer.rules import RULES, Limit, Rule
from optimizer.scenario import Scenario, parse_scenario
from optimizer.scores import score
from optimizer.scoring import Criterion, KeyFilter, Level, Role, Scoring, Travel
from optimizer.solve import solve
from optimizer.tables import TABLES

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "scenarios").glob("*/README.md")))  # fmt: skip
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [c.name or str(getattr(c.callback, "__name__", "")) for c in cli.app.registered_commands]


def text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def shell_lines() -> list[list[str]]:
    """The README's commands, as words."""
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


# -- README ----------------------------------------------------------------------------------------------------------
def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 150


def test_every_command_has_help_and_a_line_with_a_remark_in_the_readme() -> None:
    told = {words[1] for words in shell_lines()}
    assert set(COMMANDS) == told
    lines = [line for block in blocks(README, "sh") for line in block.splitlines()]
    assert [line for line in lines if not re.search(r"# \w+", line)] == []
    without_help = [c.callback.__name__ for c in cli.app.registered_commands if c.callback and not c.callback.__doc__]
    assert without_help == []


def test_the_commands_of_the_readme_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand, but with less time to solve, one scenario of the demo, and the import on a small export."""
    monkeypatch.chdir(tmp_path)
    _small_export(tmp_path)
    for words in shell_lines():
        assert words[0] == "bookfit"
        quick = {"solve": ["--time-limit", "8"], "demo": ["--engine", "greedy"]}.get(words[1], [])
        said = io.StringIO()
        with (
            patch.object(sys, "argv", [*words, *quick]),
            patch("subprocess.call", return_value=0),
            patch("optimizer.demo.scenario_paths", lambda folder: [folder / "baseline.toml"]),
            redirect_stdout(said),
            redirect_stderr(said),
        ):
            try:
                cli.main()
                code: Any = 0
            except SystemExit as end:
                code = end.code
        assert code in (0, None), f"{' '.join(words)}: {said.getvalue()}"
    assert (tmp_path / "handover" / "first.xlsx").is_file()


def test_the_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    told = set(re.findall(r"(?:^\s*|`)make (\w+)", README, re.MULTILINE))
    assert {"demo", "app", "check", "test"} <= told <= targets


def test_the_code_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "demo").symlink_to(ROOT / "scenarios" / "demo")
    monkeypatch.chdir(tmp_path)
    (code,) = blocks(README, "python")
    quick = code.replace("time_limit=30", 'time_limit=30, engine="greedy"')
    said = io.StringIO()
    with redirect_stdout(said):
        exec(compile(quick, "README.md", "exec", dont_inherit=True), {})
    assert "model value" in said.getvalue()
    assert "today" in said.getvalue()
    assert (tmp_path / "plan.xlsx").is_file()


def test_every_exit_code_of_the_program_is_told() -> None:
    assert {int(n) for n in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)} == {0, 1, 2, 3, 4, 130}


# -- links -----------------------------------------------------------------------------------------------------------
def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a repository browser makes them, and its own."""
    source = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ +(.*)$", source, re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads]
    return {*plain, *re.findall(r'<a id="([^"]+)"', source)}


def _links(page: Path) -> Iterator[str]:
    source = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", source)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_index_lists_every_page() -> None:
    listed = {link.partition("#")[0] for link in _links(ROOT / "docs" / "README.md")}
    by_how_to = {link.partition("#")[0] for link in _links(ROOT / "docs" / "how-to-add.md")}
    assert {p.name for p in (ROOT / "docs").glob("*.md")} - {"README.md"} <= listed | by_how_to


def test_modules_and_files_named_in_the_documents_exist() -> None:
    gone = [
        f"{page.name}: {name}"
        for page in PAGES
        for name in re.findall(r"`((?:optimizer|scenarios|tests|docs|benchmarks)/[\w./-]+)`", page.read_text("utf-8"))
        if not (ROOT / name).exists() and "same_country" not in name
    ]
    assert gone == []


# -- docs/scenario-files.md: every key -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "model",
    [Scenario, Scoring, Criterion, KeyFilter, Travel, Level, Role, RepChanges, *RULES],
    ids=lambda model: model.__name__,
)
def test_every_key_of_the_scenario_file_is_explained(model: type[BaseModel]) -> None:
    page = text("scenario-files.md")
    own = _section(page, model) if issubclass(model, Rule) else page
    fields = set(model.model_fields) - ({"name", "where", "off", "kind"} if issubclass(model, Rule) else set())
    assert sorted(f for f in fields if f"`{f}`" not in own) == []


def _section(page: str, rule: type[BaseModel]) -> str:
    kind = rule.model_fields["kind"].default
    found = re.search(rf'^### `kind = "{kind}"`.*?(?=^##)', page, re.MULTILINE | re.DOTALL)
    assert found, f"docs/scenario-files.md has no section for {kind}"
    return found[0]


def test_every_default_of_scoring_is_told_as_it_is() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w.]+) \|", text("scenario-files.md"), re.MULTILINE))
    for model in (Scoring, Travel):
        for name, field in model.model_fields.items():
            if isinstance(field.default, bool):
                assert rows[name] == str(field.default).lower()
            elif isinstance(field.default, float):
                assert float(rows[name]) == field.default, name


def test_every_reserved_measure_is_explained() -> None:
    from optimizer.rules.limit_check import RESERVED

    section = _section(text("scenario-files.md"), Limit)
    assert [m for m in RESERVED if f"`{m}`" not in section] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_toml_in_the_documents_is_a_scenario(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8"), "toml"):
        raw = tomllib.loads(block)
        raw.pop("extends", None)
        parse_scenario(raw, page.name)


def test_conditions_of_filters_shown_are_understood() -> None:
    shown = re.findall(r"^\| `(\{.*\})` \|", text("scenario-files.md"), re.MULTILINE)
    assert len(shown) >= 4
    for condition in shown:
        raw = tomllib.loads(f'rules = [{{name = "r", kind = "keep", where = {condition}}}]')
        parse_scenario(raw, "scenario-files.md")


def test_rules_offered_for_common_wishes_are_understood() -> None:
    wishes = re.findall(r"^\| [\w ]+ \| `(measure = .*)` \|$", text("scenario-files.md"), re.MULTILINE)
    assert len(wishes) >= 6
    for fields in wishes:
        parse_scenario(tomllib.loads(f'rules = [{{name = "r", kind = "limit", {fields}}}]'), "scenario-files.md")


# -- the other pages -------------------------------------------------------------------------------------------------
def test_every_table_and_column_is_in_the_file_formats() -> None:
    page = text("file-formats.md")
    assert [f"{t.name}.{c.name}" for t in TABLES for c in t.columns if f"`{c.name}`" not in page] == []


def test_every_kpi_has_its_section() -> None:
    page = text("kpis.md")
    assert [k.name for k in KPIS if f'<a id="{k.name}">' not in page] == []


def test_every_status_and_every_reason_to_stop_is_explained() -> None:
    from typing import get_args

    from optimizer.result import Status, StoppedBy

    page = text("bounds-and-proof.md")
    assert [word for word in (*get_args(Status), *get_args(StoppedBy)) if f"`{word}`" not in page] == []


def _example(title: str) -> ModuleType:
    """The code of one section of the how-to, run as a module."""
    section = text("how-to-add.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    (code,) = blocks(section, "python")
    module = ModuleType("example")
    exec(compile(code, "how-to-add.md", "exec", dont_inherit=True), module.__dict__)
    return module


def _tiny(limits: list[dict[str, Any]] | None = None) -> Problem:
    accounts = pd.DataFrame(
        {"account_id": list("abc"), "owner_id": ["x", "y", None], "potential": [9e3, 5e3, 7e3],
         "country": ["FR", "DE", None]}
    )  # fmt: skip
    reps = pd.DataFrame({"rep_id": ["x", "y"], "country": ["FR", "DE"]})
    return build(tables_of(accounts, reps), parse_scenario({"name": "Tiny", "rules": limits or []}))


def test_the_example_rule_says_the_same_to_engines_and_to_the_judge() -> None:
    rule: Rule = _example("A rule").SameCountry(name="own country")
    scores = _tiny().scores
    options = build_options(scores, [rule.post(scores)])
    allowed = set(zip(options.lead[options.unit].tolist(), options.rep.tolist(), strict=True))
    for account, rep in product(range(3), range(2)):
        owner = np.full((3, 1), -1, np.int32)
        owner[account] = rep
        broken = rule.check(scores, scores.plan(owner, np.zeros((3, 1), np.int8))).assignments
        assert broken.empty == ((account, rep) in allowed)
    assert len(allowed) == 4


def test_the_example_engine_finds_the_best_plan_where_no_limit_binds_and_none_where_one_does() -> None:
    engine = _example("An engine").Best()
    free = _tiny()
    answer = engine.solve(free.core, Limits(), lambda progress: False)
    best = solve(free, "highs", gap=0.0, in_process=True)
    assert free.core.objective(answer.choice) == pytest.approx(best.objective)
    tight = _tiny([{"name": "none", "kind": "limit", "measure": "accounts", "at_most": 1}])
    assert engine.solve(tight.core, Limits(), lambda progress: False).choice is None


def _small_export(folder: Path) -> None:
    """What the README's import line names: mapping.toml and crm-exports/."""
    (folder / "crm-exports").mkdir()
    (folder / "crm-exports" / "companies.csv").write_text("No,Seller,Upside\n1,x,100\n2,y,50\n")
    (folder / "crm-exports" / "sellers.csv").write_text("Code\nx\ny\n")
    (folder / "mapping.toml").write_text(
        'name = "Small"\n'
        '[sources.companies]\nfile = "companies.csv"\nkey = "No"\n'
        '[sources.sellers]\nfile = "sellers.csv"\nkey = "Code"\n'
        '[tables.accounts]\nbase = "companies"\n'
        "[tables.accounts.columns]\n"
        'account_id = {column = "No"}\nowner_id = {column = "Seller"}\npotential = {column = "Upside"}\n'
        '[tables.reps]\nbase = "sellers"\n[tables.reps.columns]\nrep_id = {column = "Code"}\n'
    )


def test_score_notes_say_not_distinguishable_as_the_guide_promises() -> None:
    accounts = pd.DataFrame({"account_id": ["a"], "owner_id": ["x"], "potential": [1.0]})
    reps = pd.DataFrame({"rep_id": ["x", "y"]})
    deals = pd.DataFrame(
        {"opportunity_id": [str(i) for i in range(40)], "account_id": "a", "rep_id": ["x", "y"] * 20,
         "won": ["yes", "yes", "no", "no"] * 10, "closed": "yes"}
    )  # fmt: skip
    notes = score(tables_of(accounts, reps, opportunities=deals)).notes
    assert any("not distinguishable from chance" in note for note in notes)
