"""Speech in OpenAI's wire format, with OpenAI's own SDK: recordings to text, texts to a voice, under the tenant's policy."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import Secrets
from gateway.audio import read_wav, wav
from gateway.policy.egress import Grant
from gateway.serving import SpeechNeeds
from gateway.values import Pcm, Private
from tests.http.proxy.house import PATIENT, ProxyHouse, proxy_house

CALLER = Path("gateway/demo/audio/name-and-address.wav")
RECORDED = CALLER.read_bytes()
SAID = "My name is Barnaby Thistlewood."
ENTRY = """
- {{id: {id}, name: Speech of this test, purpose: speech, kind: {kind}, dialect: {dialect}, {url} region: local,
   training: prohibited, retention_days: 0, receives: [{receives}], send: {send}, status: active, source: here,
   checked_on: 2026-11-21}}
"""


@dataclass(slots=True)
class Ear:
    """Hears always the same, and keeps what it was given."""

    got: list[Pcm] = field(default_factory=list)

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        self.got.append(speech.reveal())
        return Private(SAID)


@dataclass(slots=True)
class Voice:
    """Says a short silence for everything, and keeps the words."""

    rate: int = 24_000
    said: list[str] = field(default_factory=list)

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncGenerator[Pcm, None]:
        self.said.append(text.reveal())
        yield Pcm(bytes(4_800), self.rate)
        yield Pcm(bytes(4_800), self.rate)


@dataclass(slots=True)
class Elsewhere:
    """A processor that speaks OpenAI's dialect, and writes down what it got."""

    url: str = ""
    forms: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)

    async def hear(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.forms.append(
            {name: value.file.read() if isinstance(value, web.FileField) else value for name, value in form.items()}
        )
        return web.json_response({"text": SAID})

    async def say(self, request: web.Request) -> web.Response:
        self.texts.append(await request.json())
        return web.Response(body=bytes(4_801 * 2), content_type="audio/pcm")


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    there = Elsewhere()
    app = web.Application(client_max_size=32 << 20)
    app.add_routes([web.post("/v1/audio/transcriptions", there.hear), web.post("/v1/audio/speech", there.say)])
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    there.url = str(server.make_url("/v1"))
    try:
        yield there
    finally:
        await server.close()


@dataclass(slots=True)
class Talking:
    house: ProxyHouse
    client: openai.AsyncOpenAI
    ear: Ear
    voice: Voice
    there: Elsewhere


@asynccontextmanager
async def talking(
    tmp_path: Path,
    store: Store,
    detector: PresidioDetector,
    *,
    stt: str = "moonshine",
    tts: str = "[local-hibari]",
    receives: str = "",
) -> AsyncIterator[Talking]:
    """A gateway whose tenant hears by that dialect, and speaks by those processors."""
    ear, voice = Ear(), Voice()
    async with elsewhere() as there:
        url = f"base_url: {there.url!r},"
        entries = [
            ENTRY.format(id="an-ear", kind="stt", dialect=stt, url=url, receives="voice", send=json.dumps({"store": False})),
            ENTRY.format(id="local-hibari", kind="tts", dialect="hibari", url="", receives="transcript", send="{}"),
            ENTRY.format(
                id="far", kind="tts", dialect="openai", url=url, receives=receives or "masked_transcript", send='{"voice": "ash"}'
            ),
        ]
        more = {"speech": SpeechNeeds({"moonshine": ear}, {"hibari": voice}, Secrets(tmp_path, {}), PATIENT)}
        urls = {"a-model": there.url}
        async with proxy_house(
            tmp_path, store, detector, urls, more=more, entries="".join(entries), routes=_routes(tts)
        ) as house:
            client = openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0)
            async with client:
                yield Talking(house, client, ear, voice, there)


def _routes(tts: str) -> str:
    names = [name.strip() for name in tts.strip("[]").split(",")]
    return (
        "  stt: [{processor: an-ear, model: whisper-1}]\n"
        + "  tts: ["
        + ", ".join(f"{{processor: {name}, model: tts-1}}" for name in names)
        + "]\n"
    )


async def test_a_recording_comes_back_as_the_words_that_were_said(
    tmp_path: Path, store: Store, detector: PresidioDetector
) -> None:
    async with talking(tmp_path, store, detector) as t:
        got = await t.client.audio.transcriptions.with_raw_response.create(model="whisper-1", file=CALLER, prompt="Ann Lee")
        assert got.parse().text == SAID
        assert t.ear.got == [read_wav(CALLER)]
        assert got.headers["X-Sordino-Processor"] == "an-ear"
        assert got.headers["X-Sordino-Dropped"] == "prompt"
        kinds = [entry.draft.kind for entry in await t.house.entries(got.headers["X-Sordino-Call"])]
        assert kinds == ["call.started", "hop"]


async def test_a_client_may_ask_for_the_masked_words(tmp_path: Path, store: Store, detector: PresidioDetector) -> None:
    async with talking(tmp_path, store, detector) as t:
        headers = {"X-Sordino-Mask": "true", "X-Sordino-Call": "room-1"}
        got = await t.client.audio.transcriptions.with_raw_response.create(model="whisper-1", file=CALLER, extra_headers=headers)
        assert got.parse().text == "My name is <PERSON_1>."
        assert got.headers["X-Sordino-Masked"] == "1"
        spoken = await t.client.audio.speech.create(
            model="tts-1",
            voice="heart",
            input="Hello <PERSON_1>!",
            response_format="wav",
            extra_headers={"X-Sordino-Call": "room-1"},
        )
        assert t.voice.said == ["Hello Barnaby Thistlewood!"]
        assert read_wav(spoken.content) == Pcm(bytes(9_600), 24_000)


