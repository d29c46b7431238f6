"""The other carriers' side of their media streams, beside Twilio's in ``wire.py``: what they send and take. No socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.adapters.carriers import g711
from gateway.adapters.carriers.plivo import from_hex, to_hex
from gateway.adapters.carriers.stream import decoded, encoded
from gateway.audio import Resampler
from gateway.caller.playout import SLOT_MS
from gateway.caller.wire import Clear, Mark, Play, TwilioWire
from gateway.values import Pcm


class Wire(Protocol):
    """One carrier's messages on one stream. Audio is mu-law here, whatever goes over the wire."""

    @property
    def returns_cleared(self) -> bool:
        """Whether marks that were cleared away come back."""
        ...

    def opening(self) -> tuple[str, ...]: ...
    def media(self, ulaw: bytes) -> str | bytes: ...
    def dtmf(self, key: str) -> str: ...
    def mark(self, name: str) -> str: ...
    def cleared(self) -> str | None: ...
    def stop(self) -> str | None: ...
    def read(self, message: str | bytes) -> Play | Mark | Clear | None:
        """What the server asks of the carrier, or None when the carrier would not take the message."""
        ...


@dataclass(slots=True)
class TelnyxWire:
    """https://developers.telnyx.com/api-reference/websockets/stream-call-media-over-websocket"""

    call: str
    stream: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns_cleared: bool = True
    _sequence: int = 0
    _chunk: int = 0

    def opening(self) -> tuple[str, ...]:
        start = {
            "call_control_id": self.call,
            "custom_parameters": dict(self.parameters),
            "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
        }
        return (json.dumps({"event": "connected", "version": "1.0.0"}), self._numbered("start", start=start))

    def media(self, ulaw: bytes) -> str:
        self._chunk += 1
        at_ms = (self._chunk - 1) * SLOT_MS
        media = {"track": "inbound", "chunk": str(self._chunk), "timestamp": str(at_ms), "payload": encoded(ulaw)}
        return self._numbered("media", media=media)

    def dtmf(self, key: str) -> str:
        return self._numbered("dtmf", dtmf={"digit": key})

    def mark(self, name: str) -> str:
        return self._numbered("mark", mark={"name": name})

    def cleared(self) -> str | None:
        return None

    def stop(self) -> str:
        return self._numbered("stop", stop={"call_control_id": self.call})

    def read(self, message: str | bytes) -> Play | Mark | Clear | None:
        match _object(message):
            case {"event": "media", "media": {"payload": str(payload)}}:
                return _play(decoded(payload))
            case {"event": "mark", "mark": {"name": str(name)}}:
                return Mark(name)
            case {"event": "clear"}:
                return Clear()
        return None

    def _numbered(self, event: str, **fields: object) -> str:
        self._sequence += 1
        return json.dumps({"event": event, "sequence_number": str(self._sequence), "stream_id": self.stream, **fields})


