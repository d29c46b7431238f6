"""The connection to Redis or Valkey: bounded in time, and failing with our own errors only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.adapters.stores.line import Line, Part, Place, Script, unavailable
from gateway.errors import Misconfigured
from gateway.tasks import keeping_cancellation

TIMEOUT_S = 2.0


class Store:
    """One pool of connections. ``client`` is redis-py's; use it inside ``answers()``.

    Nothing is ever sent twice by itself: redis-py's own retries are off, because a command whose answer was lost may have
    been done.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """``url``: ``redis://``, ``rediss://`` or ``unix://``. Raises Misconfigured for anything else. Connects on first use."""
        self.timeout_s = timeout_s
        try:
            self.client: Redis = Redis.from_url(
                url,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
                decode_responses=False,
                protocol=2,
            )
        except ValueError:
            raise Misconfigured(
                "SORDINO_REDIS_URL is not the address of a Redis or Valkey server",
                hint="write redis://HOST:6379/0, rediss://HOST:6379/0 or unix:///path/to/socket",
            ) from None
        self._line: Line | None = None

    async def ask(self, *command: Part) -> Any:
        """The answer to one command, as the server wrote it: bytes, numbers, lists. It goes out with what others ask meanwhile.

        Raises:
            StoreUnavailable: as ``answers``, within twice the bound.
        """
        return await self._shared().ask(*command)

    async def run(self, script: Script, keys: Sequence[str], *arguments: Part) -> Any:
        """The answer of a script. Raises like ``ask``."""
        return await self._shared().run(script, keys, *arguments)

    def line(self) -> Line:
        """A connection for one user alone, who closes it."""
        pool = self.client.connection_pool
        try:
            return Line(Place.of(pool.connection_class(**pool.connection_kwargs)), self.timeout_s)
        except (RedisError, OSError, ValueError):
            raise Misconfigured("the certificates of SORDINO_REDIS_URL cannot be used") from None

    def _shared(self) -> Line:
        if self._line is None:
            self._line = self.line()
        return self._line

    @asynccontextmanager
    async def answers(self) -> AsyncIterator[Redis]:
        """The client, for one exchange within the bound.

        Raises:
            StoreUnavailable: the server did not answer in time, is gone, or refused. Its own words are not passed on: they may
                repeat what was sent.
        """
        try:
            async with asyncio.timeout(self.timeout_s):
                with keeping_cancellation():
                    yield self.client
        except (RedisError, OSError, TimeoutError) as error:
            raise unavailable(type(error).__name__) from None

    async def ping(self) -> None:
        """Raises StoreUnavailable."""
        async with self.answers() as client:
            await client.ping()

    async def aclose(self) -> None:
        if self._line is not None:
            await self._line.aclose()
        await self.client.aclose()

    async def __aenter__(self) -> Store:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
