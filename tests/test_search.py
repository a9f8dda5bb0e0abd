"""The search over parts and walks: the same for any number of threads, inside its parts, and never worse for the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

import optimizer.search as searching
from optimizer.board import Board, short_list
from optimizer.certificate import admissible
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.search import Cooling, Search
from tests.mixed_cores import mixed_core, random_plan

#: no heat, full losses, breaches at any price
FIRM = Cooling(rounds=1, hot=1e-9, cold=1e-9, share=1.0, firm=(1e9, 1e9))


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Problems of a handful of units are searched in parts already."""
    monkeypatch.setattr(searching, "WHOLE", 4)
    monkeypatch.setattr(searching, "PART", 9)
    monkeypatch.setattr(searching, "PART_REPS", 1)


def problems(count: int, units: int = 60, reps: int = 8) -> Iterator[tuple[int, Core, np.ndarray, np.ndarray]]:
    """(seed, core, prices [R], plan [U]) with options for whoever must have one."""
    seed = 0
    while count:
        seed += 1
        rng = np.random.default_rng([seed, 3])
        core = mixed_core(seed, units, reps)
        if core.units < 6 or not core.options or (core.mandatory & (np.diff(core.start) == 0)).any():
            continue
        core = replace(core, upper=np.where(core.position >= 0, np.maximum(core.upper, 0.0), core.upper))
        count -= 1
        yield seed, core, admissible(core, rng.normal(0, 2, core.rows)), random_plan(core, rng)


def search(
    core: Core,
    prices: np.ndarray,
    choice: np.ndarray,
    threads: int = 1,
    seed: int = 1,
    stop: Callable[[], bool] = lambda: False,
) -> Search:
    return Search(core, short_list(core, prices, choice, 4, threads), seed, threads, stop)


def own(core: Core, choice: np.ndarray) -> bool:
    """Every option is the unit's own, and whoever must be served is."""
    has = choice >= 0
    return bool((core.unit[choice[has]] == np.flatnonzero(has)).all() and has[core.mandatory].all())


def both_ways(core: Core, prices: np.ndarray, choice: np.ndarray, cooling: Cooling) -> list[list[np.ndarray]]:
    out = []
    for threads in (1, 2):
        at = search(core, prices, choice, threads)
        out.append([*at.run(at.first_choice, cooling, 4000), *at.run(choice, cooling, 4000)])
    return out


def test_walks_over_the_whole_are_the_same_on_one_thread_and_two() -> None:
    for seed, core, prices, choice in problems(15):
        one, two = both_ways(core, prices, choice, Cooling(rounds=4))
        np.testing.assert_array_equal(one, two, err_msg=str(seed))
        assert len(one) == 2 * searching.WALKS and all(own(core, found) for found in one), seed


@pytest.mark.usefixtures("in_parts")
def test_rounds_over_parts_are_the_same_on_one_thread_and_two() -> None:
    for seed, core, prices, choice in problems(25):
        one, two = both_ways(core, prices, choice, Cooling(rounds=4))
        np.testing.assert_array_equal(one, two, err_msg=str(seed))
        assert all(own(core, found) for found in one), seed


def test_another_seed_is_another_search() -> None:
    differ = 0
    for _, core, prices, choice in problems(10):
        found = [
            search(core, prices, choice, seed=s).run(choice, Cooling(rounds=2, hot=3.0, cold=2.0), 600) for s in (1, 2)
        ]
        differ += not np.array_equal(*found)
    assert differ >= 7


