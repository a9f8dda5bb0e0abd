"""Small problems to their end: plans among the books that are sought, then proofs, while better plans are looked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from optimizer.annealing import Annealing, Best
from optimizer.books import SOON_LISTED
from optimizer.column_proof import ColumnProof
from optimizer.crew import Crew
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Engine, Limits, Progress, claim_of
from optimizer.fields import Field
from optimizer.listing import PROVE_OPTIONS
from optimizer.patches import Patches
from optimizer.proof import Proof, Stage, agrees, prove, thinned
from optimizer.reduced import Reduced, reduce

#: an option is taken for sure that the program of books takes to this share; or, in a wider look, to that
SURE = (0.9, 0.999)
#: share of the time left for prices of books sought, where a proof is tried and where none is
BEGUN = (0.12, 0.06)
#: share of the time left for plans among the options of the books sought
PLANNED = 0.2
#: with no more than this share of the value open books can be listed; where options are few, and books of so many accounts,
#: whatever is open: plans are looked for beside it, where there are threads
LISTABLE, SHORT = 7e-4, 30
#: a proof is tried where no more options than this, and so many more for each second left, may be in a better plan
REACH, REACH_SECOND = 800, 1.0
#: with no more options than this left an exact engine proves soon
FEW = 450
#: with no more than this share of the value open, and something proved by books listed, both threads prove; seconds between
#: questions whether they have
SETTLING, PAUSE = 4e-4, 0.1
#: share of the limit for each way of looking for better plans beside a proof, and among the options of books sought
ALTERNATE, ALTERNATE_BOOKS = 0.06, 0.15
#: options looked at around the best plan, at first; so many times as many next where that was done to the end, and else; how far
#: chance moves a unit that is taken for sure among those that are not
AROUND, MORE, FEWER, CHANCE = 120, 1.25, 0.8, 0.4
#: looks around the best plan, less one, for each by annealing
TURNS = 3


class Endgame:
    """One small problem, as far as `best` knows it. `patches` makes what solves parts of a plan again."""

    def __init__(
        self, provers: tuple[Callable[[], Engine], ...], field: Field, limits: Limits, dual: Dual, best: Best,
        patches: Callable[[Limits], Patches],
    ) -> None:  # fmt: skip
        self.provers, self.field, self.limits = provers, field, limits
        self.dual, self.best, self.patches = dual, best, patches
        self.columns: ColumnProof | None = None
        self.turns, self.around, self.rng = 0, float(AROUND), np.random.default_rng(limits.seed)
        self.tried, self.done = threading.Event(), threading.Event()

    @property
    def stages(self) -> tuple[Stage, ...]:
        """What leaves options out."""
        return (self.dual.prices,) if self.dual.books is None else (self.dual.prices, self.dual.books)

    def over(self) -> bool:
        """Whether to stop, as when books listed prove enough; what they prove is told at once."""
        if self.columns is not None:
            self.best.lower(max(self.columns.lowest, self.best.value))
        over = self.best.over() or self.done.is_set() or self.listed
        if over and self.columns is not None:
            self.columns.lister.stop[0] = 1
        return over

    def begin(self) -> None:
        """Books sought at prices that prove more than the dual's, and, where a proof is tried, plans among the options that
        these have."""
        core = self.best.core
        if self.dual.books is None or core.is_open.any():
            return
        self.columns = ColumnProof(core, self.dual.books, self.over)
        larger = core.options > PROVE_OPTIONS
        seconds = BEGUN[larger] * self.limits.left()
        until = self.limits.elapsed() + seconds
        with self.columns.lister.ending(seconds):
            self.columns.begin(lambda: self.limits.elapsed() > until, self.limits.threads)
        if self.over() or self._at_once or larger:
            return
        end, done = self.limits.elapsed() + PLANNED * self.limits.left(), threading.Event()
        with ThreadPoolExecutor(1) as pool:
            beside = [pool.submit(self._among, SURE[1], end, done)] if self.limits.threads > 1 else []
            self._among(SURE[0], end, done)
            done.set()
            for other in beside:
                other.result()

    def _among(self, taken: float, end: float, done: threading.Event) -> bool:
        """The best plan of options that books near the best have, where units have those that are `taken` to this share, until
        `end` or until something else is `done`; whether there is none better."""
        core, columns = self.best.core, self.columns
        assert columns is not None
        sure, fixed = columns.share > taken, np.zeros(core.units, dtype=bool)
        fixed[core.unit[sure]] = True
        keep = columns.pool & (sure | ~fixed[core.unit])
        everybody, nobody = np.ones(core.units, dtype=bool), np.full(core.units, -1, dtype=np.int64)
        return self._solved(reduce(core, nobody, everybody, np.flatnonzero(keep)), end, done)

    def _near(self) -> None:
        """A better plan around the best, where that is least like what the program takes: its units there may take any option of
        books near the best (Danna, Rothberg and Le Pape 2005)."""
        core, choice, columns = self.best.core, self.best.choice, self.columns
        assert columns is not None and choice is not None
        share, keep, served = columns.share, columns.pool.copy(), choice >= 0
        keep[choice[served]] = True
        sure = np.where(served, share[choice], 1 - np.bincount(core.unit, share, core.units))
        order = np.argsort(sure + CHANCE * self.rng.random(core.units), kind="stable")
        options = np.cumsum(np.bincount(core.unit[keep], minlength=core.units)[order])
        free = np.zeros(core.units, dtype=bool)
        free[order[options <= self.around]] = True
        ended = self._solved(reduce(core, choice, free, np.flatnonzero(keep)), self._soon(ALTERNATE), self.done)
        self.around *= MORE if ended else FEWER

    def _solved(self, part: Reduced, end: float, done: threading.Event) -> bool:
        """Offer the best plans of a part until `end` or until something else is `done`; whether there is none better."""
        if not part.core.options:
            return True
        best = self.best

        def heard(progress: Progress) -> bool:
            if progress.choice is not None:
                best.offer(part.lift(progress.choice))
            return self.over() or done.is_set()

        some = replace(self.limits, time_limit=end, threads=1, gap=0.0)
        answer = self.provers[-1]().solve(
            part.core, some, heard, None if best.choice is None else part.part(best.choice)
        )
        if answer.choice is not None:
            best.offer(part.lift(answer.choice))
        return answer.claim != "none"

    def answer(self) -> Answer:
        """What is known, and what books prove."""
        listing = None if self.columns is None else self.columns.listing()
        bound = np.inf if listing is None else self.best.proved
        if self.listed:
            return Answer(self.best.choice, bound, "optimal", listing=listing)
        return replace(self.best.answer(), bound=bound, listing=listing)

    @property
    def in_reach(self) -> bool:
        """Whether what may be in a better plan is little enough for a proof."""
        if self._at_once or (self.columns is not None and self.best.near(LISTABLE)):
            return True
        return self.left <= REACH + REACH_SECOND * self.limits.left()

    @property
    def _at_once(self) -> bool:
        """Whether books are listed before there is a good plan."""
        core, columns = self.best.core, self.columns
        if columns is None or self.limits.threads == 1 or core.options > SOON_LISTED:
            return False
        return core.units <= SHORT * len(columns.reps) and bool(np.isfinite(columns.bound))

    @property
    def left(self) -> int:
        """How many options may be in a better plan."""
        thin = thinned(self.best.core, self.best.value, self.stages)
        return 0 if thin.empty else thin.core.options

    @property
    def listed(self) -> bool:
        """Whether books listed prove that nothing is better than the best plan."""
        return self.columns is not None and claim_of(self.best.value, self.best.proved) == "optimal"

    def prove(self) -> Answer:
        """The best plan and a proof: by books listed, while better plans are looked for; where these are too many, or few options
        are left, by the last exact engine, which begins with the best plan, and of others where it claims proof."""
        self.best.phase = "proof"
        several, found = self.limits.threads > 1, None
        with ThreadPoolExecutor(1) as pool:
            beside = [pool.submit(self._beside)] if several else []
            try:
                if not several:
                    self._list()
                while several and not (self._settling or self.tried.is_set() or self.over()):
                    self._look()
                if several and self.columns is not None:
                    self._lend(self.columns.crew)
                if not (self.over() or self.listed):
                    found = self._searched(several)
            finally:
                self.done.set()
                for other in beside:
                    other.result()
        answer = self.answer()
        if found is None or self.listed:
            return answer
        return replace(found, bound=min(found.bound, answer.bound), listing=answer.listing)

    @property
    def _settling(self) -> bool:
        """Whether a thread is of more use to the proof than to the plan."""
        return (self.columns is not None and self.best.near(SETTLING)) or self.left <= FEW

    def _lend(self, crew: Crew) -> None:
        """This thread to the proof by books listed, until that has been tried."""
        crew.join()
        while not (self.over() or self.tried.wait(PAUSE)):
            pass
        crew.leave()

    def _searched(self, several: bool) -> Answer:
        """What the last exact engine proves, and others, on one thread of several."""
        best = self.best
        assert best.choice is not None

        def heard(progress: Progress) -> bool:
            if progress.choice is not None:
                best.offer(progress.choice)
            return best.heard(progress) or self.listed

        exact = self.provers[-1]().proving() if several else self.provers[-1]()
        proof = prove(best.core, best.choice, self.stages, exact, self.limits, heard, lambda: best.choice)
        agreed = proof.claim == "optimal" and not self.listed and self.agreed(proof, exact)
        choice = best.choice if best.value > proof.value else proof.choice  # found when the proof had ended
        return Answer(choice, proof.bound, proof.claim, proof.stopped, agreed)

    def agreed(self, proof: Proof, exact: Engine) -> bool:
        """Whether another exact engine proves the same, unless books listed do."""

        def over(_: Progress) -> bool:
            return self.best.over() or self.listed

        others = (prover() for prover in (self.provers[0], *self.provers[:0:-1]))
        return any(o.name != exact.name and agrees(self.best.core, proof, o, self.limits, over) for o in others)

    def _beside(self) -> None:
        """On one thread while another proves: books listed, then better plans, and books again where these leave less open."""
        self._list()
        self.tried.set()
        while not self.over():
            value = self.best.value
            while not self.over() and self.best.value <= value:
                self._look()
            self._list()

    def _list(self) -> None:
        """A proof by books listed."""
        if self.columns is not None:
            self.columns.prove(lambda: self.best.choice, self.best.offer)
            if self.columns.choice is not None:
                self.best.offer(self.columns.choice)
            self.over()

    def _look(self) -> None:
        """For better plans, on one thread and by turns: among the options of the books sought, if that has not been done yet;
        around the best plan; and many annealings, what they have, crossed, and parts."""
        best, limits = self.best, replace(self.limits, threads=1, seed=self.limits.seed + 1)
        self.limits = replace(self.limits, seed=limits.seed)
        turn, self.turns = self.turns, self.turns + 1
        if self.columns is not None and (best.choice is None or (turn == 0 and self._at_once)):
            self._among(SURE[0], self._soon(ALTERNATE_BOOKS), self.done)
            return
        if self.columns is not None and turn % TURNS:
            value = best.value
            self._near()
            self.turns -= best.value > value  # it may bring more
            return
        patches = replace(self.patches(limits), over=self.over)
        Annealing(limits, best).vary(self.field, self._soon(ALTERNATE), self.over)
        patches.cross(best.kept.best(), self._soon(ALTERNATE))
        assert best.choice is not None
        patches.improve(best.choice, self._soon(ALTERNATE))

    def _soon(self, share: float) -> float:
        """The end of a look of this share of the whole limit, at the latest that of the limit."""
        return min(self.limits.elapsed() + share * self.limits.time_limit, self.limits.time_limit)
