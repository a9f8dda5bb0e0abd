"""Text from files is shown as it is, never as Markdown."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from optimizer.ui.widgets import BAND, figure, file_name, money, plain


@given(st.text())
def test_every_mark_of_markdown_is_escaped_and_nothing_else_changes(text: str) -> None:
    shown = plain(text)
    assert re.sub(r"\\(.)", r"\1", shown) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_`\[\]<>$:#|~]", shown)


def test_names_that_would_be_links_images_or_colours_are_text() -> None:
    assert plain("![x](http://evil)") == r"\!\[x\]\(http\:\/\/evil\)".replace(r"\/", "/")
    assert plain(":red[hot]") == r"\:red\[hot\]"


def test_figures_are_shown_in_their_unit_and_a_missing_one_as_a_dash() -> None:
    assert figure(0.7812, "share") == "78.1%"
    assert figure(1234.5, "currency") == "1,234"
    assert figure(float("nan"), "share") == "–" == money(float("nan"))


def test_a_file_name_is_one_any_system_takes() -> None:
    assert file_name("Bookfit", "Capped moves / 5%") == "bookfit-capped-moves-5"
    assert file_name("???") == "bookfit"


def test_the_bands_are_those_the_kpis_use() -> None:
    assert set(BAND) == {"below band", "in band", "above band"}
