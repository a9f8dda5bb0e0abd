"""A plan as the tables people read: one row an account and role, one row a rep, one row a limit row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.check import Report
from optimizer.export.regret import runner_ups, usable_prices
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.tables import Tables

PLAN_COLUMNS = (
    "account_id", "account", "role", "rep_id", "rep", "previous_rep_id", "moved", "service_level",
    "value", "hours", "runner_up", "regret",
)  # fmt: skip
BOOK_COLUMNS = (
    "rep_id", "rep", "team", "open", "accounts", "key_accounts", "hours", "capacity_hours", "utilisation",
    "potential", "arr", "value", "quota", "accounts_today", "moved_in", "moved_out", "taken_on",
)  # fmt: skip
LIMIT_COLUMNS = (
    "rule", "measure", "scope", "row", "lower", "upper", "actual", "slack", "price", "penalty", "cost", "broken",
)  # fmt: skip


def plan_frame(
    problem: Problem, plan: Plan, prices: np.ndarray | None = None, tables: Tables | None = None
) -> pd.DataFrame:
    """`PLAN_COLUMNS`, one row an account and role in id order, unserved ones too (their rep_id is missing).

    `value` (currency) and `hours` (a year) are the assignment's own, 0 where nobody serves. `runner_up` and `regret`
    are those of `runner_ups`, of the whole family. `previous_rep_id` is the owner as the input names it, among the
    scenario's reps or not; in further roles that takes `tables`. `moved` as the measure of that name counts it.
    """
    scores = problem.scores
    plan = own(problem, plan)
    n, role = np.divmod(np.arange(plan.rep.size), len(scores.roles))
    rep, level = plan.rep.ravel(), plan.level.ravel()
    hit = np.flatnonzero(rep >= 0)
    value, hours = np.zeros(len(rep)), np.zeros(len(rep))
    pairs = n[hit], rep[hit], role[hit], level[hit]
    value[hit], hours[hit] = scores.value(*pairs), scores.hours(*pairs)
    other, regret = runner_ups(problem, plan, prices)
    return pd.DataFrame(
        {
            "account_id": _taken(scores.account_ids, n),
            "account": _taken(scores.accounts["name"], n),
            "role": _taken(scores.role_names, role),
            "rep_id": _taken(scores.rep_ids, rep),
            "rep": _taken(scores.reps["name"], rep),
            "previous_rep_id": previous_reps(problem, tables),
            "moved": moved(problem, plan).ravel(),
            "service_level": _taken(scores.level_names, np.where(rep >= 0, level, -1)),
            "value": value,
            "hours": hours,
            "runner_up": _taken(scores.rep_ids, other.ravel()),
            "regret": np.round(regret.ravel(), 2) + 0.0,
        },
        columns=list(PLAN_COLUMNS),
    )


def own(problem: Problem, plan: Plan) -> Plan:
    """The plan on this problem's accounts, reps, roles and levels."""
    scores = problem.scores
    return plan.onto(scores.account_ids, scores.rep_ids, scores.role_names, scores.level_names)


def moved(problem: Problem, plan: Plan) -> np.ndarray:
    """[N, L] True where one of the scenario's reps owned the account today and does not in the plan."""
    today = problem.scores.today.rep
    changed: np.ndarray = (today >= 0) & (plan.rep != today)
    return changed


def previous_reps(problem: Problem, tables: Tables | None = None) -> pd.Series:
    """Today's owner of every account and role, as the input names it; missing where there is none."""
    scores = problem.scores
    roles = len(scores.roles)
    out = np.array([*scores.rep_ids, None], dtype=object)[scores.today.rep]
    gone = scores.owned[:, 0] & (scores.today.rep[:, 0] < 0)
    out[gone, 0] = scores.accounts["owner_id"].to_numpy(dtype=object)[gone]
    if tables is not None and tables.assignments is not None:
        given = tables.assignments
        first = scores.role_names[0]
        names = given["role"].fillna(first) if "role" in given else pd.Series(first, given.index)
        role = pd.Index(scores.role_names).get_indexer(pd.Index(names))
        account = pd.Index(scores.account_ids).get_indexer(pd.Index(given["account_id"]))
        known = (account >= 0) & (role >= 0)
        out[account[known], role[known]] = given["rep_id"].to_numpy(dtype=object)[known]
    return pd.Series(out.reshape(len(out) * roles), dtype="str")


