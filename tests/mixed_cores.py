"""Random tiny problems with every kind of row at once, for laws that must hold of any problem whatever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.core import Core
from tests.cores import random_core


def mixed_core(seed: int, units: int = 7, reps: int = 3) -> Core:
    """`random_core` with more: several factors a row, reps that count in company rows, rows with an offset, equalities.
    Bounds lie about a random plan, so most have one; now and then a mandatory unit that nobody may serve, or bounds
    beyond reach."""
    rng = np.random.default_rng([seed, 77])
    core = random_core(seed, units, reps)
    if len(core.factor):
        core = _more_factors(core, rng)
        core = _bounded(core, rng)
        if rng.random() < 0.04:  # too much asked
            lower = core.lower + 40.0
            core = replace(core, lower=lower, upper=np.maximum(core.upper, lower))
    if rng.random() < 0.03:
        core = replace(core, mandatory=core.mandatory | (np.diff(core.start) == 0))
    return core


def _more_factors(core: Core, rng: np.random.Generator) -> Core:
    factor, rep_row = [tuple(f) for f in core.factor], [*core.rep_row]
    free = np.flatnonzero(core.position < 0)
    if rng.random() < 0.5:
        by_option, _, by_rep, line = factor[int(rng.integers(len(factor)))]
        factor.append((1 - by_option, int(rng.integers(0, 2)), by_rep, line))
    if rng.random() < 0.3 and len(free):
        factor.append((int(rng.random() < 0.5), 1, 1, len(rep_row)))
        row = int(rng.choice(free))
        rep_row.append(np.where(rng.random(len(core.cost)) < 0.7, row, -1).astype(np.int32))
    unit_row = [*core.unit_row]
    by_unit = [f for f in factor if not f[2] and len(np.unique(unit_row[f[3]])) > 1]
    if by_unit and rng.random() < 0.5:  # a unit with members in several groups
        _, _, _, line = by_unit[int(rng.integers(len(by_unit)))]
        known = np.unique(unit_row[line])
        factor.append((int(rng.random() < 0.5), 1, 0, len(unit_row)))
        unit_row.append(known[(np.searchsorted(known, unit_row[line]) + 1) % len(known)].astype(np.int32))
    return replace(
        core,
        factor=np.array(factor, dtype=np.int64),
        unit_row=np.array(unit_row, dtype=np.int32).reshape(-1, core.units),
        rep_row=np.array(rep_row, dtype=np.int32).reshape(-1, len(core.cost)),
    )


def _bounded(core: Core, rng: np.random.Generator) -> Core:
    used = core.usage(random_plan(core, rng))
    room = np.round(np.abs(rng.normal(0, 5, (2, core.rows))), 2) * (rng.random((2, core.rows)) < 0.7)
    lower = np.where(rng.random(core.rows) < 0.4, used - room[0], -np.inf)
    upper = np.where(rng.random(core.rows) < 0.7, used + room[1], np.inf)
    moved = np.round(rng.normal(0, 50, core.rows), 1) * (rng.random(core.rows) < 0.3)
    return replace(core, lower=lower, upper=upper, offset=moved)


def random_plan(core: Core, rng: np.random.Generator, served: float = 0.75) -> np.ndarray:
    """[U] a random option of each unit that has one, or unserved where that is allowed."""
    count = np.diff(core.start)
    at = core.start[:-1] + np.floor(rng.random(core.units) * count).astype(np.int64)
    return np.where((count > 0) & (core.mandatory | (rng.random(core.units) < served)), at, -1)


def hit_twice(core: Core) -> np.ndarray:
    """[R] whether some option adds to the row by two factors, which kernels judge one by one."""
    hits = np.zeros((core.rows + 1, core.options), dtype=np.int64)
    for row, amount in core.contributions(np.arange(core.options)):
        np.add.at(hits, (row, np.arange(core.options)), amount != 0)
    return (hits[:-1] > 1).any(axis=1)
