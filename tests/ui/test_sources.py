"""Uploads land in the session's folder under names of our making, whatever they were called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import UsageError
from optimizer.read import Dialect, read
from optimizer.ui.sources import clean_name, starts, table_name, uploaded
from optimizer.ui.state import Source


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/evil.csv", "evil.csv"),
        ("C:\\Users\\me\\accounts.csv", "accounts.csv"),
        ("/etc/passwd", "passwd"),
        ("..", "table"),
        ("con.csv", "_con.csv"),
        ("reps\x00\n.csv", "reps__.csv"),
        (".hidden.csv", "hidden.csv"),
    ],
)
def test_a_name_is_only_a_name(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@given(st.text(max_size=300))
def test_no_name_leaves_its_folder(name: str) -> None:
    clean = clean_name(name)
    folder = Path("folder")
    assert (folder / clean).parent == folder and clean not in ("", ".", "..")
    assert not set(clean) & set('/\\\0\n"') and len(clean) < 250


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("crm_accounts (1).csv", "accounts.csv"),
        ("Companies.xlsx", "accounts.xlsx"),
        ("export-users-2027.csv.gz", "reps.csv.gz"),
        ("notes.csv", "notes.csv"),
    ],
)
def test_a_file_is_called_by_the_table_its_name_holds(name: str, table: str) -> None:
    assert table_name(name) == table


def test_uploaded_files_are_read_as_they_were_sent(company: Path, tmp_path: Path) -> None:
    files = [
        ("../accounts.csv", (company / "accounts.csv").read_bytes()),
        ("My reps.csv", (company / "reps.csv").read_bytes()),
    ]
    source, notes = uploaded(files, tmp_path)
    assert Path(source.path).parent == tmp_path
    assert notes == ("My reps.csv was read as reps.csv",)
    tables = read(source.path)
    assert tables.accounts.equals(read(company).accounts)


def test_a_decimal_comma_said_at_the_upload_is_believed(tmp_path: Path) -> None:
    accounts = b"account_id;owner_id;potential\n0012;r1;1.200,50\n"
    source, _ = uploaded([("accounts.csv", accounts), ("reps.csv", b"rep_id\nr1\n")], tmp_path, ",", "day")
    assert (source.decimal, source.dates) == (",", "day")
    assert read(source.path, Dialect.said(source.decimal, source.dates)).accounts["potential"].tolist() == [1200.5]


def test_the_same_content_has_the_same_digest_and_other_content_another(company: Path, tmp_path: Path) -> None:
    files = [
        ("accounts.csv", (company / "accounts.csv").read_bytes()),
        ("reps.csv", (company / "reps.csv").read_bytes()),
    ]
    one, two = uploaded(files, tmp_path)[0], uploaded(files, tmp_path)[0]
    other = uploaded([files[0], ("reps.csv", files[1][1] + b"\n")], tmp_path)[0]
    assert one.digest == two.digest != other.digest
    assert one.path != two.path


@pytest.mark.parametrize("files", [[], [("accounts.exe", b"x")], [("accounts.csv", b"a"), ("crm accounts.csv", b"b")]])
def test_what_cannot_be_used_is_refused_in_words(files: list[tuple[str, bytes]], tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        uploaded(files, tmp_path)


def test_the_scenarios_of_the_data_come_baseline_first_and_whole(company: Path) -> None:
    found = starts(Source("demo", str(company), "x"))
    assert [s.name for s in found] == ["Baseline", "Few moves"]
    assert "extends" not in found[1].toml and "families" in found[1].toml
