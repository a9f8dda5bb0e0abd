"""Small problems to their end: what proves them, and that a stop is kept in every phase."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from optimizer.column_proof import ColumnProof
from optimizer.crew import Crew
from optimizer.endgame import Endgame
from optimizer.engines.base import Limits
from optimizer.engines.run import run
from optimizer.listed import listing_bound
from tests.test_solve import company
from tests.test_verify import waits
from tests.timing import soonest


def test_books_listed_prove_a_small_company_optimal_without_another_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Endgame, "_searched", waits)
    monkeypatch.setattr("optimizer.endgame.FEW", 0)
    core = company(130, 10, 1).core
    answer, dual = run("prices", core, Limits(90.0, gap=0.0, threads=2), lambda _: False)
    assert answer.claim == "optimal" and answer.choice is not None and not answer.agreed
    assert answer.listing is not None and dual.books is not None
    value = core.objective(answer.choice)
    assert core.feasible(answer.choice) and dual.bound > value * (1 + 1e-5)
    assert listing_bound(core, answer.listing, value) == pytest.approx(value, rel=1e-6)


def test_near_the_bound_the_thread_that_looks_for_plans_helps_to_prove(monkeypatch: pytest.MonkeyPatch) -> None:
    lent, lend = list[bool](), Crew.lend
    monkeypatch.setattr(Crew, "lend", lambda crew, task: lent.append(bool(begun := lend(crew, task))) or begun)
    looked, look = list[int](), Endgame._look
    monkeypatch.setattr(Endgame, "_look", lambda endgame: looked.append(1) or look(endgame))
    monkeypatch.setattr("optimizer.endgame.FEW", 0)
    monkeypatch.setattr("optimizer.endgame.SETTLING", 1.0)
    monkeypatch.setattr("optimizer.column_proof.SEARCHED", 300)  # a tree even where books are few
    core = company(130, 10, 1).core
    answer, _ = run("prices", core, Limits(90.0, gap=0.0, threads=2), lambda _: False)
    assert answer.claim == "optimal" and answer.listing is not None and any(lent) and not looked


def test_where_books_cannot_be_listed_their_bound_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ColumnProof, "_list", lambda _: None)
    core = company(200, 10, 1).core
    answer, dual = run("prices", core, Limits(8.0, gap=0.0), lambda _: False)
    assert answer.choice is not None and answer.listing is not None and dual.books is not None
    proved = listing_bound(core, answer.listing, core.objective(answer.choice))
    assert core.objective(answer.choice) <= proved < dual.bound
    assert answer.bound <= proved + 1e-6 * proved


def test_where_no_proof_is_tried_books_are_sought_for_a_bound_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("endgame", "engines.prices"):
        monkeypatch.setattr(f"optimizer.{module}.PROVE_OPTIONS", 500)
    for name in ("_among", "prove"):
        monkeypatch.setattr(Endgame, name, waits)
    core = company(200, 10, 1).core
    answer, dual = run("prices", core, Limits(8.0, gap=0.0), lambda _: False)
    assert core.options > 500 and answer.claim == "none"
    assert answer.choice is not None and answer.listing is not None and dual.books is not None
    proved = listing_bound(core, answer.listing, core.objective(answer.choice))
    assert core.objective(answer.choice) <= proved < dual.bound
    assert answer.bound == pytest.approx(proved, rel=1e-6)


@pytest.mark.parametrize(("phase", "threads"), [
    ((ColumnProof, "_tighten"), 1), ((ColumnProof, "_tighten"), 2), ((Endgame, "_among"), 1), ((Endgame, "_among"), 2),
    ((ColumnProof, "_list"), 1), ((ColumnProof, "_list"), 2), ((ColumnProof, "_search"), 2), ((Endgame, "_near"), 2),
], ids=["seek", "seek2", "plan", "plan2", "list", "list2", "tree2", "near2"])  # fmt: skip
def test_told_to_stop_while_books_are_sought_or_listed_it_ends_at_once(
    phase: tuple[type, str], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    larger = phase[1] == "_near"  # which comes late: the proof of a smaller company may have ended
    core, told = company(200 if larger else 130, 10, 1).core, list[float]()
    usual: Callable[..., Any] = getattr(*phase)

    def begun(*given: Any) -> Any:
        told.append(time.monotonic())
        return usual(*given)

    monkeypatch.setattr(*phase, begun)
    monkeypatch.setattr("optimizer.endgame.FEW", 0)
    if larger:  # it comes after a look that would take as long as the proof
        monkeypatch.setattr("optimizer.endgame.ALTERNATE_BOOKS", 0.01)
        monkeypatch.setattr("optimizer.endgame.SETTLING", 0.0)

    def attempt() -> float:
        told.clear()
        answer, _ = run("prices", core, Limits(60.0, gap=0.0, threads=threads), lambda _: bool(told))
        assert answer.choice is None or core.feasible(answer.choice)
        assert told and (answer.stopped or answer.claim == "optimal")
        return time.monotonic() - told[0]

    assert soonest(attempt, 2.0) < 2.0
