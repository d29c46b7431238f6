"""The fake LiveKit server holds its word towards LiveKit's own client and worker: only then may other tests lean on it."""

from __future__ import annotations

import asyncio
import base64
import random
import sys
import wave
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

import aiohttp
import pytest
from livekit import rtc
from livekit.agents import AgentServer, JobContext, JobExecutorType, JobRequest
from livekit.protocol import rtc as rtc_protocol
from livekit.protocol.agent import JobStatus, WorkerStatus

from gateway.values import Pcm
from tests.peers.livekit_server.audio import FRAME_BYTES, RATE, loud_ms, pitch, read_wav, tone
from tests.peers.livekit_server.entrypoints import SPOKEN, beep, crash, talk_in_clear, talk_in_private
from tests.peers.livekit_server.room import SfuRoom
from tests.peers.livekit_server.server import LiveKitServer, running_worker

WITHIN = 20.0
NOISE = random.Random(7).randbytes(30_000).hex()  # noqa: S311 - the same in every run is the point
"""Text that hardly compresses, so that it goes out in chunks."""
T = TypeVar("T")
Join = Callable[..., AbstractAsyncContextManager[rtc.Room]]


@pytest.fixture
async def server() -> AsyncIterator[LiveKitServer]:
    async with LiveKitServer() as server:
        yield server


@pytest.fixture
def join(server: LiveKitServer) -> Join:
    @asynccontextmanager
    async def joined(identity: str = "ann", room: str = "call", client: rtc.Room | None = None) -> AsyncIterator[rtc.Room]:
        client = client or rtc.Room()
        async with asyncio.timeout(WITHIN):
            await client.connect(server.url, server.token(room, identity))
        try:
            yield client
        finally:
            await client.disconnect()

    return joined


async def soon(waiting: Awaitable[T]) -> T:
    async with asyncio.timeout(WITHIN):
        return await waiting


async def publish(client: rtc.Room) -> rtc.AudioSource:
    source = rtc.AudioSource(RATE, 1)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await soon(client.local_participant.publish_track(rtc.LocalAudioTrack.create_audio_track("microphone", source), options))
    return source


