"""`limit`: every measure, scope and bound means what the design says, worked out by hand and by a plain loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from optimizer.check import check
from optimizer.errors import InputError, UsageError
from optimizer.plan import Plan
from optimizer.problem import Problem, build
from optimizer.rules.limit import Limit, percent
from optimizer.scores import Scores
from tests.companies import AE_AND_CSM, COMPANIES, company, corner, house, limit, scenario, shared_accounts, staffed


def problem_of(tables: Any, *rules: dict[str, Any], **more: Any) -> Problem:
    return build(tables, scenario(rules, **more))


def plan_of(problem: Problem, **rep_of: str | None) -> Plan:
    """Who serves whom in the first role; accounts that are not named are unserved."""
    rows = [{"account_id": account, "rep_id": rep} for account, rep in rep_of.items()]
    s = problem.scores
    return Plan.from_frame(
        pd.DataFrame(rows, columns=["account_id", "rep_id"]), s.account_ids, s.rep_ids, s.role_names, s.level_names
    )


def rows_of(problem: Problem, plan: Plan) -> dict[str, tuple[float, float, float]]:
    """(lower, upper, actual) by row, of the problem's only limit."""
    limits = check(problem, plan).limits
    return {r.row: (r.lower, r.upper, r.actual) for r in limits.itertuples()}


INF = float("inf")


def test_a_bare_number_is_in_the_unit_of_the_measure() -> None:
    problem = problem_of(corner(), limit("hours", at_most=12))
    plan = plan_of(problem, Acme="ana", Bolt="ben", Coda="ben")
    assert rows_of(problem, plan)["ana"] == (-INF, 12.0, 10.0)
    report = check(problem, plan)
    assert report.broken["row"].tolist() == ["ben"]
    assert report.sentences() == ["rule 0: ben has 22.062 hours, 10.062 above 12"]  # a skill gap: 12.5 hours × 1.125


def test_a_percentage_is_of_the_total_over_all_accounts_served_or_not() -> None:
    problem = problem_of(corner(), limit("potential", "company", at_most="50%"))
    assert rows_of(problem, problem.scores.empty_plan()) == {"company": (-INF, 1175.0, 0.0)}
    by_region = problem_of(corner(), limit("coverage", "account.region", at_least="50%"))
    assert rows_of(by_region, by_region.scores.empty_plan()) == {"East": (0.5, INF, 0.0), "West": (1.0, INF, 0.0)}
    by_rep = problem_of(corner(), limit("potential", at_most="10%", where={"segment": "SMB"}))
    assert {upper for _, upper, _ in rows_of(by_rep, by_rep.today).values()} == {170.0, 0.0}


def test_a_percentage_of_hours_is_of_capacity_and_open_positions_owe_nothing() -> None:
    problem = problem_of(corner(), limit("hours", "rep.team", at_least="50%", at_most="90%"))
    assert rows_of(problem, problem.today) == {"X": (10.0, 45.0, 10.0), "Y": (7.5, 13.5, 14.062)}


def test_a_percentage_of_a_zero_total_drops_the_row() -> None:
    tables = corner()
    nothing = replace(tables, accounts=tables.accounts.assign(arr=[0.0, 0.0, 0.0, 50.0]))
    problem = problem_of(nothing, limit("moved_arr", "account.region", at_least="10%", at_most="0%"))
    assert rows_of(problem, problem.today) == {"East": (-INF, INF, 0.0), "West": (-INF, INF, 0.0)}
    nobody = problem_of(corner(), limit("potential", at_least="10%", where={"segment": "none such"}))
    assert check(nobody, nobody.scores.empty_plan()).ok


def test_moves_by_rep_are_a_share_of_todays_book() -> None:
    problem = problem_of(house(), limit("moved_arr", at_most="50%"))
    gone = problem.scores.empty_plan()
    assert rows_of(problem, gone) == {"ana": (-INF, 65.0, 130.0), "ben": (-INF, 35.0, 70.0)}


def test_a_column_is_summed_over_the_reps_of_the_row_and_an_empty_cell_means_no_bound() -> None:
    teams = problem_of(corner(), limit("accounts", "rep.team", at_most="max_accounts"))
    assert {row: upper for row, (_, upper, _) in rows_of(teams, teams.today).items()} == {"X": 5.0, "Y": INF}
    company_wide = problem_of(corner(), limit("arr", "company", at_least="quota", at_most="capacity_hours"))
    assert rows_of(company_wide, company_wide.today) == {"company": (250.0, 65.0, 300.0)}


