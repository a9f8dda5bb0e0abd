"""Prices: the LP's own are as good as prices can be, the ascent comes close to them, and both stop in time."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.optimize import linprog

from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import LP_SHARE, Passes, ascend, find_prices, lp_prices
from optimizer.kernels import STEP
from optimizer.problem import build
from optimizer.sample import sample
from optimizer.scenario import parse_scenario
from tests.cores import random_core


def lp_bound(core: Core) -> float | None:
    """The LP relaxation written out densely: what the best prices prove. None where it has no solution."""
    a, soft, opened = core.matrix().toarray(), np.isfinite(core.penalty), np.flatnonzero(core.is_open)
    k, s, j = core.options, int(soft.sum()), len(opened)
    slack = np.eye(core.rows)[:, soft]
    filled = (core.position[:, None] == opened[None, :]) & (core.position >= 0)[:, None]
    held = core.position >= 0
    high, low = np.isfinite(core.upper), np.isfinite(core.lower)
    upper, lower = np.where(high, core.upper, 0.0), np.where(low, core.lower, 0.0)
    over = np.hstack([a, -slack, 0 * slack, -upper[:, None] * filled])[high]
    under = np.hstack([-a, 0 * slack, -slack, lower[:, None] * filled])[low]
    assign = np.hstack([np.eye(core.units)[:, core.unit], np.zeros((core.units, 2 * s + j))])
    must = core.mandatory
    answer = linprog(
        -np.concatenate([core.value, -core.penalty[soft], -core.penalty[soft], -core.cost[opened]]),
        A_ub=np.vstack([over, under, assign[~must]]),
        b_ub=np.concatenate(
            [np.where(held, 0.0, upper)[high], -np.where(held, 0.0, lower)[low], np.ones(int((~must).sum()))]
        ),
        A_eq=assign[must] if must.any() else None,
        b_eq=np.ones(int(must.sum())) if must.any() else None,
        bounds=[(0, None)] * (k + 2 * s) + [(0, 1)] * j,
        method="highs",
    )
    return -float(answer.fun) if answer.status == 0 else None


def test_the_lps_prices_prove_the_lp_bound() -> None:
    solved = 0
    for seed in range(120):
        core = random_core(seed)
        whole = lp_bound(core) if core.options else None
        prices = lp_prices(core, 5.0) if core.options else None
        if whole is None:
            assert prices is None, f"seed {seed}"
            continue
        assert prices is not None, f"seed {seed}"
        assert bound(core, prices) == pytest.approx(whole, abs=1e-6 * max(1.0, abs(whole))), f"seed {seed}"
        solved += 1
    assert solved > 80


def test_no_prices_prove_less_than_the_lp_bound() -> None:
    for seed in range(40):
        core = random_core(seed)
        whole = lp_bound(core)
        if whole is not None:
            prices = np.random.default_rng(seed).normal(0, 3, core.rows)
            assert bound(core, prices) >= whole - 1e-6 * max(1.0, abs(whole))


def company_core(accounts: int, reps: int, rules: list[dict[str, object]]) -> Core:
    scenario = parse_scenario({"name": "Sample", "rules": rules})
    return build(sample(accounts, reps, seed=3), scenario).core


SOME_RULES: list[dict[str, object]] = [
    {"name": "hours", "kind": "limit", "measure": "hours", "at_most": "60%"},
    {"name": "fair", "kind": "limit", "measure": "potential", "within": "15%", "penalty": 0.2},
    {"name": "moves", "kind": "limit", "measure": "moved_arr", "per": "company", "at_most": "40%"},
]


def test_the_ascent_comes_within_two_percent_of_the_lp_bound() -> None:
    core = company_core(1000, 20, SOME_RULES)
    prices = lp_prices(core, 60.0)
    assert prices is not None
    best = bound(core, prices)
    climbed = ascend(core, 500, time.monotonic() + 60.0)
    start = bound(core, np.zeros(core.rows))
    assert best - 1e-6 * abs(best) <= climbed.bound <= min(start, best * 1.02)
    assert climbed.bound == bound(core, climbed.prices)


def test_the_ascent_never_ends_above_its_start() -> None:
    for seed in range(40):
        core = random_core(seed)
        assert ascend(core, 60, time.monotonic() + 5.0).bound <= bound(core, np.zeros(core.rows))


def test_finding_prices_stops_when_it_is_asked_or_out_of_time() -> None:
    core = company_core(1000, 20, SOME_RULES)
    heard: list[float] = []

    def stop(proved: float) -> bool:
        heard.append(proved)
        return True

    found = find_prices(core, 60.0, stop, lp=False)
    assert heard and found.passes <= 10
    late = find_prices(core, 0.0, lp=False)
    assert late.passes <= 1
    assert late.bound == bound(core, late.prices)


def test_prices_are_found_with_and_without_the_lp_for_any_small_problem() -> None:
    for seed in range(30):
        core = random_core(seed, units=5)
        for lp in (True, False):
            found = find_prices(core, 5.0, lp=lp)
            assert found.prices.shape == (core.rows,)
            assert found.bound == bound(core, found.prices)


def test_of_middle_size_prices_prove_as_much_as_those_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    core = company_core(1000, 20, SOME_RULES)
    of_program = lp_prices(core, 60.0)
    assert of_program is not None
    program = bound(core, of_program)
    monkeypatch.setattr("optimizer.dual.CORNER", 0)
    monkeypatch.setattr("optimizer.dual.lp_prices", None)  # not to be called
    found = find_prices(core, 60.0)
    assert program * (1 - 1e-9) <= found.bound <= program * (1 + 1e-4)


def test_a_program_that_does_not_end_leaves_the_ascent_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    core = company_core(1000, 20, SOME_RULES)
    given: list[float] = []

    def late(core: Core, seconds: float) -> None:
        given.append(seconds)

    monkeypatch.setattr("optimizer.dual.CORNER", core.options)
    monkeypatch.setattr("optimizer.dual.lp_prices", late)
    monkeypatch.setattr("optimizer.dual.polished", lambda core, dual, *_: dual)
    found = find_prices(core, 10.0)
    assert given == [LP_SHARE * 10.0] and found.bound < bound(core, np.zeros(core.rows))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_pass_gives_the_best_options_and_what_they_use_whatever_was_before(threads: int) -> None:
    for seed in range(30):
        core = random_core(seed, units=30)
        over, a = Passes(core, threads), core.matrix().toarray()
        with over.pool:
            for scale in (0.0, 2.0, 0.1, 2.0):
                prices = np.random.default_rng(seed).normal(0, scale, core.rows)
                total, usage = over.best(prices)
                worth = core.value - prices @ a
                tops = [
                    max([*worth[a:b].tolist(), *([] if must else [0.0])], default=-np.inf)
                    for a, b, must in zip(core.start[:-1], core.start[1:], core.mandatory, strict=True)
                ]
                assert total == pytest.approx(sum(tops))
                has = over.choice >= 0
                np.testing.assert_allclose(worth[over.choice[has]], np.array(tops)[has], atol=1e-9)
                np.testing.assert_allclose(usage, core.usage(over.choice), atol=1e-9)


def test_a_pass_is_the_same_in_steps_of_many_units_and_of_one() -> None:
    core = random_core(3, units=4 * STEP)
    prices = np.random.default_rng(3).normal(0, 2, core.rows)
    once, often = Passes(core, 1), Passes(core, 1)
    with once.pool, often.pool:
        whole = once.best(prices)
        often.blocks = [(u, u + 1) for u in range(core.units)]
        often.usage = np.zeros((core.units, *once.usage.shape[1:]))
        often.table = np.zeros((core.units, *once.table.shape[1:]))
        each = often.best(prices)
    assert each[0] == pytest.approx(whole[0])
    np.testing.assert_array_equal(once.choice, often.choice)
    np.testing.assert_allclose(each[1], whole[1], atol=1e-6)
