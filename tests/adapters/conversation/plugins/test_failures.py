"""Vendors of speech that misbehave: what comes of it is one of our errors, in time, without a word of theirs or the caller's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gateway.adapters.conversation.plugins import hearing, speaking
from gateway.adapters.providers.exchange import Limits
from gateway.errors import SordinoError, UpstreamBusy, UpstreamFailed, UpstreamRefused, UpstreamTimeout
from gateway.values import Hop, Pcm, Private
from tests.adapters.conversation.plugins.speech import PATIENT, SPEECH, ears, speech_grant, tone, voices
from tests.peers.speech.vendors import (
    Handler,
    cartesia_heard,
    cut,
    cut_speech,
    deepgram_heard,
    elevenlabs_heard,
    elsewhere,
    endless,
    hangs_up,
    says,
    silent,
    sounds,
    vendor,
)

SECRET = "the patient Jonathan Miller, card 4532118096612345"
WORDS = Private(f"I call {SECRET}.")
SHORT = Limits(connect_s=20.0, first_byte_s=0.2, between_chunks_s=0.2, whole_s=0.2, most_bytes=1 << 20)
"""For those that never answer."""


def shown(error: BaseException) -> str:
    """All that a log, a client or a person could ever see of it."""
    told = [str(error), repr(error.args)]
    if isinstance(error, SordinoError):
        told += [error.hint, *error.reasons]
    if error.__cause__ is not None:
        told.append(shown(error.__cause__))
    if error.__context__ is not None and not error.__suppress_context__:
        told.append(shown(error.__context__))
    return " ".join(told)


async def fails_to_hear(answer: Handler, dialect: str, limits: Limits = PATIENT, **changes: Any) -> SordinoError:
    async with vendor(answer) as server, ears(limits) as hears:
        grant = speech_grant(Hop.STT, dialect, server.base_url, **changes)
        with pytest.raises(SordinoError) as raised:
            await hears[dialect].transcribe(grant, SPEECH, language="en")
    return raised.value


async def fails_to_speak(answer: Handler, dialect: str, limits: Limits = PATIENT) -> tuple[SordinoError, bytes]:
    async with vendor(answer) as server, voices(limits) as speaks:
        speech, heard = speaks[dialect].speak(speech_grant(Hop.TTS, dialect, server.base_url), WORDS, language="en"), bytearray()
        with pytest.raises(SordinoError) as raised:
            await _take(speech, heard)
    return raised.value, bytes(heard)


async def _take(speech: AsyncGenerator[Pcm, None], into: bytearray) -> None:
    async for pcm in speech:
        into += pcm.samples


@pytest.mark.parametrize("dialect", ["deepgram", "elevenlabs"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"error": SECRET}, status=400), UpstreamRefused),
        (says({"error": SECRET}, status=401), UpstreamRefused),
        (says({"error": SECRET}, status=429), UpstreamBusy),
        (says({"error": SECRET}, status=500), UpstreamFailed),
        (says([SECRET]), UpstreamFailed),
        (says({"text": {"words": SECRET}}), UpstreamFailed),
        (says({"text": None, "results": SECRET, "words": [SECRET]}), UpstreamFailed),
        (sounds(SECRET.encode(), kind="text/html"), UpstreamFailed),
        (sounds(SECRET.encode(), kind="application/json"), UpstreamFailed),
        (sounds(b"[" * 100_000, kind="application/json"), UpstreamFailed),
        (endless("application/json"), UpstreamFailed),
        (cut, UpstreamFailed),
        (hangs_up, UpstreamFailed),
        (elsewhere("http://127.0.0.1:1/"), UpstreamRefused),
    ],
    ids=["400", "401", "429", "500", "list", "wrong type", "no text", "html", "no json", "deep", "endless", "cut", "gone", "307"],
)
async def test_an_ear_that_breaks_its_protocol_fails_and_tells_nothing(
    answer: Handler, error: type[SordinoError], dialect: str
) -> None:
    failure = await fails_to_hear(answer, dialect)
    assert type(failure) is error
    assert f"{dialect}-eu" in failure.message
    assert "Miller" not in shown(failure)
    assert "4532" not in shown(failure)


@pytest.mark.parametrize("dialect", ["deepgram", "elevenlabs", "cartesia"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"error": SECRET}, status=422), UpstreamRefused),
        (says({"error": SECRET}, status=503), UpstreamFailed),
        (says({"audio": SECRET}), UpstreamFailed),
        (sounds(SECRET.encode(), kind="text/plain"), UpstreamFailed),
        (sounds(b"", kind="audio/pcm"), UpstreamFailed),
        (hangs_up, UpstreamFailed),
        (elsewhere("http://127.0.0.1:1/"), UpstreamRefused),
    ],
    ids=["422", "503", "json", "text", "no sound", "gone", "307"],
)
async def test_a_voice_that_breaks_its_protocol_fails_and_tells_nothing(
    answer: Handler, error: type[SordinoError], dialect: str
) -> None:
    failure, heard = await fails_to_speak(answer, dialect)
    assert type(failure) is error
    assert heard == b""
    assert "Miller" not in shown(failure)


@pytest.mark.parametrize("dialect", ["deepgram", "elevenlabs", "cartesia"])
async def test_speech_that_is_cut_is_never_taken_for_a_whole_sentence(dialect: str) -> None:
    """Its caller would hear half an answer, and nobody would know."""
    failure, _ = await fails_to_speak(cut_speech(tone(800).samples), dialect)
    assert type(failure) is UpstreamFailed


async def test_a_voice_without_end_is_stopped() -> None:
    failure, heard = await fails_to_speak(endless("audio/pcm"), "deepgram")
    assert "sent more than" in failure.message
    assert len(heard) <= PATIENT.most_bytes


@pytest.mark.parametrize("dialect", ["deepgram", "elevenlabs"])
async def test_who_does_not_answer_is_not_waited_for(dialect: str) -> None:
    assert type(await fails_to_hear(silent, dialect, SHORT)) is UpstreamTimeout
    failure, heard = await fails_to_speak(silent, dialect, SHORT)
    assert (type(failure), heard) == (UpstreamTimeout, b"")


# --- over a WebSocket -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"error": SECRET}, status=403), UpstreamRefused),
        (says({"error": SECRET}, status=500), UpstreamFailed),
        (says({"error": SECRET}), UpstreamFailed),
        (hangs_up, UpstreamFailed),
        (elsewhere("http://127.0.0.1:1/"), UpstreamFailed),
    ],
    ids=["403", "500", "no socket", "gone", "307"],
)
async def test_a_socket_that_does_not_open_hears_nothing(answer: Handler, error: type[SordinoError]) -> None:
    failure = await fails_to_hear(answer, "cartesia")
    assert type(failure) is error
    assert "Miller" not in shown(failure)


async def test_a_socket_is_never_followed_to_another_server() -> None:
    """Its key would go along, and then the caller's voice."""
    async with vendor(cartesia_heard("yes")) as other, vendor(elsewhere(f"{other.base_url}/stt/websocket")) as server:
        async with ears() as hears:
            with pytest.raises(UpstreamFailed):
                await hears["cartesia"].transcribe(speech_grant(Hop.STT, "cartesia", server.base_url), SPEECH, language="en")
        assert len(server.received) == 1
        assert other.received == []


