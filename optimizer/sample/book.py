"""The accounts of a sample company: place, needs, money and work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.sample.crew import SKILLS
from optimizer.sample.draw import Bools, Floats, Ints, pick, stream
from optimizer.sample.places import CITY_LANGUAGE, Areas, locate

SEGMENTS = ("Enterprise", "Mid-Market", "Small")
#: Customers for long, customers won in the last two years, former customers, prospects.
LOYAL, RECENT, FORMER, PROSPECT = range(4)

_POTENTIAL = np.array([60_000.0, 22_000.0, 8_000.0])
_ARR = np.array([45_000.0, 16_000.0, 6_000.0])
_STAFF = np.array([2_500.0, 350.0, 40.0])
_HOURS = np.array([60.0, 20.0, 7.0])
_SERVICE_COST = np.array([6_000.0, 1_800.0, 500.0])
_INDUSTRY_SHARE = (16, 18, 13, 12, 11, 8, 6, 6, 5, 5)
_INDUSTRY_SIZE = np.array([1.1, 1.2, 1.4, 1.1, 0.8, 0.9, 1.3, 0.7, 0.8, 0.7])
_SKILL_SHARE = np.array([0.26, 0.22, 0.17, 0.14, 0.11, 0.10])


@dataclass(frozen=True, slots=True)
class Needs:
    """What each account asks of its rep: an area code, a bit set of skills and a language code, all [n]."""

    area: Ints
    skills: Ints
    language: Ints


@dataclass(frozen=True, slots=True)
class Book:
    """What is drawn once and used by several tables, one value an account [n].

    `segment`, `industry`, `city` and `status` are codes; `root` is the head of the account's family (itself
    when it has none) and `parent` the account above it or -1; `scale` is the size of the account beside
    others of its segment, in standard deviations.
    """

    segment: Ints
    industry: Ints
    city: Ints
    lat: Floats
    lon: Floats
    needs: Needs
    parent: Ints
    root: Ints
    status: Ints
    scale: Floats
    potential: Floats
    arr: Floats

    @property
    def customer(self) -> Bools:
        return self.status <= RECENT

    @property
    def key(self) -> Bools:
        """The top 6% by potential and revenue of today."""
        worth = self.potential + 1.5 * self.arr
        count = max(1, round(0.06 * len(worth)))
        mask = np.zeros(len(worth), dtype=np.bool_)
        mask[np.argsort(-worth, kind="stable")[:count]] = True
        return mask


def book(areas: Areas, accounts: int, seed: int, largest_family: int = 5) -> Book:
    """`accounts` accounts. About 8% are children in families of 2 to `largest_family`."""
    segment = pick(stream(seed, "accounts.segment"), accounts, (0.1, 0.3, 0.6))
    parent, root = _families(stream(seed, "accounts.families"), segment, largest_family)
    industry = pick(stream(seed, "accounts.industry"), accounts, _INDUSTRY_SHARE)[root]
    rng = stream(seed, "accounts.places")
    position, away = rng.random(accounts), rng.random(accounts) < 0.15
    city, lat, lon = locate(np.where(away, position, position[root]), rng.gamma(2.0, 0.5, accounts))
    needs = _needs(stream(seed, "accounts.needs"), areas.at(position[root]), city, root)
    status = pick(stream(seed, "accounts.status"), accounts, (0.40, 0.15, 0.04, 0.41))
    money = stream(seed, "accounts.potential")
    scale = money.standard_normal(accounts)
    potential = np.maximum(np.round(_POTENTIAL[segment] * _INDUSTRY_SIZE[industry] * np.exp(1.3 * scale)), 100.0)
    arr = _ARR[segment] * np.exp(0.6 * scale + 0.9 * stream(seed, "accounts.arr").standard_normal(accounts))
    arr = np.where(status <= RECENT, np.maximum(np.round(arr), 100.0), 0.0)
    return Book(segment, industry, city, lat, lon, needs, parent, root, status, scale, potential, arr)


def hours(book: Book, capacity_hours: float, seed: int) -> Floats:
    """Hours a year for each account, together 110% of `capacity_hours`.

    One account asks for 350 hours at most, one family for 900, before scaling; with very few accounts a rep
    these limits give way.
    """
    rng, count = stream(seed, "accounts.hours"), len(book.segment)
    target = 1.1 * capacity_hours
    work = _HOURS[book.segment] * np.where(book.customer, 1.15, 0.85) * np.exp(0.45 * rng.standard_normal(count))
    for _ in range(6):
        work *= target / work.sum()
        work = np.minimum(work, max(350.0, 1.5 * target / count))
        family = np.bincount(book.root, work, minlength=count)[book.root]
        work *= np.minimum(1.0, max(900.0, 2 * target / count) / family)
    rounded: Floats = np.maximum(np.round(work * target / work.sum(), 1), 0.1)
    return rounded


def money(book: Book, seed: int) -> dict[str, Floats]:
    """Three years of revenue, cost to serve and growth, the customer's turnover and staff; NaN is missing."""
    rng, count = stream(seed, "accounts.money"), len(book.arr)
    noise = rng.standard_normal((8, count))
    gaps = rng.random((4, count))
    was = _ARR[book.segment] * np.exp(0.5 * book.scale + 0.6 * noise[0])
    y1 = book.arr * np.exp(0.12 * noise[1] - 0.04)
    y2 = np.where(book.status == FORMER, was, y1 * np.exp(0.2 * noise[2] - 0.07))
    y3 = np.where(book.status == RECENT, 0.0, y2 * np.exp(0.2 * noise[3] - 0.07))
    y2 = np.where((book.status == RECENT) & (gaps[0] < 0.5), 0.0, y2)
    base = _SERVICE_COST[book.segment] * np.exp(0.4 * noise[4]) * np.where(book.status == PROSPECT, 0.3, 1.0)
    share = np.clip(0.22 + 0.09 * noise[5], 0.03, 0.8)
    costs = [base * tilt + share * y for tilt, y in ((1.0, y1), (0.95, y2), (0.9, y3))]
    growth = book.potential * np.clip(0.18 + 0.08 * noise[6], -0.1, 0.5)
    staff = np.maximum(np.round(_STAFF[book.segment] * np.exp(0.35 * book.scale + 0.6 * noise[7])), 1.0)
    turnover = np.round(staff * 180_000 * np.exp(0.5 * noise[0]), -3)
    unknown, unlogged = gaps[1] < 0.08, (0.0, 0.0, 0.05, 0.1)
    return {
        "annual_revenue": np.where(unknown, np.nan, turnover),
        "employees": np.where(unknown, np.nan, staff),
        **{f"revenue_y{i}": np.round(y) for i, y in enumerate((y1, y2, y3), 1)},
        **{f"cost_to_serve_y{i}": np.where(gaps[2] < unlogged[i], np.nan, np.round(y)) for i, y in enumerate(costs, 1)},
        **{f"growth_y{i}": np.where(gaps[3] < 0.04 * i, np.nan, np.round(growth * (1.1 - 0.1 * i))) for i in (1, 2, 3)},
    }  # fmt: skip


