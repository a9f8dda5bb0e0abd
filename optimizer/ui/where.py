"""The filter of a rule as widgets: choose columns, then values or a range for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from optimizer.tables import split_list

#: a column with more different values is filtered by typing them
MANY = 200


def draw_where(label: str, value: Mapping[str, Any], key: str, frame: pd.DataFrame, help: str = "") -> dict[str, Any]:
    """Columns of `frame`, and of other tables that `value` names already, with a condition each."""
    names = list(dict.fromkeys([*value, *map(str, frame.columns)]))
    chosen = st.multiselect(
        f"{label}: only rows with …", names, list(value), key=f"{key}.columns", help=help or None,
        placeholder="every row; choose a column to narrow it",
    )  # fmt: skip
    out: dict[str, Any] = {}
    for name in chosen:
        condition = _draw_condition(name, value.get(name), f"{key}.{name}", frame)
        if condition is not None:
            out[name] = condition
    return out


def _draw_condition(name: str, given: Any, key: str, frame: pd.DataFrame) -> Any:
    plain = name.rpartition(".")[2]
    column = frame[plain] if plain in frame else pd.Series(dtype="str")
    label = name.replace("_", " ")
    if isinstance(given, Mapping) and "missing" in given:
        return dict(given)
    if pd.api.types.is_bool_dtype(column.dtype) and len(column):
        return st.selectbox(f"{label} is", ["yes", "no"], 1 if given is False else 0, key=key) == "yes"
    held = dict(given) if isinstance(given, Mapping) else {}
    if pd.api.types.is_datetime64_any_dtype(column.dtype) and not isinstance(given, list):
        left, right = st.columns(2)
        low = left.date_input(f"{label} from", _day(held.get("min")), key=f"{key}.min")
        high = right.date_input(f"{label} to", _day(held.get("max")), key=f"{key}.max")
        return {k: v for k, v in (("min", low), ("max", high)) if isinstance(v, date)} or None
    if pd.api.types.is_numeric_dtype(column.dtype) and (given is None or held):
        left, right = st.columns(2)
        low_n = left.number_input(f"{label} at least", value=held.get("min"), key=f"{key}.min", format="%g")
        high_n = right.number_input(f"{label} at most", value=held.get("max"), key=f"{key}.max", format="%g")
        return {k: v for k, v in (("min", low_n), ("max", high_n)) if v is not None} or None
    wanted = given if isinstance(given, list) else [] if given is None else [given]
    return _draw_values(label, wanted, key, column)


def _draw_values(label: str, wanted: list[Any], key: str, column: pd.Series) -> Any:
    known = sorted(
        {part for cell in column.dropna().unique()[: MANY * 5] for part in split_list(cell) or (cell,)}, key=str
    )
    options = list(dict.fromkeys([*wanted, *known[:MANY]]))
    chosen = st.multiselect(
        f"{label} is any of", options, wanted, key=key, accept_new_options=True, placeholder="choose or type values"
    )
    return None if not chosen else chosen[0] if len(chosen) == 1 else chosen


def _day(value: Any) -> Any:
    return pd.Timestamp(value).date() if value is not None else None
