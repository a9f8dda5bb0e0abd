"""Several engines on the same instances with the same time: rows, who wins, and medians by group."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.instances import Instance
from benchmarks.runs import NAN, SAME, Run, Task, as_row, make, refusal, said
from optimizer.engines import NAMES
from optimizer.errors import UsageError
from optimizer.prepare import prepare

OURS = "prices"
#: what is built as a whole model and asked only where it can hold it
WHOLE_MODEL = ("cpsat", "highs", "scip")
PEER_OPTIONS = 2_000_000
#: columns in the order a reader wants them; the others follow
FIRST = ("instance", "engine", "status", "value", "best_known", "gap", "gap_to", "bound", "bound_by", "seconds")


def add_arguments(parser: argparse.ArgumentParser, engines: Sequence[str]) -> None:
    """The arguments of every race. `engines` are its engines where none are asked for."""
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=[e for e in engines if e in NAMES])
    parser.add_argument("--ours", default=OURS, help="the engine that the verdict is about")
    parser.add_argument("--time-limit", type=float, help="seconds a run; by instance where it is not given")
    parser.add_argument("--gap", type=float, default=0.0, help="share at which to stop; 0 asks for proof")
    parser.add_argument("--engine-seeds", type=int, nargs="+", default=[1], help="seeds of the engines")
    parser.add_argument("--threads", type=int, default=2)
    more = f"{', '.join(WHOLE_MODEL)} are not tried on more options than this"
    parser.add_argument("--peer-options", type=int, default=PEER_OPTIONS, help=more)


def race(
    instances: Sequence[Instance], arguments: argparse.Namespace, seconds: Callable[[Instance], float]
) -> Iterator[Run]:
    """One run an instance, engine and engine seed, each told on stderr as it ends."""
    tasks = [
        Task(
            instance,
            engine,
            arguments.time_limit or seconds(instance),
            arguments.gap,
            seed,
            arguments.threads,
            arguments.peer_options if engine in WHOLE_MODEL and engine != arguments.ours else None,
        )
        for instance in instances
        for engine in arguments.engines
        for seed in arguments.engine_seeds
    ]
    if not tasks:
        raise UsageError("nothing to run")
    prepare()
    options: dict[Instance, int] = {}
    began = time.time()
    for number, task in enumerate(tasks, 1):
        run = refusal(task, options.get(task.instance, 0)) or make(task)
        options[task.instance] = run.options
        print(said(run, number, len(tasks), began), file=sys.stderr, flush=True)
        yield run


def tables(runs: Sequence[Run], arguments: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Every run with its gap, the verdict on each instance, and the summary by group and engine."""
    rows = with_gaps(runs)
    return {
        "Runs": rows,
        "Verdict": [verdict(list(of), arguments.ours) for _, of in _by(rows, "instance")],
        "Summary": [summed(list(of)) for _, of in _by(rows, "group", "engine")],
    }


