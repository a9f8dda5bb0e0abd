"""Accounts as the model sees them: derived columns, key-account score and filter, defaults. All in id order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import unknown
from optimizer.scoring import Criterion, Scoring
from optimizer.tables import Tables


def enrich_accounts(tables: Tables, scoring: Scoring) -> tuple[pd.DataFrame, list[str]]:
    """The accounts table with every column scoring and rules read, and a sentence for each default used.

    Added or completed: name, arr, fit, hours, key_score, key_account, open_opportunity, and contacts and
    contacts_active where a contacts table says so.
    """
    accounts = tables.accounts
    accounts = accounts.iloc[np.argsort(accounts["account_id"].to_numpy(dtype=object), kind="stable")]
    notes: list[str] = []
    columns: dict[str, pd.Series] = {"name": _given(accounts, "name").fillna(accounts["account_id"])}
    columns["potential"] = _fill(accounts, "potential", 0.0, notes)
    columns["arr"] = _fill(
        accounts, "arr", _given(accounts, "revenue_y1", float).fillna(0.0), notes, "revenue_y1, else 0"
    )
    columns["fit"] = _fill(accounts, "fit", 1.0, notes)
    touch = _given(accounts, "segment").map(scoring.hours).astype(float).fillna(scoring.default_hours)
    columns["hours"] = _fill(accounts, "hours", touch, notes, "the touch model")
    columns |= _from_children(tables, accounts)
    accounts = accounts.assign(**columns)
    score, more = key_scores(accounts, scoring.key_criteria)
    notes += more
    accounts = accounts.assign(key_score=score)
    return accounts.assign(key_account=key_accounts(accounts, scoring)), notes


def key_scores(accounts: pd.DataFrame, criteria: tuple[Criterion, ...]) -> tuple[pd.Series, list[str]]:
    """Key-account score, 1 to 10: Σ weight × score over the criteria an account has, weights renormalised.

    A criterion that is missing for an account is left out for it, never counted as 0; a criterion that is missing for
    every account is dropped, with a sentence. Without criteria the column key_score is taken as it is.
    """
    if not criteria:
        return _given(accounts, "key_score", float), []
    weighted, weights, notes = np.zeros(len(accounts)), np.zeros(len(accounts)), []
    for criterion in criteria:
        if criterion.column not in accounts:
            raise unknown("column in scoring.key_criteria", criterion.column, map(str, accounts.columns))
        raw = accounts[criterion.column].to_numpy(dtype=float)
        if criterion.low is not None and criterion.high is not None:
            raw = 1 + 9 * (raw - criterion.low) / (criterion.high - criterion.low)
        has = ~np.isnan(raw)
        if not has.any():
            notes.append(
                f"key-account criterion {criterion.column} is empty and was dropped; the weights are renormalised"
            )
        weighted += criterion.weight * np.where(has, np.clip(raw, 1, 10), 0.0)
        weights += criterion.weight * has
    score = np.divide(weighted, weights, out=np.full(len(accounts), np.nan), where=weights > 0)
    return pd.Series(score, accounts.index), notes


def key_accounts(accounts: pd.DataFrame, scoring: Scoring) -> pd.Series:
    """Which accounts are key accounts: the column where it is filled, else the scenario's filter, else no."""
    asked = scoring.key_filter
    passes = np.ones(len(accounts), dtype=bool)
    revenue = three_years(accounts, "revenue")
    with np.errstate(invalid="ignore", divide="ignore"):
        tests = {
            "min_revenue": lambda least: revenue >= least,
            "max_cost_share": lambda most: three_years(accounts, "cost_to_serve") <= most * revenue,
            "min_growth": lambda least: three_years(accounts, "growth") >= least,
            "min_score": lambda least: accounts["key_score"].to_numpy() >= least,
        }
        bounds = {name: getattr(asked, name) for name in tests}
        for name, bound in bounds.items():
            if bound is not None:
                passes &= tests[name](bound)
    filtered = passes if any(b is not None for b in bounds.values()) else np.zeros(len(accounts), dtype=bool)
    given = _given(accounts, "key_account", "boolean")
    return given.fillna(pd.Series(filtered, accounts.index, dtype="boolean")).astype(bool)


def three_years(accounts: pd.DataFrame, stem: str) -> np.ndarray:
    """[N] sum over the three years of revenue, cost_to_serve or growth; NaN where no year is given."""
    years = [c for c in (f"{stem}_y1", f"{stem}_y2", f"{stem}_y3") if c in accounts]
    if not years:
        return np.full(len(accounts), np.nan)
    return accounts[years].sum(axis=1, min_count=1).to_numpy(dtype=float)


def _given(accounts: pd.DataFrame, name: str, dtype: Any = "str") -> pd.Series:
    return accounts[name] if name in accounts else pd.Series(None, index=accounts.index, dtype=dtype)


def _fill(accounts: pd.DataFrame, name: str, fill: Any, notes: list[str], words: str | None = None) -> pd.Series:
    given = _given(accounts, name, float)
    gaps = given.isna()
    if gaps.any():
        said = words or f"{fill:g}"
        notes.append(f"accounts.{name} is missing for {int(gaps.sum())} of {len(accounts)} accounts: {said} is used")
    return given.where(~gaps, fill)


def _from_children(tables: Tables, accounts: pd.DataFrame) -> dict[str, pd.Series]:
    """open_opportunity, contacts and contacts_active, from the child tables where the account's own cell is empty."""
    ids = pd.Index(accounts["account_id"])
    columns: dict[str, pd.Series] = {}
    is_open = np.zeros(len(accounts), dtype=bool)
    deals = tables.opportunities
    if deals is not None and "closed" in deals:
        at = ids.get_indexer(deals["account_id"])
        still = ~deals["closed"].fillna(False).to_numpy(dtype=bool) & (at >= 0)
        is_open[at[still]] = True
    given = _given(accounts, "open_opportunity", "boolean")
    columns["open_opportunity"] = given.fillna(pd.Series(is_open, accounts.index, dtype="boolean")).astype(bool)
    if tables.contacts is not None:
        at = ids.get_indexer(tables.contacts["account_id"])
        counts = {"contacts": at >= 0}
        if "active" in tables.contacts:
            counts["contacts_active"] = (at >= 0) & tables.contacts["active"].fillna(False).to_numpy(dtype=bool)
        for name, chosen in counts.items():
            count = pd.Series(np.bincount(at[chosen], minlength=len(ids)).astype(float), accounts.index)
            columns[name] = _given(accounts, name, float).fillna(count)
    return columns
