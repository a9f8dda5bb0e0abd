"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from datetime import date

from optimizer.conclude import versions
from optimizer.memory import available_bytes


def describe() -> dict[str, object]:
    """Processors, memory, versions and date, and the same as a line of text."""
    facts: dict[str, object] = {
        "date": date.today().isoformat(),
        "processors": os.cpu_count(),
        "free_gib": round(available_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions(),
    }
    return {**facts, "text": ", ".join(f"{name} {value}" for name, value in facts.items())}
