"""Tables → charts. Pure functions: nothing is shown here, and the data of a chart are the data it was given."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

BLUE, GREY, AMBER, RED, GREEN = "#1f5f8b", "#8a9aa6", "#d08a1d", "#b5483a", "#3d7f5c"
#: colours of plans side by side; today is always the grey one
PLANS = (BLUE, AMBER, GREEN, "#7a5c99", RED, "#4aa3a2", "#94763c")
#: how far from the best plan a trace shows plans and bounds, as a share of its value, or one and a half times the gap
NEAR = 0.03
_AXIS = {
    "labelColor": "#4a5a66",
    "titleColor": "#4a5a66",
    "titleFontWeight": "normal",
    "gridColor": "#e9eef2",
    "labelLimit": 180,
}
_NAMES = alt.Axis(labelOverlap=False)


def trace(points: pd.DataFrame, currency: str) -> alt.LayerChart:
    """How the best plan and the bound met. `points` has seconds, objective and bound (currency); NaN where unknown.

    Until a plan is found only the bound is drawn. Then what is far from the best plan is off the picture, first plans
    and first bounds mostly, or how the two met could not be seen.
    """
    long = points.melt("seconds", ["objective", "bound"], "what", "value")
    long = long[np.isfinite(long["value"])].assign(
        what=lambda d: d["what"].map({"objective": "best plan so far", "bound": "no plan can be worth more"})
    )
    best = points["objective"].max()
    height = alt.Scale(zero=False)
    if np.isfinite(best):
        reach = max(NEAR * abs(best), 1.5 * (points["bound"].min() - best), 1e-9)
        low, high = max(long["value"].min(), best - reach), min(long["value"].max(), best + reach)
        height = alt.Scale(zero=False, domain=[low - reach / 20, high + reach / 20])
    colour = alt.Scale(domain=["no plan can be worth more", "best plan so far"], range=[GREY, BLUE])
    base = alt.Chart(long).encode(
        x=alt.X("seconds:Q", title="seconds", scale=alt.Scale(nice=False)),
        y=alt.Y("value:Q", title=f"model value, {currency}", scale=height, axis=alt.Axis(format="~s")),
        color=alt.Color("what:N", scale=colour, title=None, legend=alt.Legend(orient="top", labelLimit=0)),
        tooltip=[
            alt.Tooltip("what:N", title=" "),
            alt.Tooltip("value:Q", format=",.0f"),
            alt.Tooltip("seconds:Q", format=".1f"),
        ],
    )
    lines = base.mark_line(interpolate="step-after", strokeWidth=2, clip=True)
    return _styled(lines + base.mark_point(size=18, filled=True, clip=True), 240)


def utilisation(books: pd.DataFrame) -> alt.LayerChart:
    """Hours as a share of capacity, a bar for each rep, with today as a tick and full capacity as a line.

    `books` has rep, utilisation and today (shares, NaN where a rep has no capacity).
    """
    frame = books[["rep", "utilisation", "today"]].assign(
        load=np.select(
            [books["utilisation"] > 1 + 1e-9, books["utilisation"] < 0.7], ["over capacity", "below 70%"], "70–100%"
        )
    )
    order = alt.Y("rep:N", sort=None, title=None, axis=_NAMES)
    bars = alt.Chart(frame).mark_bar(height={"band": 0.62}, cornerRadiusEnd=2).encode(
        y=order,
        x=alt.X("utilisation:Q", title="hours ÷ capacity", axis=alt.Axis(format="%")),
        color=alt.Color(
            "load:N", title=None, legend=alt.Legend(orient="top"),
            scale=alt.Scale(domain=["below 70%", "70–100%", "over capacity"], range=["#9dbfd6", BLUE, RED]),
        ),
        tooltip=[
            alt.Tooltip("rep:N"),
            alt.Tooltip("utilisation:Q", format=".0%", title="plan"),
            alt.Tooltip("today:Q", format=".0%"),
        ],
    )  # fmt: skip
    ticks = alt.Chart(frame).mark_tick(thickness=2.5, color="#33424d").encode(y=order, x="today:Q")
    full = (
        alt.Chart(pd.DataFrame({"full": [1.0]})).mark_rule(strokeDash=[4, 3], color=RED, opacity=0.8).encode(x="full:Q")
    )
    return _styled(bars + ticks + full, 28 * max(4, len(frame)) + 70)


def book_measure(books: pd.DataFrame, title: str, form: str = ",.0f") -> alt.LayerChart:
    """One measure of the books, a bar for each rep, with today as a tick and the plan's mean as a line.

    `books` has rep, plan and today in the measure's unit; `title` names it with its unit, `form` is a d3 number format.
    """
    frame = books[["rep", "plan", "today"]]
    order = alt.Y("rep:N", sort=None, title=None)
    axis = alt.Axis(format="~s" if form.endswith("f") else form)
    bars = alt.Chart(frame).mark_bar(height={"band": 0.62}, cornerRadiusEnd=2, color=BLUE).encode(
        y=order,
        x=alt.X("plan:Q", title=title, axis=axis),
        tooltip=[alt.Tooltip("rep:N"), alt.Tooltip("plan:Q", format=form), alt.Tooltip("today:Q", format=form)],
    )  # fmt: skip
    ticks = alt.Chart(frame).mark_tick(thickness=2.5, color="#33424d").encode(y=order, x="today:Q")
    mean = (
        alt.Chart(pd.DataFrame({"mean": [frame["plan"].mean()]}))
        .mark_rule(strokeDash=[4, 3], color=AMBER)
        .encode(x="mean:Q")
    )
    return _styled(bars + ticks + mean, 28 * max(4, len(frame)) + 70)


def plans(long: pd.DataFrame, title: str, order: Sequence[str], form: str = ",.0f") -> alt.LayerChart:
    """One figure of several plans as bars with their numbers. `long` has plan and value; `order` is from the top."""
    base = alt.Chart(long[["plan", "value"]].dropna()).encode(
        y=alt.Y("plan:N", sort=list(order), title=None, axis=_NAMES),
        x=alt.X("value:Q", title=title, axis=alt.Axis(format="%" if "%" in form else "~s")),
    )
    bars = base.mark_bar(height={"band": 0.62}, cornerRadiusEnd=2).encode(color=_plan_colour(order, None))
    text = base.mark_text(align="left", dx=5, color="#33424d").encode(text=alt.Text("value:Q", format=form))
    return _styled(bars + text, max(260, 40 * len(order) + 50))


def rep_plans(long: pd.DataFrame, title: str, order: Sequence[str], form: str = ",.0f") -> alt.LayerChart:
    """One measure of every rep's book under several plans, as dots on a line. `long` has rep, plan and value."""
    frame = long[["rep", "plan", "value"]].dropna()
    base = alt.Chart(frame).encode(
        y=alt.Y("rep:N", sort=None, title=None, axis=alt.Axis(grid=True, labelOverlap=False)),
        x=alt.X("value:Q", title=title, axis=alt.Axis(format="%" if "%" in form else "~s")),
    )
    span = base.mark_line(color="#cfd9e0", strokeWidth=3).encode(detail="rep:N")
    dots = base.mark_point(size=75, filled=True, opacity=0.9).encode(
        color=_plan_colour(order, alt.Legend(orient="top", title=None)),
        tooltip=[alt.Tooltip("rep:N"), alt.Tooltip("plan:N"), alt.Tooltip("value:Q", format=form)],
    )
    return _styled(span + dots, 28 * max(4, frame["rep"].nunique()) + 90)


