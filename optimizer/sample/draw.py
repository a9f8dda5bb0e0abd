"""Seeded random streams and fast text columns, shared by the parts of the sample company."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: The day the sample books are dated. Fixed, so that a seed always gives the same company.
TODAY = np.datetime64("2026-10-31", "D")


def stream(seed: int, topic: str) -> np.random.Generator:
    """Random numbers of one topic. A new topic never changes the numbers of the others."""
    return np.random.default_rng([seed, zlib.crc32(topic.encode())])


def pick(rng: np.random.Generator, size: int, weights: Sequence[float]) -> Ints:
    """`size` codes 0 … len(weights) - 1, drawn with these weights."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    codes = np.searchsorted(cumulative / cumulative[-1], rng.random(size), side="right")
    return np.minimum(codes, len(weights) - 1).astype(np.int64)


def exactly(rng: np.random.Generator, size: int, count: int) -> Bools:
    """A mask of length `size` with `count` true places, at random."""
    mask = np.zeros(size, dtype=np.bool_)
    mask[rng.choice(size, min(count, size), replace=False)] = True
    return mask


def words(values: Sequence[str | None], codes: Ints) -> pa.Array:
    """The value of each code; a negative code is missing."""
    indices = pa.array(codes, mask=codes < 0)
    return pc.take(pa.array(values, pa.large_string()), indices)


def numbered(prefix: str, numbers: Ints, width: int) -> pa.Array:
    """Ids such as A0000017; a number below 1 is missing."""
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers, mask=numbers < 1), pa.large_string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix, pa.large_string()), digits, pa.scalar("", pa.large_string()))


def joined(*parts: pa.Array) -> pa.Array:
    """The parts of each row with a space between them."""
    return pc.binary_join_element_wise(*parts, pa.scalar(" ", pa.large_string()))


def text(values: pa.Array) -> pd.Series:
    """A `str` column, missing where the array is null."""
    column: pd.Series = values.to_pandas()
    return column


def dates(days: npt.NDArray[np.datetime64], missing: Bools | None = None) -> pd.Series:
    """A date column, NaT where `missing`."""
    column = days.astype("datetime64[us]")
    return pd.Series(column if missing is None else np.where(missing, np.datetime64("NaT", "us"), column))


def flags(values: Bools) -> pd.Series:
    """A flag column without missing cells."""
    return pd.Series(values).astype("boolean")
