"""The three committed mappings on the real exports, which are not part of this repository."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from optimizer.errors import Finding
from optimizer.importing import Imported, import_tables, load_mapping
from optimizer.read import read, write
from optimizer.scenario import load_scenario

SCENARIOS = Path(__file__).parents[1] / "scenarios"
COMPANIES = ("maven_crm", "chinook", "wide_world_importers")


@pytest.fixture(scope="module")
def imports(shared_data: Path) -> dict[str, Imported]:
    return {
        name: import_tables(load_mapping(SCENARIOS / name / "mapping.toml"), shared_data / "crm" / name)
        for name in COMPANIES
    }


@pytest.fixture
def maven(imports: dict[str, Imported]) -> Imported:
    return imports["maven_crm"]


@pytest.fixture
def chinook(imports: dict[str, Imported]) -> Imported:
    return imports["chinook"]


@pytest.fixture
def importers(imports: dict[str, Imported]) -> Imported:
    return imports["wide_world_importers"]


def one(imported: Imported, column: str, words: str) -> Finding:
    (hit,) = [f for f in imported.findings if f.column == column and words in f.problem]
    return hit


def test_maven_has_85_accounts_and_35_reps_of_which_five_never_sold(maven: Imported) -> None:
    assert (len(maven.tables.accounts), len(maven.tables.reps)) == (85, 35)
    idle = one(maven, "sales_agent", "has no row in sales_pipeline.csv")
    assert (idle.count, idle.value) == (5, "Mei-Mei Johns")


def test_maven_deals_without_an_account_are_reported_and_kept_out(maven: Imported) -> None:
    assert one(maven, "account", "is empty").count == 1425
    assert one(maven, "account_id", "left out of opportunities").count == 1425
    assert maven.tables.opportunities is not None
    assert len(maven.tables.opportunities) == 8800 - 1425
    sums = maven.sums.set_index("column")
    assert sums.loc["companies.deals", ["total", "total_unmatched"]].tolist() == [7375, 1425]


def test_maven_spelling_is_corrected_and_counted(maven: Imported) -> None:
    assert one(maven, "product", "corrected to 'GTX Pro'").count == 1480
    assert one(maven, "sector", "corrected to 'technology'").count == 12
    assert one(maven, "office_location", "corrected to 'Philippines'").count == 1
    assert maven.tables.opportunities is not None
    assert "GTXPro" not in set(maven.tables.opportunities["product"])
    assert not {"technolgy", "Philipines"} & {*maven.tables.accounts["industry"], *maven.tables.accounts["country"]}


def test_maven_owners_are_inferred_flagged_and_among_the_reps(maven: Imported, shared_data: Path) -> None:
    assert one(maven, "owner_id", "85 values are inferred").severity == "warning"
    accounts = maven.tables.accounts.set_index("account_id")
    assert set(accounts["owner_id"]) <= set(maven.tables.reps["rep_id"])
    deals = pd.read_csv(shared_data / "crm" / "maven_crm" / "sales_pipeline.csv")
    closed = deals[deals["deal_stage"].isin(["Won", "Lost"])]
    share = closed.groupby("account")["sales_agent"].value_counts(normalize=True).groupby("account").max()
    confidence = accounts["owner_confidence"].astype(float)
    pd.testing.assert_series_equal(confidence, share, check_names=False, check_like=True, atol=1e-6)


def test_maven_revenue_is_all_placed_and_families_lie_in_one_region(maven: Imported) -> None:
    accounts = maven.tables.accounts.set_index("account_id")
    assert accounts["arr"].sum() == 10_005_534
    parents = accounts["parent_id"].dropna()
    assert (len(parents), parents.nunique(), set(parents) <= set(accounts.index)) == (15, 7, True)
    assert (accounts.loc[parents.index, "region"].to_numpy() == accounts.loc[parents, "region"].to_numpy()).all()
    assert accounts["hours"].sum() < maven.tables.reps["capacity_hours"].sum()


def test_chinook_has_59_customers_of_three_agents_with_their_own_owners(chinook: Imported) -> None:
    assert (len(chinook.tables.accounts), len(chinook.tables.reps)) == (59, 3)
    assert chinook.tables.accounts["owner_id"].value_counts().to_dict() == {"3": 21, "4": 20, "5": 18}
    assert set(chinook.tables.reps["team"]) == {"Nancy Edwards"}
    assert not [f for f in chinook.findings if f.column == "owner_id"]


def test_chinook_invoices_and_their_lines_come_to_the_same_money(chinook: Imported) -> None:
    sums = chinook.sums.set_index("column")["total"]
    assert sums["accounts.arr"] == pytest.approx(2328.60) == sums["accounts.bought"]
    assert chinook.tables.accounts["arr"].sum() == pytest.approx(2328.60 / 5)
    assert chinook.tables.accounts["favourite_genre"].notna().all()


def test_importers_have_663_customers_with_coordinates_and_ten_reps(importers: Imported) -> None:
    accounts, reps = importers.tables.accounts, importers.tables.reps
    assert (len(accounts), len(reps)) == (663, 10)
    assert accounts[["lat", "lon"]].notna().all(axis=None)
    assert reps[["lat", "lon"]].notna().all(axis=None)
    assert one(importers, "owner_id", "663 values are inferred").severity == "warning"
    assert accounts["owner_confidence"].astype(float).mean() == pytest.approx(0.16, abs=0.01)


def test_importers_orders_are_all_placed_and_shops_are_no_family(importers: Imported) -> None:
    sums = importers.sums.set_index("column")
    assert sums.loc["accounts.potential", "rows"] == 73_595
    assert sums.loc["accounts.potential", "total"] == pytest.approx(177.6e6, rel=1e-3)
    assert "parent_id" not in importers.tables.accounts
    assert importers.tables.accounts["buying_group"].value_counts().to_dict() == {
        "none": 261,
        "Tailspin Toys": 201,
        "Wingtip Toys": 201,
    }


def test_importers_territories_without_a_rep_are_reported(importers: Imported) -> None:
    finding = one(importers, "SalesTerritory", "is not in reps.csv")
    assert finding.count == 93 + 77 + 43 + 10
    assert "'Southwest' (93), 'Great Lakes' (77), 'Rocky Mountain' (43)" in finding.problem


@pytest.mark.parametrize("name", COMPANIES)
def test_what_is_written_reads_back_without_errors(imports: dict[str, Imported], name: str, tmp_path: Path) -> None:
    tables = imports[name].tables
    assert not imports[name].findings.errors
    write(tables, tmp_path)
    again = read(tmp_path)
    assert not again.findings.errors
    for table, frame in tables.present().items():
        other = again.present()[table]
        assert list(other.columns) == list(frame.columns)
        pd.testing.assert_frame_equal(frame.reset_index(drop=True), other.reset_index(drop=True))


@pytest.mark.parametrize("name", COMPANIES)
def test_the_baseline_of_each_company_is_a_scenario_in_dollars(name: str) -> None:
    scenario = load_scenario(SCENARIOS / name / "baseline.toml")
    assert scenario.currency == "USD"
    assert {rule.name for rule in scenario.rules} >= {"hours", "fair books"}
    assert load_mapping(SCENARIOS / name / "mapping.toml").sources


def test_each_company_has_a_page_with_the_commands() -> None:
    for name in COMPANIES:
        page = (SCENARIOS / name / "README.md").read_text(encoding="utf-8")
        assert f"bookfit import scenarios/{name}/mapping.toml" in page
        assert f"bookfit solve scenarios/{name}/baseline.toml --tables" in page
