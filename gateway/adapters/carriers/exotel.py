"""Exotel's Voicebot applet: messages to events of a call, and back. Linear audio, 16 bit, little-endian, 8000 Hz.

Wire format: https://developer.exotel.com/docs/agentstream/stream-voicebot-applet. What is sent goes out in pieces of at least
3200 bytes, a multiple of 320: smaller ones tear. So frames are gathered here, and the first piece after a pause is longer by the
margin that those after it need. That is the price of this carrier: an answer begins about 0.2 s later, and what was heard of one
that is interrupted is known to 0.3 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.adapters.carriers.stream import Fields, MediaStream, Reader, State, encoded, number
from gateway.call.events import LegEvent
from gateway.values import Pcm

PIECE_BYTES = 3_200
"""The smallest piece that Exotel takes: 200 ms at 8000 Hz (its page calls it 100 ms, which it is at 16000 Hz)."""
FIRST_PIECE_BYTES = 4_800
_LINEAR = frozenset({"base64", "raw/slin", "slin", "pcm", "audio/x-l16", "audio/l16"})
"""What Exotel calls linear audio. Its applet can be set to mu-law or A-law, which are refused."""


class ExotelMedia(MediaStream):
    """One media stream of one call at Exotel. See ``MediaStream``."""

    sample_bytes = 2
    allowed: ClassVar[Mapping[State, frozenset[str]]] = {
        State.NEW: frozenset({"connected"}),
        State.CONNECTED: frozenset({"start"}),
        State.STARTED: frozenset({"media", "dtmf", "mark", "clear", "stop"}),
    }
    stream_field = "stream_sid"
    sequence_field = "sequence_number"
    numbered = frozenset({"start", "media"})

    def __init__(self) -> None:
        super().__init__()
        self._gathered = bytearray()
        self._enough = FIRST_PIECE_BYTES

    def audio(self, pcm: Pcm) -> tuple[str, ...]:
        """What plays ``pcm`` (8000 Hz) after what was sent before: nothing yet, or the next piece.

        Raises:
            TypeError: another rate.
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        if pcm.rate != self.rate:
            raise TypeError(f"Exotel's stream is {self.rate} Hz, not {pcm.rate} Hz: resample first")
        if not self.started:
            self._fault("not_started", "the stream is not open, nothing can be sent on it")
        self._gathered += pcm.samples
        return self._piece() if len(self._gathered) >= self._enough else ()

    def mark(self, name: str) -> tuple[str, ...]:
        """What is left, filled up with silence, and the mark that Exotel returns once all of it was played.

        Raises:
            CarrierProtocolError: ``not_started``, or ``too_many_marks`` wait for their return.
        """
        text = self._write({"event": "mark", "stream_sid": self._stream, "mark": {"name": name}})
        self._await(name)
        rest = self._piece() if self._gathered else ()
        self._enough = FIRST_PIECE_BYTES
        return (*rest, text)

    def clear(self) -> str:
        """The message that throws away what was not played yet, here and there.

        Raises:
            CarrierProtocolError: ``not_started``, the stream is not open.
        """
        text = self._write({"event": "clear", "stream_sid": self._stream})
        self._gathered.clear()
        self._enough = FIRST_PIECE_BYTES
        return text

    def _piece(self) -> tuple[str, ...]:
        whole = bytes(self._gathered).ljust(PIECE_BYTES, b"\0")
        payload = encoded(whole.ljust(-(-len(whole) // 320) * 320, b"\0"))
        self._gathered.clear()
        self._enough = PIECE_BYTES
        return (self._write({"event": "media", "stream_sid": self._stream, "media": {"payload": payload}}),)

    def _reader(self, event: str) -> Reader:
        readers: dict[str, Reader] = {
            "connected": self._connected,
            "start": self._start,
            "media": self._media,
            "dtmf": self._pressed,
            "mark": self._mark,
            "clear": self._cleared,
            "stop": self._stopped,
        }
        return readers[event]

    def _connected(self, message: Fields) -> tuple[LegEvent, ...]:
        self._state = State.CONNECTED
        return ()

    def _start(self, message: Fields) -> tuple[LegEvent, ...]:
        start = self._object(message, "start")
        stream = self._name(start.get("stream_sid"))
        call = self._name(start.get("call_sid"))
        if message.get("stream_sid", stream) != stream:
            self._fault("wrong_stream", "the start message names two streams")
        form = self._object(start, "media_format")
        encoding = form.get("encoding")
        if not isinstance(encoding, str) or encoding.lower() not in _LINEAR or number(form.get("sample_rate")) != self.rate:
            self._fault("wrong_format", "the stream is not linear audio at 8000 Hz")
        return self._opened(message, stream, call, self._parameters(start.get("custom_parameters") or {}))

    def _media(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        media = self._object(message, "media")
        if media.get("track", "inbound") != "inbound":
            self._fault("wrong_track", "audio of another track than the caller's came in")
        return self._heard(message, media)

    def _mark(self, message: Fields) -> tuple[LegEvent, ...]:
        self._same_stream(message)
        return self._marked(message, self._object(message, "mark").get("name"))

    def _cleared(self, message: Fields) -> tuple[LegEvent, ...]:
        """Exotel says that it threw away what we asked it to."""
        self._same_stream(message)
        self._arrival(message)
        return ()
