"""The whole model as a mixed-integer program, in arrays: what solvers of branch and cut are given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from optimizer.core import Core


@dataclass(frozen=True, slots=True, eq=False)
class MixedInteger:
    """Maximise `worth` [C] · x where `lower` [C] ≤ x ≤ `upper` [C], whole numbers in the columns that are true in
    `whole` [C], and `low` [Q] ≤ `matrix` [Q, C] x ≤ `high` [Q]. Columns are the options, then over and then under of
    the soft rows, then open positions."""

    worth: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    whole: np.ndarray
    matrix: csr_array
    low: np.ndarray
    high: np.ndarray


def mixed_integer(core: Core, some: np.ndarray | None = None) -> MixedInteger:
    """The program of a core. A row of an open position with two bounds becomes two rows. With `some` [U], units that are
    false there may be split over their options.

    Raises `ValueError` where the core holds a number that is not one.
    """
    k = core.options
    soft, opened = np.flatnonzero(np.isfinite(core.penalty)), np.flatnonzero(core.is_open)
    a = core.matrix()
    slack = csr_array((np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(core.rows, len(soft)))
    held = core.position >= 0
    plain = hstack([a, -slack, slack, csr_array((core.rows, len(opened)))], format="csr")[~held]
    blocks, lower, upper = [plain], [core.lower[~held]], [core.upper[~held]]
    for side, sign in ((core.upper, -1.0), (core.lower, 1.0)):
        rows = np.flatnonzero(held & np.isfinite(side))
        column = np.searchsorted(opened, core.position[rows])
        y = csr_array((-side[rows], (np.arange(len(rows)), column)), shape=(len(rows), len(opened)))
        over, under = (-slack[rows], 0 * slack[rows]) if sign < 0 else (0 * slack[rows], slack[rows])
        blocks.append(hstack([a[rows], over, under, y], format="csr"))
        lower.append(np.full(len(rows), -np.inf) if sign < 0 else np.zeros(len(rows)))
        upper.append(np.zeros(len(rows)) if sign < 0 else np.full(len(rows), np.inf))
    rest = csr_array((core.units, 2 * len(soft) + len(opened)))
    assign = csr_array((np.ones(k), (core.unit, np.arange(k))), shape=(core.units, k))
    blocks.append(hstack([assign, rest], format="csr"))
    lower.append(np.where(core.mandatory, 1.0, -np.inf))
    upper.append(np.ones(core.units))
    at = np.flatnonzero(core.is_open[core.rep])
    needs = csr_array((np.ones(len(at)), (np.arange(len(at)), at)), shape=(len(at), k))
    column = np.searchsorted(opened, core.rep[at])
    y = csr_array((-np.ones(len(at)), (np.arange(len(at)), column)), shape=(len(at), len(opened)))
    blocks.append(hstack([needs, csr_array((len(at), 2 * len(soft))), y], format="csr"))
    lower.append(np.full(len(at), -np.inf))
    upper.append(np.zeros(len(at)))
    matrix = vstack(blocks, format="csr")
    matrix.eliminate_zeros()
    matrix.sort_indices()
    most = np.concatenate([np.ones(k), np.full(2 * len(soft), np.inf), np.ones(len(opened))])
    whole = np.isfinite(most)
    whole[:k] = True if some is None else some[core.unit]
    worth = np.concatenate([core.value, -np.tile(core.penalty[soft], 2), -core.cost[opened]])
    low, high = np.concatenate(lower), np.concatenate(upper)
    if any(np.isnan(numbers).any() for numbers in (worth, low, high, matrix.data)):
        raise ValueError("the model holds a number that is not one")
    return MixedInteger(worth, np.zeros(len(worth)), most, whole, matrix, low, high)


def solution_of(core: Core, choice: np.ndarray) -> np.ndarray:
    """[C] a plan as values of every column. All are given, because what a solver completes itself it may solve as a
    problem of its own, whose bound HiGHS's callbacks pass off as the whole one's, or not at all (SCIP)."""
    soft, opened = np.flatnonzero(np.isfinite(core.penalty)), np.flatnonzero(core.is_open)
    usage, (lower, upper) = core.usage(choice), core.bounds(choice)
    taken = np.zeros(core.options)
    taken[choice[choice >= 0]] = 1.0
    used = np.isin(opened, core.rep[choice[choice >= 0]]).astype(float)
    over, under = np.maximum(0.0, usage - upper)[soft], np.maximum(0.0, lower - usage)[soft]
    return np.concatenate([taken, over, under, used])


def choice_of(core: Core, values: np.ndarray) -> np.ndarray:
    """[U] the plan that values of the columns [C] (the options' are enough) stand for."""
    chosen = np.flatnonzero(values[: core.options] > 0.5)
    choice = np.full(core.units, -1, dtype=np.int64)
    choice[core.unit[chosen]] = chosen
    return choice
