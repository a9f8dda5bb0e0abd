"""What the local search moves on: a few slots of every unit, and the rows as it sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimizer.core import Core
from optimizer.dual import price_units
from optimizer.kernels.chains import chains
from optimizer.kernels.shortlist import shortlist

#: a hard row counts as broken beyond this share of its bound, well inside what `Core` tolerates
STRICT = 1e-9
#: units in one call of the shortlist kernel
BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Shortlist:
    """The best options [U, W] of each unit at some prices (-1: fewer), what each falls short of the unit's best [U, W],
    and that best price-adjusted value [U], at least 0 where the unit may stay unserved."""

    prices: np.ndarray
    option: np.ndarray
    regret: np.ndarray
    best: np.ndarray

    @cached_property
    def second(self) -> np.ndarray:
        """[U] what the cheapest move away from the best choice costs; inf where there is none."""
        return np.sort(np.concatenate([self.regret, self.best[:, None]], axis=1), axis=1)[:, 1]

    def holding(self, held: np.ndarray) -> Shortlist:
        """The same with nothing but `held` [U], an option among those listed, to choose for the units where that is not -1
        (and staying unserved)."""
        unit = np.flatnonzero(held >= 0)
        there = self.option[unit] == held[unit][:, None]
        option, regret, best = self.option.copy(), self.regret.copy(), self.best.copy()
        worth = best[unit] - np.where(there, regret[unit], 0.0).sum(axis=1)
        option[unit], regret[unit] = -1, np.inf
        best[unit] = np.maximum(worth, 0.0)
        option[unit, 0], regret[unit, 0] = held[unit], best[unit] - worth
        return replace(self, option=option, regret=regret, best=best)


def short_list(core: Core, prices: np.ndarray, always: np.ndarray, width: int, threads: int = 2) -> Shortlist:
    """The `width` best options of every unit, with the one in `always` [U] wherever that is."""
    option = np.empty((core.units, width), dtype=np.int64)
    worth = np.empty((core.units, width))
    padded = np.append(prices, 0.0)

    def fill(first: int) -> None:
        shortlist(
            first, min(first + BLOCK, core.units), core.start, core.rep, core.value, core.unit_coef, core.option_coef,
            core.unit_row, core.rep_row, core.factor, padded, always, option, worth,
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(0, core.units, BLOCK)))
    best = np.maximum(worth.max(axis=1), np.where(core.mandatory, -np.inf, 0.0))
    return Shortlist(prices, option, best[:, None] - worth, best)


@dataclass(frozen=True, slots=True, eq=False)
class Pressure:
    """How much the rows weigh in the search: `share` of every loss counts, and a hard row's breach costs its price and
    `firm` times a typical price."""

    share: float
    firm: float


class Board:
    """Units of a core that may move among slots of some reps, and what the kernel keeps up to date about them. `unit` [n]
    comes in order of what the second choice costs, and so do the slots of a rep.

    `part` [M] is true for the reps that take part.
    """

    def __init__(self, core: Core, listed: Shortlist, choice: np.ndarray, unit: np.ndarray, part: np.ndarray) -> None:
        reps = len(core.cost)
        unit = unit[np.argsort(listed.second[unit], kind="stable")]
        self.core, self.listed, self.unit = core, listed, unit
        option = np.concatenate([listed.option[unit], np.full((len(unit), 1), -1)], axis=1)
        optional = ~core.mandatory[unit]
        regret = np.concatenate([listed.regret[unit], listed.best[unit][:, None]], axis=1)
        held = choice[unit]
        usable = (option >= 0) & part[core.rep[option]] | (option == held[:, None]) & (option >= 0)
        usable[:, -1] = optional | (held < 0)
        order = np.argsort(~usable, axis=1, kind="stable")
        wide = max(1, int(usable.sum(axis=1).max(initial=1)))
        order = order[:, :wide]
        self.option = np.take_along_axis(option, order, axis=1)
        self.regret = np.where(
            np.take_along_axis(usable, order, axis=1), np.take_along_axis(regret, order, axis=1), 0.0
        )
        self.slots = usable.sum(axis=1)
        self.slot = np.argmax(self.option == held[:, None], axis=1)
        inside = np.arange(wide) < self.slots[:, None]
        self.rep = np.where(inside & (self.option >= 0), core.rep[self.option], reps).astype(np.int32)
        shape = (len(unit), wide, len(core.factor))
        self.row, self.amount = np.full(shape, -1, dtype=np.int32), np.zeros(shape)
        served = inside & (self.option >= 0)
        for f, (row, amount) in enumerate(core.contributions(self.option[served])):
            self.row[served, f] = np.where(amount != 0, row, -1)
            self.amount[served, f] = amount
        lines = np.unique(core.factor[core.factor[:, 2] == 1, 3])
        self.own = np.append(core.rep_row[lines].T, np.full((1, len(lines)), -1), axis=0).astype(np.int32)
        at = np.nonzero(inside)
        away = np.sort(np.where(inside, self.regret, np.inf), axis=1)[:, min(1, wide - 1)]
        cost = np.where(self.regret[at] > 0, self.regret[at], away[at[0]])  # of the cheapest move into or out of a slot
        by_rep = np.lexsort((cost, self.rep[at]))
        self.liked, self.at = at[0][by_rep], at[1][by_rep]
        self.first = np.concatenate([[0], np.cumsum(np.bincount(self.rep[at], minlength=reps + 1))])

    @property
    def choice(self) -> np.ndarray:
        """[n] the option each unit has now, -1 for unserved."""
        return self.option[np.arange(len(self.unit)), self.slot]

    def run(
        self,
        rows: np.ndarray,
        users: np.ndarray,
        tries: int,
        reach: tuple[int, int],
        heat: tuple[float, float],
        state: np.ndarray,
    ) -> int:
        """So many chains, of `reach` (repairs, window), on `rows` (see `kernels.chains`) and `users` [M + 1], which they
        change. Returns by how much the number of broken hard rows has changed."""
        if not len(self.unit):
            return 0
        cost = np.append(np.where(self.core.is_open, self.core.cost, 0.0), 0.0)
        held = self.core.position >= 0
        idle = np.where(held & (rows[:, 1] > 0), rows[:, 3] * np.where(held, rows[:, 1], 0.0), 0.0)
        np.add.at(cost, self.core.position[held], idle[held])  # an idle position's lower bounds do not count
        board = (
            self.slot, self.slots, self.regret, self.rep, self.row, self.amount, rows, users, cost, self.first, self.liked,
            self.at, self.own,
        )  # fmt: skip
        _, broken = chains(tries, *reach, *heat, state, board)
        return int(broken)


class Ledger:
    """The rows of a core at some prices, as the kernel wants them, under any pressure."""

    def __init__(self, core: Core, prices: np.ndarray, choice: np.ndarray) -> None:
        self.core, self.prices = core, prices
        self.hard = np.isinf(core.penalty)
        self.typical = np.maximum(np.abs(prices), 0.5 * price_units(core, choice))
        scale = np.maximum(1.0, np.abs(np.where(np.isfinite(core.upper), core.upper, core.lower) + core.offset))
        self.slack = STRICT * np.where(np.isfinite(scale), scale, 1.0)

    def rows(self, used: np.ndarray, pressure: Pressure, room: np.ndarray | float = 1.0) -> np.ndarray:
        """[R, 8] for the kernel, from the left sides [R]; `room` [R] is the share of the distance to the bounds to use."""
        core, p = self.core, self.prices
        out = np.empty((core.rows, 8))
        lower, upper = used + room * (core.lower - used), used + room * (core.upper - used)
        firm = pressure.firm * self.typical
        out[:, 0], out[:, 1], out[:, 2] = used, lower, upper
        out[:, 3] = pressure.share * np.where(self.hard, np.maximum(-p, 0.0) + firm, core.penalty)
        out[:, 4] = pressure.share * np.where(self.hard, np.maximum(p, 0.0) + firm, core.penalty)
        out[:, 5] = pressure.share * p
        out[:, 6] = np.where(self.hard & (core.position < 0), lower - self.slack, -np.inf)
        out[:, 7] = np.where(self.hard, upper + self.slack, np.inf)
        return out

    def broken(self, used: np.ndarray) -> int:
        """How many hard rows are out of their bounds."""
        core = self.core
        return int((self.hard & ((used > core.upper + self.slack) | (used < core.lower - self.slack))).sum())
