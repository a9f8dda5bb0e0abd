"""The closed filter of the scenario file: `where = {segment = ["SMB", "Mid"], potential = {min = 1000}}`.

A filter maps a column to a value, a list of values, `{min, max}` (inclusive) or `{missing = true}`. All parts must hold. It is
data, never an evaluated expression. `account.` and `rep.` in front of a column say which table it is of; a bare
column is of the accounts table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from optimizer.errors import Finding, InputError, unknown
from optimizer.tables import split_list


class Range(BaseModel):
    """Inclusive bounds on a number or a date; either may be absent. Or `missing`: the cell is, or is not, empty."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    min: float | date | datetime | None = None
    max: float | date | datetime | None = None
    missing: bool | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Range:
        if (self.min is None and self.max is None) == (self.missing is None):
            raise ValueError("give min, max or both, or missing")
        return self


Scalar = bool | int | float | str | date
Condition = Annotated[Scalar | list[Scalar] | Range, Field(union_mode="left_to_right")]
Where = dict[str, Condition]


def mask(frame: pd.DataFrame, where: Mapping[str, Any], table: str = "account") -> np.ndarray:
    """[rows] True where every condition on `table` holds; conditions on the other table are passed over.

    In a text column that holds several values (`a; b`) a condition holds when any of them is meant.
    A missing cell matches nothing but `{missing = true}`. Raises `UsageError` for a column that is not there.
    """
    out = np.ones(len(frame), dtype=bool)
    for key, condition in where.items():
        owner, _, column = key.rpartition(".")
        if (owner or "account") != table:
            continue
        if column not in frame:
            raise unknown(f"column of the {table}s table in where", column, map(str, frame.columns))
        try:
            out &= _holds(frame[column], condition)
        except TypeError:
            what = f"asks {column} for something its cells are not ({frame[column].dtype})"
            raise InputError.single(
                Finding(
                    "scenario", what, "give a value of the column's kind", column=f"where.{key}", value=str(condition)
                )
            ) from None
    return out


def _holds(column: pd.Series, condition: Any) -> np.ndarray:
    if isinstance(condition, Range):
        if condition.missing is not None:
            return (column.isna() == condition.missing).to_numpy(dtype=bool)
        low = column >= _like(column, condition.min) if condition.min is not None else column.notna()
        high = column <= _like(column, condition.max) if condition.max is not None else column.notna()
        return (low & high).fillna(False).to_numpy(dtype=bool)
    wanted = list(condition) if isinstance(condition, list) else [condition]
    if isinstance(column.dtype, pd.StringDtype):
        texts = {str(w) for w in wanted}
        codes, values = pd.factorize(column)
        hit = np.array([v in texts or bool(texts & set(split_list(v))) for v in values] + [False], dtype=bool)
        return hit[codes]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        wanted = [pd.Timestamp(w) for w in wanted if isinstance(w, date)]
    return column.isin(wanted).fillna(False).to_numpy(dtype=bool)


def _like(column: pd.Series, bound: Any) -> Any:
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        return bound
    if not isinstance(bound, date):
        raise TypeError("a number is no date")
    return pd.Timestamp(bound)
