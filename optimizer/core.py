"""Units, options, rows as arrays: all that an engine needs to know, and nothing about sales."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

#: a row is broken when it is out by more than this times max(1, |bound|)
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Core:
    """The arrays of a problem. Engines see only this.

    Options of unit u are `start[u]:start[u+1]` of `rep` [K] and `value` [K] (currency). Rows r keep
    `lower[r]` ≤ Σ ≤ `upper[r]` at `penalty[r]` a unit outside (inf: hard). Row coefficients are factored: factor f takes
    `option_coef[factor[f, 1]]` [K] when `factor[f, 0]` is 1, else `unit_coef[factor[f, 1]]` [U], and adds it to row
    `rep_row[factor[f, 3], rep]` when `factor[f, 2]` is 1, else `unit_row[factor[f, 3], unit]` (-1: no row).
    Bounds of row r with `position[r]` ≥ 0 count only when that open rep is used, which costs `cost[rep]`. What a reader
    sees of a row, and its tolerance is a share of, is left side or bound plus `offset` [R].
    """

    start: np.ndarray
    rep: np.ndarray
    value: np.ndarray
    mandatory: np.ndarray
    unit_coef: np.ndarray
    option_coef: np.ndarray
    unit_row: np.ndarray
    rep_row: np.ndarray
    factor: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    penalty: np.ndarray
    position: np.ndarray
    is_open: np.ndarray
    cost: np.ndarray
    offset: np.ndarray

    def __post_init__(self) -> None:
        """Row by row in memory and not to be written to, wherever they come from: kernels are compiled once for that."""
        for item in fields(self):
            array = np.ascontiguousarray(getattr(self, item.name)).view()
            array.flags.writeable = False
            object.__setattr__(self, item.name, array)

    @property
    def units(self) -> int:
        return len(self.start) - 1

    @property
    def options(self) -> int:
        return len(self.rep)

    @property
    def rows(self) -> int:
        return len(self.lower)

    @cached_property
    def unit(self) -> np.ndarray:
        """[K] unit of each option."""
        return np.repeat(np.arange(self.units, dtype=np.int32), np.diff(self.start))

    @cached_property
    def step(self) -> float:
        """A number of which the worth of every plan that keeps the hard rows is a multiple; 0 where none is known."""
        worth = np.append(self.value, self.cost[self.is_open])
        if np.isfinite(self.penalty).any() or (worth != np.rint(worth)).any() or np.abs(worth).sum() >= 1 << 53:
            return 0.0
        return float(np.gcd.reduce(worth.astype(np.int64)))

    @property
    def model(self) -> tuple[np.ndarray, ...]:
        """What kernels take of a core: its first nine arrays."""
        return (
            self.start, self.rep, self.value, self.mandatory, self.unit_coef, self.option_coef, self.unit_row, self.rep_row,
            self.factor,
        )  # fmt: skip

    def largest(self, of_option: np.ndarray) -> np.ndarray:
        """[U] the largest of a number of options [K] in each unit; 0 where a unit has no option."""
        out = np.zeros(self.units)
        some = np.flatnonzero(np.diff(self.start) > 0)
        if len(some):
            out[some] = np.maximum.reduceat(of_option, self.start[some])
        return out

    def contributions(self, chosen: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """(row, amount) of each factor for the options at positions `chosen`; row -1 counts nowhere."""
        unit, rep, out = self.unit[chosen], self.rep[chosen], []
        for by_option, coef, by_rep, row in self.factor:
            amount = self.option_coef[coef][chosen] if by_option else self.unit_coef[coef][unit]
            out.append((self.rep_row[row][rep] if by_rep else self.unit_row[row][unit], amount))
        return out

    def matrix(self) -> csr_array:
        """[R, K] the rows' coefficients, for engines that want them. Zeros are left out."""
        parts = self.contributions(np.arange(self.options))
        row = np.concatenate([r for r, _ in parts]) if parts else np.zeros(0, np.int64)
        amount = np.concatenate([a for _, a in parts]) if parts else np.zeros(0)
        column = np.tile(np.arange(self.options), len(parts))
        use = (row >= 0) & (amount != 0)
        return csr_array((amount[use], (row[use], column[use])), shape=(self.rows, self.options))

    def usage(self, choice: np.ndarray) -> np.ndarray:
        """[R] left side of every row for `choice` [U] (option positions, -1: unserved)."""
        total = np.zeros(self.rows)
        for row, amount in self.contributions(choice[choice >= 0]):
            known = row >= 0
            total += np.bincount(row[known], weights=amount[known], minlength=self.rows)
        return total

    def reps_of(self, rows: np.ndarray) -> np.ndarray:
        """[M] how many of the rows that are true in `rows` [R] each rep's options reach because they are that rep's."""
        out = np.zeros(len(self.cost), dtype=np.int64)
        for _, _, by_rep, row in self.factor:
            if by_rep:
                out += np.append(rows, False)[self.rep_row[row]]
        return out

    def bounds(self, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[R] lower and upper as they count for `choice`: 0 for the rows of a position nobody uses."""
        used = np.zeros(len(self.is_open) + 1, dtype=bool)
        used[self.rep[choice[choice >= 0]]] = True
        idle = (self.position >= 0) & ~used[self.position]
        lower = np.where(idle & np.isfinite(self.lower), 0.0, self.lower)
        return lower, np.where(idle & np.isfinite(self.upper), 0.0, self.upper)

    def shortfall(self, choice: np.ndarray) -> np.ndarray:
        """[R] how far each row is outside its bounds, 0 within tolerance."""
        usage, (lower, upper) = self.usage(choice), self.bounds(choice)
        scale = np.where(usage > upper, upper, lower) + self.offset
        outside = np.maximum(0.0, np.maximum(usage - upper, lower - usage))
        allowed = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(scale), scale, 1.0)))
        return np.where((outside <= allowed) & np.isinf(self.penalty), 0.0, outside)

    def objective(self, choice: np.ndarray) -> float:
        """Model value of `choice`: value − penalties of soft rows − cost of open positions used."""
        taken = choice[choice >= 0]
        soft = np.isfinite(self.penalty)
        out = self.shortfall(choice)[soft]
        positions = np.unique(self.rep[taken])
        spent = self.cost[positions][self.is_open[positions]].sum()
        return float(self.value[taken].sum() - (self.penalty[soft] * out).sum() - spent)

    def feasible(self, choice: np.ndarray) -> bool:
        """Every hard row and every mandatory unit is kept."""
        hard = np.isinf(self.penalty)
        return not self.shortfall(choice)[hard].any() and bool((choice[self.mandatory] >= 0).all())

    def save(self, folder: Path) -> None:
        """One `.npy` file an array, to be mapped into memory by `Core.load`."""
        folder.mkdir(parents=True, exist_ok=True)
        for item in fields(self):
            np.save(folder / f"{item.name}.npy", getattr(self, item.name))

    @classmethod
    def load(cls, folder: Path) -> Core:
        return cls(**{f.name: np.load(folder / f"{f.name}.npy", mmap_mode="r") for f in fields(cls)})


def share_of(bound: float, objective: float) -> float:
    """The gap as a share, design.md §3: NaN where there is nothing to compare with."""
    scale = max(abs(bound), abs(objective))
    if not np.isfinite(scale) or scale < 1:
        return float("nan")
    return max(0.0, bound - objective) / scale
