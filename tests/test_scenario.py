"""The scenario file: strict, extended by name, written back as it was, and every mistake named with file and key."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.errors import BookfitError, InputError, UsageError
from optimizer.scenario import DEFAULT_RULES, Scenario, default_scenario, load_scenario, parse_scenario, scenario_files

BASE = """
name = "Base"
currency = "EUR"
[[rules]]
name = "hours"
kind = "limit"
measure = "hours"
at_most = "capacity_hours"
[[rules]]
name = "moves"
kind = "limit"
measure = "moved_arr"
per = "company"
at_most = "15%"
[scoring]
conversion = 0.3
travel = {visits = 2.0, cost_per_km = 0.5}
[reps]
remove = ["r1"]
add = [{rep_id = "n1", open = true, cost = 5}]
change = {r2 = {ramp = 0.5, team = "X"}}
"""


def write(folder: Path, **files: str) -> Path:
    """The files, by stem; the path of the last."""
    path = folder
    for stem, text in files.items():
        path = folder / f"{stem}.toml"
        path.write_text(text, encoding="utf-8")
    return path


def test_a_variant_adds_replaces_and_drops_rules_by_name(tmp_path: Path) -> None:
    variant = """
    extends = "base.toml"
    name = "Variant"
    rules = [
      {name = "moves", kind = "limit", measure = "moved", per = "company", at_most = 3},
      {name = "hours", off = true},
      {name = "stay", kind = "keep", where = {segment = "SMB"}},
    ]
    """
    s = load_scenario(write(tmp_path, base=BASE, variant=variant))
    assert (s.name, s.currency) == ("Variant", "EUR")
    assert [(r.name, r.off) for r in s.rules] == [("hours", True), ("moves", False), ("stay", False)]
    assert [r.name for r in s.active] == ["moves", "stay"]
    moves = s.rules[1].model_dump()
    assert (moves["measure"], moves["at_most"]) == ("moved", 3)  # replaced whole, not mixed with the old one


def test_a_variant_changes_single_settings_and_leaves_the_rest(tmp_path: Path) -> None:
    variant = """
    extends = "base.toml"
    scoring = {travel = {visits = 1.0}, retention = 0.5}
    [reps]
    remove = ["r9", "r1"]
    add = [{rep_id = "n1", cost = 7}, {rep_id = "n2"}]
    change = {r2 = {ramp = 0.9}, r3 = {ramp = 0.1}}
    """
    s = load_scenario(write(tmp_path, base=BASE, variant=variant))
    assert (s.scoring.conversion, s.scoring.retention) == (0.3, 0.5)
    assert (s.scoring.travel.visits, s.scoring.travel.cost_per_km) == (1.0, 0.5)
    assert s.reps.remove == ["r1", "r9"]
    assert s.reps.add == [{"rep_id": "n1", "cost": 7}, {"rep_id": "n2"}]
    assert s.reps.change == {"r2": {"ramp": 0.9, "team": "X"}, "r3": {"ramp": 0.1}}


def test_variants_of_variants_take_the_nearest_word(tmp_path: Path) -> None:
    middle = 'extends = "base.toml"\nscoring = {conversion = 0.4, fit = 0.0}\nrules = [{name = "hours", off = true}]'
    again = '{name = "hours", kind = "limit", measure = "hours", at_most = 9}'
    last = f'extends = "middle.toml"\nscoring = {{conversion = 0.5}}\nrules = [{again}]'
    s = load_scenario(write(tmp_path, base=BASE, middle=middle, last=last))
    assert (s.scoring.conversion, s.scoring.fit) == (0.5, 0.0)
    assert [r.name for r in s.active] == ["hours", "moves"]


def test_a_folder_is_its_baseline_or_default_rules(tmp_path: Path) -> None:
    assert [r.name for r in load_scenario(tmp_path).rules] == [str(DEFAULT_RULES[0]["name"])]
    write(tmp_path, baseline=BASE)
    assert load_scenario(tmp_path).name == "Base"
    assert default_scenario("Mine").name == "Mine"


def test_tables_are_found_beside_the_file_or_where_it_or_its_base_says(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    base = write(tmp_path / "a", base='name = "B"\ntables = "data"')
    other = write(tmp_path / "b", other='extends = "../a/base.toml"')
    assert scenario_files(base)[1] == tmp_path / "a" / "data"
    assert scenario_files(other)[1].resolve() == (tmp_path / "a" / "data").resolve()
    for name in ("accounts.csv", "reps.csv"):
        (tmp_path / "b" / name).touch()
    assert scenario_files(other)[1] == tmp_path / "b"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ('nmae = "x"', "nmae", "is not a known key"),
        ("[scoring]\nconversoin = 0.2", "scoring.conversoin", "is not a known key"),
        ("[scoring.travel]\nvisit = 1.0", "scoring.travel.visit", "is not a known key"),
        (
            'rules = [{name = "h", kind = "limit", measure = "hours", at_mots = 3}]',
            "rules[h].at_mots",
            "is not a known key",
        ),
        (
            'rules = [{name = "h", kind = "limti", measure = "hours"}]',
            "rules[h]",
            "is not a kind of rule; known: forbid, keep, limit",
        ),
        ('rules = [{name = "h", kind = "match", account = "x"}]', "rules[h].rep", "is missing"),
        ('rules = [{kind = "keep"}]', "rules[0].name", "is missing"),
        ("[scoring]\nconversion = 2.0", "scoring.conversion", "less than or equal to 1"),
        ("[scoring]\nretention = nan", "scoring.retention", "finite number"),
        ("[scoring]\nkey_weight = inf", "scoring.key_weight", "finite number"),
        ('rules = [{name = "h", kind = "limit", measure = "x", at_most = nan}]', "rules[h].at_most", "finite number"),
        ('rules = [{name = "h", kind = "limit", measure = "x", at_most = 1, penalty = -inf}]', "rules[h].penalty", ""),
        ('rules = [{name = "h", kind = "keep", where = {potential = {min = nan}}}]', "rules[h].where.potential", ""),
        ('rules = [{name = "h", kind = "keep"}, {name = "h", kind = "keep"}]', "", "two rules are named 'h'"),
        ('currency = "dollars"', "currency", "pattern"),
        ('name = ""', "name", "at least 1 character"),
        (
            "roles = [{name = 'AE', share = 0.5}, {name = 'SE', share = 0.4}]",
            "",
            "the shares of the roles must sum to 1",
        ),
        ("roles = [{name = 'AE', share = 0.5}, {name = 'AE', share = 0.5}]", "", "two roles have the same name"),
        ("[scoring]\nlevels = []", "scoring.levels", ""),
        ("[scoring]\nlevels = [{name = 'a'}, {name = 'a'}]", "scoring", "two service levels have the same name"),
        ("reps = {remove = [3]}", "reps.remove", "valid string"),
        ('[scoring]\nlearn_performance = "yes"', "scoring.learn_performance", "valid boolean"),
    ],
)
def test_every_mistake_names_the_file_and_the_key(tmp_path: Path, text: str, key: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        load_scenario(write(tmp_path, plan=text))
    finding = refused.value.findings.items[0]
    assert finding.file is not None and finding.file.endswith("plan.toml")
    assert (finding.column or "").startswith(key), finding
    assert words in finding.problem, finding


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    text = 'nmae = "x"\ncurrency = "e"\nrules = [{name = "h", kind = "limit"}]\n[scoring]\nretention = 3.0'
    with pytest.raises(InputError) as refused:
        load_scenario(write(tmp_path, plan=text))
    assert {f.column for f in refused.value.findings} >= {"nmae", "currency", "scoring.retention", "rules[h].measure"}


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"plan\.toml.*line 3"):
        load_scenario(write(tmp_path, plan='name = "x"\n\ncurrency = EUR\n'))
    (tmp_path / "bad.toml").write_bytes(b'name = "\xff\xfe"')
    with pytest.raises(InputError, match=r"is not valid TOML"):
        load_scenario(tmp_path / "bad.toml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf" + b'name = "With mark"')
    assert load_scenario(tmp_path / "bom.toml").name == "With mark"


@pytest.mark.parametrize("chain", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}])
def test_files_that_extend_each_other_in_a_circle_are_refused(tmp_path: Path, chain: dict[str, str]) -> None:
    write(tmp_path, **{stem: f'extends = "{base}.toml"' for stem, base in chain.items()})
    with pytest.raises(InputError, match="extends itself in a circle"):
        load_scenario(tmp_path / "a.toml")


def test_a_base_that_is_not_there_is_named_with_who_wants_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.toml is not there .*a\.toml extends it"):
        load_scenario(write(tmp_path, a='extends = "gone.toml"'))
    with pytest.raises(UsageError, match="is not there; give a scenario"):
        load_scenario(tmp_path / "nothing.toml")


VARIANT = 'extends = "base.toml"\nrules = [{name = "new", kind = "keep"}]'


@pytest.mark.parametrize(
    "base",
    [
        pytest.param(
            'rules = [{name = "h", kind = "keep"}, {name = "h", kind = "keep", where = {segment = "SMB"}}]',
        ),
        'rules = [{kind = "keep"}, {kind = "together"}]',
        pytest.param("rules = 3"),
        pytest.param('rules = ["hours"]'),
        pytest.param("reps = 5"),
        pytest.param("reps = {remove = 5}"),
        pytest.param("reps = {add = [5]}"),
        "scoring = 3",
    ],
)
def test_a_bad_base_is_as_bad_when_it_is_extended(tmp_path: Path, base: str) -> None:
    path = write(tmp_path, base=base, variant=VARIANT)
    for file in (tmp_path / "base.toml", path):
        with pytest.raises(InputError):
            load_scenario(file)


@pytest.mark.parametrize(
    "variant",
    [
        'extends = "base.toml"\nrules = [{name = "h", kind = "keep"}, {name = "h", kind = "keep"}]',
        'extends = "base.toml"\nrules = [{kind = "keep"}]',
        'extends = "base.toml"\nrules = 3',
        'extends = "base.toml"\nreps = 5',
        'extends = "base.toml"\nreps = {remove = 5}',
        'extends = "base.toml"\nreps = {add = [5]}',
        'extends = "base.toml"\nscoring = 3',
        "extends = 3",
    ],
)
def test_a_bad_variant_is_a_finding_not_a_crash(tmp_path: Path, variant: str) -> None:
    with pytest.raises(BookfitError):
        load_scenario(write(tmp_path, base=BASE, variant=variant))


def test_switching_off_a_rule_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="huors"):
        load_scenario(
            write(tmp_path, base=BASE, variant='extends = "base.toml"\nrules = [{name = "huors", off = true}]')
        )


# -- written and read back -------------------------------------------------------------------------------------------

names = st.text(min_size=1, max_size=12)
amounts = st.floats(0, 1e9, allow_nan=False)
conditions = st.one_of(
    st.booleans(),
    st.integers(-9, 9),
    st.floats(-1e6, 1e6),
    names,
    st.dates(),
    st.lists(st.one_of(names, st.integers(0, 9)), max_size=3),
    st.fixed_dictionaries({"min": st.floats(-1e6, 1e6)}, optional={"max": st.dates()}),
    st.just({"missing": True}),
)
wheres = st.dictionaries(names.filter(lambda n: "." not in n), conditions, max_size=2)
bounds = st.one_of(st.integers(0, 99), amounts, st.just("80%"), names)
rules = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("limit"), "measure": names, "at_most": bounds},
        optional={
            "per": names,
            "at_least": bounds,
            "within": st.just("15%"),
            "penalty": st.floats(0.1, 1e9),
            "where": wheres,
        },
    ),
    st.fixed_dictionaries({"kind": st.just("keep")}, optional={"where": wheres, "off": st.booleans()}),
    st.fixed_dictionaries({"kind": st.just("match"), "account": names, "rep": names}),
    st.fixed_dictionaries(
        {"kind": st.just("forbid"), "pairs": st.lists(st.lists(names, min_size=2, max_size=2), min_size=1, max_size=3)}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("nearest"), "reps": st.integers(1, 99)},
        optional={"by": st.sampled_from(["distance", "value"])},
    ),
    st.fixed_dictionaries({"kind": st.just("together")}, optional={"by": names}),
)
scenarios = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=40)},
    optional={
        "description": st.text(max_size=60),
        "currency": st.sampled_from(["EUR", "JPY"]),
        "rules": st.lists(rules, max_size=4).map(
            lambda given: [{**rule, "name": f"{i} {rule['kind']}"} for i, rule in enumerate(given)]
        ),
        "roles": st.just([{"name": "AE", "share": 0.25}, {"name": "CSM", "share": 0.75, "hours": 0.5}]),
        "scoring": st.fixed_dictionaries(
            {},
            optional={
                "conversion": st.one_of(st.floats(0, 1), st.dictionaries(names, st.floats(0, 1), max_size=2)),
                "key_criteria": st.lists(
                    st.fixed_dictionaries({"column": names, "weight": st.floats(0.1, 9)}), max_size=2
                ),
                "levels": st.just([{"name": "a", "hours": 2.0}, {"name": "b", "value": 0.5}]),
                "hours": st.dictionaries(names, st.floats(0, 1e5), max_size=2),
                "learn_performance": st.booleans(),
                "key_filter": st.fixed_dictionaries({"min_revenue": st.floats(0, 1e9)}),
            },
        ),
        "reps": st.fixed_dictionaries(
            {},
            optional={
                "remove": st.lists(names, max_size=2),
                "add": st.lists(
                    st.fixed_dictionaries(
                        {"rep_id": names}, optional={"open": st.booleans(), "cost": amounts, "start_date": st.dates()}
                    ),
                    max_size=2,
                ),
                "change": st.dictionaries(
                    names, st.dictionaries(names, st.one_of(amounts, names), min_size=1, max_size=2), max_size=2
                ),
            },
        ),
    },
)


@settings(max_examples=150)
@given(scenarios)
def test_a_scenario_written_as_toml_is_read_back_the_same(raw: dict[str, Any]) -> None:
    scenario = parse_scenario(raw)
    text = scenario.to_toml()
    assert parse_scenario(tomllib.loads(text)) == scenario
    assert parse_scenario(tomllib.loads(text)).to_toml() == text


def test_what_a_variant_inherits_is_written_out(tmp_path: Path) -> None:
    s = load_scenario(write(tmp_path, base=BASE, variant='extends = "base.toml"\nname = "V"'))
    alone = parse_scenario(tomllib.loads(s.to_toml()))
    assert alone == s
    assert "extends" not in s.to_toml()


def test_a_scenario_cannot_be_changed_and_its_dates_stay_dates() -> None:
    s = parse_scenario({"rules": [{"name": "r", "kind": "keep", "where": {"renewal_date": {"max": date(2026, 1, 1)}}}]})
    assert s.rules[0].where["renewal_date"].max == date(2026, 1, 1)
    with pytest.raises(Exception, match="frozen"):
        s.name = "other"  # type: ignore[misc]
    assert isinstance(s, Scenario)
