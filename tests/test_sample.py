"""Synthetic companies: real-looking, solvable, as hard as real books, and the same for the same seed."""

from __future__ import annotations

import tomllib
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from optimizer.errors import UsageError
from optimizer.read import read
from optimizer.sample import baseline_toml, sample, write_sample
from optimizer.sample.places import areas, shared_out
from optimizer.tables import DTYPES, RANGES, Tables, split_list, table

SIZES = ((200, 10, 10), (300, 14, 1), (300, 14, 2), (2000, 40, 3))
company = cache(sample)


def may_serve(tables: Tables) -> np.ndarray:
    """[accounts, reps] by the texts of the tables alone: region, every skill and every language."""
    accounts, reps = tables.accounts, tables.reps
    able = np.ones((len(accounts), len(reps)), dtype=bool)
    for needed, held in (("region", "regions"), ("required_skills", "skills"), ("languages", "languages")):
        has = [set(split_list(cell)) for cell in reps[held]]
        asks = {cell: [set(split_list(cell)) <= h for h in has] for cell in accounts[needed].dropna().unique()}
        able &= np.array([asks.get(cell, [True] * len(reps)) for cell in accounts[needed]])
    return able


def family_roots(accounts: pd.DataFrame) -> pd.Series:
    """The account each account's chain of parents ends at."""
    parent = accounts.set_index("account_id")["parent_id"].dropna().to_dict()
    root = accounts["account_id"].copy()
    for _ in range(10):
        root = root.map(lambda account: parent.get(account, account))
    assert not root.isin(parent).any(), "a chain of parents without end"
    return root


@pytest.fixture(scope="module", params=SIZES, ids=str)
def tables(request: pytest.FixtureRequest) -> Tables:
    return company(*request.param)


def test_the_same_seed_gives_the_same_company_and_another_seed_another() -> None:
    one, again, other = sample(150, 8, 5), sample(150, 8, 5), sample(150, 8, 6)
    for name, frame in one.present().items():
        pd.testing.assert_frame_equal(frame, again.present()[name])
        assert not frame.equals(other.present()[name])


def test_every_column_is_in_the_dictionary_typed_as_it_says_and_in_range(tables: Tables) -> None:
    for name, frame in tables.present().items():
        assert list(frame.index) == list(range(2, len(frame) + 2))
        assert frame[list(table(name).key)].notna().all(axis=None)
        assert not frame.duplicated(list(table(name).key)).any()
        for label in frame:
            column = table(name).column(label)
            assert column is not None, f"{name}.{label}"
            assert frame[label].dtype == DTYPES[column.kind], f"{name}.{label}"
            if column.kind in RANGES:
                assert frame[label].dropna().between(*RANGES[column.kind]).all(), f"{name}.{label}"


def test_every_reference_leads_somewhere(tables: Tables) -> None:
    ids, deals, people = tables.accounts["account_id"], tables.opportunities, tables.contacts
    for pointer in (tables.accounts["parent_id"].dropna(), deals["account_id"], people["account_id"]):
        assert pointer.isin(ids).all()
    covered = {region for cell in tables.reps["regions"] for region in split_list(cell)}
    assert covered == set(areas(len(covered)).names)
    assert set(tables.accounts["region"]) <= covered


def test_every_account_has_an_eligible_rep_and_todays_owner_is_nearly_always_one(tables: Tables) -> None:
    able = may_serve(tables)
    assert able.any(axis=1).all()
    owner = tables.accounts["owner_id"].map(dict(zip(tables.reps["rep_id"], range(len(tables.reps)), strict=True)))
    owned = np.flatnonzero(owner.notna())
    assert able[owned, owner.iloc[owned].astype(int)].mean() > 0.97
    assert able.sum(axis=1).mean() >= 3


def test_the_books_of_all_reps_are_connected_through_accounts_they_share(tables: Tables) -> None:
    able = may_serve(tables)
    rows, columns = np.nonzero(able)
    graph = coo_array((np.ones(len(rows)), (rows, len(able) + columns)), shape=(sum(able.shape),) * 2)
    assert connected_components(graph, directed=False)[0] == 1
    assert able.mean(axis=1).max() < 1, "no region is everybody's"


