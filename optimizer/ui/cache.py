"""What pages ask for again and again, worked out once for each content. Entries belong to one session and are few.

Tables, problems and runs are never changed after they are made, so they are shared and not copied.
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pandas as pd
import streamlit as st

from optimizer.compare import Comparison, Judged, compare
from optimizer.errors import Findings
from optimizer.export.frames import books_frame, plan_frame
from optimizer.kpis import kpis
from optimizer.problem import Problem, build
from optimizer.read import Dialect, read
from optimizer.scenario import Scenario, parse_scenario
from optimizer.store import Run, read_run
from optimizer.tables import Tables
from optimizer.ui.state import Kept, Source
from optimizer.validate import validate


def digest_of(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    files = [path] if path.is_file() else sorted(p for p in path.iterdir() if p.is_file())
    total = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            total.update(f"{file.name}\0{hashlib.file_digest(stream, 'sha256').hexdigest()}\0".encode())
    return total.hexdigest()


@st.cache_resource(max_entries=3, scope="session", show_spinner="Reading the tables …")
def tables(source: Source) -> Tables:
    """Raises `InputError` where accounts or reps cannot be had."""
    return read(source.path, Dialect.said(source.decimal, source.dates))


@st.cache_resource(max_entries=3, scope="session", show_spinner="Checking every cell …")
def findings(source: Source) -> Findings:
    return validate(tables(source))


@st.cache_resource(max_entries=8, scope="session", show_spinner=False)
def scenario(toml: str) -> Scenario:
    return parse_scenario(tomllib.loads(toml))


@st.cache_resource(max_entries=3, scope="session", show_spinner="Building the problem …")
def problem(source: Source, toml: str) -> Problem:
    """Raises `InputError` and `UsageError` for rules that do not fit the tables."""
    return build(tables(source), scenario(toml))


@st.cache_resource(max_entries=8, scope="session", show_spinner="Opening the plan …")
def run(folder: str) -> Run:
    return read_run(folder)


@st.cache_resource(max_entries=8, scope="session", show_spinner="Working out the plan's table …")
def assignments(folder: str) -> pd.DataFrame:
    """The plan with the account's own columns beside it: one row an account and role."""
    kept = run(folder)
    assert kept.plan is not None
    frame = plan_frame(kept.problem, kept.plan, kept.prices, kept.tables)
    about = kept.problem.scores.accounts.set_index("account_id")
    extra = [c for c in ("segment", "industry", "region", "arr", "potential", "key_account") if c in about]
    names = (
        pd.concat([kept.tables.reps, kept.problem.scores.reps]).drop_duplicates("rep_id").set_index("rep_id")["name"]
    )
    frame = frame.join(about[extra], on="account_id")
    for column in ("previous_rep_id", "runner_up"):
        frame[column.removesuffix("_id") + "_name"] = frame[column].map(names).fillna(frame[column])
    return frame


@st.cache_resource(max_entries=8, scope="session", show_spinner=False)
def books(folder: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The books of the plan and of today, one row a rep in id order."""
    kept = run(folder)
    assert kept.plan is not None
    return books_frame(kept.problem, kept.plan), books_frame(kept.problem, kept.problem.today)


@st.cache_resource(max_entries=4, scope="session", show_spinner="Comparing …")
def comparison(kept: tuple[Kept, ...], today_by: str) -> Comparison:
    """Each plan by the rules of its own scenario, and today by those of the plan named `today_by`."""
    runs = {k.name: run(k.folder) for k in kept}
    first = runs[today_by].problem
    plans = {name: Judged(r.problem.scores, r.problem.scenario.active, r.plan) for name, r in runs.items() if r.plan}
    today = Judged(first.scores, first.scenario.active, first.today)
    return compare(first, {"today": today, **plans}, runs[today_by].tables)


@st.cache_resource(max_entries=12, scope="session", show_spinner="Measuring …")
def measures(folder: str, today: bool) -> pd.DataFrame:
    """Every KPI of the plan, or of today under the same scenario."""
    kept = run(folder)
    plan = kept.problem.today if today or kept.plan is None else kept.plan
    return kpis(kept.problem, plan, kept.tables)
