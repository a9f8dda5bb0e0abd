"""`prices`: local search below the bound that prices prove, at any size; exact engines for the rest where it is small."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from optimizer.board import Shortlist, short_list
from optimizer.certificate import bound
from optimizer.core import Core, share_of
from optimizer.dual import find_prices
from optimizer.engines.base import Answer, Engine, Limits, Progress, Report
from optimizer.proof import agrees, prove
from optimizer.search import Cooling, Search
from optimizer.waterfall import waterfall

#: options of each unit that the search looks at
WIDTH = 5
#: chains a unit in the first annealing, and how many times more in each that follows
FIRST, MORE = 30, 4
#: chains a second that a deterministic solve may count on
NOMINAL = 20_000
#: options up to which an exact engine tries to prove the plan, from this share of the time limit on
PROVE_OPTIONS, PROVE_FROM = 12_000, 0.35
#: seconds between questions whether to stop
ASK = 0.2


class Prices(Engine):
    """Anneals the units' assignment by price-adjusted value, from the plan that the prices suggest, again and again with
    more work; then, up to a size, has what the prices cannot decide settled by an exact engine, and by a second one where
    the first claims proof."""

    name = "prices"
    about = "prices, then local search below the bound they prove; any size"

    def __init__(self, *exact: Callable[[], Engine]) -> None:
        self.exact = exact

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        prices: np.ndarray | None = None,
    ) -> Answer:
        if (core.mandatory & (np.diff(core.start) == 0)).any():
            return Answer(None, claim="infeasible")
        if prices is None:
            prices = find_prices(core, 0.25 * limits.left(), threads=limits.threads, lp=not limits.deterministic).prices
        best = Best(core, limits, report, bound(core, prices))
        start = hint if hint is not None else np.full(core.units, -1, dtype=np.int64)
        best.offer(start)
        if core.options and core.rows:
            listed = short_list(core, prices, start, WIDTH, limits.threads)
            self._search(core, limits, listed, best)
        elif core.options:
            best.offer(np.where(core.mandatory | (core.value[_top(core)] > 0), _top(core), -1))
        if best.choice is None:
            return Answer(None, stopped=best.over(), short=best.short)
        return self._proved(core, limits, prices, best)

    def _search(self, core: Core, limits: Limits, listed: Shortlist, best: Best) -> None:
        """Annealings from the prices' own choice, each with more work than the last, while there is time."""
        share = PROVE_FROM if self.exact and core.options <= PROVE_OPTIONS and not limits.deterministic else 1.0
        end = limits.elapsed() + share * limits.left()
        search = Search(core, listed, limits.seed, limits.threads, lambda: best.over() or limits.elapsed() > end)
        work, tries = NOMINAL * limits.time_limit, float(FIRST * core.units)
        while not search.stop() and (work > 0 or not limits.deterministic):
            began = limits.elapsed()
            for choice in search.run(search.first_choice, Cooling(), int(tries)):
                best.offer(choice)
            work -= tries
            speed = tries / max(1e-3, limits.elapsed() - began)
            left = work if limits.deterministic else speed * 0.95 * (end - limits.elapsed())
            tries = min(MORE * tries, left) if left > 1.5 * tries else left
            if tries < core.units:
                break

    def _proved(self, core: Core, limits: Limits, prices: np.ndarray, best: Best) -> Answer:
        """The answer, with a proof where the problem is small and there is time."""
        assert best.choice is not None
        if not self.exact or core.options > PROVE_OPTIONS or limits.deterministic or best.over():
            return Answer(best.choice, stopped=best.over())
        proof = prove(core, best.choice, prices, self.exact[0](), limits, best.heard)
        agreed = proof.claim == "optimal" and any(
            agrees(core, proof, other(), limits, lambda _: best.over()) for other in self.exact[1:]
        )
        return Answer(proof.choice, proof.bound, proof.claim, proof.stopped, agreed)


class Best:
    """The best plan met. Tells of every better one, and asks now and then, from any thread, whether to stop."""

    def __init__(self, core: Core, limits: Limits, report: Report, proved: float) -> None:
        self.core, self.limits, self.report, self.proved = core, limits, report, proved
        self.choice: np.ndarray | None = None
        self.value = -np.inf
        self.short: tuple[int, ...] = ()
        self.lock, self.asked, self.stop = threading.Lock(), 0.0, False

    def offer(self, choice: np.ndarray) -> None:
        """Keep a plan if it is better; one that breaks a hard row is made to keep it first."""
        core = self.core
        if not core.feasible(choice):
            self.short = tuple(map(int, np.flatnonzero(core.shortfall(choice) * np.isinf(core.penalty) > 0)))
            choice = waterfall(core, needy_only=False, start=choice)
            if not core.feasible(choice):
                return
        value = core.objective(choice)
        if value > self.value:
            self.choice, self.value = choice, value
            self.stop |= self.report(Progress(self.limits.elapsed(), value, self.proved, "search", choice))

    def heard(self, progress: Progress) -> bool:
        """Pass on what an exact engine says of the problem."""
        self.stop |= self.report(progress)
        return self.stop

    def over(self) -> bool:
        """Whether to stop: asked to, out of time, or within the gap."""
        with self.lock:
            now = self.limits.elapsed()
            if now - self.asked > ASK:
                self.asked = now
                self.stop |= self.report(Progress(now, self.value, self.proved, "search"))
            near = share_of(self.proved, self.value) <= self.limits.gap
            return self.stop or now > self.limits.time_limit or near


def _top(core: Core) -> np.ndarray:
    """[U] the option of most value of each unit; 0 where it has none."""
    order = np.lexsort((core.value, core.unit))
    out = np.zeros(core.units, dtype=np.int64)
    out[core.unit[order]] = order
    return out
