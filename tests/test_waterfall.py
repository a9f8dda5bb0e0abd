"""The waterfall: plans made of what fits, from nothing or from another plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from optimizer.core import Core
from optimizer.waterfall import needs, room, sizes, waterfall
from tests.mixed_cores import hit_twice, mixed_core, random_plan

SEEDS = range(150)


@pytest.mark.parametrize("made", [needs, waterfall])
def test_every_unit_has_an_option_of_its_own_or_none(made: Callable[[Core], np.ndarray]) -> None:
    for seed in SEEDS:
        core = mixed_core(seed)
        choice = made(core)
        has = choice >= 0
        np.testing.assert_array_equal(core.unit[choice[has]], np.flatnonzero(has))


def test_no_hard_upper_bound_breaks_where_every_amount_is_positive() -> None:
    tried = 0
    for seed in SEEDS:
        core = mixed_core(seed)
        a = core.matrix().toarray()
        start = random_plan(core, np.random.default_rng(seed))
        for given in (None, start):
            used = core.usage(waterfall(core, start=given))
            sure = np.isinf(core.penalty) & (a >= 0).all(axis=1) & (core.upper >= 0) & ~hit_twice(core)
            tried += int(sure.sum())
            assert (used <= core.upper + 1e-6 * np.maximum(1.0, np.abs(core.upper)))[sure].all(), seed
    assert tried > 100


def test_what_must_be_stays_where_it_is_when_the_plan_is_filled_up() -> None:
    for seed in SEEDS:
        core = mixed_core(seed)
        must = needs(core)
        np.testing.assert_array_equal(waterfall(core)[must >= 0], must[must >= 0], err_msg=str(seed))


def test_a_plan_that_keeps_every_rule_is_kept_where_no_rule_demands_anything() -> None:
    tried = 0
    for seed in range(400):
        core = mixed_core(seed)
        start = random_plan(core, np.random.default_rng(seed))
        a = core.matrix().toarray()
        demands = (np.isinf(core.penalty) & (np.isfinite(core.lower) | (a < 0).any(axis=1))).any()
        if demands or core.mandatory.any() or not core.feasible(start):
            continue
        tried += 1
        after = needs(core, start)
        np.testing.assert_array_equal(after, start)
        filled = waterfall(core, start=start)
        np.testing.assert_array_equal(filled[start >= 0], start[start >= 0])
    assert tried > 30


def test_sizes_are_a_unit_s_best_value_and_never_nothing() -> None:
    for seed in SEEDS:
        core = mixed_core(seed)
        for unit, size in enumerate(sizes(core)):
            span = core.value[core.start[unit] : core.start[unit + 1]]
            assert size == max([0.01, *span.tolist()])


def test_room_is_the_share_of_hard_upper_bounds_that_an_option_takes() -> None:
    for seed in SEEDS:
        core = mixed_core(seed)
        counted = np.where(np.isinf(core.penalty) & (core.upper > 0), core.upper, np.inf)
        chosen = np.arange(core.options)
        expected = np.zeros(core.options)
        for row, amount in core.contributions(chosen):
            known = row >= 0
            expected[known] += np.maximum(0.0, amount[known]) / counted[row[known]]
        np.testing.assert_allclose(room(core, chosen), expected)
