"""`keep`: accounts that stay where they are, or go where they are sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from optimizer.check import check
from optimizer.errors import InputError, UsageError
from optimizer.problem import build
from tests.companies import AE_AND_CSM, corner, house, scenario, shared_accounts
from tests.rules.test_match import reps_of


def test_an_account_stays_with_todays_rep_and_must_be_served() -> None:
    problem = build(corner(), scenario([{"kind": "keep", "where": {"segment": "SMB"}}]))
    assert reps_of(problem)["Acme"] == {"ana"} and reps_of(problem)["Coda"] == {"ben"}
    assert problem.core.mandatory.tolist() == [True, False, True, False]


def test_where_todays_rep_has_left_or_never_was_there_is_nothing_to_keep() -> None:
    problem = build(corner(), scenario([{"kind": "keep"}]))
    assert problem.core.mandatory.tolist() == [True, False, True, False]
    assert reps_of(problem)["Bolt"] == reps_of(problem)["Dune"] == {"ana", "ben", "new"}


def test_pairs_tie_the_first_role_to_the_rep_named() -> None:
    problem = build(shared_accounts(), scenario([{"kind": "keep", "pairs": [["Bolt", "new"]]}], roles=AE_AND_CSM))
    o = problem.options
    tied = {
        (str(problem.scores.account_ids[n]), int(l))
        for n, l in zip(o.lead[o.mandatory], o.role[o.mandatory], strict=True)
    }
    assert tied == {("Bolt", 0)}


def test_where_keeps_every_role_that_has_a_rep() -> None:
    problem = build(shared_accounts(), scenario([{"kind": "keep"}], roles=AE_AND_CSM))
    assert int(problem.core.mandatory.sum()) == 3


def test_two_rules_that_tie_an_account_to_different_reps_leave_no_option() -> None:
    rules: list[dict[str, Any]] = [
        {"kind": "keep", "pairs": [["Acme", "ben"]]},
        {"kind": "keep", "where": {"segment": "SMB"}},
    ]
    problem = build(corner(), scenario(rules))
    assert problem.impossible == (0,)


def test_members_of_a_family_tied_to_different_reps_leave_no_option() -> None:
    rules = [{"kind": "together"}, {"kind": "keep", "where": {"key_account": True}}]
    problem = build(house(), scenario(rules))
    assert len(problem.impossible) == 1
    lead = problem.options.member[problem.options.member_start[problem.impossible[0]]]
    assert "Grandkid" in problem.scores.account_ids[lead] or problem.scores.account_ids[lead] == "Kid"


def test_check_says_where_an_account_must_stay() -> None:
    problem = build(corner(), scenario([{"kind": "keep", "name": "stay", "where": {"segment": "SMB"}}]))
    assert check(problem, problem.today).ok
    report = check(problem, problem.scores.empty_plan())
    assert report.sentences() == [
        "stay: Acme must stay with ana, not nobody",
        "stay: Coda must stay with ben, not nobody",
    ]
    np.testing.assert_array_equal(report.assignments["amount"], 1.0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"pairs": [["Acme", "ana"]], "where": {"segment": "SMB"}}, "give pairs or where, not both"),
        ({"pairs": [["Acme", "ana"], ["Acme", "ben"]]}, "an account is listed twice"),
        ({"pairs": [["Acme", "ana", "AE"]]}, "each pair is"),
        ({"where": {"rep.team": "X"}}, "is of no table this filter looks at"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        scenario([{"kind": "keep", **fields}])


def test_names_that_are_not_there_are_refused() -> None:
    with pytest.raises(UsageError, match="rule 'rule 0': 'anna' in pairs is not a known rep"):
        build(corner(), scenario([{"kind": "keep", "pairs": [["Acme", "anna"]]}]))
