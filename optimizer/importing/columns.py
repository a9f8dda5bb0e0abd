"""Make one column of a source or of our tables, as the mapping says."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dict

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.errors import Finding, Findings, InputError, Severity
from optimizer.importing import aggregates, cells
from optimizer.importing.ledger import Ledger
from optimizer.importing.mapping import (
    Aggregate,
    Band,
    FirstOf,
    FromColumn,
    FromText,
    FromValue,
    Join,
    Made,
    Product,
    Ratio,
    Sum,
)
from optimizer.importing.sources import Source, correct

Sources = Dict[str, Source]


def make(path: str, made: Made, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    """The column, on the base's rows: text, or float64 where it was computed.

    `path` names the column in findings, as `accounts.arr`. Everything unmatched, corrected or filled in goes
    into the ledger.
    """
    out = _WAYS[type(made)](path, made, base, sources, ledger)
    table, _, column = path.partition(".")
    if made.times is not None:
        out = _as_numbers(out, path, base, ledger) * made.times
    if made.bands:
        out = banded(_as_numbers(out, path, base, ledger), made.bands)
    if made.replace:
        out = correct(cells.text(out), made.replace, ledger, table, base.file, column)
    if made.default is not None:
        out = _filled(out, made, path, base, ledger)
    if made.inferred:
        problem = f"{int(out.notna().sum()):,} values are inferred: {made.inferred}"
        ledger.note(table, problem, severity="warning", column=column, file=base.file)
    return out


def banded(values: pd.Series, bands: tuple[Band, ...]) -> pd.Series:
    """The name of each number's band; missing where the number is."""
    bounds = np.array([b.below for b in bands[:-1]], dtype=float)
    names = np.array([b.name for b in bands], dtype=object)
    place = np.searchsorted(bounds, values.to_numpy(), side="right")
    out = pd.Series(names[np.minimum(place, len(bounds))], index=values.index)
    return out.where(values.notna(), None).astype("str")


