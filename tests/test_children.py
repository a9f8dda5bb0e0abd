"""An engine's process that stands by is ready, is taken once, and never outlives who started it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from optimizer import children, compiled
from optimizer.children import child_for, stand_by
from optimizer.engines.base import Limits
from optimizer.prepare import prepare
from optimizer.process import run_child
from tests.cores import random_core


@pytest.fixture
def standing() -> Iterator[subprocess.Popen[bytes]]:
    """The process that stands by, which has loaded what engines need."""
    prepare()
    stand_by(wait=True)
    (child,) = children._STANDING
    yield child
    children._STANDING.clear()
    with child:
        child.kill()


def test_the_process_that_stands_by_is_taken_once_and_another_one_then(
    standing: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    stand_by()
    assert [standing] == children._STANDING, "one is enough"
    first, second = child_for(tmp_path), child_for(tmp_path)
    assert first is standing and second is not standing and not children._STANDING
    for child in (first, second):
        with child:
            child.kill()


def test_it_finds_what_a_new_one_finds(standing: subprocess.Popen[bytes], tmp_path: Path) -> None:
    core = random_core(7, units=12)
    core.save(tmp_path)
    limits = Limits(20.0, 0.0, deterministic=True)
    ready, fresh = (run_child("prices", tmp_path, limits) for _ in range(2))
    assert standing.poll() is not None, "it has worked"
    assert (
        ready.choice is not None and fresh.choice is not None and ready.prices is not None and fresh.prices is not None
    )
    np.testing.assert_array_equal(ready.choice, fresh.choice)
    np.testing.assert_array_equal(ready.prices, fresh.prices)


def test_one_that_has_ended_is_passed_over(standing: subprocess.Popen[bytes], tmp_path: Path) -> None:
    standing.kill()
    standing.wait()
    child = child_for(tmp_path)
    assert child is not standing and child.poll() is None
    with child:
        child.kill()


def test_it_ends_when_nobody_can_ask_it_any_more(standing: subprocess.Popen[bytes]) -> None:
    assert standing.stdin is not None
    standing.stdin.close()
    assert standing.wait(timeout=20) == 0


def test_what_a_job_says_when_it_fails_is_in_its_folder(tmp_path: Path) -> None:
    """Here there is no job at all."""
    child = child_for(tmp_path)
    assert child.wait(timeout=60) == 1
    assert "job.json" in (tmp_path / "stderr").read_text(encoding="utf-8")


def test_it_loads_nothing_where_nothing_is_compiled_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would compile, on the clock of a solve."""
    from optimizer.engines import __main__ as main

    class Asked:
        def is_alive(self) -> bool:
            return True

    loaded: list[Path] = []
    monkeypatch.setattr("optimizer.core.Core.load", lambda folder: loaded.append(folder) or random_core(1))
    monkeypatch.setattr("optimizer.engines.run.run", lambda *_: None)
    monkeypatch.setattr(compiled, "folder", lambda: tmp_path)
    main._load(Asked())  # type: ignore[arg-type]
    assert not loaded
    compiled.mark().touch()
    compiled.tiny().mkdir()
    main._load(Asked())  # type: ignore[arg-type]
    assert loaded == [tmp_path / "tiny"] * 2


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "a füll name "
    folder.mkdir()
    core = random_core(3)
    core.save(folder / "core")
    limits = Limits(10.0)
    job = {"engine": "greedy", "core": str(folder / "core"), "memory": None}
    (folder / "job.json").write_text(json.dumps({**job, "limits": {"started": limits.started}}), encoding="utf-8")
    child = child_for(folder)
    assert child.wait(timeout=60) == 0
    assert (folder / "answer.json").exists()
