"""The bound: never below the exact figure, above every plan, and the same however the work is cut."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from optimizer import certificate
from optimizer.certificate import adjusted, admissible, bound, chunks
from optimizer.core import Core
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices, random_core


def exact_bound(core: Core, prices: np.ndarray) -> Fraction:
    """B(λ) of design.md §3 in fractions, from the doubles as they are."""
    price = [Fraction(float(p)) for p in admissible(core, prices)]
    total = Fraction(0)
    for unit in range(core.units):
        worth = [] if core.mandatory[unit] else [Fraction(0)]
        for option in range(core.start[unit], core.start[unit + 1]):
            paid = Fraction(0)
            for by_option, coef, by_rep, row in core.factor:
                at = core.rep_row[row, core.rep[option]] if by_rep else core.unit_row[row, unit]
                if at >= 0:
                    amount = core.option_coef[coef, option] if by_option else core.unit_coef[coef, unit]
                    paid += price[at] * Fraction(float(amount))
            worth.append(Fraction(float(core.value[option])) - paid)
        total += max(worth)
    paid_back = dict.fromkeys(np.flatnonzero(core.is_open).tolist(), Fraction(0))
    for row, p in enumerate(price):
        side = p * Fraction(float(core.upper[row] if p > 0 else core.lower[row])) if p else Fraction(0)
        if core.position[row] >= 0:
            paid_back[int(core.position[row])] += side
        else:
            total += side
    return total + sum(max(Fraction(0), paid - Fraction(float(core.cost[j]))) for j, paid in paid_back.items())


@pytest.mark.parametrize("size", [0.01, 3.0, 1e4, 1e9])
def test_the_bound_is_never_below_the_exact_figure_and_close_to_it(size: float) -> None:
    for seed in range(40):
        core = random_core(seed)
        prices = np.random.default_rng(seed).normal(0, size, core.rows)
        exact, said = exact_bound(core, prices), bound(core, prices)
        scale = float(np.abs(core.value).sum() + np.abs(prices[:, None] * core.matrix().toarray()).sum())
        sides = np.where(np.isfinite([core.lower, core.upper]), [core.lower, core.upper], 0.0)
        scale += float((np.abs(prices) * np.abs(sides).sum(axis=0)).sum()) + 1.0
        assert exact <= Fraction(said)
        assert said <= float(exact) + 1e-9 * scale


def test_the_bound_stays_above_where_huge_prices_cancel() -> None:
    """Two rows with the same left side, one priced from above and one from below: what cancels must not round away."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        units = 8
        core = replace(
            random_core(1),
            start=np.arange(units + 1),
            rep=np.zeros(units, np.int32),
            value=rng.uniform(0, 1, units),
            mandatory=np.zeros(units, bool),
            unit_coef=rng.uniform(0, 1, (1, units)),
            option_coef=np.zeros((0, units)),
            unit_row=np.stack([np.zeros(units, np.int32), np.ones(units, np.int32)]),
            rep_row=np.zeros((0, 1), np.int32),
            factor=np.array([[0, 0, 0, 0], [0, 0, 0, 1]]),
            lower=np.array([-np.inf, 0.0]),
            upper=np.array([0.0, np.inf]),
            penalty=np.full(2, np.inf),
            position=np.full(2, -1, np.int32),
            is_open=np.zeros(1, bool),
            cost=np.zeros(1),
            offset=np.zeros(2),
        )
        price = rng.uniform(1e9, 1e12)
        prices = np.array([price, -price * (1 + 1e-16)])
        assert exact_bound(core, prices) <= Fraction(bound(core, prices))


def test_no_plan_is_worth_more_than_any_bound() -> None:
    for seed in range(40):
        core = random_core(seed, units=6, reps=3)
        if count_choices(core) > MOST_CHOICES:
            continue
        best, _ = best_by_enumeration(core)
        for size in (0.0, 0.5, 5.0, 100.0):
            prices = np.random.default_rng(seed).normal(0, size, core.rows)
            assert bound(core, prices) >= best - 1e-5 * max(1.0, abs(best))


def test_prices_are_clipped_to_where_they_prove_something() -> None:
    core = replace(
        random_core(1),
        lower=np.array([-np.inf, 1.0, -5.0, -np.inf, 0.0]),
        upper=np.array([3.0, np.inf, 5.0, np.inf, 9.0]),
        penalty=np.array([np.inf, np.inf, 2.0, np.inf, 1.5]),
        offset=np.zeros(5),
    )
    assert admissible(core, np.array([-4.0, 4.0, 7.0, 3.0, -9.0])).tolist() == [0.0, 0.0, 2.0, 0.0, -1.5]
    assert admissible(core, np.array([np.nan, -np.inf, np.inf, 1.0, np.nan])).tolist() == [0.0] * 5


def test_a_mandatory_unit_without_options_proves_that_there_is_no_plan() -> None:
    core = random_core(3)
    must = np.zeros(core.units, bool)
    must[0] = True
    start = core.start - core.start[1]
    start[0] = 0
    cut = slice(int(core.start[1]), None)
    empty = replace(
        core,
        mandatory=must,
        start=start,
        rep=core.rep[cut],
        value=core.value[cut],
        option_coef=core.option_coef[:, cut],
    )
    assert bound(empty, np.zeros(core.rows)) == -np.inf


@pytest.mark.parametrize("chunk", [1, 2, 7, 1000])
def test_the_bound_does_not_depend_on_how_the_units_are_cut(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(20):
        core = random_core(seed)
        prices = np.random.default_rng(seed).normal(0, 3, core.rows)
        whole, some = bound(core, prices), adjusted(core, admissible(core, prices), 0, core.units)
        with monkeypatch.context() as patch:
            patch.setattr(certificate, "CHUNK", chunk)
            assert bound(core, prices) == pytest.approx(whole, rel=1e-12)
            parts = [adjusted(core, admissible(core, prices), first, last) for first, last in chunks(core.start)]
        np.testing.assert_array_equal(np.concatenate(parts) if parts else some, some)


def test_at_no_prices_every_unit_counts_its_best_option() -> None:
    core = random_core(4)
    best = [
        max(([] if must else [0.0]) + core.value[a:b].tolist())
        for a, b, must in zip(core.start[:-1], core.start[1:], core.mandatory, strict=True)
    ]
    assert bound(core, np.zeros(core.rows)) == pytest.approx(sum(best))
