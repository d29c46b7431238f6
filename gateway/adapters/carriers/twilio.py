"""Twilio Media Streams: the text of WebSocket messages to events of a call, and back.

Wire format: https://www.twilio.com/docs/voice/media-streams/websocket-messages (bidirectional streams, ``<Connect><Stream>``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.adapters.carriers import g711
from gateway.adapters.carriers.stream import (
    MAX_MARKS_UNDER_WAY,
    Fields,
    MediaStream,
    Reader,
    State,
    encoded,
)
from gateway.call.events import LegEvent
from gateway.values import Pcm

__all__ = ["MAX_MARKS_UNDER_WAY", "TwilioMedia"]


class TwilioMedia(MediaStream):
    """One media stream of one call at Twilio: mu-law, 8000 Hz. See ``MediaStream``."""

    frame_ms = 60
    allowed: ClassVar[Mapping[State, frozenset[str]]] = {
        State.NEW: frozenset({"connected"}),
        State.CONNECTED: frozenset({"start"}),
        State.STARTED: frozenset({"media", "dtmf", "mark", "stop"}),
    }
    stream_field = "streamSid"
    sequence_field = "sequenceNumber"
    numbered = frozenset({"start", "media", "dtmf", "mark", "stop"})

    def audio(self, pcm: Pcm) -> str:
        """The message that plays ``pcm`` (8000 Hz) after what was sent before.

        Raises:
            TypeError: another rate.
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        payload = encoded(g711.encode(pcm))
        return self._write({"event": "media", "streamSid": self._stream, "media": {"payload": payload}})

    def mark(self, name: str) -> str:
        """The message that makes Twilio answer with the same mark once everything sent before was played.

        Raises:
            CarrierProtocolError: ``not_started``, or ``too_many_marks`` wait for their return.
        """
        text = self._write({"event": "mark", "streamSid": self._stream, "mark": {"name": name}})
        self._await(name)
        return text

    def clear(self) -> str:
        """The message that throws away what was not played yet. Twilio then returns every mark that still waits.

        Raises:
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        return self._write({"event": "clear", "streamSid": self._stream})

    def _reader(self, event: str) -> Reader:
        readers: dict[str, Reader] = {
            "connected": self._connected,
            "start": self._start,
            "media": self._media,
            "dtmf": self._pressed,
            "mark": self._mark,
            "stop": self._stopped,
        }
        return readers[event]

    def _connected(self, message: Fields) -> tuple[LegEvent, ...]:
        if message.get("protocol") != "Call":
            self._fault("unknown_protocol", "the stream speaks another protocol than Twilio's 'Call'")
        self._state = State.CONNECTED
        return ()

    def _start(self, message: Fields) -> tuple[LegEvent, ...]:
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
        return self._opened(message, stream, call, self._parameters(start.get("customParameters", {})))

    def _media(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        media = self._object(message, "media")
        if media.get("track") != "inbound":
            self._fault("wrong_track", "audio of another track than the caller's came in")
        return self._heard(message, media)

    def _mark(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        return self._marked(message, self._object(message, "mark").get("name"))


def _format(value: object) -> tuple[object, object, object]:
    if not isinstance(value, dict):
        return (None, None, None)
    return (value.get("encoding"), value.get("sampleRate"), value.get("channels"))
