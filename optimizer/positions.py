"""A bound that unit prices prove for problems with open positions, recomputed without any solver.

Prices of rows alone leave out that an option of a position needs the whole position. Here the units are priced instead
(Beasley 1993; Geoffrion 1974): with unit prices π [U] and row prices λ [R], and w_k = v_k − Σ λ_r a_rk over all rows but
each rep's own one, no plan is worth more than

    Σ_u π_u + Σ_{r of no open position} side_r(λ) + Σ_{hired j} F_j + Σ_{open j} max(0, F_j + Σ_{r of j} side_r(λ) − cost_j)

where side_r(λ) = λ⁺hi − λ⁻lo (own rows count as 0) and F_j is the most that options of rep j are worth at w_k − π_u within
the rep's own row: one hard row with an upper bound only and amounts ≥ 0 that no other rep reaches. π_u ≥ 0 where u need
not be served. F_j is bounded by whole items where all amounts are whole numbers and few, else by shares of items.
"""

from __future__ import annotations

import numpy as np

from optimizer.certificate import admissible, chunks, sides_of
from optimizer.core import TOLERANCE, Core

#: a rep's own row is filled in whole units up to this room
MOST_ROOM = 4096


def own_rows(core: Core, prices: np.ndarray) -> np.ndarray:
    """[M] the row of each rep that its filling keeps (-1: none): the one with the largest price × bound, else the first."""
    reps = len(core.is_open)
    able = np.isinf(core.penalty) & np.isneginf(core.lower) & np.isfinite(core.upper) & (core.upper >= 0)
    able[core.unit_row[core.unit_row >= 0]] = False
    able = np.append(able, False)
    reaches = np.zeros((core.rows + 1, 2), dtype=np.int64)  # the first and last rep that reaches the row
    reaches[:, 0] = reps
    for by_option, coef, by_rep, table in core.factor:
        if by_rep:
            row = core.rep_row[table]
            np.minimum.at(reaches[:, 0], row, np.arange(reps))
            np.maximum.at(reaches[:, 1], row, np.arange(reps))
            amount = core.option_coef[coef] if by_option else core.unit_coef[coef]
            if by_option:
                able[row[core.rep[amount < 0]]] = False
            elif (amount < 0).any():
                able[row] = False
    owner = np.where(able[:-1] & (reaches[:-1, 0] == reaches[:-1, 1]), reaches[:-1, 0], -1)
    mine = np.flatnonzero(owner >= 0)
    mine = mine[core.position[mine] == np.where(core.is_open[owner[mine]], owner[mine], -1)]
    order = mine[np.lexsort((-mine, (prices * np.where(np.isfinite(core.upper), core.upper, 0.0))[mine]))]
    own = np.full(reps, -1, dtype=np.int64)
    own[owner[order]] = order
    return own


def items(
    core: Core, prices: np.ndarray, own: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(w, weight in the rep's own row, |v| + Σ |λ a|) of the options of units `first` to `last`, own rows not priced."""
    span = slice(core.start[first], core.start[last])
    unit = np.repeat(np.arange(first, last), np.diff(core.start[first : last + 1]))
    rep, padded = core.rep[span], np.append(prices, 0.0)
    worth = np.array(core.value[span], dtype=float)
    weight, size = np.zeros(len(worth)), np.abs(worth)
    for by_option, coef, by_rep, table in core.factor:
        row = core.rep_row[table][rep] if by_rep else core.unit_row[table][unit]
        amount = core.option_coef[coef, span] if by_option else core.unit_coef[coef][unit]
        kept = (row >= 0) & (row == own[rep])
        weight += np.where(kept, amount, 0.0)
        paid = np.where(kept, 0.0, padded[row] * amount)
        worth -= paid
        size += np.abs(paid)
    return worth, weight, size


def position_bound(core: Core, prices: np.ndarray, unit_prices: np.ndarray) -> float:
    """An upper bound on the model value of every plan that keeps all hard rules, rounded outward."""
    if (core.mandatory & (np.diff(core.start) == 0)).any():
        return -np.inf
    prices = admissible(core, prices)
    pi = np.nan_to_num(np.asarray(unit_prices, dtype=float), nan=0.0, posinf=0.0, neginf=0.0)
    pi = np.where(core.mandatory, pi, np.maximum(pi, 0.0))
    own = own_rows(core, prices)
    parts: list[tuple[np.ndarray, ...]] = [(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))]
    scale = float(np.abs(pi).sum() + np.abs(core.cost[core.is_open]).sum())
    for low, high in chunks(core.start):
        worth, weight, size = items(core, prices, own, low, high)
        paid = np.repeat(pi[low:high], np.diff(core.start[low : high + 1]))
        gains = np.flatnonzero(worth > paid)
        parts.append((core.rep[core.start[low] + gains], (worth - paid)[gains], weight[gains]))
        scale += float((size + np.abs(paid))[gains].sum())
    rep, profit, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(rep, kind="stable")
    edge = np.searchsorted(rep[order], np.arange(len(own) + 1))
    priced = prices.copy()
    priced[own[own >= 0]] = 0.0
    side = sides_of(core, priced)
    held = core.position >= 0
    total = np.bincount(core.position[held], weights=side[held], minlength=len(own)) - np.where(
        core.is_open, core.cost, 0
    )
    for j in np.flatnonzero(np.diff(edge)):
        mine = order[edge[j] : edge[j + 1]]
        total[j] += filling(profit[mine], weight[mine], core.upper[own[j]] if own[j] >= 0 else np.inf)
    total = np.where(core.is_open, np.maximum(0.0, total), total)
    steps = 64 + 2 * len(core.factor) + int(np.diff(edge).max(initial=0))
    scale += float(np.abs(side).sum())
    return float(pi.sum() + side[~held].sum() + total.sum() + steps * np.finfo(float).eps * scale)


def filling(profit: np.ndarray, weight: np.ndarray, room: float) -> float:
    """At least what items of `profit` > 0 and `weight` ≥ 0 are worth within `room`: of whole items where weights and room
    are whole numbers (Bellman 1957), else of shares of items (Dantzig 1957)."""
    room += TOLERANCE * max(1.0, room)
    fits = weight <= room
    profit, weight = profit[fits], weight[fits]
    if weight.sum() <= room:
        return float(profit.sum())
    if room < MOST_ROOM and (weight == np.floor(weight)).all():
        table = np.zeros(int(room) + 1)
        for p, w in zip(profit, weight.astype(np.int64), strict=True):
            table[w:] = np.maximum(table[w:], table[: len(table) - w] + p)
        return float(table[-1])
    with np.errstate(divide="ignore"):
        order = np.argsort(-profit / weight, kind="stable")
    used = np.cumsum(weight[order])
    last = int(np.searchsorted(used, room, side="right"))
    left = room - (used[last - 1] if last else 0.0)
    return float(profit[order[:last]].sum() + left / weight[order[last]] * profit[order[last]])
