"""Choose an engine, run it, judge what it says, and state what is found and what is proved."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from optimizer.certificate import BoundBy, bound
from optimizer.check import Report, judge
from optimizer.core import Core, share_of
from optimizer.engines import ENGINES, choose, entry
from optimizer.engines.base import Limits, Progress
from optimizer.errors import SolverError, UsageError
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.process import Outcome, StoppedHow, run_child
from optimizer.relax import conflicts, elastic
from optimizer.result import Conflict, Result, Status, StoppedBy

#: objective and bound are the same when they differ by no more than this share (design.md: a row's tolerance)
SAME = 1e-6
PACKAGES = ("bookfit", "ortools", "highspy", "numpy", "scipy", "pandas")

Listener = Callable[[Progress], bool | None]
#: runs an engine on a core: (name, core, limits, listener, hint) → outcome
Runner = Callable[[str, Core, Limits, Listener | None, np.ndarray | None], Outcome]


def solve(
    problem: Problem,
    engine: str = "auto",
    time_limit: float = 60.0,
    gap: float = 5e-4,
    seed: int = 1,
    deterministic: bool = False,
    threads: int = 2,
    report: Listener | None = None,
    start: Plan | None = None,
    memory: int | None = None,
    in_process: bool = False,
) -> Result:
    """The best plan found within `time_limit` seconds (the child's start included), and how far it can be from the best.

    `gap` is the share at which to stop; 0 asks for proof. `report` hears of progress and may return True to stop.
    `start` is a plan to begin with, today's by default. `memory` is in bytes. Raises `UsageError` for an unknown engine
    or a limit that makes no sense, `SolverError` when an engine dies without a plan. Infeasible is a result.
    """
    if not time_limit > 0 or not np.isfinite(time_limit) or not 0 <= gap < 1 or threads < 1:
        raise UsageError("time_limit must be above 0 seconds, gap from 0 to below 1, threads at least 1")
    guard(problem.core)
    why = "asked for"
    if engine == "auto":
        engine, why = choose(problem.core.options, problem.core.rows)
    entry(engine)
    limits = Limits(time_limit, gap, seed, deterministic, threads)
    hint = problem.choice(start or problem.today)
    judged = _Judged(problem)
    if problem.impossible:
        limits_left = Limits(time_limit, gap, seed, deterministic, threads, limits.started)
        reasons = _relaxation(problem, limits_left, _runner(in_process, memory))
        return judged.result("INFEASIBLE", "proof", None, limits, engine, why, conflicts=reasons)
    runner = _runner(in_process, memory)
    outcome = runner(engine, problem.core, limits, report, hint)
    return _conclude(judged, outcome, engine, why, limits, runner, report)


def guard(core: Core) -> None:
    """Raises `UsageError` for numbers no engine can be trusted with."""
    for name in ("value", "unit_coef", "option_coef", "cost"):
        if not np.isfinite(getattr(core, name)).all():
            raise UsageError(f"the problem's {name} holds a number that is not finite; bookfit validate shows where")
    if np.isnan(core.lower).any() or np.isnan(core.upper).any():
        raise UsageError("a limit has a bound that is not a number")


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Turns what engines say into what is true of the problem."""

    problem: Problem

    def report(self, choice: np.ndarray | None) -> tuple[Plan, Report] | None:
        """The plan and its judgement; None for no plan, or for one that `check` does not accept."""
        if choice is None:
            return None
        plan = self.problem.plan(choice)
        report = judge(self.problem.scores, self.problem.scenario.active, plan)
        return (plan, report) if report.ok else None

    def result(
        self,
        status: Status,
        stopped: StoppedBy,
        found: tuple[Plan, Report] | None,
        limits: Limits,
        engine: str,
        why: str,
        proved: tuple[float, BoundBy] = (float("nan"), "prices"),
        outcome: Outcome | None = None,
        conflicts: tuple[Conflict, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Result:
        prices = (
            outcome.prices if outcome is not None and outcome.prices is not None else np.zeros(self.problem.core.rows)
        )
        plan, report = found if found is not None else (None, None)
        trace = pd.DataFrame(outcome.trace if outcome else (), columns=["seconds", "objective", "bound"]).astype(float)
        return Result(
            status, stopped, plan, report, report.objective if report else float("nan"), *proved, prices,
            limits.elapsed(), engine, why, limits.seed, versions(), trace, notes, conflicts,
            self.problem.scenario.currency,
        )  # fmt: skip


def _conclude(
    judged: _Judged,
    outcome: Outcome,
    engine: str,
    why: str,
    limits: Limits,
    runner: Runner,
    report: Listener | None,
) -> Result:
    """Second opinions, bounds, status: what may be said of an outcome."""
    problem, notes = judged.problem, list(outcome.notes)
    found = judged.report(outcome.choice)
    by_prices = bound(problem.core, outcome.prices) if outcome.prices is not None else np.inf
    if found is None and outcome.choice is not None:
        notes.append("the engine's plan did not pass the check and was dropped")
    if outcome.claim == "infeasible" and found is None:
        agreed = (
            by_prices == -np.inf or _second(engine, problem.core, limits, runner, report, None).claim == "infeasible"
        )
        if agreed:
            why_not = _relaxation(problem, limits, runner)
            return judged.result(
                "INFEASIBLE", "proof", None, limits, engine, why, outcome=outcome, conflicts=why_not, notes=tuple(notes)
            )
        notes.append(f"{engine} says no plan exists, but no second solver agreed in the time given")
    if found is None:
        stopped: StoppedBy = outcome.stopped
        known = by_prices if np.isfinite(by_prices) else float("nan")
        return judged.result(
            "NO_PLAN", stopped, None, limits, engine, why, (known, "prices"), outcome, notes=tuple(notes)
        )
    value = found[1].objective
    bound_by: BoundBy = "prices"
    proved = by_prices
    optimal = same(by_prices, value)
    if by_prices < value - SAME * max(1.0, abs(value)):
        raise SolverError("the proved bound is below a plan that passed the check: please report this as a bug")
    searched = outcome.bound < by_prices - SAME * max(1.0, abs(by_prices))
    if outcome.bound < value - SAME * max(1.0, abs(value)):
        notes.append(f"{engine} claims a bound below its own plan; its bound was dropped")
        searched = False
    if not optimal and searched and not share_of(by_prices, value) <= limits.gap:
        proved, bound_by = max(outcome.bound, value), "search"
        if same(outcome.bound, value) and outcome.claim == "optimal":
            second = _second(engine, problem.core, limits, runner, report, outcome.choice)
            optimal = second.claim == "optimal" and same(second.bound, value) and not _better(problem, second, value)
            if not optimal:
                notes.append(f"{engine} claims proof, but no second solver agreed in the time given")
    proved = max(proved, value) if same(proved, value) else proved
    near = share_of(proved, value)
    if optimal:
        ended: StoppedBy = "proof"
    elif outcome.stopped in ("user", "memory", "error"):
        ended = outcome.stopped
    elif near <= limits.gap:
        ended = "gap"
    else:
        ended = outcome.stopped
    return judged.result(
        "OPTIMAL" if optimal else "FEASIBLE", ended, found, limits, engine, why, (proved, bound_by), outcome, notes=tuple(notes)
    )


def same(proved: float, value: float) -> bool:
    """The bound is met: nothing better exists, within the stated tolerance."""
    return bool(abs(proved - value) <= SAME * max(1.0, abs(value)))


def _better(problem: Problem, other: Outcome, value: float) -> bool:
    return other.choice is not None and problem.core.objective(other.choice) > value + SAME * max(1.0, abs(value))


def _second(
    engine: str, core: Core, limits: Limits, runner: Runner, report: Listener | None, hint: np.ndarray | None
) -> Outcome:
    """What the other exact engine says in the time that is left."""
    other = next(e.name for e in ENGINES if e.exact and e.name != engine)
    silent = Limits(limits.time_limit, 0.0, limits.seed, limits.deterministic, limits.threads, limits.started)
    if limits.left() < 0.05:
        return Outcome(None, "none", np.inf, None, "time", ())
    return runner(
        other, core, silent, (lambda p: report(Progress(p.seconds, phase="second opinion"))) if report else None, hint
    )


def _relaxation(problem: Problem, limits: Limits, runner: Runner) -> tuple[Conflict, ...]:
    """The rules in conflict, from the smallest relaxation found in at most ten seconds more."""
    short = Limits(10.0, 1e-4, limits.seed, limits.deterministic, limits.threads, time.time())
    outcome = runner("highs", elastic(problem), short, None, None)
    return conflicts(problem, outcome.choice) if outcome.choice is not None else ()


def _runner(in_process: bool, memory: int | None) -> Runner:
    def child(name: str, core: Core, limits: Limits, report: Listener | None, hint: np.ndarray | None) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="bookfit-core-", ignore_cleanup_errors=True) as folder:
            core.save(Path(folder))
            return run_child(name, Path(folder), limits, report, hint, memory)

    return run_here if in_process else child


def run_here(name: str, core: Core, limits: Limits, report: Listener | None, hint: np.ndarray | None) -> Outcome:
    """The same as a child does, in this process: for tests and small problems. Nothing kills it when it is late."""
    from optimizer.engines.run import run

    trace: list[tuple[float, float, float]] = []
    state, asked = [-np.inf, np.inf], [False]

    def tell(progress: Progress) -> bool:
        fresh = [np.fmax(state[0], progress.objective), np.fmin(state[1], progress.bound)]
        if fresh != state:
            state[:] = fresh
            trace.append((progress.seconds, *fresh))
        asked[0] = asked[0] or bool(report and report(Progress(progress.seconds, state[0], state[1], progress.phase)))
        return asked[0]

    answer, dual = run(name, core, limits, tell, hint)
    stopped: StoppedHow = "user" if asked[0] else "time" if answer.stopped and limits.left() <= 0 else "end"
    return Outcome(answer.choice, answer.claim, answer.bound, dual.prices, stopped, tuple(trace), answer.notes)


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "source"
    return out
