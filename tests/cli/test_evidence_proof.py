"""``sordino evidence head``, ``prove`` and ``consistent``: small files by which anybody sees that history was not rewritten."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.cli.main import main
from gateway.evidence.chain import CallChain
from gateway.values import CallId, TenantId
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ACME = TenantId("acme")


async def _call(data: Path, *numbers: int) -> None:
    async with EmbeddedValkey(data) as server, Store(server.url) as store, RedisLedger(store, timeout_s=30) as ledger:
        for number in numbers:
            chain = CallChain(ACME, CallId(f"call_{number}"))
            for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
                chain.add(await ledger.append(chain.draft(kind, NOON, body)))


async def _rewrite(data: Path) -> None:
    async with EmbeddedValkey(data) as server, Store(server.url) as store, store.answers() as client:
        await client.delete("sordino:{acme}:evidence")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data with three calls of acme; no gateway runs."""
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    SigningKey.from_file(tmp_path / "data" / "keys" / "signing.key", create=True)
    asyncio.run(_call(tmp_path / "data", 1, 2, 3))
    return tmp_path / "data"


def test_one_call_is_proven_without_the_others(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof is small, holds nothing of other calls, and is checked offline with the public key."""
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_2"]) == 0
    assert "wrote proof.json: entry 8 of 12" in capsys.readouterr().out
    text = Path("proof.json").read_text()
    assert "call_1" not in text
    assert "call_3" not in text
    monkeypatch.setattr(socket, "socket", None)
    assert main(["evidence", "verify", "proof.json", "--key", str(data / "keys" / "signing.pub")]) == 0
    said = capsys.readouterr().out
    assert "verified: entry 8 (call.ended, call_2) of acme" in said
    assert "it is one of the 12 entries" in said
    assert "the key that you gave" in said
    changed = json.loads(text)
    changed["entry"]["seq"] = 7
    Path("proof.json").write_text(json.dumps(changed))
    assert main(["evidence", "verify", "proof.json"]) == 1
    assert "NOT VALID: the proof's entry does not have the hash" in capsys.readouterr().err


def test_an_auditor_who_keeps_a_head_sees_that_later_evidence_only_added_to_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a proof of some hundred bytes, or by the whole bundle."""
    assert main(["evidence", "head", "--tenant", "acme"]) == 0
    assert "the head of 12 entries of acme" in capsys.readouterr().out
    asyncio.run(_call(data, 4, 5))
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_5", "--since", "head.json"]) == 0
    assert main(["evidence", "verify", "proof.json"]) == 0
    assert "nothing of the 12 entries of" in capsys.readouterr().out
    assert main(["evidence", "consistent", "head.json", "proof.json"]) == 0
    assert main(["evidence", "export", "--tenant", "acme", "-o", "bundle.zip"]) == 0
    capsys.readouterr()
    assert main(["evidence", "consistent", "head.json", "bundle.zip", "--key", str(data / "keys" / "signing.pub")]) == 0
    assert "consistent: the 20 entries of" in capsys.readouterr().out


def test_a_rewritten_history_is_told(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An operator who makes the chain anew, with the right key and all hashes fitting, is found out by the head that was kept."""
    assert main(["evidence", "head", "--tenant", "acme"]) == 0
    asyncio.run(_rewrite(data))
    asyncio.run(_call(data, 1, 7, 3, 4))
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_7", "--since", "head.json"]) == 1
    assert "history was rewritten" in capsys.readouterr().err
    assert not Path("proof.json").exists()
    assert main(["evidence", "export", "--tenant", "acme", "-o", "bundle.zip"]) == 0
    assert main(["evidence", "consistent", "bundle.zip", "head.json"]) == 1
    assert "is a bundle, and no head" in capsys.readouterr().err, "files in the wrong order are no rewritten history"
    assert main(["evidence", "consistent", "head.json", "bundle.zip"]) == 1
    assert "history was rewritten" in capsys.readouterr().err


def test_what_is_wrong_is_told_without_a_traceback(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No such call, no such tenant, a file that is no head, a bundle that lost its end, another's key."""
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_9"]) == 1
    assert "there is no evidence of that call" in capsys.readouterr().err
    assert main(["evidence", "head", "--tenant", "nobody"]) == 1
    assert "there is no evidence of that tenant" in capsys.readouterr().err
    Path("head.json").write_text("{}")
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_1", "--since", "head.json"]) == 1
    assert "this is not a head" in capsys.readouterr().err
    assert main(["evidence", "head", "--tenant", "acme"]) == 0
    asyncio.run(_rewrite(data))
    asyncio.run(_call(data, 1))
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_1", "--since", "head.json"]) == 1
    assert "the chain is shorter than what it is to prove" in capsys.readouterr().err
    SigningKey.from_file(data / "other.key", create=True)
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_1"]) == 0
    assert main(["evidence", "verify", "proof.json", "--key", str(data / "other.pub")]) == 1
    assert "not by the key that you gave" in capsys.readouterr().err
