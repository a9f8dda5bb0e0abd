"""Who may serve an account of the sample company, and who owns it today."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimizer.sample.book import Book, Needs
from optimizer.sample.crew import SKILLS, Crew, most_accounts
from optimizer.sample.draw import Bools, Floats, Ints, exactly, stream
from optimizer.sample.places import LANGUAGES


@dataclass(frozen=True, slots=True)
class Eligible:
    """Reps that may serve each class of accounts with equal needs.

    `of` [n] is the class of an account; the reps of class c are `rep[start[c]:start[c + 1]]`; `area` [C]
    is the area the class lies in.
    """

    of: Ints
    area: Ints
    start: Ints
    rep: Ints

    @property
    def per_account(self) -> Ints:
        """Eligible reps of each account [n]."""
        return np.diff(self.start)[self.of]

    def draw(self, accounts: Ints, weight: Floats, chance: Floats) -> Ints:
        """An eligible rep for each of some accounts, by weights [len(rep)]; -1 where all weights are 0.

        `chance` holds a number from 0 up to 1 for each of the accounts.
        """
        total = np.concatenate([[0.0], np.cumsum(weight)])
        first, last = self.start[self.of[accounts]], self.start[self.of[accounts] + 1]
        target = total[first] + chance * (total[last] - total[first])
        place = np.clip(np.searchsorted(total, target, side="right") - 1, first, np.maximum(last - 1, first))
        return np.where(total[last] > total[first], self.rep[np.minimum(place, len(self.rep) - 1)], -1)


def eligible(needs: Needs, crew: Crew) -> tuple[Eligible, Crew]:
    """Who may serve whom, after teaching a rep of the area whatever no rep there can do.

    Every account has an eligible rep in the end.
    """
    code = (needs.area * (1 << len(SKILLS)) + needs.skills) * len(LANGUAGES) + needs.language
    classes, of = np.unique(code, return_inverse=True)
    language, rest = classes % len(LANGUAGES), classes // len(LANGUAGES)
    area, bits = rest // (1 << len(SKILLS)), rest % (1 << len(SKILLS))
    wants = (bits[:, None] >> np.arange(len(SKILLS))) & 1 == 1
    may = _may(area, wants, language, crew)
    skills, speaks = crew.skills.copy(), crew.speaks.copy()
    for c in np.flatnonzero(~may.any(axis=1)):
        nearby = np.flatnonzero(crew.covers[:, area[c]])
        lacking = (wants[c] & ~skills[nearby]).sum(axis=1) + ~speaks[nearby, language[c]]
        if lacking.min() > 0:
            pupil = nearby[np.lexsort((skills[nearby].sum(axis=1), lacking))[0]]
            skills[pupil] |= wants[c]
            speaks[pupil, language[c]] = True
    taught = replace(crew, skills=skills, speaks=speaks)
    row, rep = np.nonzero(_may(area, wants, language, taught))
    return Eligible(of, area, np.searchsorted(row, np.arange(len(classes) + 1)), rep), taught


def owners(who: Eligible, crew: Crew, book: Book, hours: Floats, seed: int) -> Ints:
    """Today's owner of each account [n]: a rep code, -1 for nobody, R or more for somebody who has left.

    Books are uneven (`crew.pull`), favour the home area and keep most families together; 4% of accounts
    have no owner, 1% belong to a leaver, and 1.5% (never a key account) to a rep of anywhere.
    """
    rng, accounts, reps = stream(seed, "accounts.owners"), len(hours), len(crew.home)
    area = np.repeat(who.area, np.diff(who.start))
    weight = crew.pull[who.rep] * np.where(crew.home[who.rep] == area, 3.0, 1.0)
    owner = who.draw(np.arange(accounts), weight, rng.random(accounts))
    apart = (rng.random(accounts) < 0.08) & ~book.key
    head = _relieved(stream(seed, "accounts.relief"), owner[book.root], who, crew, book, hours)
    owner = np.where(apart & (book.root != np.arange(accounts)), owner, head)
    stray = exactly(rng, accounts, int(0.015 * accounts)) & ~book.key
    owner = np.where(stray, rng.integers(reps, size=accounts), owner)
    order = rng.permutation(accounts)
    none, left = round(0.04 * accounts), max(1, round(0.01 * accounts))
    owner[order[:none]] = -1
    gone = order[none : none + left]
    owner[gone] = reps + rng.integers(max(1, round(0.03 * reps)), size=len(gone))
    return owner


def _relieved(rng: np.random.Generator, owner: Ints, who: Eligible, crew: Crew, book: Book, hours: Floats) -> Ints:
    """Owners after the worst overload was handed to colleagues with hours to spare.

    When each rep keeps the families that bring most revenue an hour as far as hours and places reach, what
    is left over holds at most 8% of the revenue, so that a plan within a move budget exists. `owner` has one
    owner a family.
    """
    count = len(owner)
    heads = np.flatnonzero(book.root == np.arange(count))
    work, worth, size = (np.bincount(book.root, w, minlength=count) for w in (hours, book.arr, np.ones(count)))
    heads = heads[np.argsort(-worth[heads] / work[heads], kind="stable")]
    most, owner = most_accounts(crew, count), owner.copy()
    for _ in range(12):
        order = heads[np.argsort(owner[heads], kind="stable")]
        rep = owner[order]
        over = (_within(work[order], rep) > crew.capacity_hours[rep]) | (_within(size[order], rep) > most[rep])
        if worth[order[over]].sum() <= 0.08 * book.arr.sum():
            break
        give = order[over & (worth[order] > 0) & (rng.random(len(order)) < 0.5)]
        spare = np.maximum(crew.capacity_hours - np.bincount(owner, hours, minlength=len(most)), 1.0)
        owner[give] = who.draw(give, spare[who.rep], rng.random(len(give)))
    return owner[book.root]


def _within(values: Floats | Ints, group: Ints) -> Floats:
    """Running totals of values within each group; equal groups stand together, in rising order."""
    total = np.cumsum(values)
    first = np.searchsorted(group, group)
    running: Floats = (total - total[first] + values[first]).astype(np.float64)
    return running


def _may(area: Ints, wants: Bools, language: Ints, crew: Crew) -> Bools:
    """Whether each class of accounts may go to each rep, [C, R]."""
    lacking = wants.astype(np.float32) @ (~crew.skills).T.astype(np.float32)
    allowed: Bools = crew.covers.T[area] & crew.speaks.T[language] & (lacking == 0)
    return allowed
