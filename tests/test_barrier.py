"""The interior point method proves what the LP proves, for any number of threads, and survives whatever it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.barrier import climb
from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import ascend, find_prices, lp_prices, polished
from optimizer.relaxation import relaxation
from tests.cores import random_core

FOREVER = float("inf")


def proved(core: Core, threads: int = 1) -> float:
    return polished(core, ascend(core, 60, FOREVER), threads=threads).bound


def test_the_bound_is_never_below_the_lps_and_nearly_always_reaches_it() -> None:
    near = []
    for seed in range(120):
        core = random_core(seed)
        prices = lp_prices(core, 5.0) if core.options and core.rows and not core.is_open.any() else None
        if prices is None:
            continue
        whole = bound(core, prices)
        found = proved(core)
        assert found >= whole - 1e-6 * max(1.0, abs(whole)), f"seed {seed}"
        near.append(found <= whole + 1e-4 * max(1.0, abs(whole)))
    assert len(near) > 30
    assert np.mean(near) > 0.9


def test_the_relaxation_has_a_column_an_option_and_two_a_position() -> None:
    for seed in range(40):
        core = random_core(seed)
        lp = relaxation(core)
        served = int(((np.diff(core.start) > 0) & ~core.mandatory).sum())
        assert len(lp.value) == core.options + served + 2 * int(core.is_open.sum())
        prices = np.random.default_rng(seed).normal(0, 2, core.rows)
        inside = np.clip(prices, np.where(np.isfinite(core.lower), -core.penalty, 0.0),
                         np.where(np.isfinite(core.upper), core.penalty, 0.0))  # fmt: skip
        part = inside[lp.row_of]
        part = np.where(lp.has[0], part, np.minimum(part, 0.0))
        part = np.where(lp.has[1], part, np.maximum(part, 0.0))
        if len(lp.begin) > 1:
            reckoned = lp.bound(part, lp.value - lp.matrix @ part)
            lost = np.where(core.mandatory & (np.diff(core.start) == 0), -np.inf, 0.0).sum()
            assert reckoned + lost == pytest.approx(bound(core, inside), rel=1e-9, abs=1e-6)


def test_the_prices_do_not_depend_on_the_threads() -> None:
    for seed in range(12):
        core = random_core(seed, units=40, reps=6)
        one, two = (polished(core, find_prices(core, lp=False, passes=40, threads=t), threads=t) for t in (1, 2))
        np.testing.assert_array_equal(one.prices, two.prices)
        assert one.bound == two.bound


def test_a_warm_start_never_proves_less_than_its_prices() -> None:
    for seed in range(40):
        core = random_core(seed)
        first = find_prices(core, lp=False, passes=40)
        again = find_prices(core, lp=False, passes=40, start=first.prices)
        assert again.bound <= first.bound
        assert np.isfinite(again.prices).all()


@pytest.mark.parametrize("start", [np.zeros(99), np.full(4, np.nan)])
def test_a_start_of_another_size_or_with_gaps_is_passed_over(start: np.ndarray) -> None:
    core = next(c for c in map(random_core, range(99)) if c.rows == 4)
    assert find_prices(core, lp=False, start=start).bound == find_prices(core, lp=False).bound


def test_the_lps_own_prices_are_left_as_they_are_and_so_is_what_is_asked_to_stop() -> None:
    core = random_core(3)
    best, climbed = find_prices(core), ascend(core, 5, FOREVER)
    assert best.passes == 0 and polished(core, best) is best
    assert climbed.passes and polished(core, climbed, stop=lambda _: True) is climbed
    assert polished(core, climbed, seconds=0.0).bound <= climbed.bound


def odd(core: Core, seed: int) -> list[Core]:
    """The same problem with something degenerate about it."""
    rng = np.random.default_rng(seed)
    some = rng.random(core.rows) < 0.5
    return [
        replace(core, value=core.value * 1e12),
        replace(core, value=core.value * 0.0),
        replace(core, unit_coef=core.unit_coef * 0.0, option_coef=core.option_coef * 0.0),
        replace(core, unit_coef=core.unit_coef * 1e9, option_coef=core.option_coef * 1e-6),
        replace(core, penalty=np.where(some, 0.0, core.penalty)),
        replace(core, lower=np.where(np.isfinite(core.upper), core.upper, core.lower)),
        replace(core, upper=np.where(some, -1e6, core.upper), penalty=np.full(core.rows, np.inf)),
        replace(core, lower=np.full(core.rows, -np.inf), upper=np.full(core.rows, np.inf)),
        replace(core, mandatory=np.ones(core.units, dtype=bool)),
    ]


def test_nothing_degenerate_makes_it_fail_or_prove_what_is_not_so() -> None:
    for seed in range(25):
        for i, core in enumerate(odd(random_core(seed), seed)):
            found = polished(core, find_prices(core, lp=False, passes=20))
            assert not np.isnan(found.bound), (seed, i)
            assert found.bound == bound(core, found.prices), (seed, i)
            assert found.bound <= bound(core, np.zeros(core.rows)), (seed, i)
            prices = lp_prices(core, 5.0) if core.options and core.rows else None
            if prices is not None and i not in (0, 3):  # where HiGHS's own tolerances show
                least = bound(core, prices)
                assert found.bound >= least - 1e-6 * max(1.0, abs(least)), (seed, i)


def test_it_stops_when_it_is_asked() -> None:
    core = next(c for c in map(random_core, range(99)) if c.rows > 5)
    lp, heard = relaxation(core), []
    climb(lp, np.zeros(len(lp.row_of)), 1, lambda b: heard.append(b) or len(heard) == 2)
    assert len(heard) == 2
