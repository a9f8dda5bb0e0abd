"""What is known of a problem before it is solved, from one like it: prices, and books."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from optimizer.book_trees import Books, start_books
from optimizer.certificate import adjusted, admissible
from optimizer.core import Core
from optimizer.own_rows import OwnRows


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What a solve may begin with: prices [R] of its rows and, where whole books proved more in a problem like it, `books`
    of its reps and units (-1: one that it does not have)."""

    prices: np.ndarray
    books: Books | None = None

    def save(self, file: Path) -> None:
        books = {} if self.books is None else {f.name: getattr(self.books, f.name) for f in fields(Books)}
        np.savez(file, rows=self.prices, **books)

    @classmethod
    def load(cls, file: Path) -> Known:
        with np.load(file) as kept:
            whole = "unit_prices" in kept
            return cls(kept["rows"], Books(**{f.name: kept[f.name] for f in fields(Books)}) if whole else None)

    def fits(self, core: Core) -> bool:
        """Whether it is of a problem of this size, without gaps."""
        return self.prices.shape == (core.rows,) and bool(np.isfinite(self.prices).all())


def fitted(core: Core, known: Known, prices: np.ndarray) -> Books | None:
    """The books that are known, for this core at prices [R] of its own: all that they price is shifted by what those are
    above the known ones. Undivided where a rep is new, or a tree names what is not there. None where there are none."""
    books, begun, shift = known.books, start_books(core, prices), admissible(core, prices) - known.prices
    if (
        books is None
        or books.unit_prices.shape != (core.units,)
        or books.own_prices.shape[1:] != begun.own_prices.shape[1:]
    ):
        return None
    asked, keys = books.rep * core.units + books.unit, np.sort(core.rep * np.int64(core.units) + core.unit)
    offered = np.append(keys, -1)[np.searchsorted(keys, asked)] == asked  # as `np.isin`, which takes five times as long
    bad = (books.rep >= 0) & (books.parent >= 0) & ~((books.unit >= 0) & offered)
    whole = np.ones(len(begun.rep) + 1, dtype=bool)
    whole[books.rep[bad]] = whole[-1] = False
    root = np.flatnonzero((books.parent < 0) & (books.rep >= 0))
    below = np.flatnonzero((books.parent >= 0) & whole[books.rep])
    place = np.full(len(books.rep), -1, dtype=np.int64)
    place[root], place[below] = books.rep[root], len(begun.rep) + np.arange(len(below))
    risen = np.append(shift, 0.0)[OwnRows.of(core).row]
    paid = begun.own_prices.copy()
    paid[books.rep[root]] = (books.own_prices + risen[books.rep])[root]
    unit_prices = books.unit_prices + begun.unit_prices - start_books(core, known.prices).unit_prices
    taken = Books(
        prices=books.prices + shift,
        unit_prices=np.where(np.isfinite(unit_prices), unit_prices, begun.unit_prices),
        rep=np.concatenate([begun.rep, books.rep[below]]),
        parent=np.concatenate([begun.parent, place[books.parent[below]]]),
        unit=np.concatenate([begun.unit, books.unit[below]]),
        inside=np.concatenate([begun.inside, books.inside[below]]),
        own_prices=np.concatenate([paid, (books.own_prices + risen[books.rep])[below]]),
    )
    return replace(taken, unit_prices=np.minimum(taken.unit_prices, _most(core, taken)))


def _most(core: Core, books: Books) -> np.ndarray:
    """[U] what any book would pay for each unit at most: a price above that proves less, and nothing else."""
    own = OwnRows.of(core)
    cheap, dear = np.full(own.row.shape, np.inf), np.full(own.row.shape, -np.inf)
    leaves = books.leaves
    paid = own.admissible(books.own_prices[leaves], books.rep[leaves])
    np.minimum.at(cheap, books.rep[leaves], paid)
    np.maximum.at(dear, books.rep[leaves], paid)
    every = np.arange(core.options)
    amount, rep = own.amounts(core, every), core.rep
    worth = adjusted(core, np.where(own.owned, 0.0, admissible(core, books.prices)), 0, core.units)
    worth += np.maximum(-amount * cheap[rep], -amount * dear[rep]).sum(axis=1)
    most = np.full(core.units, -np.inf)
    np.maximum.at(most, core.unit, worth)
    return np.where(core.mandatory, most, np.maximum(most, 0.0))
