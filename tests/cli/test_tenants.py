"""``sordino tenants``: a tenant's file, its keys and its limits, from the command line."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.cli.main import main
from gateway.values import Private
from tests.http.proxy.house import write_policies


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    folder = write_policies(tmp_path / "policies", {"local-llm": "http://127.0.0.1:11434/v1"})
    monkeypatch.setenv("SORDINO_POLICIES", str(folder))
    return folder


def out(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(["tenants", *words]) == code
    return capsys.readouterr().out


def test_a_key_is_made_shown_once_listed_rotated_and_revoked(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = out(capsys, "keys", "create", "acme", "--name", "shop", "--scope", "chat", "--expires", "90d").strip()
    assert secret.startswith("sordino-acme-")
    (key,) = json.loads(out(capsys, "keys", "list", "acme", "--format", "json"))
    assert (key["name"], key["scopes"]) == ("shop", ["chat"])
    assert secret not in json.dumps(key)
    newer = out(capsys, "keys", "rotate", "acme", key["id"]).strip()
    assert newer not in ("", secret)
    assert "lets nobody in any more" in out(capsys, "keys", "revoke", "acme", key["id"])
    listed = out(capsys, "keys", "list", "acme")
    assert ("revoked" in listed, "good until" in listed) == (True, True)
    assert "acme  1 key(s)" in out(capsys, "list")


def test_a_key_that_is_made_while_a_gateway_runs_is_good_at_once(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def running() -> None:
        async with EmbeddedValkey(tmp_path / "data") as valkey, Store(valkey.url) as store:
            assert await asyncio.to_thread(main, ["tenants", "keys", "create", "acme"]) == 0
            secret = Private(capsys.readouterr().out.strip())
            assert (await TenantKeys(store).enter(secret, "chat", now=datetime.now(UTC))).tenant == "acme"

    asyncio.run(running())


def test_limits_are_shown_and_set(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "60000 a minute" in out(capsys, "limits", "acme")
    out(capsys, "limits", "acme", "--per-minute", "30", "--concurrent", "2")
    assert "30 a minute, 2000 at one moment, 2 in progress" in out(capsys, "limits", "acme")


def test_a_new_tenants_file_is_written_and_good(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out(capsys, "create", "initech", "--region", "eu", "--origin", "us")
    text = (policies / "tenants" / "initech.yaml").read_text()
    assert "regions: [eu]" in text
    assert "initech" in out(capsys, "list")


WRONG: list[tuple[list[str], str]] = [
    (["keys", "create", "nobody"], "no such tenant"),
    (["keys", "revoke", "acme", "key_none"], "no such key"),
    (["create", "acme"], "is there already"),
    (["create", "Not a name"], "small letters"),
    (["limits", "acme", "--burst", "0"], "below 1"),
]


@pytest.mark.parametrize(("words", "told"), WRONG, ids=lambda each: " ".join(each) if isinstance(each, list) else "")
def test_a_mistake_is_told_with_how_to_mend_it(
    policies: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["tenants", *words]) == 1
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said


def test_a_tenant_whose_file_would_be_wrong_is_not_left_behind(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tenants", "create", "initech", "--extends", "no-such-pack"]) == 1
    assert "no-such-pack" in capsys.readouterr().err
    assert not (policies / "tenants" / "initech.yaml").exists()
