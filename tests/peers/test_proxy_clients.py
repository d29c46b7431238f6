"""Real clients, unchanged but for their base URL: whole conversations with every kind of data, written and spoken.

The model's record holds none of it, and each client gets all of it back.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import openai
import pydantic
import pytest

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.kinds import KINDS

Turn = Callable[[list[dict[str, Any]]], Awaitable[str]]
SYSTEM = {"role": "system", "content": "Answer in one sentence."}
AT_ONCE = 5
"""How many kinds a caller tells in one turn: eight turns tell them all."""


def repeats(body: dict[str, Any]) -> str:
    """A model that says its caller's last turn again."""
    content = body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[-1]["text"])


async def whole_conversation(house: ProxyHouse, model: Model, turn: Turn) -> None:
    """Tell every kind, some a turn, with the growing history; look for each in the record and in the answers."""
    model.says = repeats
    history: list[dict[str, Any]] = [SYSTEM]
    answers = []
    for at in range(0, len(KINDS), AT_ONCE):
        history.append({"role": "user", "content": "\n".join(told.said for told in KINDS[at : at + AT_ONCE])})
        answers.append(await turn(history))
        history.append({"role": "assistant", "content": answers[-1]})
    sent = "\n".join(message["content"] for message in model.bodies[-1]["messages"])
    record = model.record.decode()
    assert [told.kind for told in KINDS if told.private in sent] == []
    assert [told.kind for told in KINDS if len(told.private) > 5 and told.private in record] == []
    assert "\n".join(answers) == "\n".join(message["content"] for message in history if message["role"] == "user")


async def test_openai_async(house: ProxyHouse, model: Model) -> None:
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:

        async def turn(history: list[Any]) -> str:
            answer = await client.chat.completions.create(model="any", messages=history)
            return answer.choices[0].message.content or ""

        await whole_conversation(house, model, turn)


async def test_openai_async_streaming(house: ProxyHouse, model: Model) -> None:
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:

        async def turn(history: list[Any]) -> str:
            stream = await client.chat.completions.create(model="any", messages=history, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        await whole_conversation(house, model, turn)


async def test_openai_sync(house: ProxyHouse, model: Model) -> None:
    with openai.OpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:

        def ask(history: list[Any]) -> str:
            return client.chat.completions.create(model="any", messages=history).choices[0].message.content or ""

        async def turn(history: list[dict[str, Any]]) -> str:
            return await asyncio.to_thread(ask, history)

        await whole_conversation(house, model, turn)


async def test_openais_tools_get_real_values(house: ProxyHouse, model: Model) -> None:
    parameters = {"type": "object", "properties": {"who": {"type": "string"}}}
    tool: Any = {"type": "function", "function": {"name": "note", "parameters": parameters}}
    model.calls = [{"name": "note", "arguments": {"who": "<PERSON_1>"}}]
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:
        history: list[Any] = [{"role": "user", "content": "My name is Barnaby Thistlewood."}]
        answer = await client.chat.completions.create(model="any", messages=history, tools=[tool])
        message = answer.choices[0].message
        assert message.tool_calls
        call: Any = message.tool_calls[0]
        assert json.loads(call.function.arguments) == {"who": "Barnaby Thistlewood"}
        model.calls = None
        told = {"role": "tool", "tool_call_id": call.id, "content": "noted Barnaby Thistlewood"}
        history += [message.model_dump(exclude_none=True), told]
        await client.chat.completions.create(model="any", messages=history, tools=[tool])
    assert "Thistlewood" not in model.record.decode()


class Who(pydantic.BaseModel):
    name: str
    card: str


async def test_openais_structured_output_is_filled_with_real_values(house: ProxyHouse, model: Model) -> None:
    model.says = lambda body: json.dumps({"name": "<PERSON_1>", "card": "<CREDIT_CARD_1>"})
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:
        said: Any = [{"role": "user", "content": "My name is Barnaby Thistlewood. My card number is 4012 8888 8888 1881."}]
        answer = await client.chat.completions.parse(model="any", messages=said, response_format=Who)
    assert answer.choices[0].message.parsed == Who(name="Barnaby Thistlewood", card="4012 8888 8888 1881")
    assert model.bodies[0]["response_format"]["json_schema"]["schema"]["properties"].keys() == {"name", "card"}


async def test_an_openai_client_learns_of_a_refusal_by_its_own_errors(house: ProxyHouse) -> None:
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            await client.chat.completions.create(model="any", messages=[{"role": "user", "content": "Hello"}], store=True)
        assert refused.value.code == "policy_refused"
        assert [each.id for each in (await client.models.list()).data] == ["small"]
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()


async def test_anthropic_streaming_and_not(house: ProxyHouse, model: Model) -> None:
    anthropic = pytest.importorskip("anthropic", reason="the anthropic SDK is not installed")
    async with anthropic.AsyncAnthropic(base_url=house.url, api_key=house.key, max_retries=0) as client:

        async def turn(history: list[dict[str, Any]]) -> str:
            wishes = {"model": "any", "max_tokens": 500, "system": history[0]["content"], "messages": history[1:]}
            if len(history) % 4:
                return str((await client.messages.create(**wishes)).content[0].text)
            async with client.messages.stream(**wishes) as stream:
                return str(await stream.get_final_text())

        await whole_conversation(house, model, turn)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
async def test_curl(house: ProxyHouse, model: Model) -> None:
    async def turn(history: list[dict[str, Any]]) -> str:
        body = json.dumps({"model": "any", "messages": history})
        process = await asyncio.create_subprocess_exec(
            *("curl", "-sS", f"{house.url}/v1/chat/completions", "-H", f"Authorization: Bearer {house.key}"),
            *("-H", "Content-Type: application/json", "-d", "@-"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate(body.encode())
        return str(json.loads(out)["choices"][0]["message"]["content"])

    await whole_conversation(house, model, turn)


async def test_langchain(house: ProxyHouse, model: Model) -> None:
    langchain = pytest.importorskip("langchain_openai", reason="langchain-openai is not installed")
    chat = langchain.ChatOpenAI(model="any", base_url=f"{house.url}/v1", api_key=house.key, max_retries=0)

    async def turn(history: list[dict[str, Any]]) -> str:
        if len(history) % 4:
            return str((await chat.ainvoke(history)).content)
        return "".join([str(piece.content) async for piece in chat.astream(history)])

    await whole_conversation(house, model, turn)


async def test_livekits_openai_plugin(house: ProxyHouse, model: Model) -> None:
    plugin = pytest.importorskip("livekit.plugins.openai", reason="livekit-plugins-openai is not installed")
    from livekit.agents import llm

    mind = plugin.LLM(model="any", base_url=f"{house.url}/v1", api_key=house.key)

    async def turn(history: list[dict[str, Any]]) -> str:
        context = llm.ChatContext.empty()
        for message in history:
            context.add_message(role=message["role"], content=message["content"])
        async with mind.chat(chat_ctx=context) as stream:
            return "".join([chunk.delta.content or "" async for chunk in stream if chunk.delta])

    await whole_conversation(house, model, turn)
    await mind.aclose()
