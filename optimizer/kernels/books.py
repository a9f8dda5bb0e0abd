"""The best book of every rep at unit prices, part by part of a tree of books (`optimizer.book_bound`).

Arrays come in tuples. `model`: `first` [M + 1], `unit` [k] and `amount` [k, S] of items, the options in order of rep and
unit; `limits`: `upper`, `lower`, `penalty`, `cut`, `slack` [M, S] of own rows; `tree`: `parent` [N], `item` [N] (the first
item of the unit a node parts at) and `inside` [N].
"""

from __future__ import annotations

import numpy as np
from numba import njit

from optimizer.kernels.bare import bare
from optimizer.kernels.pricing import STEP, worths


@bare()
def price_items(first, last, model, prices, rate, place, room, out):  # type: ignore[no-untyped-def]
    """Fill `out`: at `place` [K] the price-adjusted value of the options of units `first` to `last`; arguments as in
    `kernels.pricing`, `room` for the options of `STEP` units."""
    start, rep, value, _, unit_coef, option_coef, unit_row, _, factor = model
    for begin in range(first, last, STEP):
        end = min(last, begin + STEP)
        worths(begin, end, start, rep, value, unit_coef, option_coef, unit_row, factor, prices, rate, room)
        for k in range(start[begin], start[end]):
            out[place[k]] = room[k - start[begin]]


@njit(cache=True, nogil=True)
def walk(node, r, model, tree, state, base, mark):  # type: ignore[no-untyped-def]
    """Set `state` (1 inside, 2 outside) of the units that lead to a node, and `base` [S], the least those inside use;
    without `mark`, undo it."""
    first, unit, amount = model
    parent, item, inside = tree
    begin, end = first[r], first[r + 1]
    while parent[node] >= 0:
        i = item[node]
        if not mark:
            state[i - begin] = 0
        elif state[i - begin] == 0:
            state[i - begin] = 1 if inside[node] else 2
            if inside[node]:
                for s in range(len(base)):
                    least, k = amount[i, s], i + 1
                    while k < end and unit[k] == unit[i]:
                        least = min(least, amount[k, s])
                        k += 1
                    base[s] += least
        node = parent[node]


@njit(cache=True, nogil=True)
def open_leaf(r, limits, mu, base, room, slope):  # type: ignore[no-untyped-def]
    """What own prices `mu` [S] make of the rows' sides (-inf where the units inside do not fit); fills `room` [S] and
    `slope` [S], the side that is priced (NaN: none). A soft row that is full already gets its penalty as price, the best."""
    upper, lower, penalty, cut, slack = limits
    value = 0.0
    for s in range(len(mu)):
        room[s] = np.inf
        slope[s] = np.nan
        if cut[r, s]:
            room[s] = upper[r, s] - base[s]
            if penalty[r, s] == np.inf:
                if room[s] < -slack[r, s]:
                    value = -np.inf
            elif room[s] <= 0.0:
                mu[s] = penalty[r, s]
        if mu[s] != 0.0:
            slope[s] = upper[r, s] if mu[s] > 0.0 else lower[r, s]
            value += mu[s] * slope[s]
    return value


@njit(cache=True, nogil=True)
def free_worth(worth, r, k, model, limits, mu, room):  # type: ignore[no-untyped-def]
    """What item `k` adds where `room` [S] is left: what needs more pays the penalty for it, or does not fit."""
    amount, penalty, slack = model[2], limits[2], limits[4]
    for s in range(len(mu)):
        a = amount[k, s]
        if a > room[s]:
            if penalty[r, s] == np.inf:
                if a > room[s] + slack[r, s]:
                    return -np.inf
            else:
                fits = max(room[s], 0.0)
                worth -= penalty[r, s] * (a - fits)
                a = fits
        worth -= mu[s] * a
    return worth


@njit(cache=True, nogil=True)
def find_live(r, first_leaf, last_leaf, worth, pi, model, tree, nodes, mu, live):  # type: ignore[no-untyped-def]
    """Fill `live` with the items of a rep that some leaf may take, in order, and all of the units that its tree parts at;
    gives how many. No leaf takes what is worth nothing at the least that any asks for it."""
    first, unit, amount = model
    parent, item, _ = tree
    begin, end, slots = first[r], first[r + 1], mu.shape[1]
    parts = np.zeros(end - begin, dtype=np.bool_)
    cheap, dear = np.full(slots, np.inf), np.full(slots, -np.inf)
    for leaf in range(first_leaf, last_leaf):
        node = nodes[leaf]
        while parent[node] >= 0:
            parts[item[node] - begin] = True
            node = parent[node]
        for s in range(slots):
            cheap[s] = min(cheap[s], mu[leaf, s])
            dear[s] = max(dear[s], mu[leaf, s])
    count, lead = 0, begin
    for k in range(begin, end):
        if unit[k] != unit[lead]:
            lead = k
        w = worth[k] - pi[unit[k]]
        for s in range(slots):
            a = amount[k, s]
            w -= a * (cheap[s] if a > 0.0 else dear[s])
        if w > 0.0 or parts[lead - begin]:
            live[count] = k
            count += 1
    return count


