"""Where tables and scenarios come from: the demo company, or what somebody uploads."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from optimizer.bundled import demo_folder
from optimizer.errors import BookfitError, UsageError
from optimizer.formats import SUFFIXES, format_of
from optimizer.scenario import default_scenario, load_scenario
from optimizer.tables import TABLES, plain
from optimizer.ui.cache import digest_of
from optimizer.ui.launch import MAX_UPLOAD_MB
from optimizer.ui.state import Source

DEMO = "Demo company"
DEFAULT = "Default rules"
#: how text files may write numbers and dates: what is shown → what is meant
DECIMALS = {"say so where it is unclear": "", "1,234.50 (decimal point)": ".", "1.234,50 (decimal comma)": ","}
DATES = {"say so where it is unclear": "", "31/12/2027 (day first)": "day", "12/31/2027 (month first)": "month"}
#: Windows keeps these names for devices
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))})


@dataclass(frozen=True, slots=True)
class Start:
    """A scenario to begin with: its name, what it says of itself, and its whole text."""

    name: str
    about: str
    toml: str


def demo() -> Source:
    """The company the app opens on; `BOOKFIT_DEMO` names another folder."""
    folder = Path(os.environ.get("BOOKFIT_DEMO") or demo_folder())
    if not folder.is_dir():
        raise UsageError(f"{folder} is not there; BOOKFIT_DEMO must name a folder with accounts and reps")
    return Source(DEMO, str(folder), digest_of(folder), demo=True)


def starts(source: Source) -> tuple[Start, ...]:
    """The scenarios that come with the data, the baseline first; default rules where none does."""
    folder = Path(source.path)
    files = sorted(folder.glob("*.toml"), key=lambda f: (f.stem != "baseline", f.stem)) if folder.is_dir() else []
    found = []
    for file in files:
        try:
            scenario = load_scenario(file)
        except BookfitError:
            continue
        found.append(Start(scenario.name, scenario.description, scenario.to_toml()))
    return tuple(found) or (default_start(),)


def default_start(name: str = "Default") -> Start:
    about = "Nobody works more hours than they have; everything else is open."
    return Start(DEFAULT, about, default_scenario(name).to_toml())


def uploaded(
    files: Iterable[tuple[str, bytes]], home: Path, decimal: str = "", dates: str = ""
) -> tuple[Source, tuple[str, ...]]:
    """Keep uploaded files in a new folder of the session, under names of our making.

    Returns the source, and one sentence for every file that was given another name. A single workbook is read sheet by
    sheet; several files are a table each. Raises `UsageError` for no file, too much data, an ending we do not read, or
    two files of the same name.
    """
    given = [(clean_name(name), data) for name, data in files]
    if not given:
        raise UsageError("choose at least one file")
    if sum(len(data) for _, data in given) > MAX_UPLOAD_MB * 1_000_000:
        raise UsageError(
            f"the files are more than {MAX_UPLOAD_MB} MB together; use the command line for data of that size"
        )
    for name, _ in given:
        format_of(Path(name))
    alone = len(given) == 1 and format_of(Path(given[0][0])).name == "excel"
    folder = home / f"upload-{secrets.token_hex(8)}"
    folder.mkdir()
    notes = []
    for name, data in given:
        final = name if alone else table_name(name)
        if final != name:
            notes.append(f"{name} was read as {final}")
        if (folder / final).exists():
            raise UsageError(f"two files would both be {final}; upload one of them")
        (folder / final).write_bytes(data)
    path = folder / given[0][0] if alone else folder
    label = given[0][0] if len(given) == 1 else f"{len(given)} uploaded files"
    digest = digest_of(path) + decimal + dates
    return Source(label, str(path), digest, decimal=decimal, dates=dates), tuple(notes)


def clean_name(name: str) -> str:
    """A file name that is only a name: no folders, no control characters, no leading dots, not too long."""
    last = re.split(r"[/\\]", name)[-1]
    last = re.sub(r"[^\w .()-]", "_", last).strip(" .")
    stem, ending = _split(last)
    stem = stem.strip(" .")[:80] or "table"
    return f"_{stem}{ending}" if stem.lower() in _DEVICES else f"{stem}{ending}"


def table_name(name: str) -> str:
    """`crm_accounts_export (3).csv` → `accounts.csv`; a name that holds none of our tables' names stays."""
    stem, ending = _split(name)
    words = [plain(word) for word in re.split(r"[^0-9A-Za-z]+", stem)]
    for whole in (plain(stem), *words):
        for table in TABLES:
            if whole and whole in {plain(table.name), *map(plain, table.aliases)}:
                return f"{table.name}{ending}"
    return name


def _split(name: str) -> tuple[str, str]:
    ending = next((s for s in sorted(SUFFIXES, key=len, reverse=True) if name.lower().endswith(s)), "")
    return (name[: len(name) - len(ending)], ending) if ending else (Path(name).stem, Path(name).suffix)
