"""The books of each rep, listed one by one at any prices, and what they are worth (`optimizer.listing`).

Triples of units: no more than one book of a plan holds two of three units (subset rows: Jepsen, Petersen, Spoorendonk and
Pisinger 2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import TIMEOUT_MAX, Timer

import numpy as np

from optimizer.certificate import admissible, of_rows
from optimizer.core import TOLERANCE, Core
from optimizer.kernels.columns import hold_two, list_books, reduce
from optimizer.kernels.triples import room_for
from optimizer.own_rows import OwnRows

#: what sums of this many numbers may be out by, as a share of them
ROUNDED = 1e-11
#: steps after which books as good as the best are not looked for any more, but only such as are worth this share of all items'
#: worth more, or of the window
PATIENCE, TIED, TIED_WINDOW = 1_000_000, 1e-9, 0.1
#: what takes more steps is parted, where the best are looked for and where all are
PARTED, PARTED_ALL = 1_000, 6_000
#: any book is worth this that breaks no hard row
LOWEST = -1e300
#: what units are taken to be worth where they are worth nothing
LEAST = 1e-300
#: how far the own price of a place moves where a row's moves for what fills it: so much for the root of the cut's price, as a
#: share of what all units would be worth; what share of the cut's price it begins with
PLACE_SIZE, START = 1.0, 0.5
#: steps where books of a rep are listed and where the best are looked for, at first a few; books at most where one's are listed,
#: and how many of the best are kept
LISTED, SOUGHT, QUICK, MOST_BOOKS, BEST = 40_000_000, 10_000_000, 20_000, 600_000, 64


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
    are 1, and is `worth` [N], less penalties of the rep's own rows. `twice` [C, N]: which hold two units of a triple. With `all`
    there are no others that count; `known` [N] are in the program. All books hold the units that are `held`."""

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
    held: tuple[int, ...] = ()

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

    def part(self, core: Core, option: int, inside: bool) -> RepBooks:
        """Those of plans that have an option, or that do not."""
        unit, mine = int(core.unit[option]), self.rep == core.rep[option]
        stays = (self.unit != unit) | (mine & (self.option == option)) if inside else self.option != option
        some, held = ~self.books[:, ~stays].any(axis=1), self.held
        if mine and inside:
            some &= self.books[:, self.option == option].any(axis=1)
            held = (*held, unit)
        return replace(
            self, option=self.option[stays], unit=self.unit[stays], amount=self.amount[stays], held=held,
            books=self.books[np.ix_(some, stays)], worth=self.worth[some], twice=self.twice[:, some], known=self.known[some],
        )  # fmt: skip

    def keep(self, some: np.ndarray) -> None:
        """Hold only those that are true in `some` [N]."""
        self.books, self.worth, self.known = self.books[some], self.worth[some], self.known[some]
        self.twice = self.twice[:, some]


