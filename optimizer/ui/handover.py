"""Files of a plan to download, made when they are asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path

import streamlit as st

from optimizer.export import PRESETS, export
from optimizer.store import Run
from optimizer.ui import widgets

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def plan_bytes(run: Run, ending: str, preset: str = "plain") -> bytes:
    """The plan of a kept run as one file: `.xlsx` is the workbook, `.csv` the assignments.

    Called when the button is pressed, outside any page: it may not ask the caches or the session.
    """
    with tempfile.TemporaryDirectory(prefix="bookfit-export-") as name:
        path = Path(name) / f"plan{ending}"
        export(run.problem, run.plan, path, preset, result=run.result, tables=run.tables, run_id=run.id)
        return path.read_bytes()


def show_downloads(run: Run, name: str) -> None:
    """Workbook, CSV in a preset, and the scenario the plan answers."""
    about = {p.name: p.meaning for p in PRESETS}
    book, table, toml = st.columns(3, gap="medium")
    with book.container(border=True, height="stretch"):
        st.markdown(
            "**Excel workbook** for managers: assignments, changes, books, limits; owners can be changed in it."
        )
        st.download_button(
            "Workbook (.xlsx)", lambda: plan_bytes(run, ".xlsx"), f"{widgets.file_name('bookfit', name)}.xlsx", XLSX,
            key="download.xlsx", type="primary", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    with table.container(border=True, height="stretch"):
        preset = st.selectbox(
            "**CSV** of the assignments, for",
            list(about),
            key="download.preset",
            format_func=lambda p: f"{p}: {about[p]}",
        )
        st.download_button(
            "Assignments (.csv)", lambda: plan_bytes(run, ".csv", preset),
            f"{widgets.file_name('bookfit', name)}.csv",
            "text/csv", key="download.csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    with toml.container(border=True, height="stretch"):
        st.markdown("**The scenario** the plan answers, as a file the command line reads.")
        st.download_button(
            "Scenario (.toml)", run.problem.scenario.to_toml(), f"{widgets.file_name(name)}.toml",
            "application/toml", key="download.toml", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
