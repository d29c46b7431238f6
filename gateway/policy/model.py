"""The tenant's instruction: what a person writes in tenants/ and packs/, and what is in force after they are joined.

Everything left out of a file has the strict default. ``Settings`` holds what both kinds of file may say; ``TenantPolicy`` is the
effective policy that ``egress.decide`` obeys, and its digest stands in every receipt (promise 2).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema

from gateway.policy import masks
from gateway.policy.accounts import Carrier
from gateway.policy.announcing import Announcement, Disclosure, RequiredAnnouncement, chosen
from gateway.policy.canonical import digest
from gateway.policy.children import Children, ChildrenStated
from gateway.policy.contacts import Contacts
from gateway.policy.dialling import Country, Outbound, OutboundStated
from gateway.policy.fields import (
    E164,
    DemandedTraining,
    DottedPath,
    Duration,
    Language,
    LeastTls,
    Mask,
    Model,
    Region,
    SettingName,
    Slug,
    Text,
    Training,
    Unknown,
    fault,
)
from gateway.policy.payment import Payment
from gateway.policy.recording import Recording, RecordingStated
from gateway.policy.regions import is_region
from gateway.policy.retention import Retention, RetentionStated
from gateway.policy.transcripts import Transcripts, TranscriptsStated
from gateway.policy.transfer import Transfer
from gateway.policy.where import Regions
from gateway.values import DataCategory, Hop

CONVERSATION = "conversation"
"""The purpose of a call's own talk: hearing, answering, speaking. The only one that a tenant allows by default (promise 9)."""


class AnswersStated(Model):
    """What becomes of models' answers before a client gets them, as far as a file says."""

    unknown: Unknown | None = None
    """Personal data that nobody in the conversation gave: ``pass``, ``mask`` or ``drop``. The last two wait for each sentence."""


class Answers(Model):
    """What becomes of models' answers before a client gets them."""

    unknown: Unknown = Unknown.PASS


class Candidate(Model):
    """A processor that may be asked for a hop. ``*`` is the model that the client asked for."""

    processor: Slug
    """The id of a sub-processor."""
    model: Text = "*"
    """What it is asked for."""


class Route(Model):
    """For each hop the processors in the order in which they are asked for permission."""

    telephony: tuple[Candidate, ...] = ()
    stt: tuple[Candidate, ...] = ()
    llm: tuple[Candidate, ...] = ()
    tts: tuple[Candidate, ...] = ()
    realtime: tuple[Candidate, ...] = ()
    storage: tuple[Candidate, ...] = ()
    telemetry: tuple[Candidate, ...] = ()
    payment: tuple[Candidate, ...] = ()

    def candidates(self, hop: Hop) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = getattr(self, hop.value)
        return found


class PlainAgent(Model):
    """An agent without code: what it is told and how it greets."""

    instructions: Text
    greeting: Text | None = None


def _agent_kind(value: Any) -> str:
    return "path" if isinstance(value, str) else "plain"


Agent = Annotated[Annotated[DottedPath, Tag("path")] | Annotated[PlainAgent, Tag("plain")], Discriminator(_agent_kind)]
"""``agents.receptionist:Receptionist``, or instructions and a greeting."""


def _recipient(value: str) -> str:
    if not is_region(value) and re.fullmatch("[a-z0-9][a-z0-9-]{0,62}", value) is None:
        raise fault("this is neither a region nor a processor", "write local, a region (eu), or the id of a processor: local-llm")
    return value


Days = Annotated[int, Field(strict=True, ge=0, le=365)]
Recipient = Annotated[str, AfterValidator(_recipient), WithJsonSchema({"type": "string", "pattern": "^[a-z0-9][a-z0-9/-]*$"})]
"""A region (``local``, ``eu``) or the id of a processor. What could be both is the region."""


