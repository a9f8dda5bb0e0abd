"""Proof at small and middle sizes: what prices show to be in no better plan is left out, and an exact engine does the rest.

At prices λ with bound B a plan's value is B less the regret of every unit's option, the loss of every row and what open
positions cost beyond their use, none of them negative (design.md §3). So an option that alone loses B − V or more is in
no plan better than one worth V (reduced-cost fixing: Geoffrion 1974); where values are whole, a better one is worth V + 1.
What is left is priced again, until nothing falls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimizer.book_bound import book_losses
from optimizer.book_trees import Books
from optimizer.certificate import admissible, losses
from optimizer.core import TOLERANCE, Core
from optimizer.dual import LP_FIRST, lp_prices
from optimizer.engines.base import Claim, Engine, Limits, Progress, Report, claim_of
from optimizer.own_rows import OwnRows

#: prices found anew for what is left, at most so often, and only while at least this share of the options falls
ROUNDS, WORTH_WHILE = 12, 0.02
#: a better plan that leaves at most this share of the options stops the search, which begins again on those
RESTART = 0.7
#: share of the time left that pricing anew may take
PRICE_SHARE = 0.1


#: what options are left out by: prices [R], or books
Stage = np.ndarray | Books


@dataclass(frozen=True, slots=True, eq=False)
class Thin:
    """A core without the options that are in no better plan: `option` [K'] are positions in the larger core, whose units
    and rows it keeps. Units that every better plan serves are mandatory. `bound` holds for every plan of the larger core
    that is better than the one it was made with; `empty` says that there is none."""

    core: Core
    option: np.ndarray
    bound: float
    empty: bool = False

    def part(self, choice: np.ndarray) -> np.ndarray:
        """[U] a choice of the larger core in this one's positions; -1 where its option is left out."""
        if not len(self.option):
            return np.full(len(choice), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.option, choice), len(self.option) - 1)
        return np.where((choice >= 0) & (self.option[at] == choice), at, -1)

    def lift(self, choice: np.ndarray) -> np.ndarray:
        """[U] a choice of this core in the larger one's positions."""
        return np.append(self.option, -1)[choice]


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """The best plan [U] known, its value, a bound on every plan's value, and `optimal` when they meet.

    `stages` are the prices [R] and books that left options out, in order: with `choice` they are all that `thinned` needs to make
    the same core again. `kept` counts its options; `by` says what the bound rests on."""

    choice: np.ndarray
    value: float
    bound: float
    claim: Claim
    by: str
    stages: tuple[Stage, ...]
    kept: int
    stopped: bool = False


def whole(core: Core) -> Thin:
    """Nothing left out."""
    return Thin(core, np.arange(core.options), np.inf)


def thinned(core: Core, value: float, stages: tuple[Stage, ...]) -> Thin:
    """The core left when each stage, one after the other, has dropped what is in no plan worth more than `value`. One pass
    over the options a stage, no solver: this is how a proof is checked again."""
    thin = whole(core)
    for stage in stages:
        thin = thin if thin.empty else drop(thin, value, stage)
    return thin


def drop(thin: Thin, value: float, stage: Stage) -> Thin:
    """What is left when prices [R] or books drop options, and unserved where it is out, that no plan worth more than `value`
    has."""
    core = thin.core
    lost = book_losses(core, stage) if isinstance(stage, Books) else losses(core, stage)
    spare = lost.bound + _tolerated(core, stage) - _next(core, value) + 1e-9 * max(1.0, abs(value))
    proved = min(thin.bound, lost.bound)
    if spare <= 0:
        return replace(thin, bound=proved, empty=True)
    keep = lost.option <= spare
    must = core.mandatory | (lost.unserved > spare)
    left = np.bincount(core.unit[keep], minlength=core.units)
    if (must & (left == 0)).any():
        return replace(thin, bound=proved, empty=True)
    smaller = replace(
        core,
        start=np.append(0, np.cumsum(left)).astype(np.int64),
        rep=core.rep[keep],
        value=core.value[keep],
        mandatory=must,
        option_coef=core.option_coef[:, keep],
    )
    return Thin(smaller, thin.option[keep], proved)


def _next(core: Core, value: float) -> float:
    """What a plan that is worth more than `value` is worth at least."""
    return core.step * (np.floor(value / core.step) + 1.0) if core.step and np.isfinite(value) else value


def _tolerated(core: Core, stage: Stage) -> float:
    """What the tolerance of hard rows may be worth at these prices: a plan that uses it is a plan all the same."""
    prices = _dearest(core, stage) if isinstance(stage, Books) else admissible(core, stage)
    side = np.where(prices > 0, core.upper, core.lower) + core.offset
    allowed = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(side), side, 1.0)))
    return float((np.abs(prices) * allowed)[np.isinf(core.penalty)].sum())


def _dearest(core: Core, books: Books) -> np.ndarray:
    """[R] prices of books; of own rows the one furthest from 0 among the rep's leaves."""
    own, leaves = OwnRows.of(core), books.leaves
    prices = np.append(admissible(core, books.prices), 0.0)
    prices[:-1][own.owned] = 0.0
    paid = own.admissible(books.own_prices[leaves], books.rep[leaves])
    rows = own.row[books.rep[leaves]]
    low, high = np.zeros(len(prices)), np.zeros(len(prices))
    np.minimum.at(low, rows, paid)
    np.maximum.at(high, rows, paid)
    return (prices + np.where(-low > high, low, high))[:-1]


