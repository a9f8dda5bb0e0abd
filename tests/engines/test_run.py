"""What every engine begins with: a plan that is given is used where it helps, also where it breaks a rule."""

from __future__ import annotations

import tomllib
from typing import Any

import numpy as np
import pytest

from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines import run as module
from optimizer.engines.base import Answer, Limits, Progress, Report
from optimizer.engines.prices import Prices
from optimizer.engines.run import _filled, _more_proved, _Talk, run
from optimizer.known import Known
from optimizer.problem import build
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario
from optimizer.waterfall import waterfall
from tests.mixed_cores import mixed_core, random_plan


def test_a_given_plan_that_breaks_a_hard_row_is_filled_up_or_left() -> None:
    """What comes back keeps every hard row and is worth no less than the first plan; often it is worth more."""
    tried, more = 0, 0
    for seed in range(1, 300):
        core = mixed_core(seed, 30, 5)
        if not core.options or (core.mandatory & (np.diff(core.start) == 0)).any():
            continue
        first, hint = waterfall(core), random_plan(core, np.random.default_rng(seed))
        if not core.feasible(first) or core.feasible(hint):
            continue
        tried += 1
        found = _filled(core, hint, first)
        assert core.feasible(found) and core.objective(found) >= core.objective(first), seed
        more += core.objective(found) > core.objective(first)
        assert _filled(core, None, first) is first
    assert tried >= 20 and more >= 1, (tried, more)


# -- what is known, and then anew ------------------------------------------------------------------------------------


class Runs:
    """Stands for a run: one that goes on from what is known, and one from nothing, with a plan and a bound each."""

    def __init__(self, core: Core, known: tuple[np.ndarray, float], anew: tuple[np.ndarray, float]) -> None:
        self.core, self.ends, self.began = core, {True: known, False: anew}, list[bool]()

    def __call__(self, name, core, limits, report, hint, priced, known, brief=False):  # type: ignore[no-untyped-def]
        self.began.append(known is not None)
        assert known is not None or hint is None, "a near plan leads the search astray"
        plan, bound = self.ends[known is not None]
        dual = Dual(np.full(core.rows, bound), bound, 1)
        if priced is not None:
            priced(dual)
        report(Progress(limits.elapsed(), core.objective(plan), bound, "search", plan))
        return Answer(plan), dual


@pytest.fixture
def core() -> Core:
    found = (mixed_core(seed, 30, 5) for seed in range(50))
    return next(
        c for c in found if c.feasible(waterfall(c)) and c.objective(waterfall(c)) > 100 and not c.mandatory.any()
    )


