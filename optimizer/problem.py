"""Tables + scenario → units, options, rows, and back from a choice of options to a plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.core import Core
from optimizer.errors import Findings
from optimizer.options import Options, build_options
from optimizer.plan import Plan
from optimizer.read import Dialect, read
from optimizer.rules.base import Restriction, Rows
from optimizer.scenario import Scenario, default_scenario, load_scenario, scenario_files
from optimizer.scores import Scores, score
from optimizer.tables import Tables
from optimizer.tighten import tighten
from optimizer.validate import validate


@dataclass(frozen=True, eq=False)
class Problem:
    """A scenario ready to solve: its core, and how to read a choice of options as a plan.

    `limits` describes row r of the core (rule, measure, scope, row, offset): what a reader sees is the core's left side
    plus the offset, except in soft rows that `tighten` has changed. `impossible` lists mandatory units that no option serves.
    """

    core: Core
    scenario: Scenario
    scores: Scores
    options: Options
    limits: pd.DataFrame
    impossible: tuple[int, ...]

    @property
    def today(self) -> Plan:
        return self.scores.today

    def plan(self, choice: np.ndarray) -> Plan:
        """The plan that takes option `choice[u]` for each unit (-1: unserved)."""
        options, scores = self.options, self.scores
        size = np.diff(options.member_start)
        rep = np.append(options.rep, -1)[choice]
        level = np.append(options.level, 0)[choice]
        of_member = np.repeat(rep, size), np.repeat(level, size), np.repeat(options.role, size)
        shape = (len(scores.accounts), len(scores.roles))
        out_rep, out_level = np.full(shape, -1, np.int32), np.zeros(shape, np.int8)
        out_rep[options.member, of_member[2]] = of_member[0]
        out_level[options.member, of_member[2]] = of_member[1]
        return scores.plan(out_rep, out_level)

    def choice(self, plan: Plan) -> np.ndarray:
        """[U] the option each unit has in `plan`; -1 where it is unserved or the assignment is no option."""
        options, scores = self.options, self.scores
        own = plan.onto(scores.account_ids, scores.rep_ids, scores.role_names, scores.level_names)
        rep, level = own.rep[options.lead, options.role], own.level[options.lead, options.role]
        hit = np.flatnonzero((self.core.rep == rep[self.core.unit]) & (options.level == level[self.core.unit]))
        choice = np.full(self.core.units, -1, dtype=np.int64)
        choice[self.core.unit[hit]] = hit
        size = np.diff(options.member_start)
        place = options.member, np.repeat(options.role, size)
        agree = (own.rep[place] == np.repeat(rep, size)) & (own.level[place] == np.repeat(level, size))
        together = np.logical_and.reduceat(agree, options.member_start[:-1]) if len(size) else agree
        return np.where(together, choice, -1)


def build(tables: Tables, scenario: Scenario | None = None) -> Problem:
    """The problem of a scenario on these tables.

    Raises `InputError` for findings that make the tables unusable and `UsageError` for rules that name what is not there.
    """
    scenario = scenario or default_scenario()
    tables.findings.raise_errors()
    scores = score(tables, scenario.scoring, scenario.roles, scenario.reps.model_dump(), scenario.currency)
    restrictions: list[Restriction] = [r.post(scores) for r in scenario.active if r.posts == "options"]
    options = build_options(scores, restrictions)
    value = options.total(scores.value)
    posted = [(rule, rule.post(options)) for rule in scenario.active if rule.posts == "rows"]
    core = tighten(make_core(options, value, [rows for _, rows in posted]))
    count = [len(rows.labels) for _, rows in posted]
    limits = pd.DataFrame(
        {
            "rule": np.repeat([rule.name for rule, _ in posted], count),
            "measure": np.repeat([rows.measure for _, rows in posted], count),
            "scope": np.repeat([rows.scope for _, rows in posted], count),
            "row": np.concatenate([np.zeros(0, object), *(rows.labels for _, rows in posted)]).astype(str),
            "offset": np.concatenate([np.zeros(0), *(rows.offset for _, rows in posted)]),
        }
    )
    empty = np.flatnonzero(options.mandatory & (np.diff(options.unit_start) == 0))
    return Problem(core, scenario, scores, options, limits, tuple(int(u) for u in empty))


def make_core(options: Options, value: np.ndarray, posted: list[Rows]) -> Core:
    """Stack the rows of all limits; a coefficient array that several rules share is kept once."""
    stacks: dict[str, list[np.ndarray]] = {"unit": [], "option": [], "unit_row": [], "rep_row": []}
    factor, first = [], 0
    for rows in posted:
        for part in rows.factors:
            by_option = part.per == "option"
            row = np.where(part.row >= 0, part.row + first, -1).astype(np.int32)
            coef = _place(stacks["option" if by_option else "unit"], part.coefficient)
            line = _place(stacks["rep_row" if part.row_by == "rep" else "unit_row"], row)
            factor.append((int(by_option), coef, int(part.row_by == "rep"), line))
        first += len(rows.labels)
    units, count, reps = len(options.role), len(options.rep), len(options.scores.reps)

    def stack(name: str, width: int, dtype: Any) -> np.ndarray:
        return np.stack(stacks[name]).astype(dtype, copy=False) if stacks[name] else np.zeros((0, width), dtype)

    def joined(parts: list[np.ndarray], dtype: Any = np.float64) -> np.ndarray:
        return np.concatenate([np.zeros(0, dtype), *parts]).astype(dtype)

    return Core(
        start=options.unit_start,
        rep=options.rep.astype(np.int32, copy=False),
        value=value,
        mandatory=options.mandatory,
        unit_coef=stack("unit", units, np.float64),
        option_coef=stack("option", count, np.float64),
        unit_row=stack("unit_row", units, np.int32),
        rep_row=stack("rep_row", reps, np.int32),
        factor=np.array(factor, dtype=np.int64).reshape(-1, 4),
        lower=joined([r.lower - r.offset for r in posted]),
        upper=joined([r.upper - r.offset for r in posted]),
        penalty=joined([np.full(len(r.labels), r.penalty) for r in posted]),
        position=joined([r.position for r in posted], np.int32),
        is_open=options.scores.open_rep,
        cost=options.scores.reps["cost"].fillna(0.0).to_numpy(dtype=float),
        offset=joined([r.offset for r in posted]),
    )


def _place(stack: list[np.ndarray], array: np.ndarray) -> int:
    """Position of an equal array in the stack, put there when it is new."""
    for i, known in enumerate(stack):
        if known.shape == array.shape and np.array_equal(known, array):
            return i
    stack.append(array)
    return len(stack) - 1


def open_company(
    path: str | Path, tables: str | Path | None = None, dialect: Dialect | None = None
) -> tuple[Tables, Scenario, Findings]:
    """The tables and the scenario of a `.toml` or folder, and every finding about them; errors do not raise here.

    `tables` names another folder or workbook to take the tables from, `dialect` how they write numbers and dates. Raises
    `UsageError` for paths that are not there.
    """
    file, place = scenario_files(path)
    scenario = load_scenario(path) if file is not None else default_scenario(Path(path).resolve().stem)
    data = read(tables if tables is not None else place, dialect)
    return data, scenario, validate(data)
