"""The three papers: the record of processing, the list of sub-processors, the annex of the data processing agreement."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.policy.fields import Mask
from gateway.policy.masks import DEFAULT
from gateway.reports.facts import (
    Recipient,
    Subject,
    agreement,
    categories,
    is_third_country,
    kept,
    place,
    safeguards,
    span,
    words,
)
from gateway.reports.page import BLANK, Page

PEOPLE = "callers and people who are called, and people of whom they speak"
_STEPS = {
    "telephony": "carries the call",
    "stt": "turns speech into text",
    "llm": "answers",
    "tts": "turns text into speech",
    "realtime": "hears and answers",
    "storage": "keeps recordings",
    "telemetry": "measures",
    "payment": "takes card data",
}


def record_of_processing(subject: Subject) -> str:
    """The record of GDPR art. 30(1); (b), (d) and (e) are what art. 30(2) asks of the processor. Regulation (EU) 2016/679."""
    policy, parties = subject.policy, subject.parties
    page = Page(
        "Record of processing activities", f"Phone calls that an AI agent answers or places for {policy.tenant}. Art. 30 GDPR."
    )
    page.section("(a) Who is responsible")
    page.facts(
        [
            ("Controller, with contact", parties.controller or BLANK),
            ("Processor (operates the gateway)", parties.processor or BLANK),
            ("Data protection officer", parties.officer or BLANK),
            ("Notices are sent to", _contacts(subject)),
        ]
    )
    page.section("(b) Purposes")
    page.points([*(each.replace("-", " ") for each in policy.purposes), *(["taking payments by key"] if policy.payment else [])])
    page.section("(c) People and data")
    page.facts(
        [("People", PEOPLE), ("Data", _data(subject)), ("Where their law is", words(map(place, policy.origins)) or "not stated")]
    )
    page.section("(d) Recipients", "Who may be sent data today. A step at which nobody may be asked does not take place.")
    page.table(
        ("Recipient", "What it does", "Data", "Where"),
        [(each.entry.name, _does(each), categories(each.entry), place(each.entry.region)) for each in subject.permitted],
        none="Nobody.",
    )
    page.section("(e) Transfers to third countries")
    page.table(
        ("Recipient", "Country", "Safeguard (for the law of)", "Agreement"),
        [
            (each.entry.name, place(each.entry.region), safeguards(each.entry, policy.origins), agreement(each.entry))
            for each in subject.permitted
            if is_third_country(each.entry.region)
        ],
        none="None: nobody outside the European Economic Area may be sent data.",
    )
    page.section("(f) Time limits for erasure")
    page.facts(_limits(subject))
    page.section("(g) Technical and organisational measures")
    page.points(measures(subject))
    return page.html(subject.foot)


def sub_processors(subject: Subject) -> str:
    """The tenant's own list of who may receive data outside the gateway's machine, and of who may not yet, and why."""
    outside = [each for each in subject.recipients if each.outside]
    page = Page("Sub-processors", f"Who receives data of calls of {subject.policy.tenant}, as of {subject.day}.")
    page.section("In use")
    page.table(
        ("Company", "Purpose", "Data", "Where", "Trains on it", "Keeps it", "Transfer"),
        [
            (
                each.entry.name,
                each.entry.purpose,
                categories(each.entry),
                place(each.entry.region),
                each.entry.training.value,
                kept(each.entry),
                safeguards(each.entry, subject.policy.origins),
            )
            for each in outside
            if not each.reasons
        ],
        none="None: everything is done on the gateway's own machine.",
    )
    page.section("Named, and not permitted today", "Nothing is sent to these as long as a reason stands here.")
    page.table(
        ("Company", "Purpose", "Where", "Why not"),
        [
            (each.entry.name, each.entry.purpose, place(each.entry.region), "; ".join(each.reasons))
            for each in outside
            if each.reasons
        ],
        none="None.",
    )
    page.section("Changes", _notice(subject))
    return page.html(subject.foot)


def annex(subject: Subject) -> str:
    """The annex of a data processing agreement (GDPR art. 28(3)): the matter, the measures, the sub-processors."""
    policy, parties = subject.policy, subject.parties
    page = Page("Annex to the data processing agreement", f"Phone calls with an AI agent for {policy.tenant}. Art. 28(3) GDPR.")
    page.section("1. Parties")
    page.facts([("Controller", parties.controller or BLANK), ("Processor", parties.processor or BLANK)])
    page.section("2. The processing")
    page.facts(
        [
            ("Subject matter", "phone calls that an AI agent answers or places"),
            ("Nature", "announcing, hearing, masking personal data, answering, speaking; keeping evidence of each step"),
            ("Purposes", words(each.replace("-", " ") for each in policy.purposes)),
            ("People", PEOPLE),
            ("Data", _data(subject)),
            ("Where data may go", words(map(place, policy.regions)) or "the gateway's own machine only"),
            ("Training of models", policy.training.value),
        ]
    )
    page.section("3. Duration and erasure")
    page.facts(_limits(subject))
    page.section("4. Masking", "What becomes of personal data before a language model receives the words of a call.")
    masking = sorted(policy.masking.items(), key=lambda item: (item[0] != DEFAULT, item[0]))
    page.table(
        ("Kind", "Becomes"),
        [("everything not named below" if kind == DEFAULT else words([kind.lower()]), mask.value) for kind, mask in masking],
        none="Everything is masked in the strictest way.",
    )
    page.section("5. Technical and organisational measures")
    page.points(measures(subject))
    page.section("6. Sub-processors", _notice(subject))
    page.table(
        ("Company", "Purpose", "Data", "Where", "Agreement"),
        [
            (each.entry.name, each.entry.purpose, categories(each.entry), place(each.entry.region), agreement(each.entry))
            for each in subject.permitted
            if each.outside
        ],
        none="None.",
    )
    page.section(
        "7. Incidents", f"The processor tells the controller of a breach of personal data within {policy.breach_hours} hours."
    )
    page.signatures("Place, date, controller", "Place, date, processor")
    return page.html(subject.foot)


PAPERS: Mapping[str, tuple[Callable[[Subject], str], str]] = {
    "ropa": (record_of_processing, "the record of processing activities (GDPR art. 30)"),
    "subprocessors": (sub_processors, "the tenant's page of sub-processors"),
    "annex": (annex, "the annex of its data processing agreement (GDPR art. 28)"),
}


def measures(subject: Subject) -> list[str]:
    """What the gateway does on every call under this policy; only what its code keeps."""
    policy = subject.policy
    told = words(sorted({each.id for each in policy.announcements}))
    recorded = policy.recording.enabled
    return [
        "Nothing of a call is sent to anybody without a permission that the policy gave for that very step; where the policy, "
        "the detector, the store or the evidence cannot answer, nothing is sent.",
        f"Announcements are played to their end before a caller is heard: {told}." if told else "No announcement is asked for.",
        _masked(subject),
        "What stands behind a mask is encrypted under a key of that call alone, which is destroyed with it.",
        "Card numbers and other payment and identity data reach no language model as they were said."
        + (" Card data is taken by key, while everybody else is blind." if policy.payment else ""),
        f"Calls are recorded where the caller agreed; personal data in the sound: {policy.recording.redact.value}. Each "
        "recording is encrypted under its own key."
        if recorded
        else "Calls are not recorded.",
        "Other machines are reached by TLS only.",
        "Each step is written into a chain of hashes before it is done, without any words of the caller. Each call ends with a "
        "signed receipt that anybody can verify.",
        "Telemetry and logs hold no words and no numbers of callers.",
    ]


def _masked(subject: Subject) -> str:
    """What is left as it was said is named: the paper promises no more than the policy."""
    said = "Personal data is found and masked before words reach a language model"
    kept_as_said = [kind for kind, mask in sorted(subject.policy.masking.items()) if mask is Mask.KEEP]
    if not kept_as_said:
        return f"{said}."
    return f"{said}, except: {words('everything not named' if kind == DEFAULT else kind.lower() for kind in kept_as_said)}."


def _limits(subject: Subject) -> list[tuple[str, str]]:
    keep = subject.policy.retention
    return [
        ("Sound of calls", span(keep.audio) if subject.policy.recording.enabled else "not kept: calls are not recorded"),
        ("What was said", span(keep.transcript)),
        ("What stands behind masks", f"until the call ends, at the longest {span(keep.vault)}"),
        ("Receipts and records", span(keep.metadata)),
        ("Number data", f"until {span(keep.contact)} after the contract has ended"),
        ("What somebody agreed to", f"{span(keep.consent)} after their last word on it"),
        ("Evidence", span(keep.evidence)),
        ("Telemetry", span(keep.traces)),
        ("At processors", f"at most {span(subject.policy.processor_retention)}"),
    ]


def _data(subject: Subject) -> str:
    found = {category.value for each in subject.permitted for category in each.entry.receives}
    payment = {"payment"} if subject.policy.payment else set()
    return words(sorted(found | payment | {"metadata"}))


def _does(recipient: Recipient) -> str:
    return words(_STEPS[hop] for hop in recipient.hops)


def _contacts(subject: Subject) -> str:
    contacts = subject.policy.contacts
    hook = ["a signed webhook"] if contacts.webhook else []
    return ", ".join([*contacts.mail, *hook]) or BLANK


def _notice(subject: Subject) -> str:
    policy = subject.policy
    business = f" and {policy.notice_business_days} business days" if policy.notice_business_days else ""
    return (
        f"A new sub-processor, and a material change of one, is announced {policy.notice_days} days{business} before it is "
        f"used, and is refused until then. An objection holds at once, and is to be settled within {policy.objection_days} days."
    )
