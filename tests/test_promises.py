"""The promises of the design, one test each, on companies small enough to be quick. Details are tested beside each module."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import optimizer as opt
from optimizer.atomic import replacing_folder
from optimizer.book_bound import books_bound
from optimizer.book_search import Effort
from optimizer.books import find_books
from optimizer.certificate import bound
from optimizer.conclude import Case
from optimizer.dual import find_prices
from optimizer.engines import ENGINES
from optimizer.engines.base import Limits, Progress
from optimizer.listing import SOUGHT_OPTIONS, Listing
from optimizer.problem import build
from optimizer.process import Outcome, Searched
from optimizer.relax import elastic
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario
from optimizer.solve import run_here
from optimizer.verify import verify_run
from tests.test_solve import IMPOSSIBLE, company

ROOT = Path(__file__).parents[1]


def test_p1_every_plan_a_solve_returns_satisfies_all_hard_rules() -> None:
    for seed in (1, 2):
        problem = company(40, 4, seed)
        for engine in ENGINES:
            result = opt.solve(problem, engine.name, time_limit=2, in_process=True)
            assert result.plan is None or opt.check(problem, result.plan).ok, (engine.name, seed)
    crowded = problem.scores.plan(np.zeros_like(problem.today.rep), np.zeros_like(problem.today.level))
    assert not opt.check(problem, crowded).ok and opt.check(problem, crowded).sentences()


def test_p2_the_objective_shown_is_check_s_own_recomputation() -> None:
    problem = company(40, 4)
    result = opt.solve(problem, "greedy", in_process=True)
    report = opt.check(problem, result.plan)
    assert result.objective == report.objective == pytest.approx(sum(report.ledger.values()))


def test_p3_a_bound_shown_is_certified_or_labelled() -> None:
    problem = company(40, 4)
    for engine in ("highs", "greedy"):
        result = opt.solve(problem, engine, time_limit=5, in_process=True)
        if result.bound_by == "prices":
            assert bound(problem.core, result.prices) <= result.bound * (1 + 1e-9)
        assert result.bound_by in str(result) and result.bound >= result.objective


def test_p3_a_bound_by_whole_books_goes_from_the_engine_s_process_to_the_kept_run_and_is_verified(
    tmp_path: Path,
) -> None:
    problem, tables = company(1500, 16), sample(1500, 16, 3)
    assert problem.core.options > SOUGHT_OPTIONS  # up to there, books may be listed in time
    result = opt.solve(problem, "prices", time_limit=10, gap=0.0)
    assert result.bound_by == "books" and result.books is not None and "bound by whole books" in str(result)
    assert result.objective <= result.bound < bound(problem.core, result.prices)
    assert books_bound(problem.core, result.books) <= result.bound * (1 + 1e-9)
    run = opt.read_run(opt.write_run(tmp_path / "run", problem, tables, result))
    assert verify_run(run).ok and "prices of rows, accounts and books: agrees" in str(verify_run(run))
    assert verify_run(run).bound == pytest.approx(result.bound, rel=1e-9)


def test_p3_a_bound_by_listed_books_goes_from_the_engine_s_process_to_the_kept_run_and_is_verified(
    tmp_path: Path,
) -> None:
    problem, tables = company(130, 10), sample(130, 10, 3)
    result = opt.solve(problem, "prices", time_limit=60, gap=0.0)  # proved in seconds
    assert result.bound_by == "listing" and result.listing is not None
    run = opt.read_run(opt.write_run(tmp_path / "run", problem, tables, result))
    for name in (part.name for part in fields(Listing)):
        assert np.array_equal(getattr(run.listing, name), getattr(result.listing, name)), name
    verdict = verify_run(run)
    assert verdict.ok and "recomputed from listed books: agrees" in str(verdict)
    assert verdict.bound == pytest.approx(result.bound, rel=1e-6)
    again = opt.read_run(
        opt.write_run(tmp_path / "run", problem, tables, replace(result, listing=None, bound_by="books"))
    )
    assert again.listing is None and not {"listing.parquet", "listing_prices.parquet"} & set(again.record["payload"])


def test_p3_what_prices_or_books_prove_is_never_called_a_search_s() -> None:
    searched = Searched()
    searched.proved(50.0)
    for phase, said in (("prices", 40.0), ("search", 50.0), ("search", float("nan"))):
        searched.heard(Progress(1.0, bound=said, phase=phase))
    assert searched.bound == np.inf
    searched.heard(Progress(1.0, bound=45.0, phase="search"))
    assert searched.bound == 45.0

    problem = company(40, 4)
    dual = find_prices(problem.core, 5.0)
    found = find_books(problem.core, dual.prices, 5.0, effort=Effort(40, 0.05))
    plan = problem.choice(opt.solve(problem, "greedy", in_process=True).plan)  # type: ignore[arg-type]
    assert found is not None
    for books, by in (
        (found.books, "books"),
        (replace(found.books, unit_prices=np.zeros(1)), "prices"),
        (None, "prices"),
    ):
        outcome = Outcome(plan, "none", np.inf, dual.prices, "end", (), books=books)
        result = Case(problem, "greedy", "", Limits(gap=0.0), run_here).conclude(outcome)  # type: ignore[arg-type]
        assert (result.bound_by, result.books is not None) == (by, by == "books")
        assert any("whole books was dropped" in note for note in result.notes) == (books is not None and by == "prices")


def test_p4_row_order_changes_nothing_in_deterministic_mode() -> None:
    tables = sample(60, 5, 3)
    mixed = replace(
        tables,
        accounts=tables.accounts.sample(frac=1, random_state=1),
        reps=tables.reps.sample(frac=1, random_state=2),
    )
    scenario = parse_scenario(tomllib.loads(baseline_toml(60, 5)))
    first, second = (
        opt.solve(build(t, scenario), "highs", time_limit=30, gap=0.02, deterministic=True, in_process=True)
        for t in (tables, mixed)
    )
    assert first.plan is not None and second.plan is not None
    pd.testing.assert_frame_equal(first.plan.to_frame(), second.plan.to_frame())
    pd.testing.assert_frame_equal(first.report.limits, second.report.limits)  # type: ignore[union-attr]
    assert (first.prices == second.prices).all()


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Ten runs of the price engine that are kept: rows of every table in another order, one and two threads. So much less
    work than the time allows that no clock has a say."""
    import optimizer.annealing as engine

    folder, tables = tmp_path_factory.mktemp("runs"), sample(150, 8, 3)
    scenario = parse_scenario(tomllib.loads(baseline_toml(150, 8)))
    out = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "NOMINAL", 200)
        for i in range(10):
            frames = {f.name: getattr(tables, f.name) for f in fields(tables)}
            frames = {name: t for name, t in frames.items() if isinstance(t, pd.DataFrame)}
            mixed = (
                replace(tables, **{name: t.sample(frac=1, random_state=i) for name, t in frames.items()})
                if i
                else tables
            )
            problem = build(mixed, scenario)
            result = opt.solve(
                problem, "prices", time_limit=60, gap=0, deterministic=True, threads=1 + i % 2, in_process=True
            )
            assert result.plan is not None and result.stopped_by != "time"
            out.append(opt.write_run(folder / str(i), problem, mixed, result))
    return out


