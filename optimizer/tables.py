"""The data dictionary: which tables and columns we understand, in which unit, under which names.

`TABLES` is the one place that says so: reading, validation, the sample generator, the docs and the
screens all take it from here. A frame inside `Tables` holds one column per dictionary column that the
user gave (plus the user's own columns), typed as `DTYPES` says, and its **index is the row number a
spreadsheet would show** (the header is row 1), so that every later finding can point at the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from optimizer.errors import Findings

Kind = Literal[
    "id", "text", "list", "number", "money", "hours", "share", "count", "score", "factor", "flag", "date", "lat", "lon"
]

#: pandas dtype of a typed column, by kind. `list` holds several values in a cell, separated by `;`.
DTYPES: Mapping[str, str] = {
    **dict.fromkeys(("id", "text", "list"), "str"),
    **dict.fromkeys(("number", "money", "hours", "share", "count", "score", "factor", "lat", "lon"), "float64"),
    "flag": "boolean",
    "date": "datetime64[us]",
}
#: Allowed range of the numeric kinds, inclusive.
RANGES: Mapping[str, tuple[float, float]] = {
    "money": (0.0, 1e12),
    "hours": (0.0, 1e6),
    "share": (0.0, 1.0),
    "count": (0.0, 1e9),
    "score": (1.0, 10.0),
    "factor": (0.0, 10.0),
    "lat": (-90.0, 90.0),
    "lon": (-180.0, 180.0),
    "number": (-1e15, 1e15),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the dictionary. `default` says, in words, what fills it when it is missing."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    aliases: tuple[str, ...] = ()
    required: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its key columns (unique together) and what its rows mean."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = False
    aliases: tuple[str, ...] = ()

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)


def _three_years(stem: str, meaning: str) -> tuple[Column, ...]:
    return tuple(
        Column(f"{stem}_y{year}", "number" if stem == "growth" else "money", f"{meaning}, {ago}", "currency a year")
        for year, ago in ((1, "last year"), (2, "the year before"), (3, "two years before"))
    )


# The dictionary reads as a table: a column a line.
# fmt: off
ACCOUNTS = Table(
    "accounts",
    "customers and prospects, one a row",
    ("account_id",),
    (
        Column("account_id", "id", "the key; never changed", required=True,
               aliases=("Id", "Account ID", "Account Id", "Record ID", "Company ID", "CustomerID", "Account ID 18")),
        Column("name", "text", "what people call it", aliases=("Account Name", "Company name", "Company"),
               default="the account_id"),
        Column("owner_id", "id", "today's rep, a rep_id", required=True,
               aliases=("OwnerId", "Owner ID", "Account Owner ID", "Company owner", "HubSpot Owner Id")),
        Column("parent_id", "id", "the account it belongs to",
               aliases=("ParentId", "Parent Account ID", "Parent Record ID", "Parent Company ID")),
        Column("segment", "text", "size class", aliases=("Account Segment", "Tier", "Segment__c")),
        Column("industry", "text", "branch of business", aliases=("Sector",)),
        Column("region", "text", "sales region", aliases=("Sales Region", "Region__c")),
        Column("country", "text", "country",
               aliases=("BillingCountry", "Billing Country", "Country/Region", "Billing Country Code")),
        Column("state", "text", "state or province",
               aliases=("BillingState", "Billing State/Province", "State/Region", "Billing State")),
        Column("city", "text", "city", aliases=("BillingCity", "Billing City")),
        Column("postal", "id", "postal code, kept as text",
               aliases=("BillingPostalCode", "Billing Zip/Postal Code", "Postal Code", "Zip", "Zip Code")),
        Column("lat", "lat", "latitude", "degrees", ("BillingLatitude", "Latitude", "Billing Latitude")),
        Column("lon", "lon", "longitude", "degrees", ("BillingLongitude", "Longitude", "Billing Longitude", "lng")),
        Column("potential", "money", "revenue that could be won beyond today's, in a year", "currency a year",
               ("Account Potential", "Potential__c", "Whitespace"), required=True),
        Column("arr", "money", "revenue of today, in a year", "currency a year",
               ("ARR", "Annual Recurring Revenue", "ARR__c", "Current Revenue"), default="revenue_y1, else 0"),
        Column("annual_revenue", "money", "the customer's own turnover", "currency a year",
               ("AnnualRevenue", "Annual Revenue")),
        Column("employees", "count", "the customer's staff", "people",
               ("NumberOfEmployees", "Employees", "Number of Employees")),
        *_three_years("revenue", "what the account bought"),
        *_three_years("cost_to_serve", "what selling to and supporting it cost"),
        *_three_years("growth", "growth expected of it"),
        Column("fit", "factor", "how well it matches the ideal customer; 1 is par", "factor", default="1"),
        Column("key_account", "flag", "it is a key account", aliases=("Key Account", "Key_Account__c"),
               default="by the scenario's key-account filter, else no"),
        Column("key_score", "score", "key-account score, 1 very low to 10 very high", "points",
               ("Key Account Score",), default="by the scenario's criteria"),
        Column("hours", "hours", "work the account needs", "hours a year", default="the segment's touch model"),
        Column("required_skills", "list", "skills its rep must have", aliases=("Required Skills",)),
        Column("languages", "list", "languages its rep must speak", aliases=("Language",)),
        Column("open_opportunity", "flag", "a deal is open", aliases=("Has Open Opportunity",),
               default="from the opportunities table, else no"),
        Column("renewal_date", "date", "next renewal", aliases=("Renewal Date", "Contract End Date")),
        Column("owner_since", "date", "when today's rep took it", aliases=("Owner Since", "Owner Assigned Date")),
        Column("contacts", "count", "known contacts", "people", default="from the contacts table"),
        Column("contacts_active", "count", "contacts in touch with us", "people", default="from the contacts table"),
        Column("csat", "number", "customer satisfaction", "points"),
        Column("nps", "number", "net promoter score", "points"),
    ),
    required=True,
    aliases=("account", "companies", "company", "customers"),
)
REPS = Table(
    "reps",
    "the people (and open positions) who can own accounts",
    ("rep_id",),
    (
        Column("rep_id", "id", "the key; never changed", required=True,
               aliases=("Id", "User ID", "UserId", "Owner ID", "HubSpot Owner Id", "Rep ID")),
        Column("name", "text", "the rep's name", aliases=("Full Name", "User Name", "Owner Name"), default="the rep_id"),
        Column("email", "text", "e-mail address", aliases=("Email", "Owner Email")),
        Column("role", "text", "AE, CSM, SE …", aliases=("Title", "UserRole", "Role Name")),
        Column("team", "text", "team or manager", aliases=("Manager", "Department", "HubSpot Team")),
        Column("regions", "list", "regions the rep covers", aliases=("Region", "Territory", "Territories"),
               default="anywhere"),
        Column("skills", "list", "skills the rep has", aliases=("Skill",)),
        Column("languages", "list", "languages the rep speaks", aliases=("Language",)),
        Column("industries", "list", "industries the rep knows", aliases=("Industry", "Verticals")),
        Column("capacity_hours", "hours", "hours the rep can give to accounts", "hours a year",
               ("Capacity", "Capacity Hours"), default="1,500"),
        Column("max_accounts", "count", "most accounts in the book", "accounts", ("Max Accounts",), default="no limit"),
        Column("quota", "money", "revenue target", "currency a year", ("Quota Amount", "Annual Quota")),
        Column("performance", "factor", "how well the rep converts; 1 is par", "factor",
               default="learnt from closed deals and shrunk, else 1"),
        Column("ramp", "share", "share of full productivity in this period", "share", default="1"),
        Column("cost", "money", "what the rep costs", "currency a year", ("Total Cost", "OTE")),
        Column("open", "flag", "a position not yet hired", default="no"),
        Column("start_date", "date", "first working day", aliases=("Hire Date", "Start Date")),
        Column("end_date", "date", "last working day", aliases=("End Date", "Termination Date")),
        Column("lat", "lat", "latitude of the rep's base", "degrees", ("Latitude",)),
        Column("lon", "lon", "longitude of the rep's base", "degrees", ("Longitude", "lng")),
    ),
    required=True,
    aliases=("rep", "users", "owners", "sales_reps", "sellers"),
)
ASSIGNMENTS = Table(
    "assignments",
    "who owns what today, where an account needs reps in several roles",
    ("account_id", "role"),
    (
        Column("account_id", "id", "an account", required=True, aliases=("AccountId", "Account ID")),
        Column("rep_id", "id", "its rep today", required=True, aliases=("UserId", "OwnerId", "Owner ID", "User ID")),
        Column("role", "text", "in which role", aliases=("TeamMemberRole", "Team Role"), default="the first role"),
        Column("since", "date", "since when"),
    ),
    aliases=("assignment", "account_team", "accountteammember"),
)
OPPORTUNITIES = Table(
    "opportunities",
    "deals, open and closed",
    ("opportunity_id",),
    (
        Column("opportunity_id", "id", "the key", required=True, aliases=("Id", "Opportunity ID", "Deal ID", "Record ID")),
        Column("account_id", "id", "its account", required=True,
               aliases=("AccountId", "Account ID", "Associated Company IDs", "Associated Company")),
        Column("rep_id", "id", "who worked it", aliases=("OwnerId", "Owner ID", "Deal owner")),
        Column("stage", "text", "stage as the CRM names it", aliases=("StageName", "Deal Stage")),
        Column("won", "flag", "closed and won", aliases=("IsWon", "Is Closed Won"),
               default="stage is Won or Closed Won"),
        Column("closed", "flag", "won or lost", aliases=("IsClosed", "Is Closed"),
               default="a close date and a stage of won or lost"),
        Column("amount", "money", "value of the deal", "currency", ("Amount", "Deal Amount")),
        Column("created_date", "date", "when it was opened", aliases=("CreatedDate", "Create Date", "Created Date")),
        Column("close_date", "date", "when it closed", aliases=("CloseDate", "Close Date")),
        Column("product", "text", "what was sold"),
    ),
    aliases=("opportunity", "deals", "deal"),
)
CONTACTS = Table(
    "contacts",
    "people at the accounts",
    ("contact_id",),
    (
        Column("contact_id", "id", "the key", required=True, aliases=("Id", "Contact ID", "Record ID")),
        Column("account_id", "id", "their account", required=True,
               aliases=("AccountId", "Account ID", "Associated Company IDs", "Associated Company")),
        Column("name", "text", "the person's name", aliases=("Full Name",)),
        Column("active", "flag", "in touch with us", aliases=("Is Active",), default="not known"),
        Column("last_activity", "date", "last touch", aliases=("LastActivityDate", "Last Activity", "Last Activity Date")),
    ),
    aliases=("contact", "people"),
)
ACTIVITIES = Table(
    "activities",
    "calls, e-mails and meetings",
    ("activity_id",),
    (
        Column("activity_id", "id", "the key", required=True, aliases=("Id", "Activity ID")),
        Column("account_id", "id", "with which account", required=True, aliases=("AccountId", "WhatId", "Account ID")),
        Column("rep_id", "id", "by whom", aliases=("OwnerId", "Owner ID", "Assigned To ID")),
        Column("kind", "text", "call, e-mail, meeting …", aliases=("Type", "Activity Type")),
        Column("date", "date", "when", aliases=("ActivityDate", "Activity Date")),
        Column("hours", "hours", "how long", "hours", ("Duration",)),
    ),
    aliases=("activity", "tasks", "events", "engagements"),
)

# fmt: on
TABLES: tuple[Table, ...] = (ACCOUNTS, REPS, ASSIGNMENTS, OPPORTUNITIES, CONTACTS, ACTIVITIES)


@dataclass(frozen=True, slots=True)
class Tables:
    """The user's data, typed, with what reading noticed.

    `files` says where each table came from, in the user's words; `findings` what reading could not
    take as it stood; `defaults` one sentence for every default that filled a gap.
    """

    accounts: pd.DataFrame
    reps: pd.DataFrame
    assignments: pd.DataFrame | None = None
    opportunities: pd.DataFrame | None = None
    contacts: pd.DataFrame | None = None
    activities: pd.DataFrame | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    findings: Findings = Findings()
    defaults: tuple[str, ...] = ()

    def present(self) -> dict[str, pd.DataFrame]:
        """The tables that were given, by name, in dictionary order."""
        frames = {t.name: getattr(self, t.name) for t in TABLES}
        return {name: frame for name, frame in frames.items() if frame is not None}


def table(name: str) -> Table:
    """The dictionary entry of a table. Raises `KeyError` for a name that is not one of ours."""
    return {t.name: t for t in TABLES}[name]


def plain(header: str) -> str:
    """A header reduced to what identifies it: lower case letters and digits."""
    return re.sub(r"[^0-9a-z]", "", header.casefold())


def split_list(cell: object) -> tuple[str, ...]:
    """The values of a `list` cell (`"a; b"`), in order, without blanks; empty for a missing cell."""
    if not isinstance(cell, str):
        return ()
    return tuple(part for part in (p.strip() for p in cell.split(";")) if part)
