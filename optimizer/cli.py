"""The command line: the library's verbs, said aloud. Each command is a few lines over one library call."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from optimizer.problem import Problem
    from optimizer.tables import Tables

app = typer.Typer(
    help="Decides which account goes to which sales rep, and proves how good the plan is.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ScenarioArg = Annotated[
    Path, typer.Argument(help="A scenario .toml, or a folder or workbook with tables.", show_default=False)
]
RunArg = Annotated[Path, typer.Argument(help="A run folder that solve wrote.", show_default=False)]
TablesOption = Annotated[
    Path | None, typer.Option("--tables", help="Take the tables from this folder or workbook instead.")
]
DecimalOption = Annotated[str, typer.Option("--decimal", help="Decimal sign of the text files: . or ,")]
DatesOption = Annotated[str, typer.Option("--dates", help="What comes first in their dates: day or month.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON to standard output.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder to write to.")]


@app.command()
def demo(
    time_limit: Annotated[float, typer.Option(help="Seconds for each scenario.")] = 10.0,
    engine: Annotated[str, typer.Option(help="auto, prices, highs, cpsat, scip, greedy or balance.")] = "auto",
    out: Annotated[Path | None, typer.Option("--out", help="Keep the runs in this folder.")] = None,
    json: JsonOption = False,
) -> None:
    """Solve the demo company's scenarios and compare them with today."""
    from optimizer.bundled import demo_folder
    from optimizer.demo import solve_all
    from optimizer.terminal import emit, heading, live

    comparison = solve_all(demo_folder(), engine, time_limit, out, heading, live)
    emit(comparison.to_frame(), json, str(comparison))


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="Folder to make; refused where it holds such files already.")],
    accounts: Annotated[int, typer.Option(help="How many accounts, up to 5,000,000.")] = 300,
    reps: Annotated[int, typer.Option(help="How many reps, up to 9,000.")] = 14,
    seed: Annotated[int, typer.Option(help="The same seed makes the same company.")] = 1,
) -> None:
    """Make a realistic synthetic company to try things on."""
    from optimizer.sample import write_sample
    from optimizer.terminal import say

    write_sample(folder, accounts, reps, seed)
    say(f"{accounts:,} accounts and {reps:,} reps are in {folder}; try: bookfit solve {folder}")


@app.command("import")
def import_(
    mapping: Annotated[Path, typer.Argument(help="Mapping file (.toml).", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Folder with the foreign exports.", show_default=False)],
    out: OutOption = Path("imported"),
    json: JsonOption = False,
) -> None:
    """Turn foreign exports into our tables; say everything that did not match."""
    from optimizer.importing import import_tables, load_mapping
    from optimizer.read import write
    from optimizer.terminal import emit, say

    imported = import_tables(load_mapping(mapping), folder)
    emit(imported.findings.to_frame(), json, imported.report)
    imported.findings.raise_errors()
    write(imported.tables, out)
    say(f"tables are in {out}", error_stream=json)


@app.command()
def validate(
    scenario: ScenarioArg,
    tables: TablesOption = None,
    decimal: DecimalOption = "",
    dates: DatesOption = "",
    json: JsonOption = False,
) -> None:
    """List every finding: file, row, column, value, what is allowed. Exit code 1 where there are errors."""
    from optimizer.cast import Dialect
    from optimizer.preflight import building
    from optimizer.problem import open_company
    from optimizer.terminal import emit

    data, parsed, findings = open_company(scenario, tables, Dialect.said(decimal, dates))
    if not findings.errors:
        findings += building(data, parsed, str(scenario))
    counts = f"{len(findings.errors)} errors, {len(findings.warnings)} warnings, {len(findings.notes)} notes"
    emit(findings.to_frame(), json, f"{findings}\n{counts}" if len(findings) else "No findings.")
    if findings.errors:
        raise typer.Exit(1)


@app.command()
def solve(
    scenario: ScenarioArg,
    engine: Annotated[str, typer.Option(help="auto, prices, highs, cpsat, scip, greedy or balance.")] = "auto",
    time_limit: Annotated[float, typer.Option(help="Seconds.")] = 60.0,
    gap: Annotated[float, typer.Option(help="Stop within this share of the bound; 0 asks for proof.")] = 5e-4,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 1,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="Count work, not seconds; same answer again.")
    ] = False,
    threads: Annotated[int, typer.Option(help="Processors to use.")] = 2,
    memory: Annotated[float | None, typer.Option(min=0.1, help="Most memory of the solve, in GB.")] = None,
    after: Annotated[Path | None, typer.Option("--after", help="Begin with the plan and prices of this run.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Run folder to write; runs/NAME by default.")] = None,
    tables: TablesOption = None,
    decimal: DecimalOption = "",
    dates: DatesOption = "",
    json: JsonOption = False,
) -> None:
    """Find the best plan, prove how good it is, and keep it as a run. Exit code 3: no plan can exist; 4: none found."""
    from optimizer.children import stand_by
    from optimizer.solve import demand_limits
    from optimizer.solve import solve as run
    from optimizer.store import demand_free, left_by, write_run
    from optimizer.terminal import emit_result, live

    demand_limits(time_limit, gap, seed, threads, memory)
    stand_by()  # it loads while the tables are read
    problem, data = _problem(scenario, tables, decimal, dates)
    folder = out or _free_folder(problem.scenario.name)
    demand_free(folder)
    start, known = left_by(after, problem) if after else (None, None)
    bytes_ = int(memory * 1e9) if memory else None
    with live(problem.scenario.name, quiet=json) as report:
        result = run(problem, engine, time_limit, gap, seed, deterministic, threads, report, start, known, bytes_)
    write_run(folder, problem, data, result)
    emit_result(result, problem, folder, json)
    if result.stopped_by == "user":
        raise typer.Exit(130)
    if result.plan is None:
        raise typer.Exit(3 if result.status == "INFEASIBLE" else 4)


