"""A room of the fake SFU: who is in it, which tracks they publish, and what was heard of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamTrack
from livekit.protocol.models import (
    DataPacket,
    DisconnectReason,
    ParticipantInfo,
    Room,
    SipDTMF,
    TrackInfo,
    TrackSource,
    TrackType,
)

from gateway.tasks import TaskOwner
from gateway.values import Pcm
from tests.peers.livekit_server.audio import Heard, SpokenTrack
from tests.peers.livekit_server.data import DataLedger
from tests.peers.livekit_server.media import Outgoing, SealedTrack

KIND = ParticipantInfo.Kind
STATE = ParticipantInfo.State


class Client(Protocol):
    """A real client in the room, as the room sees it."""

    def participants_changed(self, changed: list[ParticipantInfo]) -> None: ...
    def tracks_changed(self) -> None: ...
    def track_heard(self, track_sid: str) -> None: ...
    def stop_sending(self, track_sid: str) -> None: ...
    def receive(self, packet: DataPacket) -> None: ...
    async def can_receive(self) -> None: ...
    def removed(self, reason: DisconnectReason) -> None: ...


@dataclass(slots=True)
class Member:
    """A participant: a real client behind a socket, or a caller that lives in the server."""

    info: ParticipantInfo
    client: Client | None = None
    media: dict[str, MediaStreamTrack] = field(default_factory=dict)
    """What the participant publishes, by track sid."""
    sealed: dict[str, SealedTrack] = field(default_factory=dict)
    """What of it is encrypted."""
    heard: dict[str, Heard] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    """Tracks of which the publisher knows that somebody listens."""


class SfuRoom:
    """Made by ``LiveKitServer.room(name)``; everything happens on the event loop of the test."""

    def __init__(self, name: str, tasks: TaskOwner) -> None:
        self.info = Room(sid=f"RM_{name}", name=name)
        self.data = DataLedger()
        self.members: dict[str, Member] = {}
        self.left: dict[str, Member] = {}
        self._tasks = tasks
        self._relay = MediaRelay()
        self._numbers = count(1)
        self._changed = asyncio.Event()

    @property
    def name(self) -> str:
        return self.info.name

    # what a test does

    def caller(
        self,
        identity: str = "caller",
        *,
        phone: str | None = None,
        trunk_phone: str = "+493055500",
        attributes: Mapping[str, str] | None = None,
    ) -> FakeCaller:
        """A caller joins, now, with an open microphone.

        With ``phone`` it comes as LiveKit SIP would bring it: kind SIP and the attributes ``sip.phoneNumber``,
        ``sip.trunkPhoneNumber``, ``sip.callStatus``, ``sip.callID`` (https://docs.livekit.io/sip/sip-participant/).
        """
        info = ParticipantInfo(sid=self.new_sid("PA"), identity=identity, name=identity, state=STATE.ACTIVE, is_publisher=True)
        info.kind = KIND.SIP if phone else KIND.STANDARD
        if phone:
            sip = {"phoneNumber": phone, "trunkPhoneNumber": trunk_phone, "callStatus": "active", "callID": f"SCL_{identity}"}
            info.attributes.update({f"sip.{key}": value for key, value in sip.items()})
        info.attributes.update(attributes or {})
        member = Member(info)
        self.join(member)
        caller = FakeCaller(self, member, SpokenTrack())
        self.publish(member, TrackInfo(name="microphone", type=TrackType.AUDIO), caller.microphone)
        return caller

    async def heard(self, identity: str, *, within: float = 20.0) -> Heard:
        """What is heard from a participant's first track, as soon as it publishes one. Raises TimeoutError."""

        def published() -> bool:
            return identity in self.members and bool(self.members[identity].heard)

        await self.until(published, within=within)
        return next(iter(self.members[identity].heard.values()))

    async def member(self, identity: str, *, within: float = 20.0) -> Member:
        """A participant, as soon as it is there. Raises TimeoutError."""
        await self.until(lambda: identity in self.members, within=within)
        return self.members[identity]

    async def can_receive(self, identity: str, *, within: float = 20.0) -> None:
        """Wait until a client's data channel is open, so that ``press`` and ``send`` reach it. Raises TimeoutError."""
        async with asyncio.timeout(within):
            member = await self.member(identity)
            if member.client is not None:
                await member.client.can_receive()

    async def gone(self, identity: str, *, within: float = 20.0) -> None:
        """Wait until a participant has left. Raises TimeoutError."""
        await self.until(lambda: identity in self.left and identity not in self.members, within=within)

    async def until(self, ready: Callable[[], bool], *, within: float = 20.0) -> None:
        """Wait until the room is as asked: it is looked at after each change. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while not ready():
                self._changed.clear()
                await self._changed.wait()

    def looked_at_anew(self) -> None:
        """Something that somebody may wait for has changed."""
        self._changed.set()

    def close(self) -> None:
        """Delete the room: every participant is sent away."""
        for member in list(self.members.values()):
            self.remove(member, DisconnectReason.ROOM_DELETED)

    def remove(self, member: Member, reason: DisconnectReason = DisconnectReason.PARTICIPANT_REMOVED) -> None:
        """The server sends a participant away."""
        if member.client is not None:
            member.client.removed(reason)
        self.leave(member, reason)

    # what members do

    def new_sid(self, prefix: str) -> str:
        return f"{prefix}_{self.name}{next(self._numbers):04}"

    def join(self, member: Member) -> None:
        """Somebody with the same identity is sent away first, as LiveKit does."""
        if (twin := self.members.get(member.info.identity)) is not None:
            self.remove(twin, DisconnectReason.DUPLICATE_IDENTITY)
        self.members[member.info.identity] = member
        self.tell(member)
        self._tell_listeners()

    def leave(self, member: Member, reason: DisconnectReason = DisconnectReason.CLIENT_INITIATED) -> None:
        """A participant is gone. An agent's session ends by itself for some reasons, and not for others."""
        identity = member.info.identity
        if self.members.get(identity) is not member:
            return
        del self.members[identity]
        self.left[identity] = member
        for sealed in member.sealed.values():
            sealed.stop()
        for sid, track in member.media.items():
            track.stop()
            for other in self.members.values():
                if other.client is not None:
                    other.client.stop_sending(sid)
        member.info.state = STATE.DISCONNECTED
        member.info.disconnect_reason = reason
        self.tell(member)

    def publish(self, member: Member, track: TrackInfo, media: MediaStreamTrack) -> None:
        """A participant's track has begun: it is heard here and sent to the others."""
        if not track.sid:
            track.sid = self.new_sid("TR")
            track.source = TrackSource.MICROPHONE
        if all(known.sid != track.sid for known in member.info.tracks):
            member.info.tracks.append(track)
        member.media[track.sid] = media
        member.heard[track.sid] = heard = Heard()
        self._tasks.start(heard.consume(self._relay.subscribe(media)), name=f"heard {track.sid}")
        self._told_of_a_track(member)

    def publish_sealed(self, member: Member, track: TrackInfo, media: SealedTrack) -> None:
        """A participant's encrypted track has begun: it is sent to the others and cannot be heard here."""
        member.info.tracks.append(track)
        member.sealed[track.sid] = media
        self._told_of_a_track(member)

    def _told_of_a_track(self, member: Member) -> None:
        self.tell(member)
        for other in self.members.values():
            if other is not member and other.client is not None:
                other.client.tracks_changed()
        self._tell_listeners()

    def outgoing(self, to: Member) -> list[Outgoing]:
        """Every track that the others publish. Each call gives fresh relays."""
        others = [member for member in self.members.values() if member is not to]
        open_ = [(each, sid, self._relay.subscribe(media)) for each in others for sid, media in each.media.items()]
        sealed = [(each, sid, media.copy()) for each in others for sid, media in each.sealed.items()]
        return [Outgoing(each.info.sid, sid, media) for each, sid, media in (*open_, *sealed)]

    def others(self, of: Member) -> list[ParticipantInfo]:
        return [member.info for member in self.members.values() if member is not of]

    def tell(self, about: Member) -> None:
        """Everybody hears of a participant's new state."""
        about.info.version += 1
        for member in self.members.values():
            if member.client is not None:
                member.client.participants_changed([about.info])
        self._changed.set()

    def forward(self, sender: Member, raw: bytes) -> None:
        """A data packet: written down, and passed on to those it is for."""
        packet = self.data.record(sender.info.identity, raw)
        packet.participant_identity, packet.participant_sid = sender.info.identity, sender.info.sid
        for member in self.members.values():
            wanted = not packet.destination_identities or member.info.identity in packet.destination_identities
            if member is not sender and wanted and member.client is not None:
                member.client.receive(packet)

    def _tell_listeners(self) -> None:
        """LiveKit tells a publisher when the first other participant has subscribed; agents wait for it."""
        for member in self.members.values():
            if member.client is None or len(self.members) < 2:
                continue
            for sid in (member.media.keys() | member.sealed.keys()) - member.told:
                member.told.add(sid)
                member.client.track_heard(sid)


@dataclass(slots=True)
class FakeCaller:
    """A participant without a socket: its microphone is fed by the test, its ears are ``room.heard(agent)``."""

    room: SfuRoom
    member: Member
    microphone: SpokenTrack

    @property
    def identity(self) -> str:
        return self.member.info.identity

    @property
    def info(self) -> ParticipantInfo:
        return self.member.info

    async def speak(self, sound: Pcm) -> None:
        """Say something, in real time; returns when it was said."""
        await self.microphone.speak(sound)

    def press(self, digits: str) -> None:
        """Keys of the telephone, as LiveKit SIP passes them on: one ``sip_dtmf`` packet each."""
        for digit in digits:
            self.send(DataPacket(sip_dtmf=SipDTMF(code="0123456789*#ABCD".index(digit), digit=digit)))

    def send(self, packet: DataPacket) -> None:
        """Any data packet. Packets of callers are not in ``room.data``: that ledger is about the clients."""
        packet.participant_identity, packet.participant_sid = self.identity, self.member.info.sid
        for member in self.room.members.values():
            if member.client is not None:
                member.client.receive(packet)

    def set_attributes(self, attributes: Mapping[str, str]) -> None:
        self.member.info.attributes.update(attributes)
        self.room.tell(self.member)

    def hang_up(self) -> None:
        self.room.leave(self.member)
