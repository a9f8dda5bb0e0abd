"""A bound by listing the books of each rep that may be in a better plan, recomputed without any solver.

A plan is one book for each rep, and its value the sum of theirs (Dantzig and Wolfe 1960). At prices that prove a bound B, a plan
worth more than V holds no book that is worth B − V less to its rep than the best: what is left can often be listed (route
enumeration: Baldacci, Christofides and Mingozzi 2008). Other prices then leave fewer, and parts of what is left, with an option
and without it, fewer still (Ryan and Foster 1981), until no part can hold a better plan.
"""

from __future__ import annotations

from threading import TIMEOUT_MAX, Timer
from time import monotonic

import numpy as np

from optimizer.columns import LISTED, MOST_BOOKS, Duals, Lister, RepBooks
from optimizer.core import Core
from optimizer.kernels.columns import pay
from optimizer.listing import Listing, demand_steps

#: a plan counts as better when it is worth this share more
EXACT = 1e-8


class Listed:
    """The books of all reps in one row of arrays: `place` [N] of the rep, of whom the `first` [M'] is where."""

    def __init__(self, core: Core, lister: Lister, reps: list[RepBooks]) -> None:
        self.core, self.lister, self.reps = core, lister, reps
        count = [len(rep.books) for rep in reps]
        self.place = np.repeat(np.arange(len(reps)), count)
        self.first = np.cumsum([0, *count])[:-1]
        self.worth = np.concatenate([np.zeros(0), *(rep.worth for rep in reps)])
        holds = [np.concatenate([rep.books, rep.twice.T], axis=1) for rep in reps]
        self.begin = np.cumsum([0, *np.concatenate([np.count_nonzero(of, axis=1) for of in holds])])
        payers = [np.append(rep.option, core.options + np.arange(len(rep.twice))).astype(np.int32) for rep in reps]
        self.pays = np.concatenate([of[np.nonzero(held)[1]] for of, held in zip(payers, holds, strict=True)])

    def items(self, book: int) -> np.ndarray:
        """The options that a book holds."""
        pays = self.pays[self.begin[book] : self.begin[book + 1]]
        return pays[pays < self.core.options]

    def part(self, some: np.ndarray, option: int, inside: bool) -> np.ndarray:
        """Those of some books (positions, in order) that plans hold which have an option, or which do not."""
        ends, out, unit = np.searchsorted(some, np.append(self.first, len(self.place))), [], self.core.unit[option]
        for rep, first, begin, end in zip(self.reps, self.first, ends[:-1], ends[1:], strict=True):
            mine, here = rep.rep == self.core.rep[option], some[begin:end]
            at = np.flatnonzero(rep.option == option if mine or not inside else rep.unit == unit)
            held = rep.books[np.ix_(here - first, at)].any(axis=1)
            out.append(here[held == (mine and inside)])
        return np.concatenate(out)

    def bound(self, duals: Duals, some: np.ndarray) -> tuple[float, np.ndarray]:
        """A bound on plans of some books (positions [n], in order), and how much less each is worth to its rep than the best of
        these [n]."""
        price = np.append(self.lister.paid_by(slice(None), duals), duals.triple)
        worth, place, tops = self.worth[some], self.place[some], np.full(len(self.reps), -np.inf)
        pay(some, self.begin, self.pays, price, worth)
        np.maximum.at(tops, place, worth)
        with np.errstate(invalid="ignore"):
            return self.lister.of_all(duals, tops), worth - tops[place]


def listing_bound(core: Core, listing: Listing, value: float, end: float = np.inf) -> float:
    """A bound on every plan: `value`, that of a plan that is known, the listing's goal, or what is proved, whichever is most.

    The reps' books are searched for those that count. From `end` on (by `time.monotonic`) no more are, and what the steps
    before have proved counts, inf where there are none. Raises `ValueError` where a listing does not fit the
    problem, or names prices at which too many count.
    """
    demand_steps(core, listing)
    value = max(value, listing.goal)
    value += EXACT * max(1.0, abs(value))
    lister = Lister(core)
    reps, proved, line = lister.reps(), np.inf, _line(listing)
    for step in range(line):
        duals, seeking = _duals(listing, step, lister), not all(rep.all for rep in reps)
        if seeking and step >= len(listing.need):
            break
        needs = listing.need[min(step, len(listing.need) - 1), [rep.rep for rep in reps]]
        if seeking:
            for rep, need in zip(reps, needs, strict=True):
                if not rep.all and not _sought(core, lister, rep, duals, listing.triples, float(need), end):
                    return max(value, proved)
        worth = [lister.reduced(rep, duals) for rep in reps]
        tops = np.array(
            [of.max(initial=-np.inf if rep.all else need) for rep, of, need in zip(reps, worth, needs, strict=True)]
        )
        bound = lister.of_all(duals, tops)
        proved = min(proved, bound)
        if np.isneginf(bound):  # a rep is listed, and no book of it may be in a better plan
            return value
        for rep, other in zip(reps, bound - tops + needs, strict=True):
            rep.all = rep.all or bool(other <= value)
        if all(rep.all for rep in reps):
            for rep, of, top in zip(reps, worth, tops, strict=True):
                rep.keep(of >= top - (bound - value))
    if all(rep.all for rep in reps):
        proved = min(proved, _of_steps(Listed(core, lister, reps), listing, line - 1, value))
    return max(value, proved)


def _line(listing: Listing) -> int:
    """How many steps there are before the first one that parts what is left."""
    follows = (listing.parent[1:] == np.arange(len(listing.parent) - 1)) & (listing.option[1:] == -1)
    return 1 + int(np.argmin(np.append(follows, False)))


def _sought(
    core: Core, lister: Lister, rep: RepBooks, duals: Duals, triples: np.ndarray, need: float, end: float
) -> bool:
    """Have a rep hold all books that are worth so much; whether that was done before `end`."""
    left = end - monotonic()
    if left < 0:
        return False
    late = Timer(min(left, TIMEOUT_MAX), lister.stop.fill, (1,))
    late.start()
    try:
        found, top = lister.list(rep, duals, triples, need, np.inf, LISTED, MOST_BOOKS)
    finally:
        late.cancel()
    if top == np.inf and monotonic() >= end:
        return False
    if top == np.inf:
        raise ValueError("more books count at the listing's prices than can be listed")
    rep.take(core, found, triples)
    return True


def _of_steps(listed: Listed, listing: Listing, first: int, value: float) -> float:
    """What the steps from the `first` on, which leaves the books listed, prove together."""
    steps = len(listing.parent)
    proved, below, left = np.full(steps, np.inf), np.full(steps, -np.inf), [np.zeros(0, dtype=np.int64)] * first
    for step in range(first, steps):
        option = int(listing.option[step])
        some = np.arange(len(listed.place)) if step == first else left[listing.parent[step]]
        some = some if option < 0 else listed.part(some, option, bool(listing.inside[step]))
        proved[step], less = listed.bound(_duals(listing, step, listed.lister), some)
        left.append(some[less >= value - proved[step]])
    parted = np.bincount(listing.parent[1:], minlength=steps) > 0
    for step in range(steps - 1, first - 1, -1):
        if parted[step]:
            proved[step] = min(proved[step], below[step])
        if step:
            above = listing.parent[step]
            below[above] = max(below[above], proved[step])
    return float(proved[first])


def _duals(listing: Listing, step: int, lister: Lister) -> Duals:
    """The prices of a step, as far as they prove something."""
    return lister.admissible(Duals(listing.unit_prices[step], listing.row_prices[step], listing.triple_prices[step]))
