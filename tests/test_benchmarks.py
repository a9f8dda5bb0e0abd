"""The benchmarks' readers, their arithmetic, and one small race: the figures themselves are never asserted."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import cancel, profile, resolve
from benchmarks.__main__ import main
from benchmarks.gap import read_gap
from benchmarks.instances import AT, classical, samples
from benchmarks.peers import verdict, with_gaps
from benchmarks.runs import Run, Task, first_time, refusal
from benchmarks.sscflp import read_sscflp
from optimizer.core import Core
from optimizer.errors import UsageError
from tests.cores import best_by_enumeration

NAN = float("nan")
#: two agents, three jobs: costs, uses, capacities
GAP = "2 3\n 1 2 3\n 4 5 6\n 2 2 2\n 1 1 1\n 4 2\n"
#: two facilities, three customers: capacity and fixed cost of each; then demand and costs of the whole demand
TXT = "2 3\n 9 100\n 5 10\n 2\n 2 4\n 3\n 6 9\n 4\n 8 4\n"
#: the same, costs of a unit of demand: customers, facilities, demands, capacities, fixed costs, costs by facility
PLC = "3 2\n 2 3 4\n 9 5\n 100 10\n 1 2 2\n 2 3 1\n"


def taken(core: Core, *reps: int) -> np.ndarray:
    return core.start[:-1] + np.array(reps)


def test_a_gap_file_is_a_core_with_a_hard_row_an_agent(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(GAP)
    core = read_gap(tmp_path / "x")
    assert (core.units, core.options, core.rows) == (3, 6, 2)
    assert core.objective(taken(core, 0, 0, 1)) == -(1 + 2 + 6)
    assert core.feasible(taken(core, 0, 0, 1))
    assert not core.feasible(taken(core, 0, 0, 0))  # six of four
    assert not core.feasible(np.array([0, 2, -1]))  # a job without an agent
    assert core.usage(taken(core, 0, 1, 1)).tolist() == [2.0, 2.0]


def test_a_gap_file_of_another_length_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text(GAP + " 7")
    with pytest.raises(UsageError, match="numbers"):
        read_gap(tmp_path / "x")


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.plc", "a.plc.gz"])
def test_both_facility_formats_say_the_same(tmp_path: Path, name: str) -> None:
    text = (TXT if ".txt" in name else PLC).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    core = read_sscflp(tmp_path / name)
    assert core.feasible(taken(core, 0, 0, 0))
    assert core.objective(taken(core, 0, 0, 0)) == -(100 + 2 + 6 + 8)
    assert core.objective(taken(core, 0, 0, 1)) == -(110 + 2 + 6 + 4)
    assert not core.feasible(taken(core, 0, 1, 1))  # seven of five
    assert best_by_enumeration(core)[0] == -116


def test_a_facility_file_that_cannot_be_known_is_refused(tmp_path: Path) -> None:
    for name, text in {"a.dat": TXT, "a.txt": TXT.replace(" 9", " capacity", 1), "b.txt": TXT + "1"}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError):
            read_sscflp(tmp_path / name)


def test_files_find_the_table_of_what_is_known_above_them(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x1").write_text(GAP)
    (tmp_path / "d" / "x2").write_text(GAP)
    (tmp_path / "best_known.csv").write_text("instance,type,best_known,lower_bound\nx1,D,9,8.5\n")
    for named in (str(tmp_path), str(tmp_path / "d" / "x*"), str(tmp_path / "d")):
        one, two = classical("gap", [named], (".txt",), None)
        assert (one.name, one.group, one.best_known, one.lower_bound) == ("x1", "D", 9.0, 8.5)
        assert (two.group, math.isnan(two.best_known)) == ("d", True)
    with pytest.raises(UsageError):
        classical("gap", [str(tmp_path / "none*")], (), None)


def test_real_files_can_be_read_and_hold_what_their_names_say(shared_data: Path) -> None:
    instances = classical("gap", [str(shared_data / "gap" / "d")], (".txt",), None)
    assert instances and all(i.best_known >= i.lower_bound for i in instances)
    smallest = min(instances, key=lambda i: Path(i.path).stat().st_size)
    agents, jobs = int(smallest.name[1:3]), int(smallest.name[3:])
    core = read_gap(Path(smallest.path))
    assert (core.rows, core.units) == (agents, jobs)
    assert -core.largest(-core.value).sum() <= smallest.best_known * 100  # costs, not something else
    facility = next(iter(sorted((shared_data / "sscflp").glob("i300*"))))
    assert read_sscflp(facility).options == 90_000


def run(engine: str, value: float, bound: float = NAN, first: float = 1.0, **more: object) -> Run:
    plain = Run("i", "g", engine, 1, "FEASIBLE", 10.0, value, bound, "search", 9.0, first)
    from dataclasses import replace

    return replace(plain, **more)  # type: ignore[arg-type]


def test_gaps_are_to_the_best_true_bound_or_the_best_known() -> None:
    rows = with_gaps([run("prices", 90.0, 110.0), run("highs", 80.0, 100.0), run("scip", NAN, 85.0)])
    assert [round(r["gap"], 9) for r in rows[:2]] == [0.1, 0.2]
    assert rows[0]["gap_to"] == "highs: search"
    assert "a checked plan" in rows[2]["note"] and math.isnan(rows[2]["bound"])
    cost = with_gaps([run("prices", -103.0, best_known=100.0, lower_bound=99.0, minimise=True)])
    assert round(cost[0]["gap"], 9) == 0.03
    false = with_gaps([run("highs", -103.0, -103.0, status="OPTIMAL", best_known=100.0, minimise=True)])
    assert (false[0]["status"], false[0]["bound_by"]) == ("FEASIBLE", "")


def test_the_verdict_goes_to_the_better_plan_and_then_to_the_sooner() -> None:
    for theirs, first, said in (
        (91.0, 1.0, "highs is better"),
        (89.0, 0.1, "prices is better"),
        (90.0, 0.1, "highs first"),
    ):
        rows = with_gaps([run("prices", 90.0), run("highs", theirs, first=first), run("greedy", 10.0)])
        assert said in verdict(rows, "prices")["verdict"]
    assert verdict(with_gaps([run("highs", 90.0)]), "prices")["verdict"] == "prices has no plan"


def test_a_sample_company_with_positions_has_the_reps_it_had_and_more_who_cost_less() -> None:
    plain, more = samples(["60x4"], [1])[0].company(), samples(["60x4"], [1], positions=2)[0].company()
    before, after = plain.scores.reps, more.scores.reps
    assert list(after["rep_id"]) == [*before["rep_id"], "new-1", "new-2"]
    np.testing.assert_array_equal(after["cost"][-2:], AT * before["cost"].to_numpy()[[0, 2]])
    assert more.core.is_open.sum() == 2 and more.core.options > plain.core.options
    assert samples(["60x4"], [1], positions=2)[0].name == "60 × 4 + 2, seed 1"


def test_limits_and_refusals_are_stated() -> None:
    assert run("prices", 1.0).limit_kept
    assert not run("prices", 1.0, seconds=13.1).limit_kept
    task = Task(samples(["10x2"], [1])[0], "highs", 5.0, most=100)
    assert refusal(task, 100) is None
    refused = refusal(task, 101)
    assert refused is not None and refused.limit_kept is None and "101 options" in refused.note


def test_the_first_time_of_the_final_value_and_of_a_gap() -> None:
    trace = np.array([[1.0, 50.0, 200.0], [2.0, 90.0, 200.0], [3.0, 90.0, 100.0]])
    assert (first_time(trace, 90.0, 9.0), first_time(trace, 91.0, 9.0)) == (2.0, 9.0)
    assert resolve.reached(trace, 0.1, 0.1, 9.0) == 3.0
    assert resolve.reached(trace, 0.05, 0.05, 9.0) == 9.0
    assert math.isnan(resolve.reached(trace, 0.05, 0.1, 9.0))


def test_phases_add_up_to_the_whole() -> None:
    heard = [(0.1, "start"), (0.5, "prices"), (0.6, "prices"), (0.7, ""), (1.5, "search"), (2.0, "")]
    found = profile.phases(heard, 2.25)
    assert found == pytest.approx({"start": 0.5, "prices": 1.0, "search": 0.5, "conclude": 0.25})
    rows = [{"accounts": a, "reps": 2, "options": a, "rows": 3, "seconds": {"build": (a / 10) ** 2}} for a in (10, 100)]
    line = profile.growth(rows)[0]
    assert line["accounts"] == pytest.approx(2.0) and math.isnan(line["reps"])


def test_a_race_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr("benchmarks.peers.prepare", lambda: 0.0)
    (tmp_path / "x1").write_text(GAP)
    (tmp_path / "best_known.csv").write_text("instance,type,best_known,lower_bound\nx1,D,11,11\n")
    words = ["gap", str(tmp_path), "--engines", "highs", "--ours", "highs", "--time-limit", "10"]
    assert main([*words, "--json"]) == 0
    out = capsys.readouterr()
    said = json.loads(out.out)
    assert said["machine"]["date"] and "[1/1" in out.err
    row = said["rows"][0]
    assert (row["status"], row["value"], row["gap"]) == ("OPTIMAL", -9.0, pytest.approx(-2 / 11))
    assert "lower bound" in row["note"] and set(said["summary"]) == {"Verdict", "Summary"}
    assert main(["gap", str(tmp_path / "nothing")]) == 2


def test_a_cancelled_solve_is_told_with_what_it_was_doing_and_how_long_the_answer_took() -> None:
    at_once, never = cancel.cancelled(samples(["200x10"], [1])[0], "highs", 3.0, [0.0, 9.0], 2)
    assert at_once["phase"] != "had ended" and at_once["seconds_to_answer"] > 0
    assert never["phase"] == "had ended" and math.isnan(never["seconds_to_answer"])
    summary = cancel.tables([at_once, never], None)["Summary"]  # type: ignore[arg-type]
    (line,) = summary
    assert line["cancelled"] == 1 and line["longest_wait"] == at_once["seconds_to_answer"]
    assert line["plans"] == int(at_once["status"] == "FEASIBLE")
