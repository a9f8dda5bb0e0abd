"""Plans side by side with today: value, coverage, load, moves, KPIs and the list of changes."""

import pandas as pd
import streamlit as st

from optimizer import charts
from optimizer.errors import BookfitError
from optimizer.ui import cache, state, widgets

widgets.title("Compare", "Any number of plans side by side with today. Model value compares plans; it is no forecast.")
kept = state.plans()
if not kept:
    widgets.nothing_yet(
        "**There is nothing to compare yet.** Solve two or three scenarios, and they stand here side by side.",
        "solve",
        "Solve the scenario",
    )
elsewhere = sum(k.has_plan for k in state.get().kept) - len(kept)
names = [k.name for k in kept]
choose, by, manage = st.columns([5, 2, 1], vertical_alignment="bottom")
chosen = choose.multiselect("Plans", names, names[-5:], key="compare.plans", placeholder="choose plans")
with manage.popover("Drop", icon=":material/delete:", width="stretch"):
    gone = st.selectbox("Plan to drop for good", names, None, key="compare.gone", placeholder="choose")
    if st.button("Drop it", key="compare.drop", disabled=gone is None) and gone is not None:
        state.forget(gone)
        st.rerun()
if elsewhere:
    st.caption(f"{elsewhere} more of other data; open those data again to see them.")
if not chosen:
    st.info("Choose at least one plan.")
    st.stop()
picked = tuple(k for k in kept if k.name in chosen)
today_by = by.selectbox(
    "Judge today by the rules of",
    [k.name for k in picked],
    key="compare.by",
    help="today's penalties depend on whose rules it is judged by; each plan is judged by its own",
)
try:
    table = cache.comparison(picked, today_by)
except BookfitError as error:
    widgets.complaint(error, "compare.findings")
    st.stop()
order, currency = list(table.summary.columns), table.currency
before = "Value before penalties"

left, right = st.columns(2, gap="large")
value = table.ledger.drop(index="penalties")[order].sum()
with left:
    st.caption(f"Value before penalties for soft rules, {currency} a year")
    st.altair_chart(
        charts.plans(pd.DataFrame({"plan": order, "value": value[order].to_numpy()}), "", order),
        key="compare.value",
        alt="value of each plan",
    )
with right:
    moved = table.summary.loc["moved share of ARR"]
    dots = pd.DataFrame({"plan": order, "moved": moved[order].to_numpy(), "value": value[order].to_numpy()})
    st.caption("What it takes: value against disruption")
    st.altair_chart(charts.trade_off(dots, currency, order), key="compare.trade", alt="value against moved revenue")

figures, kpi_tab, books, changes, ledger = st.tabs(
    ["Figures", "KPIs", "Books", "Changes", "What the value is made of"], key="compare.tabs"
)
with figures:
    shown = pd.DataFrame({"": [before, *(m[:1].upper() + m[1:] for m in table.summary.index)]})
    for name in order:
        shown[name] = [
            widgets.money(float(value[name])),
            *(widgets.figure(v, u) for v, u in zip(table.summary[name], table.units, strict=True)),
        ]
    st.dataframe(
        shown,
        hide_index=True,
        height="content",
        key="compare.figures",
        alt="figures of each plan",
        column_config={
            "": st.column_config.TextColumn(pinned=True, width=290),
            **{n: st.column_config.TextColumn(n, alignment="right") for n in order},
        },
    )
    st.caption(
        "Model value has the penalties for soft rules taken off. Today is judged by the rules chosen above, each plan "
        "by its own."
    )
    widgets.csv_button("Figures as CSV", table.to_frame, "comparison.csv", "compare.csv")
with kpi_tab:
    frames = {
        "today": cache.measures(next(k.folder for k in picked if k.name == today_by), True),
        **{k.name: cache.measures(k.folder, False) for k in picked},
    }
    company = {name: f[f["scope"] == "company"].drop_duplicates("kpi").set_index("kpi") for name, f in frames.items()}
    first = company["today"]
    kpis = pd.DataFrame({"KPI": first["title"]})
    for name, f in company.items():
        own = f.reindex(first.index)
        text = [
            f"{widgets.figure(v, u)}  {widgets.BAND.get(d, '').split(' ')[0]}".strip()
            for v, u, d in zip(own["value"], own["unit"].fillna(""), own["verdict"].fillna(""), strict=True)
        ]
        kpis[name] = text
    kpis["what is missing"] = first["missing"]
    known = st.toggle("Only those the data support", True, key="compare.known")
    st.dataframe(
        kpis[first["missing"].eq("")].drop(columns="what is missing") if known else kpis,
        hide_index=True,
        key="compare.kpis",
        height=460,
        column_config={
            "KPI": st.column_config.TextColumn(pinned=True, width=400),
            **{n: st.column_config.TextColumn(n, alignment="right") for n in order},
        },
    )
    st.caption("Healthy band of coverage: " + " · ".join(widgets.BAND.values()))
with books:
    options = {
        "Utilisation": ("utilisation", ".0%"),
        "Potential": ("potential", ",.0f"),
        "Accounts": ("accounts", ",.0f"),
        "ARR": ("arr", ",.0f"),
        "Model value": ("value", ",.0f"),
    }
    label = (
        st.segmented_control("Measure", list(options), default="Utilisation", key="compare.measure") or "Utilisation"
    )
    measure, form = options[label]
    wide = table.books(measure)
    who = table.reps.drop_duplicates("rep_id").set_index("rep_id")["rep"]
    long = wide.assign(rep=who.reindex(wide.index)).melt("rep", var_name="plan", value_name="value")
    st.altair_chart(
        charts.rep_plans(long, label.lower(), order, form),
        key="compare.books",
        alt=f"{label} of each rep under each plan",
    )
with changes:
    one, two = st.columns(2)
    a = one.selectbox("From", order, 0, key="compare.from")
    b = two.selectbox("To", order, len(order) - 1, key="compare.to")
    diff = table.changes(a, b)
    st.caption(f"{len(diff):,} assignments differ; ARR {widgets.money(float(diff['arr'].sum()), currency)}")
    money = {
        c: widgets.number(t, width=100)
        for c, t in (("arr", "ARR"), ("potential", "potential"), ("value_difference", "± value"))
    }
    st.dataframe(
        diff.round({"arr": 0, "potential": 0, "value_difference": 0}),
        hide_index=True,
        height=400,
        key="compare.changes",
        placeholder="nobody",
        alt="what differs",
        column_order=[
            "account",
            "account_id",
            "from_rep",
            "to_rep",
            "arr",
            "potential",
            "key_account",
            "value_difference",
        ],
        column_config={"account_id": "id", "from_rep": "from", "to_rep": "to", "key_account": "key", **money},
    )
    changes_file = f"{widgets.file_name('changes', a, b)}.csv"
    widgets.csv_button("Changes as CSV", lambda: diff, changes_file, "compare.changes.csv")
with ledger:
    terms = table.ledger[order].round(0)
    terms.loc["model value"] = terms.sum()
    terms.insert(0, "", [t.replace("_", " ").capitalize() for t in terms.index])
    st.dataframe(terms, hide_index=True, key="compare.ledger", column_config={n: widgets.number(n) for n in order})
    st.caption(f"{currency} a year. Each column adds up to the plan's model value.")
