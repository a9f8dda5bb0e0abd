"""A kept run is whole, says what it was made from, and can be judged again on its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from optimizer import atomic
from optimizer.book_bound import books_bound
from optimizer.book_trees import Books, start_books
from optimizer.certificate import bound
from optimizer.check import judge
from optimizer.errors import Finding, Findings, UsageError
from optimizer.export import export
from optimizer.problem import Problem, build
from optimizer.result import Conflict, Result
from optimizer.scenario import parse_scenario
from optimizer.store import kept_runs, read_record, read_run, write_run
from optimizer.tables import Tables

SCENARIO = {
    "name": "Tiny ünïcode",
    "currency": "EUR",
    "description": 'with "quotes"\nand lines',
    "rules": [
        {"name": "hours", "kind": "limit", "measure": "hours", "per": "rep", "at_most": "capacity_hours"},
        {
            "name": "soft",
            "kind": "limit",
            "measure": "potential",
            "per": "account.region",
            "at_least": "10%",
            "penalty": 2.0,
        },
        {"name": "renewals", "kind": "keep", "where": {"renewal_date": {"max": "2027-01-01"}}},
        {"name": "off", "kind": "forbid", "pairs": [["=1", "r1"]], "off": True},
    ],
    "reps": {"add": [{"rep_id": "new", "open": True, "cost": 5.0}], "change": {"r1": {"capacity_hours": 20.0}}},
}


@pytest.fixture(scope="module")
def tables() -> Tables:
    accounts = pd.DataFrame(
        {
            "account_id": ["b", "=1", "007", "NA", "123456789012345678", "🚀"],
            "owner_id": ["r1", "r2", "gone", None, "r1", "r2"],
            "potential": [100.0, 200.0, 300.0, 50.0, 0.1, 75.5],
            "arr": [10.0, 20.0, 0.0, 5.0, np.nan, 1e9],
            "hours": [5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
            "region": ["E", "W", "E", "W", None, "E"],
            "key_account": pd.array([True, None, False, True, None, False], dtype="boolean"),
        },
        index=pd.Index([9, 2, 3, 4, 5, 7], name="row"),
    ).astype(dict.fromkeys(("account_id", "owner_id", "region"), "str"))
    days = pd.to_datetime(pd.Series(["2026-12-31", None, None, None, "2028-02-29", None], accounts.index))
    accounts["renewal_date"] = days.astype("datetime64[us]")
    reps = pd.DataFrame({"rep_id": ["r1", "r2"], "capacity_hours": [30.0, 24.0]}, index=pd.Index([2, 3], name="row"))
    noticed = Findings((Finding("accounts", "is odd", row=9, column="arr", severity="warning", file="accounts.csv"),))
    return Tables(accounts, reps.astype({"rep_id": "str"}), None, files={"accounts": "accounts.csv"}, findings=noticed,
                  defaults=("accounts.name is missing: the account_id is used",))  # fmt: skip


@pytest.fixture(scope="module")
def problem(tables: Tables) -> Problem:
    return build(tables, parse_scenario(SCENARIO))


def result_of(problem: Problem, **other: object) -> Result:
    """The first option of every unit, with made-up prices."""
    plan = problem.plan(problem.core.start[:-1])
    prices = np.linspace(0.1, 1 / 3, problem.core.rows)
    report = judge(problem.scores, problem.scenario.active, plan)
    trace = pd.DataFrame({"seconds": [0.1, 0.2], "objective": [1.0, 2.0], "bound": [np.inf, 3.0]})
    result = Result(
        "FEASIBLE", "time", plan, report, report.objective, bound(problem.core, prices), "prices", prices, 1.25,
        "greedy", "asked for", 7, {"numpy": np.__version__}, trace, ("a note",), (), "EUR",
    )  # fmt: skip
    return replace(result, **other)  # type: ignore[arg-type]


def with_books(problem: Problem, mixed: bool = False, **other: object) -> Result:
    """The same, by books with made-up prices: two reps' are parted, one of them twice. `mixed` numbers the nodes otherwise,
    as long as parents stay before their children."""
    plain = result_of(problem)
    begun, reps = start_books(problem.core, plain.prices), len(problem.scores.reps)
    ids, leads = [str(i) for i in problem.scores.rep_ids], problem.scores.account_ids[problem.options.lead].tolist()
    r1, r2, key, seven = ids.index("r1"), ids.index("r2"), leads.index("123456789012345678"), leads.index("007")
    nodes = [(r1, 0, key, False), (r1, 0, key, True), (r1, 2, seven, False), (r1, 2, seven, True)]
    nodes += [(r2, 1, seven, False), (r2, 1, seven, True)]
    # parents: 0 and 1 the roots of r1 and r2, 2 the part of r1 that holds `key`
    at = {0: r1, 1: r2, 2: reps + 1}
    rep, parent, unit, inside = (np.array(c) for c in zip(*((r, at[p], u, i) for r, p, u, i in nodes), strict=True))
    own = np.concatenate([begun.own_prices, begun.own_prices[rep] * np.linspace(0.5, 1.5, 6)[:, None]])
    whole = [np.concatenate(pair) for pair in ((begun.rep, rep), (begun.parent, parent), (begun.unit, unit),
                                               (begun.inside, inside))]  # fmt: skip
    order = np.arange(len(whole[0]))
    if mixed:
        order = np.concatenate([order[:reps][::-1], reps + np.array([5, 1, 0, 4, 3, 2])])
    place = np.append(np.argsort(order), -1)
    rep, parent, unit, inside = (part[order] for part in whole)
    books = Books(plain.prices / 2, begun.unit_prices + 1, rep, place[parent], unit, inside.astype(bool), own[order])
    proved = books_bound(problem.core, books)
    return replace(plain, bound=proved, bound_by="books", books=books, **other)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# -- what comes back ---------------------------------------------------------------------------------------------------


def test_a_run_comes_back_as_it_went(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    result = result_of(problem)
    run = read_run(write_run(tmp_path / "run", problem, tables, result))
    assert result.plan is not None and run.plan is not None
    assert (run.plan.rep == result.plan.rep).all()
    assert (run.plan.level == result.plan.level).all()
    assert (run.prices == result.prices).all()
    assert run.problem.scenario == problem.scenario
    assert not run.findings
    for name, frame in tables.present().items():
        pd.testing.assert_frame_equal(run.tables.present()[name], frame)
    assert run.tables.files == tables.files
    assert run.tables.findings == tables.findings
    assert run.tables.defaults == tables.defaults


def test_a_run_can_be_judged_bounded_and_exported_on_its_own(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    result = result_of(problem)
    run = read_run(write_run(tmp_path / "run", problem, tables, result))
    assert run.result.objective == result.objective
    assert bound(run.problem.core, run.prices) == result.bound
    assert str(run.result) == str(result)
    pd.testing.assert_frame_equal(run.result.trace, result.trace.replace(np.inf, np.nan))
    export(run.problem, run.plan, tmp_path / "plan.xlsx", result=run.result, tables=run.tables, run_id=run.id)
    export(run.problem, run.plan, tmp_path / "plan.csv", result=run.result, tables=run.tables)
    assert (tmp_path / "plan.csv").read_bytes() == (tmp_path / "run" / "plan.csv").read_bytes()


def test_a_run_folder_holds_what_it_promises(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    assert set(files(folder)) == {
        "plan.csv", "books.csv", "limits.csv", "certificate.parquet", "result.json", "trace.csv", "scenario.toml",
        "inputs/accounts.parquet", "inputs/reps.parquet",
    }  # fmt: skip
    record = json.loads((folder / "result.json").read_text("utf-8"))
    assert record["status"] == "FEASIBLE"
    assert record["seed"] == 7
    assert record["inputs"]["accounts"]["rows"] == 6
    assert set(record["payload"]) == set(files(folder)) - {"result.json"}
    assert set(problem.scores.notes) == set(record["defaults"])
    certificate = pq.read_table(folder / "certificate.parquet")
    assert certificate.column_names == ["rule", "row", "price"]
    assert certificate.schema.metadata[b"problem_sha256"].decode() == record["problem_sha256"]


def test_books_come_back_and_prove_the_same(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    result = with_books(problem)
    folder = write_run(tmp_path / "run", problem, tables, result)
    run = read_run(folder)
    assert result.books is not None and run.books is not None and not run.findings
    assert {"unit_prices.parquet", "books.parquet"} <= set(run.record["payload"])
    assert pq.read_table(folder / "certificate.parquet").column_names[-1] == "price_with_books"
    assert (run.prices == result.prices).all() and (run.books.prices == result.books.prices).all()
    assert (run.books.unit_prices == result.books.unit_prices).all()
    assert books_bound(run.problem.core, run.books) == pytest.approx(result.bound, rel=1e-12)
    assert run.result.books is run.books and str(run.result) == str(result) and "by whole books" in str(result)
    plain = write_run(folder, problem, tables, result_of(problem))
    assert not {"unit_prices.parquet", "books.parquet"} & set(files(plain)) and read_run(plain).books is None


def test_p4_neither_row_order_nor_the_numbers_of_nodes_change_a_byte_of_the_books(
    problem: Problem, tables: Tables, tmp_path: Path
) -> None:
    shuffled = Tables(tables.accounts.iloc[::-1], tables.reps.iloc[::-1], files=tables.files, defaults=tables.defaults)
    other = build(shuffled, problem.scenario)
    one = files(write_run(tmp_path / "a", problem, tables, with_books(problem)))
    two = files(write_run(tmp_path / "b", other, shuffled, with_books(other, mixed=True)))
    for name in ("certificate.parquet", "unit_prices.parquet", "books.parquet"):
        assert one[name] == two[name], name


def test_books_that_name_what_is_not_there_prove_nothing(
    problem: Problem, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "run", problem, tables, with_books(problem, plan=None, report=None))
    fewer = Tables(tables.accounts.iloc[:2], tables.reps, files=tables.files, defaults=tables.defaults)
    monkeypatch.setattr("optimizer.store.build", lambda t, s: build(fewer, s))
    run = read_run(folder)
    assert run.findings and run.books is not None
    with pytest.raises(ValueError, match="trees"):
        books_bound(run.problem.core, run.books)


@pytest.mark.parametrize("name", ["unit_prices.parquet", "books.parquet"])
def test_p7_a_changed_or_missing_file_of_books_is_named(
    problem: Problem, tables: Tables, tmp_path: Path, name: str
) -> None:
    folder = write_run(tmp_path / "run", problem, tables, with_books(problem))
    (folder / name).write_bytes((folder / name).read_bytes()[:-3] + b"x}\n")
    with pytest.raises(UsageError, match=name):
        read_run(folder)
    (folder / name).unlink()
    with pytest.raises(UsageError, match=name):
        read_run(folder)


@pytest.mark.parametrize("status", ["INFEASIBLE", "NO_PLAN"])
def test_a_run_without_a_plan_is_a_run(problem: Problem, tables: Tables, tmp_path: Path, status: str) -> None:
    clash = (Conflict("hours", 2, float("inf"), 0.5, "hours would need 3 more"),)
    nothing = {"plan": None, "report": None, "objective": float("nan"), "bound": -float("inf"), "conflicts": clash}
    result = result_of(problem, status=status, prices=np.zeros(0), **nothing)
    folder = write_run(tmp_path / "run", problem, tables, result)
    run = read_run(folder)
    assert run.plan is None
    assert not {"plan.csv", "books.csv", "limits.csv"} & set(files(folder))
    assert len(run.prices) == problem.core.rows
    assert "3 more" in str(run.result)
    assert run.record["objective"] is None


def test_p4_the_row_order_of_the_inputs_changes_no_byte_of_the_answer(
    problem: Problem, tables: Tables, tmp_path: Path
) -> None:
    shuffled = Tables(tables.accounts.iloc[::-1], tables.reps.iloc[::-1], files=tables.files, defaults=tables.defaults)
    other = build(shuffled, problem.scenario)
    one = files(write_run(tmp_path / "a", problem, tables, result_of(problem)))
    two = files(write_run(tmp_path / "b", other, shuffled, result_of(other)))
    for name in ("plan.csv", "books.csv", "limits.csv", "certificate.parquet", "scenario.toml"):
        assert one[name] == two[name], name


def test_the_same_run_has_the_same_id_and_another_plan_another(
    problem: Problem, tables: Tables, tmp_path: Path
) -> None:
    slow = result_of(problem, seconds=99.0)
    empty = problem.scores.empty_plan()
    ids = [
        read_record(write_run(tmp_path / str(i), problem, tables, result))["run_id"]
        for i, result in enumerate([result_of(problem), slow, result_of(problem, plan=empty, report=None)])
    ]
    assert ids[0] == ids[1] != ids[2]


def test_a_problem_that_would_be_built_differently_today_is_told(
    problem: Problem, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    monkeypatch.setattr("optimizer.store.build", lambda t, s: build(t, s.model_copy(update={"rules": s.rules[:1]})))
    said = [str(f) for f in read_run(folder).findings]
    assert any("not the one that was solved" in s for s in said)
    assert any("other limit rows" in s for s in said)


# -- damage ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["plan.csv", "limits.csv", "certificate.parquet", "scenario.toml", "inputs/accounts.parquet", "result.json"]
)
def test_p7_a_changed_or_missing_file_is_named(problem: Problem, tables: Tables, tmp_path: Path, name: str) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    kept = (folder / name).read_bytes()
    (folder / name).write_bytes(kept.replace(b"r1", b"r2") if b"r1" in kept else kept[:-3] + b"x}\n")
    with pytest.raises(UsageError, match=name):
        read_run(folder)
    (folder / name).unlink()
    with pytest.raises(UsageError, match=name):
        read_run(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x", "format": 1}', "null"])
def test_a_record_that_is_none_of_ours_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(UsageError, match=r"result\.json"):
        read_run(tmp_path)


def test_a_folder_that_is_no_run_is_refused_and_never_replaced(
    problem: Problem, tables: Tables, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="not a run"):
        read_run(tmp_path / "nowhere")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("dear")
    with pytest.raises(UsageError, match="not a run"):
        write_run(tmp_path / "letters", problem, tables, result_of(problem))
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="not a run"):
        write_run(tmp_path / "file", problem, tables, result_of(problem))
    assert files(tmp_path) == {"letters/mine.txt": b"dear", "file": b"x"}


def test_an_empty_folder_becomes_a_run(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    assert read_run(write_run(tmp_path / "run", problem, tables, result_of(problem))).plan is not None


def test_files_of_the_users_own_survive_a_new_run(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    result = result_of(problem)
    folder = write_run(tmp_path / "run", problem, tables, result)
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("dear")
    write_run(folder, problem, tables, replace(result, plan=None, report=None, status="NO_PLAN"))
    assert (folder / "notes" / "mine.txt").read_text() == "dear"
    assert not (folder / "plan.csv").exists()
    assert read_run(folder).plan is None


# -- kills and full disks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails_at", [1, 2])
def test_p7_a_rename_that_fails_leaves_the_old_run_whole(
    problem: Problem, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    before = files(folder)
    calls, real = [0], os.replace

    def failing(*names: object) -> None:
        calls[0] += 1
        if calls[0] == fails_at:
            raise OSError(28, "No space left on device")
        real(*names)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(UsageError, match="No space left"):
        write_run(folder, problem, tables, result_of(problem, seed=8))
    monkeypatch.undo()
    assert files(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    assert read_run(folder).record["seed"] == 7


def test_p7_a_disk_that_fills_up_leaves_the_old_run_whole(
    problem: Problem, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    before = files(folder)
    for step in ("write_csv", "write_record"):
        with monkeypatch.context() as patch:
            patch.setattr(
                f"optimizer.store.{step}", lambda *a: (_ for _ in ()).throw(OSError(28, "No space left on device"))
            )
            with pytest.raises(UsageError, match="No space left"):
                write_run(folder, problem, tables, result_of(problem, seed=8))
    assert files(tmp_path) == {f"run/{name}": content for name, content in before.items()}


def test_p7_what_a_kill_leaves_half_written_is_no_run(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    half = tmp_path / ".run.abc.tmp"
    shutil.copytree(folder, half)
    (half / "result.json").unlink()
    assert kept_runs(tmp_path) == [folder]
    with pytest.raises(UsageError, match="not a run"):
        read_run(half)


def test_p7_a_kill_between_the_two_renames_loses_nothing(
    problem: Problem, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(atomic, "PATIENCE_SECONDS", 0.0)
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    for look in (lambda: read_run(folder), lambda: kept_runs(tmp_path),
                 lambda: write_run(folder, problem, tables, result_of(problem))):  # fmt: skip
        folder.rename(tmp_path / ".run.replaced")
        look()
        assert kept_runs(tmp_path) == [folder]
        assert read_run(folder).record["seed"] == 7


def test_p7_killed_at_any_moment_there_is_one_whole_run(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", problem, tables, result_of(problem))
    code = f"""
        import itertools, shutil, sys
        from pathlib import Path
        from optimizer.atomic import replacing_folder
        source, target = Path({str(folder)!r}), Path({str(tmp_path / "copy")!r})
        print("ready", flush=True)
        for _ in itertools.count():
            with replacing_folder(target) as temporary:
                shutil.copytree(source, temporary, dirs_exist_ok=True)
            print("kept", flush=True)
    """
    for delay in (0.0, 0.003, 0.01, 0.017):
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        with child.stdout:
            while child.stdout.readline().strip() != "kept":
                pass
            try:
                child.wait(delay)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
            child.wait()
        assert read_run(tmp_path / "copy").record["seed"] == 7
        assert kept_runs(tmp_path) == [tmp_path / "copy", folder]


def test_old_leftovers_are_swept_away(problem: Problem, tables: Tables, tmp_path: Path) -> None:
    old, young = tmp_path / ".run.old.tmp", tmp_path / ".run.young.tmp"
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    write_run(tmp_path / "run", problem, tables, result_of(problem))
    assert sorted(p.name for p in tmp_path.iterdir()) == [".run.young.tmp", "run"]
