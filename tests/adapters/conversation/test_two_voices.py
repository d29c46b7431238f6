"""A voice elsewhere that may not have personal data says the answer, and the one on this machine the caller's own words in it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from livekit.agents import tts

from gateway.adapters.conversation.plugins import plugin_voices, speaking
from gateway.adapters.conversation.voice import GuardedTTS
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.outbound import outbound_session
from gateway.adapters.speech import inside
from gateway.errors import UpstreamFailed
from gateway.policy.egress import Grant
from gateway.ports import TextToSpeech
from gateway.values import DataCategory, Hop, Pcm, Private
from tests.adapters.conversation.call import NAME, Call, granted
from tests.adapters.conversation.plugins.speech import PATIENT, TLS, Kept, speech_grant
from tests.adapters.conversation.processors import Mouth
from tests.peers.speech.vendors import Vendor, vendor

WHOLE = granted(Hop.TTS, "here", frozenset({DataCategory.TRANSCRIPT}), dialect="local")
MASKED = granted(Hop.TTS, "elsewhere", frozenset({DataCategory.MASKED_TRANSCRIPT}), dialect="remote")
NUMBER = "4915112345678"
ANSWER = "Thank you, <PERSON_1>. I have put that into the book. Shall I call <PHONE_NUMBER_1>, <PERSON_1>, or another? Good bye!"


async def call_with_a_caller() -> Call:
    call = Call(route={Hop.TTS: ("elsewhere", "here")}, dialect="local")
    await call.turns.next_turn().mask(Private(f"I am {NAME}, my number is {NUMBER}"))
    return call


async def say(call: Call, here: TextToSpeech, elsewhere: TextToSpeech, text: str) -> list[tts.SynthesizedAudio]:
    voice = GuardedTTS(here, WHOLE, call.turns, language="en", others={"remote": elsewhere}, masked=MASKED)
    async with voice.stream() as stream:
        stream.push_text(text)
        stream.end_input()
        return [audio async for audio in stream]


async def test_the_masked_voice_gets_what_was_masked_and_the_other_one_what_was_restored() -> None:
    call, here, elsewhere = await call_with_a_caller(), Mouth(ms=200), Mouth(ms=200)
    await say(call, here, elsewhere, ANSWER)
    assert here.said == [NAME, f"{NUMBER} {NAME}"]
    assert [text.strip() for text in elsewhere.said] == [
        "Thank you,",
        "I have put that into the book.",
        "Shall I call",
        "or another?",
        "Good bye!",
    ]
    assert NAME not in elsewhere.words
    assert NUMBER not in elsewhere.words
    assert {grant.id for grant in here.grants} == {WHOLE.id}
    assert {grant.processor for grant in elsewhere.grants} == {MASKED.processor}


async def test_no_placeholder_and_no_kind_is_ever_said_as_a_token() -> None:
    call, here, elsewhere = await call_with_a_caller(), Mouth(), Mouth()
    await say(call, here, elsewhere, "Is <EMAIL_ADDRESS_7> right, <PERSON_1>?")
    assert not re.search(r"<|>|_\d", f"{here.words} {elsewhere.words}")
    assert (here.words, elsewhere.words) == (NAME, "Is your e-mail address right,")


async def test_words_beside_each_other_are_said_in_one_go() -> None:
    call, here, elsewhere = await call_with_a_caller(), Mouth(), Mouth()
    await say(call, here, elsewhere, "<PERSON_1>, <PHONE_NUMBER_1>.")
    assert (here.said, elsewhere.said) == ([f"{NAME} {NUMBER}"], [])


async def test_when_the_masked_voice_fails_the_next_one_says_it_and_still_gets_no_private_word() -> None:
    call, here, elsewhere = await call_with_a_caller(), Mouth(ms=200), Broken()
    await say(call, here, elsewhere, ANSWER)
    assert [(hop, categories) for hop, categories, _ in call.door.asked] == [
        (Hop.TTS, frozenset({DataCategory.MASKED_TRANSCRIPT}))
    ]
    assert {text.strip(): grant is WHOLE for text, grant in zip(here.said, here.grants, strict=True)} == {
        "Thank you,": False,
        NAME: True,
        "I have put that into the book.": False,
        "Shall I call": False,
        f"{NUMBER} {NAME}": True,
        "or another?": False,
        "Good bye!": False,
    }
    assert call.door.given[0].categories == MASKED.categories
    assert call.codes == []


class Broken(Mouth):
    async def speak(self, grant, text, *, language):  # type: ignore[no-untyped-def]
        raise UpstreamFailed("broken")
        yield


# --- with real voices -----------------------------------------------------------------------------------------------------


async def aloud(words: str) -> Pcm:
    """This machine's voice without its worker, whose bounds a busy machine may break."""
    return Pcm(await asyncio.to_thread(inside.synthesize, words), inside.HIBARI_HZ)


class OwnVoice:
    rate = inside.HIBARI_HZ

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncIterator[Pcm]:
        yield await aloud(text.reveal())


@asynccontextmanager
async def somebody_elsewhere() -> AsyncIterator[tuple[Vendor, TextToSpeech]]:
    """A vendor on its real wire whose voice can be understood: it says what it is sent."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=(await aloud((await request.json())["text"])).samples, content_type="audio/pcm")

    async with vendor(answer) as server, outbound_session() as session:
        yield server, plugin_voices(Outlet.over(session, Kept(), limits=PATIENT, tls=TLS).line)["deepgram"]


async def test_a_recogniser_hears_one_sentence_and_no_private_word_left_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "LONGEST_S", 90)
    call = Call(dialect="hibari")
    await call.turns.next_turn().mask(Private(f"I am {NAME}"))
    async with somebody_elsewhere() as (server, elsewhere):
        here = granted(Hop.TTS, "here", frozenset({DataCategory.TRANSCRIPT}), dialect="hibari")
        masked = speech_grant(
            Hop.TTS, "deepgram", server.base_url, categories=frozenset({DataCategory.MASKED_TRANSCRIPT}), masked=True
        )
        voice = GuardedTTS(OwnVoice(), here, call.turns, language="en", others={"deepgram": elsewhere}, masked=masked)
        async with voice.stream() as stream:
            stream.push_text("Thank you very much, <PERSON_1>, I have put your appointment into the book.")
            stream.end_input()
            said = Pcm(b"".join([bytes(audio.frame.data) async for audio in stream]), voice.sample_rate)
    heard = await asyncio.to_thread(inside.transcribe, said.samples, said.rate)
    words = re.findall("[a-z]+", heard.lower())
    wanted = {"thank", "you", "very", "much", "jonathan", "miller", "have", "put", "your", "appointment", "into", "book"}
    assert len(wanted & set(words)) >= len(wanted) - 2, words
    assert {"jonathan", "miller"} & set(words), words
    assert b"onathan" not in server.everything
    assert b"iller" not in server.everything
    assert [sent.fields["text"].strip() for sent in server.received] == [
        "Thank you very much,",
        "I have put your appointment into the book.",
    ]
    assert call.codes == []


@pytest.mark.parametrize("text", ["I have put that into the book.", "Good bye!"])
async def test_a_sentence_without_a_private_word_is_said_as_it_streams(text: str) -> None:
    call, here, elsewhere = await call_with_a_caller(), Mouth(), Mouth(ms=40)
    audio = await say(call, here, elsewhere, text)
    assert (here.said, [each.strip() for each in elsewhere.said]) == ([], [text])
    assert sum(each.frame.samples_per_channel for each in audio) == 960
