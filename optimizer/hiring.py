"""Which of a few open positions to fill: a tree over them, by the prices of what is left to decide.

At the best prices of rows a tenth of a position may be filled for a tenth of its cost, and the plan that they suggest has the
wrong ones. With every position either filled or left, prices say nearly all there is to say. So positions are decided one after
the other, the one first that prices see least in either way (branch and bound: Land and Doig 1960); each part of the tree is
worth no more than its own prices prove. Then one position is exchanged for another while that promises more, and the rest of the
tree is looked through, the most promising part first. What is open of it in the end bounds all other ways of filling.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from optimizer.certificate import gains_of, sides_of
from optimizer.core import Core
from optimizer.dual import PASSES, Dual, ascend
from optimizer.engines.base import Answer, Limits, Progress, Report, claim_of
from optimizer.opening import mostly_open
from optimizer.reduced import Reduced, reduce

#: it is done up to so many options; in this share of the time left, in which so many options a second are priced where work is
#: counted, and at most so many parts
MOST_OPTIONS, SHARE, NOMINAL, MOST = 1_000_000, 0.25, 500_000, 1_000
#: share of that until which positions are exchanged; what an exchange must promise, as a share
EXCHANGED, MORE = 0.7, 1e-6

#: solves what is left to decide, and says what proves a bound for it
Solve = Callable[[Core, Report], tuple[Answer, Dual]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some positions filled (1), some left (0), others undecided (-1), `filled` [M]; no plan of it is worth more than `bound`,
    which `prices` [R] prove."""

    filled: np.ndarray
    bound: float
    prices: np.ndarray

    def __lt__(self, other: Part) -> bool:
        return self.bound > other.bound


@dataclass(frozen=True, slots=True, eq=False)
class Hired:
    """A way to fill positions: `part` is what is then left to decide, whose plans are worth `spent` less in the whole problem."""

    core: Core
    part: Reduced
    spent: float

    def plan(self, choice: np.ndarray) -> np.ndarray | None:
        """[U] a plan of the part in the whole problem; None where it breaks a hard row that nobody in the part can reach."""
        whole = self.part.lift(choice)
        return whole if self.core.feasible(whole) else None


def fill(core: Core, filled: np.ndarray) -> tuple[Reduced, float]:
    """What is left to decide where positions are filled or left as `filled` [M] says, and what the filled ones cost.

    A plan that leaves a filled position without anybody is worth at least as much in the whole problem as here.
    """
    everybody = np.ones(core.units, dtype=bool)
    keep = np.flatnonzero(filled[core.rep] != 0)
    part = reduce(core, np.full(core.units, -1, dtype=np.int64), everybody, keep)
    sure = core.is_open & (filled == 1)
    position = np.where(np.append(sure, False)[part.core.position], -1, part.core.position)
    own = replace(part.core, is_open=core.is_open & ~sure, position=position)
    return replace(part, core=own), float(core.cost[sure].sum())


def few_positions(core: Core) -> bool:
    """Whether there are positions to decide on, and not so many that they are the problem (`optimizer.opening`)."""
    return core.options <= MOST_OPTIONS and not mostly_open(core) and bool(matter(core).any())


def matter(core: Core) -> np.ndarray:
    """[M] open positions that somebody can be served from and that may be better left: they cost something, or their rows are not
    kept without anybody."""
    held, asks = core.position >= 0, (core.lower > 0) | (core.upper < 0)
    low = np.bincount(core.position[held], asks[held], len(core.cost)) > 0
    some = np.bincount(core.rep, minlength=len(core.cost)) > 0
    return core.is_open & some & ((core.cost > 0) | low)


def begin(core: Core) -> np.ndarray:
    """[M] what is known before anything is decided: reps are there, and positions that cost and need nothing are filled."""
    some = np.bincount(core.rep, minlength=len(core.cost)) > 0
    return np.where(matter(core), -1, np.where(core.is_open & ~some, 0, 1)).astype(np.int8)


