"""Rows as Markdown tables, ready to be pasted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

#: columns that are for the JSON only
HIDDEN = {"minimise", "group", "lower_bound", "rows", "options", "seed", "proved_bound", "time_limit"}
SHARES = ("gap", "better_by")
AMOUNTS = ("value", "bound", "best_known", "peer_value")


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table; a column that is empty in every row is left out. Costs to minimise are shown as costs."""
    shown = [_row(row) for row in rows]
    names = list(dict.fromkeys(key for row in shown for key in row))
    names = [n for n in names if any(row.get(n, "") for row in shown)]
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(row.get(name, "") for name in names) + " |" for row in shown]
    return "\n".join(lines)


def _row(row: dict[str, Any]) -> dict[str, str]:
    minimise, out = bool(row.get("minimise")), {}
    hidden = HIDDEN if "limit_kept" in row and "status" in row else HIDDEN - {"group", "rows", "options", "seed"}
    for name, value in row.items():
        if name in hidden:
            continue
        flip = minimise and name in ("value", "bound", "peer_value")
        title = name.replace("value", "cost") if flip else name
        out[title] = cell(name, -value if flip else value, minimise)
    return out


def cell(name: str, value: Any, cents: bool = False) -> str:
    """One figure as a reader wants it; nothing for what is not known."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        if name.endswith(SHARES):
            return f"{value + 0.0:.3%}"
        if name in AMOUNTS:
            return f"{value:,.2f}" if cents and value != round(value) else f"{value:,.0f}"
        return f"{value:.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "/")
