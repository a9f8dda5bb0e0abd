"""Customers kept, lost and coming back, and what keeping them cost."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured, by_segment, customers_kept
from optimizer.kpis.targets import WON

TWO_YEARS = ("accounts.revenue_y1", "accounts.revenue_y2")
NO_CUSTOMER = "no account here has revenue in revenue_y2 and a known revenue_y1"


def _retention(basis: Basis) -> Measured:
    before, kept = customers_kept(basis)
    return by_segment(basis, kept.astype(float), before.astype(float), before, NO_CUSTOMER)


def _churn(basis: Basis) -> Measured:
    before, kept = customers_kept(basis)
    return by_segment(basis, (before & ~kept).astype(float), before.astype(float), before, NO_CUSTOMER)


def _repeat(basis: Basis) -> Measured:
    account = basis.won["account"].to_numpy(dtype=np.int64)
    deals = np.bincount(account[account >= 0], minlength=len(basis.accounts))
    bought = deals >= 1
    return by_segment(basis, (deals >= 2).astype(float), bought.astype(float), bought, "no account here has a won deal")


def _cost(basis: Basis) -> Measured:
    _, kept = customers_kept(basis)
    cost = basis.column("cost_to_serve_y1")
    has = kept & ~np.isnan(cost)
    undefined = "no kept customer here has a cost_to_serve_y1"
    return by_segment(basis, np.where(has, cost, 0.0), has.astype(float), has, undefined)


RETENTION = Kpi(
    name="retention",
    title="Customer retention",
    family="retention",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=TWO_YEARS,
    measure=_retention,
    attributes=Attributes(
        definition="The share of the customers of the year before who still bought last year.",
        business_insight="Keeping a customer is cheaper than winning one; a point of retention is worth knowing "
        "in currency.",
        measurement_approach="A customer of a year is an account with revenue above 0; accounts whose last year "
        "is empty are left out.",
        formula="customers of the year before who bought again ÷ customers of the year before × 100",
        trend_analysis="Compare years, not months, where contracts are yearly; the latest year must be complete.",
        diagnostics="Split by segment and by whether the owner changed in that year.",
        tips="Follow revenue kept as well: large customers can shrink without leaving.",
        visualisation="Bars by segment, last year beside the year before.",
        risk_warnings="Buyers of long cycles look lost in an off year. A merger of two customers looks like a loss.",
        tools="Columns revenue_y1 and revenue_y2.",
        integration_points="Invoices by customer and year; renewal dates of the CRM.",
        change_impact="It does not move with the plan, but changes of owner cost some of it; the move cap is "
        "there for that.",
    ),
)

CHURN = Kpi(
    name="churn",
    title="Customer churn",
    family="retention",
    perspective="non-financial",
    unit="share",
    higher_is="worse",
    needs=TWO_YEARS,
    measure=_churn,
    attributes=Attributes(
        definition="The share of the customers of the year before who bought nothing last year.",
        business_insight="Churn limits growth: at 20% a fifth of the revenue must be won again before anything grows.",
        measurement_approach="One less retention, on the same accounts.",
        formula="customers lost ÷ customers of the year before × 100",
        trend_analysis="Watch it a year after a large re-allocation, and by size of customer.",
        diagnostics="List the lost customers by revenue of the year before and ask who had been their rep.",
        tips="Give a reason to each large loss while people still remember it.",
        visualisation="A list of lost customers by size beside one line over years.",
        risk_warnings="It counts heads: losing one giant and one dwarf is the same. Small segments swing.",
        tools="Columns revenue_y1 and revenue_y2.",
        integration_points="Invoices; cancellation reasons of the CRM or of support.",
        change_impact="It does not move with the plan; lifetime value is divided by it and reacts strongly.",
    ),
)

REPEAT = Kpi(
    name="repeat_purchase",
    title="Repeat purchase",
    family="retention",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=(WON, "opportunities.account_id"),
    measure=_repeat,
    attributes=Attributes(
        definition="The share of accounts with a won deal that have won us at least a second one.",
        business_insight="The second deal is the proof that the first one worked.",
        measurement_approach="Count won deals by account over the whole table; two or more is a repeat.",
        formula="accounts with two or more won deals ÷ accounts with at least one × 100",
        trend_analysis="It rises with the length of the history alone; compare tables of equal length.",
        diagnostics="Accounts with one old deal and open potential are the list to work on.",
        tips="Hand that list to the rep together with the book.",
        visualisation="A histogram of won deals per account.",
        risk_warnings="Renewals recorded as deals make it high; an order split in two looks like loyalty.",
        tools="The opportunities table with account_id and won (or stage).",
        integration_points="Closed-won report of the CRM; the order history of the shop system.",
        change_impact="It does not move with the plan; accounts that change hands often wait longer for the next deal.",
    ),
)

COST = Kpi(
    name="retention_cost",
    title="Cost of keeping a customer",
    family="retention",
    perspective="financial",
    unit="currency",
    higher_is="worse",
    needs=(*TWO_YEARS, "accounts.cost_to_serve_y1"),
    measure=_cost,
    attributes=Attributes(
        definition="What selling to and supporting a kept customer cost last year, on average.",
        business_insight="Set against the acquisition cost it shows what keeping saves, and where service is overdone.",
        measurement_approach="Average cost_to_serve_y1 over customers who bought in both years and have a cost.",
        formula="cost to serve of kept customers ÷ kept customers",
        trend_analysis="Compare with revenue per customer; both should move together.",
        diagnostics="A segment with high cost and low retention is served in the wrong way rather than too little.",
        tips="Move accounts that cost more than they bring to a lighter service level, not to nobody.",
        visualisation="Bars by segment with retention written on each.",
        risk_warnings="Cost to serve includes selling more, not only keeping: it overstates retention cost.",
        tools="Columns revenue_y1, revenue_y2 and cost_to_serve_y1.",
        integration_points="Cost accounting; hours logged, priced at the rep's cost.",
        change_impact="Service levels chosen by the plan change it next year.",
    ),
)

RETENTIONS = (RETENTION, CHURN, REPEAT, COST)
