"""Read a mapping file: TOML, strict, every problem at once, each with its key path."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from optimizer.errors import Finding, Findings, InputError, UsageError
from optimizer.importing.mapping import Aggregate, Made, Mapping
from optimizer.tables import TABLES


def load_mapping(path: str | Path) -> Mapping:
    """The mapping in the TOML file at `path`.

    Raises `UsageError` when there is no such file and `InputError` with a finding for every problem: syntax
    (with its line), unknown keys, wrong types, names of sources that do not exist, columns that are missing.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"there is no mapping file {path}")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(Findings((_finding(path, None, f"is not UTF-8 text: {error.reason}"),))) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        broken = _finding(path, None, f"is not valid TOML: {error}", row=int(line[1]) if line else None)
        raise InputError(Findings((broken,))) from error
    try:
        mapping = Mapping.model_validate(given)
    except ValidationError as error:
        raise InputError(Findings.of(_finding(path, *_said(e)) for e in error.errors())) from error
    found = [_finding(path, key, problem) for key, problem in _problems(mapping)]
    if found:
        raise InputError(Findings.of(found))
    return mapping


def added(mapping: Mapping) -> tuple[tuple[str, str], ...]:
    """The columns sources add, as (source, column), each after those it is made from.

    Raises `CycleError` where columns are made from each other.
    """
    makes = {(name, column): made for name, source in mapping.sources.items() for column, made in source.add.items()}
    needs: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for (name, column), made in makes.items():
        other, columns = made.reads_from() or (name, ())
        asked = [(name, c) for c in made.reads()] + [(other, c) for c in columns]
        needs[name, column] = [a for a in asked if a in makes]
    return tuple(TopologicalSorter(needs).static_order())


def columns_of(mapping: Mapping) -> Iterator[tuple[str, str, Made]]:
    """Every column the mapping makes, in the order they are made: key path, the source its rows come from, how."""
    for name, column in added(mapping):
        yield f"sources.{name}.add.{column}", name, mapping.sources[name].add[column]
    for name, table in mapping.tables.items():
        for column, made in table.columns.items():
            yield f"tables.{name}.columns.{column}", table.base, made


def _problems(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Names that do not fit together, as (key path, problem)."""
    ours = {t.name: t for t in TABLES}
    known = ", ".join(mapping.sources)
    for name, table in mapping.tables.items():
        if name not in ours:
            yield f"tables.{name}", f"is not one of our tables; known: {', '.join(ours)}"
            continue
        if table.base not in mapping.sources:
            yield f"tables.{name}.base", f"there is no source {table.base!r}; known: {known}"
        for column in ours[name].columns:
            if column.required and column.name not in table.columns:
                yield f"tables.{name}.columns", f"{column.name} is missing; it is required ({column.meaning})"
    for name in (t.name for t in TABLES if t.required and t.name not in mapping.tables):
        yield "tables", f"{name} is missing; it is required"
    try:
        columns = list(columns_of(mapping))
    except CycleError as error:
        circle = " < ".join(f"sources.{name}.add.{column}" for name, column in error.args[1])
        yield "sources", f"columns are made from each other: {circle}"
        return
    for path, base, made in columns:
        other = made.reads_from()
        if other is not None and other[0] not in mapping.sources:
            yield path, f"there is no source {other[0]!r}; known: {known}"
        elif base in mapping.sources and getattr(made, "key", "") is None:
            keyed = base if isinstance(made, Aggregate) else other[0] if other else base
            if mapping.sources[keyed].key is None:
                yield path, f"needs `key`, or a `key` of source {keyed!r}"


def _said(error: Any) -> tuple[str, str]:
    """(key path, problem) of one pydantic error, in our words."""
    loc = error["loc"]
    if len(loc) > 4 and loc[2] in ("add", "columns"):
        loc = loc[:4] + loc[5:]  # pydantic puts the way of making the column there
    path = ".".join(map(str, loc))
    kind = error["type"]
    if kind == "extra_forbidden":
        return path, "is not a key we know here"
    if kind == "missing":
        return path, "is missing"
    if kind == "string_pattern_mismatch" or loc[-1:] == ("[key]",):
        return path.removesuffix(".[key]"), "is not a name we take; use lower-case letters, digits and _"
    message = error["msg"].removeprefix("Value error, ")
    given = error.get("input")
    shown = f" (given: {given!r})" if isinstance(given, (str, int, float)) else ""
    return path, message[:1].lower() + message[1:] + shown


def _finding(path: Path, key: str | None, problem: str, row: int | None = None) -> Finding:
    return Finding("mapping", problem, column=key or None, row=row, file=str(path))
