"""Steps for prices: as long in every row, whatever the size of its gradient."""

from __future__ import annotations

import numpy as np


class Adam:
    """Directions of Adam steps (Kingma and Ba 2015) from gradients of one shape; `fresh` are the shares of the newest
    gradient in the means of gradients and of their squares."""

    def __init__(self, shape: tuple[int, ...], fresh: tuple[float, float] = (0.1, 0.02)) -> None:
        self.mean, self.square, self.steps, self.fresh = np.zeros(shape), np.zeros(shape), 0, fresh

    def direction(self, gradient: np.ndarray) -> np.ndarray:
        self.steps += 1
        of_mean, of_square = self.fresh
        self.mean += of_mean * (gradient - self.mean)
        self.square += of_square * (gradient**2 - self.square)
        size = np.sqrt(self.square / (1 - (1 - of_square) ** self.steps)) + 1e-12
        return self.mean / (1 - (1 - of_mean) ** self.steps) / size
