"""The reps that big units like, as a problem of its own; all others stay at their prices.

In a very large problem few units are big for a rep. What the books near them are worth can be found without the rest:
a unit that goes elsewhere is worth there what it is worth at the prices, so it counts here as what it brings beyond that,
and going elsewhere is staying unserved.
"""

from __future__ import annotations

import numpy as np

from optimizer.certificate import adjusted, admissible, chunks
from optimizer.core import Core
from optimizer.own_rows import OwnRows
from optimizer.reduced import Reduced

#: a unit likes a rep up to this share of the unit's price below the best one
LIKED = 0.03


def vicinity(core: Core, prices: np.ndarray, near: float, most: int) -> Reduced | None:
    """The hired reps of whose own rows a unit that likes them fills more than the share `near`, those with the largest such
    units first, as long as they have no more than `most` options; None where there is no such rep.

    Their own rows and all options of theirs are the part's. What a bound falls there at other prices of these rows, the
    larger core's falls with the same ones.
    """
    own, prices = OwnRows.of(core), admissible(core, prices)
    if not own.row.shape[1]:
        return None
    worth = np.concatenate([adjusted(core, prices, *span) for span in chunks(core.start)])
    unserved = np.where(core.mandatory, -np.inf, 0.0)
    best = np.maximum(unserved, core.largest(worth))
    liked = np.flatnonzero(worth >= np.repeat(best - LIKED * np.abs(best), np.diff(core.start)))
    reps = _hosting(core, own, liked, near, most)
    if not len(reps):
        return None
    number = np.full(len(core.is_open), -1, dtype=np.int64)
    number[reps] = np.arange(len(reps))
    inside = number[core.rep] >= 0
    option = np.flatnonzero(inside)
    amount = own.amounts(core, option)
    paid = np.append(prices, 0.0)[own.row]
    here = worth[option] + (paid[core.rep[option]] * amount).sum(axis=1)
    worth[inside] = -np.inf
    elsewhere = np.maximum(unserved, core.largest(worth))
    unit, at = np.unique(core.unit[option], return_inverse=True)
    must = np.isinf(elsewhere[unit])
    slots = [s for s in range(own.row.shape[1]) if (own.row[reps, s] >= 0).any()]
    row = np.unique(own.row[reps][own.row[reps] >= 0])
    renumbered = np.full(core.rows + 1, -1, dtype=np.int32)
    renumbered[row] = np.arange(len(row))
    part = Core(
        start=np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(unit)))]),
        rep=number[core.rep[option]].astype(core.rep.dtype),
        value=here - np.where(must, 0.0, elsewhere[unit])[at],
        mandatory=must,
        unit_coef=np.zeros((0, len(unit))),
        option_coef=np.ascontiguousarray(amount[:, slots].T),
        unit_row=np.zeros((0, len(unit)), dtype=np.int32),
        rep_row=renumbered[own.row[reps][:, slots].T],
        factor=np.array([[1, s, 1, s] for s in range(len(slots))]),
        lower=core.lower[row],
        upper=core.upper[row],
        penalty=core.penalty[row],
        position=np.full(len(row), -1),
        is_open=np.zeros(len(reps), dtype=bool),
        cost=np.zeros(len(reps)),
        offset=core.offset[row],
    )
    return Reduced(part, unit, option, row, np.full(core.units, -1, dtype=np.int64))


def _hosting(core: Core, own: OwnRows, liked: np.ndarray, near: float, most: int) -> np.ndarray:
    """Reps, ascending, of whose own rows one of the options `liked` [k] fills more than `near`."""
    size, filled, rep = own.size, np.zeros(len(core.is_open)), core.rep[liked]
    for first in range(0, len(liked), 1 << 20):
        span = slice(first, first + (1 << 20))
        share = (np.abs(own.amounts(core, liked[span])) / size[rep[span]]).max(axis=1, initial=0.0)
        np.maximum.at(filled, rep[span], share)
    filled[core.is_open] = 0.0
    order = np.argsort(-filled, kind="stable")
    fits = np.cumsum(np.bincount(core.rep, minlength=len(filled))[order]) <= most
    return np.sort(order[fits & (filled[order] > near)])
