"""What each sheet of the workbook shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from optimizer.check import Report
from optimizer.export.frames import books_frame, limits_frame, plan_frame
from optimizer.export.look import Column, Sheet
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.result import Result
from optimizer.tables import ACCOUNTS, Tables

NOBODY = "(nobody)"
#: a book above the first share of its hours is overloaded, below the second it has room
OVERLOADED, ROOM = 1.0, 0.7
COUNTED = ("accounts", "coverage", "moved", "rehomed")


@dataclass(frozen=True, eq=False)
class Handover:
    """A plan with everything the workbook tells about it. `result` is absent for plans nobody solved for."""

    problem: Problem
    plan: Plan
    report: Report
    result: Result | None = None
    tables: Tables | None = None
    run_id: str = ""

    @property
    def currency(self) -> str:
        return self.problem.scenario.currency

    @property
    def prices(self) -> np.ndarray | None:
        return None if self.result is None else self.result.prices

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The plan's rows, with `was` and `now` (what people call the owners) and `change`."""
        frame = plan_frame(self.problem, self.plan, self.prices, self.tables)
        before, now = frame["previous_rep_id"], frame["rep_id"]
        same = (before == now).fillna(False) | (before.isna() & now.isna())
        here = before.isin(self.labels.index)
        words = np.select(
            [same, now.isna(), before.isna(), here],
            ["", "left unserved", "newly served", "moved"],
            "rehomed",
        )
        was = before.map(self.names).fillna(before)
        return frame.assign(was=was, now=now.map(self.labels), change=pd.Series(words, dtype="str"))

    @cached_property
    def books(self) -> pd.DataFrame:
        return books_frame(self.problem, self.plan)

    @cached_property
    def limits(self) -> pd.DataFrame:
        return limits_frame(self.problem, self.report, self.prices)

    @cached_property
    def labels(self) -> pd.Series:
        """rep_id → what the drop-down calls the rep: the name, with the id where names are shared."""
        reps = self.problem.scores.reps
        name = reps["name"].str.slice(0, 200)
        shared = name.duplicated(keep=False) | (name == NOBODY)
        labels = name.where(~shared, name + " (" + reps["rep_id"] + ")")
        return pd.Series(labels.to_numpy(dtype=object), index=reps["rep_id"].to_numpy(dtype=object), dtype="str")

    @cached_property
    def names(self) -> pd.Series:
        """rep_id → label, with the reps that this scenario does not have but the tables do."""
        if self.tables is None or "name" not in self.tables.reps:
            return self.labels
        given = self.tables.reps.drop_duplicates("rep_id").set_index("rep_id")["name"]
        more: pd.Series = given[~given.index.isin(self.labels.index)]
        both: pd.Series = pd.concat([self.labels, more])
        return both

    def of_accounts(self, column: str) -> pd.Series:
        """An accounts column, one cell a row of `rows`."""
        cells = self.problem.scores.accounts[column].reset_index(drop=True)
        rows: pd.Series = cells.loc[np.repeat(cells.index, len(self.problem.scores.roles))]
        return rows.reset_index(drop=True)


def assignments(data: Handover) -> Sheet:
    """Every account and role, with the two columns a manager fills in and hidden ones to match them by."""
    rows, scores, money = data.rows, data.problem.scores, data.currency
    empty = pd.Series(np.nan, rows.index, dtype="str")
    base = rows[["account_id", "role", "rep_id", "service_level"]]
    columns = [
        Column("Account id", rows["account_id"], "id"),
        Column("Account", rows["account"]),
        *([Column("Role", rows["role"])] if scores.roles_named else []),
        Column("Today's owner", rows["was"]),
        Column("Planned owner", rows["now"]),
        Column("New owner", empty, editable=True, note="Choose another owner here. Empty: the planned owner is fine."),
        Column("Lock", empty, editable=True, note="yes: this account stays with its owner whenever we plan again."),
        Column("Change", rows["change"]),
        *([Column("Service level", rows["service_level"])] if len(scores.level_names) > 1 else []),
        *_of_accounts(data),
        Column(f"Potential ({money} a year)", data.of_accounts("potential"), "money"),
        Column(f"ARR ({money} a year)", data.of_accounts("arr"), "money"),
        Column(f"Model value ({money} a year)", rows["value"].where(rows["rep_id"].notna()), "money"),
        Column("Hours a year", rows["hours"].where(rows["rep_id"].notna()), "hours"),
        Column("Next best owner", rows["runner_up"].map(data.labels)),
        Column(f"Cost of the next best ({money} a year)", rows["regret"], "money",
               note="Model value lost by taking the next best owner, with what it takes from the limits counted in."),
        *(Column(title, cells, "id", hidden=True) for title, cells in {
            "_run_id": pd.Series(data.run_id, rows.index, dtype="str"),
            **{f"_{name}": base[name] for name in base},
            "_row_hash": row_hashes(base),
        }.items()),
    ]  # fmt: skip
    tones = (
        ("Change", {"type": "cell", "criteria": "==", "value": '"moved"'}, "note"),
        ("Change", {"type": "cell", "criteria": "==", "value": '"rehomed"'}, "note"),
        ("Change", {"type": "cell", "criteria": "==", "value": '"newly served"'}, "good"),
        ("Change", {"type": "cell", "criteria": "==", "value": '"left unserved"'}, "bad"),
        ("New owner", {"type": "no_blanks"}, "warn"),
        ("Lock", {"type": "no_blanks"}, "warn"),
    )
    return Sheet("Assignments", tuple(columns), 2, tones, "#F2C94C")


