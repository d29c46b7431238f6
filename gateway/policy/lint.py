"""What is allowed and yet unwise, or will soon be refused: findings with a severity, for people who write policies.

``check`` says what cannot be loaded; this says what a careful reader of valid files would object to. Contradictions that stand in
real agreements have rules of their own: Privacy Shield, clauses of one law under another, "never shared" beside a list of those
with whom it is shared, deletion that only a letter can ask for, several clocks for the same breach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.errors import Finding, Location
from gateway.policy import lint_text
from gateway.policy.agreements import AGREEMENTS_FILE
from gateway.policy.announcing import AnnouncementMode
from gateway.policy.disclosing import first_words
from gateway.policy.documents import Parts, Source, read_document
from gateway.policy.explain import explain, question
from gateway.policy.jurisdiction import jurisdiction, locate
from gateway.policy.load import PolicySet
from gateway.policy.mechanisms import Means, problem
from gateway.policy.model import TenantPolicy
from gateway.policy.regions import LOCAL, UNKNOWN
from gateway.policy.registry import SubProcessor
from gateway.policy.tracing import kept_too_long
from gateway.values import DataClass, Hop, Private, ProcessorId

SOON = timedelta(days=30)
STALE = timedelta(days=365)
NEEDED = (Hop.STT, Hop.LLM, Hop.TTS)
"""What a conversation cannot do without."""


class Severity(StrEnum):
    """``error``: it will be refused, or must not be so. ``warning``: somebody should decide. ``note``: to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to say about valid files. ``rule`` names what found it; ``hidden``: its line may hold a secret."""

    severity: Severity
    rule: str
    finding: Finding
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """The folder as it was read, with the place of each tenant, pack and sub-processor."""

    texts: Mapping[str, str]
    named: Mapping[tuple[str, str], Source]

    @staticmethod
    def of(texts: Mapping[str, str]) -> Files:
        parts = Parts()
        named: dict[tuple[str, str], Source] = {}
        for file, text in texts.items():
            value, _ = read_document(file, text, parts)
            source = Source(file, text)
            if isinstance(value, dict):
                named |= {(kind, str(value[kind])): source for kind in ("tenant", "pack") if kind in value}
                if file.replace("\\", "/").rpartition("/")[2] == AGREEMENTS_FILE:
                    named |= {("agreement", name): source for name in value}
            for index, item in enumerate(value if isinstance(value, list) else ()):
                if isinstance(item, dict) and "id" in item:
                    named["processor", str(item["id"])] = source.item(index)
        return Files(texts, named)

    def at(self, kind: str, name: str, *path: int | str, key: bool = False) -> Location:
        source = self.named.get((kind, name))
        return source.at(*path, key=key) if source is not None else Location(name, 1, 1)


@dataclass(frozen=True, slots=True)
class _House:
    policies: PolicySet
    files: Files
    now: datetime
    users: Mapping[str, Sequence[str]]
    """Processor to the tenants in whose route it stands."""

    def used_by(self, processor: str) -> Sequence[str]:
        return self.users.get(processor, ())


def _users(policies: PolicySet) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for policy in policies.tenants.values():
        for name in {candidate.processor for hop in Hop for candidate in policy.route.candidates(hop)}:
            users.setdefault(name, []).append(policy.tenant)
    return users


def lint(policies: PolicySet, texts: Mapping[str, str], *, now: datetime) -> tuple[Remark, ...]:
    """Everything there is to say about valid policies, the gravest first, then in the order of the files.

    Args:
        texts: file name to text, as they were loaded.
        now: reviews run out and notices end against it; aware.
    """
    house = _House(policies, Files.of(texts), now, _users(policies))
    remarks = [remark for rule in RULES for remark in rule(house)]
    order = list(Severity)
    return tuple(sorted(remarks, key=lambda each: (order.index(each.severity), _place(each.finding.where), each.rule)))


def _place(where: Location) -> tuple[str, int, int]:
    return where.file, where.line, where.column


def _reviews(house: _House) -> Iterator[Remark]:
    """Agreements whose review is over or soon over; missing ones of processors that a route names (promise 6)."""
    today = house.now.date()
    for name, entry in house.policies.registry.entries.items():
        users = house.used_by(name)
        if entry.region == LOCAL or not users:
            continue
        where = house.files.at("processor", name, "dpa", "reviewed_on")
        if ("agreement", name) in house.files.named:
            where = house.files.at("agreement", name, name, "reviewed_on")
        of = f"the agreement with {name}, in the route of {_few(users)},"
        if entry.dpa is None:
            hint = f"sign one and write it down in agreements.yaml: {name}: {{reference: …, reviewed_on: {today}}}"
            message = f"{name}, in the route of {_few(users)}, is refused: there is no agreement with it"
            yield _warning("dpa-missing", message, where, hint)
        elif entry.dpa.reviewed_on > today:
            hint = "write the day on which somebody really read it"
            yield _error("dpa-future", f"{of} says that it will be reviewed on {entry.dpa.reviewed_on}", where, hint)
        elif entry.dpa.good_until < today:
            hint = "review it, and write the day as reviewed_on"
            yield _error("dpa-expired", f"{of} was to be reviewed by {entry.dpa.good_until}: it is refused", where, hint)
        elif entry.dpa.good_until < today + SOON:
            hint = "review it before, and write the day as reviewed_on"
            yield _warning("dpa-expiring", f"{of} must be reviewed by {entry.dpa.good_until}, or it is refused", where, hint)


def _stale(house: _House) -> Iterator[Remark]:
    for name, entry in house.policies.registry.entries.items():
        if house.used_by(name) and house.now.date() - entry.checked_on > STALE:
            where = house.files.at("processor", name, "checked_on")
            message = f"what is said of {name} was read on {entry.checked_on}"
            yield _note("stale", message, where, f"read it again: {entry.source}")


def _unreachable(house: _House) -> Iterator[Remark]:
    """One remark for all of them: a catalogue is meant to hold more than anybody uses."""
    names = sorted(name for name in house.policies.registry.entries if not house.used_by(name))
    if names and house.policies.tenants:
        where = house.files.at("processor", names[0], "id")
        message = f"{len(names)} sub-processor(s) stand in nobody's route: {_few(names)}"
        yield _note("unreachable", message, where, "nothing goes to them")


def _unheard(house: _House) -> Iterator[Remark]:
    """Notices of changed policies that would reach nobody."""
    for name, policy in house.policies.tenants.items():
        if policy.notify_policy_changes and not policy.contacts.channels:
            where = house.files.at("tenant", name, "notify_policy_changes", key=True)
            message = f"{name} asks for notice of changes, and has no contacts: nobody is told"
            yield _warning("no-contacts", message, where, "add contacts: {mail: [ADDRESS]}, or a webhook")


def _unrouted(house: _House) -> Iterator[Remark]:
    """Tenants of whom a call would be refused, hop by hop, with what each rule said."""
    for name, policy in house.policies.tenants.items():
        for hop in Hop:
            candidates = policy.route.candidates(hop)
            if candidates:
                told = explain(policy, house.policies.registry, question(policy, hop, at=house.now))
                if not told.permitted:
                    why = "; ".join(f"{row.processor}: {next(filter(None, row.rules.values()), '')}" for row in told.rows[:3])
                    where = house.files.at("tenant", name, "route", hop.value, key=True)
                    hint = f"run `sordino policy explain --tenant {name} --hop {hop.value}` for the whole table"
                    yield _error("no-route", f"nobody may receive the data of {name} for {hop.value}: {why}", where, hint)
            elif hop in NEEDED and policy.numbers:
                where = house.files.at("tenant", name, "route", key=True)
                hint = f"add `{hop.value}: [{{processor: …}}]` to its route"
                yield _error("no-route", f"{name} takes calls, and its route names nobody for {hop.value}", where, hint)


def _traces(house: _House) -> Iterator[Remark]:
    """Collectors that keep traces for longer than a tenant allows: they get none, of nobody (promise 14)."""
    for name, entry in house.policies.registry.entries.items():
        for policy in house.policies.tenants.values():
            if said := kept_too_long(policy, entry):
                where = house.files.at("processor", name, "retention_days", key=True)
                hint = f"agree with it on a shorter time, or write `retention: {{traces: …}}` for {policy.tenant}"
                message = f"no traces go to {name}; {policy.tenant} does not permit it: {said}"
                yield (_error if house.used_by(name) else _warning)("traces", message, where, hint)


def _proofs(house: _House) -> Iterator[Remark]:
    """Evidence that goes before what it proves: then nobody can say that somebody agreed to a recording that is still there."""
    for name, policy in house.policies.tenants.items():
        keep = policy.retention
        longer = [each for each in ("audio", "transcript", "metadata", "consent") if keep.of(DataClass(each)) > keep.evidence]
        if longer:
            where = house.files.at("tenant", name, "retention", "evidence", key=True)
            message = f"{name} keeps evidence for a shorter time than {_few(longer)}: what proves them goes before they do"
            yield _warning("evidence-shorter", message, where, "keep evidence at least as long: `retention: {evidence: …}`")


def _spoken_answers(house: _House) -> Iterator[Remark]:
    """A spoken answer is heard on this machine only, and the recogniser that ships knows English (promise 13)."""
    entries = house.policies.registry.entries
    for name, policy in house.policies.tenants.items():
        named = [entries[ears] for each in policy.route.stt if (ears := ProcessorId(each.processor)) in entries]
        local = [entry.dialect for entry in named if entry.region == LOCAL]
        for each in policy.announcements:
            kind, _, origin = each.rule.partition(":")
            if each.mode is not AnnouncementMode.SPOKEN_YES or any(dialect != "moonshine" for dialect in local):
                continue
            where = house.files.at(kind, origin, "announcements", key=True)
            if not local:
                hint = "put one into its route.stt, behind the others if it is for answers only: {processor: local-moonshine}"
                message = f"{name}: `{each.id}` asks for a spoken answer, and no recogniser on this machine is in the route"
                yield _error("spoken-answer", message, where, hint)
            elif each.language.split("-")[0] != "en":
                message = (
                    f"{name}: `{each.id}` asks for a spoken answer in {each.language}, and local-moonshine knows English only"
                )
                yield _error("spoken-answer", message, where, "ask with mode: key-press, or route another local recogniser")


def _loosened(house: _House) -> Iterator[Remark]:
    for name, policy in house.policies.tenants.items():
        for index, each in enumerate(policy.loosened):
            where = house.files.at("tenant", name, "loosens", index)
            message = f"{name} loosens {each.setting} of {each.pack}: {each.reason}"
            yield _note("loosened", message, where, "see that the reason holds")


def _language(house: _House) -> Iterator[Remark]:
    """Callers should hear announcements in the tenant's language (promise 12)."""
    for name, policy in house.policies.tenants.items():
        for each in policy.announcements_for():
            if each.language.split("-")[0] != policy.language.split("-")[0]:
                kind, _, origin = each.rule.partition(":")
                hint = f"add one with the same id, `language: {policy.language}` and its own asset"
                message = f"{name} speaks {policy.language}, and its announcement `{each.id}` is in {each.language} only"
                yield _warning("announcement-language", message, house.files.at(kind, origin, "announcements", key=True), hint)