def trade_off(frame: pd.DataFrame, currency: str, order: Sequence[str]) -> alt.LayerChart:
    """Value against the share of revenue that changes hands. `frame` has plan, moved (share), value (currency)."""
    most = max(0.01, float(frame["moved"].max()))
    step = next((s for s in (0.01, 0.02, 0.05, 0.1) if most / s <= 8), 0.2)
    ticks = [round(step * k, 2) for k in range(int(most / step) + 1)]
    base = alt.Chart(frame[["plan", "moved", "value"]].dropna()).encode(
        x=alt.X(
            "moved:Q",
            title="share of ARR that changes its rep",
            axis=alt.Axis(format="%", values=ticks),
            scale=alt.Scale(domain=[-0.07 * most, 1.12 * most], nice=False),
        ),
        y=alt.Y(
            "value:Q", title=f"value, {currency}", axis=alt.Axis(format="~s"), scale=alt.Scale(zero=False, padding=24)
        ),
        tooltip=[alt.Tooltip("plan:N"), alt.Tooltip("moved:Q", format=".1%"), alt.Tooltip("value:Q", format=",.0f")],
    )
    dots = base.mark_point(size=130, filled=True, opacity=1).encode(color=_plan_colour(order, None))
    return _styled(dots + base.mark_text(dy=-13, color="#33424d").encode(text="plan:N"), 260)


def _plan_colour(order: Sequence[str], legend: alt.Legend | None) -> alt.Color:
    others = [name for name in order if name != "today"]
    colours = {name: PLANS[i % len(PLANS)] for i, name in enumerate(others)} | {"today": GREY}
    scale = alt.Scale(domain=list(order), range=[colours[name] for name in order])
    return alt.Color("plan:N", scale=scale, legend=legend)


def _styled(chart: alt.LayerChart, height: int) -> alt.LayerChart:
    styled: alt.LayerChart = chart.properties(height=height).configure_view(strokeWidth=0).configure_axis(**_AXIS)
    return styled
