"""Own prices of the places of cuts in a part of a rep's books, and what cuts take beyond them. A cut is a triple of units with a
price that a book pays when it holds two of them.

Each of a cut's three places has an own price, which its unit pays when it is in a book, and the cut gives back the most that
units could pay so beyond what it takes: what a part is worth at these is no less than what it is (a Lagrangian decomposition:
Guignard and Kim 1987). Place `e` is of cut `e // 3`.

`cuts`: `first` [n + 1] and `of` [·] the places of each unit, `price` [C]. `places` (`room_for`), which are written over, for one
part: `mode` [3C], whether the unit of a place may be in a book or not (0), is (1) or is not (2); `digit` [3C] what a place counts
in a state of its cut, a number to the base of three with a digit for each place as in `mode`; `most` [27C], for every such state,
what is given back at most, or paid by units that are in, beyond what the cut takes; `state` [C] where in `most` each cut is;
`first` [n + 1] and `of` [·] the places of each unit that may be either way; `alive` [C] the cuts with such a place.
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare


def room_for(units: int, cuts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> tuple[np.ndarray, ...]:
    """The `places` of so many units in these cuts."""
    count = len(cuts[2])
    mode, state, alive, first, of = (
        np.zeros(size, dtype=np.int64) for size in (3 * count, count, count, units + 1, len(cuts[1]))
    )
    return mode, np.tile(np.array([1, 3, 9]), count), np.zeros(27 * count), state, first, of, alive


@bare(inline="always")
def cut_off(u, slots, price, places):  # type: ignore[no-untyped-def]
    """What the cuts that hold a unit take off its worth at prices whose first are those of own rows."""
    total = 0.0
    for at in range(places[4][u], places[4][u + 1]):
        total += price[slots + places[5][at]]
    return total


@bare(inline="always")
def _fill(c, held, free, price, slots, most, mode):  # type: ignore[no-untyped-def]
    """Put a cut's own prices up as far as it gives no more back, or, where it takes the same of all books, to 0."""
    top, total = 0.0, 0.0
    for e in range(3 * c, 3 * c + 3):
        if mode[e] == 0:
            top, total = max(top, price[slots + e]), total + price[slots + e]
    for e in range(3 * c, 3 * c + 3):
        if mode[e] != 0:
            continue
        own = price[slots + e]
        if held >= 2:
            own = 0.0
        elif free == 1:
            own = most if held == 1 else 0.0
        elif held == 1:
            own = max(own, own * most / total if total > 0 else 0.5 * most)
        elif free == 2 or top <= 0.5 * most:
            own = top
        elif own < top and total - top < most:
            own = min(top, own * most / (total - top) if total > top else 0.5 * most)
        price[slots + e] = min(most, own)


@bare()
def settle(held, barred, price, slots, cuts, places):  # type: ignore[no-untyped-def]
    """Fill `mode`, `first`, `of` and `alive` for a part with some units [n] held and some barred, and put its own `price` in
    order; what cuts take of all its books, and how many are alive."""
    mode, first, of, alive = places[0], places[4], places[5], places[6]
    at, taken, count = 0, 0.0, 0
    for e in range(len(mode)):
        mode[e] = 2
    for u in range(len(held)):
        first[u] = at
        settled = 1 if held[u] else 2 if barred[u] else 0
        for i in range(cuts[0][u], cuts[0][u + 1]):
            mode[cuts[1][i]] = settled
            if settled == 0:
                of[at] = cuts[1][i]
                at += 1
    first[len(held)] = at
    for c in range(len(cuts[2])):
        sure, free = 0, 0
        for e in range(3 * c, 3 * c + 3):
            sure, free = sure + (mode[e] == 1), free + (mode[e] == 0)
            if mode[e] != 0:
                price[slots + e] = 0.0
        if free > 0:
            alive[count] = c
            count += 1
            _fill(c, sure, free, price, slots, cuts[2][c], mode)
        elif sure >= 2:
            taken += cuts[2][c]
    return taken, count


@bare(inline="always")
def given_back(c, price, slots, cuts, mode):  # type: ignore[no-untyped-def]
    """The most that a cut's units of a book pay at their own prices beyond what the cut takes of it: with all of them that may
    be in, and with one at most; the place of that one."""
    held, free, best, at, count = 0, 0.0, 0.0, -1, 0
    for e in range(3 * c, 3 * c + 3):
        own = price[slots + e]
        if mode[e] == 1:
            held += 1
        elif mode[e] == 0:
            free, count = free + own, count + 1
            if own > best or at < 0:
                best, at = own, e
    every = free - (cuts[2][c] if held + count >= 2 else 0.0)
    few = best if held == 0 else 0.0 if held == 1 else -np.inf
    return every, few, at if held == 0 else -1


@bare()
def tell(price, slots, cuts, places):  # type: ignore[no-untyped-def]
    """Fill `most` and `state` for a part that is settled; what cuts give back at first."""
    mode, most, state = places[0], places[2], places[3]
    total = 0.0
    for c in range(len(state)):
        at, e, p = 27 * c, slots + 3 * c, cuts[2][c]
        for z in (1, 2):
            for y in (1, 2):
                for x in (1, 2):
                    paid = (price[e] if x == 1 else 0.0) + (price[e + 1] if y == 1 else 0.0)
                    paid += price[e + 2] if z == 1 else 0.0
                    most[at + x + 3 * y + 9 * z] = paid - (p if x + y + z <= 4 else 0.0)
                here = at + 3 * y + 9 * z
                most[here] = max(most[here + 1], most[here + 2])
            for here in range(at + 9 * z, at + 9 * z + 3):
                most[here] = max(most[here + 3], most[here + 6])
        for here in range(at, at + 9):
            most[here] = max(most[here + 9], most[here + 18])
        state[c] = at + mode[3 * c] + 3 * mode[3 * c + 1] + 9 * mode[3 * c + 2]
        total += most[state[c]]
    return total


@bare(inline="always")
def decide(u, inside, places):  # type: ignore[no-untyped-def]
    """Count a unit as in the book or not in its cuts; how much less these give back then."""
    less, to = 0.0, 1 if inside else 2
    for at in range(places[4][u], places[4][u + 1]):
        e = places[5][at]
        c = e // 3
        less += places[2][places[3][c]]
        places[3][c] += to * places[1][e]
        less -= places[2][places[3][c]]
    return less


@bare(inline="always")
def undecide(u, inside, places):  # type: ignore[no-untyped-def]
    """Count a unit as not decided on any more."""
    to = 1 if inside else 2
    for at in range(places[4][u], places[4][u + 1]):
        e = places[5][at]
        places[3][e // 3] -= to * places[1][e]
