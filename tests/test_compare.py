"""Plans side by side: who moved, what it is worth, and nothing counted twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.check import judge
from optimizer.compare import MEASURES, Judged, Moves, compare_plans
from optimizer.errors import UsageError
from optimizer.kpis.balance import gini
from optimizer.plan import Plan
from optimizer.read import tables_of
from optimizer.rules.limit import Limit
from optimizer.scores import Scores, score
from optimizer.scoring import Role

CAPACITY = Limit(name="hours", measure="hours", per="rep", at_most="capacity_hours")
ACCOUNTS = pd.DataFrame(
    {
        "account_id": ["acme", "bolt", "cube", "dune", "echo", "fern"],
        "owner_id": ["ana", "ana", "bob", "left", None, "bob"],
        "segment": ["Big", "Big", "Small", "Small", "Small", "Big"],
        "potential": [100.0, 300.0, 200.0, 50.0, 50.0, 300.0],
        "arr": [10.0, 20.0, 40.0, 80.0, 0.0, 160.0],
        "key_account": [True, True, False, True, False, False],
        "key_score": [9.0, 8.0, 4.0, 7.0, 2.0, None],
        "hours": [40.0, 40.0, 40.0, 40.0, 40.0, 30.0],
    }
)
REPS = pd.DataFrame({"rep_id": ["ana", "bob"], "name": ["Ana", "Bob"], "capacity_hours": [100.0, 100.0]})


@pytest.fixture(scope="module")
def scores() -> Scores:
    return score(tables_of(ACCOUNTS, REPS))


def plan(scores: Scores, **owners: str | None) -> Plan:
    frame = pd.DataFrame({"account_id": list(owners), "rep_id": list(owners.values())})
    return Plan.from_frame(frame, scores.account_ids, scores.rep_ids, scores.role_names, scores.level_names)


@pytest.fixture(scope="module")
def new(scores: Scores) -> Plan:
    """bolt goes to Bob, cube is dropped, dune (whose owner left) and echo (nobody's) are taken by Ana."""
    return plan(scores, acme="ana", bolt="bob", dune="ana", echo="ana", fern="bob")


def test_today_moves_nothing(scores: Scores) -> None:
    column = compare_plans(scores, (CAPACITY,), {"today": scores.today}).summary["today"]
    for metric in ("moved", "moved ARR", "rehomed", "key accounts that changed hands", "owned accounts left unserved"):
        assert column[metric] == (1 if metric.startswith("owned") else 0), metric


def test_moves_by_the_definition(scores: Scores, new: Plan) -> None:
    column = compare_plans(scores, (CAPACITY,), {"new": new}).summary["new"]
    assert column["moved"] == 2  # bolt changed rep, cube was owned and is dropped
    assert column["moved ARR"] == 20 + 40
    assert column["moved share of ARR"] == pytest.approx(60 / 230)  # of what Ana and Bob own
    assert column["rehomed"] == 1  # dune: its owner is no rep here
    assert column["key accounts that changed hands"] == 2  # bolt and dune
    assert column["owned accounts left unserved"] == 1  # cube
    assert column["accounts served"] == 5 and column["accounts unserved"] == 1


def test_coverage_balance_and_load_by_hand(scores: Scores, new: Plan) -> None:
    column = compare_plans(scores, (CAPACITY,), {"new": new}).summary["new"]
    assert column["coverage, key accounts"] == 1
    assert column["coverage, all accounts"] == pytest.approx(5 / 6)
    assert (column["coverage, Big"], column["coverage, Small"]) == (1, pytest.approx(2 / 3))
    assert column["coverage by key-account score"] == pytest.approx(26 / 30)
    assert column["coverage by potential"] == pytest.approx(0.8)
    assert column["utilisation"] == pytest.approx(190 / 200)
    assert column["reps above capacity"] == 1
    assert column["potential per rep, max ÷ mean"] == pytest.approx(600 / 400)
    assert column["potential per rep, Gini"] == pytest.approx(gini(np.array([200.0, 600.0])))


def test_value_is_the_checks_own_and_the_ledger_adds_up(scores: Scores, new: Plan) -> None:
    compared = compare_plans(scores, (CAPACITY,), {"new": new, "today": scores.today})
    report = judge(scores, (CAPACITY,), new)
    assert compared.summary.loc["model value", "new"] == report.objective
    assert compared.summary.loc["hard limit rows broken", "new"] == 1
    for name in ("today", "new"):
        assert compared.ledger[name].sum() == pytest.approx(compared.summary.loc["model value", name])


def test_today_comes_first_and_the_others_keep_their_order(scores: Scores, new: Plan) -> None:
    compared = compare_plans(scores, (), {"b": new, "today": scores.today, "a": new})
    assert list(compared.summary.columns) == ["today", "b", "a"]


@settings(max_examples=25)
@given(owners=st.lists(st.sampled_from(["ana", "bob", None]), min_size=6, max_size=6))
def test_moves_tie_out_with_the_limits_that_cap_them(scores: Scores, owners: list[str | None]) -> None:
    some = plan(scores, **dict(zip(ACCOUNTS["account_id"], owners, strict=True)))
    rules = [Limit(name=m, measure=m, per="company", at_most=1e9) for m in ("moved", "moved_arr", "rehomed")]
    actual = judge(scores, rules, some).limits.set_index("rule")["actual"]
    column = compare_plans(scores, rules, {"some": some}).summary["some"]
    assert [column["moved"], column["moved ARR"], column["rehomed"]] == list(actual[["moved", "moved_arr", "rehomed"]])


def test_roles_are_counted_as_the_limit_counts_them() -> None:
    roles = (Role(name="AE", share=0.5), Role(name="CSM", share=0.5))
    team = pd.DataFrame({"account_id": ["acme", "bolt"], "rep_id": ["bob", "left"], "role": ["CSM", "CSM"]})
    scores = score(tables_of(ACCOUNTS, REPS, assignments=team), roles=roles)
    rng = np.random.default_rng(5)
    some = scores.plan(rng.integers(-1, 2, (6, 2)).astype(np.int32), np.zeros((6, 2), np.int8))
    rules = [Limit(name=m, measure=m, per="company", at_most=1e9) for m in ("moved", "rehomed")]
    actual = judge(scores, rules, some).limits.set_index("rule")["actual"]
    moves = Moves.of(scores, some)
    assert (moves.moved.sum(), moves.rehomed.sum()) == (actual["moved"], actual["rehomed"])


def test_changes_list_every_difference_with_names_and_worth(scores: Scores, new: Plan) -> None:
    compared = compare_plans(scores, (CAPACITY,), {"today": scores.today, "new": new})
    changes = compared.changes("today", "new").set_index("account_id")
    assert list(changes.index) == ["bolt", "cube", "dune", "echo"]
    bolt = changes.loc["bolt"]
    assert (bolt["from_rep"], bolt["to_rep"], bolt["arr"], bolt["potential"]) == ("Ana", "Bob", 20, 300)
    assert changes["key_account"].to_list() == [True, False, True, False]
    assert pd.isna(changes.loc["cube", "to_rep_id"]) and pd.isna(changes.loc["dune", "from_rep_id"])
    total = changes["value_difference"].sum()
    value = compared.summary.loc["model value"]
    assert total == pytest.approx(value["new"] - value["today"])
    assert compared.changes("new", "new").empty


def test_changes_back_are_the_changes_turned_round(scores: Scores, new: Plan) -> None:
    compared = compare_plans(scores, (), {"today": scores.today, "new": new})
    there, back = compared.changes("today", "new"), compared.changes("new", "today")
    assert there["to_rep_id"].equals(back["from_rep_id"].rename("to_rep_id"))
    assert (there["value_difference"] == -back["value_difference"]).all()


def test_a_plan_of_another_scenario_is_judged_by_its_own(scores: Scores, new: Plan) -> None:
    changes = {"remove": ["bob"], "add": [{"rep_id": "new-1", "name": "Zoe", "open": True, "cost": 70.0}]}
    other = score(tables_of(ACCOUNTS, REPS), changes=changes)
    hired = plan(other, acme="ana", bolt="ana", cube="new-1", dune="new-1", fern="new-1")
    compared = compare_plans(scores, (CAPACITY,), {"hire": Judged(other, (CAPACITY,), hired), "today": scores.today})
    column = compared.summary["hire"]
    assert column["model value"] == judge(other, (CAPACITY,), hired).objective
    assert (column["open positions filled"], column["cost of open positions filled"]) == (1, 70)
    assert (column["moved"], column["rehomed"]) == (0, 3)  # bob is no rep there: his accounts are rehomed
    assert list(compared.books("accounts").index) == ["ana", "bob", "new-1"]
    assert np.isnan(compared.books("accounts").loc["bob", "hire"])
    moved = compared.changes("today", "hire").set_index("account_id")
    assert (moved.loc["cube", "from_rep_id"], moved.loc["cube", "to_rep"]) == ("bob", "Zoe")


def test_books_add_up(scores: Scores, new: Plan) -> None:
    compared = compare_plans(scores, (CAPACITY,), {"today": scores.today, "new": new})
    books = compared.reps.groupby("plan")[list(MEASURES)].sum()
    assert (books["accounts"] == compared.summary.loc["accounts served", books.index]).all()
    assert books.loc["new", "hours"] == 190 and books.loc["new", "arr"] == 270
    assert books.loc["new", "value"] == pytest.approx(compared.summary.loc["model value", "new"])
    assert compared.books("utilisation").loc["ana", "new"] == 1.2


def test_row_order_changes_nothing(scores: Scores, new: Plan) -> None:
    mixed = score(tables_of(ACCOUNTS.iloc[[3, 1, 5, 0, 2, 4]], REPS.iloc[[1, 0]]))
    one, two = (compare_plans(s, (CAPACITY,), {"today": s.today, "new": new}) for s in (scores, mixed))
    pd.testing.assert_frame_equal(one.summary, two.summary)
    pd.testing.assert_frame_equal(one.changes("today", "new"), two.changes("today", "new"))


def test_what_the_tables_lack_is_no_0(scores: Scores) -> None:
    compared = compare_plans(scores, (), {"today": scores.today})
    contacts = compared.summary.loc[[m for m in compared.summary.index if "contacts" in m], "today"]
    assert len(contacts) == 3 and contacts.isna().all()
    bare = score(tables_of(ACCOUNTS[["account_id", "owner_id", "potential"]], REPS))
    assert np.isnan(compare_plans(bare, (), {"today": bare.today}).summary.loc["coverage, key accounts", "today"])


def test_it_prints_as_a_table_and_keeps_its_figures_in_long_form(scores: Scores, new: Plan) -> None:
    compared = compare_plans(scores, (CAPACITY,), {"today": scores.today, "new": new})
    lines = str(compared).splitlines()
    assert lines[0].split() == ["today", "new"]
    assert len({len(line) for line in lines[:-1]}) == 1
    assert any(line.startswith("moved share of ARR") and line.endswith("26.1%") for line in lines)
    long = compared.to_frame()
    assert len(long) == compared.summary.size and list(long.columns) == ["metric", "unit", "plan", "value"]


def test_wrong_calls_are_refused_in_words(scores: Scores, new: Plan) -> None:
    with pytest.raises(UsageError, match="no plan"):
        compare_plans(scores, (), {})
    more = score(tables_of(ACCOUNTS, REPS), changes={"add": [{"rep_id": "new-1"}]})
    with pytest.raises(UsageError, match=r"new-1.*Judged"):
        compare_plans(scores, (), {"hire": plan(more, acme="new-1")})
    euro = score(tables_of(ACCOUNTS, REPS), currency="EUR")
    with pytest.raises(UsageError, match="EUR and USD"):
        compare_plans(scores, (), {"new": new, "euro": Judged(euro, (), euro.today)})
    compared = compare_plans(scores, (), {"new": new})
    with pytest.raises(UsageError, match="known: new"):
        compared.changes("new", "old")
    with pytest.raises(UsageError, match="known: accounts"):
        compared.books("charm")
