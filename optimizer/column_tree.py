"""Branch and bound over listed books: an option is in its rep's book, or it is not (Ryan and Foster 1981)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from time import sleep

import numpy as np

from optimizer.column_program import Program, StuckError
from optimizer.columns import Duals
from optimizer.crew import Crew
from optimizer.listed import Listed
from optimizer.parting import MORE_STEPS, STEPS, TRIED, falls, plan_of, unsure
from optimizer.steps import Part

#: options tried more than a little, with so many passes of adding books to the program
BEST, TRIAL = 3, 3
#: passes else, so many books added in one; a book is worth that
PASSES, MORE, SLIGHT = 30, 200, 1e-6
#: seconds until one looks again whether there is a part to bound
PAUSE = 0.01
#: how far prices may move, in what is open at first
FAR = 100.0
#: a part is done when its bound is no more than this share of the plan's value above it; there are no more parts than that
SETTLED, MOST_PARTS = 2e-7, 2_000


#: books (positions [n], in order) that are left to look at, of the part `parent`, `option` and `inside` of `Part`, and books that
#: its program begins with
Left = tuple[np.ndarray, int, int, bool, np.ndarray]
#: the best plan [U] that has been found meanwhile; who is told of a plan
Latest = Callable[[], np.ndarray | None]
Tell = Callable[[np.ndarray], None]


class Tree:
    """Parts are bounded side by side where threads of the `crew` are idle, each at a desk of its own. `best` [U] is the best
    plan, of those worth more than what is known, `value` what it or that is worth, `nodes` are the parts bounded so far.
    `latest()` is the best plan that others know, who are told of each found."""

    def __init__(
        self, listed: Listed, triples: np.ndarray, centre: Duals, over: Callable[[], bool], crew: Crew, latest: Latest,
        tell: Tell,
    ) -> None:  # fmt: skip
        self.over, self.core, self.listed, self.crew, self.latest, self.tell = (
            over,
            listed.core,
            listed,
            crew,
            latest,
            tell,
        )
        self.triples, self.centre = triples, centre
        self.nodes, self.desks, self.lock = list[Part](), list[Desk](), threading.RLock()
        self.left, self.proved, self.failed = list[Left](), -np.inf, False

    def search(self, choice: np.ndarray, open_: float, floor: float) -> tuple[np.ndarray, float]:
        """The best plan [U], from `choice` on, of those worth more than the `floor`, and a bound on all; inf where it was over
        before."""
        self.best, self.value, self.far = choice, max(floor, self.core.objective(choice)), FAR * open_
        begin = np.flatnonzero(np.concatenate([rep.known for rep in self.listed.reps]))
        self.left.append((np.arange(len(self.listed.place)), -1, -1, False, begin))
        helpers = list[Future[None]]()
        while self.left or not all(helper.done() for helper in helpers):
            if not self._one():
                sleep(PAUSE)  # a helper is at the last part, and may leave more
            helper = self.crew.lend(self._help) if len(self.left) > 1 else None
            helpers += [] if helper is None else [helper]
        for helper in helpers:
            helper.result()
        return self.best, np.inf if self.failed else max(self.value, self.proved)

    def _help(self) -> None:
        """Bound parts as long as some are left."""
        while self._one():
            pass

    def _one(self) -> bool:
        """Bound the part that was left last, and leave its own parts where that does not settle it; whether there was one."""
        with self.lock:
            self.failed |= self.over() or len(self.nodes) > MOST_PARTS
            if self.failed:
                self.left.clear()
            if not self.left:
                return False
            part = self.left.pop()
            desk = self.desks.pop() if self.desks else None
        self._hear(self.latest())
        desk = desk or Desk(self.listed, self.triples, self.centre, self.over, self.far)
        try:
            parts = self._parts(desk, *part)
        except StuckError:
            self.failed = True
        else:
            with self.lock:
                self.desks.append(desk)
                self.left += parts
        return True

    def _parts(self, desk: Desk, some: np.ndarray, above: int, at: int, inside: bool, begin: np.ndarray) -> list[Left]:
        """What is left of a part when it is bounded."""
        value = self.value
        desk.use(np.setdiff1d(begin, desk.used))
        bound, less, share, duals = desk.solved(some, value)
        with self.lock:
            node = len(self.nodes)
            self.nodes.append(Part(above, at, inside, duals))
            if bound <= settled(value):
                self.proved = max(self.proved, bound)
                return []
        some = some[less >= -(bound - value)]
        fork = desk.fork(some, bound, value, share)
        if not isinstance(fork, np.ndarray):
            option, first = fork
            sides = (not first, first)
            return [(self.listed.part(some, option, side), node, option, side, desk.used) for side in sides]
        # what the program says may be no plan: then nothing is proved
        self.failed |= not (self.core.feasible(fork) and self.core.objective(fork) > value)
        self._hear(fork)
        return [(some, node, -1, False, desk.used)]

    def _hear(self, choice: np.ndarray | None) -> None:
        """Of a plan [U], perhaps a better one."""
        if choice is None:
            return
        with self.lock:
            if self.core.objective(choice) > self.value and self.core.feasible(choice):
                self.best, self.value = choice, self.core.objective(choice)
                self.tell(choice)


class Desk:
    """A program of those books only that have been worth most at some prices (`used`, in its order), for one thread at a time;
    bounds are of all."""

    def __init__(
        self, listed: Listed, triples: np.ndarray, centre: Duals, over: Callable[[], bool], far: float
    ) -> None:
        self.over, self.core, self.listed, self.reps, self.centre = over, listed.core, listed, listed.reps, centre
        self.paid = np.flatnonzero(centre.triple > 0)
        self.program = Program(self.core, listed.lister, self.reps, primal=True)
        self.program.cut(triples[self.paid])
        self.program.centre(centre, far)  # prices may move far here
        self.twice = [rep.twice[self.paid] for rep in self.reps]
        self.used = np.zeros(0, dtype=np.int64)

    def use(self, columns: np.ndarray) -> None:
        """Add columns [·] in order to the program."""
        for place, rep in enumerate(self.reps):
            mine = columns[self.listed.place[columns] == place]
            at = mine - self.listed.first[place]
            self.program.add(place, rep.books[at], rep.worth[at], self.twice[place][:, at])
            self.used = np.append(self.used, mine)

    def fork(self, some: np.ndarray, bound: float, value: float, share: np.ndarray) -> tuple[int, bool] | np.ndarray:
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
        Many are tried a little, the best of these more; the program holds no books of other parts from here on."""
        self.used = self.used[self.program.keep(self._able(some))]
        tried, basis, here = options[:TRIED], self.program.basis, np.intersect1d(some, self.used)
        parts = ((option, inside) for option in tried.tolist() for inside in (True, False))
        worths = self.program.worths((self._able(self.listed.part(here, *part)) for part in parts), STEPS, self.over)
        scores, firsts = list[float](), list[bool]()
        self.program.hurry(MORE_STEPS)
        tried = tried[np.argsort(-falls(bound, value, worths), kind="stable")[:BEST]]
        for option in tried.tolist():
            fallen = []
            for inside in (True, False):
                self.program.begin_at(basis)
                fallen.append(self.solved(self.listed.part(some, option, inside), value, TRIAL)[0])
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

    def solved(
        self, some: np.ndarray, value: float, passes: int = PASSES
    ) -> tuple[float, np.ndarray, np.ndarray, Duals]:
        """A bound on plans of some books (positions [n], in order), near enough to prove them no better than `value` or the best
        after so many passes; how much each is worth less than its rep's best at the prices of that [n]; how much the program
        takes of each book used; and those prices."""
        place, reps = self.listed.place[some], len(self.reps)
        best, less, share, at = np.inf, np.zeros(len(some)), np.zeros(0), self.centre
        here = np.bincount(self.listed.place[self.used[self._able(some)]], minlength=reps)
        missing = np.flatnonzero((here == 0)[place])
        self.use(some[missing[np.unique(place[missing], return_index=True)[1]]])
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
            self.use(np.sort(some[new]))
        return best, less, np.where(share > 1e-9, share, 0.0), at

    def _whole(self, duals: Duals) -> Duals:
        """With prices of all triples, those that are not in the program at 0."""
        triple = np.zeros(len(self.centre.triple))
        triple[self.paid] = duals.triple
        return Duals(duals.unit, duals.row, triple)


def settled(value: float) -> float:
    """A bound that proves a plan of this value, or none better."""
    return value + SETTLED * max(1.0, abs(value))
