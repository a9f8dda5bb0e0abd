"""Each compiled loop does what its plain twin does."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.core import Core
from optimizer.kernels import curve, factorise, level_out, place, solve
from optimizer.relaxation import relaxation
from tests.cores import random_core

SEEDS = range(60)


def arrays(core: Core) -> tuple[np.ndarray, ...]:
    return core.unit_coef, core.option_coef, core.unit_row, core.rep_row, core.factor


def amounts(core: Core) -> np.ndarray:
    """[R, K] what each option adds to each row, rows without options included."""
    return core.matrix().toarray()


def placed(core: Core, order: np.ndarray, rank: np.ndarray, usage: np.ndarray, needy: bool) -> np.ndarray:
    """The twin of `place`."""
    a, hard = amounts(core), np.isinf(core.penalty)
    usage, choice = usage.copy(), np.full(core.units, -1)
    slack = 1e-9 * np.maximum(1.0, np.where(np.isfinite(core.upper), np.abs(core.upper), 1.0))
    for unit in order:
        fitting = []
        for k in range(core.start[unit], core.start[unit + 1]):
            add = a[:, k]
            breaks = ((add > 0) & (usage + add > core.upper + slack)) | ((add < 0) & (usage + add < core.lower - slack))
            helps = ((add > 0) & (usage < core.lower)) | ((add < 0) & (usage > core.upper))
            if not (breaks & hard).any() and ((helps & hard).any() or not needy) and rank[k] > -np.inf:
                fitting.append(k)
        if fitting:
            choice[unit] = fitting[int(np.argmax(rank[fitting]))]
            usage += a[:, choice[unit]]
    return choice


@pytest.mark.parametrize("needy", [False, True])
def test_place_gives_each_unit_its_first_ranked_option_that_fits(needy: bool) -> None:
    for seed in SEEDS:
        core, rng = random_core(seed), np.random.default_rng(seed)
        order, rank = rng.permutation(core.units), rng.permutation(core.options).astype(float)
        rank[rng.random(core.options) < 0.2] = -np.inf
        usage, choice = np.zeros(core.rows + 1), np.full(core.units, -1, np.int64)
        expected = placed(core, order, rank, usage[:-1], needy)
        hard = np.isinf(core.penalty)
        place(order, core.start, core.rep, rank, *arrays(core), core.lower, core.upper, hard, usage, choice, needy)
        np.testing.assert_array_equal(choice, expected)
        np.testing.assert_allclose(usage[:-1], core.usage(choice), atol=1e-9)


def test_place_passes_over_units_that_have_a_choice() -> None:
    core = random_core(7)
    given = np.where(np.diff(core.start) > 0, core.start[:-1], -1)
    choice, usage = given.copy(), np.append(core.usage(given), 0.0)
    hard = np.isinf(core.penalty)
    order, rank = np.arange(core.units), core.value.copy()
    place(order, core.start, core.rep, rank, *arrays(core), core.lower, core.upper, hard, usage, choice, False)
    np.testing.assert_array_equal(choice[given >= 0], given[given >= 0])


def levelled(core: Core, order: np.ndarray, size: np.ndarray, load: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The twin of `level_out`."""
    a, hard = amounts(core), np.isinf(core.penalty)
    usage, load, choice = np.zeros(core.rows), load.copy(), np.full(core.units, -1)
    for unit in order:
        best, least = -1, np.inf
        for k in range(core.start[unit], core.start[unit + 1]):
            add = a[:, k]
            breaks = ((add > 0) & (usage + add > core.upper)) | ((add < 0) & (usage + add < core.lower))
            if not (breaks & hard).any() and load[core.rep[k]] / weight[core.rep[k]] < least:
                best, least = k, load[core.rep[k]] / weight[core.rep[k]]
        if best >= 0:
            choice[unit] = best
            usage += a[:, best]
            load[core.rep[best]] += size[unit]
    return choice


def test_level_out_takes_the_least_loaded_rep_that_has_room() -> None:
    for seed in SEEDS:
        core, rng = random_core(seed), np.random.default_rng(seed)
        order, size = rng.permutation(core.units), rng.uniform(0.1, 5, core.units)
        load, weight = rng.uniform(0, 3, len(core.cost)), rng.uniform(0.5, 2, len(core.cost))
        expected = levelled(core, order, size, load, weight)
        usage, choice = np.zeros(core.rows + 1), np.full(core.units, -1, np.int64)
        level_out(
            order, core.start, core.rep, size, load.copy(), weight, *arrays(core), core.lower, core.upper,
            np.isinf(core.penalty), usage, choice,
        )  # fmt: skip
        np.testing.assert_array_equal(choice, expected)
        np.testing.assert_allclose(usage[:-1], core.usage(choice), atol=1e-9)


def test_the_normal_equations_are_those_of_the_dense_matrix() -> None:
    for seed in SEEDS:
        core, rng = random_core(seed), np.random.default_rng(seed)
        lp = relaxation(core)
        if not len(lp.row_of) or len(lp.begin) < 2:
            continue
        weight, a = rng.uniform(0.1, 2, len(lp.value)), lp.matrix.toarray()
        total, expected = lp.sums(weight), a.T @ (weight[:, None] * a)
        for first, last, whole in zip(lp.begin[:-1], lp.begin[1:], total, strict=True):
            pull = weight[first:last] @ a[first:last]
            expected -= np.outer(pull, pull) / whole
        entry, out = lp.matrix.indptr.astype(np.int64), np.zeros((a.shape[1], a.shape[1]))
        for part in range(2):
            curve(part, 2, lp.begin, total, entry, lp.matrix.indices, lp.matrix.data, weight, a.size + 1, out)
        np.testing.assert_allclose(np.tril(out), np.tril(expected), atol=1e-9 * max(1.0, np.abs(expected).max()))


def test_factorising_and_solving_solve() -> None:
    rng = np.random.default_rng(1)
    for n in (1, 2, 7, 40):
        a = rng.normal(size=(n, n + 2))
        whole = a @ a.T + 0.1 * np.eye(n)
        right, lower = rng.normal(size=n), np.tril(whole)
        answer = right.copy()
        factorise(lower, np.empty(n))
        solve(lower, answer)
        np.testing.assert_allclose(whole @ answer, right, atol=1e-8)
    flat, answer = np.zeros((2, 2)), np.ones(2)
    factorise(flat, np.empty(2))
    solve(flat, answer)
    assert not answer.any() or np.abs(answer).max() < 1e-100
