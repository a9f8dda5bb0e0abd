"""Before against after."""

from __future__ import annotations

import pytest


def test_growth_of_managed_less_unmanaged_with_its_warning(company) -> None:
    here = company(
        {"owner_id": ["r1", "gone", None], "revenue_y1": [110.0, 110.0, 105.0], "revenue_y2": [100.0, 100.0, 100.0]}
    )
    row = here.row("growth_managed")
    assert row["value"] == pytest.approx(0.10 - 0.05)
    assert "selection bias" in row["note"]
    assert here.value("growth_managed", "ownership", "unmanaged") == pytest.approx(0.05)


def test_growth_is_the_same_for_every_plan(company) -> None:
    here = company({"owner_id": ["r1", None], "revenue_y1": [11.0, 9.0], "revenue_y2": [10.0, 10.0]})
    assert here.value("growth_managed", plan=here.plan([None, "r1"])) == here.value("growth_managed")


def test_growth_without_unmanaged_accounts_says_so(company) -> None:
    here = company({"revenue_y1": [11.0], "revenue_y2": [10.0]})
    assert here.row("growth_managed")["missing"] == "no revenue the year before among unmanaged accounts"


def test_margin_and_cost_of_sales_by_hand(company) -> None:
    here = company(
        {
            "revenue_y1": [200.0, 1.0],
            "revenue_y2": [100.0, None],
            "cost_to_serve_y1": [50.0, 1.0],
            "cost_to_serve_y2": [50.0, 1.0],
        }
    )
    assert here.value("margin_improvement") == pytest.approx(0.75 - 0.5)
    assert here.value("cost_of_sales_reduction") == pytest.approx(1 - 0.25 / 0.5)
    assert here.row("margin_improvement")["count"] == 1
