"""Which positions to open: a relaxation that prices units says which are worth it, search and exact parts do the rest.

Lagrangian relaxation of the assignment (Beasley 1993) gives unit prices, the bound of `positions.position_bound` and how
promising every option is. Where no row but each rep's own one matters, annealing over open positions finds plans; then
neighbourhoods of the positions that lose most against the bound are solved again exactly (a large neighbourhood search
over a kernel of promising options: Guastaroba and Speranza 2014).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import csr_array

from optimizer.certificate import best_of_units
from optimizer.core import Core
from optimizer.engines.base import Engine, Limits, Progress, Report
from optimizer.position_annealing import FRUITLESS, NEAR, anneal_rounds
from optimizer.positions import position_bound
from optimizer.reduced import CROSSED, Kept, crossing, reduce
from optimizer.unit_prices import Relaxation, ascend, only_own_rows, worth_of_room

#: more positions than this, with more than this share of the options, are chosen in this way
MANY, MOSTLY_OPEN = 60, 0.5
#: passes with fillings in shares, and in whole units
PASSES_SHARES, PASSES_WHOLE = 200, 600
#: share of the time for the relaxation, and the largest table of units × reps that is annealed
RELAX_SHARE, TABLE = 0.2, 20_000_000
#: at most so many exact parts, whatever the clock
MOST_PARTS = 400
#: share of the time left for each crossing of plans
CROSS_SHARE = 0.05
#: an exact part: units at first, and seconds one should take
PART, PART_SECONDS = 50.0, 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """The best plan (None: none found), and the prices that prove `bound` (`position_bound`) whatever the plan."""

    choice: np.ndarray | None
    prices: np.ndarray
    unit_prices: np.ndarray
    bound: float


@dataclass(eq=False)
class Search:
    """What the relaxation tells a search: [K] profit and score of options, [M] gain of reps; and the best plan so far."""

    core: Core
    relaxed: Relaxation
    limits: Limits
    report: Report
    prices: np.ndarray
    pi: np.ndarray
    bound: float
    gain: np.ndarray
    profit: np.ndarray
    score: np.ndarray
    key: np.ndarray
    room_price: float
    choice: np.ndarray | None = None
    value: float = -np.inf
    stop: bool = False
    seed: int = 0
    kept: Kept = field(default_factory=Kept)

    def keep(self, choice: np.ndarray) -> bool:
        """Take the plan if it is better and keeps every hard row; tell of it."""
        value = self.core.objective(choice)
        if not self.core.feasible(choice):
            return False
        self.kept.add(value, choice)
        if value <= self.value + 1e-9:
            return False
        self.choice, self.value = choice, value
        self.stop = self.report(Progress(self.limits.elapsed(), value, self.bound, "positions", choice)) or self.stop
        return True

    def any_plan(self) -> np.ndarray | None:
        """One of the plans kept."""
        plans = self.kept.best()
        return plans[np.random.default_rng(self.seed).integers(len(plans))] if plans else None

    def quiet(self, progress: Progress) -> bool:
        """For a part: tells nobody of its plans, but hears whether to stop."""
        self.stop = self.report(Progress(self.limits.elapsed(), self.value, self.bound, "positions")) or self.stop
        return self.stop

    def over(self, until: float = np.inf) -> bool:
        """Whether to end: told to, near enough to the bound, or out of time (which counting work does not look at)."""
        done = self.choice is not None and self.limits.met(self.bound, self.value)
        late = not self.limits.deterministic and (self.limits.left() <= 0 or time.monotonic() > until)
        return self.quiet(Progress(0.0)) or done or late

    def rank(self, allowed: np.ndarray) -> np.ndarray:
        """[K] place of each allowed option among its unit's by `key`; a large number where not allowed."""
        order = np.lexsort((-self.key, ~allowed, self.core.unit))
        place = np.empty(self.core.options, dtype=np.int64)
        place[order] = np.arange(self.core.options) - self.core.start[self.core.unit[order]]
        return np.where(allowed, place, np.iinfo(np.int64).max)

    def promising(self) -> np.ndarray:
        """[K] options that the bound does not show to lose more than the plan's gap, nor their rep."""
        gap = max(self.bound - self.value, 1e-9) if self.choice is not None else np.inf
        return (self.score > -gap) & ((self.gain > -gap) | ~self.core.is_open)[self.core.rep]


