"""The ear for answers while a call is asked for consent: opened for one answer, forgotten with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from gateway.call.answer import meaning_of
from gateway.call.consent import AnswerHeard, OpenAnswerEar
from gateway.errors import Misconfigured
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

SETTLE_WITHIN_S = 12.0
"""How long an answer that is being spoken or recognised when its time is over is still waited for."""
SETTLED_EVERY_S = 0.1


class AnswerEar(Protocol):
    """Hears one answer: local speech-to-text under a Grant for consent. Its words are read by ``gateway.call.answer`` alone."""

    def hear(self, pcm: Private[Pcm]) -> None: ...
    def words(self) -> AsyncIterator[Private[str]]:
        """Each stretch of speech in words. Raises NoPermittedRoute, PolicyRefused, UpstreamFailed, UpstreamTimeout."""
        ...

    @property
    def busy(self) -> bool:
        """Whether somebody is speaking, or was and is not understood yet."""
        ...

    def close(self) -> None: ...


MakeAnswerEar = Callable[[str], AnswerEar]
"""An ear for a language."""


class Answering:
    """One call's ear for answers, or none."""

    def __init__(self, make: MakeAnswerEar | None, tasks: TaskOwner, post: Callable[[AnswerHeard], None]) -> None:
        self._make = make
        self._tasks = tasks
        self._post = post
        self._ear: AnswerEar | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self, asked: OpenAnswerEar) -> None:
        """Raises Misconfigured where this gateway has no ear for answers."""
        self.close()
        if self._make is None:
            raise Misconfigured("nothing here can hear a spoken answer", hint="ask with mode: key-press")
        self._ear = self._make(asked.language)
        self._task = self._tasks.start(self._listen(self._ear, asked), name="answer")

    def hear(self, pcm: Private[Pcm]) -> None:
        if self._ear is not None:
            self._ear.hear(pcm)

    async def settled(self) -> None:
        """Returns when nobody is speaking and everything said was understood, or when that takes too long."""
        ear, waited = self._ear, 0.0
        while ear is not None and ear is self._ear and ear.busy and waited < SETTLE_WITHIN_S:
            await asyncio.sleep(SETTLED_EVERY_S)
            waited += SETTLED_EVERY_S

    def close(self) -> None:
        ear, self._ear = self._ear, None
        task, self._task = self._task, None
        if ear is not None:
            ear.close()
        if task is not None:
            task.cancel()

    async def _listen(self, ear: AnswerEar, asked: OpenAnswerEar) -> None:
        async for words in ear.words():
            if words:
                self._post(AnswerHeard(asked.announcement, asked.play, meaning_of(words, asked.language)))
