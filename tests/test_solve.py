"""What a solve may say: status, bound, proof, second opinions; and that child processes keep their promises."""

from __future__ import annotations

import time
import tomllib

import numpy as np
import pytest

from optimizer.check import check
from optimizer.core import Core
from optimizer.engines import choose
from optimizer.engines.base import Limits, Progress
from optimizer.errors import UsageError
from optimizer.problem import Problem, build
from optimizer.process import Outcome
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario
from optimizer.solve import run_here, solve
from tests.timing import soonest


def company(accounts: int = 60, reps: int = 5, seed: int = 3, **changes: object) -> Problem:
    raw = tomllib.loads(baseline_toml(accounts, reps))
    raw["rules"] = [{**rule, **changes.get(rule["name"], {})} for rule in raw["rules"]]  # type: ignore[dict-item]
    return build(
        sample(accounts, reps, seed), parse_scenario({**raw, "rules": [*raw["rules"], *changes.get("more", ())]})
    )  # type: ignore[misc]


IMPOSSIBLE = {
    "more": [{"name": "everybody", "kind": "limit", "measure": "coverage", "per": "company", "at_least": "100%"}]
}


@pytest.fixture(scope="module")
def small() -> Problem:
    return company()


@pytest.mark.parametrize("engine", ["prices", "cpsat", "highs", "greedy", "balance"])
def test_every_engine_s_plan_passes_check_and_stays_below_the_bound(small: Problem, engine: str) -> None:
    result = solve(small, engine, time_limit=3, in_process=True)
    assert result.plan is not None and check(small, result.plan).ok
    assert result.objective == pytest.approx(check(small, result.plan).objective)
    assert result.objective <= result.bound * (1 + 1e-9)


def test_the_exact_engines_prove_the_same_optimum_and_the_heuristics_do_not_beat_it() -> None:
    tiny = company(24, 3)
    exact = [solve(tiny, engine, time_limit=60, gap=0, in_process=True) for engine in ("highs", "cpsat")]
    assert {r.status for r in exact} == {"OPTIMAL"} and {r.stopped_by for r in exact} == {"proof"}
    assert exact[0].objective == pytest.approx(exact[1].objective, rel=1e-6)
    assert solve(tiny, "greedy", in_process=True).objective <= exact[0].objective * (1 + 1e-9)


def test_a_child_process_gives_what_the_same_engine_gives_here(small: Problem) -> None:
    here, child = (solve(small, "greedy", in_process=where) for where in (True, False))
    assert here.plan is not None and child.plan is not None
    assert (here.plan.rep == child.plan.rep).all() and here.bound == pytest.approx(child.bound)


def test_an_infeasible_scenario_names_the_rules_that_would_have_to_give_way() -> None:
    result = solve(company(**IMPOSSIBLE), "highs", time_limit=30, in_process=True)
    assert result.status == "INFEASIBLE" and result.plan is None and result.stopped_by == "proof"
    assert {c.rule for c in result.conflicts} & {"everybody", "hours", "book size"}
    assert str(result).startswith("INFEASIBLE")


def test_a_mandatory_account_without_an_option_is_infeasible_before_any_search() -> None:
    problem = company()
    account = problem.scores.account_ids[0]
    owner = problem.scores.rep_ids[0]
    rules = [
        {"name": "tie", "kind": "keep", "pairs": [[account, owner]]},
        {"name": "never", "kind": "forbid", "pairs": [[account, owner]]},
    ]
    tied = build(sample(60, 5, 3), parse_scenario({"name": "tied", "rules": rules}))
    assert tied.impossible
    result = solve(tied, "highs", time_limit=10, in_process=True)
    assert result.status == "INFEASIBLE" and any(account in c.sentence for c in result.conflicts)


def test_a_claim_of_optimality_that_no_second_solver_shares_is_not_called_optimal(
    small: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lying(
        name: str, core: Core, limits: Limits, report: object, hint: np.ndarray | None, prices: object = None
    ) -> Outcome:
        if name == "cpsat":  # the greedy plan, "proved"
            plan = run_here("greedy", core, limits, None, hint)
            assert plan.choice is not None
            return Outcome(plan.choice, "optimal", core.objective(plan.choice), plan.prices, "end", ())
        return run_here(name, core, limits, None, hint)

    import sys

    monkeypatch.setattr(sys.modules["optimizer.solve"], "run_here", lying)
    result = solve(small, "cpsat", time_limit=20, gap=0, in_process=True)
    assert result.status == "FEASIBLE"
    assert any("no second solver agreed" in note for note in result.notes)


def test_a_plan_that_check_does_not_accept_is_dropped(small: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(
        name: str, core: Core, limits: Limits, report: object, hint: np.ndarray | None, prices: object = None
    ) -> Outcome:
        everything_to_the_first = np.where(np.diff(core.start) > 0, core.start[:-1], -1)
        return Outcome(everything_to_the_first, "none", np.inf, np.zeros(core.rows), "end", ())

    import sys

    monkeypatch.setattr(sys.modules["optimizer.solve"], "run_here", careless)
    result = solve(small, "greedy", in_process=True)
    assert result.status == "NO_PLAN" and result.plan is None


def test_cancel_answers_soon_and_keeps_the_best_plan() -> None:
    problem = company(300, 14)

    def attempt() -> float:
        when: list[float] = []

        def stop_after_a_plan(progress: Progress) -> bool:
            if progress.objective > 0 and not when:
                when.append(time.monotonic())
            return bool(when)

        result = solve(problem, "highs", time_limit=60, gap=0, report=stop_after_a_plan)
        took = time.monotonic() - when[0]
        assert result.stopped_by == "user" and result.plan is not None
        return took

    assert soonest(attempt, 4) < 4  # 2 s to stop, and judging the plan


def test_a_time_limit_is_kept_and_the_best_plan_comes_back() -> None:
    result = solve(company(300, 14), "highs", time_limit=5, gap=0)
    assert result.stopped_by == "time" and result.plan is not None
    assert result.seconds < 5 * 1.1 + 2 + 1


@pytest.mark.parametrize("wrong", [{"time_limit": 0}, {"time_limit": float("nan")}, {"gap": -1}, {"engine": "magic"}])
def test_limits_that_make_no_sense_are_refused(small: Problem, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        solve(small, **{"engine": "greedy", "in_process": True, **wrong})  # type: ignore[arg-type]


def test_auto_takes_the_engine_that_measured_best_at_every_size_and_says_why() -> None:
    for options in (100, 10_000_000):
        name, why = choose(options, 10)
        assert name == "prices" and f"{options:,}" in why
