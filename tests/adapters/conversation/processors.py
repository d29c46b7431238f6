"""Processors that do as a test says: one that hears, one that thinks, one that speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway.errors import SordinoError, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.ports import ChatDelta, ChatRequest
from gateway.values import Pcm, Private

Answer = list[ChatDelta | SordinoError]


class Processors:
    """Scripted processors by name; keeps every Grant with its request."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[tuple[Grant, ChatRequest]] = []
        self.closed = 0

    async def stream(self, grant: Grant, request: ChatRequest) -> AsyncIterator[ChatDelta]:
        self.asked.append((grant, request))
        try:
            for piece in self.answers[grant.processor]:
                if isinstance(piece, SordinoError):
                    raise piece
                yield piece
                await asyncio.sleep(0)
        finally:
            self.closed += 1

    @property
    def names(self) -> list[str]:
        return [str(grant.processor) for grant, _ in self.asked]


class Script:
    """A recogniser whose answers are given one by one; it keeps what it was asked and what was cancelled."""

    def __init__(self, *answers: str | SordinoError | None) -> None:
        """None: no answer until ``let`` is called, then the next text."""
        self.answers = list(answers)
        self.asked: list[Pcm] = []
        self.grants: list[Grant] = []
        self.cancelled = 0
        self.changed = asyncio.Event()
        self._let = asyncio.Event()
        self._late = ""

    def let(self, text: str) -> None:
        self._late = text
        self._let.set()

    async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
        assert language == "en"
        self.grants.append(grant)
        self.asked.append(speech.reveal())
        self.changed.set()
        answer = self.answers.pop(0)
        if answer is None:
            try:
                await self._let.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            answer = self._late
        if isinstance(answer, SordinoError):
            raise answer
        return Private(answer)

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.asked) < times:
                self.changed.clear()
                await self.changed.wait()


class Mouth:
    """Speaks ``ms`` for each sentence and keeps what it was given. ``breaks_at``: the sentence at which it fails."""

    rate = 24_000

    def __init__(self, *, ms: int = 40, breaks_at: int = 0, error: SordinoError | None = None) -> None:
        self.said: list[str] = []
        self.grants: list[Grant] = []
        self.changed = asyncio.Event()
        self._half = Pcm(b"\1\0" * (ms * self.rate // 2000), self.rate)
        self._breaks_at = breaks_at
        self._error = error or UpstreamFailed("broken")

    async def speak(self, grant: Grant, text: Private[str], *, language: str) -> AsyncIterator[Pcm]:
        assert language == "en"
        self.said.append(text.reveal())
        self.grants.append(grant)
        self.changed.set()
        yield self._half
        if len(self.said) == self._breaks_at:
            raise self._error
        yield self._half

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.said).split())