@dataclass(slots=True)
class PlivoWire:
    """https://www.plivo.com/docs/voice/audio-streaming/audio-streaming"""

    call: str
    stream: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns_cleared: bool = False
    _sequence: int = 0
    _chunk: int = 0

    def opening(self) -> tuple[str, ...]:
        start = {
            "callId": self.call,
            "streamId": self.stream,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
        }
        headers = ";".join(f"{name}={to_hex(value)}" for name, value in self.parameters.items())
        return (self._numbered("start", start=start, extra_headers=headers),)

    def media(self, ulaw: bytes) -> str:
        self._chunk += 1
        at_ms = (self._chunk - 1) * SLOT_MS
        media = {"track": "inbound", "chunk": self._chunk, "timestamp": str(at_ms), "payload": encoded(ulaw)}
        return self._numbered("media", streamId=self.stream, media=media)

    def dtmf(self, key: str) -> str:
        return self._numbered("dtmf", streamId=self.stream, dtmf={"track": "inbound", "digit": key})

    def mark(self, name: str) -> str:
        return self._numbered("playedStream", streamId=self.stream, name=name)

    def cleared(self) -> str:
        return self._numbered("clearedAudio", streamId=self.stream)

    def stop(self) -> None:
        return None

    def read(self, message: str | bytes) -> Play | Mark | Clear | None:
        match _object(message):
            case {"event": "playAudio", "media": {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": str(payload)}}:
                return _play(decoded(payload))
            case {"event": "checkpoint", "streamId": self.stream, "name": str(name)}:
                return Mark(name)
            case {"event": "clearAudio", "streamId": self.stream}:
                return Clear()
        return None

    def _numbered(self, event: str, **fields: object) -> str:
        self._sequence += 1
        return json.dumps({"event": event, "sequenceNumber": self._sequence, **fields})


@dataclass(slots=True)
class ExotelWire:
    """https://developer.exotel.com/docs/agentstream/stream-voicebot-applet"""

    call: str
    stream: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns_cleared: bool = True
    _sequence: int = 0
    _chunk: int = 0

    def opening(self) -> tuple[str, ...]:
        start = {
            "stream_sid": self.stream,
            "call_sid": self.call,
            "account_sid": "sordino",
            "custom_parameters": dict(self.parameters),
            "media_format": {"encoding": "base64", "sample_rate": "8000", "bit_rate": "128kbps"},
        }
        return (json.dumps({"event": "connected"}), self._numbered("start", start=start))

    def media(self, ulaw: bytes) -> str:
        self._chunk += 1
        at_ms = (self._chunk - 1) * SLOT_MS
        media = {"chunk": str(self._chunk), "timestamp": str(at_ms), "payload": encoded(g711.decode(ulaw).samples)}
        return self._numbered("media", media=media)

    def dtmf(self, key: str) -> str:
        return self._numbered("dtmf", dtmf={"duration": "100", "digit": key})

    def mark(self, name: str) -> str:
        return self._numbered("mark", mark={"name": name})

    def cleared(self) -> str | None:
        return None

    def stop(self) -> str:
        return self._numbered("stop", stop={"call_sid": self.call, "account_sid": "sordino", "reason": "callended"})

    def read(self, message: str | bytes) -> Play | Mark | Clear | None:
        match _object(message):
            case {"event": "media", "stream_sid": self.stream, "media": {"payload": str(payload)}}:
                linear = decoded(payload)
                whole = linear is not None and len(linear) >= 3_200 and len(linear) % 320 == 0
                return _play(g711.encode(Pcm(linear, g711.RATE))) if linear is not None and whole else None
            case {"event": "mark", "stream_sid": self.stream, "mark": {"name": str(name)}}:
                return Mark(name)
            case {"event": "clear", "stream_sid": self.stream}:
                return Clear()
        return None

    def _numbered(self, event: str, **fields: object) -> str:
        self._sequence += 1
        return json.dumps({"event": event, "sequence_number": str(self._sequence), "stream_sid": self.stream, **fields})


class VonageWire:
    """https://developer.vonage.com/en/voice/voice-api/concepts/websockets: binary audio at 16000 Hz, 640 bytes a message."""

    returns_cleared = False
    _BYTES = 640

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)
        self._up, self._down = Resampler(8_000, 16_000), Resampler(16_000, 8_000)
        self._ready = bytearray(self._BYTES)

    def opening(self) -> tuple[str, ...]:
        first = {"event": "websocket:connected", "content-type": "audio/l16;rate=16000", **self._parameters}
        return (json.dumps(first),)

    def media(self, ulaw: bytes) -> bytes:
        self._ready += self._up.push(g711.decode(ulaw)).samples
        frame = bytes(self._ready[: self._BYTES]).ljust(self._BYTES, b"\0")
        del self._ready[: self._BYTES]
        return frame

    def dtmf(self, key: str) -> str:
        return json.dumps({"event": "websocket:dtmf", "digit": key, "duration": 260})

    def mark(self, name: str) -> str:
        return json.dumps({"event": "websocket:notify", "payload": {"name": name}})

    def cleared(self) -> str:
        return json.dumps({"event": "websocket:cleared"})

    def stop(self) -> None:
        return None

    def read(self, message: str | bytes) -> Play | Mark | Clear | None:
        if isinstance(message, bytes):
            return Play(g711.encode(self._down.push(Pcm(message, 16_000)))) if message and not len(message) % 2 else None
        match _object(message):
            case {"action": "notify", "payload": {"name": str(name)}}:
                return Mark(name)
            case {"action": "clear"}:
                return Clear()
        return None


def wire_of(carrier: str, call: str, stream: str, account: str, parameters: Mapping[str, str]) -> Wire:
    """The wire of that carrier for one stream."""
    match carrier:
        case "telnyx":
            return TelnyxWire(call, stream, parameters)
        case "plivo":
            return PlivoWire(call, stream, parameters)
        case "vonage":
            return VonageWire(parameters)
        case "exotel":
            return ExotelWire(call, stream, parameters)
        case _:
            return TwilioWire(call, stream, account, parameters)


def plivo_parameters(headers: str) -> dict[str, str]:
    """``extraHeaders`` of an answer, with the token as it was before it was written for Plivo."""
    pairs = (pair.partition("=") for pair in headers.split(",") if pair)
    return {name: from_hex(value) for name, _, value in pairs}


def _object(message: str | bytes) -> object:
    try:
        return json.loads(message) if isinstance(message, str) else None
    except (ValueError, RecursionError):
        return None


def _play(ulaw: bytes | None) -> Play | None:
    return None if ulaw is None else Play(ulaw)
