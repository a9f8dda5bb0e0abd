"""A bound by listed books is never below the best plan, whatever its numbers; a proof by them ends at the best plan there is."""

from __future__ import annotations

import time
from copy import copy
from dataclasses import fields, replace
from itertools import count, product

import numpy as np
import pytest

from optimizer import column_proof
from optimizer.book_trees import Books, start_books
from optimizer.column_proof import ColumnProof
from optimizer.columns import Lister
from optimizer.core import Core
from optimizer.crew import Crew
from optimizer.dual import find_prices
from optimizer.listed import listing_bound, load
from optimizer.listing import Listing
from optimizer.parting import unsure
from optimizer.prepare import prepare
from tests.hired import hired
from tests.test_books import parted
from tests.test_solve import company


def slight(value: float) -> float:
    return 2e-6 * max(1.0, abs(value))


def proved(core: Core, choice: np.ndarray, books: Books, threads: int = 1) -> tuple[ColumnProof, Listing]:
    """A search for books that begins with a plan [U], and what it proves in the end, on so many threads."""
    search = ColumnProof(core, books, lambda: False)
    search.begin()
    for _ in range(threads - 1):
        search.crew.join()
    search.prove(lambda: choice)
    listing = search.listing()
    assert listing is not None
    return search, listing


def worse(core: Core, choice: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A plan with fewer units served where that is one."""
    begin = np.where(~core.mandatory & (rng.random(core.units) < 0.4), -1, choice)
    return begin if core.feasible(begin) else choice


@pytest.mark.parametrize("most", [600_000, 2])
@pytest.mark.parametrize("part", range(6))
def test_a_proof_ends_at_the_best_plan_there_is(most: int, part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_proof, "SEARCHED", 3)  # triples and trees even where books are few
    monkeypatch.setattr(column_proof, "BOOKS_EACH", most)  # plans are parted where more count of a rep
    nearby = (1.6e-4, 0.01, 1e9)[part % 3]  # beside values that no plan is worth, or a plan
    monkeypatch.setattr(column_proof, "NEARBY", nearby)
    ended, apart, prove_parts = 0, list[float](), ColumnProof._prove_parts
    monkeypatch.setattr(ColumnProof, "_prove_parts", lambda search: apart.append(prove_parts(search)) or apart[-1])
    cases = hired()[part::6]
    for seed, core, value, choice in cases:
        rng = np.random.default_rng(seed)
        books = start_books(core, find_prices(core, 2.0).prices)
        found, listing = proved(core, worse(core, choice, rng), books, threads=1 + seed % 2)
        assert found.choice is not None and core.feasible(found.choice), seed
        assert max(found.lowest, found.value) >= value - slight(value), seed
        recomputed = listing_bound(core, listing, found.value)
        assert recomputed >= value - slight(value), seed
        assert recomputed <= max(found.lowest, found.value) + slight(value), seed
        if found.lowest <= found.value + slight(value):
            assert found.value == pytest.approx(value, rel=2e-6, abs=2e-6), seed
            ended += 1
    assert ended >= 0.7 * len(cases)
    assert most > 2 or np.isfinite(apart).sum() > 2


def test_a_proof_that_is_cut_short_is_recomputed_as_far_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_proof, "NEARBY", 0.01)
    beside = 0  # a value that no plan is known to be worth
    for (seed, core, value, choice), asked in product(hired()[::5], (20, 60, 150)):
        times, begin = count(), worse(core, choice, np.random.default_rng(seed))
        books = start_books(core, find_prices(core, 2.0).prices)
        search = ColumnProof(core, books, lambda times=times, asked=asked: next(times) > asked)
        search.begin()
        search.prove(lambda begin=begin: begin)
        listing = search.listing()
        if listing is not None:
            recomputed = listing_bound(core, listing, search.value)
            assert value - slight(value) <= recomputed <= max(search.lowest, search.value) + slight(value), seed
            beside += listing.goal > search.value
    assert beside > 0


def test_a_search_that_knows_no_plan_proves_a_bound() -> None:
    for seed, core, value, _ in hired()[::4]:
        books = start_books(core, find_prices(core, 2.0).prices)
        search = ColumnProof(core, books, lambda: False)
        search.begin()
        listing = search.listing()
        if listing is not None:
            assert search.bound >= value - slight(value), seed
            again = listing_bound(core, listing, value)
            assert value - slight(value) <= again <= max(value, search.bound) + slight(value), seed


@pytest.mark.parametrize("part", range(4))
def test_the_bound_is_never_below_the_best_plan_whatever_the_numbers(part: int) -> None:
    """Prices, what is sought, triples, steps and the plan's value are all made up, or a proof's with some of them changed."""
    near = 0
    for seed, core, value, choice in hired()[part::8]:
        rng = np.random.default_rng(seed)
        books = parted(core, rng, find_prices(core, 2.0).prices, int(rng.integers(0, 4)))
        _, listing = proved(core, choice, books)
        for _ in range(4):
            made = changed(core, listing if rng.random() < 0.7 else apart(core, listing, rng), rng)
            known = value - float(rng.choice([0.0, 0.1, 5.0, 1e6]))
            bound = listing_bound(core, made, known)
            assert bound >= value - 1e-7 * max(1.0, abs(value)), seed
            near += bound < value + 20
    assert near > 10


def test_a_bound_that_is_cut_short_is_no_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = 0
    for seed, core, value, choice in hired()[::6]:
        _, listing = proved(core, choice, start_books(core, find_prices(core, 2.0).prices))
        whole = listing_bound(core, listing, value)
        for end in (-1, 1, 3):
            ticks = count()
            monkeypatch.setattr("optimizer.listed.monotonic", lambda ticks=ticks: next(ticks))
            bound = listing_bound(core, listing, value, end)
            assert bound >= whole - slight(value), seed
            cut += bound > whole + slight(value)
    assert cut > 0


def test_a_recomputation_ends_in_the_middle_of_a_rep_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    _, core, value, choice = hired()[0]
    _, listing = proved(core, choice, start_books(core, find_prices(core, 2.0).prices))

    def long(lister: Lister, *_: object) -> tuple[None, float]:
        while not lister.stop[0]:
            time.sleep(0.01)
        return None, np.inf

    monkeypatch.setattr(Lister, "list", long)
    assert listing_bound(core, listing, value, time.monotonic() + 0.1) == np.inf


def apart(core: Core, listing: Listing, rng: np.random.Generator) -> Listing:
    """The first step alone, and its books sought again with an option and without it."""
    option, first = int(rng.integers(core.options)), np.zeros(3, dtype=np.int64)
    return replace(
        listing,
        need=listing.need[first],
        parent=np.array([-1, 0, 0]),
        option=np.array([-1, option, option]),
        inside=np.append(False, rng.permutation([True, False])),
        **{name: getattr(listing, name)[first] for name in ("unit_prices", "row_prices", "triple_prices")},
    )


def changed(core: Core, listing: Listing, rng: np.random.Generator) -> Listing:
    """A listing with other numbers, and perhaps a part divided once more."""
    noise = float(rng.choice([0.0, 0.3, 20.0]))
    prices = {
        name: getattr(listing, name) + noise * rng.normal(0, 1, getattr(listing, name).shape)
        for name in ("unit_prices", "row_prices", "triple_prices")
    }
    listing = replace(listing, **prices, need=listing.need - float(rng.choice([0.0, 1.0, 30.0])))
    steps = len(listing.parent)
    leaves = np.setdiff1d(np.arange(len(listing.need) - 1, steps), listing.parent)
    leaf, option = int(rng.choice(leaves)), int(rng.integers(core.options))
    return replace(
        listing,
        parent=np.append(listing.parent, [leaf, leaf]),
        option=np.append(listing.option, [option, option]),
        inside=np.append(listing.inside, rng.permutation([True, False])),
        **{name: np.concatenate([part, part[[leaf, leaf]]]) for name, part in (
            (name, getattr(listing, name)) for name in prices)},
    )  # fmt: skip


def test_what_does_not_fit_or_does_not_part_is_refused() -> None:
    _, core, value, choice = next(case for case in hired() if case[1].units > 3)
    _, listing = proved(core, choice, start_books(core, find_prices(core, 2.0).prices))
    rng = np.random.default_rng(1)
    whole = changed(core, listing, rng)
    assert listing_bound(core, whole, value) >= value
    arrays = [part.name for part in fields(Listing)[:-1]]  # all but the goal
    short = {name: replace(whole, **{name: getattr(whole, name)[:-1]}) for name in arrays}
    del short["triples"]  # one triple less leaves prices that do not fit, where there is one
    alone = replace(whole, **{name: getattr(whole, name)[:-1] for name in arrays[2:]})
    bad = [
        *short.values(),
        alone,  # a part with an option, and none without
        replace(whole, inside=np.zeros_like(whole.inside)),
        replace(whole, option=np.append(whole.option[:-1], core.options)),
        replace(whole, parent=np.append(whole.parent[:-1], len(whole.parent))),
        replace(whole, parent=np.append(0, whole.parent[1:])),
        replace(whole, goal=np.nan),
        replace(whole, triples=np.array([[0, 0, 1]]), triple_prices=np.ones((len(whole.parent), 1))),
        replace(whole, triples=np.array([[0, 1, core.units]]), triple_prices=np.ones((len(whole.parent), 1))),
    ]
    for number, made in enumerate(bad):
        with pytest.raises(ValueError, match="listing's"):
            listing_bound(core, made, value)
            raise AssertionError(number)
    with pytest.raises(ValueError, match="listing's"):
        listing_bound(replace(core, is_open=np.ones_like(core.is_open)), whole, value)


def test_what_is_loaded_beforehand_lists_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, seek = list[int](), Lister.list

    def spied(lister: Lister, *of: object) -> tuple[np.ndarray, float]:
        found, top = seek(lister, *of)  # type: ignore[arg-type]
        seen.append(len(found))
        return found, top

    monkeypatch.setattr(Lister, "list", spied)
    prepare()
    load()
    assert seen
    assert not any(seen)


def searched(units: int, reps: int) -> ColumnProof:
    """Books sought of a company, and triples."""
    core = company(units, reps).core
    search = ColumnProof(core, start_books(core, find_prices(core, 5.0).prices), lambda: False)
    search.begin()
    return search


@pytest.fixture(scope="module")
def sought() -> ColumnProof:
    """Books sought of a company whose program takes some in part, and triples."""
    search = searched(90, 6)
    assert len(search.program.triples) and len(unsure(search.share))
    return search


def test_a_program_without_books_that_may_not_be_taken_is_worth_as_much() -> None:
    search, rng = searched(40, 5), np.random.default_rng(1)
    program = search.program
    some = rng.random(len(program.held)) < 0.5
    program.allow(some)
    worth, books = program.solve()[0], list(zip(program.held, some, strict=True))
    stays = program.keep(some)
    assert (stays >= some).all() and not stays.all()
    assert [held for (held, _), stay in zip(books, stays, strict=True) if stay] == program.held
    assert program.solve()[0] == pytest.approx(worth, rel=1e-9)
    assert len(program.shares) == len(program.held)


def test_threads_prove_the_same_side_by_side_and_what_they_prove_together_is_recomputed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lent, lend = list[bool](), Crew.lend
    monkeypatch.setattr(Crew, "lend", lambda crew, task: lent.append(bool(begun := lend(crew, task))) or begun)
    monkeypatch.setattr(column_proof, "BOOKS_EACH", 60)  # plans are parted
    core = company(40, 5).core
    books, alone = start_books(core, find_prices(core, 5.0).prices), np.full(core.units, -1)
    values = []
    for threads in (1, 2, 3):
        found, listing = proved(core, alone, books, threads)
        values.append(found.value)
        assert (
            found.choice is not None
            and core.feasible(found.choice)
            and found.lowest <= found.value + slight(found.value)
        )
        assert listing_bound(core, listing, found.value) <= found.value + slight(found.value)
        assert any(lent) == (threads > 1)
    assert values == pytest.approx([values[0]] * 3, rel=2e-6)


def test_a_value_taken_to_be_known_leaves_the_bound_and_the_triples_that_cost_something(sought: ColumnProof) -> None:
    search = copy(sought)
    search.reps = [copy(rep) for rep in sought.reps]
    paid = sought.program.triples[sought.centre.triple > 0]
    search._begin_anew()
    assert search.bound == pytest.approx(sought.bound, rel=1e-7)  # ties are not looked for
    assert (search.program.triples == paid).all() and (search.centre.triple > 0).all()
    assert all((rep.twice == rep.two_of(rep.books, paid)).all() for rep in search.reps)
    assert search.floor == pytest.approx(search.bound * (1 - column_proof.NEARBY))


def test_plans_are_parted_at_an_option_that_brings_both_bounds_down(sought: ColumnProof) -> None:
    search = copy(sought)
    value = search.bound * (1 - 1e-3)
    option, with_it = search.fork(value)
    assert 0 < search.share[option] < 1
    program = search.program.solve()[0]
    worths = search.program.worths(search._sides(np.array([option])), 10**6, lambda: False)
    search.program.allow(np.ones(len(search.program.held), dtype=bool))
    assert max(worths) < program and with_it == (worths[0] >= worths[1])
    for inside in (True, False):
        part = search._within(option, inside)
        part._tighten()
        assert part.fixed == ((option, inside),) and part.bound < search.bound
