"""What options are worth at given prices.

Kernels on a range of units add to tables of their own, so that ranges may run on several threads and be summed in order.
They take the first nine arrays of a `Core`, prices per row as `prices` [R + 1], ending with a 0 (row -1), and per factor and
rep as `rate` [F, M] (0 where a factor has no row). Loops are over one factor and many options at a time.
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare

#: units in one step of a pass: their options' values stay near the processor
STEP = 512


@bare()
def row_of(f, u, r, unit_row, rep_row, factor):  # type: ignore[no-untyped-def]
    """The row that factor `f` counts an option of unit `u` and rep `r` in; -1 for none."""
    return rep_row[factor[f, 3], r] if factor[f, 2] == 1 else unit_row[factor[f, 3], u]


@bare()
def amount_of(f, u, k, unit_coef, option_coef, factor):  # type: ignore[no-untyped-def]
    """What option `k` of unit `u` adds to its row by factor `f`."""
    return option_coef[factor[f, 1], k] if factor[f, 0] == 1 else unit_coef[factor[f, 1], u]


@bare()
def pay(worth, rep, rate, amount):  # type: ignore[no-untyped-def]
    """Take off the values `worth` [k] of options of `rep` [k] what their reps' rates [M] are for these amounts [k]."""
    for i in range(len(worth)):
        worth[i] -= rate[np.uintp(rep[i])] * amount[i]


@bare()
def pay_alike(worth, start, rep, rate, amount):  # type: ignore[no-untyped-def]
    """As `pay`, for units with an amount [n] each; their options begin at `start` [n + 1]."""
    for u in range(len(amount)):
        each = amount[u]
        if each != 0.0:
            for i in range(start[u] - start[0], start[u + 1] - start[0]):
                worth[i] -= rate[np.uintp(rep[i])] * each


@bare()
def pay_price(worth, start, prices, row, amount):  # type: ignore[no-untyped-def]
    """As `pay`, for units with a row [n] each, whatever the rep."""
    for u in range(len(row)):
        price = prices[row[u]]
        if price != 0.0:
            for i in range(start[u] - start[0], start[u + 1] - start[0]):
                worth[i] -= price * amount[i]


@bare()
def worths(first, last, start, rep, value, unit_coef, option_coef, unit_row, factor, prices, rate, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the price-adjusted values of the options of units `first` to `last`."""
    low, high = start[first], start[last]
    begin, whose, worth = start[first : last + 1], rep[low:high], out[: high - low]
    for u in range(first, last):
        paid = 0.0
        for f in range(len(factor)):
            if factor[f, 0] == 0 and factor[f, 2] == 0:
                paid += prices[unit_row[factor[f, 3], u]] * unit_coef[factor[f, 1], u]
        for k in range(start[u], start[u + 1]):
            worth[k - low] = value[k] - paid
    for f in range(len(factor)):
        coef, row = factor[f, 1], factor[f, 3]
        if factor[f, 0] == 1 and factor[f, 2] == 1:
            pay(worth, whose, rate[f], option_coef[coef, low:high])
        elif factor[f, 0] == 1:
            pay_price(worth, begin, prices, unit_row[row, first:last], option_coef[coef, low:high])
        elif factor[f, 2] == 1:
            pay_alike(worth, begin, whose, rate[f], unit_coef[coef, first:last])


@bare()
def largest(worth, begin, end):  # type: ignore[no-untyped-def]
    """The first place of the largest of `worth` from `begin` to `end` - 1; `begin` where there is none."""
    top, at = -np.inf, begin
    for i in range(begin, end):
        if worth[i] > top:
            top, at = worth[i], i
    return at


@bare()
def use(u, k, sign, rep, unit_coef, option_coef, unit_row, factor, usage, table):  # type: ignore[no-untyped-def]
    """Add what option `k` of unit `u` uses, `sign` times, by rep to `table` [F, M] and by unit to `usage` [R + 1]."""
    for f in range(len(factor)):
        amount = sign * amount_of(f, u, k, unit_coef, option_coef, factor)
        if factor[f, 2] == 1:
            table[f, rep[k]] += amount
        else:
            usage[unit_row[factor[f, 3], u]] += amount


@bare()
def best_of_range(  # type: ignore[no-untyped-def]
    first, last, start, rep, value, mandatory, unit_coef, option_coef, unit_row, rep_row, factor, prices, rate, worth, choice,
    usage, table,
):  # fmt: skip
    """Best option `choice` [U] of every unit from `first` to `last` (-1: unserved); gives the sum of their price-adjusted
    values. `usage` and `table` (see `use`) are what the choice uses, before and after; `worth` is room for the options of
    `STEP` units."""
    total = 0.0
    for begin in range(first, last, STEP):
        end, low = min(last, begin + STEP), start[begin]
        worths(begin, end, start, rep, value, unit_coef, option_coef, unit_row, factor, prices, rate, worth)
        for u in range(begin, end):
            i = largest(worth, start[u] - low, start[u + 1] - low)
            some = start[u] < start[u + 1]
            if some and (mandatory[u] or worth[i] > 0.0):
                at = low + i
                total += worth[i]
            else:
                at = -1
                total -= np.inf if mandatory[u] else 0.0
            if at == choice[u]:
                continue
            if choice[u] >= 0:
                use(u, choice[u], -1.0, rep, unit_coef, option_coef, unit_row, factor, usage, table)
            if at >= 0:
                use(u, at, 1.0, rep, unit_coef, option_coef, unit_row, factor, usage, table)
            choice[u] = at
    return total
