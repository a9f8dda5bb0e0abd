"""Solves in the background. The only module of the app that runs them.

Each solve has a thread of its own, which starts the engine's child process through `optimizer.solve` and keeps the run
when it ends; pages look at snapshots. A job is reached only with the token of the session that started it, so one user
can neither read nor stop another's. The same request twice is one job.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import secrets
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from optimizer.carry import carry
from optimizer.children import stand_by
from optimizer.core import share_of
from optimizer.engines import Progress
from optimizer.errors import BookfitError, Findings, InputError
from optimizer.problem import Problem, build
from optimizer.result import Result
from optimizer.scenario import Scenario
from optimizer.solve import solve
from optimizer.store import write_run
from optimizer.tables import Tables

State = Literal["waiting", "building", "solving", "stopping", "keeping", "done", "failed", "cancelled"]
OVER: frozenset[State] = frozenset({"done", "failed", "cancelled"})
#: solves that may run at once in this server; further ones wait
SLOTS = threading.BoundedSemaphore(max(1, (os.cpu_count() or 2) // 2))
#: most points kept of a progress curve
MAX_POINTS = 2000
#: a session's last solve is kept in memory, for the next one to begin with, up to so many options
KEPT_OPTIONS = 1_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to solve: what `optimizer.solve.solve` takes."""

    engine: str = "auto"
    time_limit: float = 60.0
    gap: float = 5e-4
    seed: int = 1
    deterministic: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """A job at one moment. `trace` holds (seconds, objective, bound); `folder` the kept run once it is done."""

    key: str
    name: str
    state: State
    settings: Settings
    currency: str
    seconds: float
    phase: str = ""
    objective: float = math.nan
    bound: float = math.nan
    trace: tuple[tuple[float, float, float], ...] = ()
    folder: str = ""
    source: str = ""
    result: Result | None = None
    problem: str = ""
    findings: Findings = field(default_factory=Findings)

    @property
    def over(self) -> bool:
        return self.state in OVER

    @property
    def gap_share(self) -> float:
        return share_of(self.bound, self.objective)


class _Left(NamedTuple):
    """What a solve leaves for the session's next one on the same data."""

    problem: Problem
    result: Result

    def known(self, problem: Problem) -> dict[str, Any]:
        """What `solve` takes of it for a problem like it."""
        return {"start": self.result.plan, "known": carry(self.problem, self.result, problem)}


