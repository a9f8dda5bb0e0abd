"""`greedy`: what people do today. Biggest accounts first, each to the rep worth most among those with room."""

from __future__ import annotations

import numpy as np

from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Engine, Limits, Progress, Report
from optimizer.kernels import level_out
from optimizer.waterfall import fill_up, needs, sizes


class Greedy(Engine):
    """One waterfall: first whatever brings unmet hard rows towards their bounds (kept accounts, coverage), biggest value
    first, then everything else. Never undoes a choice, except open positions that do not pay. Where that breaks a hard
    row and a plan to start from is given, it keeps of that plan what fits, most value for the room first, and goes on."""

    name = "greedy"
    about = "biggest first, each to the rep worth most that still has room"

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        return finish(core, fill_up(core, begun(core, hint)), limits, report)


class Balance(Engine):
    """Largest first onto the least loaded eligible rep (Graham 1969): the balancing that territory tools do. Unmet hard
    rows are served first, as in `greedy`."""

    name = "balance"
    about = "biggest first, each onto the least loaded eligible rep"

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        return finish(core, level(core, begun(core, hint)), limits, report)


def begun(core: Core, hint: np.ndarray | None) -> np.ndarray:
    """[U] what brings unmet hard rows towards their bounds, with what fits of `hint` where it does not do alone."""
    choice = needs(core)
    return choice if hint is None or core.feasible(choice) else needs(core, hint)


def level(core: Core, choice: np.ndarray) -> np.ndarray:
    """`choice` [U] with every unit that has none given to its least loaded rep with room; changes it in place."""
    size = sizes(core)
    taken = choice >= 0
    load = np.bincount(core.rep[choice[taken]], weights=size[taken], minlength=len(core.cost)).astype(float)
    load[core.is_open] += 10 * size.sum()  # an open position looks full: nobody balances onto an empty chair
    weight = np.ones(len(load))
    usage = np.append(core.usage(choice), 0.0)
    level_out(
        np.argsort(-size, kind="stable"), core.start, core.rep, size, load, weight, core.unit_coef, core.option_coef,
        core.unit_row, core.rep_row, core.factor, core.lower, core.upper, np.isinf(core.penalty), usage, choice,
    )  # fmt: skip
    return choice


def finish(core: Core, choice: np.ndarray, limits: Limits, report: Report) -> Answer:
    """Close open positions that do not pay, judge the plan, and say which rows are short when it breaks any."""
    if core.feasible(choice):
        for position in np.flatnonzero(core.is_open):
            without = np.where(np.append(core.rep, -1)[choice] == position, -1, choice)
            if core.feasible(without) and core.objective(without) > core.objective(choice):
                choice = without
        report(Progress(limits.elapsed(), core.objective(choice), phase="plan", choice=choice))
        return Answer(choice)
    short = np.flatnonzero(core.shortfall(choice) * np.isinf(core.penalty) > 0)
    unserved = int((choice[core.mandatory] < 0).sum())
    notes = (f"{unserved} mandatory accounts found no room",) if unserved else ()
    return Answer(None, short=tuple(map(int, short)), notes=notes)
