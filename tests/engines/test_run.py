"""What every engine begins with: a plan that is given is used where it helps, also where it breaks a rule."""

from __future__ import annotations

import numpy as np

from optimizer.engines.run import _filled
from optimizer.waterfall import waterfall
from tests.mixed_cores import mixed_core, random_plan


def test_a_given_plan_that_breaks_a_hard_row_is_filled_up_or_left() -> None:
    """What comes back keeps every hard row and is worth no less than the first plan; often it is worth more."""
    tried, more = 0, 0
    for seed in range(1, 300):
        core = mixed_core(seed, 30, 5)
        if not core.options or (core.mandatory & (np.diff(core.start) == 0)).any():
            continue
        first, hint = waterfall(core), random_plan(core, np.random.default_rng(seed))
        if not core.feasible(first) or core.feasible(hint):
            continue
        tried += 1
        found = _filled(core, hint, first)
        assert core.feasible(found) and core.objective(found) >= core.objective(first), seed
        more += core.objective(found) > core.objective(first)
        assert _filled(core, None, first) is first
    assert tried >= 20 and more >= 1, (tried, more)
