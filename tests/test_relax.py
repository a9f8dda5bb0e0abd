"""Where no plan exists: the smallest relaxation, in the names of the rules that would have to give way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimizer.core import Core
from optimizer.engines import load
from optimizer.engines.base import Limits
from optimizer.problem import Problem, build
from optimizer.relax import conflicts, elastic
from optimizer.result import Conflict
from tests.companies import COMPANIES, corner, limit, scenario
from tests.cores import best_by_enumeration


def smallest(problem: Problem) -> tuple[tuple[Conflict, ...], np.ndarray]:
    """The conflicts an exact engine finds, and its choice."""
    answer = load("highs").solve(elastic(problem), Limits(10.0, gap=0.0, threads=1), lambda _: False)
    assert answer.choice is not None
    return conflicts(problem, answer.choice), answer.choice


def widened(problem: Problem, choice: np.ndarray, names: set[str]) -> Core:
    """The problem with the rows of the named rules widened to what `choice` has, and its unserved units let go."""
    core = problem.core
    mine = problem.limits["rule"].isin(names).to_numpy()
    usage = core.usage(choice)
    low, high = core.bounds(choice)
    lower = np.where(
        mine & (usage < low), np.where(core.position >= 0, np.minimum(core.lower, usage), usage), core.lower
    )
    return replace(
        core,
        lower=lower,
        upper=np.where(mine & (usage > high), usage, core.upper),
        mandatory=core.mandatory & (choice >= 0),
    )


IMPOSSIBLE: tuple[tuple[str, list[dict[str, Any]], set[str]], ...] = (
    ("corner", [limit("accounts", "company", at_least=5, name="five")], {"five"}),
    (
        "corner",
        [limit("coverage", "company", at_least="100%", name="all"), limit("accounts", at_most=1, name="one each")],
        {"all", "one each"},
    ),
    (
        "corner",
        [
            limit("potential", "company", at_least="90%", name="goal"),
            limit("hours", at_most=8, name="hours"),
            limit("accounts", at_most=9, name="idle"),
        ],
        {"goal", "hours"},
    ),
    (
        "corner",
        [
            limit("moved", "company", at_most=0, name="moves"),
            {"kind": "keep", "name": "send", "pairs": [["Acme", "ben"]]},
        ],
        {"moves", "send"},
    ),
    (
        "corner",
        [
            {"kind": "keep", "name": "stay", "where": {"segment": "SMB"}},
            {"kind": "forbid", "name": "apart", "pairs": [["Acme", "ana"]]},
        ],
        {"stay"},
    ),
    (
        "house",
        [
            {"kind": "together"},
            limit("accounts", at_most=2, name="small books"),
            limit("accounts", "company", at_least=4, name="four"),
        ],
        {"small books", "four"},
    ),
    (
        "staffed",
        [
            {"kind": "together"},
            limit("hours", "company", at_most=1, name="no time"),
            limit("coverage", "company", at_least=1, name="some"),
        ],
        {"no time", "some"},
    ),
)


@pytest.mark.parametrize(("name", "rules", "involved"), IMPOSSIBLE, ids=lambda v: v if isinstance(v, str) else "")
def test_the_rules_named_are_in_the_conflict_and_giving_way_as_said_restores_a_plan(
    name: str, rules: list[dict[str, Any]], involved: set[str]
) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    assert best_by_enumeration(problem.core)[1] is None, "this scenario was meant to be impossible"
    found, choice = smallest(problem)
    named = {c.rule for c in found}
    assert named and named <= involved
    assert widened(problem, choice, named).feasible(choice)
    assert best_by_enumeration(widened(problem, choice, named))[1] is not None
    assert [c.share for c in found] == sorted((c.share for c in found), reverse=True)


@pytest.mark.parametrize(("name", "rules", "involved"), IMPOSSIBLE, ids=lambda v: v if isinstance(v, str) else "")
def test_no_smaller_relaxation_exists(name: str, rules: list[dict[str, Any]], involved: set[str]) -> None:
    tables, more = COMPANIES[name]
    problem = build(tables, scenario(rules, **more))
    _, choice = smallest(problem)
    best, _ = best_by_enumeration(elastic(problem))
    assert elastic(problem).objective(choice) == pytest.approx(best, abs=1e-6)


def test_where_a_plan_exists_nothing_has_to_give_way() -> None:
    problem = build(
        corner(), scenario([limit("hours", at_most="capacity_hours"), {"kind": "keep", "where": {"segment": "SMB"}}])
    )
    assert smallest(problem)[0] == ()


def test_soft_rules_are_never_blamed() -> None:
    rules = [
        limit("accounts", "company", at_least=5, name="five"),
        limit("accounts", at_most=0, penalty=9.0, name="soft"),
    ]
    assert {c.rule for c in smallest(build(corner(), scenario(rules)))[0]} == {"five"}


def test_a_sentence_says_which_row_would_need_what_instead_of_what() -> None:
    found, _ = smallest(build(corner(), scenario([limit("accounts", "company", at_least=5, name="five")])))
    assert (
        found[0].sentence
        == "rule 'five' would have to give way in 1 row: company would need at least 4 accounts instead of 5"
    )
    assert (found[0].rows, found[0].slack, found[0].share) == (1, 1.0, pytest.approx(0.2))


def test_an_account_tied_to_somebody_it_may_not_have_is_named() -> None:
    rules = [
        {"kind": "keep", "name": "stay", "where": {"segment": "SMB"}},
        {"kind": "forbid", "pairs": [["Acme", "ana"]]},
    ]
    found, _ = smallest(build(corner(), scenario(rules)))
    assert "Acme" in found[0].sentence and "'stay'" in found[0].sentence
