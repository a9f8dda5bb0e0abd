"""Win rates: noise is called noise, differences are shrunk, and more evidence counts for more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.performance import win_rates

deals = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=12)


def test_coin_flips_are_not_told_apart() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(200):
        closed = rng.integers(5, 60, 12)
        rates = win_rates(rng.binomial(closed, 0.3), closed)
        found += bool((rates.factor != 1).any())
    assert found <= 20  # a 5% test, give or take


def test_where_nothing_shows_everybody_has_the_mean_and_it_is_said() -> None:
    rates = win_rates(np.array([5, 6, 5]), np.array([20, 20, 20]))
    assert rates.factor.tolist() == [1.0, 1.0, 1.0]
    assert "not distinguishable from chance (60 closed deals, 27% won" in str(rates)


def test_strong_differences_are_kept_between_the_mean_and_the_raw_rate() -> None:
    won, closed = np.array([80, 50, 20, 0]), np.array([100, 100, 100, 0])
    rates = win_rates(won, closed)
    assert rates.mean == pytest.approx(0.5)
    assert 0.5 < rates.shrunk[0] < 0.8 and 0.2 < rates.shrunk[2] < 0.5
    assert rates.shrunk[1] == pytest.approx(0.5)
    assert rates.factor[3] == 1.0  # nothing closed: the mean
    assert "differ between reps" in str(rates)


def test_the_same_rate_on_more_deals_is_believed_more() -> None:
    base_won, base_closed = np.array([80, 20, 50]), np.array([100, 100, 100])
    believed = []
    for closed in (10, 20, 40, 80, 160):
        rates = win_rates(np.append(base_won, 0.8 * closed), np.append(base_closed, closed))
        believed.append((rates.shrunk[3] - rates.mean) / (0.8 - rates.mean))
    assert believed == sorted(believed)
    assert 0 < believed[0] < believed[-1] < 1


@given(deals)
def test_a_shrunk_rate_lies_between_the_mean_and_the_raw_rate(pairs: list[tuple[int, int]]) -> None:
    won, lost = np.array(pairs, dtype=float).T
    closed = won + lost
    rates = win_rates(won, closed)
    raw = np.divide(won, closed, out=np.full(len(won), rates.mean), where=closed > 0)
    low, high = np.minimum(raw, rates.mean), np.maximum(raw, rates.mean)
    assert (low - 1e-12 <= rates.shrunk).all() and (rates.shrunk <= high + 1e-12).all()
    assert np.isfinite(rates.factor).all() and (rates.factor >= 0).all()
    assert 0 <= rates.p_value <= 1


@given(deals, st.randoms())
def test_the_order_of_reps_does_not_matter(pairs: list[tuple[int, int]], random: object) -> None:
    order = list(range(len(pairs)))
    random.shuffle(order)  # type: ignore[attr-defined]
    won, lost = np.array(pairs, dtype=float).T
    one, other = win_rates(won, won + lost), win_rates(won[order], (won + lost)[order])
    np.testing.assert_allclose(one.shrunk[order], other.shrunk, atol=1e-9)


@pytest.mark.parametrize("won", [[0, 0, 0], [9, 9, 9]])
def test_all_lost_or_all_won_says_nothing_about_anybody(won: list[int]) -> None:
    assert win_rates(np.array(won), np.array([9, 9, 9])).factor.tolist() == [1.0, 1.0, 1.0]


def test_no_deals_at_all_and_a_single_rep_are_par() -> None:
    assert win_rates(np.zeros(3), np.zeros(3)).factor.tolist() == [1.0, 1.0, 1.0]
    assert win_rates(np.array([3.0]), np.array([9.0])).factor.tolist() == [1.0]
