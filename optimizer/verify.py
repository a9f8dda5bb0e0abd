"""Judge a kept run again: the plan by its rules, the bound by its prices or books. Imports no engine and no solver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from optimizer.book_bound import books_bound
from optimizer.book_trees import Books
from optimizer.certificate import BoundBy, bound
from optimizer.check import Report, judge
from optimizer.listing import Listing
from optimizer.plan import Plan
from optimizer.problem import Problem

if TYPE_CHECKING:
    from optimizer.store import Run


#: what a bound is recomputed from
RECOMPUTED = {"books": "prices of rows, accounts and books", "listing": "listed books"}


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What was recomputed. `bound` is what the prices or books prove (inf: nothing, as where books do not fit the
    problem); `claimed` and `bound_by` what the run says.

    A bound by search cannot be recomputed without a solver: the prices' own bound then stands beside it.
    """

    report: Report | None
    objective: float
    bound: float
    claimed: float
    bound_by: BoundBy
    objective_agrees: bool
    bound_agrees: bool

    @property
    def ok(self) -> bool:
        """The plan keeps every hard rule, and objective and bound are as the run says."""
        return (self.report is None or self.report.ok) and self.objective_agrees and self.bound_agrees

    def to_record(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": self.ok,
            "feasible": self.report is None or self.report.ok,
            "objective": self.objective,
            "bound": self.bound,
            "claimed_bound": self.claimed,
            "bound_by": self.bound_by,
            "objective_agrees": self.objective_agrees,
            "bound_agrees": self.bound_agrees,
            "violations": [] if self.report is None else self.report.sentences(),
        }

    def __str__(self) -> str:
        plan = "there is no plan" if self.report is None else str(self.report)
        agrees = {True: "agrees with the run", False: "DIFFERS FROM THE RUN"}
        if self.bound_by == "search":
            proof = (
                f"bound {self.claimed:,.2f} was proved by search and cannot be recomputed without a solver; "
                f"prices alone prove {self.bound:,.2f}"
            )
        else:
            what = RECOMPUTED.get(self.bound_by, "prices")
            proof = f"bound {self.bound:,.2f} recomputed from {what}: {agrees[self.bound_agrees]}"
        return f"{plan}\nobjective {self.objective:,.2f}: {agrees[self.objective_agrees]}\n{proof}"


def verify(
    problem: Problem,
    plan: Plan | None,
    prices: np.ndarray,
    objective: float,
    claimed: float,
    bound_by: BoundBy,
    books: Books | None = None,
    listing: Listing | None = None,
) -> Verdict:
    """Recompute feasibility, objective and bound of a plan from tables, rules and prices [R], or from `books` where the
    bound is by books, and from a `listing` where it is by books listed."""
    report = judge(problem.scores, problem.scenario.active, plan) if plan is not None else None
    mine = report.objective if report is not None else float("nan")
    if bound_by == "listing":
        proved = _by_listing(problem, listing, mine)
    else:
        proved = bound(problem.core, prices) if bound_by != "books" else _by_books(problem, books)
    slack = 1e-6 * max(1.0, abs(claimed) if np.isfinite(claimed) else 1.0)
    same_value = plan is None or abs(mine - objective) <= 1e-6 * max(1.0, abs(mine))
    if bound_by == "search":
        bound_fits = claimed <= proved + slack and (plan is None or mine <= claimed + slack)
    else:
        bound_fits = not np.isfinite(claimed) or proved <= claimed + slack
    return Verdict(report, mine, proved, claimed, bound_by, bool(same_value), bool(bound_fits))


def _by_books(problem: Problem, books: Books | None) -> float:
    """What the books prove; nothing where they are missing or do not fit."""
    try:
        return np.inf if books is None else books_bound(problem.core, books)
    except ValueError:
        return np.inf


def _by_listing(problem: Problem, listing: Listing | None, value: float) -> float:
    """What books listed prove beside a plan of such a value; nothing where they are missing or do not fit."""
    from optimizer.listed import listing_bound  # loads compiled loops

    try:
        none = listing is None or not np.isfinite(value)
        return np.inf if none else listing_bound(problem.core, listing, value)  # type: ignore[arg-type]
    except ValueError:
        return np.inf


def verify_run(run: Run) -> Verdict:
    """`verify` of a kept run, against what its record says."""
    said = run.record
    value, proved = (float("nan") if said[name] is None else float(said[name]) for name in ("objective", "bound"))
    return verify(run.problem, run.plan, run.prices, value, proved, said["bound_by"], run.books, run.listing)
