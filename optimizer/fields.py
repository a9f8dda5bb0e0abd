"""What the local search of `engines.prices` works on: the whole problem, or what larger units leave of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimizer.board import short_list
from optimizer.core import Core
from optimizer.engines.base import Limits
from optimizer.search import Search
from optimizer.settle import Held, Settled

#: options of each unit that the search looks at
WIDTH = 5


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """What a search works on: a core at some prices [R'], and how its plans are parts of the whole problem's, whose rows
    are `paid` [R] for (those that the core has not at older prices).
    `seen` [U] is a plan whose options are always among those it looks at, `held` [U] options it does not leave (-1: free)."""

    core: Core
    prices: np.ndarray
    paid: np.ndarray
    seen: np.ndarray
    lift: Callable[[np.ndarray], np.ndarray]
    part: Callable[[np.ndarray], np.ndarray]
    held: np.ndarray | None = None

    @classmethod
    def whole(cls, core: Core, prices: np.ndarray, seen: np.ndarray) -> Field:
        return cls(core, prices, prices, seen, lambda choice: choice, lambda choice: choice)

    @classmethod
    def rest(cls, settled: Settled, seen: np.ndarray, paid: np.ndarray) -> Field:
        """What is left when big units have their place."""
        part, paid = settled.part, paid.copy()
        paid[part.row] = settled.prices
        return cls(part.core, settled.prices, paid, part.part(seen), part.lift, part.part)

    @classmethod
    def around(cls, core: Core, held: Held, seen: np.ndarray) -> Field:
        """The whole problem with big units that stay where they are."""
        fixed = held.option >= 0
        seen = np.where(fixed, held.option, seen)
        return cls(
            core,
            held.prices,
            held.prices,
            seen,
            lambda choice: choice,
            lambda choice: np.where(fixed, held.option, choice),
            held.option,
        )

    def search(self, limits: Limits, stop: Callable[[], bool]) -> Search:
        """A local search over it."""
        listed = short_list(self.core, self.prices, self.seen, WIDTH, limits.threads)
        if self.held is not None:
            listed = listed.holding(self.held)
        return Search(self.core, listed, limits.seed, limits.threads, stop)
