"""Problems of whole values are decided by an exact engine, and agree with one that was given all of it."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.instances import one_row_a_rep
from optimizer import decide as module
from optimizer.core import Core
from optimizer.endgame import Endgame
from optimizer.engines import load
from optimizer.engines.base import Answer, Limits, Progress
from optimizer.engines.run import run
from optimizer.proof import Proof, Stage
from tests.timing import soonest


def classical(units: int, reps: int, seed: int) -> Core:
    """A classical problem of costs and loads of 5 to 50, with nine tenths of the room it takes on average."""
    rng = np.random.default_rng(seed)
    cost, use = rng.integers(5, 51, (2, units, reps)).astype(float)
    return one_row_a_rep(cost, use, np.full(reps, np.floor(0.9 * use.mean() * units / reps)), by_option=True)


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[Answer | None]:
    """What came of each try."""
    told = list[Answer | None]()

    def heard(endgame: Endgame) -> Answer | None:
        told.append(module.decide(endgame))
        return told[-1]

    monkeypatch.setattr("optimizer.engines.prices.decide", heard)
    return told


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("units", "reps"), [(160, 5), (60, 12)], ids=["long books", "too many options for books"])
def test_a_problem_of_whole_values_ends_at_the_optimum_and_with_a_second_opinion(
    units: int, reps: int, threads: int, decided: list[Answer | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if reps == 12:
        for name in ("decide", "endgame", "engines.prices"):
            monkeypatch.setattr(f"optimizer.{name}.PROVE_OPTIONS", 600)
    core = classical(units, reps, units)
    best = load("highs").solve(core, Limits(30.0, gap=0.0), lambda _: False)
    assert best.choice is not None and best.claim == "optimal"
    answer, _ = run("prices", core, Limits(60.0, gap=0.0, threads=threads), lambda _: False)
    assert answer.choice is not None and core.feasible(answer.choice)
    assert core.objective(answer.choice) == core.objective(best.choice) == pytest.approx(answer.bound, abs=1e-3)
    assert answer.claim == "optimal" and answer.agreed and decided == [answer]


def test_what_is_not_decided_goes_on_as_ever(decided: list[Answer | None], monkeypatch: pytest.MonkeyPatch) -> None:
    def undecided(core: Core, choice: np.ndarray, stages: tuple[Stage, ...], *_: object) -> Proof:
        return Proof(choice, core.objective(choice), np.inf, "none", "search", stages, core.options, True)

    monkeypatch.setattr(module, "prove", undecided)
    core = classical(200, 5, 1)
    answer, _ = run("prices", core, Limits(6.0, gap=0.0), lambda _: False)
    assert decided == [None] and answer.choice is not None and core.feasible(answer.choice)


def test_where_too_many_options_may_be_in_a_better_plan_no_engine_is_asked(
    decided: list[Answer | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 0)
    monkeypatch.setattr(module, "prove", None)  # not to be called
    answer, _ = run("prices", classical(200, 5, 1), Limits(6.0, gap=0.0), lambda _: False)
    assert not decided and answer.choice is not None


def test_told_to_stop_while_two_engines_search_both_end_at_once(decided: list[Answer | None]) -> None:
    core, told = classical(400, 40, 1), list[float]()

    def stops(progress: Progress) -> bool:
        if progress.phase == "proof" and not told:
            told.append(time.monotonic())
        return bool(told)

    def attempt() -> float:
        told.clear()
        answer, _ = run("prices", core, Limits(60.0, gap=0.0), stops)
        assert told and answer.choice is not None and core.feasible(answer.choice)
        return time.monotonic() - told[0]

    assert soonest(attempt, 2.0) < 2.0
    assert decided[0] is None


def test_values_in_cents_are_decided_too_after_the_first_annealings(
    decided: list[Answer | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("decide", "endgame", "engines.prices"):
        monkeypatch.setattr(f"optimizer.{name}.PROVE_OPTIONS", 600)
    core = classical(60, 12, 60)
    core = replace(core, value=core.value - np.random.default_rng(1).integers(0, 100, core.options) / 100)
    assert core.step == 0.0
    best = load("highs").solve(core, Limits(30.0, gap=0.0), lambda _: False)
    answer, _ = run("prices", core, Limits(60.0, gap=0.0), lambda _: False)
    assert best.choice is not None and answer.choice is not None
    assert core.objective(answer.choice) == pytest.approx(core.objective(best.choice), abs=1e-3)
    assert answer.claim == "optimal" and answer.agreed and decided == [answer]


def test_cents_or_soft_limits_are_not_decided_before_that() -> None:
    core = classical(200, 5, 1)
    assert module.whole(core)
    assert not module.whole(replace(core, value=core.value + 0.01))
    assert not module.whole(replace(core, penalty=np.full(core.rows, 3.0)))
    assert not module.whole(classical(60, 12, 1))  # books are short, and few enough to be listed
