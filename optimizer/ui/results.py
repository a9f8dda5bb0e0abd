"""A solve that is over: what was found, what is proved, and where to look next."""

from __future__ import annotations

import streamlit as st

from optimizer import charts
from optimizer.result import Result
from optimizer.ui import jobs, state, widgets

PROOF = {
    "prices": "The bound is proved by prices: `bookfit verify` recomputes it without a solver.",
    "books": "The bound is proved by whole books: `bookfit verify` recomputes it without a solver.",
    "listing": "The bound is proved by listed books: `bookfit verify` recomputes it without a solver.",
    "search": "The bound was proved by a solver's search.",
}
NEXT = (
    ("plan", "See the plan", ":material/assignment_ind:"),
    ("books", "See the books", ":material/bar_chart:"),
    ("compare", "Compare plans", ":material/compare_arrows:"),
)


def show_outcome(view: jobs.View) -> None:
    """The end of a job, whichever it was."""
    if view.state == "cancelled":
        st.warning("**Cancelled before a plan was found.** Nothing was kept.", icon=":material/cancel:")
    elif view.state == "failed":
        st.error(f"**The solve could not be done.** {widgets.plain(view.problem)}", icon=":material/error:")
        if len(view.findings):
            widgets.findings(view.findings, "solve.findings")
    elif view.result is not None:
        _result(view.result, view)


def _result(result: Result, view: jobs.View) -> None:
    if result.stopped_by == "user":
        st.warning("**Cancelled.** The best plan found until then was kept.", icon=":material/cancel:")
    widgets.verdict(result)
    if result.plan is not None:
        name = next((k.name for k in state.get().kept if k.job == view.key), view.name)
        served = result.plan.served[:, 0]
        widgets.cards(
            {
                "Model value": widgets.money(result.objective),
                "Cannot exceed": widgets.money(result.bound),
                "Gap": widgets.share(result.gap_share, 2),
                "Accounts served": f"{int(served.sum()):,} of {len(served):,}",
            },
            {
                "Model value": "what the plan is worth to the model; it compares plans and is no forecast",
                "Cannot exceed": "no plan under these rules is worth more to the model",
            },
        )
        links = st.columns(4)
        for column, (page, label, icon) in zip(links, NEXT, strict=False):
            column.page_link(widgets.page_file(page), label=label, icon=icon)
        links[3].caption(f"kept as **{widgets.plain(name)}**")
    with st.container(border=True):
        st.caption("In words")
        st.markdown("  \n".join(widgets.plain(line) for line in str(result).splitlines()))
        if result.plan is not None:
            engine = (
                f"Engine: {result.engine} ({result.why_engine}), seed {result.seed}. Money in {result.currency} a year."
            )
            st.caption(f"{PROOF.get(result.bound_by, '')} {widgets.plain(engine)}")
    for note in result.notes:
        st.caption(f":material/info: {widgets.plain(note)}")
    if len(result.trace) and result.plan is not None:
        st.altair_chart(
            charts.trace(result.trace, result.currency), key="solve.final", alt="best plan and bound against time"
        )
