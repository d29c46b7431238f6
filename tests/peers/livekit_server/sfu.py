"""One client's signalling at the fake SFU: LiveKit's ``/rtc/v1`` WebSocket, with livekit-protocol's own messages.

Read from the client's side in livekit/rust-sdks (``livekit-api/src/signal_client``, ``livekit/src/rtc_engine``) and from
https://docs.livekit.io/reference/internals/client-protocol/.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import time

from aiohttp import WSMsgType, web
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamTrack
from livekit.api.access_token import Claims
from livekit.protocol import rtc
from livekit.protocol.models import (
    DataPacket,
    DisconnectReason,
    Encryption,
    ParticipantInfo,
    ParticipantPermission,
    ServerInfo,
    TrackInfo,
)

from gateway.tasks import TaskOwner
from tests.peers.livekit_server.media import MediaLeg, Outgoing
from tests.peers.livekit_server.room import KIND, STATE, Member, SfuRoom

KINDS = {"agent": KIND.AGENT, "sip": KIND.SIP, "ingress": KIND.INGRESS, "egress": KIND.EGRESS}


def read_join(query: str) -> rtc.JoinRequest:
    """The ``join_request`` parameter: base64url around a protobuf around a (gzipped) protobuf."""
    wrapped = rtc.WrappedJoinRequest.FromString(base64.urlsafe_b64decode(query))
    inner = wrapped.join_request
    return rtc.JoinRequest.FromString(gzip.decompress(inner) if wrapped.compression else inner)


def member_from(claims: Claims, room: SfuRoom) -> Member:
    info = ParticipantInfo(
        sid=room.new_sid("PA"),
        identity=claims.identity,
        name=claims.name,
        metadata=claims.metadata,
        state=STATE.ACTIVE,
        kind=KINDS.get(claims.kind, KIND.STANDARD),
        joined_at=int(time.time()),
        permission=ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=True, can_update_metadata=True),
    )
    info.attributes.update(claims.attributes or {})
    return Member(info)


class SignalSession:
    """One client, from its join to its leave. The room talks to it through the methods of ``room.Client``."""

    def __init__(self, room: SfuRoom, member: Member, join: rtc.JoinRequest) -> None:
        self._room = room
        self._member = member
        self._join = join
        self._auto_subscribe = join.connection_settings.auto_subscribe
        self._subscribed: set[str] = set()
        self._announced: dict[str, TrackInfo] = {}
        self._send: asyncio.Queue[rtc.SignalResponse | None] = asyncio.Queue()
        self._leg = MediaLeg(self._track_arrived, self._data_arrived)
        member.client = self

    # what the room tells the client

    def participants_changed(self, changed: list[ParticipantInfo]) -> None:
        update = rtc.ParticipantUpdate()
        update.participants.extend(changed)
        self._put(rtc.SignalResponse(update=update))

    def tracks_changed(self) -> None:
        if self._leg.missing(self._wanted()):
            # The client adds a receive-only section and makes a new offer.
            self._put(rtc.SignalResponse(media_sections_requirement=rtc.MediaSectionsRequirement(num_audios=1)))

    def track_heard(self, track_sid: str) -> None:
        self._put(rtc.SignalResponse(track_subscribed=rtc.TrackSubscribed(track_sid=track_sid)))

    def stop_sending(self, track_sid: str) -> None:
        self._leg.stop_sending(track_sid)

    def receive(self, packet: DataPacket) -> None:
        self._leg.send(packet)

    async def can_receive(self) -> None:
        await self._leg.open.wait()

    def removed(self, reason: DisconnectReason) -> None:
        self._put(rtc.SignalResponse(leave=rtc.LeaveRequest(reason=reason, action=rtc.LeaveRequest.Action.DISCONNECT)))
        self._send.put_nowait(None)

    # the conversation with the client

    async def run(self, socket: web.WebSocketResponse) -> None:
        """Until the client leaves, its socket closes, or the room removes it."""
        self._put(rtc.SignalResponse(join=self._welcome()))
        self._room.join(self._member)
        async with TaskOwner("signal", on_failure=self._failed) as tasks:
            reading = tasks.start(self._read(socket), name="read")
            try:
                while (message := await self._send.get()) is not None:
                    await socket.send_bytes(message.SerializeToString())
            except ConnectionError:
                pass  # the client is gone: the same as a leave
            finally:
                self._room.leave(self._member)
                # Nothing of a client that is gone is answered any more.
                reading.cancel()
                await asyncio.wait({reading})
                await self._leg.aclose()
                await socket.close()
        if reading.done() and not reading.cancelled():
            reading.result()

    def _failed(self, _: str, __: BaseException) -> None:
        """What went wrong comes out of ``run``: the end of reading ends the writing."""

    def _put(self, message: rtc.SignalResponse) -> None:
        # A copy: participants change while a message waits.
        self._send.put_nowait(rtc.SignalResponse.FromString(message.SerializeToString()))

    def _welcome(self) -> rtc.JoinResponse:
        return rtc.JoinResponse(
            room=self._room.info,
            participant=self._member.info,
            other_participants=self._room.others(self._member),
            server_info=ServerInfo(edition=ServerInfo.Edition.Standard, version="1.9.0", protocol=16),
            ping_interval=5,
            ping_timeout=20,
            fast_publish=True,
        )

    async def _read(self, socket: web.WebSocketResponse) -> None:
        try:
            if self._join.HasField("publisher_offer"):
                await self._answer(self._join.publisher_offer)
            async for message in socket:
                if message.type is WSMsgType.BINARY:
                    await self._handle(rtc.SignalRequest.FromString(message.data))
        finally:
            self._send.put_nowait(None)

    async def _handle(self, request: rtc.SignalRequest) -> None:
        match request.WhichOneof("message"):
            case "offer":
                await self._answer(request.offer)
            case "trickle":
                await self._leg.add_candidate(request.trickle.candidateInit)
            case "add_track":
                self._announce(request.add_track)
            case "subscription":
                self._subscribe(request.subscription)
            case "update_metadata":
                self._update(request.update_metadata)
            case "ping_req":
                pong = rtc.Pong(last_ping_timestamp=request.ping_req.timestamp, timestamp=int(time.time() * 1000))
                self._put(rtc.SignalResponse(pong_resp=pong))
            case "leave":
                self._send.put_nowait(None)
            case _:
                pass  # mute, track settings, sync state…: nothing here depends on them

    async def _answer(self, offer: rtc.SessionDescription) -> None:
        try:
            sdp, mids = await self._leg.answer(offer.sdp, self._wanted())
        except InvalidStateError as error:
            # Its state tells nothing: what is being answered sets it anew after it was closed.
            if "is closed" in str(error):
                return  # the client hung up while it was being answered
            raise
        self._put(rtc.SignalResponse(answer=rtc.SessionDescription(type="answer", sdp=sdp, id=offer.id, mid_to_track_id=mids)))
        self.tracks_changed()

    def _wanted(self) -> list[Outgoing]:
        return [o for o in self._room.outgoing(self._member) if self._auto_subscribe or o.track_sid in self._subscribed]

    def _announce(self, wish: rtc.AddTrackRequest) -> None:
        track = TrackInfo(sid=self._room.new_sid("TR"), name=wish.name, type=wish.type, source=wish.source, stream=wish.stream)
        track.encryption = wish.encryption
        self._announced[wish.cid] = track
        self._put(rtc.SignalResponse(track_published=rtc.TrackPublishedResponse(cid=wish.cid, track=track)))

    def _subscribe(self, wish: rtc.UpdateSubscription) -> None:
        sids = set(wish.track_sids).union(*(tracks.track_sids for tracks in wish.participant_tracks))
        if wish.subscribe:
            self._subscribed |= sids
            self.tracks_changed()
        else:
            self._subscribed -= sids
            for sid in sids:
                self._leg.stop_sending(sid)
        self._room.looked_at_anew()

    def _update(self, wish: rtc.UpdateParticipantMetadata) -> None:
        info = self._member.info
        info.name, info.metadata = wish.name or info.name, wish.metadata or info.metadata
        info.attributes.update(wish.attributes)
        self._put(rtc.SignalResponse(request_response=rtc.RequestResponse(request_id=wish.request_id)))
        self._room.tell(self._member)

    def _track_arrived(self, media: MediaStreamTrack) -> None:
        # The client announced the track by the id that is now in its offer.
        if (track := self._announced.get(media.id)) is None:
            return
        if track.encryption == Encryption.Type.NONE:
            self._room.publish(self._member, track, media)
        else:
            # What only the room's people can understand is passed on as it is, as a real server does.
            self._room.publish_sealed(self._member, track, self._leg.sealed(media))

    def _data_arrived(self, raw: bytes) -> None:
        self._room.forward(self._member, raw)
