"""Every engine on the same sample companies, with the same time limit, judged by the same checker."""

from __future__ import annotations

import argparse
import tomllib
from typing import Any

SIZES = ((200, 10), (1_000, 20), (10_000, 200))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="*", default=[f"{a}x{r}" for a, r in SIZES], help="ACCOUNTSxREPS …")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--engines", nargs="*", default=["cpsat", "highs", "greedy", "balance"])
    parser.add_argument("--time-limit", type=float, default=30.0)


def run(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """One row a company and engine: model value by `check`, gap to the best bound any engine proved, seconds."""
    from optimizer.problem import build
    from optimizer.sample import baseline_toml, sample
    from optimizer.scenario import parse_scenario
    from optimizer.solve import solve

    rows = []
    for size in arguments.sizes:
        accounts, reps = map(int, size.split("x"))
        scenario = parse_scenario(tomllib.loads(baseline_toml(accounts, reps)))
        for seed in arguments.seeds:
            problem = build(sample(accounts, reps, seed), scenario)
            results = {e: solve(problem, e, arguments.time_limit, gap=0.0, seed=1) for e in arguments.engines}
            bounds = {e: (r.bound, r.bound_by) for e, r in results.items() if r.bound == r.bound}
            least, by = min(bounds.values()) if bounds else (float("nan"), "")
            for engine, result in results.items():
                gap = (least - result.objective) / abs(least) if result.plan is not None else float("nan")
                rows.append(
                    {
                        "company": f"{accounts} × {reps}, seed {seed}",
                        "engine": engine,
                        "status": result.status,
                        "value": f"{result.objective:,.0f}",
                        "gap_to_best_bound": f"{gap:.3%}",
                        "best_bound_by": by,
                        "seconds": round(result.seconds, 1),
                    }
                )
    return rows