def test_a_fair_share_follows_ramp_and_an_open_position_has_the_upper_side_only() -> None:
    problem = problem_of(corner(), limit("potential", within="10%"))
    plan = plan_of(problem, Acme="ana", Dune="new")
    fair = 2350.0 / 1.5
    expected = {
        "ana": (0.9 * fair, 1.1 * fair, 1000.0),
        "ben": (0.45 * fair, 0.55 * fair, 0.0),
        "new": (0.0, 0.55 * fair, 250.0),
    }
    assert rows_of(problem, plan) == {row: pytest.approx(v) for row, v in expected.items()}
    teams = problem_of(corner(), limit("potential", "rep.team", within="10%"))
    assert rows_of(teams, plan)["X"] == pytest.approx((0.9 * fair, 1.65 * fair, 1250.0))


def test_a_fair_share_is_shared_by_those_who_work_in_the_role() -> None:
    """One AE is hired and two CSMs (ramp 0.5 and 1): the AE is due all accounts as AE, the CSMs split theirs 1 to 2."""
    problem = problem_of(staffed(), limit("potential", within="0%"), roles=AE_AND_CSM)
    lower = {row: low for row, (low, _, _) in rows_of(problem, problem.today).items()}
    assert lower == pytest.approx({"ana": 1400.0, "ben": 1400 / 3, "cem": 2800 / 3, "new": 0.0})


def test_where_nobody_is_hired_there_is_no_fair_share() -> None:
    tables = corner()
    all_open = replace(tables, reps=tables.reps.assign(open=pd.array([True] * 3, dtype="boolean")))
    problem = problem_of(all_open, limit("potential", within="10%"))
    plan = plan_of(problem, Acme="ana", Bolt="ana")
    assert rows_of(problem, plan)["ana"] == (-INF, INF, 1400.0)


def test_bounds_of_an_open_position_count_only_when_it_is_filled_in_any_role() -> None:
    problem = problem_of(shared_accounts(), limit("accounts", at_least=1, role="AE"), roles=AE_AND_CSM)
    rep = np.full((2, 2), -1, np.int32)
    assert rows_of(problem, problem.scores.plan(rep, np.zeros((2, 2), np.int8)))["new"] == (0.0, INF, 0.0)
    as_csm = rep.copy()
    as_csm[0, 1] = 2
    assert rows_of(problem, problem.scores.plan(as_csm, np.zeros((2, 2), np.int8)))["new"] == (1.0, INF, 0.0)


def test_moved_counts_changed_and_dropped_accounts_but_not_those_of_somebody_who_left() -> None:
    problem = problem_of(corner(), limit("moved", "company", at_most=0))
    plan = plan_of(problem, Acme="ben", Bolt="ana", Dune="ana")
    assert rows_of(problem, plan)["company"][2] == 2.0  # Acme changed, Coda was dropped
    assert rows_of(problem, problem.today)["company"][2] == 0.0


def test_what_moves_counts_for_todays_rep_in_the_role_it_moves_in() -> None:
    problem = problem_of(shared_accounts(), limit("moved_arr", at_most="10%"), roles=AE_AND_CSM)
    nobody = problem.scores.empty_plan()
    # ana has Acme as AE; ben has Acme and Bolt as CSM; Bolt's AE has left
    assert rows_of(problem, nobody) == {"ana": (-INF, 30.0, 300.0), "ben": (-INF, 40.0, 400.0), "new": (-INF, INF, 0.0)}


def test_a_family_whose_members_have_different_owners_moves_them_one_by_one() -> None:
    problem = problem_of(house(), {"kind": "together"}, limit("moved_arr", at_most=1000))
    plan = plan_of(problem, Root="ana", Kid="ana", Grandkid="ana", Solo="ben", Pair="ben")
    assert rows_of(problem, plan) == {"ana": (-INF, 1000.0, 0.0), "ben": (-INF, 1000.0, 60.0)}
    usage = problem.core.usage(problem.choice(plan)) + problem.limits["offset"].to_numpy()
    assert usage.tolist() == [0.0, 60.0]


