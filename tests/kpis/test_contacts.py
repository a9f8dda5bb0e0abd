"""Coverage in contacts: the pooled ratio and the mean of accounts disagree, and both are right."""

from __future__ import annotations

import pytest


@pytest.fixture
def three(company):
    return company(
        {
            "account_id": ["large", "small", "plain"],
            "key_account": [True, True, False],
            "contacts": [10.0, 2.0, 8.0],
            "contacts_active": [9.0, 0.0, 8.0],
        }
    )


def test_pooled_and_mean_by_hand(three) -> None:
    assert three.value("coverage_contacts_pooled") == pytest.approx(9 / 12)
    assert three.value("coverage_contacts_mean") == pytest.approx((0.9 + 0.0) / 2)
    assert three.value("contacts_engaged") == pytest.approx(17 / 20)
    assert three.value("contacts_per_key_account") == 6


@pytest.mark.parametrize(
    ("active", "verdict"), [(6.9, "below band"), (7, "in band"), (9, "in band"), (9.1, "above band")]
)
def test_the_band_is_70_to_90_percent(company, active: float, verdict: str) -> None:
    here = company({"key_account": [True], "contacts": [10.0], "contacts_active": [active]})
    assert here.row("coverage_contacts_pooled")["verdict"] == here.row("coverage_contacts_mean")["verdict"] == verdict


def test_only_the_served_one_tells_plans_apart(three) -> None:
    plan = three.plan([None, "r1", "r1"])
    assert three.value("coverage_contacts_pooled", plan=plan) == pytest.approx(9 / 12)
    assert three.value("coverage_contacts_served", plan=plan) == 0
    assert three.value("coverage_contacts_served") == pytest.approx(9 / 12)


def test_an_account_without_a_count_is_left_out(company) -> None:
    here = company({"key_account": [True, True], "contacts": [4.0, 6.0], "contacts_active": [3.0, None]})
    row = here.row("coverage_contacts_pooled")
    assert (row["value"], row["count"]) == (0.75, 1)


def test_contacts_are_counted_from_their_table(company) -> None:
    people = {"contact_id": ["1", "2", "3"], "account_id": ["a", "a", "b"], "active": [True, False, True]}
    here = company({"account_id": ["a", "b"], "key_account": [True, True]}, contacts=people)
    assert here.value("coverage_contacts_pooled") == pytest.approx(2 / 3)
    assert here.value("coverage_contacts_mean") == pytest.approx(0.75)


def test_a_contacts_table_that_does_not_say_who_is_active_is_no_100_percent(company) -> None:
    people = {"contact_id": ["1", "2"], "account_id": ["a", "a"]}
    row = company({"account_id": ["a"], "key_account": [True]}, contacts=people).row("coverage_contacts_pooled")
    assert row["missing"] == "accounts.contacts_active is missing (contacts.active would do)"
