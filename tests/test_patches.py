"""Parts of a plan solved again exactly make it better or leave it, and never break a rule."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from optimizer.certificate import bound
from optimizer.dual import find_prices
from optimizer.engines import load
from optimizer.engines.base import Limits
from optimizer.patches import Patches, _Shared
from optimizer.reduced import reduce
from optimizer.waterfall import waterfall
from tests.cores import best_by_enumeration, random_core


def test_crossing_finds_the_best_of_what_some_plans_have() -> None:
    tried, better = 0, 0
    for seed in range(60):
        core = random_core(seed, 7, 4)
        rng = np.random.default_rng(seed)
        options = [np.append(np.arange(a, b), -1) for a, b in pairwise(core.start)]
        drawn = [np.array([rng.choice(some) for some in options]) for _ in range(400)]
        plans = sorted((plan for plan in drawn if core.feasible(plan)), key=core.objective, reverse=True)[:8]
        if len(plans) < 3 or (np.array(plans) == plans[0]).all():
            continue
        found = [plans[0]]
        Patches(core, np.zeros(core.rows), load("highs"), Limits(5.0), lambda: False, found.append).cross(plans, 5.0)
        some = np.unique(np.array(plans))
        held = (np.array(plans) == plans[0]).all(axis=0)
        part = reduce(core, plans[0], ~held, some[some >= 0])
        best = part.lift(best_by_enumeration(part.core)[1])
        assert core.feasible(found[-1]) and core.objective(found[-1]) == pytest.approx(core.objective(best)), seed
        tried, better = tried + 1, better + (len(found) > 1)
    assert tried > 20 and better > 5


@pytest.mark.parametrize("name", ["highs", "scip"])  # one patch at a time, and one a thread
def test_every_plan_that_patches_find_is_better_than_the_last_and_keeps_every_hard_row(name: str) -> None:
    tried = 0
    for seed in range(40):
        core = random_core(seed, 7, 4)
        start = waterfall(core)
        if not core.options or not core.feasible(start):
            continue  # no greedy plan to begin with
        prices, plans = find_prices(core, 5).prices, [start]
        patches = Patches(core, prices, load(name), Limits(2.0, threads=2), lambda: False, plans.append)
        patches.improve(start, 1.0)
        values = [core.objective(plan) for plan in plans]
        assert all(b > a for a, b in pairwise(values)), seed
        assert all(core.feasible(plan) for plan in plans), seed
        assert values[-1] <= best_by_enumeration(core)[0] + 1e-6 <= bound(core, prices) + 2e-6, seed
        tried += 1
        if tried == 11:
            return
    raise AssertionError(f"only {tried} problems have a greedy plan")


def test_what_reps_lose_adds_up_to_no_more_than_the_gap() -> None:
    core = random_core(5, 7, 4)
    plan = waterfall(core)
    prices = find_prices(core, 5).prices
    patches = Patches(core, prices, load("highs"), Limits(2.0), lambda: True, lambda _: None)
    lost = patches.lost(plan)
    assert (lost >= -1e-9).all()
    if not core.is_open.any() and core.feasible(plan):
        assert lost.sum() <= bound(core, prices) - core.objective(plan) + 1e-6
    assert np.isfinite(lost).all()


def test_deciding_ties_makes_plans_better_and_reaches_the_best_where_the_core_grows_to_all_options() -> None:
    tried, reached = 0, 0
    for seed in range(60):
        core = random_core(seed, 7, 4)
        start = waterfall(core)
        if not core.options or not core.feasible(start):
            continue
        prices, plans = find_prices(core, 5).prices, [start]
        patches = Patches(core, prices, load("highs"), Limits(5.0), lambda: False, plans.append)
        last = patches.decide_ties(start, 5.0)
        values = [core.objective(plan) for plan in plans]
        assert all(b > a for a, b in pairwise(values)) and all(core.feasible(plan) for plan in plans), seed
        assert core.objective(last) == values[-1], seed
        best, tried = best_by_enumeration(core)[0], tried + 1
        assert values[-1] <= best + 1e-6, seed
        reached += values[-1] >= best - 1e-6 * max(1.0, abs(best))
        if tried == 12:
            break
    assert tried == 12 and reached >= 6, (tried, reached)


def test_options_that_prices_tell_nothing_of_are_all_solved_at_once() -> None:
    tried = 0
    for seed in range(60):
        core = random_core(seed, 7, 4)
        worth = np.random.default_rng(seed).uniform(10, 100, core.units)
        core = replace(core, value=worth[core.unit])  # the same wherever a unit goes: no regret without prices
        start, plans = waterfall(core), []
        if core.options < 2 * core.units or not core.feasible(start):
            continue
        patches = Patches(core, np.zeros(core.rows), load("highs"), Limits(5.0), lambda: False, plans.append)
        last = patches.decide_ties(start, 5.0)
        assert len(plans) <= 1 and core.feasible(last), seed  # none in between
        assert core.objective(last) == pytest.approx(best_by_enumeration(core)[0]), seed
        tried += 1
        if tried == 12:
            return
    raise AssertionError(f"only {tried} problems have a greedy plan")


def test_a_patch_whose_units_others_have_moved_meanwhile_is_not_taken() -> None:
    core = next(c for c in (random_core(seed, 7, 4) for seed in range(60)) if c.feasible(waterfall(c)))
    start, told = waterfall(core), []
    patches = Patches(core, find_prices(core, 5).prices, load("scip"), Limits(2.0), lambda: False, told.append)
    shared = _Shared(start, 2, np.zeros(len(core.cost), dtype=bool))
    unit = int(np.flatnonzero(start >= 0)[0])
    before = start.copy()
    before[unit] = -1  # what the patch began with; another thread has served the unit since
    better = before.copy()
    better[unit] = start[unit]
    assert not patches._taken(shared, before, better) and not told and shared.choice is start
