"""The KPIs in words: the text of docs/kpis.md, from the same attributes the product shows."""

from __future__ import annotations

from collections.abc import Iterable

from optimizer.kpis.base import ATTRIBUTES, Kpi

_HEAD = """# KPIs

Written by `python -m optimizer.kpis.catalogue`; the texts live beside the code, in `optimizer/kpis/`.

A share is written 0–1 in tables and as a percentage on screens; money is in the scenario's currency and per year.
A KPI that the tables cannot support names the missing column and shows no number. Measure them with
`bookfit kpis RUN`, or `optimizer.kpis.measure(tables, scores, plan)`: one row a figure with its numerator, its
denominator, the number of accounts, reps or deals behind it, and a verdict where there is a healthy band.
"""
_DIRECTION = {"better": "more is better", "worse": "less is better", "neutral": "neither more nor less is better"}


def markdown(kpis: Iterable[Kpi]) -> str:
    """A page: a table of all KPIs, then each with its twelve attributes."""
    kpis = tuple(kpis)
    rows = [f"| [{k.title}](#{k.name}) | {k.family} | {k.perspective} | {k.attributes.formula} |" for k in kpis]
    table = ["| KPI | family | scorecard | formula |", "|---|---|---|---|", *rows]
    return "\n".join([_HEAD, *table, "", *(_section(k) for k in kpis)])


def direction(kpi: Kpi) -> str:
    """Which way is good, in words."""
    if kpi.band is not None:
        return f"healthy from {kpi.band[0]:.0%} to {kpi.band[1]:.0%}"
    return _DIRECTION[kpi.higher_is]


def _section(kpi: Kpi) -> str:
    needs = ", ".join(" or ".join(f"`{n}`" for n in need.split(" or ")) for need in kpi.needs)
    texts = [f"- **{name.replace('_', ' ').capitalize()}.** {getattr(kpi.attributes, name)}" for name in ATTRIBUTES]
    facts = f"`{kpi.name}`, in {kpi.unit}; {direction(kpi)}. Needs {needs}."
    return "\n".join([f'<a id="{kpi.name}"></a>', f"## {kpi.title}", "", facts, "", *texts, ""])


if __name__ == "__main__":
    import sys

    from optimizer.kpis import KPIS

    sys.stdout.write(markdown(KPIS))
