"""The LP relaxation of a core, as an interior point method wants it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from optimizer.core import Core


@dataclass(frozen=True, eq=False)
class Relaxation:
    """The LP relaxation: each unit shares itself out among its options, "unserved" included as an option without rows;
    an open position is a unit with the options "used" and not.

    `matrix` [K, R] coefficients, `value` [K], options of unit u at `begin[u]:begin[u+1]`; `side` [2, R] upper and lower
    bounds (0 where `has` [2, R] is false), `penalty` [R]; `row_of` [R] the row of the `Core`.
    """

    matrix: csr_array
    value: np.ndarray
    begin: np.ndarray
    side: np.ndarray
    has: np.ndarray
    penalty: np.ndarray
    row_of: np.ndarray

    @cached_property
    def turned(self) -> csr_array:
        return csr_array(self.matrix.T)

    @cached_property
    def unit(self) -> np.ndarray:
        """[K] unit of each option."""
        return np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))

    @cached_property
    def fixed(self) -> np.ndarray:
        """[R] hard rows whose bounds are equal: their price is free, their left side is not."""
        return self.has.all(axis=0) & np.isinf(self.penalty) & (self.side[0] <= self.side[1])

    @cached_property
    def sided(self) -> np.ndarray:
        """[2, R] sides with a slack and a price of its own."""
        return self.has & ~self.fixed

    @cached_property
    def soft(self) -> np.ndarray:
        """[2, R] sides that may be passed at a penalty."""
        return self.sided & np.isfinite(self.penalty)

    def sums(self, numbers: np.ndarray) -> np.ndarray:
        """[U] sums over the options of each unit."""
        return np.add.reduceat(numbers, self.begin[:-1])

    def tops(self, numbers: np.ndarray) -> np.ndarray:
        """[U] maxima over the options of each unit."""
        return np.maximum.reduceat(numbers, self.begin[:-1])

    def bound(self, prices: np.ndarray, adjusted: np.ndarray) -> float:
        """What prices [R] prove, given the price-adjusted values [K]."""
        side = np.where(prices > 0, self.side[0], self.side[1])
        return float(self.tops(adjusted).sum() + (prices * side).sum())


def relaxation(core: Core) -> Relaxation:
    """The LP relaxation of a core. A row of an open position with two bounds becomes two rows."""
    high, low, held = np.isfinite(core.upper), np.isfinite(core.lower), core.position >= 0
    first = np.flatnonzero((high | low) & (core.penalty > 0))
    again = first[(high & low & held)[first]]
    row_of = np.concatenate([first, again])
    second = np.arange(len(row_of)) >= len(first)
    split = np.isin(row_of, again)
    has = np.stack([high[row_of] & ~second, low[row_of] & (second | ~split)])
    bounds = np.stack([core.upper[row_of], core.lower[row_of]])
    side = np.where(has & ~held[row_of], bounds, 0.0)
    served = np.flatnonzero((np.diff(core.start) > 0) & ~core.mandatory)
    opened = np.flatnonzero(core.is_open)
    unit = np.concatenate([core.unit, served, core.units + np.repeat(np.arange(len(opened)), 2)])
    used = np.stack([-core.cost[opened], np.zeros(len(opened))], axis=1).ravel()
    order = np.argsort(unit, kind="stable")
    place = np.empty(len(unit), dtype=np.int64)
    place[order] = np.arange(len(unit))
    count = core.options + len(served)
    of_rows = core.matrix()[row_of].tocoo()
    filled = np.flatnonzero(held[row_of])
    column = count + 2 * np.searchsorted(opened, core.position[row_of[filled]])
    row = np.concatenate([of_rows.row, filled])
    column = place[np.concatenate([of_rows.col, column])]
    amount = np.concatenate([of_rows.data, -np.where(has[0], bounds[0], bounds[1])[filled]])
    matrix = csr_array((amount, (column, row)), shape=(len(unit), len(row_of)))
    matrix.sum_duplicates()
    value = np.concatenate([core.value, np.zeros(len(served)), used])[order]
    begin = np.append(np.flatnonzero(np.diff(unit[order], prepend=-1)), len(unit))
    return Relaxation(matrix, value, begin, side, has, core.penalty[row_of], row_of)
