"""Every KPI says all that must be said of it, and the page says it too."""

from __future__ import annotations

from pathlib import Path

import pytest

from optimizer.kpis import ATTRIBUTES, KPIS, Kpi
from optimizer.kpis.catalogue import markdown
from optimizer.tables import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "kpis.md"
#: numeric columns that are not in the dictionary: the user's own, named by the KPI that wants them
OWN = {"strategic_alignment", "customer_effort", "issue_resolution_days", "net_profit_y1"}

each = pytest.mark.parametrize("kpi", KPIS, ids=lambda k: k.name)


def test_there_are_twelve_attributes() -> None:
    assert len(ATTRIBUTES) == 12


@each
def test_every_kpi_has_twelve_real_attributes(kpi: Kpi) -> None:
    texts = [getattr(kpi.attributes, name) for name in ATTRIBUTES]
    for name, text in zip(ATTRIBUTES, texts, strict=True):
        assert len(text.split()) >= 3, name
        assert text == text.strip() and "  " not in text, name
        if name != "formula":
            assert text[0].isupper() and text.endswith("."), (name, text)
    assert len(set(texts)) == 12


@each
def test_every_need_is_a_column_somebody_can_give(kpi: Kpi) -> None:
    assert kpi.needs
    known = {f"{t.name}.{c.name}" for t in TABLES for c in t.columns} | {f"accounts.{c}" for c in OWN}
    known |= {"scoring.key_filter", "scoring.key_criteria"}
    assert {name for need in kpi.needs for name in need.split(" or ")} <= known


def test_names_and_titles_are_unique() -> None:
    assert len({k.name for k in KPIS}) == len({k.title for k in KPIS}) == len(KPIS)


def test_a_band_without_its_direction_is_refused() -> None:
    kpi = KPIS[0]
    values = {name: getattr(kpi, name) for name in kpi.__dataclass_fields__} | {"band": (0.1, 0.2)}
    with pytest.raises(ValueError, match="band"):
        Kpi(**values)


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(KPIS), "run: python -m optimizer.kpis.catalogue > docs/kpis.md"


@each
def test_the_page_names_every_kpi(kpi: Kpi) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"## {kpi.title}\n" in page and f"`{kpi.name}`" in page