def test_rehomed_counts_accounts_of_somebody_who_left_and_a_percentage_is_of_those() -> None:
    problem = problem_of(corner(), limit("rehomed", "company", at_least="100%"))
    assert rows_of(problem, plan_of(problem, Bolt="ana", Dune="ana")) == {"company": (1.0, INF, 1.0)}
    both = problem_of(shared_accounts(), limit("rehomed", "company", at_most=0), roles=AE_AND_CSM)
    as_csm = np.array([[-1, -1], [-1, 0]], dtype=np.int32)  # Bolt's CSM changes, but that one had not left
    assert rows_of(both, both.scores.plan(as_csm, np.zeros((2, 2), np.int8)))["company"][2] == 0.0


def test_coverage_counts_the_first_role_unless_the_limit_names_one() -> None:
    rep = np.array([[0, 1], [-1, 1]], dtype=np.int32)
    level = np.zeros((2, 2), np.int8)
    for role, counted in ((None, 1.0), ("AE", 1.0), ("CSM", 2.0)):
        problem = problem_of(shared_accounts(), limit("coverage", "company", at_least=0, role=role), roles=AE_AND_CSM)
        assert rows_of(problem, problem.scores.plan(rep, level))["company"][2] == counted
    accounts = problem_of(shared_accounts(), limit("accounts", "company", at_least=0), roles=AE_AND_CSM)
    assert rows_of(accounts, accounts.scores.plan(rep, level))["company"][2] == 3.0


def test_accounts_with_an_empty_cell_in_the_scope_are_in_no_row() -> None:
    problem = problem_of(corner(), limit("accounts", "account.region", at_most=9))
    assert {row: actual for row, (_, _, actual) in rows_of(problem, plan_of(problem, Dune="ana")).items()} == {
        "East": 0,
        "West": 0,
    }
    tables = corner()
    empty = replace(
        tables, accounts=tables.accounts.assign(region=pd.Series([None] * 4, tables.accounts.index, dtype="str"))
    )
    no_rows = problem_of(empty, limit("accounts", "account.region", at_least=9))
    assert no_rows.core.rows == 0 and check(no_rows, no_rows.today).ok


def test_reps_the_filter_leaves_out_owe_nothing() -> None:
    problem = problem_of(corner(), limit("accounts", at_least=1, where={"rep.team": "Y"}))
    assert rows_of(problem, problem.today) == {"ana": (-INF, INF, 0.0), "ben": (1.0, INF, 1.0), "new": (-INF, INF, 0.0)}
    capacity = problem_of(corner(), limit("hours", "company", at_most="100%", where={"rep.team": "Y"}))
    assert rows_of(capacity, capacity.today) == {"company": (-INF, 15.0, 14.062)}


def test_reps_who_do_not_work_in_the_role_owe_nothing_in_it() -> None:
    problem = problem_of(staffed(), limit("accounts", at_least=1, role="CSM"), roles=AE_AND_CSM)
    bounded = {row for row, (low, _, _) in rows_of(problem, problem.today).items() if low > 0}
    assert bounded == {"ben", "cem"}


def test_flags_and_negative_numbers_are_measures_too() -> None:
    flags = problem_of(corner(), limit("key_account", "company", at_least=2))
    assert rows_of(flags, plan_of(flags, Acme="ana", Bolt="ben", Dune="ana"))["company"] == (2.0, INF, 2.0)
    growth = problem_of(corner(), limit("growth_y1", "company", at_least=-16))
    assert check(growth, plan_of(growth, Bolt="ana", Acme="ana")).ok
    assert not check(growth, plan_of(growth, Bolt="ana")).ok


def test_columns_of_the_users_own_may_have_any_name() -> None:
    tables = corner()
    named = replace(tables, reps=tables.reps.assign(company=["p", "q", "p"], hired=[1.0, 2.0, 3.0]))
    problem = problem_of(named, limit("accounts", "rep.company", at_most="hired"))
    assert rows_of(problem, problem.today) == {"p": (-INF, 4.0, 1.0), "q": (-INF, 2.0, 1.0)}


