"""Measured, never asserted in tests: `python -m benchmarks build`, `python -m benchmarks engines`."""
