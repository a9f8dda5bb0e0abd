"""The sales force of a sample company: where each rep works, and what the rep can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from optimizer.sample.draw import TODAY, Bools, Floats, Ints, dates, exactly, flags, numbered, pick, stream, text, words
from optimizer.sample.names import INDUSTRIES, people
from optimizer.sample.places import CITY_LANGUAGE, LANGUAGES, Areas, locate, shared_out

SKILLS = ("analytics", "cloud", "data platform", "integration", "payments", "security")
_RAMP_STEPS = ((0.25, 15, 60), (0.5, 75, 130), (0.75, 140, 200))


@dataclass(frozen=True, slots=True)
class Crew:
    """`R` reps of a company with `A` areas.

    `home` [R] is the area a rep sits in, `covers` [R, A] the areas the rep works in, `skills` and `speaks`
    are [R, skills] and [R, languages]; `ramp` a share, `start` the first day, `capacity_hours` a year;
    `pull` [R] how many accounts the rep has gathered over the years, relative to others.
    """

    home: Ints
    covers: Bools
    skills: Bools
    speaks: Bools
    ramp: Floats
    start: npt.NDArray[np.datetime64]
    capacity_hours: Floats
    pull: Floats
    lat: Floats
    lon: Floats

    @property
    def tenured(self) -> Bools:
        """Who was there for the whole of the two years of history."""
        return self.start <= TODAY - 730


def crew(areas: Areas, reps: int, seed: int) -> Crew:
    """`reps` reps spread over the areas by their accounts; every area has one at least if there are enough.

    A rep works in the home area and in the next or the previous one on the line, in turn, so that the
    books of all areas are connected through shared reps; most also work in the nearest area beside these.
    """
    rng = stream(seed, "reps.places")
    at_home = shared_out(reps, np.diff(areas.edges))
    home = np.repeat(np.arange(len(areas.names)), at_home)
    turn = np.arange(reps) - np.repeat(np.cumsum(at_home) - at_home, at_home)
    shuffle = rng.permutation(reps)
    home, turn = home[shuffle], turn[shuffle]
    position = areas.edges[home] + np.diff(areas.edges)[home] * rng.random(reps)
    city, lat, lon = locate(position, rng.gamma(2.0, 0.2, reps))
    covers = _covers(stream(seed, "reps.areas"), areas, home, turn)
    ramp, start = _ramp(stream(seed, "reps.ramp"), reps)
    work = stream(seed, "reps.work")
    hours = np.round(1500 * (0.5 + 0.5 * ramp) * np.clip(work.normal(1.0, 0.05, reps), 0.85, 1.15), -1)
    pull = np.exp(work.normal(0.0, 0.35, reps)) * np.where(ramp < 1, 0.35, 1.0)
    skills = _some_of(stream(seed, "reps.skills"), reps, len(SKILLS), (0.2, 0.35, 0.3, 0.15), 2)
    speaks = _speaks(stream(seed, "reps.languages"), areas, covers, city)
    return Crew(home, covers, skills, speaks, ramp, start, hours, pull, lat, lon)


def most_accounts(crew: Crew, accounts: int) -> Floats:
    """The largest book each rep may have [R]: a fifth above the mean, less while ramping."""
    return np.maximum(2, np.ceil(1.2 * accounts / len(crew.home) * (0.8 + 0.2 * crew.ramp)))


def rep_frame(crew: Crew, areas: Areas, seed: int, accounts: int, expected: float) -> pd.DataFrame:
    """The reps table. `expected` is the company's revenue to plan for; the quotas add up to 5% more."""
    reps = len(crew.home)
    rng = stream(seed, "reps.names")
    teams = max(1, round(reps / 8))
    names, first, last = people(rng, reps + teams)
    by_place = np.empty(reps, dtype=np.int64)
    by_place[np.argsort(crew.home, kind="stable")] = np.arange(reps) * teams // reps
    mail = pd.Series(text(first) + "." + text(last) + "@example.com")
    weight = crew.capacity_hours * (0.4 + 0.6 * crew.ramp) * stream(seed, "reps.quota").uniform(0.9, 1.1, reps)
    pay = stream(seed, "reps.cost").normal(205_000, 22_000, reps) * (0.88 + 0.12 * crew.tenured)
    industries = _some_of(stream(seed, "reps.industries"), reps, len(INDUSTRIES), (0.4, 0.4, 0.2), 1)
    return pd.DataFrame({
        "rep_id": text(numbered("R", np.arange(1, reps + 1), 4)),
        "name": text(names[:reps]),
        "email": mail[:reps],
        "role": text(words(["AE"], np.zeros(reps, dtype=np.int64))),
        "team": text(names.take(reps + by_place)),
        "regions": _lists(areas.names, crew.covers),
        "skills": _lists(SKILLS, crew.skills),
        "languages": _lists(LANGUAGES, crew.speaks),
        "industries": _lists(tuple(INDUSTRIES), industries),
        "capacity_hours": crew.capacity_hours,
        "max_accounts": most_accounts(crew, accounts),
        "quota": np.round(1.05 * expected * weight / weight.sum(), -3),
        "performance": np.full(reps, np.nan),
        "ramp": crew.ramp,
        "cost": np.round(np.maximum(pay, 120_000), -3),
        "open": flags(np.zeros(reps, dtype=np.bool_)),
        "start_date": dates(crew.start),
        "lat": np.round(crew.lat, 4),
        "lon": np.round(crew.lon, 4),
    })  # fmt: skip


