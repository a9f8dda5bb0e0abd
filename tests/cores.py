"""Random small problems as arrays, and their optimum by plain enumeration."""

from __future__ import annotations

from itertools import product

import numpy as np

from optimizer.core import TOLERANCE, Core

#: more choices than this are not enumerated
MOST_CHOICES = 60_000


def random_core(seed: int, units: int = 12, reps: int = 4) -> Core:
    """Up to `units` × `reps`: hard and soft, one- and two-sided limits per rep, group and company, mandatory units and
    open positions. Bounds lie about some random plan, so that most problems can be met and many bounds bind."""
    rng = np.random.default_rng(seed)
    u, m = int(rng.integers(1, units + 1)), int(rng.integers(1, reps + 1))
    choices = [np.flatnonzero(rng.random(m) < 0.75) for _ in range(u)]
    levels = int(rng.integers(1, 3))
    start = np.concatenate([[0], np.cumsum([len(c) * levels for c in choices])])
    rep = np.concatenate([np.repeat(c, levels) for c in choices]).astype(np.int32)
    k = len(rep)
    mandatory = rng.random(u) < rng.choice([0.0, 0.2, 0.6])
    mandatory &= np.diff(start) > 0
    is_open = rng.random(m) < rng.choice([0.0, 0.4])
    value = np.round(rng.normal(60, 50, k), 2)
    unit_coef = np.stack([np.ones(u), _numbers(rng, u), _numbers(rng, u)])
    option_coef = np.stack([np.abs(_numbers(rng, k)), _numbers(rng, k) * (rng.random(k) < 0.5)])
    groups = rng.integers(-1, 3, u)
    blocks, factor, unit_row, rep_row, position, first = [], [], [], [], [], 0
    for _ in range(int(rng.integers(0, 5))):
        by_option, by_rep = int(rng.random() < 0.5), int(rng.random() < 0.6)
        coef = int(rng.integers(0, 2 if by_option else 3))
        if by_rep:
            count, row = m, np.arange(m)
        else:
            count, row = (3, groups) if rng.random() < 0.6 else (1, np.zeros(u, int))
        factor.append((by_option, coef, by_rep, len(rep_row) if by_rep else len(unit_row)))
        (rep_row if by_rep else unit_row).append(np.where(row >= 0, row + first, -1))
        position += list(np.where(is_open, np.arange(m), -1) if by_rep else np.full(count, -1))
        blocks.append((count, np.inf if rng.random() < 0.6 else float(np.round(rng.uniform(0.1, 9.0), 2))))
        first += count
    rows = first
    core = Core(
        start=start.astype(np.int64),
        rep=rep,
        value=value,
        mandatory=mandatory,
        unit_coef=unit_coef,
        option_coef=option_coef,
        unit_row=np.array(unit_row, dtype=np.int32).reshape(-1, u),
        rep_row=np.array(rep_row, dtype=np.int32).reshape(-1, m),
        factor=np.array(factor, dtype=np.int64).reshape(-1, 4),
        lower=np.full(rows, -np.inf),
        upper=np.full(rows, np.inf),
        penalty=np.concatenate([np.zeros(0), *(np.full(n, p) for n, p in blocks)]),
        position=np.array(position, dtype=np.int32).reshape(-1),
        is_open=is_open,
        cost=np.round(rng.uniform(0, 80, m), 2),
        offset=np.zeros(rows),
    )
    spread = np.append(rng.random(u), 1.0)
    plan = np.array(
        [
            rng.integers(s, e) if e > s and (x < 0.75 or must) else -1
            for s, e, must, x in zip(start[:-1], start[1:], mandatory, spread, strict=False)
        ]
    )
    used = core.usage(plan.astype(np.int64))
    slack = np.round(np.abs(rng.normal(0, 6, (2, rows))), int(rng.integers(0, 3))) * (rng.random((2, rows)) < 0.7)
    lower = np.where(rng.random(rows) < 0.35, used - slack[0], -np.inf)
    upper = np.where(rng.random(rows) < 0.75, used + slack[1], np.inf)
    return _with(core, lower=lower, upper=upper)


def _with(core: Core, **changed: np.ndarray) -> Core:
    from dataclasses import replace

    return replace(core, **changed)


def _numbers(rng: np.random.Generator, size: int) -> np.ndarray:
    """Whole, in hundredths, or with all the digits a double has; a few negative."""
    raw = rng.uniform(-2, 12, size)
    return (np.round(raw), np.round(raw, 2), raw)[int(rng.choice([0, 1, 2], p=[0.4, 0.45, 0.15]))]


def count_choices(core: Core) -> float:
    return float(np.prod(np.diff(core.start) + ~core.mandatory, dtype=float))


def best_by_enumeration(core: Core) -> tuple[float, np.ndarray | None]:
    """The best plan and its model value, from the formulas of design.md §3; (-inf, None) where there is no plan."""
    spans = [
        ([] if must else [-1]) + list(range(s, e))
        for s, e, must in zip(core.start[:-1], core.start[1:], core.mandatory, strict=True)
    ]
    choices = np.array(list(product(*spans)), dtype=np.int64).reshape(-1, core.units)
    if not len(choices):
        return -np.inf, None
    taken = np.zeros((len(choices), core.options))
    p, u = np.nonzero(choices >= 0)
    taken[p, choices[p, u]] = 1.0
    usage = taken @ core.matrix().toarray().T
    used = (
        (taken @ np.eye(len(core.is_open))[core.rep]) > 0
        if core.options
        else np.zeros((len(choices), len(core.is_open)), bool)
    )
    filled = np.where(core.position >= 0, used[:, core.position], True)
    lower = np.where(np.isfinite(core.lower) & ~filled, 0.0, core.lower)
    upper = np.where(np.isfinite(core.upper) & ~filled, 0.0, core.upper)
    over, under = np.maximum(usage - upper, 0.0), np.maximum(lower - usage, 0.0)
    hard = np.isinf(core.penalty)
    fits = (over <= TOLERANCE * np.maximum(1, np.abs(upper))) & (under <= TOLERANCE * np.maximum(1, np.abs(lower)))
    value = (
        taken @ core.value
        - ((over + under) * np.where(hard, 0.0, core.penalty)).sum(axis=1)
        - used @ (core.cost * core.is_open)
    )
    value = np.where((fits | ~hard).all(axis=1), value, -np.inf)
    best = int(np.argmax(value))
    return (float(value[best]), choices[best]) if np.isfinite(value[best]) else (-np.inf, None)
