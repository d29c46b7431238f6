"""A caller in a LiveKit room gets the same conversation as one on the telephone, and the room learns nothing of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from livekit.agents import AgentServer, JobExecutorType
from livekit.agents import job as livekit_job
from livekit.protocol.agent import JobStatus

from agents import worker
from gateway.adapters.conversation import room as rooms
from gateway.adapters.keys.files import read_or_create_key
from gateway.adapters.speech import inside
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.demo.model_process import ScriptedModel
from gateway.errors import Misconfigured, PolicyInvalid
from gateway.evidence.receipt import Receipt
from gateway.settings import Settings
from gateway.values import Pcm
from tests.agents.farewell import Farewell
from tests.agents.policies import BODY_HZ, CALLED, END_HZ, FIRST_MS, LAST_MS, PHONE, SEALED, policies_in, receipts_in
from tests.journeys.house import kinds, speech, text_of
from tests.peers.livekit_server.audio import Heard, loud_ms, pitch
from tests.peers.livekit_server.room import FakeCaller, SfuRoom
from tests.peers.livekit_server.server import LiveKitServer, running_worker
from tests.peers.livekit_server.sfu import SignalSession

# livekit 1.1.21: its native and its Python side may both release a track's handle, and who is second complains.
TWICE_RELEASED = "ignore:Exception ignored in. <function FfiHandle.__del__:pytest.PytestUnraisableExceptionWarning"
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings(TWICE_RELEASED),
]


@dataclass(slots=True)
class House:
    """What a test of the worker has at hand."""

    server: LiveKitServer
    worker: AgentServer
    settings: Settings
    model_record: Path

    def receipts(self) -> list[Receipt]:
        """Every receipt so far, oldest first, each verified with the gateway's public key."""
        return receipts_in(self.settings.data)

    def model_bodies(self) -> str:
        return self.model_record.read_text(encoding="utf-8") if self.model_record.exists() else ""


@dataclass(slots=True)
class Subscriptions:
    """Each wish for a track that a client had, with how much it had said in the room by then."""

    wishes: list[tuple[set[str], Pcm]] = field(default_factory=list)

    def watch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        subscribe = SignalSession._subscribe

        def watched(session: SignalSession, wish: object) -> None:
            before = set(session._subscribed)
            subscribe(session, wish)  # type: ignore[arg-type]
            said = next(iter(session._member.heard.values()), None)
            self.wishes.append((session._subscribed - before, said.pcm if said else Pcm(b"", 48_000)))

        monkeypatch.setattr(SignalSession, "_subscribe", watched)


