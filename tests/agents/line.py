"""A leg in a room of the fake LiveKit server: what it told, what it asked the server for, what was heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from livekit import rtc

from gateway.adapters.conversation.room import ROOM_HZ, RoomLeg, wait_for_caller
from gateway.call.events import CallerAudio, LegEvent
from gateway.errors import SordinoError
from gateway.tasks import TaskOwner
from gateway.values import Pcm
from tests.peers.livekit_server.audio import Heard
from tests.peers.livekit_server.room import FakeCaller, SfuRoom
from tests.peers.livekit_server.server import LiveKitServer
from tests.peers.livekit_server.sfu import SignalSession

FRAME_BYTES = ROOM_HZ // 50 * 2
# livekit 1.1.21: its native and its Python side may both release a track's handle, and who is second complains.
TWICE_RELEASED = "ignore:Exception ignored in. <function FfiHandle.__del__:pytest.PytestUnraisableExceptionWarning"


@dataclass(slots=True)
class Line:
    """A leg in a room, everything that it told so far, and the room as the server sees it."""

    leg: RoomLeg
    room: SfuRoom
    caller: FakeCaller
    told: list[LegEvent] = field(default_factory=list)
    sent_away: int = 0
    refused: SordinoError | None = None
    """How the leg's events ended, if they did not end well."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    async def follow(self) -> None:
        try:
            async for event in self.leg.events():
                self.told.append(event)
                self.changed.set()
        except SordinoError as error:
            self.refused = error
            self.changed.set()

    def of(self, kind: type[LegEvent]) -> list[LegEvent]:
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def heard(self) -> Pcm:
        """What the leg heard of the caller."""
        return Pcm(b"".join(event.pcm.reveal().samples for event in self.told if isinstance(event, CallerAudio)), 16_000)

    @property
    def subscribed(self) -> set[str]:
        """The tracks that the leg has asked the server for."""
        client = self.room.members["agent"].client
        assert isinstance(client, SignalSession)
        return client._subscribed

    async def knows(self, identity: str) -> None:
        """Wait until our client knows of somebody in the room."""
        client = self.leg._room
        client.on("participant_connected", lambda _: self.changed.set())
        await self.until(lambda: identity in client.remote_participants)

    async def forgets(self, identity: str) -> None:
        """Wait until our client knows that somebody has left."""
        client = self.leg._room
        client.on("participant_disconnected", lambda _: self.changed.set())
        await self.until(lambda: identity not in client.remote_participants)

    async def hear_it_speak(self) -> Heard:
        return await self.room.heard("agent")

    async def send(self, sound: Pcm) -> None:
        for at in range(0, len(sound.samples), FRAME_BYTES):
            await self.leg.send_audio(Pcm(sound.samples[at : at + FRAME_BYTES], ROOM_HZ))


@asynccontextmanager
async def a_line(server: LiveKitServer, *, each_asked: bool = True, present: tuple[str, ...] = ()) -> AsyncIterator[Line]:
    """A caller from the telephone and our leg in one room. ``present``: others who were there before the leg."""
    room = server.room("call")
    caller = room.caller(phone="+4915112345678", attributes={"sip.h.x-name": "Ada Lovelace"})
    for other in present:
        room.caller(other)
    client = rtc.Room()
    await client.connect(server.url, server.token("call", "agent"), rtc.RoomOptions(auto_subscribe=False))
    line: Line

    async def send_away() -> None:
        line.sent_away += 1
        room.remove(caller.member)

    first = await wait_for_caller(client, within_s=20)
    assert first.identity == caller.identity
    line = Line(RoomLeg(client, first, send_away=send_away, each_asked=each_asked), room, caller)
    failures: list[BaseException] = []
    async with TaskOwner("test", on_failure=lambda _, error: failures.append(error)) as tasks:
        await line.leg.open()
        tasks.start(line.follow(), name="follow")
        yield line
        await line.leg.close()
    assert failures == []
    assert room.data.packets == []
