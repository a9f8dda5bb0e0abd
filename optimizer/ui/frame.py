"""The frame around every page: navigation, and at the side what is open and what is being solved."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from optimizer.errors import BookfitError
from optimizer.ui import cache, jobs, sources, state
from optimizer.ui.widgets import complaint, page_file, plain

#: file, title and icon of every page, in the order of work. To add one: a file in pages/, and a line here.
PAGES = (
    ("data", "Data", ":material/table:"),
    ("scenario", "Scenario", ":material/tune:"),
    ("solve", "Solve", ":material/play_circle:"),
    ("plan", "Plan", ":material/assignment_ind:"),
    ("books", "Books", ":material/bar_chart:"),
    ("compare", "Compare", ":material/compare_arrows:"),
)
_BARS = """<rect x="2" y="6" width="6" height="20" rx="1.5" fill="#1f5f8b"/>
<rect x="10" y="10" width="6" height="16" rx="1.5" fill="#6fa3c4"/>
<rect x="18" y="3" width="6" height="23" rx="1.5" fill="#d08a1d"/>"""
ICON = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 26 28">{_BARS}</svg>'
LOGO = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 132 32" height="32" role="img" aria-label="Bookfit">
{_BARS}
<text x="33" y="24" font-family="system-ui, Segoe UI, Roboto, Arial, sans-serif" font-size="22" font-weight="650"
 fill="#1d2b36">Bookfit</text></svg>"""


def show() -> None:
    """Draw the frame and the page that was asked for."""
    st.set_page_config(page_title="Bookfit", page_icon=ICON, layout="wide", initial_sidebar_state=230)
    state.begin(jobs.end)
    st.logo(LOGO, size="large")
    pages = [
        st.Page(Path(page_file(name)), title=title, icon=icon, url_path=name, default=name == "data")
        for name, title, icon in PAGES
    ]
    page = st.navigation(pages)
    try:
        if state.get().source is None:
            source = sources.demo()
            first = sources.starts(source)[0]
            state.open_source(source, first.toml, first.name)
        collect()
        with st.sidebar:
            _side(page.url_path == "solve")
        page.run()
    except BookfitError as error:
        complaint(error, "page.failed")


def collect() -> jobs.View | None:
    """The session's job; a finished one is kept as a plan, once."""
    view = jobs.look(state.token(), state.get().job)
    if view is not None and view.state == "done" and view.result is not None:
        r = view.result
        kept = state.Kept(
            view.name, view.folder, view.source, view.name, r.status, r.objective, r.gap_share, r.currency, view.key
        )
        state.keep(kept)
    return view


def _side(solving_here: bool) -> None:
    record = state.get()
    assert record.source is not None
    st.markdown(f"**{plain(record.source.name)}**  \n:gray[Scenario: {plain(cache.scenario(record.scenario).name)}]")
    count = len(state.plans())
    st.caption(f"{count} plan{'s' if count != 1 else ''} kept" if count else "no plan solved yet")
    view = jobs.look(state.token(), record.job)
    if view is not None and not view.over and not solving_here:
        _running()


@st.fragment(run_every="1s")
def _running() -> None:
    view = jobs.look(state.token(), state.get().job)
    if view is None or view.over:
        st.rerun()
    st.caption(f":blue[:material/progress_activity: Solving {plain(view.name)}, {view.seconds:.0f} s]")
    st.page_link(page_file("solve"), label="Watch or cancel", icon=":material/visibility:")
