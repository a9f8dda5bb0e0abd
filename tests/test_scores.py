"""Value and hours of a pair: a ledger in currency that adds up, with every factor on a dial."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.errors import UsageError
from optimizer.scores import TERMS, Scores, score
from optimizer.scoring import Criterion, KeyFilter, Level, Role, Scoring
from tests.companies import AE_AND_CSM, COMPANIES, company, corner, frame, travelling

QUIET = {"learn_performance": False}


def scored(tables: Any = None, roles: Any = (), **scoring: Any) -> Scores:
    return score(corner() if tables is None else tables, Scoring(**{**QUIET, **scoring}), [Role(**r) for r in roles])


def pairs_of(scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    n, m = len(scores.accounts), len(scores.reps)
    return np.repeat(np.arange(n), m), np.tile(np.arange(m), n)


def one(scores: Scores, account: str, rep: str, **more: Any) -> dict[str, float]:
    """The ledger of one pair, by name."""
    n = np.flatnonzero(scores.account_ids == account)
    r = np.flatnonzero(scores.rep_ids == rep)
    terms = {name: float(amount[0]) for name, amount in scores.ledger(n, r, **more).items()}
    return terms | {"value": float(scores.value(n, r, **more)[0]), "hours": float(scores.hours(n, r, **more)[0])}


@pytest.mark.parametrize("name", COMPANIES)
def test_the_terms_add_up_to_the_value_to_the_cent(name: str) -> None:
    tables, more = COMPANIES[name]
    scores = score(tables, Scoring(key_weight=3.0), [Role(**r) for r in more.get("roles", [])])
    n, r = pairs_of(scores)
    for role in range(len(scores.roles)):
        ledger = scores.ledger(n, r, role)
        assert tuple(ledger) == TERMS
        np.testing.assert_allclose(sum(ledger.values()), scores.value(n, r, role), atol=1e-9)
        for amount in ledger.values():
            np.testing.assert_allclose(amount * 100, np.round(amount * 100), atol=1e-6)


def test_a_value_worked_out_by_hand() -> None:
    """Coda wants cloud and data and is ben's; new has neither, is at 0.5 ramp and 0.8 performance."""
    scores = scored(conversion=0.2, retention=0.1)
    assert one(scores, "Coda", "new")["expected_revenue"] == pytest.approx(700 * 0.2 * 0.8 * 0.5 * 0.5)
    assert one(scores, "Coda", "ben")["expected_revenue"] == pytest.approx(np.round(700 * 0.2 * 1.25 * 0.5 * 0.75, 2))
    assert one(scores, "Acme", "ana")["retention"] == 30.0
    assert one(scores, "Acme", "ana")["transition_loss"] == 0.0
    assert one(scores, "Acme", "ben")["transition_loss"] == -45.0
    assert one(scores, "Coda", "new")["hours"] == pytest.approx(12.5 * 1.25)


def test_taking_over_from_somebody_who_left_loses_as_much_and_from_nobody_nothing() -> None:
    scores = scored()
    assert one(scores, "Bolt", "ana")["transition_loss"] == -15.0
    assert one(scores, "Dune", "ana")["transition_loss"] == 0.0


@pytest.mark.parametrize(
    ("dial", "column", "cells"),
    [("performance", "performance", [0.1, 5.0, 0.0]), ("skills", "skills", [None, None, None])],
)
def test_a_factor_at_strength_nothing_does_not_count(dial: str, column: str, cells: list[Any]) -> None:
    tables = corner()
    kind = "float64" if column == "performance" else "str"
    changed = replace(tables, reps=tables.reps.assign(**{column: pd.Series(cells, tables.reps.index, dtype=kind)}))
    n, r = pairs_of(scored())
    off = [scored(t, **{dial: 0.0}) for t in (tables, changed)]
    np.testing.assert_array_equal(off[0].value(n, r), off[1].value(n, r))
    np.testing.assert_array_equal(off[0].hours(n, r), off[1].hours(n, r))
    on = [scored(t) for t in (tables, changed)]
    assert (on[0].value(n, r) != on[1].value(n, r)).any()


