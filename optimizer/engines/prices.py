"""`prices`: local search below the bound that prices prove, at any size; exact engines for the rest where it is small."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from optimizer.annealing import NEAR, NEARER, Annealing, Best
from optimizer.books import MOST_OPTIONS
from optimizer.core import Core
from optimizer.decide import decidable, decide, whole
from optimizer.dual import Dual, find_prices
from optimizer.endgame import Endgame
from optimizer.engines.base import Answer, Engine, Limits, Placing, Report
from optimizer.fields import Field
from optimizer.listing import PROVE_OPTIONS, SOUGHT_OPTIONS
from optimizer.opening import choose_positions, mostly_open
from optimizer.patches import Patches
from optimizer.search import WHOLE
from optimizer.settle import hold, settle

#: options up to which exact engines solve parts of the plan again, and up to which they begin as soon as an annealing finds
#: nothing better
PATCH_OPTIONS, TINY_OPTIONS = 300_000, 400
#: options up to which the nearly tied of all units are solved at once, and parts by the last engine, not the first
TIED_OPTIONS = 150_000
#: shares of the time left at which annealing ends, and what is tied; where a few annealings see all there is, where the tied
#: are solved at once, and elsewhere
SMALL, MIDDLE, WIDE = (0.06, 0.1), (0.3, 0.7), (0.8, 0.8)
#: shares of the time left after which it is asked whether exact engines can decide what is left of whole values
SOON = (0.005, 0.03)
#: shares of the time left for many plans of a small problem, and for what they have, crossed
VARIED, CROSSED = 0.2, 0.1
#: share of what is left then for parts, where no proof comes next
PARTS = 0.95
#: where parts bring nothing more, and this share of the limit is left, annealing begins again
AGAIN = 0.1
#: share of the time left in which it is settled first which of many positions to open
OPENING_SHARE = 0.95
#: seconds a unit: what judging a plan takes when the search has ended, what the shortest annealing takes, and the limit from
#: which big units are held that whole books do not say
AFTER, SHORTEST, HELD = 1e-5, 5e-6, 8e-5


class Prices(Engine):
    """Anneals the units' assignment by price-adjusted value, from the plan that the prices suggest, again and again with
    more work; then, up to a size, has what the prices cannot decide settled by exact engines (the first of them for what
    is tied, the last for parts), and proved by one, then another."""

    name = "prices"
    about = "prices, then local search below the bound they prove; any size"

    def __init__(self, *provers: Callable[[], Engine]) -> None:
        self.provers = provers

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        if (core.mandatory & (np.diff(core.start) == 0)).any():
            return Answer(None, claim="infeasible")
        if dual is None:
            dual = find_prices(core, 0.25 * limits.left(), threads=limits.threads, lp=not limits.deterministic)
        best, start = Best(core, limits, report, dual.bound), _start(core, hint)
        best.offer(start)
        if self.provers and core.options > TINY_OPTIONS and mostly_open(core):
            some = replace(limits, time_limit=limits.elapsed() + OPENING_SHARE * limits.left())
            opened = choose_positions(core, dual.prices, self.provers[0](), some, best.heard, best.choice)
            best.offer(opened.choice if opened.choice is not None else start)
            start = best.choice if best.choice is not None else start
        if not core.options:
            return Answer(best.choice, stopped=best.over())
        place = self._place if self.provers else None
        keep = best.choice if best.near(NEAR) else None
        goes_on = best.near(NEARER) and core.units <= WHOLE
        settled = [] if goes_on else settle(core, dual, place, limits, best.over, keep)
        fields = [*(Field.rest(way, start, dual.prices) for way in settled), Field.whole(core, dual.prices, start)]
        if not settled and limits.time_limit > HELD * core.units:
            held = hold(core, dual, limits, best.over, keep)
            fields[:0] = [] if held is None else [Field.around(core, held, start)]
        if not self.provers or core.options > PATCH_OPTIONS or limits.deterministic:
            end = limits.time_limit - AFTER * core.units
            if best.choice is None or limits.elapsed() + SHORTEST * core.units < end:
                Annealing(limits, best).run(fields, max(0.5 * limits.time_limit, end))
        else:
            return self._with_exact(fields, limits, best, dual)
        return best.answer()

    def glance(
        self, core: Core, limits: Limits, report: Report, hint: np.ndarray | None, dual: Dual, again: bool = False
    ) -> np.ndarray | None:
        best, start = Best(core, limits, report, dual.bound), _start(core, hint)
        best.offer(start)
        soon = TINY_OPTIONS < core.options <= MOST_OPTIONS  # beyond, the search begins at once
        easy = best.choice is not None or core.options <= PROVE_OPTIONS
        if best.near(NEARER) or (soon and easy and not again and not mostly_open(core)):
            Annealing(limits, best).glance(Field.whole(core, dual.prices, start), again)
        return best.choice

    def _place(self, core: Core, some: np.ndarray, limits: Limits, report: Report) -> Placing:
        """The better of what the first exact engine and, where there are threads, those that search side by side find."""
        engines = [prover() for prover in self.provers]
        able = [engines[0], *(e for e in engines[1:] if e.side_by_side and limits.threads > 1)]
        limits = replace(limits, threads=max(1, limits.threads + 1 - len(able)))
        with ThreadPoolExecutor(len(able)) as pool:
            found = pool.map(lambda engine: engine.place(core, some, limits, report), able)
            return max(found, key=lambda placing: placing.worth)

    def _with_exact(self, fields: list[Field], limits: Limits, best: Best, dual: Dual) -> Answer:
        """Annealing, then parts of the plan solved again exactly, then a proof where that is in reach; first a
        bound by books sought, and in small problems a plan by these."""
        core, tiny, field = best.core, best.core.options <= TINY_OPTIONS, fields[-1]
        endgame = Endgame(
            self.provers, field, limits, dual, best, lambda limits: self._patches(field, limits, best, -1)
        )
        small = not tiny and core.options <= PROVE_OPTIONS
        annealing = Annealing(limits, best, tiny, lambda field: self._patches(field, limits, best))
        middle, tried = PROVE_OPTIONS < core.options <= TIED_OPTIONS, False
        for share in SOON if not tiny and core.options <= TIED_OPTIONS and whole(core) else ():
            annealing.run(fields.copy(), limits.elapsed() + share * limits.left())
            if decidable(endgame):
                tried, decided = True, decide(endgame)
                if decided is not None:
                    return decided
                break
        if not tiny and core.options <= SOUGHT_OPTIONS:
            endgame.begin()
        left = limits.left()
        if not (small and best.choice is not None and endgame.in_reach):
            shares = SMALL if core.options <= PROVE_OPTIONS else MIDDLE if core.options <= TIED_OPTIONS else WIDE
            until = [limits.elapsed() + share * left for share in shares]
            annealing.run(fields, until[0])
            if best.choice is None and not best.over():
                return self.provers[0]().solve(core, limits, best.heard)
            decided = decide(endgame) if middle and not tried and decidable(endgame) else None
            if decided is not None:
                return decided
            if not tiny and not best.over() and best.choice is not None:
                if middle:
                    self._patches(field, limits, best).decide_ties(best.choice, until[1])
                elif small and (limits.threads == 1 or not endgame.in_reach):  # else that is done beside the proof
                    self._crossed(field, limits, best)
                self._again(
                    fields if not small else fields[-1:], limits, best, shares[0], lambda: small and endgame.in_reach
                )
        if best.over() or best.choice is None or not (tiny or (small and endgame.in_reach)):
            return endgame.answer()
        return endgame.prove()

    def _again(self, some: list[Field], limits: Limits, best: Best, share: float, enough: Callable[[], bool]) -> None:
        """Parts of the plan, and annealing again where no part brings anything more, until that is `enough`."""
        again, least = limits, 0.0
        while not best.over() and limits.left() > least and not enough():
            if least:
                again, some = replace(again, seed=again.seed + 1), some[-1:]
                Annealing(again, best).run(some, limits.elapsed() + share * limits.left())
            self._parts(some, again, best)
            least = AGAIN * limits.time_limit

    def _parts(self, fields: list[Field], limits: Limits, best: Best) -> None:
        """Parts of the plan solved again exactly, with the larger units where they are, then of all: they seldom move."""
        prover, began = -1 if best.core.options <= TIED_OPTIONS else 0, limits.elapsed()
        ends = np.linspace(began, began + PARTS * limits.left(), len(fields) + 1)[1:]
        for field, end in zip(fields, ends, strict=True):
            assert best.choice is not None
            self._patches(field, limits, best, prover).improve(field.part(best.choice), float(end))

    def _crossed(self, field: Field, limits: Limits, best: Best) -> None:
        """Many plans of a small problem, and what they have crossed."""
        until, end = (limits.elapsed() + share * limits.left() for share in (VARIED, VARIED + CROSSED))
        Annealing(limits, best, False, lambda field: self._patches(field, limits, best)).vary(field, until, best.over)
        self._patches(field, limits, best, -1).cross(best.kept.best(), end)

    def _patches(self, field: Field, limits: Limits, best: Best, prover: int = 0) -> Patches:
        """Parts of plans solved again exactly."""
        return Patches(
            field.core,
            field.prices,
            self.provers[prover](),
            limits,
            best.over,
            lambda choice: best.offer(field.lift(choice)),
        )


def _start(core: Core, hint: np.ndarray | None) -> np.ndarray:
    return hint if hint is not None else np.full(core.units, -1, dtype=np.int64)
