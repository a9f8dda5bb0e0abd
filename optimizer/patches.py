"""Exact sub-problems: the books of a few neighbouring reps, solved again with everything else held."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from optimizer.certificate import adjusted, best_of_units
from optimizer.core import Core
from optimizer.engines.base import Engine, Limits
from optimizer.reduced import CROSSED, Reduced, crossing, reduce

#: seconds a patch may take, twice that after so many that brought nothing, to this; reps in the first one, and in any
SECONDS, PATIENCE, LONGEST, FEW, MANY = 2.0, 12, 8.0, 3, 24
#: tries without a better plan, on each thread, that end it
FRUITLESS = 60
#: options a unit among the nearly tied at first, how many times as many next, and the share of the time for one try
TIED, WIDER, TIED_SHARE = 1.15, 1.25, 0.1
#: regret is none up to this share of the mean value; where so many options a unit, and no more than so many in all, have none, no
#: order says which to take first: they are solved at once, in all the time there is
NONE, SEVERAL, WITHOUT = 1e-6, 2.0, 10_000
#: reps solved with those whose hard rows are broken, one try after another, and to what gap
MENDING, MEND_GAP = (3, 5, 8, 12), 1e-4


@dataclass(eq=False)
class _Shared:
    """The plan [U] that `count` threads make better, tries since the last that did, and whose reps [M] are being tried."""

    choice: np.ndarray
    count: int
    busy: np.ndarray
    fruitless: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(eq=False)
class Patches:
    """Improves a plan patch by patch (large neighbourhood search: Shaw 1998), at prices [R] near the best.

    Within a patch only options count whose regret is no more than what its units and rows lose against the bound: a
    better patch loses less in all. Reps that lose most are taken most often, with reps that their units like; patches
    grow while they are solved at once, and shrink when they are not. `over()` says when to stop; `found` hears of every
    better plan [U].
    """

    core: Core
    prices: np.ndarray
    exact: Engine
    limits: Limits
    over: Callable[[], bool]
    found: Callable[[np.ndarray], None]

    def __post_init__(self) -> None:
        core = self.core
        best, _ = best_of_units(core, self.prices)
        self.best = np.where(np.isfinite(best), best, 0.0)
        self.regret = self.best[core.unit] - adjusted(core, self.prices, 0, core.units)
        self.random = np.random.default_rng(self.limits.seed)

    def improve(self, choice: np.ndarray, end: float) -> None:
        """Improve a plan [U] until `end` (seconds after the start) or until nothing more is found; on several threads,
        where the engine can, a patch on each of reps that no other has."""
        count = max(1, self.limits.threads) if self.exact.side_by_side else 1
        shared = _Shared(choice, count, np.zeros(len(self.core.cost), dtype=bool))
        with ThreadPoolExecutor(count) as pool:
            for worker in [pool.submit(self._work, shared, end) for _ in range(count)]:
                worker.result()

    def _work(self, shared: _Shared, end: float) -> None:
        """Patch after patch, as long as one of the threads finds something."""
        size = FEW
        while not self.over() and self.limits.elapsed() < end and shared.fruitless < FRUITLESS * shared.count:
            with shared.lock:
                choice, tried = shared.choice, shared.fruitless
                lost = self.lost(choice)
                reps = self._reps(lost, size, shared.busy)
                shared.busy[reps] = True
            try:
                patch = self._patch(choice, reps, lost)
                longest = min(LONGEST, SECONDS * 2.0 ** (tried // (PATIENCE * shared.count)))
                better, done = self._solved(patch, choice, min(longest, end - self.limits.elapsed()))
            finally:
                shared.busy[reps] = False
            size = min(MANY, size + 1) if done else max(2, size - 1)
            with shared.lock:
                shared.fruitless += 1
                if better is not choice and self._taken(shared, choice, better):
                    shared.fruitless = 0

    def _taken(self, shared: _Shared, choice: np.ndarray, better: np.ndarray) -> bool:
        """Whether what a patch changed of `choice` makes the plan better that others have changed meanwhile, too."""
        changed, now = better != choice, shared.choice
        if (now[changed] != choice[changed]).any():
            return False
        merged = np.where(changed, better, now)
        if not self._gains(merged, now):
            return False
        shared.choice = merged
        self.found(merged)
        return True

    def _gains(self, better: np.ndarray, choice: np.ndarray) -> bool:
        """Whether a plan keeps every hard row and is worth more than another."""
        value = self.core.objective(choice)
        return self.core.objective(better) - value > 1e-9 * max(1.0, abs(value)) and self.core.feasible(better)

    def decide_ties(self, choice: np.ndarray, end: float) -> np.ndarray:
        """A plan [U] no worse, until `end`: the options of least regret of all units solved at once, more of them each
        time (a core widened: Balas and Zemel 1980), until a try neither ends in its time nor brings anything."""
        core = self.core
        order, everybody = np.argsort(self.regret, kind="stable"), np.ones(core.units, dtype=bool)
        count, seconds = TIED * core.units, TIED_SHARE * self.limits.time_limit
        without = int(np.count_nonzero(self.regret <= NONE * np.abs(core.value).mean()))
        if SEVERAL * core.units <= without <= WITHOUT:
            count, seconds = without, end - self.limits.elapsed()
        while not self.over() and self.limits.elapsed() < end and count <= core.options:
            some = np.append(order[: int(count)], choice[choice >= 0])
            core_of_ties = reduce(core, choice, everybody, np.unique(some))
            better, done = self._solved(core_of_ties, choice, min(seconds, end - self.limits.elapsed()))
            if better is not choice:
                self.found(better)
            elif not done:
                break
            count, choice = count * WIDER if done else count, better
        return choice

    def cross(self, plans: list[np.ndarray], end: float) -> None:
        """What some of the best plans [U] have, the best first, solved at once, of more of them each time, until `end` or
        until a try does not end."""
        best = plans[0]
        for count in CROSSED:
            if self.over() or self.limits.elapsed() >= end:
                return
            part = crossing(self.core, [best, *plans[1:count]])
            if part is not None:
                better, done = self._solved(part, best, end - self.limits.elapsed())
                if better is not best:
                    best = better
                    self.found(best)
                if not done:
                    return
            if count >= len(plans):
                return

    def _solved(self, patch: Reduced, choice: np.ndarray, seconds: float) -> tuple[np.ndarray, bool]:
        """A plan [U] with a patch solved again, `choice` itself where that brings nothing; and whether it was solved to
        the end."""
        if not patch.core.options:
            return choice, False
        seconds = max(0.05, min(seconds, self.limits.left()))
        some = replace(self.limits, time_limit=self.limits.elapsed() + seconds, gap=0.0)
        answer = self.exact.solve(patch.core, some, lambda _: self.over(), patch.part(choice))
        better = choice if answer.choice is None else patch.lift(answer.choice)
        return better if self._gains(better, choice) else choice, answer.claim == "optimal"

    def mend(self, choice: np.ndarray) -> np.ndarray:
        """A choice [U] that breaks hard rows, with the reps of those rows and more and more others solved again."""
        core = self.core
        for size in MENDING:
            at = core.reps_of(np.isinf(core.penalty) & (core.shortfall(choice) > 0)) > 0
            if self.over() or not at.any():
                break
            reps = self._with_near(list(np.flatnonzero(at)[:MANY]), size + int(at.sum()), np.ones(len(at)))
            patch = self._patch(choice, reps, np.full(len(at) + 1, np.inf))
            seconds = min(SECONDS, self.limits.left())
            some = replace(self.limits, time_limit=self.limits.elapsed() + max(0.05, seconds), gap=MEND_GAP)
            answer = self.exact.solve(patch.core, some, lambda _: self.over())
            choice = choice if answer.choice is None else patch.lift(answer.choice)
        return choice

    def lost(self, choice: np.ndarray) -> np.ndarray:
        """[M + 1] what each rep's units and own rows are below the bound; the unserved last."""
        core, p = self.core, self.prices
        served = choice >= 0
        regret = np.where(served, self.regret[choice], self.best)
        rep = np.where(served, core.rep[choice], len(core.cost))
        out = np.bincount(rep, weights=regret, minlength=len(core.cost) + 1)
        used = core.usage(choice)
        with np.errstate(invalid="ignore"):
            side = np.where(p > 0, core.upper, np.where(p < 0, core.lower, used))
        beyond = np.where(np.isfinite(core.penalty), core.penalty, 0.0) * core.shortfall(choice)
        loss = np.maximum(0.0, np.where(p != 0, p * (side - used), 0.0) + beyond)
        for _, _, by_rep, line in core.factor:
            if by_rep:
                row = core.rep_row[line]
                shared = np.bincount(row[row >= 0], minlength=core.rows)
                out[:-1] += np.where(row >= 0, (loss / np.maximum(1, shared))[row], 0.0)
        return out

    def _reps(self, lost: np.ndarray, size: int, busy: np.ndarray) -> np.ndarray:
        """Reps of a patch, none of the `busy` [M] where there are others: one that loses much, then such as are liked by
        the same units."""
        weight = lost[:-1] + 1e-3 * lost.sum() / max(1, len(lost)) + 1e-12
        weight[busy] *= 1e-9
        return self._with_near([int(self.random.choice(len(weight), p=weight / weight.sum()))], size, weight)

    def _with_near(self, chosen: list[int], size: int, weight: np.ndarray) -> np.ndarray:
        """`chosen` reps and others that are liked by the same units, the more `weight` [M] the likelier, up to `size`."""
        while len(chosen) < min(size, len(weight)):
            near = np.asarray(self.links[chosen].sum(axis=0)).ravel() * np.sqrt(weight)
            near[chosen] = 0.0
            if near.sum() <= 0:
                break
            chosen.append(int(self.random.choice(len(near), p=near / near.sum())))
        return np.array(chosen)

    def _patch(self, choice: np.ndarray, reps: np.ndarray, lost: np.ndarray) -> Reduced:
        core = self.core
        inside = np.zeros(len(core.cost) + 1, dtype=bool)
        inside[reps] = True
        spare = lost[:-1][reps].sum()
        at = np.where(choice >= 0, core.rep[choice], len(core.cost))
        unserved = choice < 0
        regret_now = np.where(unserved, self.best, 0.0)
        spare += float(np.sort(regret_now[unserved])[::-1][: len(reps)].sum()) if unserved.any() else 0.0
        worth = inside[core.rep] & (self.regret <= spare)
        reaches = np.bincount(core.unit[worth], minlength=core.units) > 0
        free = inside[at] | (unserved & reaches)
        keep = np.flatnonzero((worth & free[core.unit]) | (np.isin(np.arange(core.options), choice) & free[core.unit]))
        return reduce(core, choice, free, keep)

    @cached_property
    def links(self) -> csr_array:
        """[M, M] how many units like both reps, by options of small regret."""
        core = self.core
        typical = np.median(self.best[self.best > 0]) if (self.best > 0).any() else 1.0
        near = np.flatnonzero(self.regret <= 0.2 * typical)
        shape = (core.units, len(core.cost))
        likes = csr_array((np.ones(len(near)), (core.unit[near], core.rep[near])), shape=shape)
        return csr_array((likes.T @ likes).tocsr())
