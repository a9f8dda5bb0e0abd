"""The engines. To add one: a file of its own, and a line here.

Engines are named here with the module that holds them, and imported only where they run: a solver package is loaded by
the process that needs it and by no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib import import_module

from optimizer.engines.base import Answer, Engine, Limits, Progress, Report
from optimizer.errors import unknown


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an engine is, whether it can prove optimality, and what it does, without importing it. `exact_by` names the
    exact engines that it is given for sub-problems. `bytes_per_option` is what its process holds for an option at its
    peak, beyond the problem's own arrays: the peak resident memory of a child with two threads on sample companies of
    12,000 to 16,500,000 options, less `preflight.PROCESS`, `preflight.BYTES_PER_UNIT` and the arrays, in a minute's solve.
    Exact engines were measured up to 180,000 options; a long search can take them further."""

    name: str
    module: str
    cls: str
    exact: bool
    about: str
    bytes_per_option: int
    exact_by: tuple[str, ...] = ()


ENGINES: tuple[Entry, ...] = (
    Entry(
        "prices",
        "optimizer.engines.prices",
        "Prices",
        False,
        "prices, then local search below the bound they prove",
        60,
        ("highs", "cpsat", "scip"),
    ),
    Entry("cpsat", "optimizer.engines.cpsat", "CpSat", True, "OR-Tools CP-SAT on the whole model", 15_000),
    Entry("highs", "optimizer.engines.highs", "Highs", True, "HiGHS branch and cut on the whole model", 2_500),
    Entry("scip", "optimizer.engines.scip", "Scip", True, "SCIP branch and cut on the whole model", 4_000),
    Entry(
        "greedy",
        "optimizer.engines.greedy",
        "Greedy",
        False,
        "biggest first, each to the rep worth most with room",
        40,
    ),
    Entry("balance", "optimizer.engines.greedy", "Balance", False, "biggest first, each onto the least loaded rep", 40),
)


NAMES = tuple(e.name for e in ENGINES)


def entry(name: str) -> Entry:
    """The entry of an engine. Raises `UsageError` listing the known ones."""
    found = {e.name: e for e in ENGINES}
    if name not in found:
        raise unknown("engine", name, [*NAMES, "auto"])
    return found[name]


def load(name: str) -> Engine:
    """The engine itself; imports its solver."""
    e = entry(name)
    engine: Engine = getattr(import_module(e.module), e.cls)(*(partial(load, other) for other in e.exact_by))
    return engine


def choose(options: int, rows: int) -> tuple[str, str]:
    """The engine `auto` takes for a problem of this size, and why, in words."""
    return "prices", f"best plans at every size measured; this problem has {options:,} options and {rows:,} limit rows"


__all__ = ["ENGINES", "NAMES", "Answer", "Engine", "Limits", "Progress", "Report", "choose", "entry", "load"]
