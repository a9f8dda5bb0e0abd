"""Numbers, flags and dates: what is clear is taken, what is not is named."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.cast import Dialect, Evidence, cast, is_own_number
from optimizer.errors import Finding, UsageError
from optimizer.places import Place
from optimizer.tables import Kind

EU = Dialect(decimal=",")


def cast_cells(
    kind: Kind, cells: list[str | None], dialect: Dialect | None = None, signs: Evidence | None = None
) -> tuple[list[object], list[Finding]]:
    series = pd.Series(cells, index=range(2, len(cells) + 2), dtype="str")
    typed, findings = cast(series, kind, Place("t", "t.csv", "c"), dialect, signs)
    assert list(typed.index) == list(series.index)
    return [None if pd.isna(value) else value for value in typed], findings


def numbers(*cells: str | None, dialect: Dialect | None = None, kind: Kind = "number") -> list[object]:
    values, findings = cast_cells(kind, list(cells), dialect)
    assert not findings, findings
    return values


def refused(kind: Kind, *cells: str | None, dialect: Dialect | None = None) -> list[int | None]:
    return [finding.row for finding in cast_cells(kind, list(cells), dialect)[1] if finding.severity == "error"]


def test_plain_and_dressed_numbers_are_read() -> None:
    assert numbers("1", "-2.5", "1e3", None, " 7 ", "+4", ".5", "") == [1, -2.5, 1000, None, 7, 4, 0.5, None]
    assert numbers("$1,234.50", "(12.25)", "€ 5.00", "-$3", "7 £", "\u22125", "1,234,567") == [
        1234.5,
        -12.25,
        5,
        -3,
        7,
        -5,
        1234567,
    ]


def test_percent_signs_are_read_where_a_share_is_meant_and_refused_elsewhere() -> None:
    assert numbers("50%", "0.5", "12.5 %", kind="share") == [0.5, 0.5, 0.125]
    assert refused("money", "50%", "1.25") == [2]


def test_a_lone_group_is_taken_only_when_the_column_shows_what_its_comma_means() -> None:
    assert refused("money", "1,234", "950") == [2]
    assert numbers("1,234", "950.50", kind="money") == [1234, 950.5]
    assert refused("money", "1,234", "0,5") == [2, 3]
    assert "--decimal" in cast_cells("money", ["1,234"])[1][0].remedy


def test_the_rest_of_the_table_can_settle_the_decimal_sign() -> None:
    assert cast_cells("money", ["1,234"], None, Evidence(point=True)) == ([1234.0], [])
    assert len(cast_cells("money", ["1,234"], None, Evidence(point=True, comma=True))[1]) == 1


def test_a_declared_dialect_is_followed_to_the_letter() -> None:
    assert numbers("1.234,50", "1.234", "0,5", "7", "(1.000)", dialect=EU) == [1234.5, 1234, 0.5, 7, -1000]
    assert refused("number", "1234.5", "1,234.50", dialect=EU) == [2, 3]
    assert numbers("1 234,5", "1\u00a0234\u00a0567", dialect=Dialect(",", " ")) == [1234.5, 1234567]
    assert numbers("1'234.5", dialect=Dialect(".", "'")) == [1234.5]
    assert numbers("1,234", dialect=Dialect()) == [1234]


def test_an_impossible_dialect_is_refused() -> None:
    for wrong in ({"decimal": ";"}, {"decimal": ",", "thousands": ","}, {"dates": "year"}):
        with pytest.raises(UsageError, match="known"):
            Dialect(**wrong)


def test_points_before_three_digits_everywhere_raise_a_doubt() -> None:
    values, findings = cast_cells("money", ["12.500", "1.250", "800"])
    assert values == [12.5, 1.25, 800]
    assert [(f.severity, f.count) for f in findings] == [("warning", 2)]
    assert not cast_cells("money", ["12.500", "1.25"])[1]


@pytest.mark.parametrize(
    "cell", ["nan", "inf", "-Infinity", "1e999", "x", "1_000", "0x10", "12,34,5", "1 2", "--5", "(-)", "$", "١"]
)
def test_what_is_no_finite_number_is_missing_and_named(cell: str) -> None:
    values, findings = cast_cells("money", ["1", cell])
    assert values == [1, None]
    assert [(f.row, f.column, f.value, f.file) for f in findings] == [(3, "c", cell, "t.csv")]
    assert findings[0].remedy


def test_from_the_21st_wrong_cell_on_they_are_gathered() -> None:
    findings = cast_cells("money", ["x"] * 1000)[1]
    assert len(findings) == 21
    assert sum(f.count for f in findings) == 1000


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_written_by_python_is_read_back(value: float) -> None:
    assert numbers(repr(value)) == [value]


@given(
    st.integers(-(10**12), 10**12),
    st.integers(0, 99),
    st.sampled_from([Dialect(), EU, Dialect(",", " "), Dialect(".", "'")]),
)
def test_grouped_numbers_mean_the_same_in_every_dialect(whole: int, cents: int, dialect: Dialect) -> None:
    text = f"{whole:,}".replace(",", dialect.group) + f"{dialect.decimal}{cents:02d}"
    assert numbers(text, dialect=dialect) == [pytest.approx(float(f"{whole}.{cents:02d}"), rel=1e-15)]


def test_flags_are_yes_or_no_in_any_case() -> None:
    assert cast_cells("flag", ["Yes", "TRUE", "1", "x", "no", "N", "0", " false ", None, ""])[0] == [
        True,
        True,
        True,
        True,
        False,
        False,
        False,
        False,
        None,
        None,
    ]
    assert refused("flag", "maybe", "2", "yes") == [2, 3]


@pytest.mark.parametrize(
    "cells",
    [
        ["2027-01-02"],
        ["2027-01-02T00:00:00.000Z"],
        ["2027/1/2"],
        ["02.01.2027"],
        ["2.1.2027 00:00"],
        ["01/02/2027", "12/31/2027"],
        ["02/01/2027", "31/12/2027"],
        ["01/02/2027 12:00 AM", "1/13/2027"],
    ],
)
def test_dates_in_every_clear_notation_are_the_same_day(cells: list[str]) -> None:
    assert cast_cells("date", cells)[0][0] == datetime(2027, 1, 2)


def test_day_and_month_are_never_guessed() -> None:
    assert refused("date", "01/02/2027", "03/04/2027") == [2, 3]
    assert refused("date", "13/02/2027", "02/13/2027") == [2, 3]
    assert cast_cells("date", ["05/05/2027"])[0] == [datetime(2027, 5, 5)]
    assert cast_cells("date", ["01/02/2027"], Dialect(dates="day"))[0] == [datetime(2027, 2, 1)]
    assert cast_cells("date", ["01/02/2027"], Dialect(dates="month"))[0] == [datetime(2027, 1, 2)]


@pytest.mark.parametrize(
    "cell", ["2027-02-30", "31.04.2027", "45000", "2027", "13/13/2027", "tomorrow", "2027-01-01 25:00", "1.2.27"]
)
def test_days_that_do_not_exist_are_named(cell: str) -> None:
    values, findings = cast_cells("date", [cell, None])
    assert values == [None, None]
    assert [(f.row, f.value) for f in findings] == [(2, cell)]


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))
def test_every_moment_in_iso_notation_is_read_exactly(moment: datetime) -> None:
    series = pd.Series([str(moment)], dtype="str")
    typed, findings = cast(series, "date", Place("t", None, "c"))
    assert not findings
    assert typed.to_numpy()[0] == np.datetime64(moment)


@pytest.mark.parametrize("cells", [["1", "2.5", None], ["-3"], ["0.30000000000000004"]])
def test_own_columns_of_plain_numbers_are_numbers(cells: list[str | None]) -> None:
    assert is_own_number(pd.Series(cells, dtype="str"))


@pytest.mark.parametrize(
    "cells", [["007"], ["1E5"], ["1", "x"], [None], ["1234567890123456"], ["+1"], ["1,5"], ["$5"], [" 1"], ["TRUE"]]
)
def test_own_columns_that_may_be_codes_stay_text(cells: list[str | None]) -> None:
    assert not is_own_number(pd.Series(cells, dtype="str"))
