"""Key accounts: what they return, how they score, and how three years of figures single them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.accounts import three_years
from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.coverage import NEEDS_KEY
from optimizer.kpis.parts import Measured, by_segment, mean_of

BEFORE_GOODS = "before cost of goods: accounts.cost_of_goods_y1 is missing, so the profit is a contribution"


def noted(parts: Measured, note: str) -> Measured:
    """The same figures, the company's row with a note."""
    return (replace(parts[0], note=note), *parts[1:])


def _roi(basis: Basis) -> Measured:
    cost, note = basis.column("cost_to_serve_y1"), ""
    if basis.state("accounts.net_profit_y1") == "there":
        earned = basis.column("net_profit_y1")
    elif basis.state("accounts.cost_of_goods_y1") == "there":
        earned = basis.column("revenue_y1") - cost - basis.column("cost_of_goods_y1")
    else:
        earned, note = basis.column("revenue_y1") - cost, BEFORE_GOODS
    has = basis.key & ~np.isnan(earned) & ~np.isnan(cost)
    top, bottom = (np.where(has, x, 0.0) for x in (earned, cost))
    return noted(by_segment(basis, top, bottom, has, "no key account here has both a profit and a cost to serve"), note)


def _score(basis: Basis) -> Measured:
    score = basis.accounts["key_score"].to_numpy(dtype=float)
    has = basis.key & ~np.isnan(score)
    parts = by_segment(basis, np.where(has, score, 0.0), has.astype(float), has, "no key account here has a score")
    return noted(parts, basis.notes_about("key-account criterion"))


def _number(basis: Basis) -> Measured:
    everyone = np.ones(len(basis.key), dtype=bool)
    return by_segment(basis, basis.key.astype(float), everyone.astype(float), everyone, "there is no account")


def _cost_share(basis: Basis) -> Measured:
    years = ("y1", "y2", "y3")
    revenue = np.stack([basis.column(f"revenue_{y}") for y in years])
    cost = np.stack([basis.column(f"cost_to_serve_{y}") for y in years])
    both = basis.key & ~np.isnan(revenue) & ~np.isnan(cost)
    top, bottom = (np.where(both, x, 0.0).sum(axis=0) for x in (cost, revenue))
    undefined = "no key account here has revenue and cost to serve of one year"
    return by_segment(basis, top, bottom, both.any(axis=0), undefined)


def _mean_of_key(basis: Basis, stem: str) -> Measured:
    amount = three_years(basis.accounts, stem)
    has = basis.key & ~np.isnan(amount)
    undefined = f"no key account here has {stem} of any of three years"
    return by_segment(basis, np.where(has, amount, 0.0), has.astype(float), has, undefined)


def _any_year(stem: str) -> str:
    return " or ".join(f"accounts.{stem}_y{year}" for year in (1, 2, 3))


ROI = Kpi(
    name="key_account_roi",
    title="Strategic account ROI",
    family="key accounts",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=(NEEDS_KEY, "accounts.net_profit_y1 or accounts.revenue_y1", "accounts.cost_to_serve_y1"),
    measure=_roi,
    attributes=Attributes(
        definition="Net profit of the key accounts in the last year over what was invested in selling to and "
        "supporting them.",
        business_insight="It says whether the attention key accounts get pays for itself, and in which segment it"
        " does not.",
        measurement_approach="Take net_profit_y1 where given, else revenue less cost to serve less "
        "cost_of_goods_y1; divide the sums over key accounts that have both profit and cost.",
        formula="net profit of the accounts ÷ cost invested in them (sales and support) × 100",
        trend_analysis="Review monthly in dynamic markets, else quarterly. A published case rose from 12% to 18% "
        "in six months.",
        diagnostics="Split into revenue and cost: a falling ratio with steady revenue means service has crept upwards.",
        tips="Set a floor for a segment, not for each account: young key accounts cost before they earn.",
        visualisation="Accounts as dots, cost to serve across and profit upwards, with the line of the target ratio.",
        risk_warnings="Without cost of goods the profit is a contribution and the ratio far too high to set "
        "beside others'.",
        tools="Columns revenue_y1, cost_to_serve_y1 and, for a true net profit, cost_of_goods_y1 or net_profit_y1.",
        integration_points="Invoices and cost accounting; hours logged in the CRM priced at the rep's cost.",
        change_impact="A plan changes next year's cost first and its revenue later, so expect a dip after many moves.",
    ),
)

