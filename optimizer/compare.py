"""Plans side by side: value, coverage, load, balance, what moved and which key accounts changed hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from optimizer.check import Report, judge
from optimizer.errors import UsageError, unknown
from optimizer.kpis.balance import balanced_potential, gini, max_over_mean, overloaded
from optimizer.kpis.base import Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.contacts import MEAN, POOLED, SERVED
from optimizer.kpis.coverage import ALL_ACCOUNTS, BY_POTENTIAL, BY_SCORE, BY_SEGMENT, KEY_ACCOUNTS
from optimizer.kpis.frame import tabulate
from optimizer.plan import Plan
from optimizer.problem import Problem
from optimizer.rules import Rule
from optimizer.scores import Scores
from optimizer.tables import Tables

Unit = Literal["currency", "count", "share", "ratio"]
#: what each rep's book is compared by, the columns of `Comparison.reps`
MEASURES = ("accounts", "hours", "utilisation", "potential", "arr", "value")
_COVERAGE: tuple[tuple[str, Kpi], ...] = (
    ("coverage, key accounts", KEY_ACCOUNTS),
    ("coverage, all accounts", ALL_ACCOUNTS),
    ("coverage", BY_SEGMENT),
    ("coverage by key-account score", BY_SCORE),
    ("coverage by potential", BY_POTENTIAL),
    ("coverage in contacts, pooled", POOLED),
    ("coverage in contacts, mean of accounts", MEAN),
    ("contacts in touch at served key accounts", SERVED),
)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A plan with the scores and rules it is judged by: those of its own scenario."""

    scores: Scores
    rules: tuple[Rule, ...]
    plan: Plan


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """What a plan changes against today, in assignments [N, L]: an account in several roles counts in each.

    `moved`: the rep of a served account changed, or an account owned by one of the reps is left unserved. `rehomed`:
    served, and owned today by somebody who is not among the reps.
    """

    moved: np.ndarray
    rehomed: np.ndarray

    @classmethod
    def of(cls, scores: Scores, plan: Plan) -> Moves:
        here = scores.today.rep >= 0
        gone = np.asarray((scores.owned & ~here).any(axis=1))
        return cls(np.asarray(here & (plan.rep != scores.today.rep)), plan.served & gone[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Any number of plans side by side.

    `summary`: one row a metric, one column a plan ("today" first where it is given), NaN where a plan has no such
    figure; `units` [metric] says currency, count, share (0–1) or ratio. `ledger`: currency by term and plan; a column
    adds up to the model value. `reps`: one row for each plan and rep with plan, rep_id, rep, open and `MEASURES`.
    """

    plans: Mapping[str, Judged]
    summary: pd.DataFrame
    units: pd.Series
    ledger: pd.DataFrame
    reps: pd.DataFrame
    currency: str

    def books(self, measure: str) -> pd.DataFrame:
        """One measure of the books side by side: a row for each rep of any plan, a column a plan, NaN for strangers.

        Raises `UsageError` for a measure that is not one of `MEASURES`.
        """
        if measure not in MEASURES:
            raise unknown("measure of a book", measure, MEASURES)
        return self.reps.set_index(["rep_id", "plan"])[measure].unstack("plan")[list(self.summary.columns)]  # noqa: PD010

    def changes(self, a: str, b: str) -> pd.DataFrame:
        """The assignments that differ between plans `a` and `b`, in id order, by rep id.

        Columns: account_id, account, role, from_rep_id, from_rep, to_rep_id, to_rep (missing: nobody), arr, potential,
        key_account, value_from, value_to, value_difference (each plan's own scores; unserved is worth 0). Raises
        `UsageError` for a name that is not one of the plans.
        """
        for name in (a, b):
            if name not in self.plans:
                raise unknown("plan", name, self.plans)
        both = _assignments(self.plans[a]).merge(
            _assignments(self.plans[b]), on=["account_id", "role"], how="outer", suffixes=("_a", "_b")
        )
        one, other = both["rep_id_a"], both["rep_id_b"]
        both = both[(one != other).fillna(True) & (one.notna() | other.notna())]
        out = both[["account_id"]].assign(
            account=both["account_b"].fillna(both["account_a"]),
            role=both["role"],
            from_rep_id=both["rep_id_a"],
            from_rep=both["rep_a"],
            to_rep_id=both["rep_id_b"],
            to_rep=both["rep_b"],
            **{c: both[f"{c}_b"].fillna(both[f"{c}_a"]) for c in ("arr", "potential")},
            key_account=both["key_account_a"].eq(True) | both["key_account_b"].eq(True),
            value_from=both["value_a"].fillna(0.0),
            value_to=both["value_b"].fillna(0.0),
        )
        return out.assign(value_difference=out["value_to"] - out["value_from"]).reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """The summary in long form: metric, unit, plan, value."""
        long = self.summary.rename_axis("metric").reset_index().melt("metric", var_name="plan", value_name="value")
        return long.assign(unit=long["metric"].map(self.units))[["metric", "unit", "plan", "value"]]

    def __str__(self) -> str:
        columns = [["", *map(str, self.summary.index)]]
        for name in self.plans:
            cells = zip(self.summary[name], self.units, strict=True)
            columns.append([name, *(_shown(value, unit) for value, unit in cells)])
        width = [max(map(len, column)) for column in columns]
        lines = [
            "  ".join([row[0].ljust(width[0]), *(cell.rjust(w) for cell, w in zip(row[1:], width[1:], strict=True))])
            for row in zip(*columns, strict=True)
        ]
        return "\n".join([*lines, f"Money in {self.currency} a year; model value compares plans and is no forecast."])


def compare_plans(
    scores: Scores, rules: Sequence[Rule], plans: Mapping[str, Plan | Judged], tables: Tables | None = None
) -> Comparison:
    """Compare plans: each bare `Plan` is judged by `scores` and `rules`, each `Judged` by its own.

    With `tables`, coverage rests on what they hold; without, on the scores' accounts table, defaults included. Raises
    `UsageError` for no plan, for a bare plan that uses reps or accounts these scores do not have, for tables of other
    accounts, and for plans of different currencies.
    """
    if not plans:
        raise UsageError("there is no plan to compare")
    names = sorted(plans, key=lambda name: name != "today")
    judged = {name: _normal(name, plans[name], scores, tuple(rules)) for name in names}
    currencies = sorted({j.scores.currency for j in judged.values()})
    if len(currencies) > 1:
        raise UsageError(f"plans in {' and '.join(currencies)} cannot be compared; give them one currency")
    columns, ledgers, reps = {}, {}, []
    units: dict[str, Unit] = {}
    for name, each in judged.items():
        basis = Basis.of(tables or Tables(each.scores.accounts, each.scores.reps), each.scores, each.plan)
        report = judge(each.scores, each.rules, each.plan)
        metrics = _metrics(basis, report)
        columns[name] = pd.Series({metric: value for metric, _, value in metrics}, dtype=float)
        units |= {metric: unit for metric, unit, _ in metrics}
        ledgers[name] = pd.Series(report.ledger, dtype=float)
        reps.append(_books(name, basis))
    order = list(max(columns.values(), key=len).index)
    order += [metric for metric in units if metric not in order]
    summary, books = pd.DataFrame(columns).reindex(order), pd.concat(reps, ignore_index=True)
    return Comparison(judged, summary, pd.Series(units).reindex(order), pd.DataFrame(ledgers), books, currencies[0])


def _normal(name: str, plan: Plan | Judged, scores: Scores, rules: tuple[Rule, ...]) -> Judged:
    """The plan with its scores and rules, laid onto these scores."""
    each = plan if isinstance(plan, Judged) else Judged(scores, rules, plan)
    own, given = each.scores, each.plan
    works = np.zeros(len(given.reps), dtype=bool)
    works[given.rep[given.served]] = True
    served = np.asarray(given.served.any(axis=1))
    for what, strange in (
        ("reps", _strange(given.reps, works, own.rep_ids)),
        ("accounts", _strange(given.accounts, served, own.account_ids)),
    ):
        if len(strange):
            shown = ", ".join(map(str, strange[:5]))
            raise UsageError(
                f"plan {name!r} uses {what} that its scores do not have ({shown}); "
                "give it as Judged(scores, rules, plan) with the scores of its own scenario"
            )
    return Judged(own, tuple(each.rules), given.onto(own.account_ids, own.rep_ids, own.role_names, own.level_names))


def _strange(ids: np.ndarray, used: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The used ids that are not known."""
    if np.array_equal(ids, known):
        return ids[:0]
    used_ids = ids[used]
    position = pd.Index(known, dtype=object).get_indexer(pd.Index(used_ids, dtype=object))
    return np.asarray(used_ids[position < 0])


def _metrics(basis: Basis, report: Report) -> list[tuple[str, Unit, float]]:
    """(metric, unit, value) in the order they are shown."""
    scores, plan, key = basis.scores, basis.plan, basis.key
    moves, arr = Moves.of(scores, plan), basis.accounts["arr"].to_numpy(dtype=float)
    owned_arr = float((arr[:, None] * (scores.today.rep >= 0)).sum())
    moved_arr = float((arr[:, None] * moves.moved).sum())
    works, potential = basis.works, balanced_potential(basis)
    capacity = float(basis.capacity[works].sum())
    filled = works & scores.open_rep
    return [
        ("model value", "currency", report.objective),
        ("hard limit rows broken", "count", len(report.broken)),
        ("assignments against a rule", "count", len(report.assignments)),
        ("accounts served", "count", basis.served.sum()),
        ("accounts unserved", "count", (~basis.served).sum()),
        ("owned accounts left unserved", "count", (scores.owned[:, 0] & ~basis.served).sum()),
        *_coverage(basis),
        ("utilisation", "share", basis.hours[works].sum() / capacity if capacity > 0 else np.nan),
        ("reps above capacity", "count", overloaded(basis).sum()),
        ("potential per rep, Gini", "ratio", gini(potential)),
        ("potential per rep, max ÷ mean", "ratio", max_over_mean(potential)),
        ("moved", "count", moves.moved.sum()),
        ("moved ARR", "currency", moved_arr),
        ("moved share of ARR", "share", moved_arr / owned_arr if owned_arr > 0 else np.nan),
        ("rehomed", "count", moves.rehomed.sum()),
        ("key accounts that changed hands", "count", (key & (moves.moved | moves.rehomed).any(axis=1)).sum()),
        ("open positions filled", "count", filled.sum()),
        ("cost of open positions filled", "currency", basis.reps["cost"].to_numpy(dtype=float)[filled].sum()),
    ]


def _coverage(basis: Basis) -> list[tuple[str, Unit, float]]:
    """Coverage in every definition: the company's figure, and one for each segment; NaN where it cannot be had."""
    out: list[tuple[str, Unit, float]] = []
    for title, kpi in _COVERAGE:
        frame = tabulate([kpi], basis)
        if kpi is BY_SEGMENT:
            rows = frame[frame["scope"] == "segment"]
            out += [(f"{title}, {row}", "share", v) for row, v in zip(rows["row"], rows["value"], strict=True)]
        else:
            out.append((title, "share", float(frame["value"].iloc[0])))
    return out


def _books(name: str, basis: Basis) -> pd.DataFrame:
    reps = basis.reps
    utilisation = np.where(np.isfinite(basis.utilisation), basis.utilisation, np.nan)
    arr = basis.accounts["arr"].to_numpy(dtype=float)
    sums = (basis.book(), basis.hours, utilisation, basis.book(basis.potential), basis.book(arr), basis.value)
    head = {"plan": name, "rep_id": reps["rep_id"], "rep": reps["name"], "open": basis.scores.open_rep}
    return pd.DataFrame(head | dict(zip(MEASURES, sums, strict=True))).reset_index(drop=True)


def _assignments(judged: Judged) -> pd.DataFrame:
    """One row for each account and role, unserved ones too, with rep, value, arr, potential and key flag."""
    scores, plan = judged.scores, judged.plan
    frame = plan.to_frame()[["account_id", "role", "rep_id"]]
    account, role = np.divmod(np.arange(plan.rep.size), len(plan.roles))
    rep, served = plan.rep.ravel(), plan.served.ravel()
    value = np.zeros(plan.rep.size)
    value[served] = scores.value(account[served], rep[served], role[served], plan.level.ravel()[served])
    of = scores.accounts.iloc[account]
    return frame.assign(
        rep=pd.array(np.array([*scores.reps["name"], None], dtype=object)[rep], dtype="str"),
        value=value,
        account=of["name"].to_numpy(),
        **{c: of[c].to_numpy() for c in ("arr", "potential", "key_account")},
    )


def _shown(value: float, unit: Unit) -> str:
    if np.isnan(value):
        return "–"
    return format(value, {"currency": ",.0f", "count": ",.0f", "share": ".1%", "ratio": ".3f"}[unit])


def compare(problem: Problem, plans: Mapping[str, Plan | Judged], tables: Tables | None = None) -> Comparison:
    """Plans side by side, each judged by the problem's rules unless it is a `Judged` of its own; see `compare_plans`."""
    return compare_plans(problem.scores, problem.scenario.active, plans, tables)