@app.command()
def check(
    scenario: ScenarioArg,
    plan: Annotated[
        Path, typer.Argument(help="CSV with account_id, rep_id (role, service_level).", show_default=False)
    ],
    tables: TablesOption = None,
    decimal: DecimalOption = "",
    dates: DatesOption = "",
    json: JsonOption = False,
) -> None:
    """Judge any plan, hand-made ones too. Exit code 1 where a hard rule is broken."""
    from optimizer.check import check as judge_plan
    from optimizer.handmade import read_plan
    from optimizer.terminal import emit_report

    problem, _ = _problem(scenario, tables, decimal, dates)
    report = judge_plan(problem, read_plan(plan, problem))
    emit_report(report, json)
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def verify(run: RunArg, json: JsonOption = False) -> None:
    """Judge a kept run again from tables and certificate alone: no solver, no engine. Exit code 1 where it differs."""
    from optimizer.store import read_run
    from optimizer.terminal import emit_record
    from optimizer.verify import verify_run

    verdict = verify_run(read_run(run))
    emit_record(verdict.to_record(), json, str(verdict))
    if not verdict.ok:
        raise typer.Exit(1)


@app.command()
def kpis(run: RunArg, json: JsonOption = False) -> None:
    """Measure a run's plan: coverage in every definition, targets, balance; what is missing is named."""
    from optimizer.kpis import kpis as measure
    from optimizer.store import read_run
    from optimizer.terminal import emit, kpi_table

    kept = read_run(run)
    frame = measure(kept.problem, kept.plan or kept.problem.scores.empty_plan(), kept.tables)
    emit(frame, json, kpi_table(frame))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.", show_default=False)], json: JsonOption = False
) -> None:
    """Put runs side by side with today."""
    from optimizer.demo import compare_runs
    from optimizer.store import read_run
    from optimizer.terminal import emit

    comparison = compare_runs([read_run(run) for run in runs])
    emit(comparison.to_frame(), json, str(comparison))


@app.command()
def export(
    run: RunArg,
    to: Annotated[str, typer.Option("--to", help="excel, or a CSV preset: plain, excel-us, excel-eu.")] = "excel",
    out: OutOption = Path("export"),
) -> None:
    """Write hand-over files: an Excel workbook, or CSV in a named dialect."""
    from optimizer.export import export as hand_over
    from optimizer.store import read_run
    from optimizer.terminal import say

    kept = read_run(run)
    path = out / f"{run.resolve().name}.xlsx" if to == "excel" else out
    preset = "plain" if to == "excel" else to
    for file in hand_over(
        kept.problem, kept.plan, path, preset, result=kept.result, tables=kept.tables, run_id=kept.id
    ):
        say(str(file))


@app.command("app")
def app_(
    port: Annotated[int | None, typer.Option(help="Port; the first free one from 8501 by default.")] = None,
) -> None:
    """Open the app in the browser. Only this machine can reach it."""
    import subprocess

    from optimizer.ui.launch import command

    raise typer.Exit(subprocess.call(command(port)))


def _problem(scenario: Path, tables: Path | None, decimal: str, dates: str) -> tuple[Problem, Tables]:
    """The problem of a scenario; findings go to standard error, errors in the tables stop."""
    from optimizer.cast import Dialect
    from optimizer.errors import InputError
    from optimizer.preflight import preflight
    from optimizer.problem import build, open_company
    from optimizer.terminal import say

    data, parsed, findings = open_company(scenario, tables, Dialect.said(decimal, dates))
    if findings.errors:
        raise InputError(findings)
    problem = build(data, parsed)
    told = preflight(problem, data.files.get("accounts"))
    shown = [*told.errors, *told.warnings, *findings.warnings]
    for finding in shown[:10]:
        say(str(finding), error_stream=True)
    if len(shown) > 10:
        say(f"… and {len(shown) - 10} more findings; bookfit validate {scenario} lists them", error_stream=True)
    return problem, data


def _free_folder(name: str) -> Path:
    """runs/NAME, or runs/NAME-2 and so on where that is taken."""
    import re

    stem = re.sub(r"[^\w-]+", "-", name.casefold()).strip("-") or "run"
    tried = (Path("runs") / (stem if i == 1 else f"{stem}-{i}") for i in range(1, 100_000))
    return next(path for path in tried if not path.exists())


def main() -> None:
    """Entry point: errors of ours become a message and an exit code, never a traceback."""
    from optimizer.errors import BookfitError

    try:
        app(standalone_mode=True)
    except BookfitError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
