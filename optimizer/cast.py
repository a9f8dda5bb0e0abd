"""From text to types: numbers in any declared dialect, flags, dates; every wrong cell is a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.days import days_of
from optimizer.errors import Finding, unknown
from optimizer.places import Mask, Place, mask_of
from optimizer.tables import DTYPES, Kind

Cells: TypeAlias = "pa.ChunkedArray"
Complaint: TypeAlias = "tuple[Mask, str, str]"

#: Kinds for which `12%` may mean 0.12.
_PERCENT_KINDS = ("share", "number", "factor")
_YES, _NO = ("true", "yes", "y", "1", "x", "t"), ("false", "no", "n", "0", "f")
_GROUPED = r"(\d,\d{3}\.\d+|\d,\d{3},\d{3})\D*$"
_POINT = r"(\d\.\d{1,2}|\d\.\d{4,}|\d,\d{3}\.\d+|\d,\d{3},\d{3})\D*$"
_COMMA = r"(\d,\d{1,2}|\d,\d{4,}|\d\.\d{3},\d+|\d\.\d{3}\.\d{3})\D*$"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How text files write numbers and dates. Declared by the user, never guessed.

    `decimal` is `.` or `,`; `thousands` groups digits by three (`,`, `.`, `'`, a space, or empty for
    none; left out it is whichever of point and comma is not the decimal sign); `dates` is `day` for
    31/12/2027, `month` for 12/31/2027, empty when the column must tell. Raises `UsageError` for others.
    """

    decimal: str = "."
    thousands: str | None = None
    dates: str = ""

    def __post_init__(self) -> None:
        for option, value, known in (
            ("decimal sign", self.decimal, (".", ",")),
            ("thousands separator", self.group, tuple({",", ".", "'", " ", ""} - {self.decimal})),
            ("order of dates", self.dates, ("", "day", "month")),
        ):
            if value not in known:
                raise unknown(option, value, map(repr, known))

    @classmethod
    def said(cls, decimal: str = "", dates: str = "") -> Dialect | None:
        """The dialect a user named on the command line or on the screen; None where nothing was said."""
        return cls(decimal or ".", None, dates) if decimal or dates else None

    @property
    def group(self) -> str:
        """The sign between groups of three digits, empty for none."""
        return (",." if self.decimal == "." else ".,")[0] if self.thousands is None else self.thousands


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the numbers of a table tell about its decimal sign: some cell that can only be one or the other."""

    point: bool = False
    comma: bool = False


def evidence(columns: Iterable[pd.Series[Any]], typed: bool = False) -> Evidence:
    """Look for cells such as `1,234.50` or `0.5` (a point) and `1.234,50` or `0,5` (a comma).

    In `typed` files a lone point proves nothing: there it is how stored numbers are shown.
    """
    point = comma = False
    for column in columns:
        cells = _arrow(column)
        point = point or bool(mask_of(pc.match_substring_regex(cells, _GROUPED if typed else _POINT)).any())
        comma = comma or bool(mask_of(pc.match_substring_regex(cells, _COMMA)).any())
    return Evidence(point, comma)


def cast(
    cells: pd.Series[Any], kind: Kind, place: Place, dialect: Dialect | None = None, signs: Evidence | None = None
) -> tuple[pd.Series[Any], list[Finding]]:
    """A text column as its typed twin (`DTYPES[kind]`), a wrong cell missing and named in a finding.

    Without a dialect, plain numbers, currency signs, (negatives) and unambiguous `1,234.50` are taken;
    `signs` is what the other columns of the table say about the decimal sign. Ids, texts and lists
    come back as they are.
    """
    dtype = DTYPES[kind]
    if dtype == "str":
        return cells.astype("str"), []
    if dtype == "float64":
        return _numbers(cells, kind, place, dialect, signs)
    text = _trimmed(_arrow(cells))
    if dtype == "boolean":
        return _flags(cells, text, place)
    return _dates(cells, text, place, dialect)


def is_own_number(cells: pd.Series[Any], decimal: str = ".") -> bool:
    """Whether a column outside the dictionary holds numbers: every filled cell is a plain decimal number
    without leading zeros, exponent, or more than 15 digits before the point."""
    text = _arrow(cells).drop_null()
    pattern = rf"^-?(0|[1-9]\d{{0,14}})(\{decimal}\d+)?$"
    return len(text) > 0 and all(
        mask_of(pc.match_substring_regex(t, pattern)).all() for t in (text[:1000], text[1000:])
    )


def _numbers(
    cells: pd.Series[Any], kind: Kind, place: Place, dialect: Dialect | None, signs: Evidence | None
) -> tuple[pd.Series[Any], list[Finding]]:
    raw = _arrow(cells)
    findings: list[Finding] = []
    values = _plain(raw) if dialect is None or dialect.decimal == "." else None
    if values is None:
        doubt = dialect is None
        if doubt and signs is None:
            signs = evidence([cells])
        settled = signs is not None and signs.point and not signs.comma
        values, complaints = _parsed(raw, dialect or Dialect(), kind in _PERCENT_KINDS, doubt and not settled)
        for mask, problem, remedy in complaints:
            findings += place.findings(cells.index, _shown(cells), mask, problem, remedy)
    if dialect is None and kind in ("money", "hours", "count"):
        findings += _like_thousands(raw, cells, place)
    return pd.Series(values, cells.index, name=cells.name, dtype="float64"), findings


def _parsed(
    raw: Cells, dialect: Dialect, percents: bool, doubt: bool
) -> tuple[npt.NDArray[np.float64], list[Complaint]]:
    """The numbers in a dialect, NaN where there is none, and which cells to complain about, why, and what to do.

    With `doubt`, a lone `1,234` is refused, since nothing in the table tells what its comma means.
    """
    text, percent = _undressed(raw)
    good, ready, single = _separated(text, dialect)
    wrong = mask_of(pc.not_equal(_trimmed(raw), "")) & ~good
    if not percents:
        wrong |= percent
    unclear = single & ~wrong & doubt
    usable = good & ~wrong & ~unclear
    values = np.full(len(raw), np.nan)
    values[usable] = ready.filter(pa.array(usable)).cast(pa.float64()).to_numpy()
    values[usable & percent] /= 100
    infinite = wrong & mask_of(pc.match_substring_regex(text, r"(?i)^[+-]?(nan|inf|infinity)$"))
    infinite |= usable & ~np.isfinite(values)
    values[infinite] = np.nan
    comma = wrong & ~infinite & (dialect.decimal == ".") & mask_of(pc.match_substring_regex(raw, _COMMA))
    example = "1,234.50" if dialect.decimal == "." else "1.234,50"
    return values, [
        (
            unclear,
            "may be thousands or a decimal comma",
            "say how numbers are written (decimal point or comma; --decimal on the command line)",
        ),
        (
            comma,
            "looks like a decimal comma, not a decimal point",
            "say that numbers have a decimal comma (--decimal , on the command line)",
        ),
        (infinite, "is not a finite number", "give a number, or leave the cell empty"),
        (wrong & ~comma & ~infinite, "is not a number", f"write it like {example}, or leave the cell empty"),
    ]


def _plain(cells: Cells) -> npt.NDArray[np.float64] | None:
    """The numbers, where every filled cell is a plain finite one; None otherwise. The fast way."""
    try:
        numbers = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    finite = pc.all(pc.is_finite(numbers)).as_py()
    return numbers.to_numpy().astype("float64") if finite is not False else None


def _undressed(cells: Cells) -> tuple[Cells, Mask]:
    """Cells without spaces around, currency and percent signs, with `(5)` as `-5`; and which had a percent sign."""
    text = pc.replace_substring(_trimmed(cells), "\u2212", "-")
    percent = mask_of(pc.ends_with(text, "%"))
    for pattern, instead in (
        (r"^\(([^()-]*)\)$", r"-\1"),
        (r"^([+-]?)\s*[$€£]\s*", r"\1"),
        (r"\s*[$€£%]$", ""),
        (r"^-\s+", "-"),
    ):
        text = pc.replace_substring_regex(text, pattern, instead)
    return text, percent


def _separated(text: Cells, dialect: Dialect) -> tuple[Mask, Cells, Mask]:
    """Which cells are numbers in the dialect, all cells in plain notation, and which hold one comma group only."""
    point = rf"\{dialect.decimal}"
    simple = mask_of(pc.match_substring_regex(text, rf"^[+-]?(\d+({point}\d*)?|{point}\d+)([eE][+-]?\d{{1,3}})?$"))
    grouped = single = np.zeros(len(text), bool)
    if dialect.group:
        group = {" ": "[ \u00a0\u202f]", "'": "['\u2019]"}.get(dialect.group, rf"\{dialect.group}")
        grouped = mask_of(pc.match_substring_regex(text, rf"^[+-]?\d{{1,3}}({group}\d{{3}})+({point}\d*)?$"))
    if grouped.any():
        text = pc.if_else(pa.array(grouped), pc.replace_substring_regex(text, group, ""), text)
        single = grouped & mask_of(pc.match_substring_regex(text, r"^[+-]?\d{4,6}$"))
    return simple | grouped, pc.replace_substring(text, dialect.decimal, "."), single


def _like_thousands(raw: Cells, cells: pd.Series[Any], place: Place) -> Iterator[Finding]:
    """Warn where every point in a column of amounts is followed by exactly three digits: `12.500`."""
    if not pc.any(pc.match_substring(raw, ".")).as_py():
        return
    pointed = mask_of(pc.match_substring(raw, "."))
    three = mask_of(pc.match_substring_regex(raw, r"^[^\d]*[1-9]\d{0,2}\.\d{3}\D*$"))
    if (pointed == three).all():
        at = int(np.flatnonzero(three)[0])
        yield Finding(
            place.table,
            "was read with a decimal point, but every point in the column is followed by three digits",
            "say that numbers have a decimal comma if these are thousands (--decimal , on the command line)",
            int(cells.index[at]),
            place.column,
            _shown(cells)(at),
            "warning",
            place.file,
            int(three.sum()),
        )


def _flags(cells: pd.Series[Any], text: Cells, place: Place) -> tuple[pd.Series[Any], list[Finding]]:
    lower = pc.utf8_lower(text)
    yes, no = (mask_of(pc.is_in(lower, pa.array(words, lower.type))) for words in (_YES, _NO))
    wrong = mask_of(text.is_valid()) & mask_of(pc.not_equal(text, "")) & ~yes & ~no
    typed = pd.Series(pd.arrays.BooleanArray(yes, ~(yes | no)), cells.index, name=cells.name)
    return typed, list(
        place.findings(
            cells.index,
            _shown(cells),
            wrong,
            "is neither yes nor no",
            "write yes or no (also true, false, 1, 0), or leave the cell empty",
        )
    )


def _dates(
    cells: pd.Series[Any], text: Cells, place: Place, dialect: Dialect | None
) -> tuple[pd.Series[Any], list[Finding]]:
    moments, unclear, wrong = days_of(text, dialect.dates if dialect else "")
    typed = pd.Series(moments, cells.index, name=cells.name, dtype="datetime64[us]")
    findings = [
        *place.findings(
            cells.index,
            _shown(cells),
            unclear,
            "may be day/month or month/day",
            "write 2027-12-31, or say whether the day or the month comes first (--dates on the command line)",
        ),
        *place.findings(
            cells.index, _shown(cells), wrong, "is not a date", "write it as 2027-12-31, or leave the cell empty"
        ),
    ]
    return typed, findings


def _arrow(cells: pd.Series[Any]) -> Cells:
    """A text column as Arrow strings, empty cells null."""
    given = pa.array(cells, pa.large_string(), from_pandas=True)
    return given if isinstance(given, pa.ChunkedArray) else pa.chunked_array([given])


def _trimmed(cells: Cells) -> Cells:
    return pc.utf8_trim_whitespace(cells)


def _shown(cells: pd.Series[Any]) -> Callable[[int], str | None]:
    return lambda at: None if pd.isna(cells.iloc[at]) else str(cells.iloc[at])
