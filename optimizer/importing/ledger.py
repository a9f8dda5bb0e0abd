"""What an import noticed: nothing is dropped, corrected or filled in without an entry here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from optimizer.errors import Finding, Findings, Severity

EXAMPLES = 3


@dataclass(slots=True)
class Ledger:
    """Findings, reconciled sums and defaults, gathered while an import runs."""

    findings: list[Finding] = field(default_factory=list)
    sums: list[dict[str, Any]] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)
    links: set[tuple[str, ...]] = field(default_factory=set)

    def rows(
        self,
        table: str,
        file: str,
        column: str | None,
        cells: pd.Series,
        problem: str,
        remedy: str = "",
        severity: Severity = "warning",
    ) -> None:
        """One finding for all of `cells` (index: row numbers; values: what stood there), if there are any.

        The sentence carries the count and up to three examples: rows, or the most frequent values with their
        counts and the row of one.
        """
        if cells.empty:
            return
        shown = cells.dropna()
        if shown.empty:
            rows = ", ".join(str(r) for r in sorted(cells.index)[:EXAMPLES])
            examples = f"row{'s' * (len(cells) > 1)} {rows}"
        else:
            examples = _most_frequent(shown)
        more = "; e.g. " if len(cells) > 1 and examples else ""
        text = f"{problem}{more}{examples if more else ''}"
        first = cells.index.min()
        value = None if shown.empty else str(shown.loc[[shown.index.min()]].iloc[0])
        found = Finding(table, text, remedy, int(first), column, value, severity, file, len(cells))
        self.findings.append(found)

    def note(self, table: str, problem: str, *, severity: Severity = "note", **where: Any) -> None:
        self.findings.append(Finding(table, problem, severity=severity, **where))

    def first_time(self, *link: str) -> bool:
        """True once for each link, so that columns sharing one report its unmatched rows once."""
        fresh = link not in self.links
        self.links.add(link)
        return fresh

    def sum_up(self, column: str, source: str, way: str, amounts: np.ndarray, matched: np.ndarray) -> None:
        """Enter what a sum or count placed and what it could not: `amounts` and `matched` are [child rows]."""
        self.sums.append(
            {
                "column": column,
                "source": source,
                "aggregate": way,
                "rows": int(matched.sum()),
                "rows_unmatched": int((~matched).sum()),
                "total": float(np.sort(amounts[matched]).sum()),
                "total_unmatched": float(np.sort(amounts[~matched]).sum()),
            }
        )

    def result(self) -> Findings:
        return Findings.of(self.findings)

    def reconciliation(self) -> pd.DataFrame:
        """One row a sum or count: column, source, aggregate, rows, rows_unmatched, total, total_unmatched."""
        columns = ["column", "source", "aggregate", "rows", "rows_unmatched", "total", "total_unmatched"]
        return pd.DataFrame(self.sums, columns=columns)


def _most_frequent(cells: pd.Series) -> str:
    counts = cells.astype("str").value_counts().reset_index()
    counts.columns = pd.Index(["value", "count"])
    top = counts.sort_values(["count", "value"], ascending=[False, True]).head(EXAMPLES)
    pairs = zip(top["value"], top["count"], strict=True)
    return ", ".join(f"{value!r} ({count:,})" if count > 1 else repr(value) for value, count in pairs)
