"""A SQLite file, read only: one table of text cells for each of its tables.

Views and virtual tables are left alone, because reading them runs what the file's author wrote. The file is
opened read-only and as unchanging, so nothing is written beside it, and a program that writes it at the same time
is not waited for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from optimizer.errors import Finding, Findings
from optimizer.formats.base import RawTable, cell_text, numbered, unreadable

_TABLES = """
    SELECT name FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%'
    ORDER BY name
"""


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A database file. It is read, never written."""

    name: str = "sqlite"
    suffixes: tuple[str, ...] = (".sqlite", ".sqlite3", ".db", ".db3")

    def read(self, path: Path, table: str | None = None) -> tuple[RawTable, ...]:
        """The tables of the file in the order of their names, or only `table`.

        Cells are text as SQLite holds them: whole numbers without a point, NULL missing, binary cells missing with
        a finding. The index is the row as a spreadsheet would number it, in the file's own order. Raises
        `InputError` when the file is no SQLite database or is damaged, or has no such table.
        """
        with _opened(path) as connection:
            names = [row[0] for row in connection.execute(_TABLES)]
            if table is not None and table not in names:
                problem = f"there is no table {table!r}; known: {', '.join(names)}"
                raise unreadable(path.name, problem, "name one of these tables")
            wanted = names if table is None else [table]
            return tuple(_table(connection, name, path) for name in wanted)

    def write(self, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
        """Refused: raises `InputError`."""
        raise unreadable(path.name, "SQLite files are read, not written", "write CSV, Excel or Parquet instead")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
            connection.execute("PRAGMA trusted_schema = OFF")
            yield connection
    except sqlite3.Error as error:
        remedy = "check that it is a SQLite database and that the copy is whole"
        raise unreadable(path.name, f"cannot be read as SQLite: {error}", remedy) from error


def _table(connection: sqlite3.Connection, name: str, path: Path) -> RawTable:
    quoted = name.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{quoted}"')
    columns = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    index = numbered(len(rows))
    cells = pd.DataFrame(rows, columns=columns, index=index, dtype=object)
    file = f"{path.name}, table {name}"
    found = _stale(path, name, file)
    for column in columns:
        binary = cells.index[cells[column].map(lambda cell: isinstance(cell, bytes)).astype(bool)]
        if len(binary):
            problem = "holds binary data, which is read as empty"
            found.append(Finding(name, problem, "", int(binary[0]), column, None, "warning", file, len(binary)))
    frame = pd.DataFrame({c: cells[c].map(_text).astype("str") for c in columns}, index=index)
    return RawTable(name, file, frame, Findings.of(found), typed=True)


def _text(cell: object) -> str | None:
    """A cell as text; a whole number that SQLite keeps as a real (5.0) loses its point."""
    return None if cell is None or isinstance(cell, bytes) or cell == "" else cell_text(cell)


def _stale(path: Path, name: str, file: str) -> list[Finding]:
    """A warning where a write-ahead log lies beside the file: its changes are not in what we read."""
    log = path.with_name(path.name + "-wal")
    if not log.is_file() or log.stat().st_size == 0:
        return []
    problem = f"{log.name} holds changes that are not read"
    return [
        Finding(
            name, problem, "close the program that uses the database, then import again", file=file, severity="warning"
        )
    ]
