"""What is solved: a sample company, a scenario, or a file of a classical problem. Named here, loaded where it is run."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from optimizer.core import Core
from optimizer.errors import UsageError
from optimizer.problem import Problem

#: what a position of a sample company costs, as a share of what a rep like that does
AT = 0.25
#: files that stand beside instances and are none
NO_INSTANCE = (".csv", ".md", ".json", ".xlsx", ".pdf")


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance: its name, the group it is summed up in, and where it comes from. `best_known` and `lower_bound` are
    of the cost to minimise; NaN where nothing is known. `without` names reps who leave; with `positions` so many could be hired,
    each like one of the reps there are and for `AT` of that rep's cost."""

    name: str
    group: str
    kind: Literal["sample", "book", "gap", "sscflp"]
    accounts: int = 0
    reps: int = 0
    seed: int = 1
    path: str = ""
    tables: str = ""
    without: tuple[str, ...] = ()
    positions: int = 0
    best_known: float = float("nan")
    lower_bound: float = float("nan")

    @property
    def minimise(self) -> bool:
        """A classical problem: its model value is minus a cost."""
        return self.kind in ("gap", "sscflp")

    def load(self) -> Problem | Core:
        """The problem of a company, the bare core of a classical file. Raises `UsageError` or `InputError`."""
        if self.kind == "gap":
            from benchmarks.gap import read_gap

            return read_gap(Path(self.path))
        if self.kind == "sscflp":
            from benchmarks.sscflp import read_sscflp

            return read_sscflp(Path(self.path))
        return self.company()

    def company(self) -> Problem:
        """The problem of a sample company under the full rule set, or of a scenario."""
        from optimizer.problem import build, open_company
        from optimizer.sample import baseline_toml, sample
        from optimizer.scenario import parse_scenario

        if self.kind == "book":
            tables, scenario, findings = open_company(self.path, self.tables or None)
            findings.raise_errors()
            return build(tables, scenario)
        document = tomllib.loads(baseline_toml(self.accounts, self.reps))
        tables = sample(self.accounts, self.reps, self.seed)
        if self.without or self.positions:
            added = _positions(tables.reps, self.positions)
            document["reps"] = {**document.get("reps", {}), "remove": list(self.without), "add": added}
        return build(tables, parse_scenario(document))


def _positions(reps: pd.DataFrame, count: int) -> list[dict[str, Any]]:
    """Rows of so many open positions, each like another rep, evenly chosen."""
    like = reps.iloc[np.linspace(0, len(reps), count, endpoint=False).astype(int)]
    texts, numbers = ["regions", "skills", "languages", "industries"], ["capacity_hours", "max_accounts", "quota"]
    return [
        {"rep_id": f"new-{i}", "name": f"Position {i}", "open": True, "cost": AT * float(row["cost"])}
        | {name: str(row[name]) for name in texts if pd.notna(row[name])}
        | {name: float(row[name]) for name in numbers if pd.notna(row[name])}
        for i, (_, row) in enumerate(like.iterrows(), 1)
    ]


def samples(sizes: Iterable[str], seeds: Iterable[int], positions: int = 0) -> list[Instance]:
    """Sample companies of sizes such as `1000x20`, every seed of each, with so many open positions. Raises `UsageError` for
    another form."""
    out = []
    for size in sizes:
        accounts, cross, reps = size.partition("x")
        if not (cross and accounts.isdigit() and reps.isdigit()):
            raise UsageError(f"{size} is no size; write ACCOUNTSxREPS, for example 1000x20")
        group = f"{int(accounts):,} × {int(reps):,}" + (f" + {positions}" if positions else "")
        shape = int(accounts), int(reps)
        out += [Instance(f"{group}, seed {s}", group, "sample", *shape, s, positions=positions) for s in seeds]
    return out


def files(named: Sequence[str]) -> list[Path]:
    """The instance files behind names, globs and folders. Raises `UsageError` for a name that gives none."""
    out: list[Path] = []
    for name in named:
        found = [Path(name)] if Path(name).exists() else _matches(name)
        inside = [f for p in found for f in (sorted(p.rglob("*")) if p.is_dir() else [p]) if f.is_file()]
        inside = [f for f in inside if f.suffix.lower() not in NO_INSTANCE and not f.name.startswith(".")]
        if not inside:
            raise UsageError(f"{name} names no instance file")
        out += inside
    return list(dict.fromkeys(out))


def _matches(pattern: str) -> list[Path]:
    """What a glob that the shell has not expanded stands for."""
    path = Path(pattern)
    return sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def classical(
    kind: Literal["gap", "sscflp"], named: Sequence[str], suffixes: tuple[str, ...], best_known: str | None
) -> list[Instance]:
    """The files of a classical problem with what is known of each: from the table given, else from the
    `best_known.csv` beside a file or in a folder above it."""
    out = []
    for path in files(named):
        name = stem(path, suffixes)
        known = _known(Path(best_known) if best_known else _table_above(path)).get(name, {})
        one = Instance(name, known.get("type") or path.parent.name, kind, path=str(path))
        best, lower = (_number(known.get(k, "")) for k in ("best_known", "lower_bound"))
        out.append(replace(one, best_known=best, lower_bound=lower))
    return out


def stem(path: Path, suffixes: tuple[str, ...]) -> str:
    """The file's name without the endings of its format."""
    name = path.name
    for suffix in suffixes:
        name = name.removesuffix(suffix)
    return name


def _table_above(path: Path) -> Path | None:
    return next((p / "best_known.csv" for p in path.resolve().parents[:3] if (p / "best_known.csv").exists()), None)


def _known(table: Path | None) -> dict[str, dict[str, str]]:
    if table is None:
        return {}
    with table.open(encoding="utf-8", newline="") as lines:
        return {row["instance"]: row for row in csv.DictReader(lines)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def one_row_a_rep(
    cost: np.ndarray, load: np.ndarray, capacity: np.ndarray, by_option: bool, fixed: np.ndarray | None = None
) -> Core:
    """The core of a classical problem: every unit mandatory, one hard capacity row a rep, value minus `cost` [U, M].

    `load` is [U, M] where it depends on the rep (`by_option`), else [U]. With `fixed` [M] every rep is an open position
    of that cost, and its row counts only when it is used.
    """
    units, reps = cost.shape
    k = units * reps
    return Core(
        start=np.arange(units + 1, dtype=np.int64) * reps,
        rep=np.tile(np.arange(reps, dtype=np.int32), units),
        value=-np.ascontiguousarray(cost, dtype=float).reshape(k),
        mandatory=np.ones(units, dtype=bool),
        unit_coef=np.zeros((0, units)) if by_option else np.array(load, dtype=float).reshape(1, units),
        option_coef=np.array(load, dtype=float).reshape(1, k) if by_option else np.zeros((0, k)),
        unit_row=np.zeros((0, units), dtype=np.int32),
        rep_row=np.arange(reps, dtype=np.int32).reshape(1, reps),
        factor=np.array([[int(by_option), 0, 1, 0]], dtype=np.int64),
        lower=np.full(reps, -np.inf),
        upper=np.array(capacity, dtype=float),
        penalty=np.full(reps, np.inf),
        position=np.full(reps, -1, dtype=np.int32) if fixed is None else np.arange(reps, dtype=np.int32),
        is_open=np.full(reps, fixed is not None),
        cost=np.zeros(reps) if fixed is None else np.array(fixed, dtype=float),
        offset=np.zeros(reps),
    )
