"""What a real client sees when the model's server misbehaves: its SDK's own typed error with our code, and none of its words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.providers.exchange import Limits
from gateway.adapters.stores.redis import Store
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.http.proxy.test_failure import Script
from tests.peers.proxy.clients import anthropic_client, openai_client
from tests.peers.proxy.misbehaving import (
    BEGUN,
    OWN_WORDS,
    Ending,
    answers,
    babbles,
    begins,
    breaks_off,
    calls_with_no_json,
    cuts,
    drips,
    ends_early,
    first_then_well,
    floods,
    garbles,
    hangs,
    says_raw,
    stalls,
)

SAID: Any = [{"role": "user", "content": "My name is Barnaby Thistlewood."}]
TOOLS: Any = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
CLAUDE_TOOLS: Any = [{"name": "look_up", "input_schema": {"type": "object"}}]
PATIENT = Limits(connect_s=20, first_byte_s=20, between_chunks_s=20, whole_s=60)
HASTY = Limits(connect_s=2, first_byte_s=2, between_chunks_s=2, whole_s=2)
LATE = {"openai": "InternalServerError", "anthropic": "GatewayTimeoutError"}
"""What each SDK makes of a 504."""
CUT_SHORT = {"openai": "APIError", "anthropic": "APIStatusError"}
"""What each SDK raises in the middle of a stream that was answered with 200."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an application has in its hands in the end. ``whole``: everything that the error tells."""

    error: str
    code: str
    words: str = ""
    retry_after: str = ""
    whole: str = field(default="", compare=False, repr=False)


Ask = Callable[[bool], Awaitable[Seen]]
"""Asks, streaming or not."""


def asks_openai(client: openai.AsyncOpenAI, model: str, heard: asyncio.Event) -> Ask:
    async def ask(streams: bool) -> Seen:
        pieces: list[str] = []
        wanted: Any = {"model": model, "messages": SAID, "tools": TOOLS}
        try:
            if not streams:
                answer = await client.chat.completions.create(**wanted)
                return Seen("", "", answer.choices[0].message.content or "")
            async for chunk in await client.chat.completions.create(**wanted, stream=True):
                pieces += [each.delta.content or "" for each in chunk.choices]
                heard.set()
        except openai.APIError as error:
            headers = error.response.headers if isinstance(error, openai.APIStatusError) else {}
            told = Seen(type(error).__name__, error.code or "", "".join(pieces), headers.get("Retry-After", ""))
            return Seen(told.error, told.code, told.words, told.retry_after, f"{error} {error.body} {headers}")
        return Seen("", "", "".join(pieces))

    return ask


def asks_anthropic(client: anthropic.AsyncAnthropic, model: str, heard: asyncio.Event) -> Ask:
    async def ask(streams: bool) -> Seen:
        pieces: list[str] = []
        wanted: Any = {"model": model, "max_tokens": 100, "messages": SAID, "tools": CLAUDE_TOOLS}
        try:
            if not streams:
                message = await client.messages.create(**wanted)
                return Seen("", "", "".join(block.text for block in message.content if block.type == "text"))
            async with client.messages.stream(**wanted) as stream:
                async for piece in stream.text_stream:
                    pieces.append(piece)
                    heard.set()
        except anthropic.APIStatusError as error:
            body: Any = error.body
            retry = error.response.headers.get("Retry-After", "") if error.response.status_code != 200 else ""
            everything = f"{error} {body} {error.response.headers}"
            return Seen(type(error).__name__, body["error"]["code"], "".join(pieces), retry, everything)
        return Seen("", "", "".join(pieces))

    return ask


@pytest.fixture
async def house(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    """Its bounds are so wide that no slow machine comes near them."""
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, limits=PATIENT) as house:
        yield house


@pytest.fixture(params=["openai", "anthropic"])
def sdk(request: pytest.FixtureRequest) -> str:
    """Each SDK in turn."""
    return str(request.param)


@pytest.fixture
def heard() -> asyncio.Event:
    """The client has got the first words of a stream."""
    return asyncio.Event()


@pytest.fixture
async def ask(sdk: str, house: ProxyHouse, heard: asyncio.Event) -> AsyncIterator[Ask]:
    async with asking(sdk, house) as ask:
        yield ask("m", heard)


@asynccontextmanager
async def asking(sdk: str, house: ProxyHouse, retries: int = 0) -> AsyncIterator[Callable[[str, asyncio.Event], Ask]]:
    """A way to ask for each model."""
    if sdk == "openai":
        async with openai_client(house, max_retries=retries) as client:
            yield partial(asks_openai, client)
    else:
        async with anthropic_client(house, max_retries=retries) as claude:
            yield partial(asks_anthropic, claude)


