"""What every account and rep is worth to the model, and what serving one by the other brings and takes.

`score` resolves the tables once (people what-ifs, derived columns, defaults, all in id order, so that the row order of
the input cannot matter); `Scores.ledger` and `Scores.hours` then answer for any arrays of (account, rep) pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from optimizer.accounts import enrich_accounts
from optimizer.lists import share_of_lists
from optimizer.people import apply_changes
from optimizer.performance import WinRates, win_rates
from optimizer.plan import Plan
from optimizer.scoring import Role, Scoring
from optimizer.tables import Tables, split_list

EARTH_RADIUS_KM = 6371.0088
#: terms of the ledger, in the order they are shown; they add up to the value of an option
TERMS = ("expected_revenue", "key_account", "retention", "transition_loss", "travel_cost")


@dataclass(frozen=True, eq=False)
class Scores:
    """Accounts [N] and reps [M] in id order, today's plan, and the value of any pair.

    `owned` [N, L] says that somebody owned the account today, also somebody who is not among the reps.
    `notes` are sentences about defaults used and about what was learnt.
    """

    accounts: pd.DataFrame
    reps: pd.DataFrame
    roles: tuple[Role, ...]
    scoring: Scoring
    today: Plan
    owned: np.ndarray
    notes: tuple[str, ...]
    rates: WinRates | None
    currency: str = "USD"
    roles_named: bool = False

    @cached_property
    def account_ids(self) -> np.ndarray:
        return self.accounts["account_id"].to_numpy(dtype=object)

    @cached_property
    def rep_ids(self) -> np.ndarray:
        return self.reps["rep_id"].to_numpy(dtype=object)

    @property
    def role_names(self) -> tuple[str, ...]:
        return tuple(role.name for role in self.roles)

    @property
    def level_names(self) -> tuple[str, ...]:
        return tuple(level.name for level in self.scoring.levels)

    @cached_property
    def open_rep(self) -> np.ndarray:
        """[M] True for positions not yet hired."""
        return self.reps["open"].to_numpy(dtype=bool)

    def empty_plan(self) -> Plan:
        shape = (len(self.accounts), len(self.roles))
        return self.plan(np.full(shape, -1, np.int32), np.zeros(shape, np.int8))

    def plan(self, rep: np.ndarray, level: np.ndarray) -> Plan:
        return Plan(self.account_ids, self.rep_ids, self.role_names, self.level_names, rep, level)

    # -- factors -----------------------------------------------------------------------------------------------
    @cached_property
    def _skill(self) -> tuple[np.ndarray, np.ndarray]:
        return share_of_lists(
            self.accounts.get("required_skills"), self.reps.get("skills"), len(self.accounts), len(self.reps)
        )

    @cached_property
    def _knows(self) -> tuple[np.ndarray, np.ndarray]:
        code, share = share_of_lists(
            self.accounts.get("industry"), self.reps.get("industries"), len(self.accounts), len(self.reps)
        )
        if "industry" in self.accounts:
            share = share * self._asked("industry")[:, None]
        else:
            share = np.zeros_like(share)
        return code, share

    def _asked(self, column: str) -> np.ndarray:
        _, values = pd.factorize(self.accounts[column], sort=True)
        return np.append([len(split_list(v)) > 0 for v in values], [False]).astype(float)

    @cached_property
    def _base(self) -> np.ndarray:
        """[N] expected revenue at par."""
        s, accounts = self.scoring, self.accounts
        if isinstance(s.conversion, dict):
            segment = accounts["segment"] if "segment" in accounts else pd.Series(np.nan, accounts.index)
            rate = segment.map(s.conversion).fillna(s.conversion.get("default", 0.2)).to_numpy(dtype=float)
        else:
            rate = np.full(len(accounts), s.conversion)
        return accounts["potential"].to_numpy() * rate * accounts["fit"].to_numpy() ** s.fit

    @cached_property
    def _rep_factor(self) -> np.ndarray:
        """[M] performance to its strength, times ramp."""
        return self.reps["performance"].to_numpy() ** self.scoring.performance * self.reps["ramp"].to_numpy()

    @cached_property
    def _key_value(self) -> np.ndarray:
        score = self.accounts["key_score"].fillna(0.0).to_numpy() * self.accounts["key_account"].to_numpy(dtype=bool)
        return self.scoring.key_weight * score

    @cached_property
    def _directions(self) -> tuple[np.ndarray, np.ndarray] | None:
        if not all(c in t for t in (self.accounts, self.reps) for c in ("lat", "lon")):
            return None
        return _unit_vectors(self.accounts), _unit_vectors(self.reps)

    def distance_km(self, account: np.ndarray, rep: np.ndarray) -> np.ndarray:
        """Great-circle distance of each pair in km; NaN where coordinates are missing."""
        if self._directions is None:
            return np.full(np.shape(account), np.nan)
        a, r = self._directions
        chord = np.sqrt(sum((a[i][account] - r[i][rep]) ** 2 for i in range(3)))
        return 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chord / 2))

    # -- value and hours of pairs --------------------------------------------------------------------------------
    def ledger(self, account: np.ndarray, rep: np.ndarray, role: Any = 0, level: Any = 0) -> dict[str, np.ndarray]:
        """Terms [pairs] of the value of serving `account` by `rep`, in currency; they add up to `value`.

        `role` and `level` are positions, one for all pairs or one each. Each term is rounded to a cent.
        """
        s, accounts = self.scoring, self.accounts
        share = np.array([r.share for r in self.roles])[role]
        uplift = np.array([v.value for v in s.levels])[level]
        arr = accounts["arr"].to_numpy()[account]
        skill_code, skill_share = self._skill
        match = 1 - s.skill_gap_value * (1 - skill_share[skill_code[account], rep])
        industry_code, knows = self._knows
        known = knows[industry_code[account], rep]
        revenue = self._base[account] * self._rep_factor[rep] * match**s.skills * (1 + s.industry_lift * known) ** s.fit
        moved = self.owned[account, role] & (self.today.rep[account, role] != rep)
        # at least a cent, so that of two reps worth the same the account stays with today's
        loss = np.maximum(0.01, s.transition_loss * arr * (1 - s.same_industry_relief * known))
        return {
            "expected_revenue": _cents(share * uplift * revenue),
            "key_account": _cents(share * self._key_value[account]),
            "retention": _cents(share * s.retention * arr),
            "transition_loss": _cents(-share * loss * moved),
            "travel_cost": _cents(-share * 2 * s.travel.visits * s.travel.cost_per_km * self._km(account, rep)),
        }

    def value(self, account: np.ndarray, rep: np.ndarray, role: Any = 0, level: Any = 0) -> np.ndarray:
        """Value [pairs] in currency: the sum of the ledger."""
        return _cents(sum(self.ledger(account, rep, role, level).values(), np.zeros(np.shape(account))))

    def hours(self, account: np.ndarray, rep: np.ndarray, role: Any = 0, level: Any = 0) -> np.ndarray:
        """Hours a year [pairs] the rep spends on the account, travel included, to the thousandth."""
        s = self.scoring
        share = np.array([r.hours for r in self.roles])[role]
        touch = self.accounts["hours"].to_numpy()[account] * np.array([v.hours for v in s.levels])[level]
        code, skill = self._skill
        gap = 1 + s.skill_gap_hours * (1 - skill[code[account], rep]) * s.skills
        return np.round(share * touch * gap + 2 * s.travel.visits * self._km(account, rep) / s.travel.km_per_hour, 3)

    def _km(self, account: np.ndarray, rep: np.ndarray) -> np.ndarray:
        if self._directions is None or self.scoring.travel.visits == 0:
            return np.zeros(np.shape(account))
        return np.nan_to_num(self.distance_km(account, rep))


def score(
    tables: Tables,
    scoring: Scoring | None = None,
    roles: Sequence[Role] = (),
    changes: Mapping[str, Any] | None = None,
    currency: str = "USD",
) -> Scores:
    """Resolve tables, people what-ifs and scoring into `Scores`.

    Raises `InputError` for what-ifs that name unknown reps or columns, and where a required column is missing.
    """
    scoring = scoring or Scoring()
    notes: list[str] = []
    reps = apply_changes(tables.reps, changes or {})
    reps = reps.iloc[_order(reps["rep_id"])]
    accounts, more = enrich_accounts(tables, scoring)
    notes += more
    rates = _rates(tables, reps) if scoring.learn_performance else None
    reps, more = _complete_reps(reps, scoring, rates)
    notes += more
    said = {note.split(" ")[0] for note in notes}
    notes = [note for note in tables.defaults if note.split(" ")[0] not in said] + notes
    resolved = tuple(roles) or (Role(name="owner"),)
    today, owned = _today(tables, accounts, reps, resolved, scoring)
    return Scores(accounts, reps, resolved, scoring, today, owned, tuple(notes), rates, currency, bool(roles))


def _order(ids: pd.Series) -> np.ndarray:
    return np.argsort(ids.to_numpy(dtype=object), kind="stable")


def _cents(amount: np.ndarray) -> np.ndarray:
    return np.round(amount, 2)


def _unit_vectors(frame: pd.DataFrame) -> np.ndarray:
    lat, lon = np.radians(frame["lat"].to_numpy()), np.radians(frame["lon"].to_numpy())
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _rates(tables: Tables, reps: pd.DataFrame) -> WinRates | None:
    deals = tables.opportunities
    if deals is None or "rep_id" not in deals or "won" not in deals:
        return None
    closed = (
        deals["closed"].fillna(False).to_numpy(dtype=bool) if "closed" in deals else deals["won"].notna().to_numpy()
    )
    rep = pd.Index(reps["rep_id"]).get_indexer(deals["rep_id"])
    known = closed & (rep >= 0)
    if not known.any():
        return None
    won = deals["won"].fillna(False).to_numpy(dtype=bool)
    count = np.bincount(rep[known], minlength=len(reps))
    return win_rates(np.bincount(rep[known], weights=won[known], minlength=len(reps)), count)


def _complete_reps(reps: pd.DataFrame, scoring: Scoring, rates: WinRates | None) -> tuple[pd.DataFrame, list[str]]:
    """Fill the rep columns the model needs; one sentence for each default that was used."""
    notes = []
    learnt = rates.factor if rates is not None else np.ones(len(reps))
    fills = {
        "capacity_hours": (scoring.default_capacity, f"{scoring.default_capacity:g} hours"),
        "ramp": (1.0, "1"),
        "performance": (learnt, "learnt from closed deals" if rates is not None else "1"),
        "cost": (0.0, "0"),
    }
    columns: dict[str, Any] = {}
    for name, (fill, words) in fills.items():
        given = reps[name] if name in reps else pd.Series(np.nan, reps.index, dtype=float)
        gaps = given.isna()
        if gaps.any():
            notes.append(f"reps.{name} is missing for {int(gaps.sum())} of {len(reps)} reps: {words} is used")
        columns[name] = given.where(~gaps, fill)
    opened = reps["open"].fillna(False) if "open" in reps else pd.Series(False, reps.index)
    columns["open"] = opened.astype(bool)
    columns["name"] = (reps["name"] if "name" in reps else reps["rep_id"]).fillna(reps["rep_id"])
    if rates is not None:
        notes.append(f"performance: {rates}")
    return reps.assign(**columns), notes


def _today(
    tables: Tables, accounts: pd.DataFrame, reps: pd.DataFrame, roles: tuple[Role, ...], scoring: Scoring
) -> tuple[Plan, np.ndarray]:
    shape = (len(accounts), len(roles))
    rep, owned = np.full(shape, -1, np.int32), np.zeros(shape, dtype=bool)
    rep_index = pd.Index(reps["rep_id"])
    rep[:, 0] = rep_index.get_indexer(accounts["owner_id"])
    owned[:, 0] = accounts["owner_id"].notna()
    if tables.assignments is not None:
        given = tables.assignments
        role_name = given["role"].fillna(roles[0].name) if "role" in given else pd.Series(roles[0].name, given.index)
        role = pd.Index([r.name for r in roles]).get_indexer(pd.Index(role_name))
        account = pd.Index(accounts["account_id"]).get_indexer(given["account_id"])
        known = (account >= 0) & (role >= 0)
        rep[account[known], role[known]] = rep_index.get_indexer(given["rep_id"])[known]
        owned[account[known], role[known]] = given["rep_id"].notna().to_numpy()[known]
    levels = tuple(level.name for level in scoring.levels)
    ids = accounts["account_id"].to_numpy(dtype=object), reps["rep_id"].to_numpy(dtype=object)
    plan = Plan(*ids, tuple(r.name for r in roles), levels, rep, np.zeros(shape, np.int8))
    return plan, owned
