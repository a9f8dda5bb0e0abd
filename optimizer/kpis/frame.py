"""KPIs → one table: every figure, or the sentence that says what is missing."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from optimizer.kpis.base import Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured, figure

COLUMNS = (
    "kpi",
    "title",
    "scope",
    "row",
    "value",
    "unit",
    "numerator",
    "denominator",
    "count",
    "missing",
    "verdict",
    "note",
)


def tabulate(kpis: Iterable[Kpi], basis: Basis) -> pd.DataFrame:
    """One row a figure. A KPI whose needs are not met has one row, its value NaN and `missing` naming the columns."""
    frames = [_rows(kpi, basis) for kpi in kpis]
    out = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    return out[list(COLUMNS)]


def verdict(kpi: Kpi, value: np.ndarray) -> np.ndarray:
    """[n] "below band", "in band" or "above band" where the KPI has a band and a value; else empty."""
    if kpi.band is None:
        return np.full(len(value), "", dtype=object)
    low, high = kpi.band
    said = np.select([np.isnan(value), value < low, value > high], ["", "below band", "above band"], "in band")
    return said.astype(object)


def _rows(kpi: Kpi, basis: Basis) -> pd.DataFrame:
    missing = basis.missing(kpi.needs)
    parts: Measured = (figure(np.nan, 0, missing),) if missing else kpi.measure(basis)
    frames = []
    for part in parts:
        known = np.isfinite(part.value)
        frames.append(
            pd.DataFrame(
                {
                    "kpi": kpi.name,
                    "title": kpi.title,
                    "scope": part.scope,
                    "row": pd.array(part.rows.astype(object), dtype="str"),
                    "value": np.where(known, part.value, np.nan),
                    "unit": kpi.unit,
                    "numerator": np.where(known, part.numerator, np.nan),
                    "denominator": np.where(known, part.denominator, np.nan),
                    "count": pd.array([pd.NA] if missing else part.count, dtype="Int64"),
                    "missing": pd.array(np.where(known, "", part.undefined).astype(object), dtype="str"),
                    "verdict": pd.array(verdict(kpi, part.value), dtype="str"),
                    "note": pd.array(np.where(known, part.note, "").astype(object), dtype="str"),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
