"""One engine on one problem, in this process: prices and their bound first, then the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from optimizer.books import SMALL, find_books, usual
from optimizer.core import Core, share_of
from optimizer.dual import PASSES, Dual, find_prices, polished
from optimizer.engines import entry, load
from optimizer.engines.base import Answer, Limits, Progress, Report
from optimizer.hiring import by_positions, few_positions
from optimizer.known import Known, fitted
from optimizer.search import WHOLE
from optimizer.waterfall import waterfall

#: shares of the time left that finding prices and, after them, a bound on whole books may take
PRICE_SHARE, BOOK_SHARE = 0.25, 0.25
#: prices are polished before a search that has so many seconds: where a plan found by them soon is farther than this from their
#: bound, or whole books prove no more
LONG, FAR = 45.0, 0.01
#: what is known is gone on from in this share of the time left, and so many seconds a unit at least
GOES_ON, GOES_ON_UNIT = 0.15, 8e-4
#: with fewer options exact engines do without, and see themselves which positions to fill
BOOK_OPTIONS = 400


def run(
    name: str,
    core: Core,
    limits: Limits,
    report: Report,
    hint: np.ndarray | None = None,
    priced: Callable[[Dual], None] | None = None,
    known: Known | None = None,
) -> tuple[Answer, Dual]:
    """The engine's answer, and what proves a bound for it whatever the engine. `priced` hears of that early; `known`, of a
    problem like this one, is where to begin. What follows from it soon is good, and not the best that more time can find: then
    an engine that searches by prices begins anew, at once where a problem is too large to be annealed whole."""
    left = limits.left()
    soon = max(GOES_ON * left, GOES_ON_UNIT * core.units)
    if known is None or not entry(name).exact_by or limits.deterministic or 3 * soon > left:
        return _run(name, core, limits, report, hint, priced, known)
    until, asked = limits.elapsed() + soon, [False]

    def heard(progress: Progress) -> bool:
        asked[0] = report(progress) or asked[0]
        return asked[0]

    def shortly(progress: Progress) -> bool:
        return heard(progress) or limits.elapsed() > until

    answer, dual = _run(name, core, limits, shortly, hint, priced, known, core.units > WHOLE)
    value = -np.inf if answer.choice is None else core.objective(answer.choice)
    near = limits.met(min(dual.bound, answer.bound), value)
    if answer.claim != "none" or asked[0] or near:
        return answer, dual

    def better(proved: Dual) -> None:
        if priced is not None and proved.bound < dual.bound:
            priced(proved)

    again, anew = _run(name, core, limits, heard, None, better, None)
    answer = replace(answer, bound=min(answer.bound, again.bound))
    return _better(core, answer, again), anew if anew.bound < dual.bound else dual


def _run(
    name: str,
    core: Core,
    limits: Limits,
    report: Report,
    hint: np.ndarray | None,
    priced: Callable[[Dual], None] | None,
    known: Known | None,
    brief: bool = False,
) -> tuple[Answer, Dual]:
    """Once, from what is known or from nothing; where it is to be `brief`, another glance is all the search there is."""

    def partly(part: Core, heard: Report) -> tuple[Answer, Dual]:
        return _run(name, part, limits, heard, None, None, None)

    talk = _Talk(limits, report, priced)
    talk.asked = report(Progress(limits.elapsed(), phase="prices"))
    simple = not (entry(name).exact or entry(name).exact_by)  # needs no first plan, and does not stop for a bound
    first = Answer(None) if simple else load("greedy").solve(core, limits, report, hint)
    dual = find_prices(
        core,
        _seconds(core, limits),
        talk.stop,
        lp=not limits.deterministic,
        passes=PASSES,
        start=None if known is None else known.prices,
        threads=limits.threads,
    )
    talk.proved(dual)
    if (talk.asked or limits.left() <= 0) and not simple:
        return replace(first, stopped=True), dual
    if dual.bound == -np.inf:
        return Answer(None, dual.bound, "infeasible"), dual
    if first.choice is not None and (hint is None or not core.feasible(hint)):
        hint = _filled(core, hint, first.choice)
    if not simple:
        soon = load(name).glance(core, limits, talk.heard, hint, dual)
        first = _better(core, first, Answer(soon))
        hint = soon if known is not None and soon is not None else hint
        if entry(name).exact_by and core.options >= BOOK_OPTIONS and few_positions(core) and not talk.asked:
            begun = first if hint is None or not core.feasible(hint) else _better(core, first, Answer(hint))
            answer = by_positions(core, dual.prices, begun.choice, limits, talk.heard, partly)
            if answer is not None:
                return answer, dual
        value = -np.inf if first.choice is None else core.objective(first.choice)
        some = known is not None or (limits.time_limit < LONG and bool(entry(name).exact_by))
        dual = _more_proved(core, dual, value, known, limits, talk, polish=not some)

    def watched(progress: Progress) -> bool:
        """Stops as well when the plan is within the gap of what is proved, which a search may not know."""
        near = limits.met(dual.bound, progress.objective)
        return report(progress) or (near and progress.choice is not None)

    if brief:
        soon = load(name).glance(core, limits, watched, hint, dual, again=True)
        return _better(core, first, Answer(soon)), dual
    return _better(core, first, load(name).solve(core, limits, watched, hint, dual)), dual


def _seconds(core: Core, limits: Limits) -> float:
    """What finding prices may take; prices of rows say little about positions."""
    mostly_open = core.is_open[core.rep].mean() if core.options else 0.0
    return 1e9 if limits.deterministic else PRICE_SHARE * limits.left() * (1.0 - 0.8 * mostly_open)


class _Talk:
    """Passes on bounds as they are found, and remembers whether somebody asked to stop."""

    def __init__(self, limits: Limits, report: Report, priced: Callable[[Dual], None] | None) -> None:
        self.limits, self.report, self.priced, self.asked = limits, report, priced, False

    def stop(self, bound: float) -> bool:
        self.asked = self.report(Progress(self.limits.elapsed(), bound=bound, phase="prices")) or self.asked
        return self.asked

    def heard(self, progress: Progress) -> bool:
        self.asked = self.report(progress) or self.asked
        return self.asked

    def proved(self, dual: Dual) -> None:
        if self.priced is not None:
            self.priced(dual)
        self.asked = self.report(Progress(self.limits.elapsed(), bound=dual.bound, phase="search")) or self.asked


def _filled(core: Core, hint: np.ndarray | None, first: np.ndarray) -> np.ndarray:
    """What fits of a plan to begin with that breaks a hard row, filled up, where it promises more than the `first`."""
    if hint is None or not core.objective(hint) > core.objective(first):
        return first
    filled = waterfall(core, start=hint)
    return filled if core.feasible(filled) and core.objective(filled) > core.objective(first) else first


def _more_proved(
    core: Core, dual: Dual, value: float, known: Known | None, limits: Limits, talk: _Talk, polish: bool
) -> Dual:
    """The dual with a bound on whole books where that proves more than prices, from books that are known. Better prices, if
    `polish`: before that where a plan of such a `value`, found by these, is far from their bound, after it where books prove
    no more. Nothing more than is needed for such a plan."""

    def stop(bound: float) -> bool:
        return talk.stop(bound) or limits.met(bound, value)

    def better(dual: Dual) -> Dual:
        dual = polished(core, dual, _seconds(core, limits), stop, limits.threads)
        talk.proved(dual)
        return dual

    early = not share_of(dual.bound, value) <= FAR
    if polish and early:
        dual = better(dual)
    if talk.asked or limits.met(dual.bound, value):
        return dual
    if core.options >= BOOK_OPTIONS and not core.is_open[core.rep].all():
        found = _with_books(core, dual, known, limits, talk, stop)
        if found is not None:
            return found
    return better(dual) if polish and not early and not talk.asked else dual


def _with_books(
    core: Core, dual: Dual, known: Known | None, limits: Limits, talk: _Talk, stop: Callable[[float], bool]
) -> Dual | None:
    """The dual with a bound on whole books, from those that are known; None where they do not prove more."""
    seconds = 1e9 if limits.deterministic else BOOK_SHARE * limits.left()
    begun = None if known is None else fitted(core, known, dual.prices)
    more = usual(core.options, BOOK_SHARE * limits.time_limit)
    first = more if core.options <= SMALL else usual(core.options)
    found = find_books(core, dual.prices, seconds, stop, first, limits.threads, begun, dual.bound)
    if found is None or not found.bound < dual.bound:
        return None
    better = replace(dual, bound=found.bound, books=found.books, hosts=found.hosts, liked=found.liked)
    talk.proved(better)
    if begun is not None or more == first or stop(better.bound):
        return better
    # proves more, and hosts no better
    finer = find_books(core, dual.prices, seconds, stop, more, limits.threads, proved=dual.bound)
    if finer is not None and finer.bound < better.bound:
        better = replace(better, bound=finer.bound, books=finer.books)
        talk.proved(better)
    return better


def _better(core: Core, first: Answer, answer: Answer) -> Answer:
    """The engine's answer, with the plan it began with where it has found none as good."""
    if first.choice is None or answer.claim == "optimal":
        return answer
    worth = -np.inf if answer.choice is None else core.objective(answer.choice)
    if worth >= core.objective(first.choice):
        return answer
    claim = "none" if answer.claim == "infeasible" else answer.claim
    return replace(answer, choice=first.choice, claim=claim)
