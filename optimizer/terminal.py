"""What the commands show: live progress on a terminal, tables and paragraphs, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.check import Report
    from optimizer.engines.base import Progress
    from optimizer.problem import Problem
    from optimizer.result import Result


def say(text: str, error_stream: bool = False) -> None:
    """A line of text as it is: no markup is read from data."""
    (sys.stderr if error_stream else sys.stdout).write(f"{text}\n")


def heading(text: str) -> None:
    say(text, error_stream=True)


def emit(frame: pd.DataFrame, as_json: bool, text: str) -> None:
    """`frame` as JSON records, or `text`."""
    say(frame.to_json(orient="records", date_format="iso", force_ascii=False) if as_json else text)


def emit_record(record: dict[str, Any], as_json: bool, text: str) -> None:
    say(json.dumps(_plain(record), ensure_ascii=False) if as_json else text)


def emit_result(result: Result, problem: Problem, folder: Path, as_json: bool) -> None:
    """The paragraph, what filled gaps in the data, and where the run is."""
    if as_json:
        record = {
            name: getattr(result, name) for name in ("status", "stopped_by", "objective", "bound", "bound_by", "gap")
        }
        more = {"gap_share": result.gap_share, "seconds": result.seconds, "engine": result.engine, "run": str(folder)}
        conflicts = [{"rule": c.rule, "sentence": c.sentence} for c in result.conflicts]
        say(json.dumps(_plain({**record, **more, "notes": result.notes, "conflicts": conflicts}), ensure_ascii=False))
        return
    say(str(result))
    for note in result.notes:
        say(f"note: {note}")
    if result.engine and result.why_engine != "asked for":
        say(f"engine {result.engine}: {result.why_engine}")
    for note in problem.scores.notes:
        say(f"default: {note}")
    say(f"kept in {folder}")


def emit_report(report: Report, as_json: bool) -> None:
    if as_json:
        record = {
            "objective": report.objective,
            "ok": report.ok,
            "ledger": report.ledger,
            "limits": report.limits.to_dict("records"),
            "assignments": report.assignments.to_dict("records"),
        }
        say(json.dumps(_plain(record), ensure_ascii=False))
        return
    say(str(report))
    tight = report.limits.sort_values("slack").head(12)
    say("closest rows:")
    for row in tight.to_dict("records"):
        span = f"[{row['lower']:,.6g}, {row['upper']:,.6g}]"
        say(
            f"  {row['rule']}: {row['row']} has {row['actual']:,.6g} {row['measure']} in {span}, slack {row['slack']:,.6g}"
        )


def kpi_table(frame: pd.DataFrame) -> str:
    """The company-wide figures and what is missing, for reading."""
    company = frame[frame["scope"] == "company"]
    known = company[company["missing"] == ""]
    missing = frame[(frame["missing"] != "") & ~frame["kpi"].isin(known["kpi"])].drop_duplicates("kpi")
    width = max([len(t) for t in known["title"]], default=0)
    figures = [(r["title"], _amount(r["value"], r["unit"]), r["verdict"]) for r in known.to_dict("records")]
    figures += [(r["title"], "not known", r["missing"]) for r in missing.to_dict("records")]
    lines = [f"{title:<{width}}  {amount:>16}  {said}" for title, amount, said in figures]
    return "\n".join(line.rstrip() for line in lines)


def _amount(value: float, unit: str) -> str:
    return f"{value:.1%}" if unit == "share" else f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


@contextmanager
def live(name: str, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """A line that follows a solve (value, bound, gap, seconds) where standard error is a terminal; silent elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    from optimizer.core import share_of

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as line:

        def show(progress: Progress) -> None:
            known = [f"{name}: {progress.seconds:5.1f} s"]
            if progress.objective == progress.objective and abs(progress.objective) != float("inf"):
                known.append(f"value {progress.objective:,.0f}")
            if progress.bound == progress.bound and abs(progress.bound) != float("inf"):
                known.append(f"bound {progress.bound:,.0f}")
            gap = share_of(progress.bound, progress.objective)
            if gap == gap:
                known.append(f"gap {gap:.3%}")
            line.update(Text("   ".join([*known, progress.phase])))

        yield show


def _plain(value: Any) -> Any:
    """JSON has no NaN and no infinity: both become null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value