def books_frame(problem: Problem, plan: Plan) -> pd.DataFrame:
    """`BOOK_COLUMNS`, one row a rep in id order. An account served in two roles counts in each, as limits count it.

    accounts = accounts_today − moved_out + moved_in + taken_on (accounts nobody among the reps had).
    """
    scores = problem.scores
    plan = own(problem, plan)
    n, role = np.nonzero(plan.rep >= 0)
    rep, level = plan.rep[n, role], plan.level[n, role]
    today = scores.today.rep
    changed = moved(problem, plan)
    count = len(scores.reps)

    def per_rep(weight: np.ndarray | None = None, of: np.ndarray = rep) -> np.ndarray:
        return np.bincount(of, weights=weight, minlength=count)

    def of_accounts(column: str) -> np.ndarray:
        return np.round(per_rep(scores.accounts[column].to_numpy(dtype=float)[n]), 2)

    hours = np.round(per_rep(scores.hours(n, rep, role, level)), 3)
    capacity = scores.reps["capacity_hours"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        utilisation = np.where(capacity > 0, hours / capacity, np.nan)
    frame = scores.reps.reset_index(drop=True)
    return pd.DataFrame(
        {
            "rep_id": frame["rep_id"],
            "rep": frame["name"],
            "team": frame["team"] if "team" in frame else pd.Series(np.nan, frame.index, dtype="str"),
            "open": scores.open_rep,
            "accounts": per_rep(),
            "key_accounts": per_rep(scores.accounts["key_account"].to_numpy(dtype=float)[n]).astype(np.int64),
            "hours": hours,
            "capacity_hours": capacity,
            "utilisation": np.round(utilisation, 6),
            "potential": of_accounts("potential"),
            "arr": of_accounts("arr"),
            "value": np.round(per_rep(scores.value(n, rep, role, level)), 2),
            "quota": frame["quota"] if "quota" in frame else pd.Series(np.nan, frame.index),
            "accounts_today": per_rep(of=today[today >= 0]),
            "moved_in": per_rep(of=plan.rep[changed & (plan.rep >= 0)]),
            "moved_out": per_rep(of=today[changed]),
            "taken_on": per_rep(of=plan.rep[(today < 0) & (plan.rep >= 0)]),
        },
        columns=list(BOOK_COLUMNS),
    )


def limits_frame(problem: Problem, report: Report, prices: np.ndarray | None = None) -> pd.DataFrame:
    """`LIMIT_COLUMNS`, one row a limit row, in the order of `problem.limits`.

    `price` is currency a unit of the measure: positive where a higher upper bound is worth that much, negative where a
    lower bound costs it; missing where nothing was priced. A missing bound is no bound, a missing penalty a hard rule.
    """
    given = usable_prices(problem, prices)
    rows = report.limits
    priced = pd.Series(
        np.nan if given is None else given + 0.0, pd.MultiIndex.from_frame(problem.limits[["rule", "row"]])
    )
    at = pd.MultiIndex.from_frame(rows[["rule", "row"]])
    price = priced if at.equals(priced.index) else priced.reindex(at)
    finite = {c: rows[c].astype(float).where(np.isfinite(rows[c].astype(float))) for c in ("lower", "upper", "penalty")}
    near = {
        c: rows[c].astype(float).replace([np.inf, -np.inf], np.nan).round(6) + 0.0 for c in ("actual", "slack", "cost")
    }
    frame = rows.assign(price=price.to_numpy(), broken=rows["broken"].astype(bool), **finite, **near)
    return frame[list(LIMIT_COLUMNS)].reset_index(drop=True)


def _taken(values: object, at: np.ndarray) -> pd.Series:
    """values[at] as text; missing where `at` is -1."""
    return pd.Series(pd.array(list(values), dtype="str").take(at, allow_fill=True))  # type: ignore[call-overload]
