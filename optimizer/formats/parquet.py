"""Parquet: one typed table a file; the fastest way in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.errors import Finding, Findings, InputError
from optimizer.formats.base import (
    RawTable,
    headed,
    letters,
    numbered,
    replacing,
    series_text,
    targets,
    text_frame,
    unreadable,
    without_blank_rows,
)

#: Rows × columns of one file; a few kilobytes of Parquet can claim billions.
MAX_CELLS = 200_000_000


@dataclass(frozen=True, slots=True)
class Parquet:
    """One table a file. Whole numbers, decimals and dates come back digit for digit."""

    name: str = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq")

    def read(self, path: Path) -> tuple[RawTable, ...]:
        """The one table of the file, its values as canonical text."""
        file, name = path.name, path.name.split(".")[0]
        try:
            with pq.ParquetFile(path) as source:
                meta = source.metadata
                if meta.num_rows * meta.num_columns > MAX_CELLS:
                    raise unreadable(
                        file,
                        f"holds {meta.num_rows:,} rows × {meta.num_columns:,} columns; at most "
                        f"{MAX_CELLS:,} cells are read",
                        "split it, or drop columns",
                    )
                table = source.read()
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise unreadable(file, f"is not a Parquet file we can read: {error}", "write it again") from None
        nested = [c for c in table.schema if pa.types.is_nested(c.type) or pa.types.is_duration(c.type)]
        if nested:
            raise InputError(
                Findings.of(
                    Finding(
                        name,
                        f"the column holds {c.type}, not plain values",
                        "store one value a cell; join lists with ';'",
                        column=c.name,
                        file=file,
                    )
                    for c in nested
                )
            )
        titles = [title or "" for title in table.column_names]
        try:
            frame = text_frame(table.rename_columns([letters(i) for i in range(len(titles))]), numbered(table.num_rows))
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise unreadable(
                file, f"holds values that are not text, numbers or dates: {error}", "write plain columns"
            ) from None
        frame = without_blank_rows(headed(frame, titles, name, file))
        return (RawTable(name, file, frame, typed=True),)

    def write(self, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
        """A file per table, with types; columns of mixed objects are written as text."""
        for name, target in targets(frames, path, self.suffixes).items():
            frame = frames[name]
            columns = [
                pa.array(series_text(frame[t]) if frame[t].dtype == object else frame[t], from_pandas=True)
                for t in frame.columns
            ]
            with replacing(target) as temporary:
                pq.write_table(pa.table(columns, names=[str(t) for t in frame.columns]), temporary, compression="zstd")
