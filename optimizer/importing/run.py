"""Run a mapping on a folder of foreign exports."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from optimizer.errors import Finding, Findings, InputError, UsageError
from optimizer.importing import cells
from optimizer.importing.columns import make
from optimizer.importing.ledger import Ledger
from optimizer.importing.loading import added, columns_of
from optimizer.importing.mapping import Mapping
from optimizer.importing.sources import Source, no_column, read_source
from optimizer.read import Dialect, tables_of
from optimizer.tables import Tables

#: Numbers are plain by the time they are typed: the mapping's `numbers` has seen to the others.
PLAIN = Dialect(decimal=".", thousands="")


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """What an import made of the exports.

    `findings` has everything unmatched, corrected, defaulted or left out, gathered with counts and up to three
    examples. `sums` has a row for each sum and count, with what it placed and what it could not: the two add up
    to the source. `report` says all of it in words.
    """

    tables: Tables
    findings: Findings
    sums: pd.DataFrame
    report: str

    def __str__(self) -> str:
        return self.report


def import_tables(mapping: Mapping, folder: str | Path) -> Imported:
    """Our tables from the exports in `folder`, typed by the data dictionary.

    The index of each table is the row number in the source its rows come from. Raises `UsageError` when the
    folder or a file is not there, `InputError` when the exports lack a table or column the mapping names or a
    join's key is not unique.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    ledger = Ledger()
    sources = {name: read_source(name, spec, folder, ledger) for name, spec in mapping.sources.items()}
    missing = list(_missing_columns(mapping, sources))
    if missing:
        raise InputError(Findings.of(missing))
    for name, column in added(mapping):
        fresh = make(f"{name}.{column}", mapping.sources[name].add[column], sources[name], sources, ledger)
        sources[name].frame = sources[name].frame.assign(**{column: fresh})
    frames = {name: _table(name, mapping, sources, ledger) for name in mapping.tables}
    _note_unused(sources, ledger)

    tables = tables_of(**frames, dialect=PLAIN)
    files = {name: sources[spec.base].file for name, spec in mapping.tables.items()}
    typing = (dataclasses.replace(f, file=files.get(f.table, f.file)) for f in tables.findings)
    findings = ledger.result() + Findings.of(typing)
    defaults = (*ledger.defaults, *tables.defaults)
    tables = dataclasses.replace(tables, files=files, findings=findings, defaults=defaults)
    sums = ledger.reconciliation()
    return Imported(tables, findings, sums, report(mapping, tables, findings, sums))


def report(mapping: Mapping, tables: Tables, findings: Findings, sums: pd.DataFrame) -> str:
    """The import in words: what came out, whether sums add up, what was noticed, what was decided."""
    lines = [mapping.name]
    for name, frame in tables.present().items():
        lines.append(f"  {name}: {len(frame):,} rows, {frame.shape[1]} columns, from {tables.files[name]}")
    if len(sums):
        lines += ["", "Do the sums add up? (before `times` and `bands`)"]
    lines += [_reconciled(entry) for entry in sums.to_dict("records")]
    for title, found in (
        ("Errors", findings.errors),
        ("To look at", findings.warnings),
        ("Corrected, filled in or left out", findings.notes),
    ):
        if found:
            lines += ["", f"{title}:", *(f"  {f}" for f in found)]
    if tables.defaults:
        lines += ["", "Decided by the mapping and the data dictionary:", *(f"  {d}" for d in tables.defaults)]
    return "\n".join(lines)


def _reconciled(entry: dict[Hashable, Any]) -> str:
    """One row of the sums in words."""
    placed = f"{entry['aggregate']} {_plain(entry['total'])} from {entry['rows']:,} rows of {entry['source']}"
    left = f"; {_plain(entry['total_unmatched'])} in {entry['rows_unmatched']:,} rows matched nothing"
    return f"  {entry['column']}: {placed}{left if entry['rows_unmatched'] else ''}"


def _plain(total: float) -> str:
    return f"{total:,.2f}".removesuffix(".00")


def _table(name: str, mapping: Mapping, sources: dict[str, Source], ledger: Ledger) -> pd.DataFrame:
    """One of our tables, computed columns as numbers and the rest as text, on the row numbers of its base source."""
    spec = mapping.tables[name]
    base = sources[spec.base]
    columns = {column: make(f"{name}.{column}", made, base, sources, ledger) for column, made in spec.columns.items()}
    frame = pd.DataFrame(columns, index=base.frame.index.rename("row")).round(cells.DECIMALS)
    for column in spec.needs:
        gone = frame.index[frame[column].isna()]
        problem = f"no {column}, so the row is left out of {name}"
        ledger.rows(name, base.file, column, pd.Series(None, index=gone, dtype="str"), problem)
        frame = frame[frame[column].notna()]
    return frame


def _missing_columns(mapping: Mapping, sources: dict[str, Source]) -> Iterator[Finding]:
    """A finding for each column the mapping reads and the exports lack, or would overwrite."""
    known = {name: set(source.frame.columns) for name, source in sources.items()}
    for path, base, made in columns_of(mapping):
        for column in made.reads():
            if column not in known[base]:
                yield no_column(sources[base], column, path)
        other, columns = made.reads_from() or (base, ())
        for column in columns:
            if column not in known[other]:
                yield no_column(sources[other], column, path)
        if path.startswith("sources."):
            fresh = path.rpartition(".")[2]
            if fresh in known[base]:
                yield Finding(
                    base,
                    f"the source has this column already; give {path} another name",
                    column=fresh,
                    file=sources[base].file,
                )
            known[base].add(fresh)


def _note_unused(sources: dict[str, Source], ledger: Ledger) -> None:
    """Say which columns of the exports nothing asked for."""
    used: dict[str, set[str]] = {}
    for source in sources.values():
        used.setdefault(source.file, set()).update(source.used)
    for source in {s.file: s for s in reversed(sources.values())}.values():
        unused = [c for c in source.given if c not in used[source.file]]
        if unused:
            ledger.note(source.name, f"columns not imported: {', '.join(unused)}", file=source.file)
