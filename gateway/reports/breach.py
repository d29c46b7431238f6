"""Notices of a personal data breach, drafted from what is on record. What only people know is a blank, plainly marked.

Sources: GDPR articles 33(2) to (4) and 34 (https://eur-lex.europa.eu/eli/reg/2016/679/oj); India: Digital Personal Data
Protection Rules 2025, rule 7, and section 8(6) of the act. Whether a notice is owed, and to whom, is for people to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.policy.model import TenantPolicy
from gateway.reports.breach_draft import Draft, Facts, Head, Points, Rows, Text, blank
from gateway.values import DataCategory

AUTHORITY_HOURS = 72
"""GDPR art. 33(1), and rule 7(2)(b) of the Indian rules."""
ARTICLE_9 = frozenset({DataCategory.HEALTH.value})

_GDPR, _INDIA = "article 33(3)(a)", "rule 7(2)(a)"
_WORDS: Mapping[str, str] = {
    DataCategory.VOICE.value: "the sound of callers' voices",
    DataCategory.TRANSCRIPT.value: "what was said, in words",
    DataCategory.MASKED_TRANSCRIPT.value: "what was said, with personal data replaced by placeholders",
    DataCategory.CONTACT.value: "telephone numbers and other contact data",
    DataCategory.PAYMENT.value: "payment data",
    DataCategory.IDENTITY.value: "identity numbers and documents",
    DataCategory.HEALTH.value: "health",
    DataCategory.METADATA.value: "times, lengths and routes of calls",
}


@dataclass(frozen=True, slots=True)
class Breach:
    """What is on record of an incident for one tenant. ``scope``: ``gateway.evidence.scope.Scope.facts``; times are aware."""

    incident: str
    tenant: str
    what: str
    scope: Mapping[str, Any]
    window: tuple[datetime, datetime]
    aware: datetime
    due: datetime
    processor: str
    """The sub-processor that it happened at; empty: none is named."""
    names: Mapping[str, str]
    """Sub-processors' ids to their names."""
    region: str
    cause: str
    """How it became known: ``reported``, or ``chain`` where the gateway found it in its own evidence."""
    steps: tuple[tuple[datetime, str, str], ...]
    """What was done since: when, a word, what people wrote of it."""
    policy: TenantPolicy
    written: datetime

    def count(self, name: str) -> int:
        found = self.scope.get(name, 0)
        return found if isinstance(found, int) else 0

    def counts(self, name: str) -> Mapping[str, int]:
        found = self.scope.get(name)
        return found if isinstance(found, Mapping) else {}


def notice(breach: Breach) -> Draft:
    """From the processor to the controller (article 33(2)), with all that the controller must tell the authority (33(3))."""
    lead = (
        f"To {breach.tenant}, the controller. Article 33(2) GDPR: the processor tells the controller of a breach without undue "
        "delay after becoming aware of it. This notice holds what article 33(3) asks for, so that it can be passed on."
    )
    blocks = [
        *_nature(breach, _GDPR),
        *_people(breach, _GDPR),
        *_records(breach, _GDPR),
        Head("4. Contact"),
        Rows((("Who can tell more", blank("name, telephone and mail of your contact for this incident")),)),
        *_consequences(breach, "5"),
        *_measures(breach, "6"),
        *_what_is_open(breach),
        *_evidence(breach),
    ]
    return Draft("Notice of a personal data breach", lead, tuple(blocks), _foot(breach))


def authority(breach: Breach) -> Draft:
    """From the controller to the supervisory authority (article 33(1) and (3))."""
    lead = (
        "Article 33 GDPR: the controller notifies the supervisory authority without undue delay and, where feasible, within "
        f"{AUTHORITY_HOURS} hours after having become aware of it, unless a risk to people is unlikely."
    )
    parties = (
        ("Authority", blank("the competent supervisory authority")),
        ("Controller", blank("name and address of the controller")),
        ("Data protection officer, or other contact", blank("name, telephone and mail (article 33(3)(b))")),
        ("Processor", blank("name of the operator of the gateway")),
    )
    blocks = [
        Head("Parties"),
        Rows(parties),
        *_nature(breach, _GDPR),
        *_people(breach, _GDPR),
        *_records(breach, _GDPR),
        *_consequences(breach, "4"),
        *_measures(breach, "5"),
        *_delay(breach),
        *_evidence(breach),
    ]
    return Draft("Notification of a personal data breach to the supervisory authority", lead, tuple(blocks), _foot(breach))


