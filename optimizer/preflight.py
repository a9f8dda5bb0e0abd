"""What can be told of a built problem before any engine starts: who can never be served, numbers that are none, memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from optimizer.core import TOLERANCE, Core
from optimizer.eligible import role_fits
from optimizer.errors import Finding, Findings, InputError, Severity, UsageError
from optimizer.formats.base import SHOWN
from optimizer.problem import Problem, build
from optimizer.rules.base import Restriction
from optimizer.scenario import Scenario
from optimizer.tables import Tables

#: bytes of an engine's process with its libraries and compiled kernels, and what it holds for each unit: shortlists,
#: boards, plans. Measured as `Entry.bytes_per_option`, rounded up
PROCESS, BYTES_PER_UNIT = 300 << 20, 2_000
#: the engine that needs the least
LEAN, GIB = "prices", 1 << 30
#: options looked at together
CHUNK = 1 << 20
#: accounts that a summary or a gathered finding names
NAMED = 3


@dataclass(frozen=True, slots=True, eq=False)
class Overloads:
    """Units [n] whose every option alone is more than some hard row allows; of each the option [n] that is out by the
    smallest share, the row [n] that it is out of most, and the amount [n] it adds there."""

    unit: np.ndarray
    option: np.ndarray
    row: np.ndarray
    amount: np.ndarray


def preflight(problem: Problem, file: str | None = None) -> Findings:
    """Accounts that no plan can serve, twenty by name and the rest gathered: an error where they must be served, a warning
    where they may stay unserved. `file` is what the user calls the accounts table."""
    told = Findings.of(_empty(problem, file))
    return told + Findings.of(_too_large(problem, overloads(problem.core), file))


def building(tables: Tables, scenario: Scenario, file: str) -> Findings:
    """What only building the problem shows: names in the scenario `file` that are not there, and what `preflight` says."""
    try:
        return preflight(build(tables, scenario), tables.files.get("accounts"))
    except InputError as error:
        return error.findings
    except UsageError as error:
        return Findings((Finding("scenario", str(error), "mend the rule, or the column it names", file=file),))


def overloads(core: Core) -> Overloads:
    """The units that no hard upper limit leaves room for, however empty the reps are. What any plan may exceed for a
    price does not count, nor rows in which something else could make room."""
    limit, size = _ceilings(core), np.diff(core.start)
    left = np.flatnonzero(size > 0) if np.isfinite(limit).any() else np.zeros(0, dtype=np.int64)
    for share in (0.0, 0.5, 1.0):  # a look at a few options of each unit clears almost all of them
        at = core.start[left] + (share * (size[left] - 1)).astype(np.int64)
        left = left[_worst(core, at, limit)[0] > 0]
    found: list[tuple[np.ndarray, ...]] = [(np.zeros(0, np.int64),) * 2 + (np.zeros(0),)]
    for units in np.split(left, np.flatnonzero(np.diff(np.cumsum(size[left]) // CHUNK)) + 1):
        count = size[units]
        begin = np.cumsum(count) - count
        at = np.repeat(core.start[units] - begin, count) + np.arange(count.sum())
        if not len(at):
            continue
        out, row, amount = _worst(core, at, limit)
        never = np.flatnonzero(np.minimum.reduceat(out, begin) > 0)
        order = np.lexsort((out, np.repeat(np.arange(len(units)), count)))
        least = order[begin[never]]
        found.append((at[least], row[least], amount[least]))
    option, row, amount = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Overloads(core.unit[option], option, row, amount)


def _ceilings(core: Core) -> np.ndarray:
    """[R + 1] the most that one option may add to each row: the bound of hard rows to which nothing can add less than 0,
    else infinity; the last is for options in no row."""
    limit = np.where(np.isinf(core.penalty), core.upper, np.inf)
    limit = np.append(np.where(core.position >= 0, np.maximum(limit, 0.0), limit), np.inf)
    for by_option, coef, by_rep, line in core.factor:
        row = np.unique(core.rep_row[line] if by_rep else core.unit_row[line])
        amount = core.option_coef[coef] if by_option else core.unit_coef[coef]
        if np.isfinite(limit[row]).any() and amount.min(initial=0.0) < 0:
            limit[row] = np.inf
    return limit


def _worst(core: Core, at: np.ndarray, limit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the options `at`: by how much each exceeds a row on its own, as a share of its bound (0: it fits), the row where
    that is most, and the amount there."""
    scale = np.maximum(1.0, np.abs(limit + np.append(core.offset, 0.0)))
    scale[~np.isfinite(limit)] = 1.0
    out, where, most = np.zeros(len(at)), np.full(len(at), -1, dtype=np.int64), np.zeros(len(at))
    for row, amount in core.contributions(at):
        over = (amount - limit[row]) / scale[row]
        more = (over > TOLERANCE) & (over > out)
        out, where, most = np.where(more, over, out), np.where(more, row, where), np.where(more, amount, most)
    return out, where, most


