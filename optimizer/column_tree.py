"""Branch and bound over listed books: an option is in its rep's book, or it is not (Ryan and Foster 1981)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.column_program import Program
from optimizer.columns import Duals
from optimizer.listed import Listed
from optimizer.listing import Listing

#: options tried before one is chosen to branch on
TRIED = 6
#: steps of the simplex where an option is tried
STEPS = 100
#: passes of adding books to the program where an option is tried and else, so many in one; a book is worth that
TRIAL, PASSES, MORE, SLIGHT = 4, 30, 200, 1e-6
#: how far prices may move, in what is open at first
FAR = 100.0
#: a part is done when its bound is no more than this share of the plan's value above it; there are no more parts than that
SETTLED, MOST_PARTS = 2e-7, 2_000


@dataclass(slots=True, eq=False)
class Part:
    """What is left of the `parent` (an earlier node; -1: all) with an option or without it (-1: no option), at its prices."""

    parent: int
    option: int
    inside: bool
    duals: Duals


def listing_of(need: np.ndarray, triples: np.ndarray, parts: list[Part]) -> Listing:
    """Parts written down, with what is sought at the first of them, `need` [F, M], and all triples [C, 3]."""
    prices = [part.duals.padded(len(triples)) for part in parts]
    return Listing(
        need=need,
        triples=triples,
        parent=np.array([part.parent for part in parts]),
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
        self.program = Program(self.core, listed.lister, self.reps)
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
        parts = [(np.ones(len(self.listed.place), dtype=bool), -1, -1, False)]
        while parts:
            able, above, at, inside = parts.pop()
            if self.over() or len(self.nodes) > MOST_PARTS:
                return best, np.inf
            bound, less, share, duals = self._solved(able, value)
            self.nodes.append(Part(above, at, inside, duals))
            if bound <= _settled(value):
                proved = max(proved, bound)
                continue
            able, node = able & (less >= -(bound - value)), len(self.nodes) - 1
            often = share @ self.listed.item
            unsure = np.flatnonzero((often > 1e-5) & (often < 1 - 1e-5))
            if not len(unsure):
                found = np.full(self.core.units, -1, dtype=np.int64)
                whole = np.flatnonzero(often > 0.5)
                found[self.core.unit[whole]] = whole
                if not (self.core.feasible(found) and self.core.objective(found) > value):
                    return best, np.inf  # what the program says is no plan: nothing is proved
                best, value = found, self.core.objective(found)
                parts.append((able, node, -1, False))
                continue
            unsure = unsure[np.argsort(np.abs(often[unsure] - 0.5), kind="stable")]
            option, first = self._chosen(able, bound, value, unsure)
            for inside in (not first, first):
                parts.append((able & self.listed.part(option, inside), node, option, inside))
        return best, max(value, proved)

    def _chosen(self, able: np.ndarray, bound: float, value: float, unsure: np.ndarray) -> tuple[int, bool]:
        """The option whose two parts bring bounds down most, and whether the part with it comes down less: that comes first."""
        best, chosen, least = -1.0, int(unsure[0]), 1e-6 * max(bound - value, 1e-9 * abs(value))
        first = True
        self.program.hurry(STEPS)
        for option in unsure[:TRIED].tolist():
            inside, outside = (
                self._solved(able & self.listed.part(option, here), value, TRIAL)[0] for here in (True, False)
            )
            falls = [max(least, min(bound - fallen, bound - value)) for fallen in (inside, outside)]
            if falls[0] * falls[1] > best:
                best, chosen, first = falls[0] * falls[1], option, inside >= outside
            if max(inside, outside) <= _settled(value):
                break
        self.program.hurry(None)
        return chosen, first

    def _solved(
        self, able: np.ndarray, value: float, passes: int = PASSES
    ) -> tuple[float, np.ndarray, np.ndarray, Duals]:
        """A bound on plans of the books that are true in `able` [N], near enough to prove them no better than `value` or the
        best after so many passes; how much each is worth less than its rep's best at the prices of that; the program's
        solution [N]; and those prices."""
        place, reps = self.listed.place, len(self.reps)
        best, less, share, at = np.inf, np.zeros(len(able)), np.zeros(len(able)), self.centre
        here = np.zeros(reps, dtype=np.int64)
        np.add.at(here, place[self.used[able[self.used]]], 1)
        missing = np.flatnonzero(able & (here == 0)[place])
        self._use(np.sort(missing[np.unique(place[missing], return_index=True)[1]]))
        for _ in range(passes):
            self.program.allow(able[self.used])
            duals = self._whole(self.program.solve()[1])
            bound, below = self.listed.bound(duals, able)
            share = np.zeros(len(able))
            share[self.used] = self.program.shares
            if bound < best:
                best, less, at = bound, below, duals
            if best <= _settled(value) or self.over():
                break
            known = np.full(reps, -np.inf)
            np.maximum.at(known, place[self.used], below[self.used])
            more = below > known[place] + SLIGHT * max(1.0, bound - value)
            more[self.used] = False
            new = np.flatnonzero(more)
            if not len(new):
                break
            new = new[np.argsort(-(below - known[place])[new], kind="stable")[:MORE]]
            self._use(np.sort(new))
        return best, less, share, at

    def _whole(self, duals: Duals) -> Duals:
        """With prices of all triples, those that are not in the program at 0."""
        triple = np.zeros(len(self.centre.triple))
        triple[self.paid] = duals.triple
        return Duals(duals.unit, duals.row, triple)


def _settled(value: float) -> float:
    return value + SETTLED * max(1.0, abs(value))
