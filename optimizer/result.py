"""What was found and what is proved, apart from why it stopped. `print(result)` is a paragraph a manager can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from optimizer.book_trees import Books
from optimizer.certificate import BoundBy
from optimizer.check import Report
from optimizer.core import share_of
from optimizer.listing import Listing
from optimizer.plan import Plan

Status = Literal["OPTIMAL", "FEASIBLE", "INFEASIBLE", "NO_PLAN"]
StoppedBy = Literal["proof", "gap", "time", "user", "end", "error", "memory"]


@dataclass(frozen=True, slots=True)
class Conflict:
    """One rule that would have to give way: by how much its rows would be exceeded, the worst of them, in words."""

    rule: str
    rows: int
    slack: float
    share: float
    sentence: str


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One solve.

    `objective` is `check`'s own figure for `plan`; `bound` an upper bound on every plan, `bound_by` prices (recomputed
    from `prices` [R]), whole books (recomputed from `books`, None otherwise), books listed (from `books` and `listing`, None
    otherwise) or a solver's search; both in currency of model value, NaN where there is none. `trace` has seconds,
    objective, bound of each improvement.
    """

    status: Status
    stopped_by: StoppedBy
    plan: Plan | None
    report: Report | None
    objective: float
    bound: float
    bound_by: BoundBy
    prices: np.ndarray
    seconds: float
    engine: str
    why_engine: str = ""
    seed: int = 1
    versions: Mapping[str, str] = field(default_factory=dict)
    trace: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["seconds", "objective", "bound"]))
    notes: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    currency: str = "USD"
    books: Books | None = None
    listing: Listing | None = None

    @property
    def gap(self) -> float:
        """Bound − objective in currency; NaN where either is missing."""
        return max(0.0, self.bound - self.objective)

    @property
    def gap_share(self) -> float:
        """Gap ÷ max(|bound|, |objective|); NaN where that is below 1 or unknown."""
        return share_of(self.bound, self.objective)

    def __str__(self) -> str:
        took = f"{self.engine} took {self.seconds:.1f} s"
        if self.plan is None or self.report is None:
            why = "no plan can keep every hard rule" if self.status == "INFEASIBLE" else "no plan was found"
            return f"{self.status}: {why}; {took}." + "".join(f"\n  {c.sentence}" for c in self.conflicts)
        served, units = int(self.plan.served.sum()), self.plan.rep.size
        share = "" if np.isnan(self.gap_share) else f" ({self.gap_share:.3%})"
        by = {"books": "whole books", "listing": "listed books"}.get(self.bound_by, self.bound_by)
        proof = (
            f"the best possible plan for these scores (proved by {by})"
            if self.status == "OPTIMAL"
            else f"at most {self.gap:,.0f} {self.currency}{share} below the best possible (bound by {by})"
        )
        limits = self.report.limits
        near = limits["slack"] <= 0.01 * limits["actual"].abs().clip(lower=1e-9)
        binding = (
            ", ".join(f"{rule} ({n})" for rule, n in limits[near]["rule"].value_counts().head(5).items()) or "none"
        )
        return (
            f"{self.status}: model value {self.objective:,.0f} {self.currency}, {proof}. "
            f"{served:,} of {units:,} accounts are served; limit rows within 1% of a bound or outside: {binding}. "
            f"Stopped by {self.stopped_by}; {took}."
        )