def brief(problem: Problem, found: Overloads) -> tuple[str, ...]:
    """A sentence for each rule that some accounts exceed on their own, for `Result.notes`."""
    limits, said = problem.limits.iloc[found.row].reset_index(drop=True), []
    for rule, measure, scope in (
        limits[["rule", "measure", "scope"]].drop_duplicates().itertuples(index=False, name=None)
    ):
        ids = problem.scores.account_ids[problem.options.lead[found.unit[(limits["rule"] == rule).to_numpy()]]]
        count = f"{len(ids):,} accounts fit" if len(ids) > 1 else "1 account fits"
        place = f"in no rep's {measure}" if scope == "rep" else f"in no {scope}'s {measure}"
        said.append(f"{count} {place} (rule {rule!r}): {_names(ids, 10)}")
    return tuple(said)


def demand_numbers(problem: Problem) -> None:
    """Raises `UsageError` for a number no engine can be trusted with, saying whose it is."""
    core, scores = problem.core, problem.scores

    def whose(option: int) -> str:
        return f"account {_lead(problem, core.unit[option])!r} with rep {scores.rep_ids[core.rep[option]]!r}"

    bad = np.flatnonzero(~np.isfinite(core.value))
    if len(bad):
        _refuse(f"the value of {whose(bad[0])}", core.value[bad[0]])
    for by_option, coef, by_rep, line in core.factor:
        amount = core.option_coef[coef] if by_option else core.unit_coef[coef]
        bad = np.flatnonzero(~np.isfinite(amount))
        if len(bad):
            rows = core.rep_row[line] if by_rep else core.unit_row[line]
            limit = problem.limits.iloc[rows.max(initial=0)]
            of = whose(bad[0]) if by_option else f"account {_lead(problem, bad[0])!r}"
            _refuse(f"in rule {limit['rule']!r} the {limit['measure']} of {of}", amount[bad[0]])
    bad = np.flatnonzero(~np.isfinite(core.cost))
    if len(bad):
        _refuse(f"the cost of rep {scores.rep_ids[bad[0]]!r}", core.cost[bad[0]])
    for words, side, wrong in (
        ("upper bound", core.upper, np.isnan(core.upper) | (core.upper == -np.inf)),
        ("lower bound", core.lower, np.isnan(core.lower) | (core.lower == np.inf)),
        ("penalty", core.penalty, np.isnan(core.penalty)),
    ):
        bad = np.flatnonzero(wrong)
        if len(bad):
            limit = problem.limits.iloc[bad[0]]
            _refuse(f"in rule {limit['rule']!r} the {words} for {limit['row']}", side[bad[0]])


def _refuse(what: str, number: float) -> None:
    raise UsageError(f"{what} is {number}, not a finite number; bookfit validate lists what the tables hold")


def demand_memory(problem: Problem, engine: str, bytes_per_option: int, available: int) -> None:
    """Raises `UsageError` where the engine would need more than the `available` bytes, with the size that would fit."""
    core, levels = problem.core, len(problem.scores.scoring.levels)
    fixed = PROCESS + BYTES_PER_UNIT * core.units
    each = bytes_per_option + sum(getattr(core, f.name).nbytes for f in fields(core)) / max(1, core.options)
    needed = fixed + each * core.options
    if needed <= available:
        return
    fit = max(0, int((available - fixed) / each))
    fit -= fit % 10 ** max(0, len(str(fit)) - 2)  # two figures are all that is known
    said = f"engine {engine!r} needs about {_gib(needed)} for {core.options:,} options, and there are "
    said += f"{_gib(available)}: "
    if not fit:
        raise UsageError(f"{said}not even a process fits in that; allow more memory")
    reps = fit // max(1, core.units * levels) - 1  # today's rep stays an option as well
    cut = f', add a rule such as {{name = "near", kind = "nearest", reps = {reps}}}' if reps > 0 else ""
    other = "" if engine == LEAN else f", take engine {LEAN}"
    raise UsageError(
        f"{said}about {fit:,} options would fit; allow more memory{other}{cut}, or plan fewer reps at a time"
    )


def _gib(size: float) -> str:
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / GIB:.2f} GiB"


def _too_large(problem: Problem, found: Overloads, file: str | None) -> Iterator[Finding]:
    must = problem.core.mandatory[found.unit]
    for severity in ("error", "warning"):
        here = np.flatnonzero(must == (severity == "error"))
        units = found.unit[here]
        texts = [_excess(problem, found, int(i)) for i in here[: SHOWN + 1]]
        if severity == "error":
            remedy = f"split it, raise the limit, or take it out of {_keepers(problem)}: no plan can exist as it is"
        else:
            remedy = "split it or raise the limit for one rep; as it is it stays unserved"
        yield from _each(problem, units, texts, remedy, severity, file)


