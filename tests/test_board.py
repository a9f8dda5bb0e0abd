"""What a board lets its units do, and how the ledger sees the rows."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.board import STRICT, Board, Ledger, Pressure, short_list
from optimizer.certificate import adjusted, admissible
from optimizer.core import Core
from tests.mixed_cores import mixed_core, random_plan


def problem(seed: int) -> tuple[Core, np.ndarray, np.ndarray, np.random.Generator]:
    """A core with options, prices [R] and a plan [U]."""
    rng = np.random.default_rng([seed, 9])
    core = mixed_core(seed, units=12, reps=5)
    while not core.options or (core.mandatory & (np.diff(core.start) == 0)).any():
        seed += 1000
        core = mixed_core(seed, units=12, reps=5)
    return core, admissible(core, rng.normal(0, 3, core.rows)), random_plan(core, rng), rng


@pytest.mark.parametrize("width", [1, 3, 8])
def test_a_slot_is_the_unit_s_option_at_a_rep_of_the_part_the_one_held_or_unserved(width: int) -> None:
    for seed in range(80):
        core, prices, choice, rng = problem(seed)
        part, unit = rng.random(len(core.cost)) < 0.6, np.flatnonzero(rng.random(core.units) < 0.8)
        board = Board(core, short_list(core, prices, choice, width, 1), choice, unit, part)
        assert sorted(board.unit.tolist()) == unit.tolist()
        unit = board.unit
        np.testing.assert_array_equal(board.choice, choice[unit])
        worth = np.append(adjusted(core, prices, 0, core.units), 0.0)
        for i, u in enumerate(unit):
            slots = board.option[i, : board.at[i, 1]].tolist()
            assert len(set(slots)) == len(slots) >= 1 and choice[u] in slots
            assert (-1 in slots) == (not core.mandatory[u] or choice[u] < 0)
            loose = False
            for s, k in enumerate(slots):
                rep, *others = board.place[i, s].tolist()
                if k < 0:
                    assert rep == len(core.cost) and set(others) <= {-1} and (board.own[rep] == -1).all()
                    assert not core.mandatory[u] or choice[u] < 0
                    continue
                assert core.start[u] <= k < core.start[u + 1]
                assert part[core.rep[k]] or k == choice[u]
                assert rep == core.rep[k]
                added = np.zeros(core.rows + 1)
                np.add.at(added, [*board.own[rep], *others], board.size[i, s, 1:])
                np.testing.assert_array_equal(added[:-1], core.matrix()[:, [k]].toarray()[:, 0])
                loose |= max(others, default=-1) >= 0
            assert board.at[i, 2] == loose
            gaps = worth[slots] + board.size[i, : len(slots), 0]
            np.testing.assert_allclose(gaps, gaps[0], atol=1e-9 * (1 + np.abs(worth).max()))


def test_every_slot_is_found_by_its_rep() -> None:
    for seed in range(40):
        core, prices, choice, rng = problem(seed)
        every, part = np.arange(core.units), rng.random(len(core.cost)) < 0.7
        board = Board(core, short_list(core, prices, choice, 4, 1), choice, every, part)
        named = [
            (x, *board.named[e].tolist())
            for x in range(len(core.cost) + 1)
            for e in range(board.first[x], board.first[x + 1])
        ]
        slots = [(int(board.place[i, s, 0]), i, s) for i in range(core.units) for s in range(board.at[i, 1])]
        assert sorted(named) == sorted(slots)


def test_units_and_a_rep_s_slots_come_in_order_of_what_a_move_of_theirs_costs() -> None:
    for seed in range(40):
        core, prices, choice, _ = problem(seed)
        listed = short_list(core, prices, choice, 4, 1)
        board = Board(core, listed, choice, np.arange(core.units), np.ones(5, bool))
        inside = np.arange(board.option.shape[1]) < board.at[:, 1:2]
        second = np.sort(np.where(inside, board.size[:, :, 0], np.inf), axis=1)[:, 1:2].min(axis=1, initial=np.inf)
        all_second = np.sort(np.column_stack([listed.regret, listed.best])[board.unit], axis=1)[:, 1]
        assert (np.diff(all_second[np.isfinite(all_second)]) >= 0).all(), seed
        for x in range(len(core.cost) + 1):
            unit, slot = board.named[board.first[x] : board.first[x + 1]].T
            regret = board.size[unit, slot, 0]
            cost = np.where(regret > 0, regret, second[unit])
            assert (np.diff(cost[np.isfinite(cost)]) >= 0).all(), seed


def test_a_run_leaves_every_unit_at_an_option_of_its_own_in_the_part() -> None:
    for seed in range(60):
        core, prices, choice, rng = problem(seed)
        part, unit = rng.random(len(core.cost)) < 0.6, np.flatnonzero(rng.random(core.units) < 0.8)
        board = Board(core, short_list(core, prices, choice, 4, 1), choice, unit, part)
        users = np.bincount(np.append(core.rep, len(core.cost))[choice], minlength=len(core.cost) + 1)
        outside = users[:-1].copy()
        rows = Ledger(core, prices, choice).rows(core.usage(choice), Pressure(0.3, 1.0))
        board.run(rows, users, 2000, (6, 32), (1e4, 1e3), np.array([seed + 1], dtype=np.uint64))
        after, unit = board.choice, board.unit
        np.testing.assert_array_equal(core.unit[after[after >= 0]], unit[after >= 0])
        moved = (after != choice[unit]) & (after >= 0)
        assert part[core.rep[after[moved]]].all()
        assert not core.mandatory[unit[(after < 0) & (choice[unit] >= 0)]].any()
        assert (users[:-1][~part] <= outside[~part]).all()


def test_the_ledger_s_rows_are_the_core_s_at_full_pressure_and_room() -> None:
    for seed in range(40):
        core, prices, choice, _ = problem(seed)
        ledger, used = Ledger(core, prices, choice), core.usage(choice)
        rows = ledger.rows(used, Pressure(1.0, 0.0))
        np.testing.assert_array_equal(rows[:, 0], used)
        np.testing.assert_allclose(rows[:, 1], core.lower, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(rows[:, 2], core.upper, rtol=1e-12, atol=1e-12)
        hard = np.isinf(core.penalty)
        np.testing.assert_array_equal(rows[~hard, 3:5], np.stack([core.penalty, core.penalty], axis=1)[~hard])
        np.testing.assert_array_equal(rows[:, 5], prices)
        assert np.isinf(rows[~hard, 6:]).all()
        assert (rows[:, :6] == rows[:, :6]).all()
        broken = hard & ((used > rows[:, 7]) | (used < core.lower - ledger.slack))
        assert ledger.broken(used) == broken.sum()
        if core.feasible(choice) and not (core.position >= 0).any():
            assert (
                ledger.broken(used)
                <= (np.abs(used - core.upper) <= 1e-6 * (1 + np.abs(used) + 100)).sum()
                + (np.abs(used - core.lower) <= 1e-6 * (1 + np.abs(used) + 100)).sum()
            )
        shared = ledger.rows(used, Pressure(1.0, 1.0), 0.5)
        inside = (used <= core.upper) & (used >= core.lower) & np.isfinite(core.upper)
        np.testing.assert_allclose(shared[inside, 2] - used[inside], 0.5 * (core.upper - used)[inside], atol=1e-9)
        assert STRICT < 1e-6


def test_two_halves_of_the_room_never_break_a_row_together() -> None:
    """Two boards move different units at the same time, each in half of every row's room: the sum stays inside."""
    tried = 0
    for seed in range(400):
        core, prices, choice, rng = problem(seed)
        ledger, used = Ledger(core, prices, choice), core.usage(choice)
        if ledger.broken(used) or core.is_open.any():
            continue
        tried += 1
        half = rng.random(core.units) < 0.5
        after = choice.copy()
        for mine in (half, ~half):
            unit = np.flatnonzero(mine)
            every = np.ones(len(core.cost), dtype=bool)
            board = Board(core, short_list(core, prices, choice, 5, 1), choice, unit, every)
            users = np.bincount(np.append(core.rep, len(core.cost))[choice], minlength=len(core.cost) + 1)
            rows = ledger.rows(used, Pressure(1.0, 1e9), 0.5)
            broken = board.run(rows, users, 300, (6, 32), (1e-9, 1e-9), np.array([seed + 1], dtype=np.uint64))
            assert broken == 0, seed
            after[unit] = board.choice
        assert ledger.broken(core.usage(after)) == 0, seed
    assert tried > 30
