"""Why an account has the rep it has: the ledger of its rep, today's rep and the runner-up, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from optimizer.scores import TERMS
from optimizer.store import Run
from optimizer.ui import widgets

_WORDS = {
    "expected_revenue": "expected revenue",
    "key_account": "key-account term",
    "retention": "retention of today's revenue",
    "transition_loss": "loss from changing the rep",
    "travel_cost": "travel",
}


def why_table(run: Run, row: Any) -> pd.DataFrame:
    """Terms of the value (currency), their sum and the hours, a column for each rep that is in question."""
    scores = run.problem.scores
    account = int(np.flatnonzero(scores.account_ids == row["account_id"])[0])
    role = scores.role_names.index(row["role"])
    rep_at, name_of = pd.Index(scores.rep_ids), scores.reps["name"].to_numpy(dtype=object)
    out: dict[str, list[float]] = {}
    for label, rep_id in (("plan", row["rep_id"]), ("today", row["previous_rep_id"]), ("runner-up", row["runner_up"])):
        at = int(rep_at.get_indexer([rep_id])[0]) if isinstance(rep_id, str) else -1
        title = f"{label}: {name_of[at]}"
        if at < 0 or any(t.endswith(f": {name_of[at]}") for t in out):
            continue
        pair = np.array([account]), np.array([at])
        terms = scores.ledger(*pair, role)
        out[title] = [
            *(float(terms[t][0]) + 0.0 for t in TERMS),
            float(scores.value(*pair, role)[0]),
            float(scores.hours(*pair, role)[0]),
        ]
    return pd.DataFrame({"": [*(_WORDS[t] for t in TERMS), "value", "hours a year"], **out})


def show_why(run: Run, row: Any) -> None:
    """The table, and what it means in a sentence."""
    with st.container(border=True):
        st.markdown(f"**{widgets.plain(row['account'])}** ({widgets.plain(row['account_id'])})")
        if not isinstance(row["rep_id"], str):
            st.markdown("Nobody serves it: every rep's time is worth more elsewhere, or a rule leaves no rep for it.")
        elif isinstance(row["runner_up_name"], str):
            lead = f"{abs(row['regret']):,.0f} {run.problem.scenario.currency}"
            word = "ahead of" if row["regret"] >= 0 else "behind"
            text = f"{row['rep']} is {lead} {word} {row['runner_up_name']} after the price of each rep's time."
            end = " The rules or the time of others keep it from the better rep." if row["regret"] < 0 else ""
            st.markdown(widgets.plain(text + end))
        else:
            st.markdown("No other rep may serve it under these rules.")
        frame = why_table(run, row)
        config = {c: st.column_config.NumberColumn(format="localized") for c in frame.columns[1:]}
        st.dataframe(frame.round(0), hide_index=True, column_config=config, key="plan.why")
