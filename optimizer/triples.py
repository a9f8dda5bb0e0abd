"""Triples of units that books taken in part exceed: no more than one book of a plan holds two of three units (subset rows:
Jepsen, Petersen, Spoorendonk and Pisinger 2008)."""

from __future__ import annotations

import numpy as np

#: triples that are exceeded by this share, so many in one go, of a unit at most so many
EXCEEDED, AT_ONCE, OF_UNIT = 0.02, 60, 5


def exceeded(units: int, taken: list[tuple[np.ndarray, float]], known: np.ndarray) -> np.ndarray:
    """[C, 3] triples of units of which books (their units, the share taken) hold two more than once, the worst first; none that
    are `known` [·, 3]."""
    part = [(held, share) for held, share in taken if share < 1 - 1e-6]
    if not part:
        return np.zeros((0, 3), dtype=np.int64)
    some = np.unique(np.concatenate([held for held, _ in part]))
    pair, three = np.zeros((len(some),) * 2), np.zeros((len(some),) * 3, dtype=np.float32)
    for held, share in part:
        at = np.searchsorted(some, held)
        pair[np.ix_(at, at)] += share
        three[np.ix_(at, at, at)] += share
    over = pair[:, :, None] + pair[:, None, :] + pair[None, :, :] - 2 * three - 1
    a, b, c = np.nonzero(over > EXCEEDED)
    ordered = (a < b) & (b < c)
    a, b, c = a[ordered], b[ordered], c[ordered]
    order = np.argsort(-over[a, b, c], kind="stable")[: 4 * AT_ONCE]
    times, found = np.zeros(units, dtype=np.int64), list[list[int]]()
    for triple in not_among(some[np.column_stack([a, b, c])[order]], known).tolist():
        if (times[triple] < OF_UNIT).all() and len(found) < AT_ONCE:
            times[triple] += 1
            found.append(triple)
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def not_among(triples: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Those of triples [C, 3] that are not among others [·, 3]."""
    old = set(map(tuple, known.tolist()))
    return triples[[tuple(triple) not in old for triple in triples.tolist()]]


def places(triples: np.ndarray, among: np.ndarray) -> np.ndarray:
    """[C] where each of triples [C, 3] is among others [·, 3]."""
    at = {tuple(triple): i for i, triple in enumerate(among.tolist())}
    return np.array([at[tuple(triple)] for triple in triples.tolist()], dtype=np.int64)
