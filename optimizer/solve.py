"""Choose an engine, run it in a child process, and conclude what is found and what is proved."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np

from optimizer.conclude import Case, Listener, Runner
from optimizer.core import Core
from optimizer.engines import choose, entry
from optimizer.engines.base import Limits, Progress
from optimizer.errors import UsageError
from optimizer.known import Known
from optimizer.listing import SOUGHT_OPTIONS
from optimizer.memory import available_bytes
from optimizer.plan import Plan
from optimizer.preflight import brief, demand_memory, demand_numbers, overloads
from optimizer.prepare import prepare
from optimizer.problem import Problem
from optimizer.process import Outcome, Searched, StoppedHow, run_child
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
    known: Known | None = None,
    memory: int | None = None,
    in_process: bool = False,
) -> Result:
    """The best plan found within `time_limit` seconds (the child's start included), and how far it can be from the best.
    Where loops have to be compiled for this machine first, once, that comes before, and a note says how long it took.

    `gap` is the share at which to stop; 0 asks for proof. `report` hears of progress and may return True to stop.
    `start` is a plan to begin with, today's by default; `known` is what the solve of a problem like this one has left
    (`carry` brings it over), from which prices and books are found sooner. `memory` is in bytes. Raises `UsageError`,
    before anything starts, for an unknown engine, a limit that makes no sense, a number that is not finite, or more memory
    needed than there is; `SolverError` when an engine dies without a plan. Infeasible is a result.
    """
    demand_limits(time_limit, gap, seed, threads, memory)
    demand_numbers(problem)
    why = "asked for"
    if engine == "auto":
        engine, why = choose(problem.core.options, problem.core.rows)
    demand_memory(problem, engine, entry(engine).bytes_per_option, memory or int(available_bytes() * 0.9))
    large = overloads(problem.core)
    compiling = 0.0 if in_process else prepare(report)
    limits = Limits(time_limit, gap, seed, deterministic, threads)
    if not in_process and entry(engine).exact_by and problem.core.options <= SOUGHT_OPTIONS:
        Thread(target=_load, daemon=True).start()
    hint = problem.choice(start or problem.today)
    runner = _runner(in_process, memory, known)
    case = Case(problem, engine, why, limits, runner, report)
    if problem.impossible or problem.core.mandatory[large.unit].any():
        result = case.infeasible()
    else:
        result = case.conclude(runner(engine, problem.core, limits, report, hint))
    once = (f"compiled for this machine first, once: {compiling:.0f} s beside the time limit",) if compiling else ()
    return replace(result, notes=(*once, *brief(problem, large), *result.notes))


def demand_limits(time_limit: float, gap: float, seed: int, threads: int, memory: float | None = None) -> None:
    """Raises `UsageError` for a limit of a solve that makes no sense, and names it."""
    for name, given, fine, wanted in (
        ("time_limit", time_limit, 0 < time_limit < np.inf, "a number of seconds above 0, such as 60"),
        ("gap", gap, 0 <= gap < 1, "a share from 0, which asks for proof, to below 1"),
        ("seed", seed, 0 <= seed < 1 << 31, f"a whole number from 0 to {(1 << 31) - 1}"),
        ("threads", threads, threads >= 1, "1 or more"),
        ("memory", memory, memory is None or 0 < memory < np.inf, "an amount above 0"),
    ):
        if not fine:
            raise UsageError(f"{name} is {given:g}: give {wanted}")


def _load() -> None:
    """Load what recomputes a bound by listed books while the engine's process is at work."""
    from optimizer.listed import load

    load()


def _runner(in_process: bool, memory: int | None, known: Known | None) -> Runner:
    def child(name: str, core: Core, limits: Limits, report: Listener | None, hint: np.ndarray | None) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="bookfit-core-", ignore_cleanup_errors=True) as folder:
            core.save(Path(folder))
            return run_child(name, Path(folder), limits, report, hint, memory, fitting(core))

    def here(name: str, core: Core, limits: Limits, report: Listener | None, hint: np.ndarray | None) -> Outcome:
        return run_here(name, core, limits, report, hint, fitting(core))

    def fitting(core: Core) -> Known | None:
        return known if known is not None and known.fits(core) else None

    return here if in_process else child


def run_here(
    name: str,
    core: Core,
    limits: Limits,
    report: Listener | None,
    hint: np.ndarray | None,
    known: Known | None = None,
) -> Outcome:
    """The same as a child does, in this process: for tests and small problems. Nothing kills it when it is late."""
    from optimizer.engines.run import run

    trace: list[tuple[float, float, float]] = []
    state, asked, searched = [-np.inf, np.inf], [False], Searched()

    def tell(progress: Progress) -> bool:
        searched.heard(progress)
        fresh = [np.fmax(state[0], progress.objective), np.fmin(state[1], progress.bound)]
        if fresh != state:
            state[:] = fresh
            trace.append((progress.seconds, *fresh))
        asked[0] = asked[0] or bool(report and report(Progress(progress.seconds, state[0], state[1], progress.phase)))
        return asked[0]

    answer, dual = run(name, core, limits, tell, hint, lambda dual: searched.proved(dual.bound), known)
    stopped: StoppedHow = "user" if asked[0] else "time" if answer.stopped and limits.left() <= 0 else "end"
    return Outcome(
        answer.choice,
        answer.claim,
        min(answer.bound, searched.bound),
        dual.prices,
        stopped,
        tuple(trace),
        answer.notes,
        answer.short,
        answer.agreed,
        dual.books,
        answer.listing,
    )
