"""What books prove that are listed (`optimizer.listing`), and searched as a tree: beside the best plan known, or, as long as that
is far from the bound, beside a value taken to be known. Where no plan is worth as much, that value is a bound."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from optimizer.book_trees import Books
from optimizer.column_program import StuckError
from optimizer.column_search import ColumnSearch
from optimizer.column_tree import Part, Tree, listing_of
from optimizer.columns import LISTED, MOST_BOOKS, TIED
from optimizer.core import Core
from optimizer.listed import Listed
from optimizer.listing import Listing

#: rounds of triples
ROUNDS = 60
#: so many books in all are searched as a tree; where triples do no more, so many
SEARCHED, MOST_SEARCHED = 20_000, 1_000_000
#: books are listed again when what is open has fallen to this share; so many rounds are worth while that leave this share of it
AGAIN, SOME, WORTH_WHILE = 0.85, 3, 0.9
#: of the distance of that plan, what a book kept is worth less than the best where books are listed anew
KEPT = 0.1
#: a plan is taken to be known that is worth this share of the bound less, at first, and so many times as much less each time;
#: anew where the bound has come so near to it
NEARBY, FARTHER, TOO_NEAR = 2e-4, 1.4, 0.3
#: before, rounds of triples go on as long as each brings the bound down by this share of that
ROUND = 0.12
#: the next such value is so much lower than the last at least, in what the first is from the bound
PROGRESS = 0.5


class ColumnProof(ColumnSearch):
    """Books sought, then listed. `lowest` is the bound that `listing` proves."""

    def __init__(self, core: Core, books: Books, over: Callable[[], bool]) -> None:
        super().__init__(core, books, over)
        self.tried = np.inf
        self.needs, self.steps, self.searched = list[np.ndarray](), list[Part](), False
        self.nearby, self.proved = NEARBY, np.inf
        self.last: Listing | None = None

    @property
    def lowest(self) -> float:
        """The lowest bound."""
        return min(self.bound, self.proved)

    def prove(self, latest: Callable[[], np.ndarray | None]) -> None:
        """After `begin`, bring the bound down, to the best plan where all books that count can be listed and searched.
        `latest()` is the best plan [U] that has been found meanwhile."""
        self.late = lambda: False
        self.hear(latest())
        able = np.isfinite(self.bound)
        if able and not self.searched and np.isneginf(self.floor):
            with suppress(StuckError):
                self._settle(latest)
        while able and not self.searched and not self.over():
            able = False
            with suppress(StuckError):
                if self.bound - self.floor < TOO_NEAR * self.nearby * abs(self.bound) or np.isneginf(self.floor):
                    if self.steps:
                        self._note()
                        self._keep_proof(max(self.bound, self.floor), self._listing())
                    self._begin_anew()
                able = np.isfinite(self.bound) and self._list_all(latest)
            if able and not self.over():
                self._note()
                with suppress(StuckError):
                    able = self._search()

    def _settle(self, latest: Callable[[], np.ndarray | None]) -> None:
        """Triples as long as they bring much, where no plan is near."""
        for _ in range(ROUNDS):
            self.hear(latest())
            size, before = self.nearby * abs(self.bound), self.bound
            if self.bound - self.value <= FARTHER * size or self.over() or not self._cut():
                return
            self._tighten()
            if before - self.bound < ROUND * size:
                return

    def _begin_anew(self) -> None:
        """Take a plan to be known a little below the bound, unless one is not much farther; nothing is listed beside it yet."""
        if any(rep.all for rep in self.reps):
            least = KEPT * self.nearby * abs(self.bound)
            for rep, top in zip(self.reps, self.tops, strict=True):
                if rep.all:
                    rep.keep(rep.known | (self.lister.reduced(rep, self.centre) >= top - least))
                    rep.all = False
            self.bound = np.inf  # what was proved by books listed counts beside the floor alone
            self._price(self.centre)
        size = self.nearby * abs(self.bound)
        floor = min(self.bound - size, self.proved - PROGRESS * size)
        self.floor = floor if self.bound - self.value > FARTHER * size and floor > self.value else -np.inf
        self.needs, self.steps, self.tried = [], [], np.inf

    def _keep_proof(self, proved: float, listing: Listing) -> None:
        """Keep what proves most so far, for what comes next may prove less, or nothing in time."""
        if proved < self.proved:
            self.proved, self.last = proved, listing

    def listing(self) -> Listing | None:
        """What proves the bound so far; None where there is none."""
        if not self.searched:
            if self.last is not None and self.proved <= self.bound:
                return self.last
            self._note()
        return self._listing() if self.steps else None

    def _listing(self) -> Listing:
        need = np.zeros((len(self.needs), len(self.core.is_open)))
        need[:, [rep.rep for rep in self.reps]] = self.needs
        listing = listing_of(need, self.program.triples, self.steps)
        return replace(listing, goal=self.floor) if self.floor > self.value else listing

    def _list_all(self, latest: Callable[[], np.ndarray | None]) -> bool:
        """Tighten prices, and add triples, until all books that count are listed, and few enough; whether they are."""
        opened = [self.open]
        for turn in range(ROUNDS):
            self.hear(latest())
            if turn or not self.last:  # prices that were sought beside another value are near enough to list books at
                self._tighten()
                self.hear(latest())
            if self.over() or self.choice is None:
                return False
            self._list()
            listed = all(rep.all for rep in self.reps)
            count = self._dropped() if listed else 0
            if listed and count <= SEARCHED:
                return True
            opened.append(self.open)
            stalls = len(opened) > SOME and opened[-1] > WORTH_WHILE * opened[-1 - SOME]
            if stalls or not self._cut():
                return listed and count <= MOST_SEARCHED
        return False

    def _search(self) -> bool:
        """A tree over the books that are left; whether it came to its end."""
        assert self.choice is not None
        tree = Tree(Listed(self.core, self.lister, self.reps), self.program.triples, self.centre, self.over)
        begun = len(self.steps)
        choice, bound = tree.search(self.choice, self.open, self.floor)
        self.hear(choice)
        if np.isinf(bound):
            return False
        for node in tree.nodes:
            above = begun - 1 if node.parent < 0 else begun + node.parent
            self.steps.append(Part(above, node.option, node.inside, node.duals))
        if self.value >= self.floor:
            self.bound, self.searched = min(self.bound, max(bound, self.value)), True
        elif bound < self.proved:
            self._keep_proof(bound, replace(self._listing(), goal=bound))
            farther = self.bound - self.floor > self.nearby * abs(self.bound) / FARTHER
            self.nearby *= FARTHER if farther else 1.0
            self._begin_anew()
        return True

    def _list(self) -> None:
        """List all books that count, at the best prices, of reps of whom that has not been done, where it can be."""
        todo = [place for place, rep in enumerate(self.reps) if not rep.all]
        if self.open > AGAIN * self.tried or not todo or not np.isfinite(self.bound):
            return
        self.tried = self.open
        triples = self.program.triples
        need = self._least()
        beyond = (need - self.tops).sum()  # the others' best count for a little more where this is recomputed
        some = self.tops - (1 + 1e-6) * self.open - beyond
        for place in todo:
            rep = self.reps[place]
            books, top = self.lister.list(rep, self.centre, triples, float(some[place]), np.inf, LISTED, MOST_BOOKS)
            if self.over():
                return
            if top < np.inf:
                need[place] = some[place]
                rep.take(self.core, books, triples)
        if (need == some).any():
            self._go_on(need)
            for rep, done in zip(self.reps, need == some, strict=True):
                rep.all = rep.all or bool(done)

    def _least(self) -> np.ndarray:
        """[M'] what no book of a rep is worth at the best prices: a little more than the best, for ties are not to be listed."""
        size = np.array([4 * TIED * float(np.abs(self.core.value[rep.option]).sum()) for rep in self.reps])
        return self.tops + size

    def _go_on(self, need: np.ndarray) -> None:
        """Another first step, at the best prices."""
        self.needs.append(need)
        self.steps.append(Part(len(self.steps) - 1, -1, False, self.centre))

    def _note(self) -> None:
        """That the best prices prove what they do."""
        if np.isfinite(self.bound) and not (self.steps and self.steps[-1].duals is self.centre):
            if all(rep.all for rep in self.reps):
                self.steps.append(Part(len(self.steps) - 1, -1, False, self.centre))
            else:
                self._go_on(self._least())

    def _dropped(self) -> int:
        """How many books are left when those go that are in no better plan."""
        self._note()
        for place, rep in enumerate(self.reps):
            rep.keep(self.lister.reduced(rep, self.centre) >= self.tops[place] - self.open)
        return sum(len(rep.books) for rep in self.reps)
