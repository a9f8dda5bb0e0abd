"""How even the books are, and the signs of overload and of idle capacity."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.books import BAND
from optimizer.kpis.coverage import NEEDS_KEY, NO_KEY
from optimizer.kpis.parts import Measured, by_segment, company, figure

#: hours above capacity by less than this share are rounding, not overload
SLIGHT = 1e-6


def gini(amounts: np.ndarray) -> float:
    """Gini coefficient of amounts ≥ 0: 0 when all are equal, 1 − 1/n when one has everything; NaN where the sum is 0.

    *Source*: C. Gini, Variabilità e mutabilità, 1912; here as 2 Σ i·x_i ÷ (n Σ x) − (n + 1) ÷ n, x ascending.
    """
    x = np.sort(np.asarray(amounts, dtype=float))
    n, total = len(x), float(x.sum())
    if total <= 0:
        return float("nan")
    return max(0.0, float(2 * (np.arange(1, n + 1) * x).sum() / (n * total) - (n + 1) / n))


def max_over_mean(amounts: np.ndarray) -> float:
    """Largest ÷ mean; 1 when all are equal, NaN where the sum is 0."""
    x = np.asarray(amounts, dtype=float)
    return float(x.max() / x.mean()) if x.sum() > 0 else float("nan")


def balanced_potential(basis: Basis) -> np.ndarray:
    """Potential in the first role of each rep who works and may work in it."""
    account, rep, role, _ = basis.pairs
    first = role == 0
    book = np.bincount(rep[first], basis.potential[account[first]], len(basis.reps))
    counts = basis.works
    if basis.scores.roles_named and "role" in basis.reps:
        counts = counts & (basis.reps["role"] == basis.scores.role_names[0]).to_numpy(dtype=bool, na_value=False)
    return np.asarray(book[counts], dtype=float)


def _gini(basis: Basis) -> Measured:
    books = balanced_potential(basis)
    return (figure(gini(books), len(books), "no book holds any potential"),)


def _spread(basis: Basis) -> Measured:
    books = balanced_potential(basis)
    mean = books.mean() if len(books) else np.nan
    return (figure(max_over_mean(books), len(books), "no book holds any potential", "", books.max(initial=0.0), mean),)


def overloaded(basis: Basis) -> np.ndarray:
    """[M] True for reps with more hours than capacity."""
    return np.asarray(basis.hours > basis.capacity * (1 + SLIGHT))


def _starved(basis: Basis) -> Measured:
    rep = basis.plan.rep[:, 0]
    starved = basis.key & ((rep < 0) | np.append(overloaded(basis), False)[rep])
    return by_segment(basis, starved.astype(float), basis.key.astype(float), basis.key, NO_KEY)


def _idle(basis: Basis) -> Measured:
    counts = basis.works & (basis.quota > 0)
    with np.errstate(invalid="ignore"):
        idle = counts & (basis.utilisation < BAND[0]) & (basis.value < basis.quota)
    return (company(idle.sum(), counts.sum(), counts.sum(), "no rep who works has a quota above 0"),)


GINI = Kpi(
    name="potential_gini",
    title="Gini of potential per rep",
    family="books",
    perspective="non-financial",
    unit="ratio",
    higher_is="worse",
    needs=("accounts.potential",),
    measure=_gini,
    attributes=Attributes(
        definition="How unevenly potential is spread over the books: 0 is all alike, towards 1 one rep has everything.",
        business_insight="One figure for the fairness of all books, so that plans can be ranked and a trade-off drawn.",
        measurement_approach="Over reps who work and may work in the first role, from the potential they serve in"
        " it; an empty book counts as 0 potential.",
        formula="2 Σ i·x_i ÷ (n Σ x) − (n + 1) ÷ n, with x ascending",
        trend_analysis="It creeps up through the year as exceptions pile up; measure at each review.",
        diagnostics="Look at both ends of the sorted books; a ramping rep with a small book may be meant.",
        tips='A soft limit with within = "15%" lowers it and shows its price; do not chase the last hundredth.',
        visualisation="A Lorenz curve of potential over reps, plans in one chart.",
        risk_warnings="Ramp is not taken into account, so a fair book for a beginner looks unfair here.",
        tools="Column potential of the accounts; the plan.",
        integration_points="None beyond the plan; put it in the review of the books.",
        change_impact="Lowering it moves accounts from rich to poor books and costs transition losses.",
    ),
)

SPREAD = Kpi(
    name="potential_max_over_mean",
    title="Largest book against the mean (potential)",
    family="books",
    perspective="non-financial",
    unit="ratio",
    higher_is="worse",
    needs=("accounts.potential",),
    measure=_spread,
    attributes=Attributes(
        definition="The potential of the richest book over the mean of all books.",
        business_insight="Everybody knows who has the best book; this says by how much, in words people use.",
        measurement_approach="As for the Gini: reps who work, first role; largest book over mean book.",
        formula="max potential ÷ mean potential",
        trend_analysis="Follow it with the name of the rep: it is one person's book, not a tendency.",
        diagnostics="See whether one account makes the book; then no split will mend it.",
        tips="Accept a rich book for a rep with proven performance, and write that down.",
        visualisation="Bars by rep with a line at the mean.",
        risk_warnings="One account with a wrong potential decides the figure.",
        tools="Column potential of the accounts; the plan.",
        integration_points="None beyond the plan.",
        change_impact="Capping it takes the best accounts from a rep who may leave over it; talk first.",
    ),
)

STARVED = Kpi(
    name="key_accounts_starved",
    title="Overload sign: key accounts starved",
    family="books",
    perspective="non-financial",
    unit="share",
    higher_is="worse",
    needs=(NEEDS_KEY,),
    measure=_starved,
    attributes=Attributes(
        definition="The share of key accounts that nobody serves or whose rep has more hours in the book than in "
        "the year.",
        business_insight="Covered on paper, starved in practice: too many accounts show first where they hurt most.",
        measurement_approach="Flag reps with hours above capacity; count key accounts of those reps and unserved "
        "key accounts.",
        formula="key accounts unserved or with an overloaded rep ÷ key accounts × 100",
        trend_analysis="It should be 0 in any plan with a hard limit on hours; in today's books it rarely is.",
        diagnostics="List the overloaded reps with their key accounts; small accounts of the same book can move.",
        tips="Move the small accounts away, not the key accounts: they were promised a face.",
        visualisation="Key accounts by name, coloured by the utilisation of their rep.",
        risk_warnings="A rep at 101% counts as much as one at 160%. Hours are a model.",
        tools="Key-account flag or filter; hours and capacity; the plan.",
        integration_points="Activity logs confirm it: look for key accounts without a touch.",
        change_impact="A hard limit on hours removes overload, and leaves the least valuable accounts unserved "
        "instead.",
    ),
)

IDLE = Kpi(
    name="idle_below_quota",
    title="Underload sign: idle and below quota",
    family="books",
    perspective="financial",
    unit="share",
    higher_is="worse",
    needs=("reps.quota",),
    measure=_idle,
    attributes=Attributes(
        definition="The share of reps with a quota whose book fills less than 80% of their hours and is worth "
        "less than the quota.",
        business_insight="Too few accounts: the rep cannot meet the quota and has time left; both are the plan's "
        "doing.",
        measurement_approach="Among reps who work and have a quota, count utilisation below 80% with model value "
        "below quota.",
        formula="reps idle and below quota ÷ reps with a quota × 100",
        trend_analysis="Compare plans; a plan that serves everybody it may should have none, unless regions are thin.",
        diagnostics="See which rule keeps accounts from these reps: region, skills, families or the move cap.",
        tips="Widen the region or language of these reps first; it is cheaper than hiring elsewhere.",
        visualisation="Reps as dots, utilisation across, planned value over quota upwards; the lower left corner "
        "is the list.",
        risk_warnings="Model value is no forecast; a beginner with ramp below 1 falls in here by design.",
        tools="Column quota of the reps; hours and capacity; the plan.",
        integration_points="Quota sheets; the hiring plan.",
        change_impact="Filling these books takes accounts from others or serves the unserved; the second is free "
        "of moves.",
    ),
)

BALANCE = (GINI, SPREAD, STARVED, IDLE)
