"""Who hears or speaks fails: another one does it, whoever fails often is left alone, and nobody takes half for the whole."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.providers.exchange import Limits
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import SystemClock
from gateway.audio import read_wav
from gateway.evidence.chain import verify_chain
from gateway.tasks import TaskOwner
from gateway.values import Pcm, TenantId
from tests.http.proxy.far_speech import SOUND, Far, SpeechHouse, speech_house, well
from tests.http.proxy.model import Model
from tests.http.proxy.test_audio import CALLER

WITHIN_S = 60
OWN_WORDS = "the processor's own words"
NAMED = {"X-Sordino-Call": "room-1"}
Opening = Callable[..., AbstractAsyncContextManager[SpeechHouse]]


@pytest.fixture
def opening(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> Opening:
    return partial(speech_house, tmp_path, store, detector, model)


@pytest.fixture
async def two(opening: Opening) -> AsyncIterator[SpeechHouse]:
    """A processor elsewhere, and behind it this machine."""
    async with opening() as two:
        yield two


class Stopped(SystemClock):
    """However long a request takes, no time has passed for the circuit breaker."""

    at = 1_000.0

    def monotonic(self) -> float:
        return self.at


async def ask(two: SpeechHouse, way: str, **more: Any) -> tuple[int, bytes, dict[str, str]]:
    """A recording to text, or a text to a voice: status, body and headers."""
    data: Any = None
    headers = {"Authorization": f"Bearer {two.house.key}", **NAMED}
    if way == "transcriptions":
        form = aiohttp.FormData(more)
        form.add_field("model", "m")
        form.add_field("file", CALLER.read_bytes(), filename="speech.wav")
        data = form
    else:
        data = json.dumps({"model": "m", "voice": "ash", "input": "We open at nine.", "response_format": "wav", **more})
    async with (
        asyncio.timeout(WITHIN_S),
        aiohttp.ClientSession() as session,
        session.post(f"{two.house.url}/v1/audio/{way}", data=data, headers=headers) as response,
    ):
        return response.status, await response.read(), dict(response.headers)


def answers(status: int, **headers: str) -> Any:
    async def script(far: Far, request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": OWN_WORDS}}, status=status, headers=named)

    return script


async def hangs(far: Far, request: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def is_silent(far: Far, request: web.Request) -> web.StreamResponse:
    """Answers with what is neither words nor sound."""
    return web.Response(text=OWN_WORDS, content_type="text/html")


async def cuts(far: Far, request: web.Request) -> web.StreamResponse:
    """Hangs up in the middle of a word."""
    response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
    await response.prepare(request)
    await response.write(SOUND[:4_800])
    assert request.transport is not None
    request.transport.close()
    return response


FAILURES = {"500": (answers(500), 2), "400": (answers(400), 1), "429": (answers(429), 1), "no sound": (is_silent, 2)}
WAYS = pytest.mark.parametrize("way", ["transcriptions", "speech"])


@WAYS
@pytest.mark.parametrize(("script", "tries"), FAILURES.values(), ids=FAILURES.keys())
async def test_another_one_does_it_under_a_grant_of_its_own(two: SpeechHouse, way: str, script: Any, tries: int) -> None:
    two.far.scripts = [script]
    status, body, headers = await ask(two, way)
    assert status == 200, body
    assert headers["X-Sordino-Processor"].startswith("here-")
    assert OWN_WORDS.encode() not in body
    hops = [each.draft.body["grant"] for each in await two.house.entries() if each.draft.kind == "hop"]
    assert len(two.far.raw) == tries
    assert [hop["processor"][:4] for hop in hops] == ["far-"] * tries + ["here"]  # type: ignore[index,call-overload]
    assert len({hop["id"] for hop in hops}) == len(hops)  # type: ignore[index,call-overload]


@WAYS
async def test_a_failure_that_passes_is_tried_once_more(two: SpeechHouse, way: str) -> None:
    two.far.scripts = [answers(500), well]
    status, _, headers = await ask(two, way)
    assert (status, headers["X-Sordino-Processor"][:4], len(two.far.raw)) == (200, "far-", 2)


@WAYS
async def test_who_never_answers_is_not_waited_for(opening: Opening, way: str) -> None:
    async with opening(limits=Limits(first_byte_s=0.5, between_chunks_s=0.5, whole_s=0.5)) as two:
        two.far.scripts = [hangs]
        status, _, headers = await ask(two, way)
        assert (status, headers["X-Sordino-Processor"][:4]) == (200, "here")
        assert len(two.far.raw) <= 1


@WAYS
async def test_who_fails_often_is_left_alone_for_a_while(opening: Opening, way: str) -> None:
    clock = Stopped()
    async with opening(clock=clock) as two:
        two.far.scripts = [answers(500)]
        for _ in range(3):
            assert (await ask(two, way))[0] == 200
        asked = len(two.far.raw)
        assert (await ask(two, way))[2]["X-Sordino-Processor"].startswith("here-")
        assert len(two.far.raw) == asked
        two.far.scripts = []
        clock.at += 11
        assert (await ask(two, way))[2]["X-Sordino-Processor"].startswith("far-")


async def test_without_anybody_else_the_client_is_told_when_to_come_again(opening: Opening) -> None:
    way = "transcriptions"
    async with opening(clock=Stopped(), route=("far",)) as two:
        two.far.scripts = [answers(500)]
        for _ in range(3):
            status, body, _ = await ask(two, way)
            assert (status, json.loads(body)["error"]["code"]) == (502, "upstream_failed")
            assert OWN_WORDS.encode() not in body
        asked = len(two.far.raw)
        status, body, headers = await ask(two, way)
        assert (status, json.loads(body)["error"]["code"], headers["Retry-After"]) == (429, "rate_limited", "10")
        assert len(two.far.raw) == asked


async def test_an_ear_that_rests_leaves_the_voice_alone(opening: Opening) -> None:
    async with opening(clock=Stopped()) as two:
        two.far.scripts = [answers(500)]
        for _ in range(3):
            await ask(two, "transcriptions")
        two.far.scripts = []
        assert (await ask(two, "speech"))[2]["X-Sordino-Processor"] == "far-voice"


async def test_a_processor_with_no_room_says_how_long(opening: Opening) -> None:
    async with opening(route=("far",)) as two:
        two.far.scripts = [answers(429, Retry_After="7")]
        status, _, headers = await ask(two, "speech")
        assert (status, headers["Retry-After"], len(two.far.raw)) == (429, "7", 1)


# --- in the middle of speech ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"stream_format": "sse"}], ids=["raw", "sse"])
async def test_speech_that_breaks_off_is_no_whole_speech(opening: Opening, more: dict[str, str]) -> None:
    async with opening(route=("far",)) as two:
        two.far.scripts = [cuts]
        with pytest.raises(aiohttp.ClientError):
            await ask(two, "speech", response_format="pcm", **more)


async def test_a_file_that_would_be_half_is_an_error(opening: Opening) -> None:
    async with opening(route=("far",)) as two:
        two.far.scripts = [cuts]
        status, body, _ = await ask(two, "speech")
        assert (status, json.loads(body)["error"]["code"]) == (502, "upstream_failed")


async def test_voices_that_break_off_are_left_alone_too(opening: Opening) -> None:
    async with opening(clock=Stopped()) as two:
        two.far.scripts = [cuts]
        for _ in range(5):
            assert (await ask(two, "speech"))[0] == 502
        assert (await ask(two, "speech"))[2]["X-Sordino-Processor"] == "here-voice"


@pytest.mark.parametrize("kind", ["pcm", "wav"])
async def test_speech_as_events(two: SpeechHouse, kind: str) -> None:
    """As OpenAI's newer voices stream, and LiveKit's plugin asks for."""
    status, body, headers = await ask(two, "speech", response_format=kind, stream_format="sse")
    assert (status, headers["Content-Type"]) == (200, "text/event-stream; charset=utf-8")
    *events, empty = body.decode().split("\n\n")
    found = [json.loads(each.removeprefix("data: ")) for each in events]
    assert (found[-1]["type"], empty) == ("speech.audio.done", "")
    sound = b"".join(base64.b64decode(each["audio"]) for each in found[:-1])
    assert (read_wav(sound) if kind == "wav" else Pcm(sound, 24_000)) == Pcm(SOUND, 24_000)


# --- a client that hangs up -----------------------------------------------------------------------------------------------


@WAYS
async def test_who_hangs_up_costs_nothing_more_and_the_conversation_goes_on(two: SpeechHouse, way: str) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def waits(far: Far, request: web.Request) -> web.StreamResponse:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        raise AssertionError

    two.far.scripts = [waits, well]
    async with asyncio.timeout(WITHIN_S), TaskOwner("test", on_failure=lambda name, failure: None) as tasks:
        tasks.start(ask(two, way), name="ask")
        await begun.wait()
    async with asyncio.timeout(WITHIN_S):
        await gone.wait()
    assert (await ask(two, "transcriptions"))[0] == 200
    assert (await ask(two, way))[0] == 200
    assert verify_chain(await two.house.entries(), tenant=TenantId("acme")).stray == ()