@pytest.fixture(scope="module")
def settings(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("worker")
    key = folder / "master.key"
    read_or_create_key(key)
    return Settings(data=folder / "data", policies=policies_in(folder), redis_url=valkey.url, master_key_file=key)


@asynccontextmanager
async def living(settings: Settings, record: Path, executor: JobExecutorType = JobExecutorType.THREAD) -> AsyncIterator[House]:
    """A LiveKit server that would take any upload, as LiveKit's cloud does, a worker at it, and the scripted model."""
    async with ScriptedModel(record=record) as model, LiveKitServer() as server:
        settings = replace(settings, demo_llm=model.url)
        built = worker.build(settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(livekit_job, "_observability_url", lambda _: server.http_url)
            async with running_worker(server, built, executor=executor):
                yield House(server, built, settings, record)
            assert server.uploads == [], "not even when the jobs' processes and exporters were closed"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async with living(settings, tmp_path_factory.mktemp("model") / "model.jsonl") as house:
        yield house


# --- one call, lived through once ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Lived:
    house: House
    room: SfuRoom
    caller: FakeCaller
    second: FakeCaller
    heard: Heard
    answer: str
    wishes: list[tuple[set[str], Pcm]]
    receipt: Receipt
    agent: SignalSession
    """Our own client, as the server sees it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(house: House) -> AsyncIterator[Lived]:
    """A telephone caller speaks over the announcement; another joins into the greeting; a name is said and answered."""
    room, wishes = house.server.room("whole"), Subscriptions()
    caller = room.caller(phone=PHONE, trunk_phone=CALLED)
    with pytest.MonkeyPatch.context() as patch:
        wishes.watch(patch)
        patch.setattr(rooms, "SETTLED_AFTER_S", 0.1)
        job = await house.server.agents.dispatch(room)
        heard = await room.heard(job.identity)
        await caller.speak(speech("yes-correct"))
        await heard.until(ms=FIRST_MS + LAST_MS + 600, within=60)
        second = room.caller("second")
        await room.until(lambda: len(wishes.wishes) > 1, within=60)
        await caller.speak(speech("name-and-address"))
        answer = await answered(house, heard)
        caller.hang_up()
        assert await house.server.agents.ended(job) == JobStatus.JS_SUCCESS
    agent = room.left[job.identity].client
    assert isinstance(agent, SignalSession)
    yield Lived(house, room, caller, second, heard, answer, wishes.wishes, house.receipts()[-1], agent)


async def silence(heard: Heard, ms: float = 900, within: float = 60.0) -> None:
    """Until nothing was said for so long."""
    async with asyncio.timeout(within):
        while loud_ms(heard.since(heard.pcm.ms - ms)) > 0:
            await heard.until(ms=heard.pcm.ms + 100, loud=False)


async def answered(house: House, heard: Heard, within: float = 90.0) -> str:
    """The words that were said after the model was asked, to the end: to the first silence in which they make an answer."""
    async with asyncio.timeout(within):
        while not house.model_bodies():
            await heard.until(ms=heard.pcm.ms + 100, loud=False)
        asked_ms, said = heard.pcm.ms, ""
        while "card number" not in said:
            await heard.until(ms=heard.pcm.ms + 500, loud=False)
            await silence(heard)
            answer = heard.since(asked_ms)
            said = (await asyncio.to_thread(inside.transcribe, answer.samples, answer.rate)).lower()
    return said


async def test_the_announcement_is_heard_in_the_room_to_its_end_before_the_caller_is_subscribed(call: Lived) -> None:
    assert not call.agent._auto_subscribe
    tracks, said = call.wishes[0]
    assert tracks == set(call.caller.member.media)
    assert loud_ms(said) >= FIRST_MS + LAST_MS - 40
    announced = trimmed(said)
    assert pitch(part(announced, 0, FIRST_MS - 100)) == pytest.approx(BODY_HZ, abs=10)
    assert pitch(part(announced, FIRST_MS + 50, FIRST_MS + LAST_MS - 50)) == pytest.approx(END_HZ, abs=10)


async def test_a_callers_real_voice_is_answered_aloud(call: Lived) -> None:
    """And by name: what the model saw as a placeholder is spoken as the caller said it."""
    assert "card number" in call.answer
    assert "jonathan" in call.answer


async def test_the_receipt_says_that_the_gate_was_kept_and_that_playout_is_our_own_word(call: Lived) -> None:
    told: Any = call.receipt.document
    assert (call.receipt.outcome, told["carrier"], told["gate"]) == ("completed", "livekit", "kept")
    assert [(each["acknowledged"], each["proven"]) for each in told["announcements"]] == [("playout", True)] * 2


async def test_no_frame_of_the_caller_had_to_be_dropped_because_none_was_asked_for(call: Lived) -> None:
    """The caller spoke over the announcement."""
    assert call.receipt.document["frames_dropped_before_listening"] == 0
    assert "correct" not in call.house.model_bodies().lower()


async def test_who_joins_later_hears_the_announcement_to_its_end_before_they_are_subscribed(call: Lived) -> None:
    """And the receipt says that somebody joined, was told, and that the call went on."""
    assert [tracks for tracks, _ in call.wishes] == [set(each.member.media) for each in (call.caller, call.second)]
    _, said = call.wishes[1]
    last = trimmed(backwards(said))
    assert pitch(part(last, 0, LAST_MS - 150)) == pytest.approx(END_HZ, abs=10)
    assert pitch(part(last, LAST_MS + 50, LAST_MS + FIRST_MS - 300)) == pytest.approx(BODY_HZ, abs=10)
    told = kinds(call.receipt)
    joined = told.index("participant.joined")
    assert told[joined + 1 : joined + 3] == ["announcement.played", "listening.resumed"]


async def test_nothing_was_written_to_the_rooms_data_channel(call: Lived) -> None:
    assert call.room.data.packets == []
    assert call.room.data.streams == []


async def test_nothing_was_uploaded_although_the_server_would_have_taken_it(call: Lived) -> None:
    assert call.house.server.uploads == []


async def test_the_spoken_name_reached_the_model_masked_and_nobody_else(call: Lived) -> None:
    bodies = call.house.model_bodies()
    assert "<PERSON_1>" in bodies
    for place in (bodies, text_of(call.receipt), json.dumps(list(call.house.server.agents.jobs))):
        assert "jonathan" not in place.lower()
        assert PHONE not in place


def trimmed(sound: Pcm) -> Pcm:
    """From its first loud sample on."""
    samples = memoryview(sound.samples).cast("h")
    first = next(at for at, value in enumerate(samples) if abs(value) > 3_000)
    return Pcm(sound.samples[first * 2 :], sound.rate)


def backwards(sound: Pcm) -> Pcm:
    return Pcm(memoryview(sound.samples).cast("h")[::-1].tobytes(), sound.rate)


def part(sound: Pcm, from_ms: int, to_ms: int) -> Pcm:
    at = [ms * sound.rate // 1000 * 2 for ms in (from_ms, to_ms)]
    return Pcm(sound.samples[at[0] : at[1]], sound.rate)


# --- calls that end otherwise ---------------------------------------------------------------------------------------------


async def test_a_caller_who_hangs_up_during_the_announcement_was_never_listened_to(house: House) -> None:
    room = house.server.room("early")
    caller = room.caller(phone=PHONE, trunk_phone=CALLED)
    job = await house.server.agents.dispatch(room)
    await (await room.heard(job.identity)).until(ms=300)
    caller.hang_up()
    await house.server.agents.ended(job)
    receipt = house.receipts()[-1]
    assert receipt.outcome == "never_listened"
    assert kinds(receipt) == ["call.started", "announcement.unproven", "call.ended"]
    assert '"acknowledged": "none"' in text_of(receipt)


async def test_a_browser_is_served_for_the_tenant_that_the_job_names_and_sent_away_when_the_agent_ends_the_call(
    house: House,
) -> None:
    room = house.server.room("browser")
    caller = room.caller()
    job = await house.server.agents.dispatch(room, metadata='{"tenant": "bye"}')
    assert job.accepted
    await house.server.agents.ended(job, within=40)
    receipt = house.receipts()[-1]
    assert (receipt.tenant, receipt.outcome) == ("bye", "completed")
    assert caller.identity in room.left
    assert room.data.packets == []
    assert Farewell.jobs_seen[-1] is None, "livekit's session must not find a job to report on"


async def test_a_caller_without_the_key_of_an_encrypted_room_gets_an_apology_and_a_receipt_with_the_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROOM_KEY", "the shop's own words")
    room = house.server.room("sealed")
    caller = room.caller()
    job = await house.server.agents.dispatch(room, metadata='{"tenant": "sealed"}')
    await house.server.agents.ended(job, within=60)
    receipt = house.receipts()[-1]
    assert (receipt.tenant, receipt.outcome) == ("sealed", "failed")
    assert '"code": "policy_refused"' in text_of(receipt)
    assert caller.identity in room.left
    assert room.left[job.identity].media == {}, "not a word of ours was sent in the clear"


async def test_a_room_that_should_be_encrypted_and_is_known_too_late_is_not_served(house: House) -> None:
    """The number is known when the room was joined, and then it is too late for a key."""
    room, before = house.server.room("late"), len(house.receipts())
    room.caller(phone=PHONE, trunk_phone=SEALED)
    job = await house.server.agents.dispatch(room)
    await house.server.agents.ended(job)
    assert len(house.receipts()) == before


# --- jobs that are refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "recording"),
    [("", True), ('{"tenant": "demo"}', True), ('{"tenant": "nobody"}', False)],
    ids=["a recording is wished for", "also for a known tenant", "an unknown tenant"],
)
async def test_a_job_is_refused_before_the_worker_joins_the_room(house: House, metadata: str, recording: bool) -> None:
    room = house.server.room("refused")
    job = await house.server.agents.dispatch(room, metadata=metadata, enable_recording=recording)
    assert not job.accepted
    assert not room.members
    assert house.server.uploads == []


STRANGERS = {
    "a number that belongs to no tenant": {"phone": PHONE, "trunk_phone": "+15559999"},
    "a browser that claims a tenant's number": {"attributes": {"sip.trunkPhoneNumber": CALLED}},
}


@pytest.mark.parametrize("who", STRANGERS.values(), ids=STRANGERS.keys())
async def test_a_call_that_is_nobodys_is_not_announced_not_heard_and_not_on_record(house: House, who: dict[str, object]) -> None:
    room, before = house.server.room(f"stranger-{len(who)}"), len(house.receipts())
    room.caller(**who)  # type: ignore[arg-type]
    job = await house.server.agents.dispatch(room)
    await house.server.agents.ended(job)
    await room.gone(job.identity)
    assert not room.left[job.identity].heard
    assert len(house.receipts()) == before


async def test_a_job_and_a_number_of_two_tenants_are_no_call(house: House) -> None:
    """One tenant's metadata on another one's line is a mistake that must not move data between them."""
    room, before = house.server.room("crossed"), len(house.receipts())
    room.caller(phone=PHONE, trunk_phone=CALLED)
    job = await house.server.agents.dispatch(room, metadata='{"tenant": "bye"}')
    await house.server.agents.ended(job)
    assert len(house.receipts()) == before


# --- set up wrongly --------------------------------------------------------------------------------------------------------


async def test_a_worker_without_a_shared_store_says_what_to_set(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="SORDINO_REDIS_URL"):
        worker.build(replace(settings, redis_url=None))


async def test_a_worker_under_livekits_telemetry_does_not_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_OBSERVABILITY_URL", "http://127.0.0.1:9")
    with pytest.raises(Misconfigured, match="unset LIVEKIT_OBSERVABILITY_URL"):
        worker.build(settings)


async def test_a_worker_for_a_tenant_that_does_not_exist_does_not_start(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="no tenant 'nobody'"):
        worker.build(settings, tenant="nobody")


async def test_a_worker_with_faulty_policies_names_the_place(settings: Settings, tmp_path: Path) -> None:
    policies = policies_in(tmp_path)
    (policies / "tenants" / "bad.yaml").write_text("tenant: bad\nregion: [eu]\n", encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=r"bad\.yaml:2:1"):
        worker.build(replace(settings, policies=policies))
