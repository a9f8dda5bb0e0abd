"""What options are worth at given prices."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def best_options(start, rep, value, mandatory, unit_coef, option_coef, unit_row, rep_row, factor, prices, best, choice):  # type: ignore[no-untyped-def]
    """The best option of every unit at these prices.

    `prices` [R + 1] ends with a 0 (row -1). Fills `best` [U], the largest price-adjusted value (0 where leaving the unit
    unserved is better and allowed, -inf where a mandatory unit has no option), and `choice` [U], its option or -1.
    """
    for u in range(len(start) - 1):
        base = 0.0
        for f in range(len(factor)):
            if factor[f, 0] == 0 and factor[f, 2] == 0:
                base += prices[unit_row[factor[f, 3], u]] * unit_coef[factor[f, 1], u]
        top, at = (-np.inf, -1) if mandatory[u] else (0.0, -1)
        for k in range(start[u], start[u + 1]):
            worth = value[k] - base
            for f in range(len(factor)):
                if factor[f, 0] == 1:
                    row = rep_row[factor[f, 3], rep[k]] if factor[f, 2] == 1 else unit_row[factor[f, 3], u]
                    worth -= prices[row] * option_coef[factor[f, 1], k]
                elif factor[f, 2] == 1:
                    worth -= prices[rep_row[factor[f, 3], rep[k]]] * unit_coef[factor[f, 1], u]
            if worth > top:
                top, at = worth, k
        best[u] = top
        choice[u] = at


@njit(cache=True, nogil=True)
def row_of(f, u, r, unit_row, rep_row, factor):  # type: ignore[no-untyped-def]
    """The row that factor `f` counts an option of unit `u` and rep `r` in; -1 for none."""
    return rep_row[factor[f, 3], r] if factor[f, 2] == 1 else unit_row[factor[f, 3], u]


@njit(cache=True, nogil=True)
def amount_of(f, u, k, unit_coef, option_coef, factor):  # type: ignore[no-untyped-def]
    """What option `k` of unit `u` adds to its row by factor `f`."""
    return option_coef[factor[f, 1], k] if factor[f, 0] == 1 else unit_coef[factor[f, 1], u]
