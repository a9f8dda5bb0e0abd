"""Classical generalised-assignment files: gap to the best known cost, by file and by type."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.instances import classical, one_row_a_rep
from benchmarks.runs import Run
from optimizer.core import Core
from optimizer.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", help="files, globs or folders")
    parser.add_argument("--best-known", help="CSV with instance, type, best_known, lower_bound")
    peers.add_arguments(parser, ["prices", "cpsat", "highs", "scip"])


def measure(arguments: argparse.Namespace) -> Iterator[Run]:
    """One run a file, engine and engine seed."""
    instances = classical("gap", arguments.files, (".txt",), arguments.best_known)
    return peers.race(instances, arguments, lambda _: 60.0)


tables = peers.tables


def read_gap(path: Path) -> Core:
    """agents m, jobs n; m rows of n costs; m rows of n resource uses; m capacities. Raises `UsageError` for a file
    that holds another number of numbers."""
    numbers = np.array(path.read_text(encoding="ascii").split(), dtype=float)
    m, n = (int(x) for x in numbers[:2])
    if len(numbers) != 2 + 2 * m * n + m:
        raise UsageError(
            f"{path.name} holds {len(numbers):,} numbers, and {m} agents × {n} jobs need {2 + 2 * m * n + m:,}"
        )
    cost, use = (numbers[2 + i * m * n :][: m * n].reshape(m, n).T for i in (0, 1))
    return one_row_a_rep(cost, use, numbers[2 + 2 * m * n :], by_option=True)
