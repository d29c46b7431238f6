"""A caller who speaks while the agent does is heard: the voice stops, and the history holds only what the caller had heard."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.caller.timeline import Kind
from tests.journeys.house import House, living_in, short_policies, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

GREETING_END = "address, please?"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("barge-in")
    async with living_in(folder, policies=short_policies(folder)) as house:
        yield house


async def test_the_voice_stops_and_what_was_not_heard_never_enters_the_history(house: House) -> None:
    async with house.dial() as caller:
        await caller.announcement_over(quiet_ms=0)
        assert await caller.agent_speaking(for_ms=500)
        await caller.say(speech("name-and-address"))
        await caller.listen(until_silent_ms=1_200, timeout_s=30)
        cleared = caller.timeline.first(Kind.CLEARED)
        began = caller.timeline.first(Kind.TURN_STARTED)
    assert cleared is not None
    assert began is not None
    assert cleared.at_ms > began.at_ms
    bodies = house.model_bodies()
    assert "How can" in bodies
    assert GREETING_END not in bodies
    assert "<PERSON_1>" in bodies
    assert (await house.receipt()).outcome == "completed"
