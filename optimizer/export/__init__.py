"""Files to hand over: the Excel workbook, and CSV for a named reader."""

from __future__ import annotations

from pathlib import Path

from optimizer.check import judge
from optimizer.errors import UsageError
from optimizer.export.frames import books_frame, limits_frame, plan_frame
from optimizer.export.presets import PRESETS, Preset, preset_named, undo_prefix, write_csv
from optimizer.export.workbook import write_workbook
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.result import Result
from optimizer.tables import Tables

__all__ = [
    "PRESETS", "Preset", "books_frame", "export", "limits_frame", "plan_frame", "preset_named", "undo_prefix",
    "write_csv", "write_workbook",
]  # fmt: skip


def export(
    problem: Problem,
    plan: Plan | None,
    path: str | Path,
    preset: str = "plain",
    *,
    result: Result | None = None,
    tables: Tables | None = None,
    run_id: str = "",
) -> tuple[Path, ...]:
    """Write a plan for others to use, and say which files were written. Each is written whole or not at all.

    `path` ending in `.xlsx` is the workbook, in `.csv` the plan alone; anything else is a folder that gets `plan.csv`,
    `books.csv` and `limits.csv`. `preset` says how CSV is written (`PRESETS`). `result` brings prices and proof,
    `tables` the owners and names that the scenario itself does not have. Raises `UsageError` where there is no plan,
    for an unknown preset and for more rows than the reader takes.
    """
    path, chosen = Path(path), preset_named(preset)
    if plan is None:
        raise UsageError("there is no plan to export")
    if path.suffix.lower() == ".xlsx":
        write_workbook(path, problem, plan, result=result, tables=tables, run_id=run_id)
        return (path,)
    prices = None if result is None else result.prices
    rows = plan_frame(problem, plan, prices, tables)
    if path.suffix.lower() == ".csv":
        write_csv(rows, path, chosen)
        return (path,)
    judged = result.report if result is not None and result.plan is plan else None
    report = judged or judge(problem.scores, problem.scenario.active, plan)
    frames = {"plan": rows, "books": books_frame(problem, plan), "limits": limits_frame(problem, report, prices)}
    for name, frame in frames.items():
        write_csv(frame, path / f"{name}.csv", chosen)
    return tuple(path / f"{name}.csv" for name in frames)
