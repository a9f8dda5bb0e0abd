"""Every page, on first sight and after a solve; what is shown is what was done."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from optimizer.store import read_run
from optimizer.ui import edits
from optimizer.ui.frame import PAGES
from optimizer.ui.handover import plan_bytes

ROOT = Path(__file__).resolve().parents[2]


def words(app) -> str:
    return "\n".join(
        str(e.value) for kind in ("markdown", "caption", "info", "success", "warning", "error") for e in app.get(kind)
    )


@pytest.mark.parametrize("name", [name for name, _, _ in PAGES])
def test_every_page_opens_without_an_exception_before_anything_is_solved(app, go, name: str) -> None:
    assert go(app, name).title[0].value == name.capitalize()


def test_the_first_screen_shows_the_demo_company_with_its_findings(app) -> None:
    assert [m.value for m in app.metric][:2] == ["40", "4"]
    assert "What we noticed" in [s.value for s in app.subheader]
    assert "demo company" in words(app)


@pytest.mark.parametrize("name", ["plan", "books", "compare"])
def test_without_a_plan_a_page_says_what_to_do(app, go, name: str) -> None:
    assert "Solve" in words(go(app, name))


def test_solve_then_plan_books_and_compare_show_the_plan(solved, go) -> None:
    app = go(solved, "solve")
    assert "In words" in words(app)
    assert "model value" in words(app)
    go(app, "plan")
    table = app.dataframe[0].value
    assert len(table) == 40
    assert {"account", "rep", "value", "hours", "runner_up_name", "regret"} <= set(table.columns)
    go(app, "books")
    assert len(app.dataframe[0].value) == 4
    go(app, "compare")
    figures = app.dataframe[0].value
    assert list(figures.columns)[1:] == ["today", "Baseline"]


def test_the_plan_can_be_searched_and_narrowed_to_changes(solved, go) -> None:
    app = go(solved, "plan")
    frame = app.dataframe[0].value
    account = frame["account"].iloc[0]
    app.text_input(key="plan.search").set_value(account[:6].lower()).run()
    assert account in set(app.dataframe[0].value["account"])
    assert app.dataframe[0].value["account"].str.lower().str.contains(account[:6].lower(), regex=False).all()
    app.text_input(key="plan.search").set_value("")
    app.toggle(key="plan.changes").set_value(True).run()
    shown = app.dataframe[0].value
    assert 0 < len(shown) < 40
    assert (shown["rep_id"].fillna("") != shown["previous_rep_id"].fillna("")).all()


def test_two_scenarios_stand_side_by_side_with_their_own_names(app, go, solve) -> None:
    solve(app)
    go(app, "scenario")
    next(s for s in app.selectbox if s.label == "Start from").set_value("Few moves").run()
    solve(app)
    go(app, "compare")
    assert list(app.dataframe[0].value.columns)[1:] == ["today", "Baseline", "Few moves"]
    app.selectbox(key="compare.gone").set_value("Baseline").run()
    app.button(key="compare.drop").click().run()
    assert list(app.dataframe[0].value.columns)[1:] == ["today", "Few moves"]


def test_an_impossible_scenario_says_what_would_have_to_give(app, solve) -> None:
    session = app.session_state["bookfit"]
    toml = edits.put_rule(session.record.scenario, {"name": "stay", "kind": "keep"})
    toml = edits.put_rule(
        toml, {"name": "hours", "kind": "limit", "measure": "hours", "per": "rep", "at_most": 1}, "hours"
    )
    session.record = replace(session.record, scenario=toml)
    solve(app, "highs", 20)
    assert "No plan can keep every hard rule" in words(app)
    assert "would have to give way" in words(app)


def test_the_form_cannot_ask_for_a_time_limit_of_zero(app, go) -> None:
    limit = go(app, "solve").number_input(key="solve.limit")
    assert (limit.min, limit.step) == (1, 10)


def test_uploaded_files_become_the_data_and_their_errors_are_listed(app, company, go) -> None:
    app.radio(key="data.from").set_value("Upload files").run()
    lines = (company / "accounts.csv").read_text(encoding="utf-8").splitlines()
    lines.append(lines[1])
    files = [("../../etc/accounts.csv", "\n".join(lines).encode(), "text/csv"),
             ("reps.csv", (company / "reps.csv").read_bytes(), "text/csv")]  # fmt: skip
    app.file_uploader(key="data.files").set_value(files)
    next(b for b in app.button if b.label == "Read the files").click().run()
    assert not app.exception
    assert [m.value for m in app.metric][:2] == ["41", "4"]
    found = app.dataframe[0].value
    assert (found["severity"] == "error").any()
    assert found["problem"].str.contains("already the key").any()
    go(app, "solve")
    assert "cannot be used" in words(app)
    assert not [b for b in app.button if b.label == "Solve"]


def test_a_file_that_is_no_table_is_refused_in_words(app) -> None:
    app.radio(key="data.from").set_value("Upload files").run()
    app.file_uploader(key="data.files").set_value([("accounts.csv", b"\x00\x01", "text/csv")])
    next(b for b in app.button if b.label == "Read the files").click().run()
    assert not app.exception
    assert "cannot be used" in words(app)


def test_the_downloads_are_real_files(solved, go) -> None:
    app = go(solved, "plan")
    assert {b.label for b in app.download_button} == {"Workbook (.xlsx)", "Assignments (.csv)", "Scenario (.toml)"}
    run = read_run(app.session_state["bookfit"].record.kept[0].folder)
    book = zipfile.ZipFile(io.BytesIO(plan_bytes(run, ".xlsx")))
    assert "xl/workbook.xml" in book.namelist()
    rows = plan_bytes(run, ".csv").decode().splitlines()
    assert len(rows) == 41 and rows[0].startswith("account_id,")


def test_a_run_that_was_damaged_is_reported_and_not_a_traceback(app, go, solve) -> None:
    solve(app)
    (Path(app.session_state["bookfit"].record.kept[0].folder) / "plan.csv").write_text("nonsense", encoding="utf-8")
    go(app, "plan")
    assert "damaged" in words(app)


def test_a_demo_folder_that_is_not_there_is_reported(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("BOOKFIT_DEMO", str(tmp_path / "nowhere"))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
    assert not app.exception and "is not there" in words(app)


def test_what_was_hidden_in_one_table_of_findings_is_shown_in_the_next(app, company, go) -> None:
    next(g for g in app.button_group if "severity" in str(g.key)).set_value([]).run()
    app.radio(key="data.from").set_value("Upload files").run()
    files = [
        ("accounts.csv", b"account_id,owner_id,potential\na1,r1,-5\n", "text/csv"),
        ("reps.csv", b"rep_id\nr1\n", "text/csv"),
    ]
    app.file_uploader(key="data.files").set_value(files)
    next(b for b in app.button if b.label == "Read the files").click().run()
    assert "error" in set(app.dataframe[0].value["severity"])
