"""Charts carry exactly the data they were given, and stay readable at the edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from optimizer import charts


def data_of(chart) -> pd.DataFrame:
    """Every row of every data set of the chart."""
    return pd.concat([pd.DataFrame(rows) for rows in chart.to_dict()["datasets"].values()], ignore_index=True)


def books(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"rep": ["Ana", "Ben"], **columns})


def test_a_trace_holds_every_finite_point_and_no_other() -> None:
    points = pd.DataFrame({"seconds": [1.0, 2.0], "objective": [np.nan, 90.0], "bound": [110.0, 100.0]})
    shown = data_of(charts.trace(points, "USD"))
    assert sorted(shown["value"]) == [90.0, 100.0, 110.0]


@pytest.mark.parametrize("gap", [1.0, 0.1, 0.001, 0.0])
@pytest.mark.parametrize("best", [1e6, -5e3])
def test_a_trace_shows_how_plan_and_bound_met_whatever_they_were_first(best: float, gap: float) -> None:
    last = best + gap * abs(best)
    points = pd.DataFrame({"seconds": [1.0, 2.0], "objective": [best - 1e9, best], "bound": [1e12, last]})
    chart = charts.trace(points, "USD").to_dict()
    low, high = chart["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < best <= last < high, "both are on the picture"
    assert high - low < max(5 * (last - best), 0.1 * abs(best)), "and so is little else"
    assert all(layer["mark"]["clip"] for layer in chart["layer"])


def test_a_trace_without_any_plan_still_shows_the_bound() -> None:
    points = pd.DataFrame({"seconds": [1.0], "objective": [np.nan], "bound": [100.0]})
    assert list(data_of(charts.trace(points, "USD"))["value"]) == [100.0]


def test_overload_is_told_from_full_and_from_idle() -> None:
    frame = pd.DataFrame({"rep": ["A", "B", "C", "D"], "utilisation": [1.2, 1.0, 0.7, 0.1], "today": 0.5})
    shown = data_of(charts.utilisation(frame)).dropna(subset=["rep"])
    assert list(shown["load"]) == ["over capacity", "70–100%", "70–100%", "below 70%"]


def test_a_book_chart_draws_the_mean_of_the_plan() -> None:
    shown = data_of(charts.book_measure(books(plan=[10.0, 30.0], today=[20.0, 20.0]), "accounts"))
    assert list(shown["mean"].dropna()) == [20.0]
    assert list(shown["plan"].dropna()) == [10.0, 30.0]


def test_today_is_grey_wherever_it_stands() -> None:
    long = pd.DataFrame({"plan": ["new", "today"], "value": [2.0, 1.0]})
    layers = charts.plans(long, "value", ["new", "today"]).to_dict()["layer"]
    scale = next(layer["encoding"]["color"]["scale"] for layer in layers if "color" in layer["encoding"])
    assert dict(zip(scale["domain"], scale["range"], strict=True))["today"] == charts.GREY


def test_a_rep_who_is_in_no_other_plan_has_one_dot() -> None:
    long = pd.DataFrame({"rep": ["Ana", "Ana", "Eve"], "plan": ["today", "new", "new"], "value": [1.0, np.nan, 3.0]})
    shown = data_of(charts.rep_plans(long, "accounts", ["today", "new"]))
    assert list(zip(shown["rep"], shown["plan"], strict=True)) == [("Ana", "today"), ("Eve", "new")]


def test_the_trade_off_has_a_dot_for_each_plan_and_starts_at_nothing_moved() -> None:
    frame = pd.DataFrame({"plan": ["today", "new"], "moved": [0.0, 0.15], "value": [1.0, 2.0]})
    chart = charts.trade_off(frame, "USD", ["today", "new"])
    assert set(data_of(chart)["plan"]) == {"today", "new"}
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["axis"]["values"][0] == 0
