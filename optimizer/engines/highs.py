"""`highs`: the whole model as a mixed-integer program in HiGHS."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Claim, Engine, Limits, Progress, Report, claim_of


class Highs(Engine):
    """Exact; strong where the LP relaxation is tight. Works in the problem's own units."""

    name = "highs"
    about = "HiGHS branch and cut on the whole model; proves small and middle problems"
    exact = True

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        if (core.mandatory & (np.diff(core.start) == 0)).any():
            return Answer(None, claim="infeasible")
        if not core.options:
            nobody = np.full(core.units, -1, dtype=np.int64)
            kept = core.feasible(nobody)
            return Answer(nobody, core.objective(nobody), "optimal") if kept else Answer(None, claim="infeasible")
        solver = _solver(mixed_integer_program(core), limits)
        if hint is not None and core.feasible(hint):
            whole = whole_solution(core, hint)
            solver.setSolution(len(whole), np.arange(len(whole), dtype=np.int32), whole)
        watch = _Watch(core, limits, report)
        solver.cbMipImprovingSolution.subscribe(watch.found)
        final, bound, claim = _run(solver, watch)
        if claim == "infeasible":
            return Answer(None, claim="infeasible")
        if len(final) >= core.options:
            watch.keep(final)
        return Answer(watch.best, bound, claim_of(watch.value, bound), stopped=claim != "optimal")

    def place(self, core: Core, some: np.ndarray, limits: Limits, report: Report) -> tuple[np.ndarray, float]:
        model, options = mixed_integer_program(core), core.options
        kinds = [highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger]
        model.integrality_ = [kinds[int(k)] for k in some[core.unit]] + model.integrality_[options:]
        final, bound, claim = _run(_solver(model, limits), _Watch(core, limits, report))
        choice = np.full(core.units, -1, dtype=np.int64)
        if claim == "infeasible" or len(final) < options:
            return choice, float("inf")
        taken = np.flatnonzero((final[:options] > 0.5) & some[core.unit])
        choice[core.unit[taken]] = taken
        return choice, bound


def _solver(model: Any, limits: Limits) -> Any:
    """HiGHS with a model in it."""
    highspy.Highs.resetGlobalScheduler(True)  # its threads are global and refuse another count
    solver = highspy.Highs()
    for option, value in {
        "output_flag": False,
        "random_seed": limits.seed,
        "threads": 1 if limits.deterministic else max(1, limits.threads),
        "time_limit": max(0.05, limits.left()),
        "mip_rel_gap": limits.gap,
        "mip_abs_gap": 1e-6,
        "mip_feasibility_tolerance": 1e-7,
        "primal_feasibility_tolerance": 1e-8,
    }.items():
        solver.setOptionValue(option, value)
    for array in (model.col_cost_, model.row_lower_, model.row_upper_, model.a_matrix_.value_):
        if np.isnan(np.asarray(array)).any():
            raise ValueError("the model holds a number that is not one")
    if solver.passModel(model) == highspy.HighsStatus.kError:
        raise RuntimeError("HiGHS did not take the model")
    return solver


def _run(solver: Any, watch: _Watch) -> tuple[np.ndarray, float, Claim]:
    """The last solution's columns (none: empty), the bound and what HiGHS says of the model."""
    solver.cbMipInterrupt.subscribe(watch.asked)
    solver.cbSimplexInterrupt.subscribe(watch.asked)
    if solver.run() == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS failed: {solver.getModelStatus()}")
    status, info = solver.getModelStatus(), solver.getInfo()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return np.empty(0), float("-inf"), "infeasible"
    optimal = status == highspy.HighsModelStatus.kOptimal
    bound = float(info.mip_dual_bound)
    if not np.isfinite(bound):
        bound = float(info.objective_function_value) if optimal else float("inf")
    return np.asarray(solver.getSolution().col_value), bound, "optimal" if optimal else "none"


