"""Linear programs by HiGHS. Whatever it says is only tried: no bound rests on it."""

from __future__ import annotations

import highspy
import numpy as np
from scipy.sparse import csr_array


def quiet() -> highspy.Highs:
    """HiGHS on one thread, without words. A number of threads is not named: HiGHS refuses another one than it had before."""
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("parallel", "off")
    return solver


def model_of(
    matrix: csr_array, low: np.ndarray, high: np.ndarray, cost: np.ndarray, least: np.ndarray, most: np.ndarray
) -> highspy.HighsLp:
    """The least `cost` [C] · x, where `least` [C] ≤ x ≤ `most` [C] and `low` [Q] ≤ `matrix` [Q, C] x ≤ `high` [Q], as HiGHS
    holds it."""
    inf, model = highspy.kHighsInf, highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = cost, least, np.clip(most, -inf, inf)
    model.row_lower_, model.row_upper_ = np.clip(low, -inf, inf), np.clip(high, -inf, inf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32)
    model.a_matrix_.value_ = matrix.data
    return model


def row_duals(
    cost: np.ndarray,
    most: np.ndarray,
    matrix: csr_array,
    low: np.ndarray,
    high: np.ndarray,
    seconds: float,
    interior: bool,
) -> np.ndarray | None:
    """What the least `cost` [C] · x goes up by with the sides of each row [Q], where 0 ≤ x ≤ `most` [C] and
    `low` [Q] ≤ `matrix` [Q, C] x ≤ `high` [Q]: by the simplex, or first by an `interior` point method. None where that takes more
    than so many seconds, or cannot be done."""
    model, solver = model_of(matrix, low, high, cost, np.zeros(len(cost)), most), quiet()
    solver.setOptionValue("solver", "ipm" if interior else "simplex")
    solver.setOptionValue("time_limit", seconds)
    if solver.passModel(model) == highspy.HighsStatus.kError or solver.run() == highspy.HighsStatus.kError:
        return None
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.array(solver.getSolution().row_dual)
