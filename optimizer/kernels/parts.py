"""A part of a rep's books, those with some units and without some others, before they are listed: own prices found for it, what
each unit may do in it, two parts made of one. `kernels.columns` says what the arrays are."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare
from optimizer.kernels.triples import cut_off, given_back, settle, tell

#: steps towards better own prices of a part, and the share of what it is worth that is aimed at where no other figure is known
SHARPENED, AIMED = 14, 0.01
#: of what is left to what is aimed at, the share that a step is made for; halved after so many steps that bring nothing
STEP, BARREN = 0.5, 4
#: what makes a unit one to part at: how near it is to being in or out, of what it fills so much for each of its cuts, and so
#: much of what these cost in what is open
INDIFFERENT, OF_CUT, PAID = 1.2, 0.07, 0.03


@bare()
def _alternatives(part, items, parts, places, room):  # type: ignore[no-untyped-def]
    """Lay out what each unit may do in a part, the best first, units that lose most by another first; what the best of all
    are worth, each with its loss beside it."""
    begin, worth, amount = items
    _, mu, held, barred, _ = parts
    item, loss, first, order, second = room
    n, total, end = len(begin) - 1, 0.0, 0
    for u in range(n):
        first[u], off = end, cut_off(u, amount.shape[1], mu[part], places)
        if not held[part, u]:
            item[end], loss[end] = -1, 0.0
            end += 1
        if not barred[part, u]:
            for k in range(begin[u], begin[u + 1]):
                w = worth[k] - off
                for s in range(amount.shape[1]):
                    w -= mu[part, s] * amount[k, s]
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
def _worth_at(part, trial, alive, items, sides, parts, cuts, places, used):  # type: ignore[no-untyped-def]
    """What a part is worth at own prices, tolerances and what is settled of cuts left out; what its best book uses of own rows
    there, and how fast what it is worth goes up with the own price of each place of a cut."""
    begin, worth, amount = items
    upper, lower, _, _ = sides
    slots, total = amount.shape[1], 0.0
    for s in range(slots):
        used[s] = 0.0
        if trial[s] < 0:
            total += trial[s] * lower[s]
        elif trial[s] > 0:
            total += trial[s] * upper[s]
    for i in range(alive):
        c = places[6][i]
        every, few, at = given_back(c, trial, slots, cuts, places[0])
        total += max(every, few)
        for e in range(3 * c, 3 * c + 3):
            used[slots + e] = 1.0 if every >= few or e == at else 0.0
    for u in range(len(begin) - 1):
        most, item = -np.inf, -1
        if not parts[2][part, u]:
            most = 0.0
        if not parts[3][part, u]:
            off = cut_off(u, slots, trial, places)
            for k in range(begin[u], begin[u + 1]):
                w = worth[k] - off
                for s in range(slots):
                    w -= trial[s] * amount[k, s]
                if w > most:
                    most, item = w, k
        total += most
        if item >= 0:
            for s in range(slots):
                used[s] += amount[item, s]
            for at in range(places[4][u], places[4][u + 1]):
                used[slots + places[5][at]] -= 1.0
    return total


@bare()
def sharpen(part, need, steps, items, sides, parts, cuts, places, now):  # type: ignore[no-untyped-def]
    """Settle a part, and put own prices in place at which it is worth less, found in some steps towards `need` (Polyak 1969;
    nearer to what has been reached, the longer nothing is won: Goffin and Kiwiel 1999); what it is worth there, tolerances left
    out."""
    mu, slots, best, barren, ahead = parts[1], len(sides[0]), np.inf, 0, 0.0
    used, trial, size = now
    taken, alive = settle(parts[2][part], parts[3][part], mu[part], slots, cuts, places)
    need += taken
    for s in range(len(trial)):
        trial[s] = mu[part, s]
    for step in range(steps):
        total = _worth_at(part, trial, alive, items, sides, parts, cuts, places, used)
        if step == 0:
            ahead = STEP * (total - need if need > -1e299 else AIMED * abs(total))
        if total < best:
            best, barren = total, 0
            for s in range(len(trial)):
                mu[part, s] = trial[s]
        else:
            barren += 1
        if best < need:
            break
        if barren == BARREN:
            ahead, barren = STEP * ahead, 0
        length = 0.0
        for s in range(slots):
            low, high = _limits(s, sides)
            slope = _slope(trial[s], used[s], sides[0][s], sides[1][s])
            used[s] = 0.0 if (trial[s] <= low and slope > 0) or (trial[s] >= high and slope < 0) else slope * size[s]
            length += used[s] * used[s]
        for i in range(alive):
            c = places[6][i]
            for e in range(3 * c, 3 * c + 3):
                s = slots + e
                if places[0][e] != 0 or (trial[s] <= 0 and used[s] > 0) or (trial[s] >= cuts[2][c] and used[s] < 0):
                    used[s] = 0.0
                else:
                    used[s] *= size[s]
                    length += used[s] * used[s]
        if length == 0.0:
            break
        far = (total - best + ahead) / length
        for s in range(slots):
            low, high = _limits(s, sides)
            trial[s] = min(high, max(low, trial[s] - far * used[s] * size[s]))
        for i in range(alive):
            c = places[6][i]
            for s in range(slots + 3 * c, slots + 3 * c + 3):
                trial[s] = min(cuts[2][c], max(0.0, trial[s] - far * used[s] * size[s]))
    return best - taken


@bare(inline="always")
def _limits(s, sides):  # type: ignore[no-untyped-def]
    """Between what the price of an own row may be."""
    upper, lower, penalty, _ = sides
    return -penalty[s] if lower[s] > -np.inf else 0.0, penalty[s] if upper[s] < np.inf else 0.0


@bare()
def _slack(part, sides, parts):  # type: ignore[no-untyped-def]
    """What the tolerance of own rows may be worth in a part."""
    slack = 0.0
    for s in range(len(sides[3])):
        slack += abs(parts[1][part, s]) * sides[3][s]
    return slack


@bare()
def _slope(price, used, upper, lower):  # type: ignore[no-untyped-def]
    """How fast a part's worth goes up with the price of an own row of which so much is used."""
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
def lay_out(part, need, items, sides, parts, cuts, places, room, span, now):  # type: ignore[no-untyped-def]
    """Sharpen a part and lay it out; what it is worth with tolerances; -inf where that is less than `need`."""
    value, mu, _, _, _ = parts
    if value[part] + _slack(part, sides, parts) < need:
        return -np.inf
    sharpest = sharpen(part, need, SHARPENED, items, sides, parts, cuts, places, now)
    slack = _slack(part, sides, parts)
    value[part] = min(value[part], sharpest)
    if sharpest + slack < need:
        return -np.inf
    total, slots = slack, len(sides[0])
    for s in range(slots):
        if mu[part, s] > 0:
            total += mu[part, s] * sides[0][s]
        elif mu[part, s] < 0:
            total += mu[part, s] * sides[1][s]
        now[0][s] = 0.0
    total += tell(mu[part], slots, cuts, places) + _alternatives(part, items, parts, places, room)
    _reach(items, room, span)
    return total


