"""Write a whole folder or nothing: a kill or a full disk leaves what was there before.

`formats.base.replacing` does the same for one file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: what a killed process left half-written is swept away after so long
STALE_SECONDS = 24 * 3600.0
#: another process takes far less between its two renames
PATIENCE_SECONDS = 1.0
WAITING, UNFINISHED = ".replaced", ".tmp"


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place only when the block ends well (fsync, rename).

    What stood at `folder` waits under a hidden name until the new one is in place, and is put back when that fails.
    A process killed between the two renames leaves it there: `recover` puts it back too.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    recover(folder)
    _sweep(folder)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=UNFINISHED))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for path in (*sorted(temporary.rglob("*")), temporary):
            _sync(path)
        _swap(temporary, folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def recover(folder: Path) -> None:
    """Put back the earlier folder where a process was killed before the new one was in place."""
    waiting = _waiting(folder)
    until = time.monotonic() + PATIENCE_SECONDS
    while waiting.is_dir() and not folder.exists():
        if time.monotonic() >= until:
            with suppress(FileNotFoundError):
                waiting.replace(folder)
            return
        time.sleep(0.02)


def recover_all(parent: Path) -> None:
    """`recover` every folder inside `parent`."""
    for waiting in parent.glob(f".*{WAITING}"):
        recover(parent / waiting.name[1 : -len(WAITING)])


def _waiting(folder: Path) -> Path:
    return folder.parent / f".{folder.name}{WAITING}"


def _sweep(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(_waiting(folder), ignore_errors=True)
    for left in folder.parent.glob(f".{folder.name}.*{UNFINISHED}"):
        if time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _swap(temporary: Path, folder: Path) -> None:
    if not folder.exists():
        temporary.replace(folder)
        return
    waiting = _waiting(folder)
    folder.replace(waiting)
    try:
        temporary.replace(folder)
    except BaseException:
        waiting.rename(folder)
        raise
    shutil.rmtree(waiting, ignore_errors=True)


def _sync(path: Path) -> None:
    # Some systems cannot open a folder, and some file systems cannot sync one.
    with suppress(PermissionError, NotImplementedError):
        handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
