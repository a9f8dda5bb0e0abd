"""Coverage in accounts."""

from __future__ import annotations

import pytest

from optimizer.scoring import KeyFilter, Role, Scoring


@pytest.fixture
def four(company):
    """Two key accounts and two others, in two segments."""
    return company(
        {
            "account_id": ["a", "b", "c", "d"],
            "owner_id": ["r1", "r1", "r2", "r2"],
            "segment": ["Big", "Big", "Big", "Small"],
            "key_account": [True, True, False, False],
            "key_score": [9.0, 3.0, 6.0, None],
            "potential": [700.0, 100.0, 150.0, 50.0],
        }
    )


def test_today_where_everybody_is_owned_covers_everything(four) -> None:
    frame = four.frame()
    covered = frame[
        frame["kpi"].isin(
            [
                "coverage_key_accounts",
                "coverage_accounts",
                "coverage_by_segment",
                "coverage_key_score",
                "coverage_potential",
            ]
        )
    ]
    assert (covered["value"].dropna() == 1).all() and covered["value"].notna().sum() > 5


def test_coverage_in_each_definition_by_hand(four) -> None:
    plan = four.plan(["r1", None, "r2", None])
    assert four.value("coverage_key_accounts", plan=plan) == 1 / 2
    assert four.value("coverage_accounts", plan=plan) == 2 / 4
    assert four.value("coverage_by_segment", "segment", "Big", plan=plan) == pytest.approx(2 / 3)
    assert four.value("coverage_by_segment", "segment", "Small", plan=plan) == 0
    assert four.value("coverage_key_score", plan=plan) == pytest.approx(15 / 18)
    assert four.value("coverage_potential", plan=plan) == pytest.approx(850 / 1000)


def test_an_account_without_a_score_is_left_out_and_not_0(four) -> None:
    assert four.row("coverage_key_score")["count"] == 3


def test_a_segment_without_key_accounts_has_a_reason_and_no_number(four) -> None:
    row = four.row("coverage_key_accounts", "segment", "Small")
    assert row["missing"] == "there is no key account here"


def test_the_scenario_filter_stands_in_for_the_column(company) -> None:
    scoring = Scoring(key_filter=KeyFilter(min_revenue=50))
    here = company({"revenue_y1": [60.0, 40.0], "owner_id": [None, "r1"]}, scoring=scoring)
    assert here.value("coverage_key_accounts") == 0


def test_coverage_counts_the_first_role(company) -> None:
    roles = (Role(name="AE", share=0.5), Role(name="CSM", share=0.5))
    here = company(
        {"account_id": ["a", "b"], "owner_id": ["r1", None]},
        roles=roles,
        assignments={"account_id": ["b"], "rep_id": ["r2"], "role": ["CSM"]},
    )
    assert here.value("coverage_accounts") == 1 / 2
