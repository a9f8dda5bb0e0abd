"""Any scenarios: every engine with the same time, judged the same."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks import peers
from benchmarks.instances import Instance
from benchmarks.runs import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenarios", nargs="+", help="scenario folders or .toml files")
    parser.add_argument("--tables", default="", help="another folder or workbook to take the tables from")
    peers.add_arguments(parser, ["prices", "cpsat", "highs", "scip", "greedy", "balance"])


def measure(arguments: argparse.Namespace) -> Iterator[Run]:
    """One run a scenario and engine."""
    named = [(Path(s), s) for s in arguments.scenarios]
    names = [f"{p.resolve().parent.name}/{p.stem}" if p.suffix == ".toml" else p.resolve().name for p, _ in named]
    instances = [
        Instance(name, name, "book", path=path, tables=arguments.tables)
        for name, (_, path) in zip(names, named, strict=True)
    ]
    return peers.race(instances, arguments, lambda _: 60.0)


tables = peers.tables
