"""A bound on whole books, recomputed without any solver: it knows that a big unit is at one rep or at another.

Prices of rows let a unit be split between reps. Where one unit fills much of a rep's own row (a row that only options of
that rep reach), no plan comes near such a bound. Here the books of a rep are told apart by which units they hold (a tree
that parts in two at a unit: in the book, or not), and each part gets prices of its own for the rep's own rows. With row
prices λ [R] of all other rows, unit prices π [U] (≥ 0 where a unit need not be served) and w_k = v_k − Σ λ_r a_rk − π_u
over those rows, no plan is worth more than

    Σ_u π_u + (what λ prove of the other rows, `certificate.of_rows`) + Σ_reps max over the leaves of its tree of
        Σ_own rows s (μ⁺hi − μ⁻lo) + Σ_{u inside} max_k (w_k − μ a_k) + Σ_{other u} max(0, max_k (w_k − μ a_k))

with any admissible prices μ of the leaf (Geoffrion 1974; Dantzig and Wolfe 1960). In a row of amounts ≥ 0 that the units
inside fill up to `room`, an option that needs more does not fit (hard row) or pays the whole penalty for what is beyond.
"""

from __future__ import annotations

import numpy as np

from optimizer.book_filling import Filling
from optimizer.book_trees import Books, demand_trees
from optimizer.certificate import Losses, of_rows, sides_of, unpaid
from optimizer.core import Core


def books_bound(core: Core, books: Books) -> float:
    """An upper bound on the model value of every plan that keeps all hard rules, rounded outward; whatever the numbers.

    Raises `ValueError` where the trees do not part every rep's books, or arrays do not fit the problem.
    """
    if (core.mandatory & (np.diff(core.start) == 0)).any():
        demand_trees(core, books)
        return -np.inf
    filling = Filling.of(core, books)
    top, scale = 0.0, float(np.abs(filling.pi).sum() + np.abs(core.cost[core.is_open]).sum())
    for rep in filling.reps:
        leaves = filling.leaves(int(rep))
        top += float(leaves.value.max())
        scale += float(leaves.size.max())
    return _rounded(core, filling, top, scale)


def book_losses(core: Core, books: Books) -> Losses:
    """What the bound on books loses by each option and by each unit unserved (variable fixing by a Lagrangian: Geoffrion
    1974): the unit is in that rep's book, in the best of its leaves, and in nobody else's. For problems of few options."""
    filling = Filling.of(core, books, np.ones(core.units, dtype=bool))
    top, scale = 0.0, float(np.abs(filling.pi).sum() + np.abs(core.cost[core.is_open]).sum())
    into, away = np.full(core.options, np.inf), np.zeros(core.options)
    apart, never = np.zeros(core.units), np.zeros(core.units, dtype=np.int64)
    for rep in filling.reps:
        leaves = filling.leaves(int(rep))
        most, span = float(leaves.value.max()), slice(filling.span[rep], filling.span[rep + 1])
        top, scale = top + most, scale + float(leaves.size.max())
        if span.stop == span.start or most == -np.inf:
            continue
        each = np.repeat(np.arange(len(leaves.begin)), np.diff(np.append(leaves.begin, span.stop - span.start)))
        held, barred = leaves.held[:, each], leaves.barred[:, each]
        rest = leaves.value[:, None] - leaves.best
        with np.errstate(invalid="ignore"):
            inside = rest[:, each] + np.where(barred, -np.inf, np.where(held, leaves.plain, leaves.free))
        without = most - np.where(leaves.held, -np.inf, rest).max(axis=0)
        option, unit = filling.items.option[span], filling.items.unit[span]
        into[option], away[option] = most - inside.max(axis=0), without[each]
        apart[unit[leaves.begin]] += np.where(np.isinf(without), 0.0, without)
        never[unit[leaves.begin]] += np.isinf(without)
    others = apart[core.unit] - np.where(np.isinf(away), 0.0, away)
    others = np.where(never[core.unit] > np.isinf(away), np.inf, others)
    unserved = np.where(never > 0, np.inf, apart + np.maximum(filling.pi, 0.0))
    option = into + others + unpaid(core, filling.others)[core.rep]
    return Losses(_rounded(core, filling, top, scale), option, unserved)


def _rounded(core: Core, filling: Filling, top: float, scale: float) -> float:
    """The bound when the reps' books are worth `top`, rounded outward; `scale` is what errors are measured by."""
    scale += float(np.abs(sides_of(core, filling.others)).sum())
    steps = int(np.diff(filling.span).max(initial=0)) + 64 + 2 * len(core.factor) + 4 * filling.own.row.shape[1]
    total = float(filling.pi.sum() + of_rows(core, filling.others) + top)
    return float(total + steps * np.finfo(float).eps * scale)
