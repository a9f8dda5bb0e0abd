"""The three real companies, imported through their committed mappings, solved by both exact engines, and verified."""

from __future__ import annotations

from pathlib import Path

import pytest

import optimizer as opt
from optimizer.problem import build
from optimizer.scenario import load_scenario
from optimizer.store import read_run
from optimizer.verify import verify_run

SCENARIOS = Path(__file__).parents[1] / "scenarios"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chinook", "maven_crm", "wide_world_importers"])
def test_both_exact_engines_agree_and_the_bound_is_verified(name: str, shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "crm" / name
    if not source.is_dir():
        pytest.skip(f"the data set {name} is not beside this checkout")
    imported = opt.import_tables(opt.load_mapping(SCENARIOS / name / "mapping.toml"), source)
    imported.findings.raise_errors()
    opt.write(imported.tables, tmp_path / "tables")
    tables = opt.read(tmp_path / "tables")
    assert not opt.validate(tables).errors
    problem = build(tables, load_scenario(SCENARIOS / name / "baseline.toml"))
    results = {engine: opt.solve(problem, engine, time_limit=8) for engine in ("cpsat", "highs")}
    for engine, result in results.items():
        assert result.plan is not None, engine
        assert opt.check(problem, result.plan).ok
        opt.write_run(tmp_path / engine, problem, tables, result)
        assert verify_run(read_run(tmp_path / engine)).ok
    best = max(result.objective for result in results.values())
    assert all(best <= result.bound * (1 + 1e-6) for result in results.values())  # the bounds overlap
