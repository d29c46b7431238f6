"""OpenAI's own SDK, pointed at the gateway by its base URL."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.proxy.conversation import SYSTEM, TOOL, TOOL_DESCRIPTION, TOOL_SCHEMA, LookUp, hold

TOOLS: Any = [{"type": "function", "function": {"name": TOOL, "description": TOOL_DESCRIPTION, "parameters": TOOL_SCHEMA}}]


@pytest.fixture
async def client(house: ProxyHouse) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0, timeout=60) as client:
        yield client


async def test_a_whole_conversation(client: openai.AsyncOpenAI, model: Model) -> None:
    messages: list[Any] = [{"role": "system", "content": SYSTEM}]
    look_up = LookUp()

    async def say(text: str) -> str:
        messages.append({"role": "user", "content": text})
        while True:
            answer = await client.chat.completions.create(model="any", messages=messages, tools=TOOLS)
            said = answer.choices[0].message
            messages.append(said)
            if not said.tool_calls:
                return said.content or ""
            for call in said.tool_calls:
                assert call.type == "function"
                result = look_up(**json.loads(call.function.arguments))
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

    await hold(say, model, look_up)
