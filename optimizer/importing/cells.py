"""Text cells to numbers, dates and back; what cannot be read becomes missing and is listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

#: Computed numbers are written with at most this many decimals.
DECIMALS = 6


def is_number(column: pd.Series) -> bool:
    return bool(pd.api.types.is_float_dtype(column.dtype))


def numbers(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """(the column as float64, the text cells that are no finite number)."""
    if is_number(column):
        return column, column.iloc[:0]
    try:  # whole columns at once
        parsed = pc.cast(pa.array(column, pa.large_string()), pa.float64())
        values = pd.Series(parsed.to_numpy(zero_copy_only=False), column.index)
    except pa.ArrowInvalid:
        values = pd.to_numeric(column, errors="coerce").astype("float64")
    values = values.where(np.isfinite(values))
    return values, column[values.isna() & column.notna()]


def dates(column: pd.Series) -> tuple[pd.Series, pd.Series]:
    """(the column as datetime64[us], from ISO 8601; the text cells that are no such date)."""
    values = pd.to_datetime(text(column), errors="coerce", format="ISO8601", utc=True)
    values = values.dt.tz_localize(None).astype("datetime64[us]")
    return values, column[values.isna() & column.notna()]


def ordered(column: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """([rows] int64 places in the column's own order, the cells that have none).

    A column whose cells are all numbers is ordered by number, any other by ISO date; missing cells come first.
    """
    values, strange = numbers(column)
    if len(strange):
        values, strange = dates(column)
    rank = values.rank(method="dense").fillna(0.0)
    return rank.to_numpy(dtype=np.int64), strange


def text(column: pd.Series) -> pd.Series:
    """The column as text: numbers plainly, whole ones without a point."""
    if not is_number(column):
        return column.astype("str")
    values = column.round(DECIMALS) + 0.0
    whole = values.mod(1).eq(0) & values.abs().lt(1e15)
    out = values.astype("str").astype("object")
    out[whole] = values[whole].astype("int64").astype("str")
    return out.where(values.notna(), None).astype("str")


def literal(value: Any) -> str:
    """A TOML constant as a cell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def respell(column: pd.Series, style: str) -> tuple[pd.Series, pd.Series]:
    """(numbers written in `style`, `1.234,5` or `1,234.5`, as plain ones; the cells that are not so written).

    Currency signs and blanks go; a cell that is no number afterwards stays as it stood.
    """
    group, point = style[1], style[-2]
    plain = column.str.replace(r"[\s\u00a0\u202f$€£¥]", "", regex=True)
    good = plain.str.fullmatch(rf"[-+]?(\d+|\d{{1,3}}(\{group}\d{{3}})+)?(\{point}\d+)?").fillna(False)
    good &= plain.str.contains(r"\d", regex=True).fillna(False)
    plain = plain.str.replace(group, "", regex=False).str.replace(point, ".", regex=False)
    return plain.where(good, column), column[~good & column.notna()]


def redate(column: pd.Series, form: str) -> tuple[pd.Series, pd.Series]:
    """(dates written in the strftime `form` as ISO dates; the cells that are not so written, which stay)."""
    values = pd.to_datetime(column, errors="coerce", format=form)
    good = values.notna()
    iso = values.dt.strftime("%Y-%m-%d").astype("str")
    return iso.where(good, column), column[~good & column.notna()]
