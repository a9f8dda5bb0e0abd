"""From files to tables and back: nothing dropped, shifted, renamed or retyped in silence."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimizer.errors import InputError, UsageError
from optimizer.read import Dialect, read, read_raw, tables_of, write
from optimizer.tables import TABLES, Tables

REPS = "rep_id\nr1\nr2\n"


@pytest.fixture
def company(tmp_path: Path) -> Callable[..., Path]:
    def make(accounts: str, reps: str = REPS, **others: str) -> Path:
        for name, text in {"accounts": accounts, "reps": reps, **others}.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return tmp_path

    return make


def test_the_least_input_is_three_columns_and_every_default_is_listed(company: Callable[..., Path]) -> None:
    tables = read(company("account_id,owner_id,potential\n007,r1,10\n1E5,,20\n"))
    assert tables.accounts["account_id"].tolist() == ["007", "1E5"]
    assert tables.accounts["owner_id"].isna().tolist() == [False, True]
    assert tables.accounts["name"].tolist() == ["007", "1E5"]
    assert list(tables.accounts.index) == [2, 3] and tables.accounts.index.name == "row"
    assert not tables.findings
    optional = [f"{t.name}.{c.name} is missing" for t in TABLES if t.required for c in t.columns if c.default]
    assert [sentence.split(":")[0] for sentence in tables.defaults] == optional


def test_a_default_that_fills_single_cells_is_listed_with_their_number(company: Callable[..., Path]) -> None:
    tables = read(company("account_id,owner_id,potential,fit\na,r1,1,\nb,r1,1,2\n"))
    assert "accounts.fit is missing in 1 of 2 rows: 1 is used" in tables.defaults


def test_salesforce_and_hubspot_exports_are_understood(company: Callable[..., Path]) -> None:
    salesforce = company(
        "Id,Name,OwnerId,ParentId,BillingCountry,Potential__c,NumberOfEmployees\n001A,Acme,005A,,US,5,9\n",
        "Id,Name,Email\n005A,Ann,ann@acme.example\n",
    )
    tables = read(salesforce)
    assert list(tables.accounts.columns) == [
        "account_id",
        "name",
        "owner_id",
        "parent_id",
        "country",
        "potential",
        "employees",
    ]
    assert list(tables.reps.columns) == ["rep_id", "name", "email"]
    hubspot = read(company("Record ID,Company name,Company owner,Account Potential,Country/Region\n17,Acme,Ann,5,US\n"))
    assert list(hubspot.accounts.columns) == ["account_id", "name", "owner_id", "potential", "country"]


def test_two_headers_for_one_column_are_an_error_and_our_own_name_wins_over_an_alias(
    company: Callable[..., Path],
) -> None:
    tables = read(company("Id,Record ID,owner_id,OwnerId,potential\na,b,r1,r2,1\n"))
    assert "Id, Record ID all mean account_id" in str(tables.findings.errors)
    assert tables.accounts["owner_id"].tolist() == ["r1"]
    assert tables.accounts["OwnerId"].tolist() == ["r2"]
    assert [f.column for f in tables.findings.warnings] == ["OwnerId"]


def test_headers_in_other_scripts_stay_the_users_own_columns(company: Callable[..., Path]) -> None:
    tables = read(company("account_id,owner_id,potential,地区,城市\na,r1,1,x,5\n"))
    assert tables.accounts["地区"].tolist() == ["x"]
    assert tables.accounts["城市"].tolist() == [5.0]


def test_a_missing_required_column_names_file_column_and_remedy(company: Callable[..., Path]) -> None:
    (finding,) = read(company("account_id,owner_id\na,r1\n")).findings.errors
    assert (finding.file, finding.column) == ("accounts.csv", "potential")
    assert "add the column potential" in finding.remedy


def test_every_wrong_cell_of_every_table_is_found_at_once(company: Callable[..., Path]) -> None:
    folder = company(
        "account_id,owner_id,potential,renewal_date,key_account\na,r1,x,2027-02-30,maybe\nb,r1,1,2027-01-01,yes\n",
        "rep_id,ramp\nr1,lots\n",
        contacts="contact_id,account_id,active\n1,a,perhaps\n",
    )
    found = read(folder).findings.errors
    assert [(f.file, f.row, f.column, f.value) for f in found] == [
        ("accounts.csv", 2, "potential", "x"),
        ("accounts.csv", 2, "renewal_date", "2027-02-30"),
        ("accounts.csv", 2, "key_account", "maybe"),
        ("reps.csv", 2, "ramp", "lots"),
        ("contacts.csv", 2, "active", "perhaps"),
    ]
    assert all(f.remedy for f in found)


def test_own_columns_are_numbers_only_when_nothing_is_lost(company: Callable[..., Path]) -> None:
    accounts = read(
        company("account_id,owner_id,potential,score x,code,mixed\na,r1,1,3,007,1\nb,r1,1,4.5,8,x\n")
    ).accounts
    assert accounts["score x"].tolist() == [3.0, 4.5]
    assert accounts["code"].tolist() == ["007", "8"]
    assert accounts["mixed"].tolist() == ["1", "x"]


def test_a_european_file_is_read_with_its_dialect_and_refused_without(company: Callable[..., Path]) -> None:
    folder = company("account_id;owner_id;potential;arr;own\na;r1;1.234,50;1.234;0,5\n", "rep_id\nr1\n")
    assert {f.column for f in read(folder).findings.errors} == {"potential"}
    tables = read(folder, Dialect(decimal=","))
    assert not tables.findings
    assert tables.accounts[["potential", "arr", "own"]].to_numpy().tolist() == [[1234.5, 1234.0, 0.5]]


def test_a_dialect_never_touches_numbers_that_a_workbook_stores_as_numbers(tmp_path: Path) -> None:
    tables = tables_of(
        pd.DataFrame({"account_id": ["a"], "owner_id": ["r"], "potential": [1.234]}), pd.DataFrame({"rep_id": ["r"]})
    )
    write(tables, tmp_path / "b.xlsx")
    assert read(tmp_path / "b.xlsx", Dialect(decimal=",")).accounts["potential"].tolist() == [1.234]


def test_files_that_are_no_tables_are_left_out_with_a_note(company: Callable[..., Path]) -> None:
    folder = company("account_id,owner_id,potential\na,r1,1\n", plan="x,y\n1,2\n")
    (folder / "baseline.toml").write_text("name = 'x'")
    notes = read(folder).findings.notes
    assert [f.file for f in notes] == ["plan.csv"]


def test_one_table_in_two_files_is_an_error(company: Callable[..., Path]) -> None:
    folder = company("account_id,owner_id,potential\na,r1,1\n", users="rep_id\nr9\n")
    (error,) = read(folder).findings.errors
    assert "reps.csv" in error.problem and "users.csv" in error.problem


def test_unreadable_files_are_reported_together(company: Callable[..., Path]) -> None:
    folder = company('account_id,owner_id\na,"r1\n', "", contacts="a,a\n1,2\n")
    with pytest.raises(InputError) as caught:
        read(folder)
    assert [f.table for f in caught.value.findings.errors] == ["accounts", "contacts", "reps"]


def test_an_empty_folder_says_which_files_are_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"add accounts\.csv with the columns account_id, owner_id, potential"):
        read(tmp_path)
    with pytest.raises(UsageError, match="does not exist"):
        read(tmp_path / "nowhere")


def test_a_workbook_is_read_sheet_by_sheet_and_other_sheets_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "company.xlsx"
    with xlsxwriter.Workbook(path) as out:
        for name, rows in {
            "Readme": [["Hello"], ["a", "b"]],
            "Accounts": [["Account ID", "Owner ID", "Potential"], ["a", 17, 5]],
            "Users": [["User ID"], [17]],
        }.items():
            sheet = out.add_worksheet(name)
            for row, cells in enumerate(rows):
                sheet.write_row(row, 0, cells)
    tables = read(path)
    assert tables.accounts["owner_id"].tolist() == tables.reps["rep_id"].tolist() == ["17"]
    assert tables.files == {"accounts": "company.xlsx [Accounts]", "reps": "company.xlsx [Users]"}
    assert not tables.findings.errors
    assert [f.table for f in tables.findings.notes] == ["Readme"]


def test_one_file_of_a_folder_stands_for_the_folder_and_raw_tables_for_themselves(company: Callable[..., Path]) -> None:
    folder = company("account_id,owner_id,potential\na,r1,1\n", edits="x\n1\n")
    assert read(folder / "accounts.csv").accounts["account_id"].tolist() == ["a"]
    assert list(read_raw(folder / "edits.csv")) == ["edits"]
    assert list(read_raw(folder)) == ["accounts", "reps"]


def test_frames_of_the_caller_stay_as_they_are() -> None:
    accounts = pd.DataFrame({"Id": [7, 8], "OwnerId": [1.0, np.nan], "potential": [1, np.inf], "flag": [True, False]})
    reps = pd.DataFrame({"rep_id": [1], "start_date": pd.to_datetime(["2027-01-02"])}, index=["x"])
    before = accounts.copy(deep=True), reps.copy(deep=True)
    tables = tables_of(accounts, reps)
    pd.testing.assert_frame_equal(accounts, before[0])
    pd.testing.assert_frame_equal(reps, before[1])
    assert tables.accounts["account_id"].tolist() == ["7", "8"]
    assert tables.accounts["owner_id"].fillna("").tolist() == ["1", ""]
    assert [(f.row, f.column) for f in tables.findings.errors] == [(3, "potential")]
    assert tables.reps["start_date"].tolist() == [pd.Timestamp("2027-01-02")]
    assert list(tables.reps.index) == [2]


def test_frames_that_were_read_keep_their_row_numbers(company: Callable[..., Path]) -> None:
    tables = read(company("account_id,owner_id,potential\na,r1,1\n\nb,r1,2\n"))
    assert list(tables_of(tables.accounts.iloc[1:], tables.reps).accounts.index) == [4]


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(UsageError, match="known: accounts, activities"):
        tables_of(pd.DataFrame(), pd.DataFrame(), leads=pd.DataFrame())


NAUGHTY = [
    "007",
    "1E5",
    "=1+1",
    "+1",
    "-1",
    "@x",
    "NA",
    "null",
    "None",
    "nan",
    "2027-01-02",
    "01/02/2027",
    "TRUE",
    "1.10",
    "003000000000000001",
    "a,b",
    'a"b',
    '"',
    "'",
    "a\nb",
    "a\r\nb",
    "a\tb",
    " a ",
    "\u200b",
    "\ufeffa",
    "😀",
    "é",
    "e\u0301",
    "_x0041_",
    "#N/A",
    "1,234",
    "(5)",
    "$5",
    "50%",
    "sep=;",
    "a;b",
    "\u202e",
    "0",
    "-0",
    "1e-7",
]
cells = st.one_of(
    st.sampled_from(NAUGHTY),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"), min_size=1, max_size=6),
)
amounts = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, width=64))
own = st.one_of(st.none(), st.floats(-1e14, 1e14))
days = st.one_of(st.none(), st.datetimes(pd.Timestamp(1, 1, 1), pd.Timestamp(9999, 12, 31)))
row = st.tuples(
    cells,
    st.one_of(st.none(), cells),
    amounts,
    st.one_of(st.none(), cells),
    own,
    st.sampled_from([True, False, None]),
    days,
)


def company_of(rows: list[tuple[object, ...]]) -> Tables:
    names = ["account_id", "owner_id", "potential", "own text", "own number", "key_account", "renewal_date"]
    frame = pd.DataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)))
    frame["own number"] = frame["own number"].astype("float64")
    frame["renewal_date"] = pd.Series(frame["renewal_date"], dtype="datetime64[us]")
    tables = tables_of(frame, pd.DataFrame({"rep_id": [r[0] for r in rows]}))
    assert not tables.findings.errors
    return tables


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(row, min_size=1, max_size=6), st.sampled_from(["csv", "parquet", "excel"]))
def test_write_then_read_is_identity(rows: list[tuple[object, ...]], kind: str) -> None:
    tables = company_of(rows)
    if tables.accounts["own number"].isna().all():
        tables = tables_of(tables.accounts.drop(columns="own number"), tables.reps)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("company.xlsx" if kind == "excel" else "company")
        write(tables, path, kind)
        again = read(path)
    for name, frame in tables.present().items():
        pd.testing.assert_frame_equal(again.present()[name], frame, check_exact=True)
    assert not again.findings.errors
