"""What proves a run's bound, as tables by ids: prices of limit rows, and of accounts and books where whole books prove it.

Nodes of the books' trees are written parents first, roots in order of rep id, so that the order of the inputs' rows changes
no byte. docs/outputs.md describes each file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from optimizer.book_trees import Books
from optimizer.carry import unit_names
from optimizer.errors import Finding, Findings
from optimizer.problem import Problem
from optimizer.result import Result

CERTIFICATE, UNIT_PRICES, BOOKS = "certificate.parquet", "unit_prices.parquet", "books.parquet"
#: the first of the columns of `BOOKS`; after them, a price for each of the rep's own rows
NODE_COLUMNS = ("rep_id", "parent", "account_id", "role", "inside")


def write_certificate(folder: Path, problem: Problem, result: Result, digest: str) -> None:
    """The certificate of a result; books only where they prove its bound."""
    books = result.books
    prices = result.prices if len(result.prices) == problem.core.rows else np.zeros(problem.core.rows)
    certificate = problem.limits[["rule", "row"]].astype("str").assign(price=np.asarray(prices, dtype=float))
    if books is not None:
        certificate["price_with_books"] = np.asarray(books.prices, dtype=float)
        write_table(_unit_frame(problem, books), folder / UNIT_PRICES)
        write_table(_node_frame(problem, books), folder / BOOKS)
    write_table(certificate, folder / CERTIFICATE, {"problem_sha256": digest})


def read_certificate(folder: Path, problem: Problem) -> tuple[np.ndarray, Books | None, Findings]:
    """Prices [R] and books for a problem whose order may be another; what is not priced counts as 0, with a warning where
    the limit rows are others. Books that name what is not there prove nothing: `books_bound` refuses them."""
    kept = pq.read_table(folder / CERTIFICATE).to_pandas()
    known = pd.MultiIndex.from_frame(problem.limits[["rule", "row"]].astype("str"))
    named = pd.MultiIndex.from_frame(kept[["rule", "row"]].astype("str"))
    columns = {name: pd.Series(kept[name].to_numpy(dtype=float), named) for name in kept.columns[2:]}
    findings = Findings()
    if not named.equals(known):
        columns = {name: one[~named.duplicated()].reindex(known).fillna(0.0) for name, one in columns.items()}
        found = Finding("run", "its certificate prices other limit rows than its scenario makes today",
                        "rows without a price count as unpriced", severity="warning", file=str(folder))  # fmt: skip
        findings = Findings((found,))
    books = None
    if "price_with_books" in columns:
        books = _read_books(folder, problem, columns["price_with_books"].to_numpy())
    return columns["price"].to_numpy(), books, findings


def _read_books(folder: Path, problem: Problem, prices: np.ndarray) -> Books:
    units, nodes = (pq.read_table(folder / name).to_pandas() for name in (UNIT_PRICES, BOOKS))
    known, named = unit_names(problem), pd.MultiIndex.from_frame(units[["account_id", "role"]].astype("str"))
    place, unit_prices = named.get_indexer(known), np.append(units["price"].to_numpy(dtype=float), 0.0)
    own = nodes.drop(columns=list(NODE_COLUMNS))
    return Books(
        prices=prices,
        unit_prices=unit_prices[place],
        rep=pd.Index(problem.scores.rep_ids).astype("str").get_indexer(pd.Index(nodes["rep_id"].astype("str"))),
        parent=nodes["parent"].to_numpy(dtype=np.int64),
        unit=known.get_indexer(pd.MultiIndex.from_frame(nodes[["account_id", "role"]].astype("str"))),
        inside=nodes["inside"].to_numpy(dtype=bool),
        own_prices=own.to_numpy(dtype=float).reshape(len(nodes), own.shape[1]),
    )


def _unit_frame(problem: Problem, books: Books) -> pd.DataFrame:
    frame = unit_names(problem).to_frame(index=False).assign(price=np.asarray(books.unit_prices, dtype=float))
    return frame.sort_values(["account_id", "role"], ignore_index=True)


def _node_frame(problem: Problem, books: Books) -> pd.DataFrame:
    order = _in_order(books, np.argsort(np.argsort(np.asarray(problem.scores.rep_ids).astype(str), kind="stable")))
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    unit = books.unit[order]
    names = unit_names(problem).to_frame(index=False)
    frame = pd.DataFrame(
        {
            "rep_id": pd.Series(np.asarray(problem.scores.rep_ids)[books.rep[order]], dtype="str"),
            "parent": place[books.parent[order]],
            **{name: names[name].reindex(unit).reset_index(drop=True).astype("str") for name in names.columns},
            "inside": books.inside[order].astype(bool),
        },
        columns=list(NODE_COLUMNS),
    )
    return frame.assign(**{f"price_{s}": column for s, column in enumerate(books.own_prices[order].T)})


def _in_order(books: Books, rank: np.ndarray) -> np.ndarray:
    """Nodes [N] by depth; roots by their rep's rank [M], others by their parent's place, the book without the unit first."""
    count = len(books.rep)
    order, place = np.zeros(0, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    level = np.flatnonzero(books.parent < 0)
    level = level[np.argsort(rank[books.rep[level]], kind="stable")]
    while len(level):
        place[level] = len(order) + np.arange(len(level))
        order = np.concatenate([order, level])
        below = (place < 0) & (books.parent >= 0)
        below[below] = place[books.parent[below]] >= 0
        level = np.flatnonzero(below)
        level = level[np.lexsort((books.inside[level], place[books.parent[level]]))]
    return order


def write_table(frame: pd.DataFrame, file: Path, about: dict[str, str] | None = None) -> None:
    """A table of a certificate: no index, and nothing in its metadata but what it is `about`."""
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(about)
    pq.write_table(table, file, compression="zstd")
