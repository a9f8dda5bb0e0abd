"""Local search below the bound: annealing with ejection chains in which the rows' losses come in gradually.

At prices near the best, the units' first choices are almost the best plan and only the rows do not fit. So the search
starts with losses that hardly count, which lets units with small regrets settle where the rows need them, and raises
their share to the full; a hard row may be broken for a price that rises to a firm one (strategic oscillation, Glover 1977).
Small problems are annealed whole, several times over; large ones in parts of neighbouring reps that change every round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array

from optimizer.board import Board, Ledger, Pressure, Shortlist
from optimizer.core import Core

#: units up to which a problem is annealed whole; so many make a part of a larger one, or as many as so many reps have
WHOLE, PART, PART_REPS = 3_000, 6_000, 60
#: independent walks over a small problem
WALKS = 2


@dataclass(frozen=True, slots=True)
class Cooling:
    """One annealing: `rounds` steps in which the temperature falls from `hot` to `cold` (shares of the typical regret),
    the share of the rows' losses rises from `share` to 1, and breaches become firm. Chains make up to `depth` repairs,
    each the best of a `window` of slots. In a large problem units stay at their first choice where the second costs more
    than the share `reach` of their value."""

    rounds: int = 16
    hot: float = 0.3
    cold: float = 0.01
    share: float = 0.03
    firm: tuple[float, float] = (1.0, 100.0)
    depth: int = 6
    window: int = 32
    reach: float = np.inf

    def at(self, step: float) -> tuple[float, Pressure]:
        """Temperature and pressure after so many rounds."""
        done = step / self.rounds
        share = self.share ** (1.0 - min(1.0, done / 0.8))
        return (
            self.hot * (self.cold / self.hot) ** done,
            Pressure(share, self.firm[0] * (self.firm[1] / self.firm[0]) ** done),
        )


class Search:
    """A search over one core at one shortlist; `run` anneals from a choice and gives the one it ends with.

    `stop()` is asked between short calls of the kernel. Everything but the moment of stopping follows from the seed.
    """

    def __init__(self, core: Core, listed: Shortlist, seed: int, threads: int, stop: Callable[[], bool]) -> None:
        self.core, self.listed, self.threads, self.stop = core, listed, threads, stop
        self.random = np.random.default_rng(seed)
        first = np.where(listed.best > 0, listed.option[:, 0], -1)
        self.first_choice = np.where(core.mandatory, listed.option[:, 0], first)
        self.ledger = Ledger(core, listed.prices, self.first_choice)
        second = listed.second[np.isfinite(listed.second) & (listed.second > 0)]
        crowd = min(1.0, DENSE * max(1, core.rows) / max(1, core.units))  # few units decide where rows are few
        self.typical = crowd * float(np.median(second)) if len(second) else 1.0
        worth = np.abs(core.value[np.maximum(listed.option[:, 0], 0)])
        self.lead = listed.second / np.maximum(worth, np.finfo(float).tiny)
        self.links = _links(core, listed)

    def run(self, choice: np.ndarray, cooling: Cooling, tries: int, seconds: float | None = None) -> list[np.ndarray]:
        """Anneal from `choice` [U] with about so many chains in all; what each walk ends with. In a large
        problem `seconds` says how long that may take: the later rounds do as much as fits."""
        if self.core.units <= WHOLE:
            return self._whole(choice, cooling, tries)
        end, each = time.monotonic() + (seconds or 0.0), tries / cooling.rounds
        for step in range(cooling.rounds):
            if self.stop():
                break
            began = time.monotonic()
            choice = self._round(choice, cooling, step, max(1, int(each)))
            if seconds is not None and step + 1 < cooling.rounds:
                now = time.monotonic()
                fair = (end - now) / (cooling.rounds - step - 1)
                each *= min(4.0, max(0.25, fair / max(1e-3, now - began)))
        return [choice]

    def mend(self, choice: np.ndarray) -> np.ndarray:
        """A choice [U] that breaks hard rows, annealed again around them, with breaches that nothing pays for in the end:
        first the reps nearest to those rows, by what the same units like, then more."""
        for units in MEND_UNITS:
            out = np.isinf(self.core.penalty) & (self.core.shortfall(choice) > 0)
            if self.stop() or not out.any():
                break
            (choice,) = self._around(choice, self.core.reps_of(out).astype(float), units, MEND, MEND_TRIES, 1)
        return choice

    def restore(self, choice: np.ndarray) -> list[np.ndarray]:
        """A good plan [U] of a problem a little unlike this one, annealed again around the reps where units would rather be
        than where they are; what each walk ends with."""
        option, regret, best = self.listed.option, self.listed.regret, self.listed.best
        now = np.where(option == choice[:, None], regret, np.inf).min(axis=1)
        less = np.where(choice >= 0, np.minimum(now, best), best)[:, None] - regret
        unit, slot = np.nonzero((option >= 0) & (less > 0))
        lost = np.bincount(self.core.rep[option[unit, slot]], weights=less[unit, slot], minlength=len(self.core.cost))
        lost = np.maximum(0.0, lost - np.median(lost))
        return self._around(choice, lost / max(1e-12, lost.max()), RESTORE_UNITS, RESTORE, RESTORE_TRIES, WALKS)

    def _around(
        self, choice: np.ndarray, near: np.ndarray, units: int, cooling: Cooling, tries: int, walks: int
    ) -> list[np.ndarray]:
        """A choice annealed again, with so many chains a unit, near some reps [M] alone; what each walk ends with."""
        part = self._near(choice, near, units)
        unit = np.flatnonzero(self._home(choice, np.where(part, 0, 1)) == 0)
        states = [self._state() for _ in range(walks)]
        begun, units_of = self._counts(choice)

        def walk(state: np.ndarray) -> np.ndarray:
            board, own = Board(self.core, self.listed, choice, unit, part), choice.copy()
            used, users = begun, units_of.copy()
            for step in range(cooling.rounds):
                self._anneal(
                    board, (used, users), cooling, step, tries * min(units, len(unit)) // cooling.rounds, state
                )
                used = used + self.core.usage(board.choice) - self.core.usage(own[board.unit])
                own[board.unit] = board.choice
            return own

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(walk, states))

    def _near(self, choice: np.ndarray, near: np.ndarray, units: int) -> np.ndarray:
        """[M] reps that have about so many units, those of the largest `near` [M], which units carry to reps they like."""
        for _ in range(SPREAD):
            near = np.maximum(near, 0.5 * (self.links.T @ near))
        size = np.bincount(self.core.rep[choice[choice >= 0]], minlength=len(near))
        order = np.lexsort((self.random.random(len(near)), -near))
        part = np.zeros(len(near), dtype=bool)
        part[order[: max(3, np.searchsorted(np.cumsum(size[order]), units))]] = True
        return part

    def _whole(self, choice: np.ndarray, cooling: Cooling, tries: int) -> list[np.ndarray]:
        """Independent walks over the whole problem."""
        every, reps = np.arange(self.core.units), np.ones(len(self.core.cost), dtype=bool)
        boards = [Board(self.core, self.listed, choice, every, reps) for _ in range(WALKS)]
        states = [self._state() for _ in boards]

        def walk(i: int) -> np.ndarray:
            own = choice.copy()
            for step in range(cooling.rounds):
                if self.stop():
                    break
                self._anneal(boards[i], self._counts(own), cooling, step, tries // (WALKS * cooling.rounds), states[i])
                own[boards[i].unit] = boards[i].choice
            return own

        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(walk, range(WALKS)))

    def _round(self, choice: np.ndarray, cooling: Cooling, step: int, tries: int) -> np.ndarray:
        """One step of the annealing, in parts that the threads share out."""
        part_of = self._partition(choice)
        count = int(part_of.max()) + 1
        stays = (self.lead > cooling.reach) & (choice == self.first_choice)
        home = np.where(stays, count, self._home(choice, part_of))
        whose = np.split(np.argsort(home, kind="stable"), np.cumsum(np.bincount(home, minlength=count))[:count])
        moving = max(1, self.core.units - int(stays.sum()))
        used, users = self._counts(choice)
        room = _rooms(self.core, part_of, count)
        states = [self._state() for _ in range(count)]

        def anneal(p: int) -> tuple[np.ndarray, np.ndarray]:
            unit = whose[p]
            if self.stop() or not len(unit):
                return unit, choice[unit]
            board = Board(self.core, self.listed, choice, unit, part_of == p)
            share = max(1, tries * len(unit) // moving)
            self._anneal(board, (used, users.copy()), cooling, step, share, states[p], room[:, p])
            return board.unit, board.choice

        out = choice.copy()
        with ThreadPoolExecutor(self.threads) as pool:
            for unit, own in pool.map(anneal, range(count)):
                out[unit] = own
        return out

    def _anneal(
        self,
        board: Board,
        counts: tuple[np.ndarray, np.ndarray],
        cooling: Cooling,
        step: int,
        tries: int,
        state: np.ndarray,
        room: np.ndarray | float = 1.0,
    ) -> None:
        """One step on one board, in kernel calls short enough to be stopped between. `counts` are the left sides of the
        rows [R], and the units of every rep [M + 1], which the kernel keeps up to date."""
        heat, pressure = cooling.at(step)
        end = cooling.at(step + 1)[0]
        used, users = counts
        rows = self.ledger.rows(used, pressure, room)
        calls = max(1, -(-tries // CALL))
        for i in range(calls):
            if self.stop():
                return
            warm, cool = (heat * (end / heat) ** ((i + d) / calls) * self.typical for d in (0, 1))
            board.run(rows, users, max(1, tries // calls), (cooling.depth, cooling.window), (warm, cool), state)

    def _counts(self, choice: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The left sides of the rows [R] and the number of units of every rep [M + 1], the unserved last."""
        reps = len(self.core.cost)
        taken = choice[choice >= 0]
        users = np.bincount(self.core.rep[taken], minlength=reps + 1)
        users[reps] = len(choice) - len(taken)
        return self.core.usage(choice), users

    def _partition(self, choice: np.ndarray) -> np.ndarray:
        """[M] a part for every rep, of about as many units each: the reps are halved again and again, each time along a
        random smooth line on which reps that the same units like are near each other."""
        size = np.bincount(self.core.rep[choice[choice >= 0]], minlength=len(self.core.cost)) + 1.0
        part_of, made = np.zeros(len(size), dtype=np.int64), 1
        most = max(PART, PART_REPS * self.core.units / len(size))
        todo = [(np.arange(len(size)), max(2, round(self.core.units / most)))]
        while todo:
            reps, parts = todo.pop()
            if parts < 2 or len(reps) < 2:
                continue
            place, links = self.random.standard_normal(len(reps)), self.links[reps][:, reps]
            for _ in range(SMOOTHING):
                place = links @ place
                place = (place - place.mean()) / max(1e-12, place.std())
            order = np.argsort(place + 1e-9 * self.random.random(len(reps)), kind="stable")
            load = np.cumsum(size[reps[order]])
            cut = int(np.clip(np.searchsorted(load, load[-1] * (parts // 2) / parts), 1, len(reps) - 1))
            part_of[reps[order[cut:]]] = made
            made += 1
            todo += [(reps[order[:cut]], parts // 2), (reps[order[cut:]], parts - parts // 2)]
        return part_of

    def _home(self, choice: np.ndarray, part_of: np.ndarray) -> np.ndarray:
        """[U] the part that may move each unit: its rep's, or for the unserved that of one of the reps it likes."""
        slot = self.random.integers(0, self.listed.option.shape[1], self.core.units)
        liked = self.listed.option[np.arange(self.core.units), slot]
        at = np.where(choice >= 0, choice, np.where(liked >= 0, liked, self.listed.option[:, 0]))
        return np.where(at >= 0, part_of[self.core.rep[np.maximum(at, 0)]], 0)

    def _state(self) -> np.ndarray:
        return self.random.integers(1, 1 << 62, 1).astype(np.uint64)


#: with fewer rows a unit than one in so many, temperatures are lower
DENSE = 15.0
#: chains in one kernel call; how often a random line is smoothed
CALL, SMOOTHING = 5_000, 12
#: how a plan that breaks hard rows is mended: so many units in turn, with so many chains a unit, so many links away
SPREAD = 8
MEND, MEND_UNITS, MEND_TRIES = Cooling(rounds=8, hot=0.1, share=1.0, firm=(1.0, 1e4)), (300, 1_000, 3_000), 120
#: how a good plan of a problem a little unlike is restored
RESTORE, RESTORE_UNITS, RESTORE_TRIES = Cooling(), 1_200, 60


def _links(core: Core, listed: Shortlist) -> csr_array:
    """[M, M] how much of the liking of each rep's units goes to each rep; rows sum to 1."""
    unit, slot = np.nonzero(listed.option >= 0)
    rep = core.rep[listed.option[unit, slot]]
    likes = csr_array((np.ones(len(unit)), (unit, rep)), shape=(core.units, len(core.cost)))
    both = (likes.T @ likes).tocsr()
    total = np.asarray(both.sum(axis=1)).ravel()
    return csr_array(diags_array(1.0 / np.maximum(total, 1.0)) @ both)


def _rooms(core: Core, part_of: np.ndarray, parts: int) -> np.ndarray:
    """[R, P] the share of each row's distance to its bounds that each part may use: all of it for the one part whose
    reps alone have the row, an equal share where several can change it."""
    touched = np.zeros((core.rows + 1, parts), dtype=bool)
    for _, _, by_rep, row in core.factor:
        if by_rep:
            touched[core.rep_row[row], part_of] = True
        else:
            touched[np.unique(core.unit_row[row])] = True
    touched = touched[:-1]
    return 1.0 / np.maximum(1, touched.sum(axis=1))[:, None] * np.ones((1, parts))
