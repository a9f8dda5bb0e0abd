"""`verify` judges a run again without any solver, and notices what was changed."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimizer.certificate import bound
from optimizer.conclude import HURRIED, Case
from optimizer.core import Core
from optimizer.endgame import Endgame
from optimizer.engines.base import Answer, Limits
from optimizer.listing import Listing
from optimizer.plan import Plan
from optimizer.process import Outcome
from optimizer.solve import solve
from optimizer.verify import Verdict, verify
from tests.test_solve import company


@pytest.fixture(scope="module")
def solved() -> tuple[object, object]:
    problem = company()
    return problem, solve(problem, "greedy", in_process=True)


def test_an_honest_run_is_confirmed(solved) -> None:  # type: ignore[no-untyped-def]
    problem, result = solved
    verdict = verify(problem, result.plan, result.prices, result.objective, result.bound, result.bound_by)
    assert verdict.ok and verdict.bound == pytest.approx(result.bound)


def test_a_better_bound_than_the_prices_prove_is_not_confirmed(solved) -> None:  # type: ignore[no-untyped-def]
    problem, result = solved
    verdict = verify(problem, result.plan, result.prices, result.objective, result.bound * 0.99, "prices")
    assert not verdict.ok and "DIFFERS" in str(verdict)


def test_another_objective_than_check_finds_is_not_confirmed(solved) -> None:  # type: ignore[no-untyped-def]
    problem, result = solved
    assert not verify(problem, result.plan, result.prices, result.objective + 10, result.bound, "prices").ok


def test_a_plan_that_breaks_a_rule_is_not_confirmed(solved) -> None:  # type: ignore[no-untyped-def]
    problem, result = solved
    everything = np.zeros_like(result.plan.rep)
    crowded = Plan(
        result.plan.accounts,
        result.plan.reps,
        result.plan.roles,
        result.plan.levels,
        everything,
        everything.astype(np.int8),
    )
    assert not verify(problem, crowded, result.prices, result.objective, result.bound, "prices").ok


def test_any_prices_prove_a_bound_that_no_plan_exceeds(solved) -> None:  # type: ignore[no-untyped-def]
    problem, result = solved
    rng = np.random.default_rng(1)
    for _ in range(20):
        assert bound(problem.core, rng.normal(0, 100, problem.core.rows)) >= result.objective


@pytest.fixture(scope="module")
def by_books() -> tuple[object, object]:
    """A company whose bound is by whole books: no books are sought that prove more."""
    problem = company(300, 12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optimizer.endgame.Endgame.begin", lambda _: None)
        return problem, solve(problem, "prices", time_limit=4, gap=0.0, in_process=True)


def test_a_bound_by_books_is_confirmed_and_what_was_tampered_with_is_not(by_books) -> None:  # type: ignore[no-untyped-def]
    problem, result = by_books
    assert result.bound_by == "books" and result.bound < bound(problem.core, result.prices) * (1 - 1e-6)

    def judged(books: object) -> Verdict:
        return verify(problem, result.plan, result.prices, result.objective, result.bound, "books", books)  # type: ignore[arg-type]

    assert judged(result.books).ok
    assert "recomputed from prices of rows, accounts and books: agrees with the run" in str(judged(result.books))
    books, leaves = result.books, result.books.leaves
    cheap, free = books.own_prices.copy(), books.unit_prices.copy()
    cheap[leaves[0]] = 0.0
    free[np.argmax(free)] *= 2
    cut = len(books.rep) - 1
    for changed in (
        replace(books, own_prices=cheap),
        replace(books, unit_prices=free),
        replace(books, prices=books.prices[1:]),
        replace(books, inside=np.zeros_like(books.inside)),
        replace(books, parent=np.where(books.parent < 0, 0, books.parent)),
        replace(
            books,
            **{n: getattr(books, n)[:cut] for n in ("rep", "parent", "unit", "inside", "own_prices")},
        ),
        None,
    ):
        assert not judged(changed).ok and "DIFFERS" in str(judged(changed))


@pytest.fixture(scope="module")
def by_listing() -> tuple[object, object]:
    """A company that is proved optimal by listed books; no other engine may do so."""
    problem = company(150, 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optimizer.endgame.Endgame._searched", waits)
        return problem, solve(problem, "prices", time_limit=90, gap=0.0, in_process=True)


def waits(endgame: Endgame, several: bool) -> Answer:
    """Leaves the proof to others."""
    while not (endgame.over() or endgame.listed):
        time.sleep(0.05)
    return Answer(None)


def test_a_proof_by_listed_books_is_confirmed_and_what_was_tampered_with_is_not(by_listing) -> None:  # type: ignore[no-untyped-def]
    problem, result = by_listing
    assert result.status == "OPTIMAL" and result.bound_by == "listing" and "proved by listed books" in str(result)

    def judged(listing: Listing | None) -> Verdict:
        return verify(problem, result.plan, result.prices, result.objective, result.bound, "listing", listing=listing)

    assert judged(result.listing).ok and "recomputed from listed books: agrees with the run" in str(
        judged(result.listing)
    )
    listing = result.listing
    for changed in (
        replace(listing, unit_prices=0.9 * listing.unit_prices),
        replace(listing, need=listing.need + 1000.0),
        replace(listing, need=listing.need - 1e9),
        replace(listing, parent=listing.parent[:-1]),
        None,
    ):
        assert not judged(changed).ok and "DIFFERS" in str(judged(changed))


def test_verify_loads_no_solver_and_no_engine() -> None:
    code = (
        "import sys, optimizer.verify, optimizer.certificate, optimizer.store;"
        "bad = [m for m in sys.modules if m.startswith(('ortools', 'highspy', 'numba', 'optimizer.engines'))"
        " or m in ('optimizer.dual', 'optimizer.solve', 'scipy.optimize')];"
        "print(bad); sys.exit(bool(bad))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_replacing_the_tables_changes_the_verdict(solved) -> None:  # type: ignore[no-untyped-def]
    problem, result = solved
    cheaper = replace(problem.core, value=problem.core.value * 2)
    assert bound(cheaper, result.prices) > result.bound


@pytest.mark.parametrize(
    ("stopped", "left", "seconds"), [("time", 0.0, 1.0), ("end", 4.0, 5.0), ("user", 4.0, HURRIED)]
)
def test_listed_books_are_recomputed_within_what_a_solve_may_take(
    by_listing: Any, stopped: Any, left: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, result = by_listing
    allowed = list[float]()

    def noted(core: Core, listing: Listing, value: float, end: float) -> float:
        allowed.append(end - time.monotonic())
        return result.bound

    monkeypatch.setattr("optimizer.listed.listing_bound", noted)
    found = Outcome(
        problem.choice(result.plan),
        "none",
        np.inf,
        result.prices,
        stopped,
        (),
        books=result.books,
        listing=result.listing,
    )
    limits = Limits(10.0, 0.0, started=time.time() - 10.0 + left)
    assert Case(problem, "prices", "asked for", limits, lambda *_: found).conclude(found).bound_by == "listing"
    assert allowed == [pytest.approx(seconds, abs=0.5)]
