"""Google and Azure over REST: what is sent stands in the Grant, and what comes back is taken only where it makes sense."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.providers.azure_speech import AzureEar, AzureVoice, _ssml
from gateway.adapters.providers.google_speech import GoogleEar, GoogleVoice
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.outbound import outbound_session
from gateway.audio import wav
from gateway.errors import PolicyRefused, SordinoError, UpstreamFailed, UpstreamRefused
from gateway.policy.egress import Grant
from gateway.ports import TextToSpeech, TimedSpeechToText
from gateway.values import Hop, Pcm, Private
from tests.adapters.conversation.plugins.speech import KEY, PATIENT, SPEECH, TLS, Kept, speech_grant, tone
from tests.peers.speech.vendors import Handler, cut, hangs_up, says, sounds, vendor

SENTENCE = "Thank you, Jonathan Miller."
WORDS = [("my", 100.0, 250.0), ("name", 300.0, 600.0)]
MODELS = {
    ("google-speech", Hop.STT): "telephony",
    ("google-speech", Hop.TTS): "en-GB-Chirp3-HD-Charon",
    ("azure-speech", Hop.STT): "conversation",
    ("azure-speech", Hop.TTS): "en-GB-RyanNeural",
}
EARS: dict[str, Callable[[Outlet], TimedSpeechToText]] = {"google-speech": GoogleEar, "azure-speech": AzureEar}
VOICES: dict[str, Callable[[Outlet], TextToSpeech]] = {"google-speech": GoogleVoice, "azure-speech": AzureVoice}


def google_heard(words: list[tuple[str, float, float]] | None = None) -> Any:
    timed = [
        {"word": word, "startTime": f"{start / 1000:.3f}s", "endTime": f"{end / 1000:.3f}s"} for word, start, end in words or []
    ]
    return {"results": [{"alternatives": [{"transcript": "my name", "confidence": 0.9, "words": timed}]}]}


def azure_heard(words: list[tuple[str, float, float]] | None = None) -> Any:
    timed = [
        {"Word": word, "Offset": round(start * 10_000), "Duration": round((end - start) * 10_000)}
        for word, start, end in words or []
    ]
    return {"RecognitionStatus": "Success", "NBest": [{"Display": "my name", "Confidence": 0.9, "Words": timed}]}


HEARD = {"google-speech": google_heard, "azure-speech": azure_heard}


def speaks(dialect: str, pcm: Pcm) -> Handler:
    if dialect == "azure-speech":
        return sounds(pcm.samples, kind="audio/basic")
    return says({"audioContent": base64.b64encode(wav(pcm)).decode()})


def cloud_grant(hop: Hop, dialect: str, base_url: str, /, **changes: Any) -> Grant:
    return speech_grant(hop, "deepgram", base_url, **{"dialect": dialect, "model": MODELS[dialect, hop], "send": {}, **changes})


@asynccontextmanager
async def outlet() -> AsyncIterator[Outlet]:
    async with outbound_session() as session:
        yield Outlet.over(session, Kept(), limits=PATIENT, tls=TLS)


async def hears(answer: Handler, dialect: str, /, *, language: str = "en", **changes: Any) -> tuple[Any, Any]:
    async with vendor(answer) as server, outlet() as out:
        grant = cloud_grant(Hop.STT, dialect, server.base_url, **changes)
        try:
            heard: Any = await EARS[dialect](out).transcribe_words(grant, SPEECH, language=language)
        except SordinoError as error:
            heard = error
    return heard, server.received


async def says_aloud(answer: Handler, dialect: str, text: str = SENTENCE, /, **changes: Any) -> tuple[Any, Any]:
    async with vendor(answer) as server, outlet() as out:
        grant = cloud_grant(Hop.TTS, dialect, server.base_url, **changes)
        try:
            pieces = VOICES[dialect](out).speak(grant, Private(text), language="en")
            said: Any = b"".join([piece.samples async for piece in pieces])
        except SordinoError as error:
            said = error
    return said, server.received


@pytest.mark.parametrize("dialect", EARS)
async def test_speech_comes_back_as_timed_words(dialect: str) -> None:
    heard, _ = await hears(says(HEARD[dialect](WORDS)), dialect)
    assert heard.text == Private("my name")
    assert [(word.text.reveal(), word.start_ms, word.end_ms) for word in heard.words] == WORDS


async def test_what_google_is_sent_to_hear() -> None:
    _, (sent,) = await hears(says(google_heard()), "google-speech", language="de")
    assert (sent.method, sent.path, sent.headers["x-goog-api-key"]) == ("POST", "/v1/speech:recognize", KEY)
    assert sent.fields["config"] == {
        "encoding": "LINEAR16",
        "sampleRateHertz": 16_000,
        "languageCode": "de-DE",
        "model": "telephony",
        "enableWordTimeOffsets": True,
        "enableAutomaticPunctuation": True,
    }
    assert base64.b64decode(sent.fields["audio"]["content"]) == SPEECH.reveal().samples


async def test_what_azure_is_sent_to_hear() -> None:
    _, (sent,) = await hears(says(azure_heard()), "azure-speech", language="en-IN")
    assert (sent.method, sent.path) == ("POST", "/speech/recognition/conversation/cognitiveservices/v1")
    assert sent.query == {"language": "en-IN", "format": "detailed", "wordLevelTimestamps": "true"}
    assert sent.headers["ocp-apim-subscription-key"] == KEY
    assert sent.headers["content-type"] == "audio/wav; codecs=audio/pcm; samplerate=16000"
    assert sent.raw.startswith(b"RIFF")


@pytest.mark.parametrize("dialect", VOICES)
async def test_a_sentence_comes_back_as_sound(dialect: str) -> None:
    said, (sent,) = await says_aloud(speaks(dialect, tone(300)), dialect)
    assert said == tone(300).samples
    assert KEY in str(sent.headers)
    assert b"Jonathan Miller" in sent.raw


async def test_what_google_is_sent_to_say() -> None:
    _, (sent,) = await says_aloud(speaks("google-speech", tone(100)), "google-speech")
    assert (sent.path, sent.fields) == (
        "/v1/text:synthesize",
        {
            "input": {"text": SENTENCE},
            "voice": {"languageCode": "en-GB", "name": "en-GB-Chirp3-HD-Charon"},
            "audioConfig": {"audioEncoding": "LINEAR16", "sampleRateHertz": 24_000},
        },
    )


async def test_what_azure_is_sent_to_say() -> None:
    _, (sent,) = await says_aloud(speaks("azure-speech", tone(100)), "azure-speech")
    assert (sent.path, sent.headers["x-microsoft-outputformat"]) == ("/cognitiveservices/v1", "raw-24khz-16bit-mono-pcm")
    voice = ET.fromstring(sent.raw)[0]  # noqa: S314 - written by ourselves
    assert (voice.attrib["name"], voice.text) == ("en-GB-RyanNeural", SENTENCE)


@given(st.text(max_size=200))
def test_whatever_is_said_is_text_and_never_a_tag(words: str) -> None:
    """A model's answer could hold ``<audio src="http://…">``, and Azure would fetch it."""
    speak = ET.fromstring(_ssml(words, "en-GB", "en-GB-RyanNeural"))  # noqa: S314 - written by ourselves
    assert [each.tag for each in speak.iter()] == ["speak", "voice"]
    kept = "".join(each if each.isprintable() else " " for each in speak[0].text or "")
    assert kept.split() == "".join(each if each.isprintable() else " " for each in words).split()


