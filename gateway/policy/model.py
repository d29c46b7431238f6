"""The tenant's instruction: what a person writes in tenants/ and packs/, and what is in force after they are joined.

Everything left out of a file has the strict default. ``Settings`` holds what both kinds of file may say; ``TenantPolicy`` is the
effective policy that ``egress.decide`` obeys, and its digest stands in every receipt (promise 2).
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag

from gateway.policy.canonical import digest
from gateway.policy.fields import (
    E164,
    Asset,
    DemandedTraining,
    DottedPath,
    Duration,
    EntityKey,
    Language,
    Mask,
    Model,
    Region,
    SecretName,
    Slug,
    Text,
    Training,
    TwilioAccount,
    fault,
)
from gateway.values import Hop

CONVERSATION = "conversation"
"""The purpose of a call's own talk: hearing, answering, speaking. The only one that a tenant allows by default (promise 9)."""


class AnnouncementMode(StrEnum):
    """What the caller does after the words: nothing, stay, press a key, say yes (promise 12, 13)."""

    NOTIFY = "notify"
    STAY_ON_LINE = "stay-on-line"
    KEY_PRESS = "key-press"
    SPOKEN_YES = "spoken-yes"


def _served(mode: AnnouncementMode) -> AnnouncementMode:
    if mode is not AnnouncementMode.NOTIFY:
        raise fault(f"the mode {mode.value} is not served yet", "this version plays announcements with mode: notify only")
    return mode


class Announcement(Model):
    """Words that must be played to their end before anything of the caller is heard."""

    id: Slug
    text: Text
    language: Language = "en"
    asset: Asset
    """Name of the WAV in ``announcements/`` that says exactly ``text``."""
    mode: Annotated[AnnouncementMode, AfterValidator(_served)] = AnnouncementMode.NOTIFY


class RequiredAnnouncement(Announcement):
    """An announcement in force, with the rule that asks for it: ``tenant:demo`` or ``pack:eu-ai-act``."""

    rule: str


def _not_recording(value: bool) -> bool:
    if value:
        raise fault("recording is not served yet", "this version keeps no audio and no transcript: write enabled: false")
    return value


class Recording(Model):
    """Whether anything of the call may be kept. Off unless the tenant says so (promise 11)."""

    enabled: Annotated[bool, Field(strict=True), AfterValidator(_not_recording)] = False


class RetentionStated(Model):
    """How long each class of data is kept, as far as a file says (promise 14)."""

    audio: Duration | None = None
    transcript: Duration | None = None
    vault: Duration | None = None
    metadata: Duration | None = None
    traces: Duration | None = None


class Retention(Model):
    """How long each class of data is kept. ``vault`` is the longest life of a call's placeholders."""

    audio: Duration = timedelta(0)
    transcript: Duration = timedelta(0)
    vault: Duration = timedelta(hours=4)
    metadata: Duration = timedelta(days=30)
    traces: Duration = timedelta(days=7)


class Candidate(Model):
    """A processor that may be asked for a hop. ``*`` is the model that the client asked for."""

    processor: Slug
    model: Text = "*"


class Route(Model):
    """For each hop the processors in the order in which they are asked for permission."""

    telephony: tuple[Candidate, ...] = ()
    stt: tuple[Candidate, ...] = ()
    llm: tuple[Candidate, ...] = ()
    tts: tuple[Candidate, ...] = ()
    realtime: tuple[Candidate, ...] = ()
    storage: tuple[Candidate, ...] = ()
    telemetry: tuple[Candidate, ...] = ()

    def candidates(self, hop: Hop) -> tuple[Candidate, ...]:
        found: tuple[Candidate, ...] = getattr(self, hop.value)
        return found


class Twilio(Model):
    """The tenant's account at Twilio. ``auth_token`` names the secret that checks the webhook's signature."""

    account: TwilioAccount | None = None
    auth_token: SecretName


class Carrier(Model):
    twilio: Twilio | None = None


class PlainAgent(Model):
    """An agent without code: what it is told and how it greets."""

    instructions: Text
    greeting: Text | None = None


def _agent_kind(value: Any) -> str:
    return "path" if isinstance(value, str) else "plain"


Agent = Annotated[Annotated[DottedPath, Tag("path")] | Annotated[PlainAgent, Tag("plain")], Discriminator(_agent_kind)]
"""``agents.receptionist:Receptionist``, or instructions and a greeting."""


class Settings(Model):
    """What a tenant or a pack may say. Where several say it, the stricter one holds."""

    regions: tuple[Region, ...] | None = None
    """Where data may go. This machine is always among them."""
    origins: tuple[Region, ...] | None = None
    """Places whose law protects the callers: a hop to elsewhere needs a transfer mechanism from each (promise 8)."""
    training: DemandedTraining | None = None
    purposes: tuple[Slug, ...] | None = None
    masking: dict[EntityKey, Mask] | None = None
    recording: Recording | None = None
    announcements: tuple[Announcement, ...] | None = None
    retention: RetentionStated | None = None
    notice_days: Annotated[int, Field(strict=True, ge=0, le=365)] | None = None
    """Days between the announcement of a sub-processor and its first use (promise 3)."""


class TenantFile(Settings):
    """``tenants/NAME.yaml`` as it is written."""

    tenant: Slug
    extends: tuple[Slug, ...] = ()
    language: Language = "en"
    route: Route = Route()
    numbers: tuple[E164, ...] = ()
    """Called numbers that belong to this tenant."""
    carrier: Carrier = Carrier()
    agent: Agent | None = None


class Fact(Model):
    """A rule of law or contract behind a pack: what it says, where that was read, and whether this version enforces it."""

    id: Slug
    says: Text
    source: Text
    checked_on: date
    confidence: Literal["primary", "secondary", "unverified"]
    enforced: Annotated[bool, Field(strict=True)]


class PackFile(Settings):
    """``packs/NAME.yaml`` as it is written: settings that tenants take over, and the facts that they rest on."""

    pack: Slug
    title: Text
    facts: tuple[Fact, ...] = ()


class TenantPolicy(Model):
    """The effective instruction of one tenant, packs joined in."""

    tenant: str
    extends: tuple[str, ...]
    language: str
    regions: tuple[Region, ...]
    origins: tuple[Region, ...]
    """Places whose law protects the callers, as the files state them."""
    presumed_origins: tuple[Region, ...]
    """The places of each file that states no origin: where a caller's own is not known, each of them may be it."""
    training: Training
    purposes: tuple[str, ...]
    masking: dict[str, Mask]
    recording: Recording
    announcements: tuple[RequiredAnnouncement, ...]
    retention: Retention
    notice_days: int
    route: Route
    numbers: tuple[str, ...]
    carrier: Carrier
    agent: Agent | None

    def masking_for(self, entity: str) -> Mask:
        """What becomes of a value of this kind on its way to a processor."""
        return self.masking.get(entity, self.masking["default"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical form of all of this."""
        return digest(self.model_dump(mode="json", exclude_none=True))

    @cached_property
    def allowed_places(self) -> frozenset[str]:
        return frozenset(self.regions)

    @cached_property
    def allowed_purposes(self) -> frozenset[str]:
        return frozenset(self.purposes)
