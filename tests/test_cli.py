"""The command line: every verb works on a small company, says the truth in JSON too, and ends with the right code."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from optimizer import cli
from optimizer.sample import write_sample

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "scenarios" / "demo"
COMMANDS = [c.name or str(getattr(c.callback, "__name__", "")) for c in cli.app.registered_commands]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON on standard output; NaN and infinity are refused, as other programs refuse them."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


def bookfit(*words: object) -> Said:
    """Run the entry point as a shell would, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", ["bookfit", *map(str, words)]), redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands write to the working directory: not into the checkout."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("company") / "acme", 60, 5, 1)


@pytest.fixture(scope="module")
def kept(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the small company by the quickest engine."""
    folder = tmp_path_factory.mktemp("runs") / "baseline"
    said = bookfit("solve", company, "--engine", "greedy", "--time-limit", 20, "--out", folder)
    assert said.code == 0, said.err
    return folder


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines run in this process: nothing here is about children, and starting them takes seconds."""
    solving = import_module("optimizer.solve")
    monkeypatch.setattr(solving, "_runner", lambda *_: solving.run_here)


@pytest.fixture
def puzzle(tmp_path: Path) -> Path:
    """Five accounts of 5, 5, 4, 3 and 3 hours, all to be covered by two reps of 10 hours: 5+5 and 4+3+3, or nothing.
    The biggest-first rule begins with the one of 4 hours and is lost."""
    folder = tmp_path / "puzzle"
    folder.mkdir()
    rows = [("a", 5, 900), ("b", 5, 800), ("c", 4, 1000), ("d", 3, 500), ("e", 3, 400)]
    accounts = "".join(f"{name},,{potential},{hours}\n" for name, hours, potential in rows)
    (folder / "accounts.csv").write_text("account_id,owner_id,potential,hours\n" + accounts)
    (folder / "reps.csv").write_text("rep_id,capacity_hours,performance\nr1,10,1.5\nr2,10,1\n")
    (folder / "baseline.toml").write_text(_covering("100%", 10))
    return folder


def _covering(share: str, hours: float) -> str:
    return f"""name = "Puzzle"
rules = [
  {{name = "hours", kind = "limit", measure = "hours", per = "rep", at_most = {hours}}},
  {{name = "cover", kind = "limit", measure = "coverage", per = "company", at_least = "{share}"}},
]
"""


# -- help ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself_and_each_of_its_options(command: str) -> None:
    said = bookfit(*command.split(), "--help")
    assert said.code == 0
    assert re.search(r"\w+ \w+ \w+", said.out.partition("\n\n")[2]), "the command has no help"
    options = [line for line in said.out.splitlines() if re.match(r"\s+--?\w", line)]
    assert options
    assert [line for line in options if len(line.split()) < 3 and "TEXT" not in line and "PATH" not in line] == []


def test_without_a_command_the_help_is_shown() -> None:
    said = bookfit()
    assert all(command in said.out + said.err for command in COMMANDS)


# -- each verb does its work -----------------------------------------------------------------------------------------
def test_sample_writes_a_company_that_validates(tmp_path: Path) -> None:
    assert bookfit("sample", tmp_path / "new", "--accounts", 40, "--reps", 4).code == 0
    said = bookfit("validate", tmp_path / "new")
    assert said.code == 0, said.out
    assert said.err == ""


def test_sample_leaves_files_that_are_there_alone(company: Path) -> None:
    before = (company / "accounts.csv").read_bytes()
    said = bookfit("sample", company)
    assert said.code == 2
    assert "accounts.csv" in said.err
    assert (company / "accounts.csv").read_bytes() == before


def test_solve_keeps_a_run_and_says_what_is_proved(kept: Path) -> None:
    names = {p.name for p in kept.iterdir()}
    assert {"plan.csv", "books.csv", "limits.csv", "certificate.parquet", "result.json", "trace.csv"} <= names


@pytest.mark.usefixtures("at_home")
def test_solve_in_json_gives_value_bound_and_run(company: Path, tmp_path: Path) -> None:
    said = bookfit("solve", company, "--engine", "balance", "--json", "--out", tmp_path / "run")
    assert said.code == 0
    answer = said.json
    assert answer["status"] in ("OPTIMAL", "FEASIBLE")
    assert answer["bound"] >= answer["objective"]
    assert Path(answer["run"]) == tmp_path / "run"


@pytest.mark.usefixtures("at_home")
def test_a_solve_after_a_run_is_no_worse_than_its_plan(company: Path, kept: Path, tmp_path: Path) -> None:
    begun = json.loads((kept / "result.json").read_text())["objective"]
    words = (
        "solve",
        company,
        "--engine",
        "prices",
        "--time-limit",
        2,
        "--gap",
        0.5,
        "--json",
        "--out",
        tmp_path / "run",
    )
    said = bookfit(*words, "--after", kept)
    assert said.code == 0, said.err
    assert said.json["objective"] >= begun


def test_check_accepts_the_plan_of_a_run_and_agrees_on_its_value(company: Path, kept: Path) -> None:
    said = bookfit("check", company, kept / "plan.csv", "--json")
    assert said.code == 0
    assert said.json["objective"] == pytest.approx(json.loads((kept / "result.json").read_text())["objective"])
    assert bookfit("check", company, kept / "plan.csv").code == 0


def test_check_of_a_plan_that_breaks_a_hard_rule_ends_with_1_and_says_which(company: Path, tmp_path: Path) -> None:
    ids = [line.split(",")[0] for line in (company / "accounts.csv").read_text().splitlines()[1:]]
    rep = (company / "reps.csv").read_text().splitlines()[1].split(",")[0]
    plan = tmp_path / "all to one.csv"
    plan.write_text("account_id,rep_id\n" + "".join(f"{i},{rep}\n" for i in ids))
    said = bookfit("check", company, plan)
    assert said.code == 1
    assert "hours" in said.out
    assert rep in said.out
    assert bookfit("check", company, plan, "--json").json["ok"] is False


def test_verify_accepts_a_run_and_refuses_a_changed_one(kept: Path, tmp_path: Path) -> None:
    said = bookfit("verify", kept, "--json")
    assert (said.code, said.json["ok"]) == (0, True)
    import shutil

    copy = Path(shutil.copytree(kept, tmp_path / "copy"))
    (copy / "plan.csv").write_bytes((copy / "plan.csv").read_bytes() + b"\r\n")
    said = bookfit("verify", copy)
    assert said.code != 0
    assert "plan.csv" in said.err


def test_kpis_show_figures_and_name_what_is_missing(kept: Path) -> None:
    said = bookfit("kpis", kept)
    assert said.code == 0
    assert "coverage" in said.out.casefold()
    assert "not known" in said.out
    rows = bookfit("kpis", kept, "--json").json
    assert all(row["missing"] for row in rows if row["value"] is None)


def test_compare_puts_runs_beside_today(kept: Path) -> None:
    said = bookfit("compare", kept, kept)
    assert said.code == 0
    assert "today" in said.out.splitlines()[0]
    assert {row["plan"] for row in bookfit("compare", kept, "--json").json} == {"today", "Baseline"}


@pytest.mark.parametrize(("to", "files"), [("excel", 1), ("plain", 3), ("excel-us", 3), ("excel-eu", 3)])
def test_export_writes_and_names_its_files(kept: Path, tmp_path: Path, to: str, files: int) -> None:
    said = bookfit("export", kept, "--to", to, "--out", tmp_path / "out")
    assert said.code == 0, said.err
    named = [Path(line) for line in said.out.splitlines()]
    assert len(named) == files
    assert all(path.is_file() for path in named)


@pytest.mark.usefixtures("at_home")
def test_demo_compares_every_scenario_with_today(company: Path, tmp_path: Path) -> None:
    variant = 'extends = "baseline.toml"\nname = "Few moves"\nrules = [{name = "fair books", off = true}]\n'
    (company / "few-moves.toml").write_text(variant)
    with patch("optimizer.bundled.demo_folder", lambda: company):
        said = bookfit("demo", "--engine", "greedy", "--json", "--out", tmp_path / "runs")
    assert said.code == 0, said.err
    assert {row["plan"] for row in said.json} == {"today", "Baseline", "Few moves"}
    assert {p.name for p in (tmp_path / "runs").iterdir()} == {"baseline", "few-moves"}


def test_import_turns_foreign_files_into_tables_that_solve_can_read(tmp_path: Path) -> None:
    mapping, folder = _foreign(tmp_path)
    said = bookfit("import", mapping, folder, "--out", tmp_path / "ours", "--json")
    assert said.code == 0, said.out + said.err
    assert isinstance(said.json, list)
    assert bookfit("validate", tmp_path / "ours").code == 0


def test_app_starts_the_server_on_this_machine_only() -> None:
    with patch("subprocess.call", return_value=0) as call:
        assert bookfit("app", "--port", 8765).code == 0
    (command,) = call.call_args.args
    assert "--server.address=127.0.0.1" in command
    assert "--server.port=8765" in command


# -- exit codes ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("solve", "{company}", "--engine", "magic"), "known: auto"),
        (("solve", "{company}", "--gap", "2"), "gap"),
        (("solve", "{company}", "--time-limit", "0"), "time_limit"),
        (("solve", "nowhere.toml"), "nowhere.toml"),
        (("verify", "{company}"), "not a run"),
        (("solve", "{company}", "--after", "{company}"), "not a run"),
        (("check", "{company}", "nowhere.csv"), "nowhere.csv"),
        (("solve",), "scenario"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_a_wrong_call_ends_with_2_and_says_what_is_known(company: Path, words: tuple[str, ...], shown: str) -> None:
    said = bookfit(*(word.format(company=company) for word in words))
    assert said.code == 2
    assert shown in said.err


def test_export_in_an_unknown_dialect_ends_with_2(kept: Path) -> None:
    said = bookfit("export", kept, "--to", "latin")
    assert said.code == 2
    assert "plain" in said.err


@pytest.mark.usefixtures("at_home")
def test_proved_infeasible_ends_with_3_and_names_the_rules_in_conflict(puzzle: Path, tmp_path: Path) -> None:
    (puzzle / "tight.toml").write_text(_covering("99%", 6))
    said = bookfit("solve", puzzle / "tight.toml", "--engine", "highs", "--json", "--out", tmp_path / "run")
    assert said.code == 3
    answer = said.json
    assert answer["status"] == "INFEASIBLE"
    assert {c["rule"] for c in answer["conflicts"]} <= {"hours", "cover"}
    assert answer["conflicts"]
    assert bookfit("verify", tmp_path / "run").code == 0


@pytest.mark.usefixtures("at_home")
def test_no_plan_found_ends_with_4_although_there_is_one(puzzle: Path, tmp_path: Path) -> None:
    said = bookfit("solve", puzzle, "--engine", "greedy", "--out", tmp_path / "lost")
    assert said.code == 4
    assert "NO_PLAN" in said.out
    said = bookfit("solve", puzzle, "--engine", "highs", "--out", tmp_path / "found")
    assert said.code == 0
    assert "OPTIMAL" in said.out


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_interrupted_ends_with_130_and_the_best_plan_is_kept_and_verifies(tmp_path: Path) -> None:
    words = [
        "solve",
        str(DEMO),
        "--engine",
        "highs",
        "--gap",
        "0",
        "--time-limit",
        "120",
        "--out",
        str(tmp_path / "run"),
    ]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    run = subprocess.Popen(
        [sys.executable, "-m", "optimizer.cli", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
    )  # fmt: skip
    try:
        for _ in _patiently(60):
            if list(scratch.glob("bookfit-solve-*/plan.npy")) or run.poll() is not None:
                break
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=30)
    finally:
        run.kill()
    assert run.returncode == 130, out + err
    assert "Traceback" not in err
    assert "Stopped by user" in out
    said = bookfit("verify", tmp_path / "run", "--json")
    assert (said.code, said.json["ok"]) == (0, True)


def _patiently(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.05)
    raise AssertionError("it took too long")


# -- bad input -------------------------------------------------------------------------------------------------------
HEAD = "account_id,owner_id,potential,hours\n"
REPS = "rep_id,capacity_hours\nr1,100\nr2,100\n"


@pytest.mark.parametrize(
    ("accounts", "reps", "shown"),
    [
        (HEAD + "a,r1,10,1\nb,r1,20\nc,r2,5,1\n", REPS, ("accounts.csv", "row 3")),
        (HEAD + "a,r1,10,1\nb,r1,20,1\na,r2,5,1\n", REPS, ("accounts.csv", "row 4", "account_id", "'a'")),
        (HEAD + "a,r1,10,1\nb,r1,much,1\n", REPS, ("accounts.csv", "row 3", "potential", "'much'")),
        (HEAD + "a,r1,-10,1\n", REPS, ("accounts.csv", "row 2", "potential", "'-10'")),
        (HEAD + "a,r1,,1\n", REPS, ("accounts.csv", "row 2", "potential")),
        ("account_id,potential\na,10\n", REPS, ("accounts.csv", "owner_id")),
        (HEAD + "a,r1,10,1\n", "rep_id,capacity_hours\nr1,100\nr1,50\n", ("reps.csv", "row 3", "rep_id", "'r1'")),
        (HEAD + 'a,"r1,10,1\n', REPS, ("accounts.csv",)),
        (HEAD, REPS, ("accounts.csv",)),
    ],
    ids=["ragged row", "id twice", "no number", "negative", "empty", "no column", "rep twice", "open quote", "no row"],
)
def test_bad_tables_get_findings_with_their_place_and_write_nothing(
    tmp_path: Path, accounts: str, reps: str, shown: tuple[str, ...]
) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "accounts.csv").write_text(accounts)
    (folder / "reps.csv").write_text(reps)
    for said in (bookfit("solve", folder, "--out", tmp_path / "run"), bookfit("validate", folder)):
        told = [line for line in (said.out + said.err).splitlines() if line.startswith("error:")]
        assert said.code == 1
        assert any(all(part in line for part in shown) for line in told), told
        assert all("; " in line for line in told), "a finding without a remedy"
    assert [p.name for p in tmp_path.iterdir()] == ["bad"]


def test_a_warning_is_said_and_the_solve_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "left"
    folder.mkdir()
    (folder / "accounts.csv").write_text(HEAD + "a,r1,10,1\nb,gone,20,1\n")
    (folder / "reps.csv").write_text(REPS)
    said = bookfit("validate", folder, "--json")
    assert said.code == 0
    (warning,) = [row for row in said.json if row["severity"] == "warning"]
    assert (warning["row"], warning["column"], warning["value"]) == (3, "owner_id", "gone")


@pytest.mark.parametrize(
    ("toml", "shown"),
    [
        ('name = "x"\nrules = [\n', ("bad.toml", "line")),
        ('name = "x"\nspeed = 3\n', ("bad.toml", "speed", "not a known key")),
        ('rules = [{name = "h", kind = "keep", colour = "red"}]\n', ("bad.toml", "colour", "not a known key")),
        ('rules = [{name = "h", kind = "wish"}]\n', ("bad.toml", "known: forbid")),
        ("[scoring]\nretention = 2.0\n", ("bad.toml", "scoring.retention", "'2.0'")),
        ("[scoring]\nretention = nan\n", ("bad.toml", "scoring.retention")),
        ("[scoring]\nlevels = []\n", ("bad.toml", "scoring.levels")),
        pytest.param('extends = "bad.toml"\n', ("bad.toml", "circle")),
        pytest.param('extends = "gone.toml"\n', ("gone.toml", "not there")),
        pytest.param('extends = "base.toml"\nreps = [1]\n', ("bad.toml", "reps")),
        pytest.param('extends = "base.toml"\n[reps]\nadd = ["x"]\n', ("bad.toml", "reps")),
        pytest.param('extends = "base.toml"\n[reps]\nremove = "R0001"\n', ("bad.toml", "reps")),
        pytest.param(
            'rules = [{name = "k", kind = "keep", where = {potential = {min = 2027-01-01}}}]\n', ("potential",)
        ),
        ('[reps]\nremove = ["nobody"]\n', ("nobody", "not a rep")),
    ],
)
def test_a_bad_scenario_gets_findings_that_name_file_and_key(
    company: Path, tmp_path: Path, toml: str, shown: tuple[str, ...]
) -> None:
    (tmp_path / "base.toml").write_text('name = "Base"\n')
    file = tmp_path / "bad.toml"
    file.write_text(toml)
    said = bookfit("solve", file, "--tables", company, "--engine", "greedy", "--out", tmp_path / "run")
    assert said.code == (2 if "not there" in shown else 1)
    assert all(part in said.err for part in shown), said.err
    assert not (tmp_path / "run").exists()


def test_validate_also_finds_rules_that_name_what_is_not_there(company: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('rules = [{name = "odd", kind = "limit", measure = "sunshine", at_most = 1}]\n')
    said = bookfit("validate", file, "--tables", company, "--json")
    assert said.code == 1
    (found,) = [row for row in said.json if row["severity"] == "error"]
    assert "'odd'" in found["problem"]
    assert "sunshine" in found["problem"]
    assert found["file"] == str(file)


def test_a_plan_that_names_strangers_gets_findings(company: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text("account_id,rep_id\nno such account,R0001\n")
    said = bookfit("check", company, plan)
    assert said.code == 1
    assert all(part in said.err for part in ("plan.csv", "row 2", "no such account"))


@pytest.mark.usefixtures("at_home")
def test_a_folder_of_somebody_elses_is_never_written_over(company: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("dear reader")
    said = bookfit("solve", company, "--engine", "greedy", "--out", theirs)
    assert said.code == 2
    assert [p.name for p in theirs.iterdir()] == ["letter.txt"]


def _foreign(tmp_path: Path) -> tuple[Path, Path]:
    """A small foreign export and its mapping."""
    folder = tmp_path / "crm"
    folder.mkdir()
    (folder / "companies.csv").write_text("No,Title,Seller,Upside\n1,One,x,100\n2,Two,y,50\n")
    (folder / "sellers.csv").write_text("Code,Who\nx,Xenia\ny,Yves\n")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    return mapping, folder


MAPPING = """name = "Their CRM"

[sources.companies]
file = "companies.csv"
key = "No"

[sources.sellers]
file = "sellers.csv"
key = "Code"

[tables.accounts]
base = "companies"

[tables.accounts.columns]
account_id = {column = "No"}
name = {column = "Title"}
owner_id = {column = "Seller"}
potential = {column = "Upside"}

[tables.reps]
base = "sellers"

[tables.reps.columns]
rep_id = {column = "Code"}
name = {column = "Who"}
"""


def test_a_decimal_comma_is_read_once_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id;owner_id;potential\n0012;r1;1.200,50\n", encoding="utf-8")
    (tmp_path / "reps.csv").write_text("rep_id\nr1\n", encoding="utf-8")
    unsaid = bookfit("validate", tmp_path)
    assert unsaid.code == 1 and "--decimal" in unsaid.out
    said = bookfit("solve", tmp_path, "--decimal", ",", "--engine", "greedy", "--out", tmp_path / "run")
    assert said.code == 0
    assert bookfit("validate", tmp_path, "--decimal", "x").code == 2


def test_of_two_reps_worth_the_same_the_account_stays_with_today_s(tmp_path: Path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id,owner_id,potential\na,r2,100\nb,r1,100\n", encoding="utf-8")
    (tmp_path / "reps.csv").write_text("rep_id\nr1\nr2\n", encoding="utf-8")
    assert bookfit("solve", tmp_path, "--engine", "highs", "--gap", 0, "--out", tmp_path / "run").code == 0
    rows = (tmp_path / "run" / "plan.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[3] for row in rows[1:]] == ["r2", "r1"]
