"""One engine on one instance, in a fresh process of its own, its plan judged apart from the engine."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.instances import Instance
from optimizer.core import Core
from optimizer.errors import SolverError

NAN = float("nan")
#: seconds that a run may take to wind up after Ctrl-C
WIND_UP = 15.0
#: values are the same within this share of the larger
SAME = 1e-9

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task:
    """One run to make: `most` is the number of options above which the engine is not tried."""

    instance: Instance
    engine: str
    time_limit: float
    gap: float = 0.0
    seed: int = 1
    threads: int = 2
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a task. `value` and `bound` are model values (of a cost to minimise: minus the cost); NaN: none.
    `seconds` as `solve` counts them, the reading and building of the instance left out; `peak_gib` the larger of what
    the process and its engine's process held at their peak, reading and building included."""

    instance: str
    group: str
    engine: str
    seed: int
    status: str
    time_limit: float
    value: float = NAN
    bound: float = NAN
    bound_by: str = ""
    seconds: float = NAN
    seconds_to_best: float = NAN
    peak_gib: float = NAN
    options: int = 0
    rows: int = 0
    note: str = ""
    best_known: float = NAN
    lower_bound: float = NAN
    minimise: bool = False

    @property
    def found(self) -> bool:
        """There is a plan that passed the check."""
        return bool(np.isfinite(self.value))

    @property
    def limit_kept(self) -> bool | None:
        """It ended in time: a tenth of the limit and two seconds are forgiven. None where nothing was run."""
        return None if np.isnan(self.seconds) else self.seconds <= 1.1 * self.time_limit + 2.0


def blank(task: Task, status: str, **more: Any) -> Run:
    """The run of a task with what is known before it is made."""
    i = task.instance
    known = {"best_known": i.best_known, "lower_bound": i.lower_bound, "minimise": i.minimise}
    return Run(i.name, i.group, task.engine, task.seed, status, task.time_limit, **{**known, **more})


def refusal(task: Task, options: int) -> Run | None:
    """The honest row of an engine that is not tried on so many options; None where it is."""
    if task.most is None or options <= task.most:
        return None
    note = f"not tried: {options:,} options are more than the {task.most:,} that {task.engine} is asked to hold"
    return blank(task, "NOT TRIED", options=options, note=note)


