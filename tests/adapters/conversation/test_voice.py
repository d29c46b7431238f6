"""The voice puts the caller's own words back at the last moment, speaks sentence by sentence, and fails closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.agents import APIError, tts

from gateway.adapters.conversation.voice import GuardedTTS
from gateway.errors import SordinoError, UpstreamFailed, UpstreamTimeout
from gateway.values import Private
from tests.adapters.conversation.call import NAME, SPEAK, Call
from tests.adapters.conversation.processors import Mouth

ANSWER = "Thank you, <PERSON_1>. I have put that into the book. Shall I call <PHONE_NUMBER_1> if the doctor is late? Good bye!"
SPOKEN = f"Thank you, {NAME}. I have put that into the book. Shall I call 4915112345678 if the doctor is late? Good bye!"


async def call_with_a_caller() -> Call:
    """A call in which the caller has given a name and a number."""
    call = Call()
    await call.turns.next_turn().mask(Private(f"I am {NAME}, my number is 4915112345678"))
    return call


async def heard(stream: tts.SynthesizeStream) -> list[tts.SynthesizedAudio]:
    async with asyncio.timeout(5):
        return [audio async for audio in stream]


async def say(call: Call, mouth: Mouth, pieces: Sequence[str]) -> list[tts.SynthesizedAudio]:
    async with GuardedTTS(mouth, SPEAK, call.turns, language="en").stream() as stream:
        for piece in pieces:
            stream.push_text(piece)
        stream.end_input()
        return await heard(stream)


async def test_the_caller_hears_his_own_words_and_livekit_sees_placeholders() -> None:
    call, mouth = await call_with_a_caller(), Mouth()
    audio = await say(call, mouth, [ANSWER])
    assert mouth.words == SPOKEN
    assert NAME not in repr(audio)
    assert call.turns.last_said == ANSWER
    assert {grant.id for grant in mouth.grants} == {SPEAK.id}
    assert call.codes == []


async def test_all_that_was_spoken_is_passed_on_at_the_voices_rate() -> None:
    call, mouth = await call_with_a_caller(), Mouth()
    audio = await say(call, mouth, [ANSWER])
    assert {(each.frame.sample_rate, each.frame.num_channels) for each in audio} == {(24_000, 1)}
    assert sum(each.frame.samples_per_channel for each in audio) == 960 * len(mouth.said)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 20), min_size=1, max_size=60))
def test_what_is_spoken_does_not_depend_on_how_the_answer_was_cut(cuts: list[int]) -> None:
    """A model may cut its answer anywhere, in the middle of a placeholder too."""

    async def speak() -> str:
        call, mouth, at, pieces = await call_with_a_caller(), Mouth(), 0, []
        for size in cuts:
            pieces.append(ANSWER[at : at + size])
            at += size
        await say(call, mouth, [piece for piece in (*pieces, ANSWER[at:]) if piece])
        return mouth.words

    assert asyncio.run(speak()) == SPOKEN


async def test_the_first_sentence_is_spoken_before_the_answer_has_ended() -> None:
    call, mouth = await call_with_a_caller(), Mouth()
    async with GuardedTTS(mouth, SPEAK, call.turns, language="en").stream() as stream, asyncio.timeout(5):
        stream.push_text("Thank you very much, <PERSON_1>. I am looking into the book for you")
        await mouth.changed.wait()
        assert mouth.words == f"Thank you very much, {NAME}."
        assert (await stream.__anext__()).frame.samples_per_channel
        stream.push_text(" now.")
        stream.end_input()
        await heard(stream)
    assert mouth.words == f"Thank you very much, {NAME}. I am looking into the book for you now."


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Is that <PERSON_7>, the other one?", "Is that your name, the other one?"),
        ("Please say <CREDIT_CARD> again.", "Please say your card number again."),
        ("So it is **<PERSON_1>** then?", f"So it is **{NAME}** then?"),
        ("Is 3 < 4 and 5 > 4?", "Is 3 < 4 and 5 > 4?"),
    ],
    ids=["never given out", "not kept", "in bold", "no placeholder"],
)
async def test_no_raw_placeholder_is_ever_spoken(written: str, spoken: str) -> None:
    """What cannot be restored is said as its kind."""
    call, mouth = await call_with_a_caller(), Mouth()
    await say(call, mouth, [written])
    assert mouth.words == spoken


async def test_the_value_is_the_callers_own() -> None:
    """Another call's placeholder of the same name is another person's."""
    call, other = await call_with_a_caller(), Call()
    await other.turns.next_turn().mask(Private("I am Ada Lovelace"))
    mouth = Mouth()
    await say(other, mouth, ["Hello <PERSON_1>, how can I help you today?"])
    assert mouth.words == "Hello Ada Lovelace, how can I help you today?"
    assert call.codes == other.codes == []


@pytest.mark.parametrize("error", [UpstreamFailed("broken"), UpstreamTimeout("slow")])
@pytest.mark.parametrize("at", [1, 3])
async def test_a_voice_that_fails_ends_the_speech_and_the_call_is_told(error: SordinoError, at: int) -> None:
    """Nothing after it is spoken, and livekit sees a code."""
    call, mouth = await call_with_a_caller(), Mouth(breaks_at=at, error=error)
    with pytest.raises(APIError) as caught:
        await say(call, mouth, [ANSWER])
    assert call.codes == [error.code]
    assert len(mouth.said) == at
    assert (caught.value.message, caught.value.retryable) == (error.code, False)
    assert call.telemetry.failed == [("sordino.speak", error.code)]


async def test_a_voice_that_fails_while_the_model_still_talks_does_not_wait_for_it() -> None:
    call, mouth = await call_with_a_caller(), Mouth(breaks_at=1)
    async with GuardedTTS(mouth, SPEAK, call.turns, language="en").stream() as stream:
        stream.push_text("Thank you very much, <PERSON_1>. I am looking into the book for you")
        with pytest.raises(APIError, match="upstream_failed"):
            await heard(stream)
    assert call.codes == ["upstream_failed"]


async def test_who_interrupts_stops_the_voice() -> None:
    call, mouth = await call_with_a_caller(), Mouth()
    async with GuardedTTS(mouth, SPEAK, call.turns, language="en").stream() as stream, asyncio.timeout(5):
        stream.push_text("Thank you very much, <PERSON_1>. I am looking into the book for you")
        await mouth.changed.wait()
    assert call.codes == []
    assert len(mouth.said) == 1


async def test_a_text_in_one_piece_is_restored_too() -> None:
    """livekit's other way to speak."""
    call, mouth = await call_with_a_caller(), Mouth()
    async with (
        GuardedTTS(mouth, SPEAK, call.turns, language="en").synthesize("Good bye, <PERSON_1>.") as chunks,
        asyncio.timeout(5),
    ):
        assert [chunk async for chunk in chunks]
    assert mouth.words == f"Good bye, {NAME}."


async def test_an_empty_answer_is_not_spoken() -> None:
    call, mouth = Call(), Mouth()
    await say(call, mouth, ["  \n "])
    assert mouth.said == []
    assert call.codes == []


async def test_the_observer_sees_each_sentence_as_the_caller_hears_it_and_hides_it() -> None:
    call, mouth = await call_with_a_caller(), Mouth()
    await say(call, mouth, [ANSWER])
    shown = call.told.of("answered")
    assert [turn.text for turn in shown] == [Private(sentence) for sentence in mouth.said]
    assert NAME not in repr(shown)


def test_names_what_the_policy_granted() -> None:
    voice = GuardedTTS(Mouth(), SPEAK, Call().turns, language="en")
    assert (voice.model, voice.provider, voice.sample_rate) == ("m-1", "mouth", 24_000)