async def test_a_socket_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "LONGEST_S", 0.5)
    assert type(await fails_to_hear(cartesia_heard("yes", deaf=True), "cartesia")) is UpstreamTimeout


# --- hostile texts --------------------------------------------------------------------------------------------------------


async def test_a_transcript_of_any_length_is_not_taken() -> None:
    failure = await fails_to_hear(says(deepgram_heard("yes " * 10_000)), "deepgram")
    assert "no transcription" in failure.message


@pytest.mark.parametrize(
    "words",
    [
        [("yes", 0.5, 0.1)],
        [("yes", -1.0, 0.1)],
        [("yes", 1.0, 2.0), ("no", 0.1, 0.2)],
        [("yes", "soon", 0.1)],
        [("yes", 0.1, 1e9)],
        [("yes", True, None)],
    ],
    ids=str,
)
async def test_times_that_make_no_sense_are_none(words: Any) -> None:
    """Who silences by them would miss the words: without times the whole stretch is silenced."""
    async with vendor(says(elevenlabs_heard("yes", words))) as server, ears() as hears:
        grant = speech_grant(Hop.STT, "elevenlabs", server.base_url)
        try:
            heard = await hears["elevenlabs"].transcribe_words(grant, SPEECH, language="en")
        except UpstreamFailed:
            return  # the plugin itself could not read them
    assert (heard.text, heard.words) == (Private("yes"), ())


@pytest.mark.parametrize("text", ["", "  ", "\u202e\x00\x1b[2J", '<script>"', "日本語 " * 50])
async def test_any_text_comes_back_as_it_is_and_stays_private(text: str) -> None:
    async with vendor(says(deepgram_heard(text))) as server, ears() as hears:
        heard = await hears["deepgram"].transcribe(speech_grant(Hop.STT, "deepgram", server.base_url), SPEECH, language="en")
    assert heard.reveal() == text.strip()
    assert text.strip() == "" or text.strip() not in repr(heard)


# --- and what it costs us --------------------------------------------------------------------------------------------------


async def test_who_stops_listening_ends_the_request() -> None:
    """A caller who barges in: the rest is not paid for."""
    async with vendor(endless("audio/pcm")) as server, voices() as speaks:
        grant = speech_grant(Hop.TTS, "deepgram", server.base_url)
        speech = speaks["deepgram"].speak(grant, Private("A long list."), language="en")
        assert isinstance(await anext(speech), Pcm)
        await speech.aclose()
        async with asyncio.timeout(30):
            await server.gone.wait()


async def test_no_sentence_is_waited_for_longer_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "LONGEST_S", 0.2)
    failure, heard = await fails_to_speak(silent, "deepgram")
    assert (type(failure), heard) == (UpstreamTimeout, b"")
