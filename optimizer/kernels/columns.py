"""All books of a rep that are worth enough, leaf by leaf of a tree of books (`optimizer.columns`).

Arrays come in tuples. `items`: `begin` [n + 1] of the units, `worth` [k] at prices and `amount` [k, S] of the items; `sides`:
`upper`, `lower`, `penalty`, `allowed` [S] of own rows; `leaves`: those that count, in order: `value` [L], own prices [L, S],
`held` and `barred` [L, n]; `parts`: as these, room for n + 2 that a leaf is parted into; `cuts`: `first` [n + 1] and `of` [·] the
cuts of each unit, `price` [C]; `room`: arrays that are written over; `ahead`: `width` [S] of a bin of each own row (0: none), and
`table` [S, n + 1, B].
"""

from __future__ import annotations

from optimizer.kernels.ahead import look_ahead, more_lost, unused
from optimizer.kernels.bare import bare
from optimizer.kernels.leaf import lay_out, part_at, put, unsure

#: a leaf that takes more steps than this gets a table of what is to come
LONG = 100_000
#: after so many steps, less one, it is asked whether to stop
ASKED = 0xFFFF


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
def _list_part(  # type: ignore[no-untyped-def]
    part, goal, count, window, effort, items, sides, parts, cuts, room, span, now, ahead, times, place, spent, chosen
):
    """Depth first through one part: 0 when it is done, -1 when there may be no more steps; 1 when it took long and was parted."""
    patience, long, most, stop = effort
    _, loss, first, order, _ = room
    n, used, mu, begun, looked = len(order), now[0], parts[1], count[1], False
    total = lay_out(part, goal[0], items, sides, parts, room, span, now)
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
            _move(d, -1, items, cuts, room, used, times, place)
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
            unit = unsure(part, total - goal[0], items, parts, room, now[2])
            if unit >= 0:
                for e in range(d - 1, -1, -1):
                    _move(e, -1, items, cuts, room, used, times, place)
                part_at(part, unit, parts)
                return 1
        if steps > begun + LONG and not looked:
            looked = True
            look_ahead(part, items, sides, parts, room, span, ahead)
        spent[d + 1] = spent[d] + loss[at] + _move(d, 1, items, cuts, room, used, times, place)
        left = total - spent[d + 1] - _lost(d + 1, part, mu, sides, used, span)
        if left >= goal[0] and (not looked or left - more_lost(d + 1, part, mu, sides, used, span, ahead) >= goal[0]):
            d += 1
            if d < n:
                place[d] = -1
    return 0


@bare()
def list_books(  # type: ignore[no-untyped-def]
    goal, count, window, effort, items, sides, leaves, parts, cuts, room, span, now, ahead, times, place, spent, chosen
):
    """Write to the rows of `chosen` [N, k] the items of every book that is worth `goal[0]` at these prices, or, with a finite
    `window`, of those met that were worth the best so far, `goal[1]`, less that, some of them twice. More than N are written over
    one another. `effort`: after so many steps only books are looked for that are worth `goal[2]` more than the best so far,
    after as many again three times that, and so on; after as many as the second a leaf is parted, with a unit and without it,
    each at own prices of its own; and there are no more than the third, or until `stop` [1], the fourth, is not 0. `count`:
    books written, steps made, and when less is looked for next.

    Whether it was done to the end: then no other book is worth more than the larger of the first two goals.
    """
    for leaf in range(len(leaves[0])):
        put(leaf, leaves, 0, parts)
        part = 0
        while part >= 0:
            step = _list_part(
                part, goal, count, window, effort, items, sides, parts, cuts, room, span, now, ahead, times, place, spent,
                chosen,
            )  # fmt: skip
            if step < 0:
                return False
            part += 1 if step else -1
    return True


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
