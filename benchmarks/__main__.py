"""`python -m benchmarks NAME [--json]`: run one benchmark and print its tables."""

from __future__ import annotations

import argparse
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import books, cancel, gap, profile, resolve, scale, sscflp
from benchmarks.machine import describe
from benchmarks.show import markdown
from optimizer.errors import BookfitError

#: by name; each has `add_arguments(parser)`, `measure(arguments)` that yields runs, `tables(runs, arguments)` by title
BENCHMARKS: Mapping[str, Any] = {
    "scale": scale,
    "gap": gap,
    "sscflp": sscflp,
    "books": books,
    "profile": profile,
    "resolve": resolve,
    "cancel": cancel,
}


def main(words: Sequence[str] | None = None) -> int:
    """Ctrl-C ends a benchmark with what is there."""
    words = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(dest="name", required=True)
    for name, module in BENCHMARKS.items():
        command = commands.add_parser(name, help=(module.__doc__ or "").splitlines()[0])
        command.add_argument("--json", action="store_true", help="write JSON")
        module.add_arguments(command)
    arguments = parser.parse_args(words)
    module, runs, whole = BENCHMARKS[arguments.name], [], True
    try:
        for run in module.measure(arguments):
            runs.append(run)
    except KeyboardInterrupt:
        whole = False
        print("stopped by Ctrl-C: this is what is there", file=sys.stderr)
    except BookfitError as problem:
        print(problem, file=sys.stderr)
        return 2
    command_line = shlex.join(["python", "-m", "benchmarks", *(w for w in words if w != "--json")])
    tables = module.tables(runs, arguments) if runs else {}
    if arguments.json:
        head = {"machine": describe(), "command": command_line, "arguments": vars(arguments), "complete": whole}
        rows, *rest = tables or [""]
        body = {"rows": tables.get(rows, []), "summary": {title: tables[title] for title in rest}}
        json.dump(_plain({**head, **body}), sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        print(f"## `{command_line}`\n\n{describe()['text']}.")
        for title, rows in tables.items():
            print(f"\n### {title}\n\n{markdown(rows)}")
    return 0 if whole else 130


def _plain(thing: Any) -> Any:
    """JSON has no NaN: it is null there."""
    if isinstance(thing, Mapping):
        return {str(k): _plain(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple):
        return [_plain(v) for v in thing]
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else None
    return thing


if __name__ == "__main__":
    sys.exit(main())
