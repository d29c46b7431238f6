"""The few calls of LiveKit's server API that an agent makes on a call: delete the room, send somebody away, transfer.

Twirp over HTTP with protobuf bodies (https://docs.livekit.io/reference/other/roomservice-api/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from livekit.protocol.room import DeleteRoomRequest, DeleteRoomResponse, RemoveParticipantResponse, RoomParticipantIdentity
from livekit.protocol.sip import TransferSIPParticipantRequest

from tests.peers.livekit_server.tokens import check

if TYPE_CHECKING:
    from tests.peers.livekit_server.server import LiveKitServer


class ServerApi:
    """``transfers`` lists every transfer that was asked for; the caller who is transferred leaves the room."""

    def __init__(self, server: LiveKitServer) -> None:
        self._server = server
        self.transfers: list[TransferSIPParticipantRequest] = []

    async def handle(self, request: web.Request) -> web.Response:
        check(request)
        body = await request.read()
        match (request.match_info["service"], request.match_info["method"]):
            case ("RoomService", "DeleteRoom"):
                self._server.room(DeleteRoomRequest.FromString(body).room).close()
                return _protobuf(DeleteRoomResponse().SerializeToString())
            case ("RoomService", "RemoveParticipant"):
                who = RoomParticipantIdentity.FromString(body)
                self._remove(who.room, who.identity)
                return _protobuf(RemoveParticipantResponse().SerializeToString())
            case ("SIP", "TransferSIPParticipant"):
                transfer = TransferSIPParticipantRequest.FromString(body)
                self.transfers.append(transfer)
                self._remove(transfer.room_name, transfer.participant_identity)
                return _protobuf(b"")
            case _:
                return web.json_response({"code": "unimplemented", "msg": "not in the fake server"}, status=501)

    def _remove(self, room: str, identity: str) -> None:
        member = self._server.room(room).members.get(identity)
        if member is None:
            raise web.HTTPNotFound(text='{"code": "not_found", "msg": "no such participant"}', content_type="application/json")
        self._server.room(room).remove(member)


def _protobuf(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/protobuf")
