"""Which ways there are to serve each unit. Built from distinct requirement sets by joins, never accounts × reps.

A unit is a family (mostly one account) in one role. Its options are the reps that no rule excludes, at each service
level. Everything is in id order, so the row order of the input cannot matter.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimizer.eligible import classes_of, combine, families, role_fits
from optimizer.errors import UsageError
from optimizer.memory import available_bytes
from optimizer.rules.base import Restriction
from optimizer.scores import Scores

#: fn(account, rep, role, level) → [pairs]
PairFunction = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
#: options handled at once: by the builder, and by one processor
CHUNK, CACHED = 1 << 21, 1 << 17
BYTES_PER_OPTION = 64


@dataclass(frozen=True, eq=False)
class Options:
    """Options of units, unit after unit.

    Options of unit `u` are `unit_start[u]:unit_start[u+1]` of `rep` [K] and `level` [K]; its accounts are
    `member_start[u]:member_start[u+1]` of `member`; `role` [U] is its role. A `mandatory` [U] unit must be served.
    """

    scores: Scores
    unit_start: np.ndarray
    rep: np.ndarray
    level: np.ndarray
    member_start: np.ndarray
    member: np.ndarray
    role: np.ndarray
    mandatory: np.ndarray

    @cached_property
    def lead(self) -> np.ndarray:
        """[U] first account of each unit."""
        return self.member[self.member_start[:-1]]

    @property
    def unit(self) -> np.ndarray:
        """[K] unit of each option."""
        return np.repeat(np.arange(len(self.role)), np.diff(self.unit_start))

    def total(self, measure: PairFunction) -> np.ndarray:
        """[K] the measure of each option: the sum over the accounts of its unit. A few options at a time, on every
        processor; each part is written to its own place, so the answer does not depend on how many there are."""
        out = np.empty(len(self.rep))

        def part(ends: tuple[int, int]) -> None:
            first, last = ends
            span = slice(self.unit_start[first], self.unit_start[last])
            out[span] = self._total_of(measure, first, last, span)

        parts = list(_chunks(self.unit_start, CACHED))
        if len(parts) == 1:
            part(parts[0])
        else:
            with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
                list(pool.map(part, parts))
        return out

    def _total_of(self, measure: PairFunction, first: int, last: int, span: slice) -> np.ndarray:
        unit = np.repeat(np.arange(first, last), np.diff(self.unit_start[first : last + 1]))
        rep, level, role = self.rep[span], self.level[span], self.role[unit]
        out = np.array(measure(self.lead[unit], rep, role, level), dtype=float)
        more = self.member_start[unit + 1] - self.member_start[unit] - 1
        at = np.repeat(np.arange(len(unit)), more)
        if len(at):
            begin = np.cumsum(more) - more
            member = self.member[np.repeat(self.member_start[unit] + 1 - begin, more) + np.arange(len(at))]
            each = measure(member, rep[at], role[at], level[at])
            out += np.bincount(at, weights=each, minlength=len(unit))
        return out

    def unit_total(self, amount: np.ndarray) -> np.ndarray:
        """[U] sum over each unit of an amount [N, L] of accounts in roles."""
        each = amount[self.member, self._member_role]
        return np.add.reduceat(each, self.member_start[:-1]) if len(self.role) else np.zeros(0)

    @property
    def _member_role(self) -> np.ndarray:
        return np.repeat(self.role, np.diff(self.member_start))

    def layers(self, row: np.ndarray) -> list[tuple[np.ndarray | None, np.ndarray]]:
        """Row numbers of units from row numbers of accounts in roles [N, L].

        Mostly one layer: (None, row [U]). Where the accounts of a family are in different rows, one layer for each:
        (which accounts in which roles [N, L], row [U]).
        """
        size, role = np.diff(self.member_start), self._member_role
        of_member = row[self.member, role]
        if (of_member == np.repeat(row[self.lead, self.role], size)).all():
            return [(None, row[self.lead, self.role].astype(np.int32))]
        unit = np.repeat(np.arange(len(size)), size)
        order = np.lexsort((of_member, unit))
        fresh = np.ones(len(order), dtype=bool)
        fresh[1:] = (np.diff(unit[order]) != 0) | (np.diff(of_member[order]) != 0)
        count = np.cumsum(fresh)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = count - count[np.searchsorted(unit[order], unit[order])]
        out: list[tuple[np.ndarray | None, np.ndarray]] = []
        for layer in range(int(rank.max()) + 1):
            here = rank == layer
            members = np.zeros(row.shape, dtype=bool)
            members[self.member[here], role[here]] = True
            rows = np.full(len(size), -1, dtype=np.int32)
            rows[unit[here]] = of_member[here]
            out.append((members, rows))
        return out


def build_options(scores: Scores, restrictions: Sequence[Restriction]) -> Options:
    """All options of the scenario. Raises `UsageError`, with the count, when memory cannot hold them."""
    levels = len(scores.scoring.levels)
    parts, total, limit = [], 0, available_bytes() * 0.6 / BYTES_PER_OPTION
    nearest = [r.nearest for r in restrictions if r.nearest is not None]
    for part in candidates(scores, restrictions):
        kept = _keep_nearest(part, nearest) if nearest else part
        total += len(kept.rep) * levels
        if total > limit:
            share = (kept.lead[-1] + 1) / max(1, len(scores.accounts))
            raise UsageError(
                f"about {total / max(share, 1e-9):,.0f} options do not fit in memory ({limit:,.0f} would): "
                'add a rule that leaves fewer, such as {name = "near", kind = "nearest", reps = 20}'
            )
        parts.append(kept)
    if not parts:
        return _no_units(scores)
    counts = np.concatenate([np.diff(p.unit_start) for p in parts])
    rep = np.concatenate([p.rep for p in parts])
    sizes = np.concatenate([np.diff(p.member_start) for p in parts])
    return Options(
        scores,
        _starts(counts * levels),
        np.repeat(rep, levels) if levels > 1 else rep,
        np.tile(np.arange(levels, dtype=np.int8), len(rep)),
        _starts(sizes),
        np.concatenate([p.member for p in parts]),
        np.concatenate([p.role for p in parts]),
        np.concatenate([p.mandatory for p in parts]),
    )


def candidates(scores: Scores, restrictions: Sequence[Restriction]) -> Iterator[Options]:
    """Eligible reps at the first service level, some units at a time, before any `nearest` cut."""
    code, allowed = combine(scores, restrictions)
    member, member_start = families(scores, restrictions)
    size = np.diff(member_start)
    unit_class, allowed = classes_of(code, allowed, member, member_start)
    unit_of = np.empty(len(code), dtype=np.int64)
    unit_of[member] = np.repeat(np.arange(len(size)), size)
    m = len(scores.reps)
    banned = [unit_of[f[0]] * m + f[1] for f in (r.forbidden for r in restrictions) if f is not None]
    ban = np.unique(np.concatenate(banned)) if banned else None
    for role, fits in enumerate(role_fits(scores)):
        only, mandatory = _ties(restrictions, role, member, member_start)
        class_of, rep_of = np.nonzero(allowed & fits)
        start = np.searchsorted(class_of, np.arange(len(allowed) + 1))
        count = np.diff(start)[unit_class]
        for first, last in _chunks(_starts(count), CHUNK):
            times = count[first:last]
            begin = np.cumsum(times) - times
            rep = rep_of[np.repeat(start[unit_class[first:last]] - begin, times) + np.arange(times.sum())]
            unit = np.repeat(np.arange(first, last), times)
            keep = (only[unit] == -1) | (only[unit] == rep)
            if ban is not None:
                key = unit * m + rep
                keep &= ban[np.minimum(np.searchsorted(ban, key), len(ban) - 1)] != key
            span = slice(member_start[first], member_start[last])
            yield Options(
                scores,
                _starts(np.bincount(unit[keep] - first, minlength=last - first)),
                rep[keep].astype(np.int32),
                np.zeros(int(keep.sum()), dtype=np.int8),
                member_start[first : last + 1] - member_start[first],
                member[span],
                np.full(last - first, role, dtype=np.int8),
                mandatory[first:last],
            )


def _ties(
    restrictions: Sequence[Restriction], role: int, member: np.ndarray, member_start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The rep each unit is tied to (-1 none, -2 to several at once), and whether serving it is mandatory."""
    units = len(member_start) - 1
    low, high = np.full(units, np.iinfo(np.int32).max, np.int32), np.full(units, -1, np.int32)
    for rule in restrictions:
        if rule.only is not None:
            only = rule.only[member, role]
            high = np.maximum(high, np.maximum.reduceat(only, member_start[:-1]))
            tied = np.where(only >= 0, only, np.iinfo(np.int32).max)
            low = np.minimum(low, np.minimum.reduceat(tied, member_start[:-1]))
    return np.where((high >= 0) & (low != high), -2, high), high >= 0


