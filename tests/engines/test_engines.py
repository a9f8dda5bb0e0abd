"""Every engine on every problem: exact ones agree with each other and with enumeration, and nobody beats the bound."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.engines import ENGINES, choose, entry, load
from optimizer.engines.base import Answer, Limits, Progress
from optimizer.errors import UsageError
from optimizer.problem import build
from tests.companies import corner, limit, scenario
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices, random_core

EXACT = [e.name for e in ENGINES if e.exact]
ALL = [e.name for e in ENGINES]


def solved(name: str, core: Core, hint: np.ndarray | None = None, seconds: float = 10.0) -> Answer:
    """The engine's answer with one thread and proof asked for."""
    return load(name).solve(core, Limits(seconds, gap=0.0, threads=1), lambda _: False, hint)


def frozen(core: Core) -> Core:
    for item in fields(core):
        getattr(core, item.name).setflags(write=False)
    return core


@pytest.mark.parametrize("batch", range(12))
def test_exact_engines_agree_on_random_problems_and_stay_below_every_bound(batch: int) -> None:
    infeasible = 0
    for seed in range(27 * batch, 27 * (batch + 1)):
        core = frozen(random_core(seed))
        one, other = (solved(name, core) for name in ("cpsat", "highs"))
        assert one.claim == other.claim != "none", f"seed {seed}: {one.claim} {other.claim}"
        if one.claim == "infeasible":
            infeasible += 1
            assert find_prices(core, 5.0).bound < np.inf
            continue
        assert one.choice is not None and other.choice is not None
        values = [core.objective(one.choice), core.objective(other.choice)]
        assert values[0] == pytest.approx(values[1], abs=1e-6 * max(1.0, abs(values[1]))), f"seed {seed}"
        assert core.feasible(one.choice) and core.feasible(other.choice)
        best, slack = max(values), 1e-6 * max(1.0, *map(abs, values))
        assert min(one.bound, other.bound) >= best - slack, f"seed {seed}"
        prices = np.random.default_rng(seed).normal(0, 3, core.rows)
        assert bound(core, prices) >= best - slack, f"seed {seed}"
        found = find_prices(core, 5.0)
        assert best - slack <= found.bound <= bound(core, np.zeros(core.rows)) + slack, f"seed {seed}"
    assert infeasible <= 20


@pytest.mark.parametrize("batch", range(4))
def test_exact_engines_match_enumeration_on_random_problems(batch: int) -> None:
    for seed in range(1000 + 20 * batch, 1000 + 20 * (batch + 1)):
        core = random_core(seed, units=7, reps=3)
        if count_choices(core) > MOST_CHOICES:
            continue
        best, choice = best_by_enumeration(core)
        for name in EXACT:
            answer = solved(name, core)
            if choice is None:
                assert answer.claim == "infeasible", f"{name}, seed {seed}"
                continue
            assert answer.claim == "optimal", f"{name}, seed {seed}"
            assert core.objective(answer.choice) == pytest.approx(best, abs=1e-5), f"{name}, seed {seed}"


@pytest.mark.parametrize("name", ALL)
def test_what_an_engine_returns_keeps_every_hard_row_and_is_never_better_than_the_best(name: str) -> None:
    for seed in range(2000, 2030):
        core = frozen(random_core(seed, units=6, reps=3))
        best, choice = best_by_enumeration(core)
        answer = solved(name, core)
        if answer.choice is not None:
            assert choice is not None
            assert core.feasible(answer.choice)
            assert core.objective(answer.choice) <= best + 1e-5
        assert answer.claim != "infeasible" or choice is None
        assert answer.bound >= best - 1e-5


def plain_core(**changed: object) -> Core:
    """Two units, two reps, every option; no row unless changed."""
    none = np.zeros(0)
    start: dict[str, Any] = {
        "start": np.array([0, 2, 4]),
        "rep": np.array([0, 1, 0, 1], dtype=np.int32),
        "value": np.array([10.0, 8.0, 7.0, 6.0]),
        "mandatory": np.zeros(2, bool),
        "unit_coef": np.zeros((0, 2)),
        "option_coef": np.zeros((0, 4)),
        "unit_row": np.zeros((0, 2), np.int32),
        "rep_row": np.zeros((0, 2), np.int32),
        "factor": np.zeros((0, 4), np.int64),
        "lower": none,
        "upper": none,
        "penalty": none,
        "position": none.astype(np.int32),
        "is_open": np.zeros(2, bool),
        "cost": np.zeros(2),
        "offset": none,
    }
    return Core(**(start | changed))


