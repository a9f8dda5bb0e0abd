"""Single-source capacitated facility location as "which positions to open": gap to the best known cost."""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks import peers
from benchmarks.instances import classical, one_row_a_rep, stem
from benchmarks.runs import Run
from optimizer.core import Core
from optimizer.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", help="files (.plc, .txt, .gz or not), globs or folders")
    parser.add_argument("--best-known", help="CSV with instance, type, best_known, lower_bound")
    peers.add_arguments(parser, ["prices", "cpsat", "highs", "scip"])


def measure(arguments: argparse.Namespace) -> Iterator[Run]:
    """One run a file, engine and engine seed."""
    instances = classical("sscflp", arguments.files, (".gz", ".plc", ".txt"), arguments.best_known)
    return peers.race(instances, arguments, lambda _: 60.0)


tables = peers.tables


def read_sscflp(path: Path) -> Core:
    """A `.plc` file (costs per unit of demand) or a `.txt` one (OR-Library: costs of the whole demand), gzipped or not.

    Raises `UsageError` for another ending, a capacity that is the word, or another number of numbers than the head says.
    """
    data = path.read_bytes()
    words = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("ascii").split()
    ending = Path(stem(path, (".gz",))).suffix
    if ending not in (".plc", ".txt"):
        raise UsageError(f"{path.name}: the format shows in the ending, .plc or .txt")
    if "capacity" in words:
        raise UsageError(f"{path.name} says `capacity` where the number belongs; write the capacity in")
    numbers = np.array(words, dtype=float)
    m, n = (int(x) for x in (numbers[:2] if ending == ".txt" else numbers[1::-1]))
    if len(numbers) != 2 + 2 * m + n + m * n:
        raise UsageError(
            f"{path.name} holds {len(numbers):,} numbers; {m} facilities × {n} customers need another count"
        )
    body = numbers[2:]
    if ending == ".txt":
        capacity, fixed = body[: 2 * m].reshape(m, 2).T
        customers = body[2 * m :].reshape(n, 1 + m)
        demand, cost = customers[:, 0], customers[:, 1:]
    else:
        demand, capacity, fixed = body[:n], body[n : n + m], body[n + m : n + 2 * m]
        cost = body[n + 2 * m :].reshape(m, n).T * demand[:, None]
    return one_row_a_rep(cost, demand, capacity, by_option=False, fixed=fixed)