def test_a_soft_limit_costs_its_penalty_on_either_side() -> None:
    problem = problem_of(corner(), limit("accounts", at_least=1, at_most=1.5, penalty=10.0))
    report = check(problem, plan_of(problem, Acme="ana", Bolt="ana"))
    assert report.ok
    assert dict(zip(report.limits["row"], report.limits["cost"], strict=True)) == {"ana": 5.0, "ben": 10.0, "new": 0.0}
    assert report.ledger["penalties"] == -15.0


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (limit("potentail", at_most=3), "'potentail' is not a numeric accounts column; known: accounts, hours"),
        (limit("segment", at_most=3), "not a numeric accounts column"),
        (limit("moved_segment", at_most=3), "not a numeric accounts column"),
        (limit("accounts", "regoin", at_most=3), "is no column of accounts or reps"),
        (limit("accounts", "hours", at_most="20%", where={"segmnt": "SMB"}), "segmnt"),
        (limit("accounts", "capacity", at_most=3), "is no column"),
        (limit("accounts", "name", at_most=3), "is in both tables: write account. or rep. in front"),
        (limit("accounts", at_most="capactiy"), "'capactiy' is not a numeric reps column"),
        (limit("accounts", at_most="team"), "'team' is not a numeric reps column"),
        (limit("accounts", at_most="open"), "'open' is not a numeric reps column"),
        (limit("accounts", "account.region", at_most="quota"), "not a numeric reps column summed over reps in scope"),
        (limit("value", at_most="20%"), "a percentage of value has no total"),
        (limit("hours", "account.region", at_most="20%"), "a percentage of hours has no total"),
        (limit("hours", within="20%"), "within needs an account measure and a scope of reps"),
        (limit("arr", "company", within="20%"), "within needs an account measure and a scope of reps"),
        (limit("moved", within="20%"), "within needs an account measure and a scope of reps"),
        (limit("accounts", at_most=1, role="SE"), "role 'SE' is none of owner"),
        (limit("accounts", at_most="-5%"), "not a numeric reps column"),
        (limit("accounts", at_most="nan%"), "not a numeric reps column"),
    ],
)
def test_what_a_limit_cannot_mean_is_refused_by_name(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace(".", r"\.")) as refused:
        problem_of(corner(), {"name": "my rule", **rule})
    assert "my rule" in str(refused.value) or "segmnt" in words


