"""Ejection chains over a few candidate slots of every unit; `kernels.moves` says what the arrays are."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare
from optimizer.kernels.moves import come, leave, move, note_loss, spare, undo


@bare()
def draw(state, below):  # type: ignore[no-untyped-def]
    """A whole number from 0 to `below` - 1 (xorshift, Marsaglia 2003); `state` [1] uint64 is never 0."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64(((x >> np.uint64(32)) * np.uint64(below)) >> np.uint64(32))


@bare()
def draw_early(state, below):  # type: ignore[no-untyped-def]
    """A whole number from 0 to `below` - 1 (0 for none), small ones more often: the cube of an even share. Units, and the
    slots that name a rep, come in order of the regret that moving them costs."""
    share = draw(state, 1 << 30) / (1 << 30)
    return np.int64(share * share * share * below)


@bare()
def repair(x, window, count, moved, state, at, size, place, rows, users, spent, own, shared, first, named):  # type: ignore[no-untyped-def]
    """The best move that rep `x` has part in, among a window of the slots that name it: one of its units leaves, or
    another comes in. Returns (unit, slot), (-1, -1) for none. What costs more regret than the rows of both reps lose is
    not looked at."""
    here, names = spare(x, rows, spent, shared), first[x + 1] - first[x]
    top, unit, into = np.inf, -1, -1
    begin = draw_early(state, names)
    for t in range(min(window, names)):
        e = first[x] + (begin + t) % names
        v, s = named[e, 0], named[e, 1]
        fresh = True
        for i in range(count):
            fresh &= moved[i, 0] != v
        if not fresh:
            continue
        if at[v, 0] != s:
            b, d = s, come(v, s, top, here, at, size, place, rows, users, spent, own, shared)
        else:
            b, d = leave(v, top, here, at, size, place, rows, users, spent, own, shared)
        if d < top:
            top, unit, into = d, v, b
    return unit, into


@bare()
def chain(  # type: ignore[no-untyped-def]
    u, b, depth, window, allowed, state, at, size, place, rows, users, spent, own, shared, first, named, moved, log, spot,
    books,
):  # fmt: skip
    """One chain that begins with unit `u` going into slot `b`; its change of energy and its length. It stands as it ends:
    no more than `allowed` above where it began, or out of moves."""
    total, count, nobody = 0.0, 0, len(users) - 1
    while True:
        left, entered = place[u, at[u, 0], 0], place[u, b, 0]
        moved[count, 0], moved[count, 1] = u, at[u, 0]
        count += 1
        total += move(u, b, at, size, place, rows, users, spent, own, log, spot, books)
        if total <= allowed or count > depth:
            return total, count
        x = entered if draw(state, 2) else left
        if x == nobody:
            x = left if x == entered else entered
        if x == nobody:
            return total, count
        u, b = repair(
            x, window, count, moved, state, at, size, place, rows, users, spent, own, shared, first, named
        )  # fmt: skip
        if u < 0:
            return total, count


@bare()
def chains(  # type: ignore[no-untyped-def]
    tries, depth, window, hot, cold, state, at, size, place, rows, users, spent, own, shared, first, named,
    moved, log, spot, books,
):  # fmt: skip
    """Ejection chains (Glover 1996) accepted as in simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

    A chain moves a random unit (see `draw_early`) to a random slot and then, up to `depth` times, repairs one of the two
    reps that the last move touched by its best move in a window. It is kept as soon as its energy has risen by no more
    than a random threshold at a temperature that falls from `hot` to `cold`, and taken back otherwise. One that begins
    with more regret than that and than the rows of both reps lose is not begun. Rep M (unserved) has no rows.
    Returns the change of energy and the change in the number of broken hard rows.
    """
    energy, heat = 0.0, hot
    for m in range(len(users)):
        note_loss(m, rows, spent, own)
    cooling = (cold / hot) ** (1.0 / max(1, tries // 64))
    for n in range(tries):
        if n % 64 == 63:
            heat *= cooling
        u = draw_early(state, len(at))
        if at[u, 1] < 2:
            continue
        b = draw(state, at[u, 1] - 1)
        b += np.int64(b >= at[u, 0])
        allowed = -heat * np.log((draw(state, 1 << 30) + 0.5) / (1 << 30))
        x, y = place[u, at[u, 0], 0], place[u, b, 0]
        most = spare(x, rows, spent, shared) + spare(y, rows, spent, shared)
        if size[u, b, 0] - size[u, at[u, 0], 0] > allowed + most:
            continue
        broken, books[1] = books[0], 0
        total, count = chain(
            u, b, depth, window, allowed, state, at, size, place, rows, users, spent, own, shared, first, named, moved, log,
            spot, books,
        )  # fmt: skip
        if total <= allowed:
            energy += total
        else:
            undo(count, moved, at, place, rows, users, spent, own, log, spot, books)
            books[0] = broken
    return energy, books[0]
