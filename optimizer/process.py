"""Run one engine in a child process: progress while it lasts, a stop that is kept, and the best plan whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np

from optimizer.book_trees import Books
from optimizer.children import child_for
from optimizer.engines.base import Limits, Progress
from optimizer.errors import SolverError
from optimizer.known import Known
from optimizer.listing import Listing
from optimizer.memory import available_bytes

#: seconds between looks at the child, and how long it may take to stop by itself when asked
POLL, GRACE = 0.05, 1.2

StoppedHow = Literal["end", "time", "user", "memory", "error"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came back: the best plan [U] or None, the engine's claim and bound (inf where its search proves no more than
    prices and books do), prices [R], books and a listing or None, and how it stopped. `trace` holds (seconds, objective,
    bound) of each improvement, `short` the hard rows the engine's best try broke."""

    choice: np.ndarray | None
    claim: str
    bound: float
    prices: np.ndarray | None
    stopped: StoppedHow
    trace: tuple[tuple[float, float, float], ...]
    notes: tuple[str, ...] = ()
    short: tuple[int, ...] = ()
    agreed: bool = False
    books: Books | None = None
    listing: Listing | None = None


class Searched:
    """The lowest bound that an engine's own search told of. What prices and books prove is told of as well, and is not
    the search's."""

    def __init__(self) -> None:
        self.bound = self.certified = np.inf

    def proved(self, bound: float) -> None:
        """Prices or books prove this, told before anybody else hears of it."""
        self.certified = min(self.certified, bound)

    def heard(self, progress: Progress) -> None:
        if progress.phase != "prices" and progress.bound < min(self.bound, self.certified):
            self.bound = progress.bound


def run_child(
    engine: str,
    core_folder: Path,
    limits: Limits,
    report: Callable[[Progress], bool | None] | None = None,
    hint: np.ndarray | None = None,
    memory: int | None = None,
    known: Known | None = None,
) -> Outcome:
    """Solve in a child process. `report` hears of progress and may return True to stop; Ctrl-C stops too.

    `known` is of a problem like this one. `memory` (bytes) is the most the child may hold, nine tenths of what is free
    by default. Raises `SolverError` when the child dies without any plan.
    """
    memory = memory or int(available_bytes() * 0.9)
    with tempfile.TemporaryDirectory(prefix="bookfit-solve-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if hint is not None:
            np.save(folder / "hint.npy", hint)
        if known is not None:
            known.save(folder / "known.npz")
        job = {
            "engine": engine,
            "core": str(core_folder),
            "limits": asdict(limits),
            "memory": memory,
        }
        (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
        child, watch = child_for(folder), _Watch(folder, limits, report, memory)
        try:
            stopped = watch.wait(child)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        return watch.outcome(stopped, child.returncode)


class _Watch:
    """Follows one child until it ends or has to."""

    def __init__(self, folder: Path, limits: Limits, report: Any, memory: int) -> None:
        self.folder, self.limits, self.report, self.memory = folder, limits, report, memory
        self.read = 0
        self.trace: list[tuple[float, float, float]] = []
        self.best, self.bound, self.searched = -np.inf, np.inf, np.inf

    def wait(self, child: subprocess.Popen[bytes]) -> StoppedHow:
        asked_at: float | None = None
        why: StoppedHow = "end"
        while child.poll() is None:
            try:
                wants_stop = self._hear()
                time.sleep(POLL)
            except KeyboardInterrupt:
                wants_stop = True
            late = self.limits.elapsed() > self.limits.time_limit
            full = _resident(child.pid) > self.memory
            if asked_at is None and (wants_stop or late or full):
                asked_at, why = time.time(), "user" if wants_stop else "memory" if full else "time"
                (self.folder / "stop").touch()
            allowed = GRACE if why != "time" else max(GRACE, 0.08 * self.limits.time_limit)
            if asked_at is not None and (time.time() - asked_at > allowed or why == "memory"):
                child.kill()
        self._hear()
        return why

    def outcome(self, stopped: StoppedHow, code: int) -> Outcome:
        answer: dict[str, Any] = {}
        if (self.folder / "answer.json").exists():
            answer = json.loads((self.folder / "answer.json").read_text(encoding="utf-8"))
        if answer.get("error") == "memory":
            stopped = "memory"
        plan = self._array("answer") if answer.get("choice") else self._array("plan")
        if not answer and stopped == "end" and plan is None:
            raise SolverError(self._last_words(code))
        if stopped == "end" and (answer.get("stopped") or not answer):
            stopped = "time" if self.limits.elapsed() >= 0.95 * self.limits.time_limit else "end" if answer else "error"
        bound = min(float(answer.get("bound", np.inf)), self.searched if answer else np.inf)
        notes = tuple(answer.get("notes", ()))
        claim, short = answer.get("claim", "none"), tuple(answer.get("short", ()))
        trace, agreed = tuple(self.trace), bool(answer.get("agreed"))
        prices, books, listing = self._array("prices"), self._arrays(Books), self._arrays(Listing)
        return Outcome(plan, claim, bound, prices, stopped, trace, notes, short, agreed, books, listing)

    def _array(self, name: str) -> np.ndarray | None:
        path = self.folder / f"{name}.npy"
        return np.load(path) if path.exists() else None

    def _arrays(self, kind: Any) -> Any:
        """Books or a listing, from the file named as its kind; None where there is none."""
        path = self.folder / f"{kind.__name__.lower()}.npz"
        if not path.exists():
            return None
        with np.load(path) as kept:
            return kind(**{part.name: kept[part.name] for part in fields(kind)})

    def _hear(self) -> bool:
        """Pass on what the child has said since; True when the listener wants to stop."""
        path, stop = self.folder / "progress.jsonl", False
        if not path.exists():
            return self._tell(Progress(self.limits.elapsed(), phase="start"))
        with path.open("rb") as lines:
            lines.seek(self.read)
            block = lines.read()
        whole = block[: block.rfind(b"\n") + 1]
        self.read += len(whole)
        for line in whole.splitlines():
            said = json.loads(line)
            self.searched = min(self.searched, said.get("searched", np.inf))
            seconds, better = said["at"] - self.limits.started, False
            if said["objective"] > self.best:
                self.best, better = said["objective"], True
            if said["bound"] < self.bound:
                self.bound, better = said["bound"], True
            if better:
                self.trace.append((seconds, self.best, self.bound))
            stop = self._tell(Progress(seconds, self.best, self.bound, said["phase"])) or stop
        return stop or (not whole and self._tell(Progress(self.limits.elapsed(), self.best, self.bound)))

    def _tell(self, progress: Progress) -> bool:
        return bool(self.report(progress)) if self.report is not None else False

    def _last_words(self, code: int) -> str:
        said = self.folder / "stderr"
        text = said.read_text(encoding="utf-8", errors="replace").strip() if said.exists() else ""
        last = text.splitlines()[-1] if text else "it said nothing"
        return f"the engine's process ended with code {code} and no plan: {last}; try another --engine"


def _resident(pid: int) -> int:
    """Resident bytes of a process; 0 where the system does not say."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
