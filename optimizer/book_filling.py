"""What the books of each rep are worth, leaf by leaf of its tree, at their prices (`optimizer.book_bound`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.book_trees import Books, demand_trees, paths
from optimizer.certificate import adjusted, admissible, chunks
from optimizer.core import Core
from optimizer.own_rows import OwnRows


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """The options that may count, in order of rep and unit: `option`, rep, unit, w after the unit price, the sum of the sizes
    of its terms, amounts [k, S]; and the smallest amount of any option [M, S]."""

    option: np.ndarray
    rep: np.ndarray
    unit: np.ndarray
    worth: np.ndarray
    size: np.ndarray
    amount: np.ndarray
    least: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Leaves:
    """The leaves [L] of one rep's tree over its items [k], whose units [n] `begin` there: what each leaf is worth (-inf where
    its units do not fit) and the sum of the sizes of the terms; what an item adds inside (`plain`) and outside (`free`)
    [L, k], which units are `held` inside or `barred`, and what each adds at `best` [L, n]."""

    value: np.ndarray
    size: np.ndarray
    begin: np.ndarray
    plain: np.ndarray
    free: np.ndarray
    held: np.ndarray
    barred: np.ndarray
    best: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """Books at their prices, made ready: others' prices [R], unit prices [U], own prices [L, S] of the leaves, items and
    their `span` by rep [M + 1], and the leaves' `edges` [M + 1] and paths."""

    own: OwnRows
    others: np.ndarray
    pi: np.ndarray
    mu: np.ndarray
    items: Items
    span: np.ndarray
    edges: np.ndarray
    path: tuple[np.ndarray, np.ndarray, np.ndarray]

    @classmethod
    def of(cls, core: Core, books: Books, counts: np.ndarray | None = None) -> Filling:
        """With all items of the units that count [U], or else of those that trees part at, and such as a leaf may take."""
        demand_trees(core, books)
        own = OwnRows.of(core)
        others = np.where(own.owned, 0.0, admissible(core, books.prices))
        pi = np.nan_to_num(np.asarray(books.unit_prices, dtype=float), nan=0.0, posinf=0.0, neginf=0.0)
        pi = np.where(core.mandatory, pi, np.maximum(pi, 0.0))
        if counts is None:
            counts = np.zeros(core.units, dtype=bool)
            counts[books.unit[books.parent >= 0]] = True
        leaves, each = books.leaves, np.arange(len(core.is_open) + 1)
        of_leaf = books.rep[leaves]
        mu = own.admissible(books.own_prices[leaves], of_leaf)
        items = _items(core, own, others, pi, counts, of_leaf, mu)
        span, edges = np.searchsorted(items.rep, each), np.searchsorted(of_leaf, each)
        return cls(own, others, pi, mu, items, span, edges, paths(books, leaves))

    @property
    def reps(self) -> np.ndarray:
        """Those that have items, or rows of their own."""
        return np.flatnonzero((np.diff(self.span) > 0) | (self.own.row >= 0).any(axis=1))

    def leaves(self, rep: int) -> Leaves:
        """The leaves of a rep, filled."""
        low, high = self.edges[rep], self.edges[rep + 1]
        mine = slice(*np.searchsorted(self.path[0], [low, high]))
        leaf, unit, inside = (part[mine] for part in self.path)
        return _filled(self.own, rep, self.items, slice(self.span[rep], self.span[rep + 1]), self.mu[low:high],
                       (leaf - low, unit, inside))  # fmt: skip


def _items(
    core: Core,
    own: OwnRows,
    others: np.ndarray,
    pi: np.ndarray,
    counts: np.ndarray,
    of_leaf: np.ndarray,
    mu: np.ndarray,
) -> Items:
    """The options that some leaf may take, and all of the units that count [U]."""
    reps, slots = own.row.shape
    least, cheap, dear = np.zeros((reps, slots)), np.full((reps, slots), np.inf), np.full((reps, slots), -np.inf)
    np.minimum.at(cheap, of_leaf, mu)
    np.maximum.at(dear, of_leaf, mu)
    parts = [
        (
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
            np.zeros(0),
            np.zeros(0),
            np.zeros((0, slots)),
        )
    ]
    for low, high in chunks(core.start):
        chosen = np.arange(core.start[low], core.start[high])
        rep, unit, amount = core.rep[chosen], core.unit[chosen], own.amounts(core, chosen)
        np.minimum.at(least, rep, amount)
        worth = adjusted(core, others, low, high) - pi[unit]
        gain = worth + np.maximum(-amount * cheap[rep], -amount * dear[rep]).sum(axis=1)
        kept = np.flatnonzero((gain > 0) | counts[unit])
        size = np.abs(core.value[chosen[kept]]) + np.abs(pi[unit[kept]])
        for row, part in core.contributions(chosen[kept]):
            size += np.abs(np.append(others, 0.0)[row] * part)
        parts.append((chosen[kept], rep[kept], unit[kept], worth[kept], size, amount[kept]))
    option, rep, unit, worth, size, amount = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(rep, kind="stable")
    return Items(option[order], rep[order], unit[order], worth[order], size[order], amount[order], least)


def _filled(own: OwnRows, rep: int, items: Items, span: slice, mu: np.ndarray, fixed: tuple[np.ndarray, ...]) -> Leaves:
    """The leaves of a rep at own prices [L, S] and with units `fixed` (leaf, unit, inside)."""
    unit, amount = items.unit[span], items.amount[span]
    begin = np.flatnonzero(np.diff(unit, prepend=-1))
    leaf, of_unit, inside = fixed
    at = np.searchsorted(unit[begin], of_unit)
    known = at < len(begin)
    known[known] = unit[begin][at[known]] == of_unit[known]
    empty = np.zeros(len(mu), dtype=bool)
    empty[leaf[~known & inside]] = True  # a unit that the rep is not offered is in none of its books
    leaf, at, inside = leaf[known], at[known], inside[known]
    upper, lower, penalty = own.upper[rep], own.lower[rep], own.penalty[rep]
    with np.errstate(invalid="ignore"):
        sides = np.where(mu > 0, mu * upper, np.where(mu < 0, mu * lower, 0.0))
    value, size = sides.sum(axis=1), np.abs(sides).sum(axis=1)
    held, barred = np.zeros((len(mu), len(begin)), dtype=bool), np.zeros((len(mu), len(begin)), dtype=bool)
    held[leaf[inside], at[inside]] = True
    barred[leaf[~inside], at[~inside]] = True
    if not len(begin):
        return Leaves(np.where(empty, -np.inf, value), size, begin, held, held, held, barred, held)
    plain = np.repeat(items.worth[span][None, :], len(mu), axis=0)
    free, terms = plain.copy(), np.repeat(items.size[span][None, :], len(mu), axis=0)
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
    best = np.where(barred, 0.0, best)
    value = value + best.sum(axis=1)
    size += np.where(held | (best > 0), np.maximum.reduceat(terms, begin, axis=1), 0.0).sum(axis=1)
    value, size = np.where(empty, -np.inf, value), np.where(empty, 0.0, size)
    return Leaves(value, size, begin, plain, free, held, barred, best)
