"""The search for books that prove more (`optimizer.books`): trees that grow between stages of passes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from optimizer.adam import Adam
from optimizer.book_stage import FRESH, Stage, Stop
from optimizer.book_trees import Books
from optimizer.certificate import adjusted
from optimizer.core import Core
from optimizer.dual import blocks, blocks_of
from optimizer.own_rows import OwnRows

#: shares of the passes before each growth of the trees, and of all of them; the rest are made when they have grown
EACH, GROWING = 0.125, 0.6
#: from books that are parted already, so many times fewer passes, and the last share of these alone
FEWER, LAST = 3, 0.6
#: a unit of small regret parts a rep's books at once where it fills so much of one of the rep's own rows
AT_ONCE = 0.25
#: a regret is small up to this share of the unit's price
SLIGHT = 0.01
#: at most so many units may part a rep's books
MOST_NEAR = 64
#: ten passes over fewer options than a tenth of this are so quick that it is asked only then whether to stop
SLOW = 5_000_000
#: fewest passes, and how much longer one takes than before the trees have grown
FEWEST, GROWN = 40, 2.5
#: an option is taken at times that is taken in more than this share of the last stage
AT_TIMES = 0.02


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: passes, how often trees grow between them, at units that fill more than the share `near` of one of a
    rep's own rows, and the last heat (as `HEAT`)."""

    passes: int
    near: float
    growths: int = 3
    heat: float = 5e-5

    @property
    def stages(self) -> tuple[float, ...]:
        """Shares of the passes, with a growth between one and the next."""
        each = (min(EACH, GROWING / max(1, self.growths)),) * self.growths
        return (*each, 1.0 - sum(each))


class Search:
    """The state of a search: items are the options in order of rep and unit (`option` [k]). Books begun with have their
    roots first, in order of rep."""

    def __init__(self, core: Core, begun: Books, effort: Effort, threads: int) -> None:
        self.effort = effort
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
        self.stages = effort.stages if len(begun.rep) == reps else (LAST,)
        lead = np.searchsorted(self.rep * np.int64(core.units) + self.unit, begun.rep * core.units + begun.unit)
        self.item = np.where(begun.parent >= 0, lead, -1)
        self.others = np.where(own.owned, 0.0, begun.prices)
        self.shared = _shared(core, self.others)
        self.start_others = self.others
        self.step_mu = _steps_of_rows(own, begun.own_prices[begun.parent < 0])
        self.heat = float(np.abs(begun.unit_prices).sum()) / max(1, reps)
        self.taken, self.mean_taken = np.zeros(len(self.option)), np.zeros(len(self.option))
        self._find_near(amount, regret[self.option])
        self.every = max(1, min(10, SLOW // max(1, len(self.option))))
        self.blocks = blocks(self.first)
        self.ranges, self.longest = blocks_of(core)

    def _find_near(self, amount: np.ndarray, regret: np.ndarray) -> None:
        """Sets `share` [k], how much of an own row an item fills, and `near` [M, W], items (the first of their unit) that
        may part the rep's books, the least regret for their size first; parts at those that fill most of all."""
        self.share = (np.abs(amount) / self.scale[self.rep]).max(axis=1, initial=0.0)
        lead = np.flatnonzero((np.diff(self.unit, prepend=-1) != 0) | (np.diff(self.rep, prepend=-1) != 0))
        if len(lead):
            self.share[lead] = np.maximum.reduceat(self.share, lead)
            regret[lead] = np.minimum.reduceat(regret, lead)
        able = lead[self.share[lead] > self.effort.near]
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

    def run(self, end: float, stop: Stop | None) -> tuple[float, Books | None]:
        """All stages: the best bound met and its books. With less time than so many passes need there are fewer, and from
        books that are parted already as well."""
        most = self.effort.passes // (FEWER if self.stages == (LAST,) else 1)
        passes = min(most, max(FEWEST, int((end - time.monotonic()) / self._pass_seconds())))
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


def _shared(core: Core, prices: np.ndarray) -> Core:
    """The core with those of its factors alone that count in rows which have a price [R]."""
    priced = np.append(prices != 0, False)
    rows = (priced[(core.rep_row if by_rep else core.unit_row)[row]].any() for _, _, by_rep, row in core.factor)
    return replace(core, factor=core.factor[np.fromiter(rows, bool, len(core.factor))])


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
