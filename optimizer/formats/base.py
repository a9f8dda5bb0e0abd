"""What a file format must do, and what all of them share: raw tables, canonical text, safe writing."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.errors import Finding, Findings, InputError

#: Name of the index that holds spreadsheet row numbers.
ROW = "row"
#: Wrong cells or rows named one by one; the rest is gathered into one finding.
SHOWN = 20


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as the file has it: every cell text, nothing interpreted.

    `name` is the file's stem or the sheet's name, `file` what the user calls it. `frame` has the
    columns of the file in its order, dtype `str` (NaN = empty cell), and the index `row`: the row
    number a spreadsheet shows (header = 1). `findings` holds what could not be taken as it stood.
    `typed` is true where the file stores numbers as numbers, so that no dialect applies to them.
    """

    name: str
    file: str
    frame: pd.DataFrame
    findings: Findings = Findings()
    typed: bool = False


class Format(Protocol):
    """One way to store tables. A complete small example, one JSON object a line::

        @dataclass(frozen=True, slots=True)
        class JsonLines:
            name: str = "jsonl"
            suffixes: tuple[str, ...] = (".jsonl",)

            def read(self, path: Path) -> tuple[RawTable, ...]:
                try:
                    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
                except ValueError as error:
                    raise unreadable(path.name, f"is not JSON lines: {error}", "export it again") from None
                frame = text_frame(pa.Table.from_pylist(rows), numbered(len(rows)))
                return (RawTable(path.stem, path.name, frame, typed=True),)

            def write(self, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
                for name, target in targets(frames, path, self.suffixes).items():
                    with replacing(target) as temporary:
                        frames[name].to_json(temporary, orient="records", lines=True)

    and one line in `formats/__init__.py`.
    """

    @property
    def name(self) -> str:
        """What the user calls it: `csv`, `excel`, `parquet`."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """File endings it reads, lower case; the first is the one it writes."""

    def read(self, path: Path) -> tuple[RawTable, ...]:
        """Every table in the file. Raises `InputError`, and nothing else, for content it cannot use."""

    def write(self, frames: Mapping[str, pd.DataFrame], path: Path) -> None:
        """Write typed frames so that `read` gives the same cells back; whole files or nothing.

        `path` is one file, or a folder for formats with a file per table. Raises `InputError` for a
        cell the format cannot hold.
        """


def unreadable(
    file: str,
    problem: str,
    remedy: str,
    row: int | None = None,
    value: str | None = None,
    findings: Findings = Findings(),
) -> InputError:
    """The error for a file that cannot be used at all, after the `findings` made before it."""
    found = Finding(Path(file).stem, problem, remedy, row, None, value, file=file)
    return InputError(findings + Findings((found,)))


def numbered(count: int) -> pd.Index[int]:
    """Row numbers of `count` rows directly below the header."""
    return pd.Index(np.arange(2, count + 2), name=ROW)


def headed(frame: pd.DataFrame, header: Sequence[str], name: str, file: str, row: int = 1) -> pd.DataFrame:
    """`frame` with the columns of `header`; empty columns without a header are left out.

    Raises `InputError` naming every duplicate header and every blank header above filled cells.
    """
    findings = []
    keep = []
    for place, title in enumerate(header):
        blank = not title.strip()
        if not blank:
            keep.append(place)
        elif frame.iloc[:, place].notna().any():
            findings.append(
                Finding(
                    name,
                    f"the header of column {letters(place)} is blank but the column has cells",
                    "give the column a name or delete it",
                    row,
                    file=file,
                )
            )
    for title, times in Counter(header[place] for place in keep).items():
        if times > 1:
            findings.append(
                Finding(
                    name,
                    f"the header appears {times} times; each may appear once",
                    "rename or delete all but one of these columns",
                    row,
                    title,
                    file=file,
                )
            )
    if not keep and not findings:
        findings.append(Finding(name, "there is no header row", "put the column names in the first row", file=file))
    if findings:
        raise InputError(Findings.of(findings))
    chosen = frame.iloc[:, keep]
    chosen.columns = pd.Index([header[place] for place in keep], dtype="str")
    return chosen


def letters(place: int) -> str:
    """The spreadsheet's name of a column counted from 0: A, B, … Z, AA."""
    before = letters(place // 26 - 1) if place >= 26 else ""
    return before + chr(ord("A") + place % 26)


def without_blank_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` without rows whose cells are all empty; the others keep their row numbers."""
    if not frame.shape[1] or not frame.iloc[:, 0].isna().any():
        return frame
    return frame[frame.notna().any(axis=1)]


def text_frame(table: pa.Table, index: pd.Index[Any]) -> pd.DataFrame:
    """An Arrow table as a frame of canonical text. Raises `TypeError` for nested columns."""
    columns = [text_of(table.column(i)) for i in range(table.num_columns)]
    frame = pa.table(columns, names=[str(i) for i in range(len(columns))]).to_pandas()
    frame = frame.astype("str") if columns else pd.DataFrame(index=range(table.num_rows))
    frame.index = index
    frame.columns = pd.Index(table.column_names, dtype="str")
    return frame


def series_text(series: pd.Series[Any]) -> pd.Series[Any]:
    """Any column as canonical text (see `text_of`)."""
    cells: pd.Series[Any] = arrow_text(series).to_pandas().astype("str")
    cells.index, cells.name = series.index, series.name
    return cells


def arrow_text(series: pd.Series[Any]) -> pa.ChunkedArray:
    """Any column as canonical text in Arrow (see `text_of`); mixed objects are written one by one."""
    try:
        given = pa.array(series, from_pandas=True)
        return text_of(given if isinstance(given, pa.ChunkedArray) else pa.chunked_array([given]))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, TypeError):
        written = [None if pd.isna(value) is True else cell_text(value) or None for value in series]
        return pa.chunked_array([pa.array(written, pa.large_string())])


def text_of(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells of any plain Arrow type as text that loses nothing: `17`, not `17.0`; ISO dates; no exponents.

    Empty text becomes null. Raises `TypeError` for lists, structures and other nested types.
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return text_of(cells.cast(kind.value_type))
    if pa.types.is_floating(kind):
        text = _without_exponents(cells.cast(pa.float64()))
    elif pa.types.is_decimal(kind):
        text = pa.chunked_array(
            [pa.array([None if v is None else format(v, "f") for v in cells.to_pylist()], pa.string())]
        )
    elif pa.types.is_timestamp(kind):
        text = _iso(cells)
    elif pa.types.is_nested(kind) or pa.types.is_duration(kind):
        raise TypeError(f"cells of type {kind} are not plain values")
    else:
        text = cells.cast(pa.large_string())
    text = text.cast(pa.large_string())
    return pc.if_else(pc.equal(pc.binary_length(text), 0), pa.scalar(None, pa.large_string()), text)


def cell_text(value: object) -> str:
    """One Python value as canonical text."""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        return np.format_float_positional(value, trim="-") if np.isfinite(value) else str(value)
    if isinstance(value, pd.Timestamp):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return value if isinstance(value, str) else str(value).removesuffix(" 00:00:00")


def _iso(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments as `2027-12-31`, with the time only where it is not midnight."""
    days = cells.cast(pa.date32(), safe=False)
    if cells.type.tz is None and pc.all(pc.equal(days.cast(cells.type), cells)).as_py() is not False:
        return days.cast(pa.string())
    text = pc.replace_substring_regex(cells.cast(pa.string()), r"(\.\d*?)0+(Z?)$", r"\1\2")
    return pc.replace_substring_regex(pc.replace_substring_regex(text, r"\.(Z?)$", r"\1"), r" 00:00:00$", "")


def _without_exponents(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Shortest text that reads back as the same number, written without an exponent."""
    text = cells.cast(pa.large_string())
    tiny_or_huge = pc.fill_null(pc.and_(pc.match_substring(text, "e"), pc.is_finite(cells)), False)
    if not pc.any(tiny_or_huge).as_py():
        return text
    written = [np.format_float_positional(v, trim="-") for v in cells.filter(tiny_or_huge).to_pylist()]
    return pa.chunked_array(
        [
            pc.replace_with_mask(
                text.combine_chunks(), tiny_or_huge.combine_chunks(), pa.array(written, pa.large_string())
            )
        ]
    )


def targets(frames: Mapping[str, pd.DataFrame], path: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """Where each table goes: `path` itself for one table and a file name, else a file each in the folder."""
    if len(frames) == 1 and path.name.lower().endswith(suffixes):
        return dict.fromkeys(frames, path)
    return {name: path / f"{name}{suffixes[0]}" for name in frames}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place only when the block ends well (fsync, rename)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
