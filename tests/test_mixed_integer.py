"""The mixed-integer program of a core says what the core says of every plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimizer.mixed_integer import choice_of, mixed_integer, solution_of
from tests.cores import random_core


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_is_a_solution_exactly_where_it_keeps_the_hard_rows_and_is_worth_the_same(seed: int) -> None:
    core, rng = random_core(seed, units=6, reps=3), np.random.default_rng(seed)
    program = mixed_integer(core)
    for _ in range(30):
        pick = rng.integers(-1, np.maximum(1, np.diff(core.start)))
        choice = np.where((pick >= 0) & (np.diff(core.start) > 0), core.start[:-1] + pick, -1)
        x = solution_of(core, choice)
        assert (choice_of(core, x) == choice).all()
        used = program.matrix @ x
        slack = 1e-6 * np.maximum(1.0, np.abs(used))
        kept = bool(((used >= program.low - slack) & (used <= program.high + slack)).all())
        assert kept == core.feasible(choice)
        if kept:
            assert float(program.worth @ x) == pytest.approx(core.objective(choice))


def test_only_options_and_open_positions_are_whole() -> None:
    core = next(c for c in map(random_core, range(100)) if c.is_open.any() and np.isfinite(c.penalty).any())
    program, soft = mixed_integer(core), int(np.isfinite(core.penalty).sum())
    assert program.whole[: core.options].all() and not program.whole[core.options : core.options + 2 * soft].any()
    assert int(program.whole.sum()) == core.options + int(core.is_open.sum())
    assert program.matrix.shape[1] == len(program.worth) == core.options + 2 * soft + int(core.is_open.sum())


def test_a_number_that_is_not_one_is_refused() -> None:
    core = next(c for c in map(random_core, range(100)) if c.options)
    with pytest.raises(ValueError, match="not one"):
        mixed_integer(replace(core, value=np.where(np.arange(core.options) == 0, np.nan, core.value)))
