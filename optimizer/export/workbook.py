"""The Excel workbook managers get: what the plan is, every account with its owner, and two columns to answer in.

No cell is a formula, a link or a macro. Only `New owner` and `Lock` can be typed in; hidden columns say which run,
account and assignment a row is, so that the answers come back to the right place in whatever order.
"""

from __future__ import annotations

from pathlib import Path

from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from optimizer.check import judge
from optimizer.errors import UsageError
from optimizer.export import content
from optimizer.export.content import NOBODY, Handover
from optimizer.export.frames import own
from optimizer.export.look import Look, Sheet, write_sheet
from optimizer.export.readme import write_readme
from optimizer.export.settings import scenario
from optimizer.formats.base import replacing
from optimizer.formats.excel import MAX_ROWS
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.result import Result
from optimizer.tables import Tables

#: above so many rows the workbook is written row by row to disk, to save memory
ROWS_IN_MEMORY = 200_000
LISTS = "Lists"
OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": "yyyy-mm-dd",
}


def write_workbook(
    path: Path,
    problem: Problem,
    plan: Plan,
    *,
    result: Result | None = None,
    tables: Tables | None = None,
    run_id: str = "",
) -> None:
    """Write README, Assignments, Changes, Books, Unassigned, Limits and Scenario; whole or not at all.

    `result` brings the proof and the prices, `tables` the names of reps who are not in the scenario. Raises
    `UsageError` for more rows than a sheet holds and `InputError` for text that no cell holds.
    """
    judged = result.report if result is not None and result.plan is plan else None
    report = judged or judge(problem.scores, problem.scenario.active, plan)
    plan = own(problem, plan)
    if plan.rep.size >= MAX_ROWS:
        raise UsageError(f"{plan.rep.size:,} rows do not fit an Excel sheet of {MAX_ROWS:,}; export CSV (preset plain)")
    data = Handover(problem, plan, report, result, tables, run_id)
    with replacing(Path(path)) as temporary:
        book = Workbook(str(temporary), {**OPTIONS, "constant_memory": plan.rep.size > ROWS_IN_MEMORY})
        _fill(book, data)
        book.close()


def _fill(book: Workbook, data: Handover) -> None:
    look = Look(book, data.currency)
    book.set_properties({"title": f"Account plan: {data.problem.scenario.name}", "comments": f"run {data.run_id}"})
    book.set_size(2400, 1500)
    write_readme(book.add_worksheet("README"), data, look)
    sheets = (content.assignments, content.changes, content.books, content.unassigned, content.limits, scenario)
    for make in sheets:
        sheet = make(data)
        page = book.add_worksheet(sheet.name)
        write_sheet(page, sheet, look)
        if make is content.assignments:
            _open_for_answers(page, sheet, data)
    _write_lists(book.add_worksheet(LISTS), data, look)


def _open_for_answers(page: Worksheet, sheet: Sheet, data: Handover) -> None:
    """Drop-downs in the two open columns; everything else locked, without a password, filters left usable."""
    last = max(1, len(sheet.columns[0].cells))
    owner, lock = sheet.place("New owner"), sheet.place("Lock")
    page.data_validation(
        1, owner, last, owner,
        {"validate": "list", "source": f"={LISTS}!$A$2:$A${len(data.labels) + 2}", "error_title": "Not in the list",
         "error_message": "Choose a name from the list. Leave the cell empty to accept the planned owner."},
    )  # fmt: skip
    page.data_validation(
        1, lock, last, lock,
        {"validate": "list", "source": ["yes"], "error_title": "yes or empty",
         "error_message": "Write yes to keep this account with its owner, or leave the cell empty."},
    )  # fmt: skip
    page.protect(
        "", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True, "format_cells": True}
    )


def _write_lists(page: Worksheet, data: Handover, look: Look) -> None:
    """The hidden sheet behind the drop-down: label → rep_id; the first is nobody."""
    text = look.of(num_format="@")
    labels = [NOBODY, *data.labels.tolist()]
    ids = ["", *map(str, data.labels.index)]
    for row, (label, rep) in enumerate(zip(["label", *labels], ["rep_id", *ids], strict=True)):
        page.write_string(row, 0, label, text)
        page.write_string(row, 1, rep, text)
    page.protect()
    page.hide()
