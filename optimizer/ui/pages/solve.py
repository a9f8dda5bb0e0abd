"""Solve the open scenario: settings, progress with Cancel, and what was found and proved."""

import streamlit as st

from optimizer.engines import ENGINES
from optimizer.errors import BookfitError
from optimizer.ui import cache, jobs, state, widgets
from optimizer.ui.progress import show_progress
from optimizer.ui.results import show_outcome

widgets.title(
    "Solve", "Find the best plan under the scenario's rules, and prove how far it can be from the best possible."
)
record = state.get()
assert record.source is not None

try:
    tables, found = cache.tables(record.source), cache.findings(record.source)
    scenario = cache.scenario(record.scenario)
    found.raise_errors()
except BookfitError as error:
    widgets.complaint(error, "solve.unusable")
    st.page_link(widgets.page_file("data"), label="Look at the data", icon=":material/arrow_back:")
    st.stop()

about = {"auto": "the best for the size", **{e.name: e.about for e in ENGINES}}
view = jobs.look(state.token(), record.job)
running = view is not None and not view.over
last = record.settings

left, right = st.columns([1, 2], gap="large")
with left, st.form("solve.settings", border=True):
    st.markdown(
        f"**{widgets.plain(scenario.name)}**  \n:gray[{len(scenario.active)} rules · "
        f"{len(tables.accounts):,} accounts · {len(tables.reps):,} reps]"
    )
    engine = st.selectbox(
        "Engine",
        list(about),
        list(about).index(last.engine),
        key="solve.engine",
        format_func=lambda e: f"{e}: {about[e]}",
    )
    limit = st.number_input("Time limit, seconds", 1, 86_400, int(last.time_limit), 10, key="solve.limit")
    gap = st.number_input(
        "Good enough: stop within … % of the best possible",
        0.0,
        50.0,
        100 * last.gap,
        0.05,
        format="%g",
        key="solve.gap",
        help="0 asks for proof that no plan is worth more",
    )
    with st.expander("Repeatability"):
        seed = st.number_input("Seed", 0, 2**31 - 1, last.seed, key="solve.seed")
        deterministic = st.checkbox(
            "The same answer every time (slower)",
            last.deterministic,
            key="solve.deterministic",
            help="counts work instead of seconds, on one core",
        )
    start = st.form_submit_button(
        "Solve", type="primary", icon=":material/play_arrow:", key="solve.start", disabled=running, width="stretch"
    )

if start and not running:
    settings = jobs.Settings(engine, float(limit), gap / 100, int(seed), deterministic)
    key = jobs.submit(state.token(), record.source.digest, tables, scenario, settings, state.home())
    state.change(job=key, settings=settings)
    st.rerun()

with right:
    if view is None:
        with st.container(border=True):
            st.markdown(
                "**Nothing has been solved yet.** Press *Solve*: here you will see the best plan so far, what no plan "
                "can exceed, and the gap between them closing. You can cancel at any time and keep the best plan."
            )
    elif running:
        show_progress()
    else:
        show_outcome(view)
