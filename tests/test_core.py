"""The arrays of a problem: factored rows are the matrix, and a choice is judged as design.md §3 says."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from optimizer.check import check
from optimizer.core import Core
from optimizer.problem import build
from tests.companies import corner, limit, scenario
from tests.cores import best_by_enumeration, random_core


def choice_of(core: Core, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spans = zip(core.start[:-1], core.start[1:], strict=True)
    return np.array([rng.integers(a, b) if b > a and rng.random() < 0.8 else -1 for a, b in spans], dtype=np.int64)


def test_usage_is_the_matrix_times_the_choice() -> None:
    for seed in range(60):
        core = random_core(seed)
        choice = choice_of(core, seed)
        taken = np.zeros(core.options)
        taken[choice[choice >= 0]] = 1.0
        np.testing.assert_allclose(core.usage(choice), core.matrix() @ taken, atol=1e-9)


def test_objective_and_feasibility_follow_the_formulas() -> None:
    for seed in range(60):
        core = random_core(seed, units=5, reps=3)
        best, choice = best_by_enumeration(core)
        if choice is not None:
            assert core.feasible(choice)
            assert core.objective(choice) == pytest.approx(best)


def test_leaving_a_mandatory_unit_out_is_not_feasible() -> None:
    core = build(corner(), scenario([{"kind": "keep", "pairs": [["Acme", "ana"]]}])).core
    assert not core.feasible(np.full(core.units, -1))


def test_bounds_of_an_open_position_count_only_when_it_is_used() -> None:
    core = build(corner(), scenario([limit("accounts", at_least=1, at_most=2)])).core
    nobody = np.full(core.units, -1)
    assert core.bounds(nobody)[0].tolist() == [1.0, 1.0, 0.0]
    assert core.bounds(nobody)[1].tolist() == [2.0, 2.0, 0.0]
    with_new = nobody.copy()
    with_new[0] = int(np.flatnonzero((core.unit == 0) & core.is_open[core.rep])[0])
    assert core.bounds(with_new)[0].tolist() == [1.0, 1.0, 1.0]
    assert core.objective(with_new) == pytest.approx(core.value[with_new[0]] - 40.0)


def test_a_hard_row_has_a_tolerance_and_a_soft_row_costs_from_the_first_cent() -> None:
    core = build(corner(), scenario([limit("accounts", "company", at_most=1)])).core
    one = np.full(core.units, -1)
    one[0] = core.start[0]
    for out, kept in ((5e-7, True), (2e-6, False)):
        tight = replace(core, upper=np.array([1.0 - out]))
        assert tight.feasible(one) is kept
        soft = replace(tight, penalty=np.array([10.0]))
        assert soft.feasible(one)
        assert soft.objective(one) == pytest.approx(core.value[core.start[0]] - 10 * out, abs=1e-9)


def test_the_tolerance_of_a_move_budget_is_a_share_of_the_budget_not_of_what_could_move() -> None:
    """A move limit's left side starts at minus everything that is owned; that must not blow up what is let pass."""
    tables = corner()
    tables = replace(tables, accounts=tables.accounts.assign(arr=[4e9, 1.0, 200.0, 5.0]))
    problem = build(tables, scenario([limit("moved_arr", "company", at_most=0)]))
    dropped = problem.today.rep.copy()
    dropped[2] = -1
    plan = problem.scores.plan(dropped, problem.today.level)
    assert problem.core.feasible(problem.choice(problem.today)) and check(problem, problem.today).ok
    assert not problem.core.feasible(problem.choice(plan)) and not check(problem, plan).ok


def test_a_core_written_and_mapped_back_is_the_same(tmp_path: Path) -> None:
    core = random_core(9)
    core.save(tmp_path / "core")
    again = Core.load(tmp_path / "core")
    for item in fields(core):
        np.testing.assert_array_equal(getattr(core, item.name), getattr(again, item.name))
    choice = choice_of(core)
    assert again.objective(choice) == core.objective(choice)


def test_a_problem_without_rows_or_options_still_has_numbers() -> None:
    core = build(corner(), scenario([{"kind": "forbid", "reps": {"capacity_hours": {"min": 0}}}])).core
    nobody = np.full(core.units, -1)
    assert (core.options, core.rows) == (0, 0)
    assert core.feasible(nobody)
    assert core.objective(nobody) == 0.0
    assert core.matrix().shape == (0, 0)


def test_the_worth_of_a_plan_is_a_multiple_of_the_step() -> None:
    known = 0
    for seed in range(200):
        core = random_core(seed)
        assert core.step == 0 or np.array_equal(core.value, np.rint(core.value))
        hard = replace(
            core, penalty=np.full(core.rows, np.inf), value=6 * np.rint(core.value), cost=9 * np.rint(core.cost)
        )
        known += hard.step > 1
        worth = hard.objective(choice_of(hard, seed))
        assert hard.step == 0 or worth == hard.step * np.rint(worth / hard.step)
        if np.isfinite(core.penalty).any():
            assert replace(core, value=np.rint(core.value), cost=np.rint(core.cost)).step == 0
    assert known > 100


def test_a_step_is_not_told_where_sums_would_not_be_exact() -> None:
    core = random_core(1)
    assert replace(core, penalty=np.full(core.rows, np.inf), value=np.full(core.options, 2.0**52)).step == 0
