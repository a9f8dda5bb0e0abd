"""Annealing over which positions are open, where no row but each rep's own one matters (`kernels.opening`)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import numpy as np

from optimizer.kernels.opening import anneal

if TYPE_CHECKING:
    from optimizer.opening import Search

#: share of the time at which it ends
ANNEAL_SHARE = 0.6
#: near options of a unit, and units listed for a rep
NEAR, LISTED = 12, 64
#: steps of a run for each unit, at most, and in one call of the kernel
PER_UNIT, STEPS, CALL = 30_000, 10_000_000, 300_000
#: seconds between questions whether to stop; at most so many rounds, whatever the clock
ASK, MOST_ROUNDS = 0.25, 100
#: the first temperature, as a share of the mean unit price
HOT = 0.05
#: so many in a row without a better plan end a search that counts work
FRUITLESS = 20
#: so many end the others, until what was found has been crossed
IDLE = 8


def anneal_rounds(search: Search) -> bool:
    """Rounds of two annealing runs from the best plan so far, cooler when that brings nothing new; then, every other time, one
    of them is from any of the plans kept. Whether it ended because nothing new came for long."""
    limits = search.limits
    until = time.monotonic() + max(0.0, ANNEAL_SHARE * limits.time_limit - limits.elapsed())
    until = np.inf if limits.deterministic else until
    hot, rounds, idle, most = HOT, 0, 0, FRUITLESS if limits.deterministic else IDLE
    with ThreadPoolExecutor(2) as pool:
        while not search.over(until) and rounds < MOST_ROUNDS and idle < most:
            data = _annealing_data(search)
            ended = threading.Event()
            steps = min(STEPS, PER_UNIT * search.core.units // (1 if rounds % 3 == 2 else 3))
            begun = ((search.choice, hot), (search.any_plan(), HOT) if idle % 2 else (search.choice, 0.6 * hot))
            runs = [
                pool.submit(_anneal_once, search, data, choice, search.seed + n, heat, steps, ended)
                for n, (choice, heat) in enumerate(begun)
            ]
            while wait(runs, ASK).not_done:
                if search.over(until):
                    ended.set()
            found = [run.result() for run in runs]
            better = [search.keep(choice) for choice in found if choice is not None]
            hot = HOT if any(better) else max(0.01, 0.9 * hot)
            idle = 0 if any(better) else idle + 1
            search.seed, rounds = search.seed + 2, rounds + 1
    return idle >= most


def _annealing_data(search: Search) -> tuple[np.ndarray, ...]:
    """The `data` of `kernels.opening`; options K + u of rep M leave unit u unserved."""
    core, relaxed = search.core, search.relaxed
    units, reps, count = core.units, len(core.cost), core.options
    nobody = np.arange(units)
    weight, worth = np.zeros(count + units), np.zeros(count + units)
    weight[relaxed.option], worth[relaxed.option] = relaxed.weight, relaxed.worth
    worth[count:][core.mandatory] = -1e3 * (np.abs(worth).max() + 1.0)
    near = np.full((units, NEAR + 1), -1, dtype=np.int64)
    rank = search.rank(search.promising())
    at = np.flatnonzero(rank < NEAR)
    near[core.unit[at], rank[at]] = at
    near[~core.mandatory, NEAR] = count + nobody[~core.mandatory]
    order = np.lexsort((-search.score, core.rep))
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count) - relaxed.first[core.rep[order]]
    listed = np.full((reps + 1, LISTED), -1, dtype=np.int64)
    at = np.flatnonzero(place < LISTED)
    listed[core.rep[at], place[at]] = at
    option_of = np.full((units, reps + 1), -1, dtype=np.int32)
    option_of[core.unit, core.rep] = np.arange(count)
    option_of[:, reps] = count + nobody
    return (
        np.append(core.rep, np.full(units, reps)).astype(np.int64), np.append(core.unit, nobody).astype(np.int64), worth,
        weight, np.append(relaxed.room, np.inf), np.append(relaxed.spent, 0.0), near, listed, option_of,
    )  # fmt: skip


def _anneal_once(
    search: Search,
    data: tuple[np.ndarray, ...],
    choice: np.ndarray | None,
    seed: int,
    hot: float,
    steps: int,
    ended: threading.Event,
) -> np.ndarray | None:
    """[U] the best plan of one run from a plan, or from everybody's nearest option."""
    core, (rep, _, _, weight, room) = search.core, data[:5]
    nobody = core.options + np.arange(core.units)
    first = data[6][:, 0] if choice is None else choice
    at = np.where(first >= 0, first, nobody)
    load = np.bincount(rep[at], weights=weight[at], minlength=len(room))
    count = np.bincount(rep[at], minlength=len(room))
    member, where = np.zeros((len(room), core.units), dtype=np.int32), np.zeros(core.units, dtype=np.int64)
    order = np.argsort(rep[at], kind="stable")
    where[order] = np.arange(core.units) - (np.cumsum(count) - count)[rep[at][order]]
    member[rep[at], where] = np.arange(core.units)
    heat = float(np.abs(search.pi).mean()) + 1e-9
    random = np.random.default_rng(seed).integers(1, 1 << 62, 1, dtype=np.uint64)
    best, trail = at.copy(), np.empty((4 * core.units + 64, 2), dtype=np.int64)
    state = at, load, count, member, where, random, np.empty(data[7].shape[1])
    cost, price = np.inf, 10.0 * search.room_price
    calls = max(1, steps // CALL)
    for i in range(calls):
        if ended.is_set():
            break
        heats = hot * heat * 0.1 ** (i / calls), hot * heat * 0.1 ** ((i + 1) / calls)
        cost, price = anneal(CALL, heats, price, 0.2 * search.room_price, 0.02, data, state, trail, best, cost)
    return np.where(best < core.options, best, -1) if np.isfinite(cost) else None
