"""Proof at small and middle sizes: what prices show to be in no better plan is left out, and an exact engine does the rest.

At prices λ with bound B a plan's value is B less the regret of every unit's option, the loss of every row and what open
positions cost beyond their use, none of them negative (design.md §3). So an option that alone loses B − V or more is in
no plan better than one worth V (reduced-cost fixing: Geoffrion 1974). What is left is priced again, until nothing falls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.certificate import adjusted, admissible, best_of_units, bound, sides_of
from optimizer.core import TOLERANCE, Core
from optimizer.dual import LP_FIRST, lp_prices
from optimizer.engines.base import Answer, Claim, Engine, Limits, Progress, Report, claim_of

#: prices found anew for what is left, at most so often, and only while at least this share of the options falls
ROUNDS, WORTH_WHILE = 12, 0.02
#: a better plan that leaves at most this share of the options stops the search, which begins again on those
RESTART = 0.7
#: share of the time left that pricing anew may take
PRICE_SHARE = 0.1


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

    `stages` are the prices [R] that left options out, in order: with `choice` they are all that `thinned` needs to make
    the same core again. `kept` counts its options; `by` says what the bound rests on."""

    choice: np.ndarray
    value: float
    bound: float
    claim: Claim
    by: str
    stages: tuple[np.ndarray, ...]
    kept: int
    stopped: bool = False


def whole(core: Core) -> Thin:
    """Nothing left out."""
    return Thin(core, np.arange(core.options), np.inf)


def thinned(core: Core, value: float, stages: tuple[np.ndarray, ...]) -> Thin:
    """The core left when each stage's prices [R], one after the other, have dropped what is in no plan worth more than
    `value`. One pass over the options a stage, no solver: this is how a proof is checked again."""
    thin = whole(core)
    for prices in stages:
        thin = thin if thin.empty else drop(thin, value, prices)
    return thin


def drop(thin: Thin, value: float, prices: np.ndarray) -> Thin:
    """What is left when prices [R] drop options, and unserved where it is out, that no plan worth more than `value` has."""
    core, prices = thin.core, admissible(thin.core, prices)
    proved = bound(core, prices)
    spare = proved + _tolerated(core, prices) - value + 1e-9 * max(1.0, abs(value))
    proved = min(thin.bound, proved)
    if spare <= 0:
        return replace(thin, bound=proved, empty=True)
    best, _ = best_of_units(core, prices)
    loss = best[core.unit] - adjusted(core, prices, 0, core.units) + _unpaid(core, prices)[core.rep]
    keep = loss <= spare
    must = core.mandatory | (best > spare)
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


def _tolerated(core: Core, prices: np.ndarray) -> float:
    """What the tolerance of hard rows may be worth at these prices: a plan that uses it is a plan all the same."""
    side = np.where(prices > 0, core.upper, core.lower) + core.offset
    allowed = TOLERANCE * np.maximum(1.0, np.abs(np.where(np.isfinite(side), side, 1.0)))
    return float((np.abs(prices) * allowed)[np.isinf(core.penalty)].sum())


def _unpaid(core: Core, prices: np.ndarray) -> np.ndarray:
    """[M] what using each open position costs beyond what its rows give at these prices; 0 for the others."""
    sides = sides_of(core, prices)
    held = core.position >= 0
    gives = np.bincount(core.position[held], weights=sides[held], minlength=len(core.cost))
    return np.where(core.is_open, np.maximum(0.0, core.cost - gives), 0.0)


