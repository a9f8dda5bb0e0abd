"""One unit after another, each to what is worth most and still has room: the plainest way to a plan."""

from __future__ import annotations

import numpy as np

from optimizer.core import Core
from optimizer.kernels import place


def sizes(core: Core) -> np.ndarray:
    """[U] how big a unit is: its largest option value, at least a cent so that every unit counts."""
    return np.maximum(0.01, core.largest(core.value))


def waterfall(core: Core, start: np.ndarray | None = None) -> np.ndarray:
    """[U] the greedy choice: mandatory units, what fits of `start`, then unmet rows, then all that is worth something."""
    return fill_up(core, needs(core, start))


def needs(core: Core, start: np.ndarray | None = None) -> np.ndarray:
    """[U] of the greedy choice what must be: mandatory units, what fits of `start` [U], then unmet rows."""
    choice, usage = np.full(core.units, -1, dtype=np.int64), np.zeros(core.rows + 1)
    order = np.argsort(-sizes(core), kind="stable")
    freedom = np.diff(core.start)
    must = order[core.mandatory[order]]
    _fill(core, must[np.argsort(freedom[must], kind="stable")], core.value, choice, usage)
    if start is not None:
        given = start[start >= 0]
        only = np.full(core.options, -np.inf)
        only[given] = core.value[given]
        per_room = core.value[given] / np.maximum(room(core, given), 1e-9)
        _fill(core, core.unit[given][np.argsort(-per_room, kind="stable")], only, choice, usage)
    _fill(core, order, core.value, choice, usage, needy=True)
    return choice


def fill_up(core: Core, choice: np.ndarray) -> np.ndarray:
    """`choice` [U] with all that fits and is worth something, largest first; changes it in place."""
    order, worthwhile = np.argsort(-sizes(core), kind="stable"), np.where(core.value > 0, core.value, -np.inf)
    _fill(core, order, worthwhile, choice, np.append(core.usage(choice), 0.0))
    return choice


def _fill(
    core: Core, units: np.ndarray, rank: np.ndarray, choice: np.ndarray, usage: np.ndarray, needy: bool = False
) -> None:
    """Each of these units in turn to the option of largest `rank` [K] (-inf: none of them) whose rows have room, only where a
    row needs it if `needy`; changes `choice` [U] and `usage` [R + 1] in place."""
    place(
        units, core.start, core.rep, rank, core.unit_coef, core.option_coef, core.unit_row, core.rep_row, core.factor,
        core.lower, core.upper, np.isinf(core.penalty), usage, choice, needy,
    )  # fmt: skip


def room(core: Core, chosen: np.ndarray) -> np.ndarray:
    """[chosen] the share of hard upper bounds that each option takes, summed over its rows."""
    out = np.zeros(len(chosen))
    upper = np.append(np.where(np.isinf(core.penalty) & (core.upper > 0), core.upper, np.inf), np.inf)
    for row, amount in core.contributions(chosen):
        out += np.maximum(0.0, amount) / upper[row]
    return out
