"""`highs`: the whole model as a mixed-integer program in HiGHS."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Claim, Engine, Incumbent, Limits, Placing, Report, without_search
from optimizer.linear_program import model_of
from optimizer.mixed_integer import MixedInteger, choice_of, mixed_integer, solution_of

#: seconds between questions whether to stop
ASK = 0.25


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
        known = without_search(core)
        if known is not None:
            return known
        solver = _solver(_model(mixed_integer(core)), limits)
        if hint is not None and core.feasible(hint):
            whole = solution_of(core, hint)
            solver.setSolution(len(whole), np.arange(len(whole), dtype=np.int32), whole)
        watch = _Watch(core, limits, report)
        solver.cbMipImprovingSolution.subscribe(watch.found)
        final, bound, claim = _run(solver, watch)
        if claim == "infeasible":
            return Answer(None, claim="infeasible")
        if len(final) >= core.options:
            watch.offer(choice_of(core, final))
        return watch.answer(bound, claim == "optimal")

    def place(self, core: Core, some: np.ndarray, limits: Limits, report: Report) -> Placing:
        program = mixed_integer(core, some)
        final, _, claim = _run(_solver(_model(program), limits), _Watch(core, limits, report))
        if claim == "infeasible" or len(final) < core.options:
            return super().place(core, some, limits, report)
        return Placing.of(core, some, program, final)


def _model(program: MixedInteger) -> Any:
    """The program as HiGHS holds it."""
    model = model_of(program.matrix, program.low, program.high, program.worth, program.lower, program.upper)
    model.sense_ = highspy.ObjSense.kMaximize
    kinds = [highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger]
    model.integrality_ = [kinds[k] for k in program.whole.astype(int).tolist()]
    return model


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


class _Watch(Incumbent):
    """Hears HiGHS's callbacks."""

    last = 0.0

    def found(self, event: Any) -> None:
        self._hear(event)
        self.offer(choice_of(self.core, np.asarray(event.data_out.mip_solution)))

    def asked(self, event: Any) -> None:
        self._hear(event)
        now = self.limits.elapsed()
        if now - self.last > ASK:
            self.last = now
            self.tell()
        if self.stop or now > self.limits.time_limit:
            event.data_in.user_interrupt = True

    def _hear(self, event: Any) -> None:
        bound = float(event.data_out.mip_dual_bound)
        if np.isfinite(bound) and bound != 0.0:
            self.bound = min(self.bound, bound)
