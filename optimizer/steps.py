"""Steps of a proof by listed books, kept until they are written down (`optimizer.listing`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.columns import Duals
from optimizer.listing import Listing
from optimizer.triples import places

#: of a step: no option, and not with it
NOT_PARTED = (-1, False)


@dataclass(slots=True, eq=False)
class Part:
    """What is left of the `parent` (an earlier node; -1: all) with an option or without it (-1: no option), at its prices; where
    books of some reps are still sought there, such as are worth `need` [M']."""

    parent: int
    option: int
    inside: bool
    duals: Duals
    need: np.ndarray | None = None


class Steps:
    """All `parts` so far; the next goes on from that `at`, and is `part` of it; the first `begun` are those of what this is a
    part of."""

    def __init__(self) -> None:
        self.parts, self.at, self.part, self.begun = list[Part](), -1, NOT_PARTED, 0

    def add(self, duals: Duals, need: np.ndarray | None) -> None:
        """Another step, at these prices."""
        self.parts.append(Part(self.at, *self.part, duals, need))
        self.at, self.part = len(self.parts) - 1, NOT_PARTED

    def ended_at(self, duals: Duals) -> bool:
        """Whether the last step is at these prices, and of the same plans."""
        return self.at >= 0 and self.part == NOT_PARTED and self.parts[self.at].duals is duals

    def within(self, option: int, inside: bool) -> Steps:
        """Steps that go on with a part."""
        steps = Steps()
        steps.parts, steps.at, steps.part, steps.begun = self.parts.copy(), self.at, (option, inside), len(self.parts)
        return steps

    def take(self, steps: Steps, triples: np.ndarray, among: np.ndarray) -> None:
        """Those of a part, whose prices are of triples [C, 3] that are among others."""
        begun, more = steps.begun, len(self.parts) - steps.begun
        at = places(triples, among)
        for part in steps.parts[begun:]:
            triple = np.zeros(len(among))
            triple[at[: len(part.duals.triple)]] = part.duals.triple
            above = part.parent if part.parent < begun else part.parent + more
            self.parts.append(replace(part, parent=above, duals=replace(part.duals, triple=triple)))

    def take_tree(self, nodes: list[Part]) -> None:
        """Those of a tree that goes on from here."""
        begun = len(self.parts)
        for node in nodes:
            above = self.at if node.parent < 0 else begun + node.parent
            self.parts.append(replace(node, parent=above))

    def listing(self, reps: list[int], everyone: int, triples: np.ndarray) -> Listing:
        """What is written down: first the steps where books are sought of some of the `everyone`, who are `reps` [M']; of all
        triples [C, 3]."""
        order = sorted(range(len(self.parts)), key=lambda at: self.parts[at].need is None)
        at = np.append(np.argsort(order), -1)
        parts = [self.parts[i] for i in order]
        needs = [part.need for part in parts if part.need is not None]
        need = np.zeros((len(needs), everyone))
        need[:, reps] = needs
        prices = [part.duals.padded(len(triples)) for part in parts]
        return Listing(
            need=need,
            triples=triples,
            parent=at[[part.parent for part in parts]],
            option=np.array([part.option for part in parts]),
            inside=np.array([part.inside for part in parts]),
            unit_prices=np.array([duals.unit for duals in prices]),
            row_prices=np.array([duals.row for duals in prices]),
            triple_prices=np.array([duals.triple for duals in prices]),
        )