def test_fit_and_industry_knowledge_are_one_dial() -> None:
    tables = corner()
    known = replace(
        tables,
        accounts=tables.accounts.assign(
            fit=[2.0, 0.5, 1.0, None],
            industry=pd.Series(["food", "food", None, ""], tables.accounts.index, dtype="str"),
        ),
        reps=tables.reps.assign(industries=pd.Series(["food;steel", "steel", None], tables.reps.index, dtype="str")),
    )
    on, off = scored(known, transition_loss=0.0), scored(known, fit=0.0, transition_loss=0.0)
    plain = scored(transition_loss=0.0)
    n, r = pairs_of(plain)
    np.testing.assert_array_equal(off.value(n, r), plain.value(n, r))
    assert one(on, "Acme", "ana")["expected_revenue"] == pytest.approx(
        one(plain, "Acme", "ana")["expected_revenue"] * 2.2
    )
    assert one(on, "Bolt", "ben")["expected_revenue"] == pytest.approx(
        one(plain, "Bolt", "ben")["expected_revenue"] / 2
    )
    assert one(on, "Coda", "ana")["expected_revenue"] == one(plain, "Coda", "ana")["expected_revenue"]
    relief = scored(known)
    assert one(relief, "Bolt", "ana")["transition_loss"] == pytest.approx(-15 * 0.5)
    assert one(relief, "Bolt", "ben")["transition_loss"] == -15.0


def test_conversion_may_differ_by_segment() -> None:
    scores = scored(conversion={"SMB": 0.5, "default": 0.1}, performance=0.0, skills=0.0)
    assert one(scores, "Acme", "ana")["expected_revenue"] == 500.0
    assert one(scores, "Bolt", "ana")["expected_revenue"] == 40.0


def test_roles_share_the_value_and_levels_scale_revenue_and_hours() -> None:
    tables = corner()
    whole, shared = scored(tables), scored(tables, AE_AND_CSM)
    for account in ("Acme", "Coda"):
        parts = [one(shared, account, "ana", role=role) for role in (0, 1)]
        full = one(whole, account, "ana")
        # the owner column says who is AE; nobody is CSM today, so nothing is lost there
        assert sum(p["expected_revenue"] for p in parts) == pytest.approx(full["expected_revenue"], abs=0.02)
        assert parts[0]["transition_loss"] == pytest.approx(0.7 * full["transition_loss"], abs=0.01)
        assert parts[1]["transition_loss"] == 0.0
    two = scored(tables, levels=(Level(name="a"), Level(name="b", hours=2.0, value=1.5)))
    plain, double = one(two, "Acme", "ana", level=0), one(two, "Acme", "ana", level=1)
    assert double["expected_revenue"] == pytest.approx(1.5 * plain["expected_revenue"])
    assert double["hours"] == pytest.approx(2 * plain["hours"])
    assert double["retention"] == plain["retention"]


def test_only_the_assignments_table_can_name_owners_in_other_roles_and_it_wins() -> None:
    tables = replace(
        corner(),
        assignments=frame(
            "assignments",
            {
                "account_id": ["Acme", "Bolt", "Acme", "who"],
                "rep_id": ["ben", "gone", None, "ana"],
                "role": ["AE", "CSM", "CSM", "AE"],
            },
        ),
    )
    scores = scored(tables, AE_AND_CSM)
    assert scores.today.rep[:2].tolist() == [[1, -1], [-1, -1]]
    assert scores.owned[:2].tolist() == [[True, False], [True, True]]


# -- distance --------------------------------------------------------------------------------------------------------


def towns() -> Any:
    return company(
        {
            "account_id": ["Berlin", "Sydney", "Paris"],
            "owner_id": [None] * 3,
            "potential": [1.0] * 3,
            "lat": [52.52, -33.8688, 48.8566],
            "lon": [13.405, 151.2093, 2.3522],
        },
        {"rep_id": ["Berlin", "Paris", "Sydney"], "lat": [52.52, 48.8566, -33.8688], "lon": [13.405, 2.3522, 151.2093]},
    )