class _Job:
    """One solve: what was asked, and what is known so far. All its methods are for any thread."""

    def __init__(
        self,
        token: str,
        tables: Tables,
        scenario: Scenario,
        settings: Settings,
        home: Path,
        source: str,
        before: _Left | None = None,
    ) -> None:
        self.before, self.left = before, before
        self.key, self.token = secrets.token_urlsafe(16), token
        self.tables, self.scenario, self.settings, self.source = tables, scenario, settings, source
        self.folder = home / f"run-{self.key}"
        self.lock, self.cancelled = threading.Lock(), threading.Event()
        self.state: State = "waiting"
        self.began, self.ended = time.monotonic(), math.nan
        self.phase, self.objective, self.bound = "", math.nan, math.nan
        self.trace: list[tuple[float, float, float]] = []
        self.result: Result | None = None
        self.problem, self.findings = "", Findings()

    def hear(self, progress: Progress) -> bool:
        """The solve's listener: note what is new, and say whether to stop."""
        with self.lock:
            if progress.phase:
                self.phase = progress.phase
            new = (
                progress.objective if math.isfinite(progress.objective) else self.objective,
                progress.bound if math.isfinite(progress.bound) else self.bound,
            )
            if new != (self.objective, self.bound) and not all(math.isnan(v) for v in new):
                self.objective, self.bound = new
                if len(self.trace) < MAX_POINTS:
                    self.trace.append((progress.seconds, *new))
        return self.cancelled.is_set()

    def run(self) -> None:
        """Build, solve, keep; whatever happens ends in a state that says so."""
        try:
            while not SLOTS.acquire(timeout=0.1):
                if self.cancelled.is_set():
                    return self._end("cancelled")
            try:
                self._solve()
            finally:
                SLOTS.release()
                stand_by()  # for the next one
        except InputError as error:
            self._end("failed", "The data or the scenario cannot be used as they are.", error.findings)
        except BookfitError as error:
            self._end("failed", str(error))
        except MemoryError:
            self._end("failed", "There is not enough memory for this problem; a nearest rule makes it smaller.")
        except Exception:
            _log.exception("a solve failed")
            self._end("failed", "The solve failed for a reason we did not foresee; the server's log has the details.")

    def _solve(self) -> None:
        self._enter("building")
        stand_by()
        problem = build(self.tables, self.scenario)
        if self.cancelled.is_set():
            return self._end("cancelled")
        self._enter("solving")
        s = self.settings
        more = {} if self.before is None or s.deterministic else self.before.known(problem)
        result = solve(problem, s.engine, s.time_limit, s.gap, s.seed, s.deterministic, report=self.hear, **more)
        if result.plan is None and self.cancelled.is_set():
            return self._end("cancelled")
        self._enter("keeping")
        write_run(self.folder, problem, self.tables, result)
        with self.lock:
            self.result, self.objective, self.bound = result, result.objective, result.bound
            if result.plan is not None and result.prices is not None:
                self.left = _Left(problem, result) if problem.core.options <= KEPT_OPTIONS else None
        self._end("done")

    def _enter(self, state: State) -> None:
        with self.lock:
            self.state = state
            self.began = time.monotonic() if state == "building" else self.began

    def _end(self, state: State, problem: str = "", findings: Findings = Findings()) -> None:
        with self.lock:
            self.state, self.problem, self.findings, self.ended = state, problem, findings, time.monotonic()
            self.tables = self.before = None  # type: ignore[assignment]  # the last reference may be a large one

    def view(self) -> View:
        with self.lock:
            asked = self.cancelled.is_set() and self.state not in OVER and self.state != "keeping"
            seconds = (time.monotonic() if math.isnan(self.ended) else self.ended) - self.began
            return View(
                self.key, self.scenario.name, "stopping" if asked else self.state, self.settings,
                self.scenario.currency, seconds, self.phase, self.objective, self.bound, tuple(self.trace),
                str(self.folder) if self.state == "done" else "", self.source, self.result, self.problem, self.findings,
            )  # fmt: skip


_jobs: dict[tuple[str, str], _Job] = {}
_requests: dict[tuple[str, str], str] = {}
_guard = threading.Lock()


def submit(token: str, source: str, tables: Tables, scenario: Scenario, settings: Settings, home: Path) -> str:
    """Start a solve, unless this session is running the very same; the key to look at it with.

    `source` is the SHA-256 of the data the tables came from; `home` the folder in which the run is kept.
    """
    asked = json.dumps([source, scenario.to_toml(), asdict(settings)], sort_keys=True)
    request = (token, hashlib.sha256(asked.encode()).hexdigest())
    with _guard:
        running = _jobs.get((token, _requests.get(request, "")))
        if running is not None and not running.view().over and not running.cancelled.is_set():
            return running.key
        ended = [job for (whose, _), job in _jobs.items() if whose == token and job.source == source]
        before = next((job.left for job in reversed(ended) if job.left is not None), None)
        _forget(token, over_only=True)
        job = _Job(token, tables, scenario, settings, home, source, before)
        _jobs[token, job.key], _requests[request] = job, job.key
    threading.Thread(target=job.run, name=f"bookfit-job-{job.key[:6]}", daemon=True).start()
    return job.key


def look(token: str, key: str) -> View | None:
    """The job at this moment; None where this session has no such job."""
    job = _jobs.get((token, key))
    return None if job is None else job.view()


def cancel(token: str, key: str) -> bool:
    """Ask the job to stop; it ends with the best plan so far. False where this session has no such job."""
    job = _jobs.get((token, key))
    if job is None:
        return False
    job.cancelled.set()
    return True


def end(token: str) -> None:
    """The session is over: stop and forget its jobs."""
    with _guard:
        _forget(token)


def _forget(token: str, over_only: bool = False) -> None:
    """Drop the session's jobs, their results with them; what they kept is on disk. Those that run are stopped."""
    gone = [k for k, job in _jobs.items() if k[0] == token and (job.view().over or not over_only)]
    for k in gone:
        _jobs.pop(k).cancelled.set()
    for r in [r for r, key in _requests.items() if (token, key) in gone]:
        del _requests[r]
