"""Foreign exports through a mapping: what comes out, what is reported, what is refused."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import Finding, InputError, UsageError
from optimizer.formats.sqlite import Sqlite
from optimizer.importing import Imported, import_tables, load_mapping

MAPPING = """
name = "Small shop"

[sources.customers]
file = "customers.csv"
key = "No"
replace = {Branch = {"technolgy" = "technology", "never" = "ever"}}

[sources.people]
file = "people.csv"
key = "Id"
where = {Active = "yes"}

[sources.deals]
file = "deals.csv"
key = "Deal"

[sources.deals.add]
office = {join = "people", on = "Seller", column = "Office"}

[tables.accounts]
base = "customers"

[tables.accounts.columns]
account_id = {column = "No"}
industry = {column = "Branch"}
potential = {column = "Guess", times = 1000, default = {value = 0, because = "no guess was made"}}
confidence = {aggregate = "most_frequent_share", of = "deals", by = "Customer", column = "Seller"}
arr = {aggregate = "sum", of = "deals", by = "Customer", column = "Value", where = {Closed = {min = 2026-01-01}}}
last_seller = {aggregate = "last", of = "deals", by = "Customer", column = "Seller", order = "Closed"}
first_seller = {aggregate = "first", of = "deals", by = "Customer", column = "Seller", order = "Closed"}
offices = {aggregate = "distinct", of = "deals", by = "Customer", column = "office"}
deals = {aggregate = "count", of = "deals", by = "Customer"}
largest = {aggregate = "max", of = "deals", by = "Customer", column = "Value"}
smallest = {aggregate = "min", of = "deals", by = "Customer", column = "Value"}
average = {aggregate = "mean", of = "deals", by = "Customer", column = "Value"}
open_opportunity = {aggregate = "any", of = "deals", by = "Customer", where = {Stage = ["Open", "New"]}}
segment = {column = "Staff", bands = [{name = "small", below = 10}, {name = "mid", below = 100}, {name = "large"}]}

[tables.accounts.columns.owner_id]
aggregate = "most_frequent"
of = "deals"
by = "Customer"
column = "Seller"
order = "Closed"
inferred = "most deals"

[tables.reps]
base = "people"

