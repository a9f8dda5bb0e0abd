"""SCIP as a peer, through OR-Tools' MathOpt. Not an engine of the product: it is registered here for a benchmark.

It runs as our own exact engines do: in a child process that can be killed, after prices have proved a bound, from the same
greedy plan (given whole, slacks and open positions too, because SCIP does not complete a start of few values), on the
same arrays as `highs`. SCIP as OR-Tools ships it searches on one thread and without symmetry detection.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from optimizer import engines, process
from optimizer.core import Core
from optimizer.dual import Dual
from optimizer.engines.base import Answer, Engine, Limits, Progress, Report, claim_of

ENTRY = engines.Entry("scip", "benchmarks.scip", "Scip", True, "SCIP branch and cut on the whole model", 4000)


def register() -> None:
    """Make `scip` known in this process and in the children that it starts for engines."""
    if ENTRY not in engines.ENGINES:
        engines.ENGINES = (*engines.ENGINES, ENTRY)
        process._spawn = _spawn


def _spawn(folder: Path, stderr: Any) -> Any:
    """As `process._spawn`, with a child that knows SCIP."""
    import os
    import subprocess

    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scip", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=stderr,
        stderr=stderr,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "2")},
    )


class Scip(Engine):
    """Exact; branch and cut with many heuristics."""

    name = "scip"
    about = ENTRY.about
    exact = True

    def solve(
        self,
        core: Core,
        limits: Limits,
        report: Report,
        hint: np.ndarray | None = None,
        dual: Dual | None = None,
    ) -> Answer:
        from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

        if (core.mandatory & (np.diff(core.start) == 0)).any():
            return Answer(None, claim="infeasible")
        model = mathopt.Model.from_model_proto(model_proto(core))
        columns = list(model.variables())
        hints = []
        if hint is not None and core.feasible(hint):
            from optimizer.engines.highs import whole_solution

            start = zip(columns, whole_solution(core, hint).tolist(), strict=True)
            hints = [mathopt.SolutionHint(variable_values=dict(start))]
        watch = _Watch(core, limits, report)
        some = mathopt.VariableFilter(skip_zero_values=True)
        result = mathopt.solve(
            model,
            mathopt.SolverType.GSCIP,
            params=mathopt.SolveParameters(
                time_limit=timedelta(seconds=max(0.05, limits.left())),
                relative_gap_tolerance=limits.gap,
                random_seed=limits.seed,
            ),
            model_params=mathopt.ModelSolveParameters(solution_hints=hints, variable_values_filter=some),
            callback_reg=mathopt.CallbackRegistration(events={mathopt.Event.MIP_SOLUTION}, mip_solution_filter=some),
            cb=watch.found,
        )
        if result.termination.reason in (
            mathopt.TerminationReason.INFEASIBLE,
            mathopt.TerminationReason.INFEASIBLE_OR_UNBOUNDED,
        ):
            return Answer(None, claim="infeasible")
        for solution in result.solutions:
            if solution.primal_solution is not None:
                watch.keep(solution.primal_solution.variable_values)
        bound = float(result.termination.objective_bounds.dual_bound)
        optimal = result.termination.reason == mathopt.TerminationReason.OPTIMAL
        return Answer(watch.best, bound, claim_of(watch.value, bound), stopped=not optimal)


class _Watch:
    """Keeps the best plan that keeps every hard row as the problem itself judges it."""

    def __init__(self, core: Core, limits: Limits, report: Report) -> None:
        self.core, self.limits, self.report = core, limits, report
        self.best: np.ndarray | None = None
        self.value, self.bound = -np.inf, np.inf

    def keep(self, values: Any) -> bool:
        chosen = np.array([v.id for v, x in values.items() if x > 0.5 and v.id < self.core.options], dtype=np.int64)
        choice = np.full(self.core.units, -1, dtype=np.int64)
        choice[self.core.unit[chosen]] = chosen
        value = self.core.objective(choice)
        if value <= self.value or not self.core.feasible(choice):
            return False
        self.best, self.value = choice, value
        return True

    def found(self, data: Any) -> Any:
        from ortools.math_opt.python import mathopt

        bound = data.mip_stats.dual_bound if data.mip_stats is not None else None
        if bound is not None and np.isfinite(bound) and bound != 0.0:  # 0 before there is one
            self.bound = min(self.bound, float(bound))
        better = data.solution is not None and self.keep(data.solution)
        plan = self.best if better else None
        asked = self.report(Progress(self.limits.elapsed(), self.value, self.bound, "search", plan))
        return mathopt.CallbackResult(terminate=bool(asked))


def model_proto(core: Core) -> Any:
    """The arrays of `highs`'s model as MathOpt's message: options, over and under of soft rows, open positions."""
    from ortools.math_opt import model_pb2  # type: ignore[import-untyped]

    from optimizer.engines.highs import mixed_integer_program

    lp = mixed_integer_program(core)
    message = model_pb2.ModelProto()
    whole = np.ones(lp.num_col_, dtype=bool)
    whole[core.options : core.options + 2 * int(np.isfinite(core.penalty).sum())] = False
    message.variables.ids.extend(range(lp.num_col_))
    message.variables.lower_bounds.extend(np.asarray(lp.col_lower_).tolist())
    message.variables.upper_bounds.extend(np.asarray(lp.col_upper_).tolist())
    message.variables.integers.extend(whole.tolist())
    worth = np.asarray(lp.col_cost_)
    some = np.flatnonzero(worth)
    message.objective.maximize = True
    message.objective.linear_coefficients.ids.extend(some.tolist())
    message.objective.linear_coefficients.values.extend(worth[some].tolist())
    message.linear_constraints.ids.extend(range(lp.num_row_))
    message.linear_constraints.lower_bounds.extend(np.asarray(lp.row_lower_).tolist())
    message.linear_constraints.upper_bounds.extend(np.asarray(lp.row_upper_).tolist())
    row, column, amount = _entries(lp)
    message.linear_constraint_matrix.row_ids.extend(row.tolist())
    message.linear_constraint_matrix.column_ids.extend(column.tolist())
    message.linear_constraint_matrix.coefficients.extend(amount.tolist())
    return message


def _entries(lp: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, column, amount) of every entry that is not zero, by row and then by column as MathOpt wants them."""
    row = np.repeat(np.arange(lp.num_row_), np.diff(np.asarray(lp.a_matrix_.start_)))
    column, amount = np.asarray(lp.a_matrix_.index_), np.asarray(lp.a_matrix_.value_)
    some = np.flatnonzero(amount)
    order = some[np.lexsort((column[some], row[some]))]
    return row[order], column[order], amount[order]


def main(folder: Path) -> int:
    """The child process: the engines' own, with SCIP among them."""
    from optimizer.engines.__main__ import main as child

    register()
    return child(folder)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
