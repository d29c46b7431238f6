"""One connection that many ask at once: each gets its own answer, or our own error within the bound."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import hiredis
import pytest
import uvloop

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.line import MOST_WAITING, Line, Place, Refused, Script
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.tasks import TaskOwner
from tests.conftest import PATIENCE_S

SECRET = "seeded-secret-4532"
ADD = Script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@pytest.fixture
async def line(store: Store) -> AsyncIterator[Line]:
    """To a real Valkey that is empty."""
    found = store.line()
    yield found
    await found.aclose()


@asynccontextmanager
async def line_to(server: Answering, folder: Path, bound_s: float = PATIENCE_S) -> AsyncIterator[Line]:
    async with await asyncio.start_unix_server(server, folder / "s"):
        line = Line(Place(path=str(folder / "s")), bound_s)
        try:
            yield line
        finally:
            await line.aclose()


async def test_everybody_gets_their_own_answer(line: Line) -> None:
    answers = await asyncio.gather(*[line.ask("ECHO", f"{n}" * n) for n in range(200)])
    assert answers == [f"{n}".encode() * n for n in range(200)]


async def test_what_was_written_comes_back_as_it_was(line: Line) -> None:
    assert await line.ask("SET", "a", b"\xff\x00\r\n") == b"OK"
    assert await line.ask("HSET", "h", "n", 3, "f", 1.5) == 2
    assert await line.ask("HMGET", "h", "n", "f", "none") == [b"3", b"1.5", None]
    assert await line.ask("GET", "a") == b"\xff\x00\r\n"


async def test_a_script_runs_whether_or_not_the_server_knows_it_and_once_each_time(line: Line) -> None:
    assert [await line.run(ADD, ["n"], 2), await line.run(ADD, ["n"], 2)] == [2, 4]
    await line.ask("SCRIPT", "FLUSH")
    assert await line.run(ADD, ["n"], 2) == 6


async def test_commands_that_belong_together_are_answered_together_a_refusal_among_them(line: Line) -> None:
    one, refused, two = await line.ask_all(("SET", "a", "1"), ("INCR", "a", SECRET), ("GET", "a"))
    assert (one, isinstance(refused, Refused), two) == (b"OK", True, b"1")
    assert SECRET not in str(refused)


async def test_a_refusal_is_an_error_that_repeats_nothing_and_the_line_goes_on(line: Line) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await line.ask("EVAL", "return redis.error_reply(ARGV[1])", 0, SECRET)
    assert SECRET not in f"{refused.value!r}{refused.value}{refused.value.__cause__}"
    assert await line.ask("ECHO", "on") == b"on"


async def test_nobody_gets_the_answer_of_somebody_who_has_gone(line: Line) -> None:
    await line.ask("PING")
    async with TaskOwner("test", on_failure=lambda _name, _failure: None) as tasks:
        gone = tasks.start(line.ask("ECHO", "gone"), name="gone")
        await asyncio.sleep(0)
        gone.cancel()
        assert await line.ask("ECHO", "mine") == b"mine"


def test_it_serves_on_the_loop_that_the_gateway_runs_on(tmp_path: Path) -> None:
    """uvloop's transports are not those of asyncio."""

    async def ask() -> Any:
        async with EmbeddedValkey(tmp_path) as valkey, Store(valkey.url, timeout_s=PATIENCE_S) as store:
            return [await store.ask("ECHO", "there"), await store.run(ADD, ["n"], 1)]

    assert uvloop.run(ask()) == [b"there", 1]


# --- a server that fails --------------------------------------------------------------------------------------------


async def test_a_server_that_hangs_fails_all_who_wait_within_the_bound_and_serves_again_later(own_valkey: EmbeddedValkey) -> None:
    assert own_valkey.pid
    async with Store(own_valkey.url, timeout_s=0.5) as store, asyncio.timeout(3 * PATIENCE_S):
        await _until_it_serves(store)
        os.kill(own_valkey.pid, signal.SIGSTOP)
        try:
            waiting = [store.ask("ECHO", f"late {n}") for n in range(3)]
            found = await asyncio.gather(*waiting, return_exceptions=True)
        finally:
            os.kill(own_valkey.pid, signal.SIGCONT)
        assert [type(each) for each in found] == [StoreUnavailable] * 3
        assert await _until_it_serves(store) == b"mine"


