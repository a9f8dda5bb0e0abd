"""`python -m benchmarks NAME [--json]`: run one benchmark and print its table."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks import build, engines
from benchmarks.machine import describe

#: the benchmarks by name; each has `add_arguments(parser)` and `run(arguments) -> list[dict]`
BENCHMARKS = {"build": build, "engines": engines}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, module in BENCHMARKS.items():
        command = commands.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        command.add_argument("--json", action="store_true", help="write JSON")
        module.add_arguments(command)
    arguments = parser.parse_args()
    rows = BENCHMARKS[arguments.name].run(arguments)
    if arguments.json:
        json.dump({"machine": describe(), "benchmark": arguments.name, "rows": rows}, sys.stdout, indent=1)
    else:
        print(describe()["text"])
        print(table(rows))
    return 0


def table(rows: list[dict[str, object]]) -> str:
    """The rows as a Markdown table."""
    names = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row.get(name, "")) for name in names) + " |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