[tables.reps.columns]
rep_id = {column = "Id"}
name = {text = ["First", "Last"]}
regions = {column = "Office"}
capacity_hours = {value = 1500, because = "a year of selling hours"}
"""
CUSTOMERS = """No,Branch,Guess,Staff,Colour
c1,technolgy,2.5,9,red
c2,retail,,10,red
c3,technolgy,1,250,blue
"""
PEOPLE = """Id,First,Last,Office,Active
ana,Ana,Lee,North,yes
bo,Bo,,South,yes
cy,Cy,Poe,East,no
"""
DEALS = """Deal,Customer,Seller,Closed,Value,Stage
d1,c1,ana,2025-12-31,100,Won
d2,c1,ana,2026-01-01,10,Won
d3,c1,bo,2026-02-01,20.5,Won
d4,c1,bo,2026-03-01,,Lost
d5,c2,bo,2026-01-05,7,Open
d6,,ana,2026-01-06,1000,Open
d7,c9,ana,2026-01-07,2000,Open
d8,c9,cy,2026-01-08,soon,New
"""


def shop(tmp_path: Path, mapping: str = MAPPING, **files: str) -> Imported:
    given_files = {"customers": CUSTOMERS, "people": PEOPLE, "deals": DEALS} | files
    for name, text in given_files.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
    return import_tables(load_mapping(tmp_path / "mapping.toml"), tmp_path)


def account(imported: Imported, account_id: str) -> dict[str, Any]:
    frame = imported.tables.accounts
    return frame[frame["account_id"] == account_id].iloc[0].to_dict()


def found(imported: Imported, column: str, words: str) -> list[Finding]:
    return [f for f in imported.findings if f.column == column and words in f.problem]


# --------------------------------------------------------------------------------------------- what comes out


def test_every_aggregate_answers_for_the_rows_of_its_account(tmp_path: Path) -> None:
    c1 = account(shop(tmp_path), "c1")
    assert c1["owner_id"] == "bo"  # two deals each; bo's is the latest
    assert (c1["first_seller"], c1["last_seller"]) == ("ana", "bo")
    assert (c1["arr"], c1["largest"], c1["smallest"]) == (30.5, 100, 10)
    assert c1["average"] == pytest.approx(130.5 / 3)
    assert (float(c1["deals"]), float(c1["confidence"])) == (4, 0.5)
    assert c1["offices"] == "North;South"
    assert not c1["open_opportunity"]


def test_an_account_without_rows_has_sum_and_count_zero_and_nothing_else(tmp_path: Path) -> None:
    c3 = account(shop(tmp_path), "c3")
    assert (c3["arr"], float(c3["deals"]), c3["open_opportunity"]) == (0, 0, False)
    assert all(pd.isna(c3[column]) for column in ("owner_id", "largest", "average", "confidence", "offices"))


def test_numbers_are_scaled_then_banded_and_texts_joined(tmp_path: Path) -> None:
    imported = shop(tmp_path)
    assert list(imported.tables.accounts["potential"]) == [2500, 0, 1000]
    assert list(imported.tables.accounts["segment"]) == ["small", "mid", "large"]
    assert list(imported.tables.reps["name"]) == ["Ana Lee", "Bo"]


def test_the_index_is_the_row_of_the_base_source(tmp_path: Path) -> None:
    imported = shop(tmp_path, people="Id,First,Last,Office,Active\ncy,Cy,Poe,East,no\nana,Ana,Lee,North,yes\n")
    assert list(imported.tables.accounts.index) == [2, 3, 4]
    assert list(imported.tables.reps.index) == [3]


def test_columns_of_a_source_combine_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    added = """[sources.customers.add]
per_head = {ratio = ["squares", "Staff"]}
squares = {aggregate = "sum", of = "deals", by = "Customer", column = "Value", times_column = "Value"}
area = {product = ["Staff", "Staff"]}
both = {sum = ["Staff", "Guess"]}
[sources.people]"""
    ours = 'per_head = {column = "per_head"}\narea = {column = "area"}\nboth = {column = "both"}\nsegment = {'
    mapping = MAPPING.replace("[sources.people]", added).replace("segment = {", ours)
    frame = shop(tmp_path, mapping).tables.accounts.set_index("account_id")
    assert frame.loc["c2", "per_head"] == pytest.approx(49 / 10)
    assert (frame.loc["c1", "area"], frame.loc["c1", "both"]) == (81, 11.5)
    assert pd.isna(frame.loc["c2", "both"])  # a blank part makes the sum blank


# -------------------------------------------------------------------------------------------- what is reported


def test_rows_that_match_no_account_are_reported_once_with_counts_and_rows(tmp_path: Path) -> None:
    imported = shop(tmp_path)
    (empty,) = found(imported, "Customer", "is empty")
    assert (empty.count, empty.row, empty.file) == (1, 7, "deals.csv")
    (strange,) = found(imported, "Customer", "is not in customers.csv")
    assert (strange.count, strange.row, strange.value) == (2, 8, "c9")
    assert "'c9' (2)" in strange.problem


def test_a_join_that_misses_is_reported_and_so_are_filtered_rows(tmp_path: Path) -> None:
    imported = shop(tmp_path)
    (seller,) = found(imported, "Seller", "is not in people.csv")
    assert (seller.value, seller.count) == ("cy", 1)
    (left,) = [f for f in imported.findings if "`where`" in f.problem]
    assert (left.row, left.file, left.severity) == (4, "people.csv", "note")


def test_corrections_defaults_guesses_and_idle_keys_are_counted(tmp_path: Path) -> None:
    imported = shop(tmp_path)
    (used,) = found(imported, "Branch", "corrected to 'technology'")
    assert (used.count, used.row) == (2, 2)
    assert found(imported, "Branch", "does not occur")[0].value == "never"
    assert found(imported, "potential", "no guess was made")[0].row == 3
    assert found(imported, "owner_id", "2 values are inferred: most deals")
    assert found(imported, "No", "has no row in deals.csv")[0].value == "c3"
    assert any("columns not imported: Colour" in f.problem for f in imported.findings)
    assert any("a year of selling hours" in d for d in imported.tables.defaults)


def test_a_cell_that_is_no_number_is_left_out_and_named(tmp_path: Path) -> None:
    (soon,) = found(shop(tmp_path), "Value", "is not a number")
    assert (soon.row, soon.value) == (9, "soon")


def test_the_report_says_all_of_it(tmp_path: Path) -> None:
    report = str(shop(tmp_path))
    for words in ("accounts: 3 rows", "arr: sum 37.5", "3,000 in 3 rows matched nothing", "'c9' (2)", "most deals"):
        assert words in report


# --------------------------------------------------------------------------------------------------- laws


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), rows=st.integers(0, 60))
def test_what_is_placed_and_what_is_not_add_up_and_row_order_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, seed: int, rows: int
) -> None:
    rng = np.random.default_rng(seed)
    deals = pd.DataFrame(
        {
            "Deal": [f"d{i}" for i in range(rows)],
            "Customer": rng.choice(["c1", "c2", "c3", "c9", ""], rows),
            "Seller": rng.choice(["ana", "bo", "cy", ""], rows),
            "Closed": rng.choice(["2026-01-01", "2026-01-02", "2025-06-30", ""], rows),
            "Value": np.round(rng.uniform(0, 100, rows), 2).astype(str),
            "Stage": rng.choice(["Open", "Won"], rows),
        }
    )
    folder = tmp_path_factory.mktemp("shop")
    one = shop(folder, deals=deals.to_csv(index=False))
    two = shop(folder, deals=deals.sample(frac=1, random_state=seed).to_csv(index=False))
    pd.testing.assert_frame_equal(one.tables.accounts, two.tables.accounts, check_exact=True)
    pd.testing.assert_frame_equal(one.sums, two.sums, check_exact=True)
    sums = one.sums.set_index("column")
    in_force = deals.loc[deals["Closed"] >= "2026-01-01", "Value"].astype(float).sum()
    assert sums.loc["accounts.arr", ["total", "total_unmatched"]].sum() == pytest.approx(in_force)
    assert one.tables.accounts["arr"].sum() == pytest.approx(sums.loc["accounts.arr", "total"])
    assert sums.loc["accounts.deals", ["rows", "rows_unmatched"]].sum() == rows


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_aggregates_agree_with_plain_python(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    customers, sellers, days = rng.choice(["c1", "c2"], 12), rng.choice(["ana", "bo", "cy"], 12), rng.integers(1, 5, 12)
    rows = [(c, s, f"2026-01-{d:02}") for c, s, d in zip(customers, sellers, days, strict=True)]
    lines = [f"d{i},{c},{s},{d},1,Won" for i, (c, s, d) in enumerate(rows)]
    text = "\n".join(["Deal,Customer,Seller,Closed,Value,Stage", *lines])
    imported = shop(tmp_path_factory.mktemp("shop"), deals=text)
    for customer in ("c1", "c2"):
        mine = [(s, d) for c, s, d in rows if c == customer]
        if not mine:
            continue
        names = sorted({s for s, _ in mine})
        often = {s: (sum(x == s for x, _ in mine), max(d for x, d in mine if x == s)) for s in names}
        got = account(imported, customer)
        assert got["owner_id"] == next(s for s in names if often[s] == max(often.values()))
        latest, earliest = max(d for _, d in mine), min(d for _, d in mine)
        assert got["last_seller"] == min(s for s, d in mine if d == latest)
        assert got["first_seller"] == min(s for s, d in mine if d == earliest)
        assert float(got["confidence"]) == pytest.approx(max(n for n, _ in often.values()) / len(mine), abs=1e-6)


# ------------------------------------------------------------------------------------------- what is refused


REFUSED = [
    ('by = "Customer", column = "Value", where', 'column = "Value", where', "ACCOUNTS.arr.by", "is missing"),
    ('{column = "Guess"', '{colum = "Guess"', "ACCOUNTS.potential", "give one of aggregate, join"),
    ('order = "Closed"\ninferred', 'ordre = "Closed"\ninferred', "ACCOUNTS.owner_id.ordre", "not a key we know"),
    ('of = "deals"\nby', 'of = "deal"\nby', "ACCOUNTS.owner_id", "no source 'deal'"),
    ('aggregate = "max"', 'aggregate = "median"', "ACCOUNTS.largest.aggregate", "'most_frequent'"),
    ("potential = {", "Potential = {", "ACCOUNTS.Potential", "lower-case"),
    ("times = 1000", "times = nan", "ACCOUNTS.potential.times", "finite"),
    ("below = 100}", "below = 5}", "ACCOUNTS.segment", "greater than the one before"),
    (', because = "a year of selling hours"', "", "tables.reps.columns.capacity_hours.because", "is missing"),
    ("rep_id = ", "ident = ", "tables.reps.columns", "rep_id is missing"),
    ("tables.reps", "tables.sellers", "tables", "reps is missing"),
    ("[tables.reps]", "[tables.reps]\nneeds = ['nome']", "tables.reps", "nome not among the columns"),
    ('file = "people.csv"', 'file = "../people.csv"', "sources.people", "inside the folder"),
    ('{Active = "yes"}', "{Active = true}", "sources.people", "in quotes"),
    ("replace = {Branch", "key2 = 'x'\nreplace = {Branch", "sources.customers.key2", "not a key we know"),
    ("deals.add]", "deals.add]\na = {column = 'b'}\nb = {column = 'a'}", "sources", "made from each other"),
]


@pytest.mark.parametrize(("good", "bad", "key", "words"), REFUSED)
def test_a_bad_mapping_is_refused_with_file_and_key_path(
    tmp_path: Path, good: str, bad: str, key: str, words: str
) -> None:
    assert good in MAPPING
    with pytest.raises(InputError) as refused:
        shop(tmp_path, MAPPING.replace(good, bad))
    key = key.replace("ACCOUNTS", "tables.accounts.columns")
    hits = [f for f in refused.value.findings if f.column == key and words in f.problem]
    assert hits, str(refused.value)
    assert hits[0].file is not None and hits[0].file.endswith("mapping.toml")


def test_bad_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        shop(tmp_path, 'name = "x"\n\nkey = \n')
    assert next(iter(refused.value.findings)).row == 3


def test_missing_columns_of_the_exports_are_all_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        shop(tmp_path, deals=DEALS.replace("Seller", "Who").replace("Value", "Worth"))
    assert {f.column for f in refused.value.findings} == {"Seller", "Value"}
    assert "tables.accounts.columns.arr asks for it" in str(refused.value)


def test_a_join_to_a_key_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="occurs more than once"):
        shop(tmp_path, people=PEOPLE + "ana,Ana,Ode,West,yes\n")


def test_a_missing_file_folder_or_mapping_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no mapping file"):
        load_mapping(tmp_path / "nowhere.toml")
    shop(tmp_path)
    mapping = load_mapping(tmp_path / "mapping.toml")
    with pytest.raises(UsageError, match="no folder"):
        import_tables(mapping, tmp_path / "nowhere")
    (tmp_path / "deals.csv").unlink()
    with pytest.raises(UsageError, match=re.escape("no file deals.csv")):
        import_tables(mapping, tmp_path)


# ----------------------------------------------------------------------------------- other kinds of sources


def test_the_example_of_the_manual_works(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[1] / "docs" / "import-mapping.md").read_text(encoding="utf-8")
    example = manual.partition("## A small one")[2].partition("## `[sources")[0]
    (tmp_path / "customers.csv").write_text("CustNo,SellerId,Estimate\nC-007,1,2\nC-008,1,\n")
    invoices = ["C-0O7;1.234,50 €;31.01.2026", "C-007;0,5;01.02.2026", "C-007;9;31.12.2025", "C-008;x;01.02.2026"]
    (tmp_path / "invoices.csv").write_text("\n".join(["CustNo;Amount;Date", *invoices]), encoding="utf-8")
    book = xlsxwriter.Workbook(tmp_path / "people.xlsx")
    sheet = book.add_worksheet("Sales")
    for at, row in enumerate([["Id", "First", "Last", "Active"], [1, "Ana", "Lee", "yes"], [2, "Bo", "Day", "no"]]):
        sheet.write_row(at, 0, row)
    book.add_worksheet("Other").write_row(0, 0, ["x"])
    book.close()
    (tmp_path / "mapping.toml").write_text(example)
    imported = import_tables(load_mapping(tmp_path / "mapping.toml"), tmp_path)
    assert account(imported, "C-007") == {
        "account_id": "C-007",
        "name": "C-007",
        "owner_id": "1",
        "arr": 1235.0,
        "potential": 2000.0,
    }
    assert list(imported.tables.reps["name"]) == ["Ana Lee"]
    assert found(imported, "Amount", "is not a number written like")[0].value == "x"


def test_sqlite_tables_are_read_as_text_and_the_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a b?.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            CREATE TABLE "odd ""name" (id INTEGER, postal TEXT, total NUMERIC, blob_column);
            INSERT INTO "odd ""name" VALUES (1, '0171', 1.98, x'00'), (2, NULL, 5.0, 'text'), (3, '', 1e20, NULL);
            CREATE TABLE empty (a, b);
            CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT * FROM n;
        """)
    before = path.read_bytes()
    empty, odd = Sqlite().read(path)
    assert (empty.name, len(empty.frame), list(empty.frame.columns)) == ("empty", 0, ["a", "b"])
    assert list(odd.frame.index) == [2, 3, 4]
    assert odd.frame["postal"].tolist()[0] == "0171" and odd.frame["postal"].isna().tolist() == [False, True, True]
    assert odd.frame["total"].tolist() == ["1.98", "5", "100000000000000000000"]
    assert [(f.column, f.row, f.count) for f in odd.findings] == [("blob_column", 2, 1)]
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_file_that_is_no_database_or_lacks_the_table_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "broken.sqlite"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(InputError, match="cannot be read as SQLite"):
        Sqlite().read(path)
    with closing(sqlite3.connect(tmp_path / "good.sqlite")) as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(InputError, match="no table 'u'; known: t"):
        Sqlite().read(tmp_path / "good.sqlite", "u")