def changes(data: Handover) -> Sheet:
    """Only what differs from today."""
    changed = (data.rows["change"] != "").to_numpy()
    rows, money = data.rows[changed], data.currency
    columns = (
        Column("Account id", rows["account_id"], "id"),
        Column("Account", rows["account"]),
        *([Column("Role", rows["role"])] if data.problem.scores.roles_named else []),
        Column("From", rows["was"]),
        Column("To", rows["now"]),
        Column("Change", rows["change"]),
        Column(f"ARR ({money} a year)", data.of_accounts("arr")[changed], "money"),
        Column(f"Potential ({money} a year)", data.of_accounts("potential")[changed], "money"),
        Column(f"Model value ({money} a year)", rows["value"], "money"),
        Column("Hours a year", rows["hours"], "hours"),
    )
    return Sheet(
        "Changes", columns, 2, (("Change", {"type": "cell", "criteria": "==", "value": '"left unserved"'}, "bad"),)
    )


def books(data: Handover) -> Sheet:
    """One row a rep."""
    rows, money = data.books, data.currency
    over, empty = rows["utilisation"] > OVERLOADED + 1e-9, rows["open"] & (rows["accounts"] == 0)
    load = np.select([empty, over, rows["utilisation"] < ROOM], ["not filled", "overloaded", "has room"], "balanced")
    columns = (
        Column("Rep id", rows["rep_id"], "id"),
        Column("Rep", rows["rep"]),
        Column("Team", rows["team"]),
        Column("Position", pd.Series(np.where(rows["open"], "open", "hired"), rows.index, dtype="str")),
        Column("Load", pd.Series(load, rows.index, dtype="str")),
        Column("Utilisation (hours ÷ capacity)", rows["utilisation"], "share"),
        Column("Hours a year", rows["hours"], "hours"),
        Column("Capacity (hours a year)", rows["capacity_hours"], "hours"),
        Column("Accounts", rows["accounts"], "count"),
        Column("Key accounts", rows["key_accounts"], "count"),
        Column(f"Potential ({money} a year)", rows["potential"], "money"),
        Column(f"ARR ({money} a year)", rows["arr"], "money"),
        Column(f"Model value ({money} a year)", rows["value"], "money"),
        Column(f"Quota ({money} a year)", rows["quota"], "money"),
        Column("Accounts today", rows["accounts_today"], "count"),
        Column("Moved out", rows["moved_out"], "count"),
        Column("Moved in", rows["moved_in"], "count"),
        Column("Taken on", rows["taken_on"], "count", note="Accounts that none of these reps owned before."),
    )
    share = "Utilisation (hours ÷ capacity)"
    tones = (
        ("Load", {"type": "cell", "criteria": "==", "value": '"overloaded"'}, "bad"),
        ("Load", {"type": "cell", "criteria": "==", "value": '"has room"'}, "warn"),
        (share, {"type": "cell", "criteria": ">", "value": OVERLOADED + 1e-6}, "bad"),
        (share, {"type": "cell", "criteria": "<", "value": ROOM}, "warn"),
    )
    return Sheet("Books", columns, 2, tones, "#2F80ED")


