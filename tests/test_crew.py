"""Threads that take work off each other: side by side where one is idle, one after the other where none is."""

from __future__ import annotations

from threading import Barrier, get_ident

import pytest

from optimizer.crew import Crew

#: seconds after which two tasks that wait for each other are not side by side
LONG = 10.0


def idle(crew: Crew) -> int:
    """How many threads have nothing to do."""
    count = 0
    while crew.idle.acquire(blocking=False):
        count += 1
    for _ in range(count):
        crew.join()
    return count


def test_with_nobody_idle_one_task_follows_the_other_on_the_same_thread() -> None:
    crew, done = Crew(), list[int]()
    assert crew.lend(get_ident) is None
    assert crew.both(lambda: done.append(1) or get_ident(), lambda: done.append(2) or get_ident()) == (get_ident(),) * 2
    assert done == [1, 2] and idle(crew) == 0


def test_with_a_thread_idle_two_tasks_are_side_by_side_and_it_is_idle_again_after() -> None:
    crew, met = Crew(), Barrier(2)
    crew.join()
    for _ in range(3):
        first, second = crew.both(lambda: met.wait(LONG) * 0 + get_ident(), lambda: met.wait(LONG) * 0 + get_ident())
        assert first == get_ident() != second and idle(crew) == 1
    crew.leave()
    assert idle(crew) == 0
    crew.leave()  # nobody is idle, and that stays so
    assert idle(crew) == 0


def test_who_waits_for_another_is_idle_meanwhile_and_takes_work_off_it() -> None:
    crew, met = Crew(), Barrier(2)
    crew.join()

    def long() -> tuple[int, int]:
        while not idle(crew):  # until the first task has ended, and waits for this one
            pass
        return crew.both(lambda: met.wait(LONG), lambda: met.wait(LONG))

    assert sorted(crew.both(lambda: None, long)[1] or ()) == [0, 1]
    assert idle(crew) == 1


@pytest.mark.parametrize("threads", [0, 1])
def test_an_error_in_either_task_is_told_when_both_have_ended(threads: int) -> None:
    crew, ended = Crew(), list[int]()
    for _ in range(threads):
        crew.join()

    def wrong() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        crew.both(wrong, lambda: ended.append(1))
    with pytest.raises(ValueError, match="wrong"):
        crew.both(lambda: ended.append(2), wrong)
    assert ended == ([1, 2] if threads else [2]) and idle(crew) == threads