def one_row(lower: float, upper: float, penalty: float, coef: tuple[float, float] = (1.0, 1.0), **more: object) -> Core:
    """`plain_core` with one company-wide row."""
    return plain_core(
        unit_coef=np.array([coef]),
        unit_row=np.zeros((1, 2), np.int32),
        factor=np.array([[0, 0, 0, 0]]),
        lower=np.array([lower]),
        upper=np.array([upper]),
        penalty=np.array([penalty]),
        position=np.array([-1], np.int32),
        offset=np.zeros(1),
        **more,
    )


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    ("core", "value"),
    [
        (plain_core(), 17.0),
        # 2 accounts where at most 1.5 are wanted: half an account out, at 4 a whole one
        (one_row(-np.inf, 1.5, 4.0), 15.0),
        (one_row(-np.inf, 1.25, 4.0), 14.0),
        (one_row(2.5, np.inf, 4.0), 15.0),
        (one_row(-np.inf, 1 / 3, 4.0), 17.0 - 4 * 5 / 3),
        (one_row(-np.inf, 2 / 3, np.inf, coef=(1 / 3, 1 / 3)), 17.0),
        (one_row(-np.inf, 0.6, np.inf, coef=(1 / 3, 1 / 3)), 10.0),
        (one_row(0.3, 0.3, np.inf, coef=(0.1, 0.2)), 17.0),
        (one_row(-np.inf, 1e15, np.inf, coef=(0.123456, 1.0)), 17.0),
        (one_row(-1e15, 1e13, 2.0, coef=(1 / 3, 1.0)), 17.0),
        (one_row(-np.inf, -1.0, np.inf, coef=(-1.0, 0.0)), 17.0),
        (one_row(-np.inf, 0.0, np.inf), 0.0),
        (plain_core(is_open=np.array([True, True]), cost=np.array([3.0, 0.01])), 14.0),
        (plain_core(is_open=np.array([True, True]), cost=np.array([1 / 3, 50.0])), 17.0 - 1 / 3),
        (plain_core(is_open=np.array([True, True]), cost=np.array([50.0, 40.0])), 0.0),
        (plain_core(mandatory=np.array([True, True]), value=np.array([-1.0, -2.0, 5.0, -9.0])), 4.0),
        (
            plain_core(
                start=np.array([0, 0, 0]), rep=np.zeros(0, np.int32), value=np.zeros(0), option_coef=np.zeros((0, 0))
            ),
            0.0,
        ),
    ],
)
def test_exact_engines_get_small_problems_right_to_the_last_digit(name: str, core: Core, value: float) -> None:
    answer = solved(name, core)
    assert answer.claim == "optimal"
    assert core.objective(answer.choice) == pytest.approx(value, abs=1e-6)
    assert answer.bound == pytest.approx(value, abs=2e-5)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    "core",
    [
        one_row(-np.inf, 2 / 3, 100.0, coef=(1 / 3, 1 / 3)),  # no power of ten makes these integers
        one_row(-np.inf, 123456789012.34, np.inf, coef=(100000000000.17, 23456789012.17)),  # too large to be trusted
    ],
)
def test_where_integers_cannot_hold_the_numbers_cpsat_finds_the_plan_but_claims_no_proof(name: str, core: Core) -> None:
    answer = solved(name, core)
    assert core.objective(answer.choice) == pytest.approx(17.0, abs=1e-6)
    assert answer.bound >= 17.0 - 1e-6
    assert (answer.claim == "optimal") == (name != "cpsat")


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize(
    "core",
    [
        one_row(3.0, np.inf, np.inf),
        one_row(
            1.0,
            np.inf,
            np.inf,
            start=np.array([0, 0, 0]),
            rep=np.zeros(0, np.int32),
            value=np.zeros(0),
            option_coef=np.zeros((0, 0)),
        ),
        one_row(-np.inf, 1.0, np.inf, mandatory=np.array([True, True])),
        plain_core(
            mandatory=np.array([True, False]),
            start=np.array([0, 0, 2]),
            rep=np.array([0, 1], np.int32),
            value=np.array([1.0, 2.0]),
            option_coef=np.zeros((0, 2)),
        ),
        one_row(1e15, np.inf, np.inf, coef=(0.123456, 1.0)),
    ],
    ids=[
        "too much asked",
        "nothing to choose from",
        "no room for all that must",
        "a unit without options",
        "a goal beyond reach",
    ],
)
def test_exact_engines_say_that_there_is_no_plan(name: str, core: Core) -> None:
    answer = solved(name, core)
    assert (answer.choice, answer.claim) == (None, "infeasible")