@pytest.mark.parametrize("name", ["plan.csv", "books.csv", "limits.csv", "certificate.parquet"])
def test_p4_the_price_engine_s_files_are_the_same_whatever_the_order_of_rows_and_threads(
    shuffled: list[Path], name: str
) -> None:
    kept = [(run / name).read_bytes() for run in shuffled]
    assert len(kept) == 10 and len(kept[0]) > 100
    assert [i for i, content in enumerate(kept) if content != kept[0]] == []


def test_p4_prices_bound_and_objective_are_the_same_to_the_last_digit(shuffled: list[Path]) -> None:
    results = [opt.read_run(run).result for run in shuffled]
    assert len({(r.objective, r.bound, r.status) for r in results}) == 1
    assert all((r.prices == results[0].prices).all() for r in results)


def test_p5_a_time_limit_is_kept_by_killing_if_it_must_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A child that never listens is killed, and the plan it had published comes back."""
    from optimizer import children, process
    from optimizer.engines.base import Limits

    deaf = tmp_path / "deaf.py"
    deaf.write_text(
        "import sys, time, json, numpy as np, pathlib\n"
        "f = pathlib.Path(sys.stdin.readline().strip())\n"
        "np.save(f / 'plan.npy', np.array([7]))\n"
        "line = json.dumps(dict(at=time.time(), objective=1.0, bound=2.0, phase='', plans=1))\n"
        "(f / 'progress.jsonl').write_text(line + '\\n')\n"
        "time.sleep(60)\n",
        encoding="utf-8",
    )

    def spawn() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(deaf)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    monkeypatch.setattr(children, "_spawn", spawn)
    limits = Limits(time_limit=3.0)
    outcome = process.run_child("greedy", tmp_path, limits)
    assert outcome.stopped == "time" and outcome.choice is not None and outcome.choice.tolist() == [7]
    assert limits.elapsed() < 3.0 * 1.1 + 2 + 1


def test_p6_cancel_leaves_the_store_whole(tmp_path: Path) -> None:
    problem, tables = company(40, 4), sample(40, 4, 3)
    result = opt.solve(problem, "highs", time_limit=30, gap=0, report=lambda p: p.objective > 0)
    assert result.stopped_by in ("user", "proof")
    opt.write_run(tmp_path / "run", problem, tables, result)
    assert opt.read_run(tmp_path / "run").result.objective == pytest.approx(result.objective)


def test_p7_a_failure_while_writing_loses_no_kept_run_and_shows_no_partial_one(tmp_path: Path) -> None:
    kept = tmp_path / "run"
    with replacing_folder(kept) as folder:
        (folder / "result.json").write_text("old", encoding="utf-8")
    with pytest.raises(OSError, match="full"), replacing_folder(kept) as folder:
        (folder / "result.json").write_text("new", encoding="utf-8")
        raise OSError("disk full")
    assert (kept / "result.json").read_text(encoding="utf-8") == "old"


IDS = ["007", "1E5", "=1+1", "123456789012345678", "NA", "0012-é", "-5"]


def test_p8_no_id_changes_between_import_and_export(tmp_path: Path) -> None:
    accounts = pd.DataFrame({"account_id": IDS, "owner_id": ["+1"] * len(IDS), "potential": [100.0] * len(IDS)})
    tables = opt.tables_of(accounts, pd.DataFrame({"rep_id": ["+1", "=A1"], "capacity_hours": [500.0, 500.0]}))
    for suffix in ("company.xlsx", "company"):
        opt.write(tables, tmp_path / suffix)
        again = opt.read(tmp_path / suffix)
        assert again.accounts["account_id"].tolist() == IDS and again.reps["rep_id"].tolist() == ["+1", "=A1"]
    problem = build(again)
    opt.export(problem, problem.today, tmp_path / "out")
    plan = pd.read_csv(tmp_path / "out" / "plan.csv", dtype=str, keep_default_na=False)
    assert sorted(plan["account_id"]) == sorted(IDS)


def test_p9_bad_input_gets_located_findings_never_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,owner_id,potential\nA1,r1,12\nA1,r1,abc\n,r1,-3\n", "utf-8")
    (tmp_path / "reps.csv").write_text("rep_id\nr1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "optimizer.cli", "solve", str(tmp_path), "--out", str(tmp_path / "run")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr
    for part in ("accounts.csv, row 3", "account_id", "'abc'", "potential", "row 4"):
        assert part in done.stderr
    assert not (tmp_path / "run").exists()


def test_p10_nothing_we_export_executes(tmp_path: Path) -> None:
    names = ["=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-2"]
    accounts = pd.DataFrame(
        {"account_id": ["a", "b", "c", "d"], "name": names, "owner_id": ["r"] * 4, "potential": [10.0] * 4}
    )
    tables = opt.tables_of(accounts, pd.DataFrame({"rep_id": ["r"], "name": ["=HYPERLINK(1)"]}))
    problem = build(tables)
    opt.export(problem, problem.today, tmp_path / "plan.xlsx", tables=tables)
    with zipfile.ZipFile(tmp_path / "plan.xlsx") as book:
        sheets = [book.read(n).decode() for n in book.namelist() if n.startswith("xl/worksheets/")]
    assert sheets and not any("<f>" in sheet or "<f " in sheet for sheet in sheets)
    opt.export(problem, problem.today, tmp_path / "us", preset="excel-us")
    cells = (tmp_path / "us" / "plan.csv").read_text(encoding="utf-8-sig")
    assert not any(f",{name}," in cells or f',"{name}' in cells for name in names)


def test_p11_infeasible_names_rules_and_the_smallest_relaxation_is_one(tmp_path: Path) -> None:
    problem = company(40, 4, **IMPOSSIBLE)
    result = opt.solve(problem, "highs", time_limit=30, in_process=True)
    assert result.status == "INFEASIBLE" and result.conflicts
    named = {c.rule for c in result.conflicts}
    loosened = problem.limits["rule"].isin(named).to_numpy()
    core = replace(problem.core, penalty=np.where(loosened, 1.0, problem.core.penalty))
    again = opt.solve(replace(problem, core=core), "highs", time_limit=10, in_process=True)
    assert elastic(problem).rows == problem.core.rows
    assert again.status != "INFEASIBLE"  # with those rules soft, a plan exists
