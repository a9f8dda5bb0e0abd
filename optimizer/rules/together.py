"""`together`: accounts of a family have one rep, or nobody, all of them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from optimizer.errors import UsageError, unknown
from optimizer.plan import Plan
from optimizer.rules.base import ASSIGNMENT_COLUMNS, Judgement, Restriction, Rule
from optimizer.scores import Scores
from optimizer.where import mask


class Together(Rule):
    """All or none: one rep and one service level for a whole family, in each role.

    A family is what hangs together over `parent_id`, up to the last parent that is an account; with another column,
    the accounts of equal value. Accounts outside `where` and empty cells stand alone.
    """

    kind: Literal["together"] = "together"
    by: str = Field(default="parent_id", description="parent_id, or a column of equal values")

    def post(self, scores: Scores) -> Restriction:
        self._column(scores)
        accounts = scores.accounts
        alone = np.arange(len(accounts))
        applies = mask(accounts, self.where)
        if self.by != "parent_id":
            code, values = pd.factorize(accounts[self.by])
            first = np.full(len(values), len(accounts))
            np.minimum.at(first, code[applies & (code >= 0)], alone[applies & (code >= 0)])
            family = np.where(applies & (code >= 0), first[code], alone)
        else:
            parent = pd.Index(scores.account_ids).get_indexer(accounts["parent_id"])
            parent = np.where((parent >= 0) & applies, parent, alone)
            parent = np.where(applies[parent], parent, alone)
            family = _roots(parent, self.name)
        return Restriction(family=family)

    def check(self, scores: Scores, plan: Plan) -> Judgement:
        self._column(scores)
        applies = mask(scores.accounts, self.where)
        ids = pd.Index(scores.account_ids)[applies]
        label = pd.Series(scores.accounts[self.by].to_numpy()[applies], index=ids).dropna()
        if self.by == "parent_id":
            label = label[ids.get_indexer(pd.Index(label)) >= 0]
            for _ in range(64):  # each round doubles the generations climbed
                higher = label.map(label).fillna(label)
                if higher.equals(label):
                    break
                label = higher
            heads = pd.Index(label.unique())
            heads = heads[label.index.get_indexer(heads) < 0]  # not one that is said to be its own parent
            label = pd.concat([label, pd.Series(heads, index=heads)])
        rows = plan.to_frame()
        rows["family"] = rows["account_id"].map(label)
        rows = rows[rows["family"].notna()]
        rows["served_by"] = rows["rep_id"].fillna("nobody") + " / " + rows["service_level"].fillna("")
        groups = rows.groupby(["family", "role"], sort=False)["served_by"]
        lead = groups.transform("first")
        wrong = rows[rows["served_by"] != lead]
        sentence = wrong["account_id"] + " is not with its family " + wrong["family"].astype(str)
        broken = wrong.assign(rule=self.name, amount=1.0, sentence=sentence)
        return Judgement(assignments=broken[list(ASSIGNMENT_COLUMNS)].reset_index(drop=True))

    def _column(self, scores: Scores) -> None:
        if self.by not in scores.accounts:
            raise unknown(f"accounts column in rule {self.name!r}:", self.by, map(str, scores.accounts.columns))


def _roots(parent: np.ndarray, rule: str) -> np.ndarray:
    """The last ancestor of each, by pointer doubling. Raises `UsageError` on a cycle."""
    for _ in range(64):
        higher = parent[parent]
        if (higher == parent).all():
            return parent
        parent = higher
    raise UsageError(f"rule {rule!r}: parent_id runs in a circle; bookfit validate shows where")
