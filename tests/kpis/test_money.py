"""Revenue per head, acquisition cost, lifetime value."""

from __future__ import annotations

import pytest

TWO_CUSTOMERS = {
    "account_id": ["old", "new", "left"],
    "revenue_y1": [100.0, 60.0, 0.0],
    "revenue_y2": [90.0, 0.0, 50.0],
    "cost_to_serve_y1": [40.0, 20.0, 0.0],
}
DEALS = {
    "opportunity_id": ["1", "2", "3"],
    "account_id": ["old", "old", "new"],
    "won": [True, True, True],
    "close_date": ["2024-03-01", "2026-02-01", "2026-09-01"],
}


def test_revenue_per_fte_counts_open_positions_only_when_filled(company) -> None:
    reps = {"rep_id": ["r1", "r2", "new"], "open": [False, False, True]}
    here = company({"arr": [100.0, 50.0], "owner_id": ["r1", None]}, reps)
    assert here.value("revenue_per_fte") == 100 / 2
    assert here.value("revenue_per_fte", plan=here.plan(["r1", "new"])) == 150 / 3


def test_revenue_per_customer_leaves_prospects_out(company) -> None:
    assert company({"arr": [100.0, 50.0, 0.0, None]}).value("revenue_per_customer") == 75


def test_revenue_that_nobody_gave_is_missing_and_not_0(company) -> None:
    row = company({"account_id": ["a"]}).row("revenue_per_customer")
    assert row["missing"] == "accounts.arr is missing (accounts.revenue_y1 would do)"


def test_acquisition_lifetime_and_their_ratio_by_hand(company) -> None:
    here = company(TWO_CUSTOMERS, {"rep_id": ["r1", "r2"], "cost": [120.0, None]}, opportunities=DEALS)
    assert here.value("acquisition_cost") == 120 / 1
    assert "cost of 1 of 2 hired reps is known" in here.row("acquisition_cost")["note"]
    assert here.value("lifetime_value") == pytest.approx((60 + 40) / 2 / 0.5)
    assert here.value("lifetime_to_acquisition") == pytest.approx(100 / 120)


def test_a_short_history_cannot_tell_new_customers(company) -> None:
    recent = DEALS | {"close_date": ["2026-01-01", "2026-02-01", "2026-09-01"]}
    here = company(TWO_CUSTOMERS, {"rep_id": ["r1"], "cost": [120.0]}, opportunities=recent)
    row = here.row("acquisition_cost")
    assert "new customer cannot be told" in row["missing"]
    assert here.row("lifetime_to_acquisition")["missing"] == row["missing"]


def test_without_churn_there_is_no_lifetime(company) -> None:
    here = company({"revenue_y1": [10.0], "revenue_y2": [10.0], "cost_to_serve_y1": [1.0]})
    assert "no customer was lost" in here.row("lifetime_value")["missing"]


def test_unknown_cost_of_reps_is_named(company) -> None:
    row = company(TWO_CUSTOMERS, opportunities=DEALS).row("acquisition_cost")
    assert row["missing"] == "reps.cost is missing"
