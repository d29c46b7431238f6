"""``sordino keys``: which keys there are, and others in their place, without one ever being shown."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from pathlib import Path

import pytest

from gateway.adapters.keys.files import read_key
from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.redis import Store
from gateway.cli.main import main
from gateway.values import CallId, Private, TenantId

ACME, CALL = TenantId("acme"), CallId("call_1")


@pytest.fixture
def key_file(tmp_path: Path, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The master key of a gateway that has one key of a call of ``acme``."""
    monkeypatch.setattr("gateway.adapters.keys.change.MOUNTS", tmp_path / "none")  # tests may run in memory
    path = tmp_path / "keys" / "master.key"
    for name, value in {"DATA": tmp_path / "data", "REDIS_URL": valkey.url, "MASTER_KEY_FILE": path}.items():
        monkeypatch.setenv(f"SORDINO_{name}", str(value))
    MasterKeys.from_file(path, create=True)
    key_of(valkey, path, flush=True)
    return path


def key_of(valkey: EmbeddedValkey, path: Path, *, flush: bool = False) -> Private[bytes] | None:
    async def ask() -> Private[bytes] | None:
        async with Store(valkey.url, timeout_s=20) as store:
            if flush:
                async with store.answers() as client:
                    await client.flushall()
            return await RedisKeyShelf(store, MasterKeys.from_file(path)).key(ACME, CALL, "vault", create=flush)

    return asyncio.run(ask())


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert main(["keys", "list", "--format", "json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_keys_are_listed_by_their_ids_and_none_is_shown(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "list"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^master key [0-9a-f]{16}$", out, re.MULTILINE)
    assert re.search(r"^acme  [0-9a-f]{16}  0 day\(s\) old; keys of calls: 1 vault$", out, re.MULTILINE)
    assert base64.b64encode(read_key(key_file)).decode() not in out
    assert listed(capsys)["tenants"][0]["calls"] == {"vault": 1}  # type: ignore[index]


def test_the_master_key_and_a_tenants_are_changed_and_calls_keep_theirs(
    key_file: Path, valkey: EmbeddedValkey, capsys: pytest.CaptureFixture[str]
) -> None:
    before, key = listed(capsys), key_of(valkey, key_file)
    assert main(["keys", "rotate"]) == 0
    out = capsys.readouterr().out
    assert "1 tenant key(s) are locked with it" in out
    assert "the append-only file of the store was written anew" in out
    assert f"the old master key is in {key_file}.old-" in out
    assert main(["keys", "rotate", "--tenant", "acme"]) == 0
    assert "1 key(s) of calls are locked with the new one" in capsys.readouterr().out
    after = listed(capsys)
    assert after["master"] != before["master"]
    assert after["tenants"][0]["key_id"] != before["tenants"][0]["key_id"]  # type: ignore[index]
    assert key_of(valkey, key_file) == key is not None


def test_a_mistake_is_told_with_what_mends_it(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "rotate", "--tenant", "nobody"]) == 1
    assert "sordino keys list" in capsys.readouterr().err
    monkeypatch.setenv("SORDINO_MASTER_KEY", "x")
    assert main(["keys", "list"]) == 1
    assert "are both set" in capsys.readouterr().err
    monkeypatch.delenv("SORDINO_MASTER_KEY_FILE")
    assert main(["keys", "list"]) == 1
    assert "SORDINO_MASTER_KEY does not hold 32 bytes in base64" in capsys.readouterr().err


def test_a_master_key_of_the_environment_opens_the_same_store(
    key_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = listed(capsys)
    monkeypatch.setenv("SORDINO_MASTER_KEY", base64.b64encode(read_key(key_file)).decode())
    monkeypatch.delenv("SORDINO_MASTER_KEY_FILE")
    assert listed(capsys) == before
    assert main(["keys", "rotate"]) == 1
    assert "SORDINO_MASTER_KEY_NEXT is not set" in capsys.readouterr().err