def mostly_open(core: Core) -> bool:
    """Whether there are many positions, and most options are theirs."""
    return bool(core.is_open.sum() > MANY and core.is_open[core.rep].mean() > MOSTLY_OPEN)


def choose_positions(
    core: Core, prices: np.ndarray, exact: Engine, limits: Limits, report: Report, hint: np.ndarray | None = None
) -> Opened:
    """The best plan found within the limits, starting from row prices [R] and, where there is one, the plan `hint` [U]."""
    if (core.mandatory & (np.diff(core.start) == 0)).any() or not core.options:
        return Opened(None, prices, np.zeros(core.units), np.inf)
    search = _relax(core, prices, limits, report)
    if hint is not None:
        search.keep(hint)
    if only_own_rows(search.relaxed) and core.units * len(core.cost) <= TABLE:
        _anneal(search, exact)
    if search.choice is None and not search.over():
        _first_plan(search, exact)
    if search.choice is not None:
        _exact_parts(search, exact)
    return Opened(search.choice, search.prices, search.pi, search.bound)


def _relax(core: Core, prices: np.ndarray, limits: Limits, report: Report) -> Search:
    relaxed = Relaxation.of(core, prices)
    pi = best_of_units(core, relaxed.prices)[0]
    began = time.monotonic()
    end = np.inf if limits.deterministic else began + RELAX_SHARE * limits.left()
    pi, _, shares = ascend(relaxed, pi, False, PASSES_SHARES, (0.2, 0.005), end)
    passes = PASSES_WHOLE
    if not limits.deterministic:
        relaxed.evaluate(pi, True)  # compiled by now
        tried = time.monotonic()
        relaxed.evaluate(pi, True)
        passes = int(np.clip((end - tried) / max(1e-9, 1.5 * (time.monotonic() - tried)), 1, PASSES_WHOLE))
    if relaxed.integral.any():
        pi, _, shares = ascend(relaxed, pi, True, passes, (0.02, 0.0005), end)
    whole, parts = relaxed.evaluate(pi, True), relaxed.evaluate(pi, False)
    rep = core.rep[relaxed.option]
    room = np.maximum(relaxed.room, 1e-9)
    profit, score, key = np.empty(core.options), np.empty(core.options), np.empty(core.options)
    profit[relaxed.option] = whole.profit
    score[relaxed.option] = whole.profit - parts.price[rep] * relaxed.weight
    missing = np.where(core.is_open, np.minimum(0.0, whole.gain), 0.0)
    key[relaxed.option] = score[relaxed.option] + missing[rep] * np.minimum(1.0, relaxed.weight / room[rep])
    top = float(np.abs(key).max()) + 1.0
    key[relaxed.option] += np.where(shares > 0.01, top, 0.0)
    scarce = parts.price[parts.price > 0]
    room_price = float(np.median(scarce)) if len(scarce) else worth_of_room(relaxed, pi)
    bound = position_bound(core, relaxed.prices, pi)
    stop = report(Progress(limits.elapsed(), bound=bound, phase="positions"))
    return Search(
        core, relaxed, limits, report, relaxed.prices, pi, bound, whole.gain, profit, score, key, room_price, stop=stop,
        seed=limits.seed,
    )  # fmt: skip


def _anneal(search: Search, exact: Engine) -> None:
    """Annealings, and what they have found, crossed, by turns while that is better; where work is counted, no crossing, which
    goes by the clock."""
    again = True
    while again:
        idle, before = anneal_rounds(search), search.value
        if search.choice is not None and not search.limits.deterministic:
            _crossed(search, exact)
        again = idle and search.value > before


def _first_plan(search: Search, exact: Engine) -> None:
    """The problem of the most promising options alone; more of them where that has no plan."""
    core, nobody = search.core, np.full(search.core.units, -1)
    rank = search.rank(np.ones(core.options, dtype=bool))
    for most in (4, 12, core.options):
        part = reduce(core, nobody, np.ones(core.units, dtype=bool), np.flatnonzero(rank < most))
        answer = exact.solve(part.core, _within(search, 0.4 * search.limits.left(), 1e-3), search.quiet)
        if (answer.choice is not None and search.keep(part.lift(answer.choice))) or search.over():
            return


