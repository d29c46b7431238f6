"""The other side of a trunk: a session border controller that places one call, by aiosipua and aiortp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiortp import RTPSession
from aiosipua import SipUAC, SipUAS
from aiosipua.outgoing_call import OutgoingCall
from aiosipua.sdp import SdpMessage, parse_sdp

from gateway.adapters.sip.wire import PeerTransport
from gateway.values import Pcm

FRAME = 320
PATIENCE_S = 30


class Phone:
    """One caller: ``call``, ``say``, ``press``, ``hang_up``; ``heard`` is all that came back, 16 bit at 8000 Hz."""

    def __init__(self, wire: PeerTransport, trunk: tuple[str, int]) -> None:
        self.heard = bytearray()
        self.hung_up = asyncio.Event()
        self.rtp: Any = None
        self.uac = SipUAC(wire)
        self.uas = SipUAS(wire, uac=self.uac)
        self.uas.on_bye = lambda _call, _request: self.hung_up.set()
        self._wire = wire
        self._trunk = trunk
        self._call: OutgoingCall | None = None
        self._quiet = asyncio.Event()

    def reach(self, trunk: tuple[str, int]) -> None:
        self._trunk = trunk

    def offer(self, host: str = "127.0.0.1", *, codecs: Sequence[int] = (0, 8), proto: str = "RTP/AVP") -> SdpMessage:
        port = self.rtp._rtp_transport._transport.get_extra_info("sockname")[1]
        lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
        lines += [f"m=audio {port} {proto} {' '.join(map(str, codecs))} 101", "a=rtpmap:101 telephone-event/8000"]
        lines += ["a=fmtp:101 0-16", "a=sendrecv"]
        return parse_sdp("\r\n".join(lines) + "\r\n")

    async def call(self, to: str, *, from_: str = "+15550199", offer: SdpMessage | None = None) -> None:
        """Raises RuntimeError with the code of a refusal."""
        self._call = self.uac.send_invite(
            f"sip:{from_}@127.0.0.1", f"sip:{to}@127.0.0.1", self._trunk, sdp_offer=offer or self.offer()
        )
        await self._call.wait_answered(PATIENCE_S)
        answer = self._call.sdp_answer
        assert answer is not None
        assert answer.rtp_address is not None
        self.rtp.update_remote(answer.rtp_address)

    async def say(self, pcm: Pcm) -> None:
        """In real time."""
        loop, began = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        for number, at in enumerate(range(0, len(pcm.samples), FRAME)):
            self.rtp.send_audio_pcm_auto(pcm.samples[at : at + FRAME].ljust(FRAME, b"\0"))
            await asyncio.sleep(max(0.0, began + (number + 1) * 0.02 - loop.time()))

    async def wait(self, seconds: float) -> None:
        """Silence, as a telephone sends it."""
        await self.say(Pcm(bytes(int(seconds * 16_000)), 8_000))

    async def press(self, key: str) -> None:
        self.rtp.send_dtmf(key, 120, timestamp=0)
        await self.wait(0.3)

    def hang_up(self) -> None:
        assert self._call is not None
        self._call.hangup(self.uac)

    def hold(self, host: str) -> None:
        """Ask to be heard at another address."""
        assert self._call is not None
        self.uac.send_reinvite(self._call.dialog, self.offer(host), self._trunk)


@asynccontextmanager
async def phone(trunk: tuple[str, int], *, host: str = "127.0.0.1") -> AsyncIterator[Phone]:
    wire = PeerTransport((host, 0), peers=frozenset({trunk[0]}))
    mine = Phone(wire, trunk)
    await mine.uas.start()
    mine.rtp = await RTPSession.create((host, 0), ("127.0.0.1", 9), 0, dtmf_payload_type=101, jitter_prefetch=0, plc=False)
    mine.rtp.on_audio = lambda pcm, _at: mine.heard.extend(pcm)
    try:
        yield mine
    finally:
        await mine.rtp.close()
        await mine.uas.stop()
