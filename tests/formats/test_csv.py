"""CSV files as people send them: every cell unchanged, every broken row named."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.formats import csv as csv_format
from optimizer.formats._scan import records
from optimizer.formats.base import RawTable
from optimizer.formats.csv import Csv


def read(folder: Path, data: bytes | str, name: str = "accounts.csv") -> RawTable:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    (table,) = Csv().read(path)
    return table


def refused(folder: Path, data: bytes | str, name: str = "accounts.csv") -> str:
    with pytest.raises(InputError) as caught:
        read(folder, data, name)
    return str(caught.value)


def rows(table: RawTable) -> dict[int, list[str]]:
    return {
        int(row): cells
        for row, cells in zip(table.frame.index, table.frame.fillna("").to_numpy().tolist(), strict=True)
    }


@pytest.mark.parametrize(
    "cell", ["007", "1E5", "003000000000000001", "NA", "null", "2027-01-02", "=1+1", "1.10", "TRUE"]
)
def test_no_cell_is_retyped(tmp_path: Path, cell: str) -> None:
    assert rows(read(tmp_path, f"id,x\n{cell},1\n")) == {2: [cell, "1"]}


@pytest.mark.parametrize("delimiter", list(",;\t|"))
def test_the_separator_is_found(tmp_path: Path, delimiter: str) -> None:
    text = "\n".join(delimiter.join(row) for row in (["id", "amount"], ["1", "1.5"], ["2", "2.5"]))
    assert rows(read(tmp_path, text)) == {2: ["1", "1.5"], 3: ["2", "2.5"]}


def test_a_semicolon_file_with_decimal_commas_keeps_two_columns(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "id;amount\n1;1,5\n2;2,5\n")) == {2: ["1", "1,5"], 3: ["2", "2,5"]}


def test_excels_own_separator_line_is_not_a_row(tmp_path: Path) -> None:
    assert rows(read(tmp_path, "sep=;\r\nid;amount\r\n1;2\r\n")) == {2: ["1", "2"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_give_the_same_cells(tmp_path: Path, encoding: str) -> None:
    text = "id,name\n1,Müller\n2,Straße 日本 and some more plain text\n"
    table = read(tmp_path, text.encode(encoding))
    assert rows(table) == {2: ["1", "Müller"], 3: ["2", "Straße 日本 and some more plain text"]}
    assert not table.findings


def test_windows_text_is_read_with_a_warning(tmp_path: Path) -> None:
    table = read(tmp_path, "id,name\n1,Müller – Söhne\n".encode("cp1252"))
    assert rows(table) == {2: ["1", "Müller – Söhne"]}
    assert "row 2" in str(table.findings.warnings)


def test_damaged_utf8_is_refused_rather_than_read_as_windows_text(tmp_path: Path) -> None:
    assert "row 3" in refused(tmp_path, "id,name\n1,Müller Göß\n2,".encode() + b"\xff\n")


def test_cells_may_hold_separators_quotes_and_line_ends(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,name\n1,"a, ""b""\nc"\n\n2,d\n')
    assert rows(table) == {2: ["1", 'a, "b"\nc'], 4: ["2", "d"]}


def test_blank_lines_do_not_change_the_numbers_of_other_rows(tmp_path: Path) -> None:
    assert list(read(tmp_path, "\nid,name\n\n1,a\n,\n  \n2,b\n").frame.index) == [4, 7]


def test_an_inch_sign_inside_a_cell_is_just_a_character(tmp_path: Path) -> None:
    assert rows(read(tmp_path, 'id,size\n1,5" pipe\n')) == {2: ["1", '5" pipe']}


def test_ragged_rows_are_named_and_never_shifted(tmp_path: Path) -> None:
    table = read(tmp_path, "id,a,b\n1,x,y\n2,x\n3,x,y,z\n4,p,q\n")
    assert rows(table) == {2: ["1", "x", "y"], 5: ["4", "p", "q"]}
    assert [(f.row, f.value) for f in table.findings.errors] == [(3, "2,x"), (4, "3,x,y,z")]


def test_many_ragged_rows_are_gathered(tmp_path: Path) -> None:
    table = read(tmp_path, "id,a\n1,x\n" + "2\n" * 50)
    assert len(table.findings) == 21
    assert table.findings.items[-1].count == 30


@pytest.mark.parametrize(
    ("text", "row"),
    [('id,a\n1,x\n2,"y\n3,z\n', 3), ('id,a\n1,"x"y\n', 2), ('id,a\n1,x\n2,"y\n3,"z"\n', 3), ('id,"a\n1,x\n', 1)],
)
def test_broken_quotes_are_located_where_they_start(tmp_path: Path, text: str, row: int) -> None:
    assert f"accounts.csv, row {row}:" in refused(tmp_path, text)


def test_an_unclosed_quote_in_a_long_file_swallows_nothing(tmp_path: Path) -> None:
    lines = [f"{i},name {i}" for i in range(20_000)]
    lines[7_000] = '7000,"name'
    assert "row 7002" in refused(tmp_path, "id,name\n" + "\n".join(lines))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        (" \n\n", "empty"),
        ("id,id\n1,2\n", "2 times"),
        ("id,\n1,2\n", "column B is blank"),
        ("id,a\n1,\0\n", "row 2: the file holds 1 NUL"),
    ],
)
def test_unusable_files_are_refused_with_the_reason(tmp_path: Path, text: str, what: str) -> None:
    assert what in refused(tmp_path, text)


def test_an_empty_column_without_a_header_is_left_out(tmp_path: Path) -> None:
    assert list(read(tmp_path, "id,a,\n1,x,\n2,y,\n").frame.columns) == ["id", "a"]


def test_quoted_and_bare_empty_cells_are_both_missing(tmp_path: Path) -> None:
    assert read(tmp_path, 'id,a,b\n1,"",\n').frame.isna().to_numpy().tolist() == [[False, True, True]]


def test_gzip_is_read_and_its_growth_is_bounded(tmp_path: Path) -> None:
    assert rows(read(tmp_path, gzip.compress(b"id,a\n1,2\n"), "accounts.csv.gz")) == {2: ["1", "2"]}
    assert "unpacks to more than" in refused(tmp_path, gzip.compress(b"a" * 12_000_000), "accounts.csv.gz")
    assert "gzip" in refused(tmp_path, gzip.compress(b"id,a\n1,2\n")[:-6], "accounts.csv.gz")


@given(st.text(alphabet='ab,; "\n\r', max_size=40))
def test_the_fast_reader_agrees_with_the_careful_one_or_declines(text: str) -> None:
    data = ("k,v\n" + text).encode()
    if records(data, ",") is None:
        return
    try:
        careful = csv_format._careful(data, ",", "t", "t.csv")
    except InputError:
        pytest.fail(f"the scan called {data!r} plain, the careful reader refused it")
    fast = csv_format._fast(data, ",", "t", "t.csv")
    if fast is not None:
        blank = careful.frame.isna().all(axis=1)
        assert not careful.findings
        assert rows(fast) == rows(RawTable("t", "t.csv", careful.frame[~blank]))


def test_ordinary_files_take_the_fast_way() -> None:
    for text in ("k,v\n1,2\n", 'k,v\r\n"1","a ""b"", c\nd"\r\n\r\n2,\r\n', "k\n1"):
        assert csv_format._fast(text.encode(), ",", "t", "t.csv") is not None


@given(st.lists(st.lists(st.text(alphabet='ab,; "\n\r\té', max_size=6), min_size=2, max_size=2), max_size=8))
def test_any_cells_the_standard_library_writes_are_read_back(table: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["k", "v"], *table])
    for reader in (csv_format._fast, csv_format._careful):
        raw = reader(out.getvalue().encode(), ",", "t", "t.csv")
        if raw is not None:
            got = raw.frame.fillna("").to_numpy().tolist()
            assert [row for row in got if any(c.strip() for c in row)] == [
                row for row in table if any(c.strip() for c in row)
            ]


def test_writing_leaves_no_temporary_file_and_nothing_half_done(tmp_path: Path) -> None:
    good = pd.DataFrame({"k": ["1"], "v": ["x"]})
    Csv().write({"accounts": good}, tmp_path)
    before = (tmp_path / "accounts.csv").read_bytes()
    with pytest.raises(InputError, match="NUL"):
        Csv().write({"accounts": good.assign(v="a\0b")}, tmp_path)
    assert (tmp_path / "accounts.csv").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["accounts.csv"]
