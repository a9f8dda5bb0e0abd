"""`nearest`: only the best few reps for each account, and today's rep. It cuts options, so it is always reported."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from optimizer.plan import Plan
from optimizer.rules.base import Judgement, Restriction, Rule, sentences, served
from optimizer.scores import Scores
from optimizer.where import mask


class Nearest(Rule):
    """Of the reps that the other rules leave, the `reps` nearest (great-circle km) or best-fitting (model value at the
    first service level) may serve an account, reps that tie with the last of them, and today's rep.

    For a family the distance and the value are those of all its accounts together; the rule is about a family when it is
    about any of its accounts.
    """

    kind: Literal["nearest"] = "nearest"
    reps: int = Field(ge=1, le=100_000, description="how many")
    by: Literal["distance", "value"] = Field(default="value", description="distance or value")

    def post(self, scores: Scores) -> Restriction:
        return Restriction(nearest=(self.reps, self.by, mask(scores.accounts, self.where)))

    def check(self, scores: Scores, plan: Plan, others: tuple[Rule, ...] = ()) -> Judgement:
        """Counts, for every assignment, the eligible reps strictly better than the one chosen."""
        from optimizer.options import candidates

        pairs = served(scores, plan)
        wrong = np.zeros(len(pairs), dtype=bool)
        chosen, asked = plan.rep, mask(scores.accounts, self.where)
        posts = tuple(rule.post(scores) for rule in others if rule.posts == "options" and not isinstance(rule, Nearest))
        bad = np.zeros(chosen.shape, dtype=bool)
        for part in candidates(scores, posts):
            if np.diff(part.unit_start).max(initial=0) <= self.reps:
                continue  # nobody has so many better ones
            lead = part.member[part.member_start[:-1]]
            mine = chosen[lead, part.role]
            rank = part.total(lambda n, r, l, v: goodness(scores, self.by, n, r, l))
            own = part.rep == mine[part.unit]
            level = np.full(len(mine), -np.inf)
            level[part.unit[own]] = rank[own]
            better = np.bincount(part.unit[rank > level[part.unit]], minlength=len(mine))
            held = part.total(lambda n, r, l, v: scores.today.rep[n, l] == r) > 0
            kept_today = np.zeros(len(mine), dtype=bool)
            kept_today[part.unit[own & held]] = True
            size = np.diff(part.member_start)
            about = np.bincount(np.repeat(np.arange(len(size)), size), weights=asked[part.member]) > 0
            outside = about & (mine >= 0) & (better >= self.reps) & ~kept_today & np.isfinite(level)
            bad[part.member, np.repeat(part.role, size)] = np.repeat(outside, size)
        wrong = bad[pairs["n"], pairs["l"]] if len(pairs) else wrong
        text = f"{{rep}} is not among the {self.reps} reps nearest to {{account}} by {self.by}"
        return Judgement(assignments=sentences(self, pd.DataFrame(pairs[wrong]), text))


def goodness(scores: Scores, by: str, n: np.ndarray, r: np.ndarray, l: np.ndarray) -> np.ndarray:
    """[pairs] how good the rep is for the account: minus the distance, or the value."""
    if by == "distance":
        return -np.nan_to_num(scores.distance_km(n, r), nan=1e5)
    return scores.value(n, r, l, 0)