def unassigned(data: Handover) -> Sheet:
    """Accounts that nobody serves, and who would be the best choice for each."""
    free = data.rows["rep_id"].isna().to_numpy()
    rows, money = data.rows[free], data.currency
    columns = (
        Column("Account id", rows["account_id"], "id"),
        Column("Account", rows["account"]),
        *([Column("Role", rows["role"])] if data.problem.scores.roles_named else []),
        Column("Today's owner", rows["was"]),
        *(Column(c.title, c.cells[free], c.kind) for c in _of_accounts(data)),
        Column(f"Potential ({money} a year)", data.of_accounts("potential")[free], "money"),
        Column(f"ARR ({money} a year)", data.of_accounts("arr")[free], "money"),
        Column("Best owner, if anybody", rows["runner_up"].map(data.labels)),
        Column(f"Gain by serving it ({money} a year)", -rows["regret"], "money",
               note="Model value of the best option less what it takes from the limits; negative: not worth the room."),
    )  # fmt: skip
    return Sheet("Unassigned", columns, 2)


def limits(data: Handover) -> Sheet:
    """Every row of every limit: where it stands and what it is worth."""
    rows, money = data.limits, data.currency
    size = rows[["lower", "upper"]].abs().max(axis=1).clip(lower=1).fillna(1)
    state = np.select(
        [rows["broken"], rows["cost"] > 0, rows["slack"].abs() <= 1e-6 * size],
        ["broken", "outside, at a price", "at its bound"],
        "",
    )
    columns = (
        Column("Rule", rows["rule"]),
        Column("For", rows["row"].astype("str"), "id"),
        Column("Name", rows["row"].where(rows["scope"] == "rep").map(data.labels).astype("str")),
        Column("Per", rows["scope"].astype("str")),
        Column("Measure", rows["measure"].astype("str")),
        Column("Unit", rows["measure"].map(lambda m: unit_of(m, money)).astype("str")),
        Column("State", pd.Series(state, rows.index, dtype="str")),
        Column("At least", rows["lower"], "number"),
        Column("Actual", rows["actual"], "number"),
        Column("At most", rows["upper"], "number"),
        Column("Slack", rows["slack"], "number", note="Room to the nearer bound; negative: outside."),
        Column(
            f"Price ({money} per unit)", rows["price"], "price", note="What one unit more of the bound would be worth."
        ),
        Column(f"Penalty ({money} per unit)", rows["penalty"], "price", note="Empty: the rule must be kept."),
        Column(f"Cost ({money})", rows["cost"].where(rows["penalty"].notna()), "money"),
    )
    tones = (
        ("State", {"type": "cell", "criteria": "==", "value": '"broken"'}, "bad"),
        ("State", {"type": "cell", "criteria": "==", "value": '"outside, at a price"'}, "warn"),
        ("State", {"type": "cell", "criteria": "==", "value": '"at its bound"'}, "note"),
    )
    return Sheet("Limits", columns, 2, tones)


def unit_of(measure: str, currency: str) -> str:
    """The unit of a measure, in words."""
    column = ACCOUNTS.column(measure.removeprefix("moved_"))
    if measure in COUNTED:
        return "accounts"
    if measure == "hours":
        return "hours a year"
    if measure == "value" or (column is not None and column.kind == "money"):
        return f"{currency} a year"
    return column.unit if column is not None else ""


def row_hashes(rows: pd.DataFrame) -> pd.Series:
    """16 hex digits a row, over its cells in order: equal exactly when the row is as we wrote it.

    A check against slips of hand, not against forgery. Missing cells count as empty.
    """
    bits = pd.util.hash_pandas_object(rows.fillna("").astype(object), index=False).to_numpy(dtype=">u8")
    digits = np.frombuffer(bits.tobytes().hex().encode(), dtype="S16")
    return pd.Series(digits.astype("U16"), rows.index, dtype="str")


def _of_accounts(data: Handover) -> list[Column]:
    """The accounts columns people sort and filter by, where they are given."""
    accounts = data.problem.scores.accounts
    texts = [Column(name.capitalize(), data.of_accounts(name).astype("str"))
             for name in ("segment", "industry", "region") if name in accounts]  # fmt: skip
    key = data.of_accounts("key_account").map({True: "yes", False: "no"}).astype("str")
    renewal = [Column("Renewal", data.of_accounts("renewal_date"), "date")] if "renewal_date" in accounts else []
    return [*texts, Column("Key account", key), *renewal]
