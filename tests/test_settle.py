"""Big units placed first: what is left is the same problem with less in it, and nothing said of it is too low."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from optimizer import settle as module
from optimizer.book_search import Effort
from optimizer.books import find_books, prices_with
from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import Dual, find_prices
from optimizer.engines import load
from optimizer.engines.base import Limits, Progress
from optimizer.engines.prices import Prices
from optimizer.own_rows import OwnRows
from optimizer.patches import Patches
from optimizer.problem import build
from optimizer.reduced import reduce
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario
from optimizer.settle import Settled, bigger, fasten, settle
from optimizer.waterfall import waterfall
from tests.cores import best_by_enumeration, count_choices, random_core
from tests.test_books import giants


def limits() -> Limits:
    return Limits(20.0, gap=0.0, threads=1)


def quiet(_: Progress) -> bool:
    return False


def dual_of(core: Core) -> Dual:
    """Prices and books that place every big unit somewhere."""
    dual = find_prices(core, 5.0)
    found = find_books(core, dual.prices, effort=Effort(200, 0.05))
    assert found is not None
    return Dual(dual.prices, found.bound, 0, found.books, found.hosts, found.liked)


@pytest.fixture(scope="module", params=[2, 3])
def company(request: pytest.FixtureRequest) -> tuple[Core, Dual]:
    core = build(sample(120, 6, request.param), parse_scenario(tomllib.loads(baseline_toml(120, 6)))).core
    return core, dual_of(core)


def test_no_plan_with_the_big_units_there_is_worth_more_than_what_is_said(company: tuple[Core, Dual]) -> None:
    core, dual = company
    (settled,) = settle(core, dual, load("highs").place, limits(), lambda: False)
    rng, part = np.random.default_rng(1), settled.part.core
    for _ in range(50):
        at = part.start[:-1] + (rng.random(part.units) * np.diff(part.start)).astype(np.int64)
        whole = settled.part.lift(np.where(np.diff(part.start) > 0, at, -1))
        assert core.objective(whole) <= settled.value + 1e-6 or not core.feasible(whole)
    assert len(settled.prices) == part.rows and part.units < core.units


def test_big_units_of_a_good_plan_stay_where_it_has_them(company: tuple[Core, Dual]) -> None:
    core, dual = company
    (first,) = settle(core, dual, load("highs").place, limits(), lambda: False)
    plan = first.part.rest
    (settled,) = settle(core, dual, None, limits(), lambda: False, keep=plan)
    held = settled.part.rest >= 0
    kept = held & (plan >= 0)
    assert kept.any()
    np.testing.assert_array_equal(settled.part.rest[kept], plan[kept])


def test_large_problems_are_settled_in_a_second_way_when_the_sure_places_are_taken_and_the_better_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LP_FIRST", 0)  # else a program says where they go
    second = 0
    for seed in (2, 3, 4):
        core = build(sample(120, 6, seed), parse_scenario(tomllib.loads(baseline_toml(120, 6)))).core
        dual = dual_of(core)
        assert dual.hosts is not None and dual.liked is not None
        doubted = np.bincount(core.unit[dual.liked], minlength=core.units) > 1
        worst = np.full(core.units, -1)
        worst[core.unit[dual.liked]] = dual.liked  # the last of each unit's
        for hosts in (dual.hosts, np.where((dual.hosts >= 0) & doubted, worst, dual.hosts)):
            ways = settle(core, replace(dual, hosts=hosts), None, limits(), lambda: False)
            values = [way.value for way in ways]
            assert values == sorted(values, reverse=True) and all(v <= dual.bound * (1 + 1e-9) for v in values)
            first = module._settled(core, replace(dual, hosts=hosts), None, limits(), lambda: False, None)
            own = -np.inf if first is None else first.value
            assert max(values, default=-np.inf) >= own
            second += max(values, default=-np.inf) > own
    assert second >= 2


def test_nothing_is_settled_where_no_unit_is_big_or_where_it_leaves_no_plan() -> None:
    core = giants()
    dual = dual_of(core)
    assert settle(core, replace(dual, hosts=None), None, limits(), lambda: False) == []
    nobody = replace(dual, hosts=np.full(core.units, -1))
    assert settle(core, nobody, None, limits(), lambda: False) == []
    hard = replace(core, penalty=np.full(core.rows, np.inf))
    together = np.where(np.arange(core.units) < 2, np.arange(core.units) * 3, -1)  # both giants at the first rep
    assert settle(hard, replace(dual, hosts=together), None, limits(), lambda: False) == []


def test_prices_with_big_units_in_place_say_what_room_there_is_worth_then() -> None:
    """A rep with a giant in its band asks the whole penalty of whatever else comes in."""
    core = giants()
    dual = dual_of(core)
    assert dual.books is not None and dual.hosts is not None
    placed = np.full(core.units, -1)
    placed[:2] = 0, 4  # one at the first rep, one at the second
    prices = prices_with(core, dual.books, np.where(dual.hosts >= 0, placed, -1))
    assert prices[2] <= prices[:2].min() + 1e-9


# -- larger units of a plan stay where it has them ---------------------------------------------------------------------
def test_units_that_fill_more_than_the_share_stay_and_no_others(company: tuple[Core, Dual]) -> None:
    core, dual = company
    plan = waterfall(core)
    own, served = OwnRows.of(core), np.flatnonzero(plan >= 0)
    filled = np.zeros(core.units)
    filled[served] = (own.amounts(core, plan[served]) / own.size[core.rep[plan[served]]]).max(axis=1)
    least = float(np.quantile(filled, 0.8))
    fastened = fasten(core, plan, (least,), dual.prices, limits(), 2.0, lambda: False)
    assert fastened is not None
    part, stays = fastened.part, fastened.part.rest >= 0
    np.testing.assert_array_equal(stays, filled > least)
    np.testing.assert_array_equal(part.rest[stays], plan[stays])
    assert len(fastened.prices) == part.core.rows
    np.testing.assert_array_equal(part.lift(part.part(plan)), plan)  # its options are among those that count


def test_what_the_others_bring_is_at_most_what_is_said_of_the_options_that_count(company: tuple[Core, Dual]) -> None:
    core, dual = company
    plan = waterfall(core)
    fastened = fasten(core, plan, (0.15,), dual.prices, limits(), 2.0, lambda: False)
    assert fastened is not None
    part = fastened.part
    assert core.objective(plan) <= fastened.value + 1e-6 and part.core.options < core.options
    again = waterfall(part.core)
    assert core.objective(part.lift(again)) <= fastened.value + 1e-6


def test_nothing_is_fastened_where_hardly_any_unit_is_that_large(
    company: tuple[Core, Dual], monkeypatch: pytest.MonkeyPatch
) -> None:
    core, dual = company
    plan = waterfall(core)
    large = bigger(core, plan, (0.15,))
    assert large is not None and len(large) > 0
    monkeypatch.setattr("optimizer.settle.LEAST", (len(large) + 0.5) / core.units)
    assert bigger(core, plan, (0.15,)) is None
    assert fasten(core, plan, (0.15,), dual.prices, limits(), 1.0, lambda: False) is None


def test_the_first_share_at_which_not_too_many_stay_counts(company: tuple[Core, Dual]) -> None:
    core, _ = company
    plan = waterfall(core)
    few = bigger(core, plan, (0.15,))
    assert few is not None and bigger(core, plan, (0.0,)) is None and bigger(core, plan, (5.0,)) is None
    for shares in ((0.0, 0.15, 5.0), (5.0, 0.15, 0.1)):
        np.testing.assert_array_equal(bigger(core, plan, shares), few)


def test_nothing_is_fastened_where_no_unit_is_that_large_or_where_many_are(company: tuple[Core, Dual]) -> None:
    core, dual = company
    plan = waterfall(core)
    assert fasten(core, plan, (5.0,), dual.prices, limits(), 1.0, lambda: False) is None
    assert fasten(core, plan, (0.0,), dual.prices, limits(), 1.0, lambda: False) is None
    nobody = np.full(core.units, -1)
    assert fasten(core, nobody, (0.1,), dual.prices, limits(), 1.0, lambda: False) is None


def test_nothing_is_fastened_where_the_others_have_no_option() -> None:
    core = giants()
    alone = replace(
        core,
        start=np.array([0, *[3] * core.units]),
        rep=core.rep[:3],
        value=core.value[:3],
        mandatory=np.zeros(core.units, dtype=bool),
        option_coef=np.zeros((0, 3)),
    )
    plan = np.array([0, *[-1] * (core.units - 1)])
    assert alone.feasible(plan)
    assert fasten(alone, plan, (0.1,), np.zeros(core.rows), limits(), 1.0, lambda: False) is None
    assert fasten(core, waterfall(core), (0.1,), np.zeros(core.rows), limits(), 1.0, lambda: False) is not None


def test_nothing_is_settled_or_fastened_where_units_are_alike(
    company: tuple[Core, Dual], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as would stay have to move."""
    core = giants()
    alike = replace(core, unit_coef=np.array([[*[4.0] * 3, *[2.0] * 14]]))
    assert bigger(core, waterfall(core), (0.2,)) is not None
    assert bigger(alike, waterfall(alike), (0.2,)) is None
    monkeypatch.setattr("optimizer.settle.TAIL", (0.95, 1e9))
    assert settle(*company, None, limits(), lambda: False) == []


