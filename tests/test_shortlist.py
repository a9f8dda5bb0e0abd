"""The shortlist of every unit is the top of its options at the prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.board import short_list
from optimizer.certificate import adjusted
from optimizer.core import Core
from tests.mixed_cores import mixed_core, random_plan


def listed(core: Core, prices: np.ndarray, always: np.ndarray, width: int) -> list[list[int]]:
    """The twin: best first, the first of equals; the option that must be there last where it would miss."""
    worth, out = adjusted(core, prices, 0, core.units), []
    for u in range(core.units):
        span = range(core.start[u], core.start[u + 1])
        top = sorted(span, key=lambda k: (-worth[k], k))[:width]
        if always[u] >= 0 and always[u] not in top:
            top[min(len(top), width - 1) :] = [int(always[u])]
        out.append(top + [-1] * (width - len(top)))
    return out


@pytest.mark.parametrize("width", [1, 2, 5, 9])
def test_the_shortlist_is_the_best_options_of_each_unit_and_the_one_it_must_hold(width: int) -> None:
    for seed in range(120):
        core, rng = mixed_core(seed, units=10, reps=6), np.random.default_rng(seed)
        core = replace(core, mandatory=core.mandatory & (np.diff(core.start) > 0))
        prices = rng.normal(0, 3, core.rows) * (rng.random() < 0.8)
        always = random_plan(core, rng)
        found = short_list(core, prices, always, width, 1)
        assert found.option.tolist() == listed(core, prices, always, width), seed
        worth = np.append(adjusted(core, prices, 0, core.units), -np.inf)[found.option]
        top = np.maximum(worth.max(axis=1), np.where(core.mandatory, -np.inf, 0.0))
        has = np.isfinite(top)
        np.testing.assert_allclose(found.best[has], top[has], atol=1e-9)
        at = (found.option >= 0) & has[:, None]
        np.testing.assert_allclose(found.regret[at], (top[:, None] - worth)[at], atol=1e-9)
        assert (found.regret[at] >= 0).all()


def test_the_first_of_equal_options_comes_first() -> None:
    core = mixed_core(1, units=10, reps=6)
    value = np.zeros(core.options)
    found = short_list(replace(core, value=value), np.zeros(core.rows), np.full(core.units, -1), 3, 1)
    for u in range(core.units):
        mine = [k for k in found.option[u] if k >= 0]
        assert mine == list(range(core.start[u], core.start[u] + len(mine)))


def test_blocks_of_units_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    core = mixed_core(5, units=60, reps=6)
    prices, always = np.random.default_rng(1).normal(0, 2, core.rows), np.full(core.units, -1)
    one = short_list(core, prices, always, 4, 1)
    monkeypatch.setattr("optimizer.board.BLOCK", 7)
    other = short_list(core, prices, always, 4, 2)
    np.testing.assert_array_equal(one.option, other.option)
    np.testing.assert_array_equal(one.regret, other.regret)
    np.testing.assert_array_equal(one.best, other.best)
