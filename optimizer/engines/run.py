"""One engine on one problem, in this process: prices and their bound first, then the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from optimizer.books import SMALL, find_books, usual
from optimizer.core import Core, share_of
from optimizer.dual import PASSES, Dual, find_prices
from optimizer.engines import entry, load
from optimizer.engines.base import Answer, Limits, Progress, Report
from optimizer.known import Known, fitted
from optimizer.waterfall import waterfall

#: shares of the time left that finding prices and, after them, a bound on whole books may take
PRICE_SHARE, BOOK_SHARE = 0.25, 0.25
#: prices are polished before a search that has so many seconds; a shorter one has more of books
LONG = 45.0
#: with fewer options exact engines do without
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
    """The engine's answer, and what proves a bound for it whatever the engine. `priced` hears of that early; `known`,
    of a problem like this one, is where to begin."""
    talk = _Talk(limits, report, priced)
    talk.asked = report(Progress(limits.elapsed(), phase="prices"))
    simple = not (entry(name).exact or entry(name).exact_by)  # needs no first plan, and does not stop for a bound
    first = Answer(None) if simple else load("greedy").solve(core, limits, report, hint)
    mostly_open = core.is_open[core.rep].mean() if core.options else 0.0  # prices of rows say little about positions
    seconds = 1e9 if limits.deterministic else PRICE_SHARE * limits.left() * (1.0 - 0.8 * mostly_open)
    dual = find_prices(
        core,
        seconds,
        talk.stop,
        lp=not limits.deterministic,
        passes=PASSES,
        start=None if known is None else known.prices,
        threads=limits.threads,
        polish=known is None and (limits.time_limit >= LONG or not entry(name).exact_by),
    )
    talk.proved(dual)
    if (talk.asked or limits.left() <= 0) and not simple:
        return replace(first, stopped=True), dual
    if dual.bound == -np.inf:
        return Answer(None, dual.bound, "infeasible"), dual
    if first.choice is not None and (hint is None or not core.feasible(hint)):
        hint = _filled(core, hint, first.choice)
    dual = dual if simple else _with_books(core, dual, hint, known, limits, talk)

    def watched(progress: Progress) -> bool:
        """Stops as well when the plan is within the gap of what is proved, which a search may not know."""
        near = share_of(dual.bound, progress.objective) <= limits.gap
        return report(progress) or (near and progress.choice is not None)

    return _better(core, first, load(name).solve(core, limits, watched, hint, dual)), dual


class _Talk:
    """Passes on bounds as they are found, and remembers whether somebody asked to stop."""

    def __init__(self, limits: Limits, report: Report, priced: Callable[[Dual], None] | None) -> None:
        self.limits, self.report, self.priced, self.asked = limits, report, priced, False

    def stop(self, bound: float) -> bool:
        self.asked = self.report(Progress(self.limits.elapsed(), bound=bound, phase="prices")) or self.asked
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


def _with_books(
    core: Core, dual: Dual, hint: np.ndarray | None, known: Known | None, limits: Limits, talk: _Talk
) -> Dual:
    """The dual with a bound on whole books where that proves more, and is needed; from books that are known."""
    if core.options < BOOK_OPTIONS or core.is_open[core.rep].all():
        return dual
    if hint is not None and core.feasible(hint) and share_of(dual.bound, core.objective(hint)) <= limits.gap:
        return dual
    seconds = 1e9 if limits.deterministic else BOOK_SHARE * limits.left()
    begun = None if known is None else fitted(core, known, dual.prices)
    more = usual(core.options, BOOK_SHARE * limits.time_limit)
    first = more if core.options <= SMALL else usual(core.options)
    found = find_books(core, dual.prices, seconds, talk.stop, first, limits.threads, begun)
    if found is None or not found.bound < dual.bound:
        return dual
    better = replace(dual, bound=found.bound, books=found.books, hosts=found.hosts, liked=found.liked)
    talk.proved(better)
    if begun is not None or more == first or talk.asked:
        return better
    finer = find_books(core, dual.prices, seconds, talk.stop, more, limits.threads)  # proves more, and hosts no better
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
