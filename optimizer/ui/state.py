"""What a session keeps between reruns. The only module that touches the session state.

A session keeps names, small texts and folders, never a table: tables and runs are read again (`cache`) from the
session's own folder, which goes when the session goes. The token is what `jobs` knows the session by; nobody can
guess it.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import streamlit as st

from optimizer.ui.jobs import Settings

_KEY = "bookfit"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the tables are: a folder or a workbook, what to call it, the SHA-256 of its content, and how its text files
    write numbers (`decimal`: `.`, `,` or empty for not said) and dates (`dates`: day, month or empty)."""

    name: str
    path: str
    digest: str
    demo: bool = False
    decimal: str = ""
    dates: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished solve: what the user calls it, the run folder it is in, the data it is of, and its headline."""

    name: str
    folder: str
    digest: str
    scenario: str
    status: str
    objective: float
    gap_share: float
    currency: str
    job: str

    @property
    def has_plan(self) -> bool:
        return self.status in ("OPTIMAL", "FEASIBLE")


@dataclass(frozen=True, slots=True)
class Record:
    """What is open and what was solved. `scenario` is TOML text, `start` the name of what it began as."""

    source: Source | None = None
    scenario: str = ""
    start: str = ""
    kept: tuple[Kept, ...] = ()
    shown: str = ""
    job: str = ""
    settings: Settings = field(default_factory=Settings)
    editing: str = ""
    version: int = 0
    notices: tuple[str, ...] = ()


@dataclass(eq=False)
class _Session:
    token: str
    home: Path
    record: Record = field(default_factory=Record)


def begin(when_over: Callable[[str], None]) -> None:
    """Give a new session its token and folder; `when_over(token)` is called when the session is gone."""
    if _KEY not in st.session_state:
        session = _Session(secrets.token_urlsafe(32), Path(tempfile.mkdtemp(prefix="bookfit-session-")))
        weakref.finalize(session, _end, session.token, session.home, when_over)
        st.session_state[_KEY] = session


def _end(token: str, home: Path, when_over: Callable[[str], None]) -> None:
    when_over(token)
    shutil.rmtree(home, ignore_errors=True)


def _session() -> _Session:
    session: _Session = st.session_state[_KEY]
    return session


def token() -> str:
    return _session().token


def home() -> Path:
    """The session's own folder."""
    return _session().home


def get() -> Record:
    return _session().record


def change(**fields: object) -> None:
    """Keep these fields of `Record` from now on."""
    _session().record = replace(get(), **fields)  # type: ignore[arg-type]


def open_source(source: Source, scenario: str, start: str) -> None:
    """Begin with other data: its scenario replaces the one that was open; finished plans stay."""
    change(source=source, scenario=scenario, start=start, editing="", version=get().version + 1, notices=())


def edit_scenario(toml: str, start: str | None = None, editing: str = "") -> None:
    """Keep the edited scenario; widgets drawn from it begin afresh."""
    fields: dict[str, object] = {"scenario": toml, "editing": editing, "version": get().version + 1}
    change(**fields, **({} if start is None else {"start": start}))


def keep(plan: Kept) -> None:
    """Keep a finished solve once, under a name no other has, and show it."""
    if any(k.job == plan.job for k in get().kept):
        return
    names = {k.name for k in get().kept} | {"today"}
    name, n = plan.name, 2
    while name in names:
        name, n = f"{plan.name} ({n})", n + 1
    change(kept=(*get().kept, replace(plan, name=name)), shown=name)


def forget(name: str) -> None:
    """Drop a kept solve and its folder."""
    for gone in (k for k in get().kept if k.name == name):
        shutil.rmtree(gone.folder, ignore_errors=True)
    change(kept=tuple(k for k in get().kept if k.name != name))


def plans() -> tuple[Kept, ...]:
    """The kept solves of the open data that have a plan."""
    source = get().source
    return tuple(k for k in get().kept if k.has_plan and source is not None and k.digest == source.digest)
