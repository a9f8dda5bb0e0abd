"""Workbooks: ids stay text, broken cells are named, hostile archives are refused before they are opened."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from optimizer.errors import InputError
from optimizer.formats.base import RawTable
from optimizer.formats.excel import Excel


def book(path: Path, **sheets: list[list[object]]) -> Path:
    with xlsxwriter.Workbook(path) as out:
        for name, cells in sheets.items():
            sheet = out.add_worksheet(name)
            for row, values in enumerate(cells):
                for column, value in enumerate(values):
                    if isinstance(value, date):
                        sheet.write_datetime(row, column, value, out.add_format({"num_format": "yyyy-mm-dd"}))
                    elif value is not None:
                        sheet.write(row, column, value)
    return path


def only(path: Path) -> RawTable:
    (table,) = Excel().read(path)
    return table


def test_numbers_dates_and_flags_become_text_that_loses_nothing(tmp_path: Path) -> None:
    path = book(
        tmp_path / "b.xlsx",
        accounts=[["id", "n", "d", "f"], [17, 0.1, date(2027, 1, 2), True], ["007", -3, None, False]],
    )
    assert only(path).frame.fillna("").to_numpy().tolist() == [
        ["17", "0.1", "2027-01-02", "TRUE"],
        ["007", "-3", "", "FALSE"],
    ]


def test_row_numbers_are_those_of_the_sheet_whatever_stands_above(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", accounts=[[None], [None], ["id", "n"], ["a", 1], [None], ["b", 2]])
    table = only(path)
    assert list(table.frame.index) == [4, 6]
    assert table.file == "b.xlsx [accounts]"


def test_error_cells_and_formulas_without_a_result_are_located(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(path) as out:
        sheet = out.add_worksheet("accounts")
        sheet.write_row(0, 0, ["id", "n"])
        sheet.write_formula(1, 0, "=NA()", None, "#N/A")
        sheet.write_row(2, 0, ["x", 1])
    found = only(path).findings.errors
    assert [(f.row, f.column, f.value) for f in found] == [(2, "id", "#N/A")]
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.namelist():
            data = source.read(entry)
            target.writestr(entry, data.replace(b' t="e"><f>NA()</f><v>#N/A</v>', b"><f>NA()</f>"))
    assert [(f.row, f.column) for f in only(bare).findings.errors] == [(2, "id")]


def test_long_numbers_are_flagged_because_excel_rounds_them(tmp_path: Path) -> None:
    found = only(book(tmp_path / "b.xlsx", accounts=[["id"], [3000000000000001], [5]])).findings
    assert [(f.severity, f.row, f.column) for f in found] == [("warning", 2, "id")]


def test_empty_sheets_are_noted_and_sheets_that_are_no_tables_say_why(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", accounts=[["id"], ["a"]], blank=[], readme=[["Title"], ["text", "more text"]])
    accounts, readme = Excel().read(path)
    assert [f.severity for f in accounts.findings] == ["note"]
    assert "column B is blank" in str(readme.findings.errors)
    assert readme.frame.shape == (0, 0)


def test_a_sheet_that_spans_the_whole_grid_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    with xlsxwriter.Workbook(path) as out:
        sheet = out.add_worksheet("accounts")
        sheet.write(0, 0, "id")
        sheet.write(1_048_575, 16_383, "far away")
    with pytest.raises(InputError, match="spans 1,048,576 rows × 16,384 columns"):
        Excel().read(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/worksheets/sheet1.xml", b" " * 30_000_000)
    with pytest.raises(InputError, match="at most 200,000,000 bytes and 100 times"):
        Excel().read(path)


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", accounts=[["id"], ["a"]])
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(b"xl/worksheets/sheet1.xml"))
    assert data[at + 24 : at + 28] == size
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged workbook"):
        Excel().read(path)


@pytest.mark.parametrize(
    "content", [b"", b"not a workbook", b"PK\x03\x04 broken", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_files_that_are_no_workbooks_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"b\.xlsx"):
        Excel().read(path)


def test_nothing_written_is_a_formula_or_a_link(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["=1+1", "@x", "http://example.org", "00123", "+1", "-1"]})
    Excel().write({"accounts": frame}, tmp_path / "b.xlsx")
    with zipfile.ZipFile(tmp_path / "b.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet and b"hyperlink" not in sheet
    assert only(tmp_path / "b.xlsx").frame["id"].tolist() == frame["id"].tolist()


def test_text_that_does_not_fit_a_cell_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="32,767"):
        Excel().write({"accounts": pd.DataFrame({"id": ["x" * 40_000]})}, tmp_path / "b.xlsx")
    assert not list(tmp_path.iterdir())
