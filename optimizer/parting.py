"""At which option plans are parted: many are tried a little, the best of these more."""

from __future__ import annotations

import numpy as np

#: options tried, and steps of the simplex in each part; with the best of these, plans are parted to see more
TRIED, STEPS, BEST = 24, 60, 3


def falls(bound: float, value: float, worths: list[float]) -> np.ndarray:
    """[n] how far two parts each, worth so much one after the other, come down together from a bound towards a value."""
    least = 1e-6 * max(bound - value, 1e-9 * abs(value))
    return np.clip(bound - np.array(worths).reshape(-1, 2), least, max(bound - value, least)).prod(axis=1)
