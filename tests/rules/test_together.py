"""`together`: families have one rep, one level, all or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from optimizer.check import check
from optimizer.errors import UsageError
from optimizer.plan import Plan
from optimizer.problem import Problem, build
from tests.companies import PLAIN_SCORING, TWO_LEVELS, corner, house, levels, scenario


def families_of(problem: Problem) -> set[frozenset[str]]:
    o = problem.options
    return {
        frozenset(map(str, problem.scores.account_ids[o.member[a:b]]))
        for a, b in zip(o.member_start[:-1], o.member_start[1:], strict=True)
    }


def together(tables: Any = None, *rules: dict[str, Any]) -> set[frozenset[str]]:
    asked = [{"kind": "together", **rule} for rule in rules or ({},)]
    return families_of(build(house() if tables is None else tables, scenario(asked)))


def test_a_family_hangs_together_up_to_the_last_parent_that_is_an_account() -> None:
    assert together() == {frozenset({"Root", "Kid", "Grandkid"}), frozenset({"Solo"}), frozenset({"Pair"})}


def test_equal_values_of_another_column_are_a_family_and_empty_cells_stand_alone() -> None:
    groups = together(None, {"by": "group"})
    assert groups == {frozenset({"Kid", "Solo"}), frozenset({"Root"}), frozenset({"Grandkid"}), frozenset({"Pair"})}


def test_two_rules_join_what_either_joins() -> None:
    joined = together(None, {}, {"by": "group"})
    assert joined == {frozenset({"Root", "Kid", "Grandkid", "Solo"}), frozenset({"Pair"})}


def test_accounts_outside_the_filter_stand_alone_and_break_the_chain() -> None:
    alone = together(None, {"where": {"segment": "SMB"}})
    assert all(len(family) == 1 for family in alone)  # Kid is between Root and Grandkid


def test_a_long_chain_is_one_family() -> None:
    tables = house()
    names = [f"a{i:03d}" for i in range(200)]
    accounts = pd.DataFrame(
        {"account_id": names, "owner_id": "ana", "parent_id": [None, *names[:-1]], "potential": 1.0},
        index=range(2, 202),
    ).astype({"account_id": "str", "owner_id": "str", "parent_id": "str"})
    problem = build(replace(tables, accounts=accounts), scenario([{"kind": "together"}]))
    assert len(families_of(problem)) == 1
    assert check(problem, problem.today).ok
    one_off = problem.today.rep.copy()
    one_off[137] = 1
    assert len(check(problem, problem.scores.plan(one_off, problem.today.level)).assignments) == 1


def test_parents_in_a_circle_are_refused() -> None:
    tables = house()
    circle = pd.Series(["Grandkid", "Root", "Kid", None, None], tables.accounts.index, dtype="str")
    with pytest.raises(UsageError, match="parent_id runs in a circle"):
        together(replace(tables, accounts=tables.accounts.assign(parent_id=circle)))


def test_an_account_that_is_its_own_parent_stands_alone() -> None:
    tables = house()
    own = pd.Series(["Root", None, None, None, None], tables.accounts.index, dtype="str")
    assert len(together(replace(tables, accounts=tables.accounts.assign(parent_id=own)))) == 5


def test_an_account_that_is_its_own_parent_leads_its_family_in_the_judgement_too() -> None:
    tables = house()
    own = tables.accounts["parent_id"].mask(tables.accounts["account_id"] == "Root", "Root")
    problem = build(replace(tables, accounts=tables.accounts.assign(parent_id=own)), scenario([{"kind": "together"}]))
    usual = build(house(), scenario([{"kind": "together"}]))
    assert families_of(problem) == families_of(usual)
    assert check(problem, problem.today).sentences() == check(usual, usual.today).sentences()


def test_half_a_family_or_two_levels_of_service_are_violations() -> None:
    more = {"scoring": {**PLAIN_SCORING, "levels": TWO_LEVELS}}
    problem = build(levels(), scenario([{"kind": "together", "name": "kin"}], **more))
    s = problem.scores

    def judged(rows: list[tuple[str, str | None, str | None]]) -> list[str]:
        frame = pd.DataFrame(rows, columns=["account_id", "rep_id", "service_level"])
        return check(problem, Plan.from_frame(frame, s.account_ids, s.rep_ids, s.role_names, s.level_names)).sentences()

    assert judged([("Acme", "ana", "tech-touch"), ("Bolt", "ana", "tech-touch")]) == []
    assert judged([("Acme", "ana", None), ("Bolt", None, None)]) == ["kin: Bolt is not with its family Acme"]
    assert judged([("Acme", "ana", "high-touch"), ("Bolt", "ana", "tech-touch")]) == [
        "kin: Bolt is not with its family Acme"
    ]


def test_a_family_at_two_levels_is_no_option() -> None:
    problem = build(levels(), scenario([{"kind": "together"}], scoring={**PLAIN_SCORING, "levels": TWO_LEVELS}))
    rep, level = np.array([[0], [0], [-1]], np.int32), np.array([[0], [1], [0]], np.int8)
    assert problem.choice(problem.scores.plan(rep, level)).tolist() == [-1, -1]


def test_families_by_a_number_are_named_in_violations() -> None:
    problem = build(house(), scenario([{"kind": "together", "by": "group"}]))
    assert check(problem, problem.today).sentences() == ["rule 0: Solo is not with its family 7.0"]


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="accounts column in rule 'rule 0': 'parent_id'"):
        together(corner())
