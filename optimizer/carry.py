"""What a solve of a problem leaves for the next one of a problem like it, brought over by names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from optimizer.known import Known
from optimizer.own_rows import OwnRows
from optimizer.problem import Problem
from optimizer.result import Result


def carry(previous: Problem, result: Result, problem: Problem) -> Known:
    """What a result of a previous problem leaves for this one: prices by rule, measure, scope and row (0 for new rows),
    books by the ids of accounts and reps."""
    place = _row_names(previous).get_indexer(_row_names(problem))
    prices = np.append(result.prices, 0.0)[place]
    books = result.books
    if books is None:
        return Known(prices)
    before, after = unit_names(previous), unit_names(problem)
    reps = pd.Index(problem.scores.rep_ids).get_indexer(pd.Index(previous.scores.rep_ids))
    old, new = OwnRows.of(previous.core), OwnRows.of(problem.core)
    slot = np.full(previous.core.rows + 1, -1, dtype=np.int64)
    slot[old.row[old.row >= 0]] = np.nonzero(old.row >= 0)[1]
    rep = reps[books.rep]
    own = np.where(new.row >= 0, slot[np.append(place, -1)[new.row]], -1)[rep]
    paid = np.append(books.own_prices, np.zeros((len(books.rep), 1)), axis=1)
    moved = replace(
        books,
        prices=np.append(books.prices, 0.0)[place],
        unit_prices=np.append(books.unit_prices, np.nan)[before.get_indexer(after)],
        rep=rep,
        unit=np.append(after.get_indexer(before), -1)[books.unit],
        own_prices=np.take_along_axis(paid, own, axis=1),
    )
    return Known(prices, moved)


def unit_names(problem: Problem) -> pd.MultiIndex:
    """What names each unit [U]: its first account's id and its role."""
    account, role = problem.scores.account_ids[problem.options.lead], problem.options.role
    names = np.asarray(problem.scores.role_names, dtype=object)[role]
    return pd.MultiIndex.from_arrays([pd.Series(account, dtype="str"), pd.Series(names, dtype="str")],
                                     names=["account_id", "role"])  # fmt: skip


def _row_names(problem: Problem) -> pd.MultiIndex:
    """The rows by name; rows of one name are told apart by their place among them."""
    names = problem.limits[["rule", "measure", "scope", "row"]]
    return pd.MultiIndex.from_frame(names.assign(place=names.groupby(list(names.columns), sort=False).cumcount()))