def _excess(problem: Problem, found: Overloads, i: int) -> str:
    """What one unit comes to, and the most that it could."""
    core, limits, option = problem.core, problem.limits.iloc[found.row[i]], found.option[i]
    rep = problem.scores.rep_ids[core.rep[option]]
    bound = core.upper[found.row[i]]
    label = limits["row"] if limits["scope"] == "company" else f"{limits['scope']} {limits['row']}"
    whose = f"{rep}, who comes closest" if limits["scope"] == "rep" else label
    more = int(np.diff(problem.options.member_start)[found.unit[i]]) - 1
    family = f"with {more} more of its family " if more else ""
    amount = f"{found.amount[i]:,.6g} {limits['measure']}"
    return f"{family}comes to {amount}, but rule {limits['rule']!r} allows at most {bound:,.6g} ({whose})"


def _empty(problem: Problem, file: str | None) -> Iterator[Finding]:
    """Units for which the rules leave no rep, and which rules those are."""
    bare = np.diff(problem.core.start) == 0
    if not bare.any():
        return
    posted = [(r.name, r.post(problem.scores)) for r in problem.scenario.active if r.posts == "options"]
    must = np.flatnonzero(bare & problem.core.mandatory)
    texts = [f"must be served, but {_why_none(problem, posted, int(u))}" for u in must[: SHOWN + 1]]
    remedy = "change one of these rules, or take the account out of it: no plan can exist as it is"
    yield from _each(problem, must, texts, remedy, "error", file)
    free = np.flatnonzero(bare & ~problem.core.mandatory)
    if len(free):
        others = problem.scores.account_ids[problem.options.lead[free[1 : 1 + NAMED]]]
        text = f"stays unserved{f', as do {_names(others, NAMED)}' if len(others) else ''}: "
        text += _why_none(problem, posted, int(free[0]))
        yield _one(problem, int(free[0]), text, "change a rule if it should be served", "warning", file, len(free))


def _why_none(problem: Problem, posted: Sequence[tuple[str, Restriction]], unit: int) -> str:
    """Which rules leave a unit without any rep: one that does so alone, else all that exclude some."""
    options, scores = problem.options, problem.scores
    role = int(options.role[unit])
    members = options.member[options.member_start[unit] : options.member_start[unit + 1]]
    fits = role_fits(scores)[role]
    if not fits.any():
        return f"no rep works in role {scores.role_names[role]!r}"
    some = []
    for name, rule in posted:
        ok = _allowed(rule, members, role, len(fits))
        if not (ok & fits).any():
            return f"rule {name!r} leaves no rep for it"
        if not ok[fits].all():
            some.append(repr(name))
    return f"rules {', '.join(some)} together leave no rep for it"


def _allowed(rule: Restriction, members: np.ndarray, role: int, reps: int) -> np.ndarray:
    """[M] the reps that a restriction leaves to accounts that stay together."""
    ok = np.ones(reps, dtype=bool)
    if rule.code is not None and rule.allowed is not None:
        ok &= rule.allowed[rule.code[members]].all(axis=0)
    if rule.forbidden is not None:
        ok[rule.forbidden[1][np.isin(rule.forbidden[0], members)]] = False
    tied = np.unique(rule.only[members, role]) if rule.only is not None else np.zeros(0, dtype=np.int32)
    tied = tied[tied != -1]
    return ok & (np.arange(reps) == tied[0]) & (len(tied) == 1) if len(tied) else ok


def _each(
    problem: Problem, units: np.ndarray, texts: list[str], remedy: str, severity: Severity, file: str | None
) -> Iterator[Finding]:
    """A finding for each of the first units, and one for all the others."""
    for unit, text in zip(units[:SHOWN], texts[:SHOWN], strict=True):
        yield _one(problem, int(unit), text, remedy, severity, file)
    if len(units) > SHOWN:
        text = f"and others like it: {texts[SHOWN]}"
        yield _one(problem, int(units[SHOWN]), text, remedy, severity, file, len(units) - SHOWN)


def _one(
    problem: Problem, unit: int, text: str, remedy: str, severity: Severity, file: str | None, count: int = 1
) -> Finding:
    scores, options = problem.scores, problem.options
    lead = int(options.lead[unit])
    if scores.roles_named:
        text = f"in role {scores.role_names[options.role[unit]]!r} {text}"
    row = int(scores.accounts.index[lead])
    return Finding("accounts", text, remedy, row, "account_id", _lead(problem, unit), severity, file, count)


def _lead(problem: Problem, unit: int) -> str:
    return str(problem.scores.account_ids[problem.options.lead[unit]])


def _keepers(problem: Problem) -> str:
    return (
        ", ".join(f"rule {r.name!r}" for r in problem.scenario.active if r.kind == "keep") or "what makes it mandatory"
    )


def _names(ids: Sequence[Any] | np.ndarray, most: int) -> str:
    return ", ".join(map(str, ids[:most])) + (f" and {len(ids) - most:,} more" if len(ids) > most else "")