# -- the exact engine places some units while the others may be split --------------------------------------------------
def problems() -> Iterator[tuple[int, Core, float]]:
    for seed in range(60):
        core = random_core(seed, 6, 3)
        if core.options and count_choices(core) <= 5_000:
            best, _ = best_by_enumeration(core)
            yield seed, core, best


@pytest.mark.parametrize("name", ["highs", "scip"])
def test_places_are_options_of_their_units_and_worth_no_less_than_the_best_plan(name: str) -> None:
    whole = 0
    for seed, core, best in problems():
        for some in (np.arange(core.units) % 2 == 0, np.ones(core.units, dtype=bool)):
            placing = load(name).place(core, some, limits(), quiet)
            placed = placing.choice >= 0
            assert (core.unit[placing.choice[placed]] == np.flatnonzero(placed)).all() and not placed[~some].any(), seed
            if np.isfinite(best):  # solved to the end: splitting the others can only be worth more
                assert placing.worth >= best - 1e-4 * max(1.0, abs(best)), seed
            if some.all() and np.isfinite(best):
                assert core.objective(placing.choice) == pytest.approx(best, abs=1e-4), seed
                whole += 1
    assert whole > 15


def test_an_engine_that_cannot_place_says_so() -> None:
    core = giants()
    placing = load("greedy").place(core, np.ones(core.units, dtype=bool), limits(), quiet)
    assert (placing.choice == -1).all() and placing.worth == -np.inf


