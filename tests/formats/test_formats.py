"""The family as a whole: every member keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import UsageError
from optimizer.formats import FORMATS, Format, format_named, format_of
from optimizer.formats.base import letters, replacing
from optimizer.tables import TABLES

PAGE = Path(__file__).parents[2] / "docs/file-formats.md"


@pytest.mark.parametrize("member", FORMATS, ids=lambda member: member.name)
def test_every_format_gives_back_what_it_wrote(member: Format, tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["007", "1E5", "a,b"], "text": ["x\ny", None, "'"]})
    path = tmp_path / f"accounts{member.suffixes[0]}"
    member.write({"accounts": frame}, path)
    (raw,) = member.read(path)
    assert raw.name == "accounts"
    pd.testing.assert_frame_equal(raw.frame.reset_index(drop=True), frame.astype("str"))
    assert list(raw.frame.index) == [2, 3, 4]


def test_names_and_endings_find_their_format_and_unknown_ones_show_the_list() -> None:
    assert format_of(Path("x/Accounts.XLSX")).name == "excel"
    assert format_of(Path("accounts.csv.gz")) is format_named("csv")
    with pytest.raises(UsageError, match=r"known: .*\.parquet"):
        format_of(Path("accounts.docx"))
    with pytest.raises(UsageError, match="known: csv, excel, parquet"):
        format_named("json")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_columns_are_lettered_as_spreadsheets_do() -> None:
    assert [letters(i) for i in (0, 25, 26, 51, 701, 702)] == ["A", "Z", "AA", "AZ", "ZZ", "AAA"]


def test_the_page_on_file_formats_names_every_table_column_and_format() -> None:
    sections = PAGE.read_text("utf-8").split("\n### ")
    for entry in TABLES:
        (section,) = [text for text in sections if text.startswith(f"`{entry.name}`")]
        missing = [column.name for column in entry.columns if f"| `{column.name}` |" not in section]
        assert not missing, (entry.name, missing)
    for member in FORMATS:
        assert all(f"`{suffix}`" in sections[0] for suffix in member.suffixes)
