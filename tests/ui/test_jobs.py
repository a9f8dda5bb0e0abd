"""Background solves: they end, they can be stopped, and each belongs to one session."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from optimizer.read import read
from optimizer.scenario import load_scenario
from optimizer.store import read_run
from optimizer.ui import jobs
from optimizer.ui.jobs import Settings, View
from tests.timing import soonest


@pytest.fixture
def ask(company: Path, tmp_path: Path):
    tables, scenario = read(company), load_scenario(company)

    def submit(token: str = "me", source: str = "data", **settings) -> str:
        chosen = Settings(**{"engine": "greedy", "time_limit": 20.0, **settings})
        return jobs.submit(token, source, tables, scenario, chosen, tmp_path)

    yield submit
    for token in ("me", "you"):
        jobs.end(token)


def wait(key: str, until=lambda view: view.over, token: str = "me", seconds: float = 60.0) -> View:
    deadline = time.monotonic() + seconds
    while True:
        view = jobs.look(token, key)
        assert view is not None
        if until(view):
            return view
        assert time.monotonic() < deadline, f"still {view.state}"
        time.sleep(0.02)


def test_a_finished_job_is_kept_as_a_run_that_can_be_read(ask) -> None:
    view = wait(ask())
    assert view.state == "done"
    run = read_run(view.folder)
    assert run.result.objective == view.result.objective
    assert run.problem.scenario.name == "Baseline"


def test_a_solve_begins_with_what_the_sessions_last_one_on_the_same_data_has_left(ask, monkeypatch) -> None:
    """Also after one that failed; and not where the same answer is to come again, nor where it would take much memory."""
    asked: list[dict] = []

    def solve(*args, **more):
        asked.append({name: more[name] for name in ("start", "known") if name in more})
        return solved(*args, **more)

    solved = jobs.solve
    monkeypatch.setattr(jobs, "solve", solve)
    first = wait(ask())
    wait(ask(seed=2))
    assert asked[0] == {} and asked[1]["start"] is first.result.plan
    assert asked[1]["known"].prices.tolist() == first.result.prices.tolist()
    assert wait(ask(seed=-1)).state == "failed"
    wait(ask(seed=3))
    wait(ask(deterministic=True))
    wait(ask(source="other"))
    wait(ask(source="other", seed=4))
    wait(ask("you"), token="you")
    monkeypatch.setattr(jobs, "KEPT_OPTIONS", 0)
    wait(ask(source="other", seed=5))
    wait(ask(source="other", seed=6))
    assert [bool(more) for more in asked] == [False, True, True, True, False, False, True, False, True, False]


def test_a_running_job_answers_a_cancel_within_two_seconds(ask) -> None:
    limits = iter((120.0, 121.0, 122.0))  # the same question twice would be answered from the first

    def attempt() -> float:
        key = ask(engine="cpsat", time_limit=next(limits), gap=0.0)
        wait(key, lambda v: v.state == "solving")
        time.sleep(0.3)
        asked = time.monotonic()
        assert jobs.cancel("me", key)
        assert jobs.look("me", key).state in ("stopping", "keeping", "done", "cancelled")
        view = wait(key)
        took = time.monotonic() - asked
        assert view.state in ("done", "cancelled")
        assert view.result is None or view.result.stopped_by in ("user", "proof", "gap")
        return took

    assert soonest(attempt, 3.0) < 3.0  # 2 s to stop, and keeping the run


def test_a_job_that_waits_for_a_place_can_be_cancelled(ask, monkeypatch) -> None:
    import threading

    monkeypatch.setattr(jobs, "SLOTS", threading.BoundedSemaphore(1))
    jobs.SLOTS.acquire()
    key = ask()
    wait(key, lambda v: v.state == "waiting")
    jobs.cancel("me", key)
    assert wait(key, seconds=2).state == "cancelled"


def test_the_same_request_twice_is_one_job_and_another_session_has_its_own(ask) -> None:
    one = ask(engine="cpsat", time_limit=60.0, gap=0.0)
    assert ask(engine="cpsat", time_limit=60.0, gap=0.0) == one
    assert ask("you", engine="cpsat", time_limit=60.0, gap=0.0) != one
    assert ask(seed=2) != one


def test_p12_one_users_solve_cannot_be_stopped_or_read_by_another(ask) -> None:
    key = ask(engine="cpsat", time_limit=30.0, gap=0.0)
    assert jobs.look("you", key) is None
    assert not jobs.cancel("you", key)
    jobs.end("you")
    assert jobs.look("me", key).state not in ("stopping", "cancelled")


def test_when_a_session_ends_its_jobs_stop_and_are_forgotten(ask) -> None:
    key = ask(engine="cpsat", time_limit=60.0, gap=0.0)
    job = jobs._jobs["me", key]
    wait(key, lambda v: v.state == "solving")
    jobs.end("me")
    assert jobs.look("me", key) is None
    deadline = time.monotonic() + 10
    while not job.view().over:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_scenario_that_does_not_fit_the_tables_fails_in_words(company: Path, tmp_path: Path) -> None:
    from optimizer.scenario import parse_scenario

    wrong = parse_scenario({"name": "w", "rules": [{"name": "r", "kind": "match", "account": "shoe", "rep": "skills"}]})
    view = wait(jobs.submit("me", "data", read(company), wrong, Settings("greedy"), tmp_path))
    assert view.state == "failed" and "shoe" in view.problem
    assert not list(tmp_path.iterdir())
