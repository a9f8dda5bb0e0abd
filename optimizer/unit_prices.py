"""Unit prices by Lagrangian relaxation of the assignment: every rep filled by itself (Beasley 1993)."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from optimizer.adam import Adam
from optimizer.certificate import admissible, sides_of
from optimizer.core import Core
from optimizer.kernels.positions import fill_positions
from optimizer.positions import MOST_ROOM, items, own_rows


@dataclass(eq=False)
class Relaxation:
    """Items are options in order of their rep (`first` [M + 1]); `worth`, `weight` and `unit` are theirs."""

    core: Core
    prices: np.ndarray
    option: np.ndarray
    first: np.ndarray
    unit: np.ndarray
    worth: np.ndarray
    weight: np.ndarray
    room: np.ndarray
    spent: np.ndarray
    integral: np.ndarray
    rest: float

    @classmethod
    def of(cls, core: Core, prices: np.ndarray) -> Relaxation:
        prices = admissible(core, prices)
        own = own_rows(core, prices)
        worth, weight, _ = items(core, prices, own, 0, core.units)
        option = np.argsort(core.rep, kind="stable")
        reps = len(own)
        room = np.where(own >= 0, np.append(core.upper, np.inf)[own], np.inf)
        count = np.bincount(core.rep, minlength=reps)
        broken = np.bincount(core.rep, weights=weight != np.floor(weight), minlength=reps)
        priced = prices.copy()
        priced[own[own >= 0]] = 0.0
        side = sides_of(core, priced)
        held = core.position >= 0
        given = np.bincount(core.position[held], weights=side[held], minlength=reps)
        return cls(
            core, prices, option, np.concatenate([[0], np.cumsum(count)]), core.unit[option], worth[option], weight[option],
            np.where(np.isfinite(room), np.floor(room + 1e-6), room) if not broken.any() else room,
            np.where(core.is_open, core.cost, 0.0) - given,
            (broken == 0) & (room < MOST_ROOM), float(side[~held].sum()),
        )  # fmt: skip

    def evaluate(self, pi: np.ndarray, whole: bool) -> Filled:
        reps = len(self.room)
        profit = self.worth - pi[self.unit]
        worth, price, take = np.zeros(reps), np.zeros(reps), np.zeros(len(profit))
        fill_positions(self.first, profit, self.weight, self.room, self.integral & whole, worth, price, take)
        gain = worth - self.spent
        shut = self.core.is_open & (gain <= 0)
        take[shut[self.core.rep[self.option]]] = 0.0
        bound = float(pi.sum() + self.rest + np.where(shut, 0.0, gain).sum())
        return Filled(bound, gain, price, take, profit)


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """At some unit prices: the bound, [M] what each rep is worth after its cost and a unit of its room, [items] shares
    taken and profits."""

    bound: float
    gain: np.ndarray
    price: np.ndarray
    take: np.ndarray
    profit: np.ndarray


def ascend(
    relaxed: Relaxation, pi: np.ndarray, whole: bool, passes: int, rates: tuple[float, float], end: float
) -> tuple[np.ndarray, float, np.ndarray]:
    """Adam steps (Kingma and Ba 2015) on the unit prices: the best met, their bound, and the mean share [items] taken."""
    core, best, kept = relaxed.core, np.inf, pi
    adam, shares = Adam(pi.shape), np.zeros(len(relaxed.option))
    size = float(np.median(np.abs(pi))) or 1.0
    for step in range(1, passes + 1):
        now = relaxed.evaluate(pi, whole)
        if now.bound < best:
            best, kept = now.bound, pi
        gradient = np.clip(1.0 - np.bincount(relaxed.unit, weights=now.take, minlength=len(pi)), -1.0, 1.0)
        gradient[~core.mandatory & (pi <= 0) & (gradient > 0)] = 0.0
        rate = rates[0] * (rates[1] / rates[0]) ** ((step - 1) / max(1, passes - 1))
        if step > passes // 2:
            shares += max(0.02, 1 / (step - passes // 2)) * (now.take - shares)
        pi = pi - rate * size * adam.direction(gradient)
        pi = np.where(core.mandatory, pi, np.maximum(pi, 0.0))
        if time.monotonic() > end:
            break
    return kept, best, shares


def worth_of_room(relaxed: Relaxation, pi: np.ndarray) -> float:
    """What a unit of room is worth, roughly, where the fillings do not tell."""
    heavy = relaxed.weight[relaxed.weight > 0]
    return float(np.abs(pi).mean() / np.median(heavy)) if len(heavy) else 1.0


def only_own_rows(relaxed: Relaxation) -> bool:
    """Whether no row but each rep's own one can matter."""
    core = relaxed.core
    own = own_rows(core, relaxed.prices)
    return set(np.flatnonzero(np.isfinite(core.lower) | np.isfinite(core.upper))) <= set(own[own >= 0].tolist())
