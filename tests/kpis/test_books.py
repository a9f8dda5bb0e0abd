"""What lies in the books."""

from __future__ import annotations

import pytest

from optimizer.scoring import Role

REPS = {
    "rep_id": ["r1", "r2", "open"],
    "team": ["East", "West", "West"],
    "capacity_hours": [100.0, 50.0, 100.0],
    "quota": [50.0, 200.0, None],
    "open": [False, False, True],
}


@pytest.fixture
def three(company):
    return company({"owner_id": ["r1", "r1", "r2"], "hours": [30.0, 60.0, 60.0], "potential": [10.0, 90.0, 50.0]}, REPS)


def test_utilisation_by_hand_with_its_band(three) -> None:
    assert three.value("utilisation") == pytest.approx(150 / 150)
    assert three.row("utilisation", "rep", "r1")["verdict"] == "in band"
    assert three.row("utilisation", "rep", "r2")["verdict"] == "above band"
    assert three.value("utilisation", "rep", "r2") == 1.2


def test_an_open_position_counts_once_it_is_filled(three) -> None:
    assert three.row("accounts_per_rep")["count"] == 2
    plan = three.plan(["r1", "open", "r2"])
    assert three.row("accounts_per_rep", plan=plan)["count"] == 3
    assert three.value("utilisation", "team", "West", plan=plan) == pytest.approx(120 / 150)


def test_accounts_potential_and_quota_coverage(three) -> None:
    assert three.value("accounts_per_rep") == 1.5
    assert three.value("potential_per_rep", "rep", "r1") == 100
    assert three.value("quota_coverage", "rep", "r1") == 2
    assert three.value("quota_coverage") == pytest.approx(150 / 250)


def test_books_hold_an_account_once_in_however_many_roles(company) -> None:
    roles = (Role(name="AE", share=0.5), Role(name="CSM", share=0.5))
    here = company(
        {"account_id": ["a", "b"]},
        roles=roles,
        assignments={"account_id": ["a", "b"], "rep_id": ["r1", "r2"], "role": ["CSM", "CSM"]},
    )
    assert here.value("accounts_per_rep", "rep", "r1") == 2
    assert here.value("accounts_per_rep", "rep", "r2") == 1


def test_defaults_that_stand_in_are_said(company) -> None:
    note = company({"account_id": ["a"]}).row("utilisation")["note"]
    assert "accounts.hours is missing" in note and "reps.capacity_hours is missing" in note


def test_a_rep_without_capacity_has_no_utilisation(company) -> None:
    here = company({"account_id": ["a"]}, {"rep_id": ["r1"], "capacity_hours": [0.0]})
    assert here.row("utilisation")["missing"] == "no capacity here"
