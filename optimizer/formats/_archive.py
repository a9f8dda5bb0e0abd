"""What an .xlsx archive says before a reader may open it: its true size, its extent, its broken cells."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from optimizer.errors import Finding
from optimizer.formats.base import unreadable

#: A workbook may unpack to this many bytes, and to this many times its size (small ones to `SMALL` bytes).
MAX_BYTES, MAX_RATIO, SMALL = 200_000_000, 100, 2_000_000
#: Cells between the first and the last used one; a reader reserves memory for each.
MAX_CELLS = 25_000_000

_CELL = re.compile(rb'<(?:\w+:)?c\s(?=[^>]*?\bt="e")([^>]*)>(.*?)</(?:\w+:)?c>', re.DOTALL)
_UNCALCULATED = re.compile(rb"<(?:\w+:)?c(\s[^>]*)?><(?:\w+:)?f[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)</(?:\w+:)?c>")
_REF = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_COLUMN = re.compile(rb'\br="([A-Z]{1,3})\d{1,7}"')
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)</")


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell that holds no value: `row` counted from 1, `column` from 0, `shown` what Excel displays."""

    row: int
    column: int
    shown: str


@dataclass(frozen=True, slots=True)
class Archive:
    """Cells with errors, and formulas stored without a result, by sheet name."""

    errors: dict[str, list[Broken]] = field(default_factory=dict)
    uncalculated: dict[str, list[Broken]] = field(default_factory=dict)


def inspect(path: Path) -> Archive:
    """Look through a workbook without trusting it. Raises `InputError` where opening it could do harm."""
    file = path.name
    try:
        with zipfile.ZipFile(path) as book:
            _bounded(book, path)
            names = set(book.namelist())
            if "xl/workbook.bin" in names:
                raise unreadable(file, "binary workbooks (.xlsb) are not read", "save it as .xlsx")
            sheets = dict(_sheets(book, names))
            archive = Archive()
            for part in sorted(n for n in names if re.fullmatch(r"/?xl/worksheets/[^/]+\.xml", n)):
                _look(book.read(part), sheets.get(part.lstrip("/"), part), file, archive)
            return archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise unreadable(file, f"is a damaged workbook: {error}", "open it in Excel and save it again") from None


def _bounded(book: zipfile.ZipFile, path: Path) -> None:
    """Refuse what would unpack to too much, then unpack it once so that the stated sizes are proved true."""
    total = sum(entry.file_size for entry in book.infolist())
    ratio = total / max(path.stat().st_size, 1)
    if total > MAX_BYTES or (total > SMALL and ratio > MAX_RATIO):
        raise unreadable(
            path.name,
            f"unpacks to {total:,} bytes, {ratio:,.0f} times its size; "
            f"at most {MAX_BYTES:,} bytes and {MAX_RATIO} times are read",
            "send the tables as CSV or Parquet",
        )
    damaged = book.testzip()
    if damaged:
        raise zipfile.BadZipFile(f"{damaged} does not match its checksum")


def _sheets(book: zipfile.ZipFile, names: set[str]) -> Iterator[tuple[str, str]]:
    """Part of the archive → name of the sheet, as far as the workbook says so."""
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return
    try:
        relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
        workbook = ElementTree.fromstring(book.read("xl/workbook.xml"))
    except ElementTree.ParseError:
        return
    target = {r.get("Id"): r.get("Target", "") for r in relations}
    for sheet in workbook.iter():
        if sheet.tag.rpartition("}")[2] == "sheet":
            key = next((v for k, v in sheet.attrib.items() if k.rpartition("}")[2] == "id"), None)
            part = target.get(key, "")
            yield (part.lstrip("/") if part.startswith("/") else f"xl/{part}"), sheet.get("name", part)


def _look(xml: bytes, sheet: str, file: str, archive: Archive) -> None:
    rows = max(map(int, _ROW.findall(xml)), default=0) or xml.count(b"<row")
    columns = max((_number(c) for c in set(_COLUMN.findall(xml))), default=0) + 1
    if rows * columns > MAX_CELLS:
        raise unreadable(
            f"{file} [{sheet}]",
            f"the sheet spans {rows:,} rows × {columns:,} columns; at most {MAX_CELLS:,} cells are read",
            "delete stray cells far from the table, or send CSV",
        )
    if b't="e"' in xml:
        archive.errors[sheet] = [_broken(m.group(1), m.group(2)) for m in _CELL.finditer(xml)]
    if b"<f" in xml:
        archive.uncalculated[sheet] = [_broken(m.group(1) or b"", b"") for m in _UNCALCULATED.finditer(xml)]


def _broken(attributes: bytes, inner: bytes) -> Broken:
    place, value = _REF.search(b" " + attributes), _VALUE.search(inner)
    row, column = (int(place.group(2)), _number(place.group(1))) if place else (0, 0)
    return Broken(row, column, value.group(1).decode(errors="replace") if value else "")


def _number(letters: bytes) -> int:
    """A column's place counted from 0: A is 0, Z is 25, AA is 26."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1


def findings_of(
    cells: list[Broken], problem: str, remedy: str, table: str, file: str, titles: dict[int, str]
) -> Iterator[Finding]:
    """One finding a broken cell, the many of a large sheet gathered."""
    shown = 20
    for cell in cells[:shown]:
        yield Finding(table, problem, remedy, cell.row or None, titles.get(cell.column), cell.shown or None, file=file)
    if len(cells) > shown:
        cell = cells[shown]
        yield Finding(
            table,
            f"and others: it {problem}",
            remedy,
            cell.row or None,
            titles.get(cell.column),
            cell.shown or None,
            file=file,
            count=len(cells) - shown,
        )
