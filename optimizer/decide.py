"""Where few options may be in a better plan, an exact engine decides, at middle sizes too.

Where values are whole nothing lies between a plan and one that is worth a unit more: that leaves far fewer options
(`optimizer.proof`), and branch and cut makes more of it than books listed do where these are long. Two engines search what is
left side by side and tell each other of better plans; each begins again where such a plan leaves far less. How long one takes is
chance: the first to end counts.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from optimizer.core import Core
from optimizer.endgame import SHORT, Endgame
from optimizer.engines.base import Answer, Engine, Progress
from optimizer.listing import PROVE_OPTIONS
from optimizer.proof import Proof, prove

#: it is tried where no more options than this, of values that are not whole than that, and no more than this share of all, may be
#: in a better plan, in this share of the time left
FEW, FEWER, MOSTLY_OUT, DECIDED = 8_000, 2_000, 0.5, 0.4


def whole(core: Core) -> bool:
    """Whether values are whole, and books cannot be listed or are long."""
    return core.step > 0 and bool(core.options > PROVE_OPTIONS or core.units > SHORT * np.count_nonzero(~core.is_open))


def decidable(endgame: Endgame) -> bool:
    """Whether few options may be in a better plan than the one there is."""
    best, core = endgame.best, endgame.best.core
    few = min(FEW if core.step > 0 else FEWER, MOSTLY_OUT * core.options)
    return best.choice is not None and not best.over() and endgame.left <= few


def decide(endgame: Endgame) -> Answer | None:
    """The best plan and a proof by the first exact engine, or by the last beside it where there are threads, and what another
    makes of it; None where none has come to an end in this share of the time."""
    best, limits = endgame.best, endgame.limits
    assert best.choice is not None
    phase, best.phase, plan, ended = best.phase, "proof", best.choice, threading.Event()
    until = replace(limits, time_limit=limits.elapsed() + DECIDED * limits.left(), threads=1)

    def heard(progress: Progress) -> bool:
        if progress.choice is not None:
            best.offer(progress.choice)
        return best.heard(progress) or ended.is_set()

    def proved(exact: Engine) -> tuple[Engine, Proof]:
        proof = prove(best.core, plan, endgame.stages, exact, until, heard, lambda: best.choice)
        if proof.claim == "optimal":
            ended.set()
        return exact, proof

    several = limits.threads > 1 and endgame.provers[-1]().side_by_side
    with ThreadPoolExecutor(2) as pool:
        engines = (endgame.provers[0](), endgame.provers[-1]()) if several else (endgame.provers[0](),)
        proofs = list(pool.map(proved, engines))
    best.phase = phase
    for exact, proof in proofs:
        if proof.claim == "optimal":
            agreed = endgame.agreed(proof, exact)
            choice = best.choice if best.value > proof.value else proof.choice  # the other one's, found meanwhile
            return Answer(choice, proof.bound, proof.claim, proof.stopped, agreed)
    return None
