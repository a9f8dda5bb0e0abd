"""The scenario file: tables + scoring + rules, as TOML, parsed strictly; one may extend another."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from optimizer.errors import Finding, InputError, UsageError
from optimizer.people import RepChanges
from optimizer.rules import RULES, Rule
from optimizer.scoring import Role, Scoring

if TYPE_CHECKING:
    AnyRule = Rule
else:
    AnyRule = Annotated[Union[RULES], Field(discriminator="kind")]  # noqa: UP007

#: what holds where no scenario file says otherwise
DEFAULT_RULES: tuple[dict[str, Any], ...] = (
    {"name": "hours", "kind": "limit", "measure": "hours", "per": "rep", "at_most": "capacity_hours"},
)


class Scenario(BaseModel):
    """What to solve: names, rules, scoring, what-ifs on people, and where its tables are."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)
    name: Annotated[str, Field(min_length=1, max_length=200)] = "Default"
    description: str = ""
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] = "USD"
    rules: tuple[AnyRule, ...] = Field(default=(), strict=False)
    scoring: Scoring = Scoring()
    roles: tuple[Role, ...] = Field(default=(), strict=False)
    reps: RepChanges = RepChanges()
    tables: str | None = None
    extends: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        names = [rule.name for rule in self.rules]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"two rules are named {twice[0]!r}")
        if self.roles and abs(sum(role.share for role in self.roles) - 1) > 1e-9:
            raise ValueError("the shares of the roles must sum to 1")
        if len({role.name for role in self.roles}) < len(self.roles):
            raise ValueError("two roles have the same name")
        return self

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that are not switched off."""
        return tuple(rule for rule in self.rules if not rule.off)

    def to_toml(self) -> str:
        """The whole scenario, what it extends included, as the text of a file that parses to the same scenario."""
        given = self.model_dump(exclude_defaults=True, exclude={"extends", "tables", "rules"})
        rules = [{"name": r.name, "kind": r.kind, **r.model_dump(exclude_defaults=True)} for r in self.rules]
        return tomlkit.dumps(_without_none({"name": self.name, **given, "rules": rules}))


def default_scenario(name: str = "Default") -> Scenario:
    return parse_scenario({"name": name, "rules": list(DEFAULT_RULES)}, "default rules")


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario: a `.toml`, or a folder (its `baseline.toml`, else default rules on its tables).

    Raises `UsageError` where there is no such file and `InputError`, with every finding, for bad content.
    """
    file, _ = scenario_files(path)
    if file is None:
        return default_scenario(Path(path).resolve().name)
    return parse_scenario(_merged(file), str(file))


def scenario_files(path: str | Path) -> tuple[Path | None, Path]:
    """The scenario file (None: default rules) and the folder or workbook its tables are in."""
    path = Path(path)
    if path.is_dir():
        file = path / "baseline.toml"
        return (file, _tables_of(file)) if file.is_file() else (None, path)
    if not path.exists():
        raise UsageError(f"{path} is not there; give a scenario .toml or a folder")
    return (path, _tables_of(path)) if path.suffix == ".toml" else (None, path)


def parse_scenario(raw: Mapping[str, Any], file: str = "scenario") -> Scenario:
    """A scenario from its parsed TOML. Raises `InputError` naming file and key path for each thing wrong."""
    try:
        return Scenario.model_validate(dict(raw))
    except ValidationError as error:
        raise InputError.of(_finding(e, raw, file) for e in error.errors(include_url=False)) from None


def read_toml(file: Path) -> dict[str, Any]:
    """The file as plain dicts and lists. Raises `InputError` naming the line of a syntax error."""
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError.single(
            Finding("scenario", f"is not valid TOML: {error}", "mend the syntax at the line named", file=str(file))
        ) from None


def _tables_of(file: Path, seen: tuple[Path, ...] = ()) -> Path:
    if not file.is_file() or file.resolve() in seen:
        return file.parent  # `_merged` says what is wrong with the chain
    raw = read_toml(file)
    if "tables" in raw:
        return file.parent / str(raw["tables"])
    if "extends" in raw and not _has_tables(file.parent):
        return _tables_of(file.parent / str(raw["extends"]), (*seen, file.resolve()))
    return file.parent


