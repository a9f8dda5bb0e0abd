"""Coverage in contacts, and how many people know us at an account."""

from __future__ import annotations

import numpy as np

from optimizer.kpis.base import Attributes, Kpi
from optimizer.kpis.basis import Basis
from optimizer.kpis.coverage import NEEDS_KEY
from optimizer.kpis.parts import Measured, by_segment

#: share of a key account's contacts in touch that practitioners call healthy
BAND = (0.70, 0.90)
KNOWN = "accounts.contacts or contacts.account_id"
ACTIVE = "accounts.contacts_active or contacts.active"
NO_CONTACT = "no key account here has an identified contact"


def _pooled(basis: Basis) -> Measured:
    known, active = basis.contacts
    has = basis.key & (known > 0)
    return by_segment(basis, active * has, known * has, has, NO_CONTACT)


def _mean(basis: Basis) -> Measured:
    known, active = basis.contacts
    has = basis.key & (known > 0)
    share = np.divide(active, known, out=np.zeros(len(known)), where=has)
    return by_segment(basis, share, has.astype(float), has, NO_CONTACT)


def _served(basis: Basis) -> Measured:
    known, active = basis.contacts
    has = basis.key & (known > 0)
    return by_segment(basis, active * has * basis.served, known * has, has, NO_CONTACT)


def _per_account(basis: Basis) -> Measured:
    known = basis.accounts["contacts"].to_numpy(dtype=float, na_value=np.nan)
    has = basis.key & ~np.isnan(known)
    undefined = "no key account here has a count of contacts"
    return by_segment(basis, np.where(has, known, 0.0), has.astype(float), has, undefined)


def _engaged(basis: Basis) -> Measured:
    known, active = basis.contacts
    has = known > 0
    return by_segment(basis, active * has, known, has, "no account here has an identified contact")


POOLED = Kpi(
    name="coverage_contacts_pooled",
    title="Account coverage ratio, contacts (pooled)",
    family="contacts",
    perspective="non-financial",
    unit="share",
    higher_is="band",
    band=BAND,
    needs=(NEEDS_KEY, KNOWN, ACTIVE),
    measure=_pooled,
    attributes=Attributes(
        definition="The share of the identified contacts within key accounts that are active, all key accounts thrown "
        "together.",
        business_insight="Below 70% revenue is at risk when a sponsor leaves; above 90% the hours may be worth "
        "more elsewhere.",
        measurement_approach="Sum contacts_active and contacts over the key accounts where both are known, then "
        "divide once.",
        formula="Σ active contacts ÷ Σ identified contacts within key accounts × 100",
        trend_analysis="Review each quarter. A published case went from 65% to 78% in six months with 25% more "
        "upsell revenue.",
        diagnostics="Split by segment, then list key accounts with many identified and few active contacts.",
        tips="Clean the list first: people who left the customer stay identified for ever and drag the ratio down.",
        visualisation="A gauge with the band 70–90% shaded, beside the mean of accounts.",
        risk_warnings="One account with many contacts can carry the figure. It disagrees with the definition in "
        "accounts: show both.",
        tools="Columns contacts and contacts_active, or a contacts table with the column active.",
        integration_points="CRM contacts with a last-activity date; calendar and mail logging decide who is active.",
        change_impact="It does not move with the plan but with what reps do afterwards; a change of owner usually"
        " dents it first.",
    ),
)

MEAN = Kpi(
    name="coverage_contacts_mean",
    title="Account coverage ratio, contacts (mean of accounts)",
    family="contacts",
    perspective="non-financial",
    unit="share",
    higher_is="band",
    band=BAND,
    needs=(NEEDS_KEY, KNOWN, ACTIVE),
    measure=_mean,
    attributes=Attributes(
        definition="The share of active among identified contacts, worked out for each key account and then averaged.",
        business_insight="It says how well the usual key account is known, where the pooled figure says how the "
        "largest one is.",
        measurement_approach="Divide within each key account that has at least one identified contact; take the "
        "plain mean.",
        formula="mean over key accounts of (active contacts ÷ identified contacts) × 100",
        trend_analysis="Follow the distance to the pooled figure: when it grows, large and small accounts are "
        "drifting apart.",
        diagnostics="If far below the pooled figure, many small key accounts hang on a single silent contact.",
        tips="Set the target for this figure, as it cannot be met by working one large account only.",
        visualisation="A histogram of accounts by their own ratio, the band 70–90% shaded and the mean marked.",
        risk_warnings="An account with one contact is either 0% or 100%; with many such accounts the mean is coarse.",
        tools="Columns contacts and contacts_active, or a contacts table with the column active.",
        integration_points="CRM contacts; account plans that name who should be in touch with whom.",
        change_impact="It does not move with the plan. Handing over accounts without introductions lowers it in "
        "the next quarter.",
    ),
)

