"""Where findings point: cells of a file, rows of a table; and ids as a reader sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.errors import Finding, Severity
from optimizer.formats.base import SHOWN, cell_text
from optimizer.tables import Table

Mask = npt.NDArray[np.bool_]


def mask_of(cells: Any) -> Mask:
    """An Arrow truth column as NumPy, null as false."""
    return np.asarray(pc.fill_null(cells, False)).astype(bool)


@dataclass(frozen=True, slots=True)
class Place:
    """Where cells stand: table, the file as the user calls it, and the column's header in that file."""

    table: str
    file: str | None
    column: str

    def findings(
        self,
        rows: pd.Index[Any],
        values: Callable[[int], str | None],
        wrong: Mask,
        problem: str,
        remedy: str,
        severity: Severity = "error",
    ) -> Iterator[Finding]:
        """One finding a wrong cell; from the 21st on they are gathered into one with a count."""
        places = np.flatnonzero(wrong)
        for at in places[:SHOWN]:
            yield Finding(self.table, problem, remedy, int(rows[at]), self.column, values(at), severity, self.file)
        if len(places) > SHOWN:
            at = places[SHOWN]
            yield Finding(
                self.table,
                f"and others like it: {problem}",
                remedy,
                int(rows[at]),
                self.column,
                values(at),
                severity,
                self.file,
                len(places) - SHOWN,
            )


@dataclass(frozen=True, slots=True)
class Checked:
    """One table on the bench: its dictionary entry, where it came from, its rows."""

    entry: Table
    file: str | None
    frame: pd.DataFrame

    def wrong(
        self,
        column: str,
        mask: Mask | pd.Series[Any],
        problem: str,
        remedy: str,
        severity: Severity = "error",
        shown: Callable[[int], str | None] | None = None,
    ) -> Iterator[Finding]:
        """Findings for the rows in `mask`: twenty by name, the rest gathered."""
        cells = self.frame[column]
        values = shown or (lambda at: None if pd.isna(cells.iloc[at]) else cell_text(cells.iloc[at]))
        yield from Place(self.entry.name, self.file, column).findings(
            self.frame.index, values, np.asarray(mask, dtype=bool), problem, remedy, severity
        )

    def one(
        self,
        problem: str,
        remedy: str,
        severity: Severity = "error",
        at: int | None = None,
        column: str | None = None,
        value: str | None = None,
        count: int = 1,
    ) -> Finding:
        """One finding, about the row at position `at` or the table as a whole."""
        row = None if at is None else int(self.frame.index[at])
        return Finding(self.entry.name, problem, remedy, row, column, value, severity, self.file, count)


def alike(ids: pd.Series[Any]) -> pd.Series[Any]:
    """Ids reduced to what a reader sees: no case, no width, no invisible characters, single spaces."""
    text = pc.utf8_normalize(pa.array(ids, pa.large_string(), from_pandas=True), "NFKC")
    text = pc.replace_substring_regex(pc.utf8_lower(text), r"\p{Cf}+", "")
    text = pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s\p{Z}]+", " "))
    seen = pd.Series(text.to_pandas().to_numpy(dtype=object), ids.index, dtype="str")
    foreign = seen.notna().to_numpy() & ~np.asarray(pc.fill_null(pc.string_is_ascii(text), True))
    if foreign.any():
        seen[foreign] = seen[foreign].map(str.casefold)
    return seen
