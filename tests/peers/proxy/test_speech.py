"""Speech of real clients, pointed at the gateway by their base URL: OpenAI's SDK, LiveKit's plugins, curl.

One conversation goes through all three hops: what a caller said is a masked text, the model sees that alone, and the caller
hears the names again.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import openai
import pytest
from livekit import rtc
from livekit.agents import APIConnectOptions, APIStatusError
from livekit.agents.stt import SpeechEventType
from livekit.plugins import openai as plugin

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.audio import read_wav
from gateway.values import Pcm
from tests.http.proxy.far_speech import SOUND, SpeechHouse, speech_house
from tests.http.proxy.model import Model
from tests.http.proxy.test_audio import CALLER
from tests.peers.proxy.clients import openai_client
from tests.peers.proxy.conversation import knows_all
from tests.peers.proxy.people import SPOKEN, WRITTEN, Secret, leaked, missing

CURL = shutil.which("curl")
WITHIN_S = 60
NAMED = {"X-Sordino-Call": "room-1"}
MASKED = {**NAMED, "X-Sordino-Mask": "true"}
ONCE = APIConnectOptions(max_retry=0, timeout=WITHIN_S)
SAID = " ".join(each.said for each in WRITTEN)
HEARD = ", and ".join(each.said for each in SPOKEN)


@pytest.fixture
async def far(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[SpeechHouse]:
    """Ears elsewhere, and a voice elsewhere that may not have transcripts; a voice on this machine behind it."""
    async with speech_house(tmp_path, store, detector, model, receives="masked_transcript") as far:
        yield far


@pytest.fixture
async def client(far: SpeechHouse) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai_client(far.house) as client:
        yield client


@pytest.mark.parametrize(("heard", "secrets"), [(SAID, WRITTEN), (HEARD, SPOKEN)], ids=["written", "spoken"])
async def test_what_was_said_goes_masked_to_the_model_and_comes_back_spoken(
    client: openai.AsyncOpenAI, far: SpeechHouse, model: Model, heard: str, secrets: tuple[Secret, ...]
) -> None:
    """Thirty kinds of personal data: the ear that may hear the voice, and the voice on this machine, had them; not the model, not
    the voice elsewhere, and not even the client's own program.
    """
    far.far.hears, model.script = heard, knows_all
    text = await client.audio.transcriptions.create(model="whisper-1", file=CALLER, extra_headers=MASKED)
    assert leaked([text.text.encode()]) == []
    answer = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": text.text}], extra_headers=NAMED
    )
    said = answer.choices[0].message.content or ""
    assert leaked([said.encode(), model.record, *model.raw]) == []
    got = len(far.far.raw)
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="ash", input=said, response_format="pcm", extra_headers=NAMED
    ) as streamed:
        assert await streamed.read()
    assert far.far.raw[got:] == []
    assert missing(far.voice.said, secrets) == []


async def test_a_transcript_of_the_sdk_is_what_was_said(client: openai.AsyncOpenAI, far: SpeechHouse) -> None:
    far.far.hears = SAID
    text = await client.audio.transcriptions.create(model="whisper-1", file=("Odette Ravensworth.wav", CALLER.read_bytes()))
    assert text.text == SAID
    assert leaked(far.far.raw) == []


async def test_the_sdk_streams_a_voice_that_gets_nothing_private(client: openai.AsyncOpenAI, far: SpeechHouse) -> None:
    async with client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="ash", input="We open at nine.", response_format="pcm", instructions="Speak to Odette Ravensworth."
    ) as streamed:
        assert b"".join([piece async for piece in streamed.iter_bytes()]) == SOUND
        assert streamed.headers["X-Sordino-Processor"] == "far-voice"
        assert streamed.headers["X-Sordino-Dropped"] == "instructions"
    assert leaked(far.far.raw) == []


def frames() -> rtc.AudioFrame:
    pcm = read_wav(CALLER)
    return rtc.AudioFrame(pcm.samples, pcm.rate, 1, len(pcm.samples) // 2)


@pytest.mark.parametrize("name", ["whisper-1", "gpt-4o-mini-transcribe"])
async def test_livekits_ear(client: openai.AsyncOpenAI, far: SpeechHouse, name: str) -> None:
    far.far.hears = SAID
    ear = plugin.STT(model=name, client=client, prompt="Odette Ravensworth", language="en")
    heard = await ear.recognize(frames(), conn_options=ONCE)
    assert heard.type is SpeechEventType.FINAL_TRANSCRIPT
    assert heard.alternatives[0].text == SAID
    assert leaked(far.far.raw) == []


@pytest.mark.parametrize("name", ["tts-1", "gpt-4o-mini-tts"], ids=["sound", "events"])
@pytest.mark.parametrize("form", ["pcm", "wav", "mp3"])
async def test_livekits_voice(client: openai.AsyncOpenAI, far: SpeechHouse, name: str, form: str) -> None:
    """The newer models' voices are asked for as events; each frame is sound that can be played."""
    voice = plugin.TTS(model=name, voice="ash", client=client, response_format=form)
    async with asyncio.timeout(WITHIN_S), voice.synthesize("We open at nine.", conn_options=ONCE) as spoken:
        pieces = [event.frame async for event in spoken]
    assert {piece.sample_rate for piece in pieces} == {24_000}
    length_ms = sum(piece.duration for piece in pieces) * 1000
    assert length_ms >= Pcm(SOUND, 24_000).ms - 1
    assert leaked(far.far.raw) == []


async def test_an_error_is_livekits_own_with_the_status(client: openai.AsyncOpenAI, far: SpeechHouse) -> None:
    voice = plugin.TTS(model="tts-1", voice="ash", client=client, response_format="pcm", speed=2)
    async with asyncio.timeout(WITHIN_S), voice.synthesize("We open at nine.", conn_options=ONCE) as spoken:
        with pytest.raises(APIStatusError) as caught:
            await spoken.collect()
    assert caught.value.status_code == 400


# --- curl -----------------------------------------------------------------------------------------------------------------


async def curl(*arguments: str) -> bytes:
    """What curl prints. Raises AssertionError when it fails."""
    assert CURL is not None
    command = (CURL, "--silent", "--show-error", "--noproxy", "*", "--max-time", str(WITHIN_S))
    process = await asyncio.create_subprocess_exec(*command, *arguments, stdout=PIPE, stderr=PIPE)
    out, error = await process.communicate()
    assert process.returncode == 0, error
    return out


@pytest.mark.skipif(CURL is None, reason="curl is not installed here")
async def test_curl_sends_a_file_and_saves_one(far: SpeechHouse, tmp_path: Path) -> None:
    far.far.hears = SAID
    key, url = f"Authorization: Bearer {far.house.key}", f"{far.house.url}/v1/audio"
    mask = [part for name, value in MASKED.items() for part in ("-H", f"{name}: {value}")]
    out = await curl("-H", key, *mask, "-F", f"file=@{CALLER}", "-F", "model=whisper-1", f"{url}/transcriptions")
    masked = json.loads(out)["text"]
    assert leaked([masked.encode()]) == []
    saved = tmp_path / "said.wav"
    body = json.dumps({"model": "tts-1", "voice": "ash", "input": masked, "response_format": "wav"})
    await curl("-H", key, *mask[:2], "-H", "Content-Type: application/json", "-d", body, "-o", str(saved), f"{url}/speech")
    assert read_wav(saved.read_bytes()).ms > 0
    assert missing(far.voice.said, WRITTEN) == []
