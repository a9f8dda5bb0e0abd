"""What a proof leaves out is in no better plan, its bound holds, and what it calls optimal is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.book_search import Effort
from optimizer.book_trees import start_books
from optimizer.books import find_books
from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import Dual, find_prices
from optimizer.engines import load
from optimizer.engines.base import Answer, Engine, Limits, Progress, Report
from optimizer.proof import agrees, drop, prove, shrink, thinned, whole
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices, random_core

SEEDS = range(280)


def quiet(progress: Progress) -> bool:
    return False


class ByEnumeration(Engine):
    """Looks at every plan: an exact engine without a solver."""

    name, about, exact = "enumeration", "looks at every plan", True

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        value, choice = best_by_enumeration(core)
        return Answer(choice, value, "none" if choice is None else "optimal")


class Lost(Engine):
    """Finds nothing and proves nothing."""

    name, about, exact = "lost", "finds nothing", True

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        return Answer(None, stopped=True)


def cases() -> list[tuple[int, Core, float, np.ndarray]]:
    """(seed, core, optimum, an optimal plan) of the small problems that have a plan."""
    out = []
    for seed in SEEDS:
        core = random_core(seed, units=7, reps=3)
        if not core.options or count_choices(core) > MOST_CHOICES // 10:
            continue
        value, choice = best_by_enumeration(core)
        if choice is not None:
            out.append((seed, core, value, choice))
    return out


CASES = cases()
#: prices of each problem, by its number in CASES' first place
PRICES = {seed: find_prices(core, 5.0).prices for seed, core, _, _ in CASES}


def some_plan(core: Core, optimal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A plan that is seldom the best: some units of the best plan unserved or elsewhere, where that still is a plan."""
    for share in (0.5, 0.2):
        choice = optimal.copy()
        for unit in np.flatnonzero(rng.random(core.units) < share):
            span = np.arange(core.start[unit], core.start[unit + 1])
            choice[unit] = rng.choice(np.append(span, -1))
        if core.feasible(choice):
            return choice
    return optimal


def test_there_are_several_hundred_problems_to_try() -> None:
    assert len(CASES) >= 200


@pytest.mark.parametrize("optimal", [True, False])
def test_no_drop_removes_every_optimal_plan(optimal: bool) -> None:
    fallen = 0
    for seed, core, best, choice in CASES:
        rng = np.random.default_rng(seed)
        value = best if optimal else core.objective(some_plan(core, choice, rng))
        prices = PRICES[seed]
        stages = (prices, prices + rng.normal(0, 1, core.rows), prices * rng.uniform(0.5, 1.5, core.rows))
        thin = thinned(core, value, stages)
        fallen += core.options - thin.core.options
        if thin.empty:
            assert value >= best - 1e-6 * max(1.0, abs(best)), seed
            continue
        left, _ = best_by_enumeration(thin.core)
        assert max(value, left) == pytest.approx(best, rel=1e-7, abs=1e-6), seed
        assert thin.bound >= best - 1e-6 * max(1.0, abs(best)), seed
    assert fallen > 200


def test_where_values_are_whole_more_falls_and_a_better_plan_stays() -> None:
    fallen = 0
    for seed, given, _, _ in CASES:
        core = replace(given, penalty=np.full(given.rows, np.inf), value=np.rint(given.value), cost=np.rint(given.cost))
        best, optimal = best_by_enumeration(core)
        if optimal is None:
            continue
        assert core.step >= 1 or not core.value.any()
        plan = some_plan(core, optimal, np.random.default_rng(seed))
        value, prices = core.objective(plan), find_prices(core, 5.0).prices
        thin, cents = (thinned(each, value, (prices,)) for each in (core, replace(core, value=core.value + 1e-9)))
        assert thin.empty or set(thin.option) <= set(cents.option), seed
        fallen += cents.core.options - (0 if thin.empty else thin.core.options)
        left = -np.inf if thin.empty else best_by_enumeration(thin.core)[0]
        assert max(value, left) == pytest.approx(best), seed
    assert fallen > 50


def test_no_books_drop_every_optimal_plan() -> None:
    fallen = 0
    for seed, core, best, _ in CASES:
        found = find_books(core, PRICES[seed], effort=Effort(60, 0.05))
        books = start_books(core, PRICES[seed]) if found is None else found.books
        thin = thinned(core, best, (PRICES[seed], books))
        fallen += thinned(core, best, (PRICES[seed],)).core.options - thin.core.options
        if not thin.empty:
            left, _ = best_by_enumeration(thin.core)
            assert max(best, left) == pytest.approx(best, rel=1e-7, abs=1e-6), seed
            assert thin.bound >= best - 1e-6 * max(1.0, abs(best)), seed
    assert fallen > 20


def test_a_better_plan_from_elsewhere_ends_a_proof_of_a_worse_one() -> None:
    """What another thread finds meanwhile is what is proved."""
    for seed, core, best, choice in CASES[:30]:
        start = some_plan(core, choice, np.random.default_rng(seed))
        proof = prove(
            core, start, (np.zeros(core.rows),), Lost(), Limits(time_limit=20.0), quiet, lambda plan=choice: plan
        )
        if proof.claim != "optimal" or core.objective(start) < best - 1e-3:
            assert proof.value == pytest.approx(best), seed


