"""What KPIs are measured on: the tables, their scores, one plan, and the sums that several KPIs share.

Everything is computed once, on first use, from whole arrays; nothing here loops over accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from optimizer.errors import UsageError
from optimizer.plan import Plan
from optimizer.scores import Scores
from optimizer.tables import Tables, plain

#: rep columns that scoring fills with a default: whether the user gave them is seen in the tables only
_FILLED_REPS = ("capacity_hours", "ramp", "performance", "name", "open")
State = Literal["there", "empty", "missing"]


@dataclass(frozen=True, eq=False)
class Basis:
    """Tables, scores and one plan. Arrays are over accounts [N] and reps [M] in id order, as in `scores`.

    A rep *works* in the plan when hired, or when an open position that the plan fills. A book holds each account once,
    in however many roles its rep serves it.
    """

    tables: Tables
    scores: Scores
    plan: Plan

    @classmethod
    def of(cls, tables: Tables, scores: Scores, plan: Plan) -> Basis:
        """The plan laid onto the scores. Raises `UsageError` where tables and scores are not of the same accounts."""
        ids = np.sort(tables.accounts["account_id"].to_numpy(dtype=object), kind="stable")
        if not np.array_equal(ids, scores.account_ids):
            raise UsageError("the tables hold other accounts than the scores; give the tables the plan was built from")
        return cls(tables, scores, plan.onto(scores.account_ids, scores.rep_ids, scores.role_names, scores.level_names))

    # -- what the user gave --------------------------------------------------------------------------------------
    def state(self, need: str) -> State:
        """Whether `table.column` (or `scoring.field`) is there with a value, there but empty, or missing."""
        table, _, column = need.partition(".")
        if table == "scoring":
            given = getattr(self.scores.scoring, column)
            empty = not given if isinstance(given, tuple) else all(v is None for v in dict(given).values())
            return "missing" if empty else "there"
        frame: pd.DataFrame | None = getattr(self.tables, table)
        if table == "reps" and column == "cost":
            return "there" if self.cost_known.any() else "empty" if column in self.tables.reps else "missing"
        if table == "reps" and column not in _FILLED_REPS:
            frame = self.scores.reps
        if frame is None or column not in frame:
            return "missing"
        return "there" if bool(frame[column].notna().any()) else "empty"

    def missing(self, needs: tuple[str, ...]) -> str:
        """The sentence naming every need that is not met; empty where all are."""
        said, absent = [], {}
        for need in needs:
            names = need.split(" or ")
            states = [self.state(name) for name in names]
            if "there" in states:
                continue
            table = names[0].partition(".")[0]
            if getattr(self.tables, table, self) is None:
                absent[table] = f"there is no table {table}"
            other = f" ({' or '.join(names[1:])} would do)" if names[1:] else ""
            said.append(f"{names[0]} is {states[0]}{other}")
        return "; ".join([*said, *absent.values()])

    def column(self, name: str) -> np.ndarray:
        """[N] a numeric column of the accounts table as the user gave it; NaN where there is none."""
        if name not in self._given:
            return np.full(len(self.accounts), np.nan)
        return np.asarray(self._given[name].to_numpy(dtype=float, na_value=np.nan))

    def notes_about(self, *names: str) -> str:
        """The sentences of scoring about defaults used in these `table.column`s."""
        return "; ".join(n for n in self.scores.notes if any(name in n for name in names))

    @cached_property
    def _given(self) -> pd.DataFrame:
        ids = self.tables.accounts["account_id"].to_numpy(dtype=object)
        return self.tables.accounts.iloc[np.argsort(ids, kind="stable")]

    # -- accounts ------------------------------------------------------------------------------------------------
    @property
    def accounts(self) -> pd.DataFrame:
        return self.scores.accounts

    @cached_property
    def key(self) -> np.ndarray:
        """[N] True for key accounts."""
        return np.asarray(self.accounts["key_account"].to_numpy(dtype=bool))

    @cached_property
    def served(self) -> np.ndarray:
        """[N] True where somebody serves the account in the first role, as coverage counts it."""
        return np.asarray(self.plan.rep[:, 0] >= 0)

    @cached_property
    def arr(self) -> np.ndarray:
        """[N] revenue of today, currency a year; NaN where neither arr nor revenue_y1 is known."""
        given = self.column("arr")
        return np.where(np.isnan(given), self.column("revenue_y1"), given)

    @cached_property
    def potential(self) -> np.ndarray:
        return np.asarray(self.accounts["potential"].to_numpy(dtype=float))

    @cached_property
    def contacts(self) -> tuple[np.ndarray, np.ndarray]:
        """[N] identified and active contacts, both 0 where either is unknown.

        A contacts table without a column active says nothing about who is active, so it is not asked.
        """
        counted = self.tables.contacts is not None and "active" in self.tables.contacts
        known = _floats(self.accounts, "contacts")
        active = _floats(self.accounts, "contacts_active") if counted else self.column("contacts_active")
        both = ~np.isnan(known) & ~np.isnan(active)
        return np.where(both, known, 0.0), np.where(both, active, 0.0)

    # -- books ---------------------------------------------------------------------------------------------------
    @property
    def reps(self) -> pd.DataFrame:
        return self.scores.reps

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Account, rep, role and level positions of every assignment."""
        account, role = np.nonzero(self.plan.rep >= 0)
        return account, self.plan.rep[account, role], role, self.plan.level[account, role]

    @cached_property
    def _members(self) -> tuple[np.ndarray, np.ndarray]:
        """Account and rep positions, each pair once."""
        account, rep, _, _ = self.pairs
        if len(self.scores.roles) == 1:
            return account, rep
        width = max(1, len(self.reps))
        account, rep = np.divmod(np.unique(account.astype(np.int64) * width + rep), width)
        return account, rep

    def book(self, weight: np.ndarray | None = None) -> np.ndarray:
        """[M] Σ weight [N] over the accounts of each rep's book; without a weight their number."""
        account, rep = self._members
        return np.bincount(rep, None if weight is None else weight[account], len(self.reps)).astype(float)

    @cached_property
    def hours(self) -> np.ndarray:
        """[M] hours a year each rep spends on the book."""
        return np.bincount(self.pairs[1], self.scores.hours(*self.pairs), len(self.reps))

    @cached_property
    def value(self) -> np.ndarray:
        """[M] model value of each rep's book, currency."""
        return np.bincount(self.pairs[1], self.scores.value(*self.pairs), len(self.reps))

    @cached_property
    def capacity(self) -> np.ndarray:
        return np.asarray(self.reps["capacity_hours"].to_numpy(dtype=float))

    @cached_property
    def utilisation(self) -> np.ndarray:
        """[M] hours ÷ capacity; infinite for hours without capacity, NaN for neither."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.hours / self.capacity)

    @cached_property
    def works(self) -> np.ndarray:
        """[M] True for reps who are hired, and for open positions that the plan fills."""
        used = np.zeros(len(self.reps), dtype=bool)
        used[self.pairs[1]] = True
        return np.asarray(~self.scores.open_rep | used)

    @cached_property
    def quota(self) -> np.ndarray:
        """[M] quota, NaN where there is none."""
        return _floats(self.reps, "quota")

    @cached_property
    def cost_known(self) -> np.ndarray:
        """[M] True where the rep's cost was given, in the table or by a what-if; scoring fills the others with 0."""
        given = self.tables.reps
        listed = given.loc[given["cost"].notna(), "rep_id"] if "cost" in given else given["rep_id"][:0]
        return np.asarray(self.reps["rep_id"].isin(listed).to_numpy(dtype=bool) | (_floats(self.reps, "cost") > 0))

    # -- deals ---------------------------------------------------------------------------------------------------
    @cached_property
    def won(self) -> pd.DataFrame:
        """Won deals: positions `account` and `rep` (-1: not here), `amount` (NaN: unknown), `date` (NaT: unknown)."""
        deals = self.tables.opportunities
        if deals is None:
            return pd.DataFrame({"account": [], "rep": [], "amount": [], "date": pd.to_datetime([])})
        deals = deals[is_won(deals)]
        rep = deals["rep_id"] if "rep_id" in deals else pd.Series(None, deals.index, dtype="str")
        return pd.DataFrame(
            {
                "account": pd.Index(self.scores.account_ids).get_indexer(deals["account_id"]),
                "rep": pd.Index(self.scores.rep_ids).get_indexer(rep),
                "amount": _floats(deals, "amount"),
                "date": deals["close_date"].to_numpy() if "close_date" in deals else np.datetime64("NaT", "us"),
            }
        )


