"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path

from optimizer.conclude import versions
from optimizer.memory import available_bytes


def describe() -> dict[str, object]:
    """Processors, memory, versions and date, and the same as a line of text."""
    facts: dict[str, object] = {
        "date": date.today().isoformat(),
        "processors": os.cpu_count(),
        "processor": _processor(),
        "free_gib": round(available_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions(),
    }
    return {**facts, "text": ", ".join(f"{name} {value}" for name, value in facts.items() if value)}


def _processor() -> str:
    """The processor's name; empty where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
