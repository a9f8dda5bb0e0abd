"""Pieces that several pages show: findings, figures, results, and words for what is not there yet."""

from __future__ import annotations

import math
import re
import tempfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from optimizer.errors import BookfitError, Findings, InputError
from optimizer.export.presets import write_csv
from optimizer.result import Result
from optimizer.ui import state

#: what opens a directive, a link, a formula or a mark in Markdown
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|$~:<>&])")
SIGNS = {
    "error": ("red", ":material/error:"),
    "warning": ("orange", ":material/warning:"),
    "note": ("gray", ":material/info:"),
}
BAND = {
    "below band": "▼ below the healthy band",
    "in band": "✓ in the healthy band",
    "above band": "▲ above the healthy band",
}


def plain(text: object) -> str:
    """The text as Markdown that shows exactly it: names come from files, and labels parse Markdown."""
    return _MARKS.sub(r"\\\1", " ".join(str(text).split()))


def money(amount: float, currency: str = "") -> str:
    """1234567 → `1,234,567 USD`; a dash where there is no figure."""
    return "–" if not math.isfinite(amount) else f"{amount:,.0f} {currency}".strip()


def share(part: float, digits: int = 1) -> str:
    return "–" if not math.isfinite(part) else f"{part:.{digits}%}"


def figure(value: float, unit: str) -> str:
    """A figure in the unit a comparison or a KPI gives."""
    if not math.isfinite(value):
        return "–"
    return {"share": f"{value:.1%}", "ratio": f"{value:.3f}", "points": f"{value:.1f}", "days": f"{value:,.1f}"}.get(
        unit, f"{value:,.0f}"
    )


def title(text: str, about: str) -> None:
    """The head of a page."""
    st.title(text)
    st.caption(about)


def cards(figures: Mapping[str, str], help: Mapping[str, str] | None = None) -> None:
    """Figures in a row, each in a box."""
    for column, (label, value) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(label, plain(value), border=True, help=(help or {}).get(label))


def nothing_yet(text: str, page: str, label: str) -> None:
    """An empty screen that says what to do, and stops the page."""
    with st.container(border=True):
        st.markdown(text)
        st.page_link(page_file(page), label=label, icon=":material/arrow_forward:")
    st.stop()


def page_file(name: str) -> str:
    return str(Path(__file__).parent / "pages" / f"{name}.py")


def csv_bytes(frame: pd.DataFrame, preset: str = "excel-us") -> bytes:
    """The frame as CSV; text that a spreadsheet would run is made harmless in the Excel presets."""
    with tempfile.TemporaryDirectory(prefix="bookfit-csv-") as folder:
        path = Path(folder) / "table.csv"
        write_csv(frame, path, preset)
        return path.read_bytes()


def csv_button(label: str, frame: Callable[[], pd.DataFrame], name: str, key: str, **layout: Any) -> None:
    """A button that hands over a table, written when it is pressed."""
    st.download_button(
        label, lambda: csv_bytes(frame()), name, "text/csv", key=key, icon=":material/download:", on_click="ignore", **layout
    )  # fmt: skip


def file_name(*parts: str) -> str:
    """`Capped moves` → `capped-moves`: a name any system takes."""
    return "-".join(filter(None, (re.sub(r"[^a-z0-9]+", "-", p.casefold()).strip("-") for p in parts))) or "bookfit"


