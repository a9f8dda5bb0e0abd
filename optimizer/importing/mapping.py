"""The mapping file: which foreign column, aggregate or constant fills each of our columns.

A column is made in exactly one way, named by its first key: `column`, `value`, `text`, `first_of`, `sum`, `product`,
`ratio`, `join` or `aggregate`; then, in this order, `times`, `bands`, `replace` and `default` apply. It is data,
never an evaluated expression. docs/import-mapping.md shows every form.
"""

from __future__ import annotations

from collections.abc import Mapping as Dict
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from optimizer.where import Where

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
Aggregates = Literal[
    "sum", "count", "mean", "min", "max", "any", "first", "last", "most_frequent", "most_frequent_share", "distinct"
]
#: Aggregates that answer with a number, and those that read one.
NUMERIC = ("sum", "count", "mean", "min", "max", "most_frequent_share")
READS_NUMBERS = ("sum", "mean", "min", "max")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Band(Strict):
    """A named class of a number: everything below `below` that no earlier band took; the last has no bound."""

    name: Text
    below: float | None = None


class Default(Strict):
    """What fills a missing cell, and the reason, which the report repeats."""

    value: str | bool | int | float | date
    because: Text


class Made(Strict):
    """What every way of making a column shares. `inferred` says that the column is a guess, and how it was made."""

    times: float | None = None
    bands: Annotated[tuple[Band, ...], Field(strict=False)] = ()
    replace: dict[Text, str] = {}
    default: Default | None = None
    inferred: Text | None = None

    @model_validator(mode="after")
    def _bands_ascend(self) -> Made:
        bounds = [b.below for b in self.bands]
        inner = [b for b in bounds[:-1] if b is not None]
        if bounds and (len(inner) != len(bounds) - 1 or bounds[-1] is not None or sorted(set(inner)) != inner):
            raise ValueError("bands: every band but the last needs `below`, each greater than the one before")
        return self

    def reads(self) -> tuple[str, ...]:
        """The columns it takes from its own source."""
        return ()

    def reads_from(self) -> tuple[str, tuple[str, ...]] | None:
        """The other source it looks at and the columns it takes there; None for a source's own key."""
        return None


class FromColumn(Made):
    column: Text

    def reads(self) -> tuple[str, ...]:
        return (self.column,)


class FromValue(Made):
    """A constant. It is a decision, so it comes with its reason."""

    value: str | bool | int | float | date
    because: Text


class FromText(Made):
    """Several text columns joined by `separator`, blank ones left out."""

    text: Texts
    separator: str = " "

    def reads(self) -> tuple[str, ...]:
        return self.text


class FirstOf(Made):
    """The first of the columns that is not blank."""

    first_of: Texts

    def reads(self) -> tuple[str, ...]:
        return self.first_of


class Sum(Made):
    """The columns added up; blank when one of them is blank."""

    sum: Texts

    def reads(self) -> tuple[str, ...]:
        return self.sum


class Product(Made):
    """The columns multiplied; blank when one of them is blank."""

    product: Texts

    def reads(self) -> tuple[str, ...]:
        return self.product


class Ratio(Made):
    """The first column divided by the second; blank when one is blank or the second is 0."""

    ratio: Annotated[tuple[Text, Text], Field(strict=False)]

    def reads(self) -> tuple[str, ...]:
        return self.ratio


class Join(Made):
    """`column` of the row of source `join` whose `key` equals `on` here. `key` defaults to that source's key."""

    join: Text
    on: Text
    column: Text
    key: Text | None = None

    def reads(self) -> tuple[str, ...]:
        return (self.on,)

    def reads_from(self) -> tuple[str, tuple[str, ...]]:
        return self.join, tuple(c for c in (self.column, self.key) if c)


