"""The price engine against enumeration, against exact arithmetic, with extreme numbers, and when it is told to stop."""

from __future__ import annotations

import time
import tomllib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from optimizer.annealing import Annealing
from optimizer.certificate import bound
from optimizer.conclude import same
from optimizer.core import Core
from optimizer.dual import Dual, find_prices
from optimizer.engines import load
from optimizer.engines.base import Answer, Limits, Progress
from optimizer.engines.prices import Prices
from optimizer.engines.run import run
from optimizer.patches import Patches
from optimizer.prepare import prepare
from optimizer.problem import build
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario
from tests.cores import best_by_enumeration, count_choices, random_core
from tests.mixed_cores import mixed_core, random_plan
from tests.test_certificate import exact_bound
from tests.timing import soonest

#: problems of up to so many plans are enumerated
MOST = 20_000
BATCH = 100


def solved(core: Core, seconds: float = 0.2, **more: object) -> tuple[Answer, Dual]:
    limits = Limits(seconds, **{"gap": 0.0, "threads": 1} | more)  # type: ignore[arg-type]
    return run("prices", core, limits, lambda _: False)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """The kernels are ready before anything is timed: compiled, and loaded by some solves."""
    prepare()
    for seed, core in small_problems(0, 10):
        solved(core, 1.0, seed=seed)


def small_problems(first: int, count: int) -> list[tuple[int, Core]]:
    out: list[tuple[int, Core]] = []
    while len(out) < count:
        core = mixed_core(first)
        if count_choices(core) <= MOST:
            out.append((first, core))
        first += 1
    return out


@pytest.mark.parametrize("batch", range(10))
def test_no_plan_is_above_the_bound_and_what_is_claimed_is_true(batch: int) -> None:
    """A thousand problems with all kinds of rows, by enumeration: the optimum is never above what we say it can be, our
    plan is one, and it is the best one wherever we claim proof."""
    there, found, best_found = 0, 0, 0
    for seed, core in small_problems(1000 * batch, BATCH):
        best, choice = best_by_enumeration(core)
        answer, dual = solved(core, 0.1, seed=seed)
        assert answer.claim != "infeasible" or choice is None, seed
        if choice is None:
            assert answer.choice is None, seed
            continue
        there += 1
        slack = 1e-6 * max(1.0, abs(best))
        assert min(dual.bound, answer.bound) >= best - slack, seed
        if answer.choice is None:
            continue
        found += 1
        value = core.objective(answer.choice)
        assert core.feasible(answer.choice) and value <= best + slack, seed
        best_found += value >= best - slack
        if answer.claim == "optimal" or same(min(dual.bound, answer.bound), value):
            assert value == pytest.approx(best, abs=2 * slack), seed
    assert there >= 0.85 * BATCH
    assert found >= 0.95 * there and best_found >= 0.9 * there, (there, found, best_found)


