"""Branch and bound over listed books: an option is in its rep's book, or it is not (Ryan and Foster 1981)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.column_program import Program
from optimizer.columns import Duals
from optimizer.listed import Listed
from optimizer.listing import Listing
from optimizer.parting import MORE_STEPS, STEPS, TRIED, falls, plan_of, unsure

#: options tried more than a little, with so many passes of adding books to the program
BEST, TRIAL = 3, 3
#: passes else, so many books added in one; a book is worth that
PASSES, MORE, SLIGHT = 30, 200, 1e-6
#: how far prices may move, in what is open at first
FAR = 100.0
#: a part is done when its bound is no more than this share of the plan's value above it; there are no more parts than that
SETTLED, MOST_PARTS = 2e-7, 2_000


@dataclass(slots=True, eq=False)
class Part:
    """What is left of the `parent` (an earlier node; -1: all) with an option or without it (-1: no option), at its prices; where
    books of some reps are still sought there, such as are worth `need` [M']."""

    parent: int
    option: int
    inside: bool
    duals: Duals
    need: np.ndarray | None = None


def listing_of(reps: np.ndarray, everyone: int, triples: np.ndarray, parts: list[Part]) -> Listing:
    """Parts written down, those first where books are sought of some of the `everyone`, who are `reps` [M'], and all triples
    [C, 3]."""
    order = sorted(range(len(parts)), key=lambda at: parts[at].need is None)
    at = np.append(np.argsort(order), -1)
    parts = [parts[i] for i in order]
    needs = [part.need for part in parts if part.need is not None]
    need = np.zeros((len(needs), everyone))
    need[:, reps] = needs
    prices = [part.duals.padded(len(triples)) for part in parts]
    return Listing(
        need=need,
        triples=triples,
        parent=at[[part.parent for part in parts]],
        option=np.array([part.option for part in parts]),
        inside=np.array([part.inside for part in parts]),
        unit_prices=np.array([duals.unit for duals in prices]),
        row_prices=np.array([duals.row for duals in prices]),
        triple_prices=np.array([duals.triple for duals in prices]),
    )


class Tree:
    """The program has only those columns that have been worth most at some prices (`used`, in its order); bounds are of all.
    `nodes` are the parts bounded so far."""

    def __init__(self, listed: Listed, triples: np.ndarray, centre: Duals, over: Callable[[], bool]) -> None:
        self.over, self.core, self.listed, self.reps, self.centre = over, listed.core, listed, listed.reps, centre
        self.paid = np.flatnonzero(centre.triple > 0)
        self.program = Program(self.core, listed.lister, self.reps, primal=True)
        self.program.cut(triples[self.paid])
        self.twice = [rep.twice[self.paid] for rep in self.reps]
        self.used, self.nodes = np.zeros(0, dtype=np.int64), list[Part]()
        self._use(np.flatnonzero(np.concatenate([rep.known for rep in self.reps])))

    def _use(self, columns: np.ndarray) -> None:
        """Add columns [·] in order to the program."""
        for place, rep in enumerate(self.reps):
            mine = columns[self.listed.place[columns] == place]
            at = mine - self.listed.first[place]
            self.program.add(place, rep.books[at], rep.worth[at], self.twice[place][:, at])
            self.used = np.append(self.used, mine)

    def search(self, choice: np.ndarray, open_: float, floor: float) -> tuple[np.ndarray, float]:
        """The best plan [U], from `choice` on, of those worth more than the `floor`, and a bound on all; inf where it was over
        before."""
        self.program.centre(self.centre, FAR * open_)  # prices may move far here
        best, value, proved = choice, max(floor, self.core.objective(choice)), -np.inf
        parts = [(np.arange(len(self.listed.place)), -1, -1, False)]
        while parts:
            some, above, at, inside = parts.pop()
            if self.over() or len(self.nodes) > MOST_PARTS:
                return best, np.inf
            bound, less, share, duals = self._solved(some, value)
            self.nodes.append(Part(above, at, inside, duals))
            if bound <= settled(value):
                proved = max(proved, bound)
                continue
            some, node = some[less >= -(bound - value)], len(self.nodes) - 1
            fork = self._fork(some, bound, value, share)
            if isinstance(fork, np.ndarray):
                if not (self.core.feasible(fork) and self.core.objective(fork) > value):
                    return best, np.inf  # what the program says is no plan: nothing is proved
                best, value = fork, self.core.objective(fork)
                parts.append((some, node, -1, False))
                continue
            option, first = fork
            for inside in (not first, first):
                parts.append((self.listed.part(some, option, inside), node, option, inside))
        return best, max(value, proved)

    def _fork(self, some: np.ndarray, bound: float, value: float, share: np.ndarray) -> tuple[int, bool] | np.ndarray:
        """The option to part at, and whether the part with it comes first; the plan [U] where the program takes whole books."""
        often = self._often(share)
        options = unsure(often)
        return self._chosen(some, bound, value, options) if len(options) else plan_of(self.core, often)

    def _often(self, share: np.ndarray) -> np.ndarray:
        """[K] how much of each option is taken with so much of each book used."""
        often = np.zeros(self.core.options)
        for j in np.flatnonzero(share).tolist():
            often[self.listed.items(self.used[j])] += share[j]
        return often

    def _chosen(self, some: np.ndarray, bound: float, value: float, options: np.ndarray) -> tuple[int, bool]:
        """The option whose two parts bring bounds down most, and whether the part with it comes down less: that comes first.
        Many are tried a little, the best of these more."""
        tried, basis = options[:TRIED], self.program.basis
        parts = ((option, inside) for option in tried.tolist() for inside in (True, False))
        worths = self.program.worths((self._able(self.listed.part(some, *part)) for part in parts), STEPS, self.over)
        scores, firsts = list[float](), list[bool]()
        self.program.hurry(MORE_STEPS)
        tried = tried[np.argsort(-falls(bound, value, worths), kind="stable")[:BEST]]
        for option in tried.tolist():
            fallen = []
            for inside in (True, False):
                self.program.begin_at(basis)
                fallen.append(self._solved(self.listed.part(some, option, inside), value, TRIAL)[0])
            scores.append(float(falls(bound, value, fallen)[0]))
            firsts.append(fallen[0] >= fallen[1])
            if max(fallen) <= settled(value):
                break
        self.program.hurry(None)
        best = int(np.argmax(scores)) if max(fallen) > settled(value) else len(scores) - 1
        return int(tried[best]), firsts[best]

    def _able(self, some: np.ndarray) -> np.ndarray:
        """Which of the program's books are some of all (positions [n])."""
        able = np.zeros(len(self.listed.place), dtype=bool)
        able[some] = True
        return able[self.used]

    def _solved(
        self, some: np.ndarray, value: float, passes: int = PASSES
    ) -> tuple[float, np.ndarray, np.ndarray, Duals]:
        """A bound on plans of some books (positions [n], in order), near enough to prove them no better than `value` or the best
        after so many passes; how much each is worth less than its rep's best at the prices of that [n]; how much the program
        takes of each book used; and those prices."""
        place, reps = self.listed.place[some], len(self.reps)
        best, less, share, at = np.inf, np.zeros(len(some)), np.zeros(0), self.centre
        here = np.bincount(self.listed.place[self.used[self._able(some)]], minlength=reps)
        missing = np.flatnonzero((here == 0)[place])
        self._use(some[missing[np.unique(place[missing], return_index=True)[1]]])
        for _ in range(passes):
            usable = self._able(some)
            self.program.allow(usable)
            duals = self._whole(self.program.solve()[1])
            bound, below = self.listed.bound(duals, some)
            share = self.program.shares
            if bound < best:
                best, less, at = bound, below, duals
            if best <= settled(value) or self.over():
                break
            known, used = np.full(reps, -np.inf), np.searchsorted(some, self.used[usable])
            np.maximum.at(known, place[used], below[used])
            more = below > known[place] + SLIGHT * max(1.0, bound - value)
            more[used] = False
            new = np.flatnonzero(more)
            if not len(new):
                break
            new = new[np.argsort(-(below - known[place])[new], kind="stable")[:MORE]]
            self._use(np.sort(some[new]))
        return best, less, np.where(share > 1e-9, share, 0.0), at

    def _whole(self, duals: Duals) -> Duals:
        """With prices of all triples, those that are not in the program at 0."""
        triple = np.zeros(len(self.centre.triple))
        triple[self.paid] = duals.triple
        return Duals(duals.unit, duals.row, triple)


def settled(value: float) -> float:
    """A bound that proves a plan of this value, or none better."""
    return value + SETTLED * max(1.0, abs(value))
