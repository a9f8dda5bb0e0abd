"""Big units first: where they go is settled on its own, and what is left is priced anew.

A unit that fills much of a rep's band or hours is what prices of rows cannot place: they split it. Once it has its place,
its rep's rows are what is left of them, prices found anew say what room there is worth now, and the bound for the rest is
nearly reached by the local search. Where big units go is read off the books that prove the bound (`optimizer.books`) or,
in a small problem, off a mixed-integer program in which only they are whole (relax-and-fix: Pochet and Wolsey 2006).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimizer.board import short_list
from optimizer.book_search import Effort
from optimizer.books import MOST_OPTIONS, find_books, prices_with
from optimizer.certificate import adjusted, best_of_units
from optimizer.core import Core, share_of
from optimizer.dual import LP_FIRST, Dual, find_prices
from optimizer.engines.base import Limits, Placing, Report
from optimizer.own_rows import OwnRows
from optimizer.reduced import Reduced, reduce
from optimizer.search import WHOLE
from optimizer.vicinity import vicinity

#: as `Engine.place`: where some units go while the others may be split
Place = Callable[[Core, np.ndarray, Limits, Report], Placing]
#: shares of the time left for the mixed-integer program, to what gap, and for prices of what is left
PLACE_SHARE, PLACE_GAP, PRICE_SHARE = 0.25, 1e-5, 0.2
#: options a unit, those of least regret, that the units that may be split have in that program
SPLIT = 2.5
#: big are few: no more than this share of the units; fewer than as small a share are not worth new prices for the others
MOST, LEAST = 0.35, 1e-3
#: and unlike the others: a unit that fills more than this share of all units do fills so many times what the typical one does
TAIL = (0.95, 3.0)
#: passes for the prices of what is left, as from 0: a band that a big unit has left little of is far from its old price
PRICE_PASSES = 1_500
#: where books of all are too much, units that fill more than this share are placed, among reps with so many options, in
#: this share of the time left and with so much effort
NEAR, NEAR_OPTIONS, NEAR_SHARE, NEAR_EFFORT = 0.2, 3_000_000, 0.25, Effort(100, 0.2)
#: places are looked for again, with so many passes for prices and so much effort for books of what is left when the sure ones
#: are taken, in this share of the time left
SURE_PASSES, SURE_EFFORT, SURE_SHARE = 300, Effort(120, 0.2), 0.1
#: options a unit, those of most price-adjusted value, that units have when others are fastened
NARROW = 5
#: places are bad that take more than this share off what can be reached (or leave the rest without a plan)
LOSS = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A problem whose big units have their place: `part` is the others', at `prices` [R']. `value` is what no plan with
    the big units there is above."""

    part: Reduced
    prices: np.ndarray
    value: float


def settle(
    core: Core,
    dual: Dual,
    place: Place | None,
    limits: Limits,
    stop: Callable[[], bool],
    keep: np.ndarray | None = None,
) -> list[Settled]:
    """Big units placed, the rest priced, in one or two ways, the one that may bring more first; none where no unit is big, or
    many are, or where with them there the rest has no plan. Big units that a good plan `keep` [U] serves stay where it has
    them."""
    if dual.hosts is None:
        return []
    liked = short_list(core, dual.prices, np.full(core.units, -1, dtype=np.int64), 1, limits.threads).option[:, 0]
    if not _uneven(_filled(core, np.where(dual.hosts >= 0, dual.hosts, liked))):
        return []
    ways = [_settled(core, dual, place, limits, stop, keep)]
    if keep is None and core.options > LP_FIRST and not stop():
        hosts = _surely(core, dual, limits, stop)
        ways += [] if hosts is None else [_settled(core, replace(dual, hosts=hosts), place, limits, stop, keep)]
    return sorted((way for way in ways if way is not None), key=lambda way: -way.value)