@pytest.mark.parametrize("better", [True, False])
def test_after_what_is_known_all_begins_anew_and_the_better_plan_and_the_lower_bound_stay(
    core: Core, better: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, nobody = waterfall(core), np.full(core.units, -1)
    value = core.objective(plan)
    ends = ((nobody, 3 * value), (plan, 2 * value)) if better else ((plan, 2 * value), (nobody, 3 * value))
    runs, told = Runs(core, *ends), list[float]()
    monkeypatch.setattr(module, "_run", runs)
    priced = lambda dual: told.append(dual.bound)  # noqa: E731
    answer, dual = run("prices", core, Limits(60.0), lambda _: False, None, priced, Known(np.zeros(core.rows)))
    assert runs.began == [True, False]
    assert answer.choice is plan and dual.bound == 2 * value
    assert told == ([3 * value, 2 * value] if better else [2 * value]), "a weaker proof takes no better one's place"


def test_nothing_begins_anew_where_that_is_near_enough_or_somebody_asked_or_time_is_short_or_nothing_was_known(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = waterfall(core)
    value, known = core.objective(plan), Known(np.zeros(core.rows))

    def began(
        bound: float, limits: Limits, name: str = "prices", known: Known | None = known, stop: bool = False
    ) -> list[bool]:
        runs = Runs(core, (plan, bound), (plan, bound))
        monkeypatch.setattr(module, "_run", runs)
        run(name, core, limits, lambda _: stop, None, None, known)
        return runs.began

    assert began(2 * value, Limits(60.0)) == [True, False]
    assert began(value * (1 + 1e-5), Limits(60.0, 1e-3)) == [True]
    assert began(2 * value, Limits(60.0), stop=True) == [True]
    assert began(2 * value, Limits(0.01)) == [True]
    assert began(2 * value, Limits(60.0, deterministic=True)) == [True]
    assert began(2 * value, Limits(60.0), "scip") == [True]
    assert began(2 * value, Limits(60.0), known=None) == [False]


@pytest.mark.parametrize("large", [True, False])
def test_of_a_problem_too_large_to_be_annealed_whole_two_looks_are_all_that_comes_before_it_begins_anew(
    large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = build(sample(200, 8, 3), parse_scenario(tomllib.loads(baseline_toml(200, 8)))).core
    first, dual = run("prices", some, Limits(3.0, 1e-3), lambda _: False)
    assert first.choice is not None
    did, glance = list[tuple[str, bool]](), Prices.glance

    def looks(self: Prices, *given: Any, again: bool = False) -> np.ndarray | None:
        did.append(("glance", again))
        return glance(self, *given, again=again)

    def solves(self: Prices, core: Core, limits: Limits, report: Report, hint: Any, dual: Dual) -> Answer:
        did.append(("solve", hint is first.choice))
        return Answer(hint)

    monkeypatch.setattr(Prices, "glance", looks)
    monkeypatch.setattr(Prices, "solve", solves)
    monkeypatch.setattr(module, "WHOLE", 0 if large else some.units)
    known = Known(dual.prices, dual.books)
    answer, _ = run("prices", some, Limits(30.0, 0.0), lambda _: False, first.choice, None, known)
    kinds = [kind for kind, _ in did]
    assert kinds == (["glance", "glance"] if large else ["glance", "solve"]) + ["glance", "solve"]
    assert [again for kind, again in did if kind == "glance"] == ([False, True, False] if large else [False, False])
    assert answer.choice is not None and some.objective(answer.choice) >= some.objective(first.choice)


# -- no more is proved than is needed --------------------------------------------------------------------------------


def test_books_are_looked_for_until_a_plan_is_near_enough_and_no_longer() -> None:
    core = build(sample(150, 8, 3), parse_scenario(tomllib.loads(baseline_toml(150, 8)))).core
    dual = module.find_prices(core, 5.0)

    def proved(value: float, gap: float) -> Dual:
        limits = Limits(20.0, gap)
        return _more_proved(core, dual, value, None, limits, _Talk(limits, lambda _: False, None), polish=True)

    full = proved(0.5 * dual.bound, 0.0)
    assert full.books is not None and full.bound < dual.bound
    assert proved(dual.bound * (1 - 1e-4), 1e-3) is dual, "near enough by prices"
    between = 0.5 * (full.bound + dual.bound)
    some = proved(between * (1 - 1e-3), 1e-3)
    assert some.books is not None and full.bound < some.bound <= between * (1 + 1e-9)


@pytest.mark.parametrize(
    ("share", "books", "order"),
    [
        (0.5, True, ["prices", "books"]),
        (0.5, False, ["prices", "books"]),
        (0.999, True, ["books"]),
        (0.999, False, ["books", "prices"]),
    ],
)
def test_prices_are_made_better_first_where_no_plan_is_near_them_and_last_where_books_prove_no_more(
    share: float, books: bool, order: list[str], core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    dual, done = Dual(np.zeros(core.rows), 1000.0, 5), list[str]()

    def polished(core: Core, dual: Dual, *_: object) -> Dual:
        done.append("prices")
        return dual

    def with_books(core: Core, dual: Dual, *_: object) -> Dual | None:
        done.append("books")
        return dual if books else None

    for name, stands in {"polished": polished, "_with_books": with_books, "BOOK_OPTIONS": 0}.items():
        monkeypatch.setattr(module, name, stands)
    limits = Limits(60.0, 0.0)
    for polish in (True, False):
        done.clear()
        _more_proved(core, dual, share * 1000.0, None, limits, _Talk(limits, lambda _: False, None), polish)
        assert done == (order if polish else ["books"])
