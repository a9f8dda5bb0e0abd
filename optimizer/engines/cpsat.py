"""`cpsat`: the whole model in OR-Tools CP-SAT. Integers only, so every row gets a scale of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model
from scipy.sparse import csr_array

from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Engine, Incumbent, Limits, Report
from optimizer.mixed_integer import choice_of

INT_MIN, INT_MAX = -(1 << 62), (1 << 62) - 1
#: fewer workers leave out searches that prove much, so there are this many however few the processors
PORTFOLIO = 8
#: no sum of |coefficient| × bound may pass this, so that nothing wraps and doubles stay exact
LARGEST = float(1 << 52)
#: with larger coefficients in its rows CP-SAT 9.15 was seen to prove false bounds, so what it proves then is not used
TRUSTED = 2e8


@dataclass(frozen=True, slots=True, eq=False)
class _Scaled:
    """The integer model as protobuf text, the objective's scale, and what rounding can be worth at most, in currency.
    `trusted` says that its numbers are small enough for CP-SAT's bounds to be believed."""

    text: str
    scale: float
    error: float
    trusted: bool


class CpSat(Engine):
    """Exact, strong on logic; for small problems. Works on integers: values in cents or finer, measures in the coarsest
    power of ten that is exact. What rounding can be worth is added to the bound."""

    name = "cpsat"
    about = "OR-Tools CP-SAT on the whole model; proves small problems"
    exact = True

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        scaled = integer_model(core, hint)
        model = cp_model.CpModel()
        if not model.proto.parse_text_format(scaled.text):
            raise RuntimeError("CP-SAT did not take the model")
        solver = cp_model.CpSolver()
        p = solver.parameters
        p.random_seed, p.relative_gap_limit = limits.seed, limits.gap
        p.num_workers = 1 if limits.deterministic or limits.threads == 1 else max(PORTFOLIO, limits.threads)
        if limits.deterministic:
            p.max_deterministic_time = max(0.1, limits.time_limit / 2)
        p.max_time_in_seconds = max(0.05, limits.left())
        watch = Incumbent(core, limits, report)
        solver.best_bound_callback = _bounds(watch, scaled, solver)
        status = solver.solve(model, _Plans(watch))
        if status == cp_model.INFEASIBLE:
            return Answer(None, claim="infeasible")
        bound = watch.bound
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) and scaled.trusted:
            bound = min(-solver.best_objective_bound / scaled.scale + scaled.error, bound)
        return watch.answer(bound, status == cp_model.OPTIMAL)


class _Plans(cp_model.CpSolverSolutionCallback):
    """Offers CP-SAT's solutions, and stops the search when that is asked for."""

    def __init__(self, watch: Incumbent) -> None:
        super().__init__()
        self.watch = watch

    def on_solution_callback(self) -> None:
        self.watch.offer(choice_of(self.watch.core, np.array(self.response_proto.solution)))
        if self.watch.stop:
            self.stop_search()


def _bounds(watch: Incumbent, scaled: _Scaled, solver: cp_model.CpSolver) -> Callable[[float], None]:
    """What hears CP-SAT's bounds, where they are to be believed."""

    def heard(found: float) -> None:
        bound = -found / scaled.scale + scaled.error
        if bound < watch.bound and scaled.trusted:
            watch.bound = bound
            if watch.tell():
                solver.stop_search()

    return heard


