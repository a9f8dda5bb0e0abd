"""What we hand over says what the plan says, changes no id and runs nothing."""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import python_calamine as calamine
from hypothesis import given
from hypothesis import strategies as st

from optimizer.certificate import adjusted, admissible, bound
from optimizer.check import judge
from optimizer.errors import InputError, UsageError
from optimizer.export import PRESETS, books_frame, export, limits_frame, plan_frame, undo_prefix, write_csv
from optimizer.export import presets as presets_module
from optimizer.export import workbook as workbook_module
from optimizer.export.content import Handover, row_hashes
from optimizer.export.presets import guard
from optimizer.export.readme import facts
from optimizer.plan import Plan
from optimizer.problem import Problem, build
from optimizer.result import Result
from optimizer.scenario import parse_scenario
from optimizer.tables import Tables

AWKWARD = [
    "=1+1",
    "-1",
    "007",
    "123456789012345678",
    "emoji 🚀;,",
    '+"quoted"\r\nlines',
    "@SUM(A1)",
    "\t=tab",
    "1E5",
    "NA",
]
RULES = [
    {"name": "hours", "kind": "limit", "measure": "hours", "per": "rep", "at_most": "capacity_hours"},
    {"name": "moves", "kind": "limit", "measure": "moved_arr", "per": "company", "at_most": "50%"},
    {
        "name": "segments",
        "kind": "limit",
        "measure": "potential",
        "per": "account.segment",
        "at_least": 10,
        "penalty": 2.0,
    },
    {"name": "regions", "kind": "match", "account": "region", "rep": "regions"},
    {"name": "families", "kind": "together"},
]


