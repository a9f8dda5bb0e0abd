"""A bound by listed books as tables by ids: its steps, and their prices. docs/outputs.md describes each file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from optimizer.carry import unit_names
from optimizer.certificate_table import write_table
from optimizer.listing import Listing
from optimizer.problem import Problem

STEPS, STEP_PRICES = "listing.parquet", "listing_prices.parquet"
#: what names an option
OPTION = ["account_id", "role", "rep_id", "service_level"]


def write_listing(folder: Path, problem: Problem, listing: Listing) -> None:
    """The steps in their order; of their prices those that are not 0."""
    names = _option_names(problem).to_frame(index=False)
    some = names.reindex(listing.option).reset_index(drop=True).astype("str")
    write_table(some.assign(parent=listing.parent, inside=listing.inside), folder / STEPS)
    units, reps = unit_names(problem), np.asarray(problem.scores.rep_ids).astype(str)
    rows, triples = np.arange(problem.core.rows).astype(str), np.arange(len(listing.triples)).astype(str)
    account, role = (units.get_level_values(name).to_numpy() for name in ("account_id", "role"))
    lead, nothing = listing.triples.ravel(), np.full(max(1, *map(len, (rows, triples, reps))), "")
    goal = np.array([[listing.goal]] if np.isfinite(listing.goal) else [])
    members = pd.DataFrame(
        {"step": np.repeat(np.arange(len(listing.triples)), 3), "of": "member", "name": account[lead], "role": role[lead],
         "price": 0.0}
    )  # fmt: skip
    parts = [
        _long("account", listing.unit_prices, account, role),
        _long("limit", listing.row_prices, rows, nothing),
        _long("triple", listing.triple_prices, triples, nothing),
        _long("rep", listing.need, reps, nothing, whole=True),
        _long("goal", goal.reshape(-1, 1), nothing[:1], nothing[:1]),
        members,
    ]
    write_table(pd.concat(parts, ignore_index=True).astype({"name": "str", "role": "str"}), folder / STEP_PRICES)


def read_listing(folder: Path, problem: Problem) -> Listing:
    """A listing for a problem with the same limit rows. What names something that is not there proves nothing: `listing_bound`
    refuses it."""
    steps, prices = (pq.read_table(folder / name).to_pandas() for name in (STEPS, STEP_PRICES))
    option = _option_names(problem).get_indexer(pd.MultiIndex.from_frame(steps[OPTION].astype("str")))
    parts = {str(of): part for of, part in prices.groupby("of")}
    none = prices.iloc[:0]
    units = unit_names(problem)

    def array(of: str, known: pd.Index, count: int) -> np.ndarray:
        part, out = parts.get(of, none), np.zeros((count, len(known)))
        named = [part["name"], part["role"]] if isinstance(known, pd.MultiIndex) else [part["name"]]
        keys = pd.MultiIndex.from_arrays(named) if len(named) > 1 else pd.Index(named[0])
        at, step = known.get_indexer(keys), part["step"].to_numpy()
        if (at < 0).any() or (step >= count).any():
            return np.zeros((0, 0))  # which does not fit
        out[step, at] = part["price"].to_numpy()
        return out

    members = parts.get("member", none).sort_values("step", kind="stable")
    triples = units.get_indexer(pd.MultiIndex.from_frame(members[["name", "role"]])).astype(np.int64)
    threes: np.ndarray = triples[: len(triples) // 3 * 3].reshape(-1, 3)
    first = int(parts.get("rep", none)["step"].max()) + 1 if "rep" in parts else 1
    count, rows = len(steps), pd.Index(np.arange(problem.core.rows).astype(str))
    return Listing(
        need=array("rep", pd.Index(np.asarray(problem.scores.rep_ids).astype(str)), first),
        triples=threes,
        parent=steps["parent"].to_numpy(dtype=np.int64),
        option=np.where(steps["account_id"].isna(), -1, np.where(option < 0, -2, option)),
        inside=steps["inside"].to_numpy(dtype=bool),
        unit_prices=array("account", units, count),
        row_prices=array("limit", rows, count),
        triple_prices=array("triple", pd.Index(np.arange(len(threes)).astype(str)), count),
        goal=float(parts["goal"]["price"].max()) if "goal" in parts else -np.inf,
    )


def _long(of: str, numbers: np.ndarray, names: np.ndarray, roles: np.ndarray, whole: bool = False) -> pd.DataFrame:
    """A row for each number [S, N], if it is not 0 or the `whole` is wanted."""
    step, at = np.nonzero((numbers != 0) | whole)[:2]
    frame = pd.DataFrame({"step": step, "of": of, "name": names[at], "role": roles[at], "price": numbers[step, at]})
    return frame.sort_values(["step", "name", "role"], ignore_index=True)


def _option_names(problem: Problem) -> pd.MultiIndex:
    units, options, scores = unit_names(problem), problem.options, problem.scores
    unit, levels = problem.core.unit, np.asarray(scores.level_names, dtype=object)
    columns = [units.get_level_values(name).to_numpy()[unit] for name in ("account_id", "role")]
    columns += [np.asarray(scores.rep_ids, dtype=object)[problem.core.rep], levels[options.level]]
    return pd.MultiIndex.from_arrays([pd.Series(column, dtype="str") for column in columns], names=OPTION)
