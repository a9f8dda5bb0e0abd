"""Corpora of awkward files made by others: every one ends in a table or in located findings, and no id changes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import InputError
from optimizer.formats import FORMATS, SUFFIXES, RawTable, format_named, format_of
from optimizer.formats._scan import decode, sniff
from optimizer.read import read, tables_of, write
from optimizer.validate import validate

CORPUS = Path(__file__).parents[1] / "../shared/data/badinput"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpora of malformed files are not on this machine")


def corpus(folder: str) -> list[Path]:
    return sorted(p for p in (CORPUS / folder).rglob("*") if p.name.lower().endswith(SUFFIXES))


def attempt(path: Path) -> tuple[tuple[RawTable, ...], list[str]]:
    """The tables of a file and what is wrong with the answer itself."""
    try:
        tables = format_of(path).read(path)
        findings = [f for table in tables for f in table.findings]
    except InputError as error:
        tables, findings = (), list(error.findings)
        if not error.findings.errors:
            return (), [f"{path.name}: refused without an error"]
    faults = [
        f"{path.name}: {f}" for f in findings if not (f.problem and f.file and (f.remedy or f.severity == "note"))
    ]
    faults += [
        f"{path.name}: not text" for t in tables if not all(isinstance(d, pd.StringDtype) for d in t.frame.dtypes)
    ]
    return tables, faults


def plainly(path: Path) -> dict[int, list[str]] | None:
    """Rows with cells as the standard library reads them, by spreadsheet row; None where it refuses."""
    text = decode(path.read_bytes(), path.name)[0].decode()
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sniff(text.encode()), strict=True))
    except csv.Error:
        return None
    header = next(number for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row))
    width = len(rows[header - 1])
    lines = ((number, row) for number, row in enumerate(rows, 1) if number >= header and any(row))
    return {number: row for number, row in lines if width == 1 or row != [row[0]] or row[0].strip()}


def test_csv_spectrum_is_read_as_its_authors_expect() -> None:
    wrong = []
    for path in corpus("csv-spectrum/csvs"):
        expected = json.loads((CORPUS / "csv-spectrum/json" / f"{path.stem}.json").read_text("utf-8"))
        (table,) = format_of(path).read(path)
        if table.frame.fillna("").to_dict("records") != expected:
            wrong.append(path.stem)
    assert wrong == ["location_coordinates"]  # its expected rows differ from the file, upstream


def test_every_csv_ends_in_a_table_or_in_findings_and_agrees_with_the_standard_library() -> None:
    faults = []
    for path in corpus("duckdb-csv"):
        tables, wrong = attempt(path)
        faults += wrong
        for table in tables:
            expected = plainly(path)
            if expected is None:
                faults.append(f"{path.name}: read although its quotes are broken")
                continue
            first = min(expected)
            header = expected[first]
            keep = [place for place, title in enumerate(header) if title.strip()]
            fitting = {
                n: [row[i] for i in keep] for n, row in expected.items() if n > first and len(row) == len(header)
            }
            got = dict(zip(map(int, table.frame.index), table.frame.fillna("").to_numpy().tolist(), strict=True))
            if got != fitting:
                faults.append(f"{path.name}: rows differ from the standard library's")
            ragged = sum(1 for row in expected.values() if len(row) != len(header))
            if ragged != sum(f.count for f in table.findings.errors):
                faults.append(f"{path.name}: {ragged} ragged rows, {len(table.findings.errors)} findings")
    assert faults == []


def test_every_workbook_ends_in_tables_or_in_findings() -> None:
    faults = [fault for path in corpus("calamine-workbooks") for fault in attempt(path)[1]]
    assert faults == []


@pytest.mark.parametrize("kind", [member.name for member in FORMATS])
def test_naughty_strings_survive_as_ids_and_names(kind: str, tmp_path: Path) -> None:
    strings = [s for s in json.loads((CORPUS / "naughty-strings/blns.json").read_text("utf-8")) if s]
    strings = [s for s in dict.fromkeys(strings) if kind != "excel" or not {"\ufffe", "\uffff"} & set(s)]
    frame = pd.DataFrame(
        {"account_id": strings, "name": strings[::-1], "owner_id": strings[0], "potential": 1.0, "my own": strings}
    )
    tables = tables_of(frame, pd.DataFrame({"rep_id": strings, "name": strings}))
    path = tmp_path / ("company.xlsx" if kind == "excel" else "company")
    write(tables, path, kind)
    again = read(path)
    for name, written in tables.present().items():
        pd.testing.assert_frame_equal(again.present()[name], written)
    assert again.accounts["account_id"].tolist() == strings
    assert all(
        finding.value is not None and not finding.value.strip() for finding in validate(again).errors
    )  # blank ids


def test_no_file_of_any_corpus_breaks_the_folder_it_lies_in(tmp_path: Path) -> None:
    broken = []
    for path in corpus("duckdb-csv")[::9] + corpus("calamine-workbooks")[::9]:
        folder = tmp_path / "company"
        folder.mkdir(exist_ok=True)
        (folder / "reps.csv").write_text("rep_id\nr1\n")
        target = folder / f"accounts{''.join(path.suffixes[-1:])}"
        target.write_bytes(path.read_bytes())
        try:
            if not validate(read(folder)).errors:
                broken.append(path.name)  # none of these files has our required columns
        except InputError as error:
            assert error.findings.errors
        target.unlink()
    assert broken == []


def test_the_family_reads_by_name() -> None:
    assert {format_named(member.name) for member in FORMATS} == set(FORMATS)
