"""The other parts of a scenario: scoring, people, and the file itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from optimizer.errors import BookfitError
from optimizer.scenario import Scenario
from optimizer.scoring import Scoring
from optimizer.ui import edits, sources, state, widgets
from optimizer.ui.forms import Hints, draw, specs

#: columns of a rep that a what-if may change here
CHANGEABLE = ("capacity_hours", "ramp", "performance", "max_accounts")


def save(change: Callable[[str], str], key: str, start: str | None = None) -> None:
    """Keep the edited scenario and draw the page anew, or say why it cannot be kept."""
    try:
        toml = change(state.get().scenario)
    except BookfitError as error:
        widgets.complaint(error, f"{key}.findings")
        return
    state.edit_scenario(toml, start)
    st.rerun()


def show_scoring(scenario: Scenario, hints: Hints) -> None:
    """Strengths, rates and amounts, drawn from the fields of the model."""
    key = f"scoring.{state.get().version}"
    given = scenario.scoring.model_dump()
    fields = specs(Scoring, ())
    for field in (f for f in fields if f.either):
        by_name = isinstance(given[field.name], Mapping)
        if st.toggle(f"{field.label} by segment", by_name, key=f"{key}.{field.name}.by") != by_name:
            given[field.name] = (
                {"default": given[field.name]} if not by_name else given[field.name].get("default", field.default)
            )
    with st.form(f"{key}.form", border=True):
        st.caption("Strengths: 0 switches a factor off, 1 is full. Amounts are per year. Rates are shares.")
        small = [
            f
            for f in fields
            if f.kind in ("share", "number", "flag", "whole") and not isinstance(given[f.name], Mapping)
        ]
        held: dict[str, Any] = {}
        columns = st.columns(3, gap="medium")
        for i, field in enumerate(sorted(small, key=lambda f: f.kind != "share")):
            with columns[i % 3]:
                held[field.name] = draw(field, given[field.name], f"{key}.{field.name}", hints)
        for field in (f for f in fields if f not in small):
            held[field.name] = draw(field, given[field.name], f"{key}.{field.name}", hints)
        changed = {
            f.name: held[f.name] for f in fields if held[f.name] is not None and held[f.name] != _plain(f.default)
        }
        if st.form_submit_button("Save scoring", type="primary", key=f"{key}.save"):
            save(lambda toml: edits.put_scoring(toml, changed), key)


def _plain(value: Any) -> Any:
    """A default as the form gives it back."""
    if isinstance(value, tuple):
        return [v.model_dump(exclude_none=True) for v in value]
    return value.model_dump(exclude_none=True) if hasattr(value, "model_dump") else value


def show_people(scenario: Scenario, reps: pd.DataFrame) -> None:
    """Who leaves, who joins, who has more or less time."""
    key = f"people.{state.get().version}"
    names = {str(r): f"{n} ({r})" for r, n in zip(reps["rep_id"], reps["name"], strict=True)}
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Leavers**  \n:gray[Their accounts are shared out among the others.]")
        with st.form(f"{key}.leave", border=True):
            known = [r for r in scenario.reps.remove if r in names]
            gone = st.multiselect(
                "Reps who leave",
                list(names),
                known,
                format_func=names.__getitem__,
                key=f"{key}.gone",
                placeholder="nobody",
            )
            if st.form_submit_button("Save leavers", key=f"{key}.save_gone"):
                save(lambda toml: edits.remove_reps(toml, gone), key)
        st.markdown("**Changes**  \n:gray[An empty field is left as it is in the table.]")
        who = st.selectbox("Rep", list(names), format_func=names.__getitem__, key=f"{key}.who")
        with st.form(f"{key}.change.{who}", border=True):
            now = scenario.reps.change.get(who, {})
            columns = st.columns(2)
            cells = {
                c: columns[i % 2].number_input(c.replace("_", " "), 0.0, None, _float(now.get(c)), format="%g",
                                               key=f"{key}.{who}.{c}", placeholder="as in the table")
                for i, c in enumerate(CHANGEABLE)
            }  # fmt: skip
            if st.form_submit_button("Save changes", key=f"{key}.save_change"):
                given = {
                    **{c: v for c, v in now.items() if c not in CHANGEABLE},
                    **{c: v for c, v in cells.items() if v is not None},
                }
                save(lambda toml: edits.change_rep(toml, who, given), key)
        for rep, row in scenario.reps.change.items():
            st.caption(
                f"{widgets.plain(names.get(rep, rep))}: {widgets.plain(', '.join(f'{c} {v}' for c, v in row.items()))}"
            )
    with right:
        _joiners(scenario, reps, names, key)


def _joiners(scenario: Scenario, reps: pd.DataFrame, names: Mapping[str, str], key: str) -> None:
    st.markdown("**Open positions**  \n:gray[The plan fills a position only if it is worth its cost.]")
    with st.form(f"{key}.join", border=True):
        one, two = st.columns(2)
        count = one.number_input("How many", 1, 50, 1, key=f"{key}.count")
        cost = two.number_input(
            f"Cost of each a year, {scenario.currency}", 0.0, None, 120_000.0, 5_000.0, format="%g", key=f"{key}.cost"
        )
        capacity = one.number_input(
            "Hours a year", 0.0, None, scenario.scoring.default_capacity, 50.0, format="%g", key=f"{key}.capacity"
        )
        ramp = two.slider("Productivity in this period", 0.0, 1.0, 0.7, 0.05, key=f"{key}.ramp", help="ramp: 1 is full")
        like = st.selectbox("Territory and skills as", list(names), format_func=names.__getitem__, key=f"{key}.like")
        name = st.text_input("Name", key=f"{key}.name", placeholder="Open position")
        if st.form_submit_button("Add", icon=":material/add:", key=f"{key}.add"):
            taken = set(names) | {str(row.get("rep_id")) for row in scenario.reps.add}
            twin = reps[reps["rep_id"] == like].iloc[0].to_dict()
            rows = edits.positions(int(count), cost, capacity, ramp, twin, taken, name.strip())
            save(lambda toml: edits.add_positions(toml, rows), key)
    for row in scenario.reps.add:
        rep_id = str(row.get("rep_id"))
        words, drop = st.columns([6, 1], vertical_alignment="center")
        detail = f"{row.get('capacity_hours', 0):,.0f} hours, cost {row.get('cost', 0):,.0f} {scenario.currency}"
        words.markdown(f"**{widgets.plain(row.get('name', rep_id))}**  \n:gray[{widgets.plain(rep_id)} · {detail}]")
        if drop.button(
            "", icon=":material/delete:", key=f"{key}.drop.{rep_id}", help="Drop this position", type="tertiary"
        ):
            save(lambda toml, rep_id=rep_id: edits.drop_position(toml, rep_id), key)  # type: ignore[misc]


def show_file(scenario: Scenario) -> None:
    """Name and words of the scenario, its text, and the way in and out."""
    key = f"file.{state.get().version}"
    left, right = st.columns([2, 3], gap="large")
    with left:
        with st.form(f"{key}.about", border=True):
            name = st.text_input("Name", scenario.name, key=f"{key}.name", help="plans are kept under this name")
            about = st.text_area("What it is about", scenario.description, key=f"{key}.description", height=90)
            currency = st.text_input("Currency", scenario.currency, max_chars=3, key=f"{key}.currency")
            if st.form_submit_button("Save", type="primary", key=f"{key}.save"):
                save(lambda toml: edits.put_about(toml, name.strip(), about.strip(), currency.strip().upper()), key)
        with st.form(f"{key}.upload", border=True):
            file = st.file_uploader("Scenario file", type=["toml"], key=f"{key}.toml")
            if st.form_submit_button("Open it", key=f"{key}.open") and file is not None:
                label = sources.clean_name(file.name)
                save(lambda _: edits.from_file(file.getvalue(), label), key, label)
    with right:
        toml = state.get().scenario
        st.download_button("Scenario (.toml)", toml, f"{widgets.file_name(scenario.name)}.toml", "application/toml",
                           key="scenario.toml", icon=":material/download:", on_click="ignore")  # fmt: skip
        st.code(toml, language="toml", height=460)


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