@pytest.mark.parametrize(("kind", "reads"), [("text", str), ("verbose_json", None)])
async def test_other_forms_of_a_transcript(
    tmp_path: Path, store: Store, detector: PresidioDetector, kind: Any, reads: type | None
) -> None:
    async with talking(tmp_path, store, detector) as t:
        got: Any = await t.client.audio.transcriptions.create(model="whisper-1", file=CALLER, response_format=kind)
        if reads is str:
            assert got.strip() == SAID
        else:
            assert (got.text, round(got.duration, 1)) == (SAID, round(read_wav(CALLER).ms / 1000, 1))


@pytest.mark.parametrize("kind", ["srt", "vtt"])
async def test_times_that_nobody_knows_are_refused(tmp_path: Path, store: Store, detector: PresidioDetector, kind: Any) -> None:
    async with talking(tmp_path, store, detector) as t:
        with pytest.raises(openai.BadRequestError, match="times of words"):
            await t.client.audio.transcriptions.create(model="whisper-1", file=CALLER, response_format=kind)
        assert t.ear.got == []


@pytest.mark.parametrize("file", [b"ID3\x04 an mp3", b"", b"RIFF\x00\x00\x00\x00WAVE", wav(Pcm(b"", 16_000))])
async def test_what_is_no_recording_is_refused_with_a_sentence(
    tmp_path: Path, store: Store, detector: PresidioDetector, file: bytes
) -> None:
    async with talking(tmp_path, store, detector) as t:
        with pytest.raises(openai.BadRequestError) as caught:
            await t.client.audio.transcriptions.create(model="whisper-1", file=("speech.wav", file))
        assert caught.value.code == "invalid_request"
        assert t.ear.got == []


async def test_too_much_is_refused(tmp_path: Path, store: Store, detector: PresidioDetector) -> None:
    async with talking(tmp_path, store, detector) as t:
        with pytest.raises(openai.APIStatusError) as caught:
            await t.client.audio.transcriptions.create(model="whisper-1", file=("speech.wav", bytes((25 << 20) + 1)))
        assert (caught.value.status_code, caught.value.code) == (413, "payload_too_large")


async def test_a_processor_of_openais_dialect_hears_with_its_flags_and_without_the_clients_file_name(
    tmp_path: Path, store: Store, detector: PresidioDetector
) -> None:
    async with talking(tmp_path, store, detector, stt="openai") as t:
        got = await t.client.audio.transcriptions.create(model="whisper-1", file=("Ann Lee.wav", RECORDED))
        assert got.text == SAID
        (form,) = t.there.forms
        assert read_wav(form.pop("file")) == read_wav(CALLER)
        assert form == {"model": "whisper-1", "language": "en", "response_format": "json", "store": "false"}


@pytest.mark.parametrize("kind", ["mp3", "opus", "aac", "flac", "wav", "pcm"])
async def test_every_format_of_speech(tmp_path: Path, store: Store, detector: PresidioDetector, kind: Any) -> None:
    begins = {"mp3": b"ID3", "opus": b"OggS", "aac": b"\xff\xf1", "flac": b"fLaC", "wav": b"RIFF", "pcm": b"\0"}
    async with talking(tmp_path, store, detector) as t:
        got = await t.client.audio.speech.create(model="tts-1", voice="alloy", input="We open at nine.", response_format=kind)
        assert got.content.startswith(begins[kind])
        assert t.voice.said == ["We open at nine."]


async def test_a_voice_that_may_not_have_personal_data_gets_none(
    tmp_path: Path, store: Store, detector: PresidioDetector
) -> None:
    async with talking(tmp_path, store, detector, tts="[far, local-hibari]") as t:
        await t.client.audio.speech.create(model="tts-1", voice="alloy", input="We open at nine.", response_format="wav")
        await t.client.audio.speech.create(
            model="tts-1", voice="alloy", input="Hello Barnaby Thistlewood, we open at nine.", response_format="wav"
        )
        (body,) = t.there.texts
        assert body == {
            "model": "tts-1", "voice": "ash", "input": "We open at nine.", "response_format": "pcm",
        }  # fmt: skip
        assert t.voice.said == ["Hello Barnaby Thistlewood, we open at nine."]


async def test_without_a_voice_that_may_the_words_stay_here(tmp_path: Path, store: Store, detector: PresidioDetector) -> None:
    async with talking(tmp_path, store, detector, tts="[far]") as t:
        with pytest.raises(openai.PermissionDeniedError) as caught:
            await t.client.audio.speech.create(model="tts-1", voice="alloy", input="Hello Barnaby Thistlewood.")
        assert caught.value.code == "no_permitted_route"
        assert t.there.texts == []


async def test_another_speed_is_refused(tmp_path: Path, store: Store, detector: PresidioDetector) -> None:
    async with talking(tmp_path, store, detector) as t:
        with pytest.raises(openai.BadRequestError, match="one speed"):
            await t.client.audio.speech.create(model="tts-1", voice="alloy", input="Hi.", speed=2)
