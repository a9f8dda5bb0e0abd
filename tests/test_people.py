"""What-ifs on people: leave, join, change; anything that is not there is named."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.people import apply_changes
from optimizer.problem import build
from optimizer.scores import score
from tests.companies import corner, scenario

REPS = corner().reps


def test_a_rep_leaves_and_the_accounts_are_nobodys_but_owned() -> None:
    scores = score(corner(), changes={"remove": ["ana"]})
    assert scores.rep_ids.tolist() == ["ben", "new"]
    assert scores.today.rep[0, 0] == -1 and scores.owned[0, 0]


def test_a_rep_joins_with_what_is_said_and_defaults_for_the_rest() -> None:
    out = apply_changes(REPS, {"add": [{"rep_id": "zoe", "open": True, "cost": 90, "skills": ["cloud", "data"]}]})
    zoe = out.iloc[-1]
    assert (zoe["rep_id"], bool(zoe["open"]), zoe["cost"], zoe["skills"]) == ("zoe", True, 90.0, "cloud;data")
    assert pd.isna(zoe["team"]) and pd.isna(zoe["capacity_hours"])
    assert out.index.is_unique and out.dtypes.equals(REPS.dtypes)


def test_a_rep_changes_in_the_columns_named_only() -> None:
    out = apply_changes(REPS, {"change": {"ben": {"ramp": 0.25, "team": "Z", "open": True}}})
    assert out.loc[3, ["ramp", "team", "open"]].tolist() == [0.25, "Z", True]
    pd.testing.assert_frame_equal(out.drop(index=3), REPS.drop(index=3))
    assert out.loc[3, "capacity_hours"] == REPS.loc[3, "capacity_hours"]


def test_a_column_of_the_dictionary_that_the_table_lacks_can_be_given() -> None:
    out = apply_changes(REPS, {"change": {"ana": {"lat": 48.8, "start_date": date(2026, 3, 1)}}})
    assert out["lat"].tolist()[0] == 48.8 and np.isnan(out["lat"].tolist()[1])
    assert out["start_date"].tolist()[0] == pd.Timestamp("2026-03-01")


def test_the_table_given_is_left_as_it_is() -> None:
    before = REPS.copy(deep=True)
    apply_changes(REPS, {"remove": ["ben"], "add": [{"rep_id": "zoe"}], "change": {"ana": {"ramp": 0.1}}})
    pd.testing.assert_frame_equal(REPS, before)


def test_nothing_changes_nothing() -> None:
    pd.testing.assert_frame_equal(apply_changes(REPS, {}), REPS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"remove": ["anna"]}, "'anna' is not a rep"),
        ({"change": {"anna": {"ramp": 1.0}}}, "'anna' is not a rep"),
        ({"add": [{"rep_id": "ana"}]}, "'ana' is missing, there already or added twice"),
        ({"add": [{"rep_id": "zoe"}, {"rep_id": "zoe"}]}, "added twice"),
        ({"add": [{"open": True}]}, "is missing"),
        ({"add": [{"rep_id": "zoe", "capcity_hours": 3}]}, "'capcity_hours' is not a column of the reps table"),
        ({"change": {"ana": {"capcity_hours": 3}}}, "'capcity_hours' is not a column of the reps table"),
        ({"change": {"ana": {"ramp": "much"}}}, "'much' does not fit the column ramp"),
        ({"change": {"ana": {"ramp": 7.0}}}, "is not allowed in ramp: give 0 to 1"),
        ({"change": {"ana": {"ramp": -0.5}}}, "is not allowed in ramp"),
        ({"change": {"ana": {"cost": float("nan")}}}, "'nan' is not allowed in cost"),
        ({"change": {"ana": {"cost": float("inf")}}}, "'inf' is not allowed in cost"),
        ({"add": [{"rep_id": "zoe", "capacity_hours": -1}]}, "is not allowed in capacity_hours"),
        ({"change": {"ana": {"open": "maybe"}}}, "'maybe' does not fit the column open"),
        ({"change": {"ana": {"start_date": "someday"}}}, "'someday' does not fit the column start_date"),
    ],
)
def test_what_makes_no_sense_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        apply_changes(REPS, changes)


def test_every_finding_is_said_at_once() -> None:
    with pytest.raises(InputError) as refused:
        apply_changes(REPS, {"remove": ["x", "y"], "change": {"z": {}}, "add": [{"rep_id": "ana"}]})
    assert len(refused.value.findings) == 4


def test_a_changed_id_may_not_be_another_reps() -> None:
    with pytest.raises(InputError):
        apply_changes(REPS, {"change": {"ana": {"rep_id": "ben"}}})


def test_a_scenario_carries_its_what_ifs_to_the_problem() -> None:
    changes = {"remove": ["ben"], "add": [{"rep_id": "zoe", "open": True, "cost": 10}], "change": {"new": {"cost": 0}}}
    problem = build(corner(), scenario(reps=changes))
    assert problem.scores.rep_ids.tolist() == ["ana", "new", "zoe"]
    assert problem.core.is_open.tolist() == [False, True, True]
    assert problem.core.cost.tolist() == [500.0, 0.0, 10.0]
