"""Every task has an owner that awaits it and reports how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def keeping_cancellation() -> Iterator[None]:
    """Around a library that waits with ``asyncio.wait_for``: who was cancelled inside is cancelled, in every case.

    Before Python 3.12 ``wait_for`` forgets a cancellation that comes together with the answer (CPython issue 81839), and a task
    that was told to stop goes on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


class TaskOwner:
    """Starts tasks, reports each failure once to ``on_failure``, and on exit cancels and awaits what still runs.

    ``async with TaskOwner("call", on_failure=...) as tasks: tasks.start(pump(), name="pump")``. Unlike ``asyncio.TaskGroup`` one
    failed task does not cancel the others: a call decides by itself what a failure means.
    """

    def __init__(self, name: str, *, on_failure: Callable[[str, BaseException], None]) -> None:
        self._name = name
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work, name=f"{self._name}:{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is not None:
            self._on_failure(task.get_name(), failure)

    async def aclose(self) -> None:
        """Cancel what still runs and wait until it has ended, with what it started while it ended."""
        own = asyncio.current_task()
        while tasks := [task for task in self._tasks if task is not own]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def __aenter__(self) -> TaskOwner:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()
