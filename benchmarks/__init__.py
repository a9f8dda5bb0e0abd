"""Measured, never asserted in tests: `python -m benchmarks NAME [--json]`, NAME one of scale, gap, sscflp, books,
profile, resolve."""
