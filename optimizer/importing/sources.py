"""Read the files a mapping names and bring their cells into shape: spelling, corrections, filter."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Finding, Findings, InputError, UsageError
from optimizer.formats.base import RawTable
from optimizer.importing import cells
from optimizer.importing.ledger import Ledger
from optimizer.importing.mapping import SourceFile
from optimizer.where import Range, mask


@dataclass(slots=True)
class Source:
    """One table of the export while an import runs.

    `used` are the columns something asked for; `groups` keeps what aggregates over its rows have in common.
    """

    name: str
    file: str
    frame: pd.DataFrame
    key: str | None
    given: tuple[str, ...]
    ledger: Ledger
    used: set[str] = field(default_factory=set)
    groups: dict[tuple[str, ...], tuple[np.ndarray, ...]] = field(default_factory=dict)
    _numbers: dict[str, pd.Series] = field(default_factory=dict)
    _order: dict[str, np.ndarray] = field(default_factory=dict)

    def column(self, name: str) -> pd.Series:
        self.used.add(name)
        return self.frame[name]

    def text(self, name: str) -> pd.Series:
        return cells.text(self.column(name))

    def numbers(self, name: str) -> pd.Series:
        """The column as float64; cells that are no number are missing and reported, once."""
        if name not in self._numbers:
            self._numbers[name], strange = cells.numbers(self.column(name))
            self.strange(name, strange, "is not a number, so it is left out")
        return self._numbers[name]

    def order(self, name: str) -> np.ndarray:
        """[rows] int64 places in the order of the column; cells without one are reported and come first."""
        if name not in self._order:
            self._order[name], strange = cells.ordered(self.column(name))
            self.strange(name, strange, "is neither a number nor an ISO date, so it comes before all others")
        return self._order[name]

    def strange(self, column: str, found: pd.Series, problem: str) -> None:
        self.ledger.rows(self.name, self.file, column, found, problem, "correct it with `replace`, or in the export")

    def mask(self, where: Dict[str, Any]) -> np.ndarray:
        """[rows] True where the filter holds: numbers compare as numbers, dates as dates, the rest as text."""
        typed = {f"c{i}": self._typed(column, where[column]) for i, column in enumerate(where)}
        frame = pd.DataFrame(typed, index=self.frame.index)
        return mask(frame, {f"c{i}": condition for i, condition in enumerate(where.values())})

    def _typed(self, column: str, condition: Any) -> pd.Series:
        bounds = [condition.min, condition.max] if isinstance(condition, Range) else condition
        given = [b for b in (bounds if isinstance(bounds, list) else [bounds]) if b is not None]
        if all(isinstance(b, (int, float)) for b in given):
            return self.numbers(column)
        if not isinstance(condition, Range):
            return self.text(column)
        values, strange = cells.dates(self.column(column))
        if self.ledger.first_time("date", self.name, column):
            self.strange(column, strange, "is not an ISO date, so no filter on dates takes it")
        return values


def read_source(name: str, spec: SourceFile, folder: Path, ledger: Ledger) -> Source:
    """The source's rows, spelt plainly, corrected and filtered; every change is in the ledger.

    Raises `InputError` when the file, its table or a column named for it is not there.
    """
    raw = _raw(spec, folder)
    ledger.findings.extend(raw.findings)
    frame = raw.frame.rename(columns=str)
    source = Source(name, raw.file, frame, spec.key, tuple(frame.columns), ledger)
    named = (spec.key, *spec.numbers, *spec.dates, *spec.replace, *spec.where)
    missing = [c for c in dict.fromkeys(named) if c and c not in frame]
    if missing:
        raise InputError(Findings.of(no_column(source, c) for c in missing))
    _trim(source)
    for column, style in spec.numbers.items():
        fresh, strange = cells.respell(source.column(column), style)
        source.frame = source.frame.assign(**{column: fresh})
        source.strange(column, strange, f"is not a number written like {style}")
    for column, form in spec.dates.items():
        fresh, strange = cells.redate(source.column(column), form)
        source.frame = source.frame.assign(**{column: fresh})
        source.strange(column, strange, f"is not a date written like {form}")
    for column, corrections in spec.replace.items():
        fresh = correct(source.column(column), corrections, ledger, name, raw.file, column)
        source.frame = source.frame.assign(**{column: fresh})
    if spec.where:
        keep = source.mask(spec.where)
        left = pd.Series(None, index=source.frame.index[~keep], dtype="str")
        ledger.rows(name, raw.file, None, left, "left out, as the mapping's `where` says", severity="note")
        source.frame = source.frame[keep]
        source._numbers = {column: values[keep] for column, values in source._numbers.items()}
    return source


def correct(
    column: pd.Series, corrections: Dict[str, str], ledger: Ledger, table: str, file: str, name: str
) -> pd.Series:
    """The column with wrong values replaced; each correction is reported with how often it was needed."""
    for wrong, right in corrections.items():
        found = column[column.eq(wrong).fillna(False)]
        if found.empty:
            problem = "is to be corrected, but does not occur"
            ledger.note(table, problem, column=name, value=wrong, file=file)
            continue
        ledger.findings.append(
            Finding(table, f"corrected to {right!r}", "", int(found.index.min()), name, wrong, "note", file, len(found))
        )
    return column.replace(dict(corrections))


def no_column(source: Source, column: str, path: str | None = None) -> Finding:
    """The finding for a column that the source does not have."""
    asked = f" ({path} asks for it)" if path else ""
    known = ", ".join(map(str, source.frame.columns[:30]))
    return Finding(source.name, f"there is no such column{asked}; columns: {known}", column=column, file=source.file)


def _trim(source: Source) -> None:
    """Blanks around cells go, and empty cells become missing."""
    frame = source.frame.apply(lambda column: column.str.strip())
    for column in frame:
        changed = source.frame.loc[frame[column].ne(source.frame[column]) & source.frame[column].notna(), column]
        source.ledger.rows(source.name, source.file, column, changed, "blanks around it removed", severity="note")
    source.frame = frame.mask(frame.eq("").fillna(False))


def _raw(spec: SourceFile, folder: Path) -> RawTable:
    """The table of a source as its file has it."""
    from optimizer.formats import FORMATS
    from optimizer.formats.sqlite import Sqlite

    path = folder / spec.file
    if not path.is_file():
        raise UsageError(f"there is no file {spec.file} in {folder}")
    formats = (Sqlite(), *FORMATS)
    how = next((f for f in formats if path.name.lower().endswith(f.suffixes)), None)
    if how is None:
        endings = ", ".join(dict.fromkeys(s for f in formats for s in f.suffixes))
        raise UsageError(f"{spec.file} is of a kind we do not read; known: {endings}")
    wanted = spec.table or spec.sheet
    found = how.read(path, spec.table) if isinstance(how, Sqlite) else how.read(path)
    named = found if wanted is None else tuple(t for t in found if t.name == wanted)
    if len(named) == 1:
        return named[0]
    ask = f"there is no table or sheet {wanted!r} in it" if wanted else "it holds several tables; say which by `table`"
    known = ", ".join(t.name for t in found)
    raise InputError(Findings((Finding("mapping", f"{ask}; known: {known}", file=spec.file),)))
