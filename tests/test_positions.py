"""Unit prices prove a bound on problems with open positions; the choice of positions keeps every hard row."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.certificate import best_of_units, bound
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.engines import load
from optimizer.engines.base import Limits
from optimizer.kernels.positions import fill_positions
from optimizer.opening import choose_positions
from optimizer.positions import filling, position_bound
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices, random_core


def with_positions(seed: int, units: int = 8, reps: int = 4) -> Core:
    """A small single-source facility location problem: every rep an open position with a hard limit of its own."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(1, 9, units).astype(float)
    room = np.round(rng.uniform(0.3, 0.8, reps) * demand.sum())
    if seed % 3 == 0:
        demand, room = demand + rng.random(units), room + rng.random(reps)
    must = np.ones(units, bool) if seed % 2 else rng.random(units) < 0.5
    return Core(
        start=np.arange(units + 1) * reps,
        rep=np.tile(np.arange(reps, dtype=np.int32), units),
        value=rng.uniform(-40, 5 if seed % 2 else 30, units * reps),
        mandatory=must,
        unit_coef=demand[None, :],
        option_coef=np.zeros((0, units * reps)),
        unit_row=np.zeros((0, units), np.int32),
        rep_row=np.arange(reps, dtype=np.int32)[None, :],
        factor=np.array([[0, 0, 1, 0]]),
        lower=np.full(reps, -np.inf),
        upper=room,
        penalty=np.full(reps, np.inf),
        position=np.arange(reps, dtype=np.int32),
        is_open=np.ones(reps, bool),
        cost=rng.uniform(5, 60, reps),
        offset=np.zeros(reps),
    )  # fmt: skip


def small(seed: int) -> Core | None:
    core = random_core(seed, 7, 4)
    return core if count_choices(core) <= MOST_CHOICES / 10 else None


@pytest.mark.parametrize("seed", range(120))
def test_the_bound_is_never_below_the_optimum_of_any_core(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for core in (small(seed), with_positions(seed, 6, 3)):
        if core is None or not core.options:
            continue
        best, _ = best_by_enumeration(core)
        slack = 1e-4 * max(1.0, abs(best)) if np.isfinite(best) else 0.0
        prices = [np.zeros(core.rows), rng.normal(0, 5, core.rows), find_prices(core, 5).prices]
        for row in prices:
            units = best_of_units(core, row)[0]
            for pi in (np.zeros(core.units), rng.normal(0, 40, core.units), units + rng.normal(0, 9, core.units)):
                assert position_bound(core, row, pi) >= best - slack


@pytest.mark.parametrize("seed", range(60))
def test_at_the_units_own_prices_it_is_never_looser_than_row_prices_alone(seed: int) -> None:
    core = random_core(seed)
    prices = find_prices(core, 5).prices
    alone = bound(core, prices)
    if np.isfinite(alone):
        units = best_of_units(core, np.asarray(prices))[0]
        assert position_bound(core, prices, units) <= alone + 1e-4 * max(1.0, abs(alone))


@pytest.mark.parametrize("seed", range(40))
def test_fillings_of_the_loop_are_those_of_the_plain_function(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 12, 5)
    first = np.concatenate([[0], np.cumsum(count)])
    profit, weight = rng.normal(3, 4, first[-1]), rng.integers(0, 9, first[-1]).astype(float)
    room = rng.integers(0, 30, 5).astype(float)
    for whole in (False, True):
        worth, price, take = np.zeros(5), np.zeros(5), np.zeros(first[-1])
        fill_positions(first, profit, weight, room, np.full(5, whole), worth, price, take)
        for j in range(5):
            span = slice(first[j], first[j + 1])
            assert (weight[span] * take[span]).sum() <= room[j] + 1e-9
            assert (profit[span] * take[span]).sum() == pytest.approx(worth[j])
            gains = profit[span] > 0
            nudge = 0.0 if whole else 1e-9  # not a whole number: in shares
            plain = filling(profit[span][gains], weight[span][gains] + nudge, room[j])
            assert worth[j] == pytest.approx(plain, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_chosen_positions_keep_every_hard_row_and_come_near_the_optimum(seed: int) -> None:
    core = with_positions(seed)
    best, _ = best_by_enumeration(core)
    limits = Limits(time_limit=20, gap=1e-6, deterministic=True)
    calls = [0]

    def report(progress) -> bool:  # type: ignore[no-untyped-def]
        calls[0] += 1
        return calls[0] > 10

    found = choose_positions(core, find_prices(core, 5).prices, load("highs"), limits, report)
    if not np.isfinite(best):
        assert found.choice is None
        return
    assert found.choice is not None
    assert core.feasible(found.choice)
    assert core.objective(found.choice) <= best + 1e-6 * max(1.0, abs(best))
    assert core.objective(found.choice) >= best - 0.05 * max(1.0, abs(best))
    assert found.bound >= best - 1e-6 * max(1.0, abs(best))
    assert found.bound == position_bound(core, found.prices, found.unit_prices)