def test_families_are_small_and_served_from_one_region(tables: Tables) -> None:
    accounts = tables.accounts
    root = family_roots(accounts)
    sizes = root.value_counts()
    assert 0.06 < accounts["parent_id"].notna().mean() < 0.10
    assert sizes.max() <= 5
    assert accounts.groupby(root.to_numpy())["region"].nunique().max() == 1


def test_families_have_a_rep_who_may_serve_every_member(tables: Tables) -> None:
    able = pd.DataFrame(may_serve(tables)).groupby(family_roots(tables.accounts).to_numpy()).all()
    assert able.any(axis=1).all()


def test_there_is_more_work_than_hours_and_potential_is_heavy_tailed(tables: Tables) -> None:
    accounts = tables.accounts
    assert accounts["hours"].sum() / tables.reps["capacity_hours"].sum() == pytest.approx(1.10, abs=0.01)
    for _, segment in accounts.groupby("segment"):
        if len(segment) > 50:
            assert np.log(segment["potential"]).std() > 1.0
    assert np.log(accounts["potential"]).std() > 1.2


def test_inherited_books_are_uneven_and_new_reps_hold_little() -> None:
    tables = company(2000, 40, 3)
    reps = tables.reps.set_index("rep_id")
    size = tables.accounts["owner_id"].value_counts().reindex(reps.index, fill_value=0)
    ramping = reps["ramp"] < 1
    assert 0.1 < ramping.mean() < 0.2
    assert size[ramping].mean() < 0.6 * size[~ramping].mean()
    assert size[~ramping].quantile(0.9) > 2 * size[~ramping].quantile(0.1)
    owner = tables.accounts["owner_id"]
    assert owner.isna().mean() == pytest.approx(0.04, abs=0.001)
    assert (~owner.dropna().isin(reps.index)).sum() == 20
    assert (reps["start_date"][ramping] > pd.Timestamp("2026-03-01")).all()


def test_the_accounts_look_like_a_sales_book() -> None:
    accounts = company(2000, 40, 3).accounts
    assert (accounts["arr"] > 0).mean() == pytest.approx(0.55, abs=0.04)
    assert accounts["key_account"].mean() == pytest.approx(0.06)
    assert accounts["key_score"].notna().mean() == pytest.approx(0.7, abs=0.04)
    assert accounts["key_score"].corr(accounts["potential"], method="spearman") > 0.5
    skills = accounts["required_skills"].map(lambda cell: len(split_list(cell))).value_counts(normalize=True)
    assert skills[0] > 0.5 and skills[2] < skills[1] < skills[0]
    assert accounts["languages"].value_counts(normalize=True)["en"] > 0.7
    assert accounts["name"].duplicated().mean() < 0.05
    assert (accounts.loc[accounts["arr"] == 0, "renewal_date"].isna()).all()


def test_reps_have_names_of_their_own_and_quotas_that_add_up() -> None:
    tables = company(2000, 40, 3)
    reps, accounts = tables.reps, tables.accounts
    assert reps["name"].is_unique and reps["email"].is_unique
    assert reps["email"].str.fullmatch(r"[a-z]+\.[a-z]+@example\.com").all()
    assert reps["team"].value_counts().between(6, 10).all()
    assert reps["skills"].map(lambda cell: len(split_list(cell))).between(2, 6).all()
    expected = 0.2 * accounts["potential"].sum() + 0.9 * accounts["arr"].sum()
    assert reps["quota"].sum() == pytest.approx(1.05 * expected, rel=0.01)


