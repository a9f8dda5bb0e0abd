"""A plan somebody wrote: any CSV, workbook or Parquet file with an account and a rep in each row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from optimizer.errors import Finding, InputError, UsageError
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.read import read_raw
from optimizer.tables import ACCOUNTS, plain

#: headers that mean the column, besides the dictionary's own aliases; the first found wins
HEADERS = {
    "account_id": ("account_id", *ACCOUNTS.columns[0].aliases),
    "rep_id": ("rep_id", "new owner", "new_owner_id", "owner_id", "owner id", "OwnerId", "rep"),
    "role": ("role",),
    "service_level": ("service_level", "level"),
}


def read_plan(path: Path, problem: Problem) -> Plan:
    """The plan in `path`, on the accounts and reps of `problem`. Accounts it does not name are unserved.

    Raises `UsageError` where there is no such file, `InputError` naming rows whose account, rep, role or level the
    scenario does not have.
    """
    if not path.is_file():
        raise UsageError(f"{path} is not there; give a file with account_id and rep_id")
    for raw in read_raw(path).values():
        known = {plain(str(column)): column for column in reversed(raw.frame.columns)}
        found = {name: _first(known, headers) for name, headers in HEADERS.items()}
        if found["account_id"] is not None and found["rep_id"] is not None:
            frame = pd.DataFrame({name: raw.frame[column] for name, column in found.items() if column is not None})
            s = problem.scores
            return Plan.from_frame(frame, s.account_ids, s.rep_ids, s.role_names, s.level_names, raw.file)
    raise InputError.single(
        Finding(
            "plan", "has no table with an account and a rep column", "name them account_id and rep_id", file=path.name
        )
    )


def _first(known: dict[str, str], headers: tuple[str, ...]) -> str | None:
    return next((known[plain(h)] for h in headers if plain(h) in known), None)