@dataclass(slots=True, eq=False)
class Lister:
    """Lists books of a core's reps at any prices."""

    core: Core
    own: OwnRows = field(init=False)
    size: np.ndarray = field(init=False)
    stop: np.ndarray = field(init=False)
    shared: np.ndarray = field(init=False)
    other: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        core = self.core
        self.own = OwnRows.of(core)
        self.size = self.own.size
        self.stop = np.zeros(1, dtype=np.uint8)  # not 0: a listing ends at once, without an answer
        matrix = core.matrix()
        self.shared = np.flatnonzero(~self.own.owned & (np.diff(matrix.indptr) > 0))
        self.other = matrix[self.shared].T.toarray()  # [K, R'] what options use of rows that reps share

    @contextmanager
    def ending(self, seconds: float) -> Iterator[None]:
        """Listings end at once, without an answer, after so many seconds, until this is left."""
        late = Timer(min(seconds, TIMEOUT_MAX), self.stop.fill, (1,))
        late.start()
        try:
            yield
        finally:
            late.cancel()
            late.join()
            self.stop[0] = 0

    def reps(self) -> list[RepBooks]:
        """Those that have options or own rows, without books."""
        core, own, found = self.core, self.own, []
        side = np.maximum(*(np.abs(_finite(x)) for x in (own.upper, own.lower)))
        offset = np.append(np.abs(core.offset), 0.0)[own.row]
        allowed = 2 * TOLERANCE * np.maximum(1.0, side + offset)
        order = np.argsort(core.rep, kind="stable")
        begin = np.searchsorted(core.rep[order], np.arange(len(core.is_open) + 1))
        for rep in np.flatnonzero((np.diff(begin) > 0) | (own.row >= 0).any(axis=1)).tolist():
            option = order[begin[rep] : begin[rep + 1]]
            sides = (own.upper[rep], own.lower[rep], own.penalty[rep], allowed[rep])
            none = np.zeros((0, len(option)), dtype=np.uint8)
            amount = own.amounts(core, option)
            nothing = np.zeros(0), np.zeros((0, 0), dtype=bool), np.zeros(0, dtype=bool)
            found.append(RepBooks(rep, option, core.unit[option], amount, sides, none, *nothing))
        return found

    def admissible(self, duals: Duals) -> Duals:
        """The prices clipped to where they prove something: none of own rows, none below 0 of units that need not be served."""
        unit, triple = (np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0) for part in (duals.unit, duals.triple))
        unit = np.where(self.core.mandatory, unit, np.maximum(unit, 0.0))
        row = np.where(self.own.owned, 0.0, admissible(self.core, duals.row))
        return Duals(unit, row, np.maximum(triple, 0.0))

    def paid(self, rep: RepBooks, duals: Duals) -> np.ndarray:
        """[k] what the items of a rep pay at these prices."""
        return self.paid_by(rep.option, duals)

    def paid_by(self, option: np.ndarray | slice, duals: Duals) -> np.ndarray:
        """[k] what options pay for units and for rows that reps share."""
        return duals.unit[self.core.unit[option]] + self.other[option] @ duals.row[self.shared]

    def reduced(self, rep: RepBooks, duals: Duals) -> np.ndarray:
        """[N] what a rep's books are worth at these prices."""
        out = rep.worth.copy()
        reduce(rep.books, self.paid(rep, duals), rep.twice, duals.triple, out)
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
        self,
        held: RepBooks,
        duals: Duals,
        triples: np.ndarray,
        need: float,
        window: float,
        most: int,
        rows: int,
        hopeless: int = LISTED,
    ) -> tuple[np.ndarray, float]:
        """(books [N, k], what the best is worth) at these prices: every book that is worth `need`, or, with a finite `window`,
        some of the best. inf where `most` steps do not find them, or, without a window, where they are more than
        `rows`, or where after `hopeless` steps it seems that more would be needed."""
        worth = self.core.value[held.option] - self.paid(held, duals)
        best = np.isfinite(window)
        begin = np.append(np.flatnonzero(np.diff(held.unit, prepend=-1)), len(held.option))
        n, slots, options = len(begin) - 1, held.amount.shape[1], len(held.option)
        cuts = _cuts(held.unit[begin[:-1]], duals, triples)
        every, size = slots + 3 * len(cuts[2]), float(np.abs(worth).sum() + cuts[2].sum())
        need = max(need - ROUNDED * size, LOWEST)
        whole, part = np.zeros((3, options + n)), np.zeros((4, options + n), dtype=np.int64)
        room = (part[0], whole[0], part[1, : n + 1], part[2, :n], whole[1, :n])
        likely = max(np.maximum(worth, 0.0).sum(), LEAST)
        far = np.append(1.0 / self.size[held.rep], PLACE_SIZE * np.sqrt(np.repeat(cuts[2], 3) / likely))
        now = np.zeros(every), np.zeros(every), far
        effort = (PATIENCE, PARTED, most, self.stop, most) if best else (most, PARTED_ALL, most, self.stop, hopeless)
        goal = np.array(
            [need, need + window if best else -np.inf, max(TIED * size, TIED_WINDOW * window) if best else 0.0]
        )
        count = np.array([0, 0, effort[0]])
        parts = np.full(n + 2, np.inf), np.zeros((n + 2, every)), *np.zeros((2, n + 2, n), bool), np.ones(n + 2)
        parts[2][0] = np.isin(held.unit[begin[:-1]], held.held)
        parts[1][0, slots + cuts[1]] = START * cuts[2][cuts[1] // 3]
        chosen = np.empty((rows, options), dtype=np.uint8)
        done = list_books(
            goal, count, window, effort, (begin, worth, held.amount), held.sides, parts, cuts, room_for(n, cuts), room,
            np.zeros((2, n + 1, slots)), now, part[3, : n + 1], whole[2, : n + 1], chosen,
        )  # fmt: skip
        found, done = int(count[0]), done and (best or count[0] <= rows)
        return chosen[: min(found, rows)].copy(), float(goal[:2].max()) + ROUNDED * size if done else np.inf


def _cuts(units: np.ndarray, duals: Duals, triples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For units [n]: the places of cuts, three a cut, that hold each, one unit after the other; and the cuts' prices. Cuts are
    triples that cost something and hold two of the units."""
    here = np.isin(triples, units) if len(triples) else np.zeros((0, 3), dtype=bool)
    paid = np.flatnonzero((duals.triple > 0) & (here.sum(axis=1) >= 2))
    cut, place = np.nonzero(here[paid])
    at = np.searchsorted(units, triples[paid[cut], place])
    order = np.argsort(at, kind="stable")
    first = np.searchsorted(at[order], np.arange(len(units) + 1))
    return first.astype(np.int64), (3 * cut + place)[order].astype(np.int64), duals.triple[paid]


def _finite(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, 0.0)
