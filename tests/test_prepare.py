"""What is compiled before a first solve's clock starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from optimizer import compiled, prepare
from optimizer.engines.base import Progress

#: solves a company and says which loops its process has compiled
SOLVED = """
import sys, tomllib
from pathlib import Path
import optimizer.kernels
from numba.core import event
from optimizer.core import Core
from optimizer.engines.base import Limits
from optimizer.engines.run import run
from optimizer.problem import build
from optimizer.sample import baseline_toml, sample
from optimizer.scenario import parse_scenario

class Compiled(event.Listener):
    names = []
    def on_start(self, heard):
        self.names.append(str(heard.data["dispatcher"]))
    def on_end(self, heard):
        pass

event.register("numba:compile", Compiled())
accounts, reps, opened, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "open", Path(sys.argv[4])
tables, document = sample(accounts, reps, 3), tomllib.loads(baseline_toml(accounts, reps))
if opened:
    document["rules"] = [rule for rule in document["rules"] if rule["name"] in ("hours", "regions")]
    document["reps"] = {"change": {rep: {"open": True, "cost": 100.0} for rep in tables.reps["rep_id"]}}
problem = build(tables, parse_scenario(document))
problem.core.save(folder)
run("prices", Core.load(folder), Limits(6.0, 0.0), lambda _: False, problem.choice(problem.today))
print(Compiled.names)
"""


@pytest.mark.parametrize(
    ("accounts", "reps", "opened"), [(200, 10, ""), (200, 10, "open"), (3_500, 60, "")], ids=["small", "open", "parts"]
)
def test_a_solve_after_it_compiles_nothing(tmp_path: Path, accounts: int, reps: int, opened: str) -> None:
    prepare.prepare()
    assert compiled.mark().exists()
    command = [sys.executable, "-c", SOLVED, str(accounts), str(reps), opened, str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_once_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ready").touch()
    monkeypatch.setattr(compiled, "mark", lambda: tmp_path / "ready")
    monkeypatch.setattr(subprocess, "Popen", None)
    assert prepare.prepare() == 0.0


def test_it_says_what_it_does_and_stops_when_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "mark", lambda: tmp_path / "missing")
    heard: list[Progress] = []

    def stop(progress: Progress) -> bool:
        heard.append(progress)
        return len(heard) == 3

    assert 0.0 < prepare.prepare(stop) < 5.0
    assert [progress.phase for progress in heard] == ["compiling"] * 3


def test_code_is_kept_anew_when_a_loop_changes_and_where_nothing_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kept = compiled.folder.__wrapped__()
    assert kept.parent == tmp_path / "bookfit"
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    changed = tmp_path / "package" / "kernels"
    changed.mkdir(parents=True)
    (changed / "moves.py").write_text("# another loop\n")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "package" / "compiled.py"))
    other = compiled.folder.__wrapped__()
    assert other != kept
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    os.utime(changed / "moves.py", (0, 0))  # numba would compile it again
    assert compiled.folder.__wrapped__() not in (kept, other)
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    (tmp_path / "a file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "a file"))
    assert compiled.folder.__wrapped__().is_dir()
