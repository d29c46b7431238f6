"""LangChain's ``ChatOpenAI``, pointed at the gateway by its base URL."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model, placeholders
from tests.peers.proxy.conversation import SYSTEM, TOOL, TOOL_DESCRIPTION, LookUp, hold
from tests.peers.proxy.people import WRITTEN, leaked, missing


@pytest.fixture(autouse=True)
def nothing_to_langsmith(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says: no trace leaves the machine."""
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    monkeypatch.setenv("LANGCHAIN_TRACING_V2", "false")


@pytest.fixture
def chat(house: ProxyHouse) -> ChatOpenAI:
    return ChatOpenAI(
        base_url=f"{house.url}/v1", api_key=SecretStr(house.key), model="m", max_retries=0, timeout=60, stream_usage=True
    )


class Talk:
    """What an application keeps of a conversation."""

    def __init__(self) -> None:
        self.messages: list[BaseMessage] = [SystemMessage(SYSTEM)]
        self.look_up = LookUp()
        self.tool = StructuredTool.from_function(self.run, name=TOOL, description=TOOL_DESCRIPTION)

    def run(self, notes: list[str], reason: str) -> str:
        return self.look_up(notes, reason)

    async def assistant(self, said: AIMessage) -> bool:
        """Whether the turn has come to its end; tools are run otherwise."""
        self.messages.append(said)
        for call in said.tool_calls:
            result = await self.tool.ainvoke(call)
            assert isinstance(result, ToolMessage)
            self.messages.append(result)
        return not said.tool_calls


async def test_a_whole_conversation(chat: ChatOpenAI, model: Model) -> None:
    talk = Talk()
    with_tool = chat.bind_tools([talk.tool])

    async def say(text: str) -> str:
        talk.messages.append(HumanMessage(text))
        while True:
            said = await with_tool.ainvoke(talk.messages)
            if await talk.assistant(said):
                return str(said.content)

    await hold(say, model, talk.look_up)


async def test_a_whole_conversation_that_streams(chat: ChatOpenAI, model: Model) -> None:
    talk = Talk()
    with_tool = chat.bind_tools([talk.tool])

    async def say(text: str) -> str:
        talk.messages.append(HumanMessage(text))
        while True:
            said: Any = reduce(add, [piece async for piece in with_tool.astream(talk.messages)])
            assert said.usage_metadata["total_tokens"] == 19
            if await talk.assistant(AIMessage(said.content, tool_calls=said.tool_calls)):
                return str(said.content)

    await hold(say, model, talk.look_up)


async def test_a_batch_of_callers_gets_each_its_own_words(chat: ChatOpenAI, model: Model) -> None:
    """Many conversations at once, none of which knows another's values, although all of them have a ``<PERSON_1>``."""
    names = ["Barnaby Thistlewood", "Odette Ravensworth", "Cornelius Abernathy", "Philomena Oakhurst"]
    answers = await chat.abatch([f"My name is {name}." for name in names])
    assert [answer.content for answer in answers] == [f"I have noted {name}." for name in names]
    assert [placeholders(body) for body in model.bodies] == [["<PERSON_1>"]] * len(names)
    assert leaked(model.raw) == []


class Caller(BaseModel):
    """Who is calling."""

    name: str
    password: str


@pytest.mark.parametrize("method", ["json_schema", "function_calling", "json_mode"])
async def test_an_answer_in_a_schema_becomes_an_object_with_real_values(chat: ChatOpenAI, model: Model, method: Any) -> None:
    values = {"name": "<PERSON_1>", "password": "<PASSWORD_1>"}
    model.says = lambda body: '{"name": "<PERSON_1>", "password": "<PASSWORD_1>"}'
    model.calls = [{"name": "Caller", "arguments": values}] if method == "function_calling" else None
    asked = chat.with_structured_output(Caller, method=method)
    found = await asked.ainvoke('My name is Barnaby Thistlewood and my password is Wal"rus8842x. Answer in JSON.')
    assert found == Caller(name="Barnaby Thistlewood", password='Wal"rus8842x')
    assert leaked(model.raw) == []


async def test_what_is_said_in_parts_and_under_a_name_is_masked_too(chat: ChatOpenAI, model: Model) -> None:
    message = HumanMessage([{"type": "text", "text": each.said} for each in WRITTEN[:3]], name="Barnaby_Thistlewood")
    answer = await chat.ainvoke([message])
    assert missing([str(answer.content)], WRITTEN[:3]) == []
    assert leaked(model.raw) == []