@pytest.mark.usefixtures("in_parts")
def test_a_part_moves_its_own_units_to_its_own_reps_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a round no two boards share a unit or a rep, and what changes is within a board."""
    boards: list[tuple[Board, np.ndarray, np.ndarray]] = []

    class Watched(Board):
        def __init__(self, core: Core, listed: object, choice: np.ndarray, unit: np.ndarray, part: np.ndarray) -> None:
            super().__init__(core, listed, choice, unit, part)  # type: ignore[arg-type]
            boards.append((self, choice, part))

    monkeypatch.setattr(searching, "Board", Watched)
    several = 0
    for seed, core, prices, choice in problems(25):
        boards.clear()
        (after,) = search(core, prices, choice).run(choice, Cooling(rounds=1, hot=5.0, cold=4.0), 3000)
        units = np.concatenate([board.unit for board, _, _ in boards])
        assert len(np.unique(units)) == len(units), seed
        assert sum(part.astype(int) for _, _, part in boards).max() <= 1, seed  # type: ignore[union-attr]
        changed = np.flatnonzero(after != choice)
        assert np.isin(changed, units).all(), seed
        for board, before, part in boards:
            moved = board.unit[(after[board.unit] != before[board.unit]) & (after[board.unit] >= 0)]
            assert part[core.rep[after[moved]]].all(), seed
            held = board.unit[before[board.unit] >= 0]
            assert part[core.rep[before[held]]].all(), seed  # a unit's home is where its rep is
        several += len(boards) > 1
    assert several >= 15


def test_reps_that_the_same_units_like_are_in_the_same_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Units on a square of 12 by 12 reps like the four around them: parts hold most of what their units like."""
    monkeypatch.setattr(searching, "WHOLE", 4)
    monkeypatch.setattr(searching, "PART", 121)
    monkeypatch.setattr(searching, "PART_REPS", 1)
    across, down = (part.ravel() for part in np.meshgrid(np.arange(11), np.arange(11)))
    corner = np.tile(across + 12 * down, 10)
    core = replace(square(len(corner)), rep=(corner[:, None] + [0, 1, 12, 13]).ravel().astype(np.int32))
    for seed in range(5):
        one = search(core, np.zeros(core.rows), np.full(core.units, -1), seed=seed)
        part_of = one._partition(core.start[:-1])
        assert sorted(set(part_of.tolist())) == list(range(10))
        size = np.bincount(part_of[core.rep[core.start[:-1]]])
        assert size.max() < 2.5 * size.mean()
        home = part_of[core.rep.reshape(-1, 4)]
        assert (home[:, 1:] == home[:, :1]).mean() > 0.5  # at random it is a tenth, on one line a sixth


def square(units: int) -> Core:
    """Units of four options each, 144 reps, no rows."""
    return Core(
        start=np.arange(units + 1) * 4,
        rep=np.zeros(4 * units, dtype=np.int32),
        value=np.tile([4.0, 3.0, 2.0, 1.0], units),
        mandatory=np.zeros(units, dtype=bool),
        unit_coef=np.zeros((0, units)),
        option_coef=np.zeros((0, 4 * units)),
        unit_row=np.zeros((0, units), dtype=np.int32),
        rep_row=np.zeros((0, 144), dtype=np.int32),
        factor=np.zeros((0, 4), dtype=np.int64),
        lower=np.zeros(0),
        upper=np.zeros(0),
        penalty=np.zeros(0),
        position=np.zeros(0, dtype=np.int32),
        is_open=np.zeros(144, dtype=bool),
        cost=np.zeros(144),
        offset=np.zeros(0),
    )


def test_the_parts_together_have_no_more_room_than_there_is() -> None:
    for seed, core, _, _ in problems(40):
        rng = np.random.default_rng(seed)
        part_of = np.unique(rng.integers(0, 3, len(core.cost)), return_inverse=True)[1]
        parts = int(part_of.max()) + 1
        room = searching._rooms(core, part_of, parts)
        assert ((room > 0) & (room <= 1)).all()
        a, by_part = core.matrix().toarray() != 0, part_of[core.rep]
        can = np.stack([a[:, by_part == p].any(axis=1) for p in range(parts)], axis=1)
        assert ((room * can).sum(axis=1) <= 1 + 1e-12).all(), seed
        assert (room[core.position >= 0][can[core.position >= 0]] == 1).all(), seed


@pytest.mark.usefixtures("in_parts")
def test_parts_never_break_a_hard_row_together() -> None:
    """From a plan that keeps every row, without heat and with breaches at any price, every round ends with one."""
    tried, moved = 0, 0
    for seed, core, prices, choice in problems(250, units=40):
        if not core.feasible(choice):
            continue
        tried += 1
        at = search(core, prices, choice)
        for _ in range(3):
            (after,) = at.run(choice, FIRM, 2000)
            moved += int((after != choice).sum())
            assert core.feasible(after), seed
            choice = after
    assert tried >= 40 and moved > 100, (tried, moved)


def test_at_good_prices_a_whole_annealing_is_seldom_worse_than_where_it_began() -> None:
    better, tried = 0, 0
    for seed, core, _, choice in problems(40):
        if not core.feasible(choice):
            continue
        tried += 1
        prices = find_prices(core, 2.0, threads=1).prices
        at = search(core, prices, choice, seed=seed)
        found = [x for x in at.run(at.first_choice, Cooling(), 20_000) if core.feasible(x)]
        better += max(map(core.objective, found), default=-np.inf) >= core.objective(choice)
    assert tried >= 10 and better >= 0.8 * tried, (better, tried)


