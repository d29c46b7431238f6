"""OpenAI's own SDK, pointed at the gateway by its base URL: at once and streamed, waiting and not, with tools and schemas."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageToolCall
from pydantic import BaseModel

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.proxy.clients import openai_client
from tests.peers.proxy.conversation import SYSTEM, TOOL, TOOL_DESCRIPTION, TOOL_SCHEMA, LookUp, hold
from tests.peers.proxy.people import leaked

TOOLS: Any = [{"type": "function", "function": {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA}}]
NAMED = {"X-Sordino-Call": "openai-sdk-1"}
WHO = 'My name is Barnaby Thistlewood and my password is Wal"rus8842x.'


@pytest.fixture
async def client(house: ProxyHouse) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai_client(house) as client:
        yield client


@pytest.fixture
def waiting(house: ProxyHouse) -> Iterator[openai.OpenAI]:
    """The client that blocks its thread."""
    with openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0, timeout=60) as client:
        yield client


class Talk:
    """What an application keeps of a conversation."""

    def __init__(self) -> None:
        self.messages: list[Any] = [{"role": "system", "content": SYSTEM}]
        self.look_up = LookUp()

    def user(self, text: str) -> None:
        self.messages.append({"role": "user", "content": text})

    def assistant(self, said: Any) -> bool:
        """Whether the turn has come to its end; tools are run otherwise."""
        self.messages.append(said)
        for call in said.tool_calls or ():
            assert isinstance(call, ChatCompletionMessageToolCall)
            result = self.look_up(**json.loads(call.function.arguments))
            self.messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        return not said.tool_calls


@pytest.mark.parametrize("headers", [{}, NAMED], ids=["nameless", "named"])
async def test_a_whole_conversation(client: openai.AsyncOpenAI, model: Model, headers: dict[str, str]) -> None:
    talk = Talk()

    async def say(text: str) -> str:
        talk.user(text)
        while True:
            answer = await client.chat.completions.create(model="m", messages=talk.messages, tools=TOOLS, extra_headers=headers)
            if talk.assistant(answer.choices[0].message):
                return answer.choices[0].message.content or ""

    await hold(say, model, talk.look_up)


async def test_a_whole_conversation_that_streams(client: openai.AsyncOpenAI, model: Model) -> None:
    """The SDK's own helper puts the pieces together, tool calls too."""
    talk = Talk()

    async def say(text: str) -> str:
        talk.user(text)
        while True:
            async with client.chat.completions.stream(
                model="m", messages=talk.messages, tools=TOOLS, extra_headers=NAMED
            ) as stream:
                pieces = [event.delta async for event in stream if event.type == "content.delta"]
                answer = await stream.get_final_completion()
            said = answer.choices[0].message
            assert "".join(pieces) == (said.content or "")
            if talk.assistant(said):
                return "".join(pieces)

    await hold(say, model, talk.look_up)


async def test_a_whole_conversation_with_the_client_that_waits(waiting: openai.OpenAI, model: Model) -> None:
    talk = Talk()

    def turn() -> str:
        while True:
            answer = waiting.chat.completions.create(model="m", messages=talk.messages, tools=TOOLS)
            if talk.assistant(answer.choices[0].message):
                return answer.choices[0].message.content or ""

    async def say(text: str) -> str:
        talk.user(text)
        return await asyncio.to_thread(turn)

    await hold(say, model, talk.look_up)


async def test_the_client_that_waits_streams_too(waiting: openai.OpenAI, model: Model) -> None:
    def answer() -> str:
        stream = waiting.chat.completions.create(model="m", messages=[{"role": "user", "content": WHO}], stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert await asyncio.to_thread(answer) == 'I have noted Barnaby Thistlewood, Wal"rus8842x.'
    assert leaked(model.raw) == []


async def test_pieces_of_a_tool_call_make_one_with_real_values(client: openai.AsyncOpenAI, model: Model) -> None:
    model.piece = 1
    model.calls = [
        {"name": TOOL, "arguments": {"notes": ["<PERSON_1>", "<PASSWORD_1>"], "reason": f"call {n}"}} for n in range(2)
    ]
    stream = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": WHO}], tools=TOOLS, stream=True
    )
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    async for chunk in stream:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                assert call.function is not None
                names[call.index] = names.get(call.index, "") + (call.function.name or "")
                arguments[call.index] = arguments.get(call.index, "") + (call.function.arguments or "")
    assert names == {0: TOOL, 1: TOOL}
    read = [json.loads(each) for each in arguments.values()]
    assert read == [{"notes": ["Barnaby Thistlewood", 'Wal"rus8842x'], "reason": f"call {n}"} for n in range(2)]
    assert leaked(model.raw) == []