def test_two_years_of_deals_hang_together() -> None:
    tables = company(2000, 40, 3)
    deals, accounts = tables.opportunities, tables.accounts.set_index("account_id")
    today = pd.Timestamp("2026-10-31")
    assert len(deals) / len(accounts) == pytest.approx(2, abs=0.2)
    assert deals["created_date"].between(today - pd.Timedelta(days=730), today).all()
    assert (deals["close_date"] > deals["created_date"]).all()
    assert (deals["closed"] == (deals["close_date"] <= today)).all()
    assert not (deals["won"] & ~deals["closed"]).any()
    assert 0.2 < deals.loc[deals["closed"], "won"].mean() < 0.4
    opened = accounts.index.isin(deals.loc[~deals["closed"], "account_id"])
    assert (accounts["open_opportunity"].to_numpy(bool) == opened).all()
    never = accounts[(accounts[["revenue_y1", "revenue_y2", "revenue_y3"]] == 0).all(axis=1)].index
    assert len(never) > 500 and not deals.loc[deals["account_id"].isin(never), "won"].any()
    first_day = deals["rep_id"].map(tables.reps.set_index("rep_id")["start_date"])
    assert not (deals["created_date"] < first_day).any(), "nobody worked a deal before the first working day"


def test_the_accounts_count_their_contacts() -> None:
    tables = company(2000, 40, 3)
    accounts = tables.accounts.set_index("account_id")
    known = tables.contacts["account_id"].value_counts().reindex(accounts.index, fill_value=0)
    active = tables.contacts.loc[tables.contacts["active"], "account_id"].value_counts()
    assert (accounts["contacts"] == known).all()
    assert (accounts["contacts_active"] == active.reindex(accounts.index, fill_value=0)).all()
    assert accounts["contacts"].mean() == pytest.approx(2, abs=0.2)


def test_the_baseline_can_be_met_by_trimming_todays_books(tables: Tables) -> None:
    """Families in order of key accounts and revenue an hour, each kept where there is room, key ones placed."""
    accounts, reps = tables.accounts.reset_index(drop=True), tables.reps
    able, root = may_serve(tables), family_roots(accounts)
    code = dict(zip(reps["rep_id"], range(len(reps)), strict=True))
    hours, places = reps["capacity_hours"].to_numpy(copy=True), reps["max_accounts"].to_numpy(copy=True)
    today = accounts["owner_id"].map(code).fillna(-1).to_numpy(int)
    key, work, arr = accounts["key_account"].to_numpy(bool), accounts["hours"].to_numpy(), accounts["arr"].to_numpy()
    units = list(accounts.groupby(root.to_numpy()).indices.values())
    units.sort(key=lambda members: (-key[members].sum(), -arr[members].sum() / work[members].sum()))
    rep_of = np.full(len(accounts), -1)
    for members in units:
        options = able[members].all(axis=0) & (hours >= work[members].sum()) & (places >= len(members))
        wanted = [rep for rep in today[members] if rep >= 0 and options[rep]]
        if not wanted and key[members].any() and options.any():
            wanted = [int(np.argmax(np.where(options, hours, -1)))]
        if wanted:
            rep_of[members] = wanted[0]
            hours[wanted[0]] -= work[members].sum()
            places[wanted[0]] -= len(members)
    moved = (today >= 0) & (rep_of != today)
    assert arr[moved].sum() <= 0.15 * arr.sum()
    served = pd.Series(rep_of[key] >= 0).groupby(accounts.loc[key, "segment"].to_numpy()).mean()
    assert (served >= 0.8).all()


@pytest.mark.parametrize(("accounts", "reps"), [(1, 1), (5, 3), (30, 60), (100, 7), (5000, 1)])
def test_odd_sizes_work_too(accounts: int, reps: int) -> None:
    tables = sample(accounts, reps)
    assert (len(tables.accounts), len(tables.reps)) == (accounts, reps)
    assert may_serve(tables).any(axis=1).all()


def test_a_large_company_offers_each_account_some_twenty_reps() -> None:
    tables = sample(12_000, 600)
    able = may_serve(tables)
    assert 15 < able.sum(axis=1).mean() < 40 and able.any(axis=1).all()
    assert tables.reps["regions"].str.count(";").isin([1, 2]).all() and tables.accounts["region"].nunique() == 50


