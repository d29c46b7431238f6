"""``sordino holds``, ``sordino calls erase`` and ``sordino evidence certificates`` on a gateway's data while none runs."""

from __future__ import annotations

import asyncio
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.cli.main import main
from gateway.evidence.chain import CallChain
from gateway.evidence.receipt import build
from gateway.values import CallId, TenantId
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED
from tests.policy.samples import REGISTRY, TENANT

CALL = "call_01j00000000000000000000001"
REVIEW = (datetime.now(UTC).date() + timedelta(days=90)).isoformat()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data with one call of acme in it."""
    policies = tmp_path / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY)
    (policies / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SORDINO_POLICIES", str(policies))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    asyncio.run(_lived(tmp_path / "data"))
    return tmp_path


async def _lived(data: Path) -> None:
    key = SigningKey.from_file(data / "keys" / "signing.key", create=True)
    async with EmbeddedValkey(data) as server, Store(server.url) as store, RedisLedger(store, timeout_s=30) as ledger:
        chain = CallChain(TenantId("acme"), CallId(CALL))
        for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
            chain.add(await ledger.append(chain.draft(kind, datetime.now(UTC), body)))
        await Receipts(store, data / "receipts").save(build(chain.entries, sign=key.sign, public_key=key.public_key))


def run(*words: str) -> int:
    return main([*words, "--tenant", "acme"])


def test_a_call_is_held_then_erased_and_its_certificate_is_verified_alone_and_in_a_bundle(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ("--reason", "case 7", "--approver", "A. Judge", "--review", REVIEW)
    assert run("holds", "add", "--call", CALL, *order) == 0
    hold = capsys.readouterr().out.split()[1].rstrip(",")
    assert run("holds", "list") == 0
    assert f"{hold}  call {CALL}; case 7; approved by A. Judge; review on {REVIEW}" in capsys.readouterr().out

    assert run("calls", "erase", "--call", CALL, "--why", "request of the caller") == 1
    told = capsys.readouterr().err
    assert "a legal hold keeps all of that call" in told
    assert f"hold {hold} keeps receipts; its review is on {REVIEW}" in told

    assert run("holds", "lift", hold, "--reason", "case closed") == 0
    assert run("calls", "erase", "--call", CALL, "--why", "request of the caller") == 0
    assert "gone: receipts; certificate certificate_" in capsys.readouterr().out
    assert not list((house / "data" / "receipts").rglob("*.json"))

    assert run("evidence", "certificates", "--call", CALL, "--format", "json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["why"] == "request of the caller"
    (house / "certificate.json").write_text(line)
    assert main(["evidence", "verify", "certificate.json", "--key", "data/keys/signing.pub"]) == 0
    told = capsys.readouterr().out
    machine = (house / "data" / "recordings" / ".name").read_text()
    assert f"receipts of {CALL} gone from disk {machine}, store: request of the caller (command line)" in told
    assert "the key that you gave" in told
    (house / "certificate.json").write_text(line.replace("caller", "colour"))
    assert main(["evidence", "verify", "certificate.json"]) == 1
    assert "was changed after it was signed" in capsys.readouterr().err

    assert run("evidence", "export", "-o", "acme.zip") == 0
    assert main(["evidence", "verify", "acme.zip", "--key", "data/keys/signing.pub"]) == 0
    assert "1 certificates" in capsys.readouterr().out


def test_a_person_is_held_by_their_number_however_it_is_given(
    house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the input, so that it stands in no list of processes; in another spelling it is the same person."""
    order = ("--reason", "case 7", "--approver", "A. Judge", "--review", REVIEW)
    monkeypatch.setattr("sys.stdin", io.StringIO("+49 (0)151 12345678\n"))
    assert run("holds", "add", "--subject", "-", *order) == 0
    assert run("holds", "add", "--subject", "+4915112345678", *order) == 0
    capsys.readouterr()
    assert run("holds", "list", "--format", "json") == 0
    one, other = json.loads(capsys.readouterr().out)
    assert one["scope"]["subject"] == other["scope"]["subject"]


def test_a_mistake_is_told_without_a_traceback(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = ("--reason", "case 7", "--approver", "A. Judge")
    assert run("holds", "add", *order, "--review", REVIEW) == 1
    assert "the hold has no scope" in capsys.readouterr().err
    assert run("holds", "add", "--all", *order, "--review", "2020-01-01") == 1
    assert "the review of a hold lies in the past" in capsys.readouterr().err
    assert run("holds", "add", "--subject", "555", *order, "--review", REVIEW) == 1
    assert "555" not in capsys.readouterr().err
    assert main(["holds", "add", "--all", *order, "--review", REVIEW, "--tenant", "acmee"]) == 1
    assert "there is no such tenant" in capsys.readouterr().err, "a hold on a misspelt name would keep nothing"
    with pytest.raises(SystemExit):
        run("holds", "add", "--all", *order, "--review", "2027-13-01")
    assert "write a day: 2026-12-31" in capsys.readouterr().err
    assert run("holds", "lift", "hold_nothing", "--reason", "x") == 1
    assert "there is no such hold" in capsys.readouterr().err
    assert run("calls", "erase", "--call", "call_never", "--why", "x") == 1
    assert "nothing is kept of that call" in capsys.readouterr().err
    assert run("evidence", "certificates") == 0
    assert "nothing was deleted of acme" in capsys.readouterr().out
    assert date.fromisoformat(REVIEW) > datetime.now(UTC).date()


@pytest.mark.parametrize("command", ["holds list", "recordings list", "transcripts list", "cases list", "evidence certificates"])
def test_a_tenant_that_nobody_knows_is_told_and_not_answered_with_nothing(
    house: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is kept of a name that was misspelt; of the one that was meant there may be."""
    assert main([*command.split(), "--tenant", "acmee"]) == 1
    assert "there is no such tenant, nor was there one" in capsys.readouterr().err
    assert main([*command.split(), "--tenant", "acme"]) == 0