def test_positions_in_the_thinned_core_go_there_and_back() -> None:
    for _, core, best, choice in CASES[:60]:
        thin, _ = shrink(core, best, (np.zeros(core.rows),), 5.0)
        if not thin.empty:
            assert (thin.lift(thin.part(choice)) == choice).all()
            assert thin.core.objective(thin.part(choice)) == pytest.approx(best)
        assert (whole(core).part(choice) == choice).all()


def test_what_is_claimed_optimal_is_and_bounds_hold() -> None:
    engine, claimed = ByEnumeration(), 0
    for seed, core, best, choice in CASES:
        start = some_plan(core, choice, np.random.default_rng(seed))
        proof = prove(core, start, (PRICES[seed],), engine, Limits(time_limit=20.0), quiet)
        assert core.feasible(proof.choice), seed
        assert proof.value == pytest.approx(core.objective(proof.choice))
        assert proof.bound >= best - 1e-6 * max(1.0, abs(best)), seed
        if proof.claim == "optimal":
            claimed += 1
            assert proof.value == pytest.approx(best, rel=2e-6, abs=2e-6), seed
            assert agrees(core, proof, engine, Limits(time_limit=20.0), quiet), seed
    assert claimed >= 0.95 * len(CASES)


def test_an_engine_that_finds_nothing_leaves_the_plan_and_the_prices_bound() -> None:
    for seed, core, best, choice in CASES[:50]:
        start = some_plan(core, choice, np.random.default_rng(7))
        proof = prove(core, start, (PRICES[seed],), Lost(), Limits(time_limit=20.0), quiet)
        assert core.objective(proof.choice) == pytest.approx(core.objective(start))
        assert best - 1e-6 * max(1.0, abs(best)) <= proof.bound <= max(bound(core, PRICES[seed]), proof.value) + 1e-9
        if proof.claim == "optimal":
            assert proof.by == "prices"


def test_a_worse_plan_is_not_agreed_to() -> None:
    doubted = 0
    for seed, core, best, choice in CASES[:120]:
        start = some_plan(core, choice, np.random.default_rng(seed))
        proof = prove(core, start, (np.zeros(core.rows),), Lost(), Limits(time_limit=20.0), quiet)
        if core.objective(start) < best - 1e-3:
            doubted += 1
            assert not agrees(core, proof, ByEnumeration(), Limits(time_limit=20.0), quiet), seed
    assert doubted > 5


@pytest.mark.parametrize("name", ["highs", "cpsat"])
def test_the_solvers_prove_and_agree(name: str) -> None:
    engine, other = load(name), load({"highs": "cpsat", "cpsat": "highs"}[name])
    for seed, core, best, choice in CASES[:10]:
        start = some_plan(core, choice, np.random.default_rng(seed))
        proof = prove(core, start, (np.zeros(core.rows),), engine, Limits(time_limit=20.0, threads=1), quiet)
        assert proof.value == pytest.approx(best, rel=1e-6, abs=1e-4), seed
        assert proof.bound >= best - 1e-6 * max(1.0, abs(best)), seed
        if proof.claim == "optimal":
            assert agrees(core, proof, other, Limits(time_limit=20.0, threads=1), quiet), seed


def test_a_stop_is_kept_and_a_choice_that_is_no_plan_is_refused() -> None:
    _, core, _, choice = next(c for c in CASES if c[1].options > 8)
    proof = prove(core, choice, (np.zeros(core.rows),), Lost(), Limits(time_limit=20.0), lambda p: True)
    assert (proof.choice == choice).all()
    broken = next(c for c in CASES if c[1].mandatory.any())[1]
    with pytest.raises(ValueError, match="begins with a plan"):
        prove(broken, np.full(broken.units, -1), (np.zeros(broken.rows),), Lost(), Limits(), quiet)


def test_a_bound_below_a_plan_that_is_left_in_is_not_used() -> None:
    class Liar(Lost):
        def solve(
            self,
            core: Core,
            limits: Limits,
            report: Report,
            hint: np.ndarray | None = None,
            dual: Dual | None = None,
        ) -> Answer:
            return Answer(hint, core.objective(hint) - 5.0 if hint is not None else 0.0, "optimal")

    for _, core, best, choice in CASES[:60]:
        start = some_plan(core, choice, np.random.default_rng(3))
        proof = prove(core, start, (np.zeros(core.rows),), Liar(), Limits(time_limit=20.0), quiet)
        assert proof.by == "prices" and proof.bound >= best - 1e-6 * max(1.0, abs(best))
        assert proof.claim == "none" or proof.value == pytest.approx(best, rel=2e-6, abs=2e-6)


def test_drop_says_when_nothing_better_is_left() -> None:
    for _, core, best, _ in CASES[:40]:
        assert drop(whole(core), best + 1e9, np.zeros(core.rows)).empty
