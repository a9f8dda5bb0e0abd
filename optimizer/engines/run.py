"""One engine on one problem, in this process: prices and their bound first, then the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from optimizer.core import Core, share_of
from optimizer.dual import PASSES, Dual, find_prices
from optimizer.engines import load
from optimizer.engines.base import Answer, Limits, Progress, Report

#: share of the time limit that finding prices may take
PRICE_SHARE = 0.25
#: engines that need no first plan
WATERFALLS = ("greedy", "balance")


def run(
    name: str,
    core: Core,
    limits: Limits,
    report: Report,
    hint: np.ndarray | None = None,
    priced: Callable[[np.ndarray], None] | None = None,
    prices: np.ndarray | None = None,
) -> tuple[Answer, Dual]:
    """The engine's answer, and the prices that prove a bound for it whatever the engine. `priced` hears of them early;
    `prices` [R], of a problem like this one, are where to begin."""
    asked = [report(Progress(limits.elapsed(), phase="prices"))]

    def stop(bound: float) -> bool:
        asked[0] = report(Progress(limits.elapsed(), bound=bound, phase="prices")) or asked[0]
        return asked[0]

    seconds = 1e9 if limits.deterministic else PRICE_SHARE * limits.left()
    dual = find_prices(
        core, seconds, stop, lp=not limits.deterministic, passes=PASSES, start=prices, threads=limits.threads
    )
    if priced is not None:
        priced(dual.prices)
    asked[0] = report(Progress(limits.elapsed(), bound=dual.bound, phase="search")) or asked[0]
    if asked[0] and name not in WATERFALLS:
        return Answer(None, stopped=True), dual
    if dual.bound == -np.inf:
        return Answer(None, dual.bound, "infeasible"), dual
    if limits.left() <= 0 and name not in WATERFALLS:
        return Answer(None, stopped=True), dual

    def watched(progress: Progress) -> bool:
        """Stops as well when the plan is within the gap of what the prices prove, which a search may not know."""
        near = share_of(dual.bound, progress.objective) <= limits.gap
        return report(progress) or (near and progress.choice is not None)

    first = Answer(None) if name in WATERFALLS else load("greedy").solve(core, limits, report, hint)
    if first.choice is not None and (hint is None or not core.feasible(hint)):
        hint = first.choice
    return _better(core, first, load(name).solve(core, limits, watched, hint, dual.prices)), dual


def _better(core: Core, first: Answer, answer: Answer) -> Answer:
    """The engine's answer, with the plan it began with where it has found none as good."""
    if first.choice is None or answer.claim == "optimal":
        return answer
    worth = -np.inf if answer.choice is None else core.objective(answer.choice)
    if worth >= core.objective(first.choice):
        return answer
    claim = "none" if answer.claim == "infeasible" else answer.claim
    return replace(answer, choice=first.choice, claim=claim)
