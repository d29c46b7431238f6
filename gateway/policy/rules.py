"""The rules of egress: each asks one thing of one candidate, and answers nothing, or no with a sentence about the processor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from gateway.policy.announcing import RECORDING, AnnouncementMode
from gateway.policy.calendar import add_business_days, holidays_of
from gateway.policy.fields import Tls, Training, strictest_tls
from gateway.policy.mechanisms import Means, Mechanism, problem
from gateway.policy.model import TenantPolicy
from gateway.policy.payment import PAYMENT
from gateway.policy.question import Ask, Health
from gateway.policy.regions import LOCAL, ancestors
from gateway.policy.registry import SubProcessor
from gateway.policy.tracing import kept_too_long
from gateway.values import DataCategory, Hop, ProcessorId

CONSENT = "consent"
"""The purpose of hearing nothing but yes or no after an announcement that asks for it (promise 13)."""

STORED = "stored-recording"
"""The purpose of reading back or deleting what a storage keeps: nothing goes there but its name."""

UNTOLD_TLS = frozenset({"s3"})
"""Dialects whose client cannot be told to speak TLS 1.3 only; what it speaks is 1.2 at least."""

Rule = Callable[[TenantPolicy, SubProcessor, Ask], str | None]
"""Says no with a sentence about the processor ("its region is us…"), or nothing."""


def kind(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    if entry.kind is ask.hop:
        return None
    return f"it is a processor for {entry.kind.value}, not for {ask.hop.value}"


def status(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 3: a new sub-processor waits until the notice period is over."""
    if entry.announced_on is not None:
        first_day = notice_ends(policy, entry.announced_on)
        if ask.at.date() < first_day:
            return f"it is pending: announced on {entry.announced_on}, it may be used from {first_day}"
    if entry.status == "pending" and ProcessorId(entry.id) not in ask.noticed:
        return "it is pending: it is not in use yet"
    return None


