"""A plan is a plan: written and read back, put onto other companies, refused with every bad row named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import InputError
from optimizer.plan import Plan

ACCOUNTS, REPS = np.array(["a", "b", "c"], dtype=object), np.array(["r", "s"], dtype=object)
ROLES, LEVELS = ("AE", "CSM"), ("high", "low")


def plan_of(rep: list[list[int]], level: list[list[int]] | None = None) -> Plan:
    grid = np.array(rep, dtype=np.int32)
    return Plan(ACCOUNTS, REPS, ROLES, LEVELS, grid, np.array(level or np.zeros_like(grid), dtype=np.int8))


cells = st.lists(st.integers(-1, 1), min_size=6, max_size=6)


def read(frame: pd.DataFrame) -> Plan:
    return Plan.from_frame(frame, ACCOUNTS, REPS, ROLES, LEVELS, "plan.csv")


def same(one: Plan, other: Plan) -> bool:
    levels = np.where(one.served, one.level, 0), np.where(other.served, other.level, 0)
    return np.array_equal(one.rep, other.rep) and np.array_equal(*levels)


@given(cells, st.lists(st.integers(0, 1), min_size=6, max_size=6), st.randoms())
def test_a_plan_written_and_read_back_is_the_same_in_any_order_of_rows(
    rep: list[int], level: list[int], random: object
) -> None:
    plan = plan_of(np.reshape(rep, (3, 2)).tolist(), np.reshape(level, (3, 2)).tolist())
    frame = plan.to_frame()
    order = list(range(len(frame)))
    random.shuffle(order)  # type: ignore[attr-defined]
    assert same(read(frame.iloc[order]), plan)
    assert same(read(frame[frame["rep_id"].notna()]), plan)


def test_the_table_says_nobody_by_an_empty_cell() -> None:
    frame = plan_of([[0, -1], [1, 0], [-1, -1]], [[1, 0], [0, 0], [0, 0]]).to_frame()
    assert frame["account_id"].tolist() == ["a", "a", "b", "b", "c", "c"]
    assert frame["rep_id"].isna().tolist() == [False, True, False, False, True, True]
    assert frame["service_level"].isna().tolist() == frame["rep_id"].isna().tolist()
    assert frame["service_level"].iloc[0] == "low"


def test_role_and_level_default_to_the_first() -> None:
    plan = read(pd.DataFrame({"account_id": ["a", "b"], "rep_id": ["s", ""]}))
    assert plan.rep.tolist() == [[1, -1], [-1, -1], [-1, -1]]
    assert not plan.level.any()


def test_every_bad_row_is_named() -> None:
    frame = pd.DataFrame(
        {
            "account_id": ["a", "x", "b", "a", "c", "c"],
            "rep_id": ["r", "r", "zz", "s", "r", "r"],
            "role": ["AE", "AE", "AE", "AE", "SE", "AE"],
            "service_level": [None, None, None, None, None, "gold"],
        },
        index=range(2, 8),
    )
    with pytest.raises(InputError) as refused:
        read(frame)
    said = {(f.row, f.column, f.value) for f in refused.value.findings}
    assert said == {
        (3, "account_id", "x"), (4, "rep_id", "zz"), (6, "role", "SE"), (7, "service_level", "gold"), (5, "account_id", "a"),
    }  # fmt: skip


def test_a_bad_role_is_not_mistaken_for_a_repeat() -> None:
    frame = pd.DataFrame({"account_id": ["a", "b"], "rep_id": ["r", "r"], "role": ["CSM", "SE"]}, index=[2, 3])
    with pytest.raises(InputError) as refused:
        read(frame)
    assert [(f.row, f.column) for f in refused.value.findings] == [(3, "role")]


def test_more_bad_rows_than_anybody_reads_are_counted() -> None:
    frame = pd.DataFrame({"account_id": [f"x{i}" for i in range(50)], "rep_id": "r"})
    with pytest.raises(InputError) as refused:
        read(frame)
    assert sum(f.count for f in refused.value.findings) == 50
    assert len(refused.value.findings) == 21


@pytest.mark.parametrize("column", ["account_id", "rep_id"])
def test_a_missing_column_is_named(column: str) -> None:
    with pytest.raises(InputError, match=f"has no column {column}"):
        read(pd.DataFrame({"account_id": ["a"], "rep_id": ["r"]}).drop(columns=column))


@given(cells)
def test_onto_the_same_company_changes_nothing(rep: list[int]) -> None:
    plan = plan_of(np.reshape(rep, (3, 2)).tolist())
    assert same(plan.onto(ACCOUNTS, REPS, ROLES, LEVELS), plan)


def test_onto_another_company_keeps_who_is_still_there() -> None:
    plan = plan_of([[0, 1], [1, 1], [0, 0]], [[1, 1], [1, 0], [0, 0]])
    moved = plan.onto(np.array(["c", "d", "a"], object), np.array(["s", "t", "r"], object), ("CSM",), ("low",))
    assert moved.rep.tolist() == [[2], [-1], [0]]
    assert moved.level.tolist() == [[0], [0], [0]]


def test_onto_and_from_an_empty_company() -> None:
    none = np.array([], dtype=object)
    assert plan_of([[0, 1], [1, 1], [0, 0]]).onto(none, REPS, ROLES, LEVELS).rep.shape == (0, 2)
    empty = Plan(none, none, ROLES, LEVELS, np.zeros((0, 2), np.int32), np.zeros((0, 2), np.int8))
    assert (empty.onto(ACCOUNTS, REPS, ROLES, LEVELS).rep == -1).all()


def test_the_arrays_of_a_plan_cannot_be_changed() -> None:
    plan = plan_of([[0, 1], [1, 1], [0, 0]])
    with pytest.raises(ValueError, match="read-only"):
        plan.rep[0, 0] = 1
    with pytest.raises(ValueError, match="must have shape"):
        Plan(ACCOUNTS, REPS, ROLES, LEVELS, np.zeros((2, 2), np.int32), np.zeros((3, 2), np.int8))
