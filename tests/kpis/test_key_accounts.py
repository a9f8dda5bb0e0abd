"""Key accounts: return, score, and three years' figures."""

from __future__ import annotations

import pytest

from optimizer.scoring import Criterion, Scoring


def test_roi_is_profit_over_cost_of_key_accounts_and_says_what_it_leaves_out(company) -> None:
    here = company(
        {"key_account": [True, True, False], "revenue_y1": [100.0, 50.0, 999.0], "cost_to_serve_y1": [80.0, 40.0, 1.0]}
    )
    row = here.row("key_account_roi")
    assert row["value"] == pytest.approx(30 / 120)
    assert "accounts.cost_of_goods_y1 is missing" in row["note"]


def test_roi_with_cost_of_goods_needs_no_note(company) -> None:
    here = company(
        {
            "key_account": [True, True],
            "revenue_y1": [100.0, 50.0],
            "cost_to_serve_y1": [40.0, 40.0],
            "cost_of_goods_y1": [30.0, None],
        }
    )
    row = here.row("key_account_roi")
    assert (row["value"], row["count"], row["note"]) == (pytest.approx(30 / 40), 1, "")


def test_roi_takes_a_net_profit_that_is_given(company) -> None:
    here = company({"key_account": [True], "net_profit_y1": [9.0], "cost_to_serve_y1": [50.0]})
    assert here.value("key_account_roi") == pytest.approx(0.18)


def test_a_dropped_criterion_is_said(company) -> None:
    scoring = Scoring(key_criteria=(Criterion(column="fit_score", weight=2), Criterion(column="reach", weight=1)))
    here = company({"key_account": [True, True], "fit_score": [8.0, 6.0], "reach": [None, None]}, scoring=scoring)
    row = here.row("key_account_score")
    assert row["value"] == 7
    assert "reach is empty and was dropped; the weights are renormalised" in row["note"]


def test_cost_share_sets_only_years_side_by_side_that_have_both(company) -> None:
    here = company({"key_account": [True], "revenue_y1": [100.0], "revenue_y2": [900.0], "cost_to_serve_y1": [25.0]})
    assert here.value("key_account_cost_share") == 0.25
    assert here.value("key_account_revenue") == 1000


def test_one_year_of_growth_is_enough(company) -> None:
    here = company({"key_account": [True, True], "growth_y2": [10.0, -4.0]})
    assert here.value("key_account_growth") == 3
