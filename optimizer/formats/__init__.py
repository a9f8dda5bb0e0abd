"""The file formats we read and write, in the order they are tried. Add one: a file here and a line below."""

from __future__ import annotations

from pathlib import Path

from optimizer.errors import unknown
from optimizer.formats.base import Format, RawTable
from optimizer.formats.csv import Csv
from optimizer.formats.excel import Excel
from optimizer.formats.parquet import Parquet

FORMATS: tuple[Format, ...] = (Csv(), Excel(), Parquet())

#: Every file ending some format reads.
SUFFIXES: tuple[str, ...] = tuple(suffix for member in FORMATS for suffix in member.suffixes)


def format_of(path: Path) -> Format:
    """The format that reads a file of this name. Raises `UsageError` listing the known endings."""
    for member in FORMATS:
        if path.name.lower().endswith(member.suffixes):
            return member
    raise unknown("file type", path.suffix or path.name, SUFFIXES)


def format_named(name: str) -> Format:
    """The format of that name. Raises `UsageError` listing the known names."""
    for member in FORMATS:
        if member.name == name:
            return member
    raise unknown("format", name, [member.name for member in FORMATS])


__all__ = ["FORMATS", "SUFFIXES", "Format", "RawTable", "format_named", "format_of"]