def _surely(core: Core, dual: Dual, limits: Limits, stop: Callable[[], bool]) -> np.ndarray | None:
    """[U] hosts in two steps (diving: Sadykov and others 2019): books of what is left when the units that books take nowhere
    else have their place say where the others go. None where there are none of either."""
    assert dual.hosts is not None and dual.liked is not None and dual.books is not None
    sure = (dual.hosts >= 0) & (np.bincount(core.unit[dual.liked], minlength=core.units) <= 1)
    if not sure.any():
        return None
    taken = np.where(sure, dual.hosts, -1)
    seconds = 1e9 if limits.deterministic else SURE_SHARE * limits.left()
    part = reduce(core, taken, ~sure, np.arange(core.options))
    start = prices_with(core, dual.books, taken)[part.row]
    priced = find_prices(part.core, seconds, lambda _: stop(), False, SURE_PASSES, start, limits.threads)
    found = find_books(
        part.core, priced.prices, seconds, lambda _: stop(), SURE_EFFORT, limits.threads, proved=priced.bound
    )
    return None if found is None else np.where(sure, taken, part.lift(found.hosts))


def _settled(
    core: Core,
    dual: Dual,
    place: Place | None,
    limits: Limits,
    stop: Callable[[], bool],
    keep: np.ndarray | None,
) -> Settled | None:
    """As `settle`, however large the others are."""
    if dual.hosts is None or dual.liked is None or dual.books is None:
        return None
    hosts, big = dual.hosts, dual.hosts >= 0
    if not 0 < big.sum() <= MOST * core.units:
        return None
    if keep is not None:
        hosts = np.where(big & (keep >= 0), keep, hosts)
    elif place is not None and core.options <= LP_FIRST and not limits.deterministic:
        some = replace(limits, gap=PLACE_GAP, time_limit=limits.elapsed() + PLACE_SHARE * limits.left())
        hosts = _hosts(core, dual, hosts, dual.liked, place, some, stop)
    choice, prices = np.where(big, hosts, -1), prices_with(core, dual.books, hosts)
    seconds = PRICE_SHARE * limits.left()
    settled = _priced(core, choice, ~big, np.arange(core.options), prices, limits, seconds, stop, lp=True)
    return settled if share_of(dual.bound, settled.value) <= LOSS and not stop() else None


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """Units that stay at an option of theirs: `option` [U] (-1: free), and `prices` [R] for the search of the others."""

    option: np.ndarray
    prices: np.ndarray


def hold(
    core: Core,
    dual: Dual,
    limits: Limits,
    stop: Callable[[], bool],
    keep: np.ndarray | None = None,
) -> Held | None:
    """As `settle` for a problem that has too many options for books: big units stay where books of the reps that they like
    take them most, everyone else being at the prices. None where no unit is big."""
    if core.options <= MOST_OPTIONS:
        return None
    near = vicinity(core, dual.prices, NEAR, NEAR_OPTIONS)
    if near is None or stop():
        return None
    paid = dual.prices[near.row]
    seconds = 1e9 if limits.deterministic else NEAR_SHARE * limits.left()
    found = find_books(near.core, paid, seconds, lambda _: stop(), NEAR_EFFORT, threads=limits.threads)
    if found is None:
        return None
    proved = replace(dual, prices=paid, bound=found.bound, books=found.books, hosts=found.hosts, liked=found.liked)
    own = None if keep is None else near.part(keep)
    settled = _settled(near.core, proved, None, limits, stop, own)
    if settled is None:
        return None
    paid[settled.part.row] = settled.prices
    prices = dual.prices.copy()
    prices[near.row] = paid
    return Held(near.lift(settled.part.rest), prices)


def bigger(core: Core, choice: np.ndarray, shares: Sequence[float]) -> np.ndarray | None:
    """The units of a plan [U] that fill more than one of the `shares` of one of their rep's own rows: the first share at which
    they are neither hardly any nor many; None where there is none, or where no unit is unlike the others: then many that are as
    large as those have to move."""
    filled = _filled(core, choice)
    if not _uneven(filled):
        return None
    each = (np.flatnonzero(filled > share) for share in shares)
    return next((held for held in each if LEAST * core.units < len(held) <= MOST * core.units), None)


