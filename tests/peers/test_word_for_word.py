"""What a model repeats of every kind of data comes back to the client word for word, whatever it was in between.

``tests/peers/proxy`` holds whole conversations with every client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import openai
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


async def test_openai_async_streaming(house: ProxyHouse, model: Model) -> None:
    async with openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0) as client:

        async def turn(history: list[Any]) -> str:
            stream = await client.chat.completions.create(model="any", messages=history, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])

        await whole_conversation(house, model, turn)


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