@pytest.mark.parametrize("name", ALL)
def test_an_engine_stops_when_it_is_told_to_and_keeps_what_it_has(name: str) -> None:
    core = random_core(7, units=12)
    answer = load(name).solve(core, Limits(30.0, gap=0.0, threads=1), lambda _: True)
    assert answer.choice is None or core.feasible(answer.choice)


@pytest.mark.parametrize("name", ALL)
def test_a_hint_is_welcome_whatever_it_is(name: str) -> None:
    for seed in range(3000, 3008):
        core = random_core(seed, units=6, reps=3)
        best, choice = best_by_enumeration(core)
        for hint in (choice, np.full(core.units, -1), core.start[1:] - 1 if (np.diff(core.start) > 0).all() else None):
            answer = solved(name, core, hint)
            if name in EXACT and choice is not None:
                assert core.objective(answer.choice) == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_the_same_question_has_the_same_answer(name: str) -> None:
    core = random_core(12, units=10)
    limits = Limits(10.0, gap=0.0, deterministic=True)
    first, second = (load(name).solve(core, limits, lambda _: False) for _ in range(2))
    np.testing.assert_array_equal(first.choice, second.choice)
    assert first.bound == second.bound


@pytest.mark.parametrize("name", ALL)
def test_what_is_reported_on_the_way_is_true(name: str) -> None:
    heard: list[Progress] = []
    core = random_core(12, units=10)
    answer = load(name).solve(core, Limits(10.0, gap=0.0, threads=1), lambda p: bool(heard.append(p)))
    best = core.objective(solved("highs", core).choice)
    plans = [p for p in heard if p.choice is not None]
    assert plans or answer.choice is None
    for progress in plans:
        assert core.feasible(progress.choice)
        assert progress.objective == pytest.approx(core.objective(progress.choice))
    assert all(p.bound >= best - 1e-5 for p in heard if np.isfinite(p.bound))


def test_greedy_closes_positions_that_do_not_pay_and_balance_leaves_them_empty() -> None:
    costly = plain_core(is_open=np.array([False, True]), cost=np.array([0.0, 100.0]))
    for name in ("greedy", "balance"):
        assert solved(name, costly).choice.tolist() == [0, 2]


def test_balance_spreads_what_greedy_piles_up() -> None:
    units = 6
    core = plain_core(
        start=np.arange(0, 2 * units + 1, 2),
        rep=np.tile([0, 1], units).astype(np.int32),
        value=np.tile([10.0, 9.0], units),
        mandatory=np.zeros(units, bool),
        unit_coef=np.zeros((0, units)),
        option_coef=np.zeros((0, 2 * units)),
        unit_row=np.zeros((0, units), np.int32),
    )
    assert np.bincount(core.rep[solved("greedy", core).choice], minlength=2).tolist() == [6, 0]
    assert np.bincount(core.rep[solved("balance", core).choice], minlength=2).tolist() == [3, 3]


def test_an_unknown_engine_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(UsageError, match="cpsat"):
        entry("gurobi")


def test_a_problem_without_units_has_the_empty_plan() -> None:
    core = plain_core(
        start=np.array([0]),
        rep=np.zeros(0, np.int32),
        value=np.zeros(0),
        mandatory=np.zeros(0, bool),
        unit_coef=np.zeros((0, 0)),
        option_coef=np.zeros((0, 0)),
        unit_row=np.zeros((0, 0), np.int32),
    )
    for name in ALL:
        answer = solved(name, core)
        assert answer.choice is not None and not len(answer.choice)


def test_a_problem_without_options_has_the_empty_plan_even_with_open_positions() -> None:
    nothing = {
        "start": np.array([0, 0, 0]),
        "rep": np.zeros(0, np.int32),
        "value": np.zeros(0),
        "option_coef": np.zeros((0, 0)),
    }
    core = plain_core(**nothing, is_open=np.array([False, True]), cost=np.array([0.0, 5.0]))
    for name in ALL:
        assert solved(name, core).choice.tolist() == [-1, -1]


def test_auto_chooses_an_engine_there_is_and_says_why() -> None:
    for options in (10, 10**5, 10**7):
        name, why = choose(options, 100)
        assert name in ALL and str(options)[:2] in why.replace(",", "")


def test_engines_serve_only_their_own_contract() -> None:
    """An engine sees arrays and nothing of sales: it works on a core that was saved and mapped back."""
    core = build(corner(), scenario([limit("hours", at_most="capacity_hours")])).core
    plain = replace(core, value=np.array(core.value))
    for name in EXACT:
        assert core.objective(solved(name, core).choice) == pytest.approx(core.objective(solved(name, plain).choice))
