"""Processes of the bench, so that what measures does not slow down what is measured: a line of JSON asks, a line answers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from gateway.errors import SordinoError
from tests.bench.numbers import Json

ROOT = Path(__file__).resolve().parents[2]
ANSWER_WITHIN_S = 240.0
STOP_WITHIN_S = 15.0
LONGEST_LINE = 1 << 22

Handler = Callable[..., Awaitable[Json]]


class BenchError(Exception):
    """A process of the bench failed; the message says which and where its log is."""


class Child:
    """One such process, seen from the bench."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log
        self._one_at_a_time = asyncio.Lock()

    async def ask(self, do: str, **given: object) -> Json:
        """What its handler ``do`` returns. Raises BenchError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._one_at_a_time:
            self._process.stdin.write(json.dumps({"do": do, **given}).encode() + b"\n")
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    line = await self._process.stdout.readline()
            except TimeoutError:
                line = b""
        if not line:
            raise BenchError(f"the process {self.name} did not answer to {do!r}; its log is {self._log}")
        answer: Json = json.loads(line)
        if "error" in answer:
            raise BenchError(f"the process {self.name} failed at {do!r}: {answer['error']}; its log is {self._log}")
        return answer


@asynccontextmanager
async def child(module: str, logs: Path, *arguments: str) -> AsyncIterator[Child]:
    """``python -m tests.bench.MODULE`` until the block is left."""
    log = logs / f"{module}.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"tests.bench.{module}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=out,
            cwd=ROOT,
            limit=LONGEST_LINE,
        )
    try:
        yield Child(module, process, log)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def run(main: Callable[[], Awaitable[None]]) -> None:
    """The event loop of a child: the same kind as ``sordino serve`` runs on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the bench itself ends its children, in order

    async def whole() -> None:
        await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


async def answer_requests(handlers: Mapping[str, Handler]) -> None:
    """Answer until the bench closes our input. What libraries print goes to the log, not between the answers."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lines = asyncio.StreamReader(limit=LONGEST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        out.write(json.dumps(await _answer(handlers, json.loads(line))) + "\n")
        out.flush()


async def _answer(handlers: Mapping[str, Handler], request: dict[str, Any]) -> Json:
    try:
        return await handlers[request.pop("do")](**request)
    except (SordinoError, OSError, TimeoutError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
