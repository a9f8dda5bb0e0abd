"""Annealing over which positions are open and who serves whom, room overrun at a price.

`data` is (rep [K], unit [K], worth [K], weight [K], room [M], spent [M], near [U, L] options or -1, listed [M, N] options
or -1, option_of [U, M] or -1). `state` is (at [U], load [M], count [M], member [M, U], where [U], random [1] uint64 > 0,
room to work in [N]): the units of rep j are `member[j, :count[j]]`, and u is number `where[u]` of them. Costs are minus worth,
plus `spent` of reps with units.
"""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare


@bare()
def draw(state):  # type: ignore[no-untyped-def]
    """A random number in [0, 1), by xorshift (Marsaglia 2003)."""
    x = state[5][0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[5][0] = x
    return (x >> np.uint64(11)) * 1.1102230246251565e-16


@bare()
def pick(count, state):  # type: ignore[no-untyped-def]
    """A random whole number below `count`."""
    return int(draw(state) * count)


@bare()
def over(load, room, price):  # type: ignore[no-untyped-def]
    """What `load` beyond `room` costs."""
    return price * (load - room) if load > room + 1e-9 else 0.0


@bare()
def change(u, k, price, data, state):  # type: ignore[no-untyped-def]
    """What giving unit `u` option `k` instead of its own would add to the cost."""
    rep, worth, weight, room, spent = data[0], data[2], data[3], data[4], data[5]
    old, load, count = state[0][u], state[1], state[2]
    i, j = rep[old], rep[k]
    d = worth[old] - worth[k]
    if i == j:
        return d + over(load[i] - weight[old] + weight[k], room[i], price) - over(load[i], room[i], price)
    d += over(load[i] - weight[old], room[i], price) - over(load[i], room[i], price)
    d += over(load[j] + weight[k], room[j], price) - over(load[j], room[j], price)
    if count[i] == 1:
        d -= spent[i]
    if count[j] == 0:
        d += spent[j]
    return d


@bare()
def move(u, k, data, state):  # type: ignore[no-untyped-def]
    """Give unit `u` option `k`."""
    rep, weight = data[0], data[3]
    at, load, count, member, where = state[0], state[1], state[2], state[3], state[4]
    i, j = rep[at[u]], rep[k]
    last = member[i, count[i] - 1]
    member[i, where[u]] = last
    where[last] = where[u]
    count[i] -= 1
    load[i] = load[i] - weight[at[u]] if count[i] > 0 else 0.0
    member[j, count[j]] = u
    where[u] = count[j]
    count[j] += 1
    load[j] += weight[k]
    at[u] = k


@bare()
def log_move(u, k, price, data, state, trail, moved):  # type: ignore[no-untyped-def]
    """Move, and note in `trail` where the unit came from; what it added to the cost (inf where the trail is full)."""
    if moved >= len(trail):
        return np.inf
    d = change(u, k, price, data, state)
    trail[moved, 0], trail[moved, 1] = u, state[0][u]
    move(u, k, data, state)
    return d


@bare()
def cheapest(u, banned, price, data, state):  # type: ignore[no-untyped-def]
    """(cost added, option) of the unit's cheapest other near option whose rep is not `banned`."""
    rep, near = data[0], data[6]
    top, best = np.inf, -1
    for n in range(near.shape[1]):
        k = near[u, n]
        if k >= 0 and rep[k] != banned and k != state[0][u]:
            d = change(u, k, price, data, state)
            if d < top:
                top, best = d, k
    return top, best


@bare()
def close(i, price, data, state, trail, moved):  # type: ignore[no-untyped-def]
    """Give every unit of rep `i` its cheapest other option; (cost added, length of the trail)."""
    total, count, member = 0.0, state[2], state[3]
    while count[i] > 0:
        u = member[i, count[i] - 1]
        _, k = cheapest(u, i, price, data, state)
        if k < 0:
            return np.inf, moved
        d = log_move(u, k, price, data, state, trail, moved)
        if d == np.inf:
            return np.inf, moved
        total += d
        moved += 1
    return total, moved


@bare()
def fill(j, prefer, price, data, state, trail, moved):  # type: ignore[no-untyped-def]
    """Give rep `j` the listed units that gain most for the room they take (those of rep `prefer` as if its cost were
    shared out among them); (cost added, length of the trail)."""
    rep, unit, weight, room, spent, listed = data[0], data[1], data[3], data[4], data[5], data[7]
    load, ratio, total = state[1], state[6], 0.0
    ratio[:] = -np.inf
    paid = spent[j] if state[2][j] == 0 else 0.0
    for n in range(listed.shape[1]):
        k = listed[j, n]
        if k < 0:
            break
        i = rep[state[0][unit[k]]]
        if i != j and load[j] + weight[k] <= room[j] + 1e-9:
            gain = paid + over(load[j] + weight[k], room[j], price) - change(unit[k], k, price, data, state)
            if i == prefer:
                gain += spent[i] * weight[state[0][unit[k]]] / max(1e-9, load[i])
            ratio[n] = gain / max(1e-9, weight[k])
    while True:
        n = int(np.argmax(ratio))
        if ratio[n] <= 0.0:
            break
        ratio[n], k = -np.inf, listed[j, n]
        if load[j] + weight[k] <= room[j] + 1e-9:
            d = log_move(unit[k], k, price, data, state, trail, moved)
            if d == np.inf:
                return np.inf, moved
            total += d
            moved += 1
    return total, moved


@bare()
def settle(price, data, state, trail, moved):  # type: ignore[no-untyped-def]
    """Twice, every unit in the trail to its cheapest near option where that pays; (cost added, length of the trail)."""
    total = 0.0
    for _ in range(2):
        last = moved
        for n in range(last):
            u = trail[n, 0]
            d, k = cheapest(u, -1, price, data, state)
            if k >= 0 and d < -1e-9 and moved < len(trail):
                log_move(u, k, price, data, state, trail, moved)
                total += d
                moved += 1
    return total, moved


@bare()
def restructure(price, heat, data, state, trail):  # type: ignore[no-untyped-def]
    """Close a random rep with units, open one near it, or both; keep it by the Metropolis rule. The cost added."""
    rep, near, count = data[0], data[6], state[2]
    u = pick(len(state[0]), state)
    i, j, kind = rep[state[0][u]], -1, pick(3, state)
    for _ in range(8):
        k = near[u, pick(near.shape[1], state)]
        if k >= 0 and count[rep[k]] == 0:
            j = rep[k]
            break
    if kind > 0 and j < 0:
        kind = 0
    total, moved = 0.0, 0
    if kind > 0:
        total, moved = fill(j, i if kind == 2 else -1, price, data, state, trail, moved)
    if kind != 1 and total < np.inf:
        d, moved = close(i, price, data, state, trail, moved)
        total += d
    if total < np.inf:
        d, moved = settle(price, data, state, trail, moved)
        total += d
    if total <= 0.0 or draw(state) < np.exp(-total / heat):
        return total
    for n in range(moved - 1, -1, -1):
        move(trail[n, 0], trail[n, 1], data, state)
    return 0.0


@bare()
def swap(u, v, price, heat, data, state):  # type: ignore[no-untyped-def]
    """Exchange the reps of two units by the Metropolis rule; the cost added."""
    rep, option_of = data[0], data[8]
    ku, kv = option_of[u, rep[state[0][v]]], option_of[v, rep[state[0][u]]]
    if ku < 0 or kv < 0:
        return 0.0
    old = state[0][u]
    d = change(u, ku, price, data, state)
    move(u, ku, data, state)
    e = change(v, kv, price, data, state)
    if d + e <= 0.0 or draw(state) < np.exp(-(d + e) / heat):
        move(v, kv, data, state)
        return d + e
    move(u, old, data, state)
    return 0.0


@bare()
def step(price, heat, often, data, state, trail):  # type: ignore[no-untyped-def]
    """One random shift, swap or restructuring; the cost added."""
    rep, near, count, member = data[0], data[6], state[2], state[3]
    if draw(state) < often:
        return restructure(price, heat, data, state, trail)
    u = pick(len(state[0]), state)
    k = near[u, pick(near.shape[1], state)]
    if k < 0 or rep[k] == rep[state[0][u]] or count[rep[k]] == 0:
        return 0.0
    if draw(state) < 0.5:
        return swap(u, member[rep[k], pick(count[rep[k]], state)], price, heat, data, state)
    d = change(u, k, price, data, state)
    if d <= 0.0 or draw(state) < np.exp(-d / heat):
        move(u, k, data, state)
        return d
    return 0.0


@bare()
def overrun(room, state):  # type: ignore[no-untyped-def]
    """How much the loads are beyond the rooms in all."""
    total = 0.0
    for j in range(len(room)):
        if state[1][j] > room[j] + 1e-9:
            total += state[1][j] - room[j]
    return total


@bare()
def cost_of(data, state):  # type: ignore[no-untyped-def]
    """Minus the worth of the options, plus what reps with units cost; overrun not counted."""
    total = 0.0
    for u in range(len(state[0])):
        total -= data[2][state[0][u]]
    for j in range(len(data[5])):
        if state[2][j] > 0:
            total += data[5][j]
    return total


@bare()
def anneal(steps, heats, price, floor, often, data, state, trail, best, best_cost):  # type: ignore[no-untyped-def]
    """`steps` steps while the heat falls from `heats[0]` to `heats[1]`; `best` [U] holds the cheapest plan met without
    overrun, `trail` [., 2] is room for what one step moves. The price of room rises while there is overrun and falls, to
    `floor`, while there is none. (its cost, the price)"""
    heat, fall = heats[0], (heats[1] / heats[0]) ** (1.0 / steps)
    for n in range(steps):
        d = step(price, heat, often, data, state, trail)
        heat *= fall
        if (d != 0.0 and n % 8 == 0) or n % 256 == 0:
            extra = overrun(data[4], state)
            if extra <= 0.0:
                cost = cost_of(data, state)
                if cost < best_cost - 1e-9:
                    best_cost = cost
                    for u in range(len(best)):
                        best[u] = state[0][u]
        if n % 256 == 0:
            price = max(floor, price * (1.01 if overrun(data[4], state) > 0.0 else 0.99))
    return best_cost, price
