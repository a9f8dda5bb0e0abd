"""Every finding at once, each where it belongs and no more serious than it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import Finding, Findings
from optimizer.places import alike
from optimizer.read import tables_of
from optimizer.tables import TABLES, Tables
from optimizer.validate import validate


def company(
    reps: dict[str, list[object]] | None = None, others: dict[str, pd.DataFrame] | None = None, **accounts: list[object]
) -> Tables:
    count = max((len(cells) for cells in accounts.values()), default=2)
    given = {
        "account_id": [f"a{i}" for i in range(count)],
        "owner_id": ["r1"] * count,
        "potential": [float(10 + i) for i in range(count)],
    }
    return tables_of(pd.DataFrame(given | accounts), pd.DataFrame(reps or {"rep_id": ["r1", "r2"]}), **(others or {}))


def found(tables: Tables, column: str | None = None) -> list[tuple[str, int | None, str | None]]:
    return [(f.severity, f.row, f.column) for f in validate(tables) if column in (None, f.column)]


def about(tables: Tables, word: str) -> list[Finding]:
    return [f for f in validate(tables) if word in str(f)]


def test_a_sound_company_has_no_findings() -> None:
    assert not validate(company())


def test_every_finding_has_a_place_a_problem_and_a_remedy() -> None:
    tables = company(
        reps={
            "rep_id": ["r1", "r1 ", None],
            "capacity_hours": [0, -1, np.inf],
            "start_date": ["2027-02-01"] * 3,
            "end_date": ["2027-01-01"] * 3,
        },
        account_id=["a", "A", "a", None],
        owner_id=["r9", "r1", None, "r1"],
        parent_id=["a", "zz", None, None],
        potential=[-1, "x", None, 5],
        lat=[0, 95, 5, 1],
        lon=[0, 10, None, 200],
    )
    findings = validate(tables)
    assert len(findings) > 12
    for finding in findings:
        assert finding.problem and finding.remedy and finding.file and finding.row and finding.column, finding


def test_reading_and_checking_are_reported_together() -> None:
    tables = company(potential=["x", -1.0], owner_id=["r1", "ghost"])
    assert found(tables) == [("error", 2, "potential"), ("error", 3, "potential"), ("warning", 3, "owner_id")]


def test_missing_and_duplicate_keys_are_errors() -> None:
    tables = company(account_id=["a", None, "a", "b", "  "])
    assert found(tables, "account_id")[:3] == [
        ("error", 3, "account_id"),
        ("error", 6, "account_id"),
        ("error", 4, "account_id"),
    ]
    assert "already the key of row 2" in str(about(tables, "already")[0])


@pytest.mark.parametrize("twin", ["ACME-1", "acme-1 ", "acme\u200b-1", "ａｃｍｅ-1", "acme\u00ad-1"])
def test_keys_that_look_alike_are_warned_of_and_kept_apart(twin: str) -> None:
    tables = company(account_id=["acme-1", "other", twin])
    (finding,) = about(tables, "looks like the key of row 2")
    assert (finding.severity, finding.row, finding.value) == ("warning", 4, twin)
    assert tables.accounts["account_id"].tolist() == ["acme-1", "other", twin]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("aA \u200bß", max_size=4).filter(bool), unique=True, min_size=1, max_size=6))
def test_look_alikes_are_found_exactly_where_the_visible_text_repeats(ids: list[str]) -> None:
    seen = [" ".join(i.casefold().replace("\u200b", "").split()) for i in ids]
    assert alike(pd.Series(ids, dtype="str")).tolist() == seen
    assert len(about(company(account_id=list(ids)), "looks like")) == len(seen) - len(set(seen))


def test_invisible_characters_in_any_id_are_shown_as_codes() -> None:
    tables = company(account_id=["a", "b\u200b"], owner_id=["r1 ", "r1"])
    assert [(f.column, f.value) for f in about(tables, "invisible character; it was kept")] == [
        ("account_id", "b\\u200b"),
        ("owner_id", "r1 "),
    ]


def test_an_owner_who_is_no_rep_is_gathered_with_a_count_and_a_hint() -> None:
    reps = {"rep_id": ["r1", "r2"], "name": ["Ann Lee", "Bo"], "email": ["ann@x.example", "bo@x.example"]}
    tables = company(reps, owner_id=["ghost", "R2", "ghost", "ann lee", "BO@x.example", None])
    findings = about(tables, "not a rep_id")
    assert [(f.severity, f.value, f.count) for f in findings] == [
        ("warning", "ghost", 2),
        ("warning", "R2", 1),
        ("warning", "ann lee", 1),
        ("warning", "BO@x.example", 1),
    ]
    assert [f.remedy.rpartition(" ")[2] for f in findings[1:]] == ["r2", "r1", "r2"]
    assert "name" in findings[2].remedy and "e-mail" in findings[3].remedy


def test_many_unknown_owners_end_in_one_gathered_finding() -> None:
    findings = validate(company(owner_id=[f"x{i}" for i in range(100)]))
    assert len(findings) == 21
    assert findings.items[-1].count == 80
    assert sum(f.count for f in findings) == 100


def test_rows_about_unknown_accounts_are_counted_per_table() -> None:
    contacts = pd.DataFrame({"contact_id": ["1", "2", "3"], "account_id": ["a0", "lost", "gone"]})
    (finding,) = validate(company(others={"contacts": contacts}))
    assert (finding.severity, finding.table, finding.row, finding.count) == ("warning", "contacts", 3, 2)
    assert "lost, gone" in finding.remedy


def test_unknown_parents_are_warned_of() -> None:
    assert found(company(parent_id=["a1", "zz"])) == [("warning", 3, "parent_id")]


@pytest.mark.parametrize(
    ("parents", "ring"),
    [
        (["a0", None], "a0 → a0"),
        (["a1", "a2", "a0", "a0", None], "a0 → a1 → a2 → a0"),
        ([None, "a2", "a1"], "a1 → a2 → a1"),
    ],
)
def test_cycles_of_parents_are_errors_that_name_the_cycle(parents: list[object], ring: str) -> None:
    (finding,) = [f for f in validate(company(parent_id=parents)) if f.severity == "error"]
    assert ring in finding.problem


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(-1, 7), min_size=8, max_size=8))
def test_cycles_are_found_exactly_where_following_parents_never_ends(parents: list[int]) -> None:
    def on_a_cycle(start: int) -> bool:
        at = parents[start]
        for _ in range(8):
            if at in (-1, start):
                return at == start
            at = parents[at]
        return False

    tables = company(parent_id=[None if p < 0 else f"a{p}" for p in parents])
    errors = [f for f in validate(tables).errors if f.column == "parent_id"]
    assert sum(f.count for f in errors) == sum(map(on_a_cycle, range(8)))


def test_a_deep_chain_of_parents_is_no_cycle() -> None:
    count = 3000
    assert not validate(
        company(
            parent_id=[None, *(f"a{i}" for i in range(count - 1))],
            account_id=[f"a{i}" for i in range(count)],
            potential=[float(1 + i % 7 * 50) for i in range(count)],
        )
    ).errors


def test_a_parent_that_includes_its_children_is_warned_of() -> None:
    tables = company(parent_id=[None, "a0", "a0"], potential=[301.0, 100.0, 200.0], arr=[50.0, 100.0, 200.0])
    assert found(tables) == [("warning", 2, "potential")]


@pytest.mark.parametrize(
    ("column", "bad"),
    [("potential", -1.0), ("arr", -0.01), ("hours", -5.0), ("fit", 11.0), ("key_score", 0.0), ("potential", 1e13)],
)
def test_negative_and_impossible_numbers_are_errors(column: str, bad: float) -> None:
    assert found(company(**{column: [bad, 5.0]})) == [("error", 2, column)]


def test_infinite_numbers_are_errors_and_growth_may_be_negative() -> None:
    assert found(company(score=[np.inf, 1.0], growth_y1=[-5.0, 1.0])) == [("error", 2, "score")]


def test_a_missing_potential_is_an_error_said_once() -> None:
    assert found(company(potential=[None, 5.0])) == [("error", 2, "potential")]
    assert found(company(potential=["x", 5.0])) == [("error", 2, "potential")]


def test_no_potential_at_all_is_warned_of() -> None:
    assert [f.severity for f in validate(company(potential=[0.0, 0.0]))] == ["warning"]


def test_doubtful_places() -> None:
    tables = company(lat=[0, 51.0, 95, 10, 91], lon=[0, None, 10, 200, 170])
    assert found(tables) == [
        ("warning", 3, "lat"),
        ("warning", 2, "lat"),
        ("error", 4, "lat"),
        ("error", 6, "lat"),
        ("error", 5, "lon"),
    ]


def test_a_point_that_fits_its_neighbours_when_swapped_is_warned_of() -> None:
    lat, lon = [48.1, 48.9, 49.4, 50.1, 9.0, 51.2], [11.5, 9.1, 8.7, 8.6, 48.5, 7.0]
    assert found(company(lat=lat, lon=lon)) == [("warning", 6, "lat")]


def test_reps_who_can_do_nothing_or_end_before_they_start() -> None:
    reps = {
        "rep_id": ["r1", "r2"],
        "capacity_hours": [0, 10],
        "start_date": ["2027-05-01", "2027-05-01"],
        "end_date": ["2027-06-01", "2027-04-01"],
    }
    assert found(company(reps)) == [("error", 3, "end_date"), ("warning", 2, "capacity_hours")]


def test_equal_names_are_only_a_note() -> None:
    assert found(company(name=["Acme", "Acme"])) == [("note", 3, "name")]


def test_empty_tables_are_errors() -> None:
    empty = tables_of(pd.DataFrame({"account_id": [], "owner_id": [], "potential": []}), pd.DataFrame({"rep_id": []}))
    assert [(f.severity, f.table) for f in validate(empty)] == [("error", "accounts"), ("error", "reps")]


def test_tables_without_their_required_columns_are_still_checked() -> None:
    bare = tables_of(pd.DataFrame({"x": [1]}), pd.DataFrame({"y": [1]}))
    missing = {(f.table, f.column) for f in validate(bare).errors}
    assert missing == {(t.name, c.name) for t in TABLES if t.required for c in t.columns if c.required}


def test_checking_changes_nothing() -> None:
    tables = company(account_id=["a", "A ", "a"], lat=[1.0, 2.0, 0.0], lon=[1.0, 2.0, 0.0], parent_id=["a", None, "A "])
    before = {name: frame.copy(deep=True) for name, frame in tables.present().items()}
    assert isinstance(validate(tables), Findings)
    for name, frame in tables.present().items():
        pd.testing.assert_frame_equal(frame, before[name])
