"""A speech-to-speech model hears the caller's own voice: without a Grant for that it is refused, and told why."""

from __future__ import annotations

from typing import Any, cast

import pytest
from livekit.agents import Agent, llm

from gateway.adapters.conversation import GuardedAgent
from gateway.adapters.conversation.realtime import refuse_realtime
from gateway.errors import NoPermittedRoute, PolicyRefused
from gateway.values import DataCategory, Hop
from tests.adapters.conversation.call import Call, Door
from tests.adapters.conversation.test_session import conversation


class Realtime(llm.RealtimeModel):
    """Would hear the caller, if it were ever asked for a session."""

    def __init__(self) -> None:
        capabilities: dict[str, Any] = dict.fromkeys(llm.RealtimeCapabilities.__dataclass_fields__, False)
        super().__init__(capabilities=llm.RealtimeCapabilities(**capabilities))
        self.sessions = 0

    def session(self, *, turn_detection_disabled: bool = False) -> Any:
        self.sessions += 1
        raise AssertionError("a session was opened")

    async def aclose(self) -> None:
        return


class Talker(GuardedAgent):
    """An agent with a model of its own."""

    def __init__(self, model: Realtime) -> None:
        super().__init__(instructions="Be brief.")
        self._llm = cast(Any, model)


async def test_without_a_grant_for_the_callers_voice_it_is_refused_with_the_policys_reasons() -> None:
    door = Door({})
    with pytest.raises(NoPermittedRoute) as raised:
        await refuse_realtime(Talker(Realtime()), door)
    assert raised.value.reasons == ("nobody is left",)
    assert door.asked == [(Hop.REALTIME, frozenset({DataCategory.VOICE, DataCategory.TRANSCRIPT}), frozenset())]


async def test_with_one_it_is_refused_too_since_nobody_could_see_what_it_sends() -> None:
    door = Door({Hop.REALTIME: ("talker",)})
    with pytest.raises(PolicyRefused, match="talker") as raised:
        await refuse_realtime(Talker(Realtime()), door)
    assert raised.value.reasons
    assert len(door.given) == 1


async def test_other_agents_are_asked_for_nothing() -> None:
    door = Door({})
    await refuse_realtime(cast(Agent, GuardedAgent(instructions="Be brief.")), door)
    assert door.asked == []


async def test_a_call_with_such_an_agent_never_opens() -> None:
    model, call = Realtime(), Call()
    async with conversation(lambda: Talker(model), call=call) as talk:
        with pytest.raises(NoPermittedRoute):
            await talk.conversation.start()
    assert model.sessions == 0
