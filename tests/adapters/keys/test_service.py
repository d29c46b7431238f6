"""A master key that AWS KMS or Vault's Transit has locked: opened at start, changed while gateways run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from gateway.adapters.keys.service import place_of
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.errors import Misconfigured, SordinoError, StoreUnavailable
from gateway.keeping import key_desk, master_change, open_keys, wrapped_files
from gateway.settings import Settings
from gateway.values import CallId, TenantId
from tests.adapters.keys.key_services import ACCESS, ARN, SECRET, TOKEN, KeyServices, key_services
from tests.conftest import PATIENCE_S

ACME, CALL = TenantId("acme"), CallId("call_1")

MISBEHAVING: list[tuple[Callable[[web.Request], web.Response], type[SordinoError]]] = [
    (lambda request: web.Response(status=500, text="SECRET"), StoreUnavailable),
    (lambda request: web.Response(status=429), StoreUnavailable),
    (lambda request: web.Response(status=403, text="SECRET"), Misconfigured),
    (lambda request: web.Response(status=302, headers={"Location": "https://elsewhere.example/"}), Misconfigured),
    (lambda request: web.Response(text="SECRET no json"), StoreUnavailable),
    (lambda request: web.json_response(["SECRET"]), StoreUnavailable),
    (lambda request: web.json_response({"data": {}}), StoreUnavailable),
    (lambda request: web.json_response({"data": {"plaintext": "AAAA"}, "Plaintext": "AAAA"}), StoreUnavailable),
    (lambda request: web.json_response({"data": {"plaintext": 1}, "Plaintext": "no base64"}), StoreUnavailable),
    (lambda request: web.Response(body=b"{" + b" " * 100_000 + b"}"), StoreUnavailable),
]
"""A failure, too many requests, a refusal, a redirect; then what is no JSON, no object, empty, too short, no text, too long."""


@pytest.fixture
async def services(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeyServices]:
    monkeypatch.setenv("SORDINO_VAULT_TOKEN", TOKEN)
    monkeypatch.setenv("SORDINO_AWS_KEY", f"{ACCESS}:{SECRET}")
    monkeypatch.setattr("gateway.adapters.keys.change.MOUNTS", Path("no table of mounts"))  # tests may run in memory
    async with key_services() as found:
        yield found


def settings(folder: Path, url: str) -> Settings:
    return Settings(data=folder, policies=folder, master_key_url=url)


@pytest.mark.parametrize("kind", ["vault", "aws"])
class TestEitherService:
    async def test_a_first_start_makes_the_key_and_every_other_has_it_opened(
        self, services: KeyServices, store: Store, tmp_path: Path, kind: str
    ) -> None:
        given = settings(tmp_path, getattr(services, kind))
        keys = await open_keys(given, store)
        key = await keys.shelf.key(ACME, CALL, "vault", create=True)
        again = await open_keys(given, store)
        assert again.masters.ids == keys.masters.ids
        assert again.identity == keys.identity
        assert await again.shelf.key(ACME, CALL, "vault", create=False) == key
        assert len(services.asked) == 3  # made, opened, and opened at the second start
        (kept,) = (tmp_path / "keys").iterdir()
        assert kept.name == "master.wrapped"
        assert kept.stat().st_mode & 0o777 == 0o600
        assert keys.masters.secret().reveal() not in kept.read_bytes()

    async def test_another_key_takes_its_place_while_a_gateway_runs(
        self, services: KeyServices, store: Store, tmp_path: Path, kind: str
    ) -> None:
        given = settings(tmp_path, getattr(services, kind))
        running, operator = await open_keys(given, store), await open_keys(given, store)
        key = await running.shelf.key(ACME, CALL, "vault", create=True)
        async with RedisLedger(store, timeout_s=PATIENCE_S) as ledger:
            desk = key_desk(given, store, ledger, operator)
            steps = []
            async for step in desk.rotate_master(master_change(given, operator)):
                steps.append(step.name)
                running.shelf.forget(ACME)
                assert await running.shelf.key(ACME, CALL, "vault", create=False) == key
                assert await running.shelf.key(TenantId(f"new-{step.name}"), CALL, "vault", create=True)
        assert steps[-1] == "ended"
        after = await open_keys(given, store)
        assert after.masters.ids != operator.masters.ids or len(after.masters.ids) == 1
        assert await after.shelf.key(ACME, CALL, "vault", create=False) == key
        for tenant in await after.shelf.tenants():
            assert await after.shelf.key(tenant, CALL, "vault", create=False)
        files = sorted(each.name.partition(".old-")[0] for each in (tmp_path / "keys").iterdir())
        assert files == ["master.wrapped", "master.wrapped"]

    async def test_what_does_not_open_it_is_told_without_its_own_words(
        self, services: KeyServices, store: Store, tmp_path: Path, kind: str
    ) -> None:
        given = settings(tmp_path, getattr(services, kind))
        await wrapped_files(given).masters()
        for services.instead, error in MISBEHAVING:
            with pytest.raises(error, match="SORDINO_MASTER_KEY_URL") as told:
                await open_keys(given, store)
            assert "SECRET" not in str(told.value)
        async with store.answers() as client:
            assert await client.keys("*") == []


async def test_a_key_that_another_service_locked_is_told_as_that(services: KeyServices, store: Store, tmp_path: Path) -> None:
    await open_keys(settings(tmp_path, services.vault), store)
    with pytest.raises(Misconfigured, match="by another key service than awskms"):
        await open_keys(settings(tmp_path, services.aws), store)


async def test_a_second_gateway_without_the_file_makes_none_of_its_own(
    services: KeyServices, store: Store, tmp_path: Path
) -> None:
    await open_keys(settings(tmp_path / "one", services.vault), store)
    with pytest.raises(Misconfigured, match="copy that file"):
        await open_keys(settings(tmp_path / "two", services.vault), store)
    assert not (tmp_path / "two").exists()


async def test_a_service_that_is_gone_stops_a_start_and_no_gateway_that_runs(store: Store, tmp_path: Path) -> None:
    async with key_services() as services:
        given = settings(tmp_path, services.vault)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SORDINO_VAULT_TOKEN", TOKEN)
            running = await open_keys(given, store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SORDINO_VAULT_TOKEN", TOKEN)
        assert await running.shelf.key(ACME, CALL, "vault", create=True)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            await open_keys(given, store)


@pytest.mark.parametrize(
    ("key", "said"), [("", "SORDINO_AWS_KEY is not set"), ("AKID", "is no key of AWS")], ids=["none", "half of one"]
)
async def test_a_missing_secret_is_named(
    services: KeyServices, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    monkeypatch.setenv("SORDINO_AWS_KEY", key)
    with pytest.raises(Misconfigured, match=said):
        await open_keys(settings(tmp_path, services.aws), store)


async def test_a_wrong_secret_is_refused(
    services: KeyServices, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service works the signature out anew: who only knows the name of the key gets nothing."""
    monkeypatch.setenv("SORDINO_AWS_KEY", f"{ACCESS}:another")
    with pytest.raises(Misconfigured, match="refuses us"):
        await open_keys(settings(tmp_path, services.aws), store)


