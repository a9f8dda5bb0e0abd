"""From files or data frames to typed tables, and back. Nothing is dropped, shifted or retyped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from optimizer.cast import Dialect, Evidence, cast, evidence, is_own_number
from optimizer.errors import Finding, Findings, InputError, unknown
from optimizer.formats import RawTable, format_named, format_of
from optimizer.formats.base import ROW, headed, numbered, series_text
from optimizer.locate import gather, left_out, named
from optimizer.places import Place
from optimizer.tables import DTYPES, TABLES, Column, Table, Tables, plain, table

__all__ = ["Dialect", "read", "read_raw", "tables_of", "write"]


def read(path: str | Path, dialect: Dialect | None = None) -> Tables:
    """Read a folder of tables, a workbook, or the folder one of the files stands in.

    Findings that leave the tables usable are in `Tables.findings`, for `validate` to judge. Raises
    `InputError` with every finding when accounts or reps cannot be had, `UsageError` for a path that
    is not there. `dialect` says how text files write numbers and dates.
    """
    path = Path(path)
    single = path.is_file() and format_of(path).name != "excel"
    raw, findings = gather(path.parent if single else path)
    typed = {t.name: _typed(raw[t.name], t, dialect) for t in TABLES if t.name in raw}
    return _tables(typed, findings + left_out(raw[name] for name in raw if name not in typed))


def read_raw(path: str | Path) -> dict[str, RawTable]:
    """The tables of one file (under our name for them, else their own), or those of a folder we know.

    Raises `InputError` with every finding when any file cannot be read.
    """
    raw, findings = gather(Path(path))
    findings.raise_errors()
    return raw


def tables_of(
    accounts: pd.DataFrame, reps: pd.DataFrame, *, dialect: Dialect | None = None, **others: pd.DataFrame
) -> Tables:
    """Tables from frames of the caller's own, which stay as they are.

    Frames with an index named `row` keep it; the rows of others count from 2, as in a file. Columns
    that are numbers already are taken as they stand. `others` are the optional tables by name.
    """
    for name in others:
        if name not in {t.name for t in TABLES}:
            raise unknown("table", name, (t.name for t in TABLES))
    typed = {}
    for name, frame in {"accounts": accounts, "reps": reps, **others}.items():
        given = headed(frame, [str(title) for title in frame.columns], name, name)
        given = given if given.index.name == ROW else given.set_axis(numbered(len(given)), axis=0)
        typed[name] = _typed(RawTable(name, name, given), table(name), dialect)
    return _tables(typed, Findings())


def write(tables: Tables, path: str | Path, format: str = "") -> None:
    """Write the tables so that `read` gives them back: `.xlsx` is a workbook, anything else a folder.

    `format` names the kind of files in the folder: `csv` (the default) or `parquet`.
    """
    path = Path(path)
    member = format_named(format) if format else format_of(path) if path.suffix == ".xlsx" else format_named("csv")
    member.write(tables.present(), path)


@dataclass(frozen=True, slots=True)
class Typed:
    """One table after typing: what it is called in the user's words, its frame, and what was noticed."""

    file: str
    frame: pd.DataFrame
    findings: Findings
    defaults: tuple[str, ...]


def _tables(typed: Mapping[str, Typed], findings: Findings) -> Tables:
    for part in typed.values():
        findings += part.findings
    missing = [t for t in TABLES if t.required and t.name not in typed]
    told = {finding.table for finding in findings.errors}
    if missing:
        raise InputError(
            findings
            + Findings.of(
                Finding(
                    t.name,
                    f"the table of {t.meaning} is missing",
                    f"add {t.name}.csv with the columns {', '.join(c.name for c in t.columns if c.required)}",
                )
                for t in missing
                if t.name not in told
            )
        )
    return Tables(
        **{name: part.frame for name, part in typed.items()},
        files={name: part.file for name, part in typed.items()},
        findings=findings,
        defaults=tuple(sentence for part in typed.values() for sentence in part.defaults),
    )


def _typed(raw: RawTable, entry: Table, dialect: Dialect | None) -> Typed:
    """Match the headers, cast every column, and say which defaults fill what is missing."""
    matched, findings = _match(raw, entry)
    frame = raw.frame
    if raw.typed:
        dialect = Dialect(dates=dialect.dates) if dialect and dialect.dates else None
    texts = {title: _text(frame[title], matched.get(title)) for title in frame.columns}
    signs = _signs(texts, matched, raw.typed)
    decimal = dialect.decimal if dialect else "."
    columns: dict[str, pd.Series[Any]] = {}
    for title, cells in texts.items():
        column = matched.get(title)
        place = Place(entry.name, raw.file, title)
        kind = column.kind if column else "number" if not _texty(cells) or is_own_number(cells, decimal) else "text"
        if _texty(cells):
            typed, wrong = cast(cells, kind, place, dialect, signs)
        else:
            typed, wrong = _given_numbers(cells, place)
        columns[column.name if column else title] = typed
        findings += Findings.of(wrong)
    missing = [c for c in entry.columns if c.name not in columns]
    findings += Findings.of(
        Finding(entry.name, "the column is missing", _spellings(c), column=c.name, file=raw.file)
        for c in missing
        if c.required
    )
    defaults = tuple(_defaults(entry, columns, len(frame)))
    _fill_names(entry, columns, frame.index)
    typed_frame = pd.DataFrame(columns, index=frame.index.rename(ROW))
    return Typed(raw.file, typed_frame, named(raw.findings, entry.name) + findings, defaults)


