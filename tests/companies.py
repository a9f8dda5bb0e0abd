"""Tiny companies, written out, that tests share. Each is small enough to enumerate every plan it could have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from optimizer.core import Core
from optimizer.plan import Plan
from optimizer.scenario import Scenario, parse_scenario
from optimizer.scores import Scores
from optimizer.tables import DTYPES, Tables, table

#: no travel, no learning: values that can be worked out by hand
PLAIN_SCORING = {"conversion": 0.2, "learn_performance": False, "travel": {"visits": 0.0}}
AE_AND_CSM = [{"name": "AE", "share": 0.7, "hours": 0.75}, {"name": "CSM", "share": 0.3, "hours": 0.5}]
TWO_LEVELS = [{"name": "high-touch", "hours": 1.5, "value": 1.2}, {"name": "tech-touch", "hours": 0.25, "value": 0.6}]


def frame(name: str, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """A typed table as reading would give it: dictionary types, spreadsheet row numbers as index."""
    entry = table(name)
    typed = {}
    for column, cells in columns.items():
        known = entry.column(column)
        typed[column] = pd.Series(cells, dtype=DTYPES[known.kind] if known else None)
    out = pd.DataFrame(typed)
    return out.set_axis(range(2, len(out) + 2))


def company(accounts: Mapping[str, Sequence[Any]], reps: Mapping[str, Sequence[Any]], **more: pd.DataFrame) -> Tables:
    return Tables(frame("accounts", accounts), frame("reps", reps), **more)


def scenario(rules: Sequence[Mapping[str, Any]] = (), **more: Any) -> Scenario:
    """A scenario of these rules; plain scoring unless told otherwise. Rules without a name get their position."""
    named = [{"name": f"rule {i}", **rule} for i, rule in enumerate(rules)]
    return parse_scenario({"name": "Test", "scoring": PLAIN_SCORING, "rules": named, **more})


def limit(measure: str, per: str = "rep", **more: Any) -> dict[str, Any]:
    return {"kind": "limit", "measure": measure, "per": per, **more}


# -- the companies ---------------------------------------------------------------------------------------------------


def corner() -> Tables:
    """Four accounts, two reps and an open position. Bolt is owned by somebody who left, Dune by nobody and has no region."""
    return company(
        {
            "account_id": ["Acme", "Bolt", "Coda", "Dune"],
            "owner_id": ["ana", "gone", "ben", None],
            "segment": ["SMB", "Mid", "SMB", "Mid"],
            "region": ["East", "West", "West", None],
            "potential": [1000.0, 400.0, 700.0, 250.0],
            "arr": [300.0, 100.0, 0.0, 50.0],
            "hours": [10.0, 8.0, 12.5, 4.0],
            "growth_y1": [5.0, -20.0, 2.0, 1.0],
            "required_skills": ["cloud", None, "cloud;data", "data"],
            "languages": ["fr", "en", None, "de; en"],
            "key_account": [True, False, None, True],
        },
        {
            "rep_id": ["ana", "ben", "new"],
            "team": ["X", "Y", "X"],
            "capacity_hours": [20.0, 15.0, 30.0],
            "max_accounts": [2.0, None, 3.0],
            "quota": [150.0, 100.0, 50.0],
            "ramp": [1.0, 0.5, 0.5],
            "open": [False, False, True],
            "cost": [500.0, 400.0, 40.0],
            "performance": [1.0, 1.25, 0.8],
            "skills": ["cloud;data", "data", None],
            "languages": ["en;fr", "en", "de;en;fr"],
        },
    )


def house() -> Tables:
    """A family of three with different owners and regions, a pair in one group, and two reps."""
    return company(
        {
            "account_id": ["Root", "Kid", "Grandkid", "Solo", "Pair"],
            "owner_id": ["ana", "ben", "ana", "gone", "ben"],
            "parent_id": [None, "Root", "Kid", None, "elsewhere"],
            "segment": ["SMB", "Mid", "SMB", "Mid", "Mid"],
            "region": ["East", "West", None, "West", "East"],
            "potential": [600.0, 300.0, 200.0, 500.0, 450.0],
            "arr": [100.0, 60.0, 30.0, 80.0, 10.0],
            "hours": [6.0, 5.0, 4.0, 7.0, 3.0],
            "growth_y1": [1.0, 2.0, -9.0, 4.0, 0.0],
            "group": pd.Series([None, 7.0, None, 7.0, 8.0]),
            "key_account": [True, True, False, None, True],
        },
        {
            "rep_id": ["ana", "ben"],
            "team": ["X", "Y"],
            "capacity_hours": [14.0, 16.0],
            "max_accounts": [3.0, 4.0],
            "quota": [200.0, 120.0],
            "ramp": [1.0, 0.8],
            "regions": ["East", None],
        },
    )


def shared_accounts() -> Tables:
    """Two accounts that need an AE and a CSM; any of three reps (one of them open) can be either."""
    return company(
        {
            "account_id": ["Acme", "Bolt"],
            "owner_id": ["ana", "gone"],
            "segment": ["SMB", "Mid"],
            "region": ["East", "West"],
            "potential": [1000.0, 400.0],
            "arr": [300.0, 100.0],
            "hours": [10.0, 8.0],
            "growth_y1": [3.0, -1.0],
            "key_account": [True, False],
        },
        {
            "rep_id": ["ana", "ben", "new"],
            "team": ["X", "Y", "X"],
            "capacity_hours": [12.0, 9.0, 10.0],
            "max_accounts": [2.0, 3.0, None],
            "quota": [100.0, 50.0, 20.0],
            "ramp": [1.0, 0.5, 1.0],
            "open": [False, False, True],
            "cost": [0.0, 0.0, 30.0],
        },
        assignments=frame(
            "assignments", {"account_id": ["Acme", "Bolt"], "rep_id": ["ben", "ben"], "role": ["CSM", "CSM"]}
        ),
    )


def staffed() -> Tables:
    """A pair that stays together, served by AEs (ana, and an open position) and CSMs (ben, cem) who do only their job."""
    return company(
        {
            "account_id": ["Acme", "Bolt"],
            "owner_id": ["ana", "ben"],
            "parent_id": [None, "Acme"],
            "segment": ["SMB", "Mid"],
            "region": ["East", "West"],
            "potential": [1000.0, 400.0],
            "arr": [300.0, 100.0],
            "hours": [10.0, 8.0],
            "growth_y1": [3.0, 2.0],
            "key_account": [True, False],
        },
        {
            "rep_id": ["ana", "ben", "cem", "new"],
            "role": ["AE", "CSM", "CSM", "AE"],
            "team": ["X", "Y", "X", "Y"],
            "capacity_hours": [12.0, 9.0, 8.0, 10.0],
            "max_accounts": [2.0, 3.0, 1.0, 2.0],
            "quota": [100.0, 50.0, 20.0, 10.0],
            "ramp": [1.0, 0.5, 1.0, 1.0],
            "open": [False, False, False, True],
            "cost": [0.0, 0.0, 0.0, 25.0],
        },
        assignments=frame("assignments", {"account_id": ["Acme"], "rep_id": ["cem"], "role": ["CSM"]}),
    )


def levels() -> Tables:
    """Three accounts, two reps, two service levels."""
    return company(
        {
            "account_id": ["Acme", "Bolt", "Coda"],
            "owner_id": ["ana", "ben", "gone"],
            "parent_id": [None, "Acme", None],
            "segment": ["SMB", "Mid", "SMB"],
            "region": ["East", "West", None],
            "potential": [1000.0, 400.0, 300.0],
            "arr": [200.0, 100.0, 40.0],
            "hours": [10.0, 8.0, 6.0],
            "growth_y1": [3.0, -1.0, 2.0],
            "key_account": [True, None, False],
        },
        {
            "rep_id": ["ana", "ben"],
            "team": ["X", "Y"],
            "capacity_hours": [15.0, 10.0],
            "max_accounts": [2.0, 2.0],
            "quota": [100.0, 150.0],
            "ramp": [1.0, 1.0],
        },
    )


def travelling() -> Tables:
    """Three accounts and three reps on the map; Coda has no coordinates."""
    return company(
        {
            "account_id": ["Acme", "Bolt", "Coda"],
            "owner_id": ["cem", "ana", None],
            "parent_id": [None, "Acme", None],
            "segment": ["SMB", "Mid", "SMB"],
            "region": ["East", "West", "East"],
            "potential": [1000.0, 400.0, 300.0],
            "arr": [200.0, 100.0, 40.0],
            "hours": [10.0, 8.0, 6.0],
            "growth_y1": [3.0, -1.0, 2.0],
            "key_account": [True, False, False],
            "lat": [48.86, 50.85, None],
            "lon": [2.35, 4.35, None],
        },
        {
            "rep_id": ["ana", "ben", "cem"],
            "team": ["X", "Y", "Y"],
            "capacity_hours": [15.0, 12.0, 20.0],
            "max_accounts": [2.0, 2.0, 1.0],
            "quota": [100.0, 150.0, 10.0],
            "ramp": [1.0, 1.0, 1.0],
            "lat": [48.85, 51.51, 40.42],
            "lon": [2.29, -0.13, -3.70],
        },
    )


#: name → tables, and what a scenario on them has beside its rules
COMPANIES: Mapping[str, tuple[Tables, dict[str, Any]]] = {
    "corner": (corner(), {}),
    "house": (house(), {}),
    "shared accounts": (shared_accounts(), {"roles": AE_AND_CSM}),
    "staffed": (staffed(), {"roles": AE_AND_CSM}),
    "levels": (levels(), {"scoring": {**PLAIN_SCORING, "levels": TWO_LEVELS}}),
    "travelling": (travelling(), {"scoring": {"learn_performance": False, "key_weight": 2.0}}),
}


# -- every plan ------------------------------------------------------------------------------------------------------


def every_plan(scores: Scores) -> Iterator[Plan]:
    """All plans of a company: each account, in each role, with nobody or any rep at any level."""
    shape, many = scores.today.rep.shape, len(scores.scoring.levels)
    choices = [(-1, 0), *product(range(len(scores.reps)), range(many))]
    for cells in product(choices, repeat=shape[0] * shape[1]):
        grid = np.array(cells).reshape(*shape, 2)
        yield scores.plan(grid[..., 0].astype(np.int32), grid[..., 1].astype(np.int8))


def every_choice(core: Core) -> Iterator[np.ndarray]:
    """All choices of options, feasible or not, that leave no mandatory unit out."""
    spans = [
        ([] if core.mandatory[u] else [-1]) + list(range(core.start[u], core.start[u + 1])) for u in range(core.units)
    ]
    for cells in product(*spans):
        yield np.array(cells, dtype=np.int64)


def best_by_enumeration(core: Core) -> tuple[float, np.ndarray | None]:
    """The best feasible choice and its objective; (-inf, None) where there is none. A few lines, no solver."""
    best, at = -np.inf, None
    for choice in every_choice(core):
        if core.feasible(choice):
            value = core.objective(choice)
            if value > best:
                best, at = value, choice
    return best, at