def _column(path: str, made: FromColumn, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    return base.numbers(made.column) if made.times is not None or made.bands else base.column(made.column)


def _value(path: str, made: FromValue, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    ledger.defaults.append(f"{path} is {cells.literal(made.value)}: {made.because}")
    return pd.Series(cells.literal(made.value), index=base.frame.index, dtype="str")


def _text(path: str, made: FromText, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    out = base.text(made.text[0])
    for name in made.text[1:]:
        more = base.text(name)
        out = (out + made.separator + more).fillna(out).fillna(more)
    return out


def _first_of(path: str, made: FirstOf, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    out = base.text(made.first_of[0])
    for name in made.first_of[1:]:
        out = out.fillna(base.text(name))
    return out


def _sum(path: str, made: Sum, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    return _side_by_side(base, made.sum).sum(axis=1, skipna=False)


def _product(path: str, made: Product, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    return _side_by_side(base, made.product).prod(axis=1, skipna=False)


def _side_by_side(base: Source, names: tuple[str, ...]) -> pd.DataFrame:
    """The columns as numbers; one named twice is there twice."""
    return pd.DataFrame({i: base.numbers(name) for i, name in enumerate(names)})


def _ratio(path: str, made: Ratio, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    above, below = (base.numbers(name) for name in made.ratio)
    return above / below.where(below.ne(0))


def _join(path: str, made: Join, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    """`column` of the matching row; base rows whose `on` is empty or unknown are reported, once per link."""
    other = sources[made.join]
    key = made.key or other.key or ""
    keys = other.text(key).dropna()
    _refuse_doubles(other, key, keys, path)
    on = base.text(made.on)
    place = _places(keys, on)
    if ledger.first_time(base.name, made.on, other.name, key):
        _report_unmatched(ledger, base, made.on, on, place < 0, f"in {other.file}, column {key}")
    values = other.column(made.column)[keys.index].reset_index(drop=True)
    out = values.reindex(np.where(place < 0, len(values), place))
    out.index = base.frame.index
    return out


def _aggregate(path: str, made: Aggregate, base: Source, sources: Sources, ledger: Ledger) -> pd.Series:
    child = sources[made.of]
    group, own = _grouped(made.key or base.key or "", base, made.by, child, ledger)
    size = int(own.max(initial=-1)) + 1
    result = _aggregated(path, made, child, group, child.mask(made.where), size, ledger)
    out = result.reindex(np.where(own < 0, size, own))
    out.index = base.frame.index
    return out


def _grouped(key: str, base: Source, by: str, child: Source, ledger: Ledger) -> tuple[np.ndarray, np.ndarray]:
    """([child rows], [base rows]) the code of each row's key, codes counting the base's keys from 0; -1: none.

    Child rows without a key in the base, and keys without a child row, are reported once.
    """
    link = (base.name, key, by)
    if link not in child.groups:
        base_keys, child_keys = base.text(key), child.text(by)
        known = base_keys.dropna().drop_duplicates()
        group, own = _places(known, child_keys), _places(known, base_keys)
        if ledger.first_time(child.name, by, base.name, key):
            _report_unmatched(ledger, child, by, child_keys, group < 0, f"in {base.file}, column {key}")
        idle = base_keys[~np.isin(own, group) & (own >= 0)]
        ledger.rows(base.name, base.file, key, idle, f"has no row in {child.file}", severity="note")
        child.groups[link] = group, own
    group, own = child.groups[link]
    return group, own


def _aggregated(
    path: str, made: Aggregate, child: Source, group: np.ndarray, taken: np.ndarray, size: int, ledger: Ledger
) -> pd.Series:
    """[keys] the aggregate of the child rows that are `taken` and whose `group` (key code) is not -1."""
    rows = taken & (group >= 0)
    if made.aggregate in ("count", "any"):
        if made.column is not None:
            there = child.column(made.column).notna().to_numpy()
            rows, taken = rows & there, taken & there
        counts = np.bincount(group[rows], minlength=size)
        if made.aggregate == "any":
            return pd.Series(np.where(counts > 0, "true", "false")).astype("str")
        ledger.sum_up(path, child.file, "count", np.ones(int(taken.sum())), group[taken] >= 0)
        return pd.Series(counts, dtype="float64")
    assert made.column is not None  # the mapping's own check
    if made.aggregate in ("sum", "mean", "min", "max"):
        values = child.numbers(made.column).to_numpy()
        if made.times_column:
            values = values * child.numbers(made.times_column).to_numpy()
        if made.aggregate == "sum":
            ledger.sum_up(path, child.file, "sum", np.nan_to_num(values[taken]), group[taken] >= 0)
        return pd.Series(aggregates.numeric(made.aggregate, group[rows], values[rows], size))
    column = child.column(made.column)[rows]
    if made.aggregate == "most_frequent_share":
        return pd.Series(aggregates.share_of_most_frequent(group[rows], column, size))
    if made.aggregate == "distinct":
        out, unsafe = aggregates.distinct(group[rows], column, size)
        ledger.rows(child.name, child.file, made.column, unsafe, "holds a ';', which separates values; now a comma")
        return out
    order = child.order(made.order)[rows] if made.order else np.zeros(int(rows.sum()), dtype=np.int64)
    return aggregates.chosen(made.aggregate, group[rows], column, order, size)


def _places(keys: pd.Series, asked: pd.Series) -> np.ndarray:
    """[asked] the place of each asked value in `keys` (all different, none missing), -1 where it is not there."""
    known = pa.array(keys, pa.large_string())
    places = pc.index_in(pa.array(asked, pa.large_string()), known, skip_nulls=True)
    return np.asarray(pc.fill_null(places, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def _report_unmatched(
    ledger: Ledger, source: Source, column: str, keys: pd.Series, unmatched: np.ndarray, where: str
) -> None:
    """Two findings at most: rows whose key is empty, and rows whose key is nowhere in the other source.

    Gaps in a column the mapping made itself were reported where it was made, so they are a note.
    """
    empty = keys[keys.isna()]
    severity: Severity = "warning" if column in source.given else "note"
    ledger.rows(source.name, source.file, column, empty, f"is empty, so nothing matches {where}", severity=severity)
    strange = keys[unmatched & keys.notna().to_numpy()]
    remedy = "correct it with `replace`, or complete the export"
    ledger.rows(source.name, source.file, column, strange, f"is not {where}", remedy)


def _refuse_doubles(source: Source, key: str, keys: pd.Series, path: str) -> None:
    twice = keys[keys.duplicated(keep=False)]
    if len(twice):
        problem = f"occurs more than once, so {path} cannot tell which row is meant"
        found = Finding(
            source.name,
            problem,
            "make the key unique, or use an aggregate",
            int(twice.index[0]),
            key,
            str(twice.iloc[0]),
            file=source.file,
            count=len(twice),
        )
        raise InputError(Findings((found,)))


def _as_numbers(column: pd.Series, path: str, base: Source, ledger: Ledger) -> pd.Series:
    values, strange = cells.numbers(column)
    table, _, name = path.partition(".")
    ledger.rows(table, base.file, name, strange, "is not a number, so it is left out")
    return values


def _filled(column: pd.Series, made: Made, path: str, base: Source, ledger: Ledger) -> pd.Series:
    assert made.default is not None
    table, _, name = path.partition(".")
    gaps = pd.Series(None, index=column.index[column.isna()], dtype="str")
    value = made.default.value
    problem = f"empty, filled with {cells.literal(value)}: {made.default.because}"
    ledger.rows(table, base.file, name, gaps, problem, severity="note")
    if len(gaps):
        ledger.defaults.append(f"{path}: {len(gaps):,} gaps filled with {cells.literal(value)}: {made.default.because}")
    if cells.is_number(column) and isinstance(value, (int, float)) and not isinstance(value, bool):
        return column.fillna(float(value))
    return cells.text(column).fillna(cells.literal(value))


_WAYS: Dict[type[Made], Callable[..., pd.Series]] = {
    FromColumn: _column,
    FromValue: _value,
    FromText: _text,
    FirstOf: _first_of,
    Sum: _sum,
    Product: _product,
    Ratio: _ratio,
    Join: _join,
    Aggregate: _aggregate,
}
