"""All books of a rep that are worth enough, part by part (`optimizer.columns`): branch and bound, in each part at own prices that
prove most of it, depth first where a part takes few steps.

Arrays come in tuples. `items`: `begin` [n + 1] of the units, `worth` [k] at prices and `amount` [k, S] of the items; `sides`:
`upper`, `lower`, `penalty`, `allowed` [S] of own rows; `parts`: what each is `worth` at most [P], its own prices of own rows and
of the places of cuts [P, S + 3C], units `held` and `barred` [P, n], and which `share` of all it is taken for [P]; `cuts` and
`places` as in `kernels.triples`; `room`: arrays that are written over.
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare
from optimizer.kernels.parts import lay_out, part_at, sharpen, unsure
from optimizer.kernels.triples import decide, undecide

#: after so many steps, less one, it is asked whether to stop
ASKED = 0xFFFF
#: steps towards own prices, once for all parts
ROOT = 150


@bare(inline="always")
def _unused(sides, price, low, high, s):  # type: ignore[no-untyped-def]
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


@bare(inline="always")
def _lost(d, part, mu, sides, used, span):  # type: ignore[no-untyped-def]
    """What own rows lose at least when so much is used and units from a place in their order on are still to come."""
    lost = 0.0
    for s in range(span.shape[2]):
        lost += _unused(sides, mu[part, s], used[s] + span[0, d, s], used[s] + span[1, d, s], s)
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
def _move(d, step, items, places, room, used, place):  # type: ignore[no-untyped-def]
    """Count what the unit at a place in the order does in (a step of 1), or out (of -1); how much less cuts give back."""
    item, _, first, order, _ = room
    k, u, slots = item[first[order[d]] + place[d]], order[d], items[2].shape[1]
    if k >= 0:
        for s in range(slots):
            used[s] = used[s] + step * items[2][k, s] if d or step > 0 else 0.0
    if step > 0:
        return decide(u, k >= 0, places)
    undecide(u, k >= 0, places)
    return 0.0


@bare()
def _list_part(  # type: ignore[no-untyped-def]
    part, goal, count, window, effort, items, sides, parts, cuts, places, room, span, now, place, spent, chosen
):
    """Depth first through one part: 0 when it is done, -1 when there may be no more steps; 1 when it took long and was parted."""
    patience, long, most, stop, _ = effort
    _, loss, first, order, _ = room
    n, used, mu, written, begun = len(order), now[0], parts[1], count[0], count[1]
    total = lay_out(part, goal[0], items, sides, parts, cuts, places, room, span, now)
    d, place[0], spent[0] = 0 if total >= goal[0] else -1, -1, 0.0
    while d >= 0:
        if d == n:
            worth = total - spent[n] - _lost(n, part, mu, sides, used, span)
            if worth >= goal[0]:
                _write(chosen[count[0] % len(chosen)], room, place)
                count[0] += 1
                goal[1] = max(goal[1], worth)
                goal[0] = max(goal[0], goal[1] - window)
            d -= 1
            continue
        if place[d] >= 0:
            _move(d, -1, items, places, room, used, place)
        place[d] += 1
        at = first[order[d]] + place[d]
        if at >= first[order[d] + 1] or total - spent[d] - loss[at] < goal[0]:
            d -= 1
            continue
        count[1] += 1
        steps = count[1]
        if steps > count[2]:
            count[2], goal[0], goal[2] = count[2] + patience, max(goal[0], goal[1] + goal[2]), 3 * goal[2]
        if steps > most or ((steps & ASKED) == 0 and stop[0]):
            return -1
        if steps == begun + long:
            unit = unsure(part, total - goal[0], items, parts, cuts, places, room, now[2])
            if unit >= 0:
                part_at(part, unit, parts)
                if window == np.inf:
                    count[0] = written  # all of them are met again
                return 1
        spent[d + 1] = spent[d] + loss[at] + _move(d, 1, items, places, room, used, place)
        still = total - spent[d + 1] - _lost(d + 1, part, mu, sides, used, span)
        if still >= goal[0]:
            d += 1
            if d < n:
                place[d] = -1
    return 0


@bare()
def list_books(  # type: ignore[no-untyped-def]
    goal, count, window, effort, items, sides, parts, cuts, places, room, span, now, place, spent, chosen
):
    """Write to the rows of `chosen` [N, k] the items of every book that is worth `goal[0]` at these prices, or, with a finite
    `window`, of those met that were worth the best so far, `goal[1]`, less that, some of them twice. More than N are written over
    one another. `effort`: after so many steps only books are looked for that are worth `goal[2]` more than the best so far,
    after as many again three times that, and so on; after as many as the second a part is parted, with a unit and without it,
    each at own prices of its own; and there are no more than the third, or until `stop` [1], the fourth, is not 0; after the
    fifth it ends as well where what is done, each part taken for half of what it is a part of (Knuth 1975), says that more would
    be needed than the third. `count`: books written, steps made, and when less is looked for next.

    Whether it was done to the end: then no other book is worth more than the larger of the first two goals.
    """
    part, done = 0, 0.0
    sharpen(0, goal[0], ROOT, items, sides, parts, cuts, places, now)
    while part >= 0:
        step = _list_part(
            part, goal, count, window, effort, items, sides, parts, cuts, places, room, span, now, place, spent, chosen
        )  # fmt: skip
        if step < 0:
            return False
        done += 0.0 if step else parts[4][part]
        part += 1 if step else -1
        if count[1] > effort[4] and count[1] > done * effort[2]:
            return False
    return True


@bare()
def reduce(books, paid, twice, price, worth):  # type: ignore[no-untyped-def]
    """Take off `worth` [N] what each book [N, k] pays for its items, and for the cuts [C, N] of which it holds two units."""
    for i in range(len(books)):
        total = 0.0
        for k in range(len(paid)):
            total += books[i, k] * paid[k]
        worth[i] -= total
    for c in range(len(price)):
        if price[c] > 0:
            for i in range(len(worth)):
                worth[i] -= price[c] * twice[c, i]


@bare()
def pay(some, begin, pays, price, worth):  # type: ignore[no-untyped-def]
    """Take off `worth` [n] what some books [n] pay, each at the prices of what it `pays` [·] from its `begin` [N + 1] on."""
    for i in range(len(some)):
        total = 0.0
        for at in range(begin[some[i]], begin[some[i] + 1]):
            total += price[pays[at]]
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
