"""Laws of the whole: what must not change the best plan, and what can only make it better or worse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.problem import Problem, build
from optimizer.result import Result
from optimizer.solve import solve
from optimizer.tables import Tables
from tests.companies import company, limit, scenario

EXAMPLES = settings(max_examples=25)
#: limits that ask for nothing and share nothing out: a rep who can do nothing changes nothing under them
CEILINGS: list[dict[str, Any]] = [
    limit("hours", at_most="capacity_hours"),
    limit("accounts", at_most=2),
    limit("moved_arr", "company", at_most="60%"),
    limit("arr", "rep.team", at_most=250, penalty=0.5),
    limit("potential", "account.region", at_most="70%"),
]
#: limits that also ask
FLOORS: list[dict[str, Any]] = [
    limit("accounts", at_least=1, penalty=15.0),
    limit("coverage", "account.region", at_least="40%"),
    limit("potential", within="30%", penalty=0.1),
    limit("arr", "company", at_least=50),
]


@st.composite
def companies(draw: Callable[..., Any]) -> Tables:
    """Two to five accounts, two or three reps, sometimes an open position and a family."""
    n, m = draw(st.integers(2, 5)), draw(st.integers(2, 3))
    reps = [f"rep{i}" for i in range(m)]
    money = st.integers(0, 90).map(lambda x: 10.0 * x)

    def each(cells: Any, count: int) -> list[Any]:
        return draw(st.lists(cells, min_size=count, max_size=count))

    return company(
        {
            "account_id": [f"acc{i}" for i in range(n)],
            "owner_id": each(st.sampled_from([*reps, "gone", None]), n),
            "parent_id": [None, *each(st.sampled_from(["acc0", None, None]), n - 1)],
            "region": each(st.sampled_from(["East", "West", None]), n),
            "potential": each(money, n),
            "arr": each(money, n),
            "hours": each(st.integers(1, 12).map(float), n),
        },
        {
            "rep_id": reps,
            "team": each(st.sampled_from(["X", "Y"]), m),
            "capacity_hours": each(st.integers(5, 30).map(float), m),
            "ramp": each(st.sampled_from([0.5, 1.0]), m),
            "open": [False, *each(st.sampled_from([False, False, True]), m - 1)],
            "cost": each(st.sampled_from([0.0, 20.0, 500.0]), m),
        },
    )


def rules(pool: list[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Some of these limits, and sometimes families or kept accounts."""
    others: list[dict[str, Any]] = [
        {"kind": "together"},
        {"kind": "keep", "where": {"region": "East"}},
        {"kind": "nearest", "reps": 2},
    ]
    return st.lists(st.sampled_from([*pool, *others]), min_size=1, max_size=4, unique_by=str)


def solved(tables: Tables, asked: list[dict[str, Any]], **more: Any) -> tuple[Problem, Result]:
    problem = build(tables, scenario(asked, **more))
    return problem, solve(problem, "highs", time_limit=20, gap=0.0, threads=1, in_process=True)


def worth(result: Result) -> float:
    """The optimum; -inf where there is no plan. Any other ending is a failure."""
    assert result.status in ("OPTIMAL", "INFEASIBLE"), str(result)
    return result.objective if result.status == "OPTIMAL" else -np.inf


