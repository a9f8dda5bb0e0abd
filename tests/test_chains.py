"""The local search's kernels against plain NumPy: what each says of a move, and its books after every chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optimizer.board
from optimizer.board import Board, Ledger, Pressure, Shortlist, short_list
from optimizer.certificate import adjusted, admissible
from optimizer.core import Core
from optimizer.kernels.chains import draw, draw_early
from optimizer.kernels.moves import change, come, gain, leave, move, note_loss, spare
from tests.mixed_cores import mixed_core, random_plan

#: 200 × 500 = 1e5 chains, each checked
EXAMPLES, CHAINS = 200, 500


@dataclass(frozen=True, eq=False)
class Setting:
    """A board on a random problem with what it needs to run, and `lower` and `upper` [R] as its units may see them."""

    core: Core
    prices: np.ndarray
    board: Board
    ledger: Ledger
    pressure: Pressure
    choice: np.ndarray
    unit: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    rows: np.ndarray
    users: np.ndarray


def setting(seed: int, share: float = 1.0, firm: float = 10.0, some: bool = False, width: int = 4) -> Setting:
    """All units and reps, or `some` of both with part of the room in rows that are not a position's."""
    rng = np.random.default_rng([seed, 5])
    core = mixed_core(seed, units=12, reps=4)
    while not core.options:
        seed += 1
        core = mixed_core(seed, units=12, reps=4)
    core = replace(
        core,
        mandatory=core.mandatory & (np.diff(core.start) > 0),
        upper=np.where(core.position >= 0, np.maximum(core.upper, 0.0), core.upper),
    )
    prices = admissible(core, rng.normal(0, 3, core.rows))
    choice = random_plan(core, rng)
    part = rng.random(len(core.cost)) < (0.6 if some else 1.1)
    unit = np.flatnonzero(rng.random(core.units) < (0.7 if some else 1.1))
    room = np.where(core.position >= 0, 1.0, rng.uniform(0.1, 1.0, core.rows)) if some else np.ones(core.rows)
    board = Board(core, short_list(core, prices, choice, width, 1), choice, unit, part)
    used = core.usage(choice)
    ledger, pressure = Ledger(core, prices, choice), Pressure(share, firm)
    users = np.bincount(np.append(core.rep, len(core.cost))[choice], minlength=len(core.cost) + 1)
    lower, upper = used + room * (core.lower - used), used + room * (core.upper - used)
    return Setting(
        core, prices, board, ledger, pressure, choice, unit, lower, upper, ledger.rows(used, pressure, room), users
    )


def whole(at: Setting, own: np.ndarray) -> np.ndarray:
    """[T, U] the plans of all units, from those of the board's [T, n]."""
    out = np.tile(at.choice, (len(own), 1))
    out[:, at.unit] = own
    return out


def taken(core: Core, plans: np.ndarray) -> np.ndarray:
    """[T, K] 1 where a plan has an option."""
    out = np.zeros((len(plans), core.options + 1))
    out[np.arange(len(plans))[:, None], plans] = 1.0
    return out[:, :-1]


def energies(at: Setting, plans: np.ndarray) -> np.ndarray:
    """[T] Σ regret + share of Σ loss + what open positions in use cost, from the arrays of the core."""
    core, price = at.core, at.prices
    has = taken(core, plans)
    worth = adjusted(core, price, 0, core.units)
    used = has @ core.matrix().toarray().T
    in_use = has @ np.eye(len(core.cost))[core.rep] > 0 if core.options else np.zeros((len(plans), len(core.cost)))
    idle = (core.position >= 0) & ~in_use[:, core.position].astype(bool)
    over = np.where(idle, 0.0, np.maximum(0.0, used - at.upper))
    under = np.where(idle, 0.0, np.maximum(0.0, at.lower - used))
    hard, firm = np.isinf(core.penalty), at.pressure.firm * at.ledger.typical
    dear = np.where(hard, np.maximum(price, 0.0) + firm, core.penalty)
    cheap = np.where(hard, np.maximum(-price, 0.0) + firm, core.penalty)
    loss = np.where(dear * over > 0, dear * over, 0.0) + np.where(cheap * under > 0, cheap * under, 0.0) - price * used
    opened = in_use @ np.where(core.is_open, core.cost, 0.0)
    return -has @ worth + at.pressure.share * loss.sum(axis=1) + opened


