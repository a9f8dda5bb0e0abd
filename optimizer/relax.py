"""Which rules would have to give way for a plan to exist: the smallest total slack, each divided by its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.core import Core
from optimizer.problem import Problem
from optimizer.result import Conflict


def elastic(problem: Problem) -> Core:
    """The problem with every hard row at a price of 1 ÷ |bound| and every mandatory unit at a price of 1, and nothing
    else to gain: its optimum is the smallest relaxation."""
    core, offset = problem.core, problem.limits["offset"].to_numpy(dtype=float)
    hard = np.isinf(core.penalty)
    shown = np.stack([np.abs(side + offset) for side in (core.lower, core.upper)])
    scale = np.maximum(1.0, np.where(np.isfinite(shown), shown, np.inf).min(axis=0))
    value = np.where(core.mandatory[core.unit], 1.0, 0.0)
    return replace(
        core,
        value=value,
        mandatory=np.zeros_like(core.mandatory),
        penalty=np.where(hard & np.isfinite(scale), 1.0 / scale, 1.0),
        lower=np.where(hard, core.lower, -np.inf),
        upper=np.where(hard, core.upper, np.inf),
        cost=np.zeros_like(core.cost),
    )


def conflicts(problem: Problem, choice: np.ndarray) -> tuple[Conflict, ...]:
    """What `choice` (an optimum of `elastic`) shows: one entry a rule, the largest relaxation first."""
    core, limits = elastic(problem), problem.limits
    out = core.shortfall(choice) * np.isinf(problem.core.penalty)
    out = np.where(out > 1e-6 * np.maximum(1.0, 1.0 / core.penalty), out, 0.0)
    found = []
    for rule in limits["rule"].unique():
        rows = np.flatnonzero((limits["rule"] == rule).to_numpy() & (out > 0))
        if not len(rows):
            continue
        share = float((out * core.penalty)[rows].sum())
        worst = rows[np.argmax(out[rows] * core.penalty[rows])]
        label, measure = limits["row"].iloc[worst], limits["measure"].iloc[worst]
        usage = core.usage(choice)[worst] + limits["offset"].iloc[worst]
        high = core.usage(choice)[worst] > core.upper[worst]
        bound = (core.upper if high else core.lower)[worst] + limits["offset"].iloc[worst]
        text = (
            f"rule {rule!r} would have to give way in {len(rows)} row{'s' * (len(rows) > 1)}: {label} would need "
            f"{'at most' if high else 'at least'} {usage:,.6g} {measure} instead of {bound:,.6g}"
        )
        found.append(Conflict(str(rule), len(rows), float(out[rows].sum()), share, text))
    left = problem.core.mandatory & (choice < 0)
    if left.any():
        ids = problem.scores.account_ids[problem.options.lead[np.flatnonzero(left)[:3]]]
        keeps = ", ".join(repr(r.name) for r in problem.scenario.active if r.kind == "keep") or "mandatory service"
        text = (
            f"{int(left.sum())} accounts that {keeps} ties to a rep cannot be served by that rep, such as {', '.join(ids)}: "
            "another rule forbids the pair, or the rep has no room"
        )
        found.append(Conflict(keeps.strip("'"), int(left.sum()), float(left.sum()), float(left.sum()), text))
    return tuple(sorted(found, key=lambda c: -c.share))
