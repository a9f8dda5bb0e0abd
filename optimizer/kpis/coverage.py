"""Coverage in accounts: how much of the base the plan gives to somebody."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured, by_segment, grouped

NEEDS_KEY = "accounts.key_account or scoring.key_filter"
NO_KEY = "there is no key account here"


def covered(basis: Basis, weight: np.ndarray, counts: np.ndarray, undefined: str) -> Measured:
    """Σ weight [N] of served accounts ÷ Σ weight of all, for the accounts in `counts` [N]: company and segments."""
    weight = np.where(counts, weight, 0.0)
    return by_segment(basis, weight * basis.served, weight, counts, undefined)


def _key(basis: Basis) -> Measured:
    return covered(basis, np.ones(len(basis.key)), basis.key, NO_KEY)


def _all(basis: Basis) -> Measured:
    everyone = np.ones(len(basis.served), dtype=bool)
    return covered(basis, everyone.astype(float), everyone, "there is no account")[:1]


def _segments(basis: Basis) -> Measured:
    ones = np.ones(len(basis.served))
    return (grouped("segment", basis.accounts["segment"], ones * basis.served, ones, ones, "there is no account here"),)


def _score(basis: Basis) -> Measured:
    score = basis.accounts["key_score"].to_numpy(dtype=float)
    return covered(basis, score, ~np.isnan(score), "no account here has a key-account score")


def _potential(basis: Basis) -> Measured:
    given = ~np.isnan(basis.column("potential"))
    return covered(basis, basis.potential, given, "the accounts here have no potential")


KEY_ACCOUNTS = Kpi(
    name="coverage_key_accounts",
    title="Account coverage ratio, key accounts",
    family="coverage",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=(NEEDS_KEY,),
    measure=_key,
    attributes=Attributes(
        definition="The share of key accounts that are actively managed: in this plan a named rep serves them in "
        "the first role.",
        business_insight="A key account without a rep is the most expensive gap in a plan: nobody sees its "
        "renewal coming.",
        measurement_approach="Flag key accounts by the column key_account or the scenario's key-account filter, "
        "then count those the plan serves. Positions to be hired count as served, so read it"
        " together with the open positions used.",
        formula="actively managed key accounts ÷ all key accounts × 100",
        trend_analysis="Compare plan with plan on the same list of key accounts: a new filter moves the ratio "
        "with nobody moved.",
        diagnostics="Below 100%, list the unserved key accounts and ask which rule left them no rep with skills, "
        "region or hours.",
        tips="Set a coverage limit with where = {key_account = true}; its price says what the last points of coverage "
        "cost.",
        visualisation="One bar for today and one for each plan, with the names of the missing accounts underneath.",
        risk_warnings="Having an owner is not the same as being worked. An owner with 140% of the hours covers on"
        " paper only.",
        tools="The accounts table with key_account, or revenue, cost and growth for the filter; the plan.",
        integration_points="CRM owner and a key-account flag on the account record; the coverage limit of the "
        "scenario.",
        change_impact="Serving one more key account takes its hours from smaller accounts of the same rep; moves "
        "may follow.",
    ),
)

ALL_ACCOUNTS = Kpi(
    name="coverage_accounts",
    title="Account coverage ratio, all accounts",
    family="coverage",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=("accounts.account_id",),
    measure=_all,
    attributes=Attributes(
        definition="The share of all accounts, customers and prospects, that the plan gives to somebody in the "
        "first role.",
        business_insight="It shows how far the hours of the team reach; what is left over belongs to partners or "
        "to nobody.",
        measurement_approach="Count the accounts with a rep in the plan and divide by the rows of the accounts table.",
        formula="accounts served ÷ all accounts × 100",
        trend_analysis="It falls when lists of prospects are loaded. Follow the number of served accounts beside it.",
        diagnostics="When low, compare the hours needed with the capacity: either hours are short or eligibility "
        "rules exclude.",
        tips="Do not aim for 100%: an account worth less than the hours it takes is better left to a house account.",
        visualisation="A bar split into served and unserved, with the number of accounts written on each piece.",
        risk_warnings="Every account counts the same, so a thousand tiny accounts can hide the loss of ten large ones.",
        tools="The accounts table and the plan; no further column is needed.",
        integration_points="Owner field of the CRM; the unassigned sheet of the exported workbook lists the rest.",
        change_impact="Raising it by force spreads the same hours thinner and lowers the model value past a point.",
    ),
)

BY_SEGMENT = Kpi(
    name="coverage_by_segment",
    title="Account coverage ratio by segment",
    family="coverage",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=("accounts.segment",),
    measure=_segments,
    attributes=Attributes(
        definition="The share of the accounts of each segment that the plan gives to somebody in the first role.",
        business_insight="Coverage policy differs by segment; an average over all of them hides the segment that "
        "goes without.",
        measurement_approach="Group the accounts by the column segment. Accounts with an empty cell are in no row.",
        formula="accounts of the segment served ÷ accounts of the segment × 100",
        trend_analysis="Follow each segment against its own target: enterprise near 100%, long tail as hours allow.",
        diagnostics="A low segment with idle reps points at skills or region rules; with busy reps it points at "
        "capacity.",
        tips='Give each segment its own at_least in a coverage limit with per = "account.segment".',
        visualisation="Bars sorted by segment size, today's value as a tick on each bar.",
        risk_warnings="Small segments jump: with eight accounts one more is 12.5 points. Read the count beside "
        "the ratio.",
        tools="The accounts table with the column segment; the plan.",
        integration_points="Tier or segment field of the CRM, with the same words as the scenario's touch model.",
        change_impact="A minimum for one segment draws hours from others; compare the model value with and without it.",
    ),
)

BY_SCORE = Kpi(
    name="coverage_key_score",
    title="Coverage weighted by key-account score",
    family="coverage",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=("accounts.key_score or scoring.key_criteria",),
    measure=_score,
    attributes=Attributes(
        definition="The share of all key-account score points that lies in served accounts; an account of score 9"
        " counts thrice one of score 3.",
        business_insight="It tells whether the accounts left out are the unimportant ones, without a hard line "
        "between key and rest.",
        measurement_approach="Sum the score over served accounts and over all. Accounts without a score are left "
        "out, not 0.",
        formula="Σ score of served accounts ÷ Σ score of all scored accounts × 100",
        trend_analysis="Expect it above plain coverage; when the two meet, the plan no longer favours important "
        "accounts.",
        diagnostics="If it lags plain coverage, look for high scores among accounts that no rep is eligible for.",
        tips="Raise key_weight in the scoring to make the optimiser pay for score, then watch this figure and the"
        " moves.",
        visualisation="Plain and weighted coverage as two dots on one line for each plan.",
        risk_warnings="Scores run from 1 to 10, so the worst account still counts a tenth of the best; it is a "
        "mild weighting.",
        tools="Column key_score, or criteria with weights in the scenario; the plan.",
        integration_points="Account scoring of the CRM or of a data provider, imported as key_score.",
        change_impact="Editing criteria or weights changes it with no account moved; keep the version of the criteria.",
    ),
)

BY_POTENTIAL = Kpi(
    name="coverage_potential",
    title="Coverage weighted by potential",
    family="coverage",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=("accounts.potential",),
    measure=_potential,
    attributes=Attributes(
        definition="The share of the potential of all accounts that lies in accounts the plan serves.",
        business_insight="It answers how much of the money on the table somebody is paid to go after.",
        measurement_approach="Sum the column potential, currency a year beyond today's revenue, over served and "
        "over all accounts.",
        formula="potential of served accounts ÷ potential of all accounts × 100",
        trend_analysis="Watch it against coverage in accounts: a widening distance means the plan concentrates on"
        " large accounts.",
        diagnostics="List the ten largest unserved potentials; one wrong guess there can move the ratio by points.",
        tips="Check the source of large potentials before believing a fall: enrichment errors sit in the tail.",
        visualisation="A concentration curve: accounts ordered by potential, cumulated share served against share"
        " of accounts.",
        risk_warnings="Potential is an estimate. High coverage of a guess is not coverage of revenue.",
        tools="The accounts table with potential; the plan.",
        integration_points="Whitespace or account potential field of the CRM; enrichment data.",
        change_impact="A plan that raises it usually lengthens the hours per account served; look at utilisation "
        "at once.",
    ),
)

COVERAGE = (KEY_ACCOUNTS, ALL_ACCOUNTS, BY_SEGMENT, BY_SCORE, BY_POTENTIAL)
