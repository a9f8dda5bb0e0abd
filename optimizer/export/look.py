"""How the workbook looks: one place for colours, number formats, widths and the writing of a sheet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from optimizer.errors import Finding, InputError
from optimizer.formats.excel import MAX_TEXT

Kind = Literal["id", "text", "words", "money", "price", "hours", "count", "number", "share", "date"]

INK, PAPER, RULE, YELLOW, DEEP_YELLOW, GREY = "#17324D", "#FFFFFF", "#D5DCE4", "#FFF9DB", "#F2C94C", "#5F6B7A"
#: conditional formats: fill and ink
TONES = {
    "bad": {"bg_color": "#FBE3E1", "font_color": "#9B1C1C"},
    "warn": {"bg_color": "#FDF0D5", "font_color": "#8A5300"},
    "good": {"bg_color": "#E2F3E8", "font_color": "#14633A"},
    "note": {"bg_color": "#E4EEF8", "font_color": "#17507F"},
}
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
NO_CENTS = ("JPY", "KRW", "CLP", "VND", "ISK", "HUF")
WIDTHS: Mapping[Kind, int] = {"money": 15, "price": 15, "hours": 11, "count": 11, "number": 13, "share": 12, "date": 12}


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a sheet: its title with the unit, its cells, and how they are written."""

    title: str
    cells: pd.Series
    kind: Kind = "text"
    editable: bool = False
    hidden: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table to be shown. `fixed` columns stay in view; `tones` are (column title, criteria, tone) of the rows."""

    name: str
    columns: tuple[Column, ...]
    fixed: int = 1
    tones: tuple[tuple[str, Mapping[str, Any], str], ...] = ()
    tab: str = INK
    wrap: bool = False

    def place(self, title: str) -> int:
        """Position of a column."""
        return [c.title for c in self.columns].index(title)


@dataclass(frozen=True, slots=True)
class Look:
    """Cell formats of one workbook, made once each. `currency` is the ISO code of its amounts."""

    book: Workbook
    currency: str
    made: dict[tuple[tuple[str, Any], ...], Format] = field(default_factory=dict)

    def of(self, **properties: Any) -> Format:
        """The format with these XlsxWriter properties."""
        key = tuple(sorted(properties.items()))
        if key not in self.made:
            self.made[key] = self.book.add_format(
                {"font_name": "Calibri", "font_size": 10, "valign": "top", **properties}
            )
        return self.made[key]

    def number(self, kind: Kind) -> str:
        """The number format of a kind of cell."""
        symbol = SYMBOLS.get(self.currency, f"{self.currency} ")
        money = f"[${symbol}]#,##0"
        cents = money if self.currency in NO_CENTS else f"{money}.00"
        return {
            "id": "@", "text": "@", "words": "General", "money": f"{money};[Red]-{money}", "price": f"{cents};-{cents}",
            "hours": "#,##0.0", "count": "#,##0", "number": "#,##0.0", "share": "0.0%", "date": "yyyy-mm-dd",
        }[kind]  # fmt: skip

    def cell(self, column: Column, wrap: bool = False) -> Format:
        """The format of a column's cells; editable ones are yellow and unlocked."""
        properties: dict[str, Any] = {"num_format": self.number(column.kind)}
        if column.editable:
            properties |= {"bg_color": YELLOW, "border": 1, "border_color": RULE, "locked": False, "num_format": "@"}
        if column.kind in ("id", "text", "words"):
            properties |= {"indent": 1, "align": "left"}
        if wrap or column.kind == "words":
            properties["text_wrap"] = True
        return self.of(**properties)

    def header(self, column: Column) -> Format:
        """The format of a column's title."""
        ground = (
            {"bg_color": DEEP_YELLOW, "font_color": INK} if column.editable else {"bg_color": INK, "font_color": PAPER}
        )
        right = column.kind not in ("id", "text", "words", "date")
        return self.of(
            bold=True, text_wrap=True, valign="vcenter", align="right" if right else "left", indent=0 if right else 1,
            border=1, border_color=RULE, **ground,
        )  # fmt: skip