class Caller(BaseModel):
    """Who is calling, for example Barnaby Thistlewood."""

    name: str
    password: str


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
async def test_an_answer_in_a_schema_becomes_an_object_with_real_values(
    client: openai.AsyncOpenAI, model: Model, streams: bool
) -> None:
    """Also where a value holds a quotation mark, which must be escaped in JSON."""
    model.says = lambda body: json.dumps({"name": "<PERSON_1>", "password": "<PASSWORD_1>"})
    messages: Any = [{"role": "user", "content": WHO}]
    if streams:
        async with client.chat.completions.stream(model="m", messages=messages, response_format=Caller) as stream:
            answer = await stream.get_final_completion()
    else:
        answer = await client.chat.completions.parse(model="m", messages=messages, response_format=Caller)
    assert answer.choices[0].message.parsed == Caller(name="Barnaby Thistlewood", password='Wal"rus8842x')
    assert leaked(model.raw) == []
    sent = model.bodies[0]["response_format"]
    assert (sent["type"], sent["json_schema"]["strict"]) == ("json_schema", True)
    assert sent["json_schema"]["schema"]["required"] == ["name", "password"]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
async def test_several_answers_are_each_restored(client: openai.AsyncOpenAI, model: Model, streams: bool) -> None:
    messages: Any = [{"role": "user", "content": WHO}]
    if streams:
        async with client.chat.completions.stream(model="m", messages=messages, n=3) as stream:
            choices: Any = (await stream.get_final_completion()).choices
    else:
        choices = (await client.chat.completions.create(model="m", messages=messages, n=3)).choices
    assert [(each.index, each.message.content) for each in choices] == [
        (n, 'I have noted Barnaby Thistlewood, Wal"rus8842x.') for n in range(3)
    ]


async def test_headers_say_who_was_asked_and_how_much_was_masked(client: openai.AsyncOpenAI, house: ProxyHouse) -> None:
    raw = await client.chat.completions.with_raw_response.create(model="m", messages=[{"role": "user", "content": WHO}])
    told = {name: raw.headers[f"X-Sordino-{name}"] for name in ("Processor", "Region", "Masked")}
    assert told == {"Processor": "a-model", "Region": "local", "Masked": "2"}
    assert raw.headers["X-Sordino-Call"].startswith("call_")
    assert len(raw.headers["X-Sordino-Policy"]) == 64
    async with client.chat.completions.with_streaming_response.create(
        model="m", messages=[{"role": "user", "content": WHO}], stream=True
    ) as streamed:
        assert streamed.headers["X-Sordino-Masked"] == "2"
    assert house.key not in str(raw.headers)


async def test_counts_of_tokens_are_the_processors(client: openai.AsyncOpenAI) -> None:
    answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "Hello"}])
    assert answer.usage is not None
    stream = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "Hello"}], stream=True, stream_options={"include_usage": True}
    )
    last = [chunk async for chunk in stream][-1]
    assert (last.choices, last.usage) == ([], answer.usage)
    assert answer.usage.total_tokens == 19


async def test_the_tenants_models_are_listed(client: openai.AsyncOpenAI) -> None:
    assert [each.id async for each in client.models.list()] == ["small"]
    assert (await client.models.retrieve("small")).owned_by == "a-model"


async def test_azures_client_finds_its_own_path(house: ProxyHouse, model: Model) -> None:
    async with openai.AsyncAzureOpenAI(
        azure_endpoint=house.url, api_key=house.key, api_version="2024-10-21", max_retries=0, timeout=60
    ) as client:
        answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": WHO}])
    assert answer.choices[0].message.content == 'I have noted Barnaby Thistlewood, Wal"rus8842x.'
    assert leaked(model.raw) == []
