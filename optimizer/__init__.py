"""Bookfit: fits books of business to the people who work them.

    import optimizer as opt
    tables = opt.read("scenarios/demo")
    opt.validate(tables).raise_errors()
    problem = opt.build(tables, opt.load_scenario("scenarios/demo/baseline.toml"))
    result = opt.solve(problem, time_limit=30, seed=1)
    print(result)
    print(opt.check(problem, result.plan))

Names are imported when they are first used, so that `import optimizer` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimizer.carry import carry
    from optimizer.check import check
    from optimizer.children import stand_by
    from optimizer.compare import compare
    from optimizer.errors import BookfitError, Finding, Findings, InputError, UsageError
    from optimizer.export import export
    from optimizer.importing import import_tables, load_mapping
    from optimizer.kpis import kpis
    from optimizer.plan import Plan
    from optimizer.problem import Problem, build
    from optimizer.read import read, tables_of, write
    from optimizer.result import Result
    from optimizer.sample import sample, write_sample
    from optimizer.scenario import Scenario, load_scenario
    from optimizer.solve import solve
    from optimizer.store import read_run, write_run
    from optimizer.tables import Tables
    from optimizer.validate import validate
    from optimizer.verify import verify

#: public name → the module it is in
_WHERE = {
    "BookfitError": "errors", "Finding": "errors", "Findings": "errors", "InputError": "errors", "Plan": "plan",
    "Problem": "problem", "Result": "result", "Scenario": "scenario", "Tables": "tables", "UsageError": "errors",
    "build": "problem", "carry": "carry", "check": "check", "compare": "compare", "export": "export",
    "import_tables": "importing", "kpis": "kpis", "load_mapping": "importing", "load_scenario": "scenario",
    "read": "read", "read_run": "store", "sample": "sample", "solve": "solve", "stand_by": "children", "tables_of": "read",
    "validate": "validate", "verify": "verify", "write": "read", "write_run": "store", "write_sample": "sample",
}  # fmt: skip

__all__ = [
    "BookfitError", "Finding", "Findings", "InputError", "Plan", "Problem", "Result", "Scenario", "Tables", "UsageError",
    "build", "carry", "check", "compare", "export", "import_tables", "kpis", "load_mapping", "load_scenario", "read", "read_run",
    "sample", "solve", "stand_by", "tables_of", "validate", "verify", "write", "write_run", "write_sample",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    return getattr(import_module(f"optimizer.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `optimizer.check` the function after the module of that name was imported: the import system would bind the
    module over it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
