"""The contract of a rule: what it posts for engines, and how it judges any plan.

A rule is written twice in one file. `check` is the definition: from the scores and the parsed rule alone it says which
rows of a limit a plan meets and which assignments break it, with amounts and sentences. `post` says the same to the
problem: which options exist (`Restriction`) or which rows there are (`Rows`). The two share nothing, and a contract test
enumerates every plan of small companies and demands that they agree.

A complete rule, "no rep from another country"::

    class SameCountry(Rule):
        kind: Literal["same_country"] = "same_country"

        def post(self, scores):
            code, countries = pd.factorize(scores.accounts["country"])
            same = countries.to_numpy(dtype=object)[:, None] == scores.reps["country"].to_numpy(dtype=object)
            return Restriction(code, same)

        def check(self, scores, plan):
            pairs = served(scores, plan)
            asked = scores.accounts["country"].to_numpy(dtype=object)[pairs["n"]]
            wrong = asked != scores.reps["country"].to_numpy(dtype=object)[pairs["r"]]
            return Judgement(assignments=sentences(self, pairs[wrong], "{rep} is not in the country of {account}"))
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, field_validator

from optimizer.errors import UsageError
from optimizer.plan import Plan
from optimizer.scores import Scores
from optimizer.where import Where

#: columns of a `Judgement.assignments` frame
ASSIGNMENT_COLUMNS = ("rule", "account_id", "role", "rep_id", "amount", "sentence")
#: columns of a `Judgement.limits` frame, one row for each row of a limit
LIMIT_COLUMNS = ("rule", "measure", "scope", "row", "lower", "upper", "actual", "penalty")


@dataclass(frozen=True, slots=True, eq=False)
class Restriction:
    """Which reps may serve which accounts.

    An account of class `code[n]` may have the reps of `allowed[code[n]]` ([C, M] booleans). `only` [N, L] ties an account
    to one rep and makes serving it mandatory (-1: not tied, -2: tied to somebody who is not there). `forbidden` holds
    (account, rep) pairs [2, pairs]. `family` [N] numbers the accounts that stay together. `nearest` keeps, of the options
    that are left, the best so many by distance or value, and today's rep, for units with an account in its mask [N].
    """

    code: np.ndarray | None = None
    allowed: np.ndarray | None = None
    only: np.ndarray | None = None
    forbidden: np.ndarray | None = None
    family: np.ndarray | None = None
    nearest: tuple[int, str, np.ndarray] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """Part of the left side of a limit's rows: coefficient × row number, neither ever expanded to a matrix.

    `coefficient` is [U] per unit or [K] per option; `row` [U] or [M] is the row a unit, or a rep, counts in (-1: none).
    """

    coefficient: np.ndarray
    per: Literal["unit", "option"]
    row: np.ndarray
    row_by: Literal["unit", "rep"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one limit: Σ factors, plus `offset`, within `lower` and `upper` [R].

    `penalty` is the price of a unit outside (inf: hard). `position` [R] is the open rep whose bounds count only when the
    position is filled (-1: none). `measure` and `scope` are the words a reader sees.
    """

    measure: str
    scope: str
    labels: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    offset: np.ndarray
    position: np.ndarray
    penalty: float
    factors: tuple[Factor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a rule says of a plan: the rows of its limit, and the assignments that break it."""

    limits: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(LIMIT_COLUMNS)))
    assignments: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(ASSIGNMENT_COLUMNS)))


class Rule(BaseModel):
    """Base of every rule. The fields are what the scenario file may say; a form is drawn from them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)
    #: tables whose columns `where` may name, as `account.region` or `rep.team`
    filters: ClassVar[tuple[str, ...]] = ("account",)
    #: "options" rules post a Restriction from the scores, "rows" rules post Rows from the options
    posts: ClassVar[Literal["options", "rows"]] = "options"
    kind: str
    name: Annotated[str, Field(min_length=1, max_length=200)]
    where: Where = Field(default_factory=dict, description="which accounts the rule is about")
    off: bool = Field(default=False, description="leave this rule out")

    @field_validator("where")
    @classmethod
    def _names_its_tables(cls, where: Where) -> Where:
        return only_of(where, cls.filters)

    def post(self, given: Any) -> Any:
        """`Restriction` from `Scores` (options rules) or `Rows` from `Options` (rows rules)."""
        raise NotImplementedError

    def check(self, scores: Scores, plan: Plan) -> Judgement:
        """Judge any plan from scores and this rule alone."""
        raise NotImplementedError


def only_of(where: Where, tables: tuple[str, ...]) -> Where:
    """The filter as it is. Raises `ValueError` for a column written with a table this filter cannot look at."""
    for key in where:
        table, dot, _ = key.rpartition(".")
        if dot and table not in tables:
            raise ValueError(f"{key!r} is of no table this filter looks at; known: {', '.join(tables)}")
    return where


def served(scores: Scores, plan: Plan) -> pd.DataFrame:
    """One row per assignment of the plan: positions `n`, `l`, `r`, `level`, and the ids."""
    n, role = np.nonzero(plan.rep >= 0)
    rep = plan.rep[n, role]
    return pd.DataFrame(
        {
            "n": n,
            "l": role,
            "r": rep,
            "level": plan.level[n, role],
            "account_id": scores.account_ids[n],
            "role": np.array(scores.role_names, dtype=object)[role],
            "rep_id": scores.rep_ids[rep],
        }
    )


def sentences(rule: Rule, pairs: pd.DataFrame, text: str, amount: float = 1.0) -> pd.DataFrame:
    """Violations of `rule` by the given assignments; `text` may name {account} and {rep}."""
    before_account, _, rest = text.partition("{account}")
    if "{rep}" in before_account:
        head, _, middle = before_account.partition("{rep}")
        said = head + pairs["rep_id"].fillna("nobody") + middle + pairs["account_id"] + rest
    else:
        middle, _, tail = rest.partition("{rep}")
        said = before_account + pairs["account_id"] + middle
        if "{rep}" in text:
            said = said + pairs["rep_id"].fillna("nobody") + tail
    frame = pairs[["account_id", "role", "rep_id"]].assign(rule=rule.name, amount=amount, sentence=said)
    return frame[list(ASSIGNMENT_COLUMNS)].reset_index(drop=True)


def pair_positions(rule: Rule, pairs: list[list[str]], scores: Scores) -> np.ndarray:
    """[2, pairs] positions of accounts and reps; raises `UsageError` naming an id that is not there."""
    ids = np.array(pairs, dtype=object).reshape(-1, 2)
    account = pd.Index(scores.account_ids).get_indexer(pd.Index(ids[:, 0], dtype=object))
    rep = pd.Index(scores.rep_ids).get_indexer(pd.Index(ids[:, 1], dtype=object))
    for position, what, column in ((account, "account", 0), (rep, "rep", 1)):
        if (position < 0).any():
            name = ids[np.flatnonzero(position < 0)[0], column]
            raise UsageError(f"rule {rule.name!r}: {name!r} in pairs is not a known {what}")
    return np.stack([account, rep])
