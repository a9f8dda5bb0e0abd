"""Who owns what. Today's ownership, a hand edit, a greedy answer and an optimal one are the same type."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.errors import Finding, InputError


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One rep (or none) for every account in every role.

    `accounts` [N] and `reps` [M] are the ids, `roles` [L] the role names, `levels` the service levels.
    `rep` [N, L] holds positions in `reps`, -1 where nobody serves; `level` [N, L] positions in `levels`.
    Arrays are read-only.
    """

    accounts: np.ndarray
    reps: np.ndarray
    roles: tuple[str, ...]
    levels: tuple[str, ...]
    rep: np.ndarray
    level: np.ndarray

    def __post_init__(self) -> None:
        shape = (len(self.accounts), len(self.roles))
        if self.rep.shape != shape or self.level.shape != shape:
            raise ValueError(f"rep and level must have shape {shape}, not {self.rep.shape} and {self.level.shape}")
        self.rep.setflags(write=False)
        self.level.setflags(write=False)

    @property
    def served(self) -> np.ndarray:
        """[N, L], True where somebody serves."""
        return self.rep >= 0

    def to_frame(self) -> pd.DataFrame:
        """One row per account and role, unserved ones too: account_id, role, rep_id (missing), service_level."""
        place = np.arange(self.rep.size)
        account, role = place // len(self.roles), place % len(self.roles)
        rep = self.rep.ravel()
        rep_id = np.append(self.reps, [None])[rep]
        level = np.asarray(self.levels, dtype=object)[self.level.ravel()]
        level[rep < 0] = None
        return pd.DataFrame(
            {
                "account_id": pd.array(self.accounts[account], dtype="str"),
                "role": pd.array(np.asarray(self.roles, dtype=object)[role], dtype="str"),
                "rep_id": pd.array(rep_id, dtype="str"),
                "service_level": pd.array(level, dtype="str"),
            }
        )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        accounts: np.ndarray,
        reps: np.ndarray,
        roles: tuple[str, ...],
        levels: tuple[str, ...],
        file: str = "plan",
    ) -> Plan:
        """The plan written in a table with account_id, rep_id and, where they matter, role and service_level.

        Accounts that are not in the table are unserved. Raises `InputError` listing every row that names an
        account, rep, role or level that the scenario does not have, or an account and role twice.
        """
        missing = [c for c in ("account_id", "rep_id") if c not in frame]
        if missing:
            raise InputError.single(
                Finding("plan", f"has no column {missing[0]}", "give account_id and rep_id", file=file)
            )
        default_role, default_level = roles[0], levels[0]
        role_name = frame["role"].fillna(default_role) if "role" in frame else pd.Series(default_role, frame.index)
        level_name = (
            frame["service_level"].fillna(default_level)
            if "service_level" in frame
            else pd.Series(default_level, frame.index)
        )
        account = pd.Index(accounts).get_indexer(frame["account_id"])
        rep = pd.Index(reps).get_indexer(frame["rep_id"])
        role = pd.Index(roles).get_indexer(pd.Index(role_name))
        level = pd.Index(levels).get_indexer(pd.Index(level_name))
        nobody = frame["rep_id"].isna().to_numpy() | (frame["rep_id"] == "").to_numpy(dtype=bool, na_value=True)
        known = (account >= 0) & (role >= 0)
        key = pd.Series(account * len(roles) + role).where(known)
        repeat = key.duplicated().to_numpy() & known
        findings = [
            *_stray(frame, "account_id", account < 0, "is not an account of this scenario", file),
            *_stray(frame, "rep_id", (rep < 0) & ~nobody, "is not a rep of this scenario", file),
            *_stray(
                frame.assign(role=role_name), "role", role < 0, f"is not one of the roles {', '.join(roles)}", file
            ),
            *_stray(
                frame.assign(service_level=level_name),
                "service_level",
                level < 0,
                f"is not one of the levels {', '.join(levels)}",
                file,
            ),
            *_stray(frame, "account_id", repeat, "is here twice", file),
        ]
        if findings:
            raise InputError.of(findings)
        reps_of = np.full((len(accounts), len(roles)), -1, dtype=np.int32)
        levels_of = np.zeros((len(accounts), len(roles)), dtype=np.int8)
        reps_of[account, role] = np.where(nobody, -1, rep)
        levels_of[account, role] = np.where(nobody, 0, level)
        return cls(accounts, reps, roles, levels, reps_of, levels_of)

    def onto(self, accounts: np.ndarray, reps: np.ndarray, roles: tuple[str, ...], levels: tuple[str, ...]) -> Plan:
        """The same ownership on another scenario's accounts, reps, roles and levels.

        What the other scenario does not have (a rep who left) becomes unserved; new accounts are unserved.
        """
        same = len(accounts) == len(self.accounts) and bool((accounts == self.accounts).all())
        source = np.arange(len(accounts)) if same else pd.Index(self.accounts).get_indexer(accounts)
        columns = pd.Index(self.roles).get_indexer(pd.Index(roles))
        to_rep = np.append(pd.Index(reps).get_indexer(pd.Index(self.reps)), -1).astype(np.int32)
        to_level = np.maximum(pd.Index(levels).get_indexer(pd.Index(self.levels)), 0).astype(np.int8)
        known = np.ix_(source >= 0, columns >= 0)
        there = np.ix_(source[source >= 0], columns[columns >= 0])
        rep = np.full((len(accounts), len(roles)), -1, dtype=np.int32)
        level = np.zeros((len(accounts), len(roles)), dtype=np.int8)
        rep[known] = to_rep[self.rep[there]]
        level[known] = np.where(rep[known] >= 0, to_level[self.level[there]], 0)
        return Plan(accounts, reps, roles, levels, rep, level)


def _stray(frame: pd.DataFrame, column: str, wrong: np.ndarray, problem: str, file: str) -> list[Finding]:
    rows = np.flatnonzero(wrong)
    return [
        Finding("plan", problem, row=int(row), column=column, value=str(value), file=file)
        for row, value in zip(frame.index[rows[:20]], frame[column].iloc[rows[:20]], strict=True)
    ] + (
        [Finding("plan", f"{problem}, in further rows", column=column, file=file, count=len(rows) - 20)]
        if len(rows) > 20
        else []
    )