def company() -> Tables:
    n = len(AWKWARD)
    accounts = pd.DataFrame(
        {
            "account_id": AWKWARD,
            "name": [f"={i}+{i}" if i % 2 else f"Größe {i}" for i in range(n)],
            "owner_id": ["=r,1", "r2", "gone", None, "=r,1", "r2", "r2", "=r,1", "gone", None],
            "parent_id": [None, None, "-1", None, None, None, None, None, None, None],
            "potential": [100.0 * (i + 1) for i in range(n)],
            "arr": [50.0 * i for i in range(n)],
            "hours": [3.0 + i for i in range(n)],
            "segment": ["A", "B"] * (n // 2),
            "region": ["E", "W", "W", None, "E", "W", "E", "E", "W", "N"],
            "renewal_date": pd.Series(["2027-03-01", None] * (n // 2)),
        },
        index=pd.Index(range(2, n + 2), name="row"),
    ).astype(dict.fromkeys(("account_id", "name", "owner_id", "parent_id", "segment", "region"), "str"))
    accounts["renewal_date"] = pd.to_datetime(accounts["renewal_date"]).astype("datetime64[us]")
    reps = pd.DataFrame(
        {
            "rep_id": ["=r,1", "r2", "open"],
            "name": ["=HYPERLINK()", "Bo", "Bo"],
            "capacity_hours": [40.0, 30.0, 30.0],
            "regions": ["E;W", "W", None],
            "open": pd.array([False, False, True], dtype="boolean"),
            "cost": [0.0, 0.0, 5.0],
        },
        index=pd.Index(range(2, 5), name="row"),
    ).astype({"rep_id": "str", "name": "str", "regions": "str"})
    return Tables(accounts, reps)


def problem_of(tables: Tables, **scenario: object) -> Problem:
    return build(tables, parse_scenario({"name": "Tiny", "currency": "EUR", "rules": RULES, **scenario}))


def some_choice(problem: Problem, seed: int) -> np.ndarray:
    """A random option, or nobody, for every unit."""
    rng = np.random.default_rng(seed)
    count = np.diff(problem.core.start)
    pick = rng.integers(0, count + 1)
    return np.where(pick < count, problem.core.start[:-1] + pick, -1)


def result_of(problem: Problem, plan: Plan, prices: np.ndarray | None = None) -> Result:
    prices = np.zeros(problem.core.rows) if prices is None else prices
    report = judge(problem.scores, problem.scenario.active, plan)
    proved = bound(problem.core, prices)
    return Result("FEASIBLE", "time", plan, report, report.objective, proved, "prices", prices, 1.5, "greedy")


@pytest.fixture(scope="module")
def tables() -> Tables:
    return company()


@pytest.fixture(scope="module")
def problem(tables: Tables) -> Problem:
    return problem_of(tables)


@pytest.fixture
def prices(problem: Problem) -> np.ndarray:
    return admissible(problem.core, np.random.default_rng(7).normal(scale=5.0, size=problem.core.rows))


# -- the tables ------------------------------------------------------------------------------------------------------


def brute_force(problem: Problem, plan: Plan, prices: np.ndarray, account: int, role: int) -> tuple[str | None, float]:
    """Runner-up and regret of one account, by looking at every option of its unit."""
    core, options = problem.core, problem.options
    members = np.split(options.member, options.member_start[1:-1])
    unit = next(u for u, m in enumerate(members) if account in m and options.role[u] == role)
    span = range(core.start[unit], core.start[unit + 1])
    value = dict(zip(span, adjusted(core, prices, unit, unit + 1), strict=True))
    own = plan.rep[account, role], plan.level[account, role]
    others = {k: v for k, v in value.items() if core.rep[k] != own[0]}
    mine = [v for k, v in value.items() if (core.rep[k], options.level[k]) == own]
    chosen = 0.0 if own[0] < 0 else mine[0] if mine else math.nan
    if not others:
        return None, math.nan
    best = max(others, key=lambda k: (others[k], -k))
    return str(problem.scores.rep_ids[core.rep[best]]), chosen - others[best]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"scoring": {"levels": [{"name": "high", "hours": 1.0}, {"name": "low", "hours": 0.4, "value": 0.7}]}},
        {"roles": [{"name": "AE", "share": 0.7}, {"name": "CSM", "share": 0.3, "hours": 0.5}]},
    ],
    ids=["plain", "levels", "roles"],
)
def test_runner_up_and_regret_are_those_of_looking_at_every_option(
    tables: Tables, more: dict[str, object], seed: int
) -> None:
    problem = problem_of(tables, **more)
    prices = admissible(problem.core, np.random.default_rng(seed).normal(scale=5.0, size=problem.core.rows))
    plan = problem.plan(some_choice(problem, seed))
    frame = plan_frame(problem, plan, prices, tables)
    for at, row in enumerate(frame.itertuples()):
        rep, regret = brute_force(problem, plan, prices, *divmod(at, len(problem.scores.roles)))
        assert (None if pd.isna(row.runner_up) else row.runner_up) == rep
        assert row.regret == pytest.approx(regret, abs=0.006, nan_ok=True)


def test_an_assignment_that_is_no_option_has_no_regret(problem: Problem) -> None:
    at = AWKWARD.index("NA")  # in a region nobody covers but the open position
    ids = list(problem.scores.account_ids)
    rep = np.full((len(ids), 1), -1, np.int32)
    rep[ids.index(AWKWARD[at]), 0] = list(problem.scores.rep_ids).index("r2")
    frame = plan_frame(problem, problem.scores.plan(rep, np.zeros_like(rep, np.int8))).set_index("account_id")
    assert frame.loc["NA", "rep_id"] == "r2"
    assert math.isnan(frame.loc["NA", "regret"])


def test_the_plan_table_adds_up_to_what_check_says(problem: Problem, tables: Tables) -> None:
    plan = problem.plan(some_choice(problem, 3))
    frame, report = plan_frame(problem, plan), judge(problem.scores, problem.scenario.active, plan)
    whole = report.objective - report.ledger["penalties"] - report.ledger["open_positions"]
    assert frame["value"].sum() == pytest.approx(whole)
    assert (frame.loc[frame["rep_id"].isna(), ["value", "hours"]] == 0).all(axis=None)
    moved = report.limits.set_index("rule").loc["moves", "actual"]
    arr = dict(zip(tables.accounts["account_id"], tables.accounts["arr"], strict=True))
    assert frame.loc[frame["moved"], "account_id"].map(arr).sum() == pytest.approx(moved)