def _law(house: _House) -> Iterator[Remark]:
    """What the law of a tenant's own numbers asks for and its file leaves out: Sordino says what it can, the rest is untold."""
    for name, policy in house.policies.tenants.items():
        for index, number in enumerate(policy.numbers):
            here = locate(Private(number), stated=policy.origins)
            law = jurisdiction(here, here)
            missing = [pack for pack in law.packs if pack not in policy.extends]
            first = first_words(policy, house.policies.packs, law)
            if missing or first.reasons:
                lacks = [f"{name} does not extend {_few(missing)}"] if missing else []
                message = f"the law of {' and '.join(law.laws)} holds for this number: {'; '.join([*lacks, *first.reasons])}"
                hint = "extend them, and write what an announcement tells as `says`; a call to elsewhere has that law besides"
                yield _note("law", message, house.files.at("tenant", name, "numbers", index), hint)


def _breach_clocks(house: _House) -> Iterator[Remark]:
    """Several breach clocks over one tenant: the shortest holds, and somebody may plan by another (promise 18)."""
    packs = house.policies.packs
    for name, policy in house.policies.tenants.items():
        said = {pack: hours for pack in policy.extends if pack in packs and (hours := packs[pack].breach_hours) is not None}
        if len({*said.values(), policy.breach_hours}) < 2 or _states(house, name, "breach_hours"):
            continue
        listed = ", ".join(f"{pack} {hours} h" for pack, hours in sorted(said.items(), key=lambda item: item[1]))
        message = f"several breach clocks run for {name} ({listed}): the shortest, {policy.breach_hours} h, holds"
        where = house.files.at("tenant", name, "extends")
        yield _warning("breach-clocks", message, where, f"state it in the tenant's file: `breach_hours: {policy.breach_hours}`")