@pytest.mark.parametrize("count", [1, 2, 5, 6, 7, 13, 40, 167])
def test_areas_share_the_line_and_touch_their_neighbours(count: int) -> None:
    cut = areas(count)
    assert len(set(cut.names)) == len(cut.names) == count
    assert cut.edges[0] == 0 and cut.edges[-1] == 1 and all(a < b for a, b in pairwise(cut.edges))
    assert not (cut.nearest == np.arange(count)[:, None]).any()
    assert (cut.at((cut.edges[:-1] + cut.edges[1:]) / 2) == np.arange(count)).all()


def test_shares_add_up_and_leave_nobody_out() -> None:
    assert shared_out(10, np.array([1.0, 1.0, 8.0])).tolist() == [2, 2, 6]
    assert shared_out(3, np.array([1.0, 1.0, 1000.0])).tolist() == [1, 1, 1]
    assert shared_out(2, np.array([1.0, 5.0, 4.0])).sum() == 2


def test_what_is_written_reads_back_as_it_was(tmp_path) -> None:
    folder = write_sample(tmp_path / "acme", 150, 8, seed=5)
    for name, frame in sample(150, 8, 5).present().items():
        as_text = pa.csv.ConvertOptions(column_types={label: pa.string() for label in frame})
        written = pa.csv.read_csv(folder / f"{name}.csv", convert_options=as_text).to_pandas()
        assert list(written) == list(frame)
        for label in frame:
            cells, want = written[label].replace("", None), frame[label].reset_index(drop=True)
            assert (cells.isna() == want.isna()).all(), label
            if want.dtype == "float64":
                assert (cells.dropna().astype(float) == want.dropna()).all(), label
            elif want.dtype == "boolean":
                assert set(cells) <= {"true", "false"} and ((cells == "true") == want).all(), label
            elif want.dtype.kind == "M":
                assert (cells.dropna() == want.dropna().dt.strftime("%Y-%m-%d")).all(), label
            else:
                assert (cells.dropna() == want.dropna()).all(), label
    assert b'"' not in (folder / "accounts.csv").read_bytes()


def test_the_reader_takes_a_written_sample_without_a_finding(tmp_path) -> None:
    made, read_back = sample(150, 8, 5), read(write_sample(tmp_path / "acme", 150, 8, seed=5))
    assert not read_back.findings
    for name, frame in made.present().items():
        pd.testing.assert_frame_equal(read_back.present()[name], frame)


def test_writing_twice_gives_the_same_bytes(tmp_path) -> None:
    one, two = (write_sample(tmp_path / name, 120, 6, seed=3) for name in ("one", "two"))
    files = sorted(path.name for path in one.iterdir())
    assert files == ["README.md", "accounts.csv", "baseline.toml", "contacts.csv", "opportunities.csv", "reps.csv"]
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)


def test_a_folder_that_holds_tables_is_not_overwritten_unless_asked(tmp_path) -> None:
    (tmp_path / "accounts.csv").write_text("account_id\nmine\n")
    with pytest.raises(UsageError, match=r"accounts\.csv"):
        write_sample(tmp_path, 100, 5)
    assert (tmp_path / "accounts.csv").read_text() == "account_id\nmine\n"
    write_sample(tmp_path, 100, 5, overwrite=True)
    assert "100 accounts" in (tmp_path / "baseline.toml").read_text()


def test_the_baseline_scenario_has_every_rule_and_cuts_options_only_in_large_companies() -> None:
    small, large = (tomllib.loads(baseline_toml(n, m)) for n, m in ((300, 14), (1_000_000, 2_000)))
    names = [rule["name"] for rule in small["rules"]]
    assert len(set(names)) == len(names) == 9
    assert {rule["kind"] for rule in small["rules"]} == {"limit", "match", "together"}
    assert [rule for rule in large["rules"] if rule not in small["rules"]] == [
        {"name": "best reps", "kind": "nearest", "reps": 20, "by": "value"}
    ]


@pytest.mark.parametrize(("accounts", "reps", "seed"), [(0, 5, 1), (100, 0, 1), (100, 10_000, 1), (100, 5, -1)])
def test_an_impossible_size_is_refused_with_what_is_possible(accounts: int, reps: int, seed: int) -> None:
    with pytest.raises(UsageError, match="give"):
        sample(accounts, reps, seed)