@pytest.mark.parametrize("dialect", EARS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"error": {"message": "I am Jonathan Miller"}}, status=400), UpstreamRefused),
        (says({"error": "I am Jonathan Miller"}, status=500), UpstreamFailed),
        (says(["Jonathan Miller"]), UpstreamFailed),
        (says({"results": "Jonathan Miller", "RecognitionStatus": "Error"}), UpstreamFailed),
        (says({"results": [{"alternatives": []}], "RecognitionStatus": "Success", "NBest": []}), UpstreamFailed),
        (says({"results": [{}], "RecognitionStatus": "Success", "NBest": [{"Display": "x", "Words": [{}]}]}), UpstreamFailed),
        (cut, UpstreamFailed),
        (hangs_up, UpstreamFailed),
    ],
    ids=["400", "500", "list", "wrong type", "empty", "no fields", "cut", "gone"],
)
async def test_an_ear_that_breaks_its_protocol_fails_and_tells_nothing(
    answer: Handler, error: type[SordinoError], dialect: str
) -> None:
    failure, _ = await hears(answer, dialect)
    assert type(failure) is error
    assert "Miller" not in f"{failure} {failure.reasons}"


@pytest.mark.parametrize("dialect", EARS)
@pytest.mark.parametrize("words", [[("my", 600, 250)], [("my", 900, 950), ("name", 100, 200)], [("my", 0, 1e9)]], ids=str)
async def test_times_that_make_no_sense_are_none(dialect: str, words: list[tuple[str, float, float]]) -> None:
    heard, _ = await hears(says(HEARD[dialect](words)), dialect)
    assert (heard.text, heard.words) == (Private("my name"), ())


