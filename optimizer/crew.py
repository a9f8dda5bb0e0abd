"""Threads of one search that take work off each other where one has none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Crew:
    """So many threads are `idle`: none at first. Who waits for another is idle meanwhile."""

    def __init__(self) -> None:
        self.idle = threading.Semaphore(0)

    def join(self) -> None:
        """One thread more has nothing to do."""
        self.idle.release()

    def leave(self) -> None:
        """One thread less has nothing to do, if one has."""
        self.idle.acquire(blocking=False)

    def lend(self, task: Callable[[], T]) -> Future[T] | None:
        """Begin a task on an idle thread; None where there is none. It ends with `wait`."""
        if not self.idle.acquire(blocking=False):
            return None
        pool = ThreadPoolExecutor(1)
        begun = pool.submit(self._lent, task)
        pool.shutdown(wait=False)
        return begun

    def _lent(self, task: Callable[[], T]) -> T:
        try:
            return task()
        finally:
            self.idle.release()

    def wait(self, begun: Future[T]) -> T:
        """What a task that was begun comes to."""
        self.idle.release()
        try:
            return begun.result()
        finally:
            self.idle.acquire()

    def both(self, first: Callable[[], T], second: Callable[[], T]) -> tuple[T, T]:
        """What two tasks come to, side by side where a thread is idle, else one after the other."""
        other = self.lend(second)
        try:
            one = first()
        except BaseException:
            if other is not None:
                self.wait(other)
            raise
        return one, second() if other is None else self.wait(other)
