"""Presidio in a process of its own: the event loop never waits for a model, and a crash in one reaches no call."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from gateway.adapters.detectors import worker
from gateway.adapters.detectors.worker import Answer
from gateway.errors import RedactionUnavailable
from gateway.redaction.languages import LANGUAGES
from gateway.redaction.mask import Replacement
from gateway.tasks import TaskOwner
from gateway.values import EntityType, Private, Span

DEFAULT_REGIONS = ("US", "GB", "IN", "CA", "AU", "DE", "FR", "ES", "MX")
_RETRY = "try again; nothing was sent"


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
        self._pool: ProcessPoolExecutor | None = None
        self._building = False
        self._closed = False
        self._tasks = TaskOwner("detector", on_failure=lambda name, error: None)
        self.pids: frozenset[int] = frozenset()
        """The worker processes that are warm."""

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
        await self._discard()

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        """Spans in ``text``, possibly overlapping and weak: ``redaction.spans.resolve`` makes the last word of them.

        Raises:
            RedactionUnavailable: no answer within the bound, no detector for the language, or the worker is broken.
        """
        if language.split("-")[0].lower() not in LANGUAGES:
            hint = f"set the tenant's language to one of {', '.join(LANGUAGES)}"
            raise RedactionUnavailable("there is no detector for this language", hint=hint)
        answer = await self._ask(worker.analyze, text.reveal(), previous, language)
        return [Span(start, end, EntityType(kind), score, by, why) for start, end, kind, score, by, why in answer.rows]

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        """The text with every replacement made by Presidio's anonymizer.

        Raises:
            RedactionUnavailable: as ``detect``.
        """
        answer = await self._ask(worker.anonymize, text.reveal(), [(each.start, each.end, each.token) for each in replacements])
        return Private(answer.text)

    async def _ask(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        pool = self._pool
        if pool is None:
            self._rebuild()
            raise RedactionUnavailable("the detector is not running", hint=_RETRY)
        try:
            waiting = pool.submit(work, *arguments)
            async with asyncio.timeout(self._timeout_s):
                answer = await asyncio.wrap_future(waiting)
        except TimeoutError:
            raise RedactionUnavailable("the detector did not answer in time", hint=_RETRY) from None
        except (BrokenProcessPool, RuntimeError):
            # RuntimeError: the pool was shut down under us.
            await self._broken(pool)
            raise RedactionUnavailable("the detector's process ended", hint=_RETRY) from None
        if answer.failure:
            raise RedactionUnavailable(f"the detector failed with {answer.failure}", hint=_RETRY)
        return answer

    async def _broken(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            await self._discard()
            self._rebuild()

    def _rebuild(self) -> None:
        if not self._closed and not self._building:
            self._building = True
            self._tasks.start(self._build(), name="build")

    async def _build(self) -> None:
        self._building = True
        pool: ProcessPoolExecutor | None = None
        try:
            # Spawning blocks for some milliseconds, so it does not happen on the loop.
            pool, waiting = await asyncio.to_thread(self._spawn)
            async with asyncio.timeout(self._start_timeout_s):
                answers = [await asyncio.wrap_future(each) for each in waiting]
            failures = [answer.failure for answer in answers if answer.failure]
            if failures:
                raise RedactionUnavailable(f"the detector did not load: {failures[0]}", hint="run `make setup` again")
            self.pids = frozenset(answer.pid for answer in answers)
            self._pool, pool = pool, None
        except TimeoutError:
            raise RedactionUnavailable("the detector did not load in time", hint="is the machine very busy?") from None
        except BrokenProcessPool:
            raise RedactionUnavailable("the detector's process ended while it loaded", hint="is there enough memory?") from None
        finally:
            self._building = False
            if pool is not None:
                await asyncio.to_thread(pool.shutdown, wait=False, cancel_futures=True)

    def _spawn(self) -> tuple[ProcessPoolExecutor, list[Future[Answer]]]:
        pool = ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=worker.begin,
            initargs=(self._regions, self._timeout_s),
        )
        return pool, [pool.submit(worker.warm) for _ in range(self._workers)]

    async def _discard(self) -> None:
        pool, self._pool = self._pool, None
        self.pids = frozenset()
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, wait=True, cancel_futures=True)
