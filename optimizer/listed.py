"""A bound by listing the books of each rep that may be in a better plan, recomputed without any solver.

A plan is one book for each rep, and its value the sum of theirs (Dantzig and Wolfe 1960). At prices that prove a bound B, a plan
worth more than V holds no book that is worth B − V less to its rep than the best: what is left can often be listed (route
enumeration: Baldacci, Christofides and Mingozzi 2008). Other prices then leave fewer, and parts of what is left, with an option
and without it, fewer still (Ryan and Foster 1981), until no part can hold a better plan.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from time import monotonic

import numpy as np

from optimizer import compiled
from optimizer.columns import LISTED, MOST_BOOKS, Duals, Lister, RepBooks
from optimizer.core import Core
from optimizer.kernels.columns import pay
from optimizer.listing import Listing, demand_steps

#: a plan counts as better when it is worth this share more
EXACT = 1e-8
#: threads that list books, of one rep each; steps for which that is done together
THREADS, TOGETHER = 2, 6
#: no book of any rep is worth as much
UNREACHED = 1e18


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


def load() -> None:
    """Load the compiled loops, by listing nothing of the tiny problem that was kept when they were compiled."""
    if not (compiled.mark().exists() and compiled.tiny().exists()):
        return
    core, one = Core.load(compiled.tiny()), np.zeros(1, dtype=np.int64)
    prices = np.zeros((1, core.units)), np.zeros((1, core.rows)), np.ones((1, 1))
    need = np.full((1, len(core.is_open)), UNREACHED)
    listing_bound(core, Listing(need, np.array([[0, 1, 2]]), one - 1, one - 1, one > 0, *prices), 0.0)


def listing_bound(core: Core, listing: Listing, value: float, end: float = np.inf) -> float:
    """A bound on every plan: `value`, that of a plan that is known, the listing's goal, or what is proved, whichever is most.

    The reps' books are searched for those that count. From `end` on (by `time.monotonic`) no more are, and what the steps
    before have proved counts, inf where there are none. Raises `ValueError` where a listing does not fit the
    problem, or names prices at which too many count.
    """
    demand_steps(core, listing)
    value = float(max(value, listing.goal))
    value += EXACT * max(1.0, abs(value))
    lister, steps, seeks = Lister(core), len(listing.parent), len(listing.need)
    proved, left = np.full(steps, np.inf), dict[int, list[RepBooks]]()
    parts = np.bincount(listing.parent[1:], minlength=steps)  # of each step, how many still need what is left there
    sought = np.zeros(steps, dtype=bool)
    waiting = set(np.flatnonzero((np.arange(steps) < seeks) | (listing.option < 0)).tolist())
    while waiting:  # parts of what is listed come after
        ready = [step for step in sorted(waiting) if int(listing.parent[step]) not in waiting][:TOGETHER]
        waiting -= set(ready)
        begun = {step: _begun(core, lister, listing, step, left) for step in ready}
        some = {step: reps for step, reps in begun.items() if reps is not None}
        needs = {step: listing.need[min(step, seeks - 1), [rep.rep for rep in reps]] for step, reps in some.items()}
        at = {step: _duals(listing, step, lister) for step in some}
        if not _sought(lister, [(some[step], at[step], needs[step]) for step in some], listing.triples, end):
            return _together(listing, proved, value)
        for step, reps in some.items():
            proved[step], sought[step] = _counted(lister, reps, at[step], needs[step], value), True
            above = int(listing.parent[step])
            if parts[step]:
                left[step] = reps
            if step:
                parts[above] -= 1
                if not parts[above]:
                    del left[above]
    for step in list(left):
        reps = left.pop(step)
        if all(rep.all for rep in reps):
            _of_steps(Listed(core, lister, reps), listing, step, value, proved, sought)
    return _together(listing, proved, value)


def _begun(
    core: Core, lister: Lister, listing: Listing, step: int, left: dict[int, list[RepBooks]]
) -> list[RepBooks] | None:
    """The reps of a step as what is left of the one before leaves them; None where books are not sought there."""
    above, option = int(listing.parent[step]), int(listing.option[step])
    if step and above not in left:
        return None
    reps = [copy(rep) for rep in left[above]] if step else lister.reps()
    if option >= 0:
        reps = [rep.part(core, option, bool(listing.inside[step])) for rep in reps]
    return reps if step < len(listing.need) or all(rep.all for rep in reps) else None


def _counted(lister: Lister, reps: list[RepBooks], duals: Duals, needs: np.ndarray, value: float) -> float:
    """A bound at these prices, where reps that are not listed hold every book that is worth as much as they need; reps are listed
    from here on of whom no other may be in a better plan, and hold none that is in no better plan."""
    worth = [lister.reduced(rep, duals) for rep in reps]
    tops = np.array(
        [of.max(initial=-np.inf if rep.all else need) for rep, of, need in zip(reps, worth, needs, strict=True)]
    )
    bound = lister.of_all(duals, tops)
    none = bool(np.isneginf(bound))  # a rep is listed, and no book of it may be in a better plan
    for rep, of, top, need in zip(reps, worth, tops, needs, strict=True):
        rep.all = rep.all or none or bool(bound - top + need <= value)
        if rep.all:
            rep.keep(np.zeros(len(of), dtype=bool) if none else of >= top - (bound - value))
    return bound


def _together(listing: Listing, proved: np.ndarray, value: float) -> float:
    """The value, or what steps prove together, each no more than the most of those in which it is parted."""
    proved, below = proved.copy(), np.full(len(proved), -np.inf)
    parted = np.bincount(listing.parent[1:], minlength=len(proved)) > 0
    for step in range(len(proved) - 1, -1, -1):
        if parted[step]:
            proved[step] = min(proved[step], below[step])
        if step:
            above = listing.parent[step]
            below[above] = max(below[above], proved[step])
    return max(value, float(proved[0]))


def _sought(
    lister: Lister, steps: list[tuple[list[RepBooks], Duals, np.ndarray]], triples: np.ndarray, end: float
) -> bool:
    """Have reps that are not listed, of several steps, hold all books worth as much as they need [M'] at the step's prices;
    whether that was done before `end`."""
    todo = [
        (rep, duals, float(need))
        for reps, duals, needs in steps
        for rep, need in zip(reps, needs, strict=True)
        if not rep.all
    ]
    left = end - monotonic()
    if left < 0:
        return not todo

    def seek(sought: tuple[RepBooks, Duals, float]) -> bool:
        rep, duals, need = sought
        found, top = lister.list(rep, duals, triples, need, np.inf, LISTED, MOST_BOOKS)
        if top == np.inf:
            lister.stop[0] = 1  # the others are not needed
        else:
            rep.take(lister.core, found, triples)
        return bool(top < np.inf)

    with lister.ending(left), ThreadPoolExecutor(THREADS) as pool:
        done = all(list(pool.map(seek, todo)))
    if not done and monotonic() < end:
        raise ValueError("more books count at the listing's prices than can be listed")
    return done


def _of_steps(
    listed: Listed, listing: Listing, first: int, value: float, proved: np.ndarray, sought: np.ndarray
) -> None:
    """Fill in what the steps below the `first` prove, which leaves the books listed, but those at which books are sought."""
    left = {first: np.arange(len(listed.place))}
    for step in range(first + 1, len(proved)):
        above, option = int(listing.parent[step]), int(listing.option[step])
        if above not in left or sought[step]:
            continue
        some = left[above] if option < 0 else listed.part(left[above], option, bool(listing.inside[step]))
        proved[step], less = listed.bound(_duals(listing, step, listed.lister), some)
        left[step] = some[less >= value - proved[step]]


def _duals(listing: Listing, step: int, lister: Lister) -> Duals:
    """The prices of a step, as far as they prove something."""
    return lister.admissible(Duals(listing.unit_prices[step], listing.row_prices[step], listing.triple_prices[step]))