def _within(search: Search, seconds: float, gap: float) -> Limits:
    """Limits of a part that may take so many seconds of what is left."""
    seconds = max(0.1, min(seconds, search.limits.left()))
    return replace(search.limits, time_limit=seconds, gap=gap, started=time.time())


def _crossed(search: Search, exact: Engine) -> None:
    """What the best plans met have between them, of more of them each time, until a try does not end."""
    for count in CROSSED:
        plans = search.kept.best(count)
        part = crossing(search.core, plans) if len(plans) > 1 and not search.over() else None
        if part is not None:
            limits = _within(search, CROSS_SHARE * search.limits.left(), 2e-5)
            answer = exact.solve(part.core, limits, search.quiet, part.part(plans[0]))
            if answer.choice is not None:
                search.keep(part.lift(answer.choice))
            if answer.stopped:
                return


def _exact_parts(search: Search, exact: Engine) -> None:
    """Solve neighbourhoods of positions again, exactly, the more often the more they lose; sizes follow the clock."""
    rng = np.random.default_rng(search.limits.seed)
    near = search.rank(np.ones(search.core.options, dtype=bool)) < NEAR
    table = csr_array(
        (np.ones(int(near.sum())), (search.core.unit[near], search.core.rep[near])),
        shape=(search.core.units, len(search.core.cost)),
    )  # fmt: skip
    alike = (table.T @ table).tocsr()
    size, tried, idle = PART, np.zeros(len(search.core.cost)), 0
    for _ in range(MOST_PARTS):
        if search.over() or (search.limits.deterministic and idle >= FRUITLESS):
            return
        free = _neighbourhood(search, alike, size, tried, rng)
        assert search.choice is not None
        allowed = near & search.promising()
        allowed[search.choice[search.choice >= 0]] = True
        part = reduce(search.core, search.choice, free, np.flatnonzero(allowed & free[search.core.unit]))
        began = time.monotonic()
        limits = _within(search, 3 * PART_SECONDS, 2e-5)
        answer = exact.solve(part.core, limits, search.quiet, part.part(search.choice))
        if answer.choice is not None and search.keep(part.lift(answer.choice)):
            tried, idle = tried * 0.5, -1
        idle += 1
        if answer.stopped:
            size = max(8.0, 0.85 * size)
        elif time.monotonic() - began < PART_SECONDS:
            size = min(float(search.core.units), 1.08 * size)


def _neighbourhood(
    search: Search, alike: csr_array, size: float, tried: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """[U] whom to free: units of a rep that loses much against the bound and of reps that the same units like."""
    core, choice = search.core, search.choice
    assert choice is not None
    reps, rep = len(core.cost), np.append(core.rep, len(core.cost))[choice]
    count = np.bincount(rep, minlength=reps + 1)[:reps]
    got = (
        np.bincount(rep, weights=np.append(search.profit, 0.0)[choice], minlength=reps + 1)[:reps]
        - search.relaxed.spent
    )
    loss = np.where(count > 0, search.gain - got, np.maximum(0.0, search.gain))
    gap = max(search.bound - search.value, 1e-9)
    chance = np.where((count > 0) | (search.gain > 0), np.maximum(0.0, loss) / gap + 0.4 / reps, 0.0) * 0.7**tried
    if chance.sum() <= 0:
        chance = np.ones(reps)
    seed = int(rng.choice(reps, p=chance / chance.sum()))
    tried[seed] += 1
    inside, total, near = np.zeros(reps, dtype=bool), int(count[seed]), alike[[seed]].toarray()[0]
    inside[seed] = True
    while total < size:
        pull = np.where(inside | (count == 0), -1.0, near * rng.uniform(0.7, 1.3, reps))
        other = int(np.argmax(pull))
        if pull[other] <= 0:
            break
        inside[other] = True
        total += int(count[other])
        near = near + alike[[other]].toarray()[0]
    liked = np.zeros(core.units, dtype=bool)
    liked[core.unit[inside[core.rep] & (search.score > -gap)]] = True
    return np.append(inside, False)[rep] | ((choice < 0) & liked)
