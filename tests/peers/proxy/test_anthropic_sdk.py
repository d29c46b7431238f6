"""Anthropic's own SDK, pointed at the gateway, before a processor of either dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import anthropic
import pytest
from pydantic import BaseModel

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from tests.http.proxy.anthropic_model import speaks_anthropic
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.peers.proxy.clients import anthropic_client
from tests.peers.proxy.conversation import SYSTEM, TOOL, TOOL_DESCRIPTION, TOOL_SCHEMA, LookUp, hold
from tests.peers.proxy.people import leaked

TOOLS: Any = [{"name": TOOL, "description": TOOL_DESCRIPTION, "input_schema": TOOL_SCHEMA}]
WHO: Any = [{"role": "user", "content": 'My name is Barnaby Thistlewood and my password is Wal"rus8842x.'}]
NOTED = 'I have noted Barnaby Thistlewood, Wal"rus8842x.'
MOST = 1_000


@pytest.fixture(params=["openai", "anthropic"])
async def either(
    request: pytest.FixtureRequest, tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> AsyncIterator[ProxyHouse]:
    """A processor of each dialect in turn."""
    model.script = speaks_anthropic if request.param == "anthropic" else None
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, dialects={"a-model": request.param}) as house:
        yield house


@pytest.fixture
async def client(either: ProxyHouse) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic_client(either) as client:
        yield client


@pytest.fixture
def waiting(either: ProxyHouse) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=either.url, api_key=either.key, max_retries=0, timeout=60) as client:
        yield client


class Talk:
    """What an application keeps of a conversation."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.look_up = LookUp()

    def user(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})

    def assistant(self, message: anthropic.types.Message) -> bool:
        """Whether the turn has come to its end; tools are run otherwise."""
        self.messages.append({"role": "assistant", "content": message.content})
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": self.look_up(**cast("Any", block.input))}
            for block in message.content
            if block.type == "tool_use"
        ]
        if results:
            self.messages.append({"role": "user", "content": results})
        assert (message.stop_reason == "tool_use") is bool(results)
        return not results


def words(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


async def test_a_whole_conversation(client: anthropic.AsyncAnthropic, model: Model) -> None:
    talk = Talk()

    async def say(text: str) -> str:
        talk.user(text)
        while True:
            message = await client.messages.create(model="m", max_tokens=MOST, system=SYSTEM, messages=talk.messages, tools=TOOLS)
            if talk.assistant(message):
                return words(message)

    await hold(say, model, talk.look_up)


async def test_a_whole_conversation_that_streams(client: anthropic.AsyncAnthropic, model: Model) -> None:
    """The SDK's own helper puts the pieces together, a tool's input too."""
    talk = Talk()

    async def say(text: str) -> str:
        talk.user(text)
        while True:
            async with client.messages.stream(
                model="m",
                max_tokens=MOST,
                system=SYSTEM,
                messages=talk.messages,
                tools=TOOLS,
                extra_headers={"X-Sordino-Call": "anthropic-sdk-1"},
            ) as stream:
                pieces = [piece async for piece in stream.text_stream]
                message = await stream.get_final_message()
            assert "".join(pieces) == words(message)
            if talk.assistant(message):
                return "".join(pieces)

    await hold(say, model, talk.look_up)


async def test_the_client_that_waits_is_served_too(waiting: anthropic.Anthropic, model: Model) -> None:
    def both() -> tuple[str, str]:
        whole = waiting.messages.create(model="m", max_tokens=MOST, messages=WHO)
        with waiting.messages.stream(model="m", max_tokens=MOST, messages=WHO) as stream:
            return words(whole), "".join(stream.text_stream)

    assert await asyncio.to_thread(both) == (NOTED, NOTED)
    assert leaked(model.raw) == []


async def test_a_tool_that_must_be_called_gets_real_values(client: anthropic.AsyncAnthropic, model: Model) -> None:
    model.calls = [{"name": TOOL, "arguments": {"notes": ["<PERSON_1>"], "reason": 'it is "<PASSWORD_1>"'}}]
    message = await client.messages.create(
        model="m", max_tokens=MOST, messages=WHO, tools=TOOLS, tool_choice={"type": "tool", "name": TOOL}
    )
    (call,) = message.content
    assert call.type == "tool_use"
    assert call.input == {"notes": ["Barnaby Thistlewood"], "reason": 'it is "Wal"rus8842x"'}
    assert leaked(model.raw) == []


class Caller(BaseModel):
    """Who is calling."""

    name: str
    password: str


async def test_an_answer_in_a_schema_becomes_an_object_with_real_values(client: anthropic.AsyncAnthropic, model: Model) -> None:
    model.says = lambda body: '{"name": "<PERSON_1>", "password": "<PASSWORD_1>"}'
    answer = await client.messages.parse(model="m", max_tokens=MOST, messages=WHO, output_format=Caller)
    assert answer.parsed_output == Caller(name="Barnaby Thistlewood", password='Wal"rus8842x')
    assert leaked(model.raw) == []


async def test_headers_say_who_was_asked_and_how_much_was_masked(client: anthropic.AsyncAnthropic) -> None:
    raw = await client.messages.with_raw_response.create(model="m", max_tokens=MOST, messages=WHO)
    told = {name: raw.headers[f"X-Sordino-{name}"] for name in ("Processor", "Region", "Masked")}
    assert told == {"Processor": "a-model", "Region": "local", "Masked": "2"}
    assert raw.headers["X-Sordino-Call"].startswith("call_")
    assert len(raw.headers["X-Sordino-Policy"]) == 64


async def test_counts_of_tokens_are_the_processors(client: anthropic.AsyncAnthropic) -> None:
    async with client.messages.stream(model="m", max_tokens=MOST, messages=WHO) as stream:
        streamed = (await stream.get_final_message()).usage
    whole = (await client.messages.create(model="m", max_tokens=MOST, messages=WHO)).usage
    assert (whole.input_tokens, whole.output_tokens) == (12, 7)
    assert (streamed.input_tokens, streamed.output_tokens) == (12, 7)
