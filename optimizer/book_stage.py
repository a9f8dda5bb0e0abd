"""Passes over the books of all reps with trees as they are: Adam steps on all prices (`optimizer.book_search`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from optimizer.adam import Adam
from optimizer.book_trees import Books
from optimizer.certificate import admissible, of_rows
from optimizer.dual import rates_of
from optimizer.kernels.books import fill_books, price_items

if TYPE_CHECKING:
    from optimizer.book_search import Search

#: a leaf is parted that weighs so much, at units whose weight × share of a row × how undecided is this share of `near`, so
#: many in one go
WEIGHS, MATTERS, MOST_AT_LEAF = 0.02, 0.01, 4
#: steps of unit prices, as shares of a price, from first to last; the first heat, as a share of the unit prices a rep
STEPS, HEAT = (0.02, 0.0005), 0.005
#: how soon the steps forget (see `Adam`)
FRESH = (0.1, 0.05)

Stop = Callable[[float], bool]


class Stage:
    """Some passes with the trees as they are."""

    def __init__(self, search: Search, done: int, count: int, passes: int, over: tuple[Adam, Adam]) -> None:
        self.search, self.done, self.count, self.passes, self.over = search, done, count, passes, over
        books = search.books
        self.nodes, self.start = books.leaves, books
        self.rep = books.rep[self.nodes]
        self.first_leaf = np.searchsorted(self.rep, np.arange(len(search.first)))
        self.tree = (books.parent, search.item, books.inside)
        leaves, slots = len(self.nodes), books.own_prices.shape[1]
        self.value, self.weight, self.mean = np.zeros(leaves), np.zeros(leaves), np.zeros(leaves)
        self.slope, self.often = np.zeros((leaves, slots)), np.zeros((leaves, search.near.shape[1]))
        self.adam = Adam((leaves, slots), FRESH)

    def run(self, end: float, stop: Stop | None) -> tuple[float, Books | None]:
        search = self.search
        pi, others, mu = search.books.unit_prices, search.others, search.books.own_prices[self.nodes]
        best, kept = np.inf, None
        search.mean_taken = np.zeros(len(search.option))
        for step in range(1, self.count + 1):
            f = (self.done + step - 1) / max(1, self.passes - 1)
            rate = STEPS[0] * (STEPS[1] / STEPS[0]) ** f
            heat = search.heat * HEAT * (search.effort.heat / HEAT) ** f
            recall = 1 / max(1, step - self.count // 2)
            bound = (
                float(pi.sum()) + self._fill(pi, others, mu, max(heat, 1e-12), recall) + of_rows(search.core, others)
            )
            search.mean_taken += recall * (search.taken - search.mean_taken)
            if bound < best:
                best, kept = bound, (pi, others, mu)
            if time.monotonic() > end or (step % search.every == 0 and stop is not None and stop(best)):
                break
            pi, others, mu = self._step(pi, others, mu, rate)
        search.books, search.others = self._books(pi, others, mu), others
        return best, self._books(*kept) if kept is not None else None

    def _books(self, pi: np.ndarray, others: np.ndarray, mu: np.ndarray) -> Books:
        paid = self.start.own_prices.copy()
        paid[self.nodes] = mu
        return replace(self.start, prices=np.where(self.search.own.owned, self.start.prices, others), unit_prices=pi,
                       own_prices=paid)  # fmt: skip

    def _fill(self, pi: np.ndarray, others: np.ndarray, mu: np.ndarray, heat: float, recall: float) -> float:
        """Fill all leaves at these prices: the sum of the best of every rep."""
        search, core = self.search, self.search.shared
        padded, worth = np.append(others, 0.0), np.empty(core.options)
        rate = rates_of(core, padded)

        def price(units: tuple[int, int]) -> None:
            price_items(*units, core.model, padded, rate, search.place, np.empty(search.longest), worth)

        list(search.pool.map(price, search.ranges))

        def block(reps: tuple[int, int]) -> float:
            return fill_books(
                reps, worth, pi, search.model, search.limits, self.tree, self.first_leaf, self.nodes, mu, heat, recall,
                search.near, self.value, self.slope, self.weight, search.taken, self.often, self.mean,
            )  # fmt: skip

        return float(sum(search.pool.map(block, search.blocks)))

    def _step(
        self, pi: np.ndarray, others: np.ndarray, mu: np.ndarray, rate: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """One step down in all prices, from the shares that the leaves took."""
        search, core = self.search, self.search.core
        gradient = np.clip(1.0 - np.bincount(search.unit, weights=search.taken, minlength=core.units), -1.0, 1.0)
        gradient[~core.mandatory & (pi <= 0) & (gradient > 0)] = 0.0
        next_pi = pi - rate * search.step_pi * self.over[0].direction(gradient)
        next_pi = np.where(core.mandatory, next_pi, np.maximum(next_pi, 0.0))
        slope = np.clip(np.nan_to_num(self.slope / search.scale[self.rep], posinf=1.0, neginf=-1.0), -1.0, 1.0)
        next_mu = mu - 5 * rate * search.step_mu[self.rep] * self.adam.direction(slope)
        rows = ~search.own.owned & (search.start_others != 0)
        if rows.any():
            used = self._usage()
            with np.errstate(invalid="ignore"):
                side = np.where(
                    others > 0, core.upper, np.where(others < 0, core.lower, np.clip(used, core.lower, core.upper))
                )
            size = np.maximum(np.maximum(_size(side), np.abs(used)), 1e-9)
            pull = np.where(rows, np.clip(np.nan_to_num((side - used) / size), -1.0, 1.0), 0.0)
            move = rate * np.abs(search.start_others) * self.over[1].direction(pull)
            others = np.where(rows, admissible(core, others - move), others)
        return next_pi, others, search.own.admissible(next_mu, self.rep)

    def _usage(self) -> np.ndarray:
        """[R] what the shares taken use."""
        search, core = self.search, self.search.shared
        some = np.flatnonzero(search.taken)
        total = np.zeros(core.rows)
        for row, amount in core.contributions(search.option[some]):
            known = row >= 0
            total += np.bincount(row[known], weights=(amount * search.taken[some])[known], minlength=core.rows)
        return total

    def undecided(self) -> list[tuple[int, np.ndarray]]:
        """(node, items) of leaves that count and take items only at times; the items that fill most, first."""
        search, found = self.search, []
        near = search.near[self.rep]
        often = np.clip(self.often / np.maximum(self.mean, 1e-12)[:, None], 0.0, 1.0)
        score = np.where(near >= 0, self.mean[:, None] * often * (1 - often) * search.share[near], 0.0)
        score[self.mean < WEIGHS] = 0.0
        matters = MATTERS * search.effort.near
        for leaf in np.flatnonzero((score > matters).any(axis=1)):
            order = np.argsort(-score[leaf], kind="stable")[:MOST_AT_LEAF]
            found.append((int(self.nodes[leaf]), near[leaf][order[score[leaf][order] > matters]]))
        return found


def _size(numbers: np.ndarray) -> np.ndarray:
    """Absolute values; 0 for what is not finite."""
    return np.where(np.isfinite(numbers), np.abs(numbers), 0.0)
