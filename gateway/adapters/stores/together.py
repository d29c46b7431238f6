"""Commands that are asked for at the same time go to the store in one exchange, and their answers come back in one.

A connection, a bound in time and a trip through the kernel for each would cost more than what the store has to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from gateway.errors import StoreUnavailable
from gateway.tasks import TaskOwner

AT_ONCE = 2
"""Exchanges on their way: what comes meanwhile goes with the next one."""
MOST_COMMANDS = 64
MOST_WAITING = 10_000

Part = str | bytes | int | float
Answers = Callable[[], AbstractAsyncContextManager[Redis]]


class Together:
    """Use it through ``Store.ask``. One event loop only."""

    def __init__(self, answers: Answers) -> None:
        """``answers``: a client for one exchange within the bound, that fails with our own errors."""
        self._answers = answers
        self._waiting: deque[tuple[tuple[Part, ...], asyncio.Future[Any]]] = deque()
        self._sending = 0
        self._tasks = TaskOwner("store", on_failure=lambda _name, _failure: None)

    async def ask(self, *command: Part) -> Any:
        """The store's own answer to one command, as bytes and numbers.

        Raises:
            StoreUnavailable: no answer within twice the store's bound, or the store refused this command.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("the store has too much to do", hint="is Redis or Valkey slow?")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._sending < AT_ONCE:
            self._sending += 1
            self._tasks.start(self._send_all(), name="send")
        return await answer

    async def aclose(self) -> None:
        await self._tasks.aclose()

    async def _send_all(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(MOST_COMMANDS, len(self._waiting)))]
                await self._send([(command, answer) for command, answer in batch if not answer.done()])
        finally:
            self._sending -= 1

    async def _send(self, batch: list[tuple[tuple[Part, ...], asyncio.Future[Any]]]) -> None:
        replies: list[Any] = [StoreUnavailable("the gateway is closing")] * len(batch)
        try:
            async with self._answers() as client:
                exchange = client.pipeline(transaction=False)
                for command, _ in batch:
                    exchange.execute_command(*command)
                replies = await exchange.execute(raise_on_error=False)
        except StoreUnavailable as error:
            replies = [error] * len(batch)
        finally:
            for (_, answer), reply in zip(batch, replies, strict=True):
                _settle(answer, reply)


def _settle(answer: asyncio.Future[Any], reply: Any) -> None:
    if answer.done():
        return
    if isinstance(reply, StoreUnavailable):
        answer.set_exception(StoreUnavailable(reply.message, hint=reply.hint))
    elif isinstance(reply, ResponseError):
        # The store's own words may repeat what was sent.
        answer.set_exception(StoreUnavailable(f"the store did not do what it was asked ({type(reply).__name__})"))
    else:
        answer.set_result(reply)
