"""A room whose media LiveKit's server cannot hear: who has the tenant's key is heard, who has not is not, and the call says so.

Real clients on both sides encrypt and decrypt; the server in between passes their packets on as they are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from livekit import rtc

from gateway.adapters.conversation import room as rooms
from gateway.adapters.conversation.encryption import room_encryption
from gateway.adapters.conversation.room import RoomLeg, wait_for_caller
from gateway.call.events import ParticipantJoined
from gateway.errors import PolicyRefused
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private
from tests.agents.line import TWICE_RELEASED, Line
from tests.peers.livekit_server.audio import FRAME_BYTES, RATE, loud_ms, tone
from tests.peers.livekit_server.room import FakeCaller
from tests.peers.livekit_server.server import LiveKitServer

pytestmark = pytest.mark.filterwarnings(TWICE_RELEASED)
KEY, OTHER = Private("the shop's own words"), Private("somebody else's")


@dataclass(slots=True)
class Person:
    """A real client with a microphone, a key of its own or none, and ears."""

    room: rtc.Room = field(default_factory=rtc.Room)
    microphone: rtc.AudioSource = field(default_factory=lambda: rtc.AudioSource(RATE, 1))

    async def speak(self, sound: Pcm) -> None:
        for at in range(0, len(sound.samples), FRAME_BYTES):
            await self.microphone.capture_frame(rtc.AudioFrame(sound.samples[at : at + FRAME_BYTES], RATE, 1, FRAME_BYTES // 2))


@asynccontextmanager
async def person(server: LiveKitServer, identity: str, key: Private[str] | None) -> AsyncIterator[Person]:
    someone = Person()
    options = rtc.RoomOptions(encryption=room_encryption(key) if key else None)
    await someone.room.connect(server.url, server.token("call", identity), options)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", someone.microphone)
    how = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await someone.room.local_participant.publish_track(track, how)
    try:
        yield someone
    finally:
        await someone.room.disconnect()
        await someone.microphone.aclose()


@asynccontextmanager
async def our_leg(server: LiveKitServer) -> AsyncIterator[Line]:
    """Our side, with the tenant's key, already listening."""
    client = rtc.Room()
    await client.connect(
        server.url, server.token("call", "agent"), rtc.RoomOptions(auto_subscribe=False, encryption=room_encryption(KEY))
    )
    leg = RoomLeg(client, await wait_for_caller(client, within_s=20), each_asked=False, encrypted=True)
    line = Line(leg, server.room("call"), FakeCaller.__new__(FakeCaller))
    failures: list[BaseException] = []
    async with TaskOwner("test", on_failure=lambda _, error: failures.append(error)) as tasks:
        await leg.open()
        tasks.start(line.follow(), name="follow")
        await leg.admit(0, to_answer=False)
        await leg.listen()
        yield line
        await leg.close()
    assert failures == []


@pytest.fixture
async def server() -> AsyncIterator[LiveKitServer]:
    async with LiveKitServer() as server:
        yield server


def at_pitch(sound: Pcm, hz: float, within_hz: float = 60) -> float:
    """How much of a sound is at a pitch: nearly all of a tone, also with gaps in it; little of noise; nothing of silence."""
    if not sound.samples:
        return 0.0
    power = np.abs(np.fft.rfft(np.frombuffer(sound.samples, "<i2").astype(float))) ** 2
    at = np.fft.rfftfreq(len(sound.samples) // 2, 1 / sound.rate)
    return float(power[np.abs(at - hz) < within_hz].sum() / max(power.sum(), 1.0))


@asynccontextmanager
async def speaking(someone: Person, hz: float) -> AsyncIterator[None]:
    """For as long as it takes."""
    async with TaskOwner("speaking", on_failure=_ignored) as tasks:
        tasks.start(someone.speak(tone(hz, 60.0)), name="speak")
        yield


async def test_who_has_the_key_is_heard_and_hears_and_the_server_does_not(server: LiveKitServer) -> None:
    async with person(server, "caller", KEY) as caller, our_leg(server) as line, speaking(caller, 440):
        await line.until(lambda: loud_ms(line.heard) > 700)
        assert at_pitch(line.heard, 440) > 0.5
        assert line.room.members["agent"].media == {}, "our voice is encrypted as well"
        assert line.room.members["agent"].sealed
        assert line.refused is None


@pytest.mark.parametrize("key", [OTHER, None], ids=["another key", "no key at all"])
async def test_a_caller_without_the_key_ends_the_call_and_nothing_of_them_was_heard(
    server: LiveKitServer, key: Private[str] | None
) -> None:
    async with person(server, "caller", key) as caller, our_leg(server) as line, speaking(caller, 440):
        await line.until(lambda: line.refused is not None)
        assert isinstance(line.refused, PolicyRefused)
        assert "not encrypted with the room's key" in str(line.refused)
        # What a wrong key makes of speech is a short noise; by chance some of it lies near any pitch, little right at it.
        assert at_pitch(line.heard, 440, within_hz=15) < 0.4


async def test_another_without_the_key_is_left_out_and_the_call_goes_on(
    server: LiveKitServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "SETTLED_AFTER_S", 0.01)
    async with person(server, "caller", KEY) as caller, our_leg(server) as line:
        async with person(server, "second", None) as second, speaking(second, 900):
            await line.until(lambda: bool(line.of(ParticipantJoined)))
            await line.leg.admit(1, to_answer=False)
            async with speaking(caller, 440):
                await line.until(lambda: loud_ms(line.heard) > 700)
        assert at_pitch(line.heard, 440) > 0.5
        assert line.subscribed == set(line.room.members["caller"].sealed)
        assert line.refused is None


def test_the_key_is_the_tenants_secret_and_the_rest_is_what_livekits_clients_do() -> None:
    options = room_encryption(KEY)
    theirs = rtc.KeyProviderOptions(shared_key=KEY.reveal().encode())
    ours = options.key_provider_options
    theirs = replace(theirs, failure_tolerance=ours.failure_tolerance, ratchet_window_size=ours.ratchet_window_size)
    assert ours == theirs
    assert options.encryption_type == rtc.EncryptionType.GCM


def _ignored(_name: str, _failure: BaseException) -> None:
    """Who speaks is cut off at the end."""