def shrink(
    core: Core, value: float, stages: tuple[np.ndarray, ...], seconds: float
) -> tuple[Thin, tuple[np.ndarray, ...]]:
    """`thinned` by these stages and by prices found anew for what is left, until too little falls: the core and all its
    stages. Prices half-way between two optima are tried as well, for what each drops is another's to keep."""
    thin, used = whole(core), []
    for prices in stages:
        thin = thin if thin.empty else drop(thin, value, prices)
        used.append(prices)
    for _ in range(ROUNDS):
        if thin.empty or not 0 < thin.core.options <= LP_FIRST:
            break
        found = lp_prices(thin.core, seconds)
        if found is None:
            break
        before = thin.core.options
        for prices in (0.5 * (found + used[-1]) if used else found, found):
            smaller = thin if thin.empty else drop(thin, value, prices)
            if smaller.empty or smaller.core.options < thin.core.options or smaller.bound < thin.bound:
                thin = smaller
                used.append(prices)
        if thin.empty or thin.core.options > (1.0 - WORTH_WHILE) * before:
            break
    return thin, tuple(used)


def prove(core: Core, choice: np.ndarray, prices: np.ndarray, exact: Engine, limits: Limits, report: Report) -> Proof:
    """The best plan and bound that an exact engine reaches on what prices leave of the problem, beginning with the plan
    `choice` [U], which keeps every hard row, and near-optimal prices [R].

    The claim is the engine's own: `agrees` asks another. Raises `ValueError` when `choice` is no plan.
    """
    if not core.feasible(choice):
        raise ValueError("a proof begins with a plan that keeps every hard row")
    stages: tuple[np.ndarray, ...] = (admissible(core, prices),)
    best, value, proved, by = choice, core.objective(choice), bound(core, prices), "prices"
    while True:
        thin, stages = shrink(core, value, stages, max(0.1, PRICE_SHARE * limits.left()))
        if thin.empty or not thin.core.options:
            proved = value if thin.empty else min(proved, max(value, thin.bound))
            return _proof(best, value, max(value, proved), by, stages, 0, False)
        proved = min(proved, max(value, thin.bound))
        if limits.left() < 0.05 or report(Progress(limits.elapsed(), value, proved, "proof", best)):
            return _proof(best, value, proved, by, stages, thin.core.options, True)
        watch = _Watch(thin, value, proved, stages[-1], report)
        answer = exact.solve(thin.core, replace(limits, gap=min(limits.gap, 1e-7)), watch.heard, thin.part(best))
        better = _better(core, thin, answer, value)
        if better is not None:
            best, value = better, core.objective(better)
        below = value - answer.bound > 1e-6 * max(1.0, abs(value))
        if answer.bound < proved and not below:  # a bound below a plan that is left in is false, and not used
            proved, by = answer.bound, "search"
        proved = max(value, proved)
        if better is None or not watch.again:
            return _proof(best, value, proved, by, stages, thin.core.options, answer.stopped)


def _proof(
    choice: np.ndarray, value: float, proved: float, by: str, stages: tuple[np.ndarray, ...], kept: int, stopped: bool
) -> Proof:
    claim = claim_of(value, proved)
    return Proof(choice, value, proved, claim, by, stages, kept, stopped and claim != "optimal")


def _better(core: Core, thin: Thin, answer: Answer, value: float) -> np.ndarray | None:
    """[U] the engine's plan where the whole core, too, says that it is one and better."""
    if answer.choice is None:
        return None
    choice = thin.lift(answer.choice)
    return choice if core.objective(choice) > value and core.feasible(choice) else None


class _Watch:
    """Passes progress on in the larger core's terms, and stops the engine when its better plan leaves far less."""

    def __init__(self, thin: Thin, value: float, proved: float, prices: np.ndarray, report: Report) -> None:
        self.thin, self.value, self.proved, self.prices, self.report = thin, value, proved, prices, report
        self.again = False

    def heard(self, progress: Progress) -> bool:
        choice = None
        if progress.choice is not None and progress.objective > self.value:
            self.value, choice = progress.objective, self.thin.lift(progress.choice)
            left = drop(self.thin, self.value, self.prices)
            self.again = left.empty or left.core.options <= RESTART * self.thin.core.options
        own = progress.bound if np.isfinite(progress.bound) else np.inf
        proved = max(self.value, min(self.proved, own))
        return self.report(Progress(progress.seconds, self.value, proved, "proof", choice)) or self.again


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