def _filled(core: Core, choice: np.ndarray) -> np.ndarray:
    """[U] the largest share that each unit of a choice [U] fills of one of its rep's own rows; 0 for the unserved."""
    own, served, filled = OwnRows.of(core), np.flatnonzero(choice >= 0), np.zeros(len(choice))
    shares = np.abs(own.amounts(core, choice[served])) / own.size[core.rep[choice[served]]]
    filled[served] = shares.max(axis=1, initial=0.0)
    return filled


def _uneven(filled: np.ndarray) -> bool:
    """Whether some units fill far more than the typical one that fills anything."""
    some, (share, times) = filled[filled > 0], TAIL
    return len(some) > 0 and bool(np.quantile(some, share) > times * np.median(some))


def fasten(
    core: Core,
    choice: np.ndarray,
    shares: Sequence[float],
    prices: np.ndarray,
    limits: Limits,
    seconds: float,
    stop: Callable[[], bool],
) -> Settled | None:
    """The units of a plan [U] that fill more than one of the `shares` of one of their rep's own rows stay where it has them
    (`bigger`), and the others, of whom not all options count, get prices of their own, from those of the whole problem [R]
    on. None where hardly any would stay, or many, or no option is left.

    A rep's own row has one price, whatever is in its book: it is wrong in the end for most reps with a unit that the prices
    would rather split. `value` is said of the options that count.
    """
    held = bigger(core, choice, shares)
    if held is None:
        return None
    free = np.ones(core.units, dtype=bool)
    free[held] = False
    keep = np.sort(short_list(core, prices, choice, NARROW, limits.threads).option, axis=None)
    keep = keep[keep >= 0]
    if not free[core.unit[keep]].any():
        return None
    lp = core.units <= WHOLE  # the LP's own prices are at a corner: in parts the search goes astray by them
    return _priced(core, choice, free, keep, prices, limits, seconds, stop, lp)


def _priced(
    core: Core,
    choice: np.ndarray,
    free: np.ndarray,
    keep: np.ndarray,
    start: np.ndarray,
    limits: Limits,
    seconds: float,
    stop: Callable[[], bool],
    lp: bool,
) -> Settled:
    """The `free` units [U] with the options `keep`, the others at their `choice` [U], and new prices, from `start` [R] on."""
    part = reduce(core, choice, free, keep)
    if limits.deterministic:
        seconds = 1e9
    priced = find_prices(
        part.core, seconds, lambda _: stop(), lp and not limits.deterministic, PRICE_PASSES, start[part.row],
        limits.threads,
    )  # fmt: skip
    nobody = np.full(part.core.units, -1, dtype=np.int64)
    value = priced.bound + core.objective(part.lift(nobody)) - part.core.objective(nobody)
    return Settled(part, priced.prices, value)


def _hosts(
    core: Core,
    dual: Dual,
    hosts: np.ndarray,
    liked: np.ndarray,
    place: Place,
    limits: Limits,
    stop: Callable[[], bool],
) -> np.ndarray:
    """[U] where a mixed-integer program has the big units; `hosts` where it finds nothing. They have the options that the
    books take at times; the others, who may be split, those of least regret: they would go there."""
    big = hosts >= 0
    best, _ = best_of_units(core, dual.prices)
    regret = best[core.unit] - adjusted(core, dual.prices, 0, core.units)
    regret[big[core.unit]] = np.inf
    regret[liked] = -1.0
    keep = np.argsort(regret, kind="stable")[: len(liked) + int(SPLIT * (~big).sum())]
    keep = np.sort(keep[np.isfinite(regret[keep])])
    part = reduce(core, np.full(core.units, -1), np.ones(core.units, dtype=bool), keep)
    placed = place(part.core, big, limits, lambda _: stop())
    return part.lift(placed.choice) if np.isfinite(placed.worth) else hosts