class Tree:
    """The ways to fill positions, and what has been seen of them. `others` is what no way is worth more than that has not been
    given to anybody yet."""

    def __init__(self, core: Core, limits: Limits, report: Report) -> None:
        self.core, self.limits, self.report = core, limits, report
        self.positions = np.flatnonzero(matter(core))
        self.open: list[Part] = []
        self.best: Part | None = None
        self.given: set[bytes] = set()
        self.seen, self.stop, self.began, self.seconds, self.most = 0, False, 0.0, np.inf, float(MOST)

    @property
    def others(self) -> float:
        return self.open[0].bound if self.open else -np.inf

    def first(self, prices: np.ndarray) -> Hired | None:
        """The most promising way found, from row prices [R] on; None where no way may keep all hard rows."""
        self._time(SHARE)
        self._descend(self._worth([begin(self.core)], prices)[0])
        self._exchange()
        return self._found(-np.inf)

    def next(self, value: float) -> Hired | None:
        """The most promising of the ways not given yet; None where none is worth more than `value`."""
        self._time(1.0)
        return self._found(value)

    def _time(self, share: float) -> None:
        limits = self.limits
        self.began, self.seconds, self.seen = limits.elapsed(), share * limits.left(), 0
        if limits.deterministic:
            self.seconds, self.most = np.inf, min(MOST, SHARE * limits.time_limit * NOMINAL / max(1, self.core.options))

    def _over(self, share: float = 1.0) -> bool:
        """Whether to end: told to, or this share of the time or of the parts has been used."""
        late = self.limits.elapsed() > self.began + share * self.seconds
        return self.stop or late or self.seen >= share * self.most

    def _found(self, value: float) -> Hired | None:
        """Look through what may be better than `value` and than the best way; that is given."""
        while self.others > max(value, -np.inf if self.best is None else self.best.bound):
            if self._over():
                break
            self._descend(heapq.heappop(self.open))
        found, self.best = self.best, None
        if found is None:
            return None
        self.given.add(found.filled.tobytes())
        return Hired(self.core, *fill(self.core, found.filled))

    def _worth(self, ways: list[np.ndarray], prices: np.ndarray) -> list[Part]:
        """What each way may be worth, by prices found from `prices` [R] on."""
        with ThreadPoolExecutor(max(1, self.limits.threads)) as pool:
            parts = list(pool.map(lambda filled: self._priced(filled, prices), ways))
        self.seen += len(parts)
        self.stop = self.report(Progress(self.limits.elapsed(), phase="positions")) or self.stop
        return parts

    def _priced(self, filled: np.ndarray, prices: np.ndarray) -> Part:
        part, spent = fill(self.core, filled)
        if (part.core.mandatory & (np.diff(part.core.start) == 0)).any():
            return Part(filled, -np.inf, prices)
        dual = ascend(part.core, PASSES, np.inf, None, prices[part.row])
        found = prices.copy()
        found[part.row] = dual.prices
        return Part(filled, dual.bound - spent, found)

    def _descend(self, part: Part) -> None:
        """Decide one position after the other, the better way each time; the other ways stay open."""
        while np.isfinite(part.bound):
            left = self.positions[part.filled[self.positions] < 0]
            if not len(left):
                self._keep(part)
                return
            if self.best is not None and (part.bound <= self.best.bound or self._over()):
                heapq.heappush(self.open, part)
                return
            gain = gains_of(self.core, sides_of(self.core, part.prices))[left]
            if self._over():  # the rest as prices see it, and all of this part stays open
                heapq.heappush(self.open, part)
                filled = part.filled.copy()
                filled[left] = gain > 0
                self._keep(self._worth([filled], part.prices)[0])
                return
            position, ways = left[np.argmin(np.abs(gain))], []
            for way in (0, 1):
                filled = part.filled.copy()
                filled[position] = way
                ways.append(filled)
            part, other = sorted(self._worth(ways, part.prices))
            if np.isfinite(other.bound):
                heapq.heappush(self.open, other)

    def _keep(self, part: Part) -> None:
        """The best of the ways not given yet; what is no better stays open."""
        if part.filled.tobytes() in self.given or not np.isfinite(part.bound):
            return
        worse: Part | None = part
        if self.best is None or part.bound > self.best.bound:
            worse, self.best = self.best, part
        if worse is not None:
            heapq.heappush(self.open, worse)

    def _exchange(self) -> None:
        """Fill one position more, one fewer, or one instead of another, while a way like that promises more."""
        rng, some = np.random.default_rng(self.limits.seed), max(1, self.limits.threads)
        better = self.best is not None
        while better:
            assert self.best is not None
            better, filled = False, self.best.filled
            ones, none = (self.positions[filled[self.positions] == way] for way in (1, 0))
            changes = [*((p,) for p in self.positions), *product(ones, none)]
            order = rng.permutation(len(changes))
            for first in range(0, len(changes), some):
                if self._over(EXCHANGED):
                    return
                least = self.best.bound + MORE * abs(self.best.bound)
                ways = [_changed(filled, changes[i]) for i in order[first : first + some]]
                found = min(self._worth(ways, self.best.prices))
                if found.bound > least:
                    again = self._worth([found.filled], found.prices)[0]
                    if again.bound > least:
                        self._keep(again)
                        better = True
                        break