def test_a_missing_number_is_refused_with_an_example_unless_the_filter_leaves_it_out() -> None:
    tables = corner()
    gap = replace(tables, accounts=tables.accounts.assign(csat=[1.0, None, 3.0, 4.0]))
    with pytest.raises(UsageError, match=r"csat is missing for 1 accounts \(such as Bolt\)"):
        problem_of(gap, limit("csat", at_most=9))
    problem = problem_of(gap, limit("csat", at_most=9, where={"segment": "SMB"}))
    assert rows_of(problem, plan_of(problem, Acme="ana", Bolt="ana"))["ana"][2] == 1.0


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"within": "20"}, {"within": "-5%"}, {"within": "nan%"}, {"at_most": True}, {"at_most": float("nan")},
        {"at_most": float("inf")}, {"at_most": 1, "penalty": 0.0}, {"at_most": 1, "penalty": -2.0}, {"at_most": 1, "per": 3},
        {"at_most": 1, "wehre": {}}, {"at_most": 1, "where": {"acount.region": "E"}}, {"at_most": [1]},
        {"at_most": 1, "where": {"potential": {"min": float("nan")}}}, {"at_most": 1, "where": {"potential": {}}},
    ],
)  # fmt: skip
def test_nonsense_is_refused_before_any_table_is_read(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Limit(name="x", measure="accounts", **fields)
    with pytest.raises(InputError):
        scenario([limit("accounts") | fields])


def test_percentages_are_read_as_people_write_them() -> None:
    assert [percent(p) for p in ("15%", " 15 % ", "0%", "150%", "1e1%", "15", 15, None, "quota", "%")] == [
        0.15, 0.15, 0.0, 1.5, 0.1, None, None, None, None, None,
    ]  # fmt: skip


# -- the same once more, as plain loops ------------------------------------------------------------------------------


def by_hand(rule: Limit, scores: Scores, plan: Plan) -> dict[str, tuple[float, float, float]]:
    """(lower, upper, actual) by row, account by account and rep by rep, in the words of design.md §3."""
    accounts, reps = scores.accounts.to_dict("records"), scores.reps.to_dict("records")
    roles = [role.name for role in scores.roles]
    counts = [rule.role == r if rule.role else (rule.measure != "coverage" or r == roles[0]) for r in roles]
    moved = rule.measure == "moved" or rule.measure.startswith("moved_")
    table, _, column = rule.per.rpartition(".")
    if rule.per in ("rep", "company"):
        table, column = rule.per, "rep_id"

    def meets(row: dict[str, Any], prefix: str) -> bool:
        for key, wanted in rule.where.items():
            owner, _, name = key.rpartition(".")
            if (owner or "account") == prefix:
                cell = row[name]
                if hasattr(wanted, "min"):
                    if not (wanted.min is None or cell >= wanted.min) or not (wanted.max is None or cell <= wanted.max):
                        return False
                elif pd.isna(cell) or cell != wanted:
                    return False
        return True

    def works(rep: dict[str, Any], role: str) -> bool:
        return not scores.roles_named or "role" not in rep or rep["role"] == role

    def weight(n: int, role: int) -> float:
        if not counts[role] or not meets(accounts[n], "account"):
            return 0.0
        if rule.measure == "rehomed":
            return 1.0 if scores.owned[n, role] and scores.today.rep[n, role] < 0 else 0.0
        name = rule.measure.removeprefix("moved_") if moved else rule.measure
        return 1.0 if name in ("accounts", "coverage", "hours", "value", "moved") else float(accounts[n][name])

    def row_of(n: int, rep: int) -> Any:
        return {"company": "company", "rep": reps[rep].get(column), "account": accounts[n].get(column)}[table]

    cells = {
        "company": ["company"],
        "rep": [r.get(column) for r in reps],
        "account": [a.get(column) for a in accounts],
    }[table]
    labels = sorted({cell for cell in cells if not pd.isna(cell)})
    every = [(n, role) for n in range(len(accounts)) for role in range(len(roles))]
    actual = dict.fromkeys(labels, 0.0)
    for n, role in every:
        now, before = int(plan.rep[n, role]), int(scores.today.rep[n, role])
        who = before if moved else now
        if who < 0 or not meets(reps[who], "rep") or (moved and now == before):
            continue
        amount = weight(n, role)
        where = (np.array([n]), np.array([now]), np.array([role]), np.array([plan.level[n, role]]))
        if rule.measure == "hours":
            amount *= float(scores.hours(*where)[0])
        if rule.measure == "value":
            amount *= float(scores.value(*where)[0])
        if row_of(n, who) in actual:
            actual[row_of(n, who)] += amount

    about = [
        meets(r, "rep") and (moved or any(works(r, x) for x, c in zip(roles, counts, strict=True) if c)) for r in reps
    ]
    out = {}
    for label in labels:
        team = [j for j, r in enumerate(reps) if about[j] and (table == "company" or r.get(column) == label)]
        filled = set(plan.rep.ravel().tolist())
        own_row = rule.per == "rep" and not moved

        def bound(
            given: Any, owing: bool, none: float, label: Any = label, team: list[int] = team, own: bool = own_row
        ) -> float:
            who = [j for j in team if not owing or own or rule.per == "rep" or not reps[j]["open"]]
            if given is None:
                return none
            if isinstance(given, str) and given.endswith("%"):
                if rule.measure == "hours":
                    total = sum(reps[j]["capacity_hours"] for j in who)
                elif table == "rep" and moved:
                    total = sum(
                        weight(n, x)
                        for n, x in every
                        if scores.today.rep[n, x] >= 0 and reps[scores.today.rep[n, x]].get(column) == label
                    )
                else:
                    total = sum(
                        weight(n, x) for n, x in every if table != "account" or accounts[n].get(column) == label
                    )
                return float(given[:-1]) / 100 * total if total > 0 else none
            if isinstance(given, str):
                values = [reps[j][given] for j in who]
                return none if any(pd.isna(v) for v in values) else float(sum(values))
            return float(given)

        low, high = bound(rule.at_least, True, -INF), bound(rule.at_most, False, INF)
        if rule.within:
            share, fair, hired_fair = float(rule.within[:-1]) / 100, 0.0, 0.0
            for j in team:
                for x, role in enumerate(roles):
                    if counts[x] and works(reps[j], role):
                        pool = sum(r["ramp"] for r in reps if works(r, role) and not r["open"])
                        part = sum(weight(n, x) for n in range(len(accounts))) * reps[j]["ramp"] / pool
                        fair += part
                        hired_fair += 0.0 if reps[j]["open"] else part
            low, high = max(low, hired_fair * (1 - share)), min(high, fair * (1 + share))
        if table == "rep" and not team:
            low, high = -INF, INF
        if own_row and team and reps[team[0]]["open"] and team[0] not in filled:
            low, high = (0.0 if low > -INF else low), (0.0 if high < INF else high)
        out[str(label)] = (low, high, actual[label])
    return out


HAND_SETTINGS = [
    limit(measure, per, **bounds, where=where)
    for measure, per, bounds, where in [
        ("accounts", "rep", {"at_least": 1, "at_most": "max_accounts"}, {"segment": "SMB"}),
        ("hours", "rep", {"at_least": "50%", "at_most": "capacity_hours"}, {}),
        ("hours", "rep.team", {"at_least": "50%", "at_most": "90%"}, {"rep.team": "X"}),
        ("hours", "company", {"at_least": 2, "at_most": "80%"}, {"rep.team": "Y", "segment": "Mid"}),
        ("coverage", "account.region", {"at_least": "80%"}, {}),
        ("coverage", "rep", {"at_most": "40%"}, {"rep.team": "X"}),
        ("moved", "rep", {"at_most": "50%", "at_least": 0}, {"potential": {"min": 300}}),
        ("moved_arr", "rep.team", {"at_most": "15%", "at_least": "quota"}, {"rep.team": "Y"}),
        ("moved_arr", "account.segment", {"at_most": "15%"}, {}),
        ("rehomed", "rep", {"at_least": "50%", "at_most": 1}, {}),
        ("value", "rep.team", {"at_least": 10, "at_most": 100}, {"segment": "Mid"}),
        ("potential", "rep", {"within": "15%"}, {"segment": "SMB"}),
        ("potential", "rep.team", {"within": "15%", "at_most": 900}, {"rep.team": "X"}),
        ("accounts", "rep", {"within": "150%"}, {}),
        ("growth_y1", "company", {"at_most": "50%", "at_least": "quota"}, {}),
        ("arr", "account.region", {"at_most": 100}, {"rep.team": "X", "arr": {"max": 250}}),
    ]
]


@pytest.mark.parametrize("name", COMPANIES)
@pytest.mark.parametrize("setting", HAND_SETTINGS, ids=lambda s: f"{s['measure']} per {s['per']}")
def test_check_says_what_a_plain_loop_says(name: str, setting: dict[str, Any]) -> None:
    tables, more = COMPANIES[name]
    names = [None, *(role["name"] for role in more.get("roles", []))]
    rng = np.random.default_rng(len(name) + len(setting["measure"]))
    for role in names:
        problem = build(tables, scenario([{**setting, "role": role}], **more))
        scores, rule = problem.scores, problem.scenario.active[0]
        for _ in range(4):
            rep = rng.integers(-1, len(scores.reps), scores.today.rep.shape).astype(np.int32)
            level = rng.integers(0, len(scores.level_names), rep.shape).astype(np.int8)
            plan = scores.plan(rep, level)
            expected = by_hand(rule, scores, plan)
            found = rows_of(problem, plan)
            assert list(found) == list(expected)
            for row, figures in expected.items():
                assert found[row] == pytest.approx(figures, abs=1e-9), (row, rep)


def test_every_company_is_small_and_different() -> None:
    """A guard for the tables the contract leans on: families, roles, levels, an open position, a stranger, empty cells."""
    assert (
        company({"account_id": ["a"], "owner_id": ["r"], "potential": [1.0]}, {"rep_id": ["r"]}).accounts.index[0] == 2
    )
    scores = {name: build(tables, scenario([], **more)).scores for name, (tables, more) in COMPANIES.items()}
    assert {len(s.roles) for s in scores.values()} == {1, 2}
    assert any(len(s.scoring.levels) == 2 for s in scores.values())
    assert any(s.open_rep.any() for s in scores.values())
    assert all((s.owned & (s.today.rep < 0)).any() for n, s in scores.items() if n in ("corner", "house", "levels"))
