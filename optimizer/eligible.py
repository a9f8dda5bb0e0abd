"""Who may serve whom, before any option is made: classes of accounts, families, roles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from optimizer.rules.base import Restriction
from optimizer.scores import Scores


def combine(scores: Scores, restrictions: Sequence[Restriction]) -> tuple[np.ndarray, np.ndarray]:
    """All restrictions on classes as one: class of each account [N], reps each class may have [C, M]."""
    code = np.zeros(len(scores.accounts), dtype=np.int64)
    allowed = np.ones((1, len(scores.reps)), dtype=bool)
    for rule in restrictions:
        if rule.code is None or rule.allowed is None:
            continue
        classes = len(rule.allowed)
        both, code = np.unique(code * classes + rule.code, return_inverse=True)
        allowed = allowed[both // classes] & rule.allowed[both % classes]
    return code, allowed


def families(scores: Scores, restrictions: Sequence[Restriction]) -> tuple[np.ndarray, np.ndarray]:
    """Accounts grouped by family: `member` [N] and `member_start` [U+1], families in order of their first account."""
    n = len(scores.accounts)
    links = [r.family for r in restrictions if r.family is not None]
    if not links:
        return np.arange(n), np.arange(n + 1)
    root = links[0]
    if len(links) > 1:
        pairs = np.concatenate(links)
        graph = coo_array((np.ones(len(pairs), np.int8), (np.tile(np.arange(n), len(links)), pairs)), shape=(n, n))
        root = connected_components(graph, directed=False)[1]
    first = np.full(n, n)
    np.minimum.at(first, root, np.arange(n))
    member = np.argsort(first[root], kind="stable")
    fresh = np.ones(n, dtype=bool)
    fresh[1:] = np.diff(first[root][member]) != 0
    return member, np.append(np.flatnonzero(fresh), n)


def classes_of(
    code: np.ndarray, allowed: np.ndarray, member: np.ndarray, member_start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The class of each family [U], and the reps each class may have [C', M]: a family of several has a class of its own, the
    reps that all of its accounts may have."""
    size = np.diff(member_start)
    family_class = code[member[member_start[:-1]]]
    many = np.flatnonzero(size > 1)
    if not len(many):
        return family_class, allowed
    inside = member[np.repeat(size > 1, size)]
    packed, begin = np.packbits(allowed, axis=1), np.cumsum(size[many]) - size[many]  # eight reps a byte
    rows = np.unpackbits(np.bitwise_and.reduceat(packed[code[inside]], begin), axis=1, count=allowed.shape[1])
    family_class[many] = len(allowed) + np.arange(len(many))
    return family_class, np.concatenate([allowed, rows.view(bool)])


def role_fits(scores: Scores) -> np.ndarray:
    """[L, M] which reps work in which role: all of them where the scenario names no roles."""
    if not scores.roles_named or "role" not in scores.reps:
        return np.ones((len(scores.roles), len(scores.reps)), dtype=bool)
    return np.stack([(scores.reps["role"] == name).to_numpy(dtype=bool) for name in scores.role_names])
