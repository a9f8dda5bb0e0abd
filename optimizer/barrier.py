"""Near-optimal prices by an interior point method on the LP relaxation (Mehrotra 1992; centrality: Gondzio 1996).

Rows are few beside units, and every option belongs to one unit: the normal equations shrink to one unknown a row. Prices
are strictly inside their boxes throughout, so every step's prices prove a bound; the best is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from optimizer.relaxation import Relaxation

#: steps at most; the shortest way to the wall that a step leaves; how far weights may be below the largest to count
STEPS, TO_WALL, FAINT = 80, 0.97, 1e-8
#: the start is smoothed by so much of the bound; it ends when the gap left is this share of the bound, or when the gap is
#: below `NEAR` and three steps have gained less than `GAIN`
BEGIN, END, NEAR, GAIN = 0.05, 1e-5, 5e-3, 4e-6
#: + for upper sides, − for lower sides [2, 1]
SIGN = np.array([[1.0], [-1.0]])


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """Where the method is, or a step: shares x [K] with their slacks z = level − adjusted value [K], levels [U], prices
    and left sides [R]; and by side [2, R] slack w and price p, excess e beyond a soft side and what its price is below the
    penalty, f."""

    x: np.ndarray
    z: np.ndarray
    level: np.ndarray
    prices: np.ndarray
    left: np.ndarray
    w: np.ndarray
    p: np.ndarray
    e: np.ndarray
    f: np.ndarray

    def pairs(self, lp: Relaxation) -> list[tuple[np.ndarray, np.ndarray]]:
        """Primal and dual partners, whose products are to become equal and small."""
        s, o = lp.sided, lp.soft
        return [(self.x, self.z), (self.w[s], self.p[s]), (self.e[o], self.f[o])]


def climb(
    lp: Relaxation, prices: np.ndarray, threads: int, asked: Callable[[float], bool], begin: float = BEGIN
) -> np.ndarray | None:
    """The best prices [R] met on the way from `prices`, or None where none has proved anything. `asked(bound)` after
    every step may end it."""
    if not len(lp.row_of) or len(lp.begin) < 2:
        return None
    best, kept, heard = np.inf, None, []
    with np.errstate(all="ignore"), ThreadPoolExecutor(threads) as pool:
        at = _start(lp, prices, begin)
        for _ in range(STEPS):
            following = _step(lp, at, pool, threads)
            if following is None:
                break
            at, gap, broken = following
            proved = lp.bound(at.prices, lp.value - lp.matrix @ at.prices)
            if proved < best:
                best, kept = proved, at.prices
            heard.append(best)
            slow = len(heard) > 4 and heard[-4] - best < GAIN * abs(best)
            if asked(best) or (broken < 1e-2 and (gap < END * abs(best) or (gap < NEAR * abs(best) and slow))):
                break
    return kept


def _start(lp: Relaxation, prices: np.ndarray, begin: float) -> Point:
    """Every product equal: shares as smooth as `begin` of the bound says, prices a little inside their boxes."""
    adjusted = lp.value - lp.matrix @ prices
    mu = begin * max(abs(lp.bound(prices, adjusted)), 1e-9) / (len(lp.value) + len(prices))
    depth = _depth(lp, adjusted, mu)
    used = lp.turned @ (mu / (depth[lp.unit] + lp.tops(adjusted)[lp.unit] - adjusted))
    scale = np.maximum(np.maximum(np.abs(lp.side).max(axis=0), np.abs(used)), 1e-9)
    left = np.where(lp.fixed, lp.side[0], np.clip(used, *np.where(lp.has, lp.side, [[np.inf], [-np.inf]])[::-1]))
    slack = np.maximum(SIGN * (lp.side - left), 1e-2 * scale)
    limit = np.where(lp.soft, lp.penalty, np.inf)
    p = np.maximum(np.maximum(SIGN * prices, 0.0), np.minimum(mu / slack, 0.1 * limit))
    p = np.where(lp.sided, np.minimum(p, 0.99 * limit), 0.0)
    prices = np.where(lp.fixed, prices, p[0] - p[1])
    f = np.where(lp.soft, limit - p, 1.0)
    w = np.where(lp.sided, mu / np.where(lp.sided, p, 1.0), 1.0)
    adjusted = lp.value - lp.matrix @ prices
    depth = _depth(lp, adjusted, mu)
    level = lp.tops(adjusted) + depth
    z = level[lp.unit] - adjusted
    return Point(mu / z, z, level, prices, left, w, p, np.where(lp.soft, mu / f, 0.0), f)


def _depth(lp: Relaxation, adjusted: np.ndarray, mu: float) -> np.ndarray:
    """[U] the d with Σ mu / (d + best − adjusted) = 1: Newton on the harmonic mean, which is concave, from below."""
    behind, depth = lp.tops(adjusted)[lp.unit] - adjusted, np.full(len(lp.begin) - 1, mu)
    for _ in range(30):
        x = mu / (depth[lp.unit] + behind)
        one, two = lp.sums(x), lp.sums(x * x)
        step = mu * (one - 1.0) * one / two
        depth += step
        if (step <= 1e-9 * depth).all():
            break
    return depth


@dataclass(frozen=True, slots=True, eq=False)
class _System:
    """The normal equations at a point: lower factor [R, R] of the scaled matrix, its scale [R], the rows' part of the
    diagonal [R], the sides' b [2, R], weights x/z [K] and their sums [U]."""

    lower: np.ndarray
    scale: np.ndarray
    rows: np.ndarray
    b: np.ndarray
    weight: np.ndarray
    total: np.ndarray


