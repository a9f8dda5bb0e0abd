"""One unit after another, each to what is worth most and still has room: the plainest way to a plan."""

from __future__ import annotations

import numpy as np

from optimizer.core import Core
from optimizer.kernels import place


def sizes(core: Core) -> np.ndarray:
    """[U] how big a unit is: its largest option value, at least a cent so that every unit counts."""
    return np.maximum(0.01, core.largest(core.value))


def waterfall(core: Core, needy_only: bool, start: np.ndarray | None = None) -> np.ndarray:
    """[U] the greedy choice: mandatory units, what fits of `start`, then unmet rows, then (unless `needy_only`) all that
    is worth something."""
    choice = np.full(core.units, -1, dtype=np.int64)
    usage = np.zeros(core.rows + 1)
    hard = np.isinf(core.penalty)
    order = np.argsort(-sizes(core), kind="stable")
    freedom = np.diff(core.start)
    must = order[core.mandatory[order]]
    must = must[np.argsort(freedom[must], kind="stable")]
    worthwhile = np.where(core.value > 0, core.value, -np.inf)

    def fill(units: np.ndarray, rank: np.ndarray, needy: bool) -> None:
        place(
            units, core.start, core.rep, rank, core.unit_coef, core.option_coef, core.unit_row, core.rep_row, core.factor,
            core.lower, core.upper, hard, usage, choice, needy,
        )  # fmt: skip

    fill(must, core.value, False)
    if start is not None:
        given = start[start >= 0]
        only = np.full(core.options, -np.inf)
        only[given] = core.value[given]
        per_room = core.value[given] / np.maximum(room(core, given), 1e-9)
        fill(core.unit[given][np.argsort(-per_room, kind="stable")], only, False)
    fill(order, core.value, True)
    if not needy_only:
        fill(order, worthwhile, False)
    return choice


def room(core: Core, chosen: np.ndarray) -> np.ndarray:
    """[chosen] the share of hard upper bounds that each option takes, summed over its rows."""
    out = np.zeros(len(chosen))
    upper = np.append(np.where(np.isinf(core.penalty) & (core.upper > 0), core.upper, np.inf), np.inf)
    for row, amount in core.contributions(chosen):
        out += np.maximum(0.0, amount) / upper[row]
    return out
