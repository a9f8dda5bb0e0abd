"""The compiled loops. Each is one loop nest over the arrays of a `Core`; the algorithms around them live elsewhere.

numba keeps compiled code in a folder of the user's, another for every state of these files: it looks only at the file that a
loop is in, not at those whose loops it calls. Where it cannot keep anything, it compiles in memory.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path


def _cache_folder() -> str:
    said = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        said.update(file.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "bookfit" / f"kernels-{said.hexdigest()[:12]}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return str(home)
    except OSError:
        return tempfile.mkdtemp(prefix="bookfit-kernels-")


os.environ.setdefault("NUMBA_CACHE_DIR", _cache_folder())

from optimizer.kernels.curvature import curve, factorise, solve  # noqa: E402
from optimizer.kernels.filling import level_out, place  # noqa: E402
from optimizer.kernels.pricing import best_of_range, best_options  # noqa: E402

__all__ = [
    "best_of_range",
    "best_options",
    "curve",
    "factorise",
    "level_out",
    "place",
    "solve",
]
