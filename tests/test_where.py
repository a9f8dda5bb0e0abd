"""The filter of scenario files: a value, a list, a range, or an empty cell."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from optimizer.errors import BookfitError, UsageError
from optimizer.where import Where, mask

FRAME = pd.DataFrame(
    {
        "segment": pd.Series(["SMB", "Mid", None, "SMB"], dtype="str"),
        "skills": pd.Series(["cloud; data", "data", None, "clouds"], dtype="str"),
        "postal": pd.Series(["01234", "1234", "99", None], dtype="str"),
        "potential": pd.Series([100.0, 200.0, None, 300.0]),
        "key_account": pd.Series([True, False, None, True], dtype="boolean"),
        "plain_flag": [True, False, False, True],
        "renewal_date": pd.Series(pd.to_datetime(["2026-01-01", "2026-06-30", None, "2027-01-01"])).astype(
            "datetime64[us]"
        ),
    }
)


def hits(table: str = "account", **where: Any) -> list[int]:
    parsed = TypeAdapter(Where).validate_python(where)
    return [i for i, hit in enumerate(mask(FRAME, parsed, table)) if hit]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"segment": "SMB"}, [0, 3]),
        ({"segment": ["SMB", "Mid"]}, [0, 1, 3]),
        ({"segment": []}, []),
        ({"segment": "smb"}, []),
        ({"segment": "none such"}, []),
        ({"skills": "data"}, [0, 1]),
        ({"skills": "cloud"}, [0]),
        ({"skills": "cloud; data"}, [0]),
        ({"postal": "1234"}, [1]),
        ({"postal": 1234}, [1]),
        ({"key_account": True}, [0, 3]),
        ({"key_account": False}, [1]),
        ({"plain_flag": False}, [1, 2]),
        ({"key_account": [True, False]}, [0, 1, 3]),
        ({"potential": 200}, [1]),
        ({"potential": [100, 300.0]}, [0, 3]),
        ({"potential": {"min": 200}}, [1, 3]),
        ({"potential": {"max": 200}}, [0, 1]),
        ({"potential": {"min": 100.5, "max": 299}}, [1]),
        ({"potential": {"min": 300, "max": 100}}, []),
        ({"potential": {"missing": True}}, [2]),
        ({"segment": {"missing": False}}, [0, 1, 3]),
        ({"renewal_date": {"min": date(2026, 6, 30)}}, [1, 3]),
        ({"renewal_date": {"max": datetime(2026, 6, 30, 12)}}, [0, 1]),
        ({"renewal_date": {"min": date(2026, 1, 1), "max": date(2026, 12, 31)}}, [0, 1]),
        pytest.param({"renewal_date": date(2026, 1, 1)}, [0]),
        pytest.param({"renewal_date": [date(2026, 1, 1), date(2027, 1, 1)]}, [0, 3]),
        ({"segment": "SMB", "potential": {"min": 200}}, [3]),
        ({"account.segment": "SMB"}, [0, 3]),
        ({"rep.segment": "Mid"}, [0, 1, 2, 3]),
    ],
)
def test_a_filter_holds_for_these_rows(where: dict[str, Any], rows: list[int]) -> None:
    assert hits(**where) == rows


def test_conditions_on_the_other_table_are_passed_over() -> None:
    both = {"account.segment": "SMB", "rep.segment": "Mid"}
    assert hits(**both) == [0, 3]
    assert hits("rep", **both) == [1]


@pytest.mark.parametrize("table", ["account", "rep"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(table: str) -> None:
    with pytest.raises(UsageError, match=f"column of the {table}s table in where 'segmnt'; known: .*segment"):
        hits(table, **{f"{table}.segmnt": "SMB"})


@pytest.mark.parametrize(
    "where",
    [
        {"segment": {"min": 3}},
        {"potential": {"min": date(2026, 1, 1)}},
        pytest.param({"renewal_date": {"min": 5.0}}),
    ],
)
def test_a_range_of_another_kind_is_a_finding_not_a_crash(where: dict[str, Any]) -> None:
    with pytest.raises(BookfitError):
        hits(**where)


@pytest.mark.parametrize(
    "where",
    [
        {"segment": None}, {"segment": {}}, {"potential": {"min": float("nan")}}, {"potential": {"min": float("inf")}},
        {"potential": {"mni": 3}}, {"potential": {"min": 1, "missing": True}}, {"segment": [["SMB"]]},
    ],
)  # fmt: skip
def test_anything_else_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        hits(**where)


def test_a_filter_never_evaluates_anything() -> None:
    assert hits(segment="__import__('os').getcwd()") == []