@pytest.mark.parametrize("answer", [{}, {"results": []}, {"RecognitionStatus": "NoMatch"}], ids=str)
async def test_silence_is_no_words(answer: dict[str, Any]) -> None:
    dialect = "azure-speech" if answer.get("RecognitionStatus") else "google-speech"
    heard, _ = await hears(says(answer), dialect)
    assert heard.text == Private("")


@pytest.mark.parametrize("dialect", VOICES)
@pytest.mark.parametrize(
    "answer",
    [
        says({"audioContent": "!!"}),
        says({"audioContent": base64.b64encode(b"RIFF").decode()}),
        says({"audioContent": base64.b64encode(wav(tone(50, rate=8_000))).decode()}),
        says({}),
        sounds(b"", kind="audio/basic"),
        sounds(b"abc", kind="audio/basic"),
        sounds(b"<html>", kind="text/html"),
        hangs_up,
    ],
    ids=["base64", "no wav", "8 kHz", "nothing", "no sound", "half a sample", "html", "gone"],
)
async def test_a_voice_that_breaks_its_protocol_fails(dialect: str, answer: Handler) -> None:
    failure, _ = await says_aloud(answer, dialect)
    assert type(failure) is UpstreamFailed


@pytest.mark.parametrize(
    ("dialect", "hop", "changes"),
    [
        ("google-speech", Hop.STT, {"model": "*"}),
        ("google-speech", Hop.STT, {"hop": Hop.TTS}),
        ("google-speech", Hop.TTS, {"model": "charon"}),
        ("azure-speech", Hop.STT, {"model": "conversation/../../x"}),
        ("azure-speech", Hop.STT, {"dialect": "google-speech"}),
        ("azure-speech", Hop.TTS, {"model": 'en-GB-Ryan"/><audio'}),
        ("google-speech", Hop.STT, {"send": {"logging": False}}),
        ("azure-speech", Hop.TTS, {"send": {"logging": False}}),
        ("azure-speech", Hop.STT, {"host": "eastus.stt.speech.microsoft.com"}),
    ],
    ids=str,
)
async def test_a_grant_that_cannot_be_kept_to_the_letter_is_not_used(dialect: str, hop: Hop, changes: dict[str, Any]) -> None:
    """Also a flag of the registry that the vendor's wire has no place for."""
    act = cast(Callable[..., Awaitable[tuple[Any, Any]]], hears if hop is Hop.STT else says_aloud)
    failure, received = await act(says({}), dialect, **changes)
    assert type(failure) is PolicyRefused
    assert received == []


@pytest.mark.parametrize(("language", "sent"), [("en", "en-US"), ("en-GB", "en-GB"), ("hi", "hi-IN")])
async def test_a_language_gets_its_usual_place(language: str, sent: str) -> None:
    _, (request,) = await hears(says(google_heard()), "google-speech", language=language)
    assert request.fields["config"]["languageCode"] == sent


async def test_a_language_without_a_known_place_is_left_to_the_next_processor() -> None:
    failure, received = await hears(says(google_heard()), "google-speech", language="sw")
    assert type(failure) is UpstreamFailed
    assert "sw-XX" in failure.hint
    assert received == []
