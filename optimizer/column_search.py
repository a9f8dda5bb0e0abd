"""Books of reps, sought at prices that prove more and more (column generation); for small problems with small books."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np

from optimizer.book_trees import Books
from optimizer.column_program import Program, StuckError
from optimizer.columns import BEST, QUICK, SOUGHT, Duals, Lister, RepBooks
from optimizer.core import Core
from optimizer.parting import MORE_STEPS, STEPS, TRIED, falls, unsure
from optimizer.triples import exceeded

#: of the value, what is taken to be open where no plan is known
UNKNOWN = 1e-3
#: books are near the best of their rep that are worth less by this share of the bound
NEAR = 2e-4
#: prices are near enough when the program is worth so much of what is open less than the bound; the share of the best prices
#: in those tried next; books kept are within this share of what is open
CLOSE, CENTRE, WINDOW = 0.1, 0.6, 0.05
#: options to part at that are tried for more steps
TRIED_MORE = 6
#: passes over all reps in one go, and rounds of triples before there is a plan
PASSES, SOON = 120, 6


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
        self.floor = -np.inf  # what is taken to be known of plans, whether one is or not
        self.late: Callable[[], bool] = lambda: False
        self.map: Callable[..., Iterable[tuple[np.ndarray, float]]] = map
        self.threads = 1
        self.centre = self.lister.admissible(Duals(books.unit_prices, books.prices, np.zeros(0)))
        self.fixed: tuple[tuple[int, bool], ...] = ()  # (option, whether plans of this part have it)
        self.restart(np.zeros((0, 3), dtype=np.int64))

    def restart(self, triples: np.ndarray) -> None:
        """Begin with the books of the reps that are known, the best prices, and triples; nothing is proved yet."""
        self.bound, self.tops = np.inf, np.zeros(len(self.reps))
        self.program = Program(self.core, self.lister, self.reps)
        self.program.cut(triples)
        self.program.centre(self.centre)
        for place, rep in enumerate(self.reps):
            self.program.add(place, rep.books[rep.known], rep.worth[rep.known], rep.twice[:, rep.known])

    @property
    def open(self) -> float:
        """What lies between the bound and the best plan, or the floor where that is more."""
        if self.choice is None and np.isneginf(self.floor):
            return UNKNOWN * abs(self.bound) if np.isfinite(self.bound) else 0.0
        known = max(self.value, self.floor)
        return max(self.bound - known, 1e-9 * abs(known))

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
        if any((choice[self.core.unit[option]] == option) != inside for option, inside in self.fixed):
            return
        taken = np.zeros(self.core.options, dtype=np.uint8)
        taken[choice[choice >= 0]] = 1
        for place, rep in enumerate(self.reps):
            if not rep.all:
                self._add(place, rep, taken[rep.option][None, :])

    def begin(self, late: Callable[[], bool] = lambda: False, threads: int = 1) -> None:
        """Prices that prove more than those of the books, and first triples, until it is `late`, on so many threads."""
        self.late, self.threads = late, threads
        with suppress(StuckError), ThreadPoolExecutor(threads) as pool:
            self.map = pool.map if threads > 1 else map
            self._price(self.centre)
            self._tighten()
            for _ in range(SOON):
                if self.over() or late() or not self._cut():
                    break
                self._tighten()
        self.map = map

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
            if self.over() or self.late() or self.bound <= max(self.value, self.floor):
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
                if self.over() or self.late():
                    return False, False
                added |= self._add(place, self.reps[place], found)
                tops[place] = self.lister.reduced(self.reps[place], duals).max(initial=-np.inf)
                proved[place] = max(tops[place], top)
            sought = [place for place in sought if np.isinf(proved[place])]
            if self.lister.of_all(duals, tops) >= self.bound:
                return False, added
        if np.isneginf(proved).any() and not all(rep.all for rep in self.reps):
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

    def fork(self, value: float) -> tuple[int, bool]:
        """The option at which plans are best parted, of those that the program takes in part, or else such as books near the best
        have; and whether plans with it are worth more. What it is worth with each and without it is nearest to the value, of many
        after a few steps of the simplex, of the best of these after more. -1 where there is none."""
        options = unsure(self.share)
        options = (options if len(options) else np.flatnonzero(self.pool & (self.share < 1e-5)))[:TRIED]
        worths = np.zeros((0, 2))
        for steps, most in ((STEPS, TRIED_MORE), (MORE_STEPS, 1)):
            worths = np.array(self.program.worths(self._sides(options), steps, self.over)).reshape(-1, 2)
            order = np.argsort(-falls(self.bound, value, worths), kind="stable")[:most]
            options, worths = options[order], worths[order]
        self.program.allow(np.ones(len(self.program.held), dtype=bool))
        return (int(options[0]), bool(worths[0, 0] >= worths[0, 1])) if len(options) else (-1, False)

    def _sides(self, options: np.ndarray) -> Iterable[np.ndarray]:
        """Which books of the program [N] plans may hold that have each option, and which those without it."""
        held, core = self.program.held, self.core
        holds, serves = np.zeros((len(held), core.options), dtype=bool), np.zeros((len(held), core.units), dtype=bool)
        for j, (place, book) in enumerate(held):
            option = self.reps[place].option[book > 0]
            holds[j, option] = serves[j, core.unit[option]] = True
        rep = np.array([self.reps[place].rep for place, _ in held])
        for option in options.tolist():
            yield np.where(rep == core.rep[option], holds[:, option], ~serves[:, core.unit[option]])
            yield ~holds[:, option]

    def _cut(self) -> bool:
        """Add triples that the program's solution exceeds; whether there were any."""
        taken = [(self.reps[place].unit[book > 0], share) for place, book, share in self.program.taken()]
        triples = exceeded(self.core.units, taken, self.program.triples)
        if not len(triples):
            return False
        self._add_triples(triples)
        return True

    def _add_triples(self, triples: np.ndarray) -> None:
        if not len(triples):
            return  # the best prices stay the ones that are noted
        self.program.cut(triples)
        for rep in self.reps:
            rep.twice = np.concatenate([rep.twice, rep.two_of(rep.books, triples)])
        self.centre = self.centre.padded(len(self.program.triples))
