"""Who may serve whom: classes, families, and what a family may have."""

from __future__ import annotations

import itertools

import numpy as np

from optimizer.eligible import classes_of, combine, families
from optimizer.problem import build
from optimizer.rules.base import Restriction
from tests.companies import corner, house, scenario


def test_restrictions_on_classes_are_combined_by_their_intersection() -> None:
    scores = build(corner(), scenario()).scores
    one = Restriction(np.array([0, 0, 1, 1]), np.array([[True, True, False], [True, True, True]]))
    other = Restriction(np.array([0, 1, 0, 1]), np.array([[True, False, True], [True, True, True]]))
    code, allowed = combine(scores, [one, other, Restriction()])
    assert allowed[code].tolist() == [
        [True, False, False],
        [True, True, False],
        [True, False, True],
        [True, True, True],
    ]


def test_families_come_in_the_order_of_their_first_account() -> None:
    scores = build(house(), scenario()).scores
    member, start = families(scores, [Restriction(family=np.array([4, 1, 1, 4, 4]))])
    assert [member[a:b].tolist() for a, b in itertools.pairwise(start)] == [[0, 3, 4], [1, 2]]


def test_a_family_may_have_the_reps_that_all_its_accounts_may_have() -> None:
    random = np.random.default_rng(1)
    for _ in range(50):
        accounts, reps, classes = random.integers(1, 30), random.integers(1, 40), random.integers(1, 6)
        allowed, code = random.random((classes, reps)) < 0.7, random.integers(0, classes, accounts)
        member = random.permutation(accounts)
        start = np.append(np.flatnonzero(np.append(True, random.random(accounts - 1) < 0.5)), accounts)
        family_class, rows = classes_of(code, allowed, member, start)
        for u, (a, b) in enumerate(itertools.pairwise(start)):
            np.testing.assert_array_equal(rows[family_class[u]], allowed[code[member[a:b]]].all(axis=0))
