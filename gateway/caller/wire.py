"""Twilio's side of Media Streams: the messages that it sends, numbered as it numbers them, and those that it takes.

https://www.twilio.com/docs/voice/media-streams/websocket-messages. No socket in here: a test may feed these straight to a codec.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.caller.playout import SLOT_MS


@dataclass(slots=True)
class TwilioWire:
    """Writes the messages of one stream. Ids are the carrier's: ``CA…``, ``MZ…``, ``AC…`` with 32 hex digits."""

    call_sid: str
    stream_sid: str
    account_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns_cleared: bool = True
    _sequence: int = 0
    _chunk: int = 0

    def opening(self) -> tuple[str, ...]:
        return (self.connected(), self.start())

    def cleared(self) -> str | None:
        return None

    def read(self, message: str | bytes) -> Play | Mark | Clear | None:
        return read(message, self.stream_sid) if isinstance(message, str) else None

    def connected(self) -> str:
        return json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> str:
        start = {
            "accountSid": self.account_sid,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(self.parameters),
        }
        return self._numbered("start", start=start)

    def media(self, ulaw: bytes) -> str:
        """The next 20 ms of the caller's voice. The time stamp counts from the start of the stream, in ms."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str((self._chunk - 1) * SLOT_MS),
            "payload": base64.b64encode(ulaw).decode("ascii"),
        }
        return self._numbered("media", media=media)

    def dtmf(self, key: str) -> str:
        return self._numbered("dtmf", dtmf={"track": "inbound_track", "digit": key})

    def mark(self, name: str) -> str:
        return self._numbered("mark", mark={"name": name})

    def stop(self) -> str:
        return self._numbered("stop", stop={"accountSid": self.account_sid, "callSid": self.call_sid})

    def _numbered(self, event: str, **fields: object) -> str:
        self._sequence += 1
        return json.dumps({"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid, **fields})


@dataclass(frozen=True, slots=True)
class Play:
    ulaw: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    pass


def read(text: str, stream_sid: str) -> Play | Mark | Clear | None:
    """What the server asks of the carrier, or None when Twilio would not take the message."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("streamSid") != stream_sid:
        return None
    match message.get("event"), message.get("media"), message.get("mark"):
        case "media", {"payload": str(payload)}, _:
            ulaw = _decoded(payload)
            return None if ulaw is None else Play(ulaw)
        case "mark", _, {"name": str(name)}:
            return Mark(name)
        case "clear", _, _:
            return Clear()
        case _:
            return None


def _decoded(payload: str) -> bytes | None:
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return None
