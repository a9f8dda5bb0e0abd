"""Tiny companies by their columns, and one figure of their KPIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import pytest

from optimizer.kpis import KPIS, Basis, measure
from optimizer.kpis.frame import tabulate
from optimizer.plan import Plan
from optimizer.read import tables_of
from optimizer.scores import Scores, score
from optimizer.scoring import Role, Scoring
from optimizer.tables import Tables

Columns = Mapping[str, Sequence[Any]]


class Company:
    """Tables, their scores, and a plan given as owners in the order of the accounts."""

    def __init__(self, tables: Tables, scoring: Scoring | None = None, roles: Sequence[Role] = ()) -> None:
        self.tables = tables
        self.scores: Scores = score(tables, scoring, roles)

    def plan(self, owners: Sequence[str | None]) -> Plan:
        frame = pd.DataFrame({"account_id": self.tables.accounts["account_id"].to_numpy(), "rep_id": owners})
        s = self.scores
        return Plan.from_frame(frame, s.account_ids, s.rep_ids, s.role_names, s.level_names)

    def frame(self, plan: Plan | None = None) -> pd.DataFrame:
        return measure(self.tables, self.scores, self.scores.today if plan is None else plan)

    def row(self, kpi: str, scope: str = "company", row: str = "company", plan: Plan | None = None) -> pd.Series:
        named = [k for k in KPIS if k.name == kpi]
        frame = tabulate(named, Basis.of(self.tables, self.scores, self.scores.today if plan is None else plan))
        found = frame[(frame["scope"] == scope) & (frame["row"] == row)]
        assert len(found) == 1, f"{kpi}, {scope}, {row}: {len(found)} rows"
        return found.iloc[0]

    def value(self, kpi: str, scope: str = "company", row: str = "company", plan: Plan | None = None) -> float:
        return float(self.row(kpi, scope, row, plan)["value"])


@pytest.fixture
def company() -> Callable[..., Company]:
    """`company(accounts={...}, reps={...})`; account_id, owner_id, potential and the reps are filled in if left out."""

    def build(
        accounts: Columns,
        reps: Columns | None = None,
        scoring: Scoring | None = None,
        roles: Sequence[Role] = (),
        **others: Columns,
    ) -> Company:
        count = len(next(iter(accounts.values())))
        filled: dict[str, Sequence[Any]] = {"account_id": [f"a{i}" for i in range(count)], "owner_id": ["r1"] * count}
        filled["potential"] = [100.0] * count
        frames = {name: pd.DataFrame(dict(columns)) for name, columns in others.items()}
        people = pd.DataFrame(dict(reps or {"rep_id": ["r1", "r2"]}))
        return Company(tables_of(pd.DataFrame(filled | dict(accounts)), people, **frames), scoring, roles)

    return build
