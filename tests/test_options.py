"""Which options exist: exactly the pairs the rules leave, in id order, however the work is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optimizer import options as module
from optimizer.eligible import role_fits
from optimizer.errors import UsageError
from optimizer.options import Options, build_options
from optimizer.problem import build
from tests.companies import AE_AND_CSM, COMPANIES, PLAIN_SCORING, TWO_LEVELS, corner, house, levels, scenario, staffed

RULES = {
    "corner": [{"kind": "match", "account": "languages", "rep": "languages"}, {"kind": "nearest", "reps": 2}],
    "house": [{"kind": "together"}, {"kind": "match", "account": "region", "rep": "regions"}],
    "shared accounts": [{"kind": "keep"}],
    "staffed": [{"kind": "together"}],
    "levels": [{"kind": "together"}, {"kind": "nearest", "reps": 1}],
    "travelling": [{"kind": "nearest", "reps": 1, "by": "distance"}, {"kind": "forbid", "pairs": [["Coda", "ben"]]}],
}


def options_of(name: str) -> Options:
    tables, more = COMPANIES[name]
    return build(tables, scenario(RULES[name], **more)).options


def same(one: Options, other: Options) -> None:
    for field in ("unit_start", "rep", "level", "member_start", "member", "role", "mandatory"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)


@pytest.mark.parametrize("name", COMPANIES)
@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_cutting_the_work_into_pieces_changes_nothing(name: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = options_of(name)
    value = whole.total(whole.scores.value)
    monkeypatch.setattr(module, "CHUNK", chunk)
    again = options_of(name)
    same(whole, again)
    np.testing.assert_array_equal(again.total(again.scores.value), value)


@pytest.mark.parametrize("name", COMPANIES)
def test_the_order_of_rows_changes_nothing(name: str) -> None:
    tables, more = COMPANIES[name]
    backwards = replace(
        tables, accounts=tables.accounts.iloc[::-1], reps=tables.reps.iloc[[*range(1, len(tables.reps)), 0]]
    )
    same(options_of(name), build(backwards, scenario(RULES[name], **more)).options)


@pytest.mark.parametrize("name", COMPANIES)
def test_a_total_is_the_sum_over_the_accounts_of_a_unit(name: str) -> None:
    o = options_of(name)
    total = o.total(o.scores.value)
    weight = np.arange(1.0, len(o.scores.accounts) + 1)[:, None] * np.arange(1, len(o.scores.roles) + 1)
    by_unit = o.unit_total(weight)
    for unit in range(len(o.role)):
        members, role = o.member[o.member_start[unit] : o.member_start[unit + 1]], o.role[unit]
        assert by_unit[unit] == weight[members, role].sum()
        for k in range(o.unit_start[unit], o.unit_start[unit + 1]):
            each = [o.scores.value(np.array([n]), o.rep[k : k + 1], role, o.level[k]) for n in members]
            assert total[k] == pytest.approx(sum(float(v[0]) for v in each))


def test_every_rep_is_an_option_that_no_rule_excludes() -> None:
    o = build(corner(), scenario()).options
    assert np.diff(o.unit_start).tolist() == [3, 3, 3, 3]
    assert o.rep.tolist() == [0, 1, 2] * 4


def test_every_option_exists_at_every_service_level() -> None:
    o = build(levels(), scenario(scoring={**PLAIN_SCORING, "levels": TWO_LEVELS})).options
    assert list(zip(o.rep.tolist(), o.level.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 0), (1, 1)] * 3


def test_reps_serve_only_in_their_role_where_the_scenario_names_roles() -> None:
    named = build(staffed(), scenario(roles=AE_AND_CSM))
    assert role_fits(named.scores).tolist() == [[True, False, False, True], [False, True, True, False]]
    assert role_fits(build(staffed(), scenario()).scores).all()
    assert [named.options.rep[a:b].tolist() for a, b in zip(named.core.start, named.core.start[1:], strict=False)] == [
        [0, 3], [0, 3], [1, 2], [1, 2],
    ]  # fmt: skip


def test_accounts_of_a_family_in_different_rows_need_a_layer_each() -> None:
    o = build(house(), scenario([{"kind": "together"}])).options
    accounts = o.scores.account_ids.tolist()
    region = {"Root": 0, "Kid": 1, "Grandkid": -1, "Solo": 1, "Pair": 0}
    row = np.array([[region[a]] for a in accounts])
    layers = o.layers(row)
    seen: dict[int, set[str]] = {}
    for members, rows in layers:
        assert members is not None
        for unit, r in enumerate(rows.tolist()):
            for n in o.member[o.member_start[unit] : o.member_start[unit + 1]]:
                if r >= 0 and members[n, 0]:
                    seen.setdefault(r, set()).add(accounts[n])
    assert seen == {0: {"Root", "Pair"}, 1: {"Kid", "Solo"}}
    assert o.layers(np.zeros((5, 1), dtype=int))[0][0] is None


def test_too_many_options_are_refused_with_their_number_and_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_bytes", lambda: 800)
    with pytest.raises(UsageError, match=r"about 12 options do not fit in memory .*nearest"):
        build(corner(), scenario())


def test_without_accounts_or_without_reps_there_are_no_options() -> None:
    tables = corner()
    nobody = build(replace(tables, reps=tables.reps.iloc[:0]), scenario())
    assert nobody.core.options == 0 and nobody.core.units == 4
    nothing = build(replace(tables, accounts=tables.accounts.iloc[:0]), scenario([{"kind": "keep"}]))
    assert nothing.core.units == 0
    assert not len(build_options(nothing.scores, []).rep)


def test_a_thousand_pairs_are_forbidden_one_by_one() -> None:
    rng = np.random.default_rng(0)
    accounts = pd.DataFrame(
        {"account_id": [f"a{i:03d}" for i in range(100)], "owner_id": "r00", "potential": 1.0}, index=range(2, 102)
    ).astype({"account_id": "str", "owner_id": "str"})
    reps = pd.DataFrame({"rep_id": [f"r{i:02d}" for i in range(30)]}, index=range(2, 32)).astype("str")
    tables = replace(corner(), accounts=accounts, reps=reps)
    pairs = np.unique(np.stack([rng.integers(0, 100, 1000), rng.integers(0, 30, 1000)]), axis=1).T
    rule = {"kind": "forbid", "pairs": [[f"a{a:03d}", f"r{r:02d}"] for a, r in pairs]}
    o = build(tables, scenario([rule])).options
    left = set(zip(o.lead[o.unit].tolist(), o.rep.tolist(), strict=True))
    assert left == {(a, r) for a in range(100) for r in range(30)} - {(int(a), int(r)) for a, r in pairs}
