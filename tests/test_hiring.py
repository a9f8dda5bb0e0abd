"""Which positions to fill: no way is worth more than the tree says, and the plan is as good as one by an exact engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer import hiring as module
from optimizer.core import Core
from optimizer.dual import Dual, find_prices
from optimizer.engines import load
from optimizer.engines.base import Answer, Limits, Progress, Report
from optimizer.engines.run import run
from optimizer.hiring import Hired, Tree, begin, by_positions, few_positions, fill, matter
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices
from tests.mixed_cores import mixed_core, random_plan
from tests.timing import soonest


def told(progress: Progress) -> bool:
    return False


def company(units: int, hired: int, positions: int, seed: int) -> Core:
    """Hours at most and, of who is there, at least; coverage of four regions; a position costs half of what one brings."""
    rng = np.random.default_rng(seed)
    reps, size = hired + positions, rng.lognormal(4, 1, units)
    reach = np.sort(np.argsort(rng.random((units, reps)), axis=1)[:, : min(reps, 6)], axis=1)
    value = np.round(size[:, None] * rng.uniform(0.3, 1, reach.shape), 2).ravel()
    hours, options = np.round(rng.uniform(1, 6, units), 1), len(value)
    room = np.round(hours.sum() / reps * rng.uniform(0.7, 1.1, reps), 1)
    is_open = np.arange(reps) >= hired
    return Core(
        start=np.arange(units + 1) * reach.shape[1],
        rep=reach.ravel().astype(np.int32),
        value=value,
        mandatory=np.zeros(units, bool),
        unit_coef=np.stack([np.ones(units), hours]),
        option_coef=np.zeros((0, options)),
        unit_row=rng.integers(reps, reps + 4, (1, units)).astype(np.int32),
        rep_row=np.arange(reps, dtype=np.int32)[None, :],
        factor=np.array([[0, 1, 1, 0], [0, 0, 0, 0]]),
        lower=np.append(0.6 * room, np.full(4, units // 7)),
        upper=np.append(room, np.full(4, np.inf)),
        penalty=np.full(reps + 4, np.inf),
        position=np.append(np.where(is_open, np.arange(reps), -1), np.full(4, -1)).astype(np.int32),
        is_open=is_open,
        cost=np.where(is_open, np.round(0.5 * value.sum() / reach.shape[1] / reps), 0.0),
        offset=np.zeros(reps + 4),
    )


def with_positions(count: int) -> list[tuple[int, Core]]:
    """Small problems of every kind of row that have positions to decide on."""
    seeds = ((seed, mixed_core(seed)) for seed in range(10_000))
    found = ((s, core) for s, core in seeds if count_choices(core) <= MOST_CHOICES / 10 and matter(core).any())
    return [next(found) for _ in range(count)]


SMALL = with_positions(60)


def chosen(core: Core, **more: float) -> tuple[Tree, Hired | None]:
    tree = Tree(core, Limits(20.0, **more), told)  # type: ignore[arg-type]
    return tree, tree.first(find_prices(core, 5.0).prices)


def worth(way: Hired) -> float:
    """What no plan with positions filled like that is worth more than."""
    return find_prices(way.part.core, 5.0).bound - way.spent


def test_no_plan_is_worth_more_than_the_way_chosen_and_the_others() -> None:
    ways = 0
    for _, core in SMALL:
        best, _ = best_by_enumeration(core)
        tree, way = chosen(core, threads=1)
        if way is None:
            assert best == -np.inf
            continue
        assert max(worth(way), tree.others) >= best - 1e-6 * max(1.0, abs(best))
        ways += 1
    assert ways > len(SMALL) / 2


def test_one_way_after_the_other_none_is_given_twice_and_the_best_plan_is_in_one_of_them() -> None:
    for _, core in SMALL:
        best, _ = best_by_enumeration(core)
        tree, way = chosen(core, threads=1)
        value, seen = -np.inf, 0
        while way is not None:
            _, choice = best_by_enumeration(way.part.core)
            whole = None if choice is None else way.plan(choice)
            value, seen = max(value, -np.inf if whole is None else core.objective(whole)), seen + 1
            way = tree.next(value)
        assert len(tree.given) == seen <= 2 ** matter(core).sum()
        assert value == pytest.approx(best) and tree.others <= max(value, -np.inf) + 1e-9


def by_enumeration(part: Core, report: Report) -> tuple[Answer, Dual]:
    value, choice = best_by_enumeration(part)
    report(Progress(0.0, value, value, "search", choice))
    prices = find_prices(part, 5.0)
    return Answer(choice, min(value, prices.bound), "infeasible" if choice is None else "optimal", agreed=True), prices


def test_where_every_way_is_searched_to_its_end_the_whole_problem_is_proved() -> None:
    heard = list[Progress]()

    def report(progress: Progress) -> bool:
        heard.append(progress)
        return False

    for seed, core in SMALL:
        best, _ = best_by_enumeration(core)
        heard.clear()
        begun = random_plan(core, np.random.default_rng(seed))
        plan = begun if core.feasible(begun) else None
        prices = find_prices(core, 5.0).prices
        answer = by_positions(core, prices, plan, Limits(60.0, gap=0.0), report, by_enumeration)
        if answer is None or answer.choice is None:
            assert best == -np.inf
            continue
        assert core.objective(answer.choice) == pytest.approx(best) and core.feasible(answer.choice)
        assert answer.claim == "optimal" and answer.agreed and answer.bound == pytest.approx(best, abs=1e-4)
        plans = [p.objective for p in heard if p.choice is not None]
        assert plans == sorted(plans) and all(p.bound >= best - 1e-4 for p in heard if np.isfinite(p.bound))


def test_a_plan_of_what_is_left_is_worth_no_less_in_the_whole_problem_beside_rows_that_nobody_reaches() -> None:
    for seed, core in SMALL:
        rng = np.random.default_rng(seed)
        filled = np.where(matter(core), rng.integers(-1, 2, len(core.cost)), begin(core)).astype(np.int8)
        part, spent = fill(core, filled)
        choice = random_plan(part.core, rng)
        choice = np.where(np.diff(part.core.start) > 0, choice, -1)
        whole, out = part.lift(choice), np.setdiff1d(np.arange(core.rows), part.row)
        soft = out[np.isfinite(core.penalty[out])]
        unreached = float((core.penalty[soft] * core.shortfall(whole)[soft]).sum())
        assert core.objective(whole) >= part.core.objective(choice) - spent - unreached - 1e-6
        assert (filled[core.rep[whole[whole >= 0]]] != 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3])
def test_companies_with_positions_end_at_the_optimum_of_an_exact_engine(seed: int) -> None:
    core = company(80, 3, 4, seed)
    assert core.options > 400 and few_positions(core)
    best = load("highs").solve(core, Limits(60.0, gap=1e-5), told)
    answer, dual = run("prices", core, Limits(12.0, gap=0.0), told)
    assert answer.choice is not None and core.feasible(answer.choice) and best.choice is not None
    value = core.objective(answer.choice)
    assert value >= core.objective(best.choice) * (1 - 1e-3)
    assert value <= best.bound * (1 + 1e-9) and min(answer.bound, dual.bound) >= core.objective(best.choice) * (
        1 - 1e-9
    )


def test_many_positions_that_take_too_long_to_look_through_are_filled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    core = company(300, 10, 40, 1)
    monkeypatch.setattr(module, "MOST", 12)
    tree, way = chosen(core)
    assert way is not None and worth(way) <= tree.others <= find_prices(core, 5.0).bound * (1 + 1e-9)


@pytest.mark.slow
def test_an_exchange_finds_what_the_first_descent_has_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    core, found = company(200, 6, 14, 3), []
    for share in (0.0, 1.0):
        monkeypatch.setattr(module, "EXCHANGED", share)
        monkeypatch.setattr(module, "MOST", 150)
        _, way = chosen(core)
        assert way is not None
        found.append(worth(way))
    assert found[1] >= found[0] * (1 - 1e-5)


def test_positions_that_cost_nothing_and_need_nobody_are_not_decided_on() -> None:
    core = company(80, 3, 4, 1)
    assert matter(core).sum() == 4
    free = replace(core, cost=np.zeros(7), lower=np.full(core.rows, -np.inf))
    assert not matter(free).any() and not few_positions(free)
    assert matter(replace(core, cost=np.zeros(7))).sum() == 4  # hours at least
    kept = np.where(core.position >= 0, -1.0, core.upper)
    assert matter(replace(free, upper=kept)).sum() == 4  # not kept without anybody


def test_where_no_way_serves_who_must_be_served_there_is_none() -> None:
    core = company(80, 3, 4, 1)
    must = np.zeros(81, bool)
    must[-1] = True
    nobody = replace(
        core, start=np.append(core.start, core.start[-1]), mandatory=must, unit_coef=np.ones((2, 81)),
        unit_row=np.full((1, 81), -1, np.int32),
    )  # fmt: skip
    assert chosen(nobody)[1] is None


def test_counting_work_it_is_the_same_on_one_thread_and_on_two() -> None:
    core = company(120, 4, 6, 2)
    answers = [run("prices", core, Limits(4.0, gap=0.0, threads=t, deterministic=True), told)[0] for t in (1, 2)]
    assert answers[0].choice is not None
    np.testing.assert_array_equal(answers[0].choice, answers[1].choice)
    assert answers[0].bound == answers[1].bound


def test_told_to_stop_it_ends_at_once_with_the_plan_there_is() -> None:
    def cancelled() -> float:
        core, stopped = company(2_000, 20, 30, 1), list[float]()

        def report(progress: Progress) -> bool:
            if progress.phase == "positions" or stopped:
                stopped.append(progress.seconds)
            return bool(stopped)

        limits = Limits(30.0, gap=0.0)
        answer: Answer = run("prices", core, limits, report)[0]
        assert answer.choice is not None and answer.stopped
        return limits.elapsed() - stopped[0]

    assert soonest(cancelled, 2.0) < 2.0
