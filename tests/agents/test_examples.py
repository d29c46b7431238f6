"""Each example does what it says: by one class in a guarded call, and by base URL alone against a real gateway's proxy."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from livekit.agents import AgentSession

from agents.examples import livekit_by_url
from agents.examples.livekit_guarded import Bakery
from gateway.adapters.conversation import make_agent
from gateway.livekit import GuardedAgent
from gateway.ports import ChatDelta, ToolCall
from tests.adapters.conversation.call import NAME
from tests.adapters.conversation.processors import Mouth, Processors, Script
from tests.adapters.conversation.test_session import conversation
from tests.http.proxy.conftest import detector, house, model
from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model

__all__ = ["detector", "house", "model"]
FOLDER = Path(livekit_by_url.__file__).parent
PIPECAT = Path(os.environ.get("SORDINO_PIPECAT_PYTHON", FOLDER.parents[1] / ".venv-pipecat" / "bin" / "python"))
CALLER = "Jonathan Miller"
WITHIN_S = 60


async def test_one_class_guards_a_livekit_agent() -> None:
    """Named by its tenant, greeted with, asked: its tool got the name, and the model a placeholder."""
    made: list[GuardedAgent] = []

    def bakery() -> GuardedAgent:
        made.append(make_agent("agents.examples.livekit_guarded:Bakery", "", "")())
        return made[-1]

    order = ChatDelta(tool_calls=(ToolCall("c1", "note_order", '{"name": "<PERSON_1>", "cakes": 2}'),))
    asked, mouth = Processors(first=[order]), Mouth()
    async with conversation(bakery, ear=Script(f"two cakes for {NAME}"), model=asked, mouth=mouth) as talk:
        await talk.conversation.start()
        talk.session.on("function_tools_executed", lambda _: asked.answers.update(first=[ChatDelta("Thank you, <PERSON_1>.")]))
        await talk.say()
        await talk.until_history(lambda kept: kept[-1:] == [("assistant", "Thank you, <PERSON_1>.")])
    [agent] = made
    assert isinstance(agent, Bakery)
    assert agent.orders == [(NAME, 2)]
    assert mouth.words.endswith(f"Thank you, {NAME}.")
    assert NAME not in str([request for _, request in asked.asked])


async def test_a_livekit_agent_is_guarded_by_its_base_url(house: ProxyHouse, model: Model) -> None:
    """Its own session, and a real value in its tool."""
    model.calls = [{"name": "book", "arguments": '{"name": "<PERSON_1>"}'}]
    clerk = livekit_by_url.Clerk()
    llm = livekit_by_url.model(house.url, house.key, "example-1")
    try:
        async with asyncio.timeout(WITHIN_S), AgentSession[None](llm=llm) as session:
            await session.start(clerk)

            def then_says(_: object) -> None:
                model.calls, model.says = None, lambda _: "It is booked, <PERSON_1>."

            session.on("function_tools_executed", then_says)
            await session.run(user_input=f"My name is {CALLER}.")
            said = str(session.history.items[-1])
    finally:
        await llm.aclose()
    assert clerk.booked == [CALLER]
    assert f"It is booked, {CALLER}." in said
    assert CALLER.encode() not in model.record


@pytest.mark.parametrize(
    ("python", "name", "arguments", "typed"),
    [
        (Path(sys.executable), "openai_by_url.py", (f"My name is {CALLER}.",), ""),
        pytest.param(
            *(PIPECAT, "pipecat_by_url.py", (), f"My name is {CALLER}.\n"),
            marks=pytest.mark.skipif(not PIPECAT.exists(), reason="Pipecat is not installed: make pipecat"),
        ),
    ],
    ids=["the plain SDK", "Pipecat"],
)
async def test_an_example_runs_as_its_first_lines_say(
    house: ProxyHouse, model: Model, python: Path, name: str, arguments: tuple[str, ...], typed: str
) -> None:
    model.says = lambda _: "Hello <PERSON_1>."
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NLTK_DATA": "/nonexistent"}
    env |= {"SORDINO_URL": house.url, "SORDINO_KEY": house.key}
    run = await asyncio.create_subprocess_exec(
        *(str(python), str(FOLDER / name), *arguments), stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, env=env
    )
    try:
        assert run.stdin is not None
        assert run.stdout is not None
        run.stdin.write(typed.encode())
        async with asyncio.timeout(WITHIN_S):
            assert (await run.stdout.readline()).decode() == f"Hello {CALLER}.\n"
            run.stdin.close()
            assert await run.wait() == 0
    finally:
        if run.returncode is None:
            run.kill()
    assert CALLER.encode() not in model.record
