"""How soon something answers, on a machine that may be busy with something else."""

from __future__ import annotations

from collections.abc import Callable


def soonest(attempt: Callable[[], float], enough: float, tries: int = 3) -> float:
    """The least seconds that `attempt` took. It is tried again only while it took `enough` seconds or more: being late
    once may be the machine's doing, being late every time is ours."""
    least = float("inf")
    for _ in range(tries):
        least = min(least, attempt())
        if least < enough:
            break
    return least
