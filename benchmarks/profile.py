"""Where the time goes: seconds by phase, per million options, peak memory, and how each grows with the size."""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.instances import Instance, samples
from benchmarks.peers import OURS
from benchmarks.runs import NAN, Task, alone, peak_gib
from benchmarks.scale import SIZES
from optimizer.engines import NAMES
from optimizer.errors import SolverError
from optimizer.prepare import prepare

#: phases shorter than this are the clock's noise and have no growth
NOISE = 0.02


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help="ACCOUNTSxREPS …")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="seeds of the companies")
    parser.add_argument("--engine", choices=[*NAMES, "auto"], default=OURS)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--gap", type=float, default=5e-4, help="share at which to stop")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--build-only", action="store_true", help="make and build, and do not solve")


def measure(arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One row a company: medians over seeds are for `tables`."""
    instances = samples(arguments.sizes, arguments.seeds)
    if not arguments.build_only:
        prepare()
    for number, instance in enumerate(instances, 1):
        task = Task(instance, arguments.engine, arguments.time_limit, arguments.gap, threads=arguments.threads)
        try:
            row = alone(profiled, task, arguments.build_only)
        except SolverError as problem:
            row = {**_named(instance), "note": str(problem)}
        print(f"[{number}/{len(instances)}] {instance.name}: {row}", file=sys.stderr, flush=True)
        yield row


def profiled(task: Task, build_only: bool) -> dict[str, Any]:
    """Seconds of each phase, in the process that calls: making and building the company, then what `solve` tells of."""
    from optimizer.problem import build
    from optimizer.sample import baseline_toml, sample
    from optimizer.scenario import parse_scenario
    from optimizer.solve import solve

    i = task.instance
    start = time.perf_counter()
    made = sample(i.accounts, i.reps, i.seed)
    at = time.perf_counter()
    problem = build(made, parse_scenario(tomllib.loads(baseline_toml(i.accounts, i.reps))))
    seconds = {"sample": at - start, "build": time.perf_counter() - at}
    size: dict[str, Any] = {"options": problem.core.options, "rows": problem.core.rows}
    size |= {"built_peak_gib": peak_gib()}
    if build_only:
        return {**_named(i), **size, "seconds": seconds}
    heard: list[tuple[float, str]] = []
    result = solve(
        problem,
        task.engine,
        task.time_limit,
        task.gap,
        task.seed,
        threads=task.threads,
        report=lambda p: heard.append((p.seconds, p.phase)),
    )
    seconds |= phases(heard, result.seconds)
    told = {"engine": result.engine, "status": result.status, "gap": result.gap_share, "peak_gib": peak_gib()}
    return {**_named(i), **size, **told, "seconds": seconds}


def phases(heard: Sequence[tuple[float, str]], end: float) -> dict[str, float]:
    """Seconds of each phase from what progress told: (seconds, phase), an empty phase means the same as before.

    A phase lasts until another is named. What comes after the last word (judging, the proof) is `conclude`.
    """
    named = sorted((s, p) for s, p in heard if p)
    if not named:
        return {"solve": end}
    last = max(s for s, _ in heard)
    out: dict[str, float] = {}
    for (at, phase), (until, _) in pairwise([(0.0, named[0][1]), *named[1:], (last, "")]):
        out[phase] = out.get(phase, 0.0) + max(0.0, until - at)
    return {**out, "conclude": max(0.0, end - last)}


def tables(rows: Sequence[dict[str, Any]], arguments: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Medians over the seeds of each size: seconds by phase, seconds per million options, and growth."""
    middle = [_median([r for r in rows if (r["accounts"], r["reps"]) == size]) for size in _sizes(rows)]
    good = [row for row in middle if "seconds" in row]
    by_phase = [{**_flat(row), **{f"{p}_seconds": s for p, s in row["seconds"].items()}} for row in good]
    million = [
        {
            **{k: row[k] for k in ("accounts", "reps", "options")},
            **{p: s / row["options"] * 1e6 for p, s in row["seconds"].items()},
            "peak_gib": row.get("peak_gib", row["built_peak_gib"]) / row["options"] * 1e6,
        }
        for row in good
        if row["options"]
    ]
    return {
        "Seconds by phase": [*by_phase, *(row for row in middle if "seconds" not in row)],
        "Seconds per million options": million,
        "Growth: exponent of a power law in each measure of size, one at a time": growth(good),
    }


def growth(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each phase the slope of log seconds over log size, by least squares. Sizes that grow together cannot be told
    apart: ask for sizes in which only one of accounts and reps changes."""
    out = []
    for phase in dict.fromkeys(p for row in rows for p in row["seconds"]):
        some = [row for row in rows if row["seconds"].get(phase, 0.0) > NOISE]
        line: dict[str, Any] = {"phase": phase, "sizes": len(some)}
        for name in ("accounts", "reps", "options", "rows"):
            x = np.log([float(row[name]) for row in some])
            y = np.log([row["seconds"][phase] for row in some])
            line[name] = float(np.polyfit(x, y, 1)[0]) if len(some) > 1 and np.ptp(x) > 0 else NAN
        out.append(line)
    return out


def _named(instance: Instance) -> dict[str, Any]:
    return {"accounts": instance.accounts, "reps": instance.reps, "seed": instance.seed}


def _sizes(rows: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    return list(dict.fromkeys((row["accounts"], row["reps"]) for row in rows))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("seconds", "seed")}


def _median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The middle of one size's rows, number by number; of other things the first."""
    good = [row for row in rows if "seconds" in row] or rows
    out = dict(good[0])
    for name, value in good[0].items():
        if isinstance(value, int | float):
            middle = float(np.median([row[name] for row in good]))
            out[name] = round(middle) if isinstance(value, int) else middle
    if "seconds" in out:
        names = dict.fromkeys(p for row in good for p in row["seconds"])
        out["seconds"] = {p: float(np.median([row["seconds"].get(p, 0.0) for row in good])) for p in names}
    return out
