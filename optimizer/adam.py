"""Steps for prices: as long in every row, whatever the size of its gradient."""

from __future__ import annotations

import numpy as np


class Adam:
    """Directions of Adam steps (Kingma and Ba 2015) from gradients of one shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.mean, self.square, self.steps = np.zeros(shape), np.zeros(shape), 0

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        self.steps += 1
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.02 * (gradient**2 - self.square)
        size = np.sqrt(self.square / (1 - 0.98**self.steps)) + 1e-12
        return self.mean / (1 - 0.9**self.steps) / size
