"""What books prove that are listed (`optimizer.listing`), and searched as a tree: beside the best plan known, or, as long as that
is far from the bound, beside a value taken to be known. Where no plan is worth as much, that value is a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import replace
from functools import partial

import numpy as np

from optimizer.book_trees import Books
from optimizer.column_program import StuckError
from optimizer.column_search import WINDOW, ColumnSearch
from optimizer.column_tree import Latest, Tell, Tree, settled
from optimizer.columns import TIED
from optimizer.core import Core
from optimizer.crew import Crew
from optimizer.listed import Listed
from optimizer.listing import Listing
from optimizer.parting import plan_of, unsure
from optimizer.steps import Steps
from optimizer.triples import not_among

#: rounds of triples
ROUNDS = 60
#: steps, and books at most, where books of a rep are listed; those of a rep who takes more, or seems to after some, are parted
STEPS_EACH, HOPELESS, BOOKS_EACH = 24_000_000, 2_000_000, 300_000
#: so many books in all are searched as a tree; where triples do no more, so many
SEARCHED, MOST_SEARCHED = 20_000, 1_000_000
#: books are listed again when what is open has fallen to this share; so many rounds are worth while that leave this share of it
AGAIN, SOME, WORTH_WHILE = 0.85, 3, 0.9
#: of the distance of that plan, what a book kept is worth less than the best where books are listed anew
KEPT = 0.1
#: a plan is taken to be known that is worth this share of the bound less, at first, and so many times as much less each time;
#: anew where the bound has come so near to it
NEARBY, FARTHER, TOO_NEAR = 2.5e-4, 1.4, 0.3
#: before, rounds of triples go on as long as each brings the bound down by this share of that
ROUND = 0.12
#: the next such value is so much lower than the last at least, in what the first is from the bound
PROGRESS = 0.5
Fixed = tuple[tuple[int, bool], ...]


class ColumnProof(ColumnSearch):
    """Books sought, then listed. `lowest` is the bound that `listing` proves; `sought` are the best prices before that.
    Of parts, by what is `fixed`: the option they are `forked` at; what was open when a rep's books were too many (`failed`)."""

    def __init__(self, core: Core, books: Books, over: Callable[[], bool]) -> None:
        super().__init__(core, books, over)
        self.steps, self.tried, self.too_many, self.searched = Steps(), np.inf, False, False
        self.nearby, self.proved, self.sought = NEARBY, np.inf, self.centre
        self.last: Listing | None = None
        self.crew, self.lock = Crew(), threading.RLock()
        self.forked, self.failed = dict[Fixed, tuple[int, bool]](), dict[tuple[Fixed, int], float]()

    @property
    def lowest(self) -> float:
        """The lowest bound."""
        return min(self.bound, self.proved)

    def prove(self, latest: Latest, tell: Tell = lambda _: None) -> None:
        """After `begin`, bring the bound down, to the best plan where all books that count can be listed and searched.
        `latest()` is the best plan [U] that has been found meanwhile, by others or by what was told."""
        self.late, self.latest, self.tell = lambda: False, latest, tell
        with ThreadPoolExecutor(self.threads) as pool:
            self.map = pool.map if self.threads > 1 else map
            self._prove()
        self.map = map

    def _prove(self) -> None:
        self.hear(self.latest())
        able = np.isfinite(self.bound)
        if able and not self.searched and np.isneginf(self.floor):
            with suppress(StuckError):
                self._settle()
        while able and not self.searched and not self.over():
            able = False
            with suppress(StuckError):
                if self.bound - self.floor < TOO_NEAR * self.nearby * abs(self.bound) or np.isneginf(self.floor):
                    if self.steps.parts:
                        self._note()
                        self._keep_proof(max(self.bound, self.floor))
                    self._begin_anew()
                proved = self._prove_part() if np.isfinite(self.bound) else np.inf
                able = np.isfinite(proved)
                if able:
                    self._conclude(proved)

    def _settle(self) -> None:
        """Triples as long as they bring much, where no plan is near."""
        for _ in range(ROUNDS):
            self.hear(self.latest())
            size, before = self.nearby * abs(self.bound), self.bound
            if self.bound - self.value <= FARTHER * size or self.over() or not self._cut():
                return
            self._tighten()
            if before - self.bound < ROUND * size:
                return

    def _begin_anew(self) -> None:
        """Take a plan to be known a little below the bound, unless one is not much farther; nothing is listed beside it yet, and
        triples go that cost nothing where books were sought."""
        if any(rep.all for rep in self.reps):
            least = KEPT * self.nearby * abs(self.bound)
            for rep, top in zip(self.reps, self.tops, strict=True):
                if rep.all:
                    rep.keep(rep.known | (self.lister.reduced(rep, self.centre) >= top - least))
                    rep.all, rep.known[:] = False, True
            self.centre = self.sought
        triples, sought = self.program.triples, len(self.centre.triple)
        centre = self.centre.padded(len(triples))
        paid = centre.triple > 0
        paid[sought:] = True  # what later ones cost is not known
        self.centre = replace(centre, triple=centre.triple[paid])
        for rep in self.reps:
            rep.twice = rep.twice[paid]
        self.sought = self.centre
        self.restart(triples[paid])
        self._price(self.centre)
        size = self.nearby * abs(self.bound)
        floor = min(self.bound - size, self.proved - PROGRESS * size)
        self.floor = floor if self.bound - self.value > FARTHER * size and floor > self.value else -np.inf
        self.steps, self.tried, self.too_many = Steps(), np.inf, False

    def _conclude(self, proved: float) -> None:
        """Keep what is proved of all plans: the best one, or that none is worth as much as was taken to be known; that is a bound
        then, and less is taken."""
        if self.value >= self.floor:
            self.bound, self.searched = min(self.bound, max(proved, self.value)), True
            return
        self._keep_proof(proved)
        farther = self.bound - self.floor > self.nearby * abs(self.bound) / FARTHER
        self.nearby *= FARTHER if farther else 1.0
        self._begin_anew()

    def _keep_proof(self, proved: float) -> None:
        """Keep what proves most so far, for what comes next may prove less, or nothing in time."""
        if proved < self.proved:
            self.proved, self.last = proved, replace(self._listing(), goal=proved)

    def listing(self) -> Listing | None:
        """What proves the bound so far; None where there is none."""
        if not self.searched:
            if self.last is not None and self.proved <= self.bound:
                return self.last
            self._note()
        return self._listing() if self.steps.parts else None

    def _listing(self) -> Listing:
        listing = self.steps.listing([rep.rep for rep in self.reps], len(self.core.is_open), self.program.triples)
        return replace(listing, goal=self.floor) if self.floor > self.value else listing

    def _prove_part(self) -> float:
        """Prove that no plan of this part is worth more than the best, or the floor; a bound on them, inf where that failed."""
        done = self._list_all()
        if self.over() or self.choice is None:
            return np.inf
        known = max(self.value, self.floor)
        if self.bound <= settled(known):
            self._note()
            return max(self.bound, known)  # plans worth less may have books that are not listed
        return self._search() if done else self._prove_parts() if np.isfinite(self.bound) else np.inf

    def _prove_parts(self) -> float:
        """The same, where too many books count: of the part with an option, and of that without it."""
        self._note()
        self.program.solve()  # which has other books, or none of its solution left, since it was
        self._learn()
        if not len(unsure(self.share)):
            plan = plan_of(self.core, self.share)
            if self.core.feasible(plan) and self.core.objective(plan) > settled(max(self.value, self.floor)):
                self.hear(plan)
                self.tell(plan)
                return self._prove_part()
        parts, known = self._parts(), len(self.program.triples)
        proved = self.crew.both(*(partial(self._of_part, part, known) for part in parts)) if parts else (np.inf,)
        for part in parts if np.isfinite(max(proved)) else []:
            self.steps.take(part.steps, part.program.triples, self.program.triples)
        return max(proved)

    def _of_part(self, part: ColumnProof, known: int) -> float:
        """What is proved of a part, which had so many triples when it was made; what the parts before it have found counts in it,
        and what it finds in those after it."""
        with self.lock:
            part._add_triples(not_among(self.program.triples[known:], part.program.triples))
            part.hear(self.choice)
        proved = np.inf
        with suppress(StuckError):
            proved = part._prove_part()
        with self.lock:
            self.hear(part.choice)
            self._add_triples(not_among(part.program.triples[known:], self.program.triples))
        return proved

    def _parts(self) -> list[ColumnProof]:
        """Two parts, that with an option and that without it, of several that which brings down most what the program is worth;
        that first which is worth more; none where it is over, or there is no such option."""
        if self.fixed not in self.forked:
            self.forked[self.fixed] = self.fork(max(self.value, self.floor))
        option, first = self.forked[self.fixed]
        return [] if option < 0 or self.over() else [self._within(option, side) for side in (first, not first)]

    def _within(self, option: int, inside: bool) -> ColumnProof:
        """The same search, of plans that have an option, or that do not."""
        part = copy(self)
        part.fixed, part.lock = (*self.fixed, (option, inside)), threading.RLock()
        part.steps = self.steps.within(option, inside)
        part.reps = [rep.part(self.core, option, inside) for rep in self.reps]
        for rep in part.reps:
            if rep.all:
                worth = self.lister.reduced(rep, self.centre)
                rep.known |= worth >= worth.max(initial=-np.inf) - WINDOW * self.open
        part.restart(self.program.triples)
        part._price(part.centre)
        return part

    def _list_all(self) -> bool:
        """Tighten prices, and add triples, until all books that count are listed, and few enough; whether they are."""
        opened = [self.open]
        for turn in range(ROUNDS):
            self.hear(self.latest())
            if turn or self.fixed or not self.last:  # else prices sought beside another value are near enough
                self._tighten()
                self.hear(self.latest())
            if self.over() or self.choice is None or self.bound <= max(self.value, self.floor):
                return False
            if self.forked.get(self.fixed, (-1, False))[0] >= 0:
                return False  # parted beside a larger value, as books were too many
            self._list()
            listed = all(rep.all for rep in self.reps)
            count = self._dropped() if listed else 0
            if listed and count <= SEARCHED:
                return True
            opened.append(self.open)
            stalls = len(opened) > SOME and opened[-1] > WORTH_WHILE * opened[-1 - SOME]
            if stalls or (self.too_many and not listed) or not self._cut():
                return listed and count <= MOST_SEARCHED
        return False

    def _search(self) -> float:
        """The same, by a tree over the books that are left."""
        assert self.choice is not None
        listed = Listed(self.core, self.lister, self.reps)
        tree = Tree(listed, self.program.triples, self.centre, self.over, self.crew, self.latest, self.tell)
        choice, bound = tree.search(self.choice, self.open, self.floor)
        self.hear(choice)
        self.steps.take_tree(tree.nodes if np.isfinite(bound) else [])
        return bound

    def _list(self) -> None:
        """List all books that count, at the best prices, of reps of whom that has not been done, where it can be."""
        todo = [place for place, rep in enumerate(self.reps) if not rep.all]
        if self.open > AGAIN * self.tried or not todo or not np.isfinite(self.bound):
            return
        able = [place for place in todo if self.open < AGAIN * self.failed.get((self.fixed, place), np.inf)]
        self.tried, self.too_many, todo = self.open, len(able) < len(todo), able
        triples, need = self.program.triples, self._least()
        beyond = (need - self.tops).sum()  # the others' best count for a little more where this is recomputed
        some = self.tops - (1 + 1e-6) * self.open - beyond

        def books(place: int) -> tuple[np.ndarray, float]:
            rep, least = self.reps[place], float(some[place])
            return self.lister.list(rep, self.centre, triples, least, np.inf, STEPS_EACH, BOOKS_EACH, HOPELESS)

        for place, (found, top) in zip(todo, self.map(books, todo), strict=True):
            if self.over():
                return
            if top < np.inf:
                need[place] = some[place]
                self.reps[place].take(self.core, found, triples)
            else:
                self.failed[self.fixed, place], self.too_many = self.open, True
        if (need == some).any():
            self.sought = self.sought if any(rep.all for rep in self.reps) else self.centre
            self.steps.add(self.centre, need)
            for rep, done in zip(self.reps, need == some, strict=True):
                rep.all = rep.all or bool(done)

    def _least(self) -> np.ndarray:
        """[M'] what no book of a rep is worth at the best prices: a little more than the best, for ties are not to be listed."""
        size = np.array([4 * TIED * float(np.abs(self.core.value[rep.option]).sum()) for rep in self.reps])
        return self.tops + size

    def _note(self) -> None:
        """That the best prices prove what they do."""
        if np.isfinite(self.bound) and not self.steps.ended_at(self.centre):
            self.steps.add(self.centre, None if all(rep.all for rep in self.reps) else self._least())

    def _dropped(self) -> int:
        """How many books are left when those go that are in no better plan."""
        self._note()
        for place, rep in enumerate(self.reps):
            rep.keep(self.lister.reduced(rep, self.centre) >= self.tops[place] - self.open)
        return sum(len(rep.books) for rep in self.reps)
