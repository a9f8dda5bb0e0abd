"""The normal equations of an interior point method over rows, and their solution. No BLAS: the same bits anywhere."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def pull_of(begin, end, entry, row, amount, weight, slot, at, total):  # type: ignore[no-untyped-def]
    """Σ weight · a over the options from `begin` to `end`, row by row: fills `at` with the rows and `total` with the sums
    and gives how many. `slot` [R] is -1 throughout, before and after."""
    kept = 0
    for k in range(begin, end):
        for e in range(entry[k], entry[k + 1]):
            r = row[e]
            if slot[r] < 0:
                slot[r] = kept
                at[kept] = r
                total[kept] = 0.0
                kept += 1
            total[slot[r]] += weight[k] * amount[e]
    for i in range(kept):
        slot[at[i]] = -1
    return kept


@njit(cache=True, nogil=True)
def curve(part, parts, begin, whole, entry, row, amount, weight, most, hessian):  # type: ignore[no-untyped-def]
    """Add Σ over units of [Σ w a aᵀ − (Σ w a)(Σ w a)ᵀ / W] to the lower triangle of `hessian` [R, R].

    The options of unit i are `begin[i]:begin[i+1]`, with weights w = `weight` and W = `whole[i]`, at least their sum; the
    rows of option k are `row[entry[k]:entry[k+1]]`, with `amount`. No unit has more than `most` entries. Only rows r
    with r mod `parts` = `part` are touched, each in the order of the units: the result does not depend on `parts`.
    """
    at, total, slot = np.empty(most, np.int64), np.empty(most), np.full(len(hessian), -1)
    for i in range(len(begin) - 1):
        for k in range(begin[i], begin[i + 1]):
            for e in range(entry[k], entry[k + 1]):
                r = row[e]
                if r % parts == part:
                    pull = weight[k] * amount[e]
                    for o in range(entry[k], entry[k + 1]):
                        if row[o] <= r:
                            hessian[r, row[o]] += pull * amount[o]
        kept = pull_of(begin[i], begin[i + 1], entry, row, amount, weight, slot, at, total)
        for a in range(kept):
            r = at[a]
            if r % parts == part:
                share = total[a] / whole[i]
                for b in range(kept):
                    if at[b] <= r:
                        hessian[r, at[b]] -= share * total[b]


@njit(cache=True, nogil=True)
def factorise(matrix, column):  # type: ignore[no-untyped-def]
    """Cholesky's L of the lower triangle of a positive semidefinite `matrix` [R, R] with diagonal 1, in its place. A
    vanishing pivot is made huge, so that its unknown stays 0. `column` [R] is room to work in."""
    n = len(matrix)
    for j in range(n):
        pivot = matrix[j, j]
        root = np.sqrt(pivot) if pivot > 1e-13 else 1e64
        matrix[j, j] = root
        for i in range(j + 1, n):
            matrix[i, j] /= root
            column[i] = matrix[i, j]
        for i in range(j + 1, n):
            pull = column[i]
            if pull != 0.0:
                for k in range(j + 1, i + 1):
                    matrix[i, k] -= pull * column[k]


@njit(cache=True, nogil=True)
def solve(lower, right):  # type: ignore[no-untyped-def]
    """Solve L Lᵀ y = `right` [R] in its place."""
    n = len(right)
    for i in range(n):
        total = right[i]
        for k in range(i):
            total -= lower[i, k] * right[k]
        right[i] = total / lower[i, i]
    for i in range(n - 1, -1, -1):
        right[i] /= lower[i, i]
        for k in range(i):
            right[k] -= lower[i, k] * right[i]
