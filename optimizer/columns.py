"""The books of each rep, listed one by one at any prices, and what they are worth (`optimizer.listing`).

Triples of units: no more than one book of a plan holds two of three units (subset rows: Jepsen, Petersen, Spoorendonk and
Pisinger 2008).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from optimizer.book_filling import Filling
from optimizer.book_trees import Books
from optimizer.certificate import admissible, of_rows
from optimizer.core import TOLERANCE, Core
from optimizer.kernels.columns import hold_two, list_books, reduce
from optimizer.own_rows import OwnRows

#: what sums of this many numbers may be out by, as a share of them
ROUNDED = 1e-11
#: steps after which books as good as the best are not looked for any more, but only such as are worth this share of all items'
#: worth more, or of the window
PATIENCE, TIED, TIED_WINDOW = 500_000, 1e-9, 0.1
#: a leaf that takes more steps where the best are looked for is parted; where all are listed they are many anyhow
PARTED = 30_000
#: any book is worth this that breaks no hard row
LOWEST = -1e300
#: bins of a row in a table of what is to come
BINS = 2_048
#: steps where books of a rep are listed and where the best are looked for; books at most where one's are listed, and how many of
#: the best are kept
LISTED, SOUGHT, MOST_BOOKS, BEST = 20_000_000, 5_000_000, 600_000, 64


@dataclass(frozen=True, slots=True, eq=False)
class Duals:
    """Prices of units [U], of rows [R] (own rows are passed over), and of triples [C], ≥ 0."""

    unit: np.ndarray
    row: np.ndarray
    triple: np.ndarray

    def padded(self, triples: int) -> Duals:
        """With the prices of further triples, which are 0."""
        return Duals(self.unit, self.row, np.append(self.triple, np.zeros(triples - len(self.triple))))

    def towards(self, other: Duals, share: float) -> Duals:
        """Prices between these, of this share, and others."""
        one = self.padded(len(other.triple))
        pairs = ((one.unit, other.unit), (one.row, other.row), (one.triple, other.triple))
        return Duals(*(share * a + (1 - share) * b for a, b in pairs))


@dataclass(slots=True, eq=False)
class RepBooks:
    """Books of one rep: of the items `option` [k] (positions in the core) of `unit` [k], each of `books` [N, k] holds those that
    are 1, and is `worth` [N], less penalties of the rep's own rows. `twice` [N, C]: which hold two units of a triple. With `all`
    there are no others that count; `known` [N] are in the program."""

    rep: int
    option: np.ndarray
    unit: np.ndarray
    amount: np.ndarray
    sides: tuple[np.ndarray, ...]
    books: np.ndarray
    worth: np.ndarray
    twice: np.ndarray
    known: np.ndarray
    all: bool = False

    def worths(self, core: Core, books: np.ndarray) -> np.ndarray:
        """What books [N, k] are worth."""
        upper, lower, penalty, _ = self.sides
        used = books @ self.amount
        out = np.maximum(0.0, np.maximum(used - upper, lower - used))
        return books @ core.value[self.option] - (np.where(out > 0, out, 0.0) * _finite(penalty)).sum(axis=1)

    def two_of(self, books: np.ndarray, triples: np.ndarray) -> np.ndarray:
        """[C, N] which books [N, k] hold two units of each triple [C, 3]."""
        out = np.zeros((len(triples), len(books)), dtype=bool)
        ends = [np.searchsorted(self.unit, triples, side=side) for side in ("left", "right")]
        hold_two(books, np.stack(ends, axis=2), out)
        return out

    def take(self, core: Core, books: np.ndarray, triples: np.ndarray) -> None:
        """Hold these books [N, k] instead."""
        self.books, self.worth = books, self.worths(core, books)
        self.twice, self.known = self.two_of(books, triples), np.zeros(len(books), dtype=bool)

    def keep(self, some: np.ndarray) -> None:
        """Hold only those that are true in `some` [N]."""
        self.books, self.worth, self.known = self.books[some], self.worth[some], self.known[some]
        self.twice = self.twice[:, some]


@dataclass(slots=True, eq=False)
class Lister:
    """Lists books of a core's reps at any prices, leaf by leaf of the trees in `books`."""

    core: Core
    books: Books
    own: OwnRows = field(init=False)
    filling: Filling = field(init=False)
    shared: np.ndarray = field(init=False)
    size: np.ndarray = field(init=False)
    stop: np.ndarray = field(init=False)
    other: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        core = self.core
        self.own = OwnRows.of(core)
        self.filling = Filling.of(core, self.books, np.ones(core.units, dtype=bool))
        self.size = self.own.size
        self.stop = np.zeros(1, dtype=np.uint8)  # not 0: a listing ends at once, without an answer
        matrix = core.matrix()
        self.shared = np.flatnonzero(~self.own.owned & (np.diff(matrix.indptr) > 0))
        self.other = matrix[self.shared].T.toarray()  # [K, R'] what options use of rows that reps share

    @property
    def start(self) -> Duals:
        """The prices of the books themselves."""
        return Duals(self.filling.pi, self.filling.others, np.zeros(0))

    def reps(self) -> list[RepBooks]:
        """Those that have items or own rows, without books."""
        filling, found = self.filling, []
        side = np.maximum(*(np.abs(_finite(x)) for x in (self.own.upper, self.own.lower)))
        offset = np.append(np.abs(self.core.offset), 0.0)[self.own.row]
        allowed = 2 * TOLERANCE * np.maximum(1.0, side + offset)
        for rep in filling.reps:
            span = slice(filling.span[rep], filling.span[rep + 1])
            option, unit, amount = (
                part[span] for part in (filling.items.option, filling.items.unit, filling.items.amount)
            )
            own = (self.own.upper[rep], self.own.lower[rep], self.own.penalty[rep], allowed[rep])
            none = np.zeros((0, len(option)), dtype=np.uint8)
            held = RepBooks(
                int(rep), option, unit, amount, own, none, np.zeros(0), np.zeros((0, 0), bool), np.zeros(0, bool)
            )
            found.append(held)
        return found

    def price(self, duals: Duals) -> None:
        """Fill the leaves at other prices."""
        books = replace(
            self.books, prices=np.where(self.own.owned, self.books.prices, duals.row), unit_prices=duals.unit
        )
        self.filling = Filling.of(self.core, books, np.ones(self.core.units, dtype=bool))

    def admissible(self, duals: Duals) -> Duals:
        """The prices clipped to where they prove something: none of own rows, none below 0 of units that need not be served."""
        unit, triple = (np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0) for part in (duals.unit, duals.triple))
        unit = np.where(self.core.mandatory, unit, np.maximum(unit, 0.0))
        row = np.where(self.own.owned, 0.0, admissible(self.core, duals.row))
        return Duals(unit, row, np.maximum(triple, 0.0))

    def reduced(self, rep: RepBooks, duals: Duals) -> np.ndarray:
        """[N] what a rep's books are worth at these prices."""
        out = rep.worth.copy()
        reduce(rep.books, duals.unit[rep.unit] + self.other[rep.option] @ duals.row[self.shared], out)
        for c in np.flatnonzero(duals.triple):
            np.subtract(out, duals.triple[c], out=out, where=rep.twice[c])
        return out

    def of_all(self, duals: Duals, tops: np.ndarray) -> float:
        """The bound where the reps' best books are worth `tops`, with what units, rows that reps share and triples add, and what
        the tolerance of hard rows may; rounded outward."""
        core = self.core
        side = np.where(duals.row > 0, core.upper, core.lower) + core.offset
        excused = np.abs(duals.row) * TOLERANCE * np.maximum(1.0, np.abs(_finite(side)))
        shared = of_rows(core, duals.row) + float(duals.triple.sum() + excused[np.isinf(core.penalty)].sum())
        size = abs(shared) + float(np.abs(duals.unit).sum() + np.abs(_finite(tops)).sum())
        return shared + float(duals.unit.sum() + tops.sum()) + ROUNDED * size

    def list(
        self, held: RepBooks, duals: Duals, triples: np.ndarray, need: float, window: float, most: int, rows: int
    ) -> tuple[np.ndarray | None, float]:
        """(books [N, k], what the best is worth) at the prices the leaves were filled at last: every book that is worth `need`,
        or, with a finite `window`, some of the best. None where there are more than `rows`, or `most` steps do not find them."""
        filling, rep = self.filling, held.rep
        leaves, span = filling.leaves(rep), slice(filling.span[rep], filling.span[rep + 1])
        mu, allowed = filling.mu[filling.edges[rep] : filling.edges[rep + 1]], held.sides[3]
        size = float(np.abs(filling.items.worth[span]).sum())
        need = max(need - ROUNDED * size, LOWEST)
        order = np.argsort(-leaves.value, kind="stable")
        order = order[(leaves.value + np.abs(mu) @ allowed)[order] >= need]
        begin = np.append(leaves.begin, len(held.option))
        n, slots = len(leaves.begin), mu.shape[1]
        whole, part = np.zeros((5, len(held.option) + n)), np.zeros((5, len(held.option) + n), dtype=np.int64)
        room = (part[0], whole[0], part[1, : n + 1], part[2, :n], whole[1, :n])
        now = (np.zeros(slots), np.zeros(slots), 1.0 / self.size[rep])
        best = np.isfinite(window)
        effort = (PATIENCE, PARTED, most, self.stop) if best else (most, most, most, self.stop)
        goal = np.array(
            [need, need + window if best else -np.inf, max(TIED * size, TIED_WINDOW * window) if best else 0.0]
        )
        count = np.array([0, 0, effort[0]])
        parts = np.zeros(n + 2), np.zeros((n + 2, slots)), np.zeros((n + 2, n), bool), np.zeros((n + 2, n), bool)
        chosen = np.empty((rows, len(held.option)), dtype=np.uint8)
        done = list_books(
            goal, count, window, effort, (begin, filling.items.worth[span], held.amount), held.sides,
            (leaves.value[order], mu[order], leaves.held[order], leaves.barred[order]), parts,
            _cuts(held.unit[leaves.begin], duals, triples), room, np.zeros((2, n + 1, slots)), now,
            (np.zeros(slots), np.empty((slots, n + 1, BINS))),
            np.zeros(len(triples), dtype=np.int64), part[3, : n + 1], whole[2, : n + 1], chosen,
        )  # fmt: skip
        found, done = int(count[0]), done and (best or count[0] <= rows)
        return (chosen[: min(found, rows)].copy() if done else None), float(goal[:2].max()) + ROUNDED * size


def _cuts(units: np.ndarray, duals: Duals, triples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For units [n]: the triples that hold each, one unit after the other, and the prices of triples."""
    paid = np.flatnonzero(duals.triple > 0)
    each, unit = np.repeat(paid, 3), triples[paid].ravel()
    at = np.minimum(np.searchsorted(units, unit), max(0, len(units) - 1))
    here = units[at] == unit if len(units) else np.zeros(len(unit), dtype=bool)
    at, each = at[here], each[here]
    order = np.argsort(at, kind="stable")
    first = np.searchsorted(at[order], np.arange(len(units) + 1))
    return first.astype(np.int64), each[order].astype(np.int64), duals.triple


def _finite(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, 0.0)