@pytest.mark.parametrize(("a", "b", "km"), [("Berlin", "Paris", 877.5), ("Paris", "Sydney", 16960.0)])
def test_a_distance_is_what_the_atlas_says_both_ways(a: str, b: str, km: float) -> None:
    scores = scored(towns())
    there, back = (
        scores.distance_km(np.flatnonzero(scores.account_ids == x), np.flatnonzero(scores.rep_ids == y))[0]
        for x, y in ((a, b), (b, a))
    )
    assert there == pytest.approx(km, rel=0.005)
    assert there == pytest.approx(back)


coordinates = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(coordinates, coordinates)
def test_a_distance_is_symmetrical_and_at_most_half_way_round(a: tuple[float, float], b: tuple[float, float]) -> None:
    tables = company(
        {
            "account_id": ["x", "y"],
            "owner_id": [None, None],
            "potential": [1.0, 1.0],
            "lat": [a[0], b[0]],
            "lon": [a[1], b[1]],
        },
        {"rep_id": ["x", "y"], "lat": [a[0], b[0]], "lon": [a[1], b[1]]},
    )
    km = scored(tables).distance_km(np.array([0, 1, 0]), np.array([1, 0, 0]))
    assert km[0] == pytest.approx(km[1], abs=1e-6)
    assert 0 <= km[0] <= 20_016
    assert km[2] == pytest.approx(0.0, abs=1e-3)


def test_travel_costs_money_and_time_and_nothing_where_a_place_is_unknown() -> None:
    tables = travelling()
    near, off = scored(tables), scored(tables, travel={"visits": 0.0})
    km = near.distance_km(np.array([1]), np.array([1]))[0]
    assert one(near, "Bolt", "ben")["travel_cost"] == pytest.approx(-round(2 * 0.25 * 0.3 * km, 2))
    assert one(near, "Bolt", "ben")["hours"] == pytest.approx(8.0 + 2 * 0.25 * km / 100, abs=1e-3)
    assert one(near, "Coda", "ben")["travel_cost"] == 0.0
    assert one(off, "Bolt", "ben")["travel_cost"] == 0.0


# -- key accounts ----------------------------------------------------------------------------------------------------


def key_scores(cells: dict[str, list[float | None]], criteria: list[Criterion], **more: Any) -> Scores:
    count = len(next(iter(cells.values())))
    tables = company(
        {"account_id": [f"a{i}" for i in range(count)], "owner_id": ["r"] * count, "potential": [0.0] * count, **cells},
        {"rep_id": ["r"]},
    )
    return scored(tables, key_criteria=tuple(criteria), **more)


def test_a_key_score_is_the_weighted_mean_over_the_criteria_an_account_has() -> None:
    criteria = [Criterion(column="csat", weight=3.0), Criterion(column="nps", weight=1.0)]
    scores = key_scores({"csat": [10.0, 2.0, None, None], "nps": [2.0, None, 6.0, None]}, criteria)
    found = scores.accounts["key_score"].tolist()
    assert found[:3] == [8.0, 2.0, 6.0]  # missing is not 0: the weights are renormalised
    assert np.isnan(found[3])


def test_a_criterion_that_nobody_has_is_dropped_with_a_note() -> None:
    criteria = [Criterion(column="csat"), Criterion(column="nps", weight=9.0)]
    scores = key_scores({"csat": [4.0, 7.0], "nps": [None, None]}, criteria)
    assert scores.accounts["key_score"].tolist() == [4.0, 7.0]
    assert any("nps is empty and was dropped" in note for note in scores.notes)


def test_raw_figures_are_mapped_onto_one_to_ten_in_either_direction() -> None:
    up = key_scores({"csat": [0.0, 50.0, 100.0, 400.0]}, [Criterion(column="csat", low=0.0, high=100.0)])
    assert up.accounts["key_score"].tolist() == [1.0, 5.5, 10.0, 10.0]
    down = key_scores({"csat": [0.0, 50.0, 100.0]}, [Criterion(column="csat", low=100.0, high=0.0)])
    assert down.accounts["key_score"].tolist() == [10.0, 5.5, 1.0]


def test_only_key_accounts_are_worth_their_score() -> None:
    tables = corner()
    rated = replace(tables, accounts=tables.accounts.assign(key_score=[8.0, 9.0, 3.0, None]))
    scores = scored(rated, key_weight=10.0)
    assert [one(scores, a, "ana")["key_account"] for a in ("Acme", "Bolt", "Coda", "Dune")] == [80.0, 0.0, 0.0, 0.0]


