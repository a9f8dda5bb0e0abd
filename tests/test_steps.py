"""Steps of parts that are proved side by side come together as if one had come after the other."""

from __future__ import annotations

import numpy as np

from optimizer.columns import Duals
from optimizer.steps import Steps


def at(price: float, triples: int) -> Duals:
    return Duals(np.full(4, price), np.zeros(2), np.full(triples, price))


def test_steps_of_two_parts_go_on_from_where_they_were_parted_with_their_own_prices_of_triples() -> None:
    common, one, other = [0, 1, 2], [0, 1, 3], [1, 2, 3]
    whole, need = Steps(), np.ones(2)
    whole.add(at(1.0, 1), need)
    parts = whole.within(5, True), whole.within(5, False)
    for price, part in enumerate(parts, start=2):  # each found a triple of its own meanwhile
        part.add(at(float(price), 1), need)
        part.add(at(10.0 * price, 2), None)
    triples = np.array([common, one, other])
    for part, own in zip(parts, ([common, one], [common, other]), strict=True):
        whole.take(part, np.array(own), triples)
    assert [part.parent for part in whole.parts] == [-1, 0, 1, 0, 3]
    assert [(part.option, part.inside) for part in whole.parts] == [
        (-1, False),
        (5, True),
        (-1, False),
        (5, False),
        (-1, False),
    ]
    assert [part.duals.triple.tolist() for part in whole.parts[1:]] == [[2, 0, 0], [20, 20, 0], [3, 0, 0], [30, 0, 30]]
    listing = whole.listing([0, 1], 3, triples)
    assert listing.parent.tolist() == [-1, 0, 0, 1, 2]  # where books are sought comes first
    assert listing.unit_prices[:, 0].tolist() == [1, 2, 3, 20, 30]
    assert (listing.need == [1, 1, 0]).all() and len(listing.need) == 3


def test_a_tree_goes_on_from_the_last_step() -> None:
    tree, whole = Steps(), Steps()
    tree.add(at(7.0, 0), None)
    tree.add(at(8.0, 0), None)
    whole.add(at(1.0, 0), None)
    here = at(2.0, 0)
    whole.add(here, None)
    assert whole.ended_at(here) and not whole.ended_at(at(2.0, 0)) and not whole.within(1, True).ended_at(here)
    whole.take_tree(tree.parts)
    assert [part.parent for part in whole.parts] == [-1, 0, 1, 2]
