"""A process that does one native job at a time, so that neither its length nor its crash reaches the calls."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from gateway.adapters.speech import inside
from gateway.errors import UpstreamFailed, UpstreamTimeout
from gateway.tasks import TaskOwner

T = TypeVar("T")
START_LIMIT_S = 180.0


@dataclass(eq=False, slots=True)
class _Job:
    work: Callable[..., Any]
    arguments: tuple[object, ...]
    limit_s: float
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: UpstreamFailed) -> None:
        self.begun.set()
        if not self.answer.done():
            self.answer.set_exception(error)


class Worker:
    """One spawned process with one warm model. Jobs run one after the other, in the order in which they were asked for.

    A job that outlives its limit is ended together with its process; a process that died is built again before the next job.
    No error carries a word of what a job was given, or of what failed inside.
    """

    def __init__(self, name: str, warm: Callable[[], None], *, start_limit_s: float = START_LIMIT_S) -> None:
        self._name = name
        self._warm = warm
        self._start_limit_s = start_limit_s
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._tasks = TaskOwner(f"speech:{name}", on_failure=lambda _task, _error: None)
        self._server: asyncio.Task[None] | None = None
        self._executor: ProcessPoolExecutor | None = None
        self.load = 0
        """How many jobs wait or run."""

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return next((process.pid for process in _processes(self._executor)), None) if self._executor else None

    async def start(self) -> None:
        """Spawn, load the model, infer once. Raises UpstreamFailed or UpstreamTimeout."""
        await self._ensure()
        self._server = self._tasks.start(self._serve(), name="serve")

    async def aclose(self) -> None:
        """End the process, whatever it does. Safe to call twice."""
        self._server = None
        await self._tasks.aclose()
        while not self._jobs.empty():
            self._jobs.get_nowait().fail(self._closed())
        await self._discard()

    async def run(self, work: Callable[..., T], *arguments: object, limit_s: float) -> T:
        """What ``work``, a function of ``inside``, returns for the arguments.

        It waits up to ``limit_s`` for its turn and then runs up to ``limit_s``. A caller that is cancelled leaves at once;
        a job that had not begun is then never done.

        Raises:
            UpstreamTimeout: no turn came, or the job took too long (its process was ended).
            UpstreamFailed: the job failed, its process died, or the worker is closed.
        """
        if self._server is None or self._server.done():
            raise self._closed()
        job = _Job(work, arguments, limit_s)
        self.load += 1
        try:
            self._jobs.put_nowait(job)
            async with asyncio.timeout(limit_s):
                await job.begun.wait()
            result: T = await job.answer
        except TimeoutError:
            raise UpstreamTimeout(f"{self._name} is busy", hint="give it more workers") from None
        else:
            return result
        finally:
            job.answer.cancel()
            self.load -= 1

    async def _serve(self) -> None:
        while True:
            job = await self._jobs.get()
            if job.answer.done():
                continue
            try:
                executor = await self._ensure()
            except UpstreamFailed as error:
                job.fail(error)
                continue
            job.begun.set()
            try:
                await self._do(job, executor)
            finally:
                job.fail(self._closed())

    async def _do(self, job: _Job, executor: ProcessPoolExecutor) -> None:
        try:
            done = asyncio.wrap_future(executor.submit(job.work, *job.arguments))
        except (BrokenProcessPool, RuntimeError):
            job.fail(UpstreamFailed(f"the process of {self._name} died"))
            return await self._rebuild()
        finished, _ = await asyncio.wait({done}, timeout=job.limit_s)
        if not finished:
            job.fail(UpstreamTimeout(f"{self._name} took longer than {job.limit_s:.0f} s"))
            return await self._rebuild()
        error = done.exception()
        if error is None:
            if not job.answer.done():
                job.answer.set_result(done.result())
        elif isinstance(error, BrokenProcessPool):
            job.fail(UpstreamFailed(f"the process of {self._name} died"))
            await self._rebuild()
        else:
            job.fail(UpstreamFailed(f"{self._name} could not do this job"))
        return None

    async def _rebuild(self) -> None:
        await self._discard()
        with contextlib.suppress(UpstreamFailed):  # the next job tries again, and its caller is told
            await self._ensure()

    async def _ensure(self) -> ProcessPoolExecutor:
        if self._executor is not None:
            return self._executor
        # Spawning takes longer than an audio frame lasts, so it happens in a thread.
        executor, first = await asyncio.to_thread(self._spawn)
        self._executor = executor
        warm = asyncio.wrap_future(first)
        await asyncio.wait({warm}, timeout=self._start_limit_s)
        if not warm.done():
            await self._discard()
            raise UpstreamTimeout(f"{self._name} did not start within {self._start_limit_s:.0f} s")
        if warm.exception() is not None:
            await self._discard()
            raise UpstreamFailed(f"{self._name} could not start", hint="run `sordino doctor`")
        return executor

    def _spawn(self) -> tuple[ProcessPoolExecutor, Future[None]]:
        context = multiprocessing.get_context("spawn")
        executor = ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=inside.settle)
        return executor, executor.submit(self._warm)

    async def _discard(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            for process in _processes(executor):
                process.kill()
            await asyncio.to_thread(executor.shutdown, cancel_futures=True)

    def _closed(self) -> UpstreamFailed:
        return UpstreamFailed(f"{self._name} is closed", hint="start() it first")


def _processes(executor: ProcessPoolExecutor) -> tuple[BaseProcess, ...]:
    # Python 3.14 has kill_workers(); until then there is no public way to end a worker that hangs.
    return tuple((executor._processes or {}).values())  # noqa: SLF001


class Pool:
    """Workers of one kind; a job goes to the one with the least to do."""

    def __init__(self, name: str, warm: Callable[[], None], workers: int) -> None:
        self._workers = tuple(Worker(name, warm) for _ in range(workers))

    @property
    def pids(self) -> tuple[int, ...]:
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def start(self) -> None:
        """Raises UpstreamFailed or UpstreamTimeout."""
        await asyncio.gather(*(worker.start() for worker in self._workers))

    async def aclose(self) -> None:
        await asyncio.gather(*(worker.aclose() for worker in self._workers))

    async def run(self, work: Callable[..., T], *arguments: object, limit_s: float) -> T:
        """See ``Worker.run``."""
        return await min(self._workers, key=lambda worker: worker.load).run(work, *arguments, limit_s=limit_s)