@EXAMPLES
@given(companies(), rules(CEILINGS + FLOORS), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(tables: Tables, asked: list[dict[str, Any]], random: Any) -> None:
    order = [list(range(len(frame))) for frame in (tables.accounts, tables.reps)]
    for places in order:
        random.shuffle(places)
    shuffled = replace(tables, accounts=tables.accounts.iloc[order[0]], reps=tables.reps.iloc[order[1]])
    (_, one), (_, other) = solved(tables, asked), solved(shuffled, asked)
    assert worth(one) == worth(other)
    if one.plan is not None and other.plan is not None:
        pd.testing.assert_frame_equal(one.plan.to_frame(), other.plan.to_frame())


def looser(rule: dict[str, Any], by: float) -> dict[str, Any]:
    """The limit with bounds further out, or a lower penalty."""
    out = dict(rule)
    for side, sign in (("at_most", 1), ("at_least", -1)):
        if isinstance(out.get(side), (int, float)):
            out[side] += sign * by
        elif str(out.get(side, "")).endswith("%"):
            out[side] = f"{max(0.0, float(out[side][:-1]) + sign * 10 * by)}%"
    if "within" in out:
        out["within"] = f"{float(out['within'][:-1]) + 10 * by}%"
    return out


@EXAMPLES
@given(companies(), rules(CEILINGS + FLOORS), st.data())
def test_loosening_a_limit_never_worsens_the_optimum(tables: Tables, asked: list[dict[str, Any]], data: Any) -> None:
    place = data.draw(st.integers(0, len(asked) - 1))
    by = data.draw(st.sampled_from([0.5, 1.0, 3.0]))
    loose = [looser(rule, by) if i == place else rule for i, rule in enumerate(asked)]
    before, after = (worth(solved(tables, some)[1]) for some in (asked, loose))
    assert after >= before - 1e-6


@EXAMPLES
@given(companies(), rules(CEILINGS + FLOORS), st.data())
def test_dropping_a_limit_or_a_lock_never_worsens_the_optimum(
    tables: Tables, asked: list[dict[str, Any]], data: Any
) -> None:
    place = data.draw(st.integers(0, len(asked) - 1))
    without = [{**rule, "off": True} if i == place else rule for i, rule in enumerate(asked)]
    before, after = (worth(solved(tables, some)[1]) for some in (asked, without))
    assert after >= before - 1e-6


@EXAMPLES
@given(companies(), rules(CEILINGS), st.sampled_from(["X", "Z"]), st.booleans())
def test_a_rep_without_capacity_changes_nothing_where_no_limit_asks_or_shares_out(
    tables: Tables, asked: list[dict[str, Any]], team: str, is_open: bool
) -> None:
    asked = [CEILINGS[0], *(rule for rule in asked if rule is not CEILINGS[0] and rule["kind"] != "nearest")]
    idle = {"rep_id": "idle", "capacity_hours": 0.0, "team": team, "ramp": 1.0, "open": is_open, "cost": 7.0}
    (_, before), (_, after) = solved(tables, asked), solved(tables, asked, reps={"add": [idle]})
    assert worth(after) == pytest.approx(worth(before), abs=1e-6)
    if after.plan is not None:
        assert "idle" not in set(after.plan.to_frame()["rep_id"].dropna())


@EXAMPLES
@given(companies(), rules(CEILINGS))
def test_more_capacity_never_hurts(tables: Tables, asked: list[dict[str, Any]]) -> None:
    asked = [CEILINGS[0], *(rule for rule in asked if rule is not CEILINGS[0])]
    roomy = replace(tables, reps=tables.reps.assign(capacity_hours=tables.reps["capacity_hours"] + 4))
    before, after = (worth(solved(some, asked)[1]) for some in (tables, roomy))
    assert after >= before - 1e-6


@EXAMPLES
@given(companies(), rules([rule for rule in CEILINGS + FLOORS if rule["measure"] in ("hours", "accounts", "coverage")]))
def test_another_currency_scales_everything(tables: Tables, asked: list[dict[str, Any]]) -> None:
    money = tables.accounts[["potential", "arr"]] * 100
    dear = replace(
        tables, accounts=tables.accounts.assign(**money), reps=tables.reps.assign(cost=tables.reps["cost"] * 100)
    )
    priced = [{**rule, "penalty": rule["penalty"] * 100} if "penalty" in rule else rule for rule in asked]
    before, after = worth(solved(tables, asked)[1]), worth(solved(dear, priced)[1])
    assert after == pytest.approx(100 * before, abs=100 * 0.03)  # values are rounded to cents first


@EXAMPLES
@given(companies(), rules(CEILINGS + FLOORS))
def test_no_plan_is_better_than_the_bound_and_today_is_no_better_than_the_best(
    tables: Tables, asked: list[dict[str, Any]]
) -> None:
    problem, result = solved(tables, asked)
    best = worth(result)
    today = problem.choice(problem.today)
    if np.array_equal(problem.plan(today).rep, problem.today.rep) and problem.core.feasible(today):
        assert best >= problem.core.objective(today) - 1e-6
    if np.isfinite(best):
        assert result.bound >= best - 1e-6 * max(1.0, abs(best))
        assert result.report is not None and result.report.ok
        assert result.objective == pytest.approx(problem.core.objective(problem.choice(result.plan)), abs=1e-6)
