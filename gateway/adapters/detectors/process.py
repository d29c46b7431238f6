"""One detector process and the line to it: one JSON object a line either way, with no thread in between.

Answers come in the order of the questions. Only a few questions are on the line at once; the others wait here, where one that
nobody waits for any more is passed over.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from gateway.adapters.detectors import worker
from gateway.adapters.detectors.worker import Answer

ON_THE_LINE = 2
"""Enough that the process never waits for us; few, so that what is urgent overtakes what waits here."""
MOST_WAITING = 2_000
_READ = 1 << 18


class WorkerGone(Exception):
    """The process has ended, or has too much to do. Holds nothing of a question."""


@dataclass(eq=False, slots=True)
class _Question:
    line: bytes = field(repr=False)
    answer: asyncio.Future[Answer]


class WorkerProcess:
    """A spawned ``worker.serve``. It may be asked from one event loop after the other, never from two at once."""

    def __init__(self, regions: tuple[str, ...], limit_s: float, on_end: Callable[[WorkerProcess], None]) -> None:
        """Blocks for some milliseconds: call it off the loop. ``on_end`` is called on the loop when the process has ended."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(target=worker.serve, args=(theirs, regions, limit_s), name="detector", daemon=True)
        self._process.start()
        theirs.close()
        self._line = ours
        os.set_blocking(ours.fileno(), False)
        self._on_end = on_end
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[_Question] = deque()
        self._asked: deque[_Question] = deque()
        self._out = bytearray()
        self._in = bytearray()
        self._ended = False
        self.pid: int = self._process.pid or 0

    @property
    def load(self) -> int:
        """How many questions are not answered yet."""
        return len(self._waiting) + len(self._asked)

    async def ready(self) -> Answer:
        """What the process says of itself when it has loaded. Call it once, before the first question. Raises WorkerGone."""
        question = _Question(b"", asyncio.get_running_loop().create_future())
        self._asked.append(question)
        self._attach()
        return await question.answer

    async def ask(self, work: str, *arguments: object, urgent: bool = False) -> Answer:
        """The answer of ``worker.WORKS[work]``. ``urgent``: before everything that waits. Raises WorkerGone."""
        if self._ended or self.load >= MOST_WAITING:
            raise WorkerGone
        question = _Question(json.dumps((work, *arguments)).encode("ascii") + b"\n", asyncio.get_running_loop().create_future())
        if urgent:
            self._waiting.appendleft(question)
        else:
            self._waiting.append(question)
        self._attach()
        self._send()
        return await question.answer

    def end(self) -> None:
        """End the process, whatever it does, and wait until it is gone. Blocks: call it off the loop."""
        self._process.kill()
        self._process.join()

    def detach(self) -> None:
        """Let go of the line: every question that waits is refused. Safe to call twice."""
        self._ended = True
        if not self._line.closed:
            if self._loop is not None and not self._loop.is_closed():
                self._loop.remove_reader(self._line.fileno())
                self._loop.remove_writer(self._line.fileno())
            self._line.close()
        for question in (*self._asked, *self._waiting):
            if _is_awaited(question):
                question.answer.set_exception(WorkerGone())
        self._asked.clear()
        self._waiting.clear()

    def _attach(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop and not self._ended:
            self._loop = loop
            loop.add_reader(self._line.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            piece = os.read(self._line.fileno(), _READ)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            piece = b""
        if not piece:
            return self._gone()
        self._in += piece
        *lines, rest = self._in.split(b"\n")
        self._in = rest
        for line in lines:
            question = self._asked.popleft()
            if _is_awaited(question):
                question.answer.set_result(_read(line))
        return self._send()

    def _send(self) -> None:
        while self._waiting and len(self._asked) < ON_THE_LINE:
            question = self._waiting.popleft()
            if _is_awaited(question):
                self._asked.append(question)
                self._out += question.line
        if self._out:
            self._write()

    def _write(self) -> None:
        assert self._loop is not None  # noqa: S101  (whoever asks is on a loop)
        try:
            with suppress(BlockingIOError, InterruptedError):
                del self._out[: os.write(self._line.fileno(), self._out)]
        except OSError:
            return self._gone()
        if self._out:
            self._loop.add_writer(self._line.fileno(), self._write)
        else:
            self._loop.remove_writer(self._line.fileno())
        return None

    def _gone(self) -> None:
        if not self._ended:
            self.detach()
            self._on_end(self)


def _is_awaited(question: _Question) -> bool:
    return not question.answer.done() and not question.answer.get_loop().is_closed()


def _read(line: bytearray) -> Answer:
    found: dict[str, Any] = json.loads(line)
    return Answer([tuple(row) for row in found["rows"]], found["text"], found["failure"], found["pid"])
