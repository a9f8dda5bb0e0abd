"""What own rows of a leaf lose at least, however it goes on: arguments as in `kernels.columns`."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare

#: how far bins of a table reach beyond a row's upper bound, and how far a number of bins may be off by rounding
BEYOND, OFF = 1.25, 1e-7


@bare(inline="always")
def unused(sides, price, low, high, s):  # type: ignore[no-untyped-def]
    """What is lost at least of what a side is priced at, when between `low` and `high` will be used; inf where a hard row
    would be broken."""
    upper, lower, penalty, allowed = sides
    if penalty[s] == np.inf and (low > upper[s] + allowed[s] or high < lower[s] - allowed[s]):
        return np.inf
    lost = 0.0
    if price > 0:
        lost += price * max(0.0, upper[s] - high)
    elif price < 0:
        lost += -price * max(0.0, low - lower[s])
    if penalty[s] < np.inf:
        if low > upper[s]:
            lost += (penalty[s] - max(0.0, price)) * (low - upper[s])
        if high < lower[s]:
            lost += (penalty[s] + min(0.0, price)) * (lower[s] - high)
    return lost


@bare()
def look_ahead(leaf, items, sides, leaves, room, span, ahead):  # type: ignore[no-untyped-def]
    """Fill a table of what units from a place in their order on and one own row lose together at least, when so many bins of the
    row are used (a knapsack's dynamic program, Bellman 1957; amounts count in the bins that they may end in). Rows with amounts
    below 0 get none."""
    amount = items[2]
    item, loss, first, order, _ = room
    width, table = ahead
    n, bins = len(order), table.shape[2]
    for s in range(len(width)):
        price, most, cap, least, whole = leaves[1][leaf, s], span[1, 0, s], span[1, 0, s], 0.0, True
        for at in range(first[n]):
            if item[at] >= 0:
                a = amount[item[at], s]
                least, whole = min(least, a), whole and a == np.floor(a)
        if sides[0][s] < np.inf:
            cap = min(cap, BEYOND * max(0.0, sides[0][s]))
        width[s] = 0.0
        if least < 0.0 or cap <= 0.0:
            continue
        whole = whole and cap <= bins - 2
        width[s] = 1.0 if whole else cap / (bins - 2)
        for b in range(bins):
            high = (b + 0.5) * width[s] if b < bins - 1 else max(most, (b + 0.5) * width[s])
            table[s, n, b] = unused(sides, price, max(0.0, (b - 0.5) * width[s]), high, s)
        for d in range(n - 1, -1, -1):
            for b in range(bins):
                table[s, d, b] = np.inf
            for at in range(first[order[d]], first[order[d] + 1]):
                a = amount[item[at], s] / width[s] if item[at] >= 0 else 0.0
                low, high = int(np.floor(a - OFF)), int(np.floor(a + 1 + OFF))
                if whole or a == 0.0:
                    low = high = int(a)
                for b in range(bins):
                    rest = table[s, d + 1, max(0, min(b + low, bins - 1))]
                    for c in range(b + low + 1, b + high + 1):
                        rest = min(rest, table[s, d + 1, min(c, bins - 1)])
                    table[s, d, b] = min(table[s, d, b], loss[at] + rest)


@bare(inline="always")
def more_lost(d, leaf, mu, sides, used, span, ahead):  # type: ignore[no-untyped-def]
    """What is lost at least beyond what `columns._lost` says, by the table."""
    width, table = ahead
    more, last = 0.0, table.shape[2] - 1
    for s in range(len(width)):
        if width[s] > 0.0:
            at = used[s] / width[s] + 0.5
            low, high = max(0, min(int(at - OFF), last)), max(0, min(int(at + OFF), last))
            rest = min(table[s, d, low], table[s, d, high])
            more = max(more, rest - unused(sides, mu[leaf, s], used[s] + span[0, d, s], used[s] + span[1, d, s], s))
    return more
