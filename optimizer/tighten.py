"""The same problem, said so that prices prove more: equal on every plan, tighter between plans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimizer.core import TOLERANCE, Core

#: a hard row's whole amounts are taken for that where its tolerance is less
WHOLE = 0.1


def tighten(core: Core) -> Core:
    """The core with hard rows of whole amounts at whole bounds, and soft upper bounds kept option by option."""
    return _alone(_whole(core))


def _whole(core: Core) -> Core:
    """The core with bounds of hard rows, all of whose amounts are whole, at the last whole numbers that keep them: at least 2.4
    accounts are at least 3, which no plan sees but a relaxation does (Chvátal 1973)."""
    allowed = TOLERANCE * np.maximum(1.0, np.abs(np.stack([core.lower, core.upper]) + core.offset))
    some = _hard_rows_of_whole_amounts(core)
    low, high = core.lower - allowed[0], core.upper + allowed[1]
    lower = np.where(allowed[0] < WHOLE, np.maximum(core.lower, np.ceil(low)), core.lower)
    upper = np.where(allowed[1] < WHOLE, np.minimum(core.upper, np.floor(high)), core.upper)
    some &= lower <= upper  # else no plan keeps the row, and it is left as it was said
    lower, upper = np.where(some, lower, core.lower), np.where(some, upper, core.upper)
    same = (lower == core.lower).all() and (upper == core.upper).all()
    return core if same else replace(core, lower=lower, upper=upper)


def _hard_rows_of_whole_amounts(core: Core) -> np.ndarray:
    """[R] hard rows to which every option adds a whole number, as far as that is soon seen."""
    whole = np.append(np.isinf(core.penalty), False)
    for by_option, coef, by_rep, line in core.factor:
        rows = core.rep_row[line] if by_rep else core.unit_row[line]
        if not whole[rows].any():
            continue  # a look at all options less
        amounts = core.option_coef[coef] if by_option else core.unit_coef[coef]
        part = amounts != np.round(amounts)
        if part.any():
            whole[rows if by_option or by_rep else rows[part]] = False
    return whole[:-1]


def _alone(core: Core) -> Core:
    """The core with soft upper bounds kept option by option where one option alone exceeds them.

    Where a row of amounts a ≥ 0 costs P a unit above its bound b ≥ 0, an option with a > b costs P (a − b) whatever else
    is chosen: it is charged that in its value and counts b in the row. No plan's worth changes, since once such an option
    is chosen everything else in the row is beyond the bound; but a relaxation can no longer escape the cost by splitting
    a large account among reps (coefficient strengthening: Crowder, Johnson and Padberg 1983).
    """
    soft = np.isfinite(core.penalty) & np.isfinite(core.upper) & (core.upper >= 0)
    alone = _rows_of_one_factor(core)
    value, factor = core.value, core.factor.copy()
    extra: list[np.ndarray] = []
    for f, (by_option, coef, by_rep, line) in enumerate(core.factor):
        rows = core.rep_row[line] if by_rep else core.unit_row[line]
        here = np.unique(rows[rows >= 0])
        here = here[soft[here] & alone[here]]
        amounts = core.option_coef[coef] if by_option else core.unit_coef[coef]
        if not len(here) or amounts.min(initial=0.0) < 0 or amounts.max(initial=0.0) <= core.upper[here].min():
            continue
        most = np.full(core.rows + 1, np.inf)
        most[here] = _rounded_up(core.upper[here])
        row = rows[core.rep] if by_rep else rows[core.unit]
        amount = amounts if by_option else amounts[core.unit]
        over = np.maximum(0.0, amount - most[row])
        if over.any():
            value = value - np.where(over > 0, np.append(core.penalty, 0.0)[row], 0.0) * over
            factor[f, :2] = 1, len(core.option_coef) + len(extra)
            extra.append(amount - over)
    return (
        replace(core, value=value, factor=factor, option_coef=np.stack([*core.option_coef, *extra])) if extra else core
    )


def _rounded_up(bound: np.ndarray) -> np.ndarray:
    """Six significant digits, not below: what is counted may be anything from b on, and engines in integers like it short."""
    size = 10.0 ** (np.floor(np.log10(np.maximum(bound, 1e-300))) - 5)
    return np.maximum(bound, np.ceil(bound / size) * size)


def _rows_of_one_factor(core: Core) -> np.ndarray:
    """[R] rows that a single factor adds to."""
    count = np.zeros(core.rows + 1, dtype=np.int64)
    for _, _, by_rep, line in core.factor:
        count[np.unique(core.rep_row[line] if by_rep else core.unit_row[line])] += 1
    return count[:-1] == 1
