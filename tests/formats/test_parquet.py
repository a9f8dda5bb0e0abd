"""Parquet: values come back digit for digit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from optimizer.errors import InputError
from optimizer.formats.base import RawTable
from optimizer.formats.parquet import Parquet


def stored(folder: Path, **columns: object) -> RawTable:
    pq.write_table(pa.table(columns), folder / "accounts.parquet")
    (table,) = Parquet().read(folder / "accounts.parquet")
    return table


def test_ids_numbers_and_dates_become_exact_text(tmp_path: Path) -> None:
    table = stored(
        tmp_path,
        big=pa.array([3000000000000000017], pa.int64()),
        real=pa.array([17.0]),
        odd=pa.array([0.1 + 0.2]),
        huge=pa.array([1e21]),
        money=pa.array([Decimal("1234567890123456.10")]),
        day=pa.array([0], pa.date32()),
        moment=pa.array([1_500_000], pa.timestamp("us")),
        code=pa.array(["007"]).dictionary_encode(),
        flag=pa.array([True]),
    )
    assert table.frame.iloc[0].tolist() == [
        "3000000000000000017",
        "17",
        "0.30000000000000004",
        "1000000000000000000000",
        "1234567890123456.10",
        "1970-01-01",
        "1970-01-01 00:00:01.5",
        "007",
        "true",
    ]
    assert list(table.frame.index) == [2]


def test_nested_columns_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"accounts\.parquet, tags"):
        stored(tmp_path, id=pa.array(["a"]), tags=pa.array([["x", "y"]]))


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.parquet"
    path.write_bytes(b"PAR1 but not really PAR1")
    with pytest.raises(InputError, match="not a Parquet file"):
        Parquet().read(path)


def test_a_small_file_that_claims_billions_of_cells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.formats.parquet.MAX_CELLS", 10)
    with pytest.raises(InputError, match="at most 10 cells"):
        stored(tmp_path, id=pa.array(["a"] * 11))
