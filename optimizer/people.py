"""What-ifs on people: who leaves, who joins, who changes. The `[reps]` part of a scenario file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict

from optimizer.errors import Finding, InputError
from optimizer.tables import DTYPES, RANGES, REPS


class RepChanges(BaseModel):
    """`remove = ["r7"]`, `add = [{rep_id = "new-1", open = true, cost = 180000}]`, `change = {r2 = {ramp = 0.5}}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)
    remove: list[str] = []
    add: list[dict[str, Any]] = []
    change: dict[str, dict[str, Any]] = {}


def apply_changes(reps: pd.DataFrame, changes: Mapping[str, Any] | RepChanges) -> pd.DataFrame:
    """The reps table after the what-ifs; the given frame is left as it is.

    Raises `InputError` for reps that are not there (remove, change), are there already (add), for unknown columns and
    for values of the wrong type.
    """
    wanted = changes if isinstance(changes, RepChanges) else RepChanges.model_validate(dict(changes))
    ids = set(reps["rep_id"])
    added = [str(row.get("rep_id", "")) for row in wanted.add]
    findings = [
        *(_finding("remove", r, "is not a rep") for r in wanted.remove if r not in ids),
        *(_finding("change", r, "is not a rep") for r in wanted.change if r not in ids),
        *(
            _finding("add", r, "is missing, there already or added twice")
            for i, r in enumerate(added)
            if not r or r in ids or r in added[:i]
        ),
    ]
    findings += [
        _finding("change", r, "may not get another rep_id") for r, row in wanted.change.items() if "rep_id" in row
    ]
    known = {c.name for c in REPS.columns} | set(reps.columns)
    for row in [*wanted.add, *wanted.change.values()]:
        findings += [_finding("add or change", c, "is not a column of the reps table") for c in row if c not in known]
    if findings:
        raise InputError.of(findings)
    out = reps[~reps["rep_id"].isin(wanted.remove)]
    out = out.assign(
        **{c: _empty(c, out.index) for row in [*wanted.add, *wanted.change.values()] for c in row if c not in out}
    )
    for rep, cells in wanted.change.items():
        for column, value in cells.items():
            out[column] = out[column].mask(out["rep_id"] == rep, _cell(column, value, out))
    if wanted.add:
        start = int(reps.index.max()) + 1 if len(reps) else 2
        columns = {c: [row.get(c) for row in wanted.add] for c in out.columns}
        rows = {
            c: pd.Series([_cell(c, v, out) for v in vs], range(start, start + len(vs))) for c, vs in columns.items()
        }
        extra = pd.DataFrame({c: s.astype(out[c].dtype) for c, s in rows.items()})
        out = pd.concat([out, extra])
    return out


def _empty(column: str, index: pd.Index) -> pd.Series:
    known = REPS.column(column)
    return pd.Series(None, index=index, dtype=DTYPES[known.kind] if known else "str")


def _cell(column: str, value: Any, frame: pd.DataFrame) -> Any:
    """The value as the column's type has it. A list becomes a `;` cell."""
    if value is None:
        return None
    if isinstance(value, list):
        value = ";".join(map(str, value))
    try:
        typed = pd.Series([value]).astype(frame[column].dtype).iloc[0]
    except (ValueError, TypeError) as error:
        raise InputError.single(_finding("add or change", str(value), f"does not fit the column {column}")) from error
    known = REPS.column(column)
    if known is not None and known.kind in RANGES and not RANGES[known.kind][0] <= typed <= RANGES[known.kind][1]:
        low, high = RANGES[known.kind]
        problem = f"is not allowed in {column}: give {low:g} to {high:g}"
        raise InputError.single(_finding("add or change", str(value), problem))
    return typed


def _finding(key: str, value: str, problem: str) -> Finding:
    return Finding("scenario", problem, "check the [reps] part of the scenario", column=f"reps.{key}", value=value)
