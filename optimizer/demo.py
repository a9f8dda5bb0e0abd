"""Solve every scenario of a company and put the plans side by side with today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from optimizer.children import stand_by
from optimizer.compare import Comparison, Judged, compare
from optimizer.errors import UsageError
from optimizer.problem import build, open_company
from optimizer.solve import solve
from optimizer.store import Run, write_run


def scenario_paths(folder: Path) -> list[Path]:
    """The scenario files of a company, the baseline first. `today.toml` is left out: today is what plans are compared with."""
    files = sorted(folder.glob("*.toml"), key=lambda f: (f.stem != "baseline", f.stem))
    return [f for f in files if f.stem not in ("today", "mapping")]


def solve_all(
    folder: Path,
    engine: str,
    time_limit: float,
    out: Path | None,
    announce: Callable[[str], None],
    live: Callable[[str], AbstractContextManager[Any]],
) -> Comparison:
    """Solve the scenarios of `folder` one after the other, keep the runs under `out`, and compare."""
    plans: dict[str, Judged] = {}
    base, first = None, None
    for path in scenario_paths(folder):
        stand_by()
        tables, scenario, findings = open_company(path)
        findings.raise_errors()
        problem = build(tables, scenario)
        base, first = base or problem, first or tables
        with live(scenario.name) as report:
            result = solve(problem, engine, time_limit, report=report)
        announce(f"{scenario.name}: {result}")
        if out is not None:
            write_run(out / path.stem, problem, tables, result)
        if result.plan is not None:
            plans[scenario.name] = Judged(problem.scores, problem.scenario.active, result.plan)
    if base is None:
        raise UsageError(f"{folder} has no scenario")
    return compare(base, {"today": base.today, **plans}, first)


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Kept runs side by side with the first one's today. Names that occur twice get the folder's name."""
    first = runs[0].problem
    plans: dict[str, Any] = {"today": first.today}
    for run in runs:
        if run.plan is not None:
            name = run.problem.scenario.name
            name = f"{name} ({run.folder.name})" if name in plans else name
            plans[name] = Judged(run.problem.scores, run.problem.scenario.active, run.plan)
    return compare(first, plans, runs[0].tables)
