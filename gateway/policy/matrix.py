"""Policies tested like tables: given a call, what it hears, who may receive it, and which rule refuses whom.

A suite (``policies/tests/NAME.yaml``) tests a tenant of the folder, or a policy that it brings along to test a pack.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from gateway.errors import Finding, Location, PolicyInvalid
from gateway.policy.announcing import AnnouncementMode
from gateway.policy.disclosing import first_words
from gateway.policy.documents import Parts, Source, read_document
from gateway.policy.explain import RULE_NAMES, Explanation, explain, laws_of, question
from gateway.policy.faults import did_you_mean, read_model
from gateway.policy.fields import E164, EntityKey, Language, LeastTls, Mask, Model, Region, Slug, Text, fault
from gateway.policy.jurisdiction import Jurisdiction, jurisdiction, locate
from gateway.policy.load import REGISTRY_FILE, PolicySet
from gateway.policy.model import CONVERSATION, PackFile, TenantPolicy
from gateway.policy.question import Ask, Health
from gateway.policy.registry import Registry
from gateway.values import DataCategory, Hop, Private, ProcessorId

NOBODY = "nobody"
UNREGISTERED = "registered"
NO_CONSENT = "none"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def _moment(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def _rule(value: str) -> str:
    if value not in (*RULE_NAMES, UNREGISTERED):
        raise fault(f"there is no rule `{value[:40]}`", did_you_mean(value, RULE_NAMES, otherwise="the rules are"))
    return value


Moment = Annotated[datetime, AfterValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
RuleName = Annotated[str, AfterValidator(_rule), WithJsonSchema({"type": "string", "enum": [*RULE_NAMES, UNREGISTERED]})]


class Given(Model):
    """The call: what is not said is as on any other call."""

    caller: E164 | None = None
    called: E164 | None = None
    origin: Region | None = None
    """Whose law protects the caller; left out: what follows from the numbers, and without them nobody knows."""
    at: Moment | None = None
    language: Language | None = None
    data: dict[Hop, tuple[DataCategory, ...]] = Field(default_factory=dict)
    about: tuple[DataCategory, ...] = ()
    purpose: Slug = CONVERSATION
    failed: tuple[Slug, ...] = ()
    """Processors that failed in this turn already."""
    down: tuple[Slug, ...] = ()
    slow: tuple[Slug, ...] = ()
    barred: dict[Slug, Text] = Field(default_factory=dict)
    """Processors that this tenant may not use now, with the sentence why."""


class Call(Model):
    """One row: a call, and what is expected of it. What is left out is not looked at."""

    call: Text
    given: Given = Given()
    announcements: tuple[Slug, ...] | None = None
    consent: AnnouncementMode | None = None
    route: dict[Hop, Slug] = Field(default_factory=dict)
    """Who receives the data of each hop; ``nobody`` where the call must be refused."""
    tls: dict[Hop, LeastTls] = Field(default_factory=dict)
    """The least version of TLS with which it is sent there."""
    refused: dict[Slug, tuple[RuleName, ...]] = Field(default_factory=dict)
    """Who is refused, and every rule that says so."""
    masking: dict[EntityKey, Mask] = Field(default_factory=dict)
    """What becomes of a value on its way to the model."""


class Faulty(Model):
    """A file that may not be taken: ``check`` must refuse it with these words. It shows a rule that holds at reading already."""

    fault: Text
    rule: RuleName | None = None
    policy: dict[str, Any] | None = None
    processors: tuple[dict[str, Any], ...] = ()


class Suite(Model):
    """``policies/tests/NAME.yaml`` as it is written."""

    suite: Slug
    about: Text | None = None
    tenant: Slug | None = None
    """A tenant of this folder, or"""
    policy: dict[str, Any] | None = None
    """a tenant's file of the suite's own."""
    processors: tuple[dict[str, Any], ...] = ()
    """Sub-processors for this suite alone, beside the catalogue."""
    at: Moment = NOON
    """When the calls take place, so that the answer is the same every day."""
    calls: tuple[Call, ...] = ()
    faulty: tuple[Faulty, ...] = ()

    @model_validator(mode="after")
    def _whose(self) -> Suite:
        if self.calls and (self.tenant is None) == (self.policy is None):
            raise fault(
                "nothing says whose calls these are", "write `tenant: NAME` of this folder, or `policy:` with a policy of its own"
            )
        return self


Load = Callable[[Mapping[str, str]], PolicySet]
"""The folder's packs and catalogue with these texts beside them; raises PolicyInvalid."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the policy makes of one call."""

    announcements: tuple[str, ...]
    consent: str
    route: Mapping[Hop, str]
    refused: Mapping[str, tuple[str, ...]]
    masking: Mapping[str, str]
    explained: Mapping[Hop, Explanation] = field(compare=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Played:
    """One row with what came of it. ``differences`` is empty when all is as expected."""

    suite: str
    call: str
    where: Location
    differences: tuple[str, ...]
    outcome: Outcome | None = None
    rule: str | None = None
    """For a faulty file: the rule that was shown."""

    @property
    def passed(self) -> bool:
        return not self.differences


_NO_PACKS: Mapping[str, PackFile] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ReadSuite:
    suite: Suite
    source: Source


def read_suite(file: str, text: str, parts: Parts) -> tuple[ReadSuite | None, tuple[Finding, ...]]:
    """The suite that ``text`` describes, or every fault in it with its place."""
    value, findings = read_document(file, text, parts)
    if value is None or findings:
        return None, findings
    source = Source(file, text)
    suite, faults = read_model(Suite, value, source)
    return (ReadSuite(suite, source) if suite is not None else None), faults


def run(read: ReadSuite, folder: PolicySet, load: Load) -> Iterator[Played]:
    """Every row of the suite. A policy of its own that is wrong fails all of its rows with the sentence."""
    suite = read.suite
    try:
        policy, registry = _subject(suite, folder, load)
    except PolicyInvalid as invalid:
        faults = tuple(f"{finding.message}: {finding.hint}" if finding.hint else finding.message for finding in invalid.findings)
        yield from (Played(suite.suite, call.call, read.source.at("calls", i), faults) for i, call in enumerate(suite.calls))
    else:
        for index, call in enumerate(suite.calls):
            outcome = play(policy, registry, call, suite.at, folder.packs) if policy is not None else None
            where = read.source.at("calls", index, "call")
            unknown = f"there is no tenant `{suite.tenant}`: {did_you_mean(str(suite.tenant), folder.tenants)}"
            missing = (unknown,) if outcome is None else ()
            yield Played(suite.suite, call.call, where, missing or tuple(_differences(call, outcome)), outcome)
    for index, faulty in enumerate(suite.faulty):
        yield _refused(faulty, suite, read.source.at("faulty", index), load)


def _subject(suite: Suite, folder: PolicySet, load: Load) -> tuple[TenantPolicy | None, Registry]:
    if suite.policy is None and not suite.processors:
        return folder.tenants.get(suite.tenant) if suite.tenant is not None else None, folder.registry  # type: ignore[call-overload]
    policies = load(_texts(suite.policy, suite.processors))
    if suite.policy is None:
        return folder.tenants.get(suite.tenant), policies.registry  # type: ignore[call-overload]
    return next(iter(policies.tenants.values()), None), policies.registry


def _texts(policy: Mapping[str, Any] | None, processors: tuple[dict[str, Any], ...]) -> dict[str, str]:
    """JSON is YAML: what a suite brings along is read by the same reader as files are."""
    texts = {f"suite/{REGISTRY_FILE}": json.dumps(processors)} if processors else {}
    return texts | ({"suite/tenants/own.yaml": json.dumps(policy)} if policy is not None else {})


def play(
    policy: TenantPolicy, registry: Registry, call: Call, at: datetime, packs: Mapping[str, PackFile] = _NO_PACKS
) -> Outcome:
    """What the policy makes of the call. ``packs``: those that exist, for what the law of the call wants told."""
    given = call.given
    hops = [hop for hop in Hop if policy.route.candidates(hop) or hop in call.route or hop in call.tls]
    origins, found = _whose(given, policy)
    explained = {hop: explain(policy, registry, _ask(policy, hop, given, origins, at)) for hop in hops}
    if found is not None or not given.origin:
        heard = first_words(policy, packs, found, given.language or "").announcements
    else:
        heard = policy.announcements_for(given.language or "", (given.origin,))
    modes = list(AnnouncementMode)
    refused: dict[str, tuple[str, ...]] = {}
    for explanation in explained.values():
        for row in explanation.rows:
            if no := tuple(name for name, sentence in row.rules.items() if sentence):
                refused[row.processor] = tuple(dict.fromkeys((*refused.get(row.processor, ()), *no)))
    return Outcome(
        announcements=tuple(each.id for each in heard),
        consent=max((each.mode for each in heard), key=modes.index).value if heard else NO_CONSENT,
        route={hop: explanation.chosen or NOBODY for hop, explanation in explained.items()},
        refused=refused,
        masking={kind: policy.masking_for(kind, Hop.LLM).value for kind in call.masking},
        explained=explained,
    )


def _whose(given: Given, policy: TenantPolicy) -> tuple[tuple[str, ...], Jurisdiction | None]:
    """Whose laws protect the data, and whose law holds for the call, if its ends are given."""
    stated = (given.origin,) if given.origin else ()
    if given.caller is None and given.called is None:
        return stated, None
    caller, called = (locate(Private(number or ""), stated=policy.origins) for number in (given.caller, given.called))
    found = jurisdiction(caller, called)
    return stated or laws_of(policy, found), found


def _ask(policy: TenantPolicy, hop: Hop, given: Given, origins: tuple[str, ...], at: datetime) -> Ask:
    health = {**dict.fromkeys(given.slow, Health.SLOW), **dict.fromkeys(given.down, Health.DOWN)}
    asked = question(
        policy,
        hop,
        at=given.at or at,
        data=given.data.get(hop, ()),
        purpose=given.purpose,
        origins=origins,
        about=given.about,
    )
    return replace(
        asked,
        excluding=frozenset(ProcessorId(name) for name in given.failed),
        health={ProcessorId(name): state for name, state in health.items()},
        barred={ProcessorId(name): why for name, why in given.barred.items()},
    )


def _differences(call: Call, outcome: Outcome | None) -> Iterator[str]:
    if outcome is None:
        return
    if call.announcements is not None and call.announcements != outcome.announcements:
        yield f"announcements: expected {_list(call.announcements)}, got {_list(outcome.announcements)}"
    if call.consent is not None and call.consent.value != outcome.consent:
        yield f"consent: expected {call.consent.value}, got {outcome.consent}"
    for hop, expected in call.route.items():
        if (got := outcome.route[hop]) != expected:
            yield f"{hop.value}: expected {expected}, got {got}{_why(outcome.explained[hop], expected)}"
    yield from _spoken(call, outcome)
    for processor, rules in call.refused.items():
        if set(got_rules := outcome.refused.get(processor, ())) != set(rules):
            yield f"{processor}: expected a no from {_list(rules)}, got {_list(got_rules)}"
    for kind, mask in call.masking.items():
        if outcome.masking[kind] != mask.value:
            yield f"{kind}: expected {mask.value}, got {outcome.masking[kind]}"


def _spoken(call: Call, outcome: Outcome) -> Iterator[str]:
    for hop, least in call.tls.items():
        if (got := outcome.explained[hop].tls) != least:
            yield f"{hop.value}: expected TLS {least} at least, got {got or 'none'}"


def _why(explanation: Explanation, expected: str) -> str:
    said = [no for row in explanation.rows if row.processor == expected for no in row.rules.values() if no]
    return f" ({expected}: {'; '.join(said)})" if said else ""


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _refused(faulty: Faulty, suite: Suite, where: Location, load: Load) -> Played:
    said: tuple[str, ...] = ()
    try:
        load(_texts(faulty.policy if faulty.policy is not None else suite.policy, (*suite.processors, *faulty.processors)))
    except PolicyInvalid as invalid:
        said = tuple(finding.message for finding in invalid.findings)
    wanted = " ".join(faulty.fault.split())
    hit = any(re.search(re.escape(wanted), message) for message in said)
    difference = () if hit else (f"expected the fault `{wanted}`, got {_list(said)}",)
    return Played(suite.suite, f"refused at reading: {wanted}", where, difference, rule=faulty.rule)