def persons(breach: Breach) -> Draft:
    """To those whose data it was, in clear and plain language (article 34(2)), where a high risk is likely."""
    blocks = [
        Text(f"Dear {blank('name, or: caller')},"),
        Text(
            f"you spoke with {blank('the name under which callers know the controller')} by telephone. Something went wrong "
            "with data of such calls, and yours may be among them. We tell you what happened and what you can do."
        ),
        Head("What happened"),
        Text(breach.what or blank("what happened, in plain words")),
        Text(
            f"It concerns calls from {_day(breach.window[0])} to {_day(breach.window[1])}. We learned of it on "
            f"{_day(breach.aware)}."
        ),
        Head("Which data"),
        _kinds(breach),
        Head("What this may mean for you"),
        Text(blank("the likely consequences for this person (article 34(2) with 33(3)(c))")),
        Head("What we have done"),
        *_steps(breach),
        Head("What you can do"),
        Text(blank("what the person can do against the consequences: watch an account, change a password, be wary of calls")),
        Head("Whom you can ask"),
        Text(blank("name, telephone and mail of the data protection officer or another contact (article 34(2) with 33(3)(b))")),
    ]
    lead = "Communication of a personal data breach to the person concerned (article 34 GDPR)."
    return Draft("Your data and an incident at our telephone service", lead, tuple(blocks), _foot(breach))


def india_board(breach: Breach) -> Draft:
    """To the Data Protection Board of India: rule 7(2)(a) without delay, and the details of rule 7(2)(b) within 72 hours."""
    until = breach.aware + timedelta(hours=AUTHORITY_HOURS)
    lead = (
        "Rule 7(2) of the Digital Personal Data Protection Rules, 2025: a description without delay, and the details within "
        f"{AUTHORITY_HOURS} hours of becoming aware: by {_moment(until)}, or within what the Board allows on a written request."
    )
    blocks = [
        Head("Parties"),
        Rows((("Data Fiduciary", blank("name and address")), ("Contact", blank("business contact of who answers for it")))),
        *_nature(breach, _INDIA),
        *_people(breach, _INDIA),
        *_records(breach, _INDIA),
        Head("4. Likely impact (rule 7(2)(a))"),
        Text(blank("the likely impact")),
        Head("5. Facts, circumstances and reasons (rule 7(2)(b)(ii))"),
        Text(blank("the events, circumstances and reasons that led to the breach")),
        Head("6. Measures to mitigate risk (rule 7(2)(b)(iii))"),
        *_steps(breach),
        Text(blank("further measures implemented or proposed")),
        Head("7. Findings about who caused it (rule 7(2)(b)(iv))"),
        Text(blank("findings, if any")),
        Head("8. Against recurrence (rule 7(2)(b)(v))"),
        Text(blank("remedial measures taken")),
        Head("9. Intimations to Data Principals (rule 7(2)(b)(vi))"),
        Text(blank("how many were told, how, when")),
        *_evidence(breach),
    ]
    return Draft("Intimation of a personal data breach to the Board", lead, tuple(blocks), _foot(breach))


def india_persons(breach: Breach) -> Draft:
    """To each affected Data Principal: concise, clear and plain, without delay (rule 7(1))."""
    blocks = [
        Head("What happened"),
        Text(breach.what or blank("nature of the breach")),
        Text(
            f"When: {_moment(breach.window[0])} to {_moment(breach.window[1])}. Where: "
            f"{_where(breach) or blank('where it occurred')}. Extent: {blank('extent, as far as it concerns this person')}."
        ),
        _kinds(breach),
        Head("What this may mean for you"),
        Text(blank("the consequences relevant to this person")),
        Head("What we have done"),
        *_steps(breach),
        Head("What you can do to be safe"),
        Text(blank("safety measures that the person may take")),
        Head("Whom you can ask"),
        Text(blank("business contact of a person who can answer for the Data Fiduciary")),
    ]
    lead = "Rule 7(1) of the Digital Personal Data Protection Rules, 2025."
    return Draft("Intimation of a personal data breach", lead, tuple(blocks), _foot(breach))


PAPERS: Mapping[str, Callable[[Breach], Draft]] = {
    "notice": notice,
    "authority": authority,
    "persons": persons,
    "india-board": india_board,
    "india-persons": india_persons,
}
"""Every paper by the name that commands take."""


def _nature(breach: Breach, law: str) -> list[Facts]:
    chain = "a verification of the evidence, by the gateway itself" if breach.cause == "chain" else ""
    rows = (
        ("What happened", breach.what or blank("what happened")),
        ("Kind of breach", blank("confidentiality, integrity or availability: disclosure, change or loss")),
        ("When", f"{_moment(breach.window[0])} to {_moment(breach.window[1])} ({_length(breach.window[1] - breach.window[0])})"),
        ("Known since", _moment(breach.aware)),
        ("Where", _where(breach) or blank("where it happened")),
        *((("Found by", chain),) if chain else ()),
        ("To be told by", _moment(breach.due)),
    )
    return [Head(f"1. Nature of the breach ({law})"), Rows(rows)]


def _people(breach: Breach, law: str) -> list[Facts]:
    people, nobody, calls = breach.count("people"), breach.count("calls_of_nobody"), breach.count("calls")
    more = f" and at most {nobody:,} more, in calls whose number was withheld or not known" if nobody else ""
    rows = (
        ("Categories of people", "callers, and people who were called"),
        (
            "Number of people",
            f"about {people:,}{more}. Counted by keyed hashes of numbers: somebody with two numbers counts twice.",
        ),
        ("Number of calls", f"{calls:,}"),
    )
    return [Head(f"2. People concerned ({law})"), Rows(rows)]


