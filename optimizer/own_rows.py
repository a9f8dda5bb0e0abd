"""Rows that only options of one hired rep reach: that rep's books alone decide them (`optimizer.book_bound`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.core import TOLERANCE, Core


@dataclass(frozen=True, slots=True, eq=False)
class OwnRows:
    """The rows that only options of one hired rep reach: `row` [M, S] (-1: no more), `owned` [R], and their `lower`,
    `upper`, `penalty` and tolerance `slack` [M, S] (-inf, inf, inf, 0 where there is no row)."""

    row: np.ndarray
    owned: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    penalty: np.ndarray
    slack: np.ndarray

    @classmethod
    def of(cls, core: Core) -> OwnRows:
        reps = len(core.is_open)
        ends = np.tile([reps, -1], (core.rows + 1, 1))
        for _, _, by_rep, table in core.factor:
            if by_rep:
                np.minimum.at(ends[:, 0], core.rep_row[table], np.arange(reps))
                np.maximum.at(ends[:, 1], core.rep_row[table], np.arange(reps))
            else:
                ends[core.unit_row[table], 1] = reps
        owned = (ends[:-1, 0] == ends[:-1, 1]) & (ends[:-1, 0] < reps) & (core.position < 0)
        owned &= np.isfinite(core.lower) | np.isfinite(core.upper)
        mine = np.flatnonzero(owned)
        mine = mine[np.argsort(ends[mine, 0], kind="stable")]
        rep = ends[mine, 0]
        place = np.arange(len(mine)) - np.searchsorted(rep, rep)
        row = np.full((reps, int(place.max(initial=-1)) + 1), -1, dtype=np.int64)
        row[rep, place] = mine
        lower, upper = np.append(core.lower, -np.inf)[row], np.append(core.upper, np.inf)[row]
        shown = np.abs(np.where(np.isfinite(upper), upper + np.append(core.offset, 0.0)[row], 0.0))
        slack = np.where(row >= 0, 2 * TOLERANCE * np.maximum(1.0, shown), 0.0)
        return cls(row, owned, lower, upper, np.append(core.penalty, np.inf)[row], slack)

    @property
    def size(self) -> np.ndarray:
        """[M, S] the larger of a row's bounds, what shares of it are taken of; 1 where there is none but 0."""
        sides = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (self.upper, self.lower)]
        larger = np.maximum(*sides)
        return np.where(larger > 0, larger, 1.0)

    def admissible(self, prices: np.ndarray, rep: np.ndarray) -> np.ndarray:
        """Own prices [L, S] of leaves of `rep` [L], clipped to where they prove something."""
        low = np.where(np.isfinite(self.lower), -self.penalty, 0.0)[rep]
        high = np.where(np.isfinite(self.upper), self.penalty, 0.0)[rep]
        return np.clip(np.nan_to_num(prices, nan=0.0, posinf=0.0, neginf=0.0), low, high)

    def amounts(self, core: Core, chosen: np.ndarray) -> np.ndarray:
        """[k, S] what the options `chosen` [k] use of their rep's own rows."""
        place = np.full(core.rows + 1, -1, dtype=np.int64)
        place[self.row[self.row >= 0]] = np.nonzero(self.row >= 0)[1]
        out = np.zeros((len(chosen), self.row.shape[1]))
        for row, amount in core.contributions(chosen):
            slot = np.where(row >= 0, place[row], -1)
            for s in range(out.shape[1]):
                out[:, s] += np.where(slot == s, amount, 0.0)
        return out

    def cuts(self, least: np.ndarray) -> np.ndarray:
        """[M, S] rows with an upper bound where no option's amount is below 0; `least` [M, S] the smallest amounts."""
        return np.isfinite(self.upper) & (self.lower <= self.upper) & (least >= 0)