def region(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 7: processing within the specified locations, for this hop and each kind of data."""
    if entry.region == LOCAL:
        return None
    if not policy.regions_apart and not entry.places.isdisjoint(policy.regions):
        return None
    for category in sorted(ask.categories):
        allowed = policy.regions_for(ask.hop, category)
        if entry.places.isdisjoint(allowed):
            own = "" if allowed == policy.regions else f" for {category.value} at {ask.hop.value}"
            return f"its region {entry.region} is not in the tenant's regions{own} ({', '.join(allowed) or LOCAL})"
    if not ask.categories and entry.places.isdisjoint(policy.regions):
        return f"its region {entry.region} is not in the tenant's regions ({', '.join(policy.regions) or LOCAL})"
    return None


def training(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 10: nobody trains on calls unless the tenant allows it. Unknown terms are never allowed."""
    if entry.training is Training.UNKNOWN:
        return "its training terms are unknown"
    if entry.training.laxity <= policy.training.laxity:
        return None
    return f"training at it is {entry.training.value}, and the tenant asks for {policy.training.value}"


def retention(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 14: the processor keeps nothing for longer than the tenant allows. Unknown is longer than anything."""
    if said := kept_too_long(policy, entry):
        return said
    if entry.region == LOCAL:
        return None
    longest = policy.processor_retention
    if entry.retention_days is None:
        return "how long it keeps the data is unknown"
    if timedelta(days=entry.retention_days) <= longest:
        return None
    return f"it keeps the data for {entry.retention_days} days, and the tenant allows {longest.days}"


def data(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 34: each recipient has its categories of data. What the mask leaves in the text counts as sent."""
    if not ask.categories:
        return "nothing says what data it would receive"
    surplus = carried(policy, ask) - entry.accepts
    if not surplus:
        return None
    named = " and ".join(sorted(category.value for category in surplus))
    return f"it may not receive {named} (only {', '.join(sorted(category.value for category in entry.receives)) or 'nothing'})"


def sensitive(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 34: a turn about health or payment goes only to whom the tenant names for it."""
    for category in sorted(ask.about):
        for allowed in policy.sensitive.get(category, ()):
            if entry.id not in allowed and entry.places.isdisjoint(allowed):
                return f"the turn is about {category.value}, and that goes only to {', '.join(allowed) or 'nobody'}"
    return None


def purpose(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 9: no other purpose. A caller's answer about consent is heard on this machine only, where an announcement asks.

    Card data is handed over where the policy takes it, and for nothing else.
    """
    if ask.purpose == CONSENT:
        if not any(each.mode is AnnouncementMode.SPOKEN_YES for each in policy.announcements):
            return "no announcement asks for a spoken answer"
        return None if entry.region == LOCAL else "a caller's answer is heard on this machine only"
    if ask.purpose == PAYMENT or ask.hop is Hop.PAYMENT:
        handed = ask.purpose == PAYMENT and ask.hop is Hop.PAYMENT and policy.payment is not None
        return None if handed else "the policy takes no card data for that (payment: …)"
    if ask.purpose == STORED:
        named = ask.hop is Hop.STORAGE and ask.categories <= {DataCategory.METADATA}
        return None if named else "reading back and deleting send nothing but a name"
    if ask.purpose == RECORDING and ask.hop is Hop.STORAGE:
        return None if policy.recording.enabled else "recording is not enabled"
    if ask.purpose in policy.allowed_purposes:
        return None
    return f"the purpose {ask.purpose} is not allowed (only {', '.join(policy.purposes) or 'none'})"


def mechanism(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 8: a hop across a border needs a live transfer mechanism from every law that protects the caller."""
    if entry.region == LOCAL:
        return None
    protecting = laws(policy, ask)
    if not protecting:
        return "it is not known whose law protects the caller"
    stated = {law: means for law in protecting if (means := means_for(entry, law)) is not None}
    missing = [law for law in protecting if law not in stated or stated[law].by is Means.UNKNOWN]
    if missing:
        return f"no transfer mechanism from {' and '.join(missing)} to {entry.region} is known"
    across = [law for law in protecting if ancestors(law).isdisjoint(entry.places)]
    return next((said for law in across if (said := problem(stated[law], law, entry.region))), None)


def dpa(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 6: a processing agreement that somebody reviewed lately."""
    if entry.region == LOCAL:
        return None
    if entry.dpa is None:
        return "there is no data processing agreement with it"
    if ask.at.date() > entry.dpa.good_until:
        return f"the review of its data processing agreement expired on {entry.dpa.good_until}"
    return None


def transport(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promise 24: no plaintext off this machine, and no version of TLS below the one that is asked for."""
    if entry.transport_problem:
        return entry.transport_problem
    if entry.dialect in UNTOLD_TLS and least_tls(policy, entry, ask) is Tls.V1_3:
        return "TLS 1.3 is asked for, and what speaks to it cannot be told to take nothing less"
    return None


def barred(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Promises 3 to 5: an objection, or a notice that still runs, keeps it out for this tenant."""
    return ask.barred.get(ProcessorId(entry.id))


def failed(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    return "it already failed in this turn" if entry.id in ask.excluding else None


def health(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> str | None:
    """Who does not answer is left out for a while. Being well permits nothing."""
    return "it has not answered lately and is left out for now" if ask.health.get(ProcessorId(entry.id)) is Health.DOWN else None


LASTING: tuple[Rule, ...] = (
    kind,
    status,
    region,
    training,
    retention,
    data,
    sensitive,
    purpose,
    mechanism,
    dpa,
    transport,
)
"""What holds for every question of one day with the same hop, data, purpose and origin."""

RETRIEVING: tuple[Rule, ...] = (kind, transport, purpose)
"""What holds for reading back and deleting: no rule may keep data where it must not stay any longer."""

PASSING: tuple[Rule, ...] = (barred, failed, health)
"""What may be otherwise at the next question."""

RULES: tuple[Rule, ...] = (*LASTING, *PASSING)
"""Every rule that a candidate must pass, in the order in which their sentences are shown."""


def notice_ends(policy: TenantPolicy, announced_on: date) -> date:
    """The first day on which an announced processor may be used: when both clocks, calendar and working days, have run out."""
    day = announced_on
    if policy.notice_business_days:
        free = [holidays_of(country) for country in policy.holidays]
        day = add_business_days(day, policy.notice_business_days, lambda each: any(is_holiday(each) for is_holiday in free))
    return max(day, announced_on + timedelta(days=policy.notice_days))


def least_tls(policy: TenantPolicy, entry: SubProcessor, ask: Ask) -> Tls | None:
    """The least version of TLS that the processor is reached with: the stricter of what its entry and the policy ask for.

    None where there is no TLS: in our own processes, or in plain text on this machine.
    """
    if entry.base_url is None or not entry.base_url.lower().startswith("https:"):
        return None
    if ask.purpose == STORED and entry.dialect in UNTOLD_TLS:
        # A name is sent, and what lies there must not stay because nobody may ask for its deletion.
        return Tls.V1_2
    return strictest_tls(Tls.V1_2, policy.tls, entry.tls)


def carried(policy: TenantPolicy, ask: Ask) -> frozenset[DataCategory]:
    """The data that is really sent: as asked, and what the policy's mask leaves in a masked text."""
    if DataCategory.MASKED_TRANSCRIPT not in ask.categories:
        return ask.categories
    return ask.categories | policy.left_in(ask.hop)


def laws(policy: TenantPolicy, ask: Ask) -> tuple[str, ...]:
    """Whose law protects the caller: the known origin and what the files state, and without a known one what they presume."""
    presumed = () if ask.origin or ask.origins else policy.presumed_origins
    return tuple(sorted({*policy.origins, ask.origin, *ask.origins, *presumed} - {"", LOCAL}))


_INSIDE = Mechanism(by=Means.NONE_NEEDED)


def means_for(entry: SubProcessor, law: str) -> Mechanism | None:
    """How data may go from under ``law`` to the processor: ``none-needed`` inside one area (GDPR art. 1(3)), or as registered."""
    above = ancestors(law)
    if not above.isdisjoint(entry.places):
        return _INSIDE
    stated = [place for place in above if place in entry.mechanism]
    return entry.mechanism[max(stated, key=len)] if stated else None
