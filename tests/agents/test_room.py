"""A room is a leg that leaves the caller's voice where it is until it may be heard, and that claims no more than it knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from livekit import rtc
from livekit.protocol.models import DataPacket, DataStream, TrackInfo, TrackType

from gateway.adapters.conversation import room as rooms
from gateway.adapters.conversation.room import ROOM_HZ, RoomLeg, wait_for_caller
from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, MarkReturned
from gateway.errors import CarrierProtocolError
from gateway.values import Pcm
from tests.agents.line import FRAME_BYTES, TWICE_RELEASED, Line, a_line
from tests.peers.livekit_server.audio import SpokenTrack, loud_ms, pitch, tone
from tests.peers.livekit_server.room import SfuRoom
from tests.peers.livekit_server.server import LiveKitServer
from tests.peers.livekit_server.tokens import make_token

pytestmark = pytest.mark.filterwarnings(TWICE_RELEASED)


@pytest.fixture
async def server() -> AsyncIterator[LiveKitServer]:
    async with LiveKitServer() as server:
        yield server


@pytest.fixture
async def line(server: LiveKitServer) -> AsyncIterator[Line]:
    """A caller from the telephone and our leg in one room."""
    async with a_line(server) as line:
        yield line


class TestTheCaller:
    async def test_is_announced_by_ids_and_not_by_numbers_or_names(self, line: Line) -> None:
        await line.until(lambda: bool(line.told))
        assert line.told == [LegStarted(leg="call", carrier_call="RM_call", parameters={"sip.callID": "SCL_caller"})]

    async def test_is_not_subscribed_until_the_call_listens(self, line: Line) -> None:
        """So there is nothing to drop: the caller's voice does not come into the process."""
        await line.caller.speak(tone(440, 0.5))
        assert line.subscribed == set()
        assert line.of(CallerAudio) == []

    async def test_who_opens_a_microphone_later_is_not_subscribed_before_either(self, line: Line) -> None:
        seen = asyncio.Event()
        line.leg._room.on("track_published", lambda *_: seen.set())
        line.room.publish(line.caller.member, TrackInfo(name="second microphone", type=TrackType.AUDIO), SpokenTrack())
        async with asyncio.timeout(10):
            await seen.wait()
        await line.room.can_receive("agent")
        line.caller.press("1")
        await line.until(lambda: bool(line.of(KeyPressed)))
        assert line.subscribed == set()

    async def test_is_heard_in_frames_of_20_ms_at_16_khz_from_then_on(self, line: Line) -> None:
        await line.leg.listen()
        await line.until(lambda: bool(line.of(CallerAudio)))
        await line.caller.speak(tone(440, 1.0))
        await line.until(lambda: loud_ms(line.heard) > 900)
        assert {event.pcm.reveal().ms for event in line.told if isinstance(event, CallerAudio)} == {20.0}
        assert pitch(line.heard) == pytest.approx(440, abs=5)
        assert [event.at_ms for event in line.told if isinstance(event, CallerAudio)][:3] == [0, 20, 40]

    async def test_cannot_put_words_into_the_call_by_data(self, line: Line) -> None:
        """What LiveKit's own agents would take from the room (typed text, sound from before the call) nobody here reads."""
        await line.room.can_receive("agent")
        for topic in ("lk.chat", "lk.agent.pre-connect-audio-buffer"):
            header = DataStream.Header(stream_id=topic, topic=topic, mime_type="text/plain", total_length=2)
            line.caller.send(DataPacket(stream_header=header))
            line.caller.send(DataPacket(stream_chunk=DataStream.Chunk(stream_id=topic, content=b"hi")))
        line.caller.press("1")
        await line.until(lambda: bool(line.of(KeyPressed)))
        assert [type(event) for event in line.told] == [LegStarted, KeyPressed]
        client = line.leg._room
        assert (client._text_stream_handlers, client._byte_stream_handlers) == ({}, {})
        assert client.local_participant._rpc_handlers == {}

    async def test_who_leaves_ends_the_leg(self, line: Line) -> None:
        line.caller.hang_up()
        await line.until(lambda: bool(line.of(LegStopped)))
        assert line.told[-1] == LegStopped("hung_up")

    async def test_another_who_leaves_does_not(self, line: Line) -> None:
        line.room.caller("second").hang_up()
        await line.room.can_receive("agent")
        line.caller.press("5")
        await line.until(lambda: bool(line.of(KeyPressed)))
        assert line.of(LegStopped) == []

    async def test_is_sent_away_when_we_hang_up(self, line: Line) -> None:
        """A telephone would otherwise stay connected to an empty room."""
        await line.leg.close()
        await line.leg.close()
        assert line.sent_away == 1
        await line.room.gone("agent")

    async def test_who_is_gone_is_not_sent_away_again(self, line: Line) -> None:
        line.caller.hang_up()
        await line.until(lambda: bool(line.of(LegStopped)))
        await line.leg.close()
        assert line.sent_away == 0


