"""Annealings on one field after another, each with more work than the last, and the best plan that they meet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimizer.core import Core, share_of
from optimizer.engines.base import Answer, Limits, Progress, Report
from optimizer.fields import Field
from optimizer.patches import Patches
from optimizer.reduced import Kept
from optimizer.search import WHOLE, Cooling, Search
from optimizer.settle import fasten
from optimizer.waterfall import waterfall

#: chains a unit in the first annealing, and how many times more in each that follows
FIRST, MORE = 30, 4
#: annealings from the prices' own choice, the first of them quick, and from the best plan; of what larger units leave of a
#: large problem, whose prices are nearly right, less hot; of what a known plan's leave, with so many chains a
#: unit first, and then
QUICK, COLD = Cooling(depth=4, window=12, reach=0.2), Cooling(reach=0.2)
BRISK = Cooling(rounds=8, hot=0.1, share=0.05, depth=4, window=20, reach=0.2)
MILD = replace(BRISK, rounds=16, hot=0.07, window=32)
WARM = Cooling(rounds=8, hot=0.03, share=0.1, firm=(2.0, 100.0), reach=0.2)
SOON, LATER = 20, 50
#: where there is no time to mend what breaks a row in the end
FIRM = (1.0, 1e4)
#: many annealings of a small problem, with so many chains a unit: rows count sooner and all is hotter, so that each ends
#: elsewhere
VARIED, FULL = Cooling(share=0.3, hot=1.0), 200
#: the best plans met are kept where there are no more options than this
KEPT_OPTIONS = 10_000
#: the only one for more units than `HUGE`, where every round costs seconds before it begins
HURRIED, HUGE = Cooling(rounds=8, share=0.01, depth=4, window=12, reach=0.05), 200_000
#: seconds a unit that a round takes for its parts to be laid out, and fewest rounds where there is time for no more
LAID, FEWEST = 1e-6, 3
#: breaches cost ten times more after every annealing that ends with some, so many times at most
FIRMEST = 4
#: chains a second: what a deterministic solve may count on, and what one expects before it has measured
NOMINAL, PACE = 5_000, 120_000
#: units of the best plan that fill more than such a share of a row of their rep's stay there, one step after another, where
#: the limit is so many seconds a unit; shares of the time left for the search before each, and for the prices of the others
FASTEN, SECONDS_A_UNIT, BEFORE_IT, REPRICE = (0.1, 0.04, 0.02, 0.01), 1.2e-4, 0.08, 0.2
#: seconds a unit from which on several fields are begun with
SEVERAL = 2e-3
#: the share before each where a good plan of a problem like this one, and with it prices, were known
SOONER, QUICKLY = 0.05, 0.2
#: big units of a plan this near the bound stay where they are; one as near as that is where the search begins
NEAR, NEARER = 0.03, 0.01
#: seconds between questions whether to stop
ASK = 0.2


class Best:
    """The best plan met. Tells of every better one, and asks now and then, from any thread, whether to stop."""

    def __init__(self, core: Core, limits: Limits, report: Report, proved: float) -> None:
        self.core, self.limits, self.report, self.proved = core, limits, report, proved
        self.choice: np.ndarray | None = None
        self.value = -np.inf
        self.short: tuple[int, ...] = ()
        self.kept = Kept()
        self.lock, self.asked, self.stop = threading.RLock(), 0.0, False
        self.phase = "search"

    def offer(self, choice: np.ndarray) -> None:
        """Keep a plan if it is better; one that breaks a hard row is made to keep it first."""
        core = self.core
        if not core.feasible(choice):
            self.short = tuple(map(int, np.flatnonzero(core.shortfall(choice) * np.isinf(core.penalty) > 0)))
            choice = waterfall(core, start=choice)
            if not core.feasible(choice):
                return
        value = core.objective(choice)
        with self.lock:
            if core.options <= KEPT_OPTIONS:
                self.kept.add(value, choice)
            if value > self.value:
                self.choice, self.value = choice, value
                self.stop |= self.report(Progress(self.limits.elapsed(), value, self.proved, self.phase, choice))

    def answer(self) -> Answer:
        """The best plan, without a proof, or what rows were short."""
        return Answer(self.choice, stopped=self.over(), short=() if self.choice is not None else self.short)

    def lower(self, bound: float) -> None:
        """Keep a bound on every plan if it is lower."""
        with self.lock:
            if bound < self.proved:
                self.proved = bound
                self.stop |= self.report(Progress(self.limits.elapsed(), self.value, bound, self.phase))

    def heard(self, progress: Progress) -> bool:
        """Pass on what an exact engine says of the problem."""
        with self.lock:
            self.stop |= self.report(progress)
            return self.stop

    def over(self) -> bool:
        """Whether to stop: asked to, out of time, within the gap, or at the bound."""
        with self.lock:
            now = self.limits.elapsed()
            if now - self.asked > ASK:
                self.asked = now
                self.stop |= self.report(Progress(now, self.value, self.proved, self.phase))
            return self.stop or now > self.limits.time_limit or self.limits.met(self.proved, self.value)

    def apart(self) -> Best:
        """One that knows of no plan yet, and tells this one of those it meets."""

        def heard(progress: Progress) -> bool:
            if progress.choice is not None:
                self.offer(progress.choice)
            return self.over()

        return Best(self.core, self.limits, heard, self.proved)

    def near(self, share: float) -> bool:
        """Whether there is a plan, and it is within this share of what is proved."""
        return self.value > -np.inf and share_of(self.proved, self.value) < share


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """Fields, each what the next leaves, a search on the first of them, the `first` cooling there, and whether it goes on from
    the best plan (`warm`)."""

    fields: list[Field]
    search: Search
    first: Cooling
    warm: bool


@dataclass(frozen=True, slots=True, eq=False)
class Annealing:
    """Makes the best plan better. `tiny` problems are left as soon as an annealing finds nothing better; plans that break
    rows are mended by annealing around these and by the exact `patches` of a field, where there are such."""

    limits: Limits
    best: Best
    tiny: bool = False
    patches: Callable[[Field], Patches] | None = None

    def run(self, fields: list[Field], end: float) -> None:
        """Annealings until `end` on what the first of the fields leaves when the larger units of the best plan stay where they
        are; on the last field where two annealings have ended without a plan. Where there is time, those between are begun with
        as well as the first, each with plans of its own, and the one that ends with the best is gone on from. It stays among the
        fields, as does the last, and those found so come first."""
        best, (*starts, last) = self.best, fields
        if best.near(NEARER) or not self.limits.time_limit > SEVERAL * best.core.units:
            starts = starts[:1]
        for first in (*starts[:1], last):
            way = self._narrowed(first, end)
            for other in starts[1:] if first is not last and not best.over() else ():
                value = best.value
                apart = replace(self, best=best.apart())._narrowed(other, end)
                way = apart if best.value > value else way
            fields[:] = way.fields if first is last else [*way.fields, last]
            self._on(way.fields[0], way.search, end, way.first, way.warm, last=first is last)
            if best.choice is not None:
                break

    def _narrowed(self, field: Field, end: float) -> _Way:
        """A field, and what it leaves when the larger units of the best plan stay where they are, and more and more of them, with
        an annealing before each. Of a plan to begin with that is near the bound they stay at once; where the problem is annealed
        whole it is restored and is what the first annealings go on from, and in parts all but the largest stay at once
        (`glance` has tried with more)."""
        limits, best, fields = self.limits, self.best, [field]
        first, search = self._coolings(field)[0], field.search(limits, best.over)
        known = best.near(NEARER)
        warm, share = known and best.core.units <= WHOLE, SOONER if known else BEFORE_IT
        if warm:
            self._restore(field, search)
        annealed, steps = known, FASTEN if limits.time_limit > SECONDS_A_UNIT * field.core.units else ()
        for least in steps[int(known and not warm) :]:
            if not annealed:
                self._on(field, search, self._soon(end, share), self._coolings(field)[0], warm=False, last=False)
            if best.over() or best.choice is None or not best.near(NEAR):
                break
            seconds = REPRICE * (end - limits.elapsed())
            fastened = fasten(best.core, best.choice, (least,), field.paid, limits, seconds, best.over)
            annealed = warm or fastened is None
            if fastened is None:
                continue
            if best.over():
                break
            field = Field.rest(fastened, best.choice, field.paid)
            first, search = self._coolings(field)[1], field.search(limits, best.over)
            fields.insert(0, field)
            if warm:
                self._restore(field, search)
        if warm and steps:
            self._on(field, search, self._soon(end, share), first, warm, last=False)
            warm = False
        return _Way(fields, search, first, warm)

    def glance(self, field: Field, again: bool = False) -> None:
        """One short annealing, for a plan soon: from the prices' own choice, or of what a plan that is known leaves when as many
        of its larger units as may stay do so; `again` from the best plan, and longer."""
        limits, best, share, chains = self.limits, self.best, BEFORE_IT, FIRST
        known = best.choice if best.near(NEARER) else None
        if known is not None:
            seconds, share, chains = REPRICE * limits.left(), QUICKLY, LATER if again else SOON
            fastened = fasten(best.core, known, FASTEN[::-1], field.paid, limits, seconds, best.over)
            field = field if fastened is None else Field.rest(fastened, known, field.paid)
        cooling, search, units = self._coolings(field)[int(again)], field.search(limits, best.over), field.core.units
        tries = chains * units if limits.deterministic else min(chains * units, int(PACE * share * limits.left()))
        start = field.part(known) if again and known is not None else search.first_choice
        for choice in search.run(start, cooling if known is None else replace(cooling, firm=FIRM), max(1, tries)):
            kept = field.core.feasible(choice)
            filled = choice if kept else waterfall(field.core, start=choice)  # at once, and nearly as good
            best.offer(field.lift(filled if kept or field.core.feasible(filled) else search.mend(choice)))

    def _coolings(self, field: Field) -> tuple[Cooling, Cooling]:
        """Of the first annealing of a field and of those that follow."""
        if field.core.units > HUGE:
            return HURRIED, HURRIED
        left = field.core is not self.best.core and field.core.units > WHOLE
        return (BRISK, MILD) if left else (QUICK, COLD)

    def vary(self, field: Field, end: float, over: Callable[[], bool]) -> None:
        """Many annealings that each end elsewhere, until `end` or until it is `over()`."""
        search, tries = field.search(self.limits, over), FULL * field.core.units
        while True:
            began = self.limits.elapsed()
            for choice in search.run(search.first_choice, VARIED, tries):
                self.best.offer(field.lift(choice if self.patches is None else self.patches(field).mend(choice)))
            if over() or 2 * self.limits.elapsed() - began > end:
                return

    def _soon(self, end: float, share: float) -> float:
        """When the first of the annealings ends."""
        now = self.limits.elapsed()
        return now + share * (end - now)

    def _restore(self, field: Field, search: Search) -> None:
        """The best plan annealed again where it loses much."""
        assert self.best.choice is not None
        for choice in search.restore(field.part(self.best.choice)):
            self.best.offer(field.lift(choice))

    def _on(self, field: Field, search: Search, end: float, first: Cooling, warm: bool, last: bool) -> None:
        """Annealings until `end`, each with more work than the last: from the prices' own choice, at the `first` cooling to
        begin with, or from the best plan if `warm`, as long as that finds better ones, after one that found nothing better, and
        where little time is left. A tiny problem is left to the exact engine as soon as one finds nothing better. Where there
        is a plan and `end` is past, none begins."""
        limits, best, units = self.limits, self.best, field.core.units
        if best.choice is not None and limits.elapsed() > end and not limits.deterministic:
            return
        patches = self.patches(field) if self.patches is not None else None
        broken, begun, stays, calm = 0, False, warm, self._coolings(field)[1]
        work, tries = NOMINAL * limits.time_limit, float(FIRST * units)
        only = not limits.deterministic and tries / PACE > 0.3 * (end - limits.elapsed())
        if only:  # the first round is as long as what it expects says, the others as long as fits
            left = max(0.0, end - limits.elapsed())
            tries = min(tries, PACE * left)
            first = replace(first, rounds=max(FEWEST, min(first.rounds, int(left / (LAID * units)))))
        while not best.over():
            began, before = limits.elapsed(), best.value
            seconds = 0.95 * (end - began) if only else None
            if warm and best.choice is not None:
                found = search.run(field.part(best.choice), WARM, max(1, int(tries)), seconds)
            else:
                cooling = first if only or not begun else calm
                cooling = replace(cooling, firm=(cooling.firm[0], cooling.firm[1] * 10.0**broken))
                found = search.run(search.first_choice, cooling, max(1, int(tries)), seconds)
                broken = min(FIRMEST, broken + int(not any(map(search.core.feasible, found))))
            for choice in found:
                best.offer(field.lift(_mended(field, search, patches, choice)))
            if best.choice is None and broken > 1 and not last:
                break
            better = best.value > before
            begun, warm, only = True, (stays and better) if warm else not better, False
            work -= tries
            speed = tries / max(1e-3, limits.elapsed() - began)
            left = work if limits.deterministic else 0.95 * speed * (end - limits.elapsed())
            if left < 0.1 * FIRST * units or (self.tiny and -np.inf < best.value <= before):
                break
            warm |= left < tries
            tries = min(MORE * tries, left)


def _mended(field: Field, search: Search, patches: Patches | None, choice: np.ndarray) -> np.ndarray:
    """A choice [U'] that keeps hard rows, if that can be had: in parts by annealing around the broken ones first, which is
    quicker."""
    if (patches is None or field.core.units > WHOLE) and not field.core.feasible(choice):
        choice = search.mend(choice)
    if patches is not None and not field.core.feasible(choice):
        choice = patches.mend(choice)
    return choice