def breaches(at: Setting, used: np.ndarray) -> np.ndarray:
    """[T] hard rows out of what the board may use, by more than the tolerance; an idle position has no lower bound."""
    low = np.where(at.core.position >= 0, -np.inf, at.lower - at.ledger.slack)
    return (np.isinf(at.core.penalty) & ((used > at.upper + at.ledger.slack) | (used < low))).sum(axis=1)


@contextmanager
def heard() -> Iterator[list[float]]:
    """The changes of energy that the kernel reports."""
    said: list[float] = []
    kernel = optimizer.board.chains

    def spy(*given: object) -> tuple[float, int]:
        energy, broken = kernel(*given)
        said.append(energy)
        return energy, broken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimizer.board, "chains", spy)
        yield said


@settings(max_examples=EXAMPLES)
@given(
    st.integers(0, 10**6),
    st.floats(-6, 4),
    st.sampled_from([0.03, 0.4, 1.0]),
    st.sampled_from([1.0, 100.0]),
    st.booleans(),
)
def test_after_every_chain_the_books_are_those_of_a_full_recomputation(
    seed: int, heat: float, share: float, firm: float, some: bool
) -> None:
    at = setting(seed, share, firm, some)
    state = np.array([seed + 1], dtype=np.uint64)
    plans, left, users, broken = [at.board.choice], [at.rows[:, 0].copy()], [at.users.copy()], [0]
    with heard() as said:
        for _ in range(CHAINS):
            broken.append(at.board.run(at.rows, at.users, 1, (6, 32), (10.0**heat, 10.0**heat), state))
            plans.append(at.board.choice)
            left.append(at.rows[:, 0].copy())
            users.append(at.users.copy())
    if not len(at.unit):
        return
    every = whole(at, np.array(plans))
    has = taken(at.core, every)
    used = has @ at.core.matrix().toarray().T
    np.testing.assert_allclose(np.array(left), used, rtol=1e-9, atol=1e-9)
    by_rep = has @ np.eye(len(at.core.cost))[at.core.rep]
    np.testing.assert_array_equal(np.array(users)[:, :-1], by_rep)
    np.testing.assert_array_equal(np.array(users).sum(axis=1), at.core.units)
    np.testing.assert_array_equal(np.diff(breaches(at, used)), broken[1:])
    energy = energies(at, every)
    np.testing.assert_allclose(said, np.diff(energy), rtol=1e-9, atol=1e-9 * (1 + np.abs(energy).max()))
    same = (every[1:] == every[:-1]).all(axis=1)
    assert (np.array(left)[1:][same] == np.array(left)[:-1][same]).all()  # what is taken back leaves no trace


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 100.0]))
def test_a_hundred_thousand_chains_in_one_call_leave_the_books_right(seed: int, firm: float) -> None:
    at = setting(seed, 1.0, firm)
    before = energies(at, at.choice[None])[0]
    with heard() as said:
        at.board.run(at.rows, at.users, 100_000, (6, 32), (100.0, 0.1), np.array([seed + 1], dtype=np.uint64))
    if len(at.unit):
        plan = whole(at, at.board.choice[None])
        np.testing.assert_allclose(at.rows[:, 0], at.core.usage(plan[0]), rtol=1e-9, atol=1e-9)
        after = energies(at, plan)[0]
        assert said[0] == pytest.approx(after - before, abs=1e-7 * (1 + abs(before) + abs(after)))


