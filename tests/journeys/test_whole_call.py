"""The journey that everything else serves: a real voice goes in, an answer comes out, and no private word goes further."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np
import pytest
import pytest_asyncio

from gateway.adapters.speech import inside
from gateway.audio import read_wav, resample
from gateway.caller.call import Caller, Heard
from gateway.caller.timeline import Kind
from gateway.evidence.receipt import Receipt
from gateway.values import Pcm
from tests.journeys.house import ANNOUNCEMENTS, House, kinds, living_in, speech, text_of

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PRIVATE = (
    "jonathan",
    "miller",
    "oak street",
    "springfield",
    "john dot smith",
    "example dot com",
    "four, five, three",
    "five, five, five",
)
TURNS = ("name-and-address", "card-number", "phone-number", "email-address")


@dataclass(slots=True)
class Lived:
    """A call that was lived through once; each test looks at one side of it."""

    house: House
    caller: Caller
    announcement: Heard
    greeting: Heard
    answers: list[Heard]
    receipt: Receipt


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def call(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lived]:
    """The demo's call: its tenant, its announcement, its four turns of real audio."""
    async with living_in(tmp_path_factory.mktemp("whole-call")) as house:
        async with house.dial() as caller:
            announcement = await caller.announcement_over()
            greeting = await caller.listen(until_silent_ms=900)
            answers = []
            for name in TURNS:
                await caller.say(speech(name))
                answers.append(await caller.listen(until_silent_ms=1_200, timeout_s=30))
        yield Lived(house, caller, announcement, greeting, answers, await house.receipt())


async def test_the_caller_hears_the_announcement_whole_before_anything_else(call: Lived) -> None:
    played = resample(read_wav(ANNOUNCEMENTS / "ai-and-privacy.en.wav"), 8_000)
    # The recording begins and ends with silence, which the caller's side does not count as heard.
    assert call.announcement.pcm.ms >= played.ms - 1_000
    assert likeness(call.announcement.pcm, played) > 0.95


async def test_nothing_was_listened_to_before_the_carrier_acknowledged_the_announcement(call: Lived) -> None:
    order = kinds(call.receipt)
    assert order.index("announcement.played") < order.index("listening.started") < order.index("hop")
    proof = call.receipt.document["announcements"][0]  # type: ignore[index]
    assert isinstance(proof, dict)
    assert proof["acknowledged"] == "mark"
    assert proof["played_ms"] == proof["total_ms"]


async def test_the_model_received_placeholders_and_no_private_word(call: Lived) -> None:
    bodies = call.house.model_bodies()
    for placeholder in ("<PERSON_1>", "<CREDIT_CARD_1>", "<PHONE_NUMBER_1>", "<EMAIL_ADDRESS_1>"):
        assert placeholder in bodies
    assert [private for private in PRIVATE if private in bodies.lower()] == []


async def test_the_caller_heard_the_real_values_again(call: Lived) -> None:
    """Checked on the audio that reached the telephone, by a recogniser of the test's own."""
    heard = [(await understood(answer.pcm)).lower() for answer in call.answers]
    assert "miller" in heard[0]
    assert "card" in heard[1]
    assert "five" in heard[2].replace("5", " five ")
    assert "smith" in heard[3]
    assert not any("person" in text or "underscore" in text for text in heard)


async def test_the_agents_tool_gave_its_result_back_masked(call: Lived) -> None:
    assert "A confirmation to <EMAIL_ADDRESS_1> is on its way." in call.house.model_bodies()


async def test_every_hop_has_its_grant_and_the_refused_processors_their_reasons(call: Lived) -> None:
    hops = [entry.draft.body["grant"] for entry in call.receipt.entries if entry.draft.kind == "hop"]
    assert {grant["processor"] for grant in hops} == {"local-moonshine", "local-hibari", "local-demo-llm"}  # type: ignore[index,call-overload]
    assert {grant["region"] for grant in hops} == {"local"}  # type: ignore[index,call-overload]
    assert "its region us is not in the tenant's regions" in text_of(call.receipt)


async def test_the_receipt_verifies_says_completed_and_holds_no_private_word(call: Lived) -> None:
    assert (call.receipt.outcome, call.receipt.durability) == ("completed", "fsync")
    masked = call.receipt.document["masked"]
    assert {"PERSON", "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS"} <= set(masked)  # type: ignore[arg-type]
    assert [private for private in PRIVATE if private in text_of(call.receipt).lower()] == []


async def test_after_the_call_its_values_and_its_key_are_gone_from_the_store(call: Lived) -> None:
    async with call.house.gateway.store.answers() as client:
        keys = [key async for key in client.scan_iter("sordino:*vault*")]
    assert keys == []


async def test_the_caller_was_answered_in_every_turn(call: Lived) -> None:
    assert len(call.caller.timeline.all(Kind.FIRST_ANSWER)) == len(TURNS)
    assert not call.caller.faults


def likeness(heard: Pcm, played: Pcm) -> float:
    """The best normalised correlation of what was heard with what was to be played (1: the same)."""
    one = np.frombuffer(heard.samples, dtype=np.int16).astype(np.float64)
    two = np.frombuffer(played.samples, dtype=np.int16).astype(np.float64)
    size = 1 << (len(one) + len(two)).bit_length()
    found = np.fft.irfft(np.fft.rfft(one, size) * np.conj(np.fft.rfft(two, size)), size)
    return float(np.max(found) / np.sqrt(np.dot(one, one) * np.dot(two, two)))


async def understood(pcm: Pcm) -> str:
    return await asyncio.to_thread(inside.transcribe, pcm.samples, pcm.rate)


async def test_the_likeness_of_other_audio_is_low() -> None:
    """So that the first test can fail."""
    played = resample(read_wav(ANNOUNCEMENTS / "ai-and-privacy.en.wav"), 8_000)
    other = resample(read_wav(ANNOUNCEMENTS / "recording-and-ai.en.wav"), 8_000)
    assert likeness(other, played) < 0.5
