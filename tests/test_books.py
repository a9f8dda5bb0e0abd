"""The bound on whole books: never below the best plan, whatever its numbers; never above the prices it starts from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.adam import Adam
from optimizer.book_bound import book_losses, books_bound
from optimizer.book_search import Effort, Search
from optimizer.book_stage import Stage
from optimizer.book_trees import Books, start_books
from optimizer.books import find_books
from optimizer.certificate import bound
from optimizer.core import Core
from optimizer.dual import find_prices
from optimizer.own_rows import OwnRows
from tests.cores import MOST_CHOICES, best_by_enumeration, count_choices, random_core


def close(proved: float) -> float:
    return 1e-6 * max(1.0, abs(proved))


def parted(core: Core, rng: np.random.Generator, prices: np.ndarray, times: int) -> Books:
    """Books of random trees, with random prices about the given ones."""
    books = start_books(core, prices)
    for _ in range(times):
        leaf = int(rng.choice(books.leaves))
        unit, nodes = int(rng.integers(core.units)), len(books.rep)
        books = replace(
            books,
            rep=np.append(books.rep, [books.rep[leaf]] * 2),
            parent=np.append(books.parent, [leaf, leaf]),
            unit=np.append(books.unit, [unit, unit]),
            inside=np.append(books.inside, rng.permutation([True, False])),
            own_prices=np.concatenate([books.own_prices, books.own_prices[[leaf, leaf]]]),
        )
        assert len(books.rep) == nodes + 2
    size = rng.choice([0.0, 1.0, 30.0])
    return replace(
        books,
        unit_prices=books.unit_prices + size * rng.normal(0, 1, core.units),
        own_prices=books.own_prices + size * rng.normal(0, 0.2, books.own_prices.shape),
    )


def crowded(seed: int) -> Core:
    """A problem where a unit can fill a rep's row, soft or hard, and every rep has two rows of its own."""
    rng = np.random.default_rng(seed)
    core = random_core(seed, units=6, reps=3)
    reps = len(core.is_open)
    amount = np.stack([rng.pareto(1.0, core.options) * 3, rng.integers(0, 6, core.options).astype(float)])
    each = amount.sum(axis=1) / max(1, core.options) * core.units / reps
    soft = rng.random(2) < 0.5
    again = np.arange(2 * reps).reshape(2, reps) + core.rows
    return replace(
        core,
        option_coef=np.concatenate([core.option_coef, amount]),
        factor=np.concatenate(
            [core.factor, [[1, len(core.option_coef) + i, 1, len(core.rep_row) + i] for i in range(2)]]
        ),
        rep_row=np.concatenate([core.rep_row.reshape(-1, reps), again]).astype(np.int32),
        lower=np.append(core.lower, np.where(np.repeat(soft, reps), np.repeat(each * 0.6, reps), -np.inf)),
        upper=np.append(core.upper, np.repeat(each, reps)),
        penalty=np.append(core.penalty, np.repeat(np.where(soft, rng.uniform(0.5, 9), np.inf), reps)),
        position=np.append(core.position, np.full(2 * reps, -1)).astype(np.int32),
        offset=np.append(core.offset, np.zeros(2 * reps)),
    )


CASES = [random_core(seed, units=7) for seed in range(70)] + [crowded(seed) for seed in range(70)]
ENUMERATED = [
    (number, core, best_by_enumeration(core)[0])
    for number, core in enumerate(CASES)
    if count_choices(core) <= MOST_CHOICES and core.options
]


def test_the_bound_is_never_below_the_best_plan_whatever_the_numbers() -> None:
    tested, tight = 0, 0
    for number, core, best in ENUMERATED:
        rng = np.random.default_rng(number)
        for prices in (np.zeros(core.rows), rng.normal(0, 3, core.rows), find_prices(core, 5.0).prices):
            for times in (0, 1, 4, 12):
                proved = books_bound(core, parted(core, rng, prices, times))
                assert proved >= best - close(proved), f"case {number}"
                tested += np.isfinite(best)
                tight += np.isfinite(best) and proved < bound(core, prices) - close(proved)
    assert tested > 300 and tight > 10


def only(core: Core, unit: int, option: int) -> Core:
    """The problem with nothing but one option to choose for a unit, which must be served by it; -1: it stays unserved."""
    keep = (core.unit != unit) | (np.arange(core.options) == option)
    must = core.mandatory.copy()
    must[unit] = option >= 0
    left = np.bincount(core.unit[keep], minlength=core.units)
    return replace(
        core, start=np.append(0, np.cumsum(left)), rep=core.rep[keep], value=core.value[keep], mandatory=must,
        option_coef=core.option_coef[:, keep],
    )  # fmt: skip


