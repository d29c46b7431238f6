"""A browser as a call's media leg: its microphone in, our voice out, over DTLS-SRTP; no data channel, no video.

Until the call may be heard (``listen``) there is no decoder: what the browser sends is thrown away undecoded.

A browser has no carrier that could acknowledge what was played. A mark comes back when our own clock has played all that was sent
before it, the network had its time, and after that a packet came which only the other end can have sent: a page that was closed
in the middle of an announcement proves nothing. The record calls that ``playout``, because nobody else has confirmed it.

We send to nobody but who has shown that they know our ICE password: the addresses that an offer names are used only where the
operator has set STUN or TURN servers. Otherwise the browser finds us, never the other way round.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiortc import (
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCIceCandidate,
    RTCIceParameters,
    RTCIceServer,
    RTCIceTransport,
    RTCRtpCodecParameters,
    RTCRtpSender,
)
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtcpParameters, RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcrtpreceiver import RemoteStreamTrack
from aiortc.sdp import candidate_to_sdp
from av import AudioFrame

from gateway.adapters.webrtc.ear import Ear
from gateway.adapters.webrtc.lines import SAFE_DTLS, CallDtls, CallGatherer, CallIce, CallReceiver
from gateway.adapters.webrtc.sdp import OPUS_HZ, Candidate, Offer, Ours, write_answer
from gateway.adapters.webrtc.voice import FRAME_MS, VOICE_HZ, Voice
from gateway.call.events import KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError, Misconfigured
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

ON_THE_WAY_S = 0.25
"""What lies between our clock and the caller's ear when the network is well: a packet's way and the jitter buffer."""
CNAME = "sordino"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a browser may take to come, and to be silent on the wire (a browser sends something all the time)."""

    connect_s: float = 15.0
    idle_s: float = 12.0


@dataclass(frozen=True, slots=True)
class Network:
    """Where browsers reach us: our own addresses, and the operator's STUN and TURN servers, none unless they are set."""

    addresses: Sequence[str]
    servers: Sequence[RTCIceServer] = ()