def _system(lp: Relaxation, at: Point, pool: ThreadPoolExecutor, threads: int) -> _System:
    from optimizer.kernels import factorise

    weight = at.x / at.z
    b = np.where(lp.sided, at.p / (at.w + at.p * at.e / at.f), 0.0)
    rows = np.where(lp.fixed, 0.0, 1.0 / np.where(lp.fixed, 1.0, b.sum(axis=0)))
    total = lp.sums(weight)
    matrix = _normal(lp, weight, total, pool, threads)
    diagonal = np.einsum("ii->i", matrix)
    diagonal += rows
    scale = np.sqrt(np.maximum(diagonal, 0.0))
    scale[~(scale > 1e-150)] = 1.0
    matrix /= scale[:, None]
    matrix /= scale
    diagonal += 1e-10
    factorise(matrix, np.empty(len(matrix)))
    return _System(matrix, scale, rows, b, weight, total)


def _normal(
    lp: Relaxation, weight: np.ndarray, total: np.ndarray, pool: ThreadPoolExecutor, threads: int
) -> np.ndarray:
    """[R, R], lower triangle: Σ w a aᵀ − (Σ w a)(Σ w a)ᵀ / Σ w over the units, without what is too faint to matter."""
    from optimizer.kernels import curve

    shared = total - lp.tops(weight)
    faint = FAINT * shared.max()
    chosen = np.flatnonzero((weight > faint) & (shared > faint)[lp.unit])
    unit = lp.unit[chosen]
    begin = np.append(np.flatnonzero(np.diff(unit, prepend=-1)), len(unit))
    matrix = lp.matrix if len(chosen) == len(weight) else lp.matrix[chosen]
    entry = matrix.indptr.astype(np.int64)
    most = int(np.diff(entry[begin]).max(initial=1))
    out = np.zeros((len(lp.row_of), len(lp.row_of)))

    def add(part: int) -> None:
        curve(
            part, threads, begin, total[unit[begin[:-1]]], entry, matrix.indices, matrix.data, weight[chosen], most, out
        )

    list(pool.map(add, range(threads)))
    return out