def key_score(book: Book, seed: int) -> Floats:
    """Key-account scores from 1 to 10 in halves, rising with worth; NaN for the 30% nobody scored."""
    rng, count = stream(seed, "accounts.key_score"), len(book.arr)
    rank = np.empty(count)
    rank[np.argsort(book.potential + 1.5 * book.arr, kind="stable")] = (np.arange(count) + 0.5) / count
    score = np.clip(np.round(2 * (1 + 8.5 * rank**1.5 + rng.normal(0.0, 1.0, count))) / 2, 1.0, 10.0)
    return np.where(rng.random(count) < 0.3, np.nan, score)


def _families(rng: np.random.Generator, segment: Ints, largest: int) -> tuple[Ints, Ints]:
    """Parent (-1 for none) and root of each account; large accounts more often head a family."""
    count = len(segment)
    root, parent = np.arange(count), np.full(count, -1)
    children = round(0.08 * count)
    if children == 0 or largest < 2:
        return parent, root
    sizes = pick(rng, children, (0.5, 0.25, 0.15, 0.1)[: largest - 1]) + 1
    heads = int(np.searchsorted(np.cumsum(sizes), children)) + 1
    sizes = sizes[:heads]
    sizes[-1] -= sizes.sum() - children
    order = np.argsort(rng.exponential(size=count) / np.array([4.0, 2.0, 1.0])[segment], kind="stable")
    members = rng.permutation(order[heads:])[:children]
    root[members] = np.repeat(order[:heads], sizes)
    parent[members] = root[members]
    below = np.flatnonzero((root[members][1:] == root[members][:-1]) & (rng.random(children - 1) < 0.15)) + 1
    parent[members[below]] = members[below - 1]
    return parent, root


def _needs(rng: np.random.Generator, area: Ints, city: Ints, root: Ints) -> Needs:
    """Needs of each account; a child asks for its root's language and skills, or for no skill."""
    count = len(area)
    number = pick(rng, count, (0.6, 0.3, 0.1))
    first = pick(rng, count, tuple(_SKILL_SHARE))
    second = (first + 1 + pick(rng, count, (3, 2, 1, 1, 1))) % len(SKILLS)
    bits = np.where(number > 0, 1 << first, 0) | np.where(number > 1, 1 << second, 0)
    child = root != np.arange(count)
    skills = np.where(child & (rng.random(count) < 0.5), 0, bits[root])
    local = np.where(rng.random(count) < 0.85, CITY_LANGUAGE[city], 0)
    return Needs(area, skills, local[root])
