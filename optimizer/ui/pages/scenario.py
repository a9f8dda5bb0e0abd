"""Choose and edit the scenario: rules, scoring, people, and its file."""

import streamlit as st

from optimizer.errors import BookfitError
from optimizer.ui import cache, sources, state, widgets
from optimizer.ui.forms import Hints
from optimizer.ui.rules_tab import show_rules
from optimizer.ui.settings_tabs import show_file, show_people, show_scoring

#: from this many accounts the scenario is checked against the tables when it is solved, not at every edit
LARGE = 50_000

widgets.title("Scenario", "What a plan must keep to, what an account is worth, and who is there to serve it.")
record = state.get()
assert record.source is not None

try:
    tables, found = cache.tables(record.source), cache.findings(record.source)
    found.raise_errors()
except BookfitError as error:
    widgets.complaint(error, "scenario.unusable")
    st.page_link(widgets.page_file("data"), label="Look at the data", icon=":material/arrow_back:")
    st.stop()

starts = {s.name: s for s in sources.starts(record.source)}
starts |= {sources.DEFAULT: sources.default_start()}
names = list(dict.fromkeys([*starts, record.start]))
edited = record.start in starts and starts[record.start].toml != record.scenario

choose, reset = st.columns([5, 1], vertical_alignment="bottom")
start = choose.selectbox(
    "Start from",
    names,
    names.index(record.start),
    key=f"scenario.start.{record.version}",
    help="the scenarios that come with the data; choosing another replaces your edits",
)
if start != record.start:
    state.edit_scenario(starts[start].toml, start)
    st.rerun()
if reset.button("Undo all edits", key="scenario.reset", disabled=not edited, width="stretch", icon=":material/undo:"):
    state.edit_scenario(starts[start].toml, start)
    st.rerun()

scenario = cache.scenario(record.scenario)
if scenario.description:
    st.markdown(widgets.plain(scenario.description))
try:
    if len(tables.accounts) <= LARGE:
        problem = cache.problem(record.source, record.scenario)
        words = " · ".join(
            (
                f"{len(scenario.active)} rules on",
                f"{problem.core.units:,} units",
                f"{len(problem.scores.reps):,} reps",
                f"{problem.core.options:,} ways to serve them",
                f"{problem.core.rows:,} limit rows",
            )
        )
        st.caption(f":green[:material/check_circle:] {words}" + (" · :orange[edited]" if edited else ""))
        if problem.impossible:
            st.warning(
                f"{len(problem.impossible)} accounts must be served, but the rules leave no rep for them.",
                icon=":material/warning:",
            )
except BookfitError as error:
    widgets.complaint(error, "scenario.problem")

hints = Hints.of(tables)
rules, scoring, people_tab, file = st.tabs(
    ["Rules", "Scoring", "People", "Name and file"],
    key="scenario.tabs",
)
with rules:
    show_rules(scenario, hints)
with scoring:
    show_scoring(scenario, hints)
with people_tab:
    show_people(scenario, tables.reps)
with file:
    show_file(scenario)
st.page_link(widgets.page_file("solve"), label="Next: solve it", icon=":material/arrow_forward:")