def _step(lp: Relaxation, at: Point, pool: ThreadPoolExecutor, threads: int) -> tuple[Point, float, float] | None:
    """The next point, the gap there, and the largest share that a row's left side was off; None where no step is left."""
    system, pairs = _system(lp, at, pool, threads), at.pairs(lp)
    count = sum(len(a) for a, _ in pairs)
    mu = sum(float((a * b).sum()) for a, b in pairs) / count
    products = (at.x * at.z, at.w * at.p, at.e * at.f)
    guess = _direction(lp, at, system, *(-c for c in products))
    primal, dual = _lengths(lp, at, guess)
    after = _moved(lp, at, guess, min(1.0, primal), min(1.0, dual)).pairs(lp)
    ahead = sum(float((a * b).sum()) for a, b in after) / count
    target = mu * min(1.0, max(1e-4, (max(ahead, 0.0) / mu) ** 3))
    bent = (guess.x * guess.z, guess.w * guess.p, -guess.e * guess.p)
    move = _direction(lp, at, system, *(target - c - b for c, b in zip(products, bent, strict=True)))
    primal, dual = _lengths(lp, at, move)
    new = _moved(lp, at, move, min(1.0, TO_WALL * primal), min(1.0, TO_WALL * dual))
    gap = sum(float((a * b).sum()) for a, b in new.pairs(lp))
    if not (np.isfinite(new.prices).all() and np.isfinite(new.x).all() and (new.z > 0).all()):
        return None
    used = lp.turned @ new.x
    scale = np.maximum(np.maximum(np.abs(lp.side).max(axis=0), np.abs(used)), 1e-9)
    return new, gap, float((np.abs(new.left - used) / scale).max())


def _direction(lp: Relaxation, at: Point, by: _System, of_x: np.ndarray, of_w: np.ndarray, of_e: np.ndarray) -> Point:
    """The Newton step that changes the products by so much and mends what is off."""
    from optimizer.kernels import solve

    of_e, over = np.where(lp.soft, of_e, 0.0), np.where(lp.sided, at.p, 1.0)
    off = np.where(lp.sided, SIGN * (lp.side - at.left) + at.e - at.w, 0.0)
    a = np.where(lp.sided, (of_w - at.p * off - at.p * of_e / at.f) * by.b / over, 0.0)
    aside = (SIGN * a).sum(axis=0)
    wished = of_x / at.z
    raised = (lp.sums(wished) - 1.0 + lp.sums(at.x)) / by.total
    used = lp.turned @ (wished - by.weight * raised[lp.unit] + at.x)
    prices = (used - at.left + by.rows * aside) / by.scale
    solve(by.lower, prices)
    prices /= by.scale
    paid = lp.matrix @ prices
    level = raised - lp.sums(by.weight * paid) / by.total
    z = level[lp.unit] + paid
    left = np.where(lp.fixed, 0.0, by.rows * (prices - aside))
    p = np.where(lp.sided, a + by.b * SIGN * left, 0.0)
    e = np.where(lp.soft, (of_e + at.e * p) / at.f, 0.0)
    w = np.where(lp.sided, e - SIGN * left + off, 0.0)
    return Point(wished - by.weight * z, z, level, prices, left, w, p, e, np.where(lp.soft, -p, 0.0))


def _lengths(lp: Relaxation, at: Point, move: Point) -> tuple[float, float]:
    """How far the move may go before a primal and before a dual number reaches 0."""
    reach = [1e30, 1e30]
    for here, there in zip(at.pairs(lp), move.pairs(lp), strict=True):
        for i in (0, 1):
            falls = there[i] < 0
            reach[i] = min(reach[i], float((here[i][falls] / -there[i][falls]).min(initial=1e30)))
    return reach[0], reach[1]


def _moved(lp: Relaxation, at: Point, move: Point, primal: float, dual: float) -> Point:
    prices, level = at.prices + dual * move.prices, at.level + dual * move.level
    z = level[lp.unit] - (lp.value - lp.matrix @ prices)
    p = at.p + dual * move.p
    f = np.where(lp.soft, np.where(lp.soft, lp.penalty, 1.0) - p, 1.0)
    new = replace(
        at, z=z, level=level, prices=prices, p=p, f=f, x=at.x + primal * move.x, left=at.left + primal * move.left
    )
    return replace(new, w=at.w + primal * move.w, e=at.e + primal * move.e)