def test_without_heat_the_energy_never_rises() -> None:
    for seed in range(60):
        at = setting(seed)
        state = np.array([seed + 1], dtype=np.uint64)
        with heard() as said:
            for _ in range(50):
                at.board.run(at.rows, at.users, 3, (6, 32), (1e-12, 1e-12), state)
        assert all(energy <= 1e-9 for energy in said), seed


def test_change_is_the_difference_of_a_row_s_loss() -> None:
    rng = np.random.default_rng(2)
    for _ in range(2000):
        used, by, price = rng.normal(0, 5, 3)
        lower, upper = np.sort(rng.normal(0, 4, 2))
        lower, upper = (-np.inf if rng.random() < 0.3 else lower), (np.inf if rng.random() < 0.3 else upper)
        under, over = rng.uniform(0, 9, 2)
        rows = np.array([[used, lower, upper, under, over, price, 0.0, 0.0]])
        kept = rows.copy()

        def loss(s: float) -> float:
            return over * max(0.0, s - upper) + under * max(0.0, lower - s) - price * s  # noqa: B023

        assert change(rows, 0, by) == pytest.approx(loss(used + by) - loss(used), abs=1e-9)
        assert (rows == kept).all()


def steps(at: Setting) -> Iterator[tuple[int, int, int]]:
    """Every move of one unit: (unit of the board, its slot, another)."""
    for u, (now, slots, _) in enumerate(at.board.at.tolist()):
        for b in range(slots):
            if b != now:
                yield u, now, b


def prepared(at: Setting) -> tuple[np.ndarray, ...]:
    """What kernels are given, from `at` to `own`, with what a rep's first unit costs and the lower bounds that it brings in
    force."""
    core, board = at.core, at.board
    spent = np.zeros((len(at.users), 2))
    spent[:-1, 0] = np.where(core.is_open, core.cost, 0.0)
    held = (core.position >= 0) & (at.rows[:, 1] > 0)
    np.add.at(spent[:, 0], core.position[held], (at.rows[:, 3] * at.rows[:, 1])[held])
    for m in range(len(at.users)):
        note_loss(m, at.rows, spent, board.own)
    return board.at, board.size, board.place, at.rows, at.users, spent, board.own


def rows_of(at: Setting, u: int, slot: int) -> np.ndarray:
    """[F] the rows that a slot of a unit adds to; -1 for none."""
    rep, *others = at.board.place[u, slot]
    return np.append(at.board.own[rep], others)


def crossed(left: np.ndarray, entered: np.ndarray) -> bool:
    """Whether two factors of a move, by their rows [F] before and after, change the same row."""
    touched = [{*pair} - {-1} for pair in zip(left.tolist(), entered.tolist(), strict=True)]
    return sum(map(len, touched)) > len(set().union(*touched))


def test_gain_and_move_are_the_difference_of_energies() -> None:
    several = 0
    for seed in range(80):
        at = setting(seed)
        arrays, used = prepared(at), at.rows.copy()
        for u, a, b in steps(at):
            log, spot, books = np.empty(40), np.empty(40, np.int64), np.zeros(2, np.int64)
            other = at.board.choice
            other[u] = at.board.option[u, b]
            before, after = energies(at, whole(at, np.array([at.board.choice, other])))
            said = gain(u, a, b, *arrays)
            assert (at.rows == used).all()
            exact = pytest.approx(after - before, rel=1e-9, abs=1e-9 * (1 + abs(before)))
            once = not crossed(rows_of(at, u, a), rows_of(at, u, b))
            several += not once
            if once:  # two factors in one row are judged one by one: a guide, not a figure
                assert said == exact, (seed, u, a, b)
            assert move(u, b, *arrays, log, spot, books) == exact, (seed, u, a, b)
            assert at.board.at[u, 0] == b
            move(u, a, *arrays, log, spot, np.zeros(2, np.int64))
            at.rows[:, 0] = used[:, 0]
    assert several > 20