def alone(function: Callable[..., T], *arguments: Any) -> T:
    """`function(*arguments)` in a fresh process. Raises `SolverError` with its last words when it fails."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, function, arguments), daemon=True)
    process.start()
    there.close()
    try:
        good, answer = here.recv()
    except EOFError:
        process.join()
        raise SolverError(f"the run's process ended with code {process.exitcode}") from None
    except KeyboardInterrupt:
        _wind_up(process)
        raise
    process.join(WIND_UP)
    if not good:
        raise SolverError(str(answer))
    return answer


def _work(there: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        answer: tuple[bool, Any] = (True, function(*arguments))
    except KeyboardInterrupt:
        sys.exit(1)
    except Exception as problem:
        answer = (False, f"{type(problem).__name__}: {problem}")
    with contextlib.suppress(BrokenPipeError):  # whoever asked may have been stopped
        there.send(answer)


def _wind_up(process: BaseProcess) -> None:
    """Let a run that heard Ctrl-C end with its engine; stop it when it does not."""
    if process.pid is not None and process.is_alive():
        os.kill(process.pid, signal.SIGINT)
    process.join(WIND_UP)
    if process.is_alive():
        process.terminate()
        process.join()


def make(task: Task) -> Run:
    """The run of a task, in a fresh process; one that failed is a row too."""
    try:
        return alone(run_task, task)
    except SolverError as problem:
        return blank(task, "FAILED", note=str(problem))


def run_task(task: Task) -> Run:
    """Load the instance, run the engine, judge its plan: in the process that calls."""
    loaded = task.instance.load()
    core = loaded if isinstance(loaded, Core) else loaded.core
    refused = refusal(task, core.options)
    if refused is not None:
        return replace(refused, rows=core.rows)
    try:
        run = on_core(task, loaded) if isinstance(loaded, Core) else on_book(task, loaded)
    except SolverError as problem:
        run = blank(task, "FAILED", note=str(problem))
    return replace(run, options=core.options, rows=core.rows, peak_gib=peak_gib())


def on_book(task: Task, problem: Any) -> Run:
    """By `solve`; the plan is judged by `check` once more here."""
    from optimizer.check import judge
    from optimizer.solve import solve

    result = solve(problem, task.engine, task.time_limit, gap=task.gap, seed=task.seed, threads=task.threads)
    known = {"bound": result.bound, "bound_by": result.bound_by, "seconds": result.seconds}
    note = "; ".join(result.notes)
    if result.plan is None:
        broken = "did not pass the check" in note
        return blank(task, "PLAN FAILS CHECK" if broken else result.status, note=note, **known)
    report = judge(problem.scores, problem.scenario.active, result.plan)
    if not report.ok:
        return blank(task, "PLAN FAILS CHECK", note="; ".join(report.sentences()[:3]), **known)
    first = first_time(result.trace.to_numpy(dtype=float), report.objective, result.seconds)
    return blank(task, result.status, value=report.objective, seconds_to_best=first, note=note, **known)


def on_core(task: Task, core: Core) -> Run:
    """In a child process as `solve` does; the plan is judged by the core's own rows, the bound by prices recomputed."""
    from optimizer.book_bound import books_bound
    from optimizer.certificate import bound
    from optimizer.conclude import same
    from optimizer.engines.base import Limits
    from optimizer.process import run_child

    limits = Limits(task.time_limit, task.gap, task.seed, threads=task.threads)
    with tempfile.TemporaryDirectory(prefix="bookfit-core-", ignore_cleanup_errors=True) as folder:
        core.save(Path(folder))
        outcome = run_child(task.engine, Path(folder), limits)
    by_prices = bound(core, outcome.prices) if outcome.prices is not None else np.inf
    by_books = books_bound(core, outcome.books) if outcome.books is not None else np.inf
    proved, by = min((by_prices, "prices"), (by_books, "books"), (outcome.bound, "search"))
    seconds = limits.elapsed()
    known: dict[str, Any] = {
        "bound": proved if np.isfinite(proved) else NAN,
        "bound_by": by if np.isfinite(proved) else "",
        "seconds": seconds,
        "note": "; ".join(outcome.notes),
    }
    if outcome.choice is None:
        return blank(task, "INFEASIBLE CLAIMED" if outcome.claim == "infeasible" else "NO_PLAN", **known)
    if not core.feasible(outcome.choice):
        return blank(task, "PLAN FAILS CHECK", **known)
    value = core.objective(outcome.choice)
    proof = same(by_prices, value) or (outcome.claim == "optimal" and same(proved, value))
    status = "OPTIMAL" if proof else "FEASIBLE"
    first = first_time(np.array(outcome.trace).reshape(-1, 3), value, seconds)
    return blank(task, status, value=value, seconds_to_best=first, **known)


def first_time(trace: np.ndarray, value: float, end: float) -> float:
    """Seconds at which `value` was first reached in a trace of (seconds, objective, bound); `end` where it came last."""
    reached = np.flatnonzero(trace[:, 1] >= value - 1e-7 * max(1.0, abs(value)))
    return float(trace[reached[0], 0]) if len(reached) else end


def peak_gib() -> float:
    """The larger of this process's resident peak and that of its children that have ended, in GiB."""
    try:
        import resource
    except ImportError:
        return NAN
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(w).ru_maxrss for w in who) * unit / 2**30


def said(run: Run, number: int, count: int, began: float) -> str:
    """One line for whoever follows a long benchmark."""
    value = f"{-run.value if run.minimise else run.value:,.2f}" if run.found else run.note
    took = f" in {run.seconds:.1f} s" if np.isfinite(run.seconds) else ""
    return f"[{number}/{count}, {time.time() - began:,.0f} s] {run.instance}  {run.engine}: {run.status} {value}{took}"


def as_row(run: Run) -> dict[str, Any]:
    """A run as a plain mapping."""
    return asdict(run) | {"limit_kept": run.limit_kept}
