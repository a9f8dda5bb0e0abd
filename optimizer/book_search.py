"""The search for books that prove more (`optimizer.books`): trees that grow in stages, and Adam steps on all prices."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from optimizer.adam import Adam
from optimizer.book_bound import Books, OwnRows
from optimizer.certificate import adjusted, admissible, of_rows
from optimizer.core import Core
from optimizer.kernels.books import fill_books, price_items

#: shares of the passes in each stage; trees grow between them
STAGES = (0.125, 0.125, 0.125, 0.625)
#: the same from books that are parted already: the last of these passes alone
LAST = (0.2,)
#: a unit of small regret parts a rep's books at once where it fills so much of one of the rep's own rows
AT_ONCE = 0.25
#: a regret is small up to this share of the unit's price
SLIGHT = 0.01
#: at most so many units may part a rep's books, so many at a leaf in one go
MOST_NEAR, MOST_AT_LEAF = 64, 4
#: a leaf is parted that weighs so much, at units whose weight × share of a row × how undecided is this share of `near`
WEIGHS, MATTERS = 0.02, 0.01
#: steps of unit prices, as shares of a price, and heats, as shares of the unit prices a rep, from first to last
STEPS, HEATS = (0.02, 0.0005), (0.005, 0.00005)
#: how soon the steps forget (see `Adam`)
FRESH = (0.1, 0.05)
#: ten passes over fewer options than a tenth of this are so quick that it is asked only then whether to stop
SLOW = 5_000_000
#: fewest passes, and how much longer one takes than before the trees have grown
FEWEST, GROWN = 40, 2.5
#: an option is taken at times that is taken in more than this share of the last stage
AT_TIMES = 0.02
#: blocks of reps in a pass
BLOCKS = 32

Stop = Callable[[float], bool]


class Search:
    """The state of a search: items are the options in order of rep and unit (`option` [k]). A unit that fills the share
    `least` of one of a rep's own rows may part its books. Books begun with have their roots first, in order of rep."""

    def __init__(self, core: Core, begun: Books, least: float, threads: int) -> None:
        self.least = least
        self.core, self.own, self.pool = core, OwnRows.of(core), ThreadPoolExecutor(max(1, threads))
        own, reps = self.own, len(core.is_open)
        regret = begun.unit_prices[core.unit] - adjusted(core, begun.prices, 0, core.units)
        self.step_pi = np.maximum(np.abs(begun.unit_prices), _usual(np.abs(begun.unit_prices)))
        self.option = np.argsort(core.rep, kind="stable")
        self.place = np.empty_like(self.option)
        self.place[self.option] = np.arange(len(self.option))
        self.rep, self.unit = core.rep[self.option], core.unit[self.option].astype(np.int64)
        self.first = np.searchsorted(self.rep, np.arange(reps + 1))
        amount = own.amounts(core, self.option)
        lowest = np.zeros(own.row.shape)
        np.minimum.at(lowest, self.rep, amount)
        self.model = (self.first, self.unit, amount)
        self.limits = (own.upper, own.lower, own.penalty, own.cuts(lowest), own.slack)
        self.scale = own.size
        self.books = begun
        self.stages = STAGES if len(begun.rep) == reps else LAST
        lead = np.searchsorted(self.rep * np.int64(core.units) + self.unit, begun.rep * core.units + begun.unit)
        self.item = np.where(begun.parent >= 0, lead, -1)
        self.others = np.where(own.owned, 0.0, begun.prices)
        self.start_others = self.others
        self.step_mu = _steps_of_rows(own, begun.own_prices[begun.parent < 0])
        self.heat = float(np.abs(begun.unit_prices).sum()) / max(1, reps)
        self.taken, self.mean_taken = np.zeros(len(self.option)), np.zeros(len(self.option))
        self._find_near(amount, regret[self.option])
        edges = np.searchsorted(self.first, np.linspace(0, len(self.option), BLOCKS + 1)[1:-1])
        cuts = np.unique(np.concatenate([[0], edges, [reps]]))
        self.every = max(1, min(10, SLOW // max(1, len(self.option))))
        self.blocks = np.stack([cuts[:-1], cuts[1:]], axis=1)

    def _find_near(self, amount: np.ndarray, regret: np.ndarray) -> None:
        """Sets `share` [k], how much of an own row an item fills, and `near` [M, W], items (the first of their unit) that
        may part the rep's books, the least regret for their size first; parts at those that fill most of all."""
        self.share = (np.abs(amount) / self.scale[self.rep]).max(axis=1, initial=0.0)
        lead = np.flatnonzero((np.diff(self.unit, prepend=-1) != 0) | (np.diff(self.rep, prepend=-1) != 0))
        if len(lead):
            self.share[lead] = np.maximum.reduceat(self.share, lead)
            regret[lead] = np.minimum.reduceat(regret, lead)
        able = lead[self.share[lead] > self.least]
        able = able[np.lexsort((regret[able] / self.share[able] ** 2, self.rep[able]))]
        rank = np.arange(len(able)) - np.searchsorted(self.rep[able], self.rep[able])
        able, rank = able[rank < MOST_NEAR], rank[rank < MOST_NEAR]
        self.near = np.full((len(self.first) - 1, int(rank.max(initial=-1)) + 1), -1, dtype=np.int64)
        self.near[self.rep[able], rank] = able
        once = able[(self.share[able] > AT_ONCE) & (regret[able] <= SLIGHT * self.step_pi[self.unit[able]])]
        once = once[np.argsort(-self.share[once], kind="stable")]
        once = once[np.bincount(self.books.rep, minlength=len(self.first))[self.rep[once]] == 1]  # undivided so far
        self._part([(int(r), once[self.rep[once] == r]) for r in np.unique(self.rep[once])])

    def _part(self, leaves: list[tuple[int, np.ndarray]]) -> None:
        """Part leaves (node, items) at one item after another: in the book, or else the next."""
        books, parent, item = self.books, [], []
        nodes = len(books.rep)
        for node, at in leaves:
            for i in at:
                parent += [node, node]
                item += [i, i]
                node = nodes + len(parent) - 1
        if not parent:
            return
        above, made = np.array(parent), np.array(item)
        old = np.array([leaf for leaf, at in leaves for _ in range(2 * len(at))])
        self.item = np.concatenate([self.item, made])
        self.books = replace(
            books,
            rep=np.concatenate([books.rep, books.rep[old]]),
            parent=np.concatenate([books.parent, above]),
            unit=np.concatenate([books.unit, self.unit[made]]),
            inside=np.concatenate([books.inside, np.arange(len(made)) % 2 == 0]),
            own_prices=np.concatenate([books.own_prices, books.own_prices[old]]),
        )

    def run(self, passes: int, end: float, stop: Stop | None) -> tuple[float, Books | None]:
        """All stages: the best bound met and its books. With less time than so many passes need there are fewer, and from
        books that are parted already as well."""
        passes = min(passes, max(FEWEST, int((end - time.monotonic()) / self._pass_seconds())))
        best: tuple[float, Books | None] = (np.inf, None)
        done = round((1.0 - sum(self.stages)) * passes)
        over = (Adam((self.core.units,), FRESH), Adam((self.core.rows,), FRESH))
        for number, part in enumerate(self.stages):
            count = max(2, round(part * passes))
            stage = Stage(self, done, count, max(passes, done + count), over)
            found = stage.run(end, stop)
            if found[0] < best[0]:
                best = found
            done += count
            if time.monotonic() > end or (stop is not None and stop(best[0])):
                break
            if number < len(self.stages) - 1:
                self._part(stage.undecided())
        return best

    def _pass_seconds(self) -> float:
        """What a pass takes, roughly: trees grow. The first one is not counted, it may be compiled on the way."""
        trial = Stage(self, 0, 1, 1, (Adam((self.core.units,), FRESH), Adam((self.core.rows,), FRESH)))
        for _ in range(2):
            began = time.monotonic()
            trial._fill(self.books.unit_prices, self.others, self.books.own_prices[trial.nodes], self.heat + 1.0, 1.0)
        return GROWN * max(1e-6, time.monotonic() - began)

    def hosts(self, books: Books, least: float) -> tuple[np.ndarray, np.ndarray]:
        """For units that part some rep's books and fill the share `least` of one of a rep's own rows, [U] the option that
        the books take most (-1 for the others), and the options [H] that they take at least at times, in order."""
        big = np.unique(books.unit[books.parent >= 0])
        big = big[self.core.largest(self.share[self.place])[big] > least]
        items = np.flatnonzero(np.isin(self.unit, big) & (self.mean_taken > 0))
        items = items[np.lexsort((self.mean_taken[items], self.unit[items]))]
        hosts = np.full(self.core.units, -1, dtype=np.int64)
        hosts[self.unit[items]] = self.option[items]
        often = self.option[items[self.mean_taken[items] > AT_TIMES]]
        return hosts, np.union1d(often, hosts[hosts >= 0])


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
            heat = search.heat * HEATS[0] * (HEATS[1] / HEATS[0]) ** f
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
        search, core = self.search, self.search.core
        padded, rate = np.append(others, 0.0), np.zeros((len(core.cost), len(core.factor)))
        for f, (_, _, by_rep, row) in enumerate(core.factor):
            if by_rep:
                rate[:, f] = padded[core.rep_row[row]]
        worth = np.empty(core.options)
        price_items(core.model, padded, rate, search.place, worth)

        def block(reps: np.ndarray) -> float:
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
        search, core = self.search, self.search.core
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
        matters = MATTERS * search.least
        for leaf in np.flatnonzero((score > matters).any(axis=1)):
            order = np.argsort(-score[leaf], kind="stable")[:MOST_AT_LEAF]
            found.append((int(self.nodes[leaf]), near[leaf][order[score[leaf][order] > matters]]))
        return found


def _size(numbers: np.ndarray) -> np.ndarray:
    """Absolute values; 0 for what is not finite."""
    return np.where(np.isfinite(numbers), np.abs(numbers), 0.0)


def _usual(sizes: np.ndarray) -> float:
    """The median of those that are not 0."""
    some = sizes[sizes > 0]
    return float(np.median(some)) if len(some) else 0.0


def _steps_of_rows(own: OwnRows, paid: np.ndarray) -> np.ndarray:
    """[M, S] sizes of steps of own prices: the price, but at least what is usual, and for soft rows a share of the
    penalty."""
    size = np.abs(paid)
    for s in range(size.shape[1]):
        size[:, s] = np.maximum(size[:, s], _usual(size[:, s]))
    return np.maximum(size, np.where(np.isfinite(own.penalty), 0.3 * own.penalty, 0.0))
