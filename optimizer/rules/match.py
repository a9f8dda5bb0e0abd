"""`match`: every value an account asks for must be among its rep's."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from optimizer.errors import unknown
from optimizer.lists import share_of_lists
from optimizer.plan import Plan
from optimizer.rules.base import Judgement, Restriction, Rule, sentences, served
from optimizer.scores import Scores
from optimizer.tables import split_list
from optimizer.where import mask

#: rep columns in which an empty cell means "anywhere"
ANYWHERE = frozenset({"regions"})


class Match(Rule):
    """Each value in the account's column must be among the values in the rep's column.

    An empty account cell asks nothing. An empty rep cell has nothing, except in `regions`, where it means anywhere.
    """

    kind: Literal["match"] = "match"
    account: str = Field(description="column of the accounts table")
    rep: str = Field(description="column of the reps table")

    def post(self, scores: Scores) -> Restriction:
        self._columns(scores)
        asked = scores.accounts[self.account].where(mask(scores.accounts, self.where))
        code, share = share_of_lists(asked, scores.reps[self.rep], len(scores.accounts), len(scores.reps))
        anywhere = scores.reps[self.rep].isna().to_numpy() & (self.rep in ANYWHERE)
        return Restriction(code, (share == 1.0) | anywhere[None, :])

    def check(self, scores: Scores, plan: Plan) -> Judgement:
        self._columns(scores)
        pairs = served(scores, plan)
        asked = scores.accounts[self.account].to_numpy(dtype=object)[pairs["n"]]
        held = scores.reps[self.rep].to_numpy(dtype=object)[pairs["r"]]
        applies = mask(scores.accounts, self.where)[pairs["n"]]
        # judge each distinct pair of cells once
        cells = pd.DataFrame({"asked": asked, "held": held})
        group = cells.groupby(["asked", "held"], dropna=False, sort=False).ngroup().to_numpy()
        _, first = np.unique(group, return_index=True)
        good = np.array([self._meets(asked[i], held[i]) for i in first], dtype=bool)
        wrong = applies & ~good[group] if len(group) else np.zeros(0, dtype=bool)
        text = f"{{rep}} has not all that {{account}} asks for in {self.account}"
        return Judgement(assignments=sentences(self, pairs[wrong], text))

    def _meets(self, asked: object, held: object) -> bool:
        if not isinstance(held, str) and self.rep in ANYWHERE:
            return True
        return set(split_list(asked)) <= set(split_list(held))

    def _columns(self, scores: Scores) -> None:
        if self.account not in scores.accounts:
            raise unknown(f"accounts column in rule {self.name!r}:", self.account, map(str, scores.accounts.columns))
        if self.rep not in scores.reps:
            raise unknown(f"reps column in rule {self.name!r}:", self.rep, map(str, scores.reps.columns))
