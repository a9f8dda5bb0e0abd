"""CSV and its relatives: any of `, ; tab |`, UTF-8, UTF-16 or Windows-1252, plain or gzipped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from optimizer.errors import Finding, Findings, InputError
from optimizer.formats._scan import decode, load, records, row_at, sniff
from optimizer.formats.base import (
    ROW,
    SHOWN,
    RawTable,
    arrow_text,
    headed,
    replacing,
    targets,
    unreadable,
    without_blank_rows,
)

_BATCH = 100_000


@dataclass(frozen=True, slots=True)
class Csv:
    """One table a file; written as UTF-8 with commas, quoted only where a cell needs it."""

    name: str = "csv"
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")

    def read(self, path: Path) -> tuple[RawTable, ...]:
        """The one table of the file, every cell text; rows that do not fit the header are findings."""
        file = path.name
        name = file.split(".")[0]
        data, findings = decode(load(path), file)
        data, delimiter = _declared(data)
        if not data.strip():
            raise unreadable(file, "the file is empty", "give a header row and the rows below it")
        nul = data.find(b"\0")
        if nul >= 0:
            raise unreadable(
                file,
                f"the file holds {data.count(0)} NUL characters",
                "export it again; the file is damaged",
                row_at(data, nul),
                findings=findings,
            )
        delimiter = delimiter or sniff(data)
        raw = _fast(data, delimiter, name, file) or _careful(data, delimiter, name, file)
        return (RawTable(name, file, raw.frame, findings + raw.findings),)

    def write(self, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
        """A file per table. Raises `InputError` for text with a NUL character, which CSV cannot carry."""
        ready = {name: _arrow(name, frame) for name, frame in frames.items()}
        for name, target in targets(frames, path, self.suffixes).items():
            with replacing(target) as temporary:
                _write(ready[name], temporary)


def _declared(data: bytes) -> tuple[bytes, str]:
    """Excel's own first line `sep=;`, which a spreadsheet does not count as a row."""
    if data[:4].lower() == b"sep=" and data[5:7].rstrip(b"\r\n") == b"" and data[4:5] in b",;\t|":
        return data[data.find(b"\n") + 1 :], data[4:5].decode()
    return data, ""


def _fast(data: bytes, delimiter: str, name: str, file: str) -> RawTable | None:
    """Read with Arrow, whole columns at once; None when anything about the file is unusual."""
    where = records(data, delimiter)
    if where is None:
        return None
    rows = np.flatnonzero(where.ends > where.starts)
    first = rows[0]
    header = next(
        csv.reader([data[where.starts[first] : where.ends[first]].decode()], delimiter=delimiter, strict=True)
    )
    if not any(title.strip() for title in header):
        return None
    names = [str(i) for i in range(len(header))]
    body = pa.py_buffer(data)[int(where.starts[first + 1]) :] if len(rows) > 1 else None
    text = pa.large_string()
    if body is not None and data.startswith(b"\xef\xbb\xbf", where.starts[first + 1]):
        return None  # Arrow takes these first bytes of a cell for a byte-order mark
    if body is None:
        table = pa.table({n: pa.array([], text) for n in names})
    else:
        try:
            table = pacsv.read_csv(
                pa.BufferReader(body),
                pacsv.ReadOptions(column_names=names, block_size=1 << 23),
                pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=b'"' in data),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, text), strings_can_be_null=True, null_values=[""]
                ),
            )
        except pa.ArrowInvalid:
            return None
    if table.num_rows != len(rows) - 1:
        return None
    frame = table.to_pandas().astype("str")
    frame.index = pd.Index(rows[1:] + 1, name=ROW)
    return RawTable(name, file, headed(without_blank_rows(frame), header, name, file, int(first) + 1))


def _careful(data: bytes, delimiter: str, name: str, file: str) -> RawTable:
    """Read record by record; ragged rows become findings, broken quotes end the reading."""
    header: list[str] = []
    header_row, numbers, batch = 0, [], []
    parts: list[pd.DataFrame] = []
    ragged: list[tuple[int, list[str]]] = []
    for row, record in _records(data.decode(), delimiter, file):
        if not any(record) or (len(record) == 1 != len(header) and not record[0].strip()):
            continue
        if not header:
            header, header_row = (record, row) if any(title.strip() for title in record) else ([], 0)
        elif len(record) != len(header):
            ragged.append((row, record))
        else:
            numbers.append(row)
            batch.append(record)
            if len(batch) == _BATCH:
                parts.append(_text(batch, len(header)))
                batch = []
    parts.append(_text(batch, len(header)))
    frame = pd.concat(parts, ignore_index=True)
    frame.index = pd.Index(numbers, dtype="int64", name=ROW)
    return RawTable(
        name,
        file,
        headed(frame, header, name, file, header_row),
        Findings.of(_ragged(ragged, len(header), delimiter, name, file)),
    )


def _records(text: str, delimiter: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Spreadsheet row number and cells of every record. Raises `InputError` where quoting is broken."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        line = reader.line_num
        try:
            yield row, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            start = re.split("\r\n|\r|\n", text)[line]
            problem = (
                "a quote is opened and never closed"
                if "end of data" in str(error)
                else "text follows a closing quote, or a quote is not closed"
                if "expected after" in str(error)
                else f"the quoting is broken: {error}"
            )
            raise unreadable(
                file,
                f"{problem}; nothing from here on was read",
                'close the quote; write a quote inside a quoted cell twice: ""',
                row,
                start,
            ) from None


def _ragged(
    rows: Sequence[tuple[int, list[str]]], width: int, delimiter: str, name: str, file: str
) -> Iterator[Finding]:
    remedy = "quote cells that hold the separator, and give every row as many cells as the header"
    for row, cells in rows[:SHOWN]:
        yield Finding(
            name,
            f"the row has {len(cells)} cells, the header has {width}; it was not read",
            remedy,
            row,
            None,
            delimiter.join(cells),
            file=file,
        )
    if len(rows) > SHOWN:
        row, cells = rows[SHOWN]
        yield Finding(
            name,
            f"more rows whose number of cells is not {width}; they were not read",
            remedy,
            row,
            None,
            delimiter.join(cells),
            file=file,
            count=len(rows) - SHOWN,
        )


def _text(batch: list[list[str]], width: int) -> pd.DataFrame:
    columns = list(zip(*batch, strict=True)) or [()] * width
    return pd.DataFrame({i: pd.Series([c or None for c in cells], dtype="str") for i, cells in enumerate(columns)})


def _arrow(name: str, frame: pd.DataFrame) -> pa.Table:
    columns = []
    for title in frame.columns:
        cells = arrow_text(frame[title])
        at = pc.index(pc.match_substring(cells, "\0"), True).as_py()
        if at >= 0:
            problem = "text holds a NUL character, which CSV cannot carry"
            raise InputError(
                Findings((Finding(name, problem, "remove it", int(frame.index[at]), str(title), cells[at].as_py()),))
            )
        columns.append(cells)
    return pa.table(columns, names=[str(title) for title in frame.columns])


def _write(table: pa.Table, path: Path) -> None:
    try:
        pacsv.write_csv(table, path, pacsv.WriteOptions(quoting_style="none", quoting_header="none"))
    except pa.ArrowInvalid:
        pacsv.write_csv(table, path, pacsv.WriteOptions(quoting_style="needed"))