def _has_tables(folder: Path) -> bool:
    return any(folder.glob("accounts.*")) and any(folder.glob("reps.*"))


def _merged(file: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    if not file.is_file():
        raise UsageError(f"{file} is not there" + (f" ({seen[-1]} extends it)" if seen else ""))
    if file.resolve() in seen:
        raise InputError.single(Finding("scenario", "extends itself in a circle", "drop one extends", file=str(file)))
    raw = read_toml(file)
    base_name = raw.pop("extends", None)
    if base_name is None:
        return raw
    base_file = file.parent / str(base_name)
    base = parse_keys(_merged(base_file, (*seen, file.resolve())), str(base_file))
    own = parse_keys(raw, str(file))
    rules = {rule.get("name"): rule for rule in base.get("rules", [])}
    for rule in own.pop("rules", []):
        name = rule["name"]
        drops = rule.get("off") is True and len(rule) == 2
        if drops and name not in rules:
            problem = f"is no rule of {base_name}; it has {', '.join(map(repr, rules)) or 'none'}"
            raise InputError.single(
                Finding("scenario", problem, "correct the name", column="rules", value=name, file=str(file))
            )
        rules[name] = {**rules[name], "off": True} if drops else rule
    merged = _deep(base, own)
    for key, identity in (("remove", None), ("add", "rep_id")):
        inherited, given = (part.get("reps", {}).get(key, []) for part in (base, own))
        if inherited or given:
            merged.setdefault("reps", {})[key] = _joined(inherited, given, identity)
    return {**merged, "rules": list(rules.values())}


def parse_keys(raw: dict[str, Any], file: str) -> dict[str, Any]:
    """The raw variant, refused early where its rules are no list of tables with names."""
    rules = raw.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(r, dict) and isinstance(r.get("name"), str) for r in rules):
        raise InputError.single(
            Finding("scenario", "must be a list of rules, each with a name", column="rules", file=file)
        )
    names = [r["name"] for r in rules]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise InputError.single(
            Finding("scenario", "is the name of two rules", "rename one", column="rules", value=twice[0], file=file)
        )
    people = raw.get("reps", {})
    lists = [people.get(key, []) for key in ("remove", "add")] if isinstance(people, dict) else [None]
    if not all(isinstance(x, list) for x in lists) or not all(isinstance(row, dict) for row in lists[-1] or []):
        raise InputError.single(
            Finding(
                "scenario", "must be remove = [ids], add = [tables] and change = {id = table}", column="reps", file=file
            )
        )
    return dict(raw)


def _joined(base: list[Any], own: list[Any], identity: str | None) -> list[Any]:
    if identity is None:
        return [*base, *(x for x in own if x not in base)]
    replaced = {row.get(identity) for row in own}
    return [*(row for row in base if row.get(identity) not in replaced), *own]


def _deep(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    out = dict(base)
    for key, value in own.items():
        mine = out.get(key)
        out[key] = _deep(mine, value) if isinstance(mine, dict) and isinstance(value, dict) else value
    return out


def _finding(error: Any, raw: Mapping[str, Any], file: str) -> Finding:
    place: list[str] = []
    names: list[str] = []
    here: Any = raw
    for part in error["loc"]:
        if isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
            label = here.get("name") if isinstance(here, dict) else None
            names.append(f"{place.pop() if place else ''}[{label or part}]")
        elif isinstance(here, Mapping) and part in here:
            names += place
            place = [str(part)]
            here = here[part]
        elif error["type"] in ("missing", "extra_forbidden") and part == error["loc"][-1]:
            place.append(str(part))
    key = ".".join([*names, *place]) or "scenario"
    value = error.get("input")
    shown = str(value) if isinstance(value, (str, int, float, bool)) else None
    return Finding("scenario", _plain(error), "see docs/scenario-files.md", column=key, value=shown, file=file)


def _plain(error: Any) -> str:
    words = {"extra_forbidden": "is not a known key", "missing": "is missing"}
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "union_tag_invalid":
        return f"is not a kind of rule; known: {', '.join(sorted(r.model_fields['kind'].default for r in RULES))}"
    return words.get(error["type"], message[:1].lower() + message[1:])


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return [_without_none(v) for v in value] if isinstance(value, list) else value
