"""Reps that big units like, as a problem of its own at everyone else's prices; and units held at what is found there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import optimizer.books as books
import optimizer.settle as settling
from optimizer.board import short_list
from optimizer.certificate import admissible, bound
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.engines.base import Limits
from optimizer.engines.prices import Prices
from optimizer.search import Cooling, Search
from optimizer.settle import hold
from optimizer.vicinity import vicinity
from tests.mixed_cores import mixed_core
from tests.test_books import giants


def limits() -> Limits:
    return Limits(5.0, gap=0.0, threads=1)


@pytest.fixture
def huge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty options are too many for books of all."""
    monkeypatch.setattr(settling, "MOST_OPTIONS", 10)
    monkeypatch.setattr(books, "SMALL", 0)


def unlike_giants() -> Core:
    """The second one likes the second rep."""
    core = giants()
    return replace(core, value=core.value + np.where(np.arange(core.options) == 4, 1.0, 0.0))


def test_what_the_bound_falls_in_the_part_it_falls_in_the_whole() -> None:
    met = 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 5])
        core = mixed_core(seed, 14, 5)
        if not core.options or (core.mandatory & (np.diff(core.start) == 0)).any():
            continue
        prices = admissible(core, rng.normal(0, 1, core.rows))
        near = vicinity(core, prices, 0.1, core.options)
        if near is None:
            continue
        met += 1
        assert (core.unit[near.option] == near.unit[near.core.unit]).all()
        at = near.core
        other = admissible(at, prices[near.row] + rng.normal(0, 0.5, at.rows))
        changed = prices.copy()
        changed[near.row] = other
        fallen = bound(at, prices[near.row]) - bound(at, other)
        assert fallen == pytest.approx(bound(core, prices) - bound(core, changed), abs=1e-5)
    assert met > 30


def test_no_more_options_than_asked_and_none_where_nothing_is_big() -> None:
    core = giants()
    prices = find_prices(core, 5.0).prices
    whole = vicinity(core, prices, 0.5, core.options)
    assert whole is not None and whole.core.options == core.options
    some = vicinity(core, prices, 0.5, core.options - 1)
    assert some is not None and 0 < some.core.options < core.options
    assert vicinity(core, prices, 0.99, core.options) is None
    assert vicinity(core, prices, 0.5, 1) is None


def test_nobody_is_held_where_there_are_books_of_all() -> None:
    core = giants()
    assert hold(core, find_prices(core, 5.0), limits(), lambda: False) is None


@pytest.mark.usefixtures("huge")
def test_giants_of_a_very_large_problem_are_held_one_to_a_rep() -> None:
    core = unlike_giants()
    dual = find_prices(core, 5.0)
    held = hold(core, dual, limits(), lambda: False)
    assert held is not None
    at = held.option[held.option >= 0]
    assert np.flatnonzero(held.option >= 0).tolist() == [0, 1]
    assert len(set(core.rep[at].tolist())) == 2 and (core.unit[at] == [0, 1]).all()
    assert np.array_equal(held.prices, admissible(core, held.prices))


def test_held_units_stay_whatever_the_search_does() -> None:
    core: Core = giants()
    dual = find_prices(core, 5.0)
    held = np.full(core.units, -1)
    held[:2] = [1, 3]
    listed = short_list(core, dual.prices, held, 2, 1).holding(held)
    assert (listed.regret >= 0).all() and (listed.option[:2, 0] == [1, 3]).all()
    search = Search(core, listed, 1, 1, lambda: False)
    for found in search.run(search.first_choice, Cooling(rounds=2, hot=3.0), 2_000):
        assert found[:2].tolist() == [1, 3]


def test_the_engine_finds_as_good_a_plan_around_held_giants_as_in_the_whole(request: pytest.FixtureRequest) -> None:
    core = unlike_giants()
    dual, small = find_prices(core, 5.0), Limits(3.0, gap=0.0, threads=1, deterministic=True)
    whole = Prices().solve(core, small, lambda _: False, None, dual)
    request.getfixturevalue("huge")
    around = Prices().solve(core, small, lambda _: False, None, dual)
    assert whole.choice is not None and around.choice is not None and core.feasible(around.choice)
    assert core.objective(around.choice) >= core.objective(whole.choice) - 1e-9
    assert len(set(core.rep[around.choice[:2]].tolist())) == 2
