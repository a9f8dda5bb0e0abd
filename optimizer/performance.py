"""What closed deals say about reps, shrunk towards everybody's rate as far as the data ask for it.

Raw win rates are mostly coin flips. The beta-binomial empirical Bayes estimate (Morris 1983; Efron and Morris 1975)
keeps of each rep's difference only the part that chance does not explain, and says when that is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc


@dataclass(frozen=True, slots=True, eq=False)
class WinRates:
    """`won` and `closed` deals per rep [M], the `shrunk` rate [M], the overall `mean`, the `spread` between reps
    left after removing chance (a standard deviation), and `p_value` of "all reps are alike" (chi-square)."""

    won: np.ndarray
    closed: np.ndarray
    shrunk: np.ndarray
    mean: float
    spread: float
    p_value: float

    @property
    def factor(self) -> np.ndarray:
        """[M] shrunk rate ÷ mean: 1 is par."""
        return self.shrunk / self.mean if self.mean > 0 else np.ones_like(self.shrunk)

    def __str__(self) -> str:
        what = f"{int(self.closed.sum())} closed deals, {self.mean:.0%} won"
        if self.p_value > 0.05 or self.spread == 0:
            return f"win rates of reps are not distinguishable from chance ({what}, p = {self.p_value:.2f})"
        return (
            f"win rates differ between reps by about {self.spread:.1%} beyond chance ({what}, p = {self.p_value:.3f})"
        )


def win_rates(won: np.ndarray, closed: np.ndarray) -> WinRates:
    """Shrunk win rates from counts [M] of won and of closed deals.

    The spread between reps is estimated by moments (DerSimonian and Laird 1986, on rates with binomial variance) and
    set to zero where a chi-square test at 5% sees no difference: then everybody gets the mean.
    """
    won, closed = np.asarray(won, float), np.asarray(closed, float)
    total = closed.sum()
    mean = float(won.sum() / total) if total else 0.0
    active = closed > 0
    if active.sum() < 2 or mean in (0.0, 1.0):
        return WinRates(won, closed, np.full(len(won), mean), mean, 0.0, 1.0)
    noise = mean * (1 - mean)
    weights = closed[active] / noise
    rate = won[active] / closed[active]
    q = float((weights * (rate - mean) ** 2).sum())
    degrees = int(active.sum()) - 1
    p_value = float(chdtrc(degrees, q))
    variance = max(0.0, (q - degrees) / (weights.sum() - (weights**2).sum() / weights.sum()))
    if p_value > 0.05:
        variance = 0.0
    kept = variance * closed / (variance * closed + noise) if variance else np.zeros(len(won))
    raw = np.divide(won, closed, out=np.full(len(won), mean), where=active)
    return WinRates(won, closed, mean + kept * (raw - mean), mean, float(np.sqrt(variance)), p_value)