def _covers(rng: np.random.Generator, areas: Areas, home: Ints, turn: Ints) -> Bools:
    count, rows = len(areas.names), np.arange(len(home))
    covers = np.zeros((len(home), count), dtype=np.bool_)
    covers[rows, home] = True
    if count == 1:
        return covers
    beside = home + np.where(turn % 2 == 0, 1, -1)
    beside = np.where(beside >= count, home - 1, np.where(beside < 0, home + 1, beside))
    covers[rows, beside] = True
    near, next_near = areas.nearest[home, 0], areas.nearest[home, min(1, count - 2)]
    third = np.where(near == beside, next_near, near)
    wide = rng.random(len(home)) < (1.0 if len(home) < 30 else 0.6)
    covers[rows[wide], third[wide]] = True
    return covers


def _speaks(rng: np.random.Generator, areas: Areas, covers: Bools, city: Ints) -> Bools:
    """English, the language of the rep's city and often the others heard in the areas the rep works in."""
    heard = (covers.astype(np.float32) @ areas.languages.astype(np.float32)) > 0
    speaks = heard & (rng.random(heard.shape) < 0.6)
    speaks[:, 0] = True
    speaks[np.arange(len(city)), CITY_LANGUAGE[city]] = True
    return speaks


def _ramp(rng: np.random.Generator, reps: int) -> tuple[Floats, npt.NDArray[np.datetime64]]:
    """Ramp shares and first days: 15% came in the last months and are not yet fully productive."""
    new = exactly(rng, reps, max(round(0.15 * reps), int(reps >= 4)))
    step = rng.integers(len(_RAMP_STEPS), size=reps)
    share, least, most = np.array(_RAMP_STEPS)[step].T
    days = np.where(new, rng.uniform(least, most), 240 + rng.gamma(2.0, 700.0, reps))
    return np.where(new, share, 1.0), TODAY - np.minimum(days, 9000).astype(np.int64)


def _some_of(rng: np.random.Generator, rows: int, kinds: int, weights: tuple[float, ...], least: int) -> Bools:
    """Rows of true places among `kinds`: `least` of them, or more with the weights given."""
    count = pick(rng, rows, weights) + least
    rank = np.argsort(np.argsort(rng.random((rows, kinds)), axis=1), axis=1)
    mask: Bools = rank < count[:, None]
    return mask


def _lists(names: Sequence[str], mask: Bools) -> pd.Series:
    cells = [";".join(name for name, holds in zip(names, row, strict=True) if holds) for row in mask]
    return pd.Series(cells, dtype="str")
