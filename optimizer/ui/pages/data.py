"""Choose the data, see what is in them and what is wrong with them."""

import streamlit as st

from optimizer.errors import BookfitError
from optimizer.formats import SUFFIXES
from optimizer.ui import cache, sources, state, widgets

widgets.title(
    "Data", "Whose accounts and reps the plan is for. Everything we notice is listed; nothing is dropped in silence."
)
record = state.get()
assert record.source is not None

left, right = st.columns([2, 3], gap="large")
with left:
    choices = [sources.DEMO, "Upload files"]
    choice = st.radio(
        "Where from",
        choices,
        0 if record.source.demo else 1,
        key="data.from",
        captions=["a made-up company to try things on", "your accounts and reps: CSV, Excel or Parquet"],
    )
    if choice == sources.DEMO and not record.source.demo:
        demo = sources.demo()
        state.open_source(demo, sources.starts(demo)[0].toml, sources.starts(demo)[0].name)
        st.rerun()
with right:
    if choice != sources.DEMO:
        with st.form("data.upload", border=True):
            files = st.file_uploader(
                "Files",
                type=[s.lstrip(".") for s in SUFFIXES],
                accept_multiple_files=True,
                key="data.files",
                help="accounts.csv and reps.csv, and if you have them opportunities, contacts, activities and "
                "assignments; or one workbook with a sheet for each. Salesforce and HubSpot headers are understood.",
            )
            numbers, days = st.columns(2)
            decimal = numbers.selectbox("Numbers in text files", list(sources.DECIMALS), key="data.decimal")
            dates = days.selectbox("Dates in text files", list(sources.DATES), key="data.dates")
            if st.form_submit_button("Read the files", type="primary", key="data.read"):
                try:
                    given = [(f.name, f.getvalue()) for f in files or ()]
                    said = sources.DECIMALS[decimal], sources.DATES[dates]
                    source, renamed = sources.uploaded(given, state.home(), *said)
                    state.open_source(source, sources.default_start().toml, sources.DEFAULT)
                    state.change(notices=renamed)
                    st.rerun()
                except BookfitError as error:
                    st.error(widgets.plain(error))
        for notice in record.notices:
            st.caption(f":material/info: {widgets.plain(notice)}")
    else:
        st.info(
            "**You are looking at the demo company**: 300 made-up accounts with inherited, uneven books. Change its "
            "scenario, solve it, compare the plans; then bring your own data.",
            icon=":material/school:",
        )

if record.source.demo == (choice != sources.DEMO):
    st.stop()

try:
    tables, found = cache.tables(record.source), cache.findings(record.source)
except BookfitError as error:
    widgets.complaint(error, "data.unreadable")
    st.stop()

st.subheader("What is there")
owners = tables.accounts.get("owner_id")
figures = {"Accounts": f"{len(tables.accounts):,}", "Reps": f"{len(tables.reps):,}"}
for label, column in (("Potential a year", "potential"), ("Revenue a year (ARR)", "arr")):
    if column in tables.accounts:
        figures[label] = f"{tables.accounts[column].sum():,.0f}"
if owners is not None:
    figures["Owned by a rep"] = widgets.share(float(owners.isin(tables.reps["rep_id"]).mean()))
widgets.cards(figures)

st.subheader("What we noticed")
if found.errors:
    st.error("**Errors stop a solve.** Correct the file and upload it again.", icon=":material/error:")
widgets.findings(found, "data.findings")
if tables.defaults:
    with st.expander(f"{len(tables.defaults)} gaps are filled by defaults"):
        st.dataframe({"what is assumed": list(tables.defaults)}, hide_index=True, key="data.defaults")

st.subheader("The tables")
present = tables.present()
for tab, (name, frame) in zip(
    st.tabs([f"{name.capitalize()} ({len(frame):,})" for name, frame in present.items()]), present.items(), strict=True
):
    with tab:
        st.dataframe(
            frame, height=360, placeholder="", key=f"data.table.{name}", alt=f"the {name} table as it was read"
        )

if not found.errors:
    st.page_link(widgets.page_file("scenario"), label="Next: the scenario", icon=":material/arrow_forward:")
