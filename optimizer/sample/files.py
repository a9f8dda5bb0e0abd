"""A sample company as a folder: tables, a baseline scenario and a page that says what it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from optimizer.errors import UsageError
from optimizer.sample.company import sample
from optimizer.tables import Tables

#: From this number of reps the scenario offers each account only the reps it is worth most with.
NEAREST_FROM_REPS = 500

_RULES = """\
name = "Baseline"
currency = "USD"
rules = [
  {name = "hours",       kind = "limit", measure = "hours",     per = "rep",             at_most = "capacity_hours"},
  {name = "book size",   kind = "limit", measure = "accounts",  per = "rep",             at_most = "max_accounts"},
  {name = "fair books",  kind = "limit", measure = "potential", per = "rep",             within = "15%", penalty = 0.1},
  {name = "key cover",   kind = "limit", measure = "coverage",  per = "account.segment", at_least = "80%", \
where = {key_account = true}},
  {name = "move budget", kind = "limit", measure = "moved_arr", per = "company",         at_most = "15%"},
  {name = "skills",      kind = "match", account = "required_skills", rep = "skills"},
  {name = "regions",     kind = "match", account = "region",          rep = "regions"},
  {name = "languages",   kind = "match", account = "languages",       rep = "languages"},
  {name = "families",    kind = "together", by = "parent_id"},
"""
_NEAREST = '  {name = "best reps",   kind = "nearest", reps = 20, by = "value"},\n'
_SCORING = """\
]

[scoring]
key_weight = 500.0
"""


def baseline_toml(accounts: int, reps: int) -> str:
    """The baseline scenario of a sample company of this size, as TOML text."""
    size = f"# A synthetic company of {accounts:,} accounts and {reps:,} reps.\n"
    return size + _RULES + (_NEAREST if reps >= NEAREST_FROM_REPS else "") + _SCORING


def write_sample(folder: Path | str, accounts: int, reps: int, seed: int = 1, *, overwrite: bool = False) -> Path:
    """Write a sample company into a folder, made if need be, and return the folder.

    The files are accounts.csv, reps.csv, opportunities.csv, contacts.csv, baseline.toml and README.md.
    Raises `UsageError` when one of them is there and `overwrite` is off, or the sizes are impossible.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; give a folder")
    names = [f"{name}.csv" for name in ("accounts", "reps", "opportunities", "contacts")]
    there = [name for name in (*names, "baseline.toml", "README.md") if (folder / name).exists()]
    if there and not overwrite:
        raise UsageError(f"{folder} already holds {', '.join(there)}; give a folder without them")
    tables = sample(accounts, reps, seed)
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.present().items():
        write_csv(frame, folder / f"{name}.csv")
    (folder / "baseline.toml").write_text(baseline_toml(accounts, reps), encoding="utf-8")
    (folder / "README.md").write_text(_readme(tables, accounts, reps, seed), encoding="utf-8")
    return folder


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a typed frame without its index: ISO dates, true and false, whole numbers without a point.

    A missing value is an empty cell. UTF-8, commas, a line feed after each row; no cell may hold a comma,
    a quote or a line break.
    """
    columns = {str(name): _plain(frame[name]) for name in frame.columns}
    options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
    pa.csv.write_csv(pa.table(columns), path, options)


def _plain(column: pd.Series) -> pa.Array:
    values = pa.array(column, from_pandas=True)
    if column.dtype.kind == "M":
        return values.cast(pa.date32())
    if column.dtype == "float64" and bool((column.isna() | (column % 1 == 0)).all()):
        return values.cast(pa.int64())
    return values


def _readme(tables: Tables, accounts: int, reps: int, seed: int) -> str:
    size = {name: len(frame) for name, frame in tables.present().items()}
    regions, owner = tables.accounts["region"].nunique(), tables.accounts["owner_id"]
    work = tables.accounts["hours"].sum() / tables.reps["capacity_hours"].sum()
    return f"""# A synthetic company

Invented by `bookfit sample … --accounts {accounts} --reps {reps} --seed {seed}`; no person or company in it is real,
and the same command makes the same files again. Its books are dated 31 October 2026; amounts are in USD.

| file | rows | what |
|---|---|---|
| `accounts.csv` | {size["accounts"]:,} | customers and prospects in {regions:,} sales regions |
| `reps.csv` | {size["reps"]:,} | the people who can own them |
| `opportunities.csv` | {size["opportunities"]:,} | deals of the last two years |
| `contacts.csv` | {size["contacts"]:,} | people at the accounts |
| `baseline.toml` | | the scenario: who may serve whom, hours, book sizes, fairness, key accounts, moves |

The accounts ask for {work:.0%} of the hours the reps have, so some must stay unserved. Today's books are inherited
and uneven; {owner.isna().sum():,} accounts have no owner, and \
{(owner.notna() & ~owner.isin(tables.reps["rep_id"])).sum():,} still carry the name of somebody who left.
"""
