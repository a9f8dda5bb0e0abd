"""One option after another, each where there is room."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare
from optimizer.kernels.pricing import amount_of, row_of


@bare()
def take(u, k, rep, unit_coef, option_coef, unit_row, rep_row, factor, usage, choice):  # type: ignore[no-untyped-def]
    """Give unit `u` option `k`, and add what it uses to `usage` [R + 1]."""
    choice[u] = k
    for f in range(len(factor)):
        row = row_of(f, u, rep[k], unit_row, rep_row, factor)
        if row >= 0:
            usage[row] += amount_of(f, u, k, unit_coef, option_coef, factor)


@bare()
def place(  # type: ignore[no-untyped-def]
    order,
    start,
    rep,
    rank,
    unit_coef,
    option_coef,
    unit_row,
    rep_row,
    factor,
    lower,
    upper,
    hard,
    usage,
    choice,
    needy,
):
    """Give units, in this order, the first option by `rank` [K] (larger first) that no hard row forbids.

    `usage` [R + 1] is kept up to date and starts at what `choice` [U] uses. With `needy`, only options count that bring
    a hard row towards bounds it does not meet yet. An option may not worsen a row that is outside its bounds or leave
    them; rows below their lower bound may always rise. Units that have a choice are passed over.
    """
    for i in range(len(order)):
        u = order[i]
        if choice[u] >= 0:
            continue
        at, top = -1, -np.inf
        for k in range(start[u], start[u + 1]):
            if rank[k] <= top:
                continue
            fits, helps = True, False
            for f in range(len(factor)):
                row = row_of(f, u, rep[k], unit_row, rep_row, factor)
                if row < 0 or not hard[row]:
                    continue
                a = amount_of(f, u, k, unit_coef, option_coef, factor)
                after = usage[row] + a
                slack = 1e-9 * max(1.0, abs(upper[row]) if upper[row] < np.inf else 1.0)
                if a > 0.0 and after > upper[row] + slack:
                    fits = False
                    break
                if a < 0.0 and after < lower[row] - slack:
                    fits = False
                    break
                if (a > 0.0 and usage[row] < lower[row]) or (a < 0.0 and usage[row] > upper[row]):
                    helps = True
            if fits and (helps or not needy):
                at, top = k, rank[k]
        if at >= 0:
            take(u, at, rep, unit_coef, option_coef, unit_row, rep_row, factor, usage, choice)


@bare()
def level_out(  # type: ignore[no-untyped-def]
    order,
    start,
    rep,
    size,
    load_of_rep,
    weight,
    unit_coef,
    option_coef,
    unit_row,
    rep_row,
    factor,
    lower,
    upper,
    hard,
    usage,
    choice,
):
    """Largest first onto the least loaded eligible rep: for units in this order, the option whose rep has the smallest
    `load_of_rep` [M] ÷ `weight` [M] and that no hard row forbids; `size` [U] is added to the load."""
    for i in range(len(order)):
        u = order[i]
        if choice[u] >= 0:
            continue
        at, least = -1, np.inf
        for k in range(start[u], start[u + 1]):
            load = load_of_rep[rep[k]] / weight[rep[k]]
            if load >= least:
                continue
            fits = True
            for f in range(len(factor)):
                row = row_of(f, u, rep[k], unit_row, rep_row, factor)
                if row < 0 or not hard[row]:
                    continue
                a = amount_of(f, u, k, unit_coef, option_coef, factor)
                if (a > 0.0 and usage[row] + a > upper[row]) or (a < 0.0 and usage[row] + a < lower[row]):
                    fits = False
                    break
            if fits:
                at, least = k, load
        if at >= 0:
            load_of_rep[rep[at]] += size[u]
            take(u, at, rep, unit_coef, option_coef, unit_row, rep_row, factor, usage, choice)