def with_gaps(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The runs as rows. `gap` is a share: of the best known cost where one is known, else of the best bound that any
    engine proved on the instance. A bound below a plan that passed the check, or on the wrong side of
    the best known by more than its rounding (0.01), is false and proves nothing."""
    rows = []
    for _, some in _by([as_row(r) for r in runs], "instance"):
        of = list(some)
        best = max((r["value"] for r in of if np.isfinite(r["value"])), default=-np.inf)
        known = -min((r["best_known"] for r in of if np.isfinite(r["best_known"])), default=np.inf)
        for row in of:
            below = [
                w for w, v in (("a checked plan", best), ("the best known", known - 0.01)) if _under(row["bound"], v)
            ]
            if below:
                note = f"{row['note']}; bound beyond {' and '.join(below)}, so dropped".removeprefix("; ")
                row.update(bound=NAN, bound_by="", note=note)
                row["status"] = "FEASIBLE" if row["status"] == "OPTIMAL" else row["status"]
        proved = min(((r["bound"], r["engine"], r["bound_by"]) for r in of if np.isfinite(r["bound"])), default=None)
        for row in of:
            rows.append(_shown(row, proved))
    return rows


def _under(bound: float, value: float) -> bool:
    """The bound is below a value that exists, beyond tolerance."""
    return bool(np.isfinite(value) and bound < value - 1e-6 * max(1.0, abs(value)))


def _shown(row: dict[str, Any], proved: tuple[float, str, str] | None) -> dict[str, Any]:
    value, best_known = row["value"], row["best_known"]
    if np.isfinite(best_known):
        gap = (-value - best_known) / abs(best_known)
        against = "best known"
    else:
        gap = (proved[0] - value) / max(abs(proved[0]), abs(value), 1.0) if proved else NAN
        against = f"{proved[1]}: {proved[2]}" if proved else ""
    if row["minimise"] and -value < row["lower_bound"] * (1 - 1e-6):
        row["note"] = f"{row['note']}; below the known lower bound: one of the two is wrong".removeprefix("; ")
    row |= {"gap": gap, "gap_to": against, "proved_bound": proved[0] if proved else NAN}
    return {name: row[name] for name in dict.fromkeys([*FIRST, *row])}


def verdict(rows: Sequence[dict[str, Any]], ours: str) -> dict[str, Any]:
    """Is any peer's plan better than ours on this instance? Equal plans go to the one that had its own first."""
    out: dict[str, Any] = {"instance": rows[0]["instance"], "minimise": rows[0]["minimise"]}
    own, peer = (_best([r for r in rows if (r["engine"] == ours) is mine]) for mine in (True, False))
    out |= {"value": own["value"] if own else NAN, "seconds_to_best": own["seconds_to_best"] if own else NAN}
    out |= {"best_peer": peer["engine"] if peer else "", "peer_value": peer["value"] if peer else NAN}
    out |= {"peer_seconds_to_best": peer["seconds_to_best"] if peer else NAN}
    if own is None or peer is None:
        none = "nobody has a plan" if own is peer else f"only {ours} has a plan" if own else f"{ours} has no plan"
        return {**out, "better_by": NAN, "verdict": none}
    better = (own["value"] - peer["value"]) / max(1.0, abs(own["value"]), abs(peer["value"]))
    if abs(better) > SAME:
        return {**out, "better_by": better, "verdict": f"{ours if better > 0 else peer['engine']} is better"}
    first = ours if own["seconds_to_best"] <= peer["seconds_to_best"] else peer["engine"]
    return {**out, "better_by": 0.0, "verdict": f"equal, {first} first"}


def _best(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The row of the best plan; among equals the one that had it first."""
    found = [r for r in rows if np.isfinite(r["value"])]
    if not found:
        return None
    top = max(r["value"] for r in found)
    equal = [r for r in found if r["value"] >= top - SAME * max(1.0, abs(top))]
    return min(equal, key=lambda r: float(r["seconds_to_best"]))


def summed(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means and medians of one engine over the runs of a group; runs without a plan have no gap."""
    tried = [r for r in rows if r["limit_kept"] is not None]
    gaps = np.array([r["gap"] for r in rows if np.isfinite(r["gap"])])
    worst = max((r for r in rows if np.isfinite(r["gap"])), key=lambda r: float(r["gap"]), default=None)

    def middle(name: str) -> float:
        some = [r[name] for r in rows if np.isfinite(r[name])]
        return float(np.median(some)) if some else NAN

    return {
        "group": rows[0]["group"],
        "engine": rows[0]["engine"],
        "plans": f"{sum(bool(np.isfinite(r['value'])) for r in rows)} of {len(rows)}",
        "median_gap": float(np.median(gaps)) if len(gaps) else NAN,
        "mean_gap": float(gaps.mean()) if len(gaps) else NAN,
        "worst_gap": float(gaps.max()) if len(gaps) else NAN,
        "worst_instance": worst["instance"] if worst and len(rows) > 1 else "",
        "seconds": middle("seconds"),
        "seconds_to_best": middle("seconds_to_best"),
        "peak_gib": middle("peak_gib"),
        "limit_kept": f"{sum(bool(r['limit_kept']) for r in tried)} of {len(tried)}",
    }


def _by(rows: Iterable[dict[str, Any]], *names: str) -> Iterator[tuple[tuple[Any, ...], list[dict[str, Any]]]]:
    """The rows by the values of some columns, in the order in which these first appear."""
    out: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        out.setdefault(tuple(row[n] for n in names), []).append(row)
    yield from out.items()
