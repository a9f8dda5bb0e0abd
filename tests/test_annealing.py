"""How much an annealing does: what it expects to fit, before the first round has said what does."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer import annealing
from optimizer.annealing import FIRST, QUICK, Annealing, Best
from optimizer.engines.base import Limits
from optimizer.fields import Field
from optimizer.search import Cooling, Search
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
    monkeypatch.setattr(annealing, "SECONDS_A_UNIT", (np.inf, np.inf))  # nothing is fastened
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
