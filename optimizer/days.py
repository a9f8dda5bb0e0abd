"""Dates as people write them: `2027-12-31`, `31.12.2027`, and `12/31/2027` where a column leaves no doubt."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.places import Mask, mask_of

_TIME = (
    r"(?:[T ]+(?P<h>\d{1,2}):(?P<mi>\d{2})(?::(?P<s>\d{2})(?:\.(?P<f>\d{1,9}))?)?"
    r"\s?(?P<half>[AaPp][Mm])?(?:Z|[+-]\d{2}:?\d{2})?)?$"
)
_ISO = r"^(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})" + _TIME
_DOTTED = r"^(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})" + _TIME
_SLASHED = r"^(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})" + _TIME


def days_of(text: pa.ChunkedArray, order: str) -> tuple[npt.NDArray[Any], Mask, Mask]:
    """Moments (`datetime64[us]`, NaT where none), which cells leave day and month open, and which are no dates.

    `text` is trimmed; `order` is `day` or `month` for what comes first in `1/2/2027`, or empty. Times
    are kept as written; offsets from UTC are not applied.
    """
    coded = text.combine_chunks().dictionary_encode()
    words = coded.dictionary
    codes = np.asarray(pc.fill_null(coded.indices, len(words)))  # the last place stands for empty cells
    moments = np.full(len(words) + 1, np.datetime64("NaT", "us"))
    for pattern in (_ISO, _DOTTED):
        _calendar(words, pattern, moments, "y", "m", "d")
    slashed = mask_of(pc.match_substring_regex(words, _SLASHED))
    unclear = np.zeros(len(words) + 1, bool)
    if slashed.any():
        order = order or _order(words.filter(pa.array(slashed)))
        if order:
            _calendar(words, _SLASHED, moments, "y", *(("b", "a") if order == "day" else ("a", "b")))
        else:
            unclear[:-1] = slashed
    wrong = np.isnat(moments) & ~unclear
    wrong[:-1] &= mask_of(pc.not_equal(words, ""))
    wrong[-1] = False
    return moments[codes], unclear[codes], wrong[codes]


def _order(slashed: pa.Array) -> str:
    """Which of `31/12` comes first, when the whole column leaves no doubt: `day`, `month` or empty."""
    parts = pc.extract_regex(slashed, _SLASHED)
    first, second = (pc.struct_field(parts, part).cast(pa.int64()).to_numpy() for part in ("a", "b"))
    if (first > 12).any():
        return "" if (second > 12).any() else "day"
    return "month" if (second > 12).any() or (first == second).all() else ""


def _calendar(words: pa.Array, pattern: str, into: npt.NDArray[Any], year: str, month: str, day: str) -> None:
    """Fill `into` where the words match the pattern and name a day that exists; offsets are not applied."""
    match = np.asarray(pc.match_substring_regex(words, pattern))
    if not match.any():
        return
    found = pc.extract_regex(words.filter(pa.array(match)), pattern)

    def part(name: str) -> npt.NDArray[np.int64]:
        digits = pc.struct_field(found, name)
        return np.asarray(pc.if_else(pc.equal(digits, ""), "0", digits).cast(pa.int64()))

    y, m, d = part(year), part(month), part(day)
    ok = (m >= 1) & (m <= 12) & (y >= 1)
    months = (y - 1970) * 12 + np.where(ok, m, 1) - 1
    first = months.astype("M8[M]").astype("M8[D]")
    length = ((months + 1).astype("M8[M]").astype("M8[D]") - first).astype(np.int64)
    hour, half = part("h"), pc.utf8_lower(pc.struct_field(found, "half")).to_numpy(zero_copy_only=False)
    ok &= (d >= 1) & (d <= length) & (hour < 24) & (part("mi") < 60) & (part("s") < 60)
    ok &= (half == "") | ((hour >= 1) & (hour <= 12))
    hour = np.where(half == "", hour, hour % 12 + 12 * (half == "pm"))
    fraction = np.asarray(
        pc.utf8_slice_codeunits(pc.utf8_rpad(pc.struct_field(found, "f"), 6, "0"), 0, 6).cast(pa.int64())
    )
    micros = ((hour * 60 + part("mi")) * 60 + part("s")) * 1_000_000 + fraction
    moments = (first + (d - 1)).astype("M8[us]") + micros.astype("m8[us]")
    into[np.flatnonzero(match)[ok]] = moments[ok]
