"""One journey in a real browser: upload → solve → cancel → solve → download."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimizer.sample import write_sample
from optimizer.ui.launch import command

pytestmark = pytest.mark.browser


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The app, served from a folder of its own on a free port."""
    port = free_port()
    log = (tmp_path / "server.log").open("wb")
    root = Path(__file__).resolve().parents[2]
    server = subprocess.Popen(
        command(port, headless=True), cwd=tmp_path, stdout=log, stderr=log,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])},
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
                break
            assert server.poll() is None and time.monotonic() < deadline, (tmp_path / "server.log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()


def test_upload_solve_cancel_solve_download(address: str, chromium_path: str, tmp_path: Path) -> None:
    from playwright.sync_api import expect, sync_playwright

    company = write_sample(tmp_path / "company", 400, 12, seed=5)
    accounts = shutil.copy(company / "accounts.csv", tmp_path / "crm accounts (1).csv")
    strangers: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.on(
            "request",
            lambda r: None if r.url.startswith((address, "data:", "blob:", "ws:")) else strangers.append(r.url),
        )
        page.goto(address)
        main, side = page.get_by_test_id("stMain"), page.get_by_test_id("stSidebarNav")
        expect(main.get_by_role("heading", name="What we noticed")).to_be_visible()

        # upload
        main.get_by_text("Upload files").click()
        page.locator("input[type=file]").set_input_files([accounts, company / "reps.csv"])
        expect(main.get_by_text("crm accounts (1).csv")).to_be_visible()
        main.get_by_role("button", name="Read the files").click()
        expect(main.get_by_text("was read as accounts.csv")).to_be_visible()
        expect(main.get_by_test_id("stMetricValue").first).to_have_text("400")

        def choose_engine(name: str) -> None:
            main.get_by_role("combobox", name="Engine").click()
            page.get_by_role("option", name=f"{name}:").click()

        # solve, and cancel within two seconds
        side.get_by_role("link", name="Solve").click()
        expect(main.get_by_role("heading", name="Solve", exact=True)).to_be_visible()
        choose_engine("cpsat")
        main.get_by_label("Time limit, seconds").fill("600")
        main.get_by_role("button", name="Solve").click()
        cancel = main.get_by_role("button", name="Cancel")
        expect(cancel).to_be_visible()
        expect(main.get_by_text("Best so far")).to_be_visible()
        time.sleep(4)  # let the engine get going
        asked = time.monotonic()
        cancel.click()
        expect(main.get_by_text("Stopping").or_(main.get_by_text("Cancelled")).first).to_be_visible(timeout=2_000)
        expect(main.get_by_text("Cancelled").first).to_be_visible(timeout=10_000)
        assert time.monotonic() - asked < 10

        # solve again, download
        choose_engine("greedy")
        main.get_by_role("button", name="Solve").click()
        expect(main.get_by_text("A plan that keeps every hard rule")).to_be_visible()
        expect(main.get_by_text("Cancelled")).to_have_count(0)
        side.get_by_role("link", name="Plan").click()
        with page.expect_download() as waiting:
            main.get_by_role("button", name="Workbook (.xlsx)").click()
        book = tmp_path / "plan.xlsx"
        waiting.value.save_as(book)
        assert waiting.value.suggested_filename.endswith(".xlsx")
        browser.close()
    names = zipfile.ZipFile(book).namelist()
    assert {"[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"} <= set(names)
    assert not strangers, f"the page asked other machines: {strangers}"
