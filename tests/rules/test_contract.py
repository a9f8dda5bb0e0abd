"""The contract of design.md §5: every rule says itself twice, and over every plan of tiny companies the two agree."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.check import judge
from optimizer.core import Core
from optimizer.engines import load
from optimizer.engines.base import Limits
from optimizer.options import Options
from optimizer.plan import Plan
from optimizer.problem import build, make_core
from optimizer.rules.limit import Limit
from optimizer.rules.limit_check import rows as defined_rows
from optimizer.scores import Scores, score
from optimizer.tables import Tables
from tests.companies import COMPANIES, best_by_enumeration, every_choice, every_plan, limit, scenario

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
        if of_accounts and (
            "max_accounts" in words or "quota" in words or (measure == "hours" and "%" in "".join(words))
        ):
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
    choices = np.array(list(every_choice(problem.core)))
    taken = np.zeros((len(choices), problem.core.options))
    p, u = np.nonzero(choices >= 0)
    taken[p, choices[p, u]] = 1.0
    return problem.options, [problem.plan(choice) for choice in choices], choices, taken


def posted(rule: Limit, options: Options) -> tuple[Core, np.ndarray]:
    rows = rule.post(options)
    return make_core(options, np.zeros(len(options.rep)), [rows]), rows.offset


def agree(
    rule: Limit, scores: Scores, core: Core, offset: np.ndarray, plan: Plan, choice: np.ndarray, usage: np.ndarray
) -> None:
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
    step = max(1, len(every) * len(plans) // 1200)
    for number in range(list(COMPANIES).index(name), len(every), step):
        rule = Limit(name="the limit", **every[number])
        core, offset = posted(rule, options)
        usage = taken @ core.matrix().toarray().T
        np.testing.assert_allclose(core.usage(choices[-1]), usage[-1], atol=1e-9)
        for plan, choice, used in zip(plans, choices, usage, strict=True):
            agree(rule, options.scores, core, offset, plan, choice, used)


@pytest.mark.parametrize("name", COMPANIES)
def test_every_measure_scope_bound_and_filter_has_the_same_rows_in_some_plans(name: str) -> None:
    options, plans, choices, taken = stage(name)
    some = np.unique(np.linspace(0, len(plans) - 1, 3).astype(int))
    for setting in settings(name)[list(COMPANIES).index(name) % 2 :: 2]:
        rule = Limit(name="the limit", **setting)
        core, offset = posted(rule, options)
        usage = taken[some] @ core.matrix().toarray().T
        for place, used in zip(some, usage, strict=True):
            agree(rule, options.scores, core, offset, plans[place], choices[place], used)


def label(value: object) -> str:
    return value if isinstance(value, str) else "+".join(rule["kind"] for rule in value) or "no rule"  # type: ignore[attr-defined]


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


@pytest.mark.parametrize(("name", "rules"), OPTION_RULES, ids=label)
def test_the_options_are_exactly_what_check_accepts_in_every_plan(name: str, rules: list[dict[str, Any]]) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    plans = list(every_plan(problem.scores))
    expressible = {key(problem.plan(choice)) for choice in every_choice(problem.core)}
    accepted = {key(plan) for plan, ok in zip(plans, judged_at_once(name, rules, plans), strict=True) if ok}
    assert accepted == expressible
    for plan in plans[:: max(1, len(plans) // 4)]:
        report = judge(problem.scores, problem.scenario.active, plan)
        assert report.assignments.empty == (key(plan) in expressible)


def key(plan: Plan) -> bytes:
    return plan.rep.tobytes() + np.where(plan.served, plan.level, 0).astype(np.int8).tobytes()


def judged_at_once(name: str, rules: list[dict[str, Any]], plans: list[Plan]) -> np.ndarray:
    """Which plans break no rule on assignments: judged in one go, as one company with a copy of all accounts a plan.

    Rules on assignments look at an account and its family only, so the copies do not see each other.
    """
    tables, more = COMPANIES[name]
    copies = range(len(plans))
    grouped = {"account_id", "parent_id", *(rule["by"] for rule in rules if "by" in rule)}
    many = Tables(
        pd.concat([own_ids(tables.accounts, p, grouped) for p in copies], ignore_index=True),
        tables.reps,
        None if tables.assignments is None else pd.concat([own_ids(tables.assignments, p, grouped) for p in copies]),
    )
    spread = [
        {**rule, "pairs": [[f"{account}#{p}", rep] for p in copies for account, rep in rule["pairs"]]}
        if "pairs" in rule
        else rule
        for rule in rules
    ]
    asked = scenario(spread, **more)
    scores = score(many, asked.scoring, asked.roles)
    small = {account: n for n, account in enumerate(plans[0].accounts)}
    place = [(small[ident], int(p)) for ident, p in (str(i).split("#") for i in scores.account_ids)]
    whole = scores.plan(np.stack([plans[p].rep[n] for n, p in place]), np.stack([plans[p].level[n] for n, p in place]))
    wrong = judge(scores, asked.active, whole).assignments["account_id"].str.split("#").str[1].astype(int)
    return ~np.isin(np.arange(len(plans)), wrong)


def own_ids(frame: pd.DataFrame, copy: int, grouped: set[str]) -> pd.DataFrame:
    """The rows with keys of their own: `#copy` behind texts, another thousand on numbers."""
    mine = {c: frame[c] + (1000.0 * copy if frame[c].dtype == float else f"#{copy}") for c in grouped if c in frame}
    return frame.assign(**mine)


#: whole scenarios: (company, rules). Between them every kind of rule, bound, scope and price; some cannot be met.
SCENARIOS: tuple[tuple[str, list[dict[str, Any]]], ...] = (
    ("corner", [limit("hours", at_most="capacity_hours"), limit("moved_arr", "company", at_most="25%")]),
    ("corner", [limit("accounts", at_least=1), limit("potential", within="40%", penalty=0.3)]),
    ("corner", [limit("coverage", "account.region", at_least="100%"), limit("accounts", at_most="max_accounts")]),
    ("corner", [limit("accounts", "rep.team", at_least=2, where={"rep.team": "X"}), limit("value", at_most=150)]),
    ("corner", [limit("rehomed", "company", at_least="100%"), limit("hours", "company", at_most="30%", penalty=3.0)]),
    ("corner", [limit("accounts", "company", at_least=4), limit("hours", at_most="50%"), {"kind": "keep"}]),
    ("house", [{"kind": "together"}, limit("moved", "rep", at_most=1), limit("accounts", at_most="max_accounts")]),
    (
        "house",
        [
            {"kind": "together"},
            limit("hours", at_most="capacity_hours"),
            limit("arr", "rep.team", within="20%", penalty=1.5),
        ],
    ),
    (
        "house",
        [
            {"kind": "together"},
            {"kind": "keep", "where": {"segment": "SMB"}},
            limit("moved_arr", "rep.team", at_most="50%"),
        ],
    ),
    (
        "house",
        [{"kind": "together"}, limit("growth_y1", at_least=-1), limit("coverage", "account.segment", at_least="60%")],
    ),
    ("house", [{"kind": "together"}, limit("accounts", "account.region", at_least=1, at_most=1)]),
    ("shared accounts", [limit("hours", at_most="capacity_hours"), limit("moved", "rep", at_most=0, penalty=20.0)]),
    ("shared accounts", [limit("accounts", at_least=1, role="CSM"), limit("accounts", "company", at_most=3)]),
    ("shared accounts", [limit("coverage", "company", at_least="100%"), limit("value", "company", at_most=100.25)]),
    (
        "staffed",
        [{"kind": "together"}, limit("hours", at_most="capacity_hours"), limit("coverage", "company", at_least=1)],
    ),
    ("staffed", [{"kind": "together"}, limit("potential", within="100%"), limit("accounts", at_least=1, role="AE")]),
    ("levels", [limit("hours", at_most="capacity_hours"), limit("coverage", "company", at_least="100%")]),
    ("levels", [{"kind": "together"}, limit("hours", at_most=9.75)]),
    ("levels", [limit("arr", "account.region", at_least="100%", penalty=0.07), limit("hours", "company", at_most=6.1)]),
    ("travelling", [limit("hours", at_most="capacity_hours"), {"kind": "nearest", "reps": 1, "by": "distance"}]),
    (
        "travelling",
        [{"kind": "together"}, limit("accounts", at_most=1.5, penalty=9.0), limit("accounts", "company", at_least=3)],
    ),
)


@pytest.mark.parametrize(("name", "rules"), SCENARIOS, ids=label)
def test_objective_and_feasibility_of_every_plan_are_what_check_says(name: str, rules: list[dict[str, Any]]) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    choices = list(every_choice(problem.core))
    for choice in choices[:: max(1, len(choices) // 12)]:
        plan = problem.plan(choice)
        np.testing.assert_array_equal(problem.choice(plan), choice)
        report = judge(problem.scores, problem.scenario.active, plan)
        assert report.objective == pytest.approx(problem.core.objective(choice), abs=1e-6)
        assert report.ok == problem.core.feasible(choice), report


@pytest.mark.parametrize(("name", "rules"), SCENARIOS, ids=label)
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
    found = [
        best_by_enumeration(build(COMPANIES[name][0], scenario(rules, **COMPANIES[name][1])).core)[1]
        for name, rules in SCENARIOS
    ]
    assert 2 <= sum(choice is None for choice in found) <= len(found) // 2