def _keep_nearest(part: Options, cuts: Sequence[tuple[int, str, np.ndarray]]) -> Options:
    from optimizer.rules.nearest import goodness

    scores, count = part.scores, np.diff(part.unit_start)
    kept = np.ones(len(part.rep), dtype=bool)
    for cut in cuts:
        most, by, about = cut
        asked = np.logical_or.reduceat(about[part.member], part.member_start[:-1])
        if count[asked].max(initial=0) <= most:
            continue
        good = part.total(lambda n, r, l, v, by=by: goodness(scores, by, n, r, l))  # type: ignore[misc]
        among = np.ones(len(good), dtype=bool)
        for c in np.unique(count[asked & (count > most)]):
            at = part.unit_start[:-1][asked & (count == c)][:, None] + np.arange(c)
            rows = good[at]
            last = -np.partition(-rows, most - 1, axis=1)[:, most - 1]
            among[at] = rows >= last[:, None]
        kept &= among
    if not kept.all():
        today = scores.today.rep
        kept |= part.total(lambda n, r, l, v: today[n, l] == r) > 0
    unit = part.unit[kept]
    starts = _starts(np.bincount(unit, minlength=len(count)))
    return replace(part, unit_start=starts, rep=part.rep[kept], level=part.level[kept])


def _no_units(scores: Scores) -> Options:
    none, start = np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64)
    return Options(
        scores, start, none, none.astype(np.int8), start, none.astype(np.int64), none.astype(np.int8), none > 0
    )


def _starts(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _chunks(start: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of units with at most about `most` options each."""
    first, units = 0, len(start) - 1
    while first < units:
        last = int(np.searchsorted(start, start[first] + most, side="right")) - 1
        last = min(units, max(first + 1, last))
        yield first, last
        first = last
