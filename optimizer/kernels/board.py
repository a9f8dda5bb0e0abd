"""Which slots units have on a board of the local search, and what each adds to which row."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare
from optimizer.kernels.pricing import amount_of, row_of


@bare()
def slots_of(unit, choice, part, options, regrets, best, rep, mandatory, option, regret, at):  # type: ignore[no-untyped-def]
    """Fill, for every unit i of `unit` [n], the first columns of `option` [n, W] and `regret` [n, W]: its options of a
    shortlist (`options`, `regrets` and `best`, as `board.Shortlist`) that are of a rep in `part` [M] (true) or that it has in
    `choice` [U], then -1, unserved, where that is allowed. `at` [n, 3] is the one that it has, and how many. The most."""
    widest = 0
    for i in range(len(unit)):
        u, count, now = unit[i], 0, 0
        held = choice[u]
        for s in range(options.shape[1]):
            k = options[u, s]
            if k >= 0 and (part[rep[k]] or k == held):
                option[i, count], regret[i, count] = k, regrets[u, s]
                if k == held:
                    now = count
                count += 1
        if held < 0 or not mandatory[u]:
            option[i, count], regret[i, count] = -1, best[u]
            if held < 0:
                now = count
            count += 1
        at[i, 0], at[i, 1], at[i, 2] = now, count, 0
        widest = max(widest, count)
    return widest


@bare()
def rows_of(unit, option, core, alone, others, at, size, place):  # type: ignore[no-untyped-def]
    """Fill the rep and rows in `place`, the amounts in `size`, and the last column of `at`, as in `kernels.moves`, of the
    slots that are an option. `alone` [S] and `others` [G] are factors, in order of their amounts."""
    rep, unit_coef, option_coef, unit_row, rep_row, factor = core[1], core[4], core[5], core[6], core[7], core[8]
    for i in range(len(unit)):
        u = unit[i]
        for s in range(at[i, 1]):
            k = option[i, s]
            if k < 0:
                continue
            place[i, s, 0] = rep[k]
            for j in range(len(alone)):
                size[i, s, 1 + j] = amount_of(alone[j], u, k, unit_coef, option_coef, factor)
            for j in range(len(others)):
                by = amount_of(others[j], u, k, unit_coef, option_coef, factor)
                row = row_of(others[j], u, rep[k], unit_row, rep_row, factor)
                if by != 0.0 and row >= 0:
                    place[i, s, 1 + j], size[i, s, 1 + len(alone) + j], at[i, 2] = row, by, 1


@bare()
def costs_of(at, size, entry, cost):  # type: ignore[no-untyped-def]
    """Fill `entry` [N, 2] with every unit and slot, and `cost` [N] with the regret that the cheapest move into or out of the
    slot costs."""
    e = 0
    for i in range(len(at)):
        least, away = np.inf, np.inf
        for s in range(at[i, 1]):
            if size[i, s, 0] < least:
                least, away = size[i, s, 0], least
            elif size[i, s, 0] < away:
                away = size[i, s, 0]
        for s in range(at[i, 1]):
            entry[e, 0], entry[e, 1] = i, s
            cost[e] = size[i, s, 0] if size[i, s, 0] > 0.0 else away
            e += 1
