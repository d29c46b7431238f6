"""The words of a call's plot: where it stands, what can happen, and what is to be done. ``gateway.call.flow`` joins them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.call.consent import (
    AnswerHeard,
    AnswerOverdue,
    Asking,
    AwaitAnswer,
    CloseAnswerEar,
    ConsentWithdrawn,
    GiveConsent,
    HearAnswer,
    OpenAnswerEar,
    RefuseConsent,
    RevokeConsent,
    TransferAsked,
    TransferCall,
)
from gateway.call.events import LegEvent
from gateway.call.payment import PaymentCommand, PaymentEvent
from gateway.evidence.entries import Json
from gateway.values import Pcm, Private


class Phase(StrEnum):
    """Where a call stands."""

    CONNECTED = "connected"
    ANNOUNCING = "announcing"
    ASKING = "asking"
    """An announcement was proven, and its answer is waited for."""
    LISTENING = "listening"
    TELLING = "telling"
    """The caller is being told that the call cannot go on."""
    ENDED = "ended"


class Outcome(StrEnum):
    """How a call ended, as its receipt says it."""

    COMPLETED = "completed"
    NEVER_LISTENED = "never_listened"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One required announcement with the facts that its proof needs. Durations in ms."""

    id: str
    rule: str
    language: str
    text_sha256: str
    audio_sha256: str
    total_ms: int
    ask: Asking | None = None
    """What the caller is to answer; None: nothing is asked."""

    def mark(self, play: int) -> str:
        """The name of the mark behind its ``play``-th playing in a call, from 1."""
        return f"announcement:{self.id}" if play == 1 else f"announcement:{self.id}:{play}"


# --- what can happen, beside the leg's own events ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayedOut:
    """The last frame of an announcement was sent and its mark asked for."""

    announcement: str
    play: int = 1


@dataclass(frozen=True, slots=True)
class MarkOverdue:
    """The carrier had its time to return the mark."""

    announcement: str
    play: int = 1


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that the call stands on cannot answer. ``code`` is one of our public error codes."""

    code: str


@dataclass(frozen=True, slots=True)
class AgentFinished:
    """The agent said what it had to say and ends the call."""


@dataclass(frozen=True, slots=True)
class Told:
    """The caller heard (or could no longer hear) that the call cannot go on."""


Happening = PlayedOut | MarkOverdue | Failed | AgentFinished | Told | TransferAsked
ConsentEvent = AnswerHeard | AnswerOverdue | ConsentWithdrawn
Event = LegEvent | Happening | ConsentEvent | PaymentEvent


# --- what is to be done --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """Put this on record. Unless ``anyway``, the commands after it wait for the ledger's confirmation."""

    kind: str
    body: Mapping[str, Json]
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class PlayAnnouncement:
    """Play it whole, uninterruptible, and ask the carrier for its mark at the end."""

    announcement: Announcement
    play: int = 1
    clearing: bool = False
    """Throw away first what is still being played."""


@dataclass(frozen=True, slots=True)
class AwaitMark:
    """Send MarkOverdue after so many ms, unless the phase has moved on."""

    announcement: Announcement
    within_ms: int
    play: int = 1


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """Only now may an ear exist."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Whoever came by the ``joined``-th ParticipantJoined has heard all that had to be heard, and may be heard from now on.

    ``to_answer``: for their answer only. On a line where nobody else can come there is nothing to do.
    """

    joined: int
    to_answer: bool = False


@dataclass(frozen=True, slots=True)
class Hear:
    """Pass this on to the conversation."""

    pcm: Private[Pcm]


@dataclass(frozen=True, slots=True)
class CloseConversation:
    """Stop hearing, thinking and speaking."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Play a pre-recorded message: it needs no processor, no store, no ledger."""

    asset: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the carrier's leg."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Make the receipt: the call is over."""

    outcome: Outcome
    code: str | None = None


ConsentCommand = (
    AwaitAnswer | OpenAnswerEar | HearAnswer | CloseAnswerEar | GiveConsent | RefuseConsent | RevokeConsent | TransferCall
)
PlotCommand = (
    Write
    | PlayAnnouncement
    | AwaitMark
    | OpenConversation
    | Admit
    | Hear
    | CloseConversation
    | Tell
    | HangUp
    | Seal
    | ConsentCommand
)
Command = PlotCommand | PaymentCommand


# --- facts for the record -------------------------------------------------------------------------------------------


def facts_of(announcement: Announcement) -> dict[str, Json]:
    """What every proof of an announcement says of it."""
    asked: dict[str, Json] = {"mode": announcement.ask.mode.value} if announcement.ask else {}
    return asked | {
        "id": announcement.id,
        "rule": announcement.rule,
        "language": announcement.language,
        "text_sha256": announcement.text_sha256,
        "audio_sha256": announcement.audio_sha256,
        "total_ms": announcement.total_ms,
    }


def answer_facts(announcement: Announcement, ask: Asking, how: str, *, after_ms: int, play: int) -> dict[str, Json]:
    """What is written of a caller's answer: which announcement, what about, how, and how long after its end."""
    return {
        "id": announcement.id,
        "rule": announcement.rule,
        "language": announcement.language,
        "mode": ask.mode.value,
        "purpose": ask.purpose,
        "how": str(how),
        "after_ms": after_ms,
        "play": play,
    }
