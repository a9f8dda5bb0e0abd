"""Engines' processes. One may stand by: it loads what engines need while a problem is read and built."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

# The kernel kills a child when the *thread* that started it ends, so one thread that never ends starts them all.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bookfit-spawner")
_LOCK, _STANDING = threading.Lock(), list[subprocess.Popen[bytes]]()


def environment() -> dict[str, str]:
    """What a process of ours is started with: this program's modules, whatever the folder, and a number of threads."""
    path = [str(Path(__file__).resolve().parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = os.environ.get("OMP_NUM_THREADS", "2")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "OMP_NUM_THREADS": threads}


def stand_by(wait: bool = False) -> None:
    """Have an engine's process ready for the next solve, which then begins some seconds sooner; `wait` until it is. It takes a
    quarter of a gigabyte, and ends with this process."""
    with _LOCK:
        if not _ready():
            _STANDING.append(_started())
        if wait and _STANDING[0].stdout is not None:
            _STANDING[0].stdout.readline()


def child_for(folder: Path) -> subprocess.Popen[bytes]:
    """A process that does the job in a folder: the one that stands by, or a new one."""
    with _LOCK:
        standing = _STANDING.pop() if _ready() else None
    if standing is not None:
        with suppress(OSError):  # it may end at this moment
            return _given(standing, folder)
    return _given(_started(), folder)


def _ready() -> bool:
    """Whether one stands by; those that have ended are done with."""
    for child in [child for child in _STANDING if child.poll() is not None]:
        _STANDING.remove(child)
        with child:  # closes its pipes
            pass
    return bool(_STANDING)


def _started() -> subprocess.Popen[bytes]:
    return _SPAWNER.submit(_spawn).result()


def _spawn() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "optimizer.engines", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=environment(),
    )


def _given(child: subprocess.Popen[bytes], folder: Path) -> subprocess.Popen[bytes]:
    assert child.stdin is not None and child.stdout is not None
    with child.stdout, child.stdin as pipe:
        pipe.write(os.fsencode(folder) + b"\n")
    return child
