"""What lies in the books: hours, accounts, potential and quota coverage, by rep."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.parts import Measured, by_people

#: hours ÷ capacity: below, capacity idles; above, somebody is promised hours that do not exist
BAND = (0.80, 1.00)
NOBODY = "no rep works in this plan"


def _utilisation(basis: Basis) -> Measured:
    note = basis.notes_about("accounts.hours", "reps.capacity_hours")
    return by_people(basis, basis.hours, basis.capacity, basis.works, "no capacity here", note)


def _accounts(basis: Basis) -> Measured:
    return by_people(basis, basis.book(), np.ones(len(basis.reps)), basis.works, NOBODY)


def _potential(basis: Basis) -> Measured:
    return by_people(basis, basis.book(basis.potential), np.ones(len(basis.reps)), basis.works, NOBODY)


def _quota(basis: Basis) -> Measured:
    use = basis.works & (basis.quota > 0)
    return by_people(basis, basis.book(basis.potential), basis.quota, use, "no rep here has a quota above 0")


UTILISATION = Kpi(
    name="utilisation",
    title="Utilisation",
    family="books",
    perspective="non-financial",
    unit="share",
    higher_is="band",
    band=BAND,
    needs=("reps.rep_id",),
    measure=_utilisation,
    attributes=Attributes(
        definition="Hours the book needs in a year, travel included, over the hours the rep can give.",
        business_insight="Above 100% key accounts starve and dates slip; far below it quota is missed while "
        "capacity idles.",
        measurement_approach="Add the hours of every assignment of the rep and divide by capacity_hours. Open "
        "positions count once the plan fills them.",
        formula="hours ÷ capacity × 100",
        trend_analysis="Compare with hours logged after a quarter: if they differ by much, mend the touch model, "
        "not the plan.",
        diagnostics="A wide spread with a sound mean points at eligibility: regions or skills that only few reps have.",
        tips="Plan to about 90%: illness, leavers and new accounts take the rest.",
        visualisation="Sorted bars by rep with a line at 100% and the band shaded.",
        risk_warnings="Hours are a model. Where the columns are empty the note says which defaults stand in for them.",
        tools="Column hours or the touch model by segment; capacity_hours of the reps; the plan.",
        integration_points="Calendar and activity logs to check; the personnel system for absence and part time.",
        change_impact="Every account moved shifts its hours, and travel changes with the rep's base.",
    ),
)

ACCOUNTS = Kpi(
    name="accounts_per_rep",
    title="Accounts per rep",
    family="books",
    perspective="non-financial",
    unit="accounts",
    higher_is="neutral",
    needs=("reps.rep_id",),
    measure=_accounts,
    attributes=Attributes(
        definition="How many accounts a rep serves, on average and one by one.",
        business_insight="Past some number the next account is worth less than the attention it takes from the others.",
        measurement_approach="Count the accounts of each book once, in however many roles; average over reps who work.",
        formula="accounts served ÷ reps",
        trend_analysis="Compare within a segment: 2–6 is usual for global accounts, 20–50 in the field, 75–125 at"
        " most.",
        diagnostics="Many accounts with few hours each may be right for a tele-sales book; look at utilisation first.",
        tips="Use max_accounts for a hard ceiling and leave four to ten places free in a book for newcomers.",
        visualisation="A histogram of books by number of accounts.",
        risk_warnings="A count takes a giant and a dwarf for the same. It is not a measure of work.",
        tools="The plan; max_accounts of the reps for the ceiling.",
        integration_points="Owner report of the CRM.",
        change_impact="Families move as one, so a single decision can change the count by dozens.",
    ),
)

POTENTIAL = Kpi(
    name="potential_per_rep",
    title="Potential per rep",
    family="books",
    perspective="financial",
    unit="currency",
    higher_is="neutral",
    needs=("accounts.potential",),
    measure=_potential,
    attributes=Attributes(
        definition="Potential of the accounts in a book, on average and rep by rep.",
        business_insight="Reps compare books by what can be earned from them; this is the figure they will ask about.",
        measurement_approach="Add the potential of each account of the book once; average over reps who work.",
        formula="potential of the book ÷ reps",
        trend_analysis="Compare after each refresh of the potentials; keep the version beside the figure.",
        diagnostics="Take out the largest account of a book and look again: one guess often makes a book rich.",
        tips="Hold books within 10–15% of the fair share by ramp, unless a region simply has less.",
        visualisation="Sorted bars by rep, the largest account of each book in a darker shade.",
        risk_warnings="Guessed potential makes books unfair in truth however even they look.",
        tools="Column potential of the accounts; the plan.",
        integration_points="Whitespace analysis and enrichment data.",
        change_impact="Evening it out moves accounts, and each move costs part of that account's revenue.",
    ),
)

QUOTA = Kpi(
    name="quota_coverage",
    title="Quota coverage of the book",
    family="books",
    perspective="financial",
    unit="ratio",
    higher_is="better",
    needs=("accounts.potential", "reps.quota"),
    measure=_quota,
    attributes=Attributes(
        definition="Potential of the book over the rep's quota: how many times the target is there to be found.",
        business_insight="A rep whose book holds less than the quota cannot meet it by working harder.",
        measurement_approach="Add the potential of each account of the book once; divide by reps.quota; reps with"
        " a quota only.",
        formula="potential of the book ÷ quota",
        trend_analysis="Fix the ratio that past books of reps who met quota had, and compare with that.",
        diagnostics="Low for a whole team means quotas were set without the books; low for one rep means the book.",
        tips="Divide the conversion rate into 1 for a rough need: at 20% about five times the quota.",
        visualisation="Bars by rep with a line at the ratio needed.",
        risk_warnings="Potential is beyond today's revenue, while some quotas include renewals: make both mean "
        "the same.",
        tools="Column potential of the accounts and quota of the reps; the plan.",
        integration_points="Quota sheets; whitespace analysis.",
        change_impact="Balancing potential without balancing quota changes who can earn; agree both at once.",
    ),
)

BOOKS = (UTILISATION, ACCOUNTS, POTENTIAL, QUOTA)
