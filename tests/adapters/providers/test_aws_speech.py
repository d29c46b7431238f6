"""Amazon Transcribe and Polly: signed for the Grant's region alone, heard and spoken on their real wires."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from gateway.adapters.providers.aws_events import EventBroken, event, read_event
from gateway.adapters.providers.aws_sign import Signer
from gateway.adapters.providers.aws_speech import PollyVoice, TranscribeEar
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.outbound import outbound_session
from gateway.errors import Misconfigured, PolicyRefused, SordinoError, UpstreamFailed, UpstreamRefused
from gateway.policy.egress import Grant
from gateway.values import Hop, Private
from tests.adapters.conversation.plugins.speech import PATIENT, SPEECH, TLS, Kept, speech_grant, tone
from tests.peers.speech.vendors import AUDIO, Handler, hangs_up, says, sounds, vendor

ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
SENTENCE = "Thank you, Jonathan Miller."


class StoppedClock:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def aws_grant(hop: Hop, base_url: str, /, **changes: Any) -> Grant:
    model = "general" if hop is Hop.STT else "neural/Vicki"
    facts = {"dialect": "aws-speech", "model": model, "send": {}, "region": "de/eu-central-1"}
    return speech_grant(hop, "deepgram", base_url, **{**facts, **changes})


@asynccontextmanager
async def outlet(secret: str = f"{ACCESS}:{SECRET}") -> AsyncIterator[Outlet]:
    async with outbound_session() as session:
        yield Outlet.over(session, Kept(VENDOR_KEY=secret), limits=PATIENT, tls=TLS)


async def hears(answer: Handler, *, language: str = "de", **changes: Any) -> tuple[Any, Any]:
    async with vendor(answer) as server, outlet() as out:
        grant = aws_grant(Hop.STT, server.base_url, **changes)
        try:
            heard: Any = await TranscribeEar(out, StoppedClock()).transcribe_words(grant, SPEECH, language=language)
        except SordinoError as error:
            heard = error
    return heard, server


async def says_aloud(answer: Handler, **changes: Any) -> tuple[Any, Any]:
    async with vendor(answer) as server, outlet() as out:
        grant = aws_grant(Hop.TTS, server.base_url, **changes)
        try:
            pieces = PollyVoice(out, StoppedClock()).speak(grant, Private(SENTENCE), language="de")
            said: Any = b"".join([piece.samples async for piece in pieces])
        except SordinoError as error:
            said = error
    return said, server


# --- Transcribe as it answers ---------------------------------------------------------------------------------------------


def result(text: str, *words: tuple[str, float, float], partial: bool = False) -> bytes:
    items = [{"Type": "pronunciation", "Content": word, "StartTime": start, "EndTime": end} for word, start, end in words]
    items.append({"Type": "punctuation", "Content": "."})
    found = {"IsPartial": partial, "Alternatives": [{"Transcript": text, "Items": items}]}
    return transcript({"Transcript": {"Results": [found]}})


def transcript(body: Any, kind: str = "event") -> bytes:
    return event({":message-type": kind, ":event-type": "TranscriptEvent"}, json.dumps(body).encode())


def transcribes(*answers: bytes | str, code: int = 1000) -> Handler:
    """Takes audio until its end, as AWS frames it, then answers and closes."""

    async def answer(request: web.Request) -> web.StreamResponse:
        line = web.WebSocketResponse()
        await line.prepare(request)
        async for message in line:
            headers, payload = read_event(message.data)
            assert headers[":event-type"] == "AudioEvent"
            if not payload:
                break
            request.app[AUDIO].extend(payload)
        for each in answers:
            await (line.send_bytes(each) if isinstance(each, bytes) else line.send_str(each))
        await line.close(code=code)
        return line

    return answer


async def test_final_words_come_back_with_their_times_and_partial_ones_do_not() -> None:
    heard, server = await hears(
        transcribes(
            result("mein", partial=True),
            result("Mein Name.", ("Mein", 0.1, 0.4), ("Name", 0.5, 0.9)),
            result("Ja.", ("Ja", 1.5, 1.7)),
        )
    )
    assert heard.text == Private("Mein Name. Ja.")
    assert [(word.text.reveal(), word.start_ms, word.end_ms) for word in heard.words] == [
        ("Mein", 100, 400),
        ("Name", 500, 900),
        ("Ja", 1500, 1700),
    ]
    assert bytes(server.audio) == SPEECH.reveal().samples


async def test_what_transcribe_is_asked() -> None:
    _, server = await hears(transcribes(result("Ja.")))
    (sent,) = server.received
    signature = sent.query.pop("X-Amz-Signature")
    assert (sent.method, sent.path) == ("GET", "/stream-transcription-websocket")
    assert sent.query == {
        "language-code": "de-DE",
        "media-encoding": "pcm",
        "sample-rate": "16000",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{ACCESS}/20261122/eu-central-1/transcribe/aws4_request",
        "X-Amz-Date": "20261122T060000Z",
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": "host",
    }
    signer = Signer(ACCESS, "eu-central-1", "transcribe", SECRET)
    asked = URL(f"{server.base_url}{sent.path}").with_query(sent.query)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert signature == signer.signature("GET", asked, {"host": sent.headers["host"]}, empty, NOW)
    assert SECRET not in str(server.received)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (transcribes(transcript({"Message": "Jonathan Miller"}, kind="exception")), UpstreamFailed),
        (transcribes(transcript({"Transcript": "Jonathan Miller"})), UpstreamFailed),
        (transcribes(event({":message-type": "event"}, b"{")), UpstreamFailed),
        (transcribes(result("Jonathan Miller")[:-1] + b"x"), UpstreamFailed),
        (transcribes("Jonathan Miller"), UpstreamFailed),
        (transcribes(result("Jonathan Miller"), code=1011), UpstreamFailed),
        (transcribes(result("Ja.", ("Ja", "Miller", 1.0))), UpstreamFailed),  # type: ignore[arg-type]
        (says({"Message": "Jonathan Miller"}, status=403), UpstreamRefused),
        (hangs_up, UpstreamFailed),
    ],
    ids=["exception", "wrong type", "no json", "checksum", "text", "closed badly", "no time", "403", "gone"],
)
async def test_a_stream_that_breaks_its_protocol_fails_and_tells_nothing(answer: Handler, error: type[SordinoError]) -> None:
    failure, _ = await hears(answer)
    assert type(failure) is error
    assert "Miller" not in f"{failure} {failure.reasons}"


# --- Polly ----------------------------------------------------------------------------------------------------------------


async def test_a_sentence_comes_back_as_sound_and_its_request_is_signed_as_it_was_sent() -> None:
    pcm = tone(300, rate=16_000).samples
    said, server = await says_aloud(sounds(pcm))
    assert said == pcm
    (sent,) = server.received
    assert (sent.path, sent.fields) == (
        "/v1/speech",
        {
            "Engine": "neural",
            "OutputFormat": "pcm",
            "SampleRate": "16000",
            "TextType": "text",
            "VoiceId": "Vicki",
            "Text": SENTENCE,
        },
    )
    signer = Signer(ACCESS, "eu-central-1", "polly", SECRET)
    headers = signer.headers(URL(f"{server.base_url}/v1/speech"), sent.raw, NOW)
    assert {name: sent.headers[name] for name in headers} == headers
    assert SECRET not in str(sent.headers)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"message": SENTENCE}, status=400), UpstreamRefused),
        (says({"message": SENTENCE}), UpstreamFailed),
        (sounds(b""), UpstreamFailed),
        (sounds(b"abc"), UpstreamFailed),
        (hangs_up, UpstreamFailed),
    ],
    ids=["400", "json", "no sound", "half a sample", "gone"],
)
async def test_a_voice_that_breaks_its_protocol_fails(answer: Handler, error: type[SordinoError]) -> None:
    failure, _ = await says_aloud(answer)
    assert type(failure) is error
    assert "Miller" not in str(failure)


# --- what is refused, and nothing was sent --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hop", "changes", "error"),
    [
        (Hop.STT, {"region": "eu"}, PolicyRefused),
        (Hop.STT, {"base_url": "https://transcribestreaming.us-east-1.amazonaws.com:8443"}, PolicyRefused),
        (Hop.TTS, {"base_url": "https://polly.us-east-1.amazonaws.com"}, PolicyRefused),
        (Hop.STT, {"model": "medical"}, PolicyRefused),
        (Hop.TTS, {"model": "neural"}, Misconfigured),
        (Hop.TTS, {"model": "neural/Vicki&x"}, Misconfigured),
        (Hop.STT, {"send": {"opt_out": True}}, PolicyRefused),
        (Hop.TTS, {"send": {"opt_out": True}}, PolicyRefused),
        (Hop.TTS, {"dialect": "google-speech"}, PolicyRefused),
    ],
    ids=str,
)
async def test_a_grant_that_cannot_be_kept_to_the_letter_is_not_used(
    hop: Hop, changes: dict[str, Any], error: type[SordinoError]
) -> None:
    """A region that the host is not in, above all."""
    if "base_url" in changes:
        changes = {**changes, "host": URL(changes["base_url"]).host}
    failure, server = await (hears if hop is Hop.STT else says_aloud)(says({}), **changes)
    assert type(failure) is error
    assert server.received == []


@pytest.mark.parametrize("secret", ["AKID", ":", "AKID:", ":secret"])
async def test_a_secret_that_is_no_key_of_aws_is_told_without_showing_it(secret: str) -> None:
    async with outlet(secret) as out:
        with pytest.raises(Misconfigured, match="VENDOR_KEY") as raised:
            await TranscribeEar(out, StoppedClock()).transcribe(aws_grant(Hop.STT, "http://127.0.0.1:1"), SPEECH, language="de")
    assert "AKID:" not in str(raised.value).replace("ACCESS_KEY_ID:", "")


# --- the signature and the frames, against AWS's own examples ---------------------------------------------------------------


def test_the_signature_is_that_of_awss_own_example() -> None:
    """https://docs.aws.amazon.com/general/latest/gr/sigv4-signed-request-examples.html (a GET of IAM)."""
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "host": "iam.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
    }
    signer = Signer(ACCESS, "us-east-1", "iam", SECRET)
    url = URL("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    signature = signer.signature("GET", url, headers, empty, datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
    assert signature == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    assert SECRET not in repr(signer)


def test_a_message_without_anything_is_that_of_awss_own_example() -> None:
    assert event({}, b"") == bytes.fromhex("000000100000000005c248eb7d98c8ff")


@given(
    st.dictionaries(st.text("abc:-", min_size=1, max_size=20), st.text("xyz", max_size=30), max_size=4), st.binary(max_size=300)
)
def test_a_message_is_read_as_it_was_written(headers: dict[str, str], payload: bytes) -> None:
    assert read_event(event(headers, payload)) == (headers, payload)


@given(st.binary(max_size=200), st.integers(0, 199), st.integers(1, 255))
def test_a_damaged_message_is_never_taken(payload: bytes, at: int, change: int) -> None:
    whole = bytearray(event({":message-type": "event"}, payload))
    whole[at % len(whole)] ^= change
    with pytest.raises(EventBroken):
        read_event(bytes(whole))


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises(EventBroken):
        read_event(data)
