"""LiveKit's OpenAI plugin inside an ``AgentSession``: a team's own agent, pointed at the gateway by its base URL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from livekit.agents import Agent, AgentSession, APIConnectOptions, APIStatusError, ChatContext, function_tool
from livekit.plugins import openai

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.proxy.clients import openai_client
from tests.peers.proxy.conversation import SYSTEM, LookUp, hold
from tests.peers.proxy.misbehaving import OWN_WORDS, answers
from tests.peers.proxy.people import WRITTEN, leaked, missing

WITHIN_S = 60
ONCE = APIConnectOptions(max_retry=0, timeout=WITHIN_S)


class Clerk(Agent):
    """What a team writes: it knows nothing of the gateway."""

    def __init__(self) -> None:
        super().__init__(instructions=SYSTEM)
        self.looked_up = LookUp()

    @function_tool
    async def look_up(self, notes: list[str], reason: str) -> str:
        """Looks somebody up.

        Args:
            notes: all that is known of him.
            reason: why he is looked up.
        """
        return self.looked_up(notes, reason)


@pytest.fixture
async def llm(house: ProxyHouse) -> AsyncIterator[openai.LLM]:
    async with openai_client(house) as client:
        yield openai.LLM(model="m", client=client)


def words(chat: ChatContext) -> str:
    """What the agent said last."""
    return next(item.text_content or "" for item in reversed(chat.items) if item.type == "message" and item.role == "assistant")


async def test_a_whole_conversation(llm: openai.LLM, model: Model) -> None:
    clerk = Clerk()
    async with AgentSession[None](llm=llm) as session:
        await session.start(clerk)

        async def say(text: str) -> str:
            await session.run(user_input=text)
            return words(session.history)

        await hold(say, model, clerk.looked_up)


async def test_an_answer_that_was_cut_where_the_caller_broke_in_stays_private(llm: openai.LLM, model: Model) -> None:
    """Barge-in: the agent's history holds what was heard, real values in it, and no request before had these words."""
    model.says = lambda body: "I have noted <PERSON_1>, <IN_PAN_1>, <USERNAME_1>, <PASSWORD_1> and much more of it."
    kinds = ("PERSON", "IN_PAN", "USERNAME", "PASSWORD")
    secrets = [each for each in WRITTEN if each.kind in kinds]
    async with AgentSession[None](llm=llm) as session:
        await session.start(Clerk())
        await session.run(user_input=" ".join(each.said for each in secrets))
        said = words(session.history)
        assert missing([said], secrets) == []
        chat = session.history.copy()
        cut = chat.items[-1]
        assert cut.type == "message"
        cut.content = [said.partition(" and much")[0]]
        chat.add_message(role="user", content="Sorry, go on.")
        async with llm.chat(chat_ctx=chat, conn_options=ONCE) as stream:
            again = "".join([chunk.delta.content or "" async for chunk in stream if chunk.delta])
    assert missing([again], secrets) == []
    assert leaked(model.raw, secrets) == []


async def test_an_error_is_livekits_own_with_the_status_and_without_the_processors_words(llm: openai.LLM, model: Model) -> None:
    model.script = answers(500)
    chat = ChatContext.empty()
    chat.add_message(role="user", content="Hello")
    with pytest.raises(APIStatusError) as caught:
        async with llm.chat(chat_ctx=chat, conn_options=ONCE) as stream:
            await stream.collect()
    assert caught.value.status_code == 502
    assert "upstream_failed" in str(caught.value.body)
    assert OWN_WORDS not in f"{caught.value} {caught.value.body}"
