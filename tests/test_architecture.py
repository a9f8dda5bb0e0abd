"""The shape of the house: imports go one way, each package is where it may be, files and functions stay short."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "optimizer"

#: The steps, first to last; each names modules of `optimizer/` or whole families. A module may import from its own step
#: and from those before it.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("say", ("errors", "memory", "atomic", "bundled", "compiled")),
    ("load", ("tables", "formats", "places", "days", "cast", "locate", "links", "read", "validate", "where")),
    ("bring in", ("importing", "sample")),
    ("score", ("lists", "plan", "scoring", "people", "performance", "accounts", "scores")),
    ("rule", ("rules", "eligible", "options", "scenario")),
    ("build", ("core", "tighten", "problem", "preflight")),
    ("judge", ("check", "certificate", "positions", "own_rows", "book_trees", "book_filling", "book_bound", "listing")),
    (
        "price",
        (
            "adam",
            "kernels",
            "relaxation",
            "linear_program",
            "mixed_integer",
            "barrier",
            "dual",
            "reduced",
            "waterfall",
            "books",
            "book_stage",
            "book_search",
            "board",
            "search",
            "unit_prices",
            "known",
            "columns",
            "listed",
            "triples",
        ),
    ),
    (
        "solve",
        (
            "result",
            "relax",
            "engines",
            "proof",
            "column_program",
            "column_tree",
            "crew",
            "steps",
            "parting",
            "column_proof",
            "column_search",
            "endgame",
            "decide",
            "position_annealing",
            "opening",
            "hiring",
            "patches",
            "vicinity",
            "settle",
            "fields",
            "annealing",
            "carry",
            "children",
            "process",
            "prepare",
            "conclude",
            "solve",
        ),
    ),
    ("measure", ("kpis", "compare", "verify")),
    ("keep and hand over", ("export", "record", "certificate_table", "listing_table", "store", "handmade", "charts")),
    ("show", ("terminal", "demo", "cli", "ui")),
)

#: imports against the order that are for type checkers only: (module, what it names)
FOR_TYPES_ONLY = {("verify", "store")}

#: in each family, what its members share; anything else in it is a member, and members do not know each other
FAMILIES: dict[str, frozenset[str]] = {
    "rules": frozenset({"base", "limit_check"}),
    "kpis": frozenset({"base", "basis", "parts", "frame", "catalogue"}),
    "formats": frozenset({"base", "_scan", "_archive"}),
    "engines": frozenset({"base", "run", "__main__"}),
    "kernels": frozenset({"bare", "moves", "parts", "pricing", "triples"}),
    "ui.pages": frozenset(),
}
#: members that lend a function to another, and which
LENT: dict[tuple[str, str], set[str]] = {}

#: outside packages with one home each
HOMES: dict[str, tuple[str, ...]] = {
    "ortools": ("engines.cpsat", "engines.scip"),
    "highspy": ("engines.highs", "column_program", "linear_program"),
    "scipy.optimize": (),  # takes most of a second to load
    "numba": ("kernels",),
    "streamlit": ("app", "ui"),
    "typer": ("cli",),
    "rich": ("terminal",),
    "xlsxwriter": ("formats.excel", "export"),
    "python_calamine": ("formats.excel",),
    "sqlite3": ("formats.sqlite",),
}
#: what must not be imported anywhere: unsafe readers, and whatever talks to a network
BANNED = ("pickle", "marshal", "shelve", "dill", "joblib", "yaml", "requests", "httpx", "urllib.request", "http.client")

MAX_FILE_LINES, MAX_BODY_LINES = 300, 50
SOLVING = ("optimizer.engines", "optimizer.solve", "optimizer.process", "optimizer.dual", "optimizer.kernels")
PACKAGES_THAT_SOLVE = ("ortools", "highspy", "numba", "streamlit")


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: by which module, of which module (or outside package), and whether when it is loaded, inside
    a function, or for type checkers only."""

    by: str
    of: str
    name: str
    when: str
    line: int


