"""Triples found are exceeded, none is found twice, and none that is exceeded by much is missed where there is room."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from optimizer.triples import AT_ONCE, EXCEEDED, exceeded, not_among, places


def test_triples_are_those_that_books_exceed_the_worst_first() -> None:
    met = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        units = int(rng.integers(3, 12))
        taken = [(np.flatnonzero(rng.random(units) < 0.4), float(rng.choice([1.0, 0.5, 0.3]))) for _ in range(8)]

        def over(triple: tuple[int, ...], taken: list[tuple[np.ndarray, float]] = taken) -> float:
            part = [(held, share) for held, share in taken if share < 1.0]
            return sum(share for held, share in part if np.isin(triple, held).sum() >= 2) - 1.0

        some = np.unique(np.concatenate([held for held, share in taken if share < 1.0] + [np.zeros(0, dtype=int)]))
        by_hand = {(-1, -1, -1): 0.0} | {triple: over(triple) for triple in combinations(some.tolist(), 3)}
        found = [tuple(triple) for triple in exceeded(units, taken, np.zeros((0, 3), dtype=np.int64)).tolist()]
        assert all(by_hand[triple] > EXCEEDED for triple in found)
        assert len(set(found)) == len(found) <= AT_ONCE
        worst = [by_hand[triple] for triple in found]
        assert worst == sorted(worst, reverse=True)
        assert not found or worst[0] >= max(by_hand.values()) - 1e-6
        assert bool(found) == (max(by_hand.values()) > EXCEEDED + 1e-6)
        known = np.array(found[:1], dtype=np.int64).reshape(-1, 3)
        assert not set(found[:1]) & {tuple(triple) for triple in exceeded(units, taken, known).tolist()}
        met += len(found)
    assert met > 100


def test_triples_are_told_from_those_that_are_known_and_found_among_them() -> None:
    some = np.array([[0, 1, 2], [0, 1, 3], [2, 3, 4]])
    assert not_among(some, some[[2, 0]]).tolist() == [[0, 1, 3]]
    assert not_among(some, some).shape == (0, 3) and not_among(some[:0], some).shape == (0, 3)
    assert places(some[[2, 0]], some).tolist() == [2, 0] and not len(places(some[:0], some))
