"""Annealings: how much one does, which units stay between them, and how plans that break rows are mended."""

from __future__ import annotations

import tomllib
from types import SimpleNamespace

import numpy as np
import pytest

from optimizer import annealing
from optimizer.annealing import FIRST, QUICK, Annealing, Best
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.engines.base import Limits
from optimizer.engines.run import run
from optimizer.fields import Field
from optimizer.problem import build
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario
from optimizer.search import WHOLE, Cooling, Search
from optimizer.waterfall import waterfall
from tests.cores import random_core
from tests.mixed_cores import mixed_core

CORE, SECONDS = mixed_core(3, units=60), 2.0


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Rounds, and chains a unit, that the first annealing of a problem is asked for."""
    asked: list[tuple[int, int]] = []

    def run(
        self: Search, choice: np.ndarray, cooling: Cooling, tries: int, seconds: float | None = None
    ) -> list[np.ndarray]:
        asked.append((cooling.rounds, tries))
        return [choice]

    monkeypatch.setattr(Search, "run", run)
    monkeypatch.setattr(annealing, "SECONDS_A_UNIT", np.inf)  # nothing is fastened
    field = Field.whole(CORE, np.zeros(CORE.rows), np.full(CORE.units, -1))
    field.search(Limits(SECONDS), lambda: False)  # compiled before the time begins
    limits = Limits(SECONDS, gap=0.0)
    best = Best(CORE, limits, lambda _: len(asked) > 0, np.inf)
    Annealing(limits, best).run([field], SECONDS)
    return asked[0][0], asked[0][1] // CORE.units


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annealing, "PACE", CORE.units * FIRST / SECONDS / 4)


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annealing, "LAID", SECONDS / 5.5 / CORE.units)


def test_where_there_is_time_it_is_whole(first: tuple[int, int]) -> None:
    assert first == (QUICK.rounds, FIRST)


def test_chains_are_no_more_than_fit(slow: None, first: tuple[int, int]) -> None:
    assert first[0] == QUICK.rounds
    assert 0.9 * FIRST / 4 - 1 <= first[1] <= FIRST / 4


def test_rounds_are_no_more_than_can_be_laid_out(slow: None, wide: None, first: tuple[int, int]) -> None:
    assert first[0] == 5


@pytest.mark.parametrize(("deterministic", "annealed"), [(False, False), (True, True)], ids=["by the clock", "counted"])
def test_when_its_time_is_over_a_plan_stays_as_it_is_unless_work_is_counted(
    deterministic: bool, annealed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annealing, "SECONDS_A_UNIT", np.inf)  # nothing is fastened
    asked: list[np.ndarray] = []
    monkeypatch.setattr(Search, "run", lambda self, choice, *_: asked.append(choice) or [choice])
    limits = Limits(SECONDS, gap=0.0, deterministic=deterministic)
    best = Best(CORE, limits, lambda _: bool(asked), np.inf)
    plan = waterfall(CORE)
    best.choice, best.value = plan, CORE.objective(plan)
    Annealing(limits, best).run([Field.whole(CORE, np.zeros(CORE.rows), plan)], 0.0)
    assert bool(asked) == annealed


@pytest.mark.parametrize("known", [True, False])
def test_larger_units_of_a_known_plan_stay_before_any_search_and_of_others_after_the_first(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts; all but the largest do so at once."""
    told: list[tuple[float, ...] | str] = []

    def fastens(core: Core, choice: np.ndarray, shares: tuple[float, ...], *_: object) -> None:
        told.append(shares)

    monkeypatch.setattr(Annealing, "_on", lambda *_, **__: told.append("search"))
    for name, value in {"fasten": fastens, "WHOLE": 0, "SECONDS_A_UNIT": 0.0}.items():
        monkeypatch.setattr(annealing, name, value)
    plan, limits = waterfall(CORE), Limits(60.0, gap=0.0)
    value = CORE.objective(plan)
    best = Best(CORE, limits, lambda _: False, value * (1.001 if known else 1.02))
    best.choice, best.value = plan, value
    Annealing(limits, best).run([Field.whole(CORE, np.zeros(CORE.rows), plan)], 60.0)
    steps = [(share,) for share in annealing.FASTEN]
    assert told == ([*steps[1:], "search"] if known else ["search", *steps, "search"])