def integer_model(core: Core, hint: np.ndarray | None = None) -> _Scaled:
    """The model in integers, minimising minus the value. Written as text, a string operation an array, not an option."""
    a, k = core.matrix(), core.options
    soft = np.flatnonzero(np.isfinite(core.penalty))
    opened = np.flatnonzero(core.is_open)
    top = core.largest(np.abs(core.value))
    is_soft = np.isfinite(core.penalty)
    sides = np.where(is_soft & np.isfinite([core.lower, core.upper]), [core.lower, core.upper], 0.0)
    allowed = 1e-8 * max(1.0, top.sum()) / np.where(is_soft, core.penalty, 1.0) / max(1, len(soft))
    row_scale, exact = row_scales(a, sides, np.where(is_soft, allowed, np.inf))
    most_out = _largest_violation(core, a)
    reach = top.sum() + (core.penalty[soft] * most_out[soft]).sum() + core.cost[opened].sum()
    price = core.penalty[soft] / row_scale[soft]
    scale = value_scale(np.concatenate([core.value, core.cost[opened], price]), reach)
    cost = np.concatenate(
        [-np.round(core.value * scale), np.repeat(np.round(price * scale), 2), np.round(core.cost[opened] * scale)]
    )
    error = float(
        np.abs(np.round(core.value * scale) / scale - core.value).max(initial=0.0) * core.units
        + (np.abs(np.round(price * scale) / scale - price) * row_scale[soft] * most_out[soft]).sum()
        + np.abs(np.round(core.cost[opened] * scale) / scale - core.cost[opened]).sum()
        + (core.penalty[soft] * np.abs(np.round(sides * row_scale) / row_scale - sides).max(axis=0)[soft]).sum()
    )
    widest = np.minimum(np.ceil(most_out[soft] * row_scale[soft]) + 1, LARGEST)
    parts = [
        "variables{domain:[0,1]}" * k,
        *(f"variables{{domain:[0,{int(w)}]}}" * 2 for w in widest),
        "variables{domain:[0,1]}" * len(opened),
        _units(core),
        *_rows(core, a, row_scale, exact, soft, opened),
        _links(core, opened, k + 2 * len(soft)),
    ]
    used = np.flatnonzero(cost)
    parts.append(f"objective{{vars:[{_join(used)}] coeffs:[{_join(cost[used])}]}}")
    if hint is not None:
        chosen = np.zeros(k, dtype=np.int64)
        chosen[hint[hint >= 0]] = 1
        parts.append(f"solution_hint{{vars:[{_join(np.arange(k))}] values:[{_join(chosen)}]}}")
    steepest = float((np.abs(a.data) * np.repeat(row_scale, np.diff(a.indptr))).max(initial=0.0))
    return _Scaled("\n".join(p for p in parts if p), scale, error, steepest <= TRUSTED)


