"""Edits of a scenario's text: each takes TOML and gives TOML, and refuses what would not parse. No widgets here."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from optimizer.errors import Finding, InputError, UsageError
from optimizer.export.settings import rule_words
from optimizer.rules import RULES, Rule
from optimizer.scenario import parse_scenario

#: reps' columns a new position takes over from the rep it is like
LIKE = ("role", "team", "regions", "skills", "languages", "industries", "max_accounts", "lat", "lon")


def edit(toml: str, change: Callable[[dict[str, Any]], None]) -> str:
    """The scenario after `change`, written out anew. Raises `InputError` with every finding where it does not parse."""
    raw = tomllib.loads(toml)
    change(raw)
    return parse_scenario(raw).to_toml()


def from_file(data: bytes, name: str) -> str:
    """An uploaded scenario. Raises `InputError` for bad content, `UsageError` where it needs a file we do not have."""
    try:
        raw = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        finding = Finding("scenario", f"is not valid TOML: {error}", "mend the syntax at the line named", file=name)
        raise InputError.single(finding) from None
    if "extends" in raw:
        raise UsageError(f"{name} extends {raw['extends']}, which is not here; upload a scenario that is whole")
    raw.pop("tables", None)
    return parse_scenario(raw, name).to_toml()


def put_rule(toml: str, rule: Mapping[str, Any], old: str = "") -> str:
    """With this rule in the place of the one named `old`, or as the last one."""

    def change(raw: dict[str, Any]) -> None:
        rules = raw.setdefault("rules", [])
        at = next((i for i, r in enumerate(rules) if old and r["name"] == old), None)
        if at is None:
            rules.append(dict(rule))
        else:
            rules[at] = dict(rule)

    return edit(toml, change)


def drop_rule(toml: str, name: str) -> str:
    return edit(toml, lambda raw: raw.update(rules=[r for r in raw.get("rules", []) if r["name"] != name]))


def switch_rule(toml: str, name: str, on: bool) -> str:
    def change(raw: dict[str, Any]) -> None:
        for rule in raw.get("rules", []):
            if rule["name"] == name:
                rule["off"] = not on

    return edit(toml, change)


def put_scoring(toml: str, scoring: Mapping[str, Any]) -> str:
    return edit(toml, lambda raw: raw.update(scoring=dict(scoring)))


def put_about(toml: str, name: str, description: str, currency: str) -> str:
    return edit(toml, lambda raw: raw.update(name=name, description=description, currency=currency))


def remove_reps(toml: str, reps: list[str]) -> str:
    """These reps leave, and no others."""
    return edit(toml, lambda raw: raw.setdefault("reps", {}).update(remove=list(reps)))


def add_positions(toml: str, rows: list[dict[str, Any]]) -> str:
    return edit(toml, lambda raw: raw.setdefault("reps", {}).setdefault("add", []).extend(rows))


def drop_position(toml: str, rep_id: str) -> str:
    def change(raw: dict[str, Any]) -> None:
        raw["reps"]["add"] = [row for row in raw["reps"].get("add", []) if row.get("rep_id") != rep_id]

    return edit(toml, change)


def change_rep(toml: str, rep_id: str, cells: Mapping[str, Any]) -> str:
    """This rep's cells as given; none of them means as in the table."""

    def change(raw: dict[str, Any]) -> None:
        changes = raw.setdefault("reps", {}).setdefault("change", {})
        changes.pop(rep_id, None)
        if cells:
            changes[rep_id] = dict(cells)

    return edit(toml, change)


def positions(
    count: int, cost: float, capacity: float, ramp: float, like: Mapping[Any, Any], taken: set[str], name: str = ""
) -> list[dict[str, Any]]:
    """`count` open positions with ids nobody has, in the territory and with the skills of the rep `like`."""
    rows: list[dict[str, Any]] = []
    n = 1
    shared = {c: like[c] for c in LIKE if c in like and pd.notna(like[c])}
    while len(rows) < count:
        if (rep_id := f"open-{n}") not in taken:
            title = (f"{name} {len(rows) + 1}" if count > 1 else name) if name else f"Open position {n}"
            row = {
                "rep_id": rep_id,
                "name": title,
                "open": True,
                "cost": cost,
                "capacity_hours": capacity,
                "ramp": ramp,
            }
            rows.append({**row, **shared})
        n += 1
    return rows


def rule_class(kind: str) -> type[Rule]:
    """The class of a kind of rule. Raises `KeyError` for a kind there is not."""
    return {str(r.model_fields["kind"].default): r for r in RULES}[kind]


def about_kind(kind: str) -> str:
    """What a kind of rule does: the first line its module says of it, else the first paragraph of its docstring."""
    rule = rule_class(kind)
    head, _, words = (sys.modules[rule.__module__].__doc__ or "").split("\n")[0].partition(": ")
    return words if head == f"`{kind}`" else " ".join((rule.__doc__ or "").split("\n\n")[0].split())


def in_words(rule: Rule) -> str:
    """A rule on one line."""
    return rule_words(rule).removeprefix(f"{rule.kind}: ").strip(" :") or "all accounts"
