"""The store answers within its bound or fails with our own error, which repeats nothing of what was sent."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured, StoreUnavailable

SECRET = "seeded-secret-4532"


async def test_a_store_that_is_there_answers(store: Store) -> None:
    await store.ping()
    async with store.answers() as client:
        await client.set("a", b"\xff\x00")
        assert await client.get("a") == b"\xff\x00"


async def test_a_store_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    async with Store(f"unix://{tmp_path}/nobody.sock") as store:
        with pytest.raises(StoreUnavailable, match=r"is Redis or Valkey running and reachable\?"):
            await store.ping()


async def test_a_refusal_of_the_server_does_not_repeat_what_was_sent(store: Store) -> None:
    with pytest.raises(StoreUnavailable) as refused:
        await _provoke(store)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


async def _provoke(store: Store) -> None:
    async with store.answers() as client:
        await client.eval("return redis.error_reply(ARGV[1])", 0, SECRET)


async def test_a_server_that_hangs_is_unavailable_within_the_bound_and_no_answer_is_taken_for_another(
    own_valkey: EmbeddedValkey,
) -> None:
    assert own_valkey.pid
    async with Store(own_valkey.url, timeout_s=0.3) as store:
        await store.ping()
        os.kill(own_valkey.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable):
                await _say(store, "late")
        finally:
            os.kill(own_valkey.pid, signal.SIGCONT)
        assert await _say(store, "mine") == b"mine"


async def _say(store: Store, text: str) -> object:
    async with store.answers() as client:
        return await client.echo(text)


async def test_nothing_is_sent_twice_when_the_server_goes_away_before_it_answers(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (sent := await reader.read(4096)) and b"ECHO" not in sent:
            writer.write(b"+OK\r\n" * sent.count(b"SETINFO"))
        heard.append(sent)
        writer.close()

    server = await asyncio.start_unix_server(hang_up, tmp_path / "s")
    async with server, Store(f"unix://{tmp_path}/s", timeout_s=20) as store:
        with pytest.raises(StoreUnavailable):
            await _say(store, "once")
    assert len(heard) == 1


async def test_a_server_that_was_away_serves_again_as_soon_as_it_is_back(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store:
        await store.ping()
        await own_valkey.kill()
        with pytest.raises(StoreUnavailable):
            await store.ping()
        await own_valkey.start()
        await store.ping()


@pytest.mark.parametrize("url", ["", "localhost:6379", "http://localhost"])
def test_an_address_that_is_none_is_a_fault_of_the_set_up(url: str) -> None:
    with pytest.raises(Misconfigured, match="SORDINO_REDIS_URL is not the address"):
        Store(url)