@bare()
def unsure(part, open_, items, parts, cuts, places, room, size):  # type: ignore[no-untyped-def]
    """The unit to part at, of those that may be in the books of a part or not, as what is open allows both: one that fills much
    of an own row, is in many cuts and such as cost much, and is nearly indifferent; -1 for none."""
    item, _, first, _, second = room
    most, unit = 0.0, -1
    for u in range(len(second)):
        if parts[2][part, u] or parts[3][part, u] or second[u] >= open_:
            continue
        fills, paid = 0.0, 0.0
        for at in range(first[u], first[u + 1]):
            for s in range(items[2].shape[1]):
                fills = max(fills, abs(items[2][item[at], s]) * size[s] if item[at] >= 0 else 0.0)
        for at in range(places[4][u], places[4][u + 1]):
            paid += cuts[2][places[5][at] // 3]
        weight = fills * (1 + OF_CUT * (places[4][u + 1] - places[4][u])) + PAID * paid / open_
        weight *= INDIFFERENT - second[u] / open_
        if weight > most:
            most, unit = weight, u
    return unit


@bare()
def part_at(part, unit, parts):  # type: ignore[no-untyped-def]
    """Part the last of the parts: without a unit, and, after it, with it."""
    value, mu, held, barred, share = parts
    share[part] *= 0.5
    value[part + 1], share[part + 1] = value[part], share[part]
    for s in range(mu.shape[1]):
        mu[part + 1, s] = mu[part, s]
    for u in range(held.shape[1]):
        held[part + 1, u], barred[part + 1, u] = held[part, u], barred[part, u]
    barred[part, unit], held[part + 1, unit] = True, True