def _states(house: _House, tenant: str, key: str) -> bool:
    source = house.files.named.get(("tenant", tenant))
    return source is not None and source.at(key, key=True) != source.at()


def _clauses(house: _House) -> Iterator[Remark]:
    """Clauses of one law stated for another: EU clauses protect nobody under India's or the UK's law."""
    for name, entry in house.policies.registry.entries.items():
        for law, stated in entry.mechanism.items():
            if stated.by is not Means.UNKNOWN and (said := problem(stated, law, _reached(entry))):
                where = house.files.at("processor", name, "mechanism", law)
                yield _error("mechanism", f"{name}: {said}", where, "write the mechanism of that law, or unknown")


def _reached(entry: SubProcessor) -> str:
    return UNKNOWN if entry.region == UNKNOWN else entry.region


def _shared(house: _House) -> Iterator[Remark]:
    """Callers are told that nobody receives their data, and the route names who does."""
    for name, policy in house.policies.tenants.items():
        outside = _outside(house, policy)
        for path, text in _told(policy):
            if outside and lint_text.says_never_shared(text):
                message = f"{name} says that data is never shared, and its route names {_few(outside)}"
                hint = "say with whom it is shared, or take them out of the route"
                yield _error("never-shared", message, house.files.at("tenant", name, *path), hint)