def test_no_plan_with_an_option_or_without_a_unit_is_above_the_bound_less_their_loss() -> None:
    tested, lost = 0, 0
    for number, core, _ in ENUMERATED[::3]:
        rng = np.random.default_rng(number)
        books = parted(core, rng, find_prices(core, 5.0).prices, int(rng.integers(0, 9)))
        losses = book_losses(core, books)
        assert losses.bound == pytest.approx(books_bound(core, books), rel=1e-9)
        for option in rng.choice(core.options, min(6, core.options), replace=False):
            unit = int(core.unit[option])
            for loss, k in ((losses.option[option], int(option)), (losses.unserved[unit], -1)):
                if k < 0 and core.mandatory[unit]:
                    continue
                best, _ = best_by_enumeration(only(core, unit, k))
                assert np.isinf(loss) or losses.bound - loss >= best - close(losses.bound), f"case {number}"
                assert np.isfinite(loss) or best == -np.inf, f"case {number}"
                tested, lost = tested + np.isfinite(best), lost + (loss > close(losses.bound))
    assert tested > 150 and lost > 150


def test_a_unit_that_a_rep_is_not_offered_is_in_none_of_its_books() -> None:
    """Books of a problem hold for what is left of it when options are dropped, and prove no less."""
    fewer = 0
    for number, core, _ in ENUMERATED[::3]:
        rng = np.random.default_rng(number)
        books = parted(core, rng, find_prices(core, 5.0).prices, 9)
        unit = int(rng.choice(np.unique(books.unit[books.unit >= 0])))
        if core.mandatory[unit]:
            continue
        assert books_bound(only(core, unit, -1), books) <= books_bound(core, books) + close(books_bound(core, books))
        fewer += 1
    assert fewer > 10


def test_what_is_found_lies_between_the_best_plan_and_the_bound_of_the_prices() -> None:
    found, better = 0, 0
    for number, core, best in ENUMERATED:
        prices = find_prices(core, 5.0).prices
        start, begun = bound(core, prices), books_bound(core, start_books(core, prices))
        if np.isfinite(start):
            assert begun <= start + close(start), f"case {number}"
        books = find_books(core, prices, effort=Effort(60, 0.05))
        if books is None:
            continue
        found += 1
        assert books.bound == books_bound(core, books.books)
        assert best - close(books.bound) <= books.bound < start + close(start), f"case {number}"
        better += np.isfinite(best) and start - books.bound > 0.2 * (start - best) > 1.0
    assert found > 20 and better > 8


def test_the_search_fills_books_as_the_recomputation_does() -> None:
    checked = 0
    for number, core, _ in ENUMERATED[::3]:
        rng = np.random.default_rng(number)
        begun = start_books(core, find_prices(core, 5.0).prices)
        if not np.isfinite(begun.unit_prices).all() or not core.options:
            continue
        search = Search(core, begun, Effort(1, 0.2), 1)
        reps = len(core.is_open)
        lead = np.flatnonzero((np.diff(search.unit, prepend=-1) != 0) | (np.diff(search.rep, prepend=-1) != 0))
        last = search.books.leaves[np.searchsorted(search.books.rep[search.books.leaves], np.arange(reps))]
        search._part([(int(last[r]), rng.permutation(lead[search.rep[lead] == r])[:2]) for r in range(reps)])
        with search.pool:
            proved, books = Stage(search, 0, 1, 2, _adams(core)).run(np.inf, None)
        assert books is not None
        assert books_bound(core, books) == pytest.approx(proved, abs=1e-7 * max(1.0, abs(proved))), f"case {number}"
        checked += len(books.leaves) > reps
    assert checked > 10


def _adams(core: Core) -> tuple[Adam, Adam]:
    return Adam((core.units,)), Adam((core.rows,))


