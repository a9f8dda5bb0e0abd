"""The contract of design.md §5: every rule says itself twice, and over every plan of tiny companies the two agree."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from optimizer.check import judge
from optimizer.core import Core
from optimizer.engines import load
from optimizer.engines.base import Limits
from optimizer.options import Options, build_options
from optimizer.plan import Plan
from optimizer.problem import Problem, build, make_core
from optimizer.rules.limit import Limit
from optimizer.rules.limit_check import rows as defined_rows
from optimizer.scores import Scores
from tests.companies import COMPANIES, best_by_enumeration, every_plan, limit, scenario

MEASURES = ("accounts", "hours", "coverage", "moved", "moved_arr", "rehomed", "value", "potential", "arr", "growth_y1")
SCOPES = ("rep", "rep.team", "company", "account.region", "account.segment", "account.key_account")
BOUNDS: tuple[dict[str, Any], ...] = (
    {"at_most": 1},
    {"at_least": 1, "at_most": 2.5},
    {"at_most": "60%"},
    {"at_least": "35%", "at_most": "90%"},
    {"at_most": "max_accounts"},
    {"at_least": "quota", "at_most": 900},
    {"within": "15%"},
    {"within": "30%", "at_least": 1},
    {"at_most": "0%"},
)
WHERES: tuple[dict[str, Any], ...] = (
    {},
    {"segment": "SMB"},
    {"account.potential": {"min": 300}},
    {"rep.team": "X"},
    {"rep.team": "Y", "key_account": True},
    {"segment": "nobody is of this segment"},
)


def settings(name: str) -> list[dict[str, Any]]:
    """Every bound that makes sense for every measure and scope; `where` and the counted role rotate."""
    out, turn = [], 0
    role_names = [role["name"] for role in COMPANIES[name][1].get("roles", [])]
    for measure, per, bounds in product(MEASURES, SCOPES, BOUNDS):
        of_accounts = per.startswith("account")
        words = [str(v) for v in bounds.values()]
        if measure == "value" and any(w.endswith("%") for w in words):
            continue
        if of_accounts and ("max_accounts" in words or "quota" in words or (measure == "hours" and "%" in "".join(words))):
            continue
        fixed = measure in ("accounts", "coverage", "potential", "arr", "growth_y1") and per in ("rep", "rep.team")
        if "within" in bounds and not fixed:
            continue
        turn += 1
        more: dict[str, Any] = {"where": WHERES[turn % len(WHERES)]}
        if role_names and turn % 5 in (1, 3):
            more["role"] = role_names[turn % len(role_names)]
        if turn % 3 == 0:
            more["penalty"] = 2.5
        out.append(limit(measure, per, **bounds, **more))
    return out


@cache
def stage(name: str) -> tuple[Options, list[Plan], np.ndarray, np.ndarray]:
    """Options without any limit, every plan they can express, as choices [P, U] and one-hot [P, K]."""
    tables, more = COMPANIES[name]
    rules = [{"kind": "together"}] if "parent_id" in tables.accounts else []
    problem = build(tables, scenario(rules, **more))
    said = [(plan, problem.choice(plan)) for plan in every_plan(problem.scores)]
    said = [(plan, choice) for plan, choice in said if expressible(problem, plan, choice)]
    choices = np.array([choice for _, choice in said])
    taken = np.zeros((len(said), problem.core.options))
    p, u = np.nonzero(choices >= 0)
    taken[p, choices[p, u]] = 1.0
    return problem.options, [plan for plan, _ in said], choices, taken


def expressible(problem: Problem, plan: Plan, choice: np.ndarray) -> bool:
    """The plan is a choice of options, and mandatory units are served."""
    again = problem.plan(choice)
    same = np.array_equal(again.rep, plan.rep) and np.array_equal(again.level[again.served], plan.level[plan.served])
    return bool(same and (choice[problem.core.mandatory] >= 0).all())


def posted(rule: Limit, options: Options) -> tuple[Core, np.ndarray]:
    rows = rule.post(options)
    return make_core(options, np.zeros(len(options.rep)), [rows]), rows.offset


def agree(rule: Limit, scores: Scores, core: Core, offset: np.ndarray, plan: Plan, choice: np.ndarray, usage: np.ndarray) -> None:
    labels, lower, upper, actual = defined_rows(rule, scores, plan)
    assert len(labels) == core.rows
    np.testing.assert_allclose(actual, usage + offset, atol=1e-9, err_msg=f"{rule!r}\n{plan.rep}")
    low, high = core.bounds(choice)
    np.testing.assert_allclose(lower, low + offset, atol=1e-9, err_msg=f"{rule!r}\n{plan.rep}")
    np.testing.assert_allclose(upper, high + offset, atol=1e-9, err_msg=f"{rule!r}\n{plan.rep}")


@pytest.mark.parametrize("name", COMPANIES)
def test_in_every_plan_a_limit_has_the_same_rows_for_engines_and_for_check(name: str) -> None:
    options, plans, choices, taken = stage(name)
    every = settings(name)
    for number in range(0, len(every), max(1, len(every) * len(plans) // 3500)):
        rule = Limit(name="the limit", **every[number])
        core, offset = posted(rule, options)
        usage = taken @ core.matrix().toarray().T
        np.testing.assert_allclose(core.usage(choices[-1]), usage[-1], atol=1e-9)
        for plan, choice, used in zip(plans, choices, usage, strict=True):
            agree(rule, options.scores, core, offset, plan, choice, used)


@pytest.mark.parametrize("name", COMPANIES)
def test_every_measure_scope_bound_and_filter_has_the_same_rows_in_some_plans(name: str) -> None:
    options, plans, choices, taken = stage(name)
    some = np.unique(np.linspace(0, len(plans) - 1, 4).astype(int))
    for setting in settings(name):
        rule = Limit(name="the limit", **setting)
        core, offset = posted(rule, options)
        usage = taken[some] @ core.matrix().toarray().T
        for place, used in zip(some, usage, strict=True):
            agree(rule, options.scores, core, offset, plans[place], choices[place], used)


OPTION_RULES: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("corner", [{"kind": "match", "account": "required_skills", "rep": "skills"}]),
    ("corner", [{"kind": "match", "account": "languages", "rep": "languages", "where": {"segment": "Mid"}}]),
    ("house", [{"kind": "match", "account": "region", "rep": "regions"}]),
    ("corner", [{"kind": "forbid", "where": {"segment": "SMB"}, "reps": {"team": "X"}}]),
    ("corner", [{"kind": "forbid", "reps": {"rep.open": True}}]),
    ("corner", [{"kind": "forbid", "where": {"region": "West"}}]),
    ("corner", [{"kind": "forbid", "pairs": [["Acme", "ben"], ["Dune", "new"]]}]),
    ("corner", [{"kind": "keep"}]),
    ("corner", [{"kind": "keep", "where": {"segment": "SMB"}}]),
    ("corner", [{"kind": "keep", "pairs": [["Acme", "ben"], ["Dune", "new"]]}]),
    ("corner", [{"kind": "keep", "pairs": [["Acme", "ben"]]}, {"kind": "keep", "where": {"segment": "SMB"}}]),
    ("corner", [{"kind": "keep", "pairs": [["Acme", "ben"]]}, {"kind": "forbid", "pairs": [["Acme", "ben"]]}]),
    ("corner", [{"kind": "nearest", "reps": 1}]),
    ("corner", [{"kind": "nearest", "reps": 2}, {"kind": "match", "account": "languages", "rep": "languages"}]),
    ("corner", [{"kind": "together", "by": "region"}]),
    ("house", [{"kind": "together"}]),
    ("house", [{"kind": "together", "where": {"key_account": True}}]),
    ("house", [{"kind": "together", "by": "group"}]),
    ("house", [{"kind": "together"}, {"kind": "together", "by": "group"}]),
    ("house", [{"kind": "together"}, {"kind": "together", "by": "segment"}]),
    ("house", [{"kind": "together"}, {"kind": "keep", "pairs": [["Kid", "ana"]]}]),
    ("house", [{"kind": "together"}, {"kind": "keep", "where": {"key_account": True}}]),
    ("house", [{"kind": "together"}, {"kind": "forbid", "pairs": [["Grandkid", "ben"]]}]),
    ("house", [{"kind": "together"}, {"kind": "match", "account": "region", "rep": "regions"}]),
    ("house", [{"kind": "together"}, {"kind": "nearest", "reps": 1}]),
    ("house", [{"kind": "together"}, {"kind": "nearest", "reps": 1, "where": {"region": "West"}}]),
    ("shared accounts", [{"kind": "keep"}]),
    ("shared accounts", [{"kind": "keep", "pairs": [["Bolt", "ana"]]}]),
    ("shared accounts", [{"kind": "nearest", "reps": 1}]),
    ("shared accounts", [{"kind": "together", "by": "region"}, {"kind": "forbid", "pairs": [["Acme", "ana"]]}]),
    ("staffed", []),
    ("staffed", [{"kind": "together"}]),
    ("staffed", [{"kind": "keep", "where": {"segment": "SMB"}}]),
    ("staffed", [{"kind": "keep"}]),
    ("staffed", [{"kind": "nearest", "reps": 1}]),
    ("levels", [{"kind": "together"}]),
    ("levels", [{"kind": "keep", "where": {"segment": "Mid"}}, {"kind": "nearest", "reps": 1}]),
    ("travelling", [{"kind": "nearest", "reps": 1, "by": "distance"}]),
    ("travelling", [{"kind": "nearest", "reps": 2, "by": "distance", "where": {"segment": "SMB"}}]),
    ("travelling", [{"kind": "nearest", "reps": 1, "by": "distance"}, {"kind": "nearest", "reps": 2}]),
    ("travelling", [{"kind": "together"}, {"kind": "nearest", "reps": 1, "by": "distance"}]),
)


@pytest.mark.parametrize(("name", "rules"), OPTION_RULES, ids=lambda v: v if isinstance(v, str) else "+".join(r["kind"] for r in v))
def test_the_options_are_exactly_what_check_accepts_in_every_plan(name: str, rules: list[dict[str, Any]]) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    accepted = 0
    for plan in every_plan(problem.scores):
        report = judge(problem.scores, problem.scenario.active, plan)
        can = expressible(problem, plan, problem.choice(plan))
        assert report.assignments.empty == can, f"{plan.to_frame()}\n{report.assignments}"
        accepted += can
    core = problem.core
    ways = np.prod(np.diff(core.start) + ~core.mandatory, dtype=float)
    assert accepted == ways, "some options no plan reaches"


#: whole scenarios: (company, rules). Between them every kind of rule, bound, scope and price; some cannot be met.
SCENARIOS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("corner", [limit("hours", at_most="capacity_hours"), limit("moved_arr", "company", at_most="25%")]),
    ("corner", [limit("accounts", at_least=1), limit("potential", within="40%", penalty=0.3)]),
    ("corner", [limit("coverage", "account.region", at_least="100%"), limit("accounts", at_most="max_accounts")]),
    ("corner", [limit("accounts", "rep.team", at_least=2, where={"rep.team": "X"}), limit("value", at_most=150)]),
    ("corner", [limit("rehomed", "company", at_least="100%"), limit("hours", "company", at_most="30%", penalty=3.0)]),
    ("corner", [limit("accounts", "company", at_least=4), limit("hours", at_most="50%"), {"kind": "keep"}]),
    ("house", [{"kind": "together"}, limit("moved", "rep", at_most=1), limit("accounts", at_most="max_accounts")]),
    ("house", [{"kind": "together"}, limit("hours", at_most="capacity_hours"), limit("arr", "rep.team", within="20%", penalty=1.5)]),
    ("house", [{"kind": "together"}, {"kind": "keep", "where": {"segment": "SMB"}}, limit("moved_arr", "rep.team", at_most="50%")]),
    ("house", [{"kind": "together"}, limit("growth_y1", at_least=-1), limit("coverage", "account.segment", at_least="60%")]),
    ("house", [{"kind": "together"}, limit("accounts", "account.region", at_least=1, at_most=1)]),
    ("shared accounts", [limit("hours", at_most="capacity_hours"), limit("moved", "rep", at_most=0, penalty=20.0)]),
    ("shared accounts", [limit("accounts", at_least=1, role="CSM"), limit("accounts", "company", at_most=3)]),
    ("shared accounts", [limit("coverage", "company", at_least="100%"), limit("value", "company", at_most=100.25)]),
    ("staffed", [{"kind": "together"}, limit("hours", at_most="capacity_hours"), limit("coverage", "company", at_least=1)]),
    ("staffed", [{"kind": "together"}, limit("potential", within="100%"), limit("accounts", at_least=1, role="AE")]),
    ("levels", [limit("hours", at_most="capacity_hours"), limit("coverage", "company", at_least="100%")]),
    ("levels", [{"kind": "together"}, limit("hours", within="0%")] if False else [{"kind": "together"}, limit("hours", at_most=9.75)]),
    ("levels", [limit("arr", "account.region", at_least="100%", penalty=0.07), limit("hours", "company", at_most=6.1)]),
    ("travelling", [limit("hours", at_most="capacity_hours"), {"kind": "nearest", "reps": 1, "by": "distance"}]),
    ("travelling", [{"kind": "together"}, limit("accounts", at_most=1.5, penalty=9.0), limit("accounts", "company", at_least=3)]),
)


@pytest.mark.parametrize(("name", "rules"), SCENARIOS, ids=lambda v: v if isinstance(v, str) else "")
def test_objective_and_feasibility_of_every_plan_are_what_check_says(name: str, rules: list[dict[str, Any]]) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    plans = list(every_plan(problem.scores))
    compared = 0
    for plan in plans[:: max(1, len(plans) // 60)]:
        choice = problem.choice(plan)
        if not expressible(problem, plan, choice):
            continue
        report = judge(problem.scores, problem.scenario.active, plan)
        assert report.objective == pytest.approx(problem.core.objective(choice), abs=1e-6)
        assert report.ok == problem.core.feasible(choice), report
        compared += 1
    assert compared > 0 or problem.impossible


@pytest.mark.parametrize(("name", "rules"), SCENARIOS, ids=lambda v: v if isinstance(v, str) else "")
def test_every_exact_engine_matches_enumeration(name: str, rules: list[dict[str, Any]]) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    best, choice = best_by_enumeration(problem.core)
    for engine in ("cpsat", "highs"):
        answer = load(engine).solve(problem.core, Limits(10.0, gap=0.0, threads=1), lambda _: False)
        if choice is None:
            assert answer.claim == "infeasible", engine
            continue
        assert answer.claim == "optimal", engine
        assert problem.core.feasible(answer.choice)
        assert problem.core.objective(answer.choice) == pytest.approx(best, abs=1e-6), engine
        report = judge(problem.scores, problem.scenario.active, problem.plan(answer.choice))
        assert report.ok
        assert report.objective == pytest.approx(best, abs=1e-6)


def test_the_scenarios_include_some_that_no_plan_can_meet() -> None:
    found = [best_by_enumeration(build(COMPANIES[name][0], scenario(rules, **COMPANIES[name][1])).core)[1] for name, rules in SCENARIOS]
    assert 2 <= sum(choice is None for choice in found) <= len(found) // 2