def _outside(house: _House, policy: TenantPolicy) -> list[str]:
    entries = house.policies.registry.entries
    named = {candidate.processor for hop in Hop for candidate in policy.route.candidates(hop)}
    return sorted(name for name, entry in entries.items() if name in named and entry.region != LOCAL)


def _told(policy: TenantPolicy) -> Iterator[tuple[tuple[int | str, ...], str]]:
    for each in policy.announcements:
        yield ("announcements",), each.text
    if policy.agent is not None and not isinstance(policy.agent, str):
        yield ("agent", "instructions"), policy.agent.instructions
        yield ("agent", "greeting"), policy.agent.greeting or ""


def _texts(house: _House) -> Iterator[Remark]:
    """What only the text itself shows: secrets, Privacy Shield, deletion by letter."""
    for file, text in house.files.texts.items():
        for line, column, what in lint_text.secrets(text):
            hint = "take it out and make it invalid where it was given; a file names a secret, it never holds one"
            found = Finding(f"this looks like {what}", Location(file, line, column), hint)
            yield Remark(Severity.ERROR, "secret", found, hidden=True)
        for line, column in lint_text.privacy_shield(text):
            hint = "it was struck down on 16 July 2020 (CJEU C-311/18): name the mechanism in force"
            yield _error("privacy-shield", "Privacy Shield is cited", Location(file, line, column), hint)
        for line, column in lint_text.deletion_by_letter(text):
            hint = "people and tenants delete by themselves: `sordino rights erase`, or the API; say so"
            yield _warning("no-self-service-deletion", "deletion is promised on request only", Location(file, line, column), hint)


RULES: tuple[Callable[[_House], Iterator[Remark]], ...] = (
    _reviews,
    _stale,
    _unreachable,
    _unrouted,
    _unheard,
    _traces,
    _proofs,
    _spoken_answers,
    _loosened,
    _language,
    _law,
    _breach_clocks,
    _clauses,
    _shared,
    _texts,
)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _error(rule: str, message: str, where: Location, hint: str) -> Remark:
    return Remark(Severity.ERROR, rule, Finding(message, where, hint))


def _warning(rule: str, message: str, where: Location, hint: str) -> Remark:
    return Remark(Severity.WARNING, rule, Finding(message, where, hint))


def _note(rule: str, message: str, where: Location, hint: str) -> Remark:
    return Remark(Severity.NOTE, rule, Finding(message, where, hint))
