"""Twilio Media Streams: the text of WebSocket messages to events of a call, and back. No socket in here.

Wire format: https://www.twilio.com/docs/voice/media-streams/websocket-messages (bidirectional streams, ``<Connect><Stream>``).
A message that breaks the protocol raises a counted CarrierProtocolError and leaves the state as it was, so that the next
message works. No error holds anything of the message.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from typing import NoReturn, TypeAlias

from gateway.adapters.carriers import g711
from gateway.adapters.carriers.sequence import Arrival, Sequence
from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError
from gateway.values import Pcm, Private

MAX_MESSAGE_CHARS = 64 * 1024
"""A 20 ms media message has about 400 characters; a start message is the longest (its custom parameters)."""
MAX_AUDIO_BYTES = 1000 * g711.BYTES_PER_MS
"""The most audio that we take in one message: 1 s."""
MAX_PARAMETERS = 99
MAX_PARAMETER_CHARS = 500
MAX_NAME_CHARS = 256
MAX_MARKS_UNDER_WAY = 1024

_KEYS = frozenset("0123456789*#ABCD")
_Fields: TypeAlias = Mapping[str, object]


class _State(Enum):
    NEW = "new"
    CONNECTED = "connected"
    STARTED = "started"
    STOPPED = "stopped"


_ALLOWED: Mapping[_State, frozenset[str]] = {
    _State.NEW: frozenset({"connected"}),
    _State.CONNECTED: frozenset({"start"}),
    _State.STARTED: frozenset({"media", "dtmf", "mark", "stop"}),
    _State.STOPPED: frozenset(),
}
_KNOWN = frozenset().union(*_ALLOWED.values())


class TwilioMedia:
    """One media stream of one call: what arrives and what is sent. Not shared between calls.

    ``faults`` counts by kind what was wrong so far: every raised error by its ``kind``, and what is dropped or passed over
    without an error: ``sequence_gap`` (messages that never came), ``duplicate``, ``late``.
    """

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self._state = _State.NEW
        self._stream = ""
        self._sequence = Sequence()
        self._marks: Counter[str] = Counter()
        self._readers: Mapping[str, Callable[[_Fields], tuple[LegEvent, ...]]] = {
            "connected": self._connected,
            "start": self._start,
            "media": self._media,
            "dtmf": self._dtmf,
            "mark": self._mark,
            "stop": self._stop,
        }

    @property
    def started(self) -> bool:
        """Whether the stream is open: only then can audio, marks and clears be sent."""
        return self._state is _State.STARTED

    def receive(self, text: str | bytes) -> tuple[LegEvent, ...]:
        """The events in one WebSocket message: none or one today. Media that comes twice or late is dropped and counted.

        Raises:
            CarrierProtocolError: the message is malformed, oversized, unknown or out of order; ``kind`` says which. The next
                message works as if this one had not come.
        """
        message = self._parse(text)
        event = message.get("event")
        if not isinstance(event, str) or event not in _KNOWN:
            self._fault("unknown_event", "a message of a kind that this protocol does not have")
        if event not in _ALLOWED[self._state]:
            if self._state is _State.STOPPED:
                self._fault("after_stop", "a message came after the stream had stopped")
            self._fault("out_of_order", "a message came where this protocol does not allow it")
        return self._readers[event](message)

    def audio(self, pcm: Pcm) -> str:
        """The message that plays ``pcm`` (8000 Hz) after what was sent before.

        Raises:
            TypeError: another rate.
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        payload = base64.b64encode(g711.encode(pcm)).decode("ascii")
        return self._message("media", media={"payload": payload})

    def mark(self, name: str) -> str:
        """The message that makes Twilio answer with the same mark once everything sent before was played.

        Raises:
            CarrierProtocolError: ``not_started``, or ``too_many_marks`` wait for their return.
        """
        text = self._message("mark", mark={"name": name})
        if self._marks.total() >= MAX_MARKS_UNDER_WAY:
            self._fault("too_many_marks", "the carrier did not return any of the many marks that were sent")
        self._marks[name] += 1
        return text

    def clear(self) -> str:
        """The message that throws away what was not played yet. Twilio then returns every mark that still waits.

        Raises:
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        return self._message("clear")

    def _message(self, event: str, **fields: object) -> str:
        if not self.started:
            self._fault("not_started", "the stream is not open, nothing can be sent on it")
        return json.dumps({"event": event, "streamSid": self._stream, **fields}, separators=(",", ":"))

    def _parse(self, text: str | bytes) -> _Fields:
        if isinstance(text, bytes):
            self._fault("binary", "a binary message came; this protocol has text messages only")
        if len(text) > MAX_MESSAGE_CHARS:
            self._fault("oversized", f"a message has more than {MAX_MESSAGE_CHARS} characters")
        message = _json(text)
        if not isinstance(message, dict):
            self._fault("malformed", "a message is not a JSON object")
        return message

    def _connected(self, message: _Fields) -> tuple[LegEvent, ...]:
        if message.get("protocol") != "Call":
            self._fault("unknown_protocol", "the stream speaks another protocol than Twilio's 'Call'")
        self._state = _State.CONNECTED
        return ()

    def _start(self, message: _Fields) -> tuple[LegEvent, ...]:
        start = self._object(message, "start")
        stream = self._name(start.get("streamSid"))
        call = self._name(start.get("callSid"))
        if message.get("streamSid", stream) != stream:
            self._fault("wrong_stream", "the start message names two streams")
        tracks = start.get("tracks")
        if not isinstance(tracks, list) or "inbound" not in tracks:
            self._fault("wrong_track", "the stream does not carry the caller's voice (track 'inbound')")
        if _format(start.get("mediaFormat")) != ("audio/x-mulaw", 8000, 1):
            self._fault("wrong_format", "the stream is not audio/x-mulaw, 8000 Hz, one channel")
        parameters = self._parameters(start.get("customParameters", {}))
        self._arrival(message)
        self._stream = stream
        self._state = _State.STARTED
        return (LegStarted(stream, call, parameters),)

    def _media(self, message: _Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        media = self._object(message, "media")
        if media.get("track") != "inbound":
            self._fault("wrong_track", "audio of another track than the caller's came in")
        at_ms = _number(media.get("timestamp"))
        if at_ms is None:
            self._fault("malformed", "a media message has no timestamp")
        payload = media.get("payload")
        if isinstance(payload, str) and len(payload) > MAX_AUDIO_BYTES * 4 // 3 + 4:
            self._fault("oversized", "a media message has more than a second of audio")
        ulaw = _audio(payload)
        if not ulaw:
            self._fault("bad_audio", "the audio of a media message is not base64, or empty")
        if self._arrival(message) is not Arrival.IN_ORDER:
            return ()
        return (CallerAudio(Private(g711.decode(ulaw)), at_ms),)

    def _dtmf(self, message: _Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        key = self._object(message, "dtmf").get("digit")
        if not isinstance(key, str) or key not in _KEYS:
            self._fault("bad_key", "a key press names no key of a telephone")
        if self._arrival(message) is Arrival.DUPLICATE:
            return ()
        return (KeyPressed(Private(key)),)

    def _mark(self, message: _Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        name = self._name(self._object(message, "mark").get("name"))
        if not self._marks[name]:
            # Nothing but a mark that we sent proves that something was played.
            self._fault("unknown_mark", "a mark came back that was not sent, or that had come back before")
        if self._arrival(message) is Arrival.DUPLICATE:
            return ()
        self._marks[name] -= 1
        self._marks += Counter()
        return (MarkReturned(name),)

    def _stop(self, message: _Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        self._arrival(message)
        self._state = _State.STOPPED
        return (LegStopped(),)

    def _arrival(self, message: _Fields) -> Arrival:
        number = _number(message.get("sequenceNumber"))
        if number is None:
            self._fault("bad_sequence", "a message has no sequence number")
        arrival, missing = self._sequence.place(number)
        if arrival is Arrival.IMPOSSIBLE:
            self._fault("bad_sequence", "a sequence number jumps too far ahead")
        if missing:
            self.faults["sequence_gap"] += missing
        if arrival in (Arrival.DUPLICATE, Arrival.LATE):
            self.faults[arrival.value] += 1
        return arrival

    def _same_stream(self, message: _Fields) -> None:
        if message.get("streamSid") != self._stream:
            self._fault("wrong_stream", "a message names another stream than the one that started")

    def _object(self, message: _Fields, name: str) -> _Fields:
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


# These return None instead of raising inside an except block: a decoder's own error holds the text that it could not read.


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _audio(payload: object) -> bytes | None:
    if not isinstance(payload, str):
        return None
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None


def _number(value: object) -> int | None:
    """Twilio writes its numbers as strings of digits."""
    if isinstance(value, str) and 0 < len(value) <= 12 and value.isascii() and value.isdigit():
        return int(value)
    return None


def _format(value: object) -> tuple[object, object, object]:
    if not isinstance(value, dict):
        return (None, None, None)
    return (value.get("encoding"), value.get("sampleRate"), value.get("channels"))