SCORE = Kpi(
    name="key_account_score",
    title="Key-account score",
    family="key accounts",
    perspective="non-financial",
    unit="points",
    higher_is="better",
    needs=(NEEDS_KEY, "accounts.key_score or scoring.key_criteria"),
    measure=_score,
    attributes=Attributes(
        definition="The mean score of the key accounts, from 1 (very low) to 10 (very high), over the scenario's "
        "criteria.",
        business_insight="A list of key accounts with a middling score has grown by habit; the score shows who "
        "could leave it.",
        measurement_approach="Add weight × score over the criteria an account has, weights renormalised to them; "
        "average over key accounts with a score. A missing criterion is left out, never 0.",
        formula="Σ weight × score ÷ Σ weight of the criteria that are known",
        trend_analysis="Compare only scores of the same criteria and weights; review the list of key accounts "
        "once a year.",
        diagnostics="Sort key accounts by score: those below others that are not key accounts are candidates to swap.",
        tips="Keep to five to eight criteria that somebody can fill in; more of them all average out to the middle.",
        visualisation="Two histograms on one axis, key accounts and the rest; the overlap is the discussion.",
        risk_warnings="Judged criteria drift with the judge. Dropped criteria change the meaning: the note says "
        "which were.",
        tools="Column key_score, or criteria columns with weights in the scenario.",
        integration_points="Account plans and scoring fields of the CRM.",
        change_impact="With key_weight above 0 the score is worth money to the optimiser, and editing weights "
        "moves accounts.",
    ),
)

NUMBER = Kpi(
    name="key_account_share",
    title="Key-account filter: share of accounts that are key accounts",
    family="key accounts",
    perspective="non-financial",
    unit="share",
    higher_is="neutral",
    needs=(NEEDS_KEY,),
    measure=_number,
    attributes=Attributes(
        definition="How many of all accounts are key accounts, by the column key_account where filled, else by "
        "the filter.",
        business_insight="If a third of the accounts are key, none is: the label no longer tells a rep what to do"
        " first.",
        measurement_approach="Apply the filter of three years' revenue, cost to serve, growth and score; a flag "
        "overrides it.",
        formula="key accounts ÷ all accounts × 100",
        trend_analysis="It should stay steady; growth of the list without growth of the team thins the attention "
        "for each.",
        diagnostics="See which condition lets most accounts in and whether flags set by hand contradict it.",
        tips="Choose the filter so that the hours the list needs fit the hours the team has.",
        visualisation="A funnel: all accounts, then what is left after each condition.",
        risk_warnings="An account without the figures does not pass the filter; missing data quietly shorten the list.",
        tools="Column key_account, or scoring.key_filter with three years of revenue, cost and growth.",
        integration_points="Key-account flag of the CRM; the finance system for the three years.",
        change_impact="A wider filter tightens every rule that protects key accounts, and the plan has less room.",
    ),
)

REVENUE = Kpi(
    name="key_account_revenue",
    title="Key-account filter: three years' revenue",
    family="key accounts",
    perspective="financial",
    unit="currency",
    higher_is="better",
    needs=(NEEDS_KEY, _any_year("revenue")),
    measure=lambda basis: _mean_of_key(basis, "revenue"),
    attributes=Attributes(
        definition="Revenue of three years of a key account, on average.",
        business_insight="Three years smooth out one large order and show who has been worth the attention for long.",
        measurement_approach="Add the years an account has and average over key accounts with at least one of them.",
        formula="Σ revenue of three years over key accounts ÷ key accounts with revenue known",
        trend_analysis="Drop the oldest year as a new one comes; a fall means the list has aged.",
        diagnostics="Compare with the same figure of other accounts: the list should stand well above.",
        tips="Set min_revenue of the filter near the lower quarter of this distribution.",
        visualisation="Stacked bars of the three years, accounts sorted by the sum.",
        risk_warnings="An account with one year known counts with that year only and looks small.",
        tools="Columns revenue_y1, revenue_y2 and revenue_y3.",
        integration_points="Invoices by customer and year from the finance system.",
        change_impact="It does not move with the plan; it decides through the filter who is protected by key-"
        "account rules.",
    ),
)