class Aggregate(Made):
    """One value from the rows of source `of` whose `by` equals `key` here. `key` defaults to this source's key."""

    aggregate: Aggregates
    of: Text
    by: Text
    column: Text | None = None
    times_column: Text | None = None
    key: Text | None = None
    order: Text | None = None
    where: Where = {}

    @model_validator(mode="after")
    def _complete(self) -> Aggregate:
        if self.column is None and self.aggregate not in ("count", "any"):
            raise ValueError(f"aggregate {self.aggregate!r} needs `column`")
        if self.order is None and self.aggregate in ("first", "last"):
            raise ValueError(f"aggregate {self.aggregate!r} needs `order`, the column that says which comes first")
        if self.order and self.aggregate not in ("first", "last", "most_frequent"):
            raise ValueError(f"`order` means nothing to aggregate {self.aggregate!r}; take it out")
        if self.times_column and self.aggregate != "sum":
            raise ValueError("`times_column` only goes with aggregate 'sum'")
        _no_flags(self.where)
        return self

    def reads(self) -> tuple[str, ...]:
        return (self.key,) if self.key else ()

    def reads_from(self) -> tuple[str, tuple[str, ...]]:
        named = (self.by, self.column, self.times_column, self.order, *self.where)
        return self.of, tuple(c for c in named if c)


#: The ways to make a column, by the key that names each, in the order they are recognised.
WAYS: Dict[str, type[Made]] = {
    "aggregate": Aggregate,
    "join": Join,
    "text": FromText,
    "first_of": FirstOf,
    "sum": Sum,
    "product": Product,
    "ratio": Ratio,
    "value": FromValue,
    "column": FromColumn,
}


def _way(given: Any) -> str | None:
    if isinstance(given, Made):
        return next(name for name, kind in WAYS.items() if type(given) is kind)
    return next((name for name in WAYS if name in given), None) if isinstance(given, dict) else None


Way = Annotated[
    Annotated[Aggregate, Tag("aggregate")]
    | Annotated[Join, Tag("join")]
    | Annotated[FromText, Tag("text")]
    | Annotated[FirstOf, Tag("first_of")]
    | Annotated[Sum, Tag("sum")]
    | Annotated[Product, Tag("product")]
    | Annotated[Ratio, Tag("ratio")]
    | Annotated[FromValue, Tag("value")]
    | Annotated[FromColumn, Tag("column")],
    Discriminator(
        _way,
        custom_error_type="no_way",
        custom_error_message="does not say how the column is made; give one of " + ", ".join(WAYS),
    ),
]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class SourceFile(Strict):
    """One table of the export: a file of FOLDER (with `table` or `sheet` where the file holds several).

    On reading, in this order: `numbers` and `dates` bring foreign spellings to plain ones, `replace` corrects
    values, `where` keeps some rows, and `add` makes further columns.
    """

    file: Text
    table: Text | None = None
    sheet: Text | None = None
    key: Text | None = None
    numbers: dict[Text, Literal["1,234.5", "1.234,5"]] = {}
    dates: dict[Text, Text] = {}
    replace: dict[Text, dict[Text, str]] = {}
    where: Where = {}
    add: dict[Text, Way] = {}

    @model_validator(mode="after")
    def _sound(self) -> SourceFile:
        if self.table and self.sheet:
            raise ValueError("give `table` or `sheet`, not both")
        parts = self.file.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise ValueError("`file` must lie inside the folder: a relative path without `..`")
        _no_flags(self.where)
        return self


class TableMap(Strict):
    """One of our tables: a row for each row of source `base`, less those whose columns in `needs` are blank."""

    base: Text
    needs: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    columns: dict[Name, Way]

    @model_validator(mode="after")
    def _needs_are_columns(self) -> TableMap:
        strange = [n for n in self.needs if n not in self.columns]
        if strange:
            raise ValueError(f"needs: {', '.join(strange)} not among the columns")
        return self


class Mapping(Strict):
    """A whole mapping file. `tables` is keyed by the names of the data dictionary."""

    name: Text
    about: str = ""
    sources: dict[Name, SourceFile]
    tables: dict[Name, TableMap]


def _no_flags(where: Dict[str, Any]) -> None:
    for column, condition in where.items():
        if any(isinstance(c, bool) for c in (condition if isinstance(condition, list) else [condition])):
            raise ValueError(f"where.{column}: write true or false as the file has it, in quotes")