def findings(found: Findings, key: str) -> None:
    """Findings by severity, as a table that can be searched and downloaded. Nothing is left out."""
    if not len(found):
        st.success("Nothing to report: every check passed.", icon=":material/check_circle:")
        return
    key = f"{key}.{zlib.crc32(str(found).encode()):x}"  # what was chosen for other findings must not hide these
    counts = {"error": len(found.errors), "warning": len(found.warnings), "note": len(found.notes)}
    frame = found.to_frame().sort_values("severity", key=lambda s: s.map(list(SIGNS).index), kind="stable")
    frame["row"] = frame["row"].astype("float64") if frame["row"].isna().all() else frame["row"]
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    options = [name for name, n in counts.items() if n]
    chosen = left.segmented_control(
        "Show", options, selection_mode="multi", default=options, key=f"{key}.severity", label_visibility="collapsed",
        format_func=lambda name: f"{SIGNS[name][1]} {counts[name]:,} {name}{'s' if counts[name] != 1 else ''}",
    )  # fmt: skip
    with right:
        csv_button("Findings as CSV", found.to_frame, "findings.csv", f"{key}.csv", width="stretch")
    shown = frame[frame["severity"].isin(chosen or options)]
    empty = [c for c in ("file", "row", "column", "value") if shown[c].isna().all()]
    st.dataframe(
        shown.drop(columns=[*empty, "table"]), hide_index=True, key=f"{key}.table",
        height="content" if len(shown) < 9 else 440, placeholder="", column_config={
            "severity": st.column_config.TextColumn("severity", width=70),
            "file": st.column_config.TextColumn("file", width=110),
            "row": st.column_config.NumberColumn("row", format="%d", width=45),
            "column": st.column_config.TextColumn("column", width=80),
            "value": st.column_config.TextColumn("value", width=100),
            "problem": st.column_config.TextColumn("what is wrong", width=270),
            "remedy": st.column_config.TextColumn("what to do", width=300),
            "count": st.column_config.NumberColumn("times", format="%d", width=45),
        },
    )  # fmt: skip


def complaint(error: BookfitError, key: str) -> None:
    """An error of ours, with every finding it carries."""
    if isinstance(error, InputError):
        st.error("This cannot be used as it is:", icon=":material/error:")
        findings(error.findings, key)
    else:
        st.error(plain(str(error)), icon=":material/error:")


def verdict(result: Result) -> None:
    """What was found and what is proved, first in a line, then in the result's own paragraph."""
    if result.status == "OPTIMAL":
        st.success("**Proved: no plan is worth more** under these rules and these scores.", icon=":material/verified:")
    elif result.status == "FEASIBLE":
        gap = share(result.gap_share, 2)
        st.info(
            f"**A plan that keeps every hard rule**, at most {plain(gap)} below the best possible.",
            icon=":material/check_circle:",
        )
    elif result.status == "INFEASIBLE":
        st.error("**No plan can keep every hard rule.** The smallest way out we found:", icon=":material/block:")
        _conflicts(result)
    else:
        text = "**No plan was found in the time given.** There may be one: try more time or another engine."
        st.warning(text, icon=":material/hourglass_empty:")


def _conflicts(result: Result) -> None:
    if not result.conflicts:
        st.markdown("The smallest relaxation could not be worked out in time; loosen the tightest rule and try again.")
        return
    st.markdown("\n".join(f"- {plain(c.sentence)}" for c in result.conflicts))
    st.page_link(page_file("scenario"), label="Change the scenario", icon=":material/tune:")


def choose_plan(key: str) -> state.Kept:
    """The plan a page is about; stops the page where none has been solved."""
    kept = state.plans()
    if not kept:
        nothing_yet(
            "**There is no plan yet.** Solve a scenario, and its plan is shown here.", "solve", "Solve the scenario"
        )
    names = [k.name for k in kept]
    shown = state.get().shown
    at = names.index(shown) if shown in names else len(names) - 1
    name = st.selectbox("Plan", names, at, key=key) if len(names) > 1 else names[0]
    if name != shown:
        state.change(shown=name)
    return kept[names.index(name)]


def phase_words(phase: str) -> str:
    """An engine's phase in words."""
    return {
        "start": "starting the engine", "": "searching", "prices": "bounding what any plan can be worth",
        "second opinion": "asking a second solver to confirm the proof",
        "compiling": "compiling for this machine, once; the time limit has not begun",
    }.get(phase, phase)  # fmt: skip


def number(label: str, **options: Any) -> Any:
    """A column of whole numbers with thousands separators."""
    return st.column_config.NumberColumn(label, format="localized", **options)
