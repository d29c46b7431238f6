"""What can happen on a call's media leg, whatever carries it. Carriers' files turn their wire bytes into these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.call.child import ChildSignalled
from gateway.values import Pcm, Private


@dataclass(frozen=True, slots=True)
class LegStarted:
    """The carrier opened the media stream. ``parameters`` are what our own webhook answer put there."""

    leg: str
    """The carrier's name of the stream (Twilio: ``streamSid``)."""
    carrier_call: str
    """The carrier's name of the call (Twilio: ``callSid``)."""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """20 ms (usually) of the caller's voice. ``at_ms`` is the carrier's own clock since the stream began."""

    pcm: Private[Pcm]
    at_ms: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A DTMF key: ``0``-``9``, ``*``, ``#``, ``A``-``D``. A key may be part of a card number: it is private."""

    key: Private[str]
    asked: bool = True
    """Whether who pressed it is one of those that are being asked, if anybody is. A no counts from everybody, a yes does not."""


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """The carrier says that everything sent before the mark was played to the caller (or cleared)."""

    name: str


@dataclass(frozen=True, slots=True)
class LegStopped:
    """The carrier closed the stream: the caller hung up, or the call moved on."""

    why: str = "stopped"


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody else is on the line now, by joining or by a transfer: they have heard and agreed to nothing."""


LegEvent = LegStarted | CallerAudio | KeyPressed | MarkReturned | LegStopped | ParticipantJoined | ChildSignalled
