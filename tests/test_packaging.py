"""What we hand over installs anywhere, carries what it needs and gives nothing away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
MAX_BYTES = 1_000_000

# Written in two halves, so that this file does not name them either.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("debian", "org"),
        ("anaconda", "org"),
        ("crates", "io"),
        ("ghcr", "io"),
        ("docker", "io"),
    )
)
ABSOLUTE_PATH = re.compile(r"(?<![\w.~*<>-])(?:/(?:home|root|Users|work|tmp|mnt|srv)/\w|[A-Za-z]:\\Users\\)")
SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{36}\b|\bxox[abp]-\w{10}|://[^\s/@:]+:[^\s/@]+@"
)


def _files() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def _lines() -> list[tuple[str, str]]:
    """(where, line) of every text file."""
    return [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in _files()
        if b"\0" not in (raw := path.read_bytes())
        for number, line in enumerate(raw.decode("utf-8", "replace").splitlines(), 1)
    ]


def _indexes_of_this_machine() -> set[str]:
    """Hosts of the package indexes that the environment names: a private one must not leak either."""
    addresses = " ".join(value for name, value in os.environ.items() if re.match(r"(PIP|UV)_.*(INDEX|LINKS)", name))
    hosts = {urlsplit(word).hostname or "" for word in addresses.split()}
    return {host for host in hosts if "." in host}


def _requirements() -> list[Requirement]:
    return [Requirement(line) for line in PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]]


def _locked() -> dict[str, tuple[str, list[str]]]:
    """name → (version, hashes) of the lock."""
    found: dict[str, tuple[str, list[str]]] = {}
    for block in re.split(r"\n(?=\S)", LOCK):
        if match := re.match(r"([\w.-]+)==([\w.!+]+)", block):
            found[canonicalize_name(match[1])] = (match[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block))
    return found


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile("|".join(map(re.escape, {*REGISTRY_HOSTS, *_indexes_of_this_machine()})))
    assert [f"{where}: {line[:120]}" for where, line in _lines() if hosts.search(line)] == []


def test_no_file_holds_an_absolute_path() -> None:
    assert [f"{where}: {line[:120]}" for where, line in _lines() if ABSOLUTE_PATH.search(line)] == []


def test_no_file_holds_a_secret() -> None:
    assert [where for where, line in _lines() if SECRET.search(line)] == []


def test_no_file_is_large() -> None:
    assert [f"{path.relative_to(ROOT)}: {size}" for path in _files() if (size := path.stat().st_size) > MAX_BYTES] == []


def test_the_lock_pins_every_requirement_inside_its_bounds() -> None:
    locked = _locked()
    missing = [r.name for r in _requirements() if canonicalize_name(r.name) not in locked]
    assert missing == [], "run `make lock`"
    outside = [str(r) for r in _requirements() if locked[canonicalize_name(r.name)][0] not in r.specifier]
    assert outside == [], "run `make lock`"


def test_every_pin_of_the_lock_has_hashes() -> None:
    assert [name for name, (_, hashes) in _locked().items() if not hashes] == []


def test_the_lock_records_no_place_of_download() -> None:
    assert "://" not in LOCK
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)\b", LOCK, re.MULTILINE)


def test_ci_and_the_makefile_meet() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"demo", "app", "check", "test"} <= set(targets)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, built without any network and laid out as an installer would."""
    for needed in ("app.py", "README.md", "scenarios/demo"):
        if not (ROOT / needed).exists():
            pytest.skip(f"{needed} does not exist yet, and the wheel carries it")
    pytest.importorskip("hatchling", reason="the build backend is not installed; `make setup` installs it")
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("bookfit-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _run(unpacked: Path, folder: Path, code: str) -> str:
    """What `code` prints, far from the checkout, with the wheel's modules and none of the checkout's."""
    program = f"import sys; sys.path.insert(0, {str(unpacked)!r}); {code}"
    run = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout.strip()


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_of_the_checkout(unpacked: Path) -> None:
    names = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {"optimizer/py.typed", "optimizer/bundled.py", "optimizer/_bundled/app.py"} <= names
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"optimizer", "bookfit"}
    modules = {p.relative_to(ROOT).as_posix() for p in (ROOT / "optimizer").rglob("*.py")}
    assert modules - names == set()


@pytest.mark.slow
def test_the_wheel_carries_the_demo_company_and_finds_it(unpacked: Path, tmp_path: Path) -> None:
    demo = Path(_run(unpacked, tmp_path, "from optimizer.bundled import demo_folder as f; print(f())"))
    assert demo.is_relative_to(unpacked)
    ours = {p.name: p.read_bytes() for p in (ROOT / "scenarios" / "demo").iterdir() if p.is_file()}
    assert {p.name: p.read_bytes() for p in demo.iterdir() if p.is_file()} == ours


@pytest.mark.slow
def test_the_wheel_carries_the_app_and_finds_it(unpacked: Path, tmp_path: Path) -> None:
    app = Path(_run(unpacked, tmp_path, "from optimizer.bundled import app_file as f; print(f())"))
    assert app.is_relative_to(unpacked)
    assert app.read_bytes() == (ROOT / "app.py").read_bytes()


@pytest.mark.slow
def test_the_command_runs_from_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    if not (ROOT / "optimizer" / "cli.py").exists():
        pytest.skip("optimizer/cli.py does not exist yet")
    (entry,) = unpacked.glob("bookfit-*.dist-info/entry_points.txt")
    assert "bookfit = optimizer.cli:main" in entry.read_text(encoding="utf-8")
    shown = _run(unpacked, tmp_path, "sys.argv = ['bookfit', '--help']; from optimizer.cli import main; main()")
    assert "demo" in shown
    assert "app" in shown


def test_the_checkout_finds_its_demo_and_app() -> None:
    from optimizer.bundled import app_file, demo_folder

    for find, name in ((demo_folder, "scenarios/demo"), (app_file, "app.py")):
        if not (ROOT / name).exists():
            pytest.skip(f"{name} does not exist yet")
        assert find() == ROOT / name
