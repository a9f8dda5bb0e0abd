"""Sales targets: what the plan is worth against quota, what was really won, and what drives it."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis, is_closed, is_won, last_year
from optimizer.kpis.parts import Measured, by_people, company, figure, year_words

WON = "opportunities.won or opportunities.stage"
NO_QUOTA = "no rep here has a quota above 0"


def _planned(basis: Basis) -> Measured:
    return by_people(basis, basis.value, basis.quota, basis.works & (basis.quota > 0), NO_QUOTA)


def _won(basis: Basis) -> Measured:
    deals = basis.won
    deals = deals[deals["date"].notna() & deals["amount"].notna()]
    if deals.empty:
        return (figure(np.nan, 0, "no won deal has both an amount and a close date"),)
    window = last_year(deals["date"])
    mine = deals[(deals["rep"] >= 0) & (deals["date"] >= window[0])]
    revenue = np.bincount(mine["rep"], weights=mine["amount"], minlength=len(basis.reps))
    note = f"deals closed {year_words(window)}"
    return by_people(basis, revenue, basis.quota, ~basis.scores.open_rep & (basis.quota > 0), NO_QUOTA, note)


def _contracts(basis: Basis) -> Measured:
    dates = basis.won["date"].dropna()
    if dates.empty:
        return (figure(np.nan, 0, "no won deal has a close date"),)
    window = last_year(dates)
    count = int((dates >= window[0]).sum())
    return (figure(count, count, note=f"deals closed {year_words(window)}"),)


def _win_rate(basis: Basis) -> Measured:
    deals = basis.tables.opportunities
    assert deals is not None  # its columns are among the needs
    closed = is_closed(deals)
    note = "" if basis.scores.rates is None else str(basis.scores.rates)
    return (company((is_won(deals) & closed).sum(), closed.sum(), closed.sum(), "no deal is closed", note),)


PLANNED = Kpi(
    name="planned_target",
    title="Sales target %: planned value against quota",
    family="targets",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=("reps.quota",),
    measure=_planned,
    attributes=Attributes(
        definition="The model value of the books over the quota, for reps who have one: each rep, each team, the "
        "company.",
        business_insight="It shows before the year starts whose quota the book cannot carry, while there is time "
        "to change either.",
        measurement_approach="Add the value of every assignment of the rep, all terms of the ledger, and divide "
        "by reps.quota. Reps without a quota are on neither side.",
        formula="planned value ÷ quota × 100",
        trend_analysis="Compare plans by the spread between reps more than by the level, which the scoring sets.",
        diagnostics="A rep far below the team has too little potential, a ramp below 1, or a quota copied from "
        "last year.",
        tips="Agree quota and book in one meeting; a rule of at_least on value per rep shows what fairness costs.",
        visualisation="Sorted bars by rep with a line at 100%; today's book as a tick.",
        risk_warnings="Model value holds key-account and retention terms and is no forecast: use it to compare, "
        "not to promise.",
        tools="Column quota of the reps table; the scenario's scoring; the plan.",
        integration_points="Quota sheets of finance or of the compensation system.",
        change_impact="Moving one large account can take a rep from above to below the line; both reps' pay is "
        "concerned.",
    ),
)

ATTAINED = Kpi(
    name="won_target",
    title="Sales target %: won revenue against quota",
    family="targets",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=("reps.quota", WON, "opportunities.rep_id", "opportunities.amount", "opportunities.close_date"),
    measure=_won,
    attributes=Attributes(
        definition="Revenue of the deals a rep won in the last year of the data over the rep's quota.",
        business_insight="It is the record against which a plan must be judged: who met a target, with which book.",
        measurement_approach="Add the amounts of won deals closed in the 365 days up to the last close date, by "
        "the rep who worked them; hired reps with a quota only.",
        formula="actual won revenue ÷ quota × 100",
        trend_analysis="Take whole years: quarters swing with the dates at which large deals happen to close.",
        diagnostics="Set it beside potential per rep: a low figure with a rich book is performance, with a poor "
        "book it is the book.",
        tips="A spread of more than 15% between reps is usually books, not talent; look there first.",
        visualisation="Dots by rep, attainment upwards and potential of today's book across.",
        risk_warnings="Deals of reps who left are in nobody's figure. A part-year rep is set against a whole "
        "year's quota.",
        tools="Opportunities with rep_id, won, amount and close_date; reps with quota.",
        integration_points="Closed-won report of the CRM; compensation statements to check the sums.",
        change_impact="It does not move with the plan; next year's figure will, after ramp and hand-over.",
    ),
)

CONTRACTS = Kpi(
    name="contracts_won",
    title="Contracts won in the last year",
    family="targets",
    perspective="financial",
    unit="deals",
    higher_is="better",
    needs=(WON, "opportunities.close_date"),
    measure=_contracts,
    attributes=Attributes(
        definition="How many deals were closed and won in the last 365 days of the data.",
        business_insight="Counts are steadier than amounts: they show a change of pace before one large deal hides it.",
        measurement_approach="Count won deals whose close date lies in the 365 days up to the last one.",
        formula="number of won deals closed in the year",
        trend_analysis="Compare with the year before and look at the mean amount at the same time.",
        diagnostics="Fewer deals with a steady win rate means fewer were started: look at activity.",
        tips="Agree what one deal is: renewals and amendments counted as deals double the figure.",
        visualisation="Columns by month with a moving mean of twelve.",
        risk_warnings="Splitting an order into several deals raises the count and nothing else.",
        tools="The opportunities table with won (or stage) and close_date.",
        integration_points="Closed-won report of the CRM; order entry to check.",
        change_impact="It does not move with the plan. Many moves in one quarter tend to delay deals in the next.",
    ),
)

WIN_RATE = Kpi(
    name="win_rate",
    title="Win rate",
    family="targets",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=(WON, "opportunities.closed or opportunities.stage"),
    measure=_win_rate,
    attributes=Attributes(
        definition="The share of closed deals that were won, over the whole history in the table.",
        business_insight="One of the few figures that drive revenue and can be worked on: fewer hopeless deals "
        "raise it at once.",
        measurement_approach="Count deals marked won among those marked closed; without the marks the stage decides.",
        formula="won deals ÷ closed deals × 100",
        trend_analysis="Follow it by the quarter in which deals were opened; recent quarters look better until "
        "slow deals close.",
        diagnostics="Split by new and existing customers before comparing anybody: the mix explains most differences.",
        tips="Do not rank reps by raw rates. The note says whether they differ by more than chance; often they do not.",
        visualisation="A funnel plot: rate upwards, closed deals across, with the band that chance alone would give.",
        risk_warnings="Deals never closed in the CRM flatter the rate; so does opening a deal only when it is won.",
        tools="The opportunities table with won and closed, or with stage.",
        integration_points="Opportunity history of the CRM; loss reasons where they are kept.",
        change_impact="Learnt performance feeds the scoring, shrunk by its own uncertainty; cleaning deals can "
        "move accounts.",
    ),
)

TARGETS = (PLANNED, ATTAINED, CONTRACTS, WIN_RATE)
