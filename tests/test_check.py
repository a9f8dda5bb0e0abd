"""The judge: any plan, by tables, scores and rules alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from optimizer.check import check, judge, plan_ledger
from optimizer.plan import Plan
from optimizer.problem import build
from optimizer.scores import TERMS
from tests.companies import AE_AND_CSM, COMPANIES, corner, limit, scenario, staffed


@pytest.mark.parametrize("name", COMPANIES)
def test_the_ledger_adds_up_to_the_objective_in_any_plan(name: str) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario([limit("hours", at_most=5, penalty=1.5)], **more))
    scores, rng = problem.scores, np.random.default_rng(1)
    for _ in range(5):
        rep = rng.integers(-1, len(scores.reps), scores.today.rep.shape).astype(np.int32)
        plan = scores.plan(rep, np.zeros_like(rep, np.int8))
        report = check(problem, plan)
        assert list(report.ledger) == [*TERMS, "penalties", "open_positions"]
        assert report.objective == pytest.approx(sum(report.ledger.values()))
        n, role = np.nonzero(rep >= 0)
        value = scores.value(n, rep[n, role], role, 0).sum()
        opened = scores.reps["cost"].to_numpy()[np.unique(rep[rep >= 0])] @ scores.open_rep[np.unique(rep[rep >= 0])]
        assert report.objective == pytest.approx(value - report.limits["cost"].sum() - opened, abs=1e-6)
        assert sum(plan_ledger(scores, plan).values()) == pytest.approx(value)


def test_an_open_position_costs_once_and_only_when_it_is_filled() -> None:
    problem = build(corner(), scenario())
    for owners, cost in (([2, -1, 2, -1], -40.0), ([0, 0, 1, -1], 0.0)):
        rep = np.array(owners, dtype=np.int32)[:, None]
        assert check(problem, problem.scores.plan(rep, np.zeros_like(rep, np.int8))).ledger["open_positions"] == cost


def test_a_plan_that_breaks_rules_is_told_which_by_how_much_and_where() -> None:
    rules = [
        limit("accounts", at_most=1, name="few"),
        limit("accounts", at_least=1, name="some"),
        {"kind": "keep", "name": "stay"},
    ]
    problem = build(corner(), scenario(rules))
    rep = np.array([[0], [0], [0], [0]], dtype=np.int32)
    report = check(problem, problem.scores.plan(rep, np.zeros_like(rep, np.int8)))
    assert not report.ok
    assert report.sentences() == [
        "few: ana has 4 accounts, 3 above 1",
        "some: ben has 0 accounts, 1 below 1",
        "stay: Coda must stay with ben, not ana",
    ]
    assert "3 violations of hard rules" in str(report)


def test_slack_is_to_the_nearer_bound_and_negative_outside() -> None:
    problem = build(corner(), scenario([limit("accounts", "company", at_least=1, at_most=4)]))
    for count, slack in ((0, -1.0), (1, 0.0), (2, 1.0), (3, 1.0), (4, 0.0)):
        rep = np.where(np.arange(4) < count, 0, -1).astype(np.int32)[:, None]
        report = check(problem, problem.scores.plan(rep, np.zeros_like(rep, np.int8)))
        assert report.limits["slack"].tolist() == [slack]
        assert report.ok == (slack >= 0)


def test_a_rep_in_a_role_that_is_not_the_reps_is_a_violation() -> None:
    problem = build(staffed(), scenario(roles=AE_AND_CSM))
    rep = np.array([[1, 1], [0, 2]], dtype=np.int32)
    report = check(problem, problem.scores.plan(rep, np.zeros_like(rep, np.int8)))
    assert report.sentences() == ["roles: ben does not work as AE, which Acme would have"]


def test_a_plan_from_another_scenario_is_judged_on_the_reps_of_this_one() -> None:
    everybody = build(corner(), scenario())
    without = build(corner(), scenario(reps={"remove": ["ben"]}))
    report = judge(without.scores, without.scenario.active, everybody.today)
    assert report.objective == pytest.approx(check(everybody, everybody.today).objective - _value_of(everybody, 2, 1))


def _value_of(problem: object, account: int, rep: int) -> float:
    return float(problem.scores.value(np.array([account]), np.array([rep]))[0])  # type: ignore[attr-defined]


def test_rules_that_are_switched_off_are_not_judged() -> None:
    problem = build(corner(), scenario([limit("accounts", at_most=0, off=True)]))
    report = check(problem, problem.today)
    assert report.ok and report.limits.empty


def test_no_plan_and_no_rule_is_worth_nothing_and_breaks_nothing() -> None:
    problem = build(corner(), scenario())
    report = check(problem, problem.scores.empty_plan())
    assert (report.objective, report.ok, report.sentences()) == (0.0, True, [])
    assert list(report.limits.columns) == [
        "rule", "measure", "scope", "row", "lower", "upper", "actual", "penalty", "slack", "cost", "broken",
    ]  # fmt: skip


def test_many_violations_are_counted_and_the_first_are_shown() -> None:
    tables, _ = COMPANIES["corner"]
    many = pd.concat(
        [tables.accounts.assign(account_id=tables.accounts["account_id"] + str(i)) for i in range(10)],
        ignore_index=True,
    )
    problem = build(type(tables)(many, tables.reps), scenario([{"kind": "forbid", "reps": {"team": ["X", "Y"]}}]))
    text = str(check(problem, problem.today))
    assert "20 violations" in text and text.count("\n") == 20
    assert isinstance(problem.today, Plan)
