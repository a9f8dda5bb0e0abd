"""Everything wrong with the tables, all at once: errors cannot be used without guessing, warnings can.

Errors: missing or duplicate keys, values that are negative, infinite or out of range, a missing
potential, cyclic parents, dates in the wrong order, an empty table. Warnings: look-alike keys, owners
and accounts nobody knows, doubtful coordinates, parents that already include their children, no
capacity. Notes: names that appear twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.errors import Finding, Findings, Severity
from optimizer.formats.base import SHOWN
from optimizer.links import coordinates, included, orphans, parents, strangers
from optimizer.places import Checked, alike
from optimizer.tables import DTYPES, RANGES, Tables, table


def validate(tables: Tables) -> Findings:
    """What reading noticed and every check of the tables, in dictionary order. Never raises for bad data."""
    bench = {name: Checked(table(name), tables.files.get(name), frame) for name, frame in tables.present().items()}
    found: list[Finding] = []
    for part in bench.values():
        for every in (_size, _keys, _look_alikes, _odd_ids, _ranges, _order_of_dates):
            found += every(part)
    accounts, reps = bench["accounts"], bench["reps"]
    told = {f.row for f in tables.findings.errors if f.table == "accounts" and f.row is not None}
    found += _potential(accounts, told)
    for check in (parents, included, _names):
        found += check(accounts)
    found += _names(reps)
    found += _capacity(reps)
    for part in (accounts, reps):
        found += coordinates(part)
    for name, column in (
        ("accounts", "owner_id"),
        ("assignments", "rep_id"),
        ("opportunities", "rep_id"),
        ("activities", "rep_id"),
    ):
        if name in bench:
            found += strangers(bench[name], column, reps)
    for name in ("assignments", "opportunities", "contacts", "activities"):
        if name in bench:
            found += orphans(bench[name], accounts)
    return tables.findings + Findings.of(found)


def _size(part: Checked) -> Iterator[Finding]:
    if part.entry.required and not len(part.frame):
        yield part.one(f"there is no row of {part.entry.meaning}", "add at least one")


def _keys(part: Checked) -> Iterator[Finding]:
    """Missing ids, and rows whose whole key appears before."""
    frame, entry = part.frame, part.entry
    for column in entry.columns:
        if column.kind == "id" and column.required and column.name in frame and column.name != "owner_id":
            blank = frame[column.name].str.strip().fillna("").eq("")
            severe: Severity = "error" if column.name in entry.key or entry.required else "warning"
            yield from part.wrong(column.name, blank, "the cell is empty", f"give every row its {column.name}", severe)
    key = [name for name in entry.key if name in frame]
    if entry.key[0] not in key:
        return
    again = frame.duplicated(key) & frame[key[0]].notna()
    if again.any():
        first = frame.assign(_row=frame.index).groupby(key, dropna=False, sort=False)["_row"].transform("first")
        yield from _pairs(
            part,
            key[0],
            np.flatnonzero(again),
            first.to_numpy(),
            "is already the key of row {row}",
            "keep one of the rows, or correct the id",
            "error",
        )


def _pairs(
    part: Checked,
    column: str,
    places: npt.NDArray[Any],
    first: npt.NDArray[Any],
    problem: str,
    remedy: str,
    severity: Severity,
) -> Iterator[Finding]:
    """Rows that clash with an earlier one, each naming it; from the 21st on gathered."""
    cells = part.frame[column]
    for at in places[:SHOWN]:
        yield part.one(problem.format(row=first[at]), remedy, severity, at, column, cells.iloc[at])
    if len(places) > SHOWN:
        at = places[SHOWN]
        yield part.one(
            "and others like it: " + problem.format(row=first[at]),
            remedy,
            severity,
            at,
            column,
            cells.iloc[at],
            len(places) - SHOWN,
        )


def _look_alikes(part: Checked) -> Iterator[Finding]:
    """Different keys that a reader takes for the same: `ACME ` and `acme`."""
    key = part.entry.key[0]
    if len(part.entry.key) > 1 or key not in part.frame:
        return
    ids = part.frame[key].dropna().drop_duplicates()
    seen = alike(ids)
    again = seen.duplicated()
    if not again.any():
        return
    first = pd.Series(ids.index, ids.index).groupby(seen.to_numpy(), sort=False).transform("first")
    rows = pd.Series(part.frame.index, part.frame.index)
    rows.update(first)
    places = part.frame.index.get_indexer(again.index[again])
    yield from _pairs(
        part,
        key,
        places,
        rows.to_numpy(),
        "looks like the key of row {row} but differs in case, spaces or invisible characters",
        "if they are the same, use one spelling; they are kept apart",
        "warning",
    )


def _odd_ids(part: Checked) -> Iterator[Finding]:
    """Ids with blanks at an end or characters nobody sees. They are kept as they are."""
    for column in part.entry.columns:
        if column.kind != "id" or column.name not in part.frame:
            continue
        ids = part.frame[column.name]
        cells = pa.array(ids, pa.large_string(), from_pandas=True)
        odd = np.asarray(pc.fill_null(pc.match_substring_regex(cells, r"^[\s\p{Z}]|[\s\p{Z}]$|[\p{Cf}\p{Cc}]"), False))
        shown = {int(at): _visible(str(ids.iloc[at])) for at in np.flatnonzero(odd)[: SHOWN + 1]}
        problem = "has a space at an end or an invisible character; it was kept"
        remedy = "remove it in the source if it is not meant"
        yield from part.wrong(column.name, odd, problem, remedy, "warning", shown.get)


def _visible(text: str) -> str:
    """The text with invisible characters written as codes, spaces kept."""
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape").decode() for c in text)


def _ranges(part: Checked) -> Iterator[Finding]:
    """Infinite, negative and out-of-range numbers; fractions where things are counted."""
    for name in part.frame.columns:
        column = part.entry.column(name)
        if not pd.api.types.is_float_dtype(part.frame[name]):
            continue
        values = part.frame[name].to_numpy()
        yield from part.wrong(name, np.isinf(values), "is infinite", "give a number, or leave the cell empty")
        if column is None or DTYPES[column.kind] != "float64" or column.kind in ("lat", "lon"):
            continue
        low, high = RANGES[column.kind]
        finite = np.isfinite(values)
        negative = finite & (values < 0) & (low >= 0)
        allowed = f"{low:,.15g} to {high:,.15g}"
        yield from part.wrong(name, negative, "is negative", f"give a number from {allowed}, or leave the cell empty")
        yield from part.wrong(
            name,
            finite & ~negative & ((values < low) | (values > high)),
            f"is not in {allowed}",
            f"give a number from {allowed}, or leave the cell empty",
        )
        if column.kind == "count":
            yield from part.wrong(
                name, finite & (values != np.floor(values)), "is not a whole number", "give a whole number", "warning"
            )


def _order_of_dates(part: Checked) -> Iterator[Finding]:
    for early, late, severity in (("start_date", "end_date", "error"), ("created_date", "close_date", "warning")):
        if early in part.frame and late in part.frame:
            yield from part.wrong(
                late,
                part.frame[late] < part.frame[early],
                f"is before the {early}",
                "correct one of the two dates",
                "error" if severity == "error" else "warning",
            )


def _potential(accounts: Checked, told: set[int]) -> Iterator[Finding]:
    """Accounts without a potential, except the rows where reading already found something wrong."""
    if "potential" not in accounts.frame:
        return
    potential = accounts.frame["potential"]
    yield from accounts.wrong(
        "potential",
        potential.isna() & ~potential.index.isin(list(told)),
        "the potential is missing",
        "give the revenue that could be won in a year, 0 where there is none",
    )
    if len(potential) and potential.notna().any() and not potential.sum():
        yield accounts.one(
            "the potential of all accounts together is 0",
            "give potentials; without them no plan is better than another",
            "warning",
            column="potential",
        )


def _capacity(reps: Checked) -> Iterator[Finding]:
    for column in ("capacity_hours", "max_accounts"):
        if column in reps.frame:
            yield from reps.wrong(
                column,
                reps.frame[column] == 0,
                "the rep can take no account",
                "give a capacity, or leave the rep out",
                "warning",
            )


def _names(part: Checked) -> Iterator[Finding]:
    if "name" not in part.frame:
        return
    names = part.frame["name"]
    again = (names.duplicated() & names.notna()).to_numpy()
    if again.any():
        at = int(np.flatnonzero(again)[0])
        yield part.one(
            "rows share their name with an earlier row",
            "check that they are not the same one twice",
            "note",
            at,
            "name",
            names.iloc[at],
            int(again.sum()),
        )
