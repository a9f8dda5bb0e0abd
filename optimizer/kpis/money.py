"""Revenue per head and per customer, and what a customer costs to win and brings over its life."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis, last_year
from optimizer.kpis.parts import Measured, by_segment, company, customers_kept, figure, year_words
from optimizer.kpis.targets import WON

REVENUE_KNOWN = "accounts.arr or accounts.revenue_y1"
CAC_NEEDS = ("reps.cost", WON, "opportunities.close_date")
CLV_NEEDS = ("accounts.revenue_y1", "accounts.revenue_y2", "accounts.cost_to_serve_y1")


@dataclass(frozen=True, slots=True)
class _Quotient:
    """A quotient with its parts; `undefined` says why where it is not to be had."""

    top: float = np.nan
    bottom: float = np.nan
    count: int = 0
    undefined: str = ""
    note: str = ""

    @property
    def value(self) -> float:
        return self.top / self.bottom if self.bottom > 0 else float("nan")


def _per_fte(basis: Basis) -> Measured:
    known = basis.served & ~np.isnan(basis.arr)
    revenue = float(basis.arr[known].sum()) if known.any() else np.nan
    undefined = "no rep works in this plan, or no served account has a known revenue"
    return (company(revenue, basis.works.sum(), basis.works.sum(), undefined),)


def _per_customer(basis: Basis) -> Measured:
    buys = basis.arr > 0
    return by_segment(basis, np.where(buys, basis.arr, 0.0), buys.astype(float), buys, "no account here has revenue")


def acquisition(basis: Basis) -> _Quotient:
    """Cost of the hired reps ÷ accounts whose first won deal lies in the last year of the data."""
    deals = basis.won
    deals = deals[deals["date"].notna() & (deals["account"] >= 0)]
    if deals.empty:
        return _Quotient(undefined="no won deal of a known account has a close date")
    start, end = last_year(deals["date"])
    if deals["date"].min() >= start - pd.Timedelta(days=1):
        return _Quotient(undefined="won deals reach back a year at most: who is a new customer cannot be told")
    first = deals.groupby("account")["date"].min()
    bought_before = np.nan_to_num(basis.column("revenue_y2"))[first.index.to_numpy()] > 0
    new = int(((first >= start).to_numpy() & ~bought_before).sum())
    paid = basis.cost_known & ~basis.scores.open_rep
    cost = float(basis.reps["cost"].to_numpy(dtype=float)[paid].sum())
    hired = int((~basis.scores.open_rep).sum())
    known = f"cost of {int(paid.sum())} of {hired} hired reps is known, marketing cost is not"
    note = f"first deals won {year_words((start, end))}; {known}"
    if not paid.any():
        return _Quotient(undefined="no hired rep has a cost")
    return _Quotient(cost, float(new), new, "nobody became a customer in the last year of the data", note)


def lifetime(basis: Basis) -> _Quotient:
    """Mean contribution of a customer of last year ÷ churn."""
    before, kept = customers_kept(basis)
    if not before.any():
        return _Quotient(undefined="no account has revenue in revenue_y2 and a known revenue_y1")
    churn = 1 - kept.sum() / before.sum()
    revenue, cost = basis.column("revenue_y1"), basis.column("cost_to_serve_y1")
    buys = (revenue > 0) & ~np.isnan(cost)
    if not buys.any():
        return _Quotient(undefined="no customer has both revenue_y1 and cost_to_serve_y1")
    margin = float((revenue[buys] - cost[buys]).mean())
    note = "contribution before cost of goods, not discounted"
    undefined = "no customer was lost, so a lifetime cannot be estimated"
    return _Quotient(margin, float(churn), int(buys.sum()), undefined, note)


def _shown(x: _Quotient) -> Measured:
    return (figure(x.value, x.count, x.undefined, x.note, x.top, x.bottom),)


def _ratio(basis: Basis) -> Measured:
    clv, cac = lifetime(basis), acquisition(basis)
    reasons = "; ".join(q.undefined for q in (clv, cac) if np.isnan(q.value))
    return _shown(_Quotient(clv.value, cac.value, clv.count, reasons, f"{clv.note}; {cac.note}"))


PER_FTE = Kpi(
    name="revenue_per_fte",
    title="Revenue per FTE",
    family="money",
    perspective="financial",
    unit="currency",
    higher_is="better",
    needs=(REVENUE_KNOWN,),
    measure=_per_fte,
    attributes=Attributes(
        definition="Today's yearly revenue of the accounts the plan serves, for each rep who works in the plan.",
        business_insight="It sets headcount against the revenue it looks after, the first figure finance asks for.",
        measurement_approach="Add arr (else revenue_y1) of served accounts; divide by hired reps plus filled open"
        " positions.",
        formula="revenue ÷ reps",
        trend_analysis="It falls in every hiring year; judge it two years later, when the hires have ramped up.",
        diagnostics="Set it beside utilisation: high revenue per head with overload is a warning, not a success.",
        tips="Compare within one segment; enterprise and small-business reps are not the same business.",
        visualisation="A line over years beside the number of reps.",
        risk_warnings="Every rep counts as one, part-time and ramping ones too. Accounts without revenue known "
        "add nothing.",
        tools="Column arr or revenue_y1; the plan.",
        integration_points="Finance for revenue; the personnel system for full-time equivalents.",
        change_impact="Filling an open position lowers it at once; its potential comes later.",
    ),
)

PER_CUSTOMER = Kpi(
    name="revenue_per_customer",
    title="Revenue per customer",
    family="money",
    perspective="financial",
    unit="currency",
    higher_is="better",
    needs=(REVENUE_KNOWN,),
    measure=_per_customer,
    attributes=Attributes(
        definition="Today's yearly revenue of an account that buys, on average.",
        business_insight="It tells how much attention a customer can pay for: hours at the rep's cost against "
        "this figure.",
        measurement_approach="Average arr (else revenue_y1) over the accounts where it is above 0; prospects are "
        "left out.",
        formula="revenue ÷ customers",
        trend_analysis="Follow it with the number of customers: one rises when small ones leave.",
        diagnostics="Split by segment, then see whether upsell or the loss of small customers moved it.",
        tips="Use the median too when you set a touch model; a few giants pull the mean.",
        visualisation="Bars by segment on a logarithmic scale.",
        risk_warnings="Revenue of a group booked on its parent makes parents look rich and children look like "
        "prospects.",
        tools="Column arr or revenue_y1; segment for the split.",
        integration_points="Invoices summed by customer; the parent-child links of the CRM.",
        change_impact="It does not move with the plan; serving the right accounts moves it next year.",
    ),
)

CAC = Kpi(
    name="acquisition_cost",
    title="Customer acquisition cost (CAC)",
    family="money",
    perspective="financial",
    unit="currency",
    higher_is="worse",
    needs=CAC_NEEDS,
    measure=lambda basis: _shown(acquisition(basis)),
    attributes=Attributes(
        definition="What the sales force cost for each account that bought for the first time in the last year.",
        business_insight="It is the price of growth by new names, to be set against growth of the accounts we have.",
        measurement_approach="Add the cost of hired reps; divide by accounts whose first won deal lies in the "
        "last 365 days of the data and that had no revenue the year before.",
        formula="cost of sales ÷ new customers",
        trend_analysis="Use whole years at least as long as the sales cycle; lifetime value up and this down is "
        "health.",
        diagnostics="If it rises, see whether fewer customers came or the team grew; ramping reps explain much.",
        tips="Split the cost by the time reps give to new names if you know it, and say that you did.",
        visualisation="A line over years with lifetime value on the same axis.",
        risk_warnings="All rep cost counts as acquisition, marketing cost is not in the tables: a bound, not an "
        "accounting figure.",
        tools="Column cost of the reps; opportunities with won and close_date, more than a year back.",
        integration_points="Payroll, closed-won report, marketing budget.",
        change_impact="It does not move with the plan; a plan that turns hours towards prospects lowers it a year on.",
    ),
)

CLV = Kpi(
    name="lifetime_value",
    title="Customer lifetime value (CLV)",
    family="money",
    perspective="financial",
    unit="currency",
    higher_is="better",
    needs=CLV_NEEDS,
    measure=lambda basis: _shown(lifetime(basis)),
    attributes=Attributes(
        definition="What an average customer contributes over the time it is expected to stay.",
        business_insight="It is the ceiling of what winning or keeping a customer may cost.",
        measurement_approach="Mean of revenue_y1 less cost_to_serve_y1 over customers, divided by the churn "
        "between the two years.",
        formula="mean yearly contribution ÷ churn",
        trend_analysis="Recompute once a year on the same definition of a customer; small changes of churn move "
        "it much.",
        diagnostics="Tell the two factors apart: contribution fell, or customers leave sooner.",
        tips="Work it out by segment in a spreadsheet before using it for decisions on one segment.",
        visualisation="Contribution and lifetime as the sides of a rectangle; its area is the value.",
        risk_warnings="Not discounted, before cost of goods, and churn of one year is taken to last: an order of "
        "magnitude.",
        tools="Columns revenue_y1, revenue_y2 and cost_to_serve_y1.",
        integration_points="Invoices by customer and year; cost accounting.",
        change_impact="It does not move with the plan; service and retention do, and with them next year's churn.",
    ),
)

RATIO = Kpi(
    name="lifetime_to_acquisition",
    title="CLV ÷ CAC",
    family="money",
    perspective="financial",
    unit="ratio",
    higher_is="better",
    needs=CLV_NEEDS + CAC_NEEDS,
    measure=_ratio,
    attributes=Attributes(
        definition="How many times its acquisition cost an average customer contributes over its life.",
        business_insight="Below 1 every new customer loses money; about 3 is often quoted as sound for subscriptions.",
        measurement_approach="Divide the two KPIs of this page; where either cannot be measured, neither can this.",
        formula="customer lifetime value ÷ customer acquisition cost",
        trend_analysis="Lifetime value up and acquisition cost down together is the sign of health; look at both "
        "lines.",
        diagnostics="A fall comes from churn, contribution, cost or fewer new customers; follow it to the part "
        "that moved.",
        tips="A very high ratio may mean too little is spent on winning customers.",
        visualisation="One line, with the values 1 and 3 marked.",
        risk_warnings="It inherits every weakness of its two parts; do not compare it with figures of other companies.",
        tools="Everything the two parts need.",
        integration_points="Finance, payroll and the CRM together; agree on owners for each input.",
        change_impact="It does not move with the plan; it tells whether hours should go to new names or to "
        "present customers.",
    ),
)

MONEY = (PER_FTE, PER_CUSTOMER, CAC, CLV, RATIO)
