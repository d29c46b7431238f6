"""``sordino transcripts``: on the store of a gateway, whether it runs or not."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.transcripts import RedisTranscripts
from gateway.cli.main import main
from gateway.keeping import open_keys
from gateway.settings import Settings
from gateway.values import Private
from tests.runner.lived import write_policies
from tests.runner.test_transcripts import ACME, CALL, FACTS, PERSON, TURNS

SHOW = ["transcripts", "show", "--tenant", ACME, "--call", CALL]


@pytest.fixture
def house(tmp_path: Path, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's store with one transcript of ``acme``."""
    key_file = tmp_path / "master.key"
    key_file.write_bytes(base64.b64encode(bytes(range(32))))
    key_file.chmod(0o600)
    environment = {
        "SORDINO_DATA": str(tmp_path),
        "SORDINO_POLICIES": str(write_policies(tmp_path / "policies")),
        "SORDINO_REDIS_URL": valkey.url,
        "SORDINO_MASTER_KEY_FILE": str(key_file),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    async def keep() -> None:
        async with Store(valkey.url, timeout_s=20) as store:
            async with store.answers() as client:
                await client.flushall()
            keys = await open_keys(Settings.from_env(environment), store)
            sheet = await RedisTranscripts(store, keys.shelf).begin(ACME, FACTS)
            await sheet.write(TURNS, {PERSON: Private("Ada Lovelace")})
            await sheet.finish(2)

    asyncio.run(keep())
    return tmp_path


def test_a_transcript_is_listed_and_shown_masked(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcripts", "list", "--tenant", ACME]) == 0
    assert "call_1  2026-11-22T08:00:00Z      2 turns  kept" in capsys.readouterr().out
    assert main(SHOW) == 0
    shown = capsys.readouterr().out
    assert "agent: Hello, <PERSON_1>." in shown
    assert main([*SHOW, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["turns"][1]["text"] == "Hello, <PERSON_1>."


def test_it_is_revealed_with_a_reason_only(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SHOW, "--reveal"]) != 0
    told = capsys.readouterr()
    assert "needs a reason" in told.err
    assert "Ada" not in told.out
    assert main([*SHOW, "--reveal", "--reason", "case 7"]) == 0
    assert "agent: Hello, Ada Lovelace." in capsys.readouterr().out


def test_what_there_is_not_is_said_so(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcripts", "show", "--tenant", ACME, "--call", "call_2"]) != 0
    error = capsys.readouterr().err
    assert "there is no transcript of that call" in error
    assert "sordino transcripts list --tenant acme" in error
    assert main(["transcripts", "list", "--tenant", "globex"]) == 0
    assert "globex has no transcripts" in capsys.readouterr().out
