"""What reps did."""

from __future__ import annotations

import pytest

LOG = {
    "activity_id": ["1", "2", "3", "4", "5"],
    "account_id": ["a0", "a0", "a1", "a2", "stranger"],
    "rep_id": ["r1", "r1", "r2", "r1", "r1"],
    "kind": ["call", "meeting", "call", "call", "call"],
    "date": ["2026-12-31", "2026-11-01", "2026-09-30", "2025-12-31", "2026-12-01"],
}


@pytest.fixture
def logged(company):
    return company({"account_id": ["a0", "a1", "a2"], "key_account": [True, True, False]}, activities=LOG)


def test_a_years_activities_per_account_and_kind(logged) -> None:
    assert logged.value("activities_per_account") == pytest.approx(3 / 3)
    assert logged.value("activities_per_account", "kind", "call") == pytest.approx(2 / 3)
    assert logged.row("activities_per_account")["note"] == "activities of 2026-01-01 to 2026-12-31"


def test_activities_per_rep(logged) -> None:
    assert logged.value("activities_per_rep") == 4 / 2
    assert logged.value("activities_per_rep", "rep", "r2") == 1


def test_key_accounts_touched_in_the_last_90_days(logged) -> None:
    assert logged.value("key_accounts_touched") == 1 / 2
