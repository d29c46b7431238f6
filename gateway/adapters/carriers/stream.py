"""What carriers' media streams have in common: JSON messages in a fixed order, numbered, with base64 audio. No socket in here.

A carrier's own file names its messages and fields; the checks, the counting of faults, the order and the marks stand here. A
message that breaks the protocol raises a counted CarrierProtocolError and leaves the state as it was, so that the next message
works. No error holds anything of the message.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import ClassVar, NoReturn, TypeAlias

from gateway.adapters.carriers import g711
from gateway.adapters.carriers.sequence import Arrival, Sequence
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError
from gateway.values import Pcm, Private

MAX_MESSAGE_CHARS = 64 * 1024
"""A 20 ms media message has about 400 characters; a start message is the longest (its custom parameters)."""
MAX_AUDIO_S = 1
"""The most audio that we take in one message."""
MAX_PARAMETERS = 99
MAX_PARAMETER_CHARS = 500
MAX_NAME_CHARS = 256
MAX_MARKS_UNDER_WAY = 1024

_KEYS = frozenset("0123456789*#ABCD")
Fields: TypeAlias = Mapping[str, object]
Reader: TypeAlias = Callable[[Fields], tuple[LegEvent, ...]]


class State(Enum):
    NEW = "new"
    CONNECTED = "connected"
    STARTED = "started"
    STOPPED = "stopped"


class MediaStream:
    """One media stream of one call: what arrives and what is sent. Not shared between calls.

    ``faults`` counts by kind what was wrong so far: every raised error by its ``kind``, and what is dropped or passed over
    without an error: ``sequence_gap`` (messages that never came), ``duplicate``, ``late``.
    """

    rate: ClassVar[int] = 8000
    """Sample rate of the audio in both directions, in Hz."""
    frame_ms: ClassVar[int] = 20
    """How long a piece of audio is that the carrier is sent, in ms."""
    sample_bytes: ClassVar[int] = 1
    """1: mu-law; 2: linear, 16 bit, little-endian."""
    allowed: ClassVar[Mapping[State, frozenset[str]]]
    """Which messages may come in which state. What stands nowhere is ``unknown_event``."""
    stream_field: ClassVar[str]
    """Where a message names its stream."""
    sequence_field: ClassVar[str]
    """Where a message has its number."""
    numbered: ClassVar[frozenset[str]]
    """The messages that must have a number; others may."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self._state = State.NEW
        self._stream = ""
        self._sequence = Sequence()
        self._marks: Counter[str] = Counter()
        self._known = frozenset[str]().union(*self.allowed.values())

    @property
    def started(self) -> bool:
        """Whether the stream is open: only then can audio, marks and clears be sent."""
        return self._state is State.STARTED

    def receive(self, text: str | bytes) -> tuple[LegEvent, ...]:
        """The events in one WebSocket message: none or one today. Media that comes twice or late is dropped and counted.

        Raises:
            CarrierProtocolError: the message is malformed, oversized, unknown or out of order; ``kind`` says which. The next
                message works as if this one had not come.
        """
        message = self._parse(text)
        event = message.get("event")
        if not isinstance(event, str) or event not in self._known:
            self._fault("unknown_event", "a message of a kind that this protocol does not have")
        if event not in self.allowed.get(self._state, frozenset()):
            if self._state is State.STOPPED:
                self._fault("after_stop", "a message came after the stream had stopped")
            self._fault("out_of_order", "a message came where this protocol does not allow it")
        return self._reader(event)(message)

    def _reader(self, event: str) -> Reader:
        """Who reads a message of this kind."""
        raise NotImplementedError

    # --- messages that most carriers have --------------------------------------------------------------------------------

    def _opened(self, message: Fields, stream: str, call: str, parameters: dict[str, str]) -> tuple[LegEvent, ...]:
        """The start message was as agreed."""
        self._arrival(message)
        self._stream = stream
        self._state = State.STARTED
        return (LegStarted(stream, call, parameters),)

    def _heard(self, message: Fields, media: Fields) -> tuple[LegEvent, ...]:
        """Audio of the caller, as the stream's codec writes it."""
        at_ms = number(media.get("timestamp"))
        if at_ms is None:
            self._fault("malformed", "a media message has no timestamp")
        payload = media.get("payload")
        if isinstance(payload, str) and len(payload) > self.sample_bytes * self.rate * MAX_AUDIO_S * 4 // 3 + 4:
            self._fault("oversized", "a media message has more than a second of audio")
        audio = decoded(payload)
        if not audio or len(audio) % self.sample_bytes:
            self._fault("bad_audio", "the audio of a media message is not base64, empty, or ends in half a sample")
        if self._arrival(message) is not Arrival.IN_ORDER:
            return ()
        pcm = g711.decode(audio) if self.sample_bytes == 1 else Pcm(audio, self.rate)
        return (CallerAudio(Private(pcm), at_ms),)

    def _pressed(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        pressed = self._key_pressed(self._object(message, "dtmf").get("digit"))
        return () if self._arrival(message) is Arrival.DUPLICATE else pressed

    def _key_pressed(self, key: object) -> tuple[LegEvent, ...]:
        if not isinstance(key, str) or key not in _KEYS:
            self._fault("bad_key", "a key press names no key of a telephone")
        return (KeyPressed(Private(key)),)

    def _marked(self, message: Fields, name: object) -> tuple[LegEvent, ...]:
        found = self._name(name)
        if not self._marks[found]:
            # Nothing but a mark that we sent proves that something was played.
            self._fault("unknown_mark", "a mark came back that was not sent, or that had come back before")
        if self._arrival(message) is Arrival.DUPLICATE:
            return ()
        self._marks[found] -= 1
        self._marks += Counter()
        return (MarkReturned(found),)

    def _stopped(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        self._arrival(message)
        self._state = State.STOPPED
        return (LegStopped(),)

    # --- what is sent ----------------------------------------------------------------------------------------------------

    def _write(self, fields: Fields) -> str:
        if not self.started:
            self._fault("not_started", "the stream is not open, nothing can be sent on it")
        return json.dumps(fields, separators=(",", ":"))

    def _await(self, name: str) -> None:
        """A mark of this name was sent."""
        if self._marks.total() >= MAX_MARKS_UNDER_WAY:
            self._fault("too_many_marks", "the carrier did not return any of the many marks that were sent")
        self._marks[name] += 1

    # --- checks ----------------------------------------------------------------------------------------------------------

    def _parse(self, text: str | bytes) -> Fields:
        if isinstance(text, bytes):
            self._fault("binary", "a binary message came; this protocol has text messages only")
        if len(text) > MAX_MESSAGE_CHARS:
            self._fault("oversized", f"a message has more than {MAX_MESSAGE_CHARS} characters")
        message = _json(text)
        if not isinstance(message, dict):
            self._fault("malformed", "a message is not a JSON object")
        return message

    def _arrival(self, message: Fields) -> Arrival:
        given = message.get(self.sequence_field)
        if given is None and message.get("event") not in self.numbered:
            return Arrival.IN_ORDER
        place = number(given)
        if place is None:
            self._fault("bad_sequence", "a message has no sequence number")
        arrival, missing = self._sequence.place(place)
        if arrival is Arrival.IMPOSSIBLE:
            self._fault("bad_sequence", "a sequence number jumps too far ahead")
        if missing:
            self.faults["sequence_gap"] += missing
        if arrival in (Arrival.DUPLICATE, Arrival.LATE):
            self.faults[arrival.value] += 1
        return arrival

    def _same_stream(self, message: Fields) -> None:
        if message.get(self.stream_field) != self._stream:
            self._fault("wrong_stream", "a message names another stream than the one that started")

    def _object(self, message: Fields, name: str) -> Fields:
        found = message.get(name)
        if not isinstance(found, dict):
            self._fault("malformed", f"a message has no '{name}' object")
        return found

    def _name(self, value: object) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARS or not value.isprintable():
            self._fault("malformed", f"a name in a message is missing, unprintable or longer than {MAX_NAME_CHARS} characters")
        return value

    def _parameters(self, value: object) -> dict[str, str]:
        if not isinstance(value, dict) or len(value) > MAX_PARAMETERS:
            self._fault("malformed", "the custom parameters are not an object, or too many")
        for name, text in value.items():
            if not isinstance(text, str) or len(name) + len(text) > MAX_PARAMETER_CHARS or not (name + text).isprintable():
                self._fault("malformed", "a custom parameter is not printable text, or too long")
        return dict(value)

    def _fault(self, kind: str, message: str) -> NoReturn:
        self.faults[kind] += 1
        raise CarrierProtocolError(kind, message)


def encoded(audio: bytes) -> str:
    """Audio as the text that goes into a message."""
    return base64.b64encode(audio).decode("ascii")


def number(value: object) -> int | None:
    """A whole number that is not negative, as digits or as a JSON number: carriers write both."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
        return value
    if isinstance(value, str) and 0 < len(value) <= 12 and value.isascii() and value.isdigit():
        return int(value)
    return None


# These return None instead of raising inside an except block: a decoder's own error holds the text that it could not read.


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def decoded(payload: object) -> bytes | None:
    """The audio in a message, or None when it is not base64."""
    if not isinstance(payload, str):
        return None
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None
