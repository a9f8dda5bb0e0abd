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

from dataclasses import dataclass

import numpy as np

from optimizer.certificate import adjusted, admissible, best_of_units, chunks, of_rows, sides_of
from optimizer.core import TOLERANCE, Core


@dataclass(frozen=True, slots=True, eq=False)
class Books:
    """What proves a bound on whole books.

    `prices` [R] (own rows are passed over) and `unit_prices` [U]; nodes of the reps' trees: `rep` [N], `parent` [N] (an
    earlier node; -1: the root, one a rep), `unit` [N] and `inside` [N], what holds in this node beside all that holds in
    its parent (nothing at a root), and `own_prices` [N, S] of the rep's own rows in order of `OwnRows.row` (used in
    leaves only).
    """

    prices: np.ndarray
    unit_prices: np.ndarray
    rep: np.ndarray
    parent: np.ndarray
    unit: np.ndarray
    inside: np.ndarray
    own_prices: np.ndarray

    @property
    def leaves(self) -> np.ndarray:
        """[L] nodes that are not parted any further, in order of their rep."""
        leaf = np.ones(len(self.rep), dtype=bool)
        leaf[self.parent[self.parent >= 0]] = False
        nodes = np.flatnonzero(leaf)
        return nodes[np.argsort(self.rep[nodes], kind="stable")]