async def _until_it_serves(store: Store) -> Any:
    while True:
        try:
            return await store.ask("ECHO", "mine")
        except StoreUnavailable:
            await asyncio.sleep(0.05)


async def test_a_server_that_went_away_is_told_and_found_again(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store:
        await store.ask("PING")
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable, match=r"is Redis or Valkey running and reachable\?"):
            await store.ask("PING")
        await own_valkey.start()
        assert await store.ask("ECHO", "back") == b"back"


async def test_nothing_is_sent_twice_when_the_server_goes_away_before_it_answers(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"once\r\n"))
        writer.close()

    async with line_to(hang_up, tmp_path) as line:
        with pytest.raises(StoreUnavailable):
            await line.ask("ECHO", "once")
        assert len(heard) == 1


def says(words: bytes) -> Answering:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"first\r\n")
        writer.write(words)
        await reader.read()
        writer.close()

    return speak


async def test_a_server_that_speaks_something_else_is_unavailable(tmp_path: Path) -> None:
    async with line_to(says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), tmp_path) as line:
        with pytest.raises(StoreUnavailable, match="ProtocolError"):
            await line.ask("ECHO", "first")


async def test_an_answer_that_nobody_asked_for_is_nobodys(tmp_path: Path) -> None:
    async with line_to(says(b"+one\r\n+two\r\n"), tmp_path) as line:
        assert [await line.ask("ECHO", "first") for _ in range(3)] == [b"one"] * 3


async def test_more_than_can_wait_is_refused_at_once_and_closing_refuses_the_rest(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            asked.set()
        writer.close()

    async with line_to(never, tmp_path) as line, TaskOwner("test", on_failure=lambda _name, _failure: None) as tasks:
        first = tasks.start(line.ask("PING"), name="first")
        await asked.wait()
        rest = [tasks.start(line.ask("PING"), name="rest") for _ in range(MOST_WAITING)]
        assert "too much to do" in str(await asyncio.gather(rest[-1], return_exceptions=True))
        await line.aclose()
        found = await asyncio.gather(first, *rest, return_exceptions=True)
    assert {type(each) for each in found} == {StoreUnavailable}


# --- how it comes in ------------------------------------------------------------------------------------------------


async def test_it_says_its_name_password_and_database_first(tmp_path: Path) -> None:
    heard: list[Any] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        commands = hiredis.Reader()
        while piece := await reader.read(1 << 16):
            commands.feed(piece)
            while (command := commands.gets()) is not False:
                heard.append(command)
                writer.write(b"+OK\r\n")
        writer.close()

    where = f"unix://who:what@{tmp_path}/s?db=3"
    async with await asyncio.start_unix_server(note, tmp_path / "s"), Store(where, timeout_s=PATIENCE_S) as store:
        await store.ask("PING")
    assert heard == [[b"AUTH", b"who", b"what"], [b"SELECT", b"3"], [b"PING"]]


async def test_a_password_that_does_not_hold_is_an_error_and_is_not_shown(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url.replace("unix://", f"unix://:{SECRET}@"), timeout_s=PATIENCE_S) as store:
        with pytest.raises(StoreUnavailable) as refused:
            await store.ask("PING")
        assert SECRET not in f"{refused.value!r}{store.line()!r}{Place(password=SECRET)!r}"


def test_the_address_is_read_as_redis_py_reads_it() -> None:
    def place(url: str) -> Place:
        pool = Store(url).client.connection_pool
        return Place.of(pool.connection_class(**pool.connection_kwargs))

    assert place("redis://:pass@there:7000/2") == Place("there", 7000, password="pass", database=2)
    assert place("unix:///run/valkey.sock") == Place(path="/run/valkey.sock")
    context = place("rediss://there:7001").ssl
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


async def test_certificates_that_cannot_be_read_are_a_fault_of_the_set_up(tmp_path: Path) -> None:
    async with Store(f"rediss://127.0.0.1:1/0?ssl_ca_certs={tmp_path}/none.pem") as store:
        with pytest.raises(Misconfigured, match="certificates"):
            await store.ask("PING")
