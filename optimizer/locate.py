"""Which files and sheets hold which of our tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from optimizer.errors import Finding, Findings, InputError, UsageError
from optimizer.formats import SUFFIXES, RawTable, format_of
from optimizer.formats.base import unreadable
from optimizer.tables import TABLES, plain

_NAMES = ", ".join(entry.name for entry in TABLES)


def gather(path: Path) -> tuple[dict[str, RawTable], Findings]:
    """Raw tables by our name for them, with the findings of files that could not be read or were left out.

    One file gives all its tables, under their own names where they are not ours; a folder gives those
    we know. Raises `UsageError` for a path that is not there, `InputError` for one file that cannot be read.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    if path.is_file():
        found = [(known(raw.name) or raw.name, raw) for raw in _read(path)]
        return _unique(found, Findings())
    found, findings = [], Findings()
    for file in sorted(path.iterdir()):
        if not file.is_file() or file.name.startswith((".", "~$")) or not file.name.lower().endswith(SUFFIXES):
            continue
        name = known(file.name.split(".")[0])
        if name is None:
            findings += Findings(
                (_note(file.name, file.name, "the file is not one of our tables", f"name it {_NAMES}"),)
            )
            continue
        try:
            sheets = _read(file)
        except InputError as error:
            findings += named(error.findings, name)
            continue
        chosen = next((raw for raw in sheets if known(raw.name) == name), sheets[0])
        found.append((name, chosen))
        remedy = "give the workbook itself to have all its sheets read"
        findings += Findings.of(
            _note(name, raw.file, "the file's name asks for one sheet, this is another", remedy)
            for raw in sheets
            if raw is not chosen
        )
    return _unique(found, findings)


def known(stem: str) -> str | None:
    """Our name for a table the user calls `stem`, None when it is not one of ours."""
    word = plain(stem)
    by_name = (entry.name for entry in TABLES if plain(entry.name) == word)
    by_alias = (entry.name for entry in TABLES if word in map(plain, entry.aliases))
    return next(by_name, None) or next(by_alias, None)


def left_out(tables: Iterable[RawTable]) -> Findings:
    """A note for every sheet of a workbook that is none of our tables."""
    return Findings.of(
        _note(raw.name, raw.file, "the sheet is not one of our tables", f"name it {_NAMES}") for raw in tables
    )


def named(findings: Findings, table: str) -> Findings:
    """The findings under our name of the table."""
    return Findings.of(replace(finding, table=table) for finding in findings)


def _read(file: Path) -> tuple[RawTable, ...]:
    try:
        return format_of(file).read(file)
    except OSError as error:
        raise unreadable(file.name, f"cannot be opened: {error.strerror or error}", "check its permissions") from None


def _note(table: str, file: str, problem: str, remedy: str) -> Finding:
    return Finding(table, f"{problem}; it was left out", f"{remedy} to have it read", severity="note", file=file)


def _unique(found: list[tuple[str, RawTable]], findings: Findings) -> tuple[dict[str, RawTable], Findings]:
    """One raw table a name. A table given twice is an error; a sheet nobody could read leaves its findings only."""
    raw: dict[str, RawTable] = {}
    for name, part in found:
        if name in raw:
            problem = f"the table is given twice, in {raw[name].file} and in {part.file}"
            findings += Findings((Finding(name, problem, "keep one of the two", file=part.file),))
        elif not part.frame.shape[1] and known(name):
            findings += named(part.findings, name)
        else:
            raw[name] = part
    return raw, findings
