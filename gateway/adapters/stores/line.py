"""One connection that many ask at once: commands go out as they come, answers come back in the same order (RESP pipelining).

A pool, a lock and a bound in time for each command would cost more than what the store has to do: here a command is some bytes
and a future, and one clock watches the oldest of them. Source: https://valkey.io/topics/protocol/ (version 2).
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection

from gateway.errors import StoreUnavailable
from gateway.tasks import TaskOwner

MOST_WAITING = 10_000
"""Commands whose answers have not come yet; the next one is refused at once."""
CLOSING = "the gateway is closing"
_NOT_YET = object()

Part = str | bytes | int | float


class Script:
    """A Lua script. The server is sent its digest, and its text only when it does not know it."""

    __slots__ = ("sha1", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # The server's own way to name a script; nothing is proven by it.
        self.sha1 = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server is, and how to come in. ``ssl``: the TLS context, or None for none."""

    host: str = ""
    port: int = 0
    path: str = ""
    """Of a unix socket; empty for TCP."""
    ssl: ssl.SSLContext | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    database: int = 0

    @staticmethod
    def of(connection: AbstractConnection) -> Place:
        """Where redis-py would connect to, as it has read the URL."""
        username, password, database = connection.username, connection.password, int(connection.db or 0)
        if isinstance(connection, UnixDomainSocketConnection):
            return Place(path=str(connection.path), username=username, password=password, database=database)
        assert isinstance(connection, Connection)  # noqa: S101  (redis-py has these three kinds)
        context = connection.ssl_context.get() if isinstance(connection, SSLConnection) else None
        return Place(connection.host, connection.port, "", context, username, password, database)

    async def connect(self, wire: _Wire) -> None:
        """Raises OSError, also for a certificate that does not hold."""
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(lambda: wire, self.path)
        else:
            await loop.create_connection(lambda: wire, self.host, self.port, ssl=self.ssl)
        if self.password is not None:
            named = (self.username,) if self.username else ()
            await wire.send(("AUTH", *named, self.password))
        if self.database:
            await wire.send(("SELECT", self.database))


class Line:
    """Connects on first use, and anew after a failure. Nothing is ever sent twice. One event loop only."""

    def __init__(self, place: Place, bound_s: float) -> None:
        """``bound_s``: how long a command may wait for its answer, and a connection for the server."""
        self._place = place
        self._bound_s = bound_s
        self._wire: _Wire | None = None
        self._closed = False
        self._connecting: asyncio.Task[_Wire | StoreUnavailable] | None = None
        self._tasks = TaskOwner("store", on_failure=lambda _name, _failure: None)

    async def ask(self, *command: Part) -> Any:
        """The store's own answer to one command: bytes, numbers, lists.

        Raises:
            StoreUnavailable: no answer within twice the bound, or the store refused this command.
        """
        wire = self._wire if self._wire is not None and self._wire.open else await self._connected()
        return await wire.send(command)

    async def ask_all(self, *commands: tuple[Part, ...]) -> list[Any]:
        """The answers to commands that go out one right behind the other; a Refused stands for one that the store refused.

        Raises:
            StoreUnavailable: an answer is missing.
        """
        wire = self._wire if self._wire is not None and self._wire.open else await self._connected()
        answers = await asyncio.gather(*[wire.send(command) for command in commands], return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, Refused):
                raise answer
        return answers

    async def run(self, script: Script, keys: Sequence[str], *arguments: Part) -> Any:
        """The answer of a script. Raises like ``ask``."""
        try:
            return await self.ask("EVALSHA", script.sha1, len(keys), *keys, *arguments)
        except UnknownScript:  # then it has not run
            return await self.ask("EVAL", script.text, len(keys), *keys, *arguments)

    async def aclose(self) -> None:
        """Refuse what waits, and take nothing more."""
        self._closed = True
        await self._tasks.aclose()
        if self._wire is not None:
            self._wire.close(CLOSING)

    async def _connected(self) -> _Wire:
        if self._closed:
            raise StoreUnavailable(CLOSING)
        if self._connecting is None or self._connecting.done():
            self._connecting = self._tasks.start(self._connect(), name="connect")
        found = await asyncio.shield(self._connecting)
        if isinstance(found, StoreUnavailable):
            raise StoreUnavailable(found.message, hint=found.hint)
        return found

    async def _connect(self) -> _Wire | StoreUnavailable:
        wire = _Wire(self._bound_s)
        try:
            async with asyncio.timeout(self._bound_s):
                await self._place.connect(wire)
        except (OSError, TimeoutError) as error:
            wire.close(type(error).__name__)
            return unavailable(type(error).__name__)
        except StoreUnavailable as error:
            wire.close("refused")
            return error
        except asyncio.CancelledError:  # only closing does that: nobody who waits here was cancelled
            wire.close(CLOSING)
            return StoreUnavailable(CLOSING)
        self._wire = wire
        return wire


class Refused(StoreUnavailable):
    """The server answered, with an error."""


class UnknownScript(Refused):
    """The server does not have a script of that digest (``NOSCRIPT``)."""


def unavailable(why: str) -> StoreUnavailable:
    """``why``: a word of ours. The server's own words are not passed on: they may repeat what was sent."""
    return StoreUnavailable(f"the store did not do what it was asked ({why})", hint="is Redis or Valkey running and reachable?")


class _Refusal(Exception):
    """What the reader gives for an error reply. ``unknown_script`` is all that is kept of the server's words."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.unknown_script = words.startswith("NOSCRIPT")

    def error(self) -> Refused:
        if self.unknown_script:
            return UnknownScript("the store does not know this script")
        return Refused("the store did not do what it was asked (ResponseError)")


class _Wire(asyncio.Protocol):
    """One connection, until it ends."""

    def __init__(self, bound_s: float) -> None:
        self._bound_s = bound_s
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=_Refusal, notEnoughData=_NOT_YET)
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        """When each command went out, and who waits for its answer."""
        self._transport: asyncio.WriteTransport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)  # uvloop's are none by name
        self.open = True

    def send(self, command: tuple[Part, ...]) -> asyncio.Future[Any]:
        """Its answer, as it will come. Raises StoreUnavailable when nothing can be sent."""
        if self._transport is None or not self.open:
            raise unavailable("ConnectionError")
        if len(self._waiting) >= MOST_WAITING:
            raise StoreUnavailable("the store has too much to do", hint="is Redis or Valkey slow?")
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((self._loop.time(), answer))
        self._transport.write(hiredis.pack_command(command))  # type: ignore[arg-type]  # it takes a tuple of any length
        if self._watch is None:
            self._watch = self._loop.call_later(self._bound_s, self._look)
        return answer

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not _NOT_YET:
                _, answer = self._waiting.popleft()
                if answer.done():
                    continue
                if isinstance(reply, _Refusal):
                    answer.set_exception(reply.error())
                else:
                    answer.set_result(reply)
        except (hiredis.ProtocolError, IndexError):  # no RESP, or an answer that nobody asked for
            self.close("ProtocolError")

    def connection_lost(self, _: Exception | None) -> None:
        self.close("ConnectionError")

    def close(self, why: str) -> None:
        """Refuse what waits, and take nothing more."""
        self.open = False
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        while self._waiting:
            _, answer = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(unavailable(why))

    def _look(self) -> None:
        """Answers come in order: when the oldest question is late, nothing more comes that anybody could rely on."""
        self._watch = None
        if not self._waiting:
            return
        due = self._waiting[0][0] + self._bound_s
        if due <= self._loop.time():
            self.close("TimeoutError")
        else:
            self._watch = self._loop.call_at(due, self._look)