def _match(raw: RawTable, entry: Table) -> tuple[dict[str, Column], Findings]:
    """Header in the file → column of the dictionary. Our name wins over an alias, exactly spelled over else."""
    tiers: dict[str, list[list[str]]] = {}
    for title in raw.frame.columns:
        word = plain(title)
        by_name = next((c for c in entry.columns if word and plain(c.name) == word), None)
        column = by_name or next((c for c in entry.columns if word and word in map(plain, c.aliases)), None)
        if column:
            tier = 0 if title == column.name else 1 if by_name else 2
            tiers.setdefault(column.name, [[], [], []])[tier].append(title)
    matched, findings = {}, []
    for column in entry.columns:
        candidates = [titles for titles in tiers.get(column.name, []) if titles]
        if not candidates:
            continue
        matched[candidates[0][0]] = column
        if len(candidates[0]) > 1:
            findings.append(
                Finding(
                    entry.name,
                    f"the columns {', '.join(candidates[0])} all mean {column.name}",
                    f"rename the right one to {column.name}",
                    column=column.name,
                    file=raw.file,
                )
            )
        findings += [
            Finding(
                entry.name,
                f"also means {column.name}; {candidates[0][0]} was taken, this is kept as your own column",
                f"delete it, or rename it to {column.name} if it is the right one",
                column=title,
                severity="warning",
                file=raw.file,
            )
            for titles in candidates[1:]
            for title in titles
        ]
    return matched, Findings.of(findings)


def _text(cells: pd.Series[Any], column: Column | None) -> pd.Series[Any]:
    """The cells as text, except numbers that stay numbers (the fast path for frames)."""
    numeric = pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells)
    if numeric and (column is None or DTYPES[column.kind] == "float64"):
        return cells
    if isinstance(cells.dtype, pd.StringDtype) and not (cells == "").any():
        return cells.astype("str")
    return series_text(cells)


def _texty(cells: pd.Series[Any]) -> bool:
    return isinstance(cells.dtype, pd.StringDtype)


def _signs(texts: Mapping[str, pd.Series[Any]], matched: Mapping[str, Column], typed: bool) -> Evidence:
    """What the numeric columns together say about the decimal sign, asked only where a comma is in doubt."""
    numeric = [title for title, column in matched.items() if DTYPES[column.kind] == "float64" and _texty(texts[title])]
    commas = any(texts[title].str.contains(",", regex=False, na=False).any() for title in numeric)
    return evidence((texts[title] for title in numeric), typed) if commas else Evidence()


def _given_numbers(cells: pd.Series[Any], place: Place) -> tuple[pd.Series[Any], list[Finding]]:
    values = cells.astype("float64").to_numpy(copy=True)
    wrong = np.isinf(values)
    values[wrong] = np.nan
    findings = place.findings(
        cells.index,
        lambda at: str(cells.iloc[at]),
        wrong,
        "is not a finite number",
        "give a number, or leave the cell empty",
    )
    return pd.Series(values, cells.index, name=cells.name), list(findings)


def _spellings(column: Column) -> str:
    also = f" (also read: {', '.join(column.aliases[:4])})" if column.aliases else ""
    return f"add the column {column.name}: {column.meaning}{also}"


def _defaults(entry: Table, columns: Mapping[str, pd.Series[Any]], rows: int) -> Iterator[str]:
    """One sentence for every default of the dictionary that fills a missing column or empty cells."""
    for column in entry.columns:
        if not column.default:
            continue
        empty = int(columns[column.name].isna().sum()) if column.name in columns else rows
        where = "" if column.name not in columns else f" in {empty:,} of {rows:,} rows"
        if empty or column.name not in columns:
            yield f"{entry.name}.{column.name} is missing{where}: {column.default} is used"


def _fill_names(entry: Table, columns: dict[str, pd.Series[Any]], index: pd.Index[Any]) -> None:
    """The name falls back to the id, for whole columns and for single cells."""
    key = columns.get(entry.key[0])
    if entry.column("name") is None or not entry.required or key is None:
        return
    name = columns.get("name", pd.Series(np.nan, index, dtype="str"))
    columns["name"] = name.fillna(key).rename("name")
