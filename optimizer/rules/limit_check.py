"""The definition of a limit: what each of its rows holds of a plan, from tables, scores and the parsed rule.

Written apart from how `Limit.post` makes rows, so that each can catch the other's mistakes: here every assignment of
the plan is looked up by its labels and added to the row it belongs to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from optimizer.plan import Plan
from optimizer.scores import Scores
from optimizer.where import mask

if TYPE_CHECKING:
    from optimizer.rules.limit import Bound, Limit

#: measures that are not columns
RESERVED = ("accounts", "hours", "coverage", "moved", "rehomed", "value")


@dataclass(frozen=True, slots=True, eq=False)
class _Scope:
    """The rows of the limit by label, and the row of each account [N] and each rep [M] (-1: none)."""

    kind: str
    labels: pd.Index
    of_account: np.ndarray
    of_rep: np.ndarray


def judge(rule: Limit, scores: Scores, plan: Plan) -> pd.DataFrame:
    """One row a row of the limit: rule, measure, scope, row, lower, upper, actual, penalty."""
    labels, lower, upper, actual = rows(rule, scores, plan)
    return pd.DataFrame(
        {
            "rule": rule.name,
            "measure": rule.measure,
            "scope": rule.per,
            "row": labels.astype(object).astype(str),
            "lower": lower,
            "upper": upper,
            "actual": actual,
            "penalty": np.inf if rule.penalty is None else rule.penalty,
        }
    )


def rows(rule: Limit, scores: Scores, plan: Plan) -> tuple[pd.Index, np.ndarray, np.ndarray, np.ndarray]:
    """Labels, lower, upper and actual [R]. Bounds of an open position count only when the plan gives it something."""
    scope = _scope(rule, scores)
    amount = _amounts(rule, scores)
    lower, upper = _bounds(rule, scores, scope, amount)
    if rule.per == "rep" and rule.moved_column() is None:
        unfilled = scores.open_rep & ~np.isin(np.arange(len(scores.reps)), plan.rep)
        lower = np.where(unfilled & np.isfinite(lower), 0.0, lower)
        upper = np.where(unfilled & np.isfinite(upper), 0.0, upper)
    return scope.labels, lower, upper, _actual(rule, scores, plan, scope, amount)


def _scope(rule: Limit, scores: Scores) -> _Scope:
    kind, column = rule.scope(scores)
    nowhere = np.full(len(scores.accounts), -1), np.full(len(scores.reps), -1)
    if kind == "company":
        return _Scope(kind, pd.Index(["company"]), nowhere[0] * 0, nowhere[1] * 0)
    cells = scores.reps[column] if kind == "rep" else scores.accounts[column]
    labels = pd.Index(cells.dropna().unique()).sort_values()
    row = labels.get_indexer(pd.Index(cells))
    return _Scope(kind, labels, nowhere[0], row) if kind == "rep" else _Scope(kind, labels, row, nowhere[1])


def _amounts(rule: Limit, scores: Scores) -> np.ndarray:
    """[N, L] what an account brings in a role: 0 outside `where` and in roles that do not count."""
    column = rule.moved_column() or rule.measure
    each = np.ones(len(scores.accounts)) if column in RESERVED else scores.accounts[column].to_numpy(dtype=float)
    each = np.where(mask(scores.accounts, rule.where), each, 0.0)
    amount = np.stack([each if counts else 0.0 * each for counts in rule.counted_roles(scores)], axis=1)
    if rule.measure == "rehomed":
        without_rep = scores.today.rep == -1
        amount = np.where(without_rep & scores.owned, amount, 0.0)
    return amount


def _actual(rule: Limit, scores: Scores, plan: Plan, scope: _Scope, amount: np.ndarray) -> np.ndarray:
    """[R] what the plan has in each row."""
    if rule.moved_column() is not None:
        n, role = np.nonzero((scores.today.rep >= 0) & (plan.rep != scores.today.rep))
        rep = scores.today.rep[n, role]
        each = amount[n, role]
    else:
        n, role = np.nonzero(plan.rep >= 0)
        rep, level = plan.rep[n, role], plan.level[n, role]
        each = amount[n, role]
        if rule.measure == "hours":
            each = each * scores.hours(n, rep, role, level)
        elif rule.measure == "value":
            each = each * scores.value(n, rep, role, level)
    each = np.where(mask(scores.reps, rule.where, "rep")[rep], each, 0.0)
    row = scope.of_rep[rep] if scope.kind == "rep" else scope.of_account[n]
    out = np.zeros(len(scope.labels))
    np.add.at(out, row[row >= 0], each[row >= 0])
    return out


def _bounds(rule: Limit, scores: Scores, scope: _Scope, amount: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[R] lower and upper, as if every open position were filled. Rows without any rep the rule is about have none."""
    from optimizer.rules.limit import percent

    works = _works(rule, scores)
    about = mask(scores.reps, rule.where, "rep") & (scope.of_rep >= 0)
    if rule.moved_column() is None:
        about &= works.any(axis=0)
    # an open position counts for what a row may have, not for what it must; a rep's own row counts once it is filled
    owing = about & (~scores.open_rep | (rule.per == "rep"))

    def summed(values: np.ndarray, reps: np.ndarray) -> np.ndarray:
        out = np.zeros(len(scope.labels))
        np.add.at(out, scope.of_rep[reps], values[reps])
        return out

    def side(bound: Bound | None, none: float, reps: np.ndarray) -> np.ndarray:
        if bound is None:
            return np.full(len(scope.labels), none)
        share = percent(bound)
        if share is not None:
            hours = scores.reps["capacity_hours"].to_numpy(dtype=float)
            whole = summed(hours, reps) if rule.measure == "hours" else _whole(rule, scores, scope, amount)
            return np.array([share * w if w > 0 else none for w in whole])
        if isinstance(bound, str):
            cells = scores.reps[bound].to_numpy(dtype=float)
            empty = summed(np.isnan(cells).astype(float), reps) > 0
            return np.where(empty, none, summed(np.nan_to_num(cells), reps))
        return np.full(len(scope.labels), float(bound))

    lower, upper = side(rule.at_least, -np.inf, owing), side(rule.at_most, np.inf, about)
    if rule.within is not None:
        fair, share = _fair(scores, works, amount), percent(rule.within) or 0.0
        unknown = summed(np.isnan(fair).astype(float), about) > 0
        fair = np.nan_to_num(fair)
        least = summed(fair, about & ~scores.open_rep) * (1 - share)
        lower = np.where(unknown, lower, np.maximum(lower, least))
        upper = np.where(unknown, upper, np.minimum(upper, summed(fair, about) * (1 + share)))
    if scope.kind == "rep":
        empty_row = summed(np.ones(len(about)), about) == 0
        lower, upper = np.where(empty_row, -np.inf, lower), np.where(empty_row, np.inf, upper)
    return lower, upper


