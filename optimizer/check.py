"""Judge any plan, hand-made ones too, from tables, scores and rules. Knows no engine, no option and no row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from optimizer.plan import Plan
from optimizer.rules import Rule
from optimizer.rules.base import ASSIGNMENT_COLUMNS, LIMIT_COLUMNS, served
from optimizer.rules.nearest import Nearest
from optimizer.scores import TERMS, Scores

if TYPE_CHECKING:
    from optimizer.problem import Problem

#: a row is broken when it is out by more than this times max(1, |bound|)
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a plan is worth and what it breaks.

    `limits`: one row a limit row with rule, measure, scope, row, lower, upper, actual, slack (to the nearer bound,
    negative when outside), penalty, cost (of a soft row) and broken (a hard row outside). `assignments`: each
    assignment that breaks a rule, with amount and sentence. `ledger`: currency by term, penalties and open positions
    included; it adds up to `objective`.
    """

    limits: pd.DataFrame
    assignments: pd.DataFrame
    ledger: dict[str, float]
    objective: float

    @property
    def broken(self) -> pd.DataFrame:
        """The hard limit rows outside their bounds."""
        return self.limits[self.limits["broken"]]

    @property
    def ok(self) -> bool:
        """No hard rule is broken."""
        return self.broken.empty and self.assignments.empty

    def sentences(self) -> list[str]:
        """Every violation of a hard rule, in words."""
        rows = [
            f"{r['rule']}: {r['row']} has {r['actual']:,.6g} {r['measure']}, {abs(r['slack']):,.6g} "
            + (f"above {r['upper']:,.6g}" if r["actual"] > r["upper"] else f"below {r['lower']:,.6g}")
            for r in self.broken.to_dict("records")
        ]
        return rows + [f"{a['rule']}: {a['sentence']}" for a in self.assignments.to_dict("records")]

    def __str__(self) -> str:
        said = self.sentences()
        head = f"model value {self.objective:,.2f}; "
        if not said:
            return head + f"no hard rule broken ({len(self.limits)} limit rows checked)"
        more = f"\n  … and {len(said) - 20} more" if len(said) > 20 else ""
        return head + f"{len(said)} violations of hard rules\n  " + "\n  ".join(said[:20]) + more


def judge(scores: Scores, rules: Sequence[Rule], plan: Plan) -> Report:
    """Check `plan` against every rule; the objective is recomputed from the ledger, term by term."""
    plan = plan.onto(scores.account_ids, scores.rep_ids, scores.role_names, scores.level_names)
    judgements = [
        rule.check(scores, plan, tuple(rules)) if isinstance(rule, Nearest) else rule.check(scores, plan)
        for rule in rules
    ]
    limits = pd.concat([pd.DataFrame(columns=list(LIMIT_COLUMNS)), *(j.limits for j in judgements if len(j.limits))])
    broken = [j.assignments for j in judgements if len(j.assignments)]
    assignments = pd.concat([pd.DataFrame(columns=list(ASSIGNMENT_COLUMNS)), *broken, _wrong_role(scores, plan)])
    limits = _slack(limits.reset_index(drop=True))
    ledger = plan_ledger(scores, plan)
    ledger["penalties"] = -float(limits["cost"].sum())
    used = np.unique(plan.rep[plan.rep >= 0])
    ledger["open_positions"] = -float(scores.reps["cost"].to_numpy(dtype=float)[used][scores.open_rep[used]].sum())
    return Report(limits, assignments.reset_index(drop=True), ledger, float(sum(ledger.values())))


def plan_ledger(scores: Scores, plan: Plan) -> dict[str, float]:
    """Currency by term, summed over every assignment of the plan."""
    n, role = np.nonzero(plan.rep >= 0)
    terms = scores.ledger(n, plan.rep[n, role], role, plan.level[n, role])
    return {name: float(terms[name].sum()) for name in TERMS}


def _slack(limits: pd.DataFrame) -> pd.DataFrame:
    numbers = {c: limits[c].astype(float) for c in ("lower", "upper", "actual", "penalty")}
    limits = limits.assign(**numbers)
    over, under = limits["actual"] - limits["upper"], limits["lower"] - limits["actual"]
    slack = -np.maximum(over, under)
    bound = limits["upper"].where(over > under, limits["lower"]).abs().replace(np.inf, 1.0)
    outside = slack < -TOLERANCE * np.maximum(1.0, bound)
    soft = np.isfinite(limits["penalty"])
    cost = np.where(soft, np.maximum(0.0, -slack) * limits["penalty"].where(soft, 0.0), 0.0)
    return limits.assign(slack=slack, cost=cost, broken=outside & ~soft)


def _wrong_role(scores: Scores, plan: Plan) -> pd.DataFrame:
    """Assignments of a rep in a role that is not the rep's, where the scenario names roles."""
    pairs = served(scores, plan)
    if not scores.roles_named or "role" not in scores.reps or pairs.empty:
        return pd.DataFrame(columns=list(ASSIGNMENT_COLUMNS))
    wrong = pairs[scores.reps["role"].to_numpy(dtype=object)[pairs["r"]] != pairs["role"]]
    said = wrong["rep_id"] + " does not work as " + wrong["role"] + ", which " + wrong["account_id"] + " would have"
    return wrong.assign(rule="roles", amount=1.0, sentence=said)[list(ASSIGNMENT_COLUMNS)]


def check(problem: Problem, plan: Plan) -> Report:
    """Judge a plan by the rules of the problem's scenario. Nothing of the problem but scores and rules is read."""
    return judge(problem.scores, problem.scenario.active, plan)
