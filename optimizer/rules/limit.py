"""`limit`: measure × scope × bounds. Capacity, counts, balance, quotas, goals, coverage and move budgets are all this."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from optimizer.errors import UsageError
from optimizer.plan import Plan
from optimizer.rules.base import Factor, Judgement, Rows, Rule
from optimizer.rules.limit_check import RESERVED, judge
from optimizer.scores import Scores
from optimizer.where import mask

if TYPE_CHECKING:
    from optimizer.options import Options

Bound = float | int | str


class Limit(Rule):
    """lower ≤ Σ measure of what is assigned ≤ upper, for every row of the scope.

    A bound is a number in the measure's unit, `"80%"` of the row's total over all accounts in scope and `where`
    (hours: of the capacity), or a column of the reps table, summed over the row's reps; an empty cell there means no
    bound. `within = "15%"` is around the fair share, by ramp. Accounts with an empty cell in the scope's column are in
    no row. `where` may also name rep columns, as `rep.team`; rows in which no rep meets them, or works in a role that
    counts, have no bounds. What moves counts in the row of today's rep. A soft limit costs `penalty` a unit outside.
    """

    filters: ClassVar[tuple[str, ...]] = ("account", "rep")
    posts: ClassVar[Literal["options", "rows"]] = "rows"
    kind: Literal["limit"] = "limit"
    measure: str = Field(
        description="accounts, hours, coverage, moved, moved_<column>, rehomed, value or a numeric column"
    )
    per: str = Field(default="rep", description="rep, company, or a column (account.region, rep.team)")
    at_least: Bound | None = Field(default=None, description='number, "80%" or a reps column')
    at_most: Bound | None = Field(default=None, description='number, "80%" or a reps column')
    within: str | None = Field(default=None, description='"15%" around the fair share')
    penalty: float | None = Field(
        default=None, gt=0, le=1e12, description="currency per unit outside; empty means hard"
    )
    role: str | None = Field(default=None, description="count this role only")

    @model_validator(mode="after")
    def _some_bound(self) -> Limit:
        if self.at_least is None and self.at_most is None and self.within is None:
            raise ValueError("give at_least, at_most or within")
        if self.within is not None and percent(self.within) is None:
            raise ValueError('within must be a percentage such as "15%"')
        return self

    # -- what is meant, resolved against the tables ----------------------------------------------------------------
    def scope(self, scores: Scores) -> tuple[str, str]:
        """("rep" | "account" | "company", column). Raises `UsageError` for a column in both tables or in none."""
        if self.per in ("rep", "company"):
            return self.per, "rep_id"
        owner, _, column = self.per.rpartition(".")
        tables = {"account": scores.accounts, "rep": scores.reps}
        found = [t for t in ([owner] if owner else tables) if t in tables and column in tables[t]]
        if len(found) == 1:
            return found[0], column
        problem = "is in both tables: write account. or rep. in front" if found else "is no column of accounts or reps"
        raise UsageError(f"rule {self.name!r}: per = {self.per!r} {problem}")

    def counted_roles(self, scores: Scores) -> np.ndarray:
        """[L] True for the roles this limit adds up: the one named, the first for coverage, else all."""
        if self.role is not None and self.role not in scores.role_names:
            raise UsageError(f"rule {self.name!r}: role {self.role!r} is none of {', '.join(scores.role_names)}")
        first = scores.role_names[0] if self.measure == "coverage" else None
        wanted = self.role or first
        return np.array([wanted in (None, name) for name in scores.role_names])

    def moved_column(self) -> str | None:
        """The column behind `moved_<column>`; "" for plain `moved`, None for other measures."""
        if self.measure == "moved":
            return ""
        return self.measure.removeprefix("moved_") if self.measure.startswith("moved_") else None

    def _weight(self, scores: Scores) -> np.ndarray:
        """[N] the measure of an account, where it is a matter of the account alone."""
        column = self.moved_column() if self.moved_column() is not None else self.measure
        if column in ("", "accounts", "coverage", "rehomed", "hours", "value"):
            return np.ones(len(scores.accounts))
        if column not in scores.accounts or not pd.api.types.is_numeric_dtype(scores.accounts[column].dtype):
            known = ", ".join([*RESERVED, *scores.accounts.select_dtypes("number").columns])
            raise UsageError(
                f"rule {self.name!r}: measure {self.measure!r} is not a numeric accounts column; known: {known}"
            )
        weight = scores.accounts[column].to_numpy(dtype=float)
        asked = mask(scores.accounts, self.where)
        gaps = np.isnan(weight) & asked
        if gaps.any():
            example = scores.account_ids[np.flatnonzero(gaps)[0]]
            raise UsageError(
                f"rule {self.name!r}: {column} is missing for {int(gaps.sum())} accounts (such as {example}); fill it, 0 counts"
            )
        return np.where(asked, weight, 0.0)

    # -- for engines -----------------------------------------------------------------------------------------------
    def post(self, options: Options) -> Rows:
        scores = options.scores
        kind, column = self.scope(scores)
        by_today = self.moved_column() is not None and kind == "rep"
        amount = self._amount(scores)
        rep_row, labels = np.zeros(len(scores.reps), np.int64), np.array(["company"], dtype=object)
        account_row = np.zeros(amount.shape, np.int64)
        if kind == "rep":
            rep_row, labels = _numbered(scores.reps[column])
        elif kind == "account":
            of_account, labels = _numbered(scores.accounts[column])
            account_row = np.broadcast_to(of_account[:, None], amount.shape)
        if by_today:
            account_row = np.append(rep_row, -1)[scores.today.rep]
        offset = self._offset(scores, amount, account_row, len(labels))
        if kind == "rep" and not by_today:
            row = np.where(mask(scores.reps, self.where, "rep"), rep_row, -1).astype(np.int32)
            factors = [Factor(*self._coefficient(options, amount), row, "rep")]
        else:
            factors = [
                Factor(*self._coefficient(options, amount if members is None else amount * members), row, "unit")
                for members, row in options.layers(account_row)
            ]
        lower, upper = self._bounds(scores, kind, rep_row, len(labels), amount, account_row)
        position = np.full(len(labels), -1, dtype=np.int32)
        if self.per == "rep" and not by_today:
            position = np.where(scores.open_rep, np.arange(len(labels)), -1).astype(np.int32)
        penalty = np.inf if self.penalty is None else self.penalty
        return Rows(self.measure, self.per, labels, lower, upper, offset, position, penalty, tuple(factors))

    def _amount(self, scores: Scores) -> np.ndarray:
        """[N, L] the measure of an account in a role that counts; for hours and value 1, the pair decides the rest."""
        weight = self._weight(scores) * mask(scores.accounts, self.where)
        amount = weight[:, None] * self.counted_roles(scores)
        return amount * (scores.owned & (scores.today.rep < 0)) if self.measure == "rehomed" else amount

    def _inside(self, scores: Scores) -> np.ndarray:
        """[M] the reps the limit is about: they meet the rep part of `where` and work in a role that counts."""
        from optimizer.eligible import role_fits

        inside = mask(scores.reps, self.where, "rep")
        if self.moved_column() is None:
            inside &= role_fits(scores)[self.counted_roles(scores)].any(axis=0)
        return inside

    def _offset(self, scores: Scores, amount: np.ndarray, row: np.ndarray, count: int) -> np.ndarray:
        if self.moved_column() is None:
            return np.zeros(count)
        known = (row >= 0) & self._hired_owner(scores)
        return np.bincount(row[known], weights=amount[known], minlength=count)

    def _hired_owner(self, scores: Scores) -> np.ndarray:
        """[N, L] True where today's rep is here (and meets the rep part of `where`)."""
        inside = np.append(mask(scores.reps, self.where, "rep"), False)
        return inside[scores.today.rep]

    def _coefficient(self, options: Options, amount: np.ndarray) -> tuple[np.ndarray, Literal["unit", "option"]]:
        """What a unit [U], or an option [K], adds to its row, from the amounts [N, L] of its accounts."""
        scores = options.scores
        inside = mask(scores.reps, self.where, "rep")
        if self.moved_column() is not None:
            owner = np.where(self._hired_owner(scores), scores.today.rep, -1)
            return options.total(lambda n, r, l, v: -amount[n, l] * (owner[n, l] == r)), "option"
        if self.measure in ("hours", "value"):
            measure = scores.hours if self.measure == "hours" else scores.value
            return options.total(lambda n, r, l, v: amount[n, l] * inside[r] * measure(n, r, l, v)), "option"
        if not inside.all():
            return options.total(lambda n, r, l, v: amount[n, l] * inside[r]), "option"
        return options.unit_total(amount), "unit"

    def _bounds(
        self, scores: Scores, kind: str, rep_row: np.ndarray, count: int, amount: np.ndarray, row: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        hired, inside = ~scores.open_rep, self._inside(scores) & (rep_row >= 0)

        def over_reps(values: np.ndarray, only_hired: bool) -> np.ndarray:
            use = inside & (hired | (not only_hired) | (self.per == "rep"))
            return np.bincount(rep_row[use], weights=values[use], minlength=count)

        def total(only_hired: bool) -> np.ndarray:
            if self.measure == "hours":
                return over_reps(scores.reps["capacity_hours"].to_numpy(), only_hired)
            if kind == "rep" and self.moved_column() is None:
                return np.full(count, amount.sum())
            known = row >= 0
            return np.bincount(row[known], weights=amount[known], minlength=count)

        def side(bound: Bound | None, none: float, only_hired: bool) -> np.ndarray:
            if bound is None:
                return np.full(count, none)
            share = percent(bound)
            if share is not None:
                if self.measure == "value" or (self.measure == "hours" and kind == "account"):
                    raise UsageError(
                        f"rule {self.name!r}: a percentage of {self.measure} has no total here; give a number"
                    )
                whole = total(only_hired)
                return np.where(whole > 0, share * whole, none)
            if isinstance(bound, str):
                if kind == "account" or bound not in scores.reps or not is_number(scores.reps[bound]):
                    raise UsageError(
                        f"rule {self.name!r}: {bound!r} is not a numeric reps column summed over reps in scope"
                    )
                summed = over_reps(scores.reps[bound].to_numpy(dtype=float), only_hired)
                return np.where(np.isnan(summed), none, summed)
            return np.full(count, float(bound))

        lower, upper = side(self.at_least, -np.inf, True), side(self.at_most, np.inf, False)
        if self.within is not None:
            if kind != "rep" or self.measure in ("hours", "value", "rehomed") or self.moved_column() is not None:
                raise UsageError(f"rule {self.name!r}: within needs an account measure and a scope of reps")
            fair, share = self._fair(scores, amount), percent(self.within) or 0.0
            with np.errstate(invalid="ignore"):
                least = over_reps(np.where(hired, fair, 0.0), False) * (1 - share)
            lower = np.maximum(lower, np.where(np.isfinite(least), least, -np.inf))
            upper = np.minimum(upper, over_reps(fair, False) * (1 + share))
        if kind == "rep":
            nobody = np.bincount(rep_row[inside], minlength=count) == 0
            lower, upper = np.where(nobody, -np.inf, lower), np.where(nobody, np.inf, upper)
        return lower, upper

    def _fair(self, scores: Scores, amount: np.ndarray) -> np.ndarray:
        """[M] fair share of each rep: each role's total by ramp among those hired for it; inf where nobody is."""
        from optimizer.eligible import role_fits

        ramp = scores.reps["ramp"].to_numpy() * role_fits(scores) * self.counted_roles(scores)[:, None]
        pool = ramp[:, ~scores.open_rep].sum(axis=1)
        each = np.divide(amount.sum(axis=0), pool, out=np.zeros(len(pool)), where=pool > 0)
        return np.where((ramp[pool <= 0] > 0).any(axis=0), np.inf, each @ ramp)

    # -- the definition ----------------------------------------------------------------------------------------------
    def check(self, scores: Scores, plan: Plan) -> Judgement:
        return Judgement(limits=judge(self, scores, plan))


def _numbered(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The row number of each cell (-1: empty), and the rows' labels, sorted."""
    row, values = pd.factorize(column, sort=True)
    return row, np.asarray(values, dtype=object)


def percent(bound: Bound | None) -> float | None:
    """0.8 for `"80%"`; None for anything else."""
    if not isinstance(bound, str) or not bound.strip().endswith("%"):
        return None
    try:
        value = float(bound.strip()[:-1])
    except ValueError:
        return None
    return value / 100 if 0 <= value <= 1e6 else None


def is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
