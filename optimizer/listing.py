"""What proves a bound by listed books (`optimizer.listed`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.core import Core

#: options up to which a proof is tried, by listed books and by exact engines, and up to which books are sought for a bound
PROVE_OPTIONS, SOUGHT_OPTIONS = 4_000, 7_500


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What proves a bound step by step.

    Each step has what is left of its `parent` [S] (an earlier step; -1: it is the first), or a part of that: of two steps at one
    option (a position in the core; -1: none), those plans with it, `inside` [S], and those without.

    The first steps seek books: at the prices of each, of reps that are not listed yet, every one that is worth `need` [F, M] to
    its rep; a rep is listed there where no other book of it may be in a better plan. The other steps have the books of their
    parent, where all reps are listed, that may be in a better plan. Prices are those of units [S, U], of rows [S, R], and of
    triples [S, C], whose units are `triples` [C, 3]: no more than one book of a plan holds two of them. Plans that are worth no
    more than the `goal` do not count.
    """

    need: np.ndarray
    triples: np.ndarray
    parent: np.ndarray
    option: np.ndarray
    inside: np.ndarray
    unit_prices: np.ndarray
    row_prices: np.ndarray
    triple_prices: np.ndarray
    goal: float = -np.inf


def demand_steps(core: Core, listing: Listing) -> None:
    """Raise `ValueError` unless a listing's arrays fit and its steps go on with all that is left, or part it at an option."""
    steps, triples, first = len(listing.parent), len(listing.triples), len(listing.need)
    shapes = (
        (listing.need, (first, len(core.is_open))), (listing.triples, (triples, 3)), (listing.option, (steps,)),
        (listing.inside, (steps,)), (listing.unit_prices, (steps, core.units)), (listing.row_prices, (steps, core.rows)),
        (listing.triple_prices, (steps, triples)),
    )  # fmt: skip
    fits = 0 < first <= steps and not core.is_open.any() and all(part.shape == shape for part, shape in shapes)
    fits = fits and not np.isnan(listing.goal) and bool(((listing.triples >= 0) & (listing.triples < core.units)).all())
    fits = fits and bool((np.sort(listing.triples, axis=1)[:, 1:] > np.sort(listing.triples, axis=1)[:, :-1]).all())
    if not fits:
        raise ValueError("the listing's arrays do not fit the problem")
    above, option, inside = listing.parent, listing.option, listing.inside
    fits = bool(above[0] == -1 and option[0] == -1 and ((above[1:] >= 0) & (above[1:] < np.arange(1, steps))).all())
    fits = fits and bool(((option >= -1) & (option < core.options)).all())
    for step in np.unique(above[1:]) if fits else ():
        children = np.flatnonzero(above == step)
        alone = len(children) == 1 and option[children[0]] == -1
        pair = len(children) == 2 and option[children[0]] == option[children[1]] >= 0
        fits = fits and bool(alone or (pair and inside[children[0]] != inside[children[1]]))
    if not fits:
        raise ValueError("the listing's steps do not part what is left")
