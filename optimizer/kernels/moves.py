"""One move of the local search: a unit goes from one of its few slots to another, and the left sides of the rows go with it.

The energy of a plan at prices λ is Σ regret of units + Σ loss of rows, both ≥ 0: how far it is below the bound that the
prices prove. `rows` [R, 8] holds, a line of memory a row: left side, lower, upper, price under lower, price over upper,
λ, and the bounds with tolerance beyond which a hard row counts as broken (∓inf for a soft one).
A slot of a unit is an option or "unserved" (rep M). What kernels are given, as `board.Board` keeps it:

- `at` [n, 3]: the slot each unit is in, how many it has, and whether any of them adds to a row that `own` does not name;
- `size` [n, W, 1 + F]: what a slot falls short of the unit's best (regret), and what it adds, first to the rows that are its
  rep's alone; `place` [n, W, 1 + G]: its rep, and the rows of the last G amounts (-1: none);
- `own` [M + 1, S] and `shared` [M + 1, T]: rows that are a rep's alone, and those that other reps have too (-1: none);
- `users` [M + 1]: units of each rep; `spent` [M + 1, 2]: what its position costs, and the most its own rows and that can win;
- `first` [M + 2] and `named` [N, 2]: the units and slots that name a rep.

What a chain notes to be taken back: `moved` [., 2], units and the slots they were in; `log` and `spot`, left sides and
their rows as they were; `books` [2], how many hard rows are broken, and how much of `log` is in use.
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare

USED, LOWER, UPPER, UNDER, OVER, PRICE, BROKEN_BELOW, BROKEN_ABOVE = range(8)


@bare()
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


@bare()
def loss_of(m, some, rows):  # type: ignore[no-untyped-def]
    """What the rows `some[m]` (-1: none) lose now."""
    out = 0.0
    for s in range(some.shape[1]):
        r = some[m, s]
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


@bare(inline="always")
def spare(m, rows, spent, shared):  # type: ignore[no-untyped-def]
    """The most that a move can win in the rows of rep `m`: what they lose now, and what its position costs."""
    return spent[m, 1] + loss_of(m, shared, rows) if shared.shape[1] else spent[m, 1]


@bare()
def note_loss(m, rows, spent, own):  # type: ignore[no-untyped-def]
    """Bring `spent[m, 1]` up to date."""
    spent[m, 1] = spent[m, 0] + loss_of(m, own, rows)


@bare()
def put(u, s, sign, size, place, rows, own):  # type: ignore[no-untyped-def]
    """How the losses of the rows that are its rep's alone change when unit `u` comes into slot `s` (`sign` 1) or leaves it
    (-1)."""
    m, out = place[u, s, 0], 0.0
    for f in range(own.shape[1]):
        r, by = own[m, f], sign * size[u, s, 1 + f]
        if r >= 0 and by != 0.0:
            out += change(rows, r, by)
    return out


@bare()
def beside(u, a, b, size, place, rows):  # type: ignore[no-untyped-def]
    """How the losses of all other rows change when unit `u` goes from slot `a` to slot `b`."""
    out, alone = 0.0, size.shape[2] - place.shape[2]
    for f in range(1, place.shape[2]):
        left, entered, less, more = place[u, a, f], place[u, b, f], size[u, a, alone + f], size[u, b, alone + f]
        if left == entered:
            if left >= 0 and more != less:
                out += change(rows, left, more - less)
        else:
            if left >= 0:
                out += change(rows, left, -less)
            if entered >= 0:
                out += change(rows, entered, more)
    return out


@bare(inline="always")
def hire(x, y, users, spent):  # type: ignore[no-untyped-def]
    """What positions cost more when a unit goes from rep `x` to another, `y`."""
    return (spent[y, 0] if users[y] == 0 else 0.0) - (spent[x, 0] if users[x] == 1 else 0.0)


@bare()
def gain(u, a, b, at, size, place, rows, users, spent, own):  # type: ignore[no-untyped-def]
    """How the energy changes when unit `u` goes from slot `a` to slot `b`; nothing is moved."""
    x, y = place[u, a, 0], place[u, b, 0]
    out = size[u, b, 0] - size[u, a, 0]
    if x != y:
        out += (
            put(u, a, -1.0, size, place, rows, own) + put(u, b, 1.0, size, place, rows, own) + hire(x, y, users, spent)
        )
    else:
        for f in range(own.shape[1]):
            by = size[u, b, 1 + f] - size[u, a, 1 + f]
            if own[x, f] >= 0 and by != 0.0:
                out += change(rows, own[x, f], by)
    return out + beside(u, a, b, size, place, rows) if at[u, 2] else out


@bare()
def add(rows, r, by, log, spot, books):  # type: ignore[no-untyped-def]
    """Add to the left side of row `r`, note what it was, count broken hard rows in `books[0]`; the change of loss."""
    out = change(rows, r, by)
    old = rows[r, USED]
    log[books[1]], spot[books[1]] = old, r
    books[1] += 1
    new = old + by
    rows[r, USED] = new
    books[0] += np.int64(new < rows[r, BROKEN_BELOW] or new > rows[r, BROKEN_ABOVE])
    books[0] -= np.int64(old < rows[r, BROKEN_BELOW] or old > rows[r, BROKEN_ABOVE])
    return out


@bare()
def shift(left, entered, less, more, rows, log, spot, books):  # type: ignore[no-untyped-def]
    """`less` off row `left` and `more` onto row `entered` (-1: no row), which may be the same; the change of loss."""
    if left == entered:
        return add(rows, left, more - less, log, spot, books) if left >= 0 and more != less else 0.0
    out = add(rows, left, -less, log, spot, books) if left >= 0 and less != 0.0 else 0.0
    if entered >= 0 and more != 0.0:
        out += add(rows, entered, more, log, spot, books)
    return out


@bare()
def move(u, b, at, size, place, rows, users, spent, own, log, spot, books):  # type: ignore[no-untyped-def]
    """Put unit `u` into slot `b`; the change of energy."""
    a, alone = at[u, 0], own.shape[1]
    x, y = place[u, a, 0], place[u, b, 0]
    out = size[u, b, 0] - size[u, a, 0]
    for f in range(alone):
        out += shift(own[x, f], own[y, f], size[u, a, 1 + f], size[u, b, 1 + f], rows, log, spot, books)
    for f in range(1, place.shape[2]):
        less, more = size[u, a, alone + f], size[u, b, alone + f]
        out += shift(place[u, a, f], place[u, b, f], less, more, rows, log, spot, books)
    users[x] -= 1
    if users[x] == 0:
        out -= spent[x, 0]
    if users[y] == 0:
        out += spent[y, 0]
    users[y] += 1
    at[u, 0] = b
    note_loss(x, rows, spent, own)
    note_loss(y, rows, spent, own)
    return out


@bare()
def undo(count, moved, at, place, rows, users, spent, own, log, spot, books):  # type: ignore[no-untyped-def]
    """Take back the first `count` moves of a chain, last first; `moved` [., 2] are units and where they were."""
    for i in range(books[1] - 1, -1, -1):
        rows[spot[i], USED] = log[i]
    for i in range(count - 1, -1, -1):
        u, a = moved[i, 0], moved[i, 1]
        x, y = place[u, at[u, 0], 0], place[u, a, 0]
        users[x] -= 1
        users[y] += 1
        at[u, 0] = a
        note_loss(x, rows, spent, own)
        note_loss(y, rows, spent, own)


@bare(inline="always")
def come(v, s, top, here, at, size, place, rows, users, spent, own, shared):  # type: ignore[no-untyped-def]
    """As `gain` of unit `v` coming from its slot into slot `s`, whose rep's rows lose `here`; inf where that is at least
    `top`, which shows before all rows are read as a rule."""
    a = at[v, 0]
    x = place[v, a, 0]
    step, spared = size[v, s, 0] - size[v, a, 0], spare(x, rows, spent, shared)
    if step - here >= top + spared:
        return np.inf
    if at[v, 2] or x == place[v, s, 0]:
        return gain(v, a, s, at, size, place, rows, users, spent, own)
    step += put(v, s, 1.0, size, place, rows, own) + hire(x, place[v, s, 0], users, spent)
    if step >= top + spared:
        return np.inf
    return step + put(v, a, -1.0, size, place, rows, own)


@bare(inline="always")
def leave(v, top, here, at, size, place, rows, users, spent, own, shared):  # type: ignore[no-untyped-def]
    """The best of unit `v`'s other slots and what `gain` says of it, if less than `top`, else (-1, `top`); the rows of the
    rep that it leaves lose `here`."""
    a, into, freed = at[v, 0], -1, np.inf
    x = place[v, a, 0]
    for b in range(at[v, 1]):
        step, y = size[v, b, 0] - size[v, a, 0], place[v, b, 0]
        if b == a or step - here >= top + spare(y, rows, spent, shared):
            continue
        if at[v, 2] or x == y:
            d = gain(v, a, b, at, size, place, rows, users, spent, own)
        else:
            if freed == np.inf:
                freed = put(v, a, -1.0, size, place, rows, own)
            d = step + freed + hire(x, y, users, spent)
            if d >= top + spare(y, rows, spent, shared):
                continue
            d += put(v, b, 1.0, size, place, rows, own)
        if d < top:
            top, into = d, b
    return into, top
