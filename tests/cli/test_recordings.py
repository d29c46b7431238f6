"""``sordino recordings``: on the store and the files of a gateway, whether it runs or not."""

from __future__ import annotations

import asyncio
import json
import wave
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.recordings.folder import Folder
from gateway.adapters.recordings.format import CLASS, new_header
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.recordings import KEPT, RecordingFacts, RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.cli.main import main
from gateway.values import CallId
from tests.adapters.recordings.samples import CALL, PIECES, RATE, TENANT

POLICY = "tenant: acme\nregions: [local]\n"


@pytest.fixture
def house(tmp_path: Path, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data with one finished recording of ``acme``."""
    policies, key_file = tmp_path / "policies", tmp_path / "master.key"
    (policies / "tenants").mkdir(parents=True)
    (policies / "tenants" / "acme.yaml").write_text(POLICY, encoding="utf-8")
    environment = {"DATA": tmp_path / "data", "POLICIES": policies, "REDIS_URL": valkey.url, "MASTER_KEY_FILE": key_file}
    for name, value in environment.items():
        monkeypatch.setenv(f"SORDINO_{name}", str(value))
    masters = MasterKeys.from_file(key_file, create=True)

    async def record() -> None:
        started = datetime.now(UTC).isoformat()
        stated = {"started": started, "consent": "sha256:c", "rate": RATE, "redacted": "silence"}
        async with Store(valkey.url, timeout_s=20) as store:
            async with store.answers() as client:
                await client.flushall()
            key = await RedisKeyShelf(store, masters).key(TENANT, CALL, CLASS, create=True)
            assert key is not None
            header = new_header(key, TENANT, CALL, **stated)
            folder = Folder(tmp_path / "data" / "recordings")
            file = await folder.create(header, key)
            for piece in PIECES[:-1]:
                await file.write(piece)
            await file.finish(24_000)
            facts = RecordingFacts(CALL, started, "disk", "folder", header.key_id, "sha256:c", "silence", RATE, keep_s=60)
            await RedisRecordings(store).put(TENANT, replace(facts, folder=folder.name))
            await RedisRecordings(store).change(TENANT, CALL, state=KEPT, ms=3_000, chunks=file.chunks, sha256=file.sha256)

    asyncio.run(record())
    return tmp_path


def test_a_recording_is_listed_exported_and_deleted(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recordings", "list", "--tenant", "acme"]) == 0
    assert "call_1" in (listed := capsys.readouterr().out)
    assert "3.0 s" in listed
    output = house / "out.wav"
    assert main(["recordings", "export", "--tenant", "acme", "--call", "call_1", "--reason", "complaint", "-o", str(output)]) == 0
    told = capsys.readouterr().out
    assert "not recorded from 1.0 s to 1.5 s: payment" in told
    with wave.open(str(output)) as found:
        assert (found.getnchannels(), found.getnframes()) == (2, 24_000)
    assert output.stat().st_mode & 0o777 == 0o600
    delete = ["recordings", "delete", "--tenant", "acme", "--call", "call_1", "--reason"]
    assert main([*delete, "asked by 0151/1234_5678"]) == 1, "its certificate says the reason for good"
    assert "held a number or an address" in capsys.readouterr().err
    assert main([*delete, "erasure"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("deleted: the key and the sound of call_1\n  certificate certificate_")
    assert Folder(house / "data" / "recordings").calls(TENANT) == []
    assert main(["recordings", "list", "--tenant", "acme", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("command", ["export", "delete"])
def test_a_call_without_a_recording_is_told_with_a_hint(house: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recordings", command, "--tenant", "acme", "--call", "call_9", "--reason", "r"]) == 1
    error = capsys.readouterr().err
    assert "there is no recording of that call" in error
    assert "sordino recordings list --tenant acme" in error
    assert CallId("call_1") in Folder(house / "data" / "recordings").calls(TENANT)


def test_an_export_asks_for_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["recordings", "export", "--tenant", "acme", "--call", "call_1"])
    assert ended.value.code == 2
    assert "--reason" in capsys.readouterr().err