class BrowserLeg:
    """One browser as the runner's Leg (``gateway.runner.leg``): ``answer`` its offer, ``open`` the line, run the call."""

    rate = VOICE_HZ
    acknowledges = "playout"

    def __init__(self, name: str, offer: Offer, network: Network, bounds: Bounds = Bounds()) -> None:
        """``name``: this leg's own, for the record."""
        self.name = name
        self.state = "connecting"
        """``connecting``, ``announcing``, ``listening`` or ``ended``: what the page shows."""
        self._offer = offer
        self._network = network
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._tasks = TaskOwner("browser", on_failure=lambda _name, _error: self._stop("audio_failed"))
        self._gatherer = CallGatherer(CallIce(network.addresses, network.servers, self._alive))
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = CallDtls(self._ice, self._alive)
        self._voice = Voice(self._passed)
        self._sender = RTCRtpSender(self._voice, self._dtls)
        self._receiver: CallReceiver | None = None
        self._ear = Ear()
        self._events: asyncio.Queue[LegEvent] = asyncio.Queue()
        self._marks: dict[str, float] = {}
        self._alive_at = self._loop.time()
        self._changed = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._ice.on("statechange", self._line_changed)
        self._dtls.on("statechange", self._line_changed)

    # --- the beginning ------------------------------------------------------------------------------------------------

    async def answer(self) -> str:
        """Our session description, with every address of ours in it.

        Raises:
            Misconfigured: there is no address of ours that it could name.
        """
        await self._gatherer.gather()
        found = self._gatherer.getLocalCandidates()
        if not found:
            raise Misconfigured("there is no address for a browser to reach", hint="serve at an address of this machine: --host")
        ice, dtls = self._gatherer.getLocalParameters(), self._dtls.getLocalParameters()
        ours = Ours(
            ufrag=ice.usernameFragment or "",
            password=ice.password or "",
            fingerprints=tuple((each.algorithm, each.value) for each in dtls.fingerprints if each.algorithm == "sha-256"),
            candidates=tuple(candidate_to_sdp(each) for each in found),
            host=found[0].ip,
            port=found[0].port,
            ssrc=self._sender._ssrc,  # noqa: SLF001  (aiortc has no public name for it)
            cname=CNAME,
        )
        await self.more_candidates(self._offer.candidates)
        return write_answer(self._offer, ours, session=secrets.randbits(62))

    async def more_candidates(self, candidates: Iterable[Candidate]) -> None:
        """Addresses where the browser says that it is."""
        if not self._network.servers:
            return
        for each in candidates:
            await self._ice.addRemoteCandidate(
                RTCIceCandidate(
                    component=1,
                    foundation="1",
                    ip=each.host,
                    port=each.port,
                    priority=each.priority,
                    protocol="udp",
                    type=each.type,
                )
            )

    async def open(self) -> None:
        """Wait until the browser is there and the line is encrypted; from then on it hears us.

        Raises:
            CarrierProtocolError: it did not come in time, or its certificate or its version of DTLS is not good.
        """
        try:
            async with asyncio.timeout(self._bounds.connect_s):
                await self._connect()
        except TimeoutError:
            raise CarrierProtocolError("no_connection", "the browser did not connect in time") from None
        except (InvalidStateError, ConnectionError):
            raise CarrierProtocolError("closed", "the call was given up before the browser connected") from None
        self._show("announcing")
        self._events.put_nowait(LegStarted(leg=self.name, carrier_call=self.name))
        self._tasks.start(self._watch(), name="watch")

    async def _connect(self) -> None:
        offer = self._offer
        await self._ice.start(RTCIceParameters(usernameFragment=offer.ufrag, password=offer.password))
        if self._ice.state != "completed":
            raise CarrierProtocolError("no_connection", "the browser and we found no way to each other")
        prints = [RTCDtlsFingerprint(algorithm, digest) for algorithm, digest in offer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=prints))
        if self._dtls.state != "connected" or self._dtls.facts["dtls"] not in SAFE_DTLS:
            raise CarrierProtocolError("no_dtls", "the browser and we found no encryption that both trust")
        rtcp = RTCRtcpParameters(cname=CNAME, mux=True)
        await self._sender.send(RTCRtpSendParameters(codecs=[self._opus()], muxId=offer.mid, rtcp=rtcp))

    def _opus(self) -> RTCRtpCodecParameters:
        return RTCRtpCodecParameters("audio/opus", OPUS_HZ, channels=2, payloadType=self._offer.opus)

    @property
    def transport(self) -> Mapping[str, str]:
        """For the record: how the audio travels (promise 24). Empty before ``open``."""
        facts = self._dtls.facts
        return {"kind": "webrtc", "leg": self.name, **facts} if facts else {}

    # --- in -----------------------------------------------------------------------------------------------------------

    async def events(self) -> AsyncIterator[LegEvent]:
        while True:
            event = await self._events.get()
            yield event
            if isinstance(event, LegStopped):
                return

    async def listen(self) -> None:
        """Only now is there a decoder. Safe to call twice."""
        if self._receiver is not None or self.state != "announcing":
            return
        offer = self._offer
        self._receiver = receiver = CallReceiver(self._dtls, keys=offer.keys, pressed=self._key_pressed)
        track = receiver._track = RemoteStreamTrack(kind="audio")  # noqa: SLF001  (as aiortc's RTCPeerConnection sets it)
        receiver._set_rtcp_ssrc(self._sender._ssrc)  # noqa: SLF001  (the same)
        codecs = [self._opus()]
        if offer.keys is not None:
            codecs.append(RTCRtpCodecParameters("audio/telephone-event", OPUS_HZ, payloadType=offer.keys))
        await receiver.receive(RTCRtpReceiveParameters(codecs=codecs, muxId=offer.mid))
        self._dtls.listening = True
        self._tasks.start(self._hear(track), name="hear")
        self._show("listening")

    async def _hear(self, track: RemoteStreamTrack) -> None:
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            if isinstance(frame, AudioFrame):
                for heard in self._ear.hear(frame, now=self._loop.time()):
                    self._events.put_nowait(heard)

    def _key_pressed(self, key: str) -> None:
        self._events.put_nowait(KeyPressed(Private(key)))

    def _alive(self) -> None:
        """A packet came that only the other end can have sent."""
        now = self._alive_at = self._loop.time()
        for name in [name for name, due in self._marks.items() if due <= now]:
            del self._marks[name]
            self._events.put_nowait(MarkReturned(name))

    async def _watch(self) -> None:
        while self.state != "ended":
            await asyncio.sleep(self._bounds.idle_s / 4)
            if self._loop.time() - self._alive_at > self._bounds.idle_s:
                self._stop("silent_line")

    def _line_changed(self) -> None:
        if self._ice.state == "failed" or self._dtls.state in ("closed", "failed"):
            self._stop("hung_up" if self._dtls.state == "closed" else "connection_lost")

    def hang_up(self) -> None:
        """The caller's side has ended the call, by other means than the line itself."""
        self._stop("hung_up")

    def _stop(self, why: str) -> None:
        """The leg is over, once."""
        self._marks.clear()
        self._voice.clear()
        if self.state != "ended":
            self._events.put_nowait(LegStopped(why))
            self._show("ended")

    # --- out ----------------------------------------------------------------------------------------------------------

    async def send_audio(self, pcm: Pcm) -> None:
        if self.state != "ended":
            self._voice.push(pcm)

    async def send_mark(self, name: str) -> None:
        if self.state != "ended":
            self._voice.mark(name)

    def _passed(self, name: str) -> None:
        self._marks[name] = self._loop.time() + FRAME_MS / 1000 + ON_THE_WAY_S

    async def send_clear(self) -> None:
        self._voice.clear()
        self._marks.clear()

    async def close(self) -> None:
        """Hang up, if the caller has not. Safe to call twice; every caller waits until it is done."""
        self._stop("closed")
        if self._closing is None:
            self._closing = TaskOwner("leg", on_failure=lambda _name, _error: None).start(self._close(), name="close")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._tasks.aclose()
        await self._sender.stop()
        if self._receiver is not None:
            await self._receiver.stop()
        await self._dtls.stop()
        await self._ice.stop()
        self._voice.stop()

    # --- what the page shows --------------------------------------------------------------------------------------------

    def _show(self, state: str) -> None:
        self.state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def states(self) -> AsyncIterator[str]:
        """The state now, and each one after it, to ``ended``."""
        while True:
            state, changed = self.state, self._changed
            yield state
            if state == "ended":
                return
            await changed.wait()