async def say(source: rtc.AudioSource, sound: Pcm) -> None:
    for at in range(0, len(sound.samples), FRAME_BYTES):
        await source.capture_frame(rtc.AudioFrame(sound.samples[at : at + FRAME_BYTES], RATE, 1, FRAME_BYTES // 2))


async def listen(track: rtc.Track, *, ms: float) -> Pcm:
    """Read a track as an agent does, until so much of it was loud."""
    stream, samples = rtc.AudioStream(track, sample_rate=RATE, num_channels=1), bytearray()
    try:
        async with asyncio.timeout(WITHIN):
            async for event in stream:
                samples += bytes(event.frame.data)
                if loud_ms(Pcm(bytes(samples), RATE)) >= ms:
                    break
    finally:
        await stream.aclose()
    return Pcm(bytes(samples), RATE)


def subscriptions(client: rtc.Room) -> asyncio.Queue[tuple[rtc.Track, rtc.RemoteParticipant]]:
    queue: asyncio.Queue[tuple[rtc.Track, rtc.RemoteParticipant]] = asyncio.Queue()
    client.on("track_subscribed", lambda track, _, participant: queue.put_nowait((track, participant)))
    return queue


class TestSfu:
    async def test_it_hears_the_second_of_tone_that_a_client_publishes(self, server: LiveKitServer, join: Join) -> None:
        async with join("ann") as client:
            await say(await publish(client), tone(440, 1.0))
            heard = await (await server.room("call").heard("ann")).until(ms=900)
        assert pitch(heard) == pytest.approx(440, abs=5)
        assert loud_ms(heard) <= 1100

    async def test_a_client_hears_the_caller_who_was_there_first(self, server: LiveKitServer, join: Join) -> None:
        caller = server.room("call").caller()
        client = rtc.Room()
        subscribed = subscriptions(client)
        async with join("ann", client=client):
            track, participant = await soon(subscribed.get())
            heard, _ = await asyncio.gather(listen(track, ms=900), caller.speak(tone(700, 1.0)))
        assert participant.identity == "caller"
        assert pitch(heard) == pytest.approx(700, abs=5)

    async def test_a_client_hears_each_caller_who_joins_later(self, server: LiveKitServer, join: Join) -> None:
        client = rtc.Room()
        subscribed = subscriptions(client)
        async with join("ann", client=client):
            for number, hz in enumerate((500, 600, 800, 900, 1000)):
                caller = server.room("call").caller(f"caller-{number}")
                track, participant = await soon(subscribed.get())
                heard, _ = await asyncio.gather(listen(track, ms=250), caller.speak(tone(hz, 0.4)))
                assert participant.identity == caller.identity
                assert pitch(heard) == pytest.approx(hz, abs=10)

    async def test_two_clients_hear_each_other(self, server: LiveKitServer, join: Join) -> None:
        bob_client = rtc.Room()
        subscribed = subscriptions(bob_client)
        async with join("ann") as ann, join("bob", client=bob_client):
            source = await publish(ann)
            track, participant = await soon(subscribed.get())
            heard, _ = await asyncio.gather(listen(track, ms=700), say(source, tone(330, 1.0)))
        assert participant.identity == "ann"
        assert pitch(heard) == pytest.approx(330, abs=5)

    async def test_a_caller_speaks_a_wav_file_of_telephone_quality(
        self, server: LiveKitServer, join: Join, tmp_path: Path
    ) -> None:
        sound = tone(620, 0.5, rate=8000)
        with wave.open(str(tmp_path / "caller.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(sound.samples)
        caller = server.room("call").caller()
        await caller.speak(read_wav(tmp_path / "caller.wav"))
        heard = await (await server.room("call").heard("caller")).until(ms=450)
        assert pitch(heard) == pytest.approx(620, abs=5)

    async def test_a_caller_from_the_telephone_carries_its_number_and_kind(self, server: LiveKitServer, join: Join) -> None:
        server.room("call").caller("sip_49", phone="+4915112345678", attributes={"sip.h.x-tenant": "acme"})
        async with join("ann") as client:
            seen = client.remote_participants["sip_49"]
            assert seen.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
            assert seen.attributes["sip.phoneNumber"] == "+4915112345678"
            assert seen.attributes["sip.trunkPhoneNumber"] == "+493055500"
            assert seen.attributes["sip.h.x-tenant"] == "acme"

    async def test_keys_that_the_caller_presses_reach_the_client(self, server: LiveKitServer, join: Join) -> None:
        caller = server.room("call").caller(phone="+4915112345678")
        client = rtc.Room()
        digits: asyncio.Queue[str] = asyncio.Queue()
        client.on("sip_dtmf_received", lambda dtmf: digits.put_nowait(dtmf.digit))
        async with join("ann", client=client):
            await soon(server.room("call").can_receive("ann"))
            caller.press("1#")
            assert [await soon(digits.get()), await soon(digits.get())] == ["1", "#"]

    async def test_a_client_learns_that_the_caller_hung_up(self, server: LiveKitServer, join: Join) -> None:
        caller = server.room("call").caller()
        client = rtc.Room()
        gone: asyncio.Queue[str] = asyncio.Queue()
        client.on("participant_disconnected", lambda participant: gone.put_nowait(participant.identity))
        async with join("ann", client=client):
            caller.hang_up()
            assert await soon(gone.get()) == "caller"

    async def test_the_room_knows_when_a_client_left(self, server: LiveKitServer, join: Join) -> None:
        async with join("ann"):
            await server.room("call").member("ann")
        await server.room("call").gone("ann")

    async def test_a_deleted_room_sends_its_clients_away(self, server: LiveKitServer, join: Join) -> None:
        client = rtc.Room()
        away = asyncio.Event()
        client.on("disconnected", lambda _: away.set())
        async with join("ann", client=client):
            server.room("call").close()
            await soon(away.wait())

    async def test_a_client_changes_its_own_attributes(self, server: LiveKitServer, join: Join) -> None:
        async with join("ann") as client:
            await soon(client.local_participant.set_attributes({"lk.agent.state": "listening"}))
            assert server.room("call").members["ann"].info.attributes["lk.agent.state"] == "listening"

    @pytest.mark.parametrize("token", ["", "no.token.atall"], ids=["none", "forged"])
    async def test_nobody_joins_without_a_token_of_the_server(self, server: LiveKitServer, token: str) -> None:
        with pytest.raises(rtc.ConnectError):
            await soon(rtc.Room().connect(server.url, token))
        assert not server.room("call").members


class TestDataLedger:
    async def test_a_silent_client_leaves_it_empty(self, server: LiveKitServer, join: Join) -> None:
        server.room("call").caller()
        async with join("ann") as client:
            await say(await publish(client), tone(440, 0.5))
            await (await server.room("call").heard("ann")).until(ms=300)
        assert server.room("call").data.packets == []

    @pytest.mark.parametrize(
        ("text", "inside"),
        [
            ("the card is 4111111111111111", {"stream_header": 1}),
            ("well, " * 9000 + "the card is 4111111111111111", {"stream_header": 1}),
            (f"{NOISE} the card is 4111111111111111 {NOISE}", {"stream_header": 1, "stream_trailer": 1}),
        ],
        ids=["short", "deflated", "in chunks"],
    )
    async def test_it_finds_a_secret_in_a_text_stream(
        self, server: LiveKitServer, join: Join, text: str, inside: dict[str, int]
    ) -> None:
        data = server.room("call").data
        async with join("ann") as client:
            await soon(client.local_participant.send_text(text, topic="lk.transcription"))
            await data.until(lambda ledger: all(ledger.kinds[kind] == number for kind, number in inside.items()))
        assert [(stream.sender, stream.topic) for stream in data.text_streams] == [("ann", "lk.transcription")]
        assert data.holds("4111111111111111")
        assert not data.holds("4111111111111112")

    async def test_it_finds_a_secret_in_a_packet(self, server: LiveKitServer, join: Join) -> None:
        data = server.room("call").data
        async with join("ann") as client:
            await soon(client.local_participant.publish_data(b"my name is Ada", topic="notes"))
            await data.until(lambda ledger: ledger.kinds == {"user": 1})
        assert data.holds("Ada")
        assert not data.holds("Grace")

    async def test_what_one_client_sends_reaches_the_other(self, server: LiveKitServer, join: Join) -> None:
        client = rtc.Room()
        got: asyncio.Queue[rtc.DataPacket] = asyncio.Queue()
        client.on("data_received", got.put_nowait)
        async with join("ann") as ann, join("bob", client=client):
            await soon(server.room("call").can_receive("bob"))
            await soon(ann.local_participant.publish_data(b"hello", topic="notes"))
            packet = await soon(got.get())
        assert packet.data == b"hello"
        assert packet.participant is not None
        assert packet.participant.identity == "ann"


class TestWorker:
    async def test_it_registers_under_its_name(self, server: LiveKitServer) -> None:
        worker = AgentServer()
        worker.rtc_session(beep, agent_name="receptionist")
        async with running_worker(server, worker):
            registration = await server.agents.registered()
            assert registration.agent_name == "receptionist"
            assert registration.allowed_permissions.agent

    @pytest.mark.parametrize("executor", [JobExecutorType.THREAD, JobExecutorType.PROCESS], ids=["thread", "process"])
    async def test_a_job_joins_the_room_and_speaks_until_it_is_taken_back(
        self, server: LiveKitServer, executor: JobExecutorType
    ) -> None:
        room = server.room("call")
        room.caller(phone="+4915112345678")
        worker = AgentServer()
        worker.rtc_session(beep)
        async with running_worker(server, worker, executor=executor):
            job = await server.agents.dispatch(room, metadata="tenant=acme")
            assert job.accepted
            heard = await (await room.heard(job.identity)).until(ms=900)
            agent = await room.member(job.identity)
            assert pitch(heard) == pytest.approx(880, abs=5)
            assert agent.info.kind == agent.info.Kind.AGENT
            assert agent.info.attributes["heard.phone"] == "+4915112345678"
            await server.agents.terminate(job)
            assert await server.agents.ended(job) == JobStatus.JS_SUCCESS
            await room.gone(job.identity)

    async def test_an_entrypoint_sees_the_job_as_it_was_dispatched(self, server: LiveKitServer) -> None:
        seen: list[tuple[str, str, str]] = []

        async def look(ctx: JobContext) -> None:
            await ctx.connect()
            seen.append((ctx.job.room.name, ctx.job.metadata, ctx.room.local_participant.identity))
            ctx.shutdown("seen")

        worker = AgentServer()
        worker.rtc_session(look)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(server.room("call"), metadata="tenant=acme")
            await server.agents.ended(job)
        assert seen == [("call", "tenant=acme", job.identity)]

    async def test_the_room_that_is_deleted_ends_the_job(self, server: LiveKitServer) -> None:
        room = server.room("call")
        room.caller()
        worker = AgentServer()
        worker.rtc_session(beep)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(room)
            await (await room.heard(job.identity)).until(ms=900)
            room.close()
            assert await server.agents.ended(job) == JobStatus.JS_SUCCESS

    async def test_a_worker_may_refuse_a_job(self, server: LiveKitServer) -> None:
        async def refuse(request: JobRequest) -> None:
            await request.reject()

        worker = AgentServer()
        worker.rtc_session(beep, on_request=refuse)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(server.room("call"))
        assert not job.accepted
        assert job.statuses == []

    async def test_a_job_that_crashes_never_joins(self, server: LiveKitServer) -> None:
        worker = AgentServer()
        worker.rtc_session(crash)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(server.room("call"))
            await server.agents.ended(job)
        assert not server.room("call").members
        assert not server.room("call").left

    async def test_it_says_that_it_is_free(self, server: LiveKitServer) -> None:
        worker = AgentServer()
        worker.rtc_session(beep)
        async with running_worker(server, worker):
            await server.agents.until(lambda agents: agents.worker_status is not None)
            assert server.agents.worker_status is not None
            assert server.agents.worker_status.status == WorkerStatus.WS_AVAILABLE

    async def test_an_agent_session_speaks_in_the_room_and_its_text_is_in_the_ledger(self, server: LiveKitServer) -> None:
        room = await self._after_talk(server, talk_in_clear)
        assert room.data.holds(SPOKEN)
        assert "lk.transcription" in {stream.topic for stream in room.data.text_streams}

    async def test_an_agent_session_without_text_leaves_nothing_on_the_data_channel(self, server: LiveKitServer) -> None:
        room = await self._after_talk(server, talk_in_private)
        assert room.data.packets == []

    async def _after_talk(self, server: LiveKitServer, entrypoint: Callable[[JobContext], Awaitable[None]]) -> SfuRoom:
        room = server.room("call")
        caller = room.caller(phone="+4915112345678")
        worker = AgentServer()
        worker.rtc_session(entrypoint)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(room)
            heard = await (await room.heard(job.identity)).until(ms=900)
            assert pitch(heard) == pytest.approx(880, abs=5)
            caller.hang_up()
            await server.agents.terminate(job)
            await server.agents.ended(job)
        return room

    async def test_an_agent_transfers_the_caller_and_deletes_the_room(self, server: LiveKitServer) -> None:
        async def transfer(ctx: JobContext) -> None:
            await ctx.connect()
            caller = await ctx.wait_for_participant()
            await ctx.transfer_sip_participant(caller, "tel:+4930112")
            await ctx.delete_room()

        room = server.room("call")
        caller = room.caller(phone="+4915112345678")
        worker = AgentServer()
        worker.rtc_session(transfer)
        async with running_worker(server, worker):
            job = await server.agents.dispatch(room)
            await server.agents.ended(job)
        assert [(t.participant_identity, t.transfer_to) for t in server.api.transfers] == [(caller.identity, "tel:+4930112")]
        assert not room.members

    @pytest.mark.parametrize(("asked", "seen"), [("recording", "uploaded"), ("no-recording", "kept")])
    async def test_it_sees_that_a_worker_uploads_its_logs_when_the_server_wishes_a_recording(self, asked: str, seen: str) -> None:
        """Also without any session, whose ``record=False`` would stop it: a worker of ours must refuse such jobs."""
        alone = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.peers.livekit_server.uploads", asked, stdout=PIPE, stderr=PIPE
        )
        printed, complaints = await asyncio.wait_for(alone.communicate(), 60)
        assert printed.decode().split() == [seen], complaints.decode()


class TestFaults:
    async def test_a_fault_inside_the_server_fails_the_test_that_uses_it(self) -> None:
        with pytest.raises(ExceptionGroup, match="fake LiveKit server"):
            await self._send_nonsense()

    async def _send_nonsense(self) -> None:
        nothing = base64.urlsafe_b64encode(rtc_protocol.WrappedJoinRequest().SerializeToString()).decode()
        async with LiveKitServer() as server, aiohttp.ClientSession() as http:
            headers = {"Authorization": f"Bearer {server.token('call', 'ann')}"}
            query = {"join_request": nothing}
            async with http.ws_connect(f"{server.url}/rtc/v1", headers=headers, params=query) as socket:
                await socket.send_bytes(b"not a SignalRequest")
                while not socket.closed:
                    await soon(socket.receive())