def _works(rule: Limit, scores: Scores) -> np.ndarray:
    """[L, M] which reps work in which of the roles that count."""
    anybody = not scores.roles_named or "role" not in scores.reps
    job = scores.reps["name" if anybody else "role"].to_numpy(dtype=object)
    counted = zip(scores.role_names, rule.counted_roles(scores), strict=True)
    return np.stack([(anybody | (job == name)) & counts for name, counts in counted])


def _whole(rule: Limit, scores: Scores, scope: _Scope, amount: np.ndarray) -> np.ndarray:
    """[R] the total over all accounts that could be in a row: every account, for reps; today's book, for moves."""
    if scope.kind == "rep" and rule.moved_column() is None:
        return np.full(len(scope.labels), amount.sum())
    out = np.zeros(len(scope.labels))
    for role in range(len(scores.roles)):
        row = scope.of_account
        if scope.kind == "rep":
            row = np.append(scope.of_rep, -1)[scores.today.rep[:, role]]
        np.add.at(out, row[row >= 0], amount[row >= 0, role])
    return out


def _fair(scores: Scores, works: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """[M] the rep's part by ramp of the total of each role the rep works in; NaN where nobody hired works in it."""
    ramp = scores.reps["ramp"].to_numpy(dtype=float)
    fair = np.zeros(len(ramp))
    for role, can in enumerate(works):
        pool = ramp[can & ~scores.open_rep].sum()
        part = amount[:, role].sum() * ramp / pool if pool > 0 else np.where(ramp > 0, np.nan, 0.0)
        fair = fair + np.where(can, part, 0.0)
    return fair
