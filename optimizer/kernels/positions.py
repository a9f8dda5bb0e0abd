"""What each rep's own limit lets it take at given unit prices: a knapsack a rep, in shares or in whole units."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def take_all(profit, weight, room, item, take):  # type: ignore[no-untyped-def]
    """(what all items are worth, whether they fit); taken if so."""
    total, worth = 0.0, 0.0
    for i in item:
        total += weight[i]
        worth += profit[i]
    if total <= room:
        take[item] = 1.0
    return worth, total <= room


@njit(cache=True, nogil=True)
def fill_in_shares(profit, weight, room, item, take):  # type: ignore[no-untyped-def]
    """The best filling with shares of items (Dantzig 1957): its worth, and what the room is worth a unit."""
    worth, fits = take_all(profit, weight, room, item, take)
    if fits:
        return worth, 0.0
    ratio = np.empty(len(item))
    for n in range(len(item)):
        ratio[n] = profit[item[n]] / weight[item[n]] if weight[item[n]] > 0.0 else np.inf
    left, worth, price = room, 0.0, 0.0
    for n in np.argsort(-ratio):
        i = item[n]
        if weight[i] <= left:
            left -= weight[i]
            worth += profit[i]
            take[i] = 1.0
        else:
            take[i] = left / weight[i]
            worth += take[i] * profit[i]
            price = ratio[n]
            break
    return worth, price


@njit(cache=True, nogil=True)
def fill_whole(profit, weight, room, item, take):  # type: ignore[no-untyped-def]
    """The best filling with whole items of whole weights, by dynamic programming over the room; its worth."""
    worth, fits = take_all(profit, weight, room, item, take)
    if fits:
        return worth
    cells = int(room)
    table, used = np.zeros(cells + 1), np.zeros((len(item), cells + 1), dtype=np.uint8)
    for n in range(len(item)):
        w, p = int(weight[item[n]]), profit[item[n]]
        for c in range(cells, w - 1, -1):
            if table[c - w] + p > table[c]:
                table[c] = table[c - w] + p
                used[n, c] = 1
    c = cells
    for n in range(len(item) - 1, -1, -1):
        if used[n, c]:
            take[item[n]] = 1.0
            c -= int(weight[item[n]])
    return table[cells]


@njit(cache=True, nogil=True)
def fill_positions(first, profit, weight, room, whole, worth, price, take):  # type: ignore[no-untyped-def]
    """Fill every rep: items `first[j]:first[j+1]` with `profit` and `weight` ≥ 0 into `room[j]` (inf: no limit).

    Where `whole[j]`, in whole items (weights and room must be whole numbers), else in shares. Sets `worth` [M] and
    `take` [items], and `price` [M], what a unit of room is worth, where filled in shares.
    """
    take[:] = 0.0
    for j in range(len(first) - 1):
        count = 0
        for i in range(first[j], first[j + 1]):
            if profit[i] > 0.0 and weight[i] <= room[j]:
                count += 1
        item = np.empty(count, dtype=np.int64)
        count = 0
        for i in range(first[j], first[j + 1]):
            if profit[i] > 0.0 and weight[i] <= room[j]:
                item[count] = i
                count += 1
        if whole[j]:
            worth[j] = fill_whole(profit, weight, room[j], item, take)
        else:
            worth[j], price[j] = fill_in_shares(profit, weight, room[j], item, take)
