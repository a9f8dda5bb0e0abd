"""What can be wrong with what we are given, said so that the reader can fix it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["error", "warning", "note"]


class BookfitError(Exception):
    """Base of every error this package raises on purpose. The message is for the user."""

    exit_code = 2


class UsageError(BookfitError):
    """The call itself is wrong: an unknown name, a file that is not there."""


class InputError(BookfitError):
    """The data or the scenario cannot be used. Carries every finding, not only the first."""

    exit_code = 1

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        super().__init__(str(findings))

    @classmethod
    def of(cls, items: Iterable[Finding]) -> InputError:
        return cls(Findings(tuple(items)))

    @classmethod
    def single(cls, finding: Finding) -> InputError:
        return cls(Findings((finding,)))


class SolverError(BookfitError):
    """An engine died or answered nonsense; says which and what to try."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing noticed in the input.

    `file` is the name the user knows; `row` is the row as a spreadsheet shows it (the header is
    row 1), None when the finding is about the whole column or table. `problem` says what is wrong
    and what is allowed, `remedy` what to do. `count` is how many cells or rows share the finding
    when it was gathered into one, with `row` and `value` an example.
    """

    table: str
    problem: str
    remedy: str = ""
    row: int | None = None
    column: str | None = None
    value: str | None = None
    severity: Severity = "error"
    file: str | None = None
    count: int = 1

    def __str__(self) -> str:
        where = self.file or self.table
        if self.row is not None:
            where += f", row {self.row}"
        if self.column:
            where += f", {self.column}"
        shown = "" if self.value is None else f" {_clip(self.value)!r}"
        times = f" ({self.count} times)" if self.count > 1 else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.severity}: {where}:{shown} {self.problem}{times}{remedy}"


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of one step, in the order of discovery. Behaves as a read-only sequence."""

    items: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Finding]) -> Findings:
        return cls(tuple(items))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __add__(self, other: Findings) -> Findings:
        return Findings(self.items + other.items)

    def __str__(self) -> str:
        return "\n".join(map(str, self.items)) or "No findings."

    @property
    def errors(self) -> Findings:
        return self._only("error")

    @property
    def warnings(self) -> Findings:
        return self._only("warning")

    @property
    def notes(self) -> Findings:
        return self._only("note")

    def _only(self, severity: Severity) -> Findings:
        return Findings(tuple(f for f in self.items if f.severity == severity))

    def raise_errors(self) -> None:
        """Raise `InputError` with every finding when at least one is an error."""
        if self.errors:
            raise InputError(self)

    def to_frame(self) -> pd.DataFrame:
        """One row a finding: severity, table, file, row, column, value, problem, remedy, count."""
        import pandas as pd

        columns = ["severity", "table", "file", "row", "column", "value", "problem", "remedy", "count"]
        frame = pd.DataFrame([asdict(f) for f in self.items], columns=columns)
        return frame.astype({"row": "Int64"})


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not in a closed list; it shows the list."""
    return UsageError(f"unknown {what} {name!r}; known: {', '.join(sorted(known))}")


def _clip(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