@pytest.mark.parametrize("exact", [True, False])
def test_where_the_rest_has_no_plan_the_whole_is_searched(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody put both giants where only one fits."""
    core = replace(giants(), penalty=np.full(3, np.inf), upper=np.full(3, 12.0))
    free = np.arange(core.units) > 1
    bad = reduce(core, np.where(free, -1, np.arange(core.units) * 3), free, np.arange(core.options))
    settled = Settled(bad, np.zeros(bad.core.rows), 0.0)
    monkeypatch.setattr("optimizer.engines.prices.settle", lambda *_: [settled])
    dual = find_prices(core, 5.0)
    engine = load("prices") if exact else Prices()
    answer = engine.solve(core, replace(limits(), time_limit=4.0, deterministic=not exact), quiet, dual=dual)
    assert answer.choice is not None and core.feasible(answer.choice)


# -- plans that break hard rows ----------------------------------------------------------------------------------------
def test_a_plan_that_breaks_rows_is_mended_by_exact_parts_where_there_is_a_plan() -> None:
    tried, mended = 0, 0
    for _, core, best in problems():
        prices = find_prices(core, 5.0).prices
        first = np.where(np.diff(core.start) > 0, core.start[:-1], -1)
        if not np.isfinite(best) or core.feasible(first) or not np.isfinite(bound(core, prices)):
            continue
        patches = Patches(core, prices, load("highs"), limits(), lambda: False, lambda _: None)
        out = patches.mend(first)
        by_rep = [r for _, _, by_rep, line in core.factor if by_rep for r in core.rep_row[line]]
        broken = np.flatnonzero((core.shortfall(first) > 0) & np.isinf(core.penalty))
        if np.isin(broken, by_rep).any():
            tried += 1
            mended += core.feasible(out)
        else:
            np.testing.assert_array_equal(out, first)
    assert tried > 5 and mended > 0.5 * tried