def _changed(filled: np.ndarray, positions: tuple[int, ...]) -> np.ndarray:
    """[M] those filled left, and those left filled."""
    way = filled.copy()
    way[list(positions)] = 1 - way[list(positions)]
    return way


class Ways:
    """Ways to fill positions, searched one after the other: the best plan met of all, and the bound of those searched."""

    def __init__(self, tree: Tree, begun: np.ndarray | None) -> None:
        self.tree, self.choice, self.proved = tree, begun, -np.inf
        self.value = -np.inf if begun is None else tree.core.objective(begun)
        self.agreed, self.asked = True, False

    @property
    def bound(self) -> float:
        return max(self.proved, self.tree.others)

    @property
    def over(self) -> bool:
        """Whether no other way is to be searched."""
        limits = self.tree.limits
        return self.asked or limits.met(self.bound, self.value) or limits.deterministic or limits.left() <= 0

    def search(self, way: Hired, solve: Solve) -> None:
        """With positions filled like that."""
        others = self.bound

        def heard(progress: Progress) -> bool:
            choice = None if progress.choice is None else way.plan(progress.choice)
            worth = -np.inf if choice is None else way.core.objective(choice)
            better = choice if worth > self.value else None
            if better is not None:
                self.choice, self.value = better, worth
            bound = max(progress.bound - way.spent, others) if np.isfinite(progress.bound) else progress.bound
            told = Progress(progress.seconds, self.value, bound, progress.phase, better)
            self.asked = self.tree.report(told) or self.asked
            return self.asked

        answer, dual = solve(way.part.core, heard)
        if answer.choice is not None:
            heard(Progress(self.tree.limits.elapsed(), choice=answer.choice))
        self.proved = max(self.proved, min(answer.bound, dual.bound) - way.spent)
        self.agreed &= answer.agreed

    def answer(self) -> Answer:
        claim = claim_of(self.value, self.bound)
        stopped = self.asked or self.tree.limits.left() <= 0
        return Answer(self.choice, self.bound, claim, stopped, self.agreed and claim == "optimal")


def by_positions(
    core: Core, prices: np.ndarray, begun: np.ndarray | None, limits: Limits, report: Report, solve: Solve
) -> Answer | None:
    """The best plan with positions filled in the most promising way, then in others that may be better, as long as there is time,
    from row prices [R] on; the plan `begun` [U] where that is better. None where no way was found."""
    tree = Tree(core, limits, report)
    way = tree.first(prices)
    if way is None:
        return None
    ways = Ways(tree, begun)
    while way is not None:
        ways.search(way, solve)
        way = None if ways.over else tree.next(ways.value)
    return ways.answer()