class Settings(Model):
    """What a tenant or a pack may say. Where several say it, the stricter one holds."""

    regions: Regions | None = None
    """Where data may go. This machine is always among them."""
    origins: tuple[Region, ...] | None = None
    """Places whose law protects the callers: a hop to elsewhere needs a transfer mechanism from each (promise 8)."""
    training: DemandedTraining | None = None
    """May processors train on it: ``prohibited``, ``opt-out`` (yes, until somebody objects), ``permitted`` (promise 10)."""
    tls: LeastTls | None = None
    """The least version of TLS that every processor is reached with: ``"1.3"``, or ``"1.2"`` as without a word (promise 24)."""
    processor_retention: Duration | None = None
    """How long a processor may keep what it receives (promise 14)."""
    purposes: tuple[Slug, ...] | None = None
    """What data may be sent for (promise 9). Without a word: ``conversation`` alone."""
    sensitive: dict[DataCategory, tuple[Recipient, ...]] | None = None
    """Who may receive a turn that is about this kind of data, masked or not: regions, or processors by id."""
    masking: masks.Masking | None = None
    """What becomes of each kind of private data, and of what is not named (``default``), on its way to a processor."""
    answers: AnswersStated | None = None
    """What becomes of models' answers through the model proxy. Without a word they pass as they stream."""
    recording: RecordingStated | None = None
    """Whether anything of the call is kept (promise 11)."""
    transcripts: TranscriptsStated | None = None
    """Whether what was said is kept as masked text (promise 11)."""
    children: ChildrenStated | None = None
    """What becomes of a call in which a child is heard (promise 32)."""
    announcements: tuple[Announcement, ...] | None = None
    """What callers hear before anything of them is heard (promise 12)."""
    disclose: tuple[Disclosure, ...] | None = None
    """What the announcements must tell. ``recording`` counts only where recording is on."""
    retention: RetentionStated | None = None
    """How long each class of our own data is kept (promise 14)."""
    notice_days: Days | None = None
    """Days between the announcement of a sub-processor and its first use (promise 3)."""
    notice_business_days: Days | None = None
    """The same in working days (promise 4). The clock that ends later holds."""
    holidays: tuple[Country, ...] | None = None
    """Countries whose public holidays are no working days."""
    objection_days: Days | None = None
    """Days to settle an objection to a sub-processor (promise 5)."""
    breach_hours: Annotated[int, Field(strict=True, ge=1, le=720)] | None = None
    """Hours until a breach must have been told (promise 18)."""
    outbound: OutboundStated | None = None
    """The rules for placing calls (promises 13, 30 and 31). Without a word nobody may be called."""


class Loosening(Model):
    """A setting of a pack that this tenant does not take over, and why."""

    setting: SettingName
    """The setting as it stands in the pack: ``training``, ``masking.CVV``."""
    pack: Slug
    """The pack that asks for it."""
    reason: Text
    """Why this tenant need not keep it."""


class TenantFile(Settings):
    """``tenants/NAME.yaml`` as it is written."""

    tenant: Slug
    """The tenant's name, as it stands in receipts, keys and commands."""
    extends: tuple[Slug, ...] = ()
    """Packs whose rules hold here too. Where several say something, the stricter one holds."""
    loosens: tuple[Loosening, ...] = ()
    """Where this file is laxer than a pack on purpose."""
    language: Language = "en"
    """What callers and the agent speak, if a call says nothing else."""
    route: Route = Route()
    """Who is asked for each hop, in this order. Who is not named here is never asked."""
    numbers: tuple[E164, ...] = ()
    """Called numbers that belong to this tenant."""
    carrier: Carrier = Carrier()
    """The tenant's accounts at carriers."""
    agent: Agent | None = None
    """Who talks: ``module:Class``, or instructions and a greeting."""
    contacts: Contacts = Contacts()
    """Who is told of new sub-processors, and how."""
    payment: Payment | None = None
    """How card data is taken by key (promise 33). Without a word there is no pause."""
    transfer: Transfer | None = None
    """The person who takes over a caller."""
    notify_policy_changes: Annotated[bool, Field(strict=True)] = False
    """Whether the contacts are told each time that this policy, or a pack it extends, has changed (promise 35)."""


class Fact(Model):
    """A rule of law or contract behind a pack: what it says, where that was read, and whether this version enforces it."""

    id: Slug
    """A name within the pack."""
    says: Text
    """The rule, in one or two sentences."""
    source: Text
    """Where it was read."""
    checked_on: date
    """When it was read."""
    confidence: Literal["primary", "secondary", "unverified"]
    """``primary``: the law or its maker said so; ``secondary``: somebody wrote about it; ``unverified``: nobody looked it up."""
    enforced: Annotated[bool, Field(strict=True)]
    """Whether this version makes calls keep it."""
    settings: tuple[SettingName, ...] = ()
    """The pack's settings that this is the reason for: ``training``, ``masking.CVV``."""