class _Watch:
    """Keeps the best plan that keeps every hard row as the problem itself judges it."""

    def __init__(self, core: Core, limits: Limits, report: Report) -> None:
        self.core, self.limits, self.report = core, limits, report
        self.best: np.ndarray | None = None
        self.value, self.bound, self.stop, self.last = -np.inf, np.inf, False, 0.0

    def keep(self, values: np.ndarray) -> bool:
        chosen = np.flatnonzero(values[: self.core.options] > 0.5)
        choice = np.full(self.core.units, -1, dtype=np.int64)
        choice[self.core.unit[chosen]] = chosen
        value = self.core.objective(choice)
        if value <= self.value or not self.core.feasible(choice):
            return False
        self.best, self.value = choice, value
        return True

    def found(self, event: Any) -> None:
        self._hear(event)
        if self.keep(np.asarray(event.data_out.mip_solution)):
            progress = Progress(self.limits.elapsed(), self.value, self.bound, "search", self.best)
            self.stop = self.report(progress) or self.stop

    def asked(self, event: Any) -> None:
        self._hear(event)
        now = self.limits.elapsed()
        if now - self.last > 0.25:
            self.last = now
            self.stop = self.report(Progress(now, self.value, self.bound, "search")) or self.stop
        if self.stop or now > self.limits.time_limit:
            event.data_in.user_interrupt = True

    def _hear(self, event: Any) -> None:
        bound = float(event.data_out.mip_dual_bound)
        if np.isfinite(bound) and bound != 0.0:
            self.bound = min(self.bound, bound)


def mixed_integer_program(core: Core) -> Any:
    """The model for HiGHS: columns are options, over and under of soft rows, open positions."""
    inf, k = highspy.kHighsInf, core.options
    soft, opened = np.flatnonzero(np.isfinite(core.penalty)), np.flatnonzero(core.is_open)
    a = core.matrix()
    slack = csr_array((np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(core.rows, len(soft)))
    held = core.position >= 0
    plain = hstack([a, -slack, slack, csr_array((core.rows, len(opened)))], format="csr")[~held]
    blocks, lower, upper = [plain], [core.lower[~held]], [core.upper[~held]]
    for side, sign in ((core.upper, -1.0), (core.lower, 1.0)):
        rows = np.flatnonzero(held & np.isfinite(side))
        column = np.searchsorted(opened, core.position[rows])
        y = csr_array((-side[rows], (np.arange(len(rows)), column)), shape=(len(rows), len(opened)))
        over, under = (-slack[rows], 0 * slack[rows]) if sign < 0 else (0 * slack[rows], slack[rows])
        blocks.append(hstack([a[rows], over, under, y], format="csr"))
        lower.append(np.full(len(rows), -np.inf) if sign < 0 else np.zeros(len(rows)))
        upper.append(np.zeros(len(rows)) if sign < 0 else np.full(len(rows), np.inf))
    rest = csr_array((core.units, 2 * len(soft) + len(opened)))
    assign = csr_array((np.ones(k), (core.unit, np.arange(k))), shape=(core.units, k))
    blocks.append(hstack([assign, rest], format="csr"))
    lower.append(np.where(core.mandatory, 1.0, -np.inf))
    upper.append(np.ones(core.units))
    at = np.flatnonzero(core.is_open[core.rep])
    needs = csr_array((np.ones(len(at)), (np.arange(len(at)), at)), shape=(len(at), k))
    y = csr_array(
        (-np.ones(len(at)), (np.arange(len(at)), np.searchsorted(opened, core.rep[at]))), shape=(len(at), len(opened))
    )
    blocks.append(hstack([needs, csr_array((len(at), 2 * len(soft))), y], format="csr"))
    lower.append(np.full(len(at), -np.inf))
    upper.append(np.zeros(len(at)))

    whole = vstack(blocks, format="csr")
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = whole.shape[1], whole.shape[0]
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.concatenate([core.value, -np.tile(core.penalty[soft], 2), -core.cost[opened]])
    model.col_lower_ = np.zeros(whole.shape[1])
    model.col_upper_ = np.concatenate([np.ones(k), np.full(2 * len(soft), inf), np.ones(len(opened))])
    model.row_lower_ = np.clip(np.concatenate(lower), -inf, inf)
    model.row_upper_ = np.clip(np.concatenate(upper), -inf, inf)
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = whole.indptr.astype(np.int32), whole.indices.astype(np.int32)
    model.a_matrix_.value_ = whole.data
    kinds = [highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous]
    model.integrality_ = kinds[:1] * k + kinds[1:] * (2 * len(soft)) + kinds[:1] * len(opened)
    return model


def whole_solution(core: Core, choice: np.ndarray) -> np.ndarray:
    """[columns] a plan as values of every column of the model. All are given, because what HiGHS completes itself it
    solves as a problem of its own, whose bound its callbacks pass off as the whole one's."""
    soft, opened = np.flatnonzero(np.isfinite(core.penalty)), np.flatnonzero(core.is_open)
    usage, (lower, upper) = core.usage(choice), core.bounds(choice)
    taken = np.zeros(core.options)
    taken[choice[choice >= 0]] = 1.0
    used = np.isin(opened, core.rep[choice[choice >= 0]]).astype(float)
    over, under = np.maximum(0.0, usage - upper)[soft], np.maximum(0.0, lower - usage)[soft]
    return np.concatenate([taken, over, under, used])
