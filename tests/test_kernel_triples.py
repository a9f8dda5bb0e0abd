"""Own prices of the places of cuts prove no less than what cuts take, and are kept account of step by step."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from optimizer.kernels.triples import decide, given_back, room_for, settle, tell, undecide

UNITS = 5
Cuts = tuple[np.ndarray, np.ndarray, np.ndarray]


class Part:
    """Some cuts of five units, one of them not among these, at own prices by chance; some units held, some barred."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        every = list(combinations(range(UNITS + 1), 3))
        self.triples = [every[i] for i in rng.choice(len(every), 6, replace=False)]
        at = sorted((u, 3 * c + p) for c, triple in enumerate(self.triples) for p, u in enumerate(triple) if u < UNITS)
        first = np.searchsorted([u for u, _ in at], np.arange(UNITS + 1))
        count = len(self.triples)
        self.cuts: Cuts = (first.astype(np.int64), np.array([e for _, e in at]), rng.uniform(1, 10, count))
        self.places = room_for(UNITS, self.cuts)
        self.price = np.repeat(self.cuts[2], 3) * rng.choice([0.0, 0.2, 0.5, 0.9, 1.0], 3 * count)
        sure = rng.choice(3, UNITS, p=(0.6, 0.2, 0.2))
        self.held, self.barred = sure == 1, sure == 2
        self.worth = rng.uniform(0, 15, UNITS)
        self.books = [
            np.array(book)
            for book in product([False, True], repeat=UNITS)
            if not (np.array(book) & self.barred).any() and (np.array(book) | ~self.held).all()
        ]

    def beyond(self, book: np.ndarray) -> np.ndarray:
        """[C] what the units of a book pay for each cut beyond what the cut takes."""
        inside = np.array([[u < UNITS and book[u] for u in triple] for triple in self.triples])
        paid = np.where(inside, self.price.reshape(-1, 3), 0.0).sum(axis=1)
        return paid - self.cuts[2] * (inside.sum(axis=1) >= 2)

    def proved(self) -> float:
        """What a book is worth at most, as each unit with a choice decides for itself at its own prices."""
        paid = np.zeros(UNITS)
        for u in range(UNITS):
            paid[u] = self.price[self.cuts[1][self.cuts[0][u] : self.cuts[0][u + 1]]].sum()
        mine = self.worth - paid
        units = np.where(self.held, mine, np.where(self.barred, 0.0, np.maximum(mine, 0.0)))
        return float(units.sum() + np.max([self.beyond(book) for book in self.books], axis=0).sum())

    def settle(self) -> tuple[float, int]:
        return settle(self.held, self.barred, self.price, 0, self.cuts, self.places)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_given_back_is_the_most_that_any_book_pays_beyond_what_a_cut_takes(seed: int) -> None:
    part = Part(seed)
    taken, alive = part.settle()
    most = np.max([part.beyond(book) for book in part.books], axis=0)
    assert tell(part.price, 0, part.cuts, part.places) == pytest.approx(most.sum())
    living = part.places[6][:alive]
    for c in living.tolist():
        every, few, _ = given_back(c, part.price, 0, part.cuts, part.places[0])
        assert max(every, few) == pytest.approx(most[c])
    assert taken == pytest.approx(-np.delete(most, living).sum())


@pytest.mark.parametrize("seed", range(60))
def test_a_part_that_is_settled_is_proved_to_be_worth_no_more_than_before_and_no_less_than_its_best_book(
    seed: int,
) -> None:
    part = Part(seed)
    before = part.proved()
    part.settle()
    takes = [
        sum(
            p
            for p, triple in zip(part.cuts[2], part.triples, strict=True)
            if sum(book[u] for u in triple if u < UNITS) > 1
        )
        for book in part.books
    ]
    best = max(part.worth[book].sum() - paid for book, paid in zip(part.books, takes, strict=True))
    assert best - 1e-9 <= part.proved() <= before + 1e-9


@pytest.mark.parametrize("seed", range(30))
def test_when_all_is_decided_what_is_given_back_is_what_the_book_pays_and_it_can_be_taken_back(seed: int) -> None:
    part = Part(seed)
    part.settle()
    at_first = tell(part.price, 0, part.cuts, part.places)
    begun = part.places[3].copy()
    order = np.random.default_rng(seed).permutation(UNITS)
    for book in part.books:
        less = [decide(u, book[u], part.places) for u in order]
        assert min(less) >= -1e-9
        assert at_first - sum(less) == pytest.approx(part.beyond(book).sum())
        for u in order:
            undecide(u, book[u], part.places)
        assert (part.places[3] == begun).all()
