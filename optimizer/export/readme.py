"""The first sheet: what this plan is, how good it is, and how to answer it."""

from __future__ import annotations

import math
from collections.abc import Iterator

from xlsxwriter.worksheet import Worksheet

from optimizer.check import judge
from optimizer.core import share_of
from optimizer.export.content import OVERLOADED, Handover
from optimizer.export.look import GREY, INK, RULE, TONES, Kind, Look

#: label, number or text, its kind, sentence
Fact = tuple[str, float | str, Kind, str]

HOW = (
    ("1", "On the sheet Assignments, filter to your team or your accounts."),
    ("2", "Where you disagree with the planned owner, choose another in the yellow column New owner. "
          "(nobody) means that the account is left unserved. Leave the cell empty where the plan is fine."),
    ("3", "Write yes in the yellow column Lock where an account must stay with its owner whenever we plan again."),
    ("4", "Save the workbook and send it back to whoever plans, who takes your changes over as rules of the scenario "
          "(keep and forbid). Rows go by account, so hiding or filtering does no harm."),
    ("", "Everything else is locked, without a password, so that no id is changed by a slip."),
)  # fmt: skip
SHEETS = (
    ("Assignments", "every account: today's owner, the planned owner, what it is worth, and the next best owner"),
    ("Changes", "only the accounts whose owner differs from today's"),
    ("Books", "one row a rep: load, accounts, potential, value, what came and what went"),
    ("Unassigned", "accounts the plan leaves without a rep, and who would be best for each"),
    ("Limits", "every limit: bounds, where the plan stands, and what one unit more would be worth"),
    ("Scenario", "the rules and settings this plan was made with, and the defaults that filled gaps"),
)
WORDS = (
    ("Model value", "what the plan is worth under the scoring of this scenario, in currency a year. "
                    "It compares plans; it is not a revenue forecast."),
    ("Moved", "an account of one of these reps that goes to another, or is left unserved"),
    ("Rehomed", "an account whose owner of today is not among these reps and that gets one of them"),
    ("Price", "what one more unit of a limit (an hour, an account) would add to the model value"),
    ("Cost of the next best", "the model value lost by choosing the next best owner, with what that owner's "
                              "limits would give up counted in; negative where limits forced the second choice"),
)  # fmt: skip


def write_readme(page: Worksheet, data: Handover, look: Look) -> None:
    """Title, key figures, how to answer, sheets and words, top to bottom."""
    page.hide_gridlines(2)
    page.set_column(0, 0, 2)
    page.set_column(1, 1, 26)
    page.set_column(2, 2, 20)
    page.set_column(3, 3, 92)
    page.set_tab_color(INK)
    given = data.problem.scenario
    page.set_row(1, 30)
    page.write_string(1, 1, f"Account plan: {given.name}", look.of(bold=True, font_size=20, font_color=INK))
    row = 2
    if given.description:
        page.write_string(row, 1, given.description, look.of(font_color=GREY, italic=True, font_size=11))
        row += 1
    row = _facts(page, list(facts(data)), look, row + 1)
    for title, lines in (("How to answer this plan", HOW), ("What is on which sheet", SHEETS), ("Words", WORDS)):
        row = _lines(page, title, lines, look, row + 1)
    if data.result is not None:
        row = _lines(page, "Where it comes from", _origin(data), look, row + 1)
    page.set_landscape()
    page.set_paper(9)
    page.set_margins(0.4, 0.4, 0.5, 0.6)
    page.fit_to_pages(1, 1)
    page.set_footer("&L&8&A&R&8Page &P of &N")
    page.activate()