FAILED, BUSY = ("InternalServerError", "upstream_failed"), ("RateLimitError", "rate_limited")
BEFORE: dict[str, tuple[Script, tuple[str, str], str]] = {
    "status 500": (answers(500), FAILED, ""),
    "status 400": (answers(400), FAILED, ""),
    "status 401": (answers(401), FAILED, ""),
    "a redirect": (answers(307, Location="http://127.0.0.1:1/"), FAILED, ""),
    "status 429 with Retry-After": (answers(429, Retry_After="7"), BUSY, "7"),
    "status 429 without": (answers(429), BUSY, ""),
    "no JSON": (says_raw(f"data: {{{OWN_WORDS}\n\n"), FAILED, ""),
    "JSON that is no answer": (says_raw(f'data: ["{OWN_WORDS}"]\n\n'), FAILED, ""),
    "a web page": (says_raw(f"<p>{OWN_WORDS}</p>", "text/html"), FAILED, ""),
    "nothing at all": (says_raw(""), FAILED, ""),
    "a tool call that nobody can read": (calls_with_no_json, FAILED, ""),
}


@pytest.mark.parametrize(("script", "error", "retry_after"), BEFORE.values(), ids=BEFORE.keys())
async def test_who_fails_before_its_first_word_is_an_error_of_the_sdk_with_our_code(
    ask: Ask, model: Model, script: Script, error: tuple[str, str], retry_after: str
) -> None:
    model.script = script
    for streams in (True, False):
        seen = await ask(streams)
        assert seen == Seen(*error, retry_after=retry_after)
        assert OWN_WORDS not in seen.whole
        assert "Barnaby" not in seen.whole


MIDDLE: dict[str, Ending] = {
    "hangs up": cuts,
    "ends before its end mark": ends_early,
    "says far too much": floods,
    "reports an error of its own": breaks_off,
    "goes on with no JSON": garbles,
}


@pytest.mark.parametrize("ending", MIDDLE.values(), ids=MIDDLE.keys())
async def test_who_fails_in_the_middle_is_never_taken_for_somebody_who_has_finished(
    sdk: str, ask: Ask, heard: asyncio.Event, model: Model, ending: Ending
) -> None:
    """The words that came are kept by the application; it knows that they are not all. At once there is no half answer."""
    model.script = begins(ending, heard)
    streamed, whole = await ask(True), await ask(False)
    assert (streamed.error, streamed.code) == (CUT_SHORT[sdk], "upstream_failed")
    assert streamed.words.startswith(BEGUN)
    assert len(streamed.words) < 1_000_000
    assert whole == Seen(*FAILED)
    assert OWN_WORDS not in streamed.whole + whole.whole


async def test_who_never_ends_is_given_up_in_time(
    sdk: str, tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    """Silence from the beginning, silence in the middle, and a connection kept open by nothing."""
    never: dict[str, tuple[Script, bool, Seen]] = {
        "hangs": (hangs, True, Seen(LATE[sdk], "upstream_timeout")),
        "stalls": (begins(stalls), True, Seen(CUT_SHORT[sdk], "upstream_timeout", BEGUN)),
        "babbles": (begins(babbles), True, Seen(CUT_SHORT[sdk], "upstream_timeout", BEGUN)),
        "stalls-at-once": (begins(stalls), False, Seen(LATE[sdk], "upstream_timeout")),
    }

    async def each_its_own(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        return await never[body["model"]][0](model, request, body)

    model.script = each_its_own
    async with (
        proxy_house(tmp_path, store, detector, {"a-model": model.url}, limits=HASTY, model="*") as house,
        asking(sdk, house) as ask,
    ):
        seen = await asyncio.gather(*(ask(name, asyncio.Event())(streams) for name, (_, streams, _) in never.items()))
    assert dict(zip(never, seen, strict=True)) == {name: expected for name, (_, _, expected) in never.items()}


async def test_an_answer_byte_by_byte_is_a_whole_answer(ask: Ask, model: Model) -> None:
    model.script = drips
    assert [await ask(True), await ask(False)] == [Seen("", "", "Hello Barnaby Thistlewood!")] * 2


@pytest.mark.parametrize("first", [answers(500), begins(cuts), says_raw("")], ids=["status 500", "hangs up", "nothing at all"])
async def test_who_fails_once_before_its_first_word_is_asked_again_and_nobody_notices(
    ask: Ask, model: Model, first: Script
) -> None:
    model.script = first_then_well(first)
    assert await ask(False) == Seen("", "", "I have noted Barnaby Thistlewood.")
    assert len(model.raw) == 2


async def test_the_sdks_own_retry_waits_as_long_as_it_is_told_and_succeeds(sdk: str, house: ProxyHouse, model: Model) -> None:
    model.script = first_then_well(answers(429, Retry_After="1"))
    async with asking(sdk, house, retries=1) as ask:
        assert await ask("m", asyncio.Event())(True) == Seen("", "", "I have noted Barnaby Thistlewood.")
    assert len(model.raw) == 2
