"""All loops compiled for this machine, once, before the clock of its first solve starts: `python -m optimizer.prepare`.

Compiled by solving two tiny problems in every way there is, read from files as an engine's process reads them, for numba
compiles a loop for the types of the arrays that it is given.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import numpy as np

from optimizer import compiled
from optimizer.children import environment
from optimizer.core import Core
from optimizer.dual import find_prices, polished
from optimizer.engines.base import Limits, Progress
from optimizer.engines.run import run
from optimizer.problem import build
from optimizer.process import POLL
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario

#: accounts and reps of the tiny company, and the seconds whose work is done on it
ACCOUNTS, REPS, SECONDS = 120, 8, 2.0


def prepare(report: Callable[[Progress], bool | None] | None = None) -> float:
    """Compile what is not compiled yet, in a process of its own, and say how many seconds that took; 0 where all has been.
    `report` hears of it, and may return True to stop: what is left is compiled when it is first called."""
    if compiled.mark().exists():
        return 0.0
    began = monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "optimizer.prepare"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
    )
    try:
        while child.poll() is None:
            if report is not None and report(Progress(monotonic() - began, phase="compiling")):
                break
            sleep(POLL)
    finally:
        child.kill()
        child.wait()
    return monotonic() - began


def main() -> None:
    """Solves until nothing new is compiled: what comes late in a solve may miss its time while the rest is compiled."""
    known = -1
    with tempfile.TemporaryDirectory(prefix="bookfit-core-") as folder:
        while known < (known := sum(1 for _ in compiled.folder().rglob("*.nbc"))):
            for core, hint, deterministic in _problems():
                core.save(Path(folder))
                limits = Limits(SECONDS, 0.0, deterministic=deterministic)
                run("prices", loaded := Core.load(Path(folder)), limits, lambda _: False, hint)
                polished(loaded, find_prices(loaded, lp=False))
    next(_problems())[0].save(compiled.tiny())
    compiled.mark().touch()


def _problems() -> Iterator[tuple[Core, np.ndarray | None, bool]]:
    """A company under the usual rules with today's plan, to be solved by the clock and by counted work (which ascends where
    the other has an LP), and one in which nothing but capacity counts and all reps are open positions."""
    tables, document = sample(ACCOUNTS, REPS, 1), tomllib.loads(baseline_toml(ACCOUNTS, REPS))
    usual = build(tables, parse_scenario(document))
    for deterministic in (False, True):
        yield usual.core, usual.choice(usual.today), deterministic
    document["rules"] = [rule for rule in document["rules"] if rule["name"] == "hours"]
    document["reps"] = {"change": {rep: {"open": True, "cost": 1.0} for rep in tables.reps["rep_id"]}}
    yield build(tables, parse_scenario(document)).core, None, False


if __name__ == "__main__":
    main()
