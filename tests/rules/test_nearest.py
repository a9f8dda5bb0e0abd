"""`nearest`: only the best few reps, by distance or by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optimizer.check import check
from optimizer.errors import InputError
from optimizer.problem import Problem, build
from tests.companies import corner, scenario, travelling
from tests.rules.test_match import reps_of

NO_FACTORS = {"performance": 0.0, "skills": 0.0, "transition_loss": 0.0, "learn_performance": False}


def near(tables: Any, *rules: dict[str, Any], **more: Any) -> Problem:
    return build(tables, scenario(rules, **more))


def test_the_nearest_rep_and_todays_rep_are_left() -> None:
    found = reps_of(near(travelling(), {"kind": "nearest", "reps": 1, "by": "distance"}))
    assert found["Acme"] == {"ana", "cem"}  # Paris: ana is there, cem has it today
    assert found["Bolt"] == {"ana"}  # Brussels: ana (Paris) is nearer than London, and has it today


def test_an_account_without_coordinates_keeps_every_rep_since_all_are_equally_far() -> None:
    assert reps_of(near(travelling(), {"kind": "nearest", "reps": 1, "by": "distance"}))["Coda"] == {
        "ana",
        "ben",
        "cem",
    }


def test_the_best_fitting_reps_by_value_are_left() -> None:
    problem = near(corner(), {"kind": "nearest", "reps": 2})
    s = problem.scores
    for n, account in enumerate(s.account_ids):
        value = s.value(np.full(3, n), np.arange(3))
        best = set(s.rep_ids[np.argsort(-value)[:2]])
        today = {s.rep_ids[s.today.rep[n, 0]]} if s.today.rep[n, 0] >= 0 else set()
        assert best <= reps_of(problem)[str(account)] <= best | today | set(s.rep_ids[value == np.sort(value)[-2]])


def test_reps_that_tie_with_the_last_are_all_left() -> None:
    tables = corner()
    found = reps_of(near(tables, {"kind": "nearest", "reps": 1}, scoring={**NO_FACTORS, "travel": {"visits": 0.0}}))
    assert {"ana"} <= found["Acme"]
    assert found["Bolt"] == {"ana"}  # full ramp, twice the value of the others


def test_other_rules_cut_first() -> None:
    only_open = [{"kind": "forbid", "reps": {"open": False}}, {"kind": "nearest", "reps": 1}]
    assert reps_of(near(corner(), *only_open)) == {key: {"new"} for key in ("Acme", "Bolt", "Coda", "Dune")}


def test_accounts_outside_the_filter_keep_every_rep() -> None:
    found = reps_of(near(corner(), {"kind": "nearest", "reps": 1, "where": {"segment": "Mid"}}))
    assert found["Acme"] == found["Coda"] == {"ana", "ben", "new"}
    assert len(found["Bolt"]) == 1


def test_more_reps_than_there_are_cut_nothing() -> None:
    assert all(len(reps) == 3 for reps in reps_of(near(corner(), {"kind": "nearest", "reps": 50})).values())


def test_check_says_who_is_not_near() -> None:
    problem = near(travelling(), {"kind": "nearest", "name": "near", "reps": 1, "by": "distance"})
    rep = np.array([[1], [-1], [2]], dtype=np.int32)
    report = check(problem, problem.scores.plan(rep, np.zeros_like(rep, np.int8)))
    assert report.sentences() == ["near: ben is not among the 1 reps nearest to Acme by distance"]


@pytest.mark.parametrize("fields", [{"reps": 0}, {"reps": 2.5}, {"reps": 3, "by": "hours"}, {}])
def test_what_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        scenario([{"kind": "nearest", **fields}])
