"""Plivo audio streaming (``<Stream bidirectional="true">``, mu-law): messages to events of a call, and back.

Wire format: https://www.plivo.com/docs/voice/audio-streaming/audio-streaming. The first message is ``start``; there is no last
one, the socket just closes. Marks are called checkpoints and come back as ``playedStream``, but only when what stands before
them was played: a checkpoint that was cleared away never returns.

Plivo passes letters and digits only to the socket, so our token travels as hexadecimal digits:
https://docs.plivo.com/docs/voice/xml/audiostream (``extraHeaders``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import ClassVar

from gateway.adapters.carriers import g711
from gateway.adapters.carriers.stream import Fields, MediaStream, Reader, State, encoded
from gateway.call.events import LegEvent
from gateway.values import Pcm

_HEX = re.compile(r"([0-9a-f]{2})+")
_TOKEN = "token"  # noqa: S105 - the name of the parameter, no secret


def to_hex(token: str) -> str:
    """A URL-safe base64 token in the only characters that Plivo passes on."""
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).hex()


def from_hex(text: str) -> str:
    """The token again; empty: it is none."""
    if not _HEX.fullmatch(text):
        return ""
    return base64.urlsafe_b64encode(bytes.fromhex(text)).rstrip(b"=").decode("ascii")


class PlivoMedia(MediaStream):
    """One media stream of one call at Plivo: mu-law, 8000 Hz. See ``MediaStream``."""

    frame_ms = 60
    allowed: ClassVar[Mapping[State, frozenset[str]]] = {
        State.NEW: frozenset({"start"}),
        State.STARTED: frozenset({"media", "dtmf", "playedStream", "clearedAudio"}),
    }
    stream_field = "streamId"
    sequence_field = "sequenceNumber"
    numbered = frozenset({"start", "media"})

    def audio(self, pcm: Pcm) -> str:
        """The message that plays ``pcm`` (8000 Hz) after what was sent before.

        Raises:
            TypeError: another rate.
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        media = {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": encoded(g711.encode(pcm))}
        return self._write({"event": "playAudio", "media": media})

    def mark(self, name: str) -> str:
        """The checkpoint that comes back as ``playedStream`` once everything sent before was played.

        Raises:
            CarrierProtocolError: ``not_started``, or ``too_many_marks`` wait for their return.
        """
        text = self._write({"event": "checkpoint", "streamId": self._stream, "name": name})
        self._await(name)
        return text

    def clear(self) -> str:
        """The message that throws away what was not played yet, and with it the checkpoints that still wait.

        Raises:
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        text = self._write({"event": "clearAudio", "streamId": self._stream})
        self._marks.clear()
        return text

    def _reader(self, event: str) -> Reader:
        readers: dict[str, Reader] = {
            "start": self._start,
            "media": self._media,
            "dtmf": self._pressed,
            "playedStream": self._played,
            "clearedAudio": self._cleared,
        }
        return readers[event]

    def _start(self, message: Fields) -> tuple[LegEvent, ...]:
        start = self._object(message, "start")
        stream = self._name(start.get("streamId"))
        call = self._name(start.get("callId"))
        tracks = start.get("tracks")
        if not isinstance(tracks, list) or "inbound" not in tracks:
            self._fault("wrong_track", "the stream does not carry the caller's voice (track 'inbound')")
        if _format(start.get("mediaFormat")) != ("audio/x-mulaw", 8000):
            self._fault("wrong_format", "the stream is not audio/x-mulaw, 8000 Hz")
        return self._opened(message, stream, call, self._parameters(self._headers(message.get("extra_headers", ""))))

    def _headers(self, value: object) -> dict[str, str]:
        """``extra_headers``: pairs with ``=``, parted by ``;`` or by the comma with which they were written."""
        if not isinstance(value, str):
            self._fault("malformed", "the extra headers are not text")
        pairs = (pair.partition("=") for pair in re.split("[;,]", value) if pair)
        found = {name.strip(): text.strip() for name, _, text in pairs}
        return {name: from_hex(text) if name == _TOKEN else text for name, text in found.items()}

    def _media(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        media = self._object(message, "media")
        if media.get("track") != "inbound":
            self._fault("wrong_track", "audio of another track than the caller's came in")
        return self._heard(message, media)

    def _played(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        return self._marked(message, message.get("name"))

    def _cleared(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        self._arrival(message)
        return ()


def _format(value: object) -> tuple[object, object]:
    return (value.get("encoding"), value.get("sampleRate")) if isinstance(value, dict) else (None, None)
