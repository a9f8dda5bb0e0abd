"""What the local search moves on: a few slots of every unit, and the rows as it sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimizer.core import Core
from optimizer.dual import price_units
from optimizer.kernels.board import costs_of, rows_of, slots_of
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
        n, reps, wide = len(unit), len(core.cost), listed.option.shape[1] + 1
        self.core, self.unit = core, unit[np.argsort(listed.second[unit], kind="stable")]
        option, regret = np.full((n, wide), -1, dtype=np.int64), np.zeros((n, wide))
        self.at = np.empty((n, 3), dtype=np.int32)
        wide = slots_of(
            self.unit, choice, part, listed.option, listed.regret, listed.best, core.rep, core.mandatory, option, regret,
            self.at,
        )  # fmt: skip
        alone, others, self.own, self.shared = _rows_of_reps(core)
        self.option = option[:, :wide].copy()
        self.size = np.zeros((n, wide, 1 + len(core.factor)))
        self.size[:, :, 0] = regret[:, :wide]
        self.place = np.full((n, wide, 1 + len(others)), -1, dtype=np.int32)
        self.place[:, :, 0] = reps
        rows_of(self.unit, self.option, core.model, alone, others, self.at, self.size, self.place)
        entry, cost = np.empty((int(self.at[:, 1].sum()), 2), np.int32), np.empty(int(self.at[:, 1].sum()))
        costs_of(self.at, self.size, entry, cost)
        rep = self.place[entry[:, 0], entry[:, 1], 0]
        self.named = entry[np.lexsort((cost, rep))]
        self.first = np.concatenate([[0], np.cumsum(np.bincount(rep, minlength=reps + 1))])

    @property
    def choice(self) -> np.ndarray:
        """[n] the option each unit has now, -1 for unserved."""
        return self.option[np.arange(len(self.unit)), self.at[:, 0]]

    def run(
        self,
        rows: np.ndarray,
        users: np.ndarray,
        tries: int,
        reach: tuple[int, int],
        heat: tuple[float, float],
        state: np.ndarray,
    ) -> int:
        """So many chains, of `reach` (repairs, window), on `rows` (see `kernels.moves`) and `users` [M + 1], which they
        change. Returns by how much the number of broken hard rows has changed."""
        if not len(self.unit):
            return 0
        spent = np.zeros((len(users), 2))
        spent[:-1, 0] = np.where(self.core.is_open, self.core.cost, 0.0)
        held = self.core.position >= 0
        idle = np.where(held & (rows[:, 1] > 0), rows[:, 3] * np.where(held, rows[:, 1], 0.0), 0.0)
        np.add.at(spent[:, 0], self.core.position[held], idle[held])  # an idle position's lower bounds do not count
        room = 2 * (reach[0] + 1) * self.size.shape[2] + 2
        trail = np.empty((reach[0] + 1, 2), np.int64), np.empty(room), np.empty(room, np.int64), np.zeros(2, np.int64)
        _, broken = chains(
            tries, *reach, *heat, state, self.at, self.size, self.place, rows, users, spent, self.own, self.shared,
            self.first, self.named, *trail,
        )  # fmt: skip
        return int(broken)


def _rows_of_reps(core: Core) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Factors that count in rows which are one rep's alone [S], and all others [G]; then the rows of the first of each rep
    [M + 1, S], and other rows that a rep's options reach for being that rep's [M + 1, T] (-1: none; rep M has none)."""
    by_rep, line = core.factor[:, 2] == 1, core.factor[:, 3]
    table = np.append(core.rep_row, np.full((len(core.rep_row), 1), -1), axis=1).astype(np.int32)
    reps = np.broadcast_to(np.arange(table.shape[1]), table.shape)
    first, last = np.full(core.rows + 1, table.shape[1]), np.full(core.rows + 1, -1)
    np.minimum.at(first, table, reps)
    np.maximum.at(last, table, reps)
    several = ((first < last)[table] & (table >= 0)).any(axis=1)
    alone = by_rep & ~np.append(several, True)[np.where(by_rep, line, -1)]
    own, shared = table[line[alone]].T, table[np.unique(line[by_rep & ~alone])].T
    order = np.flatnonzero(alone), np.flatnonzero(~alone)
    return *order, np.ascontiguousarray(own), np.ascontiguousarray(shared)


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
