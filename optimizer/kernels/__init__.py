"""The compiled loops. Each is one loop nest over the arrays of a `Core`; the algorithms around them live elsewhere."""

from __future__ import annotations

from optimizer import compiled

compiled.folder()

from optimizer.kernels.curvature import curve, factorise, solve  # noqa: E402
from optimizer.kernels.filling import level_out, place  # noqa: E402
from optimizer.kernels.pricing import STEP, best_of_range  # noqa: E402

__all__ = [
    "STEP",
    "best_of_range",
    "curve",
    "factorise",
    "level_out",
    "place",
    "solve",
]
