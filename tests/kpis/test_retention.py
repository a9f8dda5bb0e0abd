"""Customers kept, lost and coming back."""

from __future__ import annotations

import pytest


def test_retention_and_churn_add_up_to_1_and_leave_unknown_years_out(company) -> None:
    here = company(
        {
            "revenue_y1": [5.0, 0.0, None, 7.0],
            "revenue_y2": [5.0, 5.0, 5.0, 0.0],
            "cost_to_serve_y1": [4.0, 9.0, 9.0, 9.0],
        }
    )
    assert here.value("retention") == 1 / 2
    assert here.value("retention") + here.value("churn") == 1
    assert here.value("retention_cost") == 4
    assert here.row("retention")["count"] == 2


def test_repeat_purchase_by_hand(company) -> None:
    deals = {
        "opportunity_id": ["1", "2", "3", "4"],
        "account_id": ["a0", "a0", "a1", "a2"],
        "won": [True, True, True, False],
    }
    here = company({"account_id": ["a0", "a1", "a2"]}, opportunities=deals)
    assert here.value("repeat_purchase") == pytest.approx(1 / 2)
