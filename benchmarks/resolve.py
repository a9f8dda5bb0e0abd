"""A rep leaves: how fast the plan is mended, from nothing and from the previous plan and its prices."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from benchmarks.instances import samples
from benchmarks.peers import OURS
from benchmarks.runs import NAN, Run, Task, alone, as_row, blank, first_time, peak_gib
from optimizer.carry import carry
from optimizer.children import stand_by
from optimizer.core import share_of
from optimizer.engines import NAMES
from optimizer.errors import SolverError
from optimizer.prepare import prepare
from optimizer.result import Result

#: shares to reach after the change, as the size's own for half a minute (0.1%), and around it
GAPS = (0.002, 0.001, 0.0008)
#: the first solve's gap is asked for again with this much room, as a share of it and absolutely
HAIR, LEAST = 0.02, 1e-6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", nargs="+", default=["10000x200"], help="ACCOUNTSxREPS …")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="seeds of the companies")
    parser.add_argument("--engine", choices=[*NAMES, "auto"], default=OURS)
    parser.add_argument("--time-limit", type=float, default=60.0)
    parser.add_argument("--first-gap", type=float, default=5e-4, help="share at which the first solve stops")
    parser.add_argument(
        "--gap", type=float, nargs="*", default=GAPS,
        help="shares to reach after the change, timed one by one in the same solves; none: the first solve's and a hair",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)


@dataclass(frozen=True, slots=True)
class Solved:
    """One solve of the story: its run, the shares that it was to reach, the lowest last, when it did, and what the next one
    may begin with."""

    run: Run
    gap: float
    targets: tuple[float, ...] = ()
    seconds_to: tuple[float, ...] = ()
    result: Result | None = None
    busiest: str = ""
    accounts: int = 0


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Three rows a company: the first solve, then without the busiest rep cold and warm. Each in a fresh process."""
    prepare()
    for instance in samples(arguments.size, arguments.seeds):
        task = Task(instance, arguments.engine, arguments.time_limit, arguments.first_gap, threads=arguments.threads)
        first = _told(task, "first", (), None)
        yield from _rows(first, "first")
        if first.result is None:
            continue
        gaps = tuple(sorted(arguments.gap, reverse=True)) or (first.gap * (1 + HAIR) + LEAST,)
        left = replace(task, instance=replace(instance, without=(first.busiest,)), gap=gaps[-1])
        for how, previous in (("cold", None), ("warm", first)):
            for row in _rows(_told(left, how, gaps, previous), how):
                yield row | {"left": f"{first.busiest} ({first.accounts} accounts)"}


def _told(task: Task, how: str, targets: tuple[float, ...], previous: Solved | None) -> Solved:
    try:
        solved = alone(solved_from, task, targets, previous)
    except SolverError as problem:
        solved = Solved(blank(task, "FAILED", note=str(problem)), NAN, targets, (NAN,) * len(targets))
    line = f"{task.instance.name}  {how}: {solved.run.status}, gap {solved.gap:.4%} in {solved.run.seconds:.1f} s"
    pairs = zip(solved.targets, solved.seconds_to, strict=True)
    print(
        line,
        *(f"{target:.4%} after {seconds:.1f} s" for target, seconds in pairs),
        sep="; ",
        file=sys.stderr,
        flush=True,
    )
    return solved


def solved_from(task: Task, targets: tuple[float, ...], previous: Solved | None) -> Solved:
    """Solve in the process that calls, from what a previous solve left where there is one."""
    from optimizer.solve import solve

    stand_by(wait=True)
    problem = task.instance.company()
    more: dict[str, Any] = {}
    if previous is not None and previous.result is not None:
        before = replace(task.instance, without=()).company()
        more = {"start": previous.result.plan, "known": carry(before, previous.result, problem)}
    result = solve(problem, task.engine, task.time_limit, task.gap, task.seed, threads=task.threads, **more)
    run = blank(
        task,
        result.status,
        value=result.objective,
        bound=result.bound,
        bound_by=result.bound_by,
        seconds=result.seconds,
        seconds_to_best=first_time(result.trace.to_numpy(dtype=float), result.objective, result.seconds),
        options=problem.core.options,
        rows=problem.core.rows,
        note="; ".join(result.notes),
        peak_gib=peak_gib(),
    )
    trace, targets = result.trace.to_numpy(dtype=float), targets or (result.gap_share,)
    took = tuple(reached(trace, target, result.gap_share, result.seconds) for target in targets)
    if result.plan is None:
        return Solved(run, NAN, targets, took)
    served = result.plan.rep[result.plan.rep >= 0]
    count = np.bincount(served, minlength=len(result.plan.reps))
    busiest = int(count.argmax())
    return Solved(
        run,
        result.gap_share,
        targets,
        took,
        result,
        str(result.plan.reps[busiest]),
        int(count[busiest]),
    )


def reached(trace: np.ndarray, target: float, final: float, end: float) -> float:
    """Seconds at which a trace of (seconds, objective, bound) came within the share `target`; `end` where only the
    conclusion did, NaN where nothing did."""
    for seconds, objective, bound in trace:
        if share_of(bound, objective) <= target:
            return float(seconds)
    return end if final <= target else NAN


def _rows(solved: Solved, how: str) -> Iterator[dict[str, Any]]:
    """One row for each share that the solve was to reach."""
    for target, seconds in zip(solved.targets, solved.seconds_to, strict=True):
        row = {**as_row(solved.run), "gap": solved.gap}
        yield {"instance": row.pop("instance"), "solve": how, "target_gap": target, "seconds_to_target": seconds, **row}


def tables(rows: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Every solve, and for each size and share to reach the medians over the seeds of cold, warm and their ratio."""
    summary, changed = [], [row for row in rows if row["solve"] != "first"]
    shares = {row["target_gap"] for row in changed} if arguments.gap else {NAN}
    for group, share in product(dict.fromkeys(row["group"] for row in rows), sorted(shares, reverse=True)):
        some = [row for row in changed if row["group"] == group and (np.isnan(share) or row["target_gap"] == share)]
        pairs = [
            (cold["seconds_to_target"], warm["seconds_to_target"])
            for cold, warm in zip(_of(some, "cold"), _of(some, "warm"), strict=False)
        ]
        both = np.array([p for p in pairs if np.isfinite(p).all()]).reshape(-1, 2)
        line: dict[str, Any] = {"company": group, "gap": share, "pairs": len(pairs), "both_reached_the_gap": len(both)}
        if len(both):
            cold, warm = np.median(both, axis=0)
            ratio = float(np.median(both[:, 1] / np.maximum(both[:, 0], 1e-3)))
            line |= {"cold_seconds": float(cold), "warm_seconds": float(warm), "warm_of_cold": ratio}
        summary.append(line)
    return {"Solves": list(rows), "Summary": summary}


def _of(rows: Sequence[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["solve"] == how]
