"""Duals of rows are those that another solver finds, and there are none where there is no answer."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from optimizer.linear_program import row_duals


def program(seed: int) -> tuple[np.ndarray, np.ndarray, csr_array, np.ndarray, np.ndarray]:
    """A cost, most of each column, rows with one side or both."""
    rng = np.random.default_rng(seed)
    columns, rows = int(rng.integers(2, 9)), int(rng.integers(1, 6))
    matrix = np.where(rng.random((rows, columns)) < 0.7, rng.uniform(0, 5, (rows, columns)), 0.0)
    high = rng.uniform(3, 20, rows)
    low = np.where(rng.random(rows) < 0.3, rng.uniform(0, 1, rows), -np.inf)
    most = np.where(rng.random(columns) < 0.5, 1.0, 8.0)
    return rng.normal(-1, 3, columns), most, csr_array(matrix), low, high


@pytest.mark.parametrize("interior", [False, True])
def test_duals_prove_what_the_program_is_worth(interior: bool) -> None:
    met = 0
    for seed in range(150):
        cost, most, matrix, low, high = program(seed)
        dense, both = matrix.toarray(), np.isfinite(low)
        answer = linprog(
            cost,
            np.vstack([dense, -dense[both]]),
            np.append(high, -low[both]),
            bounds=np.column_stack([0 * most, most]),
        )
        duals = row_duals(cost, most, matrix, low, high, 5.0, interior)
        assert (duals is not None) == (answer.status == 0), seed
        if duals is not None:
            # at its duals each column is worth what its reduced cost says, and each row what its side does (weak duality)
            reduced = cost - dense.T @ duals
            sides = np.where(duals > 0, np.where(both, low, 0.0), high)
            assert float(np.minimum(reduced, 0.0) @ most + duals @ sides) == pytest.approx(answer.fun, abs=1e-6), seed
            met += bool((duals != 0).any())
    assert met > 50


def test_what_cannot_be_kept_has_no_duals() -> None:
    one = csr_array(np.ones((1, 1)))
    assert row_duals(np.ones(1), np.ones(1), one, np.array([2.0]), np.array([3.0]), 5.0, False) is None
