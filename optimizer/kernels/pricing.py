"""What options are worth at given prices.

Kernels on a range of units add to tables of their own, so that ranges may run on several threads and be summed in order.
They take the first nine arrays of a `Core`, prices per row as `prices` [R + 1], ending with a 0 (row -1), and per rep and
factor as `rate` [M, F] (0 where a factor has no row).
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare


@bare()
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


@bare()
def row_of(f, u, r, unit_row, rep_row, factor):  # type: ignore[no-untyped-def]
    """The row that factor `f` counts an option of unit `u` and rep `r` in; -1 for none."""
    return rep_row[factor[f, 3], r] if factor[f, 2] == 1 else unit_row[factor[f, 3], u]


@bare()
def amount_of(f, u, k, unit_coef, option_coef, factor):  # type: ignore[no-untyped-def]
    """What option `k` of unit `u` adds to its row by factor `f`."""
    return option_coef[factor[f, 1], k] if factor[f, 0] == 1 else unit_coef[factor[f, 1], u]


@bare()
def worths(u, start, rep, value, unit_coef, option_coef, unit_row, factor, prices, rate, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the price-adjusted values of the options of unit `u`."""
    first, last = start[u], start[u + 1]
    base = 0.0
    for f in range(len(factor)):
        if factor[f, 0] == 0 and factor[f, 2] == 0:
            base += prices[unit_row[factor[f, 3], u]] * unit_coef[factor[f, 1], u]
    for k in range(first, last):
        out[k - first] = value[k] - base
    for f in range(len(factor)):
        coef = factor[f, 1]
        if factor[f, 0] == 0 and factor[f, 2] == 1:
            each = unit_coef[coef, u]
            if each != 0.0:
                for k in range(first, last):
                    out[k - first] -= rate[rep[k], f] * each
        elif factor[f, 0] == 1 and factor[f, 2] == 1:
            for k in range(first, last):
                out[k - first] -= rate[rep[k], f] * option_coef[coef, k]
        elif factor[f, 0] == 1:
            price = prices[unit_row[factor[f, 3], u]]
            if price != 0.0:
                for k in range(first, last):
                    out[k - first] -= price * option_coef[coef, k]


@bare()
def best_of_range(  # type: ignore[no-untyped-def]
    first, last, start, rep, value, mandatory, unit_coef, option_coef, unit_row, rep_row, factor, prices, rate, worth, choice,
    usage, table,
):  # fmt: skip
    """Best option [U] of every unit from `first` to `last` (-1: unserved) and what these use, added by rep to `table` [M, F]
    and by unit to `usage` [R + 1]; gives the sum of their price-adjusted values. `worth` is room for the options of a
    unit."""
    total = 0.0
    for u in range(first, last):
        worths(u, start, rep, value, unit_coef, option_coef, unit_row, factor, prices, rate, worth)
        top, at = (-np.inf, -1) if mandatory[u] else (0.0, -1)
        for i in range(start[u + 1] - start[u]):
            if worth[i] > top:
                top, at = worth[i], start[u] + i
        total += top
        choice[u] = at
        if at < 0:
            continue
        for f in range(len(factor)):
            amount = amount_of(f, u, at, unit_coef, option_coef, factor)
            if factor[f, 2] == 1:
                table[rep[at], f] += amount
            else:
                usage[unit_row[factor[f, 3], u]] += amount
    return total
