"""The compiled loops. Each is one loop nest over the arrays of a `Core`; the algorithms around them live elsewhere.

numba keeps compiled code in a folder of the user's, by version of this package; where it cannot, it compiles in memory.
"""

from __future__ import annotations

import os
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def _cache_folder() -> str:
    try:
        release = version("bookfit")
    except PackageNotFoundError:
        release = "source"
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bookfit" / f"kernels-{release}"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return str(home)
    except OSError:
        return tempfile.mkdtemp(prefix="bookfit-kernels-")


os.environ.setdefault("NUMBA_CACHE_DIR", _cache_folder())

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402


@njit(cache=True, nogil=True)
def best_options(start, rep, value, mandatory, unit_coef, option_coef, unit_row, rep_row, factor, prices, best, choice):  # type: ignore[no-untyped-def]
    """The best option of every unit at these prices.

    `prices` [R + 1] ends with a 0 (row -1). Fills `best` [U], the largest price-adjusted value (0 where leaving the unit
    unserved is better and allowed, -inf where a mandatory unit has no option), and `choice` [U], its option or -1.
    """
    for u in range(len(start) - 1):
        base = 0.0
        for f in range(len(factor)):
            if factor[f, 0] == 0 and factor[f, 2] == 0:
                base += prices[unit_row[factor[f, 3], u]] * unit_coef[factor[f, 1], u]
        top, at = (-np.inf, -1) if mandatory[u] else (0.0, -1)
        for k in range(start[u], start[u + 1]):
            worth = value[k] - base
            for f in range(len(factor)):
                if factor[f, 0] == 1:
                    row = rep_row[factor[f, 3], rep[k]] if factor[f, 2] == 1 else unit_row[factor[f, 3], u]
                    worth -= prices[row] * option_coef[factor[f, 1], k]
                elif factor[f, 2] == 1:
                    worth -= prices[rep_row[factor[f, 3], rep[k]]] * unit_coef[factor[f, 1], u]
            if worth > top:
                top, at = worth, k
        best[u] = top
        choice[u] = at


@njit(cache=True, nogil=True)
def row_of(f, u, r, unit_row, rep_row, factor):  # type: ignore[no-untyped-def]
    """The row that factor `f` counts an option of unit `u` and rep `r` in; -1 for none."""
    return rep_row[factor[f, 3], r] if factor[f, 2] == 1 else unit_row[factor[f, 3], u]


@njit(cache=True, nogil=True)
def amount_of(f, u, k, unit_coef, option_coef, factor):  # type: ignore[no-untyped-def]
    """What option `k` of unit `u` adds to its row by factor `f`."""
    return option_coef[factor[f, 1], k] if factor[f, 0] == 1 else unit_coef[factor[f, 1], u]


@njit(cache=True, nogil=True)
def take(u, k, rep, unit_coef, option_coef, unit_row, rep_row, factor, usage, choice):  # type: ignore[no-untyped-def]
    """Give unit `u` option `k`, and add what it uses to `usage` [R + 1]."""
    choice[u] = k
    for f in range(len(factor)):
        row = row_of(f, u, rep[k], unit_row, rep_row, factor)
        if row >= 0:
            usage[row] += amount_of(f, u, k, unit_coef, option_coef, factor)


@njit(cache=True, nogil=True)
def place(  # type: ignore[no-untyped-def]
    order,
    start,
    rep,
    rank,
    unit_coef,
    option_coef,
    unit_row,
    rep_row,
    factor,
    lower,
    upper,
    hard,
    usage,
    choice,
    needy,
):
    """Give units, in this order, the first option by `rank` [K] (larger first) that no hard row forbids.

    `usage` [R + 1] is kept up to date and starts at what `choice` [U] uses. With `needy`, only options count that bring
    a hard row towards bounds it does not meet yet. An option may not worsen a row that is outside its bounds or leave
    them; rows below their lower bound may always rise. Units that have a choice are passed over.
    """
    for i in range(len(order)):
        u = order[i]
        if choice[u] >= 0:
            continue
        at, top = -1, -np.inf
        for k in range(start[u], start[u + 1]):
            if rank[k] <= top:
                continue
            fits, helps = True, False
            for f in range(len(factor)):
                row = row_of(f, u, rep[k], unit_row, rep_row, factor)
                if row < 0 or not hard[row]:
                    continue
                a = amount_of(f, u, k, unit_coef, option_coef, factor)
                after = usage[row] + a
                slack = 1e-9 * max(1.0, abs(upper[row]) if upper[row] < np.inf else 1.0)
                if a > 0.0 and after > upper[row] + slack:
                    fits = False
                    break
                if a < 0.0 and after < lower[row] - slack:
                    fits = False
                    break
                if (a > 0.0 and usage[row] < lower[row]) or (a < 0.0 and usage[row] > upper[row]):
                    helps = True
            if fits and (helps or not needy):
                at, top = k, rank[k]
        if at >= 0:
            take(u, at, rep, unit_coef, option_coef, unit_row, rep_row, factor, usage, choice)


@njit(cache=True, nogil=True)
def level_out(  # type: ignore[no-untyped-def]
    order,
    start,
    rep,
    size,
    load_of_rep,
    weight,
    unit_coef,
    option_coef,
    unit_row,
    rep_row,
    factor,
    lower,
    upper,
    hard,
    usage,
    choice,
):
    """Largest first onto the least loaded eligible rep: for units in this order, the option whose rep has the smallest
    `load_of_rep` [M] ÷ `weight` [M] and that no hard row forbids; `size` [U] is added to the load."""
    for i in range(len(order)):
        u = order[i]
        if choice[u] >= 0:
            continue
        at, least = -1, np.inf
        for k in range(start[u], start[u + 1]):
            load = load_of_rep[rep[k]] / weight[rep[k]]
            if load >= least:
                continue
            fits = True
            for f in range(len(factor)):
                row = row_of(f, u, rep[k], unit_row, rep_row, factor)
                if row < 0 or not hard[row]:
                    continue
                a = amount_of(f, u, k, unit_coef, option_coef, factor)
                if (a > 0.0 and usage[row] + a > upper[row]) or (a < 0.0 and usage[row] + a < lower[row]):
                    fits = False
                    break
            if fits:
                at, least = k, load
        if at >= 0:
            load_of_rep[rep[at]] += size[u]
            take(u, at, rep, unit_coef, option_coef, unit_row, rep_row, factor, usage, choice)
