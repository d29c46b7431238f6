"""``sordino evidence export`` and ``verify``: an auditor gets one file, and needs nothing else but the public key."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.audit.bundle_file import open_bundle
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.policy_archive import PolicyArchive
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.cli.main import main
from gateway.evidence.chain import CallChain
from gateway.evidence.receipt import build
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.values import CallId, TenantId
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED
from tests.policy.samples import REGISTRY, TENANT

DAYS = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (1, 2, 3)]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data of three days, a call of acme and of other each day; no gateway runs."""
    policies = tmp_path / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY)
    (policies / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SORDINO_POLICIES", str(policies))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    asyncio.run(_lived(tmp_path / "data", PolicyFolder.open(policies).policies.tenant("acme").digest))
    return tmp_path


async def _lived(data: Path, policy: str) -> None:
    key = SigningKey.from_file(data / "keys" / "signing.key", create=True)
    async with EmbeddedValkey(data) as server, Store(server.url) as store, RedisLedger(store, timeout_s=30) as ledger:
        receipts, consents = Receipts(store, data / "receipts"), RedisConsents(store)
        for number, at in enumerate(DAYS):
            for tenant in (TenantId("acme"), TenantId("other")):
                chain = CallChain(tenant, CallId(f"call_{number}"))
                for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
                    mine = {**body, "policy_digest": policy} if kind == "call.started" and number else body
                    chain.add(await ledger.append(chain.draft(kind, at + timedelta(seconds=len(chain.entries)), mine)))
                await receipts.save(build(chain.entries, sign=key.sign, public_key=key.public_key))
                record = ConsentRecord(Answer.GIVEN, "recording", How.SPOKEN, at, chain.call)
                await consents.add(tenant, [(f"subject{number}", record)])


def test_an_export_is_verified_anywhere_with_the_public_key_alone(
    house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what is in it, whose it is, and which policy that calls name is not in it."""
    assert main(["evidence", "export", "--tenant", "acme", "-o", "acme.zip"]) == 0
    assert "wrote acme.zip: 12 entries, 3 calls, 3 receipts" in capsys.readouterr().out
    assert (house / "acme.zip").stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(socket, "socket", None)  # offline: nothing could be asked
    assert main(["evidence", "verify", "acme.zip", "--key", "data/keys/signing.pub"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("verified: 12 entries, 3 calls, 3 receipts of acme, made 20")
    assert "it begins with the tenant's very first entry" in said
    assert f"not in it: the policy {'a' * 64}, which calls name" in said
    assert said.count("not in it: the policy") == 1
    assert "the key that you gave" in said


def test_a_period_is_cut_by_days_and_says_what_it_continues(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The end of one bundle is the beginning of the next: nothing between them can be lost unseen."""
    assert main(["evidence", "export", "--tenant", "acme", "--to", "2026-11-01", "-o", "first.zip"]) == 0
    assert main(["evidence", "export", "--tenant", "acme", "--from", "2026-11-02", "--to", "2026-11-02", "-o", "second.zip"]) == 0
    capsys.readouterr()
    assert main(["evidence", "verify", "first.zip"]) == 0
    head = capsys.readouterr().out.split("head ")[1].split()[0]
    assert main(["evidence", "verify", "second.zip"]) == 0
    said = capsys.readouterr().out
    assert "4 entries, 1 calls, 1 receipts" in said
    assert f"that one must end with {head}" in said
    assert "which you have not confirmed" in said


def test_what_is_wrong_is_told_without_a_traceback(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tenant without evidence, a day that is none, another's key, a broken file."""
    assert main(["evidence", "export", "--tenant", "nobody", "-o", "none.zip"]) == 1
    assert "there is no evidence of that tenant in that time" in capsys.readouterr().err
    assert not list(house.glob("*none.zip*"))
    with pytest.raises(SystemExit) as left:
        main(["evidence", "export", "--tenant", "acme", "--from", "yesterday"])
    assert left.value.code == 2
    assert "write a day: 2026-12-01" in capsys.readouterr().err
    assert main(["evidence", "export", "--tenant", "acme"]) == 0
    SigningKey.from_file(house / "other.key", create=True)
    assert main(["evidence", "verify", "bundle.zip", "--key", "other.pub"]) == 1
    assert "bundle.zip: NOT VALID: manifest.json: it is signed by key" in capsys.readouterr().err
    whole = (house / "bundle.zip").read_bytes()
    (house / "bundle.zip").write_bytes(whole[:-30])
    assert main(["evidence", "verify", "bundle.zip"]) == 1
    assert "it was cut off" in capsys.readouterr().err


def test_the_policy_of_an_old_call_is_in_the_bundle_after_the_folder_has_changed(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Promise 2: what a call was handled by stays, whatever is in force now."""
    old = PolicyFolder.open(house / "policies").policies
    asyncio.run(PolicyArchive(house / "data" / "instructions").keep(old.tenant("acme"), old.registry))
    file = house / "policies" / "tenants" / "acme.yaml"
    file.write_text(file.read_text() + "\nretention: {metadata: 9d}\n")
    assert PolicyFolder.open(house / "policies").policies.tenant("acme").digest != old.tenant("acme").digest
    assert main(["evidence", "export", "--tenant", "acme"]) == 0
    assert old.tenant("acme").digest not in capsys.readouterr().out
    with open_bundle(house / "bundle.zip") as bundle:
        assert old.tenant("acme").digest in b"".join(bundle.chunks("policies.jsonl")).decode()