def short(module: str) -> str:
    return module.removeprefix("optimizer.")


@cache
def modules() -> dict[str, Path]:
    """Dotted name → file of every module of the package, and `app`."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return {**found, "app": ROOT / "app.py"}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def _walk(node: ast.AST, when: str) -> Iterator[tuple[ast.stmt, str]]:
    for child in ast.iter_child_nodes(node):
        inside = when
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and when == "loaded":
            inside = "called"
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            inside = "types"
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, when
        yield from _walk(child, inside)


@cache
def imports(module: str) -> tuple[Import, ...]:
    found = []
    for node, when in _walk(tree(module), "loaded"):
        if isinstance(node, ast.Import):
            found += [Import(module, a.name, "", when, node.lineno) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports by dots"
            for a in node.names:
                whole = f"{node.module}.{a.name}"
                is_module = whole in modules() or whole in HOMES
                found.append(Import(module, whole if is_module else str(node.module), a.name, when, node.lineno))
    return tuple(found)


def ours() -> Iterator[Import]:
    """Every import of one of our modules by another; the facade `optimizer/__init__.py` itself is no step."""
    for module in modules():
        for found in imports(module):
            if module not in ("optimizer", "app") and found.of.startswith("optimizer."):
                yield found


def step_of(module: str) -> int:
    top = short(module).split(".")[0]
    return next((i for i, (_, names) in enumerate(STEPS) if top in names), -1)


def reach(start: str) -> set[str]:
    """Every module of ours that loading `start` loads, parents included."""
    seen, todo = set(), [start]
    while todo:
        module = todo.pop()
        if module in seen or module not in modules():
            continue
        seen.add(module)
        todo += [found.of for found in imports(module) if found.when == "loaded"]
        todo.append(module.rpartition(".")[0])
    return seen


def test_every_module_belongs_to_exactly_one_step() -> None:
    tops = {short(m).split(".")[0] for m in modules()} - {"optimizer", "app"}
    named = [name for _, names in STEPS for name in names]
    assert len(named) == len(set(named))
    assert sorted(named) == sorted(tops), "put new modules into STEPS; take vanished ones out"


def test_imports_go_one_way() -> None:
    wrong = [
        f"{short(i.by)}:{i.line} ({STEPS[step_of(i.by)][0]}) imports {short(i.of)} ({STEPS[step_of(i.of)][0]})"
        for i in ours()
        if step_of(i.of) > step_of(i.by) and not (i.when == "types" and (short(i.by), short(i.of)) in FOR_TYPES_ONLY)
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    state: dict[str, int] = {}
    circles: list[str] = []

    def visit(module: str, path: tuple[str, ...]) -> None:
        if state.get(module) == 2:
            return
        if state.get(module) == 1:
            circles.append(" → ".join(map(short, (*path[path.index(module) :], module))))
            return
        state[module] = 1
        for found in imports(module):
            if found.when == "loaded" and found.of in modules() and found.of != module:
                visit(found.of, (*path, module))
        state[module] = 2

    for module in modules():
        visit(module, ())
    assert circles == []


@pytest.mark.parametrize("family", FAMILIES)
def test_siblings_share_words_and_nothing_else(family: str) -> None:
    prefix, shared = f"optimizer.{family}.", FAMILIES[family]
    wrong = []
    for i in ours():
        if not (i.by.startswith(prefix) and i.of.startswith(prefix)) or i.by == i.of:
            continue
        member, other = i.by.removeprefix(prefix), i.of.removeprefix(prefix)
        constant = i.name.isupper()
        lent = i.name in LENT.get((short(i.by), short(i.of)), ())
        if member not in shared and other not in shared and not constant and not lent:
            wrong.append(f"{short(i.by)}:{i.line} takes {i.name or i.of} from {short(i.of)}")
    assert wrong == []


@pytest.mark.parametrize("package", HOMES)
def test_outside_packages_stay_at_home(package: str) -> None:
    def at_home(module: str) -> bool:
        return any(short(module) == home or short(module).startswith(f"{home}.") for home in HOMES[package])

    wrong = [
        f"{short(m)}:{i.line}"
        for m in modules()
        for i in imports(m)
        if (i.of == package or i.of.startswith(f"{package}.")) and i.when != "types" and not at_home(m)
    ]
    assert wrong == []


def test_nothing_unsafe_is_imported_and_nothing_talks_to_a_network() -> None:
    wrong = [
        f"{short(m)}:{i.line} imports {i.of}"
        for m in modules()
        for i in imports(m)
        if any(f"{whole}.".startswith(f"{banned}.") for banned in BANNED for whole in (i.of, f"{i.of}.{i.name}"))
    ]
    assert wrong == []


def test_no_text_is_ever_run_as_code() -> None:
    wrong = []
    for module in modules():
        for node in ast.walk(tree(module)):
            if not isinstance(node, ast.Call):
                continue
            named = isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec", "compile", "__import__")
            method = isinstance(node.func, ast.Attribute) and node.func.attr in ("eval", "query")
            unpickles = any(k.arg == "allow_pickle" for k in node.keywords)
            raw_html = any(k.arg == "unsafe_allow_html" for k in node.keywords)
            if named or method or unpickles or raw_html:
                wrong.append(f"{short(module)}:{node.lineno}")
    assert wrong == []


def test_the_judge_knows_no_engine_no_option_and_no_row() -> None:
    known = reach("optimizer.check")
    builders = ("optimizer.core", "optimizer.problem", "optimizer.options", *SOLVING)
    assert sorted(m for m in known if m.startswith(builders)) == []


@pytest.mark.parametrize("module", ["verify", "certificate", "check", "store", "compare", "kpis", "export"])
def test_what_judges_and_keeps_loads_no_engine(module: str) -> None:
    assert sorted(m for m in reach(f"optimizer.{module}") if m.startswith(SOLVING)) == []


def test_public_names_stay_what_they_are_whatever_was_imported_before() -> None:
    import optimizer

    for name in modules():
        if name.startswith("optimizer.") and ".ui" not in name and "__main__" not in name:
            import_module(name)
    assert [n for n in optimizer.__all__ if isinstance(getattr(optimizer, n), ModuleType)] == []
    assert all(callable(getattr(optimizer, n)) for n in optimizer.__all__)


def test_verify_runs_without_any_solver_in_the_process() -> None:
    code = (
        "import sys, optimizer.verify, optimizer.certificate, optimizer.store, optimizer.check\n"
        f"bad = {(*PACKAGES_THAT_SOLVE, 'scipy.optimize', *SOLVING)!r}\n"
        "print(sorted(m for m in sys.modules if m.startswith(bad)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_command_line_loads_nothing_heavy_before_a_command_needs_it() -> None:
    heavy = ("numpy", "pandas", "pyarrow", "scipy", "pydantic", *PACKAGES_THAT_SOLVE)
    code = f"import sys, optimizer.cli\nprint(sorted(m for m in sys.modules if m.split('.')[0] in {heavy!r}))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_only_state_touches_the_session_and_only_jobs_runs_solves() -> None:
    touching = {
        short(module)
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute) and node.attr == "session_state"
    }
    solving = {short(i.by) for i in ours() if i.of == "optimizer.solve" and i.by.startswith("optimizer.ui")}
    assert touching <= {"ui.state"}
    assert solving <= {"ui.jobs"}


def test_files_are_short() -> None:
    lines = {short(m): len(path.read_text(encoding="utf-8").splitlines()) for m, path in modules().items()}
    assert {m: n for m, n in lines.items() if n > MAX_FILE_LINES} == {}


def test_functions_are_short() -> None:
    long = {}
    for module in modules():
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                size = int(node.end_lineno or 0) - body[0].lineno + 1
                if size > MAX_BODY_LINES:
                    long[f"{short(module)}.{node.name}"] = size
    assert long == {}
