"""Sales targets: planned value and won revenue against quota."""

from __future__ import annotations

import pytest

REPS = {"rep_id": ["r1", "r2", "r3"], "team": ["East", "East", "West"], "quota": [200.0, 400.0, None]}
DEALS = {
    "opportunity_id": ["1", "2", "3", "4", "5"],
    "account_id": ["a0"] * 5,
    "rep_id": ["r1", "r1", "r2", "r1", "r3"],
    "won": [True, True, True, False, True],
    "closed": [True] * 5,
    "amount": [50.0, 900.0, 100.0, 77.0, 10.0],
    "close_date": ["2026-06-01", "2025-01-01", "2026-12-31", "2026-05-05", "2026-07-01"],
}


def test_planned_value_is_the_books_model_value_over_quota(company) -> None:
    here = company({"owner_id": ["r1", "r2", "r3"], "arr": [0.0, 50.0, 10.0]}, REPS)
    s = here.scores
    value = [float(s.value([n], [n])[0]) for n in range(3)]
    assert here.value("planned_target", "rep", "r1") == pytest.approx(value[0] / 200)
    assert here.value("planned_target", "team", "East") == pytest.approx((value[0] + value[1]) / 600)
    assert here.value("planned_target") == pytest.approx((value[0] + value[1]) / 600)


def test_a_rep_without_a_quota_is_on_neither_side(company) -> None:
    frame = company({"owner_id": ["r1", "r2", "r3"]}, REPS).frame()
    shown = frame[(frame["kpi"] == "planned_target") & (frame["scope"] == "rep")]
    assert list(shown["row"]) == ["r1", "r2"]


def test_won_revenue_of_the_last_year_by_hand(company) -> None:
    here = company({"account_id": ["a0"]}, REPS, opportunities=DEALS)
    assert here.value("won_target", "rep", "r1") == 50 / 200
    assert here.value("won_target") == 150 / 600
    assert here.row("won_target")["note"] == "deals closed 2026-01-01 to 2026-12-31"


def test_contracts_and_win_rate(company) -> None:
    here = company({"account_id": ["a0"]}, REPS, opportunities=DEALS)
    assert here.value("contracts_won") == 3
    assert here.value("win_rate") == 4 / 5


def test_stage_stands_in_for_won(company) -> None:
    deals = {k: v for k, v in DEALS.items() if k not in ("won", "closed")}
    deals["stage"] = ["Closed Won", "Won", "closed-won", "Closed Lost", "Negotiation"]
    here = company({"account_id": ["a0"]}, REPS, opportunities=deals)
    assert here.value("win_rate") == 3 / 4
