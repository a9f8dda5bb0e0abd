"""What reps did: touches by account, by rep, and key accounts left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis, last_year
from optimizer.kpis.coverage import NEEDS_KEY, NO_KEY
from optimizer.kpis.parts import Measured, by_people, by_segment, company, quotients, year_words

NEEDS = ("activities.account_id", "activities.date")
TOUCHED_DAYS = 90


def _last(basis: Basis) -> tuple[pd.DataFrame, str]:
    """Activities of the last 365 days of the table, and these days in words."""
    activities = basis.tables.activities
    assert activities is not None  # its columns are among the needs
    window = last_year(activities["date"].dropna())
    return activities[activities["date"] >= window[0]], f"activities of {year_words(window)}"


def _per_account(basis: Basis) -> Measured:
    recent, note = _last(basis)
    known = recent[recent["account_id"].isin(basis.scores.account_ids)]
    accounts = len(basis.accounts)
    parts = [company(len(known), accounts, len(known), "there is no account", note)]
    if "kind" in known:
        count = known["kind"].value_counts().sort_index()
        share = np.full(len(count), accounts)
        parts.append(quotients("kind", count.index, count, share, count, "there is no account"))
    return tuple(parts)


def _per_rep(basis: Basis) -> Measured:
    recent, note = _last(basis)
    rep = pd.Index(basis.scores.rep_ids).get_indexer(recent["rep_id"])
    count = np.bincount(rep[rep >= 0], minlength=len(basis.reps)).astype(float)
    return by_people(basis, count, np.ones(len(count)), ~basis.scores.open_rep, "there is no hired rep", note)


def _touched(basis: Basis) -> Measured:
    activities = basis.tables.activities
    assert activities is not None  # its columns are among the needs
    last = activities["date"].max()
    recent = activities.loc[activities["date"] > last - pd.Timedelta(days=TOUCHED_DAYS), "account_id"]
    touched = basis.accounts["account_id"].isin(recent).to_numpy(dtype=bool)
    return by_segment(basis, (touched & basis.key).astype(float), basis.key.astype(float), basis.key, NO_KEY)


PER_ACCOUNT = Kpi(
    name="activities_per_account",
    title="Activities per account",
    family="activity",
    perspective="non-financial",
    unit="activities",
    higher_is="neutral",
    needs=NEEDS,
    measure=_per_account,
    attributes=Attributes(
        definition="Calls, e-mails, meetings and other activities of the last year for each account, in all and "
        "by kind.",
        business_insight="Activity is what reps control day by day; it comes before contracts and revenue.",
        measurement_approach="Count activities of the 365 days up to the last date; divide by all accounts, "
        "touched or not.",
        formula="activities of the year ÷ accounts",
        trend_analysis="By week, and as a rolling mean of four; holidays repeat every year.",
        diagnostics="Many e-mails and few meetings at key accounts say that the relationship has become thin.",
        tips="Measure conversations rather than attempts, if your log tells them apart.",
        visualisation="Stacked columns by month and kind.",
        risk_warnings="What is counted gets logged. Automatic mail swells the figure; a target on it breeds noise.",
        tools="The activities table with account_id, date and, for the split, kind.",
        integration_points="Mail, calendar and telephone logging into the CRM.",
        change_impact="It does not move with the plan; expect more of it in accounts that have just changed hands.",
    ),
)

PER_REP = Kpi(
    name="activities_per_rep",
    title="Activities per rep",
    family="activity",
    perspective="non-financial",
    unit="activities",
    higher_is="neutral",
    needs=(*NEEDS, "activities.rep_id"),
    measure=_per_rep,
    attributes=Attributes(
        definition="Activities of the last year logged by a rep, on average and rep by rep.",
        business_insight="It shows how differently reps log and work, before hours per account are believed.",
        measurement_approach="Count activities of the 365 days up to the last date by rep_id; hired reps only.",
        formula="activities of the year ÷ hired reps",
        trend_analysis="Compare a rep with the same rep a year ago rather than with others.",
        diagnostics="A rep with none either does not log or has left; ask before judging.",
        tips="Use it to check the touch model: hours planned against touches made.",
        visualisation="Bars by rep, kinds stacked.",
        risk_warnings="Never rank people by it. Logging habits differ more than work does.",
        tools="The activities table with rep_id and date.",
        integration_points="Mail, calendar and telephone logging into the CRM.",
        change_impact="It does not move with the plan; larger books raise it or thin out each account's share.",
    ),
)

TOUCHED = Kpi(
    name="key_accounts_touched",
    title="Key accounts touched in 90 days",
    family="activity",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=(NEEDS_KEY, *NEEDS),
    measure=_touched,
    attributes=Attributes(
        definition="The share of key accounts with at least one activity in the last 90 days of the table.",
        business_insight="Coverage by deed instead of by name: an owner who never calls does not manage the account.",
        measurement_approach="Take the 90 days up to the last date in the activities table and look for each key "
        "account.",
        formula="key accounts with an activity ÷ key accounts × 100",
        trend_analysis="Monthly; it should stay close to coverage in accounts.",
        diagnostics="The key accounts that are covered but not touched are the list for the next team meeting.",
        tips="Look at who was touched as well: an assistant's mail is not a conversation with the sponsor.",
        visualisation="Key accounts in rows, weeks in columns, a dot for each touch.",
        risk_warnings="Activities logged on the parent or on a deal only are missed, and the account looks alone.",
        tools="The activities table with account_id and date; key-account flag or filter.",
        integration_points="Mail, calendar and telephone logging into the CRM.",
        change_impact="It does not move with the plan; use it after a change to see whether hand-overs happened.",
    ),
)

ACTIVITY = (PER_ACCOUNT, PER_REP, TOUCHED)
