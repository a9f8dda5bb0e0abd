"""A whole synthetic company, from numbers of accounts and reps and a seed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.errors import UsageError
from optimizer.sample.book import SEGMENTS, Book, book, hours, key_score, money
from optimizer.sample.crew import SKILLS, Crew, crew, rep_frame
from optimizer.sample.draw import TODAY, Floats, Ints, dates, flags, numbered, stream, text, words
from optimizer.sample.history import contact_frame, opportunity_frame
from optimizer.sample.names import INDUSTRIES, companies
from optimizer.sample.owners import eligible, owners
from optimizer.sample.places import CITIES, LANGUAGES, Areas, areas
from optimizer.tables import TABLES, Tables

MOST_ACCOUNTS, MOST_REPS = 5_000_000, 9_000


def sample(accounts: int, reps: int, seed: int = 1) -> Tables:
    """An invented company with accounts, reps, opportunities and contacts.

    The same arguments always give the same tables, and no clock is read. Work adds up to about 110% of the
    reps' hours, potential is log-normal, and every account has an eligible rep by region, skills and
    language. Raises `UsageError` for numbers outside 1 to 5,000,000 accounts and 1 to 9,000 reps.
    """
    _demand("accounts", accounts, 1, MOST_ACCOUNTS)
    _demand("reps", reps, 1, MOST_REPS)
    _demand("seed", seed, 0, 2**63 - 1)
    where = areas(area_count(reps))
    # A family is served by one rep, so families stay small where the accounts are few and large.
    customers = book(where, accounts, seed, largest_family=5 if accounts >= 12 * reps else 2)
    who, force = eligible(customers.needs, crew(where, reps, seed))
    work = hours(customers, float(force.capacity_hours.sum()), seed)
    owner = owners(who, force, customers, work, seed)
    deals, is_open = opportunity_frame(customers, who, force, owner, seed)
    people, known, active = contact_frame(customers, seed)
    frame = _account_frame(customers, where, force, owner, seed).assign(
        hours=work, open_opportunity=flags(is_open), contacts=known, contacts_active=active
    )
    expected = float(0.2 * customers.potential.sum() + 0.9 * customers.arr.sum())
    return Tables(
        accounts=_finished("accounts", frame),
        reps=_finished("reps", rep_frame(force, where, seed, accounts, expected)),
        opportunities=_finished("opportunities", deals),
        contacts=_finished("contacts", people),
        files={name: f"{name}.csv" for name in ("accounts", "reps", "opportunities", "contacts")},
    )


def area_count(reps: int) -> int:
    """Sales areas of a company: 6 at least where reps allow, one for every 12 reps in large companies."""
    return max(1, min(2 * reps // 3, 6), round(reps / 12))


def _account_frame(book: Book, where: Areas, crew: Crew, owner: Ints, seed: int) -> pd.DataFrame:
    """Every column of the accounts table that does not follow from other tables."""
    count = len(owner)
    bits = [";".join(s for i, s in enumerate(SKILLS) if mask >> i & 1) for mask in range(1 << len(SKILLS))]
    since, renewal, renews = _dates(book, crew, owner, seed)
    pleased = stream(seed, "accounts.surveys")
    answers = np.where(book.customer & (pleased.random(count) < 0.65), 1.0, np.nan)
    csat = np.round(np.clip(pleased.normal(4.0, 0.6, count), 1.0, 5.0), 1)
    nps = np.round(np.clip(pleased.normal(30.0, 35.0, count), -100.0, 100.0))
    return pd.DataFrame({
        "account_id": text(numbered("A", np.arange(1, count + 1), 7)),
        "name": text(companies(stream(seed, "accounts.names"), book.industry, book.city, book.root)),
        "owner_id": text(numbered("R", owner + 1, 4)),
        "parent_id": text(numbered("A", book.parent + 1, 7)),
        "segment": text(words(SEGMENTS, book.segment)),
        "industry": text(words(tuple(INDUSTRIES), book.industry)),
        "region": text(words(where.names, book.needs.area)),
        "country": text(words([c.country for c in CITIES], book.city)),
        "state": text(words([c.state or None for c in CITIES], book.city)),
        "city": text(words([c.name for c in CITIES], book.city)),
        "lat": np.round(book.lat, 4),
        "lon": np.round(book.lon, 4),
        "potential": book.potential,
        "arr": book.arr,
        **money(book, seed),
        "key_account": flags(book.key),
        "key_score": key_score(book, seed),
        "required_skills": text(words(bits, np.where(book.needs.skills == 0, -1, book.needs.skills))),
        "languages": text(words(LANGUAGES, book.needs.language)),
        "renewal_date": dates(renewal, ~renews),
        "owner_since": dates(since, owner < 0),
        "csat": answers * csat,
        "nps": np.where(pleased.random(count) < 0.8, answers, np.nan) * nps,
    })  # fmt: skip


def _dates(book: Book, crew: Crew, owner: Ints, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days of owner_since and renewal, and which accounts have a renewal date."""
    rng, count = stream(seed, "accounts.dates"), len(owner)
    days: Floats = np.minimum(20 + rng.gamma(1.5, 500.0, count), 3000)
    first = np.append(crew.start, TODAY - 3000)[np.where((owner >= 0) & (owner < len(crew.home)), owner, -1)]
    since = np.maximum(TODAY - days.astype(np.int64), first)
    return since, TODAY + rng.integers(1, 366, size=count), book.customer & (rng.random(count) < 0.95)


def _finished(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the columns in the dictionary's order and the rows numbered as a spreadsheet does."""
    order = [c.name for t in TABLES if t.name == name for c in t.columns if c.name in frame.columns]
    return frame[order].set_index(pd.RangeIndex(2, len(frame) + 2, name="row"))


def _demand(what: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise UsageError(f"{what}: {number} is not possible for a sample company; give {least:,} to {most:,}")
