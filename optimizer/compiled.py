"""Where compiled loops are kept: a folder of the user's, another for every state and place of the files they are written in."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def folder() -> Path:
    """The folder, made and named to numba, which looks only at the file that a loop is in, where it lies and when it was
    written, not at those whose loops it calls. Where nothing can be kept, a temporary one, for this process and those it
    starts."""
    said = hashlib.sha256()
    for file in sorted((Path(__file__).resolve().parent / "kernels").glob("*.py")):
        said.update(f"{file} {file.stat().st_mtime_ns}".encode())
        said.update(file.read_bytes())
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = caches / "bookfit" / f"kernels-{said.hexdigest()[:12]}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError:
        home = Path(tempfile.mkdtemp(prefix="bookfit-kernels-"))
    return Path(os.environ.setdefault("NUMBA_CACHE_DIR", str(home)))


def mark() -> Path:
    """The file that says that all loops have been compiled for this Python and numba."""
    return folder() / f"ready-python{sys.version_info.major}.{sys.version_info.minor}-numba{version('numba')}"


def tiny() -> Path:
    """The folder of a tiny problem that calls most loops."""
    return folder() / "tiny"
