"""The contract of an engine: a pure function from a problem's arrays to an answer.

A complete engine, "nobody serves anybody"::

    class Nobody(Engine):
        name = "nobody"
        exact = False
        about = "leaves every account unserved"

        def solve(self, core, limits, report, hint=None, dual=None):
            choice = np.full(core.units, -1)
            report(Progress(limits.elapsed(), core.objective(choice), choice=choice))
            return Answer(choice, claim="none")

An engine never prints, never reads a clock but its `limits`, and stops soon after `report` returns True.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from optimizer.core import Core, share_of
from optimizer.mixed_integer import MixedInteger, choice_of

if TYPE_CHECKING:
    from optimizer.dual import Dual
    from optimizer.listing import Listing

Claim = Literal["optimal", "infeasible", "none"]

#: a plan is at its bound where they differ by this share, which is rounding
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop. `time_limit` in seconds from `started` (a `time.time()`); `gap` a share, 0 asks for proof.
    Deterministic engines count work, not seconds, and use one worker unless they are told how to share the work."""

    time_limit: float = 60.0
    gap: float = 5e-4
    seed: int = 1
    deterministic: bool = False
    threads: int = 2
    started: float = field(default_factory=time.time)

    def elapsed(self) -> float:
        return time.time() - self.started

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.time_limit - self.elapsed())

    def met(self, bound: float, value: float) -> bool:
        """Whether a plan of such a value is as near to the bound as was asked, or at it; never where there is none."""
        return share_of(bound, value) <= max(self.gap, ROUNDING)


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """Something new: a better plan (`choice` [U], option positions, -1 unserved), a better bound, or another phase."""

    seconds: float
    objective: float = float("nan")
    bound: float = float("nan")
    phase: str = ""
    choice: np.ndarray | None = None


#: told of progress; True asks the engine to stop
Report = Callable[[Progress], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The best plan met (None: none that keeps every hard row), what the engine claims, and its own bound (inf: none).

    `stopped` says that it was told to stop or ran out of time, `agreed` that a second exact engine proved the same.
    `short` names the hard rows that its best try did not keep, `listing` is what proves `bound` beside the books of the dual.
    """

    choice: np.ndarray | None
    bound: float = float("inf")
    claim: Claim = "none"
    stopped: bool = False
    agreed: bool = False
    short: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
    listing: Listing | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """Where some units go, `choice` [U] (-1 for nowhere and for the others), and what that and the others' split are
    worth (-inf: nothing found)."""

    choice: np.ndarray
    worth: float

    @classmethod
    def of(cls, core: Core, some: np.ndarray, program: MixedInteger, final: np.ndarray) -> Placing:
        """What a solution [C] of a program says of the units that are true in `some` [U]."""
        return cls(np.where(some, choice_of(core, final), -1), float(program.worth @ final))


def claim_of(value: float, bound: float) -> Claim:
    """What may be claimed of a solver's optimum, which may be a rounded model's: optimal within a millionth of its bound."""
    return "optimal" if np.isfinite(value) and abs(bound - value) <= 1e-6 * max(1.0, abs(value)) else "none"


class Incumbent:
    """The best plan an exact engine has met that keeps every hard row as the problem itself judges it, and the lowest
    bound it has heard; tells of both, and remembers whether it was asked to stop."""

    def __init__(self, core: Core, limits: Limits, report: Report) -> None:
        self.core, self.limits, self.report = core, limits, report
        self.choice: np.ndarray | None = None
        self.value, self.bound, self.stop = -np.inf, np.inf, False

    def offer(self, choice: np.ndarray) -> None:
        """Keep a plan [U] if it is better."""
        value = self.core.objective(choice)
        if value > self.value and self.core.feasible(choice):
            self.choice, self.value = choice, value
            self.tell(choice)

    def tell(self, choice: np.ndarray | None = None) -> bool:
        """Say where the search is; whether to stop."""
        progress = Progress(self.limits.elapsed(), self.value, self.bound, "search", choice)
        self.stop = self.report(progress) or self.stop
        return self.stop

    def answer(self, bound: float, finished: bool) -> Answer:
        """What the engine answers with its last `bound`."""
        return Answer(self.choice, bound, claim_of(self.value, bound), stopped=not finished)


def without_search(core: Core) -> Answer | None:
    """The answer where there is nothing to choose from, or nothing for a unit that must be served; None elsewhere."""
    if (core.mandatory & (np.diff(core.start) == 0)).any():
        return Answer(None, claim="infeasible")
    if core.options:
        return None
    nobody = np.full(core.units, -1, dtype=np.int64)
    kept = core.feasible(nobody)
    return Answer(nobody, core.objective(nobody), "optimal") if kept else Answer(None, claim="infeasible")


class Engine:
    """Base of every engine. One with `side_by_side` searches on one thread, and several may search at once in a process."""

    name: ClassVar[str]
    about: ClassVar[str]
    exact: ClassVar[bool] = False
    side_by_side: ClassVar[bool] = False

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        """The best plan this engine finds within its limits; `hint` [U] is a plan to start from, `dual` what was
        found to prove a bound, for engines that search by it."""
        raise NotImplementedError

    def glance(
        self, core: Core, limits: Limits, report: Report, hint: np.ndarray | None, dual: Dual, again: bool = False
    ) -> np.ndarray | None:
        """A plan soon, before more is proved than prices do, from the plan `hint` [U] on; `again`, after that, a better one
        where it is near the bound. None of an engine without."""
        return None

    def proving(self) -> Engine:
        """This engine for a proof, where others look for better plans meanwhile."""
        return self

    def place(self, core: Core, some: np.ndarray, limits: Limits, report: Report) -> Placing:
        """Where the units of `some` [U] (true) go in the best that was found while the others may be split over options.
        An engine that cannot say: nowhere."""
        return Placing(np.full(core.units, -1, dtype=np.int64), float("-inf"))