def is_won(deals: pd.DataFrame) -> np.ndarray:
    """[deals] won: the column where it is filled, else a stage of won or closed won."""
    return _flag_or_stage(deals, "won", ("won", "closedwon"))


def is_closed(deals: pd.DataFrame) -> np.ndarray:
    """[deals] won or lost: the column where it is filled, else by the stage."""
    return _flag_or_stage(deals, "closed", ("won", "closedwon", "lost", "closedlost"))


def _flag_or_stage(deals: pd.DataFrame, flag: str, stages: tuple[str, ...]) -> np.ndarray:
    by_stage = np.zeros(len(deals), dtype=bool)
    if "stage" in deals:
        code, names = pd.factorize(deals["stage"])
        by_stage = np.array([*(plain(name) in stages for name in names), False])[code]
    if flag not in deals:
        return by_stage
    given = deals[flag]
    return np.where(given.isna(), by_stage, given.fillna(False).to_numpy(dtype=bool))


def last_year(dates: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """First and last day of the 365 days that end at the last date. Needs at least one date."""
    last = pd.Timestamp(dates.max())
    return last - pd.Timedelta(days=364), last


def _floats(frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame:
        return np.full(len(frame), np.nan)
    return np.asarray(frame[column].to_numpy(dtype=float, na_value=np.nan))
