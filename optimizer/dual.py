"""Prices and the bound they prove, for any engine: LP duals where the problem is small, a dual ascent at any size."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from optimizer.adam import Adam
from optimizer.book_trees import Books
from optimizer.certificate import admissible, bound, chunks, of_rows
from optimizer.core import Core
from optimizer.linear_program import row_duals

#: up to so many options the LP is solved at once, by an engine that ends at a corner; up to so many by the interior point method
CORNER, LP_FIRST = 10_000, 50_000
#: share of the time that the LP of a small problem may take: prices of its rows have to be found if it does not end
LP_SHARE = 0.7
#: the interior point method is for so many rows and options at most
BARRIER_ROWS, BARRIER_OPTIONS = 1_500, 1_000_000
#: blocks in a pass at most, and fewest options of one: handing out a smaller one takes longer than it; passes after which it
#: is known how many fit the time
BLOCKS, LEAST, TRIAL = 32, 16_000, 5
#: the first and the last step, in units of price, from 0 and from known prices; how soon the ascent forgets (see `Adam`)
STEPS, FRESH = ((0.1, 0.0005), (0.02, 0.0005)), (0.05, 0.05)
#: passes of the ascent; half as many beyond five million options
PASSES = 500

Stop = Callable[[float], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """Prices [R] and the bound they prove (the certificate's own figure), after so many passes of the ascent; `books`
    where a bound on whole books is lower, and `bound` is that. `hosts` [U] and `liked` [H] are then the options that those
    take most, and at times, of the units that are big for a rep (`books.Found`)."""

    prices: np.ndarray
    bound: float
    passes: int
    books: Books | None = None
    hosts: np.ndarray | None = None
    liked: np.ndarray | None = None


def find_prices(
    core: Core,
    seconds: float = 30.0,
    stop: Stop | None = None,
    lp: bool = True,
    passes: int = PASSES,
    start: np.ndarray | None = None,
    threads: int = 2,
) -> Dual:
    """A bound that prices prove, within `seconds`.

    Small problems get the LP's own prices (HiGHS). Larger ones a dual ascent from `start` or from 0, of middle size polished.
    Prices of a problem like this one make a good `start` [R]; one of another size or with gaps is passed over. `stop(bound)` is
    asked now and then. The best is kept, each judged by `certificate.bound`. The answer does not depend on `threads`.
    """
    end = time.monotonic() + seconds
    if lp and 0 < core.options <= CORNER:
        found = _of_lp(core, LP_SHARE * seconds)
        if found is not None:
            return found
    warm = start if start is not None and start.shape == (core.rows,) and np.isfinite(start).all() else None
    dual = ascend(core, passes, end, stop, warm, threads)
    if lp and core.options <= LP_FIRST:
        dual = replace(polished(core, dual, end - time.monotonic(), stop, threads), passes=0)
    return dual


def polished(core: Core, dual: Dual, seconds: float = 30.0, stop: Stop | None = None, threads: int = 2) -> Dual:
    """Prices that prove nearly all that prices can, from those of an ascent on: an interior point method (`optimizer.barrier`)
    up to a size; `dual` itself where it is the LP's, where that is too much, or where nothing better was found in time."""
    end = time.monotonic() + seconds
    fits = 0 < core.rows <= BARRIER_ROWS and 0 < core.options <= BARRIER_OPTIONS
    if not (dual.passes and fits) or not np.isfinite(dual.bound) or (stop and stop(dual.bound)):
        return dual
    better = _of_barrier(core, dual, end, stop, threads)
    return better if better.bound < dual.bound else dual


def _of_barrier(core: Core, best: Dual, end: float, stop: Stop | None, threads: int) -> Dual:
    from optimizer.barrier import climb
    from optimizer.relaxation import relaxation

    def asked(proved: float) -> bool:
        return time.monotonic() > end or (stop is not None and stop(min(proved, best.bound)))

    lp = relaxation(core)
    prices = climb(lp, best.prices[lp.row_of], threads, asked)
    if prices is None:
        return best
    whole = admissible(core, np.bincount(lp.row_of, weights=prices, minlength=core.rows))
    return Dual(whole, bound(core, whole), best.passes)


def _of_lp(core: Core, seconds: float) -> Dual | None:
    prices = lp_prices(core, seconds)
    return None if prices is None else Dual(prices, bound(core, prices), 0)


def blocks_of(core: Core) -> tuple[list[tuple[int, int]], int]:
    """Ranges of units for a pass over all options, as many whatever the threads, and the options of its longest step."""
    from optimizer.kernels import STEP

    longest = int((core.start[STEP:] - core.start[:-STEP]).max(initial=0)) or core.options
    return blocks(core.start), longest


def blocks(start: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of what has the options from `start` [n + 1] on, the same whatever the threads."""
    return chunks(start, max(LEAST, -(-int(start[-1]) // BLOCKS)))


def rates_of(core: Core, padded: np.ndarray) -> np.ndarray:
    """[F, M] what a unit of each factor's measure costs at each rep; 0 where its row is not the rep's. `padded` [R + 1] are
    the prices, and a 0."""
    rate = np.zeros((len(core.factor), len(core.cost)))
    for f, (_, _, by_rep, row) in enumerate(core.factor):
        if by_rep:
            rate[f] = padded[core.rep_row[row]]
    return rate


class Passes:
    """Passes over all options, in a fixed number of blocks of units on so many threads: the blocks' sums are added in
    order, so that the answer does not depend on the threads."""

    def __init__(self, core: Core, threads: int) -> None:
        self.core, self.pool = core, ThreadPoolExecutor(max(1, threads))
        self.blocks, self.room = blocks_of(core)
        self.choice = np.full(core.units, -1, dtype=np.int64)
        self.usage = np.zeros((len(self.blocks), core.rows + 1))
        self.table = np.zeros((len(self.blocks), len(core.factor), len(core.cost)))

    def best(self, prices: np.ndarray) -> tuple[float, np.ndarray]:
        """Sum of the best price-adjusted values of all units, and what these options use [R]; fills `choice` [U]."""
        from optimizer.kernels import best_of_range

        core, padded = self.core, np.append(prices, 0.0)
        rate = rates_of(core, padded)

        def block(i: int) -> float:
            room = np.empty(self.room)
            given = (*self.blocks[i], *core.model, padded, rate, room, self.choice, self.usage[i], self.table[i])
            return float(best_of_range(*given))

        total = sum(self.pool.map(block, range(len(self.blocks))))
        used, by_reps = self.usage.sum(axis=0), self.table.sum(axis=0)
        for f, (_, _, by_rep, row) in enumerate(core.factor):
            if by_rep:
                np.add.at(used, core.rep_row[row], by_reps[f])
        return float(total), used[:-1]


def ascend(
    core: Core, passes: int, end: float, stop: Stop | None = None, start: np.ndarray | None = None, threads: int = 1
) -> Dual:
    """Dual ascent with Adam steps (Kingma and Ba 2015) on the Lagrangian dual, each row in its own unit of price.

    The step falls geometrically, and the best bound met is kept, so the answer never gets worse with more passes. From
    `start` [R] a fifth of the passes, with steps a fifth as long, are made.
    """
    prices = np.zeros(core.rows) if start is None else admissible(core, start)
    kept = Dual(prices, bound(core, prices), 0)
    if not core.rows or not np.isfinite(kept.bound):
        return kept
    passes = max(1, (passes if core.options <= 5_000_000 else passes // 2) // (1 if start is None else 5))
    first, last = STEPS[start is not None]
    over = Passes(core, threads)
    with over.pool:
        usage = over.best(np.zeros(core.rows))[1]
        unit = price_units(core, over.choice)
        if start is not None:
            usage = over.best(prices)[1]
        low = np.where(np.isfinite(core.lower), -core.penalty, 0.0)
        high = np.where(np.isfinite(core.upper), core.penalty, 0.0)
        adam, promising = Adam((core.rows,), FRESH), prices
        value, step, began = kept.bound, 0, time.monotonic()
        while step < passes:
            step += 1
            gradient = _gradient(core, prices, usage)
            rate = first * (last / first) ** ((step - 1) / max(1, passes - 1))
            prices = np.clip(prices - rate * unit * adam.direction(gradient), low, high)
            total, usage = over.best(prices)
            quick = total + of_rows(core, prices)
            if quick < value:
                value, promising = quick, prices
            if step == TRIAL and np.isfinite(end):  # the step's fall has to fit the time there is
                passes = min(passes, step + max(1, int((end - time.monotonic()) / (time.monotonic() - began) * step)))
            if time.monotonic() > end or (step % 10 == 0 and stop is not None and stop(value)):
                break
    proved = bound(core, promising)
    return Dual(promising, proved, step) if proved < kept.bound else replace(kept, passes=step)


def lp_prices(core: Core, seconds: float) -> np.ndarray | None:
    """Prices [R] from the LP relaxation, by HiGHS; None when it does not finish in time."""
    a = core.matrix()
    soft, opened = np.flatnonzero(np.isfinite(core.penalty)), np.flatnonzero(core.is_open)
    above, below = np.isfinite(core.upper), np.isfinite(core.lower)
    slack = csr_array((np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(core.rows, len(soft)))
    upper_y, lower_y = _position_columns(core, opened, core.upper), _position_columns(core, opened, core.lower)
    none = csr_array((core.rows, len(soft)))
    assign = csr_array((np.ones(core.options), (core.unit, np.arange(core.options))), shape=(core.units, core.options))
    rest = csr_array((core.units, 2 * len(soft) + len(opened)))
    matrix = vstack(
        [hstack([a, -slack, none, -upper_y])[above], hstack([-a, none, -slack, lower_y])[below], hstack([assign, rest])]
    )
    held, count = core.position >= 0, int(above.sum() + below.sum())
    high = [np.where(held, 0.0, core.upper)[above], -np.where(held, 0.0, core.lower)[below], np.ones(core.units)]
    low = [np.full(count, -np.inf), np.where(core.mandatory, 1.0, -np.inf)]
    cost = np.concatenate([-core.value, core.penalty[soft], core.penalty[soft], core.cost[opened]])
    most = np.append(np.full(len(cost) - len(opened), np.inf), np.ones(len(opened)))
    interior, sides = core.options > LP_FIRST, (np.concatenate(low), np.concatenate(high))
    dual = row_duals(cost, most, csr_array(matrix), *sides, max(0.1, seconds), interior)
    if dual is None:
        return None
    prices = np.zeros(core.rows)
    prices[above] -= dual[: above.sum()]
    prices[below] += dual[above.sum() : count]
    return admissible(core, prices)


def _position_columns(core: Core, opened: np.ndarray, side: np.ndarray) -> csr_array:
    """[R, J] the bound of each row of an open position in its column."""
    rows = np.flatnonzero((core.position >= 0) & np.isfinite(side))
    column = np.searchsorted(opened, core.position[rows])
    return csr_array((side[rows], (rows, column)), shape=(core.rows, len(opened)))


def price_units(core: Core, choice: np.ndarray) -> np.ndarray:
    """[R] what a unit of each row's measure is worth, roughly: value ÷ measure of the options units would like, by
    factor. Sets the size of the first steps; a soft row's is at most its penalty."""
    taken = choice[choice >= 0]
    worth = float(np.abs(core.value[taken]).sum())
    unit = np.zeros(core.rows)
    for row, amount in core.contributions(taken):
        used = float(np.abs(amount).sum())
        rows = np.unique(row[row >= 0])
        if used > 0:
            unit[rows] = np.maximum(unit[rows], worth / used)
    typical = np.median(unit[unit > 0]) if (unit > 0).any() else 1.0
    return np.minimum(np.where(unit > 0, unit, typical), core.penalty)


def _gradient(core: Core, prices: np.ndarray, usage: np.ndarray) -> np.ndarray:
    """[R] subgradient of the bound in the prices, in shares of each row's right-hand side, clipped to ±1."""
    side = np.where(prices > 0, core.upper, np.where(prices < 0, core.lower, np.clip(usage, core.lower, core.upper)))
    held = core.position >= 0
    if held.any():
        with np.errstate(invalid="ignore"):
            paid = np.where(prices == 0, 0.0, prices * side)
        per_rep = np.bincount(core.position[held], weights=paid[held], minlength=len(core.cost))
        side = np.where(held & (per_rep[core.position] <= core.cost[core.position]), 0.0, side)
    scale = np.maximum(np.maximum(np.abs(side), np.abs(usage)), 1e-9)
    return np.clip((side - usage) / scale, -1.0, 1.0)
