"""What is said before any engine starts: who can never be served, numbers that are none, limits and memory."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimizer.core import Core
from optimizer.engines import ENGINES
from optimizer.errors import UsageError
from optimizer.memory import available_bytes
from optimizer.preflight import brief, demand_memory, demand_numbers, overloads, preflight
from optimizer.problem import Problem, build
from optimizer.read import write
from optimizer.solve import demand_limits, solve
from tests.companies import AE_AND_CSM, company, limit, scenario
from tests.cores import MOST_CHOICES, best_by_enumeration, random_core
from tests.test_cli import bookfit

HOURS = {**limit("hours", at_most="capacity_hours"), "name": "hours"}


def books(*hours: float, capacity: tuple[float, ...] = (100.0, 160.0), parents: tuple[str | None, ...] = ()) -> Any:
    """Accounts A1, A2, … of so many hours, and reps R1, R2, … of such capacities."""
    ids = [f"A{i + 1}" for i in range(len(hours))]
    accounts: dict[str, list[Any]] = {
        "account_id": ids, "owner_id": ["R1"] * len(ids), "potential": [1000.0] * len(ids), "hours": list(hours)
    }  # fmt: skip
    if parents:
        accounts["parent_id"] = list(parents)
    reps: dict[str, list[Any]] = {
        "rep_id": [f"R{j + 1}" for j in range(len(capacity))],
        "capacity_hours": list(capacity),
    }
    return company(accounts, reps)


def said(problem: Problem) -> list[str]:
    return [str(f) for f in preflight(problem)]


# -- loads above every capacity --------------------------------------------------------------------------------------
def test_an_account_too_large_for_every_rep_is_named_with_amount_bound_and_rule() -> None:
    problem = build(books(50, 312, 160), scenario([HOURS]))
    assert said(problem) == [
        "warning: accounts, row 3, account_id: 'A2' comes to 312 hours, but rule 'hours' allows at most 160 (R2, who "
        "comes closest); split it or raise the limit for one rep; as it is it stays unserved"
    ]


def test_where_such_an_account_must_be_served_it_is_an_error_and_the_solve_says_infeasible_at_once() -> None:
    keep = {"kind": "keep", "name": "stay", "pairs": [["A2", "R2"]]}
    problem = build(books(50, 312), scenario([HOURS, keep]))
    (finding,) = preflight(problem).errors
    assert "rule 'stay': no plan can exist" in finding.remedy
    result = solve(problem, "greedy", time_limit=5, in_process=True)
    assert result.status == "INFEASIBLE" and {c.rule for c in result.conflicts} & {"hours", "stay"}
    assert result.notes[0] == "1 account fits in no rep's hours (rule 'hours'): A2"


def test_a_result_notes_them_in_one_line() -> None:
    problem = build(books(200, 10, 201, 202), scenario([HOURS]))
    result = solve(problem, "greedy", time_limit=5, in_process=True)
    assert result.plan is not None
    assert result.notes[0] == "3 accounts fit in no rep's hours (rule 'hours'): A1, A3, A4"


def test_accounts_that_stay_together_are_too_large_together() -> None:
    problem = build(books(100, 100, parents=(None, "A1")), scenario([HOURS, {"kind": "together"}]))
    (text,) = said(problem)
    assert "'A1' with 1 more of its family comes to 200 hours" in text
    assert said(build(books(100, 100, parents=(None, "A1")), scenario([HOURS]))) == []


def test_a_limit_of_the_whole_company_counts_as_well() -> None:
    cap = {**limit("potential", "company", at_most=900), "name": "cap"}
    (text,) = said(build(books(5), scenario([cap])))
    assert "comes to 1,000 potential, but rule 'cap' allows at most 900 (company)" in text


@pytest.mark.parametrize(
    "rules",
    [
        [{**HOURS, "penalty": 5.0}],
        [{**HOURS, "off": True}],
        [{**HOURS, "at_most": 400}],
        [{**limit("moved", at_most="0%"), "name": "freeze"}],
    ],
    ids=["soft", "off", "wide", "keeping counts below 0"],
)
def test_what_a_plan_may_exceed_or_make_room_for_is_not_found(rules: list[dict[str, Any]]) -> None:
    assert said(build(books(50, 312), scenario(rules))) == []


def test_an_amount_within_the_tolerance_of_a_row_fits() -> None:
    assert said(build(books(160.0001), scenario([HOURS]))) == []


def test_many_are_gathered_after_the_twentieth() -> None:
    findings = preflight(build(books(*[500.0] * 30), scenario([HOURS])))
    assert len(findings) == 21 and findings.items[-1].count == 10
    problem = build(books(*[500.0] * 30), scenario([HOURS]))
    assert brief(problem, overloads(problem.core))[0].endswith(" and 20 more")


@pytest.mark.parametrize("seed", range(60))
def test_who_is_found_is_served_by_no_plan_that_keeps_the_hard_rows(seed: int) -> None:
    core = random_core(seed, 6, 3)
    if np.prod(np.diff(core.start) + 1.0) > MOST_CHOICES:
        pytest.skip("too many plans to list")
    core = replace(core, upper=core.upper * 0.4, mandatory=np.zeros_like(core.mandatory))
    for unit in overloads(core).unit:
        forced = core.mandatory.copy()
        forced[unit] = True
        assert best_by_enumeration(replace(core, mandatory=forced))[1] is None


def test_every_unit_is_looked_at_option_by_option() -> None:
    """The looks at a few options first, and the pieces, change nothing."""
    rng = np.random.default_rng(3)
    hours, capacity = rng.uniform(1, 300, 400), rng.uniform(20, 200, 9)
    problem = build(books(*hours.round(1), capacity=tuple(capacity.round(1))), scenario([HOURS]))
    found = overloads(problem.core)
    large = problem.scores.accounts["hours"].to_numpy() > capacity.round(1).max() * (1 + 1e-6)
    assert problem.options.lead[found.unit].tolist() == np.flatnonzero(large).tolist()
    assert (problem.core.rep[found.option] == int(np.argmax(capacity.round(1)))).all()


# -- no option -------------------------------------------------------------------------------------------------------
def test_a_tied_account_without_an_option_is_an_error_that_names_the_rules() -> None:
    rules = [
        {"kind": "keep", "name": "tie", "pairs": [["A1", "R1"]]},
        {"kind": "forbid", "name": "never", "pairs": [["A1", "R1"]]},
        {"kind": "forbid", "name": "elsewhere", "pairs": [["A2", "R1"]]},
    ]
    problem = build(books(5, 5), scenario(rules))
    (finding,) = preflight(problem, "crm.csv").errors
    assert str(finding) == (
        "error: crm.csv, row 2, account_id: 'A1' must be served, but rules 'tie', 'never' together leave no rep for it; "
        "change one of these rules, or take the account out of it: no plan can exist as it is"
    )


def test_accounts_that_may_stay_unserved_are_gathered_with_the_rule_that_leaves_nobody() -> None:
    problem = build(books(5, 5, 5), scenario([{"kind": "forbid", "name": "nobody", "where": {"hours": {"min": 1}}}]))
    (finding,) = preflight(problem)
    assert (finding.severity, finding.count) == ("warning", 3)
    assert finding.problem == "stays unserved, as do A2, A3: rule 'nobody' leaves no rep for it"


def test_a_role_in_which_nobody_works_is_named() -> None:
    tables = books(5)
    tables = replace(tables, reps=tables.reps.assign(role="AE"))
    (finding,) = preflight(build(tables, scenario([], roles=AE_AND_CSM)))
    assert "in role 'CSM' stays unserved: no rep works in role 'CSM'" in finding.problem


# -- numbers ---------------------------------------------------------------------------------------------------------
def spoilt(problem: Problem, name: str, at: Any, number: float) -> Problem:
    array = np.array(getattr(problem.core, name), dtype=float)
    array[at] = number
    return replace(problem, core=replace(problem.core, **{name: array}))


@pytest.mark.parametrize(
    ("name", "at", "number", "words"),
    [
        ("value", 1, np.nan, "the value of account 'A1' with rep 'R2' is nan"),
        ("option_coef", (0, 2), np.inf, "in rule 'hours' the hours of account 'A2' with rep 'R1' is inf"),
        ("unit_coef", (0, 1), np.nan, "in rule 'size' the accounts of account 'A2' is nan"),
        ("cost", 1, np.inf, "the cost of rep 'R2' is inf"),
        ("upper", 1, np.nan, "in rule 'hours' the upper bound for R2 is nan"),
        ("lower", 2, np.inf, "in rule 'size' the lower bound for R1 is inf"),
    ],
)
def test_a_number_that_is_none_is_refused_with_whose_it_is(name: str, at: Any, number: float, words: str) -> None:
    sound = build(books(5, 6), scenario([HOURS, {**limit("accounts", at_most=9), "name": "size"}]))
    demand_numbers(sound)
    with pytest.raises(UsageError, match="not a finite number") as refused:
        solve(spoilt(sound, name, at, number), "greedy", in_process=True)
    assert words in str(refused.value)


def test_an_infinite_cell_of_a_table_is_not_taken_for_the_largest_number() -> None:
    tables = books(5, 6)
    tables = replace(tables, accounts=tables.accounts.assign(seats=[np.inf, 1.0]))
    with pytest.raises(UsageError, match="rule 'seats' the seats of account 'A1' is inf"):
        demand_numbers(build(tables, scenario([{**limit("seats", at_most=9), "name": "seats"}])))
    left_out = {**limit("seats", at_most=9, where={"account_id": "A2"}), "name": "seats"}
    demand_numbers(build(tables, scenario([left_out])))


# -- limits of a solve -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seconds", ["0", "-5", "nan", "inf"])
def test_a_time_limit_that_is_none_ends_with_2_before_the_data_is_read(seconds: str) -> None:
    answer = bookfit("solve", "nowhere", "--time-limit", seconds)
    assert answer.code == 2
    assert answer.err == f"time_limit is {float(seconds):g}: give a number of seconds above 0, such as 60\n"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--memory", "inf"), "memory"),
        (("--gap", "nan"), "gap"),
        (("--seed", "-1"), "seed"),
        (("--threads", "0"), "threads"),
    ],
)
def test_other_limits_too(words: tuple[str, str], named: str) -> None:
    answer = bookfit("solve", "nowhere", *words)
    assert answer.code == 2 and answer.err.startswith(f"{named} is ")


def test_sound_limits_pass() -> None:
    demand_limits(0.1, 0.0, 0, 1)
    demand_limits(86_400.0, 0.5, 2**31 - 1, 64, 1e9)


# -- memory ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("engine", [e.name for e in ENGINES])
def test_more_memory_than_there_is_is_refused_with_the_size_that_would_fit(engine: str) -> None:
    problem = build(books(*[5.0] * 50, capacity=(100.0,) * 20), scenario([HOURS]))
    grown = replace(problem, core=grow(problem.core, 10_000))
    with pytest.raises(UsageError) as refused:
        solve(grown, engine, memory=512 << 20, in_process=True)
    text = str(refused.value)
    assert f"engine '{engine}' needs about" in text and "for 10,000,000 options, and there are 0.50 GiB" in text
    assert ("take engine prices" in text) == (engine != "prices")
    fit = int(re.findall(r"about ([\d,]+) options would fit", text)[0].replace(",", ""))
    each = next(e.bytes_per_option for e in ENGINES if e.name == engine)
    assert 0.3 * (212 << 20) / (each + 20) < fit < (212 << 20) / each
    demand_memory(replace(problem, core=grow(problem.core, fit // 1000)), engine, each, 512 << 20)


def grow(core: Core, times: int) -> Core:
    """The same number of units with so many times the options; arrays that take no memory."""
    many = core.options * times
    return replace(
        core,
        start=core.start * times,
        rep=np.broadcast_to(core.rep[:1], many),
        value=np.broadcast_to(core.value[:1], many),
        option_coef=np.broadcast_to(core.option_coef[:, :1], (len(core.option_coef), many)),
    )


def test_memory_that_not_even_a_process_fits_in_is_said_so() -> None:
    problem = build(books(5, 6), scenario([HOURS]))
    with pytest.raises(UsageError, match="not even a process fits"):
        solve(problem, "prices", memory=50 << 20, in_process=True)


def test_small_problems_fit_where_there_is_little() -> None:
    problem = build(books(5, 6), scenario([HOURS]))
    for engine in ENGINES:
        demand_memory(problem, engine.name, engine.bytes_per_option, 1 << 30)
    assert available_bytes() > 0


# -- what the command line shows -------------------------------------------------------------------------------------
def test_validate_and_solve_show_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solving = import_module("optimizer.solve")
    monkeypatch.setattr(solving, "_runner", lambda *_: solving.run_here)  # a child takes seconds to start
    write(books(50, 312), tmp_path / "firm")
    (tmp_path / "firm" / "baseline.toml").write_text(scenario([HOURS]).to_toml(), encoding="utf-8")
    answer = bookfit("validate", tmp_path / "firm")
    assert answer.code == 0 and "accounts.csv, row 3, account_id: 'A2' comes to 312 hours" in answer.out
    answer = bookfit("solve", tmp_path / "firm", "--engine", "greedy", "--out", tmp_path / "run")
    assert answer.code == 0
    assert "'A2' comes to 312 hours" in answer.err
    assert "note: 1 account fits in no rep's hours (rule 'hours'): A2" in answer.out


def test_validate_ends_with_1_where_such_an_account_must_be_served(tmp_path: Path) -> None:
    write(books(50, 312), tmp_path / "firm")
    keep = {"kind": "keep", "name": "stay", "pairs": [["A2", "R2"]]}
    (tmp_path / "firm" / "baseline.toml").write_text(scenario([HOURS, keep]).to_toml(), encoding="utf-8")
    answer = bookfit("validate", tmp_path / "firm")
    assert answer.code == 1 and "1 errors" in answer.out