def test_an_owner_who_is_no_rep_is_still_named_but_nothing_moved(problem: Problem) -> None:
    frame = plan_frame(problem, problem.scores.empty_plan()).set_index("account_id")
    assert frame.loc["007", "previous_rep_id"] == "gone"
    assert not frame.loc["007", "moved"]
    assert frame.loc["=1+1", "moved"]
    assert pd.isna(frame.loc["123456789012345678", "previous_rep_id"])


def test_owners_in_further_roles_come_from_the_assignments_table(tables: Tables) -> None:
    given = pd.DataFrame(
        {"account_id": ["007", "-1", "=1+1"], "rep_id": ["left us", "open", None], "role": ["CSM", "CSM", None]},
        index=pd.Index([2, 3, 4], name="row"),
        dtype="str",
    )
    more = Tables(tables.accounts, tables.reps, given)
    problem = problem_of(more, roles=[{"name": "AE", "share": 0.5}, {"name": "CSM", "share": 0.5}])
    frame = plan_frame(problem, problem.today, tables=more).set_index(["account_id", "role"])["previous_rep_id"]
    assert frame["007", "CSM"] == "left us"
    assert frame["-1", "CSM"] == "open"
    assert frame["007", "AE"] == "gone"
    assert pd.isna(frame["=1+1", "AE"])


@pytest.mark.parametrize("seed", range(5))
def test_every_account_of_a_book_is_accounted_for(problem: Problem, seed: int) -> None:
    plan = problem.plan(some_choice(problem, seed))
    books, rows = books_frame(problem, plan), plan_frame(problem, plan)
    known = books["accounts_today"] - books["moved_out"] + books["moved_in"] + books["taken_on"]
    assert (books["accounts"] == known).all()
    assert books["accounts"].sum() == rows["rep_id"].notna().sum()
    assert books["moved_out"].sum() == rows["moved"].sum()
    for column in ("value", "hours"):
        assert books.set_index("rep_id")[column].to_dict() == pytest.approx(
            rows.groupby("rep_id")[column].sum().reindex(books["rep_id"], fill_value=0.0).to_dict()
        )


def test_limit_rows_have_the_price_of_their_own_rule_and_row(problem: Problem, prices: np.ndarray) -> None:
    report = judge(problem.scores, problem.scenario.active, problem.today)
    wanted = {(r.rule, r.row): p for r, p in zip(problem.limits.itertuples(), prices, strict=True)}
    shuffled = type(report)(report.limits.sample(frac=1, random_state=1), report.assignments, report.ledger, 0.0)
    for given_report in (report, shuffled):
        frame = limits_frame(problem, given_report, prices)
        assert len(frame) == problem.core.rows
        assert all(wanted[r.rule, r.row] == r.price for r in frame.itertuples())
    assert frame.loc[frame["rule"] == "hours", "penalty"].isna().all()
    assert limits_frame(problem, report)["price"].isna().all()


# -- CSV ---------------------------------------------------------------------------------------------------------------


def cells(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


@pytest.mark.parametrize("preset", [p.name for p in PRESETS])
def test_p8_ids_come_back_from_csv_as_they_went(problem: Problem, tmp_path: Path, preset: str) -> None:
    chosen = presets_module.preset_named(preset)
    export(problem, problem.today, tmp_path / "plan.csv", preset)
    rows = cells(tmp_path / "plan.csv", chosen.delimiter)
    ids = pd.Series([row["account_id"] for row in rows], dtype="str")
    owners = pd.Series([row["previous_rep_id"] for row in rows], dtype="str")
    if chosen.guarded:
        ids, owners = undo_prefix(ids), undo_prefix(owners)
    assert sorted(ids) == sorted(AWKWARD)
    assert set(owners) == {"=r,1", "r2", "gone", ""}


@pytest.mark.parametrize("preset", ["excel-us", "excel-eu"])
def test_p10_no_text_of_an_excel_preset_begins_like_a_formula(problem: Problem, tmp_path: Path, preset: str) -> None:
    chosen = presets_module.preset_named(preset)
    for path in export(problem, problem.today, tmp_path, preset):
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        for row in cells(path, chosen.delimiter):
            for title, cell in row.items():
                number = re.fullmatch(r"-?\d+([.,]\d+)?", cell) and title not in ("account_id", "rep_id", "row")
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


def test_plain_csv_is_rfc_4180(problem: Problem, tmp_path: Path) -> None:
    export(problem, problem.today, tmp_path / "plan.csv")
    raw = (tmp_path / "plan.csv").read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    outside = b"".join(raw.split(b'"')[::2])
    assert outside.count(b"\n") == outside.count(b"\r\n") == len(AWKWARD) + 1


def test_the_european_preset_writes_decimal_commas_and_no_apostrophe_before_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"id": pd.Series(["-1", "a;b"], dtype="str"), "regret": [-1234.5, np.inf], "ok": [True, False]}
    )
    write_csv(frame, tmp_path / "x.csv", "excel-eu")
    assert (tmp_path / "x.csv").read_bytes().decode(
        "utf-8-sig"
    ) == 'id;regret;ok\r\n\'-1;-1234,5;true\r\n"a;b";;false\r\n'