@dataclass(frozen=True, slots=True, eq=False)
class OwnRows:
    """The rows that only options of one hired rep reach: `row` [M, S] (-1: no more), `owned` [R], and their `lower`,
    `upper`, `penalty` and tolerance `slack` [M, S] (-inf, inf, inf, 0 where there is no row)."""

    row: np.ndarray
    owned: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    penalty: np.ndarray
    slack: np.ndarray

    @classmethod
    def of(cls, core: Core) -> OwnRows:
        reps = len(core.is_open)
        ends = np.tile([reps, -1], (core.rows + 1, 1))
        for _, _, by_rep, table in core.factor:
            if by_rep:
                np.minimum.at(ends[:, 0], core.rep_row[table], np.arange(reps))
                np.maximum.at(ends[:, 1], core.rep_row[table], np.arange(reps))
            else:
                ends[core.unit_row[table], 1] = reps
        owned = (ends[:-1, 0] == ends[:-1, 1]) & (ends[:-1, 0] < reps) & (core.position < 0)
        owned &= np.isfinite(core.lower) | np.isfinite(core.upper)
        mine = np.flatnonzero(owned)
        mine = mine[np.argsort(ends[mine, 0], kind="stable")]
        rep = ends[mine, 0]
        place = np.arange(len(mine)) - np.searchsorted(rep, rep)
        row = np.full((reps, int(place.max(initial=-1)) + 1), -1, dtype=np.int64)
        row[rep, place] = mine
        lower, upper = np.append(core.lower, -np.inf)[row], np.append(core.upper, np.inf)[row]
        shown = np.abs(np.where(np.isfinite(upper), upper + np.append(core.offset, 0.0)[row], 0.0))
        slack = np.where(row >= 0, 2 * TOLERANCE * np.maximum(1.0, shown), 0.0)
        return cls(row, owned, lower, upper, np.append(core.penalty, np.inf)[row], slack)

    @property
    def size(self) -> np.ndarray:
        """[M, S] the larger of a row's bounds, what shares of it are taken of; 1 where there is none but 0."""
        sides = [np.where(np.isfinite(side), np.abs(side), 0.0) for side in (self.upper, self.lower)]
        larger = np.maximum(*sides)
        return np.where(larger > 0, larger, 1.0)

    def admissible(self, prices: np.ndarray, rep: np.ndarray) -> np.ndarray:
        """Own prices [L, S] of leaves of `rep` [L], clipped to where they prove something."""
        low = np.where(np.isfinite(self.lower), -self.penalty, 0.0)[rep]
        high = np.where(np.isfinite(self.upper), self.penalty, 0.0)[rep]
        return np.clip(np.nan_to_num(prices, nan=0.0, posinf=0.0, neginf=0.0), low, high)

    def amounts(self, core: Core, chosen: np.ndarray) -> np.ndarray:
        """[k, S] what the options `chosen` [k] use of their rep's own rows."""
        place = np.full(core.rows + 1, -1, dtype=np.int64)
        place[self.row[self.row >= 0]] = np.nonzero(self.row >= 0)[1]
        out = np.zeros((len(chosen), self.row.shape[1]))
        for row, amount in core.contributions(chosen):
            slot = np.where(row >= 0, place[row], -1)
            for s in range(out.shape[1]):
                out[:, s] += np.where(slot == s, amount, 0.0)
        return out

    def cuts(self, least: np.ndarray) -> np.ndarray:
        """[M, S] rows with an upper bound where no option's amount is below 0; `least` [M, S] the smallest amounts."""
        return np.isfinite(self.upper) & (self.lower <= self.upper) & (least >= 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Items:
    """The options that may count, in order of rep and unit: rep, unit, w after the unit price, the sum of the sizes of
    its terms, amounts [k, S]; and the smallest amount of any option [M, S]."""

    rep: np.ndarray
    unit: np.ndarray
    worth: np.ndarray
    size: np.ndarray
    amount: np.ndarray
    least: np.ndarray


def start_books(core: Core, prices: np.ndarray) -> Books:
    """Books that prove what `prices` [R] prove: every rep's books undivided, units at their best price-adjusted value."""
    prices, own, reps = admissible(core, prices), OwnRows.of(core), len(core.is_open)
    none = np.full(reps, -1, dtype=np.int64)
    pi = np.where(np.diff(core.start) > 0, best_of_units(core, prices)[0], 0.0)
    paid = np.append(prices, 0.0)[own.row]
    return Books(prices, pi, np.arange(reps), none, none, np.zeros(reps, dtype=bool), paid)


def books_bound(core: Core, books: Books) -> float:
    """An upper bound on the model value of every plan that keeps all hard rules, rounded outward; whatever the numbers.

    Raises `ValueError` where the trees do not part every rep's books, or arrays do not fit the problem.
    """
    _demand_trees(core, books)
    if (core.mandatory & (np.diff(core.start) == 0)).any():
        return -np.inf
    own = OwnRows.of(core)
    others = np.where(own.owned, 0.0, admissible(core, books.prices))
    pi = np.nan_to_num(np.asarray(books.unit_prices, dtype=float), nan=0.0, posinf=0.0, neginf=0.0)
    pi = np.where(core.mandatory, pi, np.maximum(pi, 0.0))
    leaves = books.leaves
    of_leaf = books.rep[leaves]
    mu = own.admissible(books.own_prices[leaves], of_leaf)
    items = _items(core, own, others, pi, books, of_leaf, mu)
    path = _paths(books, leaves)
    first = np.searchsorted(items.rep, np.arange(len(core.is_open) + 1))
    top, scale = 0.0, float(np.abs(pi).sum() + np.abs(core.cost[core.is_open]).sum())
    edges, steps = np.searchsorted(of_leaf, np.arange(len(core.is_open) + 1)), 0
    for rep in np.flatnonzero((np.diff(first) > 0) | (own.row >= 0).any(axis=1)):
        mine, span = slice(edges[rep], edges[rep + 1]), slice(first[rep], first[rep + 1])
        fixed = tuple(
            part[np.searchsorted(path[0], edges[rep]) : np.searchsorted(path[0], edges[rep + 1])] for part in path
        )
        value, size = _of_leaves(own, int(rep), items, span, mu[mine], (fixed[0] - edges[rep], *fixed[1:]))
        top += float(value.max())
        scale += float(size.max())
        steps = max(steps, span.stop - span.start)
    sides = sides_of(core, others)
    scale += float(np.abs(sides).sum())
    steps += 64 + 2 * len(core.factor) + 4 * own.row.shape[1]
    return float(pi.sum() + of_rows(core, others) + top + steps * np.finfo(float).eps * scale)


def _demand_trees(core: Core, books: Books) -> None:
    """Raise `ValueError` unless every rep has one tree, each of its nodes parted in two at a unit or not at all."""
    nodes, parent = len(books.rep), books.parent
    slots = OwnRows.of(core).row.shape[1]
    fits = books.prices.shape == (core.rows,) and books.unit_prices.shape == (core.units,)
    fits &= all(part.shape == (nodes,) for part in (parent, books.unit, books.inside))
    if not fits or books.own_prices.shape != (nodes, slots):
        raise ValueError("the books' arrays do not fit the problem")
    child = np.flatnonzero(parent >= 0)
    above = parent[child]
    order = np.lexsort((books.inside[child], above))
    pair = child[order]
    outer, inner = pair[::2], pair[1::2]
    whole = (
        np.array_equal(np.sort(books.rep[parent < 0]), np.arange(len(core.is_open)))
        and len(pair) % 2 == 0
        and bool((above < child).all() and (books.rep[child] == books.rep[above]).all())
        and bool((np.bincount(above, minlength=nodes) <= 2).all())
        and np.array_equal(parent[outer], parent[inner])
        and np.array_equal(books.unit[outer], books.unit[inner])
        and bool((~books.inside[outer] & books.inside[inner]).all())
        and bool(((books.unit[child] >= 0) & (books.unit[child] < core.units)).all())
    )
    if not whole:
        raise ValueError("the books' trees do not part every rep's books")


def _paths(books: Books, leaves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(leaf, unit, inside) of every node above a leaf and the leaf itself, in order of leaf; leaves count from 0."""
    parts, node, leaf = [], leaves, np.arange(len(leaves))
    while len(node):
        below = books.parent[node] >= 0
        node, leaf = node[below], leaf[below]
        parts.append((leaf, books.unit[node], books.inside[node]))
        node = books.parent[node]
    leaf, unit, inside = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(leaf, kind="stable")
    return leaf[order], unit[order], inside[order]


def _items(
    core: Core, own: OwnRows, others: np.ndarray, pi: np.ndarray, books: Books, of_leaf: np.ndarray, mu: np.ndarray
) -> _Items:
    """The options that some leaf may take, and all of units that a tree parts at."""
    reps, slots = own.row.shape
    least, cheap, dear = np.zeros((reps, slots)), np.full((reps, slots), np.inf), np.full((reps, slots), -np.inf)
    np.minimum.at(cheap, of_leaf, mu)
    np.maximum.at(dear, of_leaf, mu)
    parted = np.zeros(core.units, dtype=bool)
    parted[books.unit[books.parent >= 0]] = True
    parts = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros((0, slots)))]
    for low, high in chunks(core.start):
        chosen = np.arange(core.start[low], core.start[high])
        rep, unit, amount = core.rep[chosen], core.unit[chosen], own.amounts(core, chosen)
        np.minimum.at(least, rep, amount)
        worth = adjusted(core, others, low, high) - pi[unit]
        gain = worth + np.maximum(-amount * cheap[rep], -amount * dear[rep]).sum(axis=1)
        kept = np.flatnonzero((gain > 0) | parted[unit])
        size = np.abs(core.value[chosen[kept]]) + np.abs(pi[unit[kept]])
        for row, part in core.contributions(chosen[kept]):
            size += np.abs(np.append(others, 0.0)[row] * part)
        parts.append((rep[kept], unit[kept], worth[kept], size, amount[kept]))
    rep, unit, worth, size, amount = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(rep, kind="stable")
    return _Items(rep[order], unit[order], worth[order], size[order], amount[order], least)


def _of_leaves(
    own: OwnRows, rep: int, items: _Items, span: slice, mu: np.ndarray, fixed: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """What each leaf [L] of a rep is worth, and the sum of the sizes of the terms; -inf where its units do not fit."""
    unit, amount = items.unit[span], items.amount[span]
    begin = np.flatnonzero(np.diff(unit, prepend=-1))
    leaf, of_unit, inside = fixed
    at = np.searchsorted(unit[begin], of_unit)
    known = at < len(begin)
    known[known] = unit[begin][at[known]] == of_unit[known]
    leaf, at, inside = leaf[known], at[known], inside[known]
    upper, lower, penalty = own.upper[rep], own.lower[rep], own.penalty[rep]
    with np.errstate(invalid="ignore"):
        sides = np.where(mu > 0, mu * upper, np.where(mu < 0, mu * lower, 0.0))
    value, size = sides.sum(axis=1), np.abs(sides).sum(axis=1)
    if not len(begin):
        return value, size
    held, barred = np.zeros((len(mu), len(begin)), dtype=bool), np.zeros((len(mu), len(begin)), dtype=bool)
    held[leaf[inside], at[inside]] = True
    barred[leaf[~inside], at[~inside]] = True
    plain = np.repeat(items.worth[span][None, :], len(mu), axis=0)
    free, terms = plain.copy(), np.repeat(items.size[span][None, :], len(mu), axis=0)
    empty = np.zeros(len(mu), dtype=bool)
    cuts = own.cuts(items.least)[rep]
    for s in range(mu.shape[1]):
        a, price = amount[:, s], mu[:, s, None]
        plain -= price * a
        terms += np.abs(price * a)
        if not cuts[s]:
            free -= price * a
            continue
        used = held @ np.minimum.reduceat(a, begin)
        room = np.maximum(0.0, upper[s] - used)[:, None]
        over = np.maximum(0.0, a - room)
        if np.isfinite(penalty[s]):
            free -= price * (a - over) + penalty[s] * over
            terms += np.where(over > 0, penalty[s] * (a + np.abs(upper[s])), 0.0)
        else:
            free -= price * a
            free[a > upper[s] - used[:, None] + own.slack[rep, s]] = -np.inf
            empty |= used > upper[s] + own.slack[rep, s]
    best = np.where(
        held, np.maximum.reduceat(plain, begin, axis=1), np.maximum(0.0, np.maximum.reduceat(free, begin, axis=1))
    )
    value = value + np.where(barred, 0.0, best).sum(axis=1)
    size += np.where(held | (best > 0), np.maximum.reduceat(terms, begin, axis=1), 0.0).sum(axis=1)
    return np.where(empty, -np.inf, value), np.where(empty, 0.0, size)
