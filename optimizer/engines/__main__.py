"""The child process of a solve: `python -m optimizer.engines PARENT`.

Loads what engines need until the process PARENT names a folder on standard input. Then it reads the job that a `solve` laid
out there, finds prices, runs one engine, and publishes every improvement as files that are whole at any moment, so that a
kill loses nothing that was found.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from optimizer.book_trees import Books
    from optimizer.dual import Dual
    from optimizer.listing import Listing

#: seconds that a thread may keep another one waiting for Python: a solver asks at every step whether to stop
TURN = 1e-4


def main(parent: int) -> int:
    _die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(TURN)
    asked = _Asked()
    _load(asked)
    with contextlib.suppress(OSError):  # nobody may listen
        os.write(sys.stdout.fileno(), b"ready\n")
    folder = asked.folder()
    return 0 if folder is None else work(folder)


def work(folder: Path) -> int:
    """Do the job in a folder."""
    from optimizer.core import Core
    from optimizer.engines.base import Limits
    from optimizer.engines.run import run
    from optimizer.known import Known

    with (folder / "stderr").open("wb") as words:
        os.dup2(words.fileno(), sys.stdout.fileno())
        os.dup2(words.fileno(), sys.stderr.fileno())
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    _limit_memory(job["memory"])
    core = Core.load(Path(job["core"]))
    hint = np.load(folder / "hint.npy") if (folder / "hint.npy").exists() else None
    known = Known.load(folder / "known.npz") if (folder / "known.npz").exists() else None
    outbox = Outbox(folder)
    try:
        answer, dual = run(job["engine"], core, Limits(**job["limits"]), outbox.tell, hint, outbox.proved, known)
    except MemoryError:
        outbox.finish({"error": "memory"})
        return 0
    if answer.choice is not None:
        outbox.array("answer", answer.choice)
    outbox.proved(dual)
    if answer.listing is not None:
        outbox.arrays(answer.listing)
    said: dict[str, object] = {"bound": answer.bound, "claim": answer.claim, "stopped": answer.stopped}
    said |= {"notes": answer.notes, "short": answer.short, "agreed": answer.agreed}
    outbox.finish({**said, "choice": answer.choice is not None})
    return 0


class _Asked(threading.Thread):
    """Hears of the folder while the process loads."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.said = b""
        self.start()

    def run(self) -> None:
        self.said = sys.stdin.buffer.readline().rstrip(b"\n")

    def folder(self) -> Path | None:
        """Wait for it; None where there will be none."""
        self.join()
        return Path(os.fsdecode(self.said)) if self.said else None


def _load(asked: _Asked) -> None:
    """Load the compiled loops, and solvers, by solving a tiny problem that was kept when they were compiled, until there is a
    real one."""
    from optimizer import compiled
    from optimizer.core import Core
    from optimizer.engines.base import Limits
    from optimizer.engines.run import run

    if asked.is_alive() and compiled.mark().exists() and compiled.tiny().exists():
        for deterministic in (False, True):
            limits = Limits(1.0, 0.0, deterministic=deterministic)
            run("prices", Core.load(compiled.tiny()), limits, lambda _: not asked.is_alive())


class Outbox:
    """Publishes progress as lines of `progress.jsonl`, arrays as `.npy` files put in place in one step, and reads
    whether somebody asked to stop."""

    def __init__(self, folder: Path) -> None:
        from optimizer.process import Searched

        self.folder, self.searched = folder, Searched()
        self.lines = (folder / "progress.jsonl").open("a", encoding="utf-8")
        self.plans, self.best = 0, -np.inf

    def tell(self, progress: object) -> bool:
        from optimizer.engines.base import Progress

        assert isinstance(progress, Progress)
        if progress.choice is not None and progress.objective > self.best:
            self.best = progress.objective
            self.plans += 1
            self.array("plan", progress.choice)
        self.searched.heard(progress)
        line = {"at": time.time(), "objective": progress.objective, "bound": progress.bound, "phase": progress.phase}
        self.lines.write(json.dumps(line | {"plans": self.plans, "searched": self.searched.bound}) + "\n")
        self.lines.flush()
        return (self.folder / "stop").exists()

    def proved(self, dual: Dual) -> None:
        """Books first: they carry prices of their own, so that a kill between the two leaves either proof whole."""
        self.searched.proved(dual.bound)
        if dual.books is not None:
            self.arrays(dual.books)
        self.array("prices", dual.prices)

    def arrays(self, proof: Books | Listing) -> None:
        """What proves something, in a file named as its kind."""
        name = type(proof).__name__.lower()
        part = self.folder / f"{name}.part.npz"
        np.savez(part, **{item.name: getattr(proof, item.name) for item in fields(proof)})
        part.replace(self.folder / f"{name}.npz")

    def array(self, name: str, values: np.ndarray) -> None:
        part = self.folder / f"{name}.part.npy"
        np.save(part, values)
        part.replace(self.folder / f"{name}.npy")

    def finish(self, answer: dict[str, object]) -> None:
        part = self.folder / "answer.part"
        part.write_text(json.dumps(answer), encoding="utf-8")
        part.replace(self.folder / "answer.json")


def _die_with_parent(parent: int) -> None:
    """Ask Linux to kill this process when the thread that started it ends; leave at once if that has happened."""
    if sys.platform != "linux":
        return
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _limit_memory(most: int | None) -> None:
    """An upper limit on address space, with room for what is mapped but not used; where the system knows limits."""
    if most is None:
        return
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (most + (8 << 30), most + (8 << 30)))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
