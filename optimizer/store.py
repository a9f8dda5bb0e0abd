"""Kept runs: a folder a run, whole or not there, that can be read, checked and measured without anything else.

A run folder holds the inputs, the scenario, the plan, its books and limits, the certificate and `result.json`, which
names the SHA-256 of every other file. docs/outputs.md describes each.
"""

from __future__ import annotations

import math
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from optimizer.atomic import recover, recover_all, replacing_folder
from optimizer.book_trees import Books
from optimizer.carry import carry
from optimizer.certificate_table import BOOKS, CERTIFICATE, UNIT_PRICES, read_certificate, write_certificate
from optimizer.check import judge
from optimizer.errors import Finding, Findings, UsageError
from optimizer.export.frames import books_frame, limits_frame, plan_frame
from optimizer.export.presets import write_csv
from optimizer.formats.base import series_text
from optimizer.known import Known
from optimizer.listing import Listing
from optimizer.listing_table import STEP_PRICES, STEPS, read_listing, write_listing
from optimizer.plan import Plan
from optimizer.problem import Problem, build
from optimizer.record import RESULT, core_digest, file_digest, number, read_record, write_record
from optimizer.result import Conflict, Result
from optimizer.scenario import parse_scenario
from optimizer.tables import TABLES, Tables

#: everything of ours in a run folder; the rest is the user's
OURS = (
    RESULT, "scenario.toml", "inputs", "plan.csv", "books.csv", "limits.csv", CERTIFICATE, UNIT_PRICES, BOOKS,
    STEPS, STEP_PRICES, "trace.csv",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Run:
    """A kept run, read back. `record` is result.json as it stands; `prices` [R] are 0 where nothing was priced,
    `books` are there where they prove the bound, a `listing` where books listed do.

    `findings` say what has changed since: the problem that these inputs make today is not the one that was solved.
    """

    folder: Path
    problem: Problem
    tables: Tables
    plan: Plan | None
    prices: np.ndarray
    trace: pd.DataFrame
    record: Mapping[str, Any]
    findings: Findings
    books: Books | None = None
    listing: Listing | None = None

    @property
    def id(self) -> str:
        return str(self.record["run_id"])

    @cached_property
    def result(self) -> Result:
        """The result, with the plan judged anew."""
        given, plan = self.record, self.plan
        report = None if plan is None else judge(self.problem.scores, self.problem.scenario.active, plan)
        return Result(
            status=given["status"],
            stopped_by=given["stopped_by"],
            plan=plan,
            report=report,
            objective=math.nan if report is None else report.objective,
            bound=number(given["bound"]),
            bound_by=given["bound_by"],
            prices=self.prices,
            seconds=number(given["seconds"]),
            engine=given["engine"],
            why_engine=given["why_engine"],
            seed=given["seed"],
            versions=given["versions"],
            trace=self.trace,
            notes=tuple(given["notes"]),
            conflicts=tuple(Conflict(**c) for c in given["conflicts"]),
            currency=given["currency"],
            books=self.books,
            listing=self.listing,
        )


def write_run(folder: str | Path, problem: Problem, tables: Tables, result: Result) -> Path:
    """Keep a run, with or without a plan, in `folder`; whole or not at all.

    An earlier run there is replaced; files of the user's own beside it stay. Raises `UsageError` where `folder` holds
    anything else, or cannot be written.
    """
    folder = Path(folder)
    demand_free(folder)
    try:
        with replacing_folder(folder) as temporary:
            digest = core_digest(problem.core)
            _write_inputs(temporary, problem, tables)
            _write_answer(temporary, problem, tables, result, digest)
            write_record(temporary, problem, tables, result, digest)
            _carry_over(folder, temporary)
    except OSError as error:
        raise UsageError(f"the run could not be kept in {folder}: {error.strerror or error}") from error
    return folder


def left_by(folder: str | Path, problem: Problem) -> tuple[Plan | None, Known]:
    """What the run in `folder` has left for a problem like its own: its plan, its prices and books. Raises as `read_run`."""
    run = read_run(folder)
    return run.plan, carry(run.problem, run.result, problem)


def read_run(folder: str | Path) -> Run:
    """The run in `folder`, its problem built again from its own inputs and scenario.

    Raises `UsageError` where it is no run, or naming the file that is damaged or missing.
    """
    folder = Path(folder)
    record = read_record(folder)
    for name, digest in record["payload"].items():
        if not (folder / name).is_file():
            raise UsageError(f"{folder / name} is missing; the run is damaged")
        if file_digest(folder / name) != digest:
            raise UsageError(f"{folder / name} is not as it was written (its SHA-256 differs); the run is damaged")
    tables = _read_inputs(folder, record)
    scenario = parse_scenario(
        tomllib.loads((folder / "scenario.toml").read_text("utf-8")), str(folder / "scenario.toml")
    )
    problem = build(tables, scenario)
    prices, books, findings = read_certificate(folder, problem)
    if core_digest(problem.core) != record["problem_sha256"]:
        found = Finding(
            "run",
            "the problem its inputs make today is not the one that was solved",
            "another version or machine; solve again to have a proof that holds",
            severity="warning",
            file=str(folder),
        )
        findings += Findings((found,))
    plan = _read_plan(folder / "plan.csv", problem) if "plan.csv" in record["payload"] else None
    trace = pd.read_csv(folder / "trace.csv").astype(float)
    listing = read_listing(folder, problem) if STEPS in record["payload"] else None
    return Run(folder, problem, tables, plan, prices, trace, record, findings, books, listing)


def kept_runs(folder: str | Path) -> list[Path]:
    """The runs directly inside `folder`, by name. What a killed process left half-written is not among them."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    recover_all(folder)
    inside = sorted(folder.iterdir())
    return [path for path in inside if not path.name.startswith(".") and (path / RESULT).is_file()]


def demand_free(folder: Path) -> None:
    """Raise `UsageError` where a run cannot be written to `folder` because something else is there."""
    if folder.parent.is_dir():
        recover(folder)
    if folder.is_dir() and ((folder / RESULT).is_file() or not any(folder.iterdir())):
        return
    if folder.exists():
        raise UsageError(f"{folder} is there and is not a run; choose another folder")


def _write_inputs(folder: Path, problem: Problem, tables: Tables) -> None:
    (folder / "inputs").mkdir()
    for name, frame in tables.present().items():
        mixed = {str(c): series_text(frame[c]) for c in frame.columns if frame[c].dtype == object}
        table = pa.Table.from_pandas(frame.assign(**mixed), preserve_index=True)
        pq.write_table(table, folder / "inputs" / f"{name}.parquet", compression="zstd")
    (folder / "scenario.toml").write_text(problem.scenario.to_toml(), encoding="utf-8", newline="\n")


def _write_answer(folder: Path, problem: Problem, tables: Tables, result: Result, digest: str) -> None:
    write_certificate(folder, problem, result, digest)
    if result.listing is not None:
        write_listing(folder, problem, result.listing)
    write_csv(result.trace, folder / "trace.csv")
    if result.plan is None:
        return
    report = result.report or judge(problem.scores, problem.scenario.active, result.plan)
    write_csv(plan_frame(problem, result.plan, result.prices, tables), folder / "plan.csv")
    write_csv(books_frame(problem, result.plan), folder / "books.csv")
    write_csv(limits_frame(problem, report, result.prices), folder / "limits.csv")


def _carry_over(folder: Path, temporary: Path) -> None:
    """Copy what the user put into the earlier run's folder."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in OURS:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, temporary / path.name, symlinks=True)
        else:
            shutil.copy2(path, temporary / path.name, follow_symlinks=False)


def _read_inputs(folder: Path, record: Mapping[str, Any]) -> Tables:
    frames = {t.name: pq.read_table(folder / "inputs" / f"{t.name}.parquet").to_pandas()
              for t in TABLES if t.name in record["inputs"]}  # fmt: skip
    return Tables(
        **frames,
        files={name: part["file"] for name, part in record["inputs"].items() if part["file"]},
        findings=Findings.of(Finding(**f) for f in record["input_findings"]),
        defaults=tuple(record["input_defaults"]),
    )


def _read_plan(file: Path, problem: Problem) -> Plan:
    wanted = ["account_id", "role", "rep_id", "service_level"]
    table = pacsv.read_csv(
        file,
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(wanted, pa.large_string()), include_columns=wanted,
            strings_can_be_null=True, null_values=[""],
        ),
    )  # fmt: skip
    scores = problem.scores
    return Plan.from_frame(
        table.to_pandas().astype("str"),
        scores.account_ids,
        scores.rep_ids,
        scores.role_names,
        scores.level_names,
        str(file),
    )
