"""A store that speaks S3: named by the Grant, signed with the secret that it names, and refused where something is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.recordings.s3 import S3Recordings
from gateway.adapters.system import Secrets
from gateway.errors import Misconfigured, NotFound, PolicyRefused, SordinoError
from gateway.policy.egress import Ask, Grant, decide
from gateway.policy.fields import Tls
from gateway.policy.load import load
from gateway.values import DataCategory, Hop
from tests.adapters.recordings.bucket import bucket
from tests.adapters.recordings.samples import CALL, TENANT, on_disk

TENANT_FILE = """\
tenant: acme
regions: [eu]
origins: [eu]
route: {storage: [{processor: store, model: recordings}]}
recording: {enabled: true}
retention: {audio: 1d}
announcements: [{id: a, text: May we record?, mode: stay-on-line, says: [recording]}]
"""


def granted(url: str, **changed: str) -> Grant:
    entry = {
        "id": "store",
        "name": "A store",
        "purpose": "recordings",
        "kind": "storage",
        "dialect": "s3",
        "base_url": url,
        "secret": "S3_KEY",
        "region": "de/eu-central-1",
        "training": "prohibited",
        "source": "invented",
        "status": "active",
        "checked_on": "2026-11-01",
        **changed,
    }
    lines = "\n  ".join(f"{key}: {value}" for key, value in entry.items() if value)
    rest = "retention_days: 0\n  receives: [voice]\n  dpa: {reference: D, reviewed_on: 2026-10-01}"
    policies = load({"tenants/acme.yaml": TENANT_FILE, "subprocessors.yaml": f"- {lines}\n  {rest}\n"})
    ask = Ask(
        tenant=TENANT,
        call=CALL,
        hop=Hop.STORAGE,
        categories=frozenset({DataCategory.VOICE}),
        purpose="recording",
        at=datetime(2026, 11, 22, tzinfo=UTC),
        grant_id="grant_1",
    )
    decision = decide(policies.tenant("acme"), policies.registry, ask)
    assert decision.grant is not None, decision.reasons
    return decision.grant


def store(tmp_path: Path, **env: str) -> S3Recordings:
    return S3Recordings(Secrets(tmp_path / "secrets", env))


@pytest.mark.parametrize(
    ("path", "env"),
    [
        ("/recordings", {"S3_KEY": "KEYID:secret"}),
        ("", {"S3_KEY": "KEYID:secret"}),
        ("", {"S3_KEY": "secret", "AWS_ACCESS_KEY_ID": "KEYID"}),
    ],
    ids=["the bucket in the address", "the bucket in the route", "Amazon's two names"],
)
async def test_what_is_sent_comes_back_and_is_deleted(tmp_path: Path, path: str, env: dict[str, str]) -> None:
    file = await on_disk(tmp_path / "a.srec")
    async with bucket() as objects:
        grant = granted(objects.url.removesuffix("/recordings") + path)
        await store(tmp_path, **env).send(grant, TENANT, CALL, file)
        assert objects.objects == {"/recordings/acme/call_1.srec": file.read_bytes()}
        pieces = [piece async for piece in store(tmp_path, **env).fetch(grant, TENANT, CALL)]
        assert b"".join(pieces) == file.read_bytes()
        await store(tmp_path, **env).delete(grant, TENANT, CALL)
        assert objects.objects == {}
        with pytest.raises(NotFound):
            _ = [piece async for piece in store(tmp_path, **env).fetch(grant, TENANT, CALL)]


@pytest.mark.parametrize(
    ("env", "error", "said"),
    [
        ({}, Misconfigured, "the secret S3_KEY is not set"),
        ({"S3_KEY": "secret"}, Misconfigured, "the secret AWS_ACCESS_KEY_ID is not set"),
    ],
)
async def test_without_its_key_nothing_is_sent(tmp_path: Path, env: dict[str, str], error: type[SordinoError], said: str) -> None:
    async with bucket() as objects:
        with pytest.raises(error, match=said):
            await store(tmp_path, **env).send(granted(objects.url), TENANT, CALL, await on_disk(tmp_path / "a.srec"))
        assert objects.requests == []


async def test_who_is_asked_for_tls_1_3_is_sent_nothing(tmp_path: Path) -> None:
    """The library cannot be told to speak nothing less. The policy gives no such Grant; here stands the second wall."""
    async with bucket() as objects:
        strict = replace(granted(objects.url), tls=Tls.V1_3)
        with pytest.raises(PolicyRefused, match=r"cannot be told to speak TLS 1\.3 only"):
            await store(tmp_path, S3_KEY="KEYID:secret").send(strict, TENANT, CALL, await on_disk(tmp_path / "a.srec"))
        assert objects.requests == []


async def test_a_grant_for_something_else_opens_no_store(tmp_path: Path) -> None:
    async with bucket() as objects:
        other = granted(objects.url, dialect="folder")
        with pytest.raises(PolicyRefused, match="this Grant is for storage/folder"):
            await store(tmp_path, S3_KEY="KEYID:secret").send(other, TENANT, CALL, await on_disk(tmp_path / "a.srec"))
        assert objects.requests == []
