"""Part of a problem as a problem of its own: some units with some of their options, everything else held as it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.core import Core

#: so many of the best plans are crossed, one number after the other, and the last as many are kept
CROSSED = (6, 12, 24)
KEPT = CROSSED[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """The free units and options of a larger core, in its order.

    `unit` [U'], `option` [K'] and `row` [R'] are positions in the larger core, `rest` [U] what the others keep (-1 for the
    free ones).
    Of two choices of the free units, `core.objective` differs by as much as the larger core's does, and `core.feasible`
    says of the rows they reach what the larger one says.
    """

    core: Core
    unit: np.ndarray
    option: np.ndarray
    row: np.ndarray
    rest: np.ndarray

    def lift(self, choice: np.ndarray) -> np.ndarray:
        """[U] the larger core's choice for `choice` [U'] of the free units."""
        whole = self.rest.copy()
        whole[self.unit] = np.append(self.option, -1)[choice]
        return whole

    def part(self, choice: np.ndarray) -> np.ndarray:
        """[U'] the free units' part of a larger `choice` [U]; -1 where its option is not among the kept."""
        own = choice[self.unit]
        at = np.searchsorted(self.option, own)
        at = np.minimum(at, max(0, len(self.option) - 1))
        return np.where((own >= 0) & (len(self.option) > 0) & (np.append(self.option, -2)[at] == own), at, -1)


class Kept:
    """The best plans [U] met, one of each value, no more than `KEPT`."""

    def __init__(self) -> None:
        self.plans: dict[float, np.ndarray] = {}

    def add(self, value: float, choice: np.ndarray) -> None:
        self.plans[value] = choice
        if len(self.plans) > KEPT:
            del self.plans[min(self.plans)]

    def best(self, count: int | None = None) -> list[np.ndarray]:
        """So many of them, or all, the best first."""
        plans = self.plans.copy()  # another thread may add one meanwhile
        return [plans[value] for value in sorted(plans, reverse=True)[:count]]


def crossing(core: Core, plans: list[np.ndarray]) -> Reduced | None:
    """What some plans [U] have between them (Rothberg 2007): units that are not where the first has them in all, with the
    options of any; the others as in the first. None where all are alike."""
    some = np.array(plans)
    free = (some != some[0]).any(axis=0)
    keep = np.unique(some[:, free])
    return reduce(core, plans[0], free, keep[keep >= 0]) if free.any() else None


def reduce(
    core: Core, choice: np.ndarray, free: np.ndarray, keep: np.ndarray, usage: np.ndarray | None = None
) -> Reduced:
    """Units where `free` [U] is true with their options in `keep` [K] (positions, ascending); the others hold `choice`.

    `usage` [R] is what `core.usage(choice)` gives, where it is known. Rows that no kept option reaches are left out, and
    an open position that a held unit uses is simply there.
    """
    unit = np.flatnonzero(free)
    rest = np.where(free, -1, choice)
    own = choice[unit]
    held = core.usage(rest) if usage is None else usage - core.usage(own)
    number = np.full(core.units + 1, -1, dtype=np.int64)
    number[unit] = np.arange(len(unit))
    keep = keep[free[core.unit[keep]]]
    start = np.concatenate([[0], np.cumsum(np.bincount(number[core.unit[keep]], minlength=len(unit)))])
    reached = np.zeros(core.rows + 1, dtype=bool)
    for row, amount in core.contributions(keep):
        reached[row[amount != 0]] = True
    reached[-1] = False
    rows = np.flatnonzero(reached)
    renumbered = np.full(core.rows + 1, -1, dtype=np.int32)
    renumbered[rows] = np.arange(len(rows))
    used = np.zeros(len(core.is_open) + 1, dtype=bool)
    used[core.rep[rest[rest >= 0]]] = True
    position = core.position[rows]
    smaller = Core(
        start=start.astype(np.int64),
        rep=core.rep[keep],
        value=core.value[keep],
        mandatory=core.mandatory[unit],
        unit_coef=core.unit_coef[:, unit],
        option_coef=core.option_coef[:, keep],
        unit_row=renumbered[core.unit_row[:, unit]],
        rep_row=renumbered[core.rep_row],
        factor=core.factor,
        lower=core.lower[rows] - held[rows],
        upper=core.upper[rows] - held[rows],
        penalty=core.penalty[rows],
        position=np.where(used[position], -1, position),
        is_open=core.is_open & ~used[:-1],
        cost=core.cost,
        offset=core.offset[rows] + held[rows],
    )
    return Reduced(smaller, unit, keep, rows, rest)
