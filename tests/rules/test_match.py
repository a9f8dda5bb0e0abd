"""`match`: a rep must have everything an account asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from optimizer.check import check
from optimizer.errors import UsageError
from optimizer.problem import Problem, build
from optimizer.tables import Tables
from tests.companies import corner, house, scenario

SKILLS = {"kind": "match", "account": "required_skills", "rep": "skills"}


def reps_of(problem: Problem) -> dict[str, set[str]]:
    """The reps that may serve each account."""
    o = problem.options
    pairs = zip(problem.scores.account_ids[o.lead[o.unit]], problem.scores.rep_ids[o.rep], strict=True)
    out: dict[str, set[str]] = {str(a): set() for a in problem.scores.account_ids}
    for account, rep in pairs:
        out[account].add(rep)
    return out


def with_cells(tables: Tables, table: str, column: str, cells: list[Any]) -> Tables:
    frame = getattr(tables, table)
    return replace(tables, **{table: frame.assign(**{column: pd.Series(cells, frame.index, dtype="str")})})


def test_every_required_value_must_be_among_the_reps() -> None:
    found = reps_of(build(corner(), scenario([SKILLS])))
    assert found == {"Acme": {"ana"}, "Bolt": {"ana", "ben", "new"}, "Coda": {"ana"}, "Dune": {"ana", "ben"}}


def test_an_account_that_asks_nothing_may_have_anybody_and_a_rep_without_values_has_none() -> None:
    tables = with_cells(corner(), "accounts", "required_skills", [None, " ", ";", "data"])
    found = reps_of(build(tables, scenario([SKILLS])))
    assert found["Acme"] == found["Bolt"] == found["Coda"] == {"ana", "ben", "new"}
    assert found["Dune"] == {"ana", "ben"}


def test_blanks_and_repeats_in_a_cell_do_not_matter_but_case_does() -> None:
    tables = with_cells(corner(), "accounts", "required_skills", ["data ; cloud;", "data;data", "Data", "  data  "])
    assert reps_of(build(tables, scenario([SKILLS]))) == {
        "Acme": {"ana"}, "Bolt": {"ana", "ben"}, "Coda": set(), "Dune": {"ana", "ben"},
    }  # fmt: skip


def test_no_region_in_a_reps_cell_means_anywhere() -> None:
    found = reps_of(build(house(), scenario([{"kind": "match", "account": "region", "rep": "regions"}])))
    assert found["Kid"] == {"ben"}
    assert found["Root"] == found["Grandkid"] == {"ana", "ben"}


def test_accounts_outside_the_filter_ask_nothing() -> None:
    found = reps_of(build(corner(), scenario([{**SKILLS, "where": {"segment": "Mid"}}])))
    assert found["Acme"] == found["Coda"] == {"ana", "ben", "new"}
    assert found["Dune"] == {"ana", "ben"}


def test_check_names_the_rep_and_what_the_account_asks_for() -> None:
    problem = build(corner(), scenario([SKILLS]))
    assert check(problem, problem.today).sentences() == [
        "rule 0: ben has not all that Coda asks for in required_skills",
    ]


@pytest.mark.parametrize(("field", "words"), [("account", "accounts column"), ("rep", "reps column")])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(field: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"unknown {words} in rule 'rule 0': 'skilz'; known: .*name"):
        build(corner(), scenario([{**SKILLS, field: "skilz"}]))


def test_a_filter_on_reps_is_refused_not_passed_over() -> None:
    with pytest.raises(Exception, match=r"'rep\.team' is of no table this filter looks at; known: account"):
        scenario([{**SKILLS, "where": {"rep.team": "X"}}])
