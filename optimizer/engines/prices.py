"""`prices`: local search below the bound that prices prove, at any size; exact engines for the rest where it is small."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from optimizer.core import Core, share_of
from optimizer.dual import Dual, find_prices
from optimizer.engines.base import Answer, Engine, Limits, Placing, Progress, Report
from optimizer.fields import Field
from optimizer.opening import choose_positions
from optimizer.patches import Patches
from optimizer.proof import agrees, prove
from optimizer.search import Cooling, Search
from optimizer.settle import fasten, hold, settle
from optimizer.waterfall import waterfall

#: chains a unit in the first annealing, and how many times more in each that follows
FIRST, MORE = 30, 4
#: annealings from the prices' own choice, the first of them quick, and from the best plan
QUICK, COLD, WARM = Cooling(depth=4, window=12), Cooling(), Cooling(rounds=8, hot=0.03, share=0.1, firm=(2.0, 100.0))
#: the only one for more units than `HUGE`, where every round costs seconds before it begins
HURRIED, HUGE = Cooling(rounds=8, depth=4, window=12), 200_000
#: breaches cost ten times more after every annealing that ends with some, so many times at most
FIRMEST = 4
#: chains a second: what a deterministic solve may count on, and what one expects before it has measured
NOMINAL, PACE = 5_000, 120_000
#: units of the best plan that fill more than such a share of a row of their rep's stay there, one step after another, where
#: the limit is so many seconds a unit; shares of the time left for the search before each, and for the prices of the others
FASTEN, SECONDS_A_UNIT, BEFORE_IT, REPRICE = (0.1, 0.04), 3e-4, 0.15, 0.12
#: options up to which exact engines solve parts of the plan again, up to which they try to prove it, and up to which they
#: begin as soon as an annealing finds nothing better
PATCH_OPTIONS, PROVE_OPTIONS, TINY_OPTIONS = 300_000, 4_000, 400
#: options up to which the nearly tied of all units are solved at once, and parts by the last engine, not the first
TIED_OPTIONS = 150_000
#: shares of the time left at which annealing ends, and what is tied; where a few annealings see all there is, where the tied
#: are solved at once, and elsewhere
SMALL, MIDDLE, WIDE = (0.06, 0.06), (0.3, 0.7), (0.8, 0.8)
#: shares of what is left then for parts, where a proof comes next and where none does
BEFORE_PROOF, PARTS = 0.07, 0.95
#: a plan must be this near the prices' bound for a proof to be tried where the problem is not tiny
PROVABLE = 0.005
#: big units of a plan this near the bound stay where they are; one as near as that is where the search begins
NEAR, NEARER = 0.03, 0.01
#: where more than this share of the options is an open position's, which to open is settled first, in this share of the time
MOSTLY_OPEN, OPENING_SHARE = 0.5, 0.95
#: seconds a unit that judging a plan takes when the search has ended
AFTER = 8e-6
#: seconds between questions whether to stop
ASK = 0.2


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
        best = Best(core, limits, report, dual.bound)
        start = hint if hint is not None else np.full(core.units, -1, dtype=np.int64)
        best.offer(start)
        if self.provers and core.options > TINY_OPTIONS and core.is_open[core.rep].mean() > MOSTLY_OPEN:
            some = replace(limits, time_limit=limits.elapsed() + OPENING_SHARE * limits.left())
            opened = choose_positions(core, dual.prices, self.provers[0](), some, best.heard, best.choice)
            best.offer(opened.choice if opened.choice is not None else start)
            start = best.choice if best.choice is not None else start
        if not core.options:
            return Answer(best.choice, stopped=best.over())
        place = self._place if self.provers else None
        keep = best.choice if best.value > -np.inf and share_of(best.proved, best.value) < NEAR else None
        near = best.value > -np.inf and share_of(best.proved, best.value) < NEARER
        settled = None if near else settle(core, dual, place, limits, best.over, keep)
        fields = [Field.whole(core, dual.prices, start)]
        if settled is not None:
            fields.insert(0, Field.rest(settled, start, dual.prices))
        elif (held := hold(core, dual, limits, best.over, keep)) is not None:
            fields.insert(0, Field.around(core, held, start))
        if not self.provers or core.options > PATCH_OPTIONS or limits.deterministic:
            end = max(0.8 * limits.time_limit, limits.time_limit - AFTER * core.units)
            self._search(fields, limits, best, end, tiny=False)
        else:
            answer = self._with_exact(fields, limits, best)
            if answer is not None:
                return answer
        short = () if best.choice is not None else best.short
        return Answer(best.choice, stopped=best.over(), short=short)

    def _place(self, core: Core, some: np.ndarray, limits: Limits, report: Report) -> Placing:
        """The better of what the first exact engine and, where there are threads, those that search side by side find."""
        engines = [prover() for prover in self.provers]
        able = [engines[0], *(e for e in engines[1:] if e.side_by_side and limits.threads > 1)]
        limits = replace(limits, threads=max(1, limits.threads + 1 - len(able)))
        with ThreadPoolExecutor(len(able)) as pool:
            found = pool.map(lambda engine: engine.place(core, some, limits, report), able)
            return max(found, key=lambda placing: placing.worth)

    def _with_exact(self, fields: list[Field], limits: Limits, best: Best) -> Answer | None:
        """Annealing, then parts of the plan solved again exactly, then a proof where that is in reach."""
        core, tiny = best.core, best.core.options <= TINY_OPTIONS
        shares = SMALL if core.options <= PROVE_OPTIONS else MIDDLE if core.options <= TIED_OPTIONS else WIDE
        until = [limits.elapsed() + share * limits.left() for share in shares]
        self._search(fields, limits, best, until[0], tiny, exact=True)
        if best.over():
            return None
        if best.choice is None:
            return self.provers[0]().solve(core, limits, best.heard)
        if not tiny:
            if core.options <= TIED_OPTIONS:
                self._patches(fields[-1], limits, best).decide_ties(best.choice, until[1])
            prover, began = -1 if core.options <= TIED_OPTIONS else 0, limits.elapsed()
            end = began + (BEFORE_PROOF if self._near(best) else PARTS) * limits.left()
            some = fields if core.options > PROVE_OPTIONS else fields[-1:]
            ends = np.linspace(began, end, len(some) + 1)[1:]  # big units last: they seldom move
            for field, end in zip(some, ends, strict=True):
                self._patches(field, limits, best, prover).improve(field.part(best.choice), float(end))
        return (
            None
            if best.over() or not (tiny or self._near(best))
            else self._proved(core, limits, fields[-1].prices, best)
        )

    def _near(self, best: Best) -> bool:
        """Whether a proof is in reach."""
        return best.core.options <= PROVE_OPTIONS and share_of(best.proved, best.value) < PROVABLE

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

    def _search(
        self, fields: list[Field], limits: Limits, best: Best, end: float, tiny: bool, exact: bool = False
    ) -> None:
        """Annealings until `end` on the first field, then on what it leaves when the larger units of the best plan stay where
        they are; on the next field where two annealings have ended without a plan. Fields so found come first. A plan to begin
        with that is near the bound is restored, and its larger units stay at once."""
        warm = best.value > -np.inf and share_of(best.proved, best.value) < NEARER
        for field in tuple(fields):
            quick, calm = (HURRIED, HURRIED) if field.core.units > HUGE else (QUICK, COLD)
            first, search = quick, field.search(limits, best.over)
            if warm and best.choice is not None:
                for choice in search.restore(field.part(best.choice)):
                    best.offer(field.lift(choice))
            for least in FASTEN if limits.time_limit > SECONDS_A_UNIT * field.core.units else ():
                if not warm:
                    until = limits.elapsed() + BEFORE_IT * (end - limits.elapsed())
                    self._anneal(field, search, limits, best, until, tiny, exact, False, quick, last=False)
                warm = False
                if best.over() or best.choice is None or not share_of(best.proved, best.value) < NEAR:
                    break
                seconds = REPRICE * (end - limits.elapsed())
                fastened = fasten(best.core, best.choice, least, field.paid, limits, seconds, best.over)
                if fastened is None or best.over():
                    break
                first, field = calm, Field.rest(fastened, best.choice, field.paid)
                search = field.search(limits, best.over)
                fields.insert(0, field)
            self._anneal(field, search, limits, best, end, tiny, exact, warm, first, last=field is fields[-1])
            if best.choice is not None:
                break

    def _anneal(
        self,
        field: Field,
        search: Search,
        limits: Limits,
        best: Best,
        end: float,
        tiny: bool,
        exact: bool,
        warm: bool,
        first: Cooling,
        last: bool,
    ) -> None:
        """Annealings until `end`, each with more work than the last: from the prices' own choice, at the `first` cooling to
        begin with, or from the best plan if `warm`, after one that found nothing better, and where little time is left. A
        tiny problem is left to the exact engine as soon as one finds nothing better."""
        units = field.core.units
        patches = self._patches(field, limits, best) if exact else None
        broken, begun = 0, False
        work, tries = NOMINAL * limits.time_limit, float(FIRST * units)
        only = not limits.deterministic and tries / PACE > 0.3 * (end - limits.elapsed())
        while not best.over():
            began, before = limits.elapsed(), best.value
            seconds = 0.95 * (end - began) if only else None
            if warm and best.choice is not None:
                found = search.run(field.part(best.choice), WARM, max(1, int(tries)), seconds)
            else:
                cooling = first if only or not begun else COLD
                cooling = replace(cooling, firm=(cooling.firm[0], cooling.firm[1] * 10.0**broken))
                found = search.run(search.first_choice, cooling, max(1, int(tries)), seconds)
                broken = min(FIRMEST, broken + int(not any(map(search.core.feasible, found))))
            for choice in found:
                if not field.core.feasible(choice):
                    choice = (search if patches is None else patches).mend(choice)
                best.offer(field.lift(choice))
            if best.choice is None and broken > 1 and not last:
                break
            begun, warm, only = True, not warm and best.value <= before, False
            work -= tries
            speed = tries / max(1e-3, limits.elapsed() - began)
            left = work if limits.deterministic else 0.95 * speed * (end - limits.elapsed())
            if left < 0.1 * FIRST * units or (tiny and -np.inf < best.value <= before):
                break
            warm |= left < tries
            tries = min(MORE * tries, left)

    def _proved(self, core: Core, limits: Limits, prices: np.ndarray, best: Best) -> Answer:
        """The answer of the last exact engine, which begins with the best plan, and of others where it claims proof."""
        assert best.choice is not None
        *others, last = self.provers
        proof = prove(core, best.choice, prices, last(), limits, best.heard)
        agreed = proof.claim == "optimal" and any(
            agrees(core, proof, other(), limits, lambda _: best.over()) for other in others
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