@pytest.mark.parametrize("batch", range(2))
def test_the_search_alone_is_true_too_and_seldom_far_from_the_best(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deterministic: no exact engine helps. So much less work than the time allows that no clock has a say."""
    monkeypatch.setattr("optimizer.annealing.NOMINAL", 250)
    there, best_found = 0, 0
    for seed, core in small_problems(20_000 + 1000 * batch, 25):
        best, choice = best_by_enumeration(core)
        answer, dual = solved(core, 20.0, deterministic=True, seed=seed)
        if choice is None:
            assert answer.choice is None, seed
            continue
        there += 1
        slack = 1e-6 * max(1.0, abs(best))
        assert dual.bound >= best - slack, seed
        if answer.choice is not None:
            assert core.feasible(answer.choice), seed
            assert core.objective(answer.choice) <= best + slack, seed
            best_found += core.objective(answer.choice) >= best - slack
    assert best_found >= 0.8 * there, (there, best_found)


def stretched(seed: int) -> Core:
    """Values from cents to 1e12 and loads from a minute to five years, in hours, together; bounds about a random plan."""
    rng = np.random.default_rng([seed, 12])
    core = random_core(seed, units=6, reps=3)
    value = np.round(10.0 ** rng.uniform(-2, 12, core.options) * rng.choice([1, 1, 1, -1], core.options), 2)
    hours = np.round(10.0 ** rng.uniform(np.log10(1 / 60), np.log10(5 * 8760), core.options) * 60) / 60
    load = np.round(10.0 ** rng.uniform(np.log10(1 / 60), np.log10(5 * 8760), core.units) * 60) / 60
    core = replace(
        core,
        value=value,
        unit_coef=np.stack([np.ones(core.units), load, load[::-1]]),
        option_coef=np.stack([hours, hours[::-1]]),
        cost=np.round(10.0 ** rng.uniform(0, 9, len(core.cost)), 2),
        penalty=np.where(np.isinf(core.penalty), np.inf, np.round(10.0 ** rng.uniform(-1, 8, core.rows), 2)),
    )
    used = core.usage(random_plan(core, rng))
    slack = np.abs(rng.normal(0, 0.3, (2, core.rows))) * (1 / 60 + used)
    return replace(
        core,
        lower=np.where(np.isfinite(core.lower), used - slack[0], -np.inf),
        upper=np.where(np.isfinite(core.upper), used + slack[1], np.inf),
    )


def exact_objective(core: Core, choice: np.ndarray) -> Fraction:
    """Value, penalties and costs of a plan in fractions, from the doubles as they are."""
    taken = choice[choice >= 0]
    used, reps = [Fraction(0)] * core.rows, {int(core.rep[k]) for k in taken}
    for k in taken:
        for by_option, coef, by_rep, line in core.factor:
            row = core.rep_row[line, core.rep[k]] if by_rep else core.unit_row[line, core.unit[k]]
            if row >= 0:
                amount = core.option_coef[coef, k] if by_option else core.unit_coef[coef, core.unit[k]]
                used[row] += Fraction(float(amount))
    total = sum((Fraction(float(core.value[k])) for k in taken), Fraction(0))
    for row in np.flatnonzero(np.isfinite(core.penalty)):
        idle = core.position[row] >= 0 and int(core.position[row]) not in reps
        low, high = ([0.0] if idle else [float(x)] for x in (core.lower[row], core.upper[row]))
        over = [used[row] - Fraction(x) for x in high if np.isfinite(core.upper[row])]
        under = [Fraction(x) - used[row] for x in low if np.isfinite(core.lower[row])]
        out = max([Fraction(0), *over, *under])
        total -= Fraction(float(core.penalty[row])) * out
    return total - sum(Fraction(float(core.cost[j])) for j in reps if core.is_open[j])


def gross(core: Core, prices: np.ndarray) -> float:
    """What sums of this problem are made of: the scale that 1e-9 is a share of."""
    sides = np.where(np.isfinite([core.lower, core.upper]), [core.lower, core.upper], 0.0)
    amounts = np.abs(core.matrix().toarray()).sum(axis=1) + np.abs(sides).sum(axis=0)
    soft = np.where(np.isfinite(core.penalty), core.penalty, 0.0)
    return float(np.abs(core.value).sum() + (np.maximum(soft, np.abs(prices)) * amounts).sum() + core.cost.sum() + 1.0)


def test_minutes_and_years_cents_and_billions_in_one_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure against exact arithmetic: objective, bound at the returned prices, true optimum."""
    monkeypatch.setattr("tests.cores.TOLERANCE", 1e-9)
    there, found, best_found = 0, 0, 0
    for seed in range(150):
        core = stretched(seed)
        if count_choices(core) > MOST or not core.options:
            continue
        best, choice = best_by_enumeration(core)
        answer, dual = solved(core, 0.1, seed=seed)
        assert np.isfinite(dual.prices).all() and not np.isnan(dual.bound)
        scale = gross(core, dual.prices)
        exact = exact_bound(core, dual.prices)
        assert exact <= Fraction(bound(core, dual.prices)) <= exact + Fraction(1e-9 * scale), seed
        if choice is None:
            continue
        there += 1
        top = exact_objective(core, choice)
        assert abs(Fraction(best) - top) <= Fraction(1e-9 * scale), seed
        assert exact >= top - Fraction(1e-8 * scale), seed  # enumeration, too, may be out by a billionth of a bound
        assert answer.claim != "infeasible", seed
        if answer.choice is None:
            continue
        found += 1
        value = core.objective(answer.choice)
        assert core.feasible(answer.choice) and np.isfinite(value), seed
        assert abs(Fraction(value) - exact_objective(core, answer.choice)) <= Fraction(1e-9 * scale), seed
        assert dual.bound >= value or same(dual.bound, value), seed
        best_found += value >= best - 1e-6 * max(1.0, abs(best))
        if answer.claim == "optimal":
            assert value >= best - 2e-6 * max(1.0, abs(best)), seed
    assert there > 90 and found >= 0.9 * there and best_found >= 0.8 * there, (there, found, best_found)


def company(accounts: int, reps: int) -> Core:
    scenario = parse_scenario(tomllib.loads(baseline_toml(accounts, reps)))
    return build(sample(accounts, reps, 1), scenario).core


@pytest.fixture
def proof_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof is tried of any plan, soon after the greedy one, and books are not sought."""
    for name, value in {"SMALL": (0.0, 0.0), "VARIED": 0.0, "CROSSED": 0.0}.items():
        monkeypatch.setattr(f"optimizer.engines.prices.{name}", value)
    monkeypatch.setattr("optimizer.endgame.REACH", np.inf)
    monkeypatch.setattr("optimizer.endgame.Endgame.begin", lambda _: None)


def test_what_a_thread_finds_beside_a_proof_is_proved_and_answered(proof_at_once: None) -> None:
    """Nothing is found before the proof begins but the greedy plan; and nothing but proof is asked of the prover."""
    core = company(90, 6)
    told: list[Progress] = []
    answer, _ = run("prices", core, Limits(20.0, gap=0.0, threads=2), lambda p: told.append(p) is None and False)
    exact = load("highs").solve(core, Limits(30.0, gap=0.0), lambda _: False)
    assert answer.choice is not None and exact.choice is not None and exact.claim == "optimal"
    assert answer.claim == "optimal" and same(core.objective(answer.choice), core.objective(exact.choice))
    plans = [p for p in told if p.phase == "proof" and p.choice is not None]
    assert len(plans) > 1 and all(core.feasible(p.choice) for p in plans if p.choice is not None)


@pytest.mark.parametrize(("reach", "tried"), [(np.inf, True), (0.0, False)])
def test_a_proof_is_tried_only_of_what_is_in_reach(reach: float, tried: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"REACH": reach, "REACH_SECOND": 0.0, "LISTABLE": 0.0, "SOON_LISTED": 0}.items():
        monkeypatch.setattr(f"optimizer.endgame.{name}", value)
    told: list[str] = []

    def report(progress: Progress) -> bool:
        told.append(progress.phase)
        return progress.phase == "proof"

    answer, _ = run("prices", company(300, 12), Limits(60.0 if tried else 6.0, gap=0.0), report)
    assert answer.choice is not None and ("proof" in told) == tried


@pytest.mark.parametrize(
    ("found", "most", "looked"),
    [(True, 0, True), (False, 0, False), (False, 4_000, True)],
    ids=["easy", "hard", "small"],
)
def test_a_glance_is_taken_only_where_a_plan_is_easy_to_find(
    found: bool, most: int, looked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not, annealings at prices that are not polished yet take long and find none either; unless little is asked."""
    core, looks = company(300, 12), list[bool]()
    monkeypatch.setattr(Annealing, "glance", lambda *_: looks.append(True))
    monkeypatch.setattr("optimizer.engines.prices.PROVE_OPTIONS", most)
    if not found:
        monkeypatch.setattr("optimizer.engines.prices.Best.offer", lambda *_: None)
    Prices().glance(core, Limits(10.0, gap=0.0), lambda _: False, None, find_prices(core, 5.0))
    assert bool(looks) == looked


def test_where_parts_bring_nothing_more_annealing_begins_again_while_there_is_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("optimizer.endgame.REACH", -np.inf)
    monkeypatch.setattr("optimizer.endgame.Endgame.begin", lambda _: None)
    begun: list[int] = []
    for cls, name in ((Patches, "improve"), (Prices, "_crossed")):
        monkeypatch.setattr(cls, name, lambda *_: None)
    monkeypatch.setattr(Annealing, "run", lambda self, *_: begun.append(self.limits.seed))
    answer, _ = run("prices", company(300, 12), Limits(60.0, gap=0.0), lambda _: len(begun) > 3)
    assert answer.choice is not None
    assert begun[:4] == [1, 2, 3, 4]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("phase", ["", "prices", "search", "proof"])
def test_told_to_stop_it_ends_at_once_with_what_it_has(
    phase: str, threads: int, request: pytest.FixtureRequest
) -> None:
    if phase == "proof":
        request.getfixturevalue("proof_at_once")
    core = company(*((120, 6) if phase == "proof" else (1000, 20)))

    def attempt() -> float:
        told: list[float] = []

        def report(progress: Progress) -> bool:
            if not told and (not phase or progress.phase == phase):
                told.append(time.monotonic())
            return bool(told)

        answer, _ = run("prices", core, Limits(60.0, gap=0.0, threads=threads), report)
        took = time.monotonic() - told[0]
        assert answer.choice is None or core.feasible(answer.choice)
        if phase in ("search", "proof") and answer.choice is not None:
            assert answer.stopped or answer.claim == "optimal"
        if phase == "proof":
            assert answer.choice is not None
        return took

    assert soonest(attempt, 2.0) < 2.0


@pytest.mark.parametrize(("each", "tried"), [(0.0, True), (1.0, False)], ids=["time", "none"])
def test_a_large_problem_is_annealed_only_where_that_and_judging_fit(
    each: float, tried: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimizer.engines.prices.PATCH_OPTIONS", 0)
    monkeypatch.setattr("optimizer.engines.prices.AFTER", each)
    anneal, ran = Annealing.run, []
    monkeypatch.setattr(Annealing, "run", lambda *given: ran.append(anneal(*given)))
    core = company(1000, 20)
    answer, _ = run("prices", core, Limits(4.0, gap=0.0), lambda _: False)
    assert answer.choice is not None and core.feasible(answer.choice)
    assert bool(ran) == tried


@pytest.mark.parametrize("seconds", [1e-6, 0.05, 0.3])
@pytest.mark.parametrize("deterministic", [False, True])
def test_next_to_no_time_is_no_error(seconds: float, deterministic: bool) -> None:
    for core in (company(1000, 20), mixed_core(14, units=12)):

        def attempt(core: Core = core) -> float:
            began = time.monotonic()
            answer, dual = solved(core, seconds, deterministic=deterministic)
            took = time.monotonic() - began
            assert answer.choice is None or core.feasible(answer.choice)
            assert answer.choice is None or dual.bound >= core.objective(answer.choice) * (1 - 1e-6)
            return 0.0 if deterministic else took

        assert soonest(attempt, seconds + 2.0) < seconds + 2.0
