"""Books of reps, sought at prices that prove more and more (column generation), then listed (`optimizer.listing`); for small
problems with small books."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from optimizer.book_trees import Books
from optimizer.column_program import Program, StuckError
from optimizer.column_tree import Part, Tree, listing_of
from optimizer.columns import BEST, LISTED, MOST_BOOKS, QUICK, SOUGHT, TIED, Duals, Lister, RepBooks
from optimizer.core import Core
from optimizer.listed import Listed
from optimizer.listing import Listing
from optimizer.triples import exceeded

#: of the value, what is taken to be open where no plan is known
UNKNOWN = 1e-3
#: books are near the best of their rep that are worth less by this share of the bound
NEAR = 2e-4
#: prices are near enough when the program is worth so much of what is open less than the bound; the share of the best prices
#: in those tried next; books kept are within this share of what is open
CLOSE, CENTRE, WINDOW = 0.03, 0.6, 0.05
#: passes over all reps in one go, rounds of triples before there is a plan, and in all
PASSES, SOON, ROUNDS = 120, 6, 60
#: steps of all reps where books are listed, at first, and so many times more each time, to so many
STEPS, MORE, MOST_STEPS = 10_000_000, 2, 60_000_000
#: so many books in all are searched as a tree; where triples do no more, so many that books times options are no more than that
SEARCHED, MOST_CELLS = 6_000, 3e8
#: books are listed again when what is open has fallen to this share; so many rounds are worth while that leave this share of it
AGAIN, SOME, WORTH_WHILE = 0.85, 3, 0.9


class ColumnSearch:
    """`bound` is the lowest, at prices `centre`, where the reps' best books are worth `tops`; `choice` [U] the best plan known,
    worth `value`; `share` [K] how much of each option the program takes, `pool` [K] which ones books that are near the best have.
    `over()` says when to stop."""

    def __init__(self, core: Core, books: Books, over: Callable[[], bool]) -> None:
        self.core, self.over = core, over
        self.choice: np.ndarray | None = None
        self.value, self.share, self.pool = -np.inf, np.zeros(core.options), np.zeros(core.options, dtype=bool)
        self.lister = Lister(core)
        self.reps = self.lister.reps()
        self.program = Program(core, self.lister, self.reps)
        self.bound, self.tops, self.tried = np.inf, np.zeros(len(self.reps)), np.inf
        self.most = STEPS
        self.needs, self.steps, self.searched = list[np.ndarray](), list[Part](), False
        self.late: Callable[[], bool] = lambda: False
        self.map: Callable[..., Iterable[tuple[np.ndarray, float]]] = map
        self.centre = self.lister.admissible(Duals(books.unit_prices, books.prices, np.zeros(0)))
        self.program.centre(self.centre)
        for rep in self.reps:
            rep.take(core, np.zeros((0, len(rep.option)), dtype=np.uint8), self.program.triples)

    @property
    def open(self) -> float:
        """What lies between the bound and the best plan."""
        if self.choice is None:
            return UNKNOWN * abs(self.bound) if np.isfinite(self.bound) else 0.0
        return max(self.bound - self.value, 1e-9 * abs(self.value))

    def _learn(self) -> None:
        """Bring `share` and `pool` up to date."""
        share, pool = np.zeros(self.core.options), np.zeros(self.core.options, dtype=bool)
        for place, book, taken in self.program.taken():
            share[self.reps[place].option[book > 0]] += taken
        for rep, top in zip(self.reps, self.tops, strict=True):
            near = rep.books[self.lister.reduced(rep, self.centre) >= top - NEAR * abs(self.bound)]
            pool[rep.option[near.any(axis=0)]] = True
        self.share, self.pool = share, pool | (share > 0)

    def hear(self, choice: np.ndarray | None) -> None:
        """Of a plan [U] that keeps every hard row."""
        if choice is None or not self.core.objective(choice) > self.value:
            return
        self.choice, self.value = choice, self.core.objective(choice)
        taken = np.zeros(self.core.options, dtype=np.uint8)
        taken[choice[choice >= 0]] = 1
        for place, rep in enumerate(self.reps):
            if not rep.all:
                self._add(place, rep, taken[rep.option][None, :])

    def begin(self, late: Callable[[], bool] = lambda: False, threads: int = 1) -> None:
        """Prices that prove more than those of the books, and first triples, until it is `late`, on so many threads."""
        self.late = late
        with suppress(StuckError), ThreadPoolExecutor(threads) as pool:
            self.map = pool.map if threads > 1 else map
            self._price(self.centre)
            self._tighten()
            for _ in range(SOON):
                if self.over() or late() or not self._cut():
                    break
                self._tighten()
        self.map = map

    def prove(self, latest: Callable[[], np.ndarray | None]) -> None:
        """After `begin`, bring the bound down, to the best plan where all books that count can be listed and searched.
        `latest()` is the best plan [U] that has been found meanwhile."""
        able = False
        if self.searched or not np.isfinite(self.bound):
            return
        self.late = lambda: False
        with suppress(StuckError):
            able = self._list_all(latest)
        if able and not self.over():
            self._note()
            with suppress(StuckError):
                self._search()

    def listing(self) -> Listing | None:
        """What proves the bound so far; None where there is none."""
        if not self.searched:
            self._note()
        if not self.steps:
            return None
        need = np.zeros((len(self.needs), len(self.core.is_open)))
        need[:, [rep.rep for rep in self.reps]] = self.needs
        return listing_of(need, self.program.triples, self.steps)

    def _list_all(self, latest: Callable[[], np.ndarray | None]) -> bool:
        """Tighten prices, and add triples, until all books that count are listed, and few enough; whether they are."""
        opened = [self.open]
        for _ in range(ROUNDS):
            self.hear(latest())
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
            if not stalls and self._cut():
                continue
            if listed or self.most >= MOST_STEPS:
                return listed and count * self.core.options <= MOST_CELLS
            self.tried = np.inf  # nothing is left but more steps
        return False

    def _search(self) -> None:
        """A tree over the books that are left."""
        assert self.choice is not None
        tree = Tree(Listed(self.core, self.lister, self.reps), self.program.triples, self.centre, self.over)
        begun = len(self.steps)
        choice, bound = tree.search(self.choice, self.open)
        self.hear(choice)
        if np.isfinite(bound):
            for node in tree.nodes:
                above = begun - 1 if node.parent < 0 else begun + node.parent
                self.steps.append(Part(above, node.option, node.inside, node.duals))
            self.bound, self.searched = min(self.bound, max(bound, self.value)), True

    def _tighten(self) -> None:
        """Prices that prove more, until the program says that there are none."""
        self._pass()
        self._learn()

    def _pass(self) -> None:
        """Pass after pass: the program's prices tried, between them and the best ones first, and books added that they find."""
        share = CENTRE
        for _ in range(PASSES):
            worth, duals = self.program.solve()
            listed, boxed = all(rep.all for rep in self.reps), self.program.boxed
            window = WINDOW * (self.open if listed else self.bound - worth)
            better, added = self._price(duals if listed or not share else self.centre.towards(duals, share), window)
            if self.over() or self.late():
                return
            done = not added if listed else self.bound - worth <= CLOSE * min(self.open, UNKNOWN * abs(self.bound))
            if not done and (added or (better and not listed)):
                continue
            if not done and not listed and share:
                share = 0.0
            elif boxed:
                self.program.widen()
                share = CENTRE
            else:
                return

    def _price(self, duals: Duals, window: float = 0.0) -> tuple[bool, bool]:
        """Work out the bound at these prices: whether it is the best, and whether books were added to the program, such as are
        worth no more than the window less than their rep's best. Where books found soon are worth too much already, the best are
        not looked for."""
        worths = [self.lister.reduced(rep, duals) for rep in self.reps]
        tops, added = np.array([worth.max(initial=-np.inf) for worth in worths]), False
        for place, rep in enumerate(self.reps):
            if rep.all:
                worth = worths[place]
                some = np.flatnonzero((worth > tops[place] - window) & ~rep.known)
                some = some[np.argsort(-worth[some], kind="stable")[:BEST]]
                rep.known[some] = True
                self.program.add(place, rep.books[some], rep.worth[some], rep.twice[:, some])
                added |= len(some) > 0
        proved, triples = tops.copy(), self.program.triples
        sought = [place for place, rep in enumerate(self.reps) if not rep.all]
        for most in (QUICK, SOUGHT):

            def seek(place: int, most: int = most) -> tuple[np.ndarray, float]:
                rep, need = self.reps[place], tops[place] - window
                return self.lister.list(rep, duals, triples, need, max(window, 1e-9), most, BEST)

            for place, (found, top) in zip(sought, self.map(seek, sought), strict=True):
                if self.over():
                    return False, False
                added |= self._add(place, self.reps[place], found)
                tops[place] = self.lister.reduced(self.reps[place], duals).max(initial=-np.inf)
                proved[place] = max(tops[place], top)
            sought = [place for place in sought if np.isinf(proved[place])]
            if self.lister.of_all(duals, tops) >= self.bound:
                return False, added
        if np.isneginf(proved).any() and not self.steps:
            raise StuckError  # no book of some rep was found
        bound = self.lister.of_all(duals, proved)
        if bound < self.bound:
            self.bound, self.centre, self.tops = bound, duals, proved
            self.program.centre(duals)
            return True, added
        return False, added

    def _add(self, place: int, rep: RepBooks, books: np.ndarray) -> bool:
        """Hold and use books [N, k] that are new; whether there were any."""
        known = {book.tobytes() for book in rep.books}
        new = [i for book, i in {book.tobytes(): i for i, book in enumerate(books)}.items() if book not in known]
        books = books[new]
        if not len(books):
            return False
        worth, twice = rep.worths(self.core, books), rep.two_of(books, self.program.triples)
        rep.books, rep.worth = np.concatenate([rep.books, books]), np.append(rep.worth, worth)
        rep.twice = np.concatenate([rep.twice, twice], axis=1)
        rep.known = np.append(rep.known, np.ones(len(books), dtype=bool))
        self.program.add(place, books, worth, twice)
        return True

    def _list(self) -> None:
        """List all books that count, at the best prices, of reps of whom that has not been done, where it can be."""
        todo = [place for place, rep in enumerate(self.reps) if not rep.all]
        if self.open > AGAIN * self.tried or not todo or not np.isfinite(self.bound):
            return
        self.tried = self.open
        triples, most = self.program.triples, min(LISTED, self.most // len(todo))
        self.most = min(MORE * self.most, MOST_STEPS)
        need = self._least()
        beyond = (need - self.tops).sum()  # the others' best count for a little more where this is recomputed
        some = self.tops - (1 + 1e-6) * self.open - beyond
        for place in todo:
            rep = self.reps[place]
            books, top = self.lister.list(rep, self.centre, triples, float(some[place]), np.inf, most, MOST_BOOKS)
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

    def _cut(self) -> bool:
        """Add triples that the program's solution exceeds; whether there were any."""
        taken = [(self.reps[place].unit[book > 0], share) for place, book, share in self.program.taken()]
        triples = exceeded(self.core.units, taken, self.program.triples)
        if not len(triples):
            return False
        self.program.cut(triples)
        for rep in self.reps:
            rep.twice = np.concatenate([rep.twice, rep.two_of(rep.books, triples)])
        self.centre = self.centre.padded(len(self.program.triples))
        return True