def test_no_move_wins_more_than_the_rows_of_its_two_reps_lose() -> None:
    """Of rows that are each one rep's own; what is passed over for that reason is no better than what is looked at."""
    seen, near = 0, 0
    for seed in range(400):
        at = setting(seed)
        if at.core.is_open.any() or not len(at.core.factor) or not at.core.factor[:, 2].all():
            continue
        arrays = prepared(at)
        if any((np.bincount(line[line >= 0]) > 1).any() for line in at.core.rep_row):
            continue
        for u, a, b in steps(at):
            reps = at.board.place[u, [a, b], 0]
            most = sum(spare(m, at.rows, arrays[-2], at.board.shared) for m in np.unique(reps))
            step = at.board.size[u, b, 0] - at.board.size[u, a, 0]
            said = gain(u, a, b, *arrays)
            if not crossed(rows_of(at, u, a), rows_of(at, u, b)):
                assert said >= step - most - 1e-9 * (1 + abs(most)), (seed, u, a, b)
                seen, near = seen + 1, near + (said < step - 0.5 * most)
    assert seen > 300 and near > 10, (seen, near)


@pytest.mark.parametrize("top", [np.inf, 0.0, -2.0])
def test_what_is_passed_over_is_not_below_the_best_so_far(top: float) -> None:
    """Coming and leaving say what `gain` says wherever it is better than `top`, and nothing better where it is not."""
    better = 0
    for seed in range(300):
        at = setting(seed)
        arrays, shared = prepared(at), at.board.shared
        spared = [spare(m, at.rows, arrays[-2], shared) for m in range(len(at.users))]
        tidy = [not crossed(rows_of(at, u, a), rows_of(at, u, b)) for u, a, b in steps(at)]
        if not all(tidy) or at.board.at[:, 2].any():
            continue
        gains: dict[int, list[tuple[float, int]]] = {}
        for u, a, b in steps(at):
            said, here = gain(u, a, b, *arrays), spared[at.board.place[u, b, 0]]
            gains.setdefault(u, []).append((said, b))
            comes = come(u, b, top, here, *arrays, shared)
            assert comes == pytest.approx(said, rel=1e-9, abs=1e-9) if said < top - 1e-9 else comes >= top - 1e-9
        for u, all_of in gains.items():
            here = spared[at.board.place[u, at.board.at[u, 0], 0]]
            into, least = leave(u, top, here, *arrays, shared)
            best = min(all_of)
            if best[0] < top - 1e-9:
                assert least == pytest.approx(best[0], rel=1e-9, abs=1e-9) and into >= 0
                better += 1
            else:
                assert least == pytest.approx(top) if np.isfinite(top) else into == -1
    assert better > (200 if top > 0 else 20), better


def test_draws_are_even_and_never_out_of_range() -> None:
    state = np.array([12345], dtype=np.uint64)
    drawn = np.array([draw(state, 7) for _ in range(14_000)])
    assert drawn.min() == 0 and drawn.max() == 6
    assert np.abs(np.bincount(drawn) - 2000).max() < 200
    assert {int(draw(state, 1)) for _ in range(50)} == {0}


def test_early_draws_are_cubes_of_even_shares() -> None:
    state = np.array([54321], dtype=np.uint64)
    drawn = np.array([draw_early(state, 1000) for _ in range(20_000)])
    assert drawn.min() == 0 and drawn.max() <= 999
    for first in (1, 8, 125, 500):
        assert (drawn < first).mean() == pytest.approx((first / 1000) ** (1 / 3), abs=0.02)
    assert {int(draw_early(state, n)) for n in (0, 1) for _ in range(20)} == {0}


def test_a_board_of_nothing_does_nothing() -> None:
    at = setting(3)
    none = Shortlist(at.prices, np.full((0, 2), -1), np.zeros((0, 2)), np.zeros(0))
    assert none.option.size == 0
    board = Board(
        at.core, short_list(at.core, at.prices, at.choice, 2, 1), at.choice, np.zeros(0, int), np.ones(1, bool)
    )
    assert board.run(at.rows, at.users, 100, (6, 32), (1.0, 1.0), np.array([1], dtype=np.uint64)) == 0
