"""The KPIs of a plan. To add one: a `Kpi` in the file of its family, and its name in the tuple that ends the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.kpis.activity import ACTIVITY
from optimizer.kpis.balance import BALANCE
from optimizer.kpis.base import ATTRIBUTES, Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.books import BOOKS
from optimizer.kpis.contacts import CONTACTS
from optimizer.kpis.coverage import COVERAGE
from optimizer.kpis.frame import tabulate
from optimizer.kpis.growth import GROWTH
from optimizer.kpis.key_accounts import KEY_ACCOUNTS
from optimizer.kpis.money import MONEY
from optimizer.kpis.retention import RETENTIONS
from optimizer.kpis.targets import TARGETS
from optimizer.kpis.voice import VOICE

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan import Plan
    from optimizer.problem import Problem
    from optimizer.scores import Scores
    from optimizer.tables import Tables

#: every KPI, in the order they are shown
KPIS: tuple[Kpi, ...] = (
    *COVERAGE,
    *CONTACTS,
    *KEY_ACCOUNTS,
    *TARGETS,
    *MONEY,
    *GROWTH,
    *RETENTIONS,
    *VOICE,
    *BOOKS,
    *BALANCE,
    *ACTIVITY,
)

__all__ = ["ATTRIBUTES", "KPIS", "Attributes", "Basis", "Kpi", "kpis", "measure"]


def measure(tables: Tables, scores: Scores, plan: Plan) -> pd.DataFrame:
    """Every KPI of `plan`, one row a figure.

    Columns: kpi, title, scope (company, segment, team, rep, …), row, value, unit, numerator, denominator, count
    (accounts, reps or deals behind the figure), missing (what the tables lack, where the value is NaN), verdict (below
    band, in band, above band, or empty), note. Shares are 0–1. Raises `UsageError` where tables and scores are of
    different accounts.
    """
    return tabulate(KPIS, Basis.of(tables, scores, plan))


def kpis(problem: Problem, plan: Plan, tables: Tables) -> pd.DataFrame:
    """Every KPI of `plan` for the problem that was built from `tables`; see `measure`."""
    return measure(tables, problem.scores, plan)
