"""Choose an engine, run it in a child process, and conclude what is found and what is proved."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from optimizer.conclude import Case, Listener, Runner
from optimizer.core import Core
from optimizer.engines import choose, entry
from optimizer.engines.base import Limits, Progress
from optimizer.errors import UsageError
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.process import Outcome, StoppedHow, run_child
from optimizer.result import Result


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
    prices: np.ndarray | None = None,
    memory: int | None = None,
    in_process: bool = False,
) -> Result:
    """The best plan found within `time_limit` seconds (the child's start included), and how far it can be from the best.

    `gap` is the share at which to stop; 0 asks for proof. `report` hears of progress and may return True to stop.
    `start` is a plan to begin with, today's by default; `prices` [R] are those of a problem like this one (`carry` brings
    them over), from which the prices are found sooner. `memory` is in bytes. Raises `UsageError` for an unknown engine
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
    runner = _runner(in_process, memory, prices)
    case = Case(problem, engine, why, limits, runner, report)
    if problem.impossible:
        return case.infeasible()
    return case.conclude(runner(engine, problem.core, limits, report, hint))


def guard(core: Core) -> None:
    """Raises `UsageError` for numbers no engine can be trusted with."""
    for name in ("value", "unit_coef", "option_coef", "cost"):
        if not np.isfinite(getattr(core, name)).all():
            raise UsageError(f"the problem's {name} holds a number that is not finite; bookfit validate shows where")
    if np.isnan(core.lower).any() or np.isnan(core.upper).any():
        raise UsageError("a limit has a bound that is not a number")


def _runner(in_process: bool, memory: int | None, prices: np.ndarray | None) -> Runner:
    def child(name: str, core: Core, limits: Limits, report: Listener | None, hint: np.ndarray | None) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="bookfit-core-", ignore_cleanup_errors=True) as folder:
            core.save(Path(folder))
            return run_child(name, Path(folder), limits, report, hint, memory, known(core))

    def here(name: str, core: Core, limits: Limits, report: Listener | None, hint: np.ndarray | None) -> Outcome:
        return run_here(name, core, limits, report, hint, known(core))

    def known(core: Core) -> np.ndarray | None:
        return prices if prices is not None and prices.shape == (core.rows,) else None

    return here if in_process else child


def run_here(
    name: str,
    core: Core,
    limits: Limits,
    report: Listener | None,
    hint: np.ndarray | None,
    prices: np.ndarray | None = None,
) -> Outcome:
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

    answer, dual = run(name, core, limits, tell, hint, prices=prices)
    stopped: StoppedHow = "user" if asked[0] else "time" if answer.stopped and limits.left() <= 0 else "end"
    return Outcome(
        answer.choice,
        answer.claim,
        answer.bound,
        dual.prices,
        stopped,
        tuple(trace),
        answer.notes,
        answer.short,
        answer.agreed,
    )