def _records(breach: Breach, law: str) -> list[Facts]:
    hops, masked = breach.count("hops"), breach.count("masked_hops")
    rows = tuple((_WORDS.get(name, name), f"{count:,}") for name, count in breach.counts("categories").items())
    about = breach.counts("about")
    blocks: list[Facts] = [
        Head(f"3. Records concerned ({law})", f"{hops:,} transmissions, {masked:,} of them masked before they left."),
        Rows(rows) if rows else Text("No transmission of data of calls lies in the window."),
    ]
    if about:
        told = ", ".join(f"{_WORDS.get(name, name)}: {count:,}" for name, count in about.items())
        blocks.append(Text(f"Of these, transmissions that spoke of something sensitive, masked or not: {told}."))
    if law == _GDPR and ARTICLE_9 & {*about, *breach.counts("categories")}:
        blocks.append(Text("Special categories of personal data (article 9) are among them."))
    received = [
        f"received by {breach.names.get(name, name)}: {count:,} transmissions"
        for name, count in breach.counts("processors").items()
    ]
    if received:
        blocks.append(Points(tuple(received)))
    if recordings := breach.count("recordings"):
        blocks.append(Text(f"{recordings:,} of the calls were recorded."))
    return blocks


def _consequences(breach: Breach, number: str) -> list[Facts]:
    hops, masked = breach.count("hops"), breach.count("masked_hops")
    known = (
        "Every transmission was masked: placeholders stood for the names, numbers and other personal data that were recognised."
        if hops and hops == masked
        else f"{hops - masked:,} transmissions were not masked."
        if hops
        else ""
    )
    return [
        Head(f"{number}. Likely consequences (article 33(3)(c))"),
        *([Text(known)] if known else []),
        Text(blank("the likely consequences for the people concerned")),
    ]


def _measures(breach: Breach, number: str) -> list[Facts]:
    return [
        Head(f"{number}. Measures taken or proposed (article 33(3)(d))"),
        *_steps(breach),
        Text(blank("measures taken or proposed against the breach, and to mitigate its effects")),
    ]


def _steps(breach: Breach) -> list[Facts]:
    told = [f"{_moment(at)}: {what.replace('.', ' ')}" + (f": {note}" if note else "") for at, what, note in breach.steps]
    return [Points(tuple(told))] if told else []


def _what_is_open(breach: Breach) -> list[Facts]:
    text = "What is not known yet follows in phases, without undue further delay (article 33(4))."
    return [Head("7. Still open"), Text(text)]


def _delay(breach: Breach) -> list[Facts]:
    if breach.written <= breach.aware + timedelta(hours=AUTHORITY_HOURS):
        return []
    text = (
        f"It is made later than {AUTHORITY_HOURS} hours after becoming aware of it, because {blank('the reasons for the delay')}."
    )
    return [Head("6. Reasons for the delay (article 33(1))"), Text(text)]


def _evidence(breach: Breach) -> list[Facts]:
    scope = breach.scope
    if not scope:
        return [
            Head("Where these numbers come from", f"The evidence was not read yet: sordino incidents scope {breach.incident}")
        ]
    whole = scope.get("chain") == "whole"
    fault = f"BROKEN at entry {breach.count('chain_fault_at'):,}: this entry {scope.get('chain_fault')}"
    deleted = f"entries 1 to {breach.count('deleted_up_to'):,}, after their time: what of them was of that window is not counted"
    rows = (
        *((("Deleted before", deleted),) if scope.get("deleted_up_to") else ()),
        ("Read", f"{breach.count('entries_read'):,} entries: {breach.count('first_entry'):,} to {breach.count('last_entry'):,}"),
        ("Chain in what was read", "whole: every entry follows the one before it" if whole else fault),
        (
            "List of the calls",
            f"{scope.get('calls_sha256', 'none')} "
            f"(sordino incidents scope {breach.incident} --tenant {breach.tenant} --calls FILE)",
        ),
    )
    return [Head("Where these numbers come from", "They were counted in the chain of evidence, not in a summary."), Rows(rows)]


def _kinds(breach: Breach) -> Facts:
    kinds = [_WORDS.get(name, name) for name in {**breach.counts("categories"), **breach.counts("about")}]
    return Points(tuple(kinds)) if kinds else Text(blank("which data"))


def _where(breach: Breach) -> str:
    at = f"at {breach.processor}" if breach.processor else ""
    places = breach.region or ", ".join(breach.counts("regions"))
    return ", ".join(part for part in (at, f"region {places}" if places else "") if part)


def _foot(breach: Breach) -> str:
    return f"Incident {breach.incident}, {breach.tenant}. Drafted {_moment(breach.written)} from the evidence of the gateway."


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _day(at: datetime) -> str:
    day = at.astimezone(UTC)
    return f"{day.day} {day.strftime('%B %Y')}"


def _length(span: timedelta) -> str:
    hours, minutes = divmod(int(span.total_seconds()) // 60, 60)
    return f"{hours // 24} days {hours % 24} h" if hours >= 48 else f"{hours} h {minutes} min"
