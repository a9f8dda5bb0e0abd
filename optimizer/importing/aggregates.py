"""One value per key from the rows of another source. All inputs are arrays over the child rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.importing import cells


def numeric(way: str, group: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """[size] sum, mean, min or max of the non-missing `values` of each group (int codes below `size`).

    A group without rows has sum 0; its mean, min and max are missing. Values are added in sorted order, so the
    answer does not depend on the order of rows.
    """
    there = ~np.isnan(values)
    group, values = group[there], values[there]
    order = np.argsort(values, kind="stable")
    group, values = group[order], values[order]
    if way in ("min", "max"):
        out = np.full(size, np.nan)
        backwards = slice(None, None, -1) if way == "min" else slice(None)  # the last write of a group stays
        out[group[backwards]] = values[backwards]
        return out
    total: np.ndarray = np.bincount(group, weights=values, minlength=size)
    if way == "sum":
        return total
    count = np.bincount(group, minlength=size)
    return _divided(total, count)


def chosen(way: str, group: np.ndarray, column: pd.Series, order: np.ndarray, size: int) -> pd.Series:
    """[size] text: the first, last or most frequent non-missing value of each group, missing where it has none.

    `order` [rows] says what is first and last. Ties go to the value that is first in the alphabet; between
    equally frequent values the one with the latest row wins before that.
    """
    value, names = pd.factorize(cells.text(column), sort=True)
    there = value >= 0
    group, value, order = group[there], value[there], order[there]
    if way == "most_frequent":
        group, value, count, latest = _pairs(group, value, order, len(names))
        best = np.lexsort((-value, latest, count, group))
    elif way == "last":
        best = np.lexsort((-value, order, group))
    else:
        best = np.lexsort((-value, -order, group))
    out = np.full(size, -1, dtype=np.int64)
    out[group[best]] = value[best]  # the last write of a group, its best, stays
    return pd.Series(np.append(np.asarray(names, dtype=object), np.array([None]))[out]).astype("str")


def share_of_most_frequent(group: np.ndarray, column: pd.Series, size: int) -> np.ndarray:
    """[size] rows with the group's most frequent value, as a share of its rows that have a value; else missing."""
    value, names = pd.factorize(cells.text(column), sort=True)
    there = value >= 0
    group, value = group[there], value[there]
    pair_group, _, count, _ = _pairs(group, value, np.zeros_like(value), len(names))
    most = np.zeros(size)
    np.maximum.at(most, pair_group, count)
    total = np.bincount(group, minlength=size)
    return _divided(most, total)


def distinct(group: np.ndarray, column: pd.Series, size: int) -> tuple[pd.Series, pd.Series]:
    """([size] text: the different values of each group, sorted, joined with `;`; the cells that held a `;`).

    A `;` inside a value would split it in two, so it becomes a comma.
    """
    given = cells.text(column)
    unsafe = given.str.contains(";", regex=False).fillna(False)
    value, names = pd.factorize(given.str.replace(";", ",", regex=False), sort=True)
    there = value >= 0
    pair_group, pair_value, _, _ = _pairs(group[there], value[there], np.zeros(int(there.sum()), np.int64), len(names))
    offsets = np.append(0, np.cumsum(np.bincount(pair_group, minlength=size)))
    lists = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(np.asarray(names, dtype=object)[pair_value], pa.string())
    )
    joined = pd.Series(pc.binary_join(lists, ";").to_pandas()).astype("str")
    return joined.mask(joined.eq("")), given[unsafe]


def _divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, missing where below is 0."""
    out = np.full(len(below), np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def _pairs(group: np.ndarray, value: np.ndarray, order: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    """(group, value, rows, greatest order) of each different pair, sorted by group, then value."""
    pair, where, count = np.unique(group * max(size, 1) + value, return_inverse=True, return_counts=True)
    latest = np.full(len(pair), np.iinfo(np.int64).min)
    np.maximum.at(latest, where, order)
    return pair // max(size, 1), pair % max(size, 1), count, latest
