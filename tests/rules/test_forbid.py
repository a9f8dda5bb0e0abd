"""`forbid`: who may not have what."""

from __future__ import annotations

from typing import Any

import pytest

from optimizer.check import check
from optimizer.errors import InputError, UsageError
from optimizer.problem import build
from tests.companies import corner, house, scenario
from tests.rules.test_match import reps_of

EVERYBODY = {"ana", "ben", "new"}


def allowed(**fields: Any) -> dict[str, set[str]]:
    return reps_of(build(corner(), scenario([{"kind": "forbid", **fields}])))


def test_accounts_and_reps_that_meet_the_filters_are_kept_apart() -> None:
    found = allowed(where={"segment": "SMB"}, reps={"team": "X"})
    assert found == {"Acme": {"ben"}, "Coda": {"ben"}, "Bolt": EVERYBODY, "Dune": EVERYBODY}


@pytest.mark.parametrize("column", ["team", "rep.team"])
def test_a_reps_column_may_be_written_with_or_without_its_table(column: str) -> None:
    assert allowed(reps={column: "X"}) == {key: {"ben"} for key in ("Acme", "Bolt", "Coda", "Dune")}


def test_without_reps_nobody_may_serve_the_accounts() -> None:
    found = allowed(where={"account.region": "West"})
    assert found == {"Acme": EVERYBODY, "Bolt": set(), "Coda": set(), "Dune": EVERYBODY}


def test_pairs_are_forbidden_one_by_one() -> None:
    found = allowed(pairs=[["Acme", "ben"], ["Acme", "ana"], ["Dune", "new"], ["Dune", "new"]])
    assert found == {"Acme": {"new"}, "Bolt": EVERYBODY, "Coda": EVERYBODY, "Dune": {"ana", "ben"}}


def test_what_a_member_may_not_have_its_family_may_not_have() -> None:
    rules = [{"kind": "together"}, {"kind": "forbid", "pairs": [["Grandkid", "ben"]]}]
    problem = build(house(), scenario(rules))
    assert reps_of(problem)["Root"] == {"ana"} or reps_of(problem)["Grandkid"] == {"ana"}


def test_check_names_the_account_and_the_rep() -> None:
    problem = build(corner(), scenario([{"kind": "forbid", "name": "conflict", "pairs": [["Acme", "ana"]]}]))
    assert check(problem, problem.today).sentences() == ["conflict: Acme may not go to ana"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "give pairs, or where and/or reps"),
        ({"pairs": [["Acme", "ana"]], "where": {"segment": "SMB"}}, "give pairs, or where and/or reps"),
        ({"pairs": [["Acme"]]}, r"each pair is \[account_id, rep_id\]"),
        ({"reps": {"account.segment": "SMB"}}, "is of no table this filter looks at; known: rep"),
        ({"where": {"rep.team": "X"}}, "is of no table this filter looks at; known: account"),
        ({"where": {"acount.region": "East"}}, "is of no table this filter looks at"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        scenario([{"kind": "forbid", **fields}])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pairs": [["Acem", "ana"]]}, "'Acem' in pairs is not a known account"),
        ({"pairs": [["Acme", "anna"]]}, "'anna' in pairs is not a known rep"),
        ({"reps": {"tema": "X"}}, "column of the reps table in where 'tema'"),
        ({"where": {"segmnt": "X"}}, "column of the accounts table in where 'segmnt'"),
    ],
)
def test_names_that_are_not_there_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        build(corner(), scenario([{"kind": "forbid", **fields}]))