def test_a_plan_that_breaks_rows_is_annealed_again_around_them() -> None:
    """Mostly with success, never with somebody else's option, and a plan that keeps its rows is left alone."""
    tried, mended = 0, 0
    for seed, core, prices, choice in problems(150, units=40):
        at = search(core, prices, choice)
        if core.feasible(choice):
            np.testing.assert_array_equal(at.mend(choice), choice)
        elif core.feasible(plan := at.run(choice, FIRM, 4000)[0]):  # there is a plan near by
            tried += 1
            out = at.mend(choice)
            assert own(core, out), seed
            mended += core.feasible(out)
            assert core.feasible(plan)
    assert tried >= 8 and mended >= 0.7 * tried, (tried, mended)


def test_a_good_plan_without_the_book_of_one_rep_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mostly to something better, never with somebody else's option, and most of the plan stays as it was."""
    monkeypatch.setattr(searching, "RESTORE_UNITS", 15)
    tried, better, changed = 0, 0, 0.0
    for seed, core, _, choice in problems(60, units=60, reps=12):
        prices = find_prices(core, 5.0).prices
        at = search(core, prices, choice)
        good = max(at.run(at.first_choice, Cooling(), 4000), key=lambda x: (core.feasible(x), core.objective(x)))
        rep = np.where(good >= 0, core.rep[good], -1)
        busiest = np.bincount(rep[rep >= 0], minlength=1).argmax()
        broken = np.where((rep == busiest) & ~core.mandatory, -1, good)
        if not core.feasible(broken) or not core.objective(broken) < core.objective(good):
            continue
        tried += 1
        found = search(core, prices, good).restore(broken)
        assert all(own(core, x) for x in found), seed
        best = max(found, key=lambda x: (core.feasible(x), core.objective(x)))
        better += core.feasible(best) and core.objective(best) > core.objective(broken)
        changed += float((best != broken).mean())
    assert tried >= 10 and better >= 0.8 * tried, (tried, better)
    assert changed < 0.6 * tried, (tried, changed)


def test_told_to_stop_it_gives_back_what_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for whole in (10_000, 1):
        monkeypatch.setattr(searching, "WHOLE", whole)
        _, core, prices, choice = next(problems(1))
        asked: list[int] = []
        at = search(core, prices, choice, stop=lambda: not asked.append(1))  # noqa: B023
        for found in at.run(choice, Cooling(), 10**9):
            np.testing.assert_array_equal(found, choice)
        assert len(asked) <= 4


def test_cooling_ends_cold_with_full_losses_and_firm_breaches() -> None:
    cooling = Cooling()
    heat, shares, firms = zip(
        *[(h, p.share, p.firm) for h, p in map(cooling.at, range(cooling.rounds + 1))], strict=True
    )
    assert (np.diff(heat) < 0).all() and (np.diff(shares) >= 0).all() and (np.diff(firms) > 0).all()
    assert heat[0] == cooling.hot and heat[-1] == pytest.approx(cooling.cold)
    assert shares[0] == pytest.approx(cooling.share) and shares[-1] == 1.0
    assert firms[-1] == pytest.approx(cooling.firm[1])


@pytest.mark.usefixtures("in_parts")
def test_units_stay_at_their_first_choice_where_another_costs_much_unless_they_are_elsewhere() -> None:
    moved = 0
    for seed in range(40):
        core = mixed_core(seed, units=30)
        if core.units <= 4 or (core.mandatory & (np.diff(core.start) == 0)).any():
            continue
        prices, start = np.random.default_rng(seed).normal(0, 0.5, core.rows), np.full(core.units, -1)
        one = search(core, prices, start, seed=seed)
        chosen = one.first_choice
        elsewhere = np.arange(core.units) % 5 == 0
        begun = np.where(elsewhere & ~core.mandatory, -1, chosen)
        (ended,) = one.run(begun, Cooling(rounds=2, hot=9.0, cold=9.0, reach=0.1), 4_000)
        held = (one.lead > 0.1) & (begun == chosen)
        np.testing.assert_array_equal(ended[held], chosen[held], err_msg=str(seed))
        moved += int((ended != begun).sum())
    assert moved > 40
