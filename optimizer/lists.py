"""Cells that hold several values (`a; b`): how much of what one side asks the other holds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.tables import split_list


def share_of_lists(asked: pd.Series | None, held: pd.Series | None, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """How much of what each account asks each rep holds, by class.

    Returns `code` [n], the class of each account by distinct cell, and `share` [C, m]: the part of the class's values
    that are among the rep's (1 where nothing is asked). Without an `asked` column everybody is of one class.
    """
    if asked is None or held is None:
        nothing = asked is None or bool(asked.isna().all())
        return np.zeros(n, np.int32), np.full((1, m), 1.0 if nothing or held is None else 0.0)
    code, cells = pd.factorize(asked, sort=True)
    wanted = [split_list(cell) for cell in cells]
    words = {word: i for i, word in enumerate(sorted({w for row in wanted for w in row}))}
    has = np.zeros((len(words), m), dtype=bool)
    rep_code, rep_cells = pd.factorize(held, sort=True)
    for c, cell in enumerate(rep_cells):
        known = [words[w] for w in split_list(cell) if w in words]
        has[np.ix_(np.array(known, dtype=int), np.flatnonzero(rep_code == c))] = True
    share = np.ones((len(wanted) + 1, m))
    for c, row in enumerate(wanted):
        if row:
            share[c] = has[[words[w] for w in row]].mean(axis=0)
    return np.where(code < 0, len(wanted), code).astype(np.int32), share
