"""A sample company made, and its problem built: seconds and peak memory, each size in a process of its own."""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
import tomllib
from typing import Any

SIZES = ((1_000, 20), (10_000, 200), (100_000, 1_000), (1_000_000, 2_000))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="*", default=[f"{a}x{r}" for a, r in SIZES], help="ACCOUNTSxREPS …")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])


def run(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a size: medians over the seeds."""
    rows = []
    for size in arguments.sizes:
        accounts, reps = map(int, size.split("x"))
        runs = [_alone(accounts, reps, seed) for seed in arguments.seeds]
        middle = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        rows.append({"accounts": accounts, "reps": reps, **{k: round(v, 2) for k, v in middle.items()}})
    return rows


def measure(accounts: int, reps: int, seed: int) -> dict[str, float]:
    """Seconds to make the company and to build its problem, options, rows, and peak memory of the whole process."""
    from optimizer.memory import peak_bytes
    from optimizer.problem import build
    from optimizer.sample import baseline_toml, sample
    from optimizer.scenario import parse_scenario

    start = time.perf_counter()
    tables = sample(accounts, reps, seed)
    made = time.perf_counter()
    scenario = parse_scenario(tomllib.loads(baseline_toml(accounts, reps)))
    problem = build(tables, scenario)
    built = time.perf_counter()
    return {
        "sample_seconds": made - start,
        "build_seconds": built - made,
        "options": problem.core.options,
        "rows": problem.core.rows,
        "peak_gib": peak_bytes() / 2**30,
    }


def _alone(accounts: int, reps: int, seed: int) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (accounts, reps, seed))
