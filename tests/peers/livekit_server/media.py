"""One client's WebRTC leg at the fake SFU: the single peer connection of LiveKit's ``/rtc/v1`` signalling.

The client always offers and the server always answers. A track that the server wants to send is put into a section that
the client offered as receive-only, and the answer maps the section to the track's id.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCRtpTransceiver, RTCSessionDescription
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtp import RtpPacket
from aiortc.sdp import candidate_from_sdp
from av.packet import Packet
from livekit.protocol.models import DataPacket

RELIABLE = "_reliable"
DATA_CHANNELS = frozenset({RELIABLE, "_lossy"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A track that this client is to receive."""

    participant_sid: str
    track_sid: str
    media: MediaStreamTrack


class SealedTrack:
    """An encrypted track: its packets as they came. Every listener gets a track of their own."""

    def __init__(self) -> None:
        self._listeners: list[SealedCopy] = []

    def push(self, packet: RtpPacket) -> None:
        for listener in self._listeners:
            listener.packets.put_nowait(packet)

    def copy(self) -> SealedCopy:
        self._listeners.append(SealedCopy())
        return self._listeners[-1]

    def stop(self) -> None:
        for listener in self._listeners:
            listener.stop()


class SealedCopy(MediaStreamTrack):
    """What aiortc sends as it is: an encoded packet."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.packets: asyncio.Queue[RtpPacket] = asyncio.Queue()

    async def recv(self) -> Packet[Any]:
        came = await self.packets.get()
        packet = Packet(came.payload)
        packet.pts, packet.time_base = came.timestamp, Fraction(1, 48_000)
        return packet


@dataclass(slots=True)
class MediaLeg:
    """Answers offers, gives away the tracks that the client sends and hands over its data packets."""

    on_track: Callable[[MediaStreamTrack], None]
    on_data: Callable[[bytes], None]
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when packets can be sent to the client."""
    _pc: RTCPeerConnection = field(init=False)
    _outgoing: dict[str, RTCRtpTransceiver] = field(default_factory=dict)
    _used: set[RTCRtpTransceiver] = field(default_factory=set)
    _reliable: RTCDataChannel | None = None

    def __post_init__(self) -> None:
        # An empty list, as None would ask a STUN server in the internet.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._pc.add_listener("track", self.on_track)
        self._pc.add_listener("datachannel", self._opened)

    @property
    def state(self) -> str:
        return self._pc.connectionState

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label in DATA_CHANNELS:
            channel.add_listener("message", self.on_data)

    async def answer(self, offer: str, wanted: Sequence[Outgoing]) -> tuple[str, Mapping[str, str]]:
        """Take an offer; the answer's SDP and which section (mid) carries which track."""
        # libwebrtc names no stream here, and aiortc reads a track's id only in a stream that is named.
        offer = re.sub(r"a=msid-semantic:.*", "a=msid-semantic:WMS *", offer)
        await self._pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        for outgoing in wanted:
            if outgoing.track_sid not in self._outgoing and (section := self._free_section()):
                self._send_in(section, outgoing)
        if self._reliable is None and self._pc.sctp is not None:
            self._reliable = self._pc.createDataChannel(RELIABLE)
            self._reliable.add_listener("open", self.open.set)
        await self._pc.setLocalDescription(await self._pc.createAnswer())
        mids = {section.mid: track for track, section in self._outgoing.items() if section.mid is not None}
        return self._pc.localDescription.sdp, mids

    def missing(self, wanted: Sequence[Outgoing]) -> bool:
        """Whether one of these tracks still needs another offer from the client."""
        return any(outgoing.track_sid not in self._outgoing for outgoing in wanted)

    def _free_section(self) -> RTCRtpTransceiver | None:
        for section in self._pc.getTransceivers():
            # aiortc keeps the offered direction as seen from our side.
            if section.kind == "audio" and section not in self._used and section._offerDirection == "sendonly":
                return section
        return None

    def _send_in(self, section: RTCRtpTransceiver, outgoing: Outgoing) -> None:
        section.sender.replaceTrack(outgoing.media)
        section.direction = "sendonly"
        # The client finds the participant by the stream's id.
        section.sender._stream_id = f"{outgoing.participant_sid}|{outgoing.track_sid}"
        section.sender._track_id = outgoing.track_sid
        self._outgoing[outgoing.track_sid] = section
        self._used.add(section)

    def stop_sending(self, track_sid: str) -> None:
        """The section stays silent from now on; it is not given to another track."""
        if (section := self._outgoing.pop(track_sid, None)) is not None:
            section.sender.replaceTrack(None)
            section.direction = "inactive"

    def sealed(self, media: MediaStreamTrack) -> SealedTrack:
        """The packets of a track that cannot be decoded here. Nothing of it reaches ``media`` any more."""
        receiver = next(each.receiver for each in self._pc.getTransceivers() if each.receiver.track is media)
        sealed = SealedTrack()

        async def taken(packet: RtpPacket, arrival_time_ms: int) -> None:
            sealed.push(packet)

        receiver._handle_rtp_packet = taken  # type: ignore[method-assign]
        return sealed

    async def add_candidate(self, candidate_init: str) -> None:
        """One trickled candidate, as the JSON of RTCIceCandidateInit."""
        init = json.loads(candidate_init)
        if not init["candidate"]:
            return
        candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
        candidate.sdpMid = init["sdpMid"]
        candidate.sdpMLineIndex = init["sdpMLineIndex"]
        await self._pc.addIceCandidate(candidate)

    def send(self, packet: DataPacket) -> None:
        """Put a packet on the reliable data channel. Raises ConnectionError when it is not open."""
        if self._reliable is None or self._reliable.readyState != "open":
            raise ConnectionError("the client's data channel is not open")
        self._reliable.send(packet.SerializeToString())

    async def aclose(self) -> None:
        await self._pc.close()
