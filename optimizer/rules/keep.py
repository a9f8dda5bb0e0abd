"""`keep`: these accounts stay with today's rep, or with the rep named."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from optimizer.plan import Plan
from optimizer.rules.base import ASSIGNMENT_COLUMNS, Judgement, Restriction, Rule, pair_positions
from optimizer.scores import Scores
from optimizer.where import mask


class Keep(Rule):
    """Accounts that meet `where` must be served by today's rep, in every role that has one; or each listed account by
    the listed rep, in the first role. Where today's rep is not among the scenario's reps there is nothing to keep."""

    kind: Literal["keep"] = "keep"
    pairs: list[list[str]] = Field(default_factory=list, description="[account_id, rep_id] pairs instead")

    @model_validator(mode="after")
    def _one_way(self) -> Keep:
        if self.pairs and self.where:
            raise ValueError("give pairs or where, not both")
        if any(len(pair) != 2 for pair in self.pairs):
            raise ValueError("each pair is [account_id, rep_id]")
        accounts = [pair[0] for pair in self.pairs]
        if len(set(accounts)) < len(accounts):
            raise ValueError("an account is listed twice")
        return self

    def post(self, scores: Scores) -> Restriction:
        only = np.full(scores.today.rep.shape, -1, dtype=np.int32)
        if self.pairs:
            account, rep = pair_positions(self, self.pairs, scores)
            only[account, 0] = rep
        else:
            kept = mask(scores.accounts, self.where)
            only[kept] = scores.today.rep[kept]
        return Restriction(only=only)

    def check(self, scores: Scores, plan: Plan) -> Judgement:
        if self.pairs:
            pair_positions(self, self.pairs, scores)
            wanted = pd.DataFrame(self.pairs, columns=["account_id", "wanted"]).assign(role=scores.role_names[0])
        else:
            today = scores.today.to_frame()
            kept = set(scores.account_ids[mask(scores.accounts, self.where)])
            wanted = today[today["account_id"].isin(kept) & today["rep_id"].notna()]
            wanted = wanted.rename(columns={"rep_id": "wanted"})[["account_id", "role", "wanted"]]
        both = wanted.merge(plan.to_frame(), on=["account_id", "role"], how="left")
        wrong = both[both["rep_id"].isna() | (both["rep_id"] != both["wanted"])]
        sentence = (
            wrong["account_id"] + " must stay with " + wrong["wanted"] + ", not " + wrong["rep_id"].fillna("nobody")
        )
        broken = wrong.assign(rule=self.name, amount=1.0, sentence=sentence)
        return Judgement(assignments=broken[list(ASSIGNMENT_COLUMNS)].reset_index(drop=True))
