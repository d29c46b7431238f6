"""Telnyx media streaming (TeXML's ``<Connect><Stream>``, bidirectional, PCMU): messages to events of a call, and back.

Wire format: https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket. Telnyx does not promise the
order of media messages, so those that come late are dropped and counted. It returns a mark once the media before it was played,
and every waiting mark after a clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.adapters.carriers import g711
from gateway.adapters.carriers.stream import Fields, MediaStream, Reader, State, encoded
from gateway.call.events import LegEvent
from gateway.values import Pcm


class TelnyxMedia(MediaStream):
    """One media stream of one call at Telnyx: mu-law, 8000 Hz. See ``MediaStream``.

    ``carrier_error`` counts what Telnyx itself reports to be wrong with the stream.
    """

    frame_ms = 60
    allowed: ClassVar[Mapping[State, frozenset[str]]] = {
        State.NEW: frozenset({"connected"}),
        State.CONNECTED: frozenset({"start", "error"}),
        State.STARTED: frozenset({"media", "dtmf", "mark", "stop", "error"}),
    }
    stream_field = "stream_id"
    sequence_field = "sequence_number"
    numbered = frozenset({"start", "media"})

    def audio(self, pcm: Pcm) -> str:
        """The message that plays ``pcm`` (8000 Hz) after what was sent before.

        Raises:
            TypeError: another rate.
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        return self._write({"event": "media", "media": {"payload": encoded(g711.encode(pcm))}})

    def mark(self, name: str) -> str:
        """The message that makes Telnyx answer with the same mark once everything sent before was played.

        Raises:
            CarrierProtocolError: ``not_started``, or ``too_many_marks`` wait for their return.
        """
        text = self._write({"event": "mark", "mark": {"name": name}})
        self._await(name)
        return text

    def clear(self) -> str:
        """The message that throws away what was not played yet.

        Raises:
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        return self._write({"event": "clear"})

    def _reader(self, event: str) -> Reader:
        readers: dict[str, Reader] = {
            "connected": self._connected,
            "start": self._start,
            "media": self._media,
            "dtmf": self._pressed,
            "mark": self._mark,
            "stop": self._stopped,
            "error": self._error,
        }
        return readers[event]

    def _connected(self, message: Fields) -> tuple[LegEvent, ...]:
        self._state = State.CONNECTED
        return ()

    def _start(self, message: Fields) -> tuple[LegEvent, ...]:
        start = self._object(message, "start")
        stream = self._name(message.get("stream_id"))
        call = self._name(start.get("call_control_id"))
        if _format(start.get("media_format")) != ("PCMU", 8000, 1):
            self._fault("wrong_format", "the stream is not PCMU, 8000 Hz, one channel")
        return self._opened(message, stream, call, self._parameters(start.get("custom_parameters", {})))

    def _media(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        media = self._object(message, "media")
        if media.get("track") != "inbound":
            self._fault("wrong_track", "audio of another track than the caller's came in")
        return self._heard(message, media)

    def _mark(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        return self._marked(message, self._object(message, "mark").get("name"))

    def _error(self, message: Fields) -> tuple[LegEvent, ...]:
        self._fault("carrier_error", "the carrier reports an error of this stream")


def _format(value: object) -> tuple[object, object, object]:
    if not isinstance(value, dict):
        return (None, None, None)
    return (value.get("encoding"), value.get("sample_rate"), value.get("channels"))