@given(st.lists(st.text(st.sampled_from("'=-+@ \t\r\n＝a1\u00a0\"🚀"), max_size=6), min_size=1))
def test_the_apostrophe_can_be_taken_away_again(texts: list[str]) -> None:
    cells_ = pd.Series(texts, dtype="str")
    guarded = guard(cells_)
    assert undo_prefix(guarded).tolist() == texts
    assert not any(text.lstrip(" \u00a0").startswith(tuple("=+-@\t\r\n＝＋－＠")) for text in guarded)


@given(
    st.lists(
        st.tuples(st.text("a,;\"\r\n'é🚀 =", max_size=5), st.floats(allow_nan=False, allow_infinity=False, width=32))
    )
)
def test_any_text_survives_the_plain_preset(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    frame = pd.DataFrame(
        {"t": pd.Series([t for t, _ in rows], dtype="str"), "n": np.array([n for _, n in rows], dtype=float)}
    )
    write_csv(frame, path)
    back = cells(path)
    assert [(row["t"], float(row["n"])) for row in back] == rows


def test_more_rows_than_a_chunk_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets_module, "ROWS_AT_ONCE", 7)
    frame = pd.DataFrame({"id": pd.Series([f"n{i}" for i in range(50)], dtype="str"), "n": np.arange(50)})
    write_csv(frame, tmp_path / "x.csv")
    assert [row["id"] for row in cells(tmp_path / "x.csv")] == frame["id"].tolist()


def test_excel_is_not_given_more_rows_than_it_shows(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presets_module, "MAX_ROWS", 5)
    monkeypatch.setattr(workbook_module, "MAX_ROWS", 5)
    with pytest.raises(UsageError, match="plain"):
        export(problem, problem.today, tmp_path / "plan.csv", "excel-us")
    with pytest.raises(UsageError, match="CSV"):
        export(problem, problem.today, tmp_path / "plan.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_export_says_what_is_wrong(problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no plan"):
        export(problem, None, tmp_path / "plan.csv")
    with pytest.raises(UsageError, match="excel-eu, excel-us, plain"):
        export(problem, problem.today, tmp_path / "plan.csv", "french")