async def test_a_deleted_room_ends_the_leg(line: Line) -> None:
    line.room.close()
    await line.until(lambda: bool(line.of(LegStopped)))


class TestTheMark:
    async def test_comes_back_when_what_was_sent_before_it_was_heard_in_the_room(self, line: Line) -> None:
        heard = await line.hear_it_speak()
        await line.send(tone(600, 1.0, rate=ROOM_HZ))
        await line.leg.send_mark("announcement:ai")
        assert line.of(MarkReturned) == []
        await line.until(lambda: bool(line.of(MarkReturned)))
        assert line.of(MarkReturned) == [MarkReturned("announcement:ai")]
        assert loud_ms(heard.pcm) >= 980

    async def test_does_not_come_back_for_what_was_cleared(self, line: Line) -> None:
        heard = await line.hear_it_speak()
        await line.send(tone(600, 0.8, rate=ROOM_HZ))
        await line.leg.send_mark("say:1")
        await line.leg.send_clear()
        await line.send(tone(900, 0.3, rate=ROOM_HZ))
        await line.leg.send_mark("say:2")
        await line.until(lambda: bool(line.of(MarkReturned)))
        assert line.of(MarkReturned) == [MarkReturned("say:2")]
        assert loud_ms(heard.pcm) < 700

    async def test_does_not_come_back_when_the_connection_broke_meanwhile(self, line: Line) -> None:
        """What was sent may have been lost: then the announcement is not proven, and the call does not listen."""
        await line.leg.send_audio(Pcm(bytes(FRAME_BYTES), ROOM_HZ))
        await line.leg.send_mark("announcement:ai")
        line.leg._room.emit("reconnecting")
        await line.leg.send_mark("say:1")
        await line.until(lambda: bool(line.of(MarkReturned)))
        assert line.of(MarkReturned) == [MarkReturned("say:1")]

    async def test_does_not_come_back_from_a_caller_who_is_gone(self, line: Line) -> None:
        await line.send(tone(600, 0.3, rate=ROOM_HZ))
        await line.leg.send_mark("announcement:ai")
        line.caller.hang_up()
        await line.until(lambda: bool(line.of(LegStopped)))
        await line.leg.send_audio(Pcm(bytes(FRAME_BYTES), ROOM_HZ))
        await line.leg.send_mark("say:1")
        await line.leg.send_clear()
        assert line.leg._marks == {}
        assert line.of(MarkReturned) == []


async def test_an_announcement_is_not_played_to_a_room_that_does_not_take_it(
    server: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server tells when somebody subscribed to our voice; until then nobody would hear it."""
    monkeypatch.setattr(rooms, "TAKEN_WITHIN_S", 0.5)
    monkeypatch.setattr(SfuRoom, "_tell_listeners", lambda _: None)
    server.room("call").caller()
    client = rtc.Room()
    await client.connect(server.url, server.token("call", "agent"), rtc.RoomOptions(auto_subscribe=False))
    leg = RoomLeg(client, await wait_for_caller(client, within_s=5))
    with pytest.raises(CarrierProtocolError, match="nobody in the room takes our voice"):
        await leg.open()
    await leg.close()


async def test_an_agent_in_the_room_is_no_caller_and_nobody_waits_for_ever(server: LiveKitServer) -> None:
    other, client = rtc.Room(), rtc.Room()
    await other.connect(server.url, make_token("call", "other", kind="agent"))
    await client.connect(server.url, make_token("call", "ann", kind="agent"))
    with pytest.raises(CarrierProtocolError, match="no caller"):
        await wait_for_caller(client, within_s=0.3)
    await client.disconnect()
    await other.disconnect()
