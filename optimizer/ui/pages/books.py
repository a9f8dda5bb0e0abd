"""Each rep's book under a plan, against today's."""

import pandas as pd
import streamlit as st

from optimizer import charts
from optimizer.ui import cache, widgets

widgets.title(
    "Books",
    "What each rep would have. Bars are the plan, ticks today; the dashed line is full capacity or the mean.",
)
kept = widgets.choose_plan("books.which")
plan, today = cache.books(kept.folder)
currency = kept.currency

MEASURES = {
    "Utilisation": ("utilisation", "hours ÷ capacity", ".0%"),
    "Potential": ("potential", f"potential, {currency} a year", ",.0f"),
    "Accounts": ("accounts", "accounts", ",.0f"),
    "ARR": ("arr", f"ARR, {currency} a year", ",.0f"),
    "Model value": ("value", f"model value, {currency} a year", ",.0f"),
}
label = st.segmented_control("Measure", list(MEASURES), default="Utilisation", key="books.measure") or "Utilisation"
column, axis, form = MEASURES[label]

names = plan["rep"].where(~plan["rep"].duplicated(keep=False), plan["rep"] + " (" + plan["rep_id"] + ")")
idle = plan["open"] & (plan["accounts"] == 0)
both = pd.DataFrame({"rep": names, "plan": plan[column], "today": today[column]})[~idle].sort_values(
    "plan", ascending=False
)
if column == "utilisation":
    chart = charts.utilisation(both.rename(columns={"plan": "utilisation"}))
else:
    chart = charts.book_measure(both, axis, form)

left, right = st.columns([3, 2], gap="large")
with left:
    st.altair_chart(chart, key="books.chart", alt=f"{label} of each rep, plan against today")
with right:
    working = plan[plan["accounts"] > 0]
    capacity = float(working["capacity_hours"].sum())
    st.metric(
        "Utilisation of the team",
        widgets.share(float(working["hours"].sum()) / capacity if capacity else float("nan"), 0),
        border=True,
    )
    over, over_today = int((plan["utilisation"] > 1 + 1e-9).sum()), int((today["utilisation"] > 1 + 1e-9).sum())
    st.metric("Reps above capacity", f"{over} (today {over_today})", border=True)
    spread, spread_today = (b[column].max() / b.loc[~plan["open"], column].mean() for b in (plan, today))
    st.metric(f"Fullest book ÷ mean, {label.lower()}", f"{spread:.2f} (today {spread_today:.2f})", border=True)

table = plan.assign(rep=names, change=plan["accounts"] - plan["accounts_today"])
table = table.assign(**{c: table[c].round(0) for c in ("hours", "potential", "arr", "value", "quota")})
empty = {c for c in ("team", "quota") if table[c].isna().all()} | (
    {"taken_on"} if not table["taken_on"].any() else set()
)
order = [
    c
    for c in (
        "rep",
        "team",
        "utilisation",
        "hours",
        "accounts",
        "change",
        "key_accounts",
        "potential",
        "arr",
        "value",
        "quota",
        "moved_in",
        "moved_out",
        "taken_on",
    )
    if c not in empty
]
st.subheader("Book by book")
st.dataframe(
    table.assign(utilisation=100 * table["utilisation"]).sort_values("utilisation", ascending=False),
    hide_index=True,
    column_order=order,
    key="books.table",
    alt="one row a rep",
    placeholder="",
    height="content" if len(table) <= 20 else 600,
    column_config={
        "rep": st.column_config.TextColumn("rep", width=135, pinned=True),
        "team": st.column_config.TextColumn("team", width=100),
        "utilisation": st.column_config.ProgressColumn(
            "utilisation",
            format="%.1f%%",
            min_value=0,
            max_value=max(100.0, 100 * float(table["utilisation"].max())),
            width=100,
        ),
        "hours": widgets.number("hours", width=60),
        "accounts": widgets.number("accounts", width=70),
        "change": st.column_config.NumberColumn("± today", format="%+d", width=60),
        "key_accounts": widgets.number("key", width=40, help="key accounts"),
        "potential": widgets.number("potential", width=80),
        "arr": widgets.number("ARR", width=75),
        "value": widgets.number("value", width=70, help="model value"),
        "quota": widgets.number("quota", width=72),
        "moved_in": widgets.number("in", width=35, help="accounts that come from other reps"),
        "moved_out": widgets.number("out", width=40, help="accounts that go to other reps, or to nobody"),
        "taken_on": widgets.number("new", width=42, help="accounts none of the reps had"),
    },
)
unfilled = f" {int(idle.sum())} open positions stay unfilled: they are not worth their cost." if idle.any() else ""
st.caption(
    f"Money in {currency} a year; hours a year. An account served in two roles counts in each rep's book.{unfilled}"
)
widgets.csv_button("Books as CSV", lambda: plan, f"{widgets.file_name('books', kept.name)}.csv", "books.csv")