def test_text_with_nul_is_refused_and_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("old")
    with pytest.raises(InputError, match="NUL"):
        write_csv(pd.DataFrame({"id": pd.Series(["a\0b"], dtype="str")}), target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


# -- the workbook ------------------------------------------------------------------------------------------------------

SHEETS = ["README", "Assignments", "Changes", "Books", "Unassigned", "Limits", "Scenario", "Lists"]


@pytest.fixture(scope="module")
def book(problem: Problem, tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("book") / "plan.xlsx"
    plan = problem.plan(some_choice(problem, 1))
    prices = admissible(problem.core, np.ones(problem.core.rows))
    export(problem, plan, path, result=result_of(problem, plan, prices), tables=tables, run_id="run-1")
    return path


def sheet(path: Path, name: str) -> pd.DataFrame:
    rows = calamine.CalamineWorkbook.from_path(path).get_sheet_by_name(name).to_python(skip_empty_area=False)
    return pd.DataFrame(rows[1:], columns=rows[0], dtype=object)


def xml(path: Path, name: str) -> str:
    """The XML of a sheet."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"xl/worksheets/sheet{SHEETS.index(name) + 1}.xml").decode()


def test_the_workbook_has_the_sheets_people_are_told_of(book: Path) -> None:
    assert calamine.CalamineWorkbook.from_path(book).sheet_names == SHEETS


def test_p8_ids_come_back_from_the_workbook_as_text(book: Path, problem: Problem) -> None:
    # XML has one kind of line end; every other character of an id must come back.
    rows = sheet(book, "Assignments")
    frame = plan_frame(problem, problem.plan(some_choice(problem, 1)))
    for title in ("Account id", "_account_id"):
        assert [str(v).replace("\r\n", "\n") for v in rows[title]] == [
            v.replace("\r\n", "\n") for v in frame["account_id"]
        ]
    assert rows["_rep_id"].tolist() == frame["rep_id"].fillna("").tolist()
    assert all(isinstance(v, str) for v in rows["Account id"])


def test_p10_nothing_in_the_workbook_executes(book: Path) -> None:
    with zipfile.ZipFile(book) as archive:
        names = archive.namelist()
        pages = [archive.read(n).decode() for n in names if n.startswith("xl/worksheets/sheet")]
    assert not [n for n in names if re.search(r"vbaProject|externalLink|connections|activeX|embeddings|\.bin$", n)]
    assert len(pages) == len(SHEETS)
    for page in pages:
        assert not re.search(r"<f[ >/]|<hyperlink|<oleObject|<ddeLink", page)


def test_only_new_owner_and_lock_can_be_typed_in(book: Path) -> None:
    page = xml(book, "Assignments")
    with zipfile.ZipFile(book) as archive:
        styles = archive.read("xl/styles.xml").decode()
    formats = re.findall(r"<xf [^>]*?(?:/>|>.*?</xf>)", styles.split("<cellXfs")[1].split("</cellXfs>")[0])
    unlocked = {str(i) for i, f in enumerate(formats) if 'locked="0"' in f}
    used = {m[0] for m in re.findall(r'<c r="([A-Z]+)\d+" s="(\d+)"', page) if m[1] in unlocked}
    header = sheet(book, "Assignments").columns.tolist()
    assert {header[ord(letter) - 65] for letter in used} == {"New owner", "Lock"}
    protection = re.search(r"<sheetProtection[^>]*>", page)
    assert protection and "password" not in protection[0] and 'autoFilter="0"' in protection[0]
    assert '<pane xSplit="2" ySplit="1"' in page
    assert "<autoFilter" in page


def test_every_rep_is_in_the_hidden_list_and_told_apart(book: Path) -> None:
    lists = sheet(book, "Lists")
    assert dict(zip(lists["label"], lists["rep_id"], strict=True)) == {
        "(nobody)": "", "=HYPERLINK()": "=r,1", "Bo (r2)": "r2", "Bo (open)": "open",
    }  # fmt: skip
    assert "Lists!$A$2:$A$5" in xml(book, "Assignments")
    with zipfile.ZipFile(book) as archive:
        assert re.search(r'name="Lists"[^>]*state="hidden"', archive.read("xl/workbook.xml").decode())


def test_hidden_columns_tie_a_row_to_run_account_and_assignment(book: Path) -> None:
    rows = sheet(book, "Assignments")
    assert set(rows["_run_id"]) == {"run-1"}
    base = rows[["_account_id", "_role", "_rep_id", "_service_level"]]
    plan = rows["_account_id"].map(lambda v: v.replace("\n", "\r\n") if "\r" not in v else v)
    written = row_hashes(base.assign(_account_id=plan).replace("", np.nan).astype("str"))
    assert written.tolist() == rows["_row_hash"].tolist()
    assert rows["_row_hash"].is_unique
    assert len(re.findall(r'<col [^>]*hidden="1"', xml(book, "Assignments"))) >= 1


def test_a_changed_row_has_another_hash() -> None:
    rows = pd.DataFrame({"account_id": ["a", "a", "ab"], "rep_id": ["bc", None, "c"]}, dtype="str")
    assert row_hashes(rows).is_unique
    assert row_hashes(rows.iloc[::-1]).tolist() == row_hashes(rows).tolist()[::-1]


def test_numbers_and_dates_are_real(book: Path) -> None:
    rows = sheet(book, "Assignments")
    assert {type(v).__name__ for v in rows["Renewal"]} == {"date", "str"}
    assert {type(v) for v in rows["Potential (EUR a year)"]} == {float}
    books = sheet(book, "Books")
    assert {type(v) for v in books["Utilisation (hours ÷ capacity)"]} == {float}


def test_each_sheet_holds_its_rows(book: Path, problem: Problem) -> None:
    plan = problem.plan(some_choice(problem, 1))
    frame = plan_frame(problem, plan)
    changed = frame["rep_id"].fillna("") != frame["previous_rep_id"].fillna("")
    assert len(sheet(book, "Changes")) == changed.sum() > 0
    assert len(sheet(book, "Unassigned")) == frame["rep_id"].isna().sum() > 0
    assert len(sheet(book, "Books")) == 3
    assert len(sheet(book, "Limits")) == problem.core.rows
    assert "limit: measure hours; per rep; at most capacity_hours" in sheet(book, "Scenario")["Value"].tolist()


def test_the_readme_says_value_and_proof(book: Path, problem: Problem) -> None:
    rows = calamine.CalamineWorkbook.from_path(book).get_sheet_by_name("README").to_python()
    said = {row[0]: row[1:] for row in reversed(rows) if row[0]}
    plan = problem.plan(some_choice(problem, 1))
    report = judge(problem.scores, problem.scenario.active, plan)
    assert said["Model value"][0] == pytest.approx(report.objective)
    assert said["Served"][0] == plan.served.sum()


def test_a_plan_that_breaks_rules_claims_no_gap(problem: Problem) -> None:
    rep = np.zeros((len(AWKWARD), 1), np.int32)
    plan = problem.scores.plan(rep, np.zeros_like(rep, np.int8))
    result = result_of(problem, plan)
    said = {label: (figure, words) for label, figure, _, words in facts(Handover(problem, plan, result.report, result))}
    assert said["How good it is"][0] == "not known"
    assert "broken" in str(said["Rules"][0])


def test_a_plan_without_changes_or_free_accounts_makes_a_workbook_too(tmp_path: Path) -> None:
    given = company()
    whole = Tables(given.accounts.assign(owner_id=pd.Series("r2", given.accounts.index, dtype="str")), given.reps)
    problem = problem_of(whole, rules=[])
    export(problem, problem.today, tmp_path / "plan.xlsx")
    assert len(sheet(tmp_path / "plan.xlsx", "Changes")) == len(sheet(tmp_path / "plan.xlsx", "Unassigned")) == 0


def test_roles_and_levels_get_columns_of_their_own(tables: Tables, tmp_path: Path) -> None:
    problem = problem_of(
        tables,
        roles=[{"name": "AE", "share": 0.7}, {"name": "CSM", "share": 0.3}],
        scoring={"levels": [{"name": "high"}, {"name": "low", "hours": 0.4}]},
    )
    plan = problem.plan(some_choice(problem, 2))
    export(problem, plan, tmp_path / "plan.xlsx")
    rows = sheet(tmp_path / "plan.xlsx", "Assignments")
    assert set(rows["Role"]) == {"AE", "CSM"}
    assert set(rows["Service level"]) <= {"high", "low", ""}


def test_a_large_workbook_written_row_by_row_holds_the_same(
    problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(problem, problem.today, tmp_path / "a.xlsx")
    monkeypatch.setattr(workbook_module, "ROWS_IN_MEMORY", 3)
    export(problem, problem.today, tmp_path / "b.xlsx")
    for name in SHEETS[1:]:
        pd.testing.assert_frame_equal(sheet(tmp_path / "a.xlsx", name), sheet(tmp_path / "b.xlsx", name))


def test_text_that_no_cell_holds_is_a_finding(tables: Tables, tmp_path: Path) -> None:
    name = tables.accounts["name"].where(tables.accounts["account_id"] != "007", "x" * 40_000)
    problem = problem_of(Tables(tables.accounts.assign(name=name), tables.reps))
    with pytest.raises(InputError, match="Excel cell"):
        export(problem, problem.today, tmp_path / "plan.xlsx")
    assert list(tmp_path.iterdir()) == []