async def test_a_temporary_key_of_aws_brings_its_token(
    services: KeyServices, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SORDINO_AWS_KEY", f"{ACCESS}:{SECRET}:token")
    await open_keys(settings(tmp_path, services.aws), store)
    assert services.tokens == {"token"}


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (f"awskms:///{ARN}", "https://kms.eu-central-1.amazonaws.com/"),
        (f"awskms:///{ARN}?region=eu-central-1", "https://kms.eu-central-1.amazonaws.com/"),
        ("awskms:///alias/sordino?region=ap-south-1", "https://kms.ap-south-1.amazonaws.com/"),
        (f"awskms:///{ARN}?endpoint=vpce-1.kms.example", "https://vpce-1.kms.example/"),
        ("vault://vault.example:8200/transit/sordino", "https://vault.example:8200/v1/transit"),
        ("vault://127.0.0.1:8200/a/b/key?namespace=team", "http://127.0.0.1:8200/v1/a/b"),
        ("vault://[::1]:8200/transit/key", "http://[::1]:8200/v1/transit"),
    ],
)
def test_a_service_is_asked_by_tls_unless_it_is_this_machine(text: str, url: str) -> None:
    assert str(place_of(text).url) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://kms.example/key",
        "vault://vault.example/key",
        "vault:///transit/key",
        "vault://user:SECRET@vault.example/transit/key",
        "vault://vault.example:99999/transit/key",
        "awskms:///",
        "awskms:///alias/key",
        "awskms://host/alias/key?region=eu-central-1",
        f"awskms:///{ARN}?region=us-east-1",
        "awskms:///alias/key?region=evil.example/",
        f"awskms:///{ARN}?endpoint=a@b",
        f"awskms:///{ARN}?endpoint=b/path",
    ],
)
def test_what_names_no_service_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Misconfigured, match="SORDINO_MASTER_KEY_URL names no key service") as told:
        place_of(text)
    assert "SECRET" not in str(told.value)


def test_only_one_place_of_the_master_key_is_taken(tmp_path: Path) -> None:
    named = {"SORDINO_POLICIES": str(tmp_path), "SORDINO_MASTER_KEY_URL": "vault://h/transit/k", "SORDINO_REDIS_URL": "redis://h"}
    assert Settings.from_env(named).master_key_url == "vault://h/transit/k"
    with pytest.raises(Misconfigured, match="SORDINO_MASTER_KEY_FILE and SORDINO_MASTER_KEY_URL are both set"):
        Settings.from_env(named | {"SORDINO_MASTER_KEY_FILE": "key"})