COST = Kpi(
    name="key_account_cost_share",
    title="Key-account filter: three years' cost to serve against revenue",
    family="key accounts",
    perspective="financial",
    unit="share",
    higher_is="worse",
    needs=(NEEDS_KEY, _any_year("revenue"), _any_year("cost_to_serve")),
    measure=_cost_share,
    attributes=Attributes(
        definition="What selling to and supporting the key accounts cost over three years, as a share of their "
        "revenue.",
        business_insight="Profitability against revenue: a large customer can be a small earner, and this is "
        "where it shows.",
        measurement_approach="Add cost and revenue over the years in which a key account has both, then divide once.",
        formula="Σ cost to serve of three years ÷ Σ revenue of three years × 100",
        trend_analysis="Look at single years when it moves: cost lags revenue after a loss and leads it after a "
        "launch.",
        diagnostics="List accounts above 100%: they cost more to serve than they pay.",
        tips="Use max_cost_share of the filter to keep such accounts off the list, or serve them at a lighter level.",
        visualisation="Cost across, revenue upwards, one dot an account, a line at the accepted share.",
        risk_warnings="Cost to serve is often spread by a key, such as revenue, and then says nothing of its own.",
        tools="Columns revenue_y1 to y3 and cost_to_serve_y1 to y3.",
        integration_points="Cost accounting, support tickets and hours logged, priced and summed by account.",
        change_impact="Service levels and travel change it from next year on; the plan's own hours are its "
        "leading sign.",
    ),
)

GROWTH = Kpi(
    name="key_account_growth",
    title="Key-account filter: three years' growth potential",
    family="key accounts",
    perspective="financial",
    unit="currency",
    higher_is="better",
    needs=(NEEDS_KEY, _any_year("growth")),
    measure=lambda basis: _mean_of_key(basis, "growth"),
    attributes=Attributes(
        definition="Growth expected of a key account over three years, on average, in currency.",
        business_insight="It separates key accounts to be developed from those to be defended, who need a "
        "different rep.",
        measurement_approach="Add the growth columns an account has and average over key accounts with at least one.",
        formula="Σ growth of three years over key accounts ÷ key accounts with growth known",
        trend_analysis="Set last year's expectation beside the revenue that came; the distance is the bias of the"
        " estimate.",
        diagnostics="Check whether a few accounts carry the sum, and who estimated those.",
        tips="Put min_growth in the filter only where the estimates have proved right before.",
        visualisation="A bar for each account, expected growth beside the growth that came.",
        risk_warnings="Growth is negative for shrinking accounts and averages hide them; estimates are rarely neutral.",
        tools="Columns growth_y1, growth_y2 and growth_y3.",
        integration_points="Account plans, whitespace analysis and forecasts of the CRM.",
        change_impact="Through the filter it changes who is a key account; the plan itself leaves it as it is.",
    ),
)

ALIGNMENT = Kpi(
    name="strategic_alignment",
    title="Relationship depth: strategic alignment",
    family="key accounts",
    perspective="non-financial",
    unit="points",
    higher_is="better",
    needs=(NEEDS_KEY, "accounts.strategic_alignment"),
    measure=lambda basis: mean_of(basis, "strategic_alignment", basis.key),
    attributes=Attributes(
        definition="How well the plans of key accounts agree with ours, as scored by the account team, on average.",
        business_insight="Aligned customers bring us into decisions early; the others ask for a quote.",
        measurement_approach="Average your own numeric column strategic_alignment over key accounts that have a score.",
        formula="Σ alignment score ÷ key accounts with a score",
        trend_analysis="Score once a year after the account review, always by the same questions.",
        diagnostics="Low alignment with high revenue is a warning of a tender; talk to the sponsor.",
        tips="Let somebody outside the account team score a sample, and compare.",
        visualisation="A grid of alignment against revenue, key accounts by name.",
        risk_warnings="Reps score their own accounts kindly. Treat it as an opinion with a date.",
        tools="A column strategic_alignment in the accounts table; it may also be a criterion of the key-account "
        "score.",
        integration_points="Account plans and executive sponsor programmes.",
        change_impact="A new owner resets part of it; plan an introduction by the sponsor for aligned accounts "
        "that move.",
    ),
)

KEY_ACCOUNTS = (ROI, SCORE, NUMBER, REVENUE, COST, GROWTH, ALIGNMENT)
