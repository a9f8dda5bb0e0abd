"""At which option plans are parted: many are tried a little, the best of these more."""

from __future__ import annotations

import numpy as np

from optimizer.core import Core

#: options tried, and steps of the simplex in each part; in parts of the best of these, tried again
TRIED, STEPS, MORE_STEPS = 24, 60, 300


def falls(bound: float, value: float, worths: list[float] | np.ndarray) -> np.ndarray:
    """[n] how far two parts each, worth so much one after the other, come down together from a bound towards a value."""
    least = 1e-6 * max(bound - value, 1e-9 * abs(value))
    return np.clip(bound - np.array(worths).reshape(-1, 2), least, max(bound - value, least)).prod(axis=1)


def unsure(often: np.ndarray) -> np.ndarray:
    """Options that are taken in part, as each of [K] is so often, those first that are nearest to a half."""
    some = np.flatnonzero((often > 1e-5) & (often < 1 - 1e-5))
    return some[np.argsort(np.abs(often[some] - 0.5), kind="stable")]


def plan_of(core: Core, often: np.ndarray) -> np.ndarray:
    """The plan [U] of options that are taken whole, as each of [K] is so often."""
    plan, whole = np.full(core.units, -1, dtype=np.int64), np.flatnonzero(often > 0.5)
    plan[core.unit[whole]] = whole
    return plan