def write_sheet(page: Worksheet, sheet: Sheet, look: Look) -> None:
    """Title row, cells, widths, frozen panes, filter, colours and page set-up. Text stays text, whatever it holds."""
    demand_fits(sheet)
    rows = len(sheet.columns[0].cells)
    page.set_tab_color(sheet.tab)
    page.set_row(0, 32)
    for place, column in enumerate(sheet.columns):
        options = {"hidden": True} if column.hidden else {}
        page.set_column(place, place, width(column), look.cell(column, sheet.wrap), options)
        page.write_string(0, place, column.title, look.header(column))
        if column.note:
            page.write_comment(0, place, column.note, {"x_scale": 1.8, "y_scale": 0.8, "font_size": 9})
    formats = [look.cell(column, sheet.wrap) for column in sheet.columns]
    writers = [_writer(page, column) for column in sheet.columns]
    values = [_values(column) for column in sheet.columns]
    for row, cells in enumerate(zip(*values, strict=True), start=1):
        for place, value in enumerate(cells):
            if value is not None:
                writers[place](row, place, value, formats[place])
            elif sheet.columns[place].editable:
                page.write_blank(row, place, None, formats[place])
    page.freeze_panes(1, sheet.fixed)
    shown = max(i for i, c in enumerate(sheet.columns) if not c.hidden)
    page.autofilter(0, 0, max(rows, 1), shown)
    for title, criteria, tone in sheet.tones:
        place = sheet.place(title)
        style = look.book.add_format(TONES[tone])
        page.conditional_format(1, place, max(rows, 1), place, {**criteria, "format": style})
    page.set_landscape()
    page.set_paper(9)
    page.set_margins(0.4, 0.4, 0.5, 0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    page.set_footer("&L&8&A&R&8Page &P of &N")


def width(column: Column) -> float:
    """Width in characters: what most cells need, and the longest word of the title."""
    title = max((len(word) for word in column.title.split()), default=4) + 3
    if column.kind == "words":
        return max(title, 70)
    if column.kind in WIDTHS:
        return max(title, WIDTHS[column.kind])
    lengths = column.cells.iloc[:5000].str.len().fillna(0)
    usual = float(lengths.quantile(0.98)) if len(lengths) else 0.0
    least, most = (12, 26) if column.editable else (9, 36)
    return float(min(most, max(title, least, usual + 3)))


def demand_fits(sheet: Sheet) -> None:
    """Raise `InputError` for text that Excel cannot hold: too long, or with code points that are not characters."""
    findings = []
    for column in sheet.columns:
        if not isinstance(column.cells.dtype, pd.StringDtype):
            continue
        bad = column.cells.str.len().gt(MAX_TEXT) | column.cells.str.contains("[\x00\ufffe\uffff]", na=False)
        if bad.any():
            example = str(column.cells[bad].iloc[0])
            problem = f"does not fit an Excel cell (more than {MAX_TEXT:,} characters, or U+0000, U+FFFE, U+FFFF)"
            findings.append(
                Finding(sheet.name, problem, "shorten or clean it, or export CSV", column=column.title, value=example,
                        count=int(bad.sum()))
            )  # fmt: skip
    if findings:
        raise InputError.of(findings)


def _writer(page: Worksheet, column: Column) -> Any:
    if column.kind == "date":
        return page.write_datetime
    return page.write_string if column.kind in ("id", "text", "words") else page.write_number


def _values(column: Column) -> Sequence[Any]:
    """The cells as Python values; None where there is nothing to write."""
    if column.kind == "date":
        days = pd.to_datetime(column.cells)
        known = days.notna() & (days.dt.year > 1900) & (days.dt.year < 10_000)
        return [_day(d) if ok else None for d, ok in zip(days.dt.to_pydatetime(), known, strict=True)]
    if column.kind in ("id", "text", "words"):
        text = column.cells.astype("str")
        return text.astype(object).where(text.notna() & (text != ""), None).tolist()
    number = column.cells.to_numpy(dtype=float, na_value=np.nan)
    return [value if math.isfinite(value) else None for value in number.tolist()]


def _day(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
