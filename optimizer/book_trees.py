"""Trees that part the books of each rep (`optimizer.book_bound`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.certificate import admissible, best_of_units
from optimizer.core import Core
from optimizer.own_rows import OwnRows


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


def start_books(core: Core, prices: np.ndarray) -> Books:
    """Books that prove what `prices` [R] prove: every rep's books undivided, units at their best price-adjusted value."""
    prices, own, reps = admissible(core, prices), OwnRows.of(core), len(core.is_open)
    none = np.full(reps, -1, dtype=np.int64)
    pi = np.where(np.diff(core.start) > 0, best_of_units(core, prices)[0], 0.0)
    paid = np.append(prices, 0.0)[own.row]
    return Books(prices, pi, np.arange(reps), none, none, np.zeros(reps, dtype=bool), paid)


def demand_trees(core: Core, books: Books) -> None:
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


def paths(books: Books, leaves: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
