"""Unit prices, own prices and trees of books that prove a tighter bound than prices of rows (`optimizer.book_bound`).

The bound is convex in all its prices. Its maxima over leaves are smoothed (a leaf weighs e^(value ÷ heat), Nesterov 2005)
and Adam steps (Kingma and Ba 2015) are made on all prices at once, while the heat falls. Between stages a leaf that counts
is parted at the units it takes and leaves in turn: what a plan cannot do.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from optimizer.book_bound import books_bound
from optimizer.book_search import Effort, Search
from optimizer.book_stage import Stop
from optimizer.book_trees import Books, start_books
from optimizer.certificate import admissible
from optimizer.core import Core
from optimizer.own_rows import OwnRows

#: with up to so many options the search is thorough
SMALL = 50_000
#: with more options than this it would take too much memory (some 100 bytes an option) and time
MOST_OPTIONS = 6_000_000
#: how much is done in small problems and in others, where there are so many seconds an option
SMALLER = ((6e-4, Effort(1280, 0.025, 12, 1e-5)), (0.0, Effort(640, 0.025, 8, 1e-5)))
LARGER = ((1.3e-4, Effort(640, 0.05, 5, 1e-5)), (8e-5, Effort(640, 0.1)), (0.0, Effort(320, 0.2)))
#: with no more options than this, books are sought one by one and listed afterwards: prices to begin with are enough
SOON_LISTED, BEGINNING = 1_500, Effort(320, 0.025, 6, 1e-5)
#: of units that fill no more than this share of a row no host is told
HOSTED = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Books, the bound they prove (the certificate's own figure), and for units that part some rep's books and fill
    `HOSTED` of a row: `hosts` [U], the option that they take most (-1 for the others), and `liked` [H], the options that they
    take at times."""

    books: Books
    bound: float
    hosts: np.ndarray
    liked: np.ndarray


def find_books(
    core: Core,
    prices: np.ndarray,
    seconds: float = 60.0,
    stop: Stop | None = None,
    effort: Effort | None = None,
    threads: int = 2,
    begun: Books | None = None,
    proved: float | None = None,
) -> Found | None:
    """Books that prove more than `prices` [R] do; None where no unit is big for a rep, where there are too many
    options, or where nothing better was found.

    `effort` is the usual one for the size where none is named. `stop(bound)` is asked now and then. Books that are `begun`
    already, of a problem like this one, need fewer passes; those that prove less than prices do are dropped. What prices have
    `proved` is worked out where it is not said. The answer does not depend on `threads`.
    """
    end = time.monotonic() + seconds
    if not 0 < core.options <= MOST_OPTIONS or not core.rows:
        return None
    undivided = start_books(core, prices)
    proved = books_bound(core, undivided) if proved is None else proved
    if not np.isfinite(proved) or not undivided.own_prices.shape[1]:
        return None
    bound = np.inf if begun is None else books_bound(core, begun)
    begun = begun if bound < proved else None
    search = Search(core, begun or undivided, effort or usual(core.options), threads)
    with search.pool:
        if begun is not None and stop is not None and stop(bound):
            return Found(begun, bound, *search.hosts(begun, HOSTED))
        best, kept = search.run(end, stop) if (search.near >= 0).any() else (np.inf, None)
    if kept is None or not best < proved:
        return None
    bound = books_bound(core, kept)
    return Found(kept, bound, *search.hosts(kept, HOSTED)) if bound < proved else None


def usual(options: int, seconds: float = 0.0) -> Effort:
    """What is done for a problem of so many options when there are so many seconds."""
    if options <= SOON_LISTED:
        return BEGINNING
    return next(effort for each, effort in (SMALLER if options <= SMALL else LARGER) if each * options <= seconds)


def prices_with(core: Core, books: Books, hosts: np.ndarray) -> np.ndarray:
    """[R] prices of the rows when units have the options `hosts` [U] (-1: as they like): own rows at the prices of the
    leaves that say the same."""
    at, says = np.where(hosts >= 0, core.rep[hosts], -1), np.ones(len(books.rep), dtype=bool)
    for node in np.flatnonzero(books.parent >= 0):  # parents come first
        here = (at[books.unit[node]] == books.rep[node]) == books.inside[node]
        says[node] = says[books.parent[node]] and here
    leaves = books.leaves[says[books.leaves]]
    rows = OwnRows.of(core).row[books.rep[leaves]]
    out = np.append(books.prices, 0.0)
    out[rows] = books.own_prices[leaves]
    return admissible(core, out[:-1])
