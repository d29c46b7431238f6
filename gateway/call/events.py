"""What can happen on a call's media leg, whatever carries it. Carriers' files turn their wire bytes into these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class MarkReturned:
    """The carrier says that everything sent before the mark was played to the caller (or cleared)."""

    name: str


@dataclass(frozen=True, slots=True)
class LegStopped:
    """The carrier closed the stream: the caller hung up, or the call moved on."""

    why: str = "stopped"


LegEvent = LegStarted | CallerAudio | KeyPressed | MarkReturned | LegStopped
