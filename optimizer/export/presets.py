"""CSV for a named reader. A preset is chosen, never guessed; to add one, a line in `PRESETS`.

Text that a spreadsheet would take for a formula gets an apostrophe in front in the Excel presets; `undo_prefix` takes
exactly those away again. Numbers are never touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.errors import Finding, InputError, UsageError, unknown
from optimizer.formats.base import replacing, series_text
from optimizer.formats.excel import MAX_ROWS

ROWS_AT_ONCE = 1 << 16
#: what a spreadsheet may run, after any apostrophes and blanks: = + - @ tab CR LF and the full-width forms
DANGEROUS = "^'*[ \u00a0]*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"


@dataclass(frozen=True, slots=True)
class Preset:
    """One way to write CSV. `guarded` puts an apostrophe before text that a spreadsheet would run."""

    name: str
    meaning: str
    delimiter: str = ","
    bom: bool = False
    decimal: str = "."
    guarded: bool = False


PRESETS: tuple[Preset, ...] = (
    Preset("plain", "RFC 4180: UTF-8, commas, CRLF; every cell as it is"),
    Preset("excel-us", "double-click in an English Excel: byte-order mark, commas", bom=True, guarded=True),
    Preset(
        "excel-eu",
        "double-click in a continental European Excel: byte-order mark, semicolons, decimal commas",
        delimiter=";",
        bom=True,
        decimal=",",
        guarded=True,
    ),
)


def preset_named(name: str) -> Preset:
    """The preset of that name. Raises `UsageError` listing the known ones."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise unknown("CSV preset", name, [preset.name for preset in PRESETS])


def write_csv(frame: pd.DataFrame, path: Path, preset: str | Preset = "plain") -> None:
    """Write the frame, whole or not at all. Missing and infinite cells are empty; dates are ISO.

    Raises `UsageError` for more rows than Excel shows (Excel presets) and `InputError` for text with a NUL character.
    """
    preset = preset_named(preset) if isinstance(preset, str) else preset
    if preset.guarded and len(frame) >= MAX_ROWS:
        raise UsageError(f"{len(frame):,} rows: Excel opens {MAX_ROWS:,} at most; use the preset plain")
    columns = [_cells(frame[title], str(title), preset) for title in frame.columns]
    header = _quoted(pa.array([str(title) for title in frame.columns], pa.large_string()), preset.delimiter)
    with replacing(path) as temporary, temporary.open("wb") as out:
        out.write(b"\xef\xbb\xbf" if preset.bom else b"")
        out.write((preset.delimiter.join(header.to_pylist()) + "\r\n").encode())
        for first in range(0, len(frame), ROWS_AT_ONCE):
            out.write(_lines([column.slice(first, ROWS_AT_ONCE) for column in columns], preset.delimiter))
        out.flush()


def guard(cells: pd.Series) -> pd.Series:
    """Text with an apostrophe before whatever a spreadsheet would run."""
    return cells.where(~_dangerous(cells), "'" + cells)


def undo_prefix(cells: pd.Series) -> pd.Series:
    """The text as it was before `guard`; text that `guard` would have left alone stays as it is."""
    prefixed = _dangerous(cells) & cells.str.startswith("'", na=False).to_numpy(dtype=bool)
    return cells.where(~prefixed, cells.str.slice(1))


def _dangerous(cells: pd.Series) -> np.ndarray:
    text = pa.array(cells, pa.large_string(), from_pandas=True)
    return np.asarray(pc.fill_null(pc.match_substring_regex(text, DANGEROUS), False))


def _cells(column: pd.Series, title: str, preset: Preset) -> pa.Array:
    kind = column.dtype
    number = pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind)
    if number and pd.api.types.is_float_dtype(kind):
        column = column.where(np.isfinite(column.to_numpy(dtype=float, na_value=np.nan)))
    cells = series_text(column)
    plain_text = isinstance(kind, pd.StringDtype) or pd.api.types.is_object_dtype(kind)
    if plain_text and preset.guarded:
        cells = guard(cells)
    text: Any = pa.array(cells, pa.large_string(), from_pandas=True)
    text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    if number:
        return (
            text
            if preset.decimal == "."
            else _quoted(pc.replace_substring(text, ".", preset.decimal), preset.delimiter)
        )
    if pc.any(pc.match_substring(text, "\0")).as_py():
        raise InputError.single(
            Finding("plan", "text holds a NUL character, which CSV cannot carry", "remove it", column=title)
        )
    return _quoted(text, preset.delimiter)


def _quoted(text: pa.Array, delimiter: str) -> pa.Array:
    """Quotes around cells that need them, quotes inside twice."""
    special = pc.fill_null(pc.match_substring_regex(text, f'["\r\n{delimiter}]'), False)
    if not pc.any(special).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise(_large('"'), doubled, _large('"'), _large("")), text)


def _lines(cells: list[pa.Array], delimiter: str) -> bytes:
    """The rows as bytes, CRLF after each."""
    options: dict[str, Any] = {"null_handling": "replace", "null_replacement": ""}
    rows = pc.binary_join_element_wise(*cells, _large(delimiter), **options)
    joined = pc.binary_join_element_wise(rows, _large("\r\n"), _large(""))
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int64)[joined.offset : joined.offset + len(joined) + 1]
    data: bytes = joined.buffers()[2][offsets[0] : offsets[-1]].to_pybytes()
    return data


def _large(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
