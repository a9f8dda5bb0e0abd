"""Who owns what in a plan, why, and the files to hand over."""

import streamlit as st

from optimizer.ui import cache, widgets
from optimizer.ui.handover import show_downloads
from optimizer.ui.why import show_why

widgets.title("Plan", "Every account with its rep, what the assignment is worth, and who would have been next.")
kept = widgets.choose_plan("plan.which")
frame, run = cache.assignments(kept.folder), cache.run(kept.folder)
assert run.plan is not None
currency = kept.currency

served = frame["rep_id"].notna()
widgets.cards(
    {
        f"Model value, {currency}": widgets.money(run.result.objective),
        "Below the best, at most": widgets.share(run.result.gap_share, 2),
        "Accounts served": f"{int(served.sum()):,} of {len(frame):,}",
        "Change their rep": f"{int(frame['moved'].sum()):,}",
        "ARR that moves": widgets.share(
            float(frame.loc[frame["moved"], "arr"].sum()) / max(1.0, float(frame["arr"].sum()))
        ),
    }
)
for finding in run.findings:
    st.warning(widgets.plain(finding.problem))

with st.container(border=True):
    search, reps, segments, changes = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
    text = search.text_input("Search account or id", key="plan.search", placeholder="part of a name or an id")
    names = sorted(frame["rep"].dropna().unique())
    wanted = reps.multiselect("Rep", [*names, "nobody"], key="plan.reps", placeholder="all")
    segment = segments.multiselect(
        "Segment",
        sorted(frame["segment"].dropna().unique()) if "segment" in frame else [],
        key="plan.segments",
        placeholder="all",
    )
    only = changes.toggle("Changes only", key="plan.changes")

shown = frame
if text:
    hit = shown["account"].str.contains(text, case=False, regex=False, na=False)
    shown = shown[hit | shown["account_id"].str.contains(text, case=False, regex=False, na=False)]
if wanted:
    shown = shown[shown["rep"].fillna("nobody").isin(wanted)]
if segment:
    shown = shown[shown["segment"].isin(segment)]
if only:
    shown = shown[shown["moved"] | (shown["rep_id"].notna() & (shown["rep_id"] != shown["previous_rep_id"].fillna("")))]

columns = {
    "account": st.column_config.TextColumn("account", width=170),
    "account_id": st.column_config.TextColumn("id", width=78),
    "role": st.column_config.TextColumn("role", width=70),
    "rep": st.column_config.TextColumn("rep", width=120, help="empty: nobody serves it"),
    "previous_rep_name": st.column_config.TextColumn("today", width=120, help="who owns it today"),
    "moved": st.column_config.CheckboxColumn("moved", width=52),
    "segment": st.column_config.TextColumn("segment", width=80),
    "service_level": st.column_config.TextColumn("level", width=80),
    "arr": widgets.number("ARR", width=62),
    "value": widgets.number("value", width=62, help="what the assignment is worth to the model"),
    "hours": st.column_config.NumberColumn("hours", format="%.0f", width=48, help="hours a year"),
    "runner_up_name": st.column_config.TextColumn(
        "runner-up", width=120, help="who is next, after the price of that rep's time"
    ),
    "regret": widgets.number(
        "lead", width=58, help="how far ahead of the runner-up; below 0: moving it there would gain, if it fitted"
    ),
}
hidden = {c for c in ("role", "service_level") if frame[c].nunique(dropna=True) < 2}
order = [c for c in columns if c in shown and c not in hidden]
st.caption(f"{len(shown):,} of {len(frame):,} rows. Select one to see why it has its rep. Money in {currency} a year.")
rounded = shown.assign(**{c: shown[c].round(0) for c in ("value", "regret", "arr", "potential") if c in shown})
event = st.dataframe(
    rounded,
    hide_index=True,
    height=430,
    column_order=order,
    column_config=columns,
    key=f"plan.table.{kept.job}",
    on_select="rerun",
    selection_mode="single-row",
    placeholder="",
    alt="assignments of the plan",
)
chosen = event["selection"]["rows"] if event else []
if chosen and chosen[0] < len(shown):
    show_why(run, shown.iloc[chosen[0]])

st.subheader("Hand over")
show_downloads(run, kept.name)
