"""The figures of a KPI: for the company, and by segment, team or rep where that helps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from optimizer.kpis.basis import Basis


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Figures of one scope, one a row.

    `rows` [n] are labels; `value`, `numerator`, `denominator` [n] floats, NaN where there is none; `count` [n] is how
    many accounts, reps or deals stand behind the figure. `undefined` says why a value is NaN, `note` what the reader of
    any value must know.
    """

    scope: str
    rows: np.ndarray
    value: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    count: np.ndarray
    undefined: str
    note: str = ""


Measured = tuple[Part, ...]


def quotients(
    scope: str, rows: object, numerator: object, denominator: object, count: object, undefined: str, note: str = ""
) -> Part:
    """One row for each label: numerator ÷ denominator, NaN where the denominator is not above 0."""
    top, bottom = (np.atleast_1d(np.asarray(x, dtype=float)) for x in (numerator, denominator))
    value = np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0)
    labels = np.atleast_1d(np.asarray(rows, dtype=object))
    return Part(scope, labels, value, top, bottom, np.atleast_1d(np.asarray(count)).astype(np.int64), undefined, note)


def company(numerator: float, denominator: float, count: float, undefined: str, note: str = "") -> Part:
    """The one row of the whole company: numerator ÷ denominator."""
    return quotients("company", "company", numerator, denominator, count, undefined, note)


def figure(
    value: float,
    count: float,
    undefined: str = "",
    note: str = "",
    numerator: float = np.nan,
    denominator: float = np.nan,
) -> Part:
    """The one row of the whole company, for values that are not a plain quotient. NaN says that there is none."""
    one, top, bottom = (np.array([x], dtype=float) for x in (value, numerator, denominator))
    label, behind = np.array(["company"], dtype=object), np.array([count], dtype=np.int64)
    return Part("company", label, one, top, bottom, behind, undefined, note)


def grouped(
    scope: str, label: pd.Series, numerator: np.ndarray, denominator: np.ndarray, count: np.ndarray, undefined: str
) -> Part:
    """Σ numerator ÷ Σ denominator for each value of `label`, all of one length. Empty labels are in no row."""
    code, values = pd.factorize(label, sort=True)
    known = code >= 0
    top, bottom, behind = (
        np.bincount(code[known], weights=x[known], minlength=len(values)) for x in (numerator, denominator, count)
    )
    return quotients(scope, np.asarray(values, dtype=object), top, bottom, behind, undefined)


def by_segment(
    basis: Basis, numerator: np.ndarray, denominator: np.ndarray, count: np.ndarray, undefined: str
) -> Measured:
    """Quotient of the sums of account figures [N]: the company, and each segment where the accounts have one."""
    parts = [company(numerator.sum(), denominator.sum(), count.sum(), undefined)]
    if basis.state("accounts.segment") == "there":
        parts.append(grouped("segment", basis.accounts["segment"], numerator, denominator, count, undefined))
    return tuple(parts)


def by_people(
    basis: Basis, numerator: np.ndarray, denominator: np.ndarray, use: np.ndarray, undefined: str, note: str = ""
) -> Measured:
    """Quotient of the sums of rep figures [M] over the reps in `use` [M]: the company, each team, each rep."""
    reps, top, bottom = basis.reps[use], numerator[use], denominator[use]
    ones = np.ones(len(top))
    parts = [company(top.sum(), bottom.sum(), len(top), undefined, note)]
    if basis.state("reps.team") == "there":
        parts.append(grouped("team", reps["team"], top, bottom, ones, undefined))
    parts.append(quotients("rep", reps["rep_id"].to_numpy(dtype=object), top, bottom, ones, undefined))
    return tuple(parts)


def mean_of(basis: Basis, column: str, among: np.ndarray | None = None) -> Measured:
    """Mean of a column of the accounts table over the accounts that have it, also by segment. Missing is not 0."""
    values = basis.column(column)
    has = ~np.isnan(values) & (np.ones(len(values), dtype=bool) if among is None else among)
    return by_segment(basis, np.where(has, values, 0.0), has.astype(float), has, f"no account here has {column}")


def year_words(window: Sequence[pd.Timestamp]) -> str:
    """`2027-01-02 to 2027-12-31`: the year a figure is about."""
    return f"{window[0]:%Y-%m-%d} to {window[1]:%Y-%m-%d}"


def customers_kept(basis: Basis) -> tuple[np.ndarray, np.ndarray]:
    """[N] customers of the year before last whose last year is known, and those of them who still bought."""
    now, then = basis.column("revenue_y1"), basis.column("revenue_y2")
    before = (then > 0) & ~np.isnan(now)
    return before, before & (now > 0)
