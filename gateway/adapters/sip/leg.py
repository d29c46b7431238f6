"""One call of the trunk as the runner's Leg: RTP in and out, G.711, keys by RFC 4733.

Nobody acknowledges what was played. A mark comes back when our own clock has played all that was sent before it and a packet came
after that which only the other end can have sent: a border controller that has gone away proves nothing. The record calls that
``playout``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiortp import RTPSession
from aiosipua.sdp import SdpMessage, SdpNegotiationError, negotiate_sdp

from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import InvalidRequest
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

RATE = 8_000
FRAME_MS = 20
FRAME_BYTES = RATE * FRAME_MS // 1000 * 2
PCMU, PCMA = 0, 8
NO_KEYS = 0
JITTER_PACKETS = 3
"""How many packets are held back to put them in order: 60 ms."""
ON_THE_WAY_S = 0.2
MOST_EVENTS = 1_000
_KEYS = frozenset("0123456789*#ABCD")
_UNHEARD = Private(Pcm(b"", RATE))
_SILENCE = bytes(FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class Media:
    """What both sides agreed on. ``peer``: where the other side hears."""

    peer: tuple[str, int]
    codec: int
    keys: int
    """The payload type of key presses (RFC 4733); 0: none were offered."""


def agreed(offer: SdpMessage | None, ours: str, port: int) -> tuple[SdpMessage, Media]:
    """Our answer to an offer (RFC 3264): G.711 at 8000 Hz.

    Raises:
        InvalidRequest: it offers no audio that we speak, or only encrypted audio that this trunk cannot decrypt.
    """
    address = offer.rtp_address if offer is not None else None
    if offer is None or address is None or offer.audio is None or not 0 < address[1] <= 65_535:
        raise InvalidRequest("the call offers no audio")
    if offer.audio.proto.upper() != "RTP/AVP":
        raise InvalidRequest("the call offers another transport than RTP/AVP")
    keys = next((each.payload_type for each in offer.audio.codecs if each.encoding_name.lower() == "telephone-event"), NO_KEYS)
    try:
        answer, codec = negotiate_sdp(offer, ours, port, supported_codecs=[PCMU, PCMA], dtmf_payload_type=keys)
    except (SdpNegotiationError, ValueError):
        raise InvalidRequest("the call offers no audio that we speak: PCMU or PCMA") from None
    return answer, Media(address, codec, keys)


class _Rtp(RTPSession):
    """aiortp's session that hears one peer only, and decodes nothing until the call may be heard."""

    leg: SipLeg | None = None

    def _handle_rtp(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.leg is not None and self.leg.came(addr, data):
            super()._handle_rtp(data, addr)

    def _handle_rtcp(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.leg is not None and self.leg.came(addr, b""):
            super()._handle_rtcp(data, addr)


class SipLeg:
    """``await open()``, then run the call on it. ``stop`` says that the other side hung up."""

    rate = RATE
    acknowledges = "playout"

    def __init__(self, name: str, host: str, *, idle_s: float = 30.0) -> None:
        """``name``: the call's own, for the record. ``host``: the address of ours that media come to."""
        self.name = name
        self._host = host
        self._idle_s = idle_s
        self._loop = asyncio.get_running_loop()
        self._tasks = TaskOwner("sip", on_failure=lambda _name, _error: self.stop("audio_failed"))
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._queue: deque[bytes | str] = deque()
        self._due: deque[tuple[str, float]] = deque()
        self._rtp: Any = None
        self._media: Media | None = None
        self._listening = False
        self._stopped = False
        self._heard_ms = 0
        self._alive_at = self._loop.time()

    @property
    def transport(self) -> Mapping[str, str]:
        """For the record: what this trunk is."""
        return {"media": "RTP, not encrypted", "network": "private"}

    async def open(self, offer: SdpMessage | None) -> SdpMessage:
        """Our answer to the offer; from now on media may come.

        Raises:
            InvalidRequest: see ``agreed``.
            OSError: there is no port for the media.
        """
        _, media = agreed(offer, self._host, 1)
        self._rtp = await _Rtp.create(
            (self._host, 0),
            media.peer,
            media.codec,
            dtmf_payload_type=media.keys or 127,
            jitter_prefetch=JITTER_PACKETS,
            skip_audio_gaps=True,
            plc=False,
        )
        self._rtp.on_audio, self._rtp.on_dtmf, self._rtp.leg = self._audio, self._pressed, self
        self._media = media
        port = self._rtp._rtp_transport._transport.get_extra_info("sockname")[1]  # noqa: SLF001  (aiortp has no public name for it)
        answer, _ = agreed(offer, self._host, port)
        self._events.put_nowait(LegStarted(self.name, self.name))
        self._tasks.start(self._play(), name="play")
        return answer

    def move(self, offer: SdpMessage | None) -> SdpMessage:
        """The other side wants to be heard elsewhere, or to hold. Raises InvalidRequest: nothing changes then."""
        port = self._rtp._rtp_transport._transport.get_extra_info("sockname")[1]  # noqa: SLF001
        answer, media = agreed(offer, self._host, port)
        if self._media is None or (media.codec, media.keys) != (self._media.codec, self._media.keys):
            raise InvalidRequest("the call wants to change its codec in the middle")
        self._media = media
        self._rtp.update_remote(media.peer)
        return answer

    # --- what the runner asks -----------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[LegEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LegStopped):
                return

    async def listen(self) -> None:
        self._listening = True

    async def send_audio(self, pcm: Pcm) -> None:
        if pcm.rate != RATE:
            raise TypeError(f"a trunk's audio is {RATE} Hz, not {pcm.rate} Hz: resample first")
        self._queue.append(pcm.samples)

    async def send_mark(self, name: str) -> None:
        self._queue.append(name)

    async def send_clear(self) -> None:
        marks = [each for each in self._queue if isinstance(each, str)]
        self._queue.clear()
        self._queue.extend(marks)

    async def close(self) -> None:
        self.stop("closed")
        await self._tasks.aclose()
        if self._rtp is not None:
            rtp, self._rtp = self._rtp, None
            await rtp.close()

    def stop(self, why: str) -> None:
        """The call is over."""
        if not self._stopped:
            self._stopped = True
            self._events.put_nowait(LegStopped(why))

    # --- the line -----------------------------------------------------------------------------------------------------

    def came(self, source: tuple[str, int], data: bytes) -> bool:
        """A packet came. Whether it is to be read: it is from who we agreed with, and is no voice that may not be heard yet."""
        if self._stopped or self._media is None or source[0] != self._media.peer[0]:
            return False
        self._alive_at = self._loop.time()
        self._return_marks()
        voice = len(data) > 1 and data[1] & 0x7F == self._media.codec
        if voice and not self._listening:
            self._take(_UNHEARD)
            return False
        return True

    def _audio(self, samples: bytes, _timestamp: int) -> None:
        if self._listening and samples:
            self._take(Private(Pcm(samples, RATE)))

    def _take(self, pcm: Private[Pcm]) -> None:
        if self._events.qsize() < MOST_EVENTS:
            self._events.put_nowait(CallerAudio(pcm, self._heard_ms))
        self._heard_ms += FRAME_MS

    def _pressed(self, key: str, _duration: int) -> None:
        if key in _KEYS and not self._stopped:
            self._events.put_nowait(KeyPressed(Private(key)))

    async def _play(self) -> None:
        """A packet every 20 ms, silence where there is nothing to say: border controllers hang up who is silent on the wire."""
        due = self._loop.time()
        while not self._stopped:
            while self._queue and isinstance(self._queue[0], str):
                self._due.append((str(self._queue.popleft()), self._loop.time() + FRAME_MS / 1000 + ON_THE_WAY_S))
            frame = self._queue.popleft() if self._queue else _SILENCE
            if self._rtp is not None and isinstance(frame, bytes):
                self._rtp.send_audio_pcm_auto(frame)
            due = max(due + FRAME_MS / 1000, self._loop.time() - FRAME_MS / 1000)
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            if self._loop.time() - self._alive_at > self._idle_s:
                self.stop("silent")

    def _return_marks(self) -> None:
        while self._due and self._due[0][1] <= self._loop.time():
            self._events.put_nowait(MarkReturned(self._due.popleft()[0]))
