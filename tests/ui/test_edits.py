"""Edits of a scenario's text change what they say and nothing else, and refuse what would not parse."""

from __future__ import annotations

import tomllib

import pytest

from optimizer.errors import InputError, UsageError
from optimizer.rules import RULES
from optimizer.scenario import default_scenario, parse_scenario
from optimizer.ui import edits

START = default_scenario("Start").to_toml()
KEEP = {"name": "stay", "kind": "keep", "where": {"key_account": True}}


def parsed(toml: str):
    return parse_scenario(tomllib.loads(toml))


def test_put_then_drop_is_where_we_began() -> None:
    assert edits.drop_rule(edits.put_rule(START, KEEP), "stay") == START


def test_a_rule_put_in_the_place_of_another_keeps_the_order() -> None:
    two = edits.put_rule(START, KEEP)
    renamed = edits.put_rule(two, {"name": "time", "kind": "limit", "measure": "hours", "at_most": 10}, "hours")
    assert [r.name for r in parsed(renamed).rules] == ["time", "stay"]


def test_a_second_rule_of_the_same_name_is_refused() -> None:
    with pytest.raises(InputError):
        edits.put_rule(edits.put_rule(START, KEEP), KEEP)


def test_off_and_on_again_is_where_we_began() -> None:
    off = edits.switch_rule(START, "hours", False)
    assert parsed(off).active == ()
    assert edits.switch_rule(off, "hours", True) == START


def test_new_positions_take_the_territory_of_their_twin_and_ids_nobody_has() -> None:
    twin = {"rep_id": "r1", "regions": "East;South", "skills": float("nan"), "email": "a@b.c"}
    rows = edits.positions(2, 9e4, 900.0, 0.5, twin, {"r1", "open-1"}, "Hire")
    assert [r["rep_id"] for r in rows] == ["open-2", "open-3"]
    assert [r["name"] for r in rows] == ["Hire 1", "Hire 2"]
    assert rows[0]["regions"] == "East;South" and "skills" not in rows[0] and "email" not in rows[0]
    added = edits.add_positions(START, rows)
    assert parsed(edits.drop_position(added, "open-2")).reps.add == rows[1:]


def test_people_edits_are_read_back_as_given() -> None:
    toml = edits.change_rep(edits.remove_reps(START, ["r1"]), "r2", {"ramp": 0.5})
    assert (parsed(toml).reps.remove, parsed(toml).reps.change) == (["r1"], {"r2": {"ramp": 0.5}})
    assert parsed(edits.change_rep(toml, "r2", {})).reps.change == {}


def test_a_file_that_extends_another_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="extends"):
        edits.from_file(b'name = "x"\nextends = "baseline.toml"\n', "x.toml")


@pytest.mark.parametrize("data", [b"name = ", b"\xff\xfe", b'name = "x"\nspeed = 3\n'])
def test_a_file_that_is_no_scenario_gives_findings(data: bytes) -> None:
    with pytest.raises(InputError):
        edits.from_file(data, "x.toml")


@pytest.mark.parametrize("rule", RULES)
def test_every_kind_of_rule_says_what_it_does(rule) -> None:
    words = edits.about_kind(rule.model_fields["kind"].default)
    assert len(words) > 20 and "`" not in words
