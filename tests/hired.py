"""Small problems with every position hired, and their optimum."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from optimizer.core import Core
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices, random_core
from tests.test_books import crowded


@cache
def hired() -> tuple[tuple[int, Core, float, np.ndarray], ...]:
    """(seed, core, optimum, an optimal plan) of problems that have a plan."""
    out = []
    for seed in range(240):
        core = crowded(seed) if seed % 2 else random_core(seed, units=7, reps=3)
        core = replace(core, is_open=np.zeros_like(core.is_open), position=np.full_like(core.position, -1))
        if core.options and core.rows and count_choices(core) <= MOST_CHOICES // 10:
            value, choice = best_by_enumeration(core)
            if choice is not None:
                out.append((seed, core, value, choice))
    return tuple(out)
