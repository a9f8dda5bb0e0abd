"""`forbid`: these accounts may not have these reps."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from optimizer.plan import Plan
from optimizer.rules.base import Judgement, Restriction, Rule, only_of, pair_positions, sentences, served
from optimizer.scores import Scores
from optimizer.where import Where, mask


class Forbid(Rule):
    """Accounts that meet `where` may not be served by reps that meet `reps`; or exactly the listed pairs.

    Without `reps` nobody may serve them: they stay unserved.
    """

    kind: Literal["forbid"] = "forbid"
    reps: Where = Field(default_factory=dict, description="which reps: column of the reps table → condition")
    pairs: list[list[str]] = Field(default_factory=list, description="[account_id, rep_id] pairs instead")

    @field_validator("reps")
    @classmethod
    def _of_reps(cls, reps: Where) -> Where:
        return only_of(reps, ("rep",))

    @model_validator(mode="after")
    def _one_way(self) -> Forbid:
        if bool(self.pairs) == bool(self.where or self.reps):
            raise ValueError("give pairs, or where and/or reps")
        if any(len(pair) != 2 for pair in self.pairs):
            raise ValueError("each pair is [account_id, rep_id]")
        return self

    def post(self, scores: Scores) -> Restriction:
        if self.pairs:
            return Restriction(forbidden=pair_positions(self, self.pairs, scores))
        of_account = mask(scores.accounts, self.where).astype(np.int32)
        of_rep = self._of(scores)
        return Restriction(of_account, np.stack([np.ones_like(of_rep), ~of_rep]))

    def check(self, scores: Scores, plan: Plan) -> Judgement:
        pairs = served(scores, plan)
        if self.pairs:
            listed = pd.MultiIndex.from_tuples([tuple(p) for p in self.pairs])
            wrong = pd.MultiIndex.from_frame(pairs[["account_id", "rep_id"]]).isin(listed)
        else:
            wrong = mask(scores.accounts, self.where)[pairs["n"]] & self._of(scores)[pairs["r"]]
        return Judgement(assignments=sentences(self, pairs[wrong], "{account} may not go to {rep}"))

    def _of(self, scores: Scores) -> np.ndarray:
        """[M] the reps that meet `reps`; `team` and `rep.team` are the same column there."""
        return mask(scores.reps, {f"rep.{key.removeprefix('rep.')}": value for key, value in self.reps.items()}, "rep")
