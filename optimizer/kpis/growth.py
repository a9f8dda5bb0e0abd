"""Before against after: growth of managed accounts, margin, cost of sales."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured, figure, quotients
from optimizer.kpis.retention import TWO_YEARS

COSTS = ("accounts.cost_to_serve_y1", "accounts.cost_to_serve_y2")
NO_REVENUE = "accounts with all four figures have no revenue in one of the years"
NO_COST = "accounts with all four figures lack revenue or cost in one of the years"
SELECTION = (
    "selection bias: reps were given the accounts that were expected to grow, "
    "so the difference is not what managing them brings"
)


def _managed(basis: Basis) -> Measured:
    now, then = basis.column("revenue_y1"), basis.column("revenue_y2")
    known = ~np.isnan(now) & ~np.isnan(then)
    managed = basis.scores.owned[:, 0]
    groups = [known & managed, known & ~managed]
    tops, bottoms = (np.array([x[g].sum() for g in groups]) for x in (now - then, then))
    counts = np.array([g.sum() for g in groups])
    undefined = "no revenue the year before in this group"
    by_group = quotients("ownership", ["managed", "unmanaged"], tops, bottoms, counts, undefined)
    rate = by_group.value
    empty = [name for name, r in zip(by_group.rows, rate, strict=True) if np.isnan(r)]
    why = f"no revenue the year before among {' and '.join(empty)} accounts" if empty else ""
    return (figure(rate[0] - rate[1], int(known.sum()), why, SELECTION, rate[0], rate[1]), by_group)


def _margin(basis: Basis) -> Measured:
    has, revenue, cost = _four(basis)
    if not has.any() or (revenue <= 0).any():
        return (figure(np.nan, int(has.sum()), NO_REVENUE),)
    after, before = 1 - cost / revenue
    note = "margin after cost to serve, before cost of goods"
    return (figure(after - before, int(has.sum()), "", note, after, before),)


def _cost_of_sales(basis: Basis) -> Measured:
    has, revenue, cost = _four(basis)
    if not has.any() or (revenue <= 0).any() or cost[1] <= 0:
        return (figure(np.nan, int(has.sum()), NO_COST),)
    after, before = cost / revenue
    return (figure(1 - after / before, int(has.sum()), "", "", after, before),)


def _four(basis: Basis) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[N] accounts with revenue and cost of both years; the sums [2] of revenue and of cost, last year first."""
    revenue = np.stack([basis.column(f"revenue_{y}") for y in ("y1", "y2")])
    cost = np.stack([basis.column(f"cost_to_serve_{y}") for y in ("y1", "y2")])
    has = ~np.isnan(revenue + cost).any(axis=0)
    return has, revenue[:, has].sum(axis=1), cost[:, has].sum(axis=1)


MANAGED = Kpi(
    name="growth_managed",
    title="Revenue growth, managed against unmanaged accounts",
    family="growth",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=TWO_YEARS,
    measure=_managed,
    attributes=Attributes(
        definition="Growth of revenue in accounts with an owner today less growth in accounts without one, in points.",
        business_insight="It is the usual argument for more reps; it deserves a careful look because of who gets "
        "a rep.",
        measurement_approach="For each group divide the sum of revenue_y1 less revenue_y2 by the sum of "
        "revenue_y2, then subtract. The revenue was earned under today's owners, so every "
        "plan shows the same figure.",
        formula="(Σ y1 ÷ Σ y2 − 1) of managed − (Σ y1 ÷ Σ y2 − 1) of unmanaged accounts",
        trend_analysis="Follow accounts that gained or lost an owner, before and after; that says more than two "
        "fixed groups.",
        diagnostics="Compare within one segment and one size class; much of the difference is the mix.",
        tips="Leave a random few accounts unmanaged, or move some later, if you want to know the effect.",
        visualisation="Two lines of revenue, each 100 in the year before, with the counts in the legend.",
        risk_warnings="Selection bias: growing accounts are given to reps. The difference is not the effect of "
        "managing them.",
        tools="Columns revenue_y1, revenue_y2 and owner_id, some of the owners empty.",
        integration_points="Invoices by customer and year; the owner history of the CRM.",
        change_impact="It does not move with the plan. Do not put it into the business case of the plan as a gain.",
    ),
)

MARGIN = Kpi(
    name="margin_improvement",
    title="Margin improvement",
    family="growth",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=(*TWO_YEARS, *COSTS),
    measure=_margin,
    attributes=Attributes(
        definition="Margin after cost to serve of last year less that of the year before, in points.",
        business_insight="It shows whether growth was bought with service or earned.",
        measurement_approach="Over accounts with all four figures: one less cost over revenue, last year and the "
        "year before; numerator and denominator columns hold the two margins.",
        formula="(revenue − cost to serve) ÷ revenue of last year − the same of the year before",
        trend_analysis="Two years are one step: add the third by hand before calling it a trend.",
        diagnostics="Separate price and mix (revenue) from effort (cost); a change of mix alone can move it.",
        tips="Set a target by segment; a mix of segments that shifts makes the total say little.",
        visualisation="A waterfall from one margin to the other through revenue and cost.",
        risk_warnings="Before cost of goods. Costs spread by revenue keep the margin steady whatever happens.",
        tools="Columns revenue_y1, revenue_y2, cost_to_serve_y1 and cost_to_serve_y2.",
        integration_points="Cost accounting by customer.",
        change_impact="It does not move with the plan; less travel and lighter service levels raise next year's.",
    ),
)

COST_OF_SALES = Kpi(
    name="cost_of_sales_reduction",
    title="Cost-of-sales reduction",
    family="growth",
    perspective="financial",
    unit="share",
    higher_is="better",
    needs=(*TWO_YEARS, *COSTS),
    measure=_cost_of_sales,
    attributes=Attributes(
        definition="By how much of itself the cost to serve a unit of revenue fell from the year before to last year.",
        business_insight="It is the part of the margin that sales operations can move: routes, books, service levels.",
        measurement_approach="Over accounts with all four figures: cost over revenue of each year, then one less "
        "their quotient; numerator and denominator columns hold the two shares.",
        formula="1 − (cost ÷ revenue of last year) ÷ (cost ÷ revenue of the year before)",
        trend_analysis="Growth lowers it without anybody saving: look at cost in currency as well.",
        diagnostics="Find whether travel, hours or price of hours changed; the plan's ledger shows travel on its own.",
        tips="Look for savings at accounts with a high share of cost first, not at the cheapest ones.",
        visualisation="Two bars, cost per 100 of revenue before and after.",
        risk_warnings="Cutting service saves now and costs retention later; read it with churn a year on.",
        tools="Columns revenue_y1, revenue_y2, cost_to_serve_y1 and cost_to_serve_y2.",
        integration_points="Travel expenses and hours logged, by account.",
        change_impact="Plans with less travel and fewer long hand-overs lower the cost they can influence.",
    ),
)

GROWTH = (MANAGED, MARGIN, COST_OF_SALES)
