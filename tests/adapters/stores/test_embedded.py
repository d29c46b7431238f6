"""Who has no Redis gets a private one: nobody else reaches it, it keeps what it confirmed, and it goes when the gateway goes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from gateway.adapters.stores import embedded
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured, StoreUnavailable


async def test_it_listens_on_a_unix_socket_only_in_folders_that_are_ours_alone(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, store.answers() as client:
        assert (await client.config_get("port"))["port"] == "0"
        await client.set("a", "b")
    assert own_valkey.socket.stat().st_mode & 0o777 == 0o600
    for path in (own_valkey.socket.parent, *own_valkey.socket.parent.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


async def test_it_confirms_a_write_after_fsync_and_repeats_nothing_in_its_log(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store, store.answers() as client:
        settings = await client.config_get("appendonly", "appendfsync", "save", "maxmemory-policy", "slowlog-log-slower-than")
        await client.set("name", "Ada Lovelace")
    assert settings == {
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "maxmemory-policy": "noeviction",
        "slowlog-log-slower-than": "-1",
    }
    assert "Lovelace" not in own_valkey.log.read_text()


async def test_what_it_confirmed_is_there_after_a_power_cut_and_its_old_socket_is_no_obstacle(own_valkey: EmbeddedValkey) -> None:
    async with Store(own_valkey.url) as store:
        async with store.answers() as client:
            await client.set("a", "kept")
        assert own_valkey.pid
        os.kill(own_valkey.pid, signal.SIGKILL)
        await own_valkey.kill()
        own_valkey.socket.touch()
        await own_valkey.start()
        async with store.answers() as client:
            assert await client.get("a") == b"kept"


async def test_a_clean_stop_leaves_no_server_and_no_socket_and_can_be_asked_for_twice(own_valkey: EmbeddedValkey) -> None:
    await own_valkey.stop()
    await own_valkey.stop()
    assert not own_valkey.running
    assert not own_valkey.socket.exists()


async def test_two_gateways_cannot_share_one_folder(
    own_valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOCK_S", 0.1)
    second = EmbeddedValkey(tmp_path / "data")
    with pytest.raises(Misconfigured, match=r"another gateway is using .*own SORDINO_DATA"):
        await second.start()
    await second.stop()
    async with Store(own_valkey.url) as store:
        await store.ping()


async def test_a_server_that_outlived_its_gateway_keeps_the_next_one_off_its_files(
    own_valkey: EmbeddedValkey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "LOCK_S", 0.1)
    assert own_valkey._lock
    gateways_hold, own_valkey._lock = own_valkey._lock, os.open(tmp_path, os.O_RDONLY)
    os.close(gateways_hold)  # as the kernel does when the gateway dies
    with pytest.raises(Misconfigured, match="another gateway is using"):
        await EmbeddedValkey(tmp_path / "data").start()


async def test_a_folder_too_deep_for_a_sockets_name_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    async with EmbeddedValkey(tmp_path / ("deep" * 30)) as valkey, Store(valkey.url) as store:
        await store.ping()
        folder = valkey.socket.parent
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


GATEWAY = """
import asyncio, sys
from pathlib import Path
from gateway.adapters.stores.embedded import EmbeddedValkey

async def main():
    async with EmbeddedValkey(Path(sys.argv[1])) as valkey:
        print(valkey.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel of this machine cannot end a child with its parent")
async def test_a_gateway_that_is_killed_leaves_no_server_behind_and_the_next_one_starts(tmp_path: Path) -> None:
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-c", GATEWAY, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert gateway.stdout
    async with asyncio.timeout(30):
        server = int(await gateway.stdout.readline())
    gateway.kill()
    await gateway.wait()
    async with EmbeddedValkey(tmp_path) as next_one, Store(next_one.url) as store:
        await store.ping()
        assert next_one.pid != server


async def test_files_that_the_server_cannot_read_are_said_to_be_the_trouble(tmp_path: Path) -> None:
    valkey = EmbeddedValkey(tmp_path)
    async with valkey:
        pass
    [incremental] = valkey.log.parent.glob("appendonlydir/*.incr.aof")
    incremental.write_bytes(b"this is no append-only file\r\n" * 10)
    with pytest.raises(StoreUnavailable, match=r"did not start .*valkey\.log"):
        await valkey.start()
    assert not valkey.running


async def test_a_data_folder_that_cannot_be_used_is_a_fault_of_the_set_up(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=r"cannot be used: .* \(set SORDINO_DATA\)"):
        await EmbeddedValkey(tmp_path / "file").start()
