"""A small company for the screens, and the app as a test can drive it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from optimizer.sample import write_sample
from optimizer.ui.launch import SERVER

ROOT = Path(__file__).resolve().parents[2]
FEW_MOVES = """extends = "baseline.toml"
name = "Few moves"
rules = [{name = "move budget", kind = "limit", measure = "moved_arr", per = "company", at_most = "5%"}]
"""


@pytest.fixture(scope="session", autouse=True)
def as_served() -> None:
    """Pages run with the options they are served with. (Magic also parses pages while a job's thread reads arrays,
    which Python before 3.11.8 cannot do in two threads at once: CPython issue 106905.)"""
    config.set_option("runner.magicEnabled", SERVER["runner.magicEnabled"])


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 accounts, 4 reps, and two scenarios."""
    folder = write_sample(tmp_path_factory.mktemp("company"), 40, 4, seed=3)
    (folder / "few.toml").write_text(FEW_MOVES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def solved(company: Path) -> Iterator[AppTest]:
    """The app after one quick solve; tests of a module share it and leave the data and the scenario alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOKFIT_DEMO", str(company))
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()
        yield solve_in(app)


@pytest.fixture
def app(company: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The app, opened on the small company."""
    monkeypatch.setenv("BOOKFIT_DEMO", str(company))
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=30).run()


def open_page(app: AppTest, name: str) -> AppTest:
    """Open a page, and see that it shows no exception."""
    app.switch_page(f"optimizer/ui/pages/{name}.py").run()
    assert not app.exception, app.exception[0].message
    return app


def solve_in(app: AppTest, engine: str = "greedy", limit: int = 20) -> AppTest:
    """Solve the open scenario and wait until it is over."""
    open_page(app, "solve")
    app.selectbox(key="solve.engine").set_value(engine)
    app.number_input(key="solve.limit").set_value(limit)
    next(b for b in app.button if b.label == "Solve").click().run()
    deadline = time.monotonic() + 60
    while any(b.label == "Cancel" for b in app.button):
        assert time.monotonic() < deadline, "the solve does not end"
        time.sleep(0.1)
        app.run()
    assert not app.exception
    return app


@pytest.fixture
def go() -> Callable[[AppTest, str], AppTest]:
    return open_page


@pytest.fixture
def solve() -> Callable[..., AppTest]:
    return solve_in
