"""What the scenario page shows and saves is the scenario, no more and no less."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from optimizer.rules import RULES
from optimizer.scenario import parse_scenario
from optimizer.ui import edits


def scenario_of(app):
    return parse_scenario(tomllib.loads(app.session_state["bookfit"].record.scenario))


def button(app, label: str, at: int = 0):
    return [b for b in app.button if b.label == label][at]


@pytest.fixture
def page(app, go):
    return go(app, "scenario")


def test_every_rule_has_a_switch_and_switching_it_off_says_so_in_the_file(page) -> None:
    before = scenario_of(page)
    switches = [t for t in page.toggle if t.label == "on"]
    assert [t.value for t in switches] == [not r.off for r in before.rules]
    switches[1].set_value(False).run()
    assert [r.off for r in scenario_of(page).rules] == [i == 1 for i in range(len(before.rules))]


def test_opening_and_saving_each_rule_changes_nothing(page) -> None:
    before = scenario_of(page)
    for i, _ in enumerate(before.rules):
        next(b for b in page.button if b.key.endswith(f".{i}.edit")).click().run()
        button(page, "Save rule").click().run()
        assert not page.exception
        assert scenario_of(page) == before


def test_an_edited_limit_is_what_the_form_says(page) -> None:
    next(b for b in page.button if b.key.endswith(".0.edit")).click().run()
    next(s for s in page.selectbox if s.label == "At most").set_value("max_accounts").run()
    next(n for n in page.number_input if n.label == "Penalty").set_value(2.5).run()
    button(page, "Save rule").click().run()
    rule = scenario_of(page).rules[0]
    assert (rule.at_most, rule.penalty) == ("max_accounts", 2.5)


def test_a_rule_can_be_deleted(page) -> None:
    names = [r.name for r in scenario_of(page).rules]
    next(b for b in page.button if b.key.endswith(".2.delete")).click().run()
    assert [r.name for r in scenario_of(page).rules] == names[:2] + names[3:]


@pytest.mark.parametrize("kind", [r.model_fields["kind"].default for r in RULES])
def test_every_kind_of_rule_has_a_form_and_an_empty_one_is_refused_with_findings(page, kind: str) -> None:
    before = scenario_of(page)
    page.selectbox(key="rule.kind").set_value(kind).run()
    page.button(key="rule.add").click().run()
    assert not page.exception
    button(page, "Save rule").click().run()
    assert not page.exception
    assert scenario_of(page) == before
    assert page.error


def test_a_new_keep_rule_with_a_filter_is_saved(page) -> None:
    page.selectbox(key="rule.kind").set_value("keep").run()
    page.button(key="rule.add").click().run()
    next(t for t in page.text_input if t.label == "Name").set_value("key stay").run()
    next(m for m in page.multiselect if m.label.startswith("Where")).set_value(["segment"]).run()
    next(m for m in page.multiselect if m.label == "segment is any of").set_value(["Enterprise"]).run()
    button(page, "Save rule").click().run()
    rule = scenario_of(page).rules[-1]
    assert (rule.name, rule.kind, rule.where) == ("key stay", "keep", {"segment": "Enterprise"})


def test_saving_the_scoring_untouched_changes_nothing_and_a_slider_changes_itself(page) -> None:
    before = scenario_of(page)
    button(page, "Save scoring").click().run()
    assert scenario_of(page) == before
    next(s for s in page.slider if s.label == "Performance").set_value(0.0)
    button(page, "Save scoring").click().run()
    after = scenario_of(page)
    assert after.scoring == before.scoring.model_copy(update={"performance": 0.0})


def test_leavers_and_open_positions_become_the_people_part(page) -> None:
    next(m for m in page.multiselect if m.label == "Reps who leave").set_value(["R0001"])
    button(page, "Save leavers").click().run()
    next(n for n in page.number_input if n.label == "How many").set_value(2)
    button(page, "Add", -1).click().run()
    people = scenario_of(page).reps
    assert people.remove == ["R0001"]
    assert [row["rep_id"] for row in people.add] == ["open-1", "open-2"]
    assert all(row["open"] and row["cost"] > 0 for row in people.add)


def test_undo_brings_back_the_file(page) -> None:
    before = scenario_of(page)
    next(t for t in page.toggle if t.label == "on").set_value(False).run()
    page.button(key="scenario.reset").click().run()
    assert scenario_of(page) == before


def test_choosing_a_variant_replaces_the_scenario(page) -> None:
    next(s for s in page.selectbox if s.label == "Start from").set_value("Few moves").run()
    assert scenario_of(page).name == "Few moves"


def test_a_rule_that_names_a_column_that_is_not_there_is_reported_and_not_lost(page) -> None:
    session = page.session_state["bookfit"]
    rule = {"name": "odd", "kind": "limit", "measure": "no_such_column", "at_most": 1}
    session.record = replace(session.record, scenario=edits.put_rule(session.record.scenario, rule))
    page.run()
    assert not page.exception
    assert any("no\\_such\\_column" in e.value for e in page.error)
    assert scenario_of(page).rules[-1].name == "odd"