@pytest.mark.parametrize("better", [0, 1])
@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_where_there_is_time_all_fields_are_begun_with_and_the_best_is_gone_on_from(
    better: int, long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each knows of its own plans alone; the last field is for where none has one."""
    core = mixed_core(6, units=60)
    limits, good = Limits(60.0, gap=0.0), waterfall(core)
    fields = [Field.whole(core, np.zeros(core.rows), good) for _ in range(3)]
    moved = (np.where(np.arange(core.units) == unit, option, good) for option, unit in enumerate(core.unit))
    worse = next(plan for plan in moved if core.feasible(plan) and core.objective(plan) < core.objective(good))
    plans, known, went_on = [good, worse][:: 1 if better == 0 else -1], [], []

    def narrowed(self: Annealing, field: Field, _: float) -> SimpleNamespace:
        known.append(self.best.choice)
        self.best.offer(plans[fields.index(field)])
        return SimpleNamespace(fields=[field], search=None, first=QUICK, warm=False)

    monkeypatch.setattr(annealing, "SEVERAL", 0.0 if long else np.inf)
    monkeypatch.setattr(Annealing, "_narrowed", narrowed)
    monkeypatch.setattr(Annealing, "_on", lambda self, field, *_, **__: went_on.append(field))
    best, some = Best(core, limits, lambda _: False, np.inf), fields.copy()
    Annealing(limits, best).run(some, 60.0)
    assert known == [None, None][: 1 + long]
    begun = fields[better if long else 0]
    assert went_on == [begun] and some == [begun, fields[2]]
    assert best.value == core.objective(plans[better if long else 0])


@pytest.mark.parametrize("known", [False, True])
def test_a_glance_finds_a_plan_by_prices_or_what_is_near_one_that_is_known(known: bool) -> None:
    """Never worse than what it begins with, and of a known plan as many larger units stay as may."""
    core = build(sample(600, 12, 3), parse_scenario(tomllib.loads(baseline_toml(600, 12)))).core
    prices = find_prices(core, 5.0)
    limits = Limits(20.0, 0.0)
    plan = waterfall(core)
    if known:
        answer, _ = run("prices", core, Limits(3.0, 1e-3), lambda _: False)
        assert answer.choice is not None
        plan = answer.choice
    best = Best(core, limits, lambda _: False, prices.bound)
    best.offer(plan)
    assert best.near(annealing.NEARER) == known
    before = best.value
    Annealing(limits, best).glance(Field.whole(core, prices.prices, plan))
    assert best.choice is not None and core.feasible(best.choice) and best.value >= before
    assert best.near(0.02)
    before = best.value
    Annealing(limits, best).glance(Field.whole(core, prices.prices, plan), again=True)
    assert best.value >= before and core.feasible(best.choice)


@pytest.mark.parametrize("units", [10, 10 * WHOLE])
def test_in_parts_annealing_mends_what_it_can_and_exact_parts_the_rest(units: int) -> None:
    """A plan of three broken rows; annealing mends two, exact parts all."""
    core = SimpleNamespace(units=units, feasible=lambda choice: choice[0] == 0)
    asked: list[tuple[str, int]] = []

    def mends(name: str, by: int) -> SimpleNamespace:
        return SimpleNamespace(mend=lambda c: asked.append((name, int(c[0]))) or np.maximum(0, c - by))

    field, search, patches = SimpleNamespace(core=core), mends("annealing", 2), mends("exact", 3)
    assert (annealing._mended(field, search, patches, np.array([3])) == 0).all()
    assert asked == ([("annealing", 3), ("exact", 1)] if units > WHOLE else [("exact", 3)])
    assert (annealing._mended(field, search, None, np.array([2])) == 0).all()
    assert asked[-1] == ("annealing", 2)
    before = len(asked)
    annealing._mended(field, search, patches, np.array([0]))
    assert len(asked) == before


def test_the_best_plans_met_are_kept_each_once_the_best_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.reduced.KEPT", 3)
    limits = Limits(SECONDS, gap=0.0)
    best = Best(CORE, limits, lambda _: False, np.inf)
    field = Field.whole(CORE, np.zeros(CORE.rows), np.full(CORE.units, -1))
    offered: list[float] = []
    keep = best.kept.add
    monkeypatch.setattr(best.kept, "add", lambda value, plan: (offered.append(value), keep(value, plan)))
    Annealing(limits, best).vary(field, 0.4 * SECONDS, best.over)
    values = [CORE.objective(plan) for plan in best.kept.best()]
    assert values == sorted(set(offered), reverse=True)[:3] and values[0] == best.value


@pytest.mark.parametrize(("beyond", "over"), [(0.0, True), (1e-12, True), (1e-6, False), (1e-3, False)])
def test_a_search_is_over_where_plan_and_bound_differ_by_rounding_alone(beyond: float, over: bool) -> None:
    core = next(c for c in (random_core(seed, 7, 4) for seed in range(60)) if c.feasible(waterfall(c)) and c.step == 0)
    plan = waterfall(core)
    value = core.objective(plan)
    assert value > 1
    best = Best(core, Limits(60.0, gap=0.0), lambda _: False, value * (1 + beyond))
    assert not best.over()
    best.offer(plan)
    assert best.over() == over
