"""Excel workbooks: one table a sheet. Read with python-calamine, written with XlsxWriter."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import python_calamine as calamine
import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from optimizer.errors import Finding, Findings, InputError
from optimizer.formats._archive import Archive, findings_of, inspect
from optimizer.formats.base import (
    ROW,
    RawTable,
    cell_text,
    headed,
    replacing,
    series_text,
    unreadable,
    without_blank_rows,
)

#: What one sheet and one cell can hold, by Excel's own limits.
MAX_ROWS, MAX_TEXT = 1_048_576, 32_767


@dataclass(frozen=True, slots=True)
class Excel:
    """A sheet per table; ids stay text, numbers stay numbers, nothing becomes a formula or a link."""

    name: str = "excel"
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm", ".xls", ".xlsb")

    def read(self, path: Path) -> tuple[RawTable, ...]:
        """Every sheet that has cells; the header is its first row with cells.

        A sheet that is no table comes back without columns, its findings saying why.
        """
        zipped = zipfile.is_zipfile(path)
        archive = inspect(path) if zipped else Archive()
        if path.suffix.lower() == ".xlsb":
            raise unreadable(path.name, "binary workbooks (.xlsb) are not read", "save it as .xlsx")
        sheets = _cells(path)
        tables, notes = [], Findings() if zipped else Findings((_old(path),))
        for name, rows in sheets.items():
            file = f"{path.name} [{name}]"
            try:
                table = _table(name, file, rows, archive)
            except InputError as error:
                table = RawTable(name, file, pd.DataFrame(), error.findings, typed=True)
            if table is None:
                notes += Findings((Finding(name, "the sheet is empty; it was left out", severity="note", file=file),))
            else:
                tables.append(table)
        if not any(table.frame.shape[1] for table in tables):
            problems = Findings.of(finding for table in tables for finding in table.findings)
            raise InputError(notes + (problems or Findings((_blank(path),))))
        tables[0] = replace(tables[0], findings=notes + tables[0].findings)
        return tuple(tables)

    def write(self, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
        """One workbook with a sheet per table. Raises `InputError` for what a sheet or a cell cannot hold."""
        findings = Findings.of(f for name, frame in frames.items() for f in _misfits(name, frame))
        findings.raise_errors()
        with replacing(path) as temporary:
            book = xlsxwriter.Workbook(
                temporary,
                {
                    "strings_to_formulas": False,
                    "strings_to_urls": False,
                    "strings_to_numbers": False,
                    "default_date_format": "yyyy-mm-dd",
                },
            )
            for name, frame in frames.items():
                _write(book.add_worksheet(name), frame)
            book.close()


class Exact(float):
    """A float that XlsxWriter stores in full; it would keep 16 digits of the 17 some numbers need."""

    def __format__(self, spec: str) -> str:
        return repr(float(self))


def _old(path: Path) -> Finding:
    problem = "old .xls workbooks do not show cells with errors (#N/A); such cells were read as empty"
    return Finding(path.stem, problem, "save it as .xlsx", severity="warning", file=path.name)


def _blank(path: Path) -> Finding:
    return Finding(path.stem, "the workbook has no cells", "fill it", file=path.name)


def _cells(path: Path) -> dict[str, list[list[Any]]]:
    """The rows of every worksheet. Anything the library throws, its own panics too, becomes an `InputError`."""
    try:
        book = calamine.CalamineWorkbook.from_path(path)
        return {
            sheet.name: book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)
            for sheet in book.sheets_metadata
            if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        }
    except calamine.PasswordError:
        raise unreadable(path.name, "the workbook is protected by a password", "save it without one") from None
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise unreadable(
            path.name, f"is not a workbook we can read: {error}", "open it in Excel and save it as .xlsx"
        ) from None


def _table(sheet: str, file: str, rows: list[list[Any]], archive: Archive) -> RawTable | None:
    """The table on a sheet, None when the sheet is empty. Raises `InputError` when its header cannot be one."""
    first = next((i for i, row in enumerate(rows) if any(cell != "" for cell in row)), None)
    if first is None:
        broken = Findings.of(_broken(sheet, file, archive, []))
        broken.raise_errors()
        return None
    header = [cell_text(cell) for cell in rows[first]]
    body = rows[first + 1 :]
    columns = list(zip(*body, strict=True)) or [()] * len(header)
    frame = pd.DataFrame(
        {
            i: pd.Series([None if c == "" else cell_text(c) for c in cells], dtype="str")
            for i, cells in enumerate(columns)
        }
    )
    frame.index = pd.Index(np.arange(first + 2, first + 2 + len(body)), name=ROW)
    findings = Findings.of(
        [
            *_broken(sheet, file, archive, header),
            *(f for i, cells in enumerate(columns) for f in _rounded(cells, first + 2, header[i], sheet, file)),
        ]
    )
    return RawTable(
        sheet, file, without_blank_rows(headed(frame, header, sheet, file, first + 1)), findings, typed=True
    )


def _broken(sheet: str, file: str, archive: Archive, header: list[str]) -> list[Finding]:
    """Cells that show an error, and formulas nobody calculated; both read as empty."""
    titles = dict(enumerate(header))
    return [
        *findings_of(
            archive.errors.get(sheet, []),
            "is an error, not a value",
            "correct the formula, or clear the cell",
            sheet,
            file,
            titles,
        ),
        *findings_of(
            archive.uncalculated.get(sheet, []),
            "is a formula stored without its result",
            "open the workbook in Excel, let it calculate, and save it",
            sheet,
            file,
            titles,
        ),
    ]


def _rounded(cells: tuple[Any, ...], top: int, title: str, sheet: str, file: str) -> list[Finding]:
    """Whole numbers beyond 15 digits: the spreadsheet has already changed them."""
    large = [i for i, c in enumerate(cells) if type(c) in (float, int) and abs(c) >= 1e15]
    if not large:
        return []
    return [
        Finding(
            sheet,
            "is a number of more than 15 digits; spreadsheets round those",
            "store it as text",
            top + large[0],
            title,
            cell_text(cells[large[0]]),
            "warning",
            file,
            len(large),
        )
    ]


def _misfits(name: str, frame: pd.DataFrame) -> list[Finding]:
    """What Excel cannot hold: too many rows, too long cells, two code points that are not characters."""
    found = []
    if len(frame) >= MAX_ROWS:
        found.append(Finding(name, f"{len(frame):,} rows do not fit a sheet of {MAX_ROWS:,}", "write CSV or Parquet"))
    for title in frame.columns:
        if pd.api.types.is_string_dtype(frame[title]) or frame[title].dtype == object:
            text = series_text(frame[title])
            bad = (text.str.len().gt(MAX_TEXT) | text.str.contains("[\x00\ufffe\uffff]", na=False)).to_numpy(dtype=bool)
            if bad.any():
                found.append(
                    Finding(
                        name,
                        f"text longer than {MAX_TEXT:,} characters, or with U+0000, U+FFFE or U+FFFF, "
                        "does not fit an Excel cell",
                        "shorten or clean it, or write CSV",
                        int(text.index[bad][0]),
                        str(title),
                        text[bad].iloc[0],
                        count=int(bad.sum()),
                    )
                )
    return found


def _write(sheet: Worksheet, frame: pd.DataFrame) -> None:
    sheet.freeze_panes(1, 1)
    for place, title in enumerate(frame.columns):
        cells = frame[title]
        sheet.write_string(0, place, str(title))
        if pd.api.types.is_bool_dtype(cells):
            write, values = sheet.write_boolean, cells.astype(object)
        elif pd.api.types.is_numeric_dtype(cells):
            write, values = partial(_number, sheet), cells.astype("float64")
        elif pd.api.types.is_datetime64_dtype(cells):
            write, values = sheet.write, cells.astype(object).map(_date, na_action="ignore")
        else:
            write, values = sheet.write_string, series_text(cells)
        filled = values.notna().to_numpy()
        for row, value in zip(np.flatnonzero(filled) + 1, values.to_numpy(dtype=object)[filled], strict=True):
            write(int(row), place, value)


def _number(sheet: Worksheet, row: int, column: int, value: float) -> None:
    sheet.write_number(row, column, Exact(value))


def _date(moment: pd.Timestamp) -> datetime | str:
    """A day Excel can hold as itself; times, and days before March 1900, as ISO text."""
    whole = moment == moment.normalize() and 1900 < moment.year < 10_000
    return moment.to_pydatetime() if whole else re.sub(r" 00:00:00$", "", moment.isoformat(" "))
