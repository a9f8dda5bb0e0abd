"""What happened at the accounts of a sample company: two years of deals, and the people met."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimizer.sample.book import Book
from optimizer.sample.crew import SKILLS, Crew
from optimizer.sample.draw import TODAY, Bools, Floats, Ints, dates, flags, numbered, stream, text, words
from optimizer.sample.names import passers_by
from optimizer.sample.owners import Eligible

STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation", "Closed Lost", "Closed Won")
#: Chance that a deal is won with a loyal, recent and former customer and with a prospect, who by meaning never bought.
_WIN_RATE = np.array([0.36, 0.48, 0.33, 0.0])
_CYCLE_DAYS = np.array([120.0, 75.0, 40.0])
_INDUSTRY_EDGE = np.array([0.0, 0.03, -0.04, 0.01, 0.02, -0.01, -0.03, 0.03, 0.0, -0.02])


def per_account(accounts: int) -> float:
    """Deals, and contacts, for each account on average: 2, and fewer beyond 200,000 accounts."""
    return 2.0 if accounts <= 200_000 else (400_000 + 0.75 * (accounts - 200_000)) / accounts


def opportunity_frame(book: Book, who: Eligible, crew: Crew, owner: Ints, seed: int) -> tuple[pd.DataFrame, Bools]:
    """The opportunities table of the last two years, and whether each account has one open.

    Reps differ little in truth (a standard deviation of 3 points of win rate), industries a little more.
    """
    rng, count = stream(seed, "opportunities"), len(owner)
    account = _spread(rng, np.where(book.customer, 1.4, 0.7) * np.array([1.8, 1.2, 0.8])[book.segment])
    deals = len(account)
    created = np.sort(TODAY - rng.integers(1, 731, size=deals))
    account = rng.permutation(account)
    rep = _worked_by(rng, account, created, who, crew, owner)
    cycle = np.maximum(_CYCLE_DAYS[book.segment[account]] * np.exp(0.5 * rng.standard_normal(deals)), 3.0)
    close = created + cycle.astype(np.int64)
    closed = close <= TODAY
    edge = np.append(0.03 * stream(seed, "reps.edge").standard_normal(len(crew.home)), 0.0)
    known = np.where((rep >= 0) & (rep < len(crew.home)), rep, len(crew.home))
    rate = _WIN_RATE[book.status[account]]
    rate = np.where(rate > 0, rate + edge[known] + _INDUSTRY_EDGE[book.industry[account]], 0.0)
    won = closed & (rng.random(deals) < rate)
    progress = np.clip(((TODAY - created).astype(np.int64) + 1) / cycle, 0.0, 0.999)
    stage = np.where(won, 5, np.where(closed, 4, (4 * progress).astype(np.int64)))
    amount = book.potential[account] ** 0.85 * np.exp(0.6 * rng.standard_normal(deals))
    frame = pd.DataFrame({
        "opportunity_id": text(numbered("O", np.arange(1, deals + 1), 7)),
        "account_id": text(numbered("A", account + 1, 7)),
        "rep_id": text(numbered("R", rep + 1, 4)),
        "stage": text(words(STAGES, stage)),
        "won": flags(won),
        "closed": flags(closed),
        "amount": np.maximum(np.round(amount, -2), 500.0),
        "created_date": dates(created),
        "close_date": dates(close),
        "product": text(words(SKILLS, _product(rng, book.needs.skills[account]))),
    })  # fmt: skip
    return frame, np.bincount(account[~closed], minlength=count) > 0


def contact_frame(book: Book, seed: int) -> tuple[pd.DataFrame, Floats, Floats]:
    """The contacts table, and how many contacts and active contacts each account has."""
    rng, count = stream(seed, "contacts"), len(book.segment)
    account = np.sort(_spread(rng, np.array([2.4, 1.3, 0.7])[book.segment] * np.where(book.customer, 1.2, 0.8)))
    people = len(account)
    active = rng.random(people) < np.where(book.customer[account], 0.78, 0.5)
    days = np.where(active, rng.integers(0, 120, size=people), rng.integers(120, 900, size=people))
    never = ~active & (rng.random(people) < 0.25)
    frame = pd.DataFrame({
        "contact_id": text(numbered("C", np.arange(1, people + 1), 7)),
        "account_id": text(numbered("A", account + 1, 7)),
        "name": text(passers_by(rng, people)),
        "active": flags(active),
        "last_activity": dates(TODAY - days, never),
    })  # fmt: skip
    known = np.bincount(account, minlength=count).astype(np.float64)
    return frame, known, np.bincount(account[active], minlength=count).astype(np.float64)


def _spread(rng: np.random.Generator, weight: Floats) -> Ints:
    """Account codes, each as often as chance and its weight say; `per_account` on average."""
    return np.repeat(np.arange(len(weight)), rng.poisson(per_account(len(weight)) * weight / weight.mean()))


def _worked_by(
    rng: np.random.Generator, account: Ints, created: np.ndarray, who: Eligible, crew: Crew, owner: Ints
) -> Ints:
    """Who worked each deal: mostly today's owner if there by then, else a rep with long service, else -1."""
    reps, today = len(crew.home), owner[account]
    here = (today >= 0) & (today < reps)
    early = here & (crew.start[np.where(here, today, 0)] > created)
    other = who.draw(account, crew.tenured[who.rep].astype(np.float64), rng.random(len(account)))
    keeps = (today >= 0) & ~early & (rng.random(len(account)) < 0.9)
    return np.where(keeps, today, other)


def _product(rng: np.random.Generator, bits: Ints) -> Ints:
    """The product of a deal: one the account asked skills for, else any."""
    first = np.array([next((s for s in range(len(SKILLS)) if mask >> s & 1), -1) for mask in range(1 << len(SKILLS))])
    asked = first[bits]
    return np.where((asked >= 0) & (rng.random(len(bits)) < 0.7), asked, rng.integers(len(SKILLS), size=len(bits)))
