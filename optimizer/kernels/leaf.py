"""A leaf of a tree of books before its books are listed: own prices found for it, what each unit may do in it, two leaves made of
one. `kernels.columns` says what the arrays are."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare

#: steps towards better own prices of a leaf, and the share of what it is worth that is aimed at where no other figure is known
SHARPENED, AIMED = 16, 0.01


@bare()
def _alternatives(leaf, items, leaves, room):  # type: ignore[no-untyped-def]
    """Lay out what each unit may do in a leaf, the best first, units that lose most by another first; what the best of all
    are worth, each with its loss beside it."""
    begin, worth, amount = items
    _, mu, held, barred = leaves
    item, loss, first, order, second = room
    n, total, end = len(begin) - 1, 0.0, 0
    for u in range(n):
        first[u] = end
        if not held[leaf, u]:
            item[end], loss[end] = -1, 0.0
            end += 1
        if not barred[leaf, u]:
            for k in range(begin[u], begin[u + 1]):
                w = worth[k]
                for s in range(amount.shape[1]):
                    w -= mu[leaf, s] * amount[k, s]
                at = end
                while at > first[u] and loss[at - 1] < w:
                    item[at], loss[at] = item[at - 1], loss[at - 1]
                    at -= 1
                item[at], loss[at] = k, w
                end += 1
        best = loss[first[u]]
        total += best
        for at in range(first[u], end):
            loss[at] = best - loss[at]
        second[u] = loss[first[u] + 1] if end > first[u] + 1 else np.inf
        at = u
        while at > 0 and second[order[at - 1]] < second[u]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = u
    first[n] = end
    return total


@bare()
def _sharpen(leaf, need, items, sides, leaves, now):  # type: ignore[no-untyped-def]
    """Put own prices in place at which a leaf is worth less, found in some steps towards `need` (Polyak 1969); what it is
    worth there, tolerances left out."""
    begin, worth, amount = items
    upper, lower, penalty, _ = sides
    _, mu, held, barred = leaves
    slots, best = amount.shape[1], np.inf
    used, trial, size = now
    for s in range(slots):
        trial[s] = mu[leaf, s]
    for _ in range(SHARPENED):
        total = 0.0
        for s in range(slots):
            used[s] = 0.0
            if trial[s] > 0:
                total += trial[s] * upper[s]
            elif trial[s] < 0:
                total += trial[s] * lower[s]
        for u in range(len(begin) - 1):
            most, item = -np.inf, -1
            if not held[leaf, u]:
                most = 0.0
            if not barred[leaf, u]:
                for k in range(begin[u], begin[u + 1]):
                    w = worth[k]
                    for s in range(slots):
                        w -= trial[s] * amount[k, s]
                    if w > most:
                        most, item = w, k
            total += most
            if item >= 0:
                for s in range(slots):
                    used[s] += amount[item, s]
        if total < best:
            best = total
            for s in range(slots):
                mu[leaf, s] = trial[s]
        aim = need if need > -1e299 else total - AIMED * abs(total)
        if total < aim:
            break
        length = 0.0
        for s in range(slots):
            used[s] = _slope(trial[s], used[s], upper[s], lower[s]) * size[s]
            length += used[s] * used[s]
        if length == 0.0:
            break
        for s in range(slots):
            low, high = -penalty[s] if lower[s] > -np.inf else 0.0, penalty[s] if upper[s] < np.inf else 0.0
            trial[s] = min(high, max(low, trial[s] - (total - aim) / length * used[s] * size[s]))
    return best


@bare()
def _slack(leaf, sides, leaves):  # type: ignore[no-untyped-def]
    """What the tolerance of own rows may be worth in a leaf."""
    slack = 0.0
    for s in range(len(sides[3])):
        slack += abs(leaves[1][leaf, s]) * sides[3][s]
    return slack


@bare()
def _slope(price, used, upper, lower):  # type: ignore[no-untyped-def]
    """How fast a leaf's worth goes up with the price of an own row of which so much is used."""
    if price > 0:
        return upper - used
    if price < 0:
        return lower - used
    return min(0.0, upper - used) + max(0.0, lower - used)


@bare()
def _reach(items, room, span):  # type: ignore[no-untyped-def]
    """Fill `span` [2, n + 1, S]: the least and the most that units from a place in their order on may use of each own row."""
    begin, _, amount = items
    item, _, first, order, _ = room
    for s in range(amount.shape[1]):
        span[0, len(begin) - 1, s] = span[1, len(begin) - 1, s] = 0.0
        for d in range(len(begin) - 2, -1, -1):
            low, high = np.inf, -np.inf
            for at in range(first[order[d]], first[order[d] + 1]):
                a = amount[item[at], s] if item[at] >= 0 else 0.0
                low, high = min(low, a), max(high, a)
            span[0, d, s] = span[0, d + 1, s] + low
            span[1, d, s] = span[1, d + 1, s] + high


@bare()
def lay_out(leaf, need, items, sides, leaves, room, span, now):  # type: ignore[no-untyped-def]
    """Sharpen a leaf and lay it out; what it is worth with tolerances; -inf where that is less than `need`."""
    value, mu, _, _ = leaves
    if value[leaf] + _slack(leaf, sides, leaves) < need:
        return -np.inf
    sharpest, slack = _sharpen(leaf, need, items, sides, leaves, now), _slack(leaf, sides, leaves)
    value[leaf] = min(value[leaf], sharpest)
    if sharpest + slack < need:
        return -np.inf
    total = slack
    for s in range(mu.shape[1]):
        if mu[leaf, s] > 0:
            total += mu[leaf, s] * sides[0][s]
        elif mu[leaf, s] < 0:
            total += mu[leaf, s] * sides[1][s]
        now[0][s] = 0.0
    total += _alternatives(leaf, items, leaves, room)
    _reach(items, room, span)
    return total


@bare()
def put(leaf, leaves, at, parts):  # type: ignore[no-untyped-def]
    """Put a leaf at a place among the parts."""
    value, mu, held, barred = leaves
    parts[0][at] = value[leaf]
    for s in range(mu.shape[1]):
        parts[1][at, s] = mu[leaf, s]
    for u in range(held.shape[1]):
        parts[2][at, u], parts[3][at, u] = held[leaf, u], barred[leaf, u]


@bare()
def unsure(leaf, open_, items, leaves, room, size):  # type: ignore[no-untyped-def]
    """The unit that fills most of an own row of those that may be in the books of a leaf or not, as what is open allows both; -1
    for none."""
    item, _, first, _, second = room
    most, unit = 0.0, -1
    for u in range(len(second)):
        if leaves[2][leaf, u] or leaves[3][leaf, u] or second[u] > open_:
            continue
        for at in range(first[u], first[u + 1]):
            for s in range(len(size)):
                if item[at] >= 0 and abs(items[2][item[at], s]) * size[s] > most:
                    most, unit = abs(items[2][item[at], s]) * size[s], u
    return unit


@bare()
def part_at(part, unit, parts):  # type: ignore[no-untyped-def]
    """Part the last of the parts: without a unit, and, after it, with it."""
    put(part, parts, part + 1, parts)
    parts[3][part, unit], parts[2][part + 1, unit] = True, True
