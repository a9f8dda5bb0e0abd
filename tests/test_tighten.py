"""Tightening changes no plan's worth and only lowers what prices prove."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, product

import numpy as np
import pytest

from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.tighten import tighten
from tests.cores import random_core


def _soft_and_narrow(seed: int):  # type: ignore[no-untyped-def]
    core = random_core(seed)
    rng = np.random.default_rng(seed)
    return replace(
        core,
        unit_coef=np.abs(core.unit_coef),
        option_coef=np.abs(core.option_coef),
        penalty=np.where(rng.random(core.rows) < 0.8, 3.0, core.penalty),
        lower=np.where(np.isfinite(core.lower), np.minimum(np.abs(core.lower), 2.0), core.lower),
        upper=np.where(np.isfinite(core.upper), np.abs(core.upper) * 0.4 + 2.0, core.upper),
    )


@pytest.mark.parametrize("seed", range(150))
def test_a_plan_is_worth_the_same_and_prices_prove_no_less(seed: int) -> None:
    core = _soft_and_narrow(seed)
    tight = tighten(core)
    rng = np.random.default_rng(seed)
    sizes = np.diff(core.start)
    for _ in range(10):
        at = core.start[:-1] + (rng.random(core.units) * sizes).astype(np.int64)
        choice = np.where((sizes > 0) & (rng.random(core.units) < 0.8), at, -1)
        assert tight.objective(choice) == pytest.approx(core.objective(choice), abs=1e-7)
        assert tight.feasible(choice) == core.feasible(choice)
        prices = rng.normal(0, 2, core.rows)
        assert bound(tight, prices) <= bound(core, prices) + 1e-6


def test_some_of_these_problems_are_changed() -> None:
    changed = [tighten(c) is not c for c in map(_soft_and_narrow, range(150))]
    assert sum(changed) > 30


def test_a_problem_with_hard_rows_only_is_left_as_it_is() -> None:
    core = random_core(1)
    core = replace(core, penalty=np.full(core.rows, np.inf))
    assert tighten(core) is core


def _of_whole_amounts(seed: int) -> Core:
    core = random_core(seed)
    rng = np.random.default_rng(seed)
    return replace(
        core,
        unit_coef=np.round(core.unit_coef),
        option_coef=np.where(
            rng.random(len(core.option_coef))[:, None] < 0.7, np.round(core.option_coef), core.option_coef
        ),
        penalty=np.where(rng.random(core.rows) < 0.8, np.inf, core.penalty),
    )


@pytest.mark.parametrize("seed", range(60))
def test_hard_rows_of_whole_amounts_have_whole_bounds_and_the_same_plans(seed: int) -> None:
    core = _of_whole_amounts(seed)
    tight = tighten(core)
    matrix = core.matrix()
    for row in range(core.rows):
        amounts, sides = matrix[[row]].data, (core.lower[row], core.upper[row])
        if np.isfinite(core.penalty[row]) or (amounts != np.round(amounts)).any():
            assert (tight.lower[row], tight.upper[row]) == sides
    plans = product(*([-1, *range(begin, end)] for begin, end in zip(core.start[:-1], core.start[1:], strict=True)))
    prices = np.random.default_rng(seed).normal(0, 2, core.rows)
    assert bound(tight, prices) <= bound(core, prices) + 1e-6
    for plan in islice(plans, 0, 5_000, 61):
        choice = np.array(plan)
        assert tight.feasible(choice) == core.feasible(choice)
        assert tight.objective(choice) == pytest.approx(core.objective(choice), abs=1e-7)


def test_at_least_60_percent_of_four_accounts_are_three() -> None:
    one = np.ones(4)
    core = replace(
        random_core(0), start=np.arange(5), rep=np.zeros(4, dtype=np.int32), value=-one, mandatory=one < 0,
        unit_coef=one[None], option_coef=np.zeros((0, 4)), unit_row=np.zeros((1, 4), np.int32),
        rep_row=np.zeros((0, 1), np.int32), factor=np.array([[0, 0, 0, 0]]), lower=np.array([2.4]),
        upper=np.array([3.5]), penalty=np.array([np.inf]), position=np.array([-1], np.int32), is_open=np.zeros(1, bool),
        cost=np.zeros(1), offset=np.zeros(1),
    )  # fmt: skip
    assert (tighten(core).lower, tighten(core).upper) == (3.0, 3.0)
    between = replace(core, upper=np.array([2.6]))  # no plan keeps that
    assert (tighten(between).lower, tighten(between).upper) == (2.4, 2.6)
