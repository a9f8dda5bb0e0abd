"""Somebody cancels: how soon there is an answer, whatever the engine is doing."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.instances import Instance, samples
from benchmarks.peers import OURS
from benchmarks.runs import NAN, alone
from optimizer.engines import NAMES
from optimizer.engines.base import Progress
from optimizer.prepare import prepare

#: shares of the time limit after which a solve is cancelled, each in a run of its own
MOMENTS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="+", default=["10000x200", "100000x1000"], help="ACCOUNTSxREPS …")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="seeds of the companies")
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=[OURS])
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--moments", type=float, nargs="+", default=list(MOMENTS), help="shares of the time limit")
    parser.add_argument("--threads", type=int, default=2)


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """A row for each company, engine and moment; every company is made once."""
    prepare()
    for instance in samples(arguments.sizes, arguments.seeds):
        for engine in arguments.engines:
            for row in alone(cancelled, instance, engine, arguments.time_limit, arguments.moments, arguments.threads):
                line = f"{row['instance']} {engine}: {row['phase']}, {row['asked_after']:.1f} s"
                print(f"{line}; answer after {row['seconds_to_answer']:.2f} s", file=sys.stderr, flush=True)
                yield row


@dataclass(eq=False)
class Impatient:
    """Asks a solve to stop so many seconds after it began, and remembers when that was and what was being done."""

    after: float
    asked: float = NAN
    phase: str = "beginning"

    def __call__(self, progress: Progress) -> bool:
        if not self.asked >= 0:
            self.phase = progress.phase or self.phase
            self.asked = time.monotonic() if progress.seconds >= self.after else NAN
        return self.asked >= 0


def cancelled(
    instance: Instance, engine: str, time_limit: float, moments: Sequence[float], threads: int
) -> list[dict[str, Any]]:
    """Solve a company once for every moment (a share of the limit), cancelled then. `seconds_to_answer` is from there to the
    result, in which plan and bound are judged; `seconds_to_judge` is what judging the same again takes."""
    from optimizer.solve import solve
    from optimizer.verify import verify

    problem, rows = instance.company(), []
    for moment in moments:
        user = Impatient(moment * time_limit)
        result = solve(problem, engine, time_limit, 0.0, threads=threads, report=user)
        answer, began = time.monotonic() - user.asked, time.monotonic()
        if result.plan is not None:
            proof = (result.bound, result.bound_by, result.books, result.listing)
            verify(problem, result.plan, result.prices, result.objective, *proof)
        judging = time.monotonic() - began
        rows.append(
            {
                "instance": instance.name,
                "group": instance.group,
                "engine": engine,
                "asked_after": user.after,
                "phase": user.phase if user.asked >= 0 else "had ended",
                "seconds_to_answer": answer,
                "seconds_to_judge": judging if result.plan is not None else NAN,
                "status": result.status,
                "gap": result.gap_share,
            }
        )
    return rows


def tables(rows: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Every cancelled solve, and for each company and engine the longest wait."""
    summary = []
    for group, engine in dict.fromkeys((row["group"], row["engine"]) for row in rows):
        some = [r for r in rows if (r["group"], r["engine"]) == (group, engine) and r["seconds_to_answer"] >= 0]
        waits = [r["seconds_to_answer"] for r in some]
        line = {"company": group, "engine": engine, "cancelled": len(some)}
        summary.append(
            line | {"longest_wait": max(waits, default=NAN), "plans": sum(r["seconds_to_judge"] >= 0 for r in some)}
        )
    return {"Cancelled": list(rows), "Summary": summary}
