"""Checks that look beyond one cell: owners, accounts of child tables, parents, neighbours on the map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.errors import Finding
from optimizer.formats.base import SHOWN
from optimizer.places import Checked, Mask, alike

Degrees: TypeAlias = npt.NDArray[np.float64]


def strangers(part: Checked, column: str, reps: Checked) -> Iterator[Finding]:
    """Owners who are not reps, gathered per owner, with whom they may be."""
    if column not in part.frame or "rep_id" not in reps.frame:
        return
    cells = part.frame[column]
    unknown = cells[cells.notna() & ~cells.isin(reps.frame["rep_id"])]
    if not len(unknown):
        return
    rows = pd.Series(part.frame.index.get_indexer(unknown.index), unknown.index)
    owners = rows.groupby(unknown.to_numpy(), sort=False).agg(["first", "size"])
    hints = _who(reps)
    for owner, (at, count) in list(zip(owners.index, owners.to_numpy(), strict=True))[:SHOWN]:
        hint = next((f"{what}: write {rep}" for what, known in hints if (rep := known.get(_one_alike(owner)))), None)
        yield part.one(
            "is not a rep_id of the reps table",
            hint or "add the rep, or correct the owner; until then nobody owns these",
            "warning",
            at,
            column,
            owner,
            int(count),
        )
    if len(owners) > SHOWN:
        rest = owners.iloc[SHOWN:]
        yield part.one(
            f"and {len(rest):,} other ids that are not in the reps table",
            "add the reps, or correct the ids",
            "warning",
            int(rest["first"].iloc[0]),
            column,
            rest.index[0],
            int(rest["size"].sum()),
        )


def _who(reps: Checked) -> list[tuple[str, dict[str, str]]]:
    """Ways an owner cell can point at a rep other than by the id."""
    ways = []
    for column, what in (
        ("rep_id", "it looks like a rep's id"),
        ("name", "it is a rep's name"),
        ("email", "it is a rep's e-mail"),
    ):
        if column in reps.frame:
            known = pd.DataFrame({"seen": alike(reps.frame[column]), "rep": reps.frame["rep_id"]}).dropna()
            known = known[~known["seen"].duplicated(keep=False)]
            ways.append((what, dict(zip(known["seen"], known["rep"], strict=True))))
    return ways


def _one_alike(text: str) -> str:
    return str(alike(pd.Series([text], dtype="str")).iloc[0])


def orphans(part: Checked, accounts: Checked) -> Iterator[Finding]:
    """Rows about accounts that are not in the accounts table."""
    if "account_id" not in part.frame or "account_id" not in accounts.frame:
        return
    cells = part.frame["account_id"]
    lost = (cells.notna() & ~cells.isin(accounts.frame["account_id"])).to_numpy()
    if lost.any():
        at = np.flatnonzero(lost)
        examples = ", ".join(dict.fromkeys(cells.iloc[at[:SHOWN]]))
        yield part.one(
            "rows are about accounts that are not in the accounts table; they are not used",
            f"add the accounts or correct the ids, for example {examples[:200]}",
            "warning",
            int(at[0]),
            "account_id",
            cells.iloc[at[0]],
            len(at),
        )


def _parent_places(accounts: Checked) -> npt.NDArray[np.int64]:
    """Position of each account's parent, -1 for none or unknown."""
    frame = accounts.frame
    ids = frame["account_id"]
    first = ~ids.duplicated() & ids.notna()
    found = pd.Index(ids[first]).get_indexer(frame["parent_id"])
    return np.where(found >= 0, np.flatnonzero(first)[found], -1)


def parents(accounts: Checked) -> Iterator[Finding]:
    """Parents nobody knows, and accounts that are their own ancestors (found by pointer jumping)."""
    frame = accounts.frame
    if "parent_id" not in frame or "account_id" not in frame or not len(frame):
        return
    parent = _parent_places(accounts)
    yield from accounts.wrong(
        "parent_id",
        frame["parent_id"].notna() & (parent < 0),
        "is not an account_id of the accounts table",
        "add the parent, or clear the cell; the account stands alone until then",
        "warning",
    )
    count = len(parent)
    jump = np.append(np.where(parent < 0, count, parent), count)
    for _ in range(count.bit_length()):
        jump = jump[jump]
    left = dict.fromkeys(np.unique(jump[:count][jump[:count] < count]).tolist())
    cycles = 0
    while left and cycles < SHOWN:
        cycles += 1
        ring = [next(iter(left))]
        while (above := int(parent[ring[-1]])) != ring[0]:
            ring.append(above)
        for at in ring:
            del left[at]
        names = [str(frame["account_id"].iloc[at]) for at in ring[:10]]
        shown = " → ".join(names + ["…"] * (len(ring) > 10) + names[:1])
        yield accounts.one(
            f"is its own ancestor: {shown}",
            "clear the parent of the top account",
            "error",
            ring[0],
            "parent_id",
            names[0],
            len(ring),
        )
    if left:
        at = next(iter(left))
        yield accounts.one(
            "and other accounts that are their own ancestors",
            "clear the parent of each top account",
            "error",
            at,
            "parent_id",
            frame["account_id"].iloc[at],
            len(left),
        )