def test_the_filter_asks_three_years_of_revenue_cost_and_growth() -> None:
    cells = {
        "revenue_y1": [100.0, 100.0, 10.0, None],
        "revenue_y2": [100.0, None, 10.0, None],
        "revenue_y3": [100.0, None, 10.0, None],
        "cost_to_serve_y1": [30.0, 90.0, 1.0, 1.0],
        "growth_y1": [5.0, 5.0, 5.0, 5.0],
    }
    for asked, found in (
        (KeyFilter(min_revenue=100.0), [True, True, False, False]),
        (KeyFilter(min_revenue=100.0, max_cost_share=0.5), [True, False, False, False]),
        (KeyFilter(min_growth=5.0), [True, True, True, True]),
        (KeyFilter(), [False, False, False, False]),
    ):
        assert key_scores(cells, [], key_filter=asked).accounts["key_account"].tolist() == found


def test_a_criterion_on_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"column in scoring\.key_criteria 'cast'; known: .*csat"):
        key_scores({"csat": [1.0]}, [Criterion(column="cast")])


# -- everything else -------------------------------------------------------------------------------------------------


@given(st.randoms())
def test_the_order_of_rows_changes_nothing(random: Any) -> None:
    tables = corner()
    orders = [list(range(4)), list(range(3))]
    for order in orders:
        random.shuffle(order)
    shuffled = replace(tables, accounts=tables.accounts.iloc[orders[0]], reps=tables.reps.iloc[orders[1]])
    first, second = scored(tables), scored(shuffled)
    n, r = pairs_of(first)
    np.testing.assert_array_equal(first.value(n, r), second.value(n, r))
    np.testing.assert_array_equal(first.hours(n, r), second.hours(n, r))
    np.testing.assert_array_equal(first.today.rep, second.today.rep)
    assert first.notes == second.notes


def test_defaults_that_were_used_are_said_once_each() -> None:
    tables = company({"account_id": ["a"], "owner_id": ["r"], "potential": [None]}, {"rep_id": ["r"]})
    notes = scored(tables).notes
    for words in (
        "accounts.potential is missing",
        "accounts.hours is missing",
        "reps.capacity_hours is missing",
        "reps.ramp",
    ):
        assert sum(words in note for note in notes) == 1


def test_performance_is_learnt_from_closed_deals_and_shrunk_unless_it_is_given_or_switched_off() -> None:
    rng = np.random.default_rng(2)
    deals = 300
    rep = rng.choice(["ana", "ben"], deals)
    won = rng.random(deals) < np.where(rep == "ana", 0.6, 0.2)
    opportunities = frame(
        "opportunities",
        {
            "opportunity_id": [f"o{i}" for i in range(deals)],
            "account_id": ["a"] * deals,
            "rep_id": rep,
            "won": won,
            "closed": [True] * deals,
        },
    )
    tables = company(
        {"account_id": ["a"], "owner_id": ["ana"], "potential": [1000.0]},
        {"rep_id": ["ana", "ben", "new"]},
        opportunities=opportunities,
    )
    learnt = score(tables, Scoring()).reps["performance"].tolist()
    raw = [won[rep == who].mean() / won.mean() for who in ("ana", "ben")]
    assert 1 < learnt[0] < raw[0] and raw[1] < learnt[1] < 1 and learnt[2] == 1.0
    given_too = replace(tables, reps=tables.reps.assign(performance=[0.7, None, None]))
    assert score(given_too, Scoring()).reps["performance"].tolist()[:2] == [0.7, learnt[1]]
    assert score(tables, Scoring(learn_performance=False)).reps["performance"].tolist() == [1.0] * 3


def test_scoring_leaves_the_tables_as_they_are() -> None:
    tables = corner()
    before = [tables.accounts.copy(deep=True), tables.reps.copy(deep=True)]
    score(tables, Scoring(), changes={"remove": ["ben"]})
    pd.testing.assert_frame_equal(tables.accounts, before[0])
    pd.testing.assert_frame_equal(tables.reps, before[1])