def facts(data: Handover) -> Iterator[Fact]:
    """The key figures."""
    rows, books = data.rows, data.books
    currency, report = data.currency, data.report
    before = judge(data.problem.scores, data.problem.scenario.active, data.problem.today)
    broken = f"; today breaks {len(before.sentences()):,} hard limits" if not before.ok else ""
    better = report.objective - before.objective
    yield (
        "Model value", report.objective, "money",
        f"{currency} a year; {abs(better):,.0f} {currency} {'more' if better >= 0 else 'less'} than today's "
        f"ownership{broken}",
    )  # fmt: skip
    yield "How good it is", standing(data), "text", proof(data)
    said = report.sentences()
    yield (
        "Rules",
        f"{len(said):,} broken" if said else "all kept",
        "text",
        said[0] if said else "no hard rule is broken",
    )
    served = rows["rep_id"].notna()
    what = "accounts" if len(data.problem.scores.roles) == 1 else "accounts × roles"
    yield (
        "Served",
        float(served.sum()),
        "count",
        f"of {len(rows):,} {what}; {int((~served).sum()):,} are left without a rep",
    )
    arr = float(data.of_accounts("arr")[rows["moved"]].sum())
    share = float(data.of_accounts("arr").sum())
    part = f" ({arr / share:.1%} of all)" if share > 0 else ""
    yield (
        "Moved",
        float(rows["moved"].sum()),
        "count",
        f"accounts that leave their rep of today, with {arr:,.0f} {currency} ARR{part}",
    )
    hired = books[~books["open"]]
    over = int((books["utilisation"] > OVERLOADED + 1e-9).sum())
    mean = hired["hours"].sum() / max(1e-9, hired["capacity_hours"].sum())
    yield (
        "Reps",
        float((books["accounts"] > 0).sum()),
        "count",
        f"with accounts; hired reps are {mean:.0%} busy, {over:,} have more work than hours",
    )


def proof(data: Handover) -> str:
    """How far from the best possible plan, in words."""
    result = data.result
    if result is None or not math.isfinite(result.bound):
        return "nothing is proved about how good this plan is"
    if not data.report.ok:
        return "this plan breaks hard rules, so that it cannot be compared with the best plan that keeps them"
    by = {
        "prices": "by the prices in this workbook, which anybody can check",
        "books": "by whole books, which the kept run lets anybody check",
        "listing": "by listed books, which the kept run lets anybody check",
        "search": "by a solver's search",
    }[result.bound_by]
    if result.status == "OPTIMAL":
        return f"no better plan exists for these scores and rules (proved {by})"
    gap = max(0.0, result.bound - data.report.objective)
    return f"at most {gap:,.0f} {data.currency} below the best possible plan (proved {by})"


def standing(data: Handover) -> str:
    """`proof` in two or three words."""
    result = data.result
    if result is None or not math.isfinite(result.bound) or not data.report.ok:
        return "not known"
    share = share_of(result.bound, data.report.objective)
    return "the best" if result.status == "OPTIMAL" else "not known" if math.isnan(share) else f"within {share:.2%}"


def _origin(data: Handover) -> tuple[tuple[str, str], ...]:
    result = data.result
    assert result is not None
    versions = ", ".join(f"{k} {v}" for k, v in result.versions.items())
    lines = (
        ("Run", data.run_id),
        ("Engine", f"{result.engine}, {result.seconds:,.1f} s, seed {result.seed}, stopped by {result.stopped_by}"),
        ("Versions", versions),
        *(("Note", note) for note in result.notes),
    )
    return tuple((label, text) for label, text in lines if text)


def _facts(page: Worksheet, known: list[Fact], look: Look, row: int) -> int:
    for label, value, kind, sentence in known:
        tone = TONES["bad"] if label == "Rules" and value != "all kept" else {"font_color": INK}
        line = {"bottom": 1, "bottom_color": RULE, "valign": "vcenter"}
        figure = look.of(bold=True, font_size=14, align="left", num_format=look.number(kind), **line, **tone)
        page.set_row(row, 28)
        page.write_string(row, 1, label, look.of(font_color=GREY, font_size=11, **line))
        if isinstance(value, str):
            page.write_string(row, 2, value, figure)
        else:
            page.write_number(row, 2, value, figure)
        page.write_string(row, 3, sentence, look.of(text_wrap=True, font_size=11, **line))
        row += 1
    return row


def _lines(page: Worksheet, title: str, lines: tuple[tuple[str, str], ...], look: Look, row: int) -> int:
    page.set_row(row, 20)
    page.write_string(row, 1, title, look.of(bold=True, font_size=13, font_color=INK))
    text = look.of(text_wrap=True, font_size=11)
    for label, words in lines:
        row += 1
        page.set_row(row, 15.5 * max(1, math.ceil(len(words) / 125)))
        page.write_string(row, 1, label, look.of(bold=True, font_size=11, align="left"))
        page.merge_range(row, 2, row, 3, "", text)
        page.write_string(row, 2, words, text)
    return row + 1
