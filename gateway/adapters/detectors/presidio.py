"""Presidio in a process of its own: the event loop never waits for a model, and a crash in one reaches no call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gateway.adapters.detectors.process import WorkerGone, WorkerProcess
from gateway.adapters.detectors.worker import Answer
from gateway.errors import RedactionUnavailable
from gateway.redaction.languages import LANGUAGES
from gateway.redaction.mask import Replacement
from gateway.tasks import TaskOwner
from gateway.values import EntityType, Private, Span

DEFAULT_REGIONS = ("US", "GB", "IN", "CA", "AU", "DE", "FR", "ES", "MX")
_RETRY = "try again; nothing was sent"


def workers_for(cores: int) -> int:
    """How many processes a machine with that many cores should read texts with: half of them, and not more than four."""
    return max(1, min(4, cores // 2))


class PresidioDetector:
    """The ``Detector`` port on Presidio, our tagger and our rules for speech.

    ``start`` once before the first text; it takes some seconds. ``timeout_s`` bounds one answer, queueing included. A worker that
    dies or hangs is replaced in the background; until the new one is warm every question fails closed.
    """

    def __init__(
        self,
        *,
        regions: Sequence[str] = DEFAULT_REGIONS,
        workers: int = 1,
        timeout_s: float = 2.0,
        start_timeout_s: float = 120.0,
    ) -> None:
        self._regions = tuple(regions)
        self._workers = workers
        self._timeout_s = timeout_s
        self._start_timeout_s = start_timeout_s
        self._running: list[WorkerProcess] = []
        self._building = False
        self._closed = False
        self._tasks = TaskOwner("detector", on_failure=lambda name, error: None)

    @property
    def pids(self) -> frozenset[int]:
        """The worker processes that are warm."""
        return frozenset(process.pid for process in self._running)

    async def start(self) -> None:
        """Start the workers and load the models.

        Raises:
            RedactionUnavailable: they did not load in time, or a part is missing.
        """
        await self._build()

    async def aclose(self) -> None:
        """End the workers and wait for them. Safe to call twice."""
        self._closed = True
        await self._tasks.aclose()
        running, self._running = self._running, []
        await asyncio.gather(*(_end(process) for process in running))

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        """Spans in ``text``, possibly overlapping and weak: ``redaction.spans.resolve`` makes the last word of them.

        Raises:
            RedactionUnavailable: no answer within the bound, no detector for the language, or the worker is broken.
        """
        if language.split("-")[0].lower() not in LANGUAGES:
            hint = f"set the tenant's language to one of {', '.join(LANGUAGES)}"
            raise RedactionUnavailable("there is no detector for this language", hint=hint)
        answer = await self._ask("analyze", text.reveal(), previous, language)
        return [Span(start, end, EntityType(kind), score, by, why) for start, end, kind, score, by, why in answer.rows]

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        """The text with every replacement made by Presidio's anonymizer.

        Raises:
            RedactionUnavailable: as ``detect``.
        """
        rows = [(each.start, each.end, each.token) for each in replacements]
        answer = await self._ask("anonymize", text.reveal(), rows, urgent=True)
        return Private(answer.text)

    async def _ask(self, work: str, *arguments: object, urgent: bool = False) -> Answer:
        process = min(self._running, key=lambda each: each.load, default=None)
        if process is None:
            self._rebuild()
            raise RedactionUnavailable("the detector is not running", hint=_RETRY)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await process.ask(work, *arguments, urgent=urgent)
        except TimeoutError:
            raise RedactionUnavailable("the detector did not answer in time", hint=_RETRY) from None
        except WorkerGone:
            raise RedactionUnavailable("the detector's process ended, or has too much to do", hint=_RETRY) from None
        if answer.failure:
            raise RedactionUnavailable(f"the detector failed with {answer.failure}", hint=_RETRY)
        return answer

    def _lost(self, process: WorkerProcess) -> None:
        if process in self._running:
            self._running.remove(process)
            self._tasks.start(asyncio.to_thread(process.end), name="bury")
            self._rebuild()

    def _rebuild(self) -> None:
        if not self._closed and not self._building:
            self._tasks.start(self._build(), name="build")

    async def _build(self) -> None:
        """As many processes as there should be. Those that are warm go on meanwhile."""
        self._building = True
        try:
            while missing := self._workers - len(self._running):
                await asyncio.gather(*(self._start_one() for _ in range(missing)))
        finally:
            self._building = False

    async def _start_one(self) -> None:
        process = await asyncio.to_thread(WorkerProcess, self._regions, self._timeout_s, self._lost)
        try:
            async with asyncio.timeout(self._start_timeout_s):
                answer = await process.ready()
            if answer.failure:
                raise RedactionUnavailable(f"the detector did not load: {answer.failure}", hint="run `make setup` again")
            self._running.append(process)
        except TimeoutError:
            raise RedactionUnavailable("the detector did not load in time", hint="is the machine very busy?") from None
        except WorkerGone:
            raise RedactionUnavailable("the detector's process ended while it loaded", hint="is there enough memory?") from None
        finally:
            if process not in self._running:
                await _end(process)


async def _end(process: WorkerProcess) -> None:
    process.detach()
    await asyncio.to_thread(process.end)
