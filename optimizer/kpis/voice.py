"""What customers say, and how fast their issues are settled."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured, figure, mean_of


def _median_days(basis: Basis) -> Measured:
    days = basis.column("issue_resolution_days")
    known = days[~np.isnan(days)]
    return (figure(float(np.median(known)), len(known)),)


NPS = Kpi(
    name="nps",
    title="Net promoter score (NPS)",
    family="voice",
    perspective="non-financial",
    unit="points",
    higher_is="better",
    needs=("accounts.nps",),
    measure=lambda basis: mean_of(basis, "nps"),
    attributes=Attributes(
        definition="The mean of the accounts' net promoter score, over accounts that have one.",
        business_insight="Promoters buy more and complain to us first; detractors tell others.",
        measurement_approach="Average the column nps as it stands, each account once; accounts without an answer "
        "are left out.",
        formula="Σ nps ÷ accounts with an nps",
        trend_analysis="Compare waves with similar response; a rising score with falling response is no progress.",
        diagnostics="Look at accounts that fell by a lot, and whether their owner changed.",
        tips="Ask more than one person at a key account; one answer is one mood.",
        visualisation="A line by wave with the number of answers as bars below.",
        risk_warnings="Only those who answer count. A mean of account scores is not the share of promoters less "
        "detractors.",
        tools="Column nps of the accounts table.",
        integration_points="Survey tool, matched to the account id.",
        change_impact="Changes of owner tend to lower it for a while; keep promoters out of avoidable moves.",
    ),
)

CSAT = Kpi(
    name="csat",
    title="Customer satisfaction (CSAT)",
    family="voice",
    perspective="non-financial",
    unit="points",
    higher_is="better",
    needs=("accounts.csat",),
    measure=lambda basis: mean_of(basis, "csat"),
    attributes=Attributes(
        definition="The mean of the accounts' satisfaction score, on the scale of your survey.",
        business_insight="It speaks of the last contact, so it reacts to service within weeks.",
        measurement_approach="Average the column csat as it stands over accounts that have one.",
        formula="Σ csat ÷ accounts with a csat",
        trend_analysis="By month, with the same question and the same moment of asking.",
        diagnostics="Split by segment, then by how loaded the rep's book is.",
        tips="Write the scale into the title of the chart; 4.2 means nothing without it.",
        visualisation="Bars by segment with the number of answers.",
        risk_warnings="Unhappy customers often do not answer; scales of two tools must not be mixed in one column.",
        tools="Column csat of the accounts table.",
        integration_points="Survey or ticket system, matched to the account id.",
        change_impact="Overloaded books show here first; a plan that lowers the highest utilisation should lift it.",
    ),
)

EFFORT = Kpi(
    name="customer_effort",
    title="Customer effort score",
    family="voice",
    perspective="non-financial",
    unit="points",
    higher_is="worse",
    needs=("accounts.customer_effort",),
    measure=lambda basis: mean_of(basis, "customer_effort"),
    attributes=Attributes(
        definition="How much effort customers say it takes to deal with us, on average; more is worse.",
        business_insight="Effort predicts leaving better than delight predicts staying.",
        measurement_approach="Average your own numeric column customer_effort over accounts that have one. If "
        "your scale runs from hard to easy, turn it round before importing.",
        formula="Σ effort ÷ accounts with an effort score",
        trend_analysis="After each change of process; it reacts within a quarter.",
        diagnostics="Ask where the effort lay: ordering, finding somebody, waiting.",
        tips="A named rep who answers lowers it more than a new portal does.",
        visualisation="A line by quarter with the number of answers.",
        risk_warnings="Tools disagree on the direction of the scale. Check one answer by hand.",
        tools="A column customer_effort in the accounts table.",
        integration_points="Survey or ticket system, matched to the account id.",
        change_impact="Accounts that change hands report more effort for some months.",
    ),
)

ISSUES = Kpi(
    name="issue_resolution_days",
    title="Speed of issue resolution",
    family="voice",
    perspective="non-financial",
    unit="days",
    higher_is="worse",
    needs=("accounts.issue_resolution_days",),
    measure=_median_days,
    attributes=Attributes(
        definition="The median of the accounts' days from opening an issue to settling it.",
        business_insight="Slow answers are the commonest reason that customers give for leaving a supplier.",
        measurement_approach="Take the median of your own column issue_resolution_days, one figure an account.",
        formula="median days to resolution over accounts",
        trend_analysis="By month of opening; months still open look faster than they are.",
        diagnostics="List the slowest accounts with their rep's utilisation.",
        tips="Fill the column with each account's own median, so that one endless case does not decide.",
        visualisation="A box for each segment.",
        risk_warnings="Issues closed and opened again look fast. Accounts without issues have no figure and are "
        "left out.",
        tools="A column issue_resolution_days in the accounts table.",
        integration_points="Ticket system, matched to the account id.",
        change_impact="It depends on support more than on the plan, except where reps settle issues themselves.",
    ),
)

VOICE = (NPS, CSAT, EFFORT, ISSUES)
