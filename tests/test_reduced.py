"""A part of a problem says of its choices what the whole says."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.reduced import reduce
from tests.cores import random_core


def _random_choice(core, rng):  # type: ignore[no-untyped-def]
    sizes = np.diff(core.start)
    at = core.start[:-1] + (rng.random(core.units) * sizes).astype(np.int64)
    return np.where((sizes > 0) & (rng.random(core.units) < 0.8), at, -1)


@pytest.mark.parametrize("seed", range(200))
def test_objective_of_a_part_differs_from_the_whole_by_a_constant(seed: int) -> None:
    core = random_core(seed)
    rng = np.random.default_rng(seed)
    base = _random_choice(core, rng)
    free = rng.random(core.units) < 0.5
    keep = np.flatnonzero((rng.random(core.options) < 0.7) | np.isin(np.arange(core.options), base))
    part = reduce(core, base, free, keep, usage=core.usage(base) if seed % 2 else None)
    constants, hard = [], np.isinf(core.penalty)
    for _ in range(10):
        choice = _random_choice(part.core, rng)
        whole = part.lift(choice)
        assert (part.part(whole) == choice).all()
        assert (whole[~free] == base[~free]).all()
        constants.append(core.objective(whole) - part.core.objective(choice))
        if not core.shortfall(whole)[hard].any():
            assert not part.core.shortfall(choice)[np.isinf(part.core.penalty)].any()
    assert np.ptp(constants) < 1e-6 * max(1.0, np.abs(constants).max())


def test_an_option_left_out_of_a_part_counts_as_unserved_there() -> None:
    core = random_core(3)
    base = np.where(np.diff(core.start) > 0, core.start[:-1], -1)
    nothing = reduce(core, base, np.ones(core.units, bool), np.zeros(0, np.int64))
    assert (nothing.part(base) == -1).all()
    assert (nothing.lift(np.full(core.units, -1)) == -1).all()
