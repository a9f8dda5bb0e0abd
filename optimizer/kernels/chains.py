"""Ejection chains over a few candidate slots of every unit, with the left sides of the rows kept up to date.

The energy of a plan at prices λ is Σ regret of units + Σ loss of rows, both ≥ 0: how far it is below the bound that the
prices prove. `rows` [R, 8] holds, a line of memory a row: left side, lower, upper, price under lower, price over upper,
λ, and the bounds with tolerance beyond which a hard row counts as broken (∓inf for a soft one).
Arrays come in tuples: a `board` is `slot`, `slots`, `regret`, `rep`, `row`, `amount`, `rows`, `users`, `cost`, `first`, `liked`,
`at`, `own`, as `board.Board` keeps them; a `trail` is what a chain notes to be taken back.
A slot of a unit is an option or "unserved" (rep M); `row` [n, W, F] and `amount` [n, W, F] say what it adds to which row.
"""

from __future__ import annotations

import numpy as np
from numba import njit

USED, LOWER, UPPER, UNDER, OVER, PRICE, BROKEN_BELOW, BROKEN_ABOVE = range(8)


@njit(cache=True, nogil=True)
def draw(state, below):  # type: ignore[no-untyped-def]
    """A whole number from 0 to `below` - 1 (xorshift, Marsaglia 2003); `state` [1] uint64 is never 0."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64(((x >> np.uint64(32)) * np.uint64(below)) >> np.uint64(32))


@njit(cache=True, nogil=True)
def draw_early(state, below):  # type: ignore[no-untyped-def]
    """A whole number from 0 to `below` - 1 (0 for none), small ones more often: the cube of an even share. Units, and the
    slots that name a rep, come in order of the regret that moving them costs."""
    share = draw(state, 1 << 30) / (1 << 30)
    return np.int64(share * share * share * below)


@njit(cache=True, nogil=True)
def change(rows, r, by):  # type: ignore[no-untyped-def]
    """What the loss of row `r` becomes more when its left side grows by `by`."""
    old = rows[r, USED]
    new = old + by
    out = -rows[r, PRICE] * by
    if new > rows[r, UPPER]:
        out += rows[r, OVER] * (new - rows[r, UPPER])
    elif new < rows[r, LOWER]:
        out += rows[r, UNDER] * (rows[r, LOWER] - new)
    if old > rows[r, UPPER]:
        out -= rows[r, OVER] * (old - rows[r, UPPER])
    elif old < rows[r, LOWER]:
        out -= rows[r, UNDER] * (rows[r, LOWER] - old)
    return out


@njit(cache=True, nogil=True)
def spare(m, own, rows, cost):  # type: ignore[no-untyped-def]
    """The most that a move can win in the rows of rep `m`: what they lose now, and what its position costs."""
    out = cost[m]
    for s in range(own.shape[1]):
        r = own[m, s]
        if r >= 0:
            used, price = rows[r, USED], rows[r, PRICE]
            if price > 0.0:
                out += price * (rows[r, UPPER] - used)
            elif price < 0.0:
                out += price * (rows[r, LOWER] - used)
            if used > rows[r, UPPER]:
                out += rows[r, OVER] * (used - rows[r, UPPER])
            elif used < rows[r, LOWER]:
                out += rows[r, UNDER] * (rows[r, LOWER] - used)
    return out


@njit(cache=True, nogil=True)
def gain(u, a, b, regret, rep, row, amount, rows, users, cost):  # type: ignore[no-untyped-def]
    """How the energy changes when unit `u` goes from slot `a` to slot `b`; nothing is moved."""
    out = regret[u, b] - regret[u, a]
    for f in range(row.shape[2]):
        left, entered = row[u, a, f], row[u, b, f]
        if left == entered:
            by = amount[u, b, f] - amount[u, a, f]
            if left >= 0 and by != 0.0:
                out += change(rows, left, by)
        else:
            if left >= 0:
                out += change(rows, left, -amount[u, a, f])
            if entered >= 0:
                out += change(rows, entered, amount[u, b, f])
    if rep[u, a] != rep[u, b]:
        if users[rep[u, a]] == 1:
            out -= cost[rep[u, a]]
        if users[rep[u, b]] == 0:
            out += cost[rep[u, b]]
    return out


@njit(cache=True, nogil=True)
def add(rows, r, by, log, place, books):  # type: ignore[no-untyped-def]
    """Add to the left side of row `r`, note what it was, count broken hard rows in `books[0]`; the change of loss."""
    out = change(rows, r, by)
    old = rows[r, USED]
    log[books[1]], place[books[1]] = old, r
    books[1] += 1
    new = old + by
    rows[r, USED] = new
    books[0] += np.int64(new < rows[r, BROKEN_BELOW] or new > rows[r, BROKEN_ABOVE])
    books[0] -= np.int64(old < rows[r, BROKEN_BELOW] or old > rows[r, BROKEN_ABOVE])
    return out


@njit(cache=True, nogil=True)
def move(u, b, slot, regret, rep, row, amount, rows, users, cost, log, place, books):  # type: ignore[no-untyped-def]
    """Put unit `u` into slot `b`; the change of energy."""
    a = slot[u]
    out = regret[u, b] - regret[u, a]
    for f in range(row.shape[2]):
        left, entered = row[u, a, f], row[u, b, f]
        if left == entered:
            by = amount[u, b, f] - amount[u, a, f]
            if left >= 0 and by != 0.0:
                out += add(rows, left, by, log, place, books)
        else:
            if left >= 0:
                out += add(rows, left, -amount[u, a, f], log, place, books)
            if entered >= 0:
                out += add(rows, entered, amount[u, b, f], log, place, books)
    users[rep[u, a]] -= 1
    if users[rep[u, a]] == 0:
        out -= cost[rep[u, a]]
    if users[rep[u, b]] == 0:
        out += cost[rep[u, b]]
    users[rep[u, b]] += 1
    slot[u] = b
    return out


@njit(cache=True, nogil=True)
def undo(count, moved, was, slot, rep, rows, users, log, place, books):  # type: ignore[no-untyped-def]
    """Take back the first `count` moves of a chain, last first."""
    for i in range(books[1] - 1, -1, -1):
        rows[place[i], USED] = log[i]
    for i in range(count - 1, -1, -1):
        u = moved[i]
        users[rep[u, slot[u]]] -= 1
        users[rep[u, was[i]]] += 1
        slot[u] = was[i]


@njit(cache=True, nogil=True)
def repair(x, window, count, moved, state, board):  # type: ignore[no-untyped-def]
    """The best move that rep `x` has part in, among a window of the slots that name it: one of its units leaves, or
    another comes in. Returns (unit, slot), (-1, -1) for none. What costs more regret than the rows of both reps lose is
    not looked at."""
    slot, slots, regret, rep, row, amount, rows, users, cost, first, liked, at, own = board
    here = spare(x, own, rows, cost)
    names = first[x + 1] - first[x]
    top, unit, into = np.inf, -1, -1
    begin = draw_early(state, names)
    for t in range(min(window, names)):
        e = first[x] + (begin + t) % names
        v, s = liked[e], at[e]
        fresh = True
        for i in range(count):
            fresh &= moved[i] != v
        if not fresh:
            continue
        if slot[v] != s:
            if regret[v, s] - regret[v, slot[v]] - here >= top + spare(rep[v, slot[v]], own, rows, cost):
                continue
            d = gain(v, slot[v], s, regret, rep, row, amount, rows, users, cost)
            if d < top:
                top, unit, into = d, v, s
            continue
        for b in range(slots[v]):
            if b != s and regret[v, b] - regret[v, s] - here < top + spare(rep[v, b], own, rows, cost):
                d = gain(v, s, b, regret, rep, row, amount, rows, users, cost)
                if d < top:
                    top, unit, into = d, v, b
    return unit, into


@njit(cache=True, nogil=True)
def chain(u, b, depth, window, allowed, state, board, trail):  # type: ignore[no-untyped-def]
    """One chain that begins with unit `u` going into slot `b`; its change of energy and its length. It stands as it ends:
    no more than `allowed` above where it began, or out of moves."""
    slot, _, regret, rep, row, amount, rows, users, cost, _, _, _, _ = board
    moved, was, log, place, books = trail
    nobody = len(users) - 1
    total, count = 0.0, 0
    while True:
        left, entered = rep[u, slot[u]], rep[u, b]
        moved[count], was[count] = u, slot[u]
        count += 1
        total += move(u, b, slot, regret, rep, row, amount, rows, users, cost, log, place, books)
        if total <= allowed or count > depth:
            return total, count
        x = entered if draw(state, 2) else left
        if x == nobody:
            x = left if x == entered else entered
        if x == nobody:
            return total, count
        u, b = repair(x, window, count, moved, state, board)
        if u < 0:
            return total, count


@njit(cache=True, nogil=True)
def chains(tries, depth, window, hot, cold, state, board):  # type: ignore[no-untyped-def]
    """Ejection chains (Glover 1996) accepted as in simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

    A chain moves a random unit (see `draw_early`) to a random slot and then, up to `depth` times, repairs one of the two
    reps that the last move touched by its best move in a window. It is kept as soon as its energy has risen by no more
    than a random threshold at a temperature that falls from `hot` to `cold`, and taken back otherwise. One that begins
    with more regret than that and than the rows of both reps lose is not begun. Rep M (unserved) has no rows.
    Returns the change of energy and the change in the number of broken hard rows.
    """
    slot, slots, regret, rep, row, _, rows, users, cost, _, _, _, own = board
    books = np.zeros(2, np.int64)
    moved, was = np.empty(depth + 1, np.int64), np.empty(depth + 1, np.int64)
    room = 2 * (depth + 1) * row.shape[2] + 2
    log, place = np.empty(room), np.empty(room, np.int64)
    trail = moved, was, log, place, books
    energy, heat = 0.0, hot
    cooling = (cold / hot) ** (1.0 / max(1, tries // 64))
    for n in range(tries):
        if n % 64 == 63:
            heat *= cooling
        u = draw_early(state, len(slot))
        if slots[u] < 2:
            continue
        b = draw(state, slots[u] - 1)
        b += np.int64(b >= slot[u])
        allowed = -heat * np.log((draw(state, 1 << 30) + 0.5) / (1 << 30))
        most = spare(rep[u, slot[u]], own, rows, cost) + spare(rep[u, b], own, rows, cost)
        if regret[u, b] - regret[u, slot[u]] > allowed + most:
            continue
        broken, books[1] = books[0], 0
        total, count = chain(u, b, depth, window, allowed, state, board, trail)
        if total <= allowed:
            energy += total
        else:
            undo(count, moved, was, slot, rep, rows, users, log, place, books)
            books[0] = broken
    return energy, books[0]
