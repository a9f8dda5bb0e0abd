"""A running solve, looked at twice a second."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from optimizer import charts
from optimizer.ui import jobs, state, widgets

WORDS = {
    "waiting": "Waiting for another solve on this server to end",
    "building": "Turning tables and rules into a problem",
    "stopping": "Stopping; the best plan so far is kept",
    "keeping": "Checking the plan and keeping the run",
}


@st.fragment(run_every="0.5s")
def show_progress() -> None:
    """Best plan, bound, gap and their curve, with Cancel. Redraws the whole page once, when the solve is over."""
    view = jobs.look(state.token(), state.get().job)
    if view is None or view.over:
        st.rerun()
    limit = view.settings.time_limit
    words = WORDS.get(view.state, f"Solving: {widgets.phase_words(view.phase)}")
    head, button = st.columns([4, 1], vertical_alignment="bottom")
    head.progress(min(1.0, view.seconds / limit), f"{words} · {view.seconds:.0f} s of at most {limit:,.0f} s")
    stopping = view.state == "stopping"
    if button.button("Cancel", key="solve.cancel", icon=":material/stop:", disabled=stopping, width="stretch"):
        jobs.cancel(state.token(), view.key)
        st.rerun(scope="fragment")
    gap = "–" if math.isnan(view.gap_share) else f"{view.gap_share:.2%}"
    widgets.cards({
        "Best so far": widgets.money(view.objective),
        "Cannot exceed": widgets.money(view.bound),
        "Gap": gap,
    })  # fmt: skip
    points = pd.DataFrame(view.trace, columns=["seconds", "objective", "bound"], dtype=float)
    if len(points):
        points = pd.concat([points, points.tail(1).assign(seconds=view.seconds)])
        st.altair_chart(charts.trace(points, view.currency), key="solve.trace", alt="best plan and bound against time")
    else:
        st.caption("The engine is starting; the first figures come in a few seconds.")
