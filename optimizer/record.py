"""`result.json`: what a run says of itself, sealed by SHA-256."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from optimizer.atomic import recover
from optimizer.core import Core
from optimizer.errors import UsageError
from optimizer.problem import Problem
from optimizer.result import Result
from optimizer.tables import Tables

RESULT = "result.json"
#: files that make a run what it is; two runs that agree in them have the same id
IDENTITY = ("inputs/", "scenario.toml", "plan.csv", "certificate.parquet", "unit_prices.parquet", "books.parquet")
FORMAT = 1


def write_record(folder: Path, problem: Problem, tables: Tables, result: Result, digest: str) -> None:
    """Write `result.json`: what was found and proved, from what, and the SHA-256 of every other file in the folder."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file())
    payload = {p.relative_to(folder).as_posix(): file_digest(p) for p in paths}
    same = {name: digest for name, digest in payload.items() if name.startswith(IDENTITY)}
    record = {
        "format": FORMAT,
        "run_id": record_digest(same)[:16],
        "scenario": problem.scenario.name,
        "status": result.status,
        "stopped_by": result.stopped_by,
        "objective": finite(result.objective),
        "bound": finite(result.bound),
        "bound_by": result.bound_by,
        "gap": finite(result.gap),
        "gap_share": finite(result.gap_share),
        "currency": result.currency,
        "seconds": finite(result.seconds),
        "engine": result.engine,
        "why_engine": result.why_engine,
        "seed": result.seed,
        "versions": dict(result.versions),
        "accounts": len(problem.scores.accounts),
        "reps": len(problem.scores.reps),
        "served": None if result.plan is None else int(result.plan.served.sum()),
        "notes": list(result.notes),
        "conflicts": [{**asdict(c), "slack": finite(c.slack), "share": finite(c.share)} for c in result.conflicts],
        "defaults": list(problem.scores.notes),
        "inputs": {
            name: {"file": tables.files.get(name, ""), "rows": len(frame), "sha256": payload[f"inputs/{name}.parquet"]}
            for name, frame in tables.present().items()
        },
        "input_findings": [asdict(f) for f in tables.findings],
        "input_defaults": list(tables.defaults),
        "problem_sha256": digest,
        "payload": payload,
    }
    text = json.dumps({**record, "sha256": record_digest(record)}, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / RESULT).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_record(folder: str | Path) -> dict[str, Any]:
    """`result.json` of a run, checked against its own SHA-256. Raises `UsageError` where there is no run."""
    folder = Path(folder)
    if folder.parent.is_dir():
        recover(folder)
    file = folder / RESULT
    if not file.is_file():
        raise UsageError(f"{folder} is not a run: it has no {RESULT}")
    try:
        record: dict[str, Any] = json.loads(file.read_text("utf-8"))
        kept = record.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise UsageError(f"{file} is damaged: it is not a record we wrote") from None
    if record_digest(record) != kept:
        raise UsageError(f"{file} is not as it was written (its SHA-256 differs); the run is damaged")
    if record["format"] > FORMAT:
        raise UsageError(f"{folder} was written by a newer version; update to read it")
    return record


def core_digest(core: Core) -> str:
    """SHA-256 of everything an engine sees of a problem."""
    digest = hashlib.sha256()
    for item in fields(core):
        array = np.ascontiguousarray(getattr(core, item.name))
        digest.update(f"{item.name}{array.dtype.str}{array.shape}".encode())
        digest.update(array.data if array.size else b"")
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def record_digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, allow_nan=False).encode()).hexdigest()


def finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def number(value: float | None) -> float:
    return math.nan if value is None else float(value)
