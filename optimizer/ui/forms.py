"""Forms drawn from the fields of a model: a new rule, or a new field of a rule, needs no new form.

`spec` reads a pydantic field as what a form must know of it; `draw` shows one widget for it and gives back what the
field should hold. `Hints` bring the names that the open tables offer.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pandas as pd
import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from optimizer.rules import Rule
from optimizer.rules.limit_check import RESERVED
from optimizer.tables import REPS, Tables
from optimizer.ui.widgets import plain

Kind = Literal[
    "flag", "choice", "share", "whole", "number", "text", "bound", "where", "pairs", "numbers", "model", "models"
]
#: fields every rule has, drawn by the page itself or left to the file
COMMON = ("kind", "name", "off")


@dataclass(frozen=True, slots=True)
class Spec:
    """What a form knows of a field. `either` is true where a number may also be given by name (by segment)."""

    name: str
    kind: Kind
    help: str = ""
    optional: bool = False
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    model: type[BaseModel] | None = None
    either: bool = False

    @property
    def label(self) -> str:
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Hints:
    """Names to offer, by field name; the tables whose columns a filter offers; `groups` for by-name numbers."""

    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    accounts: pd.DataFrame = field(default_factory=pd.DataFrame)
    reps: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: Sequence[str] = ()

    @classmethod
    def of(cls, tables: Tables) -> Hints:
        accounts, reps = tables.accounts, tables.reps
        numbers = [str(c) for c in accounts.select_dtypes("number")]
        cells = [str(c) for c in accounts if pd.api.types.is_string_dtype(accounts[c]) and _few(accounts[c])]
        scopes = [f"account.{c}" if c in reps else c for c in cells]
        scopes += [f"rep.{c}" if c in accounts else c for c in ("team", "role") if c in reps]
        bounds = [c.name for c in REPS.columns if c.name in reps and c.kind in ("hours", "count", "money")]
        names = {
            "measure": [*RESERVED, "moved_arr", *numbers],
            "per": ["rep", "company", *scopes],
            "account": list(map(str, accounts)),
            "rep": list(map(str, reps)),
            "by": ["parent_id", *cells],
            "at_most": bounds,
            "at_least": bounds,
        }
        groups = sorted(accounts["segment"].dropna().unique()) if "segment" in accounts else []
        return cls({k: list(dict.fromkeys(v)) for k, v in names.items()}, accounts, reps, groups)


def specs(model: type[BaseModel], skip: Sequence[str] = COMMON) -> tuple[Spec, ...]:
    """The fields of a model, in its order, what every rule shares (`where`) last."""
    shared = [name for name in Rule.model_fields if name in model.model_fields] if issubclass(model, Rule) else []
    order = [name for name in model.model_fields if name not in shared] + shared
    return tuple(spec(name, model.model_fields[name]) for name in order if name not in skip)


def spec(name: str, info: FieldInfo) -> Spec:
    """One field. A type that no widget fits is shown as text."""
    parts, extra = _parts(info.annotation)
    marks = [*info.metadata, *extra]
    low = next((float(getattr(m, "ge", getattr(m, "gt", 0.0))) for m in marks if isinstance(m, Ge | Gt)), None)
    high = next((float(getattr(m, "le", getattr(m, "lt", 0.0))) for m in marks if isinstance(m, Le | Lt)), None)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    kind, choices, inner = _kind(name, [p for p in parts if p is not type(None)], low, high)
    either = kind in ("share", "number") and any(get_origin(p) is dict for p in parts)
    return Spec(
        name,
        kind,
        info.description or "",
        type(None) in parts,
        info.is_required(),
        default,
        choices,
        low,
        high,
        inner,
        either,
    )


def _parts(annotation: Any) -> tuple[list[Any], list[Any]]:
    """The members of a union, and what `Annotated` says about them."""
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        parts, extra = _parts(inner)
        return parts, [*marks, *(m for mark in marks for m in getattr(mark, "metadata", ())), *extra]
    if get_origin(annotation) in (Union, types.UnionType):
        both = [_parts(a) for a in get_args(annotation)]
        return [p for parts, _ in both for p in parts], [m for _, marks in both for m in marks]
    return [annotation], []


def _kind(name: str, parts: list[Any], low: float | None, high: float | None) -> tuple[Kind, tuple[str, ...], Any]:
    first, inside = parts[0], get_args(parts[0])
    if first is bool:
        return "flag", (), None
    if get_origin(first) is Literal:
        return "choice", tuple(map(str, inside)), None
    if str in parts and (float in parts or int in parts):
        return "bound", (), None
    if first is float:
        return ("share" if (low, high) == (0.0, 1.0) else "number"), (), None
    if first is int:
        return "whole", (), None
    if isinstance(first, type) and issubclass(first, BaseModel):
        return "model", (), first
    if get_origin(first) in (tuple, list) and isinstance(inside[0], type) and issubclass(inside[0], BaseModel):
        return "models", (), inside[0]
    if get_origin(first) is list and get_origin(inside[0]) is list:
        return "pairs", (), None
    if get_origin(first) is dict:
        return ("numbers" if set(_parts(inside[1])[0]) <= {float, int} else "where"), (), None
    return "text", (), None


def _few(column: pd.Series) -> bool:
    """A column of groups: few different values for its length."""
    return 1 < column.nunique() <= max(12, len(column) // 4)


def parse_bound(text: str | None) -> float | int | str | None:
    """`"1,500"` → 1500, `"80%"` and column names as they are, blank → None."""
    text = (text or "").strip()
    if not text:
        return None
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return text.replace(" ", "") if text.endswith("%") else text
    return int(number) if number.is_integer() else number


def parse_pairs(text: str) -> list[list[str]]:
    """One `account_id, rep_id` a line."""
    return [[part.strip() for part in line.split(",")] for line in text.splitlines() if line.strip()]


def draw(s: Spec, value: Any, key: str, hints: Hints, offer: Sequence[str] | None = None) -> Any:
    """The widget of one field, holding `value`; what it holds now, None for a field that is left out."""
    from optimizer.ui.where import draw_where

    offered = list(hints.names.get(s.name, ())) if offer is None else list(offer)
    value = s.default if value is None else value
    if s.kind == "flag":
        return st.checkbox(s.label, bool(value), help=s.help or None, key=key)
    if s.kind == "choice":
        at = s.choices.index(value) if value in s.choices else 0
        return st.selectbox(s.label, s.choices, at, help=s.help or None, key=key)
    if s.kind == "where":
        return draw_where(s.label, value or {}, key, hints.reps if s.name == "reps" else hints.accounts, s.help)
    if s.kind == "pairs":
        text = "\n".join(", ".join(pair) for pair in value or [])
        return parse_pairs(st.text_area(s.label, text, help=f"{s.help}; one pair a line", key=key, height=90))
    if s.kind in ("share", "number", "whole"):
        return _draw_number(s, value, key, hints)
    if s.kind == "numbers":
        return _draw_by_name(s, value or {}, key, hints)
    if s.kind == "model" and s.model is not None:
        return _draw_model(s, value, key, hints)
    if s.kind == "models" and s.model is not None:
        return _draw_models(s, value, key)
    return _draw_text(s, value, key, offered)


def _draw_text(s: Spec, value: Any, key: str, offered: list[str]) -> Any:
    shown = "" if value is None else str(value)
    if offered:
        options = list(dict.fromkeys([*([shown] if shown else []), *offered]))
        chosen = st.selectbox(
            s.label, options, options.index(shown) if shown else None, key=key, help=s.help or None,
            accept_new_options=True, placeholder="choose or type" + (" (optional)" if s.optional else ""),
        )  # fmt: skip
    else:
        chosen = st.text_input(s.label, shown, help=s.help or None, key=key)
    return parse_bound(chosen) if s.kind == "bound" else ((chosen or "").strip() or None)


def _draw_number(s: Spec, value: Any, key: str, hints: Hints) -> Any:
    if s.either and isinstance(value, Mapping):
        return _draw_by_name(s, value, key, Hints(groups=[*hints.groups, "default"]), s.low, s.high) or None
    if s.kind == "share" and not s.optional:
        return st.slider(
            s.label, 0.0, 1.0, float(value or 0.0), 0.05 if not s.either else 0.01, help=s.help or None, key=key
        )
    whole = s.kind == "whole"
    number = int if whole else float
    start = None if value is None else number(value)
    if start is None and not s.optional:
        start = number(s.low or 0)
    step = 1.0 if whole or (start or 0) >= 10 else 0.05 if s.high == 1 else 0.1
    options: dict[str, Any] = {
        "min_value": None if s.low is None else number(s.low),
        "max_value": None if s.high is None else number(s.high),
        "step": number(step),
        "format": "%d" if whole else "%g",
        "placeholder": "none" if s.optional else None,
    }
    return st.number_input(s.label, value=start, help=s.help or None, key=key, **options)


def _draw_by_name(
    s: Spec, value: Mapping[str, float], key: str, hints: Hints, low: float | None = 0.0, high: float | None = None
) -> dict[str, float]:
    """A number for each group; an empty one is left to the default."""
    names = list(dict.fromkeys([*hints.groups, *value]))
    st.caption(f"{s.label}: {s.help}" if s.help else s.label)
    out: dict[str, float] = {}
    for column, name in zip(st.columns(max(1, len(names))), names, strict=False):
        given = value.get(name)
        held = column.number_input(
            plain(name),
            low,
            high,
            None if given is None else float(given),
            format="%g",
            key=f"{key}.{name}",
            placeholder="default",
        )
        out |= {} if held is None else {name: float(held)}
    return out


def _draw_model(s: Spec, value: Any, key: str, hints: Hints) -> dict[str, Any]:
    given = value.model_dump() if isinstance(value, BaseModel) else dict(value or {})
    assert s.model is not None
    with st.container(border=True):
        st.caption(f"**{s.label}** {('· ' + s.help) if s.help else ''}")
        inner = specs(s.model, ())
        held = {}
        for column, part in zip(st.columns(len(inner)), inner, strict=True):
            with column:
                held[part.name] = draw(part, given.get(part.name), f"{key}.{part.name}", hints)
    return {name: v for name, v in held.items() if v is not None}


def _draw_models(s: Spec, value: Any, key: str) -> list[dict[str, Any]]:
    """A small table, a row for each; rows can be added and deleted."""
    assert s.model is not None
    inner = specs(s.model, ())
    rows = [v.model_dump() if isinstance(v, BaseModel) else dict(v) for v in value or ()]
    types_ = {p.name: "str" if p.kind == "text" else "float64" for p in inner}
    frame = pd.DataFrame(rows, columns=list(types_)).astype(types_)
    st.caption(f"**{s.label}** {('· ' + s.help) if s.help else ''}")
    held = st.data_editor(frame, num_rows="dynamic", hide_index=True, key=key, width="stretch")
    return [
        {str(k): v for k, v in row.items() if pd.notna(v)}
        for row in held.to_dict("records")
        if pd.notna(row[inner[0].name])
    ]
