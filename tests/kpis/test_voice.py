"""What customers say."""

from __future__ import annotations


def test_survey_means_leave_silent_accounts_out(company) -> None:
    here = company(
        {
            "nps": [50.0, None, -10.0],
            "csat": [4.0, 5.0, None],
            "customer_effort": [2.0, 3.0, 4.0],
            "issue_resolution_days": [1.0, 30.0, 2.0],
            "segment": ["A", "B", "A"],
        }
    )
    assert here.value("nps") == 20
    assert here.row("nps")["count"] == 2
    assert here.value("csat") == 4.5
    assert here.value("customer_effort") == 3
    assert here.value("issue_resolution_days") == 2
    assert here.row("nps", "segment", "B")["missing"] == "no account here has nps"


def test_a_true_0_is_a_value(company) -> None:
    assert company({"nps": [0.0, 0.0]}).value("nps") == 0


def test_own_columns_are_asked_for_by_name(company) -> None:
    frame = company({"key_account": [True]}).frame().set_index("kpi")["missing"]
    assert frame["customer_effort"] == "accounts.customer_effort is missing"
    assert frame["issue_resolution_days"] == "accounts.issue_resolution_days is missing"
    assert frame["strategic_alignment"] == "accounts.strategic_alignment is missing"


def test_alignment_is_of_key_accounts(company) -> None:
    here = company({"key_account": [True, False], "strategic_alignment": [8.0, 2.0]})
    assert here.value("strategic_alignment") == 8
