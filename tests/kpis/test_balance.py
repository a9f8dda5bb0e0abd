"""How even the books are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.kpis.balance import gini, max_over_mean

AMOUNTS = st.lists(st.floats(0, 1e9), min_size=1, max_size=30).filter(lambda x: sum(x) > 1e-6)


@given(AMOUNTS)
def test_gini_lies_between_0_and_1_less_1_nth(amounts: list[float]) -> None:
    assert 0 <= gini(np.array(amounts)) <= 1 - 1 / len(amounts) + 1e-9


@given(AMOUNTS)
def test_gini_is_half_the_relative_mean_difference(amounts: list[float]) -> None:
    x = np.array(amounts)
    pairs = np.abs(x[:, None] - x[None, :]).mean()
    assert gini(x) == pytest.approx(pairs / (2 * x.mean()), abs=1e-9)


@given(AMOUNTS, st.floats(0.1, 1000))
def test_balance_has_no_unit(amounts: list[float], times: float) -> None:
    x = np.array(amounts)
    assert gini(x * times) == pytest.approx(gini(x), abs=1e-9)
    assert max_over_mean(x * times) == pytest.approx(max_over_mean(x))


def test_extremes() -> None:
    assert gini(np.full(7, 3.0)) == pytest.approx(0, abs=1e-12)
    assert gini(np.array([0.0, 0.0, 0.0, 5.0])) == pytest.approx(0.75)
    assert max_over_mean(np.array([0.0, 0.0, 0.0, 5.0])) == 4
    assert np.isnan(gini(np.zeros(3))) and np.isnan(max_over_mean(np.zeros(0)))


def test_an_empty_book_counts(company) -> None:
    here = company({"owner_id": ["r1", "r1"]})
    assert here.value("potential_gini") == pytest.approx(0.5)
    assert here.value("potential_max_over_mean") == 2


def test_key_accounts_are_starved_by_overload_and_by_being_left_out(company) -> None:
    here = company(
        {
            "owner_id": ["r1", "r2", None, "r1"],
            "key_account": [True, True, True, False],
            "hours": [60.0, 60.0, 5.0, 60.0],
        },
        {"rep_id": ["r1", "r2"], "capacity_hours": [100.0, 100.0]},
    )
    assert here.value("key_accounts_starved") == pytest.approx(2 / 3)


def test_idle_below_quota_needs_both(company) -> None:
    reps = {"rep_id": ["r1", "r2", "r3"], "capacity_hours": [100.0, 100.0, 12.0], "quota": [1e6, 1.0, 1e6]}
    here = company({"owner_id": ["r1", "r2", "r3"]}, reps)
    assert here.value("idle_below_quota") == pytest.approx(1 / 3)
