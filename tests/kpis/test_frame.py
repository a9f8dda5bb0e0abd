"""The table of KPIs: nothing missing is shown as a number, and row order changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer.errors import UsageError
from optimizer.kpis import KPIS, kpis, measure
from optimizer.kpis.basis import Basis
from optimizer.kpis.frame import COLUMNS, tabulate
from optimizer.problem import build
from optimizer.sample import sample
from optimizer.scores import score
from optimizer.tables import Tables


@pytest.fixture(scope="module")
def tables() -> Tables:
    return sample(300, 9, 3)


def test_there_is_a_row_for_every_kpi_and_each_has_a_value_or_a_reason(tables: Tables) -> None:
    frame = measure(tables, score(tables), score(tables).today)
    assert tuple(frame.columns) == COLUMNS
    assert list(frame["kpi"].drop_duplicates()) == [k.name for k in KPIS]
    assert ((frame["missing"] == "") == frame["value"].notna()).all()
    assert (frame["note"].notna() & frame["verdict"].notna()).all()


def test_shares_of_parts_lie_between_0_and_1(tables: Tables) -> None:
    frame = measure(tables, score(tables), score(tables).today)
    shares = frame[frame["kpi"].str.startswith("coverage_") | frame["kpi"].isin(["retention", "churn", "win_rate"])]
    assert shares["value"].dropna().between(0, 1).all()


def test_row_order_changes_no_kpi(tables: Tables) -> None:
    rng = np.random.default_rng(0)
    mixed = {name: frame.iloc[rng.permutation(len(frame))] for name, frame in tables.present().items()}
    other = replace(tables, **mixed)
    one, two = (measure(t, score(t), score(t).today) for t in (tables, other))
    pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-12)


def test_the_inputs_stay_as_they_are(tables: Tables) -> None:
    before = {name: frame.copy() for name, frame in tables.present().items()}
    measure(tables, score(tables), score(tables).today)
    for name, frame in tables.present().items():
        pd.testing.assert_frame_equal(frame, before[name])


@pytest.mark.parametrize("kpi", KPIS, ids=lambda k: k.name)
def test_a_column_that_is_taken_away_is_named_and_no_number_is_shown(kpi, tables: Tables) -> None:
    for need in kpi.needs:
        names = need.split(" or ")
        if {"accounts.account_id", "reps.rep_id", "accounts.potential"} & set(names):
            continue  # without these there is no company
        frames = dict(tables.present())
        for name in names:
            table, _, column = name.partition(".")
            if column == "account_id":
                frames.pop(table, None)  # a table without its key is no table
            elif table in frames:
                frames[table] = frames[table].drop(columns=column, errors="ignore")
        poorer = Tables(**frames)
        scores = score(poorer)
        row = tabulate([kpi], Basis.of(poorer, scores, scores.today))
        assert row["value"].isna().all() and len(row) == 1
        assert names[0] in row["missing"].iloc[0]
        assert pd.isna(row["count"].iloc[0])


def test_the_bare_minimum_of_columns_shows_no_zero_for_what_it_cannot_know(company) -> None:
    frame = company({"account_id": ["a", "b"]}).frame()
    known = set(frame.loc[frame["value"].notna(), "kpi"])
    assert known == {
        "coverage_accounts",
        "coverage_potential",
        "utilisation",
        "accounts_per_rep",
        "potential_per_rep",
        "potential_gini",
        "potential_max_over_mean",
    }


def test_an_empty_column_is_called_empty(company) -> None:
    assert company({"nps": [np.nan, np.nan]}).row("nps")["missing"] == "accounts.nps is empty"


def test_a_missing_table_is_named(company) -> None:
    said = company({"account_id": ["a", "b"]}).row("activities_per_account")["missing"]
    assert "activities.account_id is missing" in said and "there is no table activities" in said


def test_an_alternative_is_offered(company) -> None:
    row = company({"account_id": ["a", "b"]}).row("coverage_key_accounts")
    assert row["missing"] == "accounts.key_account is missing (scoring.key_filter would do)"


def test_problem_and_scores_give_the_same_table(tables: Tables) -> None:
    problem = build(tables)
    pd.testing.assert_frame_equal(kpis(problem, problem.today, tables), measure(tables, problem.scores, problem.today))


def test_tables_of_another_company_are_refused(tables: Tables) -> None:
    other = sample(401, 9, 4)
    with pytest.raises(UsageError, match="other accounts"):
        measure(other, score(tables), score(tables).today)
