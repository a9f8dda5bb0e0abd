"""What is known of a problem like it: kept as it is, and never believed more than this problem allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimizer.book_bound import books_bound
from optimizer.book_search import Effort
from optimizer.books import Found, find_books
from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.known import Known, fitted
from tests.test_books import ENUMERATED, close, giants, parted


def test_it_comes_back_from_a_file_as_it_was(tmp_path: Path) -> None:
    core = giants()
    prices = np.arange(1.0, core.rows + 1)
    books = parted(core, np.random.default_rng(1), prices, 3)
    for number, known in enumerate((Known(prices), Known(prices, books))):
        known.save(tmp_path / f"{number}.npz")
        again = Known.load(tmp_path / f"{number}.npz")
        assert again.fits(core) and again.prices.tolist() == prices.tolist()
        assert (again.books is None) == (known.books is None)
    assert again.books is not None and books_bound(core, again.books) == books_bound(core, books)


def test_what_is_of_another_size_or_not_finite_does_not_fit() -> None:
    core = giants()
    assert not Known(np.zeros(core.rows + 1)).fits(core) and not Known(np.full(core.rows, np.nan)).fits(core)


def test_books_that_name_all_there_is_are_taken_as_they_are() -> None:
    for number, core, _ in ENUMERATED[:40]:
        prices = find_prices(core, 5.0).prices
        found = find_books(core, prices, effort=Effort(40, 0.05))
        if found is not None:
            taken = fitted(core, Known(prices, found.books), prices)
            assert taken is not None and books_bound(core, taken) == pytest.approx(found.bound), f"case {number}"


def test_books_that_name_what_is_not_there_still_prove_what_is_true() -> None:
    tested, kept = 0, 0
    for number, core, best in ENUMERATED:
        rng = np.random.default_rng(number)
        prices = find_prices(core, 5.0).prices
        books = parted(core, rng, prices, 6)
        gone = rng.random(len(books.rep)) < 0.15
        unknown = np.where(rng.random(core.units) < 0.2, np.nan, books.unit_prices)
        lost = rng.random(len(core.is_open)) < 0.2
        books = replace(books, unit=np.where(gone, -1, books.unit), unit_prices=unknown,
                        rep=np.where(lost[books.rep], -1, books.rep))  # fmt: skip
        taken = fitted(core, Known(prices, books), prices)
        assert taken is not None
        proved = books_bound(core, taken)
        assert proved >= best - close(proved), f"case {number}"
        tested += 1
        kept += len(taken.leaves) > len(core.is_open)
    assert tested > 50 and kept > 10


def begun() -> Iterator[tuple[int, Core, float, np.ndarray, Found]]:
    """(number, core, optimum, prices, books found in a few passes) of the problems where there are such."""
    for number, core, best in ENUMERATED:
        prices = find_prices(core, 5.0).prices
        first = find_books(core, prices, effort=Effort(30, 0.05))
        if first is not None:
            yield number, core, best, prices, first


def test_books_begun_with_are_not_left_worse_than_they_were() -> None:
    better = 0
    for number, core, best, prices, first in begun():
        again = find_books(core, prices, effort=Effort(30, 0.05), begun=first.books)
        assert again is not None
        assert best - close(best) <= again.bound <= first.bound + close(first.bound), f"case {number}"
        assert again.bound < bound(core, prices)
        better += again.bound < first.bound
    assert better > 5


def test_books_begun_with_that_prove_enough_are_the_answer_without_a_pass() -> None:
    tested = 0
    for _, core, _, prices, first in begun():
        told: list[float] = []
        again = find_books(core, prices, stop=lambda bound, told=told: not told.append(bound), begun=first.books)  # type: ignore[misc]
        assert again is not None and again.books is first.books
        assert told == [first.bound]
        tested += 1
    assert tested > 5
