"""What a solve leaves for the next: prices and books go by names, and prove for the new problem what is true of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.instances import samples
from optimizer.book_bound import books_bound
from optimizer.book_search import Effort
from optimizer.books import find_books
from optimizer.carry import carry
from optimizer.dual import find_prices
from optimizer.known import fitted
from optimizer.problem import Problem
from optimizer.result import Result
from optimizer.solve import solve

COMPANY = samples(["150x6"], [1])[0]


def left_by(problem: Problem) -> Result:
    """A result with what prices and books prove of a problem."""
    prices = find_prices(problem.core, 20.0).prices
    found = find_books(problem.core, prices, effort=Effort(120, 0.05))
    assert found is not None
    return replace(solve(problem, "greedy", 5.0, in_process=True), prices=prices, books=found.books, bound=found.bound)


def without(place: int) -> Problem:
    """The company when a rep has left."""
    return replace(COMPANY, without=(str(COMPANY.company().scores.rep_ids[place]),)).company()


def test_prices_are_carried_by_the_names_of_rows() -> None:
    before, after = COMPANY.company(), without(1)
    prices = np.arange(1.0, before.core.rows + 1)
    carried = carry(before, replace(left_by(before), prices=prices, books=None), after)
    assert carried.books is None and carried.prices.shape == (after.core.rows,) and (carried.prices > 0).all()
    kept = before.limits["row"] != str(before.scores.rep_ids[1])
    assert carried.prices.tolist() == prices[kept.to_numpy()].tolist()


def test_books_are_carried_by_the_names_of_accounts_and_reps() -> None:
    before, after = COMPANY.company(), without(1)
    result = left_by(before)
    books = fitted(before.core, carry(before, result, before), result.prices)
    assert books is not None and books_bound(before.core, books) == pytest.approx(result.bound)
    carried = carry(before, result, after)
    cold = left_by(after)
    books = fitted(after.core, carried, cold.prices)
    assert books is not None and len(books.leaves) > len(after.scores.rep_ids)
    found = find_books(after.core, cold.prices, effort=Effort(120, 0.05), begun=books)  # a fifth of them are made
    assert found is not None and cold.bound * (1 - 2e-3) < found.bound < cold.bound * (1 + 2e-3)


def test_a_solve_that_begins_with_what_is_known_proves_no_less_and_keeps_its_rules() -> None:
    before, after = COMPANY.company(), without(2)
    first = solve(before, "prices", 4.0, gap=0.002, in_process=True)
    warm = solve(after, "prices", 4.0, gap=0.002, start=first.plan, known=carry(before, first, after), in_process=True)
    cold = solve(after, "prices", 4.0, gap=0.002, in_process=True)
    assert warm.report is not None and warm.report.ok
    assert warm.objective <= cold.bound * (1 + 1e-9) and cold.objective <= warm.bound * (1 + 1e-9)
