"""An auditor gets over HTTP what the command line writes: a bundle, a head, a proof, the papers and the policy in force."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.adapters.audit.bundle_file import open_bundle
from gateway.adapters.keys.signing import SigningKey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.notices import RedisNoticeLog
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import SystemClock
from gateway.evidence.bundle import verify_bundle
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import CallChain
from gateway.evidence.head import read_head, read_proof
from gateway.evidence.receipt import build
from gateway.http.answers import typed_errors
from gateway.http.evidence import evidence_routes
from gateway.runner.auditing import AuditDesk
from gateway.runner.notices import NoticeWatch
from gateway.values import CallId, Private, TenantId
from tests.evidence.samples import ENDED, LISTENING, PLAYED, STARTED
from tests.policy.samples import REGISTRY, TENANT

ACME = TenantId("acme")
KEY = SigningKey(b"s" * 32)
OPERATOR = {"Authorization": "Bearer operator"}
Client = TestClient[web.Request, web.Application]


@pytest_asyncio.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[Client]:
    """The paths over a store with two calls of acme on two days."""
    (tmp_path / "tenants").mkdir()
    (tmp_path / "subprocessors.yaml").write_text(REGISTRY)
    (tmp_path / "tenants" / "acme.yaml").write_text(TENANT)
    policies, receipts = PolicyFolder.open(tmp_path).policies, Receipts(store, tmp_path / "receipts")
    async with RedisLedger(store, timeout_s=30) as ledger:
        for day in (1, 2):
            chain = CallChain(ACME, CallId(f"call_{day}"))
            for kind, body in (STARTED, PLAYED, LISTENING, ENDED):
                chain.add(await ledger.append(chain.draft(kind, datetime(2026, 11, day, tzinfo=UTC), body)))
            await receipts.save(build(chain.entries, sign=KEY.sign, public_key=KEY.public_key))

        desk = AuditDesk.of(store, ledger, receipts, tmp_path, KEY, SystemClock())
        app = web.Application(middlewares=[typed_errors])
        watch = NoticeWatch(RedisNoticeLog(store), lambda: policies)
        app.add_routes(evidence_routes(Private("operator"), desk, lambda: policies, watch, SystemClock()))
        async with TestClient(TestServer(app), headers=OPERATOR) as client:
            yield client


@pytest.mark.parametrize(("days", "entries"), [("", 8), ("?from=2026-11-02", 4), ("?to=2026-11-01", 4)])
async def test_a_bundle_is_what_anybody_can_verify_with_the_public_key(
    client: Client, tmp_path: Path, days: str, entries: int
) -> None:
    async with client.get(f"/api/v1/evidence/acme/bundle{days}") as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip")
        (tmp_path / "got.zip").write_bytes(await answer.read())
    with open_bundle(tmp_path / "got.zip") as file:
        found = verify_bundle(file.manifest, file.chunks, KEY.public_key)
    assert (found.tenant, found.entries, found.receipts, found.trusted) == ("acme", entries, entries // 4, True)


async def test_a_proof_shows_a_call_and_that_nothing_before_an_earlier_head_was_changed(client: Client) -> None:
    async with client.get("/api/v1/evidence/acme/head") as answer:
        head = await answer.json()
    assert read_head(head, KEY.public_key).size == 8
    async with client.post("/api/v1/evidence/acme/proof", json={"call": "call_1", "since": head}) as answer:
        proven = read_proof(canonical(await answer.json()), KEY.public_key)
    assert proven.entry.draft.call == "call_1"
    assert proven.since is not None
    assert proven.since.size == 8


async def test_papers_and_the_policy_are_those_in_force(client: Client) -> None:
    for paper in ("ropa", "subprocessors", "annex"):
        async with client.get(f"/api/v1/reports/acme/{paper}", params={"controller": "Acme <GmbH>"}) as answer:
            page = await answer.text()
            assert (answer.status, answer.content_type) == (200, "text/html"), paper
            assert "acme" in page
            assert "<GmbH>" not in page
    async with client.get("/api/v1/policies/acme") as answer:
        told = await answer.json()
    assert told["policy"]["tenant"] == "acme"
    assert told["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/api/v1/evidence/nobody/bundle", 404, "there is no evidence of that tenant"),
        ("GET", "/api/v1/evidence/nobody/head", 404, "there is no evidence of that tenant"),
        ("GET", "/api/v1/evidence/acme/bundle?from=2030-01-01", 404, "in that time"),
        ("GET", "/api/v1/evidence/acme/bundle?from=yesterday", 400, "`from` is no day"),
        ("GET", "/api/v1/evidence/acme/bundle?to=9999-12-31", 400, "`to` is no day"),
        ("POST", "/api/v1/evidence/acme/proof", 400, "`call` is missing"),
        ("GET", "/api/v1/reports/acme/novel", 404, "there is no such paper"),
        ("GET", "/api/v1/reports/nobody/ropa", 403, "no policy for this tenant"),
        ("GET", "/api/v1/policies/nobody", 403, "no policy for this tenant"),
    ],
)
async def test_what_is_not_there_is_told(client: Client, method: str, path: str, status: int, said: str) -> None:
    async with client.request(method, path) as answer:
        assert answer.status == status
        assert said in (await answer.json())["error"]["message"]


@pytest.mark.parametrize("since", [7, {}, {"size": 3}])
async def test_a_head_that_is_none_proves_nothing(client: Client, since: object) -> None:
    async with client.post("/api/v1/evidence/acme/proof", json={"call": "call_1", "since": since}) as answer:
        assert answer.status in (400, 422)
        assert "error" in await answer.json()
