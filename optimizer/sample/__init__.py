"""Synthetic companies that look real: for trying the product, for tests and for benchmarks."""

from __future__ import annotations

from optimizer.sample.company import sample
from optimizer.sample.files import baseline_toml, write_sample

__all__ = ["baseline_toml", "sample", "write_sample"]
