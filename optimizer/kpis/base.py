"""The contract of a KPI: its name, what it needs, its twelve attributes, and one function that measures it.

A complete KPI, "share of accounts somebody has called"::

    CALLED = Kpi(
        name="called", title="Accounts called", family="activity", perspective="non-financial",
        unit="share", higher_is="better", needs=("activities.account_id",),
        measure=lambda basis: (company(basis.called.sum(), len(basis.called), len(basis.called), "no account"),),
        attributes=Attributes(definition="…", business_insight="…", …),
    )

It then needs one line in `optimizer/kpis/__init__.py`. `measure` is only called when every need is met, so it never has
to guess what stands for a missing column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured

HigherIs = Literal["better", "worse", "band", "neutral"]
Unit = Literal["share", "currency", "ratio", "points", "accounts", "reps", "contacts", "deals", "activities", "days"]
Family = Literal[
    "coverage", "contacts", "key accounts", "targets", "money", "growth", "retention", "voice", "books", "activity"
]


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a reader must know to use a KPI: twelve texts, each a sentence or two."""

    definition: str
    business_insight: str
    measurement_approach: str
    formula: str
    trend_analysis: str
    diagnostics: str
    tips: str
    visualisation: str
    risk_warnings: str
    tools: str
    integration_points: str
    change_impact: str


#: the names of the twelve attributes, in the order they are shown
ATTRIBUTES: tuple[str, ...] = tuple(f.name for f in fields(Attributes))


@dataclass(frozen=True, slots=True)
class Kpi:
    """One measure of a plan and of the company it is for.

    `unit` is the unit of the value (a share is 0–1). With `higher_is = "band"`, and only then, `band` gives the healthy
    range, both ends included. `needs` lists what must be filled: `table.column`, `scoring.<field>`, alternatives
    joined by ` or `. `perspective` says on which side of a balanced scorecard it stands.
    """

    name: str
    title: str
    family: Family
    perspective: Literal["financial", "non-financial"]
    unit: Unit
    higher_is: HigherIs
    needs: tuple[str, ...]
    measure: Callable[[Basis], Measured]
    attributes: Attributes
    band: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.band is not None) != (self.higher_is == "band"):
            raise ValueError(f"KPI {self.name}: a band goes with higher_is = 'band', and only with it")
