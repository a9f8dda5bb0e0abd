"""What may be said of what an engine came back with: second opinions, bounds, status."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pandas as pd

from optimizer.book_bound import books_bound
from optimizer.certificate import BoundBy, bound
from optimizer.check import Report, judge
from optimizer.core import Core
from optimizer.engines import ENGINES
from optimizer.engines.base import Limits, Progress
from optimizer.errors import SolverError
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.process import Outcome
from optimizer.relax import conflicts, elastic
from optimizer.result import Conflict, Result, Status, StoppedBy

#: objective and bound are the same when they differ by no more than this share (as a row's tolerance)
SAME = 1e-6
#: where nothing is proved
NOTHING: tuple[float, BoundBy] = (float("nan"), "prices")
#: seconds for finding the smallest relaxation of an infeasible problem
RELAX_SECONDS = 10.0
#: seconds for recomputing what listed books prove, begun for somebody who has cancelled and waits; of others the share of the
#: limit at which no more are listed, which leaves what is begun the seconds beside the limit that a solve may take
HURRIED, LATE = 0.5, 1.1
PACKAGES = ("bookfit", "ortools", "highspy", "numpy", "scipy", "pandas", "numba")

Listener = Callable[[Progress], bool | None]
#: runs an engine on a core: (name, core, limits, listener, hint) → outcome
Runner = Callable[[str, Core, Limits, Listener | None, np.ndarray | None], Outcome]
Found = tuple[Plan, Report]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One solve: what was asked, and how to ask an engine again."""

    problem: Problem
    engine: str
    why: str
    limits: Limits
    run: Runner
    listener: Listener | None = None

    def conclude(self, outcome: Outcome) -> Result:
        """The result: the plan as `check` judges it, the best bound that can be stood by, and the status they allow."""
        found = self._accepted(outcome.choice)
        notes = [*outcome.notes, *self._short(outcome)]
        certified, certified_by = self._certified(outcome, None if found is None else found[1].objective, notes)
        if found is not None:
            return self._with_plan(outcome, found, (certified, certified_by), notes)
        if outcome.choice is not None:
            notes.append("the engine's plan did not pass the check and was dropped")
        if outcome.claim == "infeasible":
            if certified == -np.inf or self._second(None).claim == "infeasible":
                return self.infeasible(outcome, notes)
            notes.append(f"{self.engine} says no plan exists, but no second solver agreed in the time given")
        known = (certified, certified_by) if np.isfinite(certified) else NOTHING
        return self._result("NO_PLAN", outcome.stopped, None, known, outcome, notes)

    def _certified(self, outcome: Outcome, value: float | None, notes: list[str]) -> tuple[float, BoundBy]:
        """The lowest bound that can be recomputed without a solver, and by what: books where they prove more, and books listed
        where there is a plan of such a `value` and these prove more."""
        core = self.problem.core
        by_prices = bound(core, outcome.prices) if outcome.prices is not None else np.inf
        if outcome.books is None:
            return by_prices, "prices"
        try:
            by_books = books_bound(core, outcome.books)
        except ValueError as error:
            notes.append(f"the bound on whole books was dropped: {error}")
            return by_prices, "prices"
        more = by_books < by_prices and not (np.isfinite(by_prices) and same(by_books, by_prices))
        proved: tuple[float, BoundBy] = (by_books, "books") if more else (by_prices, "prices")
        if outcome.listing is None or value is None or not np.isfinite(by_books) or same(proved[0], value):
            return proved
        from optimizer.listed import listing_bound  # loads compiled loops, which few results need

        try:
            seconds = HURRIED if outcome.stopped == "user" else LATE * self.limits.time_limit - self.limits.elapsed()
            end = time.monotonic() + max(HURRIED, seconds)
            by_listing = listing_bound(core, outcome.listing, value, end)
        except ValueError as error:
            notes.append(f"the bound by listed books was dropped: {error}")
            return proved
        return (by_listing, "listing") if by_listing < proved[0] and not same(by_listing, proved[0]) else proved

    def infeasible(self, outcome: Outcome | None = None, notes: list[str] | None = None) -> Result:
        """The result where no plan exists, with the rules of the smallest relaxation found in some seconds more."""
        limits = replace(self.limits, time_limit=RELAX_SECONDS, gap=1e-4, started=time.time())
        relaxed = self.run("highs", elastic(self.problem), limits, self._tell("what would have to give way"), None)
        reasons = conflicts(self.problem, relaxed.choice) if relaxed.choice is not None else ()
        return self._result("INFEASIBLE", "proof", None, NOTHING, outcome, notes or [], reasons)

    def _with_plan(self, outcome: Outcome, found: Found, certified: tuple[float, BoundBy], notes: list[str]) -> Result:
        value = found[1].objective
        proved, bound_by = certified
        if proved < value and not same(proved, value):
            raise SolverError("the proved bound is below a plan that passed the check: please report this as a bug")
        optimal = same(proved, value)
        if outcome.bound < value and not same(outcome.bound, value):
            notes.append(f"{self.engine} claims a bound below its own plan; its bound was dropped")
        elif not optimal and not self.limits.met(proved, value) and outcome.bound < proved:
            if not same(outcome.bound, proved):
                proved, bound_by = outcome.bound, "search"
            if outcome.claim == "optimal" and same(outcome.bound, value):
                optimal = outcome.agreed or self._agrees(outcome, value)
                if not optimal:
                    notes.append(f"{self.engine} claims proof, but no second solver agreed in the time given")
        proved = max(proved, value) if same(proved, value) else proved
        status: Status = "OPTIMAL" if optimal else "FEASIBLE"
        return self._result(
            status, self._ended(outcome, optimal, proved, value), found, (proved, bound_by), outcome, notes
        )

    def _ended(self, outcome: Outcome, optimal: bool, proved: float, value: float) -> StoppedBy:
        if optimal:
            return "proof"
        if outcome.stopped in ("user", "memory", "error"):
            return outcome.stopped
        return "gap" if self.limits.met(proved, value) else outcome.stopped

    def _agrees(self, outcome: Outcome, value: float) -> bool:
        """A second exact engine proves the same optimum."""
        second = self._second(outcome.choice)
        return second.claim == "optimal" and same(second.bound, value)

    def _second(self, hint: np.ndarray | None) -> Outcome:
        """What the other exact engine says in the time that is left."""
        other = next(e.name for e in ENGINES if e.exact and e.name != self.engine)
        if self.limits.left() < 0.05:
            return Outcome(None, "none", np.inf, None, "time", ())
        return self.run(other, self.problem.core, replace(self.limits, gap=0.0), self._tell("second opinion"), hint)

    def _tell(self, phase: str) -> Listener | None:
        """A listener for a further run: it hears of the phase, not of that run's figures, and may still stop it."""
        heard = self.listener
        return None if heard is None else (lambda p: heard(Progress(p.seconds, phase=phase)))

    def _accepted(self, choice: np.ndarray | None) -> Found | None:
        """The plan and its judgement; None for no plan, or for one that `check` does not accept."""
        if choice is None:
            return None
        plan = self.problem.plan(choice)
        report = judge(self.problem.scores, self.problem.scenario.active, plan)
        return (plan, report) if report.ok else None

    def _short(self, outcome: Outcome) -> list[str]:
        """The hard rows that the engine's best try did not keep, by rule and row."""
        if not outcome.short or outcome.choice is not None:
            return []
        rows = self.problem.limits.iloc[list(outcome.short)]
        named = ", ".join(f"{rule} of {row}" for rule, row in zip(rows["rule"][:5], rows["row"][:5], strict=True))
        more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
        return [f"{self.engine} could not keep {named}{more}; a plan may exist all the same"]

    def _result(
        self,
        status: Status,
        stopped: StoppedBy,
        found: Found | None,
        proved: tuple[float, BoundBy],
        outcome: Outcome | None,
        notes: list[str],
        reasons: tuple[Conflict, ...] = (),
    ) -> Result:
        prices = outcome.prices if outcome is not None else None
        plan, report = found or (None, None)
        trace = pd.DataFrame(outcome.trace if outcome else (), columns=["seconds", "objective", "bound"]).astype(float)
        return Result(
            status=status,
            stopped_by=stopped,
            plan=plan,
            report=report,
            objective=report.objective if report else float("nan"),
            bound=proved[0],
            bound_by=proved[1],
            prices=prices if prices is not None else np.zeros(self.problem.core.rows),
            seconds=self.limits.elapsed(),
            engine=self.engine,
            why_engine=self.why,
            seed=self.limits.seed,
            versions=versions(),
            trace=trace,
            notes=tuple(notes),
            conflicts=reasons,
            currency=self.problem.scenario.currency,
            books=outcome.books if outcome is not None and proved[1] in ("books", "listing") else None,
            listing=outcome.listing if outcome is not None and proved[1] == "listing" else None,
        )


def same(proved: float, value: float) -> bool:
    """The bound is met: nothing better exists, within the stated tolerance."""
    return bool(abs(proved - value) <= SAME * max(1.0, abs(value)))


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    out = {}
    for name in PACKAGES:
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "source"
    return out