SERVED = Kpi(
    name="coverage_contacts_served",
    title="Active contacts within key accounts the plan serves",
    family="contacts",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=(NEEDS_KEY, KNOWN, ACTIVE),
    measure=_served,
    attributes=Attributes(
        definition="Active contacts at key accounts that have a rep in the plan, over identified contacts at all "
        "key accounts.",
        business_insight="The standard ratio cannot tell two plans apart. This one can: it drops what an unserved"
        " account loses.",
        measurement_approach="As the pooled ratio, but active contacts count only where the plan serves the account.",
        formula="Σ active contacts at served key accounts ÷ Σ identified contacts at all key accounts × 100",
        trend_analysis="Compare plans with it, and the same plan before and after a rule; use the pooled ratio "
        "over time.",
        diagnostics="The distance to the pooled ratio is the contacts that would lose their rep; list those accounts.",
        tips="Treat any fall against today as relationships given up on purpose, and say who agreed to that.",
        visualisation="Two bars for each plan, pooled and served, the difference hatched.",
        risk_warnings="It assumes a new rep keeps every active contact, which a hand-over rarely does.",
        tools="The contact columns and the plan.",
        integration_points="CRM contacts; the owner-change file tells which contacts need an introduction.",
        change_impact="Leaving a well-connected key account unserved lowers it at once by that account's active "
        "contacts.",
    ),
)

PER_ACCOUNT = Kpi(
    name="contacts_per_key_account",
    title="Relationship depth: contacts per key account",
    family="contacts",
    perspective="non-financial",
    unit="contacts",
    higher_is="better",
    needs=(NEEDS_KEY, KNOWN),
    measure=_per_account,
    attributes=Attributes(
        definition="How many people we have identified at a key account, on average.",
        business_insight="An account that hangs on one person is lost with that person; depth is insurance "
        "against a departure.",
        measurement_approach="Average the count of contacts over key accounts that have a count, a true 0 included.",
        formula="identified contacts at key accounts ÷ key accounts with a count",
        trend_analysis="It should rise slowly. A jump is an import of a purchased list, not of relationships.",
        diagnostics="Look at the share of key accounts with a single contact; the mean hides them.",
        tips="Aim for at least three people in different functions rather than for a high count.",
        visualisation="A histogram of contacts per key account, one, two, three and more.",
        risk_warnings="Identified is not engaged: read it with the share of contacts engaged.",
        tools="Column contacts, or a contacts table.",
        integration_points="CRM contacts and their roles; marketing lists matched to accounts.",
        change_impact="A change of owner keeps the records but not the trust: expect depth to count for less for "
        "some months.",
    ),
)

ENGAGED = Kpi(
    name="contacts_engaged",
    title="Relationship depth: share of contacts engaged",
    family="contacts",
    perspective="non-financial",
    unit="share",
    higher_is="better",
    needs=(KNOWN, ACTIVE),
    measure=_engaged,
    attributes=Attributes(
        definition="The share of identified contacts at all accounts, key or not, who are in touch with us.",
        business_insight="It shows whether the address book is alive; engagement tends to fade before revenue does.",
        measurement_approach="Sum active and identified contacts over every account where both are known, then divide.",
        formula="active contacts ÷ identified contacts × 100",
        trend_analysis="Compare with the same month a year ago: holidays and quarter ends move it.",
        diagnostics="A segment far below the others is usually one without enough hours per account.",
        tips="Fix one meaning of active, such as any touch in 90 days, and keep it.",
        visualisation="A line by month, one for each segment.",
        risk_warnings="Automatic mail logged as a touch makes everybody active.",
        tools="Columns contacts and contacts_active, or a contacts table with the column active.",
        integration_points="Mail and calendar logging into the CRM; consent flags for those who must not be contacted.",
        change_impact="Larger books lower it: watch it for reps whose number of accounts grew.",
    ),
)

CONTACTS = (POOLED, MEAN, SERVED, PER_ACCOUNT, ENGAGED)
