"""The scenario in words: its rules, settings and what-ifs, and the defaults that filled gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from optimizer.export.content import Handover
from optimizer.export.look import Column, Sheet


def scenario(data: Handover) -> Sheet:
    """Rules, scoring and what-ifs, one setting a row, and the defaults that filled gaps."""
    given = data.problem.scenario
    lines = [
        ("Scenario", "name", given.name),
        ("Scenario", "description", given.description),
        ("Scenario", "currency", given.currency),
        *(("Rule", rule.name, rule_words(rule)) for rule in given.active),
        *(("Role", role.name, f"{role.share:.0%} of the value, {role.hours:g} × the hours") for role in given.roles),
        *(("People", path, text) for path, text in flat(given.reps.model_dump(mode="json"))),
        *(("Scoring", path, text) for path, text in flat(given.scoring.model_dump(mode="json"))),
        *(("Default used", "", note) for note in data.problem.scores.notes),
    ]
    part, name, value = (
        pd.Series(list(c), dtype="str") for c in zip(*(line for line in lines if line[2]), strict=True)
    )
    return Sheet("Scenario", (Column("Part", part), Column("Setting", name), Column("Value", value, "words")), 1)


def rule_words(rule: Any) -> str:
    """A rule on one line: its kind and every field that says something."""
    fields = rule.model_dump(mode="json", exclude={"name", "kind", "off"})
    fields["where"] = fields.pop("where")  # said last
    said = {name.replace("_", " "): ", ".join(f"{path} {text}".strip() for path, text in flat(value, " "))
            for name, value in fields.items()}  # fmt: skip
    return f"{rule.kind}: " + "; ".join(f"{name} {text}" for name, text in said.items() if text)


def flat(value: Any, join: str = ".", path: str = "") -> Iterator[tuple[str, str]]:
    """(key path, text) of every value in nested dicts and lists."""
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from flat(inside, join, f"{path}{join if path else ''}{key}")
    elif isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        for place, inside in enumerate(value, 1):
            yield from flat(inside, join, f"{path}{join if path else ''}{place}")
    elif value not in (None, "", []):
        yield path, ", ".join(map(_plain, value)) if isinstance(value, list) else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.12g}" if isinstance(value, float) else str(value)
