"""Pipecat's OpenAI service in a pipeline of its own, pointed at the gateway by its base URL.

Pipecat and we need different versions of the same packages, so its bot runs in a virtual environment of its own:
``make pipecat`` makes it.
"""

from __future__ import annotations

import asyncio
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.proxy.conversation import SYSTEM, TOOL, TOOL_DESCRIPTION, TOOL_SCHEMA, LookUp, hold
from tests.peers.proxy.misbehaving import OWN_WORDS, answers

ROOT = Path(__file__).parents[3]
BOT = Path(__file__).with_name("pipecat_bot.py")
PYTHON = Path(os.environ.get("SORDINO_PIPECAT_PYTHON", ROOT / ".venv-pipecat" / "bin" / "python"))
WITHIN_S = 100
pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="Pipecat is not installed: make pipecat")


class Bot:
    """The bot's process, line by line."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.look_up = LookUp()

    def tell(self, **line: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")

    async def hear(self) -> dict[str, Any]:
        """What the bot said, or the error that it met; tools are run on the way."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told: dict[str, Any] = json.loads(line)
            if "call" not in told:
                return told
            self.tell(result=self.look_up(**told["call"]))
        raise AssertionError("the bot has ended")


@asynccontextmanager
async def a_bot(house: ProxyHouse) -> AsyncIterator[Bot]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "NLTK_DATA": "/nonexistent"}
    process = await asyncio.create_subprocess_exec(
        PYTHON, BOT, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 20, env=environment
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            bot = Bot(process)
            tool = {"name": TOOL, "description": TOOL_DESCRIPTION, "schema": TOOL_SCHEMA}
            bot.tell(url=f"{house.url}/v1", key=house.key, system=SYSTEM, tool=tool)
            yield bot
    finally:
        process.kill()
        await process.wait()


async def test_a_whole_conversation(house: ProxyHouse, model: Model) -> None:
    async with a_bot(house) as bot:

        async def say(text: str) -> str:
            bot.tell(user=text)
            return str((await bot.hear()).get("said"))

        await hold(say, model, bot.look_up)


async def test_an_error_reaches_the_bot_without_the_processors_words(house: ProxyHouse, model: Model) -> None:
    model.script = answers(400)
    async with a_bot(house) as bot:
        bot.tell(user="Hello")
        error = str((await bot.hear()).get("error"))
    assert "502" in error
    assert OWN_WORDS not in error
