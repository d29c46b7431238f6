"""Vonage's WebSocket endpoint (NCCO ``connect``): audio as binary messages, everything else as JSON, and back.

Wire format: https://developer.vonage.com/en/voice/voice-api/concepts/websockets. Audio is linear, 16 bit, little-endian,
16000 Hz, 20 ms a message. The first message is ``websocket:connected`` with the headers of our own NCCO, which name the call and
carry the token. Marks are called ``notify``; what becomes of one that is cleared away is not documented, so nothing is expected
of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.adapters.carriers.stream import Fields, MediaStream, Reader, State
from gateway.call.events import CallerAudio, LegEvent, LegStarted
from gateway.values import Pcm, Private

CONTENT_TYPE = "audio/l16;rate=16000"
CALL_HEADER = "call"
_OWN = frozenset({"event", "content-type"})


class VonageMedia(MediaStream):
    """One media stream of one call at Vonage. See ``MediaStream``.

    Messages have no numbers: the connection keeps their order. ``at_ms`` of audio counts what came before it.
    """

    rate = 16_000
    sample_bytes = 2
    allowed: ClassVar[Mapping[State, frozenset[str]]] = {
        State.NEW: frozenset({"websocket:connected"}),
        State.STARTED: frozenset({"websocket:dtmf", "websocket:notify", "websocket:cleared"}),
    }
    stream_field = "-"
    sequence_field = "-"
    numbered = frozenset()

    def __init__(self) -> None:
        super().__init__()
        self._bytes_heard = 0

    def receive(self, text: str | bytes) -> tuple[LegEvent, ...]:
        """As ``MediaStream.receive``; a binary message is the caller's audio."""
        return super().receive(text) if isinstance(text, str) else self._audio(text)

    def audio(self, pcm: Pcm) -> bytes:
        """The message that plays ``pcm`` (16000 Hz) after what was sent before.

        Raises:
            TypeError: another rate.
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        if pcm.rate != self.rate:
            raise TypeError(f"Vonage's stream is {self.rate} Hz, not {pcm.rate} Hz: resample first")
        if not self.started:
            self._fault("not_started", "the stream is not open, nothing can be sent on it")
        return pcm.samples

    def mark(self, name: str) -> str:
        """The message that makes Vonage answer with the same name once everything sent before was played.

        Raises:
            CarrierProtocolError: ``not_started``, or ``too_many_marks`` wait for their return.
        """
        text = self._write({"action": "notify", "payload": {"name": name}})
        self._await(name)
        return text

    def clear(self) -> str:
        """The message that throws away what was not played yet.

        Raises:
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        text = self._write({"action": "clear"})
        self._marks.clear()
        return text

    def _reader(self, event: str) -> Reader:
        readers: dict[str, Reader] = {
            "websocket:connected": self._connected,
            "websocket:dtmf": self._key,
            "websocket:notify": self._notified,
            "websocket:cleared": self._cleared,
        }
        return readers[event]

    def _audio(self, samples: bytes) -> tuple[LegEvent, ...]:
        if not self.started:
            self._fault("out_of_order", "audio came before the stream had started")
        if len(samples) > self.rate * self.sample_bytes:
            self._fault("oversized", "a message has more than a second of audio")
        if not samples or len(samples) % self.sample_bytes:
            self._fault("bad_audio", "the audio of a message is empty, or ends in half a sample")
        at_ms = self._bytes_heard * 1000 // (self.rate * self.sample_bytes)
        self._bytes_heard += len(samples)
        return (CallerAudio(Private(Pcm(samples, self.rate)), at_ms),)

    def _connected(self, message: Fields) -> tuple[LegEvent, ...]:
        if message.get("content-type") != CONTENT_TYPE:
            self._fault("wrong_format", f"the stream is not {CONTENT_TYPE}")
        headers = {name: value for name, value in message.items() if name not in _OWN}
        parameters = self._parameters(headers)
        call = self._name(parameters.pop(CALL_HEADER, None))
        self._state = State.STARTED
        return (LegStarted(call, call, parameters),)

    def _key(self, message: Fields) -> tuple[LegEvent, ...]:
        return self._key_pressed(message.get("digit"))

    def _notified(self, message: Fields) -> tuple[LegEvent, ...]:
        return self._marked(message, self._object(message, "payload").get("name"))

    def _cleared(self, message: Fields) -> tuple[LegEvent, ...]:
        return ()
