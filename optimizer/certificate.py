"""Prices that prove a bound, and the bound they prove: recomputed in one pass, without any solver.

For any prices λ [R] (λ ≥ 0 prices the upper bound of a row, λ < 0 the lower; a missing side fixes the sign; soft rows
stay within ± penalty) weak duality gives an upper bound on every plan (design.md §3; Geoffrion 1974).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimizer.core import Core

BoundBy = Literal["prices", "books", "listing", "search"]
CHUNK = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """A bound on every plan's value, and how much lower it is at least for plans that have an option [K], or leave a unit
    [U] unserved (meaningless where it must be served); inf where no plan can."""

    bound: float
    option: np.ndarray
    unserved: np.ndarray


def admissible(core: Core, prices: np.ndarray) -> np.ndarray:
    """The prices clipped to where they prove something: signs of missing sides, boxes of soft rows, finite."""
    low = np.where(np.isfinite(core.lower), -core.penalty, 0.0)
    high = np.where(np.isfinite(core.upper), core.penalty, 0.0)
    return np.clip(np.nan_to_num(prices, nan=0.0, posinf=0.0, neginf=0.0), low, high)


def adjusted(core: Core, prices: np.ndarray, first: int, last: int) -> np.ndarray:
    """Price-adjusted value v − Σ λ a of every option of units `first` to `last`."""
    out = np.array(core.value[core.start[first] : core.start[last]])
    for paid in _payments(core, prices, first, last):
        out -= paid
    return out


def _payments(core: Core, prices: np.ndarray, first: int, last: int) -> Iterator[np.ndarray]:
    """λ a of each factor, for every option of units `first` to `last`."""
    span = slice(core.start[first], core.start[last])
    rep, unit = core.rep[span], np.repeat(np.arange(first, last), np.diff(core.start[first : last + 1]))
    padded = np.append(prices, 0.0)
    for by_option, coef, by_rep, row in core.factor:
        price = padded[core.rep_row[row]][rep] if by_rep else padded[core.unit_row[row, first:last]][unit - first]
        yield price * (core.option_coef[coef, span] if by_option else core.unit_coef[coef][unit])


def best_of_units(core: Core, prices: np.ndarray) -> tuple[np.ndarray, float]:
    """[U] the best price-adjusted value of each unit (0 for unserved where that is allowed, -inf where nothing is), and
    the sum over units of the largest |v| + Σ |λ a|: the scale that rounding errors are measured by."""
    best, scale = np.where(core.mandatory, -np.inf, 0.0), 0.0
    for first, last in chunks(core.start):
        some = np.flatnonzero(np.diff(core.start[first : last + 1]) > 0)
        if len(some):
            begin = core.start[first + some] - core.start[first]
            value = np.array(core.value[core.start[first] : core.start[last]])
            size = np.abs(value)
            for paid in _payments(core, prices, first, last):
                value -= paid
                size += np.abs(paid)
            best[first + some] = np.maximum(best[first + some], np.maximum.reduceat(value, begin))
            scale += float(np.maximum.reduceat(size, begin).sum())
    return best, scale


def bound(core: Core, prices: np.ndarray) -> float:
    """An upper bound on the model value of every plan that keeps all hard rules, rounded outward.

    -inf proves that there is no such plan (a mandatory unit without options).
    """
    prices = admissible(core, prices)
    best, scale = best_of_units(core, prices)
    total = best.sum() + of_rows(core, prices)
    sides = sides_of(core, prices)
    scale += np.abs(sides).sum() + np.abs(core.cost[core.is_open]).sum()
    steps = 64 + 2 * len(core.factor)
    return float(total + steps * np.finfo(float).eps * scale) if np.isfinite(total) else float(total)


def sides_of(core: Core, prices: np.ndarray) -> np.ndarray:
    """[R] what each row's right-hand side gives at these prices, λ⁺hi − λ⁻lo; 0 where the price is 0, whatever the bound."""
    with np.errstate(invalid="ignore"):
        return np.where(prices > 0, prices * core.upper, np.where(prices < 0, prices * core.lower, 0.0))


def of_rows(core: Core, prices: np.ndarray) -> float:
    """The part of the bound that the rows' right-hand sides give; an open position's only if it pays its cost."""
    sides = sides_of(core, prices)
    gains = gains_of(core, sides)[core.is_open]
    return float(sides[core.position < 0].sum() + np.maximum(0.0, gains).sum())


def gains_of(core: Core, sides: np.ndarray) -> np.ndarray:
    """[M] what the right-hand sides [R] of each position's rows give beyond its cost; of others, less what they cost."""
    held = core.position >= 0
    return np.bincount(core.position[held], weights=sides[held], minlength=len(core.cost)) - core.cost


def losses(core: Core, prices: np.ndarray) -> Losses:
    """What the bound at prices [R] loses by each option and by each unit unserved."""
    prices = admissible(core, prices)
    best, _ = best_of_units(core, prices)
    regret = best[core.unit] - adjusted(core, prices, 0, core.units)
    return Losses(bound(core, prices), regret + unpaid(core, prices)[core.rep], best)


def unpaid(core: Core, prices: np.ndarray) -> np.ndarray:
    """[M] what using each open position costs beyond what its rows give at these prices; 0 for the others."""
    return np.where(core.is_open, np.maximum(0.0, -gains_of(core, sides_of(core, prices))), 0.0)


def chunks(start: np.ndarray, size: int = CHUNK) -> list[tuple[int, int]]:
    """Ranges of units with about so many options each, so that no temporary grows with the problem."""
    units = len(start) - 1
    cuts = np.searchsorted(start, np.arange(size, start[-1], size)) if units else np.zeros(0, int)
    edges = np.unique(np.concatenate([[0], np.minimum(cuts, units), [units]]))
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