def included(accounts: Checked) -> Iterator[Finding]:
    """Parents whose money equals, within 1%, the sum of their children's: it is counted twice."""
    frame = accounts.frame
    if "parent_id" not in frame or "account_id" not in frame:
        return
    parent = _parent_places(accounts)
    child = np.flatnonzero((parent >= 0) & (parent != np.arange(len(parent))))
    for column in ("potential", "arr", "revenue_y1", "revenue_y2", "revenue_y3"):
        if column not in frame:
            continue
        value = np.nan_to_num(frame[column].to_numpy(), nan=0.0, posinf=0.0, neginf=0.0)
        below = np.bincount(parent[child], value[child], minlength=len(value))
        same = (value > 0) & (below > 0) & (value >= below * (1 - 1e-9)) & (value - below <= 0.01 * below)
        yield from accounts.wrong(
            column,
            same,
            f"equals the {column} of its child accounts together; it may already include them",
            "give the parent its own part only",
            "warning",
        )


def coordinates(part: Checked) -> Iterator[Finding]:
    """Half a pair, (0, 0), out of range, swapped.

    A point counts as swapped when its latitude cannot be one but would do as a longitude, or when it
    lies more than 20° from the middle (median) of its country's points and swapping brings it within 5°.
    """
    frame = part.frame
    if "lat" not in frame or "lon" not in frame:
        for have, need in (("lat", "lon"), ("lon", "lat")):
            if have in frame:
                yield part.one(
                    f"there is a {have} column but no {need}",
                    f"add {need}; places are not used",
                    "warning",
                    column=have,
                )
        return
    lat, lon = frame["lat"].to_numpy(), frame["lon"].to_numpy()

    def pair(at: int) -> str:
        return f"{lat[at]:g}, {lon[at]:g}".replace("nan", "nothing")

    half = np.isnan(lat) != np.isnan(lon)
    yield from part.wrong(
        "lat", half, "one of lat and lon is missing", "give both or neither; the place is not used", "warning", pair
    )
    yield from part.wrong(
        "lat",
        (lat == 0) & (lon == 0),
        "(0, 0) is a point in the ocean",
        "give the place, or leave both cells empty",
        "warning",
        pair,
    )
    swapped = (np.abs(lat) > 90) & (np.abs(lat) <= 180) & (np.abs(lon) <= 90)
    yield from part.wrong(
        "lat", swapped, "lat and lon are swapped: a latitude lies between -90 and 90", "exchange the two", "error", pair
    )
    for column, values, most in (("lat", lat, 90), ("lon", lon, 180)):
        yield from part.wrong(
            column,
            (np.abs(values) > most) & ~swapped & np.isfinite(values),
            f"is not between -{most} and {most}",
            "correct it, or leave both cells empty",
        )
    usable = ~half & ~np.isnan(lat) & ~swapped & ~((lat == 0) & (lon == 0))
    groups = frame["country"].fillna("").to_numpy() if "country" in frame else np.zeros(len(lat))
    yield from part.wrong(
        "lat",
        _fits_exchanged(lat, lon, usable, groups),
        "lat and lon look swapped: exchanged, the point lies among its neighbours",
        "exchange the two",
        "warning",
        pair,
    )


def _fits_exchanged(lat: Degrees, lon: Degrees, usable: Mask, groups: npt.NDArray[Any]) -> Mask:
    """Usable points far from the middle of their group (five points or more) that are near it once exchanged."""
    points = pd.DataFrame({"lat": np.where(usable, lat, np.nan), "lon": np.where(usable, lon, np.nan), "group": groups})
    by_group = points.groupby("group")
    middle = by_group[["lat", "lon"]].transform("median").to_numpy()
    enough = by_group["lat"].transform("count").to_numpy() >= 5
    apart = np.maximum(np.abs(lat - middle[:, 0]), np.abs(lon - middle[:, 1]))
    exchanged = np.maximum(np.abs(lon - middle[:, 0]), np.abs(lat - middle[:, 1]))
    fits: Mask = usable & enough & (apart > 20) & (exchanged < 5)
    return fits
