"""Whoever is in a room beside the caller is announced to before one packet of theirs is asked for, and nobody agrees for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from livekit import rtc
from livekit.protocol import rtc as rtc_protocol
from livekit.protocol.models import Room

from gateway.adapters.conversation import room as rooms
from gateway.adapters.conversation.room import RoomLeg, wait_for_caller
from gateway.call.child import ChildSignalled, Sign
from gateway.call.events import CallerAudio, KeyPressed, LegStopped, ParticipantJoined
from gateway.errors import PolicyRefused
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private
from tests.agents.line import TWICE_RELEASED, Line, a_line
from tests.peers.livekit_server.audio import loud_ms, pitch, tone
from tests.peers.livekit_server.room import FakeCaller
from tests.peers.livekit_server.server import LiveKitServer
from tests.peers.livekit_server.sfu import SignalSession
from tests.peers.livekit_server.tokens import make_token

pytestmark = pytest.mark.filterwarnings(TWICE_RELEASED)
SECOND, THIRD = "second", "third"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's client needs its time here."""
    monkeypatch.setattr(rooms, "SETTLED_AFTER_S", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[LiveKitServer]:
    async with LiveKitServer() as server:
        yield server


@pytest.fixture
async def line(server: LiveKitServer) -> AsyncIterator[Line]:
    """Everybody is asked something, and the caller has answered: the call goes on."""
    async with a_line(server) as line:
        await line.leg.admit(0, to_answer=False)
        await line.leg.listen()
        await line.room.until(lambda: line.subscribed == set(line.caller.member.media))
        yield line


def joined(line: Line) -> int:
    return len(line.of(ParticipantJoined))


async def comes(line: Line, who: str = SECOND) -> FakeCaller:
    """Somebody joins and a round begins for them."""
    before = joined(line)
    other = line.room.caller(who)
    await line.until(lambda: joined(line) > before)
    return other


async def everything_told(line: Line, *others: str) -> None:
    """Our client knows of these, and after that a key of the caller's has come all the way."""
    for other in others:
        await line.knows(other)
    before = len(line.of(KeyPressed))
    await line.room.can_receive("agent")
    line.caller.press("5")
    await line.until(lambda: len(line.of(KeyPressed)) > before)


def share(sound: Pcm, hz: float) -> float:
    """How strong a pitch is among all of a sound, 0 to 1."""
    strength = np.abs(np.fft.rfft(np.frombuffer(sound.samples, "<i2").astype(float)))
    at = np.fft.rfftfreq(len(sound.samples) // 2, 1 / sound.rate)
    return float(strength[np.abs(at - hz) < 10].max() / strength.max())


class TestWhoJoinsLater:
    async def test_is_told_of_and_not_subscribed_until_let_in(self, line: Line) -> None:
        second = await comes(line)
        await second.speak(tone(900, 0.3))
        assert line.subscribed == set(line.caller.member.media)
        await line.leg.admit(1, to_answer=False)
        await line.room.until(lambda: second.member.media.keys() <= line.subscribed)

    async def test_is_not_let_in_with_those_before(self, line: Line) -> None:
        """The plot had not heard of them yet when it let the others in."""
        await comes(line)
        await line.leg.admit(0, to_answer=False)
        await line.leg.listen()
        await everything_told(line)
        assert line.subscribed == set(line.caller.member.media)

    async def test_is_heard_together_with_the_caller_from_then_on(self, line: Line) -> None:
        second = await comes(line)
        await line.leg.admit(1, to_answer=False)
        await line.room.until(lambda: second.member.media.keys() <= line.subscribed)
        await line.until(lambda: len(line.leg._microphones) == 2 and bool(line.of(CallerAudio)))

        async def both() -> None:
            await asyncio.gather(second.speak(tone(900, 0.6)), line.caller.speak(tone(440, 0.6)))

        async with asyncio.timeout(40):
            while loud_ms(line.heard) == 0 or min(share(line.heard, 440), share(line.heard, 900)) < 0.2:
                await both()
        at_ms = [event.at_ms for event in line.told if isinstance(event, CallerAudio)]
        assert at_ms == list(range(0, 20 * len(at_ms), 20)), "one voice's clock, not two"

    async def test_who_comes_meanwhile_waits_for_a_round_of_their_own(self, line: Line) -> None:
        second = await comes(line)
        third = line.room.caller(THIRD)
        await everything_told(line, THIRD)
        assert joined(line) == 1
        await line.leg.admit(1, to_answer=False)
        await line.until(lambda: joined(line) == 2)
        await line.room.until(lambda: line.subscribed == {*line.caller.member.media, *second.member.media})
        await line.leg.admit(2, to_answer=False)
        await line.room.until(lambda: third.member.media.keys() <= line.subscribed)

    async def test_gives_their_own_answer(self, line: Line) -> None:
        """While a spoken answer is waited for, nobody else is heard; a key of somebody else says that it is no answer."""
        second = await comes(line)
        await line.leg.admit(1, to_answer=True)
        await line.room.until(lambda: second.member.media.keys() <= line.subscribed)
        before = len(line.of(CallerAudio))
        await line.until(lambda: len(line.of(CallerAudio)) > before)
        line.told.clear()
        async with TaskOwner("speaking", on_failure=lambda *_: None) as speaking:
            for who, hz in ((second, 900), (line.caller, 440)):
                speaking.start(who.speak(tone(hz, 60.0)), name="speak")
            await line.until(lambda: loud_ms(line.heard) > 300)
        assert pitch(line.heard) == pytest.approx(900, abs=60)
        assert share(line.heard, 440) < 0.2
        line.caller.press("1")
        second.press("1")
        await line.until(lambda: len(line.of(KeyPressed)) == 2)
        assert line.of(KeyPressed) == [KeyPressed(Private("1"), asked=False), KeyPressed(Private("1"))]

    async def test_presses_keys_in_vain_before_they_were_announced_to(self, line: Line) -> None:
        await comes(line)
        third = line.room.caller(THIRD)
        await line.knows(THIRD)
        await line.room.can_receive("agent")
        third.press("9")
        line.caller.press("5")
        await line.until(lambda: bool(line.of(KeyPressed)))
        assert line.of(KeyPressed) == [KeyPressed(Private("5"), asked=False)]

    async def test_may_leave_again_and_the_caller_goes_on(self, line: Line) -> None:
        second = await comes(line)
        second.hang_up()
        await line.forgets(SECOND)
        assert line.of(LegStopped) == []
        await line.leg.admit(1, to_answer=True)
        await everything_told(line)
        assert line.of(KeyPressed)[-1] == KeyPressed(Private("5")), "nobody else is left to be asked"

    async def test_is_announced_to_again_when_they_come_back(self, line: Line) -> None:
        second = await comes(line)
        await line.leg.admit(1, to_answer=False)
        second.hang_up()
        await comes(line)
        assert joined(line) == 2

    async def test_on_a_telephone_is_there_when_they_have_answered(self, line: Line) -> None:
        """LiveKit SIP brings a telephone into the room while it still rings."""
        ringing = line.room.caller(SECOND, phone="+4915199999", attributes={"sip.callStatus": "ringing"})
        await everything_told(line, SECOND)
        assert joined(line) == 0
        ringing.set_attributes({"sip.callStatus": "active"})
        await line.until(lambda: joined(line) == 1)

    async def test_is_no_person_and_nobody_is_told(self, line: Line, server: LiveKitServer) -> None:
        other = rtc.Room()
        await other.connect(server.url, make_token("call", "other", kind="agent"))
        await line.room.can_receive("other")
        await everything_told(line, "other")
        assert joined(line) == 0
        await other.disconnect()


class TestWhoWasThereFromTheBeginning:
    async def test_heard_the_callers_announcement_and_is_let_in_with_them_where_nothing_is_asked(
        self, server: LiveKitServer
    ) -> None:
        async with a_line(server, each_asked=False, present=(SECOND,)) as line:
            await everything_told(line)
            assert line.subscribed == set()
            await line.leg.admit(0, to_answer=False)
            await line.leg.listen()
            everybody = {*line.caller.member.media, *line.room.members[SECOND].media}
            await line.room.until(lambda: everybody == line.subscribed)
            assert joined(line) == 0

    async def test_is_asked_alone_after_the_caller_where_something_is_asked(self, server: LiveKitServer) -> None:
        async with a_line(server, present=(SECOND, THIRD)) as line:
            await line.leg.listen()
            await line.room.until(lambda: line.subscribed == set(line.caller.member.media))
            assert joined(line) == 0
            for number, who in enumerate((SECOND, THIRD), start=1):
                await line.leg.admit(number - 1, to_answer=False)
                await line.until(lambda expected=number: joined(line) == expected)  # type: ignore[misc]
                assert not line.subscribed & line.room.members[who].media.keys()


class TestARecordingOfLiveKits:
    """An egress would keep what was said without consent, without a pause and longer than the policy lets us."""

    async def test_keeps_the_call_from_beginning(self, server: LiveKitServer) -> None:
        server.room("call").info.active_recording = True
        server.room("call").caller()
        client = rtc.Room()
        await client.connect(server.url, server.token("call", "agent"), rtc.RoomOptions(auto_subscribe=False))
        leg = RoomLeg(client, await wait_for_caller(client, within_s=20))
        with pytest.raises(PolicyRefused, match="LiveKit records the room"):
            await leg.open()
        await leg.close()

    async def test_ends_the_call_that_goes_on(self, server: LiveKitServer) -> None:
        async with a_line(server) as line:
            await everything_told(line)
            client = line.room.members["agent"].client
            assert isinstance(client, SignalSession)
            changed = Room(sid=line.room.info.sid, name="call", active_recording=True)
            client._put(rtc_protocol.SignalResponse(room_update=rtc_protocol.RoomUpdate(room=changed)))
            await line.until(lambda: line.refused is not None)
            assert isinstance(line.refused, PolicyRefused)


async def test_a_caller_whose_telephone_still_rings_is_waited_for(server: LiveKitServer) -> None:
    """Who is called has not heard anything before they answered."""
    ringing = server.room("call").caller(phone="+4915112345678", attributes={"sip.callStatus": "dialing"})
    client = rtc.Room()
    await client.connect(server.url, server.token("call", "agent"), rtc.RoomOptions(auto_subscribe=False))
    async with TaskOwner("test", on_failure=lambda *_: None) as tasks:
        answered = tasks.start(wait_for_caller(client, within_s=30), name="caller")
        await server.room("call").can_receive("agent")
        assert not answered.done()
        ringing.set_attributes({"sip.callStatus": "active"})
        assert (await answered).identity == "caller"
    await client.disconnect()


@pytest.mark.parametrize("value", ["1", "yes"])
async def test_other_software_in_the_room_tells_of_a_child_by_an_attribute(line: Line, value: str) -> None:
    line.caller.set_attributes({rooms.CHILD: value})
    await line.until(lambda: bool(line.of(ChildSignalled)))
    assert line.of(ChildSignalled)[0] == ChildSignalled(Sign.ROOM)


async def test_an_attribute_that_says_no_tells_of_none(line: Line) -> None:
    line.caller.set_attributes({rooms.CHILD: "0"})
    line.caller.set_attributes({rooms.CHILD: "", "other": "1"})
    await comes(line)
    assert line.of(ChildSignalled) == []
