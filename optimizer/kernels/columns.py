"""All books of a rep that are worth enough, leaf by leaf of a tree of books (`optimizer.columns`).

Arrays come in tuples. `items`: `begin` [n + 1] of the units, `worth` [k] at prices and `amount` [k, S] of the items; `sides`:
`upper`, `lower`, `penalty`, `allowed` [S] of own rows; `leaves`: those that count, in order: `value` [L], own prices [L, S],
`held` and `barred` [L, n]; `cuts`: `first` [n + 1] and `of` [·] the cuts of each unit, `price` [C]; `room`: arrays that are
written over; `ahead`: `width` [S] of a bin of each own row (0: none), and `table` [S, n + 1, B].
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.ahead import look_ahead, more_lost, unused
from optimizer.kernels.bare import bare

#: steps towards better own prices of a leaf, and the share of what it is worth that is aimed at where no other figure is known
SHARPENED, AIMED = 16, 0.01
#: a leaf that takes more steps than this gets a table of what is to come
LONG = 100_000
#: after so many steps, less one, it is asked whether to stop
ASKED = 0xFFFF


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


@bare(inline="always")
def _count(u, step, cuts, times):  # type: ignore[no-untyped-def]
    """Count a unit in, or out, of the cuts that hold it; what those cost that now hold two."""
    first, of, price = cuts
    paid = 0.0
    for at in range(first[u], first[u + 1]):
        times[of[at]] += step
        if step > 0 and times[of[at]] == 2:
            paid += price[of[at]]
    return paid


@bare()
def _begin(leaf, need, items, sides, leaves, room, span, now):  # type: ignore[no-untyped-def]
    """Sharpen a leaf and lay it out; what it is worth with tolerances; -inf where that is less than `need`."""
    value, mu, _, _ = leaves
    if value[leaf] + _slack(leaf, sides, leaves) < need:
        return -np.inf
    sharpest, slack = _sharpen(leaf, need, items, sides, leaves, now), _slack(leaf, sides, leaves)
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


@bare(inline="always")
def _lost(d, leaf, mu, sides, used, span):  # type: ignore[no-untyped-def]
    """What own rows lose at least when so much is used and units from a place in their order on are still to come."""
    lost = 0.0
    for s in range(len(used)):
        lost += unused(sides, mu[leaf, s], used[s] + span[0, d, s], used[s] + span[1, d, s], s)
    return lost


@bare()
def _write(book, room, place):  # type: ignore[no-untyped-def]
    """Write down which items [k] are in the book."""
    item, _, first, order, _ = room
    for k in range(len(book)):
        book[k] = 0
    for e in range(len(order)):
        k = item[first[order[e]] + place[e]]
        if k >= 0:
            book[k] = 1


@bare(inline="always")
def _move(d, step, items, cuts, room, used, times, place):  # type: ignore[no-untyped-def]
    """Count what the unit at a place in the order does in, or out; what cuts cost that now hold two."""
    item, _, first, order, _ = room
    k = item[first[order[d]] + place[d]]
    if k < 0:
        return 0.0
    for s in range(len(used)):
        used[s] = used[s] + step * items[2][k, s] if d or step > 0 else 0.0
    return _count(order[d], step, cuts, times)


@bare()
def list_books(need, window, effort, items, sides, leaves, cuts, room, span, now, ahead, times, place, spent, chosen):  # type: ignore[no-untyped-def]
    """Write to the rows of `chosen` [N, k] the items of every book that is worth `need` at these prices, or, with a finite
    `window`, of those met that were worth the best so far less that. More than N are written over one another. `effort`: after so
    many steps only books are looked for that are worth so much more than the best so far, after as many again three times that,
    and so on; and no more steps than the third, or until `stop` [1], the fourth, is not 0.

    Returns how many there are, the steps made (-1: more were needed, and books are missing) and what no book is worth more than.
    """
    patience, slight, most, stop = effort
    _, loss, first, order, _ = room
    n, used, mu = len(order), now[0], leaves[1]
    found, steps, top, until = 0, 0, need + window if window < np.inf else -np.inf, patience
    for leaf in range(len(leaves[0])):
        total = _begin(leaf, need, items, sides, leaves, room, span, now)
        d, place[0], spent[0], looked, long = 0 if total >= need else -1, -1, 0.0, False, steps + LONG
        while d >= 0:
            if d == n:
                worth = total - spent[n] - _lost(n, leaf, mu, sides, used, span)
                if worth >= need:
                    _write(chosen[found % len(chosen)], room, place)
                    found += 1
                    top = max(top, worth)
                    need = max(need, top - window)
                d -= 1
                continue
            if place[d] >= 0:
                _move(d, -1, items, cuts, room, used, times, place)
            place[d] += 1
            at = first[order[d]] + place[d]
            if at >= first[order[d] + 1] or total - spent[d] - loss[at] < need:
                d -= 1
                continue
            steps += 1
            if steps > until:
                until, need, slight = until + patience, max(need, top + slight), 3 * slight
            if steps > most or ((steps & ASKED) == 0 and stop[0]):
                return found, -1, np.inf
            if steps > long and not looked:
                looked = True
                look_ahead(leaf, items, sides, leaves, room, span, ahead)
            spent[d + 1] = spent[d] + loss[at] + _move(d, 1, items, cuts, room, used, times, place)
            left = total - spent[d + 1] - _lost(d + 1, leaf, mu, sides, used, span)
            if left >= need and (not looked or left - more_lost(d + 1, leaf, mu, sides, used, span, ahead) >= need):
                d += 1
                if d < n:
                    place[d] = -1
    return found, steps, max(top, need)


@bare()
def reduce(books, paid, worth):  # type: ignore[no-untyped-def]
    """Take off `worth` [N] what each book [N, k] pays for its items."""
    for i in range(len(books)):
        total = 0.0
        for k in range(len(paid)):
            total += books[i, k] * paid[k]
        worth[i] -= total


@bare()
def hold_two(books, span, out):  # type: ignore[no-untyped-def]
    """Fill `out` [C, N]: whether a book [N, k] has items of two of three units, which are `span` [C, 3, 2] of the items."""
    for i in range(len(books)):
        for c in range(len(span)):
            count = 0
            for u in range(3):
                for k in range(span[c, u, 0], span[c, u, 1]):
                    count += books[i, k]
            out[c, i] = count >= 2
