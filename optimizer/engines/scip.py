"""`scip`: the whole model as a mixed-integer program in SCIP, through OR-Tools' MathOpt.

SCIP as OR-Tools ships it searches on one thread. It does not complete a start of few values, so plans are given whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from ortools.math_opt import model_pb2  # type: ignore[import-untyped]
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]
from ortools.math_opt.solvers.gscip import gscip_pb2  # type: ignore[import-untyped]
from ortools.util.python import solve_interrupter  # type: ignore[import-untyped]

from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Engine, Incumbent, Limits, Placing, Report, without_search
from optimizer.mixed_integer import MixedInteger, choice_of, mixed_integer, solution_of

#: seconds between questions whether to stop
ASK = 0.25
#: seconds that SCIP is given to answer after its time, before it is interrupted
LATE = 0.5

# What MathOpt sets up for the first question to any model is set up here: asked by two threads at once it fails now and then
# (OR-Tools 9.15: "get_elements(): incompatible function arguments").
list(mathopt.Model().variables())


class Scip(Engine):
    """Exact; branch and cut with many heuristics. Often the first to prove where books are small."""

    name = "scip"
    about = "SCIP branch and cut on the whole model; proves small problems"
    exact = True
    side_by_side = True

    def __init__(self, manner: mathopt.SolveParameters | None = None) -> None:
        self.manner = manner or mathopt.SolveParameters()

    def proving(self) -> Scip:
        """Without a search for better plans, and without learning from conflicts, which costs a third of the time."""
        learning = gscip_pb2.GScipParameters(bool_params={"conflict/enable": False})
        return Scip(mathopt.SolveParameters(heuristics=mathopt.Emphasis.OFF, gscip=learning))

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
        program, start = mixed_integer(core), None
        if hint is not None and core.feasible(hint):
            start = solution_of(core, hint)
        watch = _Watch(core, limits, report)
        result = _run(program, start, limits, watch, watch.found, self.manner)
        reason = result.termination.reason
        if reason in (mathopt.TerminationReason.INFEASIBLE, mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED):
            return Answer(None, claim="infeasible")
        for solution in result.solutions:
            if solution.primal_solution is not None:
                watch.offer(choice_of(core, _columns(len(program.worth), solution.primal_solution.variable_values)))
        bound = float(result.termination.objective_bounds.dual_bound)
        return watch.answer(bound, reason == mathopt.TerminationReason.OPTIMAL)

    def place(self, core: Core, some: np.ndarray, limits: Limits, report: Report) -> Placing:
        program = mixed_integer(core, some)
        result = _run(program, None, limits, _Watch(core, limits, report), None, self.manner)
        if not result.solutions or result.solutions[0].primal_solution is None:
            return super().place(core, some, limits, report)
        final = _columns(len(program.worth), result.solutions[0].primal_solution.variable_values)
        return Placing.of(core, some, program, final)


def _run(
    program: MixedInteger,
    start: np.ndarray | None,
    limits: Limits,
    watch: _Watch,
    found: Callable[[Any], Any] | None,
    manner: mathopt.SolveParameters,
) -> Any:
    """What MathOpt returns for a program, begun with the solution `start` [C]; `found` hears of every other one."""
    model, hints = mathopt.Model.from_model_proto(_message(program)), []
    if start is not None:
        hints = [mathopt.SolutionHint(variable_values=dict(zip(model.variables(), start.tolist(), strict=True)))]
    some = mathopt.VariableFilter(skip_zero_values=True)
    events = {mathopt.Event.MIP_SOLUTION} if found is not None else set()
    with watch:
        return mathopt.solve(
            model,
            mathopt.SolverType.GSCIP,
            params=replace(
                manner,
                time_limit=timedelta(seconds=max(0.05, limits.left())),
                relative_gap_tolerance=limits.gap,
                random_seed=limits.seed,
            ),
            model_params=mathopt.ModelSolveParameters(solution_hints=hints, variable_values_filter=some),
            callback_reg=mathopt.CallbackRegistration(events=events, mip_solution_filter=some),
            cb=found,
            interrupter=watch.interrupter,
        )


class _Watch(Incumbent):
    """Hears of SCIP's solutions, and in a thread of its own, while SCIP works, whether to stop."""

    def __init__(self, core: Core, limits: Limits, report: Report) -> None:
        super().__init__(core, limits, report)
        self.interrupter = solve_interrupter.SolveInterrupter()
        self.done, self.thread = threading.Event(), threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def _ask(self) -> None:
        while not self.done.wait(ASK):
            if self.tell() or self.limits.elapsed() > self.limits.time_limit + LATE:
                self.interrupter.interrupt()
                return

    def found(self, data: Any) -> Any:
        bound = data.mip_stats.dual_bound if data.mip_stats is not None else None
        if bound is not None and np.isfinite(bound) and bound != 0.0:  # 0 before there is one
            self.bound = min(self.bound, float(bound))
        if data.solution is not None:
            self.offer(choice_of(self.core, _columns(self.core.options, data.solution)))
        return mathopt.CallbackResult(terminate=self.stop)


def _columns(count: int, values: Any) -> np.ndarray:
    """[count] the first columns of MathOpt's values by variable."""
    columns = np.zeros(count)
    for variable, value in values.items():
        if variable.id < count:
            columns[variable.id] = value
    return columns


def _message(program: MixedInteger) -> Any:
    """The program as MathOpt's message."""
    message = model_pb2.ModelProto()
    a = program.matrix
    message.variables.ids.extend(range(a.shape[1]))
    message.variables.lower_bounds.extend(program.lower.tolist())
    message.variables.upper_bounds.extend(program.upper.tolist())
    message.variables.integers.extend(program.whole.tolist())
    some = np.flatnonzero(program.worth)
    message.objective.maximize = True
    message.objective.linear_coefficients.ids.extend(some.tolist())
    message.objective.linear_coefficients.values.extend(program.worth[some].tolist())
    message.linear_constraints.ids.extend(range(a.shape[0]))
    message.linear_constraints.lower_bounds.extend(program.low.tolist())
    message.linear_constraints.upper_bounds.extend(program.high.tolist())
    message.linear_constraint_matrix.row_ids.extend(np.repeat(np.arange(a.shape[0]), np.diff(a.indptr)).tolist())
    message.linear_constraint_matrix.column_ids.extend(a.indices.tolist())
    message.linear_constraint_matrix.coefficients.extend(a.data.tolist())
    return message
