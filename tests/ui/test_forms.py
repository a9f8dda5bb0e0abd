"""A form is drawn from the fields of a model, whatever they are."""

from __future__ import annotations

from typing import Annotated, Literal

import pandas as pd
import pytest
from pydantic import Field

from optimizer.rules import RULES, Rule
from optimizer.rules.limit import Limit
from optimizer.scoring import Scoring
from optimizer.tables import Tables
from optimizer.ui.forms import Hints, parse_bound, parse_pairs, specs


class Invented(Rule):
    """A rule nobody has written yet."""

    kind: Literal["invented"] = "invented"
    strength: Annotated[float, Field(ge=0, le=1)] = 0.5
    how: Literal["fast", "slow"] = "slow"
    most: int = Field(ge=1, description="how many")
    note: str | None = None
    sure: bool = False


def test_a_rule_nobody_has_written_yet_has_a_form() -> None:
    fields = {s.name: s for s in specs(Invented)}
    assert {n: s.kind for n, s in fields.items()} == {
        "strength": "share", "how": "choice", "most": "whole", "note": "text", "sure": "flag", "where": "where",
    }  # fmt: skip
    assert fields["how"].choices == ("fast", "slow")
    assert fields["most"].required and fields["most"].low == 1 and fields["most"].help == "how many"
    assert fields["note"].optional


def test_a_limit_is_drawn_with_bounds_that_take_numbers_percentages_and_columns() -> None:
    kinds = {s.name: s.kind for s in specs(Limit)}
    assert kinds["at_most"] == kinds["at_least"] == "bound"
    assert kinds["penalty"] == "number"


@pytest.mark.parametrize("model", [*RULES, Scoring])
def test_every_field_of_every_rule_and_of_the_scoring_is_in_its_form(model) -> None:
    assert {s.name for s in specs(model, ("kind", "name", "off"))} == set(model.model_fields) - {"kind", "name", "off"}


@pytest.mark.parametrize(
    ("text", "bound"),
    [("1,500", 1500), ("0.5", 0.5), ("80 %", "80%"), ("capacity_hours", "capacity_hours"), ("  ", None), (None, None)],
)
def test_a_bound_is_read_as_it_is_meant(text: str | None, bound: object) -> None:
    assert parse_bound(text) == bound


def test_pairs_are_one_a_line() -> None:
    assert parse_pairs("a1, r1\n\n a2,r2 ") == [["a1", "r1"], ["a2", "r2"]]


def test_columns_in_both_tables_are_offered_with_the_name_of_their_table() -> None:
    accounts = pd.DataFrame({"account_id": list("abcd"), "team": ["x", "x", "y", "y"], "arr": [1.0, 2.0, 3.0, 4.0]})
    reps = pd.DataFrame({"rep_id": ["r", "s"], "team": ["x", "y"], "capacity_hours": [1.0, 2.0]})
    hints = Hints.of(Tables(accounts.astype({"team": "str"}), reps))
    assert {"account.team", "rep.team", "company"} <= set(hints.names["per"])
    assert "arr" in hints.names["measure"]
    assert hints.names["at_most"] == ["capacity_hours"]
