"""What every test may ask for: a browser, the shared benchmark data, a repeatable hypothesis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A slow machine must not fail a law; in CI the same examples run every time.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


#: what every test finds as the main module: screens in tests make the app that, and processes that are spawned run it
MAIN = sys.modules["__main__"]


@pytest.fixture(autouse=True)
def main_module() -> None:
    """The main module is the tests' own when a test begins, whatever fixtures and tests before it have left there."""
    sys.modules["__main__"] = MAIN


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The Chromium to drive: give it to playwright as `executable_path`, with `--no-sandbox`."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no chromium on this machine: `make chromium` installs it or says how")
    driver = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, check=False)
    if driver.returncode != 0:
        pytest.skip(f"playwright does not start here: {driver.stderr.decode(errors='replace').strip()[-200:]}")
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of benchmark instances and real tables that is kept beside the checkout. Read only."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared benchmark data are not beside this checkout (../shared/data)")
    return folder


#: what starts processes, enumerates plans or draws pages: left out of `make check`, run by `make test`
SLOW = (
    "browser", "engines", "ui", "rules/test_contract",
    "test_badinput", "test_barrier", "test_benchmarks", "test_books", "test_carry", "test_chains", "test_children",
    "test_cli", "test_docs", "test_endgame", "test_export", "test_importing", "test_known", "test_laws",
    "test_listed", "test_patches", "test_positions", "test_prepare", "test_promises", "test_proof", "test_real",
    "test_relax", "test_search", "test_settle", "test_solve", "test_store", "test_verify",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(ROOT / "tests").as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)