class PackFile(Settings):
    """``packs/NAME.yaml`` as it is written: settings that tenants take over, and the facts that they rest on."""

    pack: Slug
    """The pack's name, under which tenants extend it."""
    title: Text
    """What it is about, in one line."""
    facts: tuple[Fact, ...] = ()
    """The rules of law or contract that its settings rest on."""


class TenantPolicy(Model):
    """The effective instruction of one tenant, packs joined in."""

    tenant: str
    extends: tuple[str, ...]
    loosened: tuple[Loosening, ...] = ()
    language: str
    regions: tuple[Region, ...]
    """Where data may go when nothing more is said of its hop or kind."""
    regions_apart: dict[str, tuple[Region, ...]] = Field(default_factory=dict)
    """``hop/category`` to regions, where they are not the usual ones."""
    origins: tuple[Region, ...]
    """Places whose law protects the callers, as the files state them."""
    presumed_origins: tuple[Region, ...]
    """The places of each file that states no origin: where a caller's own is not known, each of them may be it."""
    training: Training
    tls: LeastTls | None = None
    """The least version of TLS for every hop, where a file states one."""
    processor_retention: Duration = timedelta(days=30)
    purposes: tuple[str, ...]
    sensitive: dict[DataCategory, tuple[tuple[str, ...], ...]] = Field(default_factory=dict)
    """Kind to lists of regions and processors; a turn about it goes only to whom each of the lists names."""
    masking: dict[str, Mask]
    masking_apart: dict[str, dict[str, Mask]] = Field(default_factory=dict)
    """Hop to kind to mask, where it is not the usual one."""
    answers: Answers = Answers()
    recording: Recording
    transcripts: Transcripts = Transcripts()
    children: Children = Children()
    announcements: tuple[RequiredAnnouncement, ...]
    disclose: tuple[Disclosure, ...] = ()
    retention: Retention
    notice_days: int
    notice_business_days: int = 0
    holidays: tuple[str, ...] = ()
    objection_days: int = 18
    breach_hours: int = 24
    outbound: Outbound = Outbound()
    route: Route
    numbers: tuple[str, ...]
    carrier: Carrier
    agent: Agent | None
    contacts: Contacts = Contacts()
    payment: Payment | None = None
    transfer: Transfer | None = None
    notify_policy_changes: bool = False

    def masking_for(self, entity: str, hop: Hop | None = None) -> Mask:
        """What becomes of a value of this kind on its way to a processor; without a hop, to one that is not named."""
        found = self.masks(hop)
        return masks.never_kept(entity, found.get(entity, found[masks.DEFAULT]))

    def masks(self, hop: Hop | None = None) -> dict[str, Mask]:
        """Every named kind with its mask towards this hop, and ``default`` for the others."""
        return masks.for_hop(self.masking, self.masking_apart.get(hop.value, {}) if hop is not None else {})

    def left_in(self, hop: Hop) -> frozenset[DataCategory]:
        """The kinds of data that the mask leaves in a text on its way to this hop."""
        return self._left_in[hop]

    def regions_for(self, hop: Hop, category: DataCategory) -> tuple[Region, ...]:
        """Where this kind of data may go at this hop."""
        return self.regions_apart.get(f"{hop.value}/{category.value}", self.regions) if self.regions_apart else self.regions

    def announcements_for(self, language: str = "", places: Collection[str] | None = None) -> tuple[RequiredAnnouncement, ...]:
        """What a call must hear, each announcement once, in ``language`` (the tenant's if empty) where it is written in it.

        ``places``: where the ends of the call are; None: not known, so every condition is taken to hold.
        """
        return chosen(self.announcements, language or self.language, places)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical form of all of this."""
        return digest(self.document())

    def document(self) -> dict[str, object]:
        """All of this as plain values: what ``digest`` is of."""
        return self.model_dump(mode="json", exclude_none=True)

    @cached_property
    def allowed_purposes(self) -> frozenset[str]:
        return frozenset(self.purposes)

    @cached_property
    def _left_in(self) -> dict[Hop, frozenset[DataCategory]]:
        return {hop: masks.left_in(self.masks(hop)) for hop in Hop}
