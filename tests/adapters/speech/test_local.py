"""Speech on this machine, with the real models: what is said on a telephone line is heard, and what is spoken is understood."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from gateway.adapters.speech.local import LocalSpeech
from gateway.audio import read_wav, resample
from gateway.errors import PolicyRefused, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private
from tests.adapters.speech.grants import HEAR, SPEAK, speech_grant

CALLERS = Path(__file__).parents[3] / "gateway" / "demo" / "audio"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def speech() -> AsyncIterator[LocalSpeech]:
    async with LocalSpeech() as speech:
        yield speech


pytestmark = pytest.mark.asyncio(loop_scope="module")


def by_telephone(pcm: Pcm) -> Pcm:
    """8 kHz with the noise of 8-bit companding (ITU-T G.711 mu-law as a formula)."""
    narrow = resample(pcm, 8000)
    x = np.frombuffer(narrow.samples, "<i2") / 32768
    code = np.round(np.sign(x) * np.log1p(255 * np.abs(x)) / np.log(256) * 127) / 127
    y = np.sign(code) * (256 ** np.abs(code) - 1) / 255
    return Pcm((y * 32767).astype("<i2").tobytes(), 8000)


def silence(ms: int, rate: int = 8000) -> Pcm:
    return Pcm(bytes(2 * rate * ms // 1000), rate)


async def heard(speech: LocalSpeech, pcm: Pcm) -> str:
    return (await speech.stt.transcribe(HEAR, Private(pcm), language="en")).reveal()


async def said(speech: LocalSpeech, text: str) -> list[Pcm]:
    return [piece async for piece in speech.tts.speak(SPEAK, Private(text), language="en")]


@pytest.mark.parametrize(
    ("caller", "words"),
    [
        ("card-number", "4532118096612345"),
        ("phone-number", "5552349876"),
        ("name-and-address", "my name is jonathan miller and i live at 42 oak street in springfield"),
        ("email-address", "my email address is john smith at example com"),
        ("yes-correct", "yes that is correct"),
        ("human-agent", "please transfer me to a human agent"),
        ("cancel", "i would like to cancel my subscription please"),
        ("security-code", "731"),
    ],
)
async def test_each_caller_of_the_demo_is_heard_on_a_telephone_line(speech: LocalSpeech, caller: str, words: str) -> None:
    text = await heard(speech, by_telephone(read_wav(CALLERS / f"{caller}.wav")))
    kept = re.sub(r"\D", "", text) if words.isdigit() else " ".join(re.findall(r"[a-z0-9]+", text.lower()))
    assert kept == words


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
async def test_speech_is_heard_at_any_usual_rate(speech: LocalSpeech, rate: int) -> None:
    assert await heard(speech, resample(read_wav(CALLERS / "human-agent.wav"), rate)) == "Please transfer me to a human agent."


async def test_half_a_minute_of_speech_is_heard_to_its_end_and_nothing_is_made_up(speech: LocalSpeech) -> None:
    turns = ["human-agent", "cancel", "opening-hours", "yes-correct", "appointment", "human-agent", "cancel", "opening-hours"]
    line = b"".join(by_telephone(read_wav(CALLERS / f"{turn}.wav")).samples + silence(400).samples for turn in turns)
    text = (await heard(speech, Pcm(line, 8000))).lower()
    assert text.count("human agent") == text.count("subscription") == text.count("saturday") == 2
    assert len(text.split()) < 70


@pytest.mark.parametrize("nothing", [silence(0), silence(5), silence(3000), silence(1000, 48_000)])
async def test_of_silence_no_words_are_made(speech: LocalSpeech, nothing: Pcm) -> None:
    assert await heard(speech, nothing) == ""


async def test_what_is_spoken_is_understood(speech: LocalSpeech) -> None:
    pieces = await said(speech, "Thank you, Jonathan Miller. Your card is 4532 1180 9661 2345.")
    assert [piece.rate for piece in pieces] == [speech.tts.rate] * 2
    texts = [await heard(speech, by_telephone(piece)) for piece in pieces]
    assert "Jonathan Miller" in texts[0]
    assert re.sub(r"\D", "", texts[1]) == "4532118096612345"


async def test_a_listener_that_stops_stops_the_work(speech: LocalSpeech, monkeypatch: pytest.MonkeyPatch) -> None:
    """Barge-in: of what was still to be said nothing is made."""
    asked: list[object] = []
    run = speech.tts._pool.run

    async def counted(work: object, *arguments: object, limit_s: float) -> bytes:
        asked.append(arguments)
        return await run(work, *arguments, limit_s=limit_s)  # type: ignore[arg-type]

    monkeypatch.setattr(speech.tts._pool, "run", counted)
    voice = speech.tts.speak(SPEAK, Private("One. Two. Three. Four."), language="en")
    assert (await anext(voice)).ms > 0
    await voice.aclose()
    assert asked == [("One.",)]


@pytest.mark.parametrize("text", ["", "  \n ", "…", "日本語", "<PERSON_1>", "[a](/b/)", "a" * 2000, "\x00\ud800"])
async def test_any_text_is_spoken_or_left_out_but_breaks_nothing(speech: LocalSpeech, text: str) -> None:
    assert all(piece.ms > 0 for piece in await said(speech, text))
    assert await said(speech, "Yes.")


@pytest.mark.parametrize("grant", [SPEAK, speech_grant(Hop.STT, "deepgram"), speech_grant(Hop.LLM, "moonshine")])
async def test_nothing_is_heard_with_a_grant_for_something_else(speech: LocalSpeech, grant: Grant) -> None:
    with pytest.raises(PolicyRefused):
        await speech.stt.transcribe(grant, Private(silence(100)), language="en")


async def test_an_announcement_is_read_out_whole_and_always_alike(speech: LocalSpeech) -> None:
    words = "You speak with a machine. This call is not recorded."
    first = await speech.tts.read_out(words)
    assert await speech.tts.read_out(words) == first
    assert re.sub(r"[^a-z ]", "", (await heard(speech, by_telephone(first))).lower()).endswith("this call is not recorded")


@pytest.mark.parametrize("grant", [HEAR, speech_grant(Hop.TTS, "elevenlabs"), speech_grant(Hop.LLM, "hibari")])
async def test_nothing_is_spoken_with_a_grant_for_something_else(speech: LocalSpeech, grant: Grant) -> None:
    with pytest.raises(PolicyRefused):
        await anext(speech.tts.speak(grant, Private("Yes."), language="en"))


@pytest.mark.parametrize("language", ["en", "en-GB", "EN_us"])
async def test_any_english_will_do(speech: LocalSpeech, language: str) -> None:
    assert (await speech.stt.transcribe(HEAR, Private(silence(100)), language=language)).reveal() == ""


async def test_another_language_than_english_is_refused_so_that_another_processor_is_asked(speech: LocalSpeech) -> None:
    with pytest.raises(UpstreamFailed, match="English only"):
        await speech.stt.transcribe(HEAR, Private(silence(100)), language="de")
    with pytest.raises(UpstreamFailed, match="English only"):
        await anext(speech.tts.speak(SPEAK, Private("Ja."), language="de"))


async def test_more_than_a_minute_at_once_is_refused(speech: LocalSpeech) -> None:
    with pytest.raises(UpstreamFailed, match="at most 60 s"):
        await heard(speech, silence(60_001))


@pytest.mark.parametrize("odd", [Pcm(b"\x00", 8000), Pcm(b"\x00\x00", 0), Pcm(b"\x00\x00", 400_000)])
async def test_what_is_no_audio_is_refused(speech: LocalSpeech, odd: Pcm) -> None:
    with pytest.raises(UpstreamFailed, match="8 to 96 kHz"):
        await heard(speech, odd)
