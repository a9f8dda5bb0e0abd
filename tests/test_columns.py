"""Books listed are all that count and no others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from optimizer import columns
from optimizer.columns import Duals, Lister, RepBooks
from optimizer.core import TOLERANCE, Core
from optimizer.dual import find_prices
from tests.hired import hired


def of_rep(core: Core, rep: RepBooks) -> tuple[np.ndarray, np.ndarray]:
    """Every book [N, k] of a rep that keeps its hard rows, and what each is worth."""
    units = np.unique(rep.unit)
    alternatives = [[-1, *np.flatnonzero(rep.unit == u)] for u in units]
    made = []
    for picks in product(*alternatives):
        book = np.zeros(len(rep.option), dtype=np.uint8)
        book[[p for p in picks if p >= 0]] = 1
        made.append(book)
    books = np.array(made)
    upper, lower, penalty, _ = rep.sides
    used = books @ rep.amount
    out = np.maximum(0.0, np.maximum(used - upper, lower - used))
    allowed = TOLERANCE * np.maximum(1.0, np.maximum(*(np.where(np.isfinite(x), abs(x), 0.0) for x in (upper, lower))))
    kept = ((out <= allowed) | np.isfinite(penalty)).all(axis=1)
    paid = (out * np.where(np.isfinite(penalty), penalty, 0.0)).sum(axis=1)
    return books[kept], (books @ core.value[rep.option] - paid)[kept]


Priced = tuple[np.random.Generator, Core, Lister, Duals, np.ndarray, RepBooks, np.ndarray, np.ndarray]


def priced(part: int, parts: int) -> Iterator[Priced]:
    """Reps of small problems at prices with two triples [C, 3], every book of each that keeps its hard rows, and their worth."""
    for seed, core, _, _ in hired()[part::parts]:
        rng = np.random.default_rng(seed)
        lister, prices = Lister(core), find_prices(core, 2.0).prices
        triples = (
            np.array([sorted(rng.choice(core.units, 3, replace=False)) for _ in range(2)]) if core.units > 2 else []
        )
        triples = np.array(triples, dtype=np.int64).reshape(-1, 3)
        unit = np.where(rng.random(core.units) < 0.5, rng.normal(0, 20, core.units), 0.0)
        duals = lister.admissible(Duals(unit, prices, rng.uniform(0, 20, len(triples))))
        for rep in lister.reps():
            there, worth = of_rep(core, rep)
            if len(there):
                rep.take(core, there, triples)
                yield rng, core, lister, duals, triples, rep, there, worth


@pytest.mark.parametrize("part", range(6))
def test_every_book_that_is_worth_enough_is_listed_once_and_no_other(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "PARTED_ALL", (6_000, 1, 20)[part % 3])
    met = 0
    for rng, core, lister, duals, triples, rep, there, worth in priced(part, 6):
        reduced = lister.reduced(rep, duals)
        paid = duals.unit[rep.unit] + lister.other[rep.option] @ duals.row[lister.shared]
        assert reduced == pytest.approx(worth - there @ paid - duals.triple @ rep.two_of(there, triples))
        need = float(np.quantile(reduced, 1 - rng.choice([0.02, 0.3, 1.0])))
        found, top = lister.list(rep, duals, triples, need, np.inf, 10**7, 10**5)
        assert found is not None
        slight = 1e-4 * max(1.0, float(np.abs(worth).max()))
        assert len({book.tobytes() for book in found}) == len(found)
        listed, able = {book.tobytes() for book in found}, {book.tobytes() for book in there}
        assert {b.tobytes() for b in there[reduced > need + slight]} <= listed <= able | near(rep, found)
        assert not {b.tobytes() for b in there[reduced < need - slight]} & listed
        assert reduced.max() - slight <= max(top, need)
        assert rep.worths(core, there) == pytest.approx(worth)
        met += len(found)
    assert met > 50


@pytest.mark.parametrize("steps", [1, 20])
def test_the_best_books_are_found_however_soon_a_search_is_parted(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "PARTED", steps)
    met = 0
    for _, core, lister, duals, triples, rep, there, worth in priced(0, 4):
        reduced = lister.reduced(rep, duals)
        best, slight = float(reduced.max()), 1e-4 * max(1.0, float(np.abs(worth).max()))
        found, top = lister.list(rep, duals, triples, best - 100 * slight, 10 * slight, 10**7, 10**3)
        assert found is not None
        rep.take(core, found, triples)
        met += len(found)
        assert best - slight <= lister.reduced(rep, duals).max() <= top + slight
        assert {b.tobytes() for b in there[reduced > top - 8 * slight]} <= {book.tobytes() for book in found}
    assert met > 50


def near(rep: RepBooks, books: np.ndarray) -> set[bytes]:
    """Books that break a hard row by no more than is allowed twice."""
    upper, lower, penalty, allowed = rep.sides
    used = books @ rep.amount
    out = np.maximum(0.0, np.maximum(used - upper, lower - used))
    return {b.tobytes() for b, o in zip(books, out, strict=True) if ((o <= allowed) | np.isfinite(penalty)).all()}
