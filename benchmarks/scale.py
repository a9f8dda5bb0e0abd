"""Sample companies with the full rule set, small to very large: every engine with the same time, judged the same."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from benchmarks import peers
from benchmarks.instances import Instance, samples
from benchmarks.runs import Run

SIZES = ("200x10", "1000x20", "10000x200", "100000x1000", "1000000x2000")
#: up to this many accounts: seconds
SECONDS = ((500, 30.0), (5_000, 60.0), (50_000, 30.0), (500_000, 60.0))
MOST_SECONDS = 180.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), help="ACCOUNTSxREPS …")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="seeds of the companies")
    parser.add_argument("--positions", type=int, default=0, help="so many open positions beside the reps")
    peers.add_arguments(parser, ["prices", "cpsat", "highs", "scip", "greedy", "balance"])


def measure(arguments: argparse.Namespace) -> Iterator[Run]:
    """One run a company and engine."""
    return peers.race(samples(arguments.sizes, arguments.seeds, arguments.positions), arguments, seconds)


def seconds(instance: Instance) -> float:
    """The time limit of a company where none is asked for."""
    return next((limit for most, limit in SECONDS if instance.accounts <= most), MOST_SECONDS)


tables = peers.tables