def shrink(core: Core, value: float, stages: tuple[Stage, ...], seconds: float) -> tuple[Thin, tuple[Stage, ...]]:
    """`thinned` by these stages and by prices found anew for what is left, until too little falls: the core and all its
    stages. Prices half-way between two optima are tried as well, for what each drops is another's to keep."""
    thin, used = thinned(core, value, stages), list(stages)
    for _ in range(ROUNDS):
        if thin.empty or not 0 < thin.core.options <= LP_FIRST:
            break
        found = lp_prices(thin.core, seconds)
        if found is None:
            break
        before = thin.core.options
        last = next((stage for stage in reversed(used) if not isinstance(stage, Books)), found)
        for prices in (0.5 * (found + last), found):
            smaller = thin if thin.empty else drop(thin, value, prices)
            if smaller.empty or smaller.core.options < thin.core.options or smaller.bound < thin.bound:
                thin = smaller
                used.append(prices)
        if thin.empty or thin.core.options > (1.0 - WORTH_WHILE) * before:
            break
    return thin, tuple(used)


def prove(
    core: Core,
    choice: np.ndarray,
    stages: tuple[Stage, ...],
    exact: Engine,
    limits: Limits,
    report: Report,
    latest: Callable[[], np.ndarray | None] = lambda: None,
) -> Proof:
    """The best plan and bound that an exact engine reaches on what prices and books leave of the problem, beginning with
    the plan `choice` [U], which keeps every hard row, and near-optimal prices [R], then books where there are any.
    `latest()` is the best plan [U] that others have found meanwhile.

    The claim is the engine's own: `agrees` asks another. Raises `ValueError` when `choice` is no plan.
    """
    if not core.feasible(choice):
        raise ValueError("a proof begins with a plan that keeps every hard row")
    best, value, proved, by, strongest = choice, core.objective(choice), np.inf, "prices", stages[-1]
    while True:
        thin, stages = shrink(core, value, stages, max(0.1, PRICE_SHARE * limits.left()))
        if thin.empty or not thin.core.options:
            proved = value if thin.empty else min(proved, max(value, thin.bound))
            return _proof(best, value, max(value, proved), by, stages, 0, False)
        proved = min(proved, max(value, thin.bound))
        if limits.left() < 0.05 or report(Progress(limits.elapsed(), value, proved, "proof", best)):
            return _proof(best, value, proved, by, stages, thin.core.options, True)
        watch = _Watch(core, thin, value, proved, strongest, report, latest)
        answer = exact.solve(thin.core, replace(limits, gap=min(limits.gap, 1e-7)), watch.heard, thin.part(best))
        better = _better(core, value, None if answer.choice is None else thin.lift(answer.choice), latest())
        if better is not None:
            best, value = better, core.objective(better)
        below = value - answer.bound > 1e-6 * max(1.0, abs(value))
        if answer.bound < proved and not below:  # a bound below a plan that is left in is false, and not used
            proved, by = answer.bound, "search"
        proved = max(value, proved)
        if better is None or not watch.again:
            return _proof(best, value, proved, by, stages, thin.core.options, answer.stopped)


def _proof(
    choice: np.ndarray, value: float, proved: float, by: str, stages: tuple[Stage, ...], kept: int, stopped: bool
) -> Proof:
    claim = claim_of(value, proved)
    return Proof(choice, value, proved, claim, by, stages, kept, stopped and claim != "optimal")


def _better(core: Core, value: float, *choices: np.ndarray | None) -> np.ndarray | None:
    """[U] the best of some choices that the whole core says to be plans, and worth more than `value`."""
    best = None
    for choice in choices:
        if choice is not None and core.objective(choice) > value and core.feasible(choice):
            best, value = choice, core.objective(choice)
    return best


class _Watch:
    """Passes progress on in the larger core's terms, and stops the engine when a better plan, its own or the `latest` of
    others, leaves far less, or is as good as what it has proved."""

    def __init__(
        self,
        core: Core,
        thin: Thin,
        value: float,
        proved: float,
        stage: Stage,
        report: Report,
        latest: Callable[[], np.ndarray | None],
    ) -> None:
        self.core, self.thin, self.value, self.proved, self.stage = core, thin, value, proved, stage
        self.report, self.latest, self.again = report, latest, False

    def heard(self, progress: Progress) -> bool:
        own = None if progress.choice is None else self.thin.lift(progress.choice)
        choice = _better(self.core, self.value, own, self.latest())
        if choice is not None:
            self.value = self.core.objective(choice)
            left = drop(self.thin, self.value, self.stage)
            self.again = left.empty or left.core.options <= RESTART * self.thin.core.options
        bound = progress.bound if np.isfinite(progress.bound) else np.inf
        proved = max(self.value, min(self.proved, bound))
        told = Progress(progress.seconds, self.value, proved, "proof", choice)
        return self.report(told) or self.again or claim_of(self.value, proved) == "optimal"


def agrees(core: Core, proof: Proof, other: Engine, limits: Limits, report: Report) -> bool:
    """Whether a second exact engine finds that nothing is better than a proof's plan, by more than the stated tolerance.

    The prices are applied anew, so all that is taken from the first engine is a plan; the second searches only what they
    leave, and need not be asked when that is nothing.
    """
    if not core.feasible(proof.choice):
        return False
    value = core.objective(proof.choice)
    thin = thinned(core, value, proof.stages)
    if thin.empty or claim_of(value, max(value, thin.bound)) == "optimal":
        return True
    if limits.left() < 0.05:
        return False
    answer = other.solve(thin.core, replace(limits, gap=0.0), report, thin.part(proof.choice))
    return answer.claim == "optimal" and claim_of(value, answer.bound) == "optimal"