@njit(cache=True, nogil=True)
def fill_leaf(r, worth, pi, model, limits, mu, room, state, live, used, take):  # type: ignore[no-untyped-def]
    """The best book of a leaf: what its `live` items are worth; adds to `used` [S] and sets `take` of the items taken."""
    first, unit, amount = model
    total, i, begin, end = 0.0, 0, first[r], len(live)
    while i < end:
        lead, top, at = live[i], -np.inf, -1
        u = unit[lead]
        mark = state[lead - begin]
        while i < end and unit[live[i]] == u:
            k = live[i]
            i += 1
            w = worth[k] - pi[u]
            if mark == 2:
                continue
            if mark == 1:
                for s in range(len(mu)):
                    w -= mu[s] * amount[k, s]
            else:
                w = free_worth(w, r, k, model, limits, mu, room)
            if w > top:
                top, at = w, k
        if mark == 1 or (mark == 0 and top > 0.0):
            total += top
            take[at - begin] = 1
            for s in range(len(mu)):
                a = amount[at, s]
                used[s] += a if mark == 1 else min(a, max(room[s], 0.0))
    return total


@njit(cache=True, nogil=True)
def evaluate_leaf(r, node, worth, pi, model, limits, tree, mu, state, live, take, slope):  # type: ignore[no-untyped-def]
    """What a leaf is worth at own prices `mu` [S]; fills `take` [items of the rep], and `slope` [S] in these prices."""
    upper, lower = limits[0], limits[1]
    base, room, used = np.zeros(len(mu)), np.empty(len(mu)), np.zeros(len(mu))
    walk(node, r, model, tree, state, base, True)
    value = open_leaf(r, limits, mu, base, room, slope)
    if value > -np.inf:
        value += fill_leaf(r, worth, pi, model, limits, mu, room, state, live, used, take)
    walk(node, r, model, tree, state, base, False)
    for s in range(len(mu)):
        side = slope[s] if slope[s] == slope[s] else min(max(used[s], lower[r, s]), upper[r, s])
        slope[s] = side - used[s] if value > -np.inf else 0.0
    return value


@njit(cache=True, nogil=True)
def share_out(begin, first_leaf, last_leaf, value, heat, weight, take, taken):  # type: ignore[no-untyped-def]
    """Weights of a rep's leaves, by e^(value ÷ heat), and the shares of items that they take; gives the largest value."""
    top = -np.inf
    for leaf in range(first_leaf, last_leaf):
        top = max(top, value[leaf])
    if top == -np.inf:
        return top
    total = 0.0
    for leaf in range(first_leaf, last_leaf):
        weight[leaf] = np.exp((value[leaf] - top) / heat)
        total += weight[leaf]
    for leaf in range(first_leaf, last_leaf):
        weight[leaf] /= total
        if weight[leaf] > 1e-6:
            for i in range(take.shape[1]):
                if take[leaf - first_leaf, i]:
                    taken[begin + i] += weight[leaf]
    return top


@njit(cache=True, nogil=True)
def remember(begin, first_leaf, last_leaf, rate, weight, take, near, often, mean):  # type: ignore[no-untyped-def]
    """Move the mean weights `mean` [L] and mean shares `often` [L, W] of the rep's items `near` [W] (-1: no more)."""
    for leaf in range(first_leaf, last_leaf):
        mean[leaf] += rate * (weight[leaf] - mean[leaf])
        for j in range(len(near)):
            if near[j] >= 0:
                now = weight[leaf] if take[leaf - first_leaf, near[j] - begin] else 0.0
                often[leaf, j] += rate * (now - often[leaf, j])


@njit(cache=True, nogil=True)
def fill_books(  # type: ignore[no-untyped-def]
    reps,
    worth,
    pi,
    model,
    limits,
    tree,
    first_leaf,
    nodes,
    mu,
    heat,
    rate,
    near,
    value,
    slope,
    weight,
    taken,
    often,
    mean,
):
    """The best books of reps `reps[0]` to `reps[1]`: fills `value` [L] and `slope` [L, S] of every leaf, `weight` [L] and
    `taken` [k] as in `share_out` and, where `rate` > 0, `often` and `mean` as in `remember`; gives the sum of the best.

    `nodes` [L] are the leaves in order of rep, `first_leaf` [M + 1]; `mu` [L, S] their own prices, corrected in full rows.
    """
    total, first = 0.0, model[0]
    for r in range(reps[0], reps[1]):
        begin, size = first[r], first[r + 1] - first[r]
        state = np.zeros(size, dtype=np.int8)
        take = np.zeros((first_leaf[r + 1] - first_leaf[r], size), dtype=np.uint8)
        taken[begin : begin + size] = 0.0
        span = first_leaf[r], first_leaf[r + 1]
        live = np.empty(size, dtype=np.int64)
        live = live[: find_live(r, span[0], span[1], worth, pi, model, tree, nodes, mu, live)]
        for leaf in range(first_leaf[r], first_leaf[r + 1]):
            value[leaf] = evaluate_leaf(
                r, nodes[leaf], worth, pi, model, limits, tree, mu[leaf], state, live, take[leaf - first_leaf[r]],
                slope[leaf],
            )  # fmt: skip
        total += share_out(begin, first_leaf[r], first_leaf[r + 1], value, heat, weight, take, taken)
        if rate > 0.0:
            remember(begin, first_leaf[r], first_leaf[r + 1], rate, weight, take, near[r], often, mean)
    return total
