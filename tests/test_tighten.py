"""Tightening changes no plan's worth and only lowers what prices prove."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.certificate import bound
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