def row_scales(a: csr_array, bounds: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale of each row and whether it is exact: the smallest power of ten that makes all its coefficients integers and
    its `bounds` [2, R] too, but for `allowed` [R]; else the largest that cannot overflow (a million at most).

    Small scales matter: with coefficients beyond about 1e8, CP-SAT 9.15 was seen to prove bounds that are false.
    """
    rows, bounds = a.shape[0], np.where(np.isfinite(bounds), bounds, 0.0)
    reach = np.asarray(abs(a).sum(axis=1)).ravel() + np.abs(bounds).sum(axis=0)
    scale, exact = np.ones(rows), np.zeros(rows, dtype=bool)
    of = np.repeat(np.arange(rows), np.diff(a.indptr))
    for digits in range(7):
        size = 10.0**digits
        off = np.abs(a.data * size - np.round(a.data * size)) > 1e-9 * np.maximum(1.0, np.abs(a.data * size))
        clean = np.bincount(of, weights=off, minlength=rows) == 0
        clean &= (np.abs(np.round(bounds * size) / size - bounds) <= np.maximum(allowed, 1e-12 * np.abs(bounds))).all(
            axis=0
        )
        fresh = ~exact & (reach * size < LARGEST / 4)
        scale[fresh] = size
        exact |= clean & fresh
    return scale, exact


def value_scale(amounts: np.ndarray, reach: float) -> float:
    """The smallest power of ten, from cents on, that makes all amounts integers; else the largest that fits."""
    best = 1.0
    for digits in range(-6, 13):
        scale = 10.0**digits
        if reach * scale > LARGEST / 4 and digits > -6:
            break
        best = scale
        tried = amounts * scale
        if digits >= 0 and (np.abs(tried - np.round(tried)) <= 1e-9 * np.maximum(1.0, np.abs(tried))).all():
            break
    return best


def _largest_violation(core: Core, a: csr_array) -> np.ndarray:
    """[R] how far a row can be outside at most; 0 where it has no bound."""
    plus = np.asarray(a.maximum(0).sum(axis=1)).ravel()
    minus = np.asarray(a.minimum(0).sum(axis=1)).ravel()
    over = np.where(np.isfinite(core.upper), plus - core.upper, 0.0)
    under = np.where(np.isfinite(core.lower), core.lower - minus, 0.0)
    held = np.where(core.position >= 0, np.where(np.isfinite(core.lower), np.abs(core.lower), 0.0), 0.0)
    return np.maximum(0.0, np.maximum(over, under)) + held + np.where(core.position >= 0, plus - minus, 0.0)


def _units(core: Core) -> str:
    """At most one option a unit (exactly one where it is mandatory), for all units in one string."""
    size = np.diff(core.start)
    if (core.mandatory & (size == 0)).any():
        return "constraints{bool_or{}}"
    if not core.options:
        return ""
    token = np.arange(core.options).astype("U")
    first = core.start[:-1][size > 0]
    kind = np.where(core.mandatory[size > 0], "exactly_one", "at_most_one")
    head = np.char.add(
        np.char.add(np.where(np.arange(len(first)) > 0, "]}}\nconstraints{", "constraints{"), kind), "{literals:["
    )
    before = np.full(core.options, ",", dtype=head.dtype)
    before[first] = head
    return "".join(np.char.add(before, token).tolist()) + "]}}"


def _rows(
    core: Core, a: csr_array, scale: np.ndarray, exact: np.ndarray, soft: np.ndarray, opened: np.ndarray
) -> list[str]:
    """The limit rows, one string a side. Bounds are rounded so that no plan is worth less here than it is: those of hard
    rows to the integer within, those of soft rows to the integer outside, both with room for rounded coefficients."""
    out, k = [], core.options
    slack = {int(r): k + 2 * i for i, r in enumerate(soft)}
    place = {int(j): k + 2 * len(soft) + i for i, j in enumerate(opened)}
    for r in range(core.rows):
        span = slice(a.indptr[r], a.indptr[r + 1])
        var, coef = a.indices[span], np.round(a.data[span] * scale[r])
        spare = 0.0 if exact[r] else 0.5 * min(len(var), core.units)
        most = float(np.abs(coef).sum()) + 1.0 if r not in slack else LARGEST
        upper = _integer(core.upper[r] * scale[r] + spare, r not in slack, most)
        lower = _integer(-core.lower[r] * scale[r] + spare, r not in slack, most)
        lower = None if lower is None else -lower
        over, under = ([slack[r]], [slack[r] + 1]) if r in slack else ([], [])
        y = place.get(int(core.position[r]))
        for side, bound in (("upper", upper), ("lower", lower)):
            if bound is None:
                continue
            extra_var = (over if side == "upper" else under) + ([y] if y is not None else [])
            sign = [-1.0 if side == "upper" else 1.0] * len(over) + ([-bound] if y is not None else [])
            limit = 0 if y is not None else int(bound)
            domain = f"{INT_MIN},{limit}" if side == "upper" else f"{limit},{INT_MAX}"
            out.append(
                f"constraints{{linear{{vars:[{_join(np.append(var, extra_var))}] "
                f"coeffs:[{_join(np.append(coef, sign))}] domain:[{domain}]}}}}"
            )
    return out


def _integer(upper: float, inside: bool, most: float) -> float | None:
    """An upper bound as an integer, at most `most` away from 0; None where there is none."""
    if not np.isfinite(upper):
        return None
    hair = 1e-6 + 1e-12 * abs(upper)
    return float(np.clip(np.floor(upper + hair) if inside else np.ceil(upper - hair), -most, most))


def _links(core: Core, opened: np.ndarray, first: int) -> str:
    """An option of an open position needs the position: not x or y."""
    at = np.flatnonzero(core.is_open[core.rep])
    if not len(at):
        return ""
    y = first + np.searchsorted(opened, core.rep[at])
    texts = np.char.add(
        np.char.add("constraints{bool_or{literals:[", (-at - 1).astype("U")), np.char.add(",", y.astype("U"))
    )
    return "".join(np.char.add(texts, "]}}").tolist())


def _join(numbers: np.ndarray) -> str:
    return ",".join(map(str, np.asarray(numbers).astype(np.int64).tolist()))