def giants() -> Core:
    """Three reps who may each take 10 in all, or pay; two units of 9, and small ones enough for all."""
    size = np.array([9.0, 9.0, *[1.0] * 15])
    units, reps = len(size), 3
    return Core(
        start=np.arange(units + 1) * reps,
        rep=np.tile(np.arange(reps, dtype=np.int32), units),
        value=np.repeat(size, reps) * 10 + np.tile([0.0, 0.3, 0.5], units),
        mandatory=np.ones(units, dtype=bool),
        unit_coef=size[None, :],
        option_coef=np.zeros((0, units * reps)),
        unit_row=np.zeros((0, units), dtype=np.int32),
        rep_row=np.arange(reps, dtype=np.int32)[None, :],
        factor=np.array([[0, 0, 1, 0]]),
        lower=np.full(reps, -np.inf),
        upper=np.array([11.0, 11.0, 11.0]),
        penalty=np.full(reps, 4.0),
        position=np.full(reps, -1, dtype=np.int32),
        is_open=np.zeros(reps, dtype=bool),
        cost=np.zeros(reps),
        offset=np.zeros(reps),
    )


def test_two_giants_and_three_reps() -> None:
    core = giants()
    prices = find_prices(core, 5.0).prices
    found = find_books(core, prices, effort=Effort(300, 0.05))
    choice = np.arange(core.units) * 3 + np.repeat([0, 1, 0, 1, 2], [1, 1, 2, 2, 11])
    best = core.objective(choice)
    assert best == pytest.approx(330 + 3 * 0.3 + 11 * 0.5)
    assert found is not None
    placed = np.flatnonzero(found.hosts >= 0)
    assert set(placed) >= {0, 1} and (core.unit[found.hosts[placed]] == placed).all()
    assert set(found.hosts[placed]) <= set(found.liked) and (np.diff(found.liked) > 0).all()
    assert set(core.unit[found.liked]) == set(placed)
    assert best - 1e-6 <= found.bound < best + 0.2 * (bound(core, prices) - best)


def test_the_answer_does_not_depend_on_the_threads() -> None:
    core = crowded(5)
    prices = find_prices(core, 5.0).prices
    one, three = (find_books(core, prices, effort=Effort(40, 0.05), threads=n) for n in (1, 3))
    assert (one is None) == (three is None)
    if one is not None and three is not None:
        assert one.bound == three.bound
        np.testing.assert_array_equal(one.books.own_prices, three.books.own_prices)


def test_the_search_stops_when_it_is_asked_or_out_of_time() -> None:
    core = giants()
    prices = find_prices(core, 5.0).prices
    heard: list[float] = []

    def stop(proved: float) -> bool:
        heard.append(proved)
        return True

    find_books(core, prices, stop=stop)
    assert len(heard) <= 2
    find_books(core, prices, seconds=0.0)


def test_trees_that_do_not_part_every_book_are_refused() -> None:
    core = giants()
    books = start_books(core, np.zeros(core.rows))
    slots = OwnRows.of(core).row.shape[1]
    one = replace(
        books, rep=np.array([0, 1, 2, 0]), parent=np.array([-1, -1, -1, 0]), unit=np.array([-1, -1, -1, 4]),
        inside=np.array([False, False, False, True]), own_prices=np.zeros((4, slots)),
    )  # fmt: skip
    two = {"rep": np.append(one.rep, 0), "parent": np.append(one.parent, 0), "own_prices": np.zeros((5, slots))}
    whole = replace(one, **two, unit=np.append(one.unit, 4), inside=np.append(one.inside, False))
    assert books_bound(core, whole) <= books_bound(core, books) + 1e-6
    refused = [
        one,
        replace(whole, inside=np.append(one.inside, True)),
        replace(whole, unit=np.append(one.unit, 5)),
        replace(whole, unit=np.append(one.unit[:3], [core.units, core.units])),
        replace(whole, rep=np.array([0, 1, 2, 0, 1])),
        replace(whole, rep=np.array([0, 1, 1, 0, 0])),
        replace(whole, parent=np.array([-1, -1, -1, 4, 3])),
        replace(books, rep=books.rep[:2], parent=books.parent[:2]),
        replace(books, unit_prices=np.zeros(3)),
    ]
    for wrong in refused:
        with pytest.raises(ValueError, match="books"):
            books_bound(core, wrong)


def test_a_mandatory_unit_without_options_proves_that_there_is_no_plan() -> None:
    core = giants()
    start = core.start.copy()
    start[-1] -= 3
    fewer = replace(core, start=start, rep=core.rep[:-3], value=core.value[:-3], option_coef=core.option_coef[:, :-3])
    assert books_bound(fewer, start_books(fewer, np.zeros(3))) == -np.inf
    assert find_books(fewer, np.zeros(3)) is None
