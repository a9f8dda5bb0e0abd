"""The second-best option of every unit, and what choosing it instead would cost at the limits' prices."""

from __future__ import annotations

import numpy as np

from optimizer.certificate import adjusted, admissible, chunks
from optimizer.plan import Plan
from optimizer.problem import Problem


def usable_prices(problem: Problem, prices: np.ndarray | None) -> np.ndarray | None:
    """The prices [R] as the bound takes them, or None where there are none to speak of."""
    if prices is None or len(prices) != problem.core.rows or np.isnan(prices).any():
        return None
    return admissible(problem.core, prices)


def runner_ups(problem: Problem, plan: Plan, prices: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """For every account and role [N, L]: the rep of the best option of another rep (-1: none), and the regret.

    The regret, in currency, is the price-adjusted value (v − Σ λ a) of what the plan has minus that of the best option
    of another rep; being unserved is worth 0. NaN where there is no other option, or where the plan has an assignment
    that is none. Accounts of a family share one figure. Without prices plain values are compared.
    """
    core, options, scores = problem.core, problem.options, problem.scores
    given = usable_prices(problem, prices)
    price = np.zeros(core.rows) if given is None else given
    choice = problem.choice(plan)
    size = np.diff(options.member_start)
    role = np.repeat(options.role, size)
    unserved = plan.rep[options.member, role] < 0
    idle = np.logical_and.reduceat(unserved, options.member_start[:-1]) if len(size) else unserved
    own = plan.rep[options.lead, options.role]
    other, regret = np.full(core.units, -1, dtype=np.int32), np.full(core.units, np.nan)
    for first, last in chunks(core.start):
        here = slice(first, last)
        other[here], best, mine = _best_others(problem, price, choice[here], own[here], first, last)
        chosen = np.where(choice[here] >= 0, mine, np.where(idle[here], 0.0, np.nan))
        regret[here] = chosen - np.where(np.isfinite(best), best, np.nan)
    shape = (len(scores.accounts), len(scores.roles))
    out_other, out_regret = np.full(shape, -1, dtype=np.int32), np.full(shape, np.nan)
    out_other[options.member, role] = np.repeat(other, size)
    out_regret[options.member, role] = np.repeat(regret, size)
    return out_other, out_regret


def _best_others(
    problem: Problem, price: np.ndarray, choice: np.ndarray, own: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units `first` to `last`: rep and adjusted value of the best option of a rep but `own`; that of `choice`."""
    core = problem.core
    start, count = core.start[first], np.diff(core.start[first : last + 1])
    span = slice(start, core.start[last])
    value = adjusted(core, price, first, last)
    unit = np.repeat(np.arange(last - first), count)
    mine = np.append(value, 0.0)[np.where(choice >= 0, choice - start, -1)]
    value[core.rep[span] == own[unit]] = -np.inf
    best, other = np.full(last - first, -np.inf), np.full(last - first, -1, dtype=np.int32)
    some = np.flatnonzero(count > 0)
    if len(some):
        best[some] = np.maximum.reduceat(value, core.start[first + some] - start)
    hit = np.flatnonzero((value == best[unit]) & np.isfinite(value))[::-1]  # the first of equals is written last
    other[unit[hit]] = core.rep[span][hit]
    return other, best, mine
