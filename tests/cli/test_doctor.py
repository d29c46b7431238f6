"""``sordino doctor`` finds what is not well, and says how to mend it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.policy_folder import shipped_policies
from gateway.adapters.stores.redis import Store
from gateway.cli.doctor import Finding, examine
from gateway.cli.main import main
from gateway.policy.offboarding import Status
from gateway.policy.retention import Hold, HoldScope
from gateway.settings import Settings
from gateway.values import TenantId

SECRET = {"TWILIO_AUTH_TOKEN": "a" * 32}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, policies=shipped_policies())


def ill(found: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.mend for finding in found if not finding.well}


def test_what_ships_is_well_once_the_carriers_secret_is_set(settings: Settings) -> None:
    assert ill(list(examine(settings, SECRET))) == {}


def test_a_missing_secret_is_named_with_where_to_put_it(settings: Settings) -> None:
    faults = ill(list(examine(settings, {})))
    assert list(faults) == ["tenant demo, Twilio"]
    assert "export TWILIO_AUTH_TOKEN" in faults["tenant demo, Twilio"]


def test_a_faulty_policy_is_shown_with_its_place(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    (folder / "tenants").mkdir(parents=True)
    (folder / "subprocessors.yaml").write_text("[]\n")
    (folder / "tenants" / "acme.yaml").write_text("tenant: acme\nregoins: [eu]\n")
    found = list(examine(replace(settings, policies=folder), SECRET))
    [fault] = [finding for finding in found if not finding.well]
    assert "tenants/acme.yaml:2:1" in fault.says
    assert "regions" in fault.mend + fault.says


def test_an_announcement_without_a_recording_is_said_to_be_spoken(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    (folder / "tenants").mkdir(parents=True)
    shipped = settings.policies
    (folder / "subprocessors.yaml").write_bytes((shipped / "subprocessors.yaml").read_bytes())
    demo = (shipped / "tenants" / "demo.yaml").read_text().replace("    asset: ai-and-privacy.en.wav\n", "")
    (folder / "tenants" / "demo.yaml").write_text(demo)
    found = {finding.what: finding for finding in examine(replace(settings, policies=folder), SECRET)}
    told = found["tenant demo, announcement ai-and-privacy"]
    assert (told.well, told.says) == (True, "this machine's voice speaks it when the gateway starts")


def test_a_store_that_does_not_answer_and_a_key_that_others_may_read_are_found(settings: Settings, tmp_path: Path) -> None:
    key = tmp_path / "master.key"
    key.write_text("not a key\n")
    key.chmod(0o644)
    away = replace(settings, redis_url=f"unix://{tmp_path}/nobody.sock", master_key_file=key)
    faults = ill(list(examine(away, SECRET)))
    assert set(faults) == {"store", "master key"}
    assert all(faults.values())


def test_a_store_that_confirms_after_fsync_is_well(settings: Settings, valkey: EmbeddedValkey) -> None:
    found = {finding.what: finding for finding in examine(replace(settings, redis_url=valkey.url), SECRET)}
    assert found["store"].says == "answers, and confirms after fsync"


async def _hold(url: str, review: date) -> None:
    order = ("case 7", "A. Judge", review, datetime(2026, 1, 1, tzinfo=UTC), "operator")
    async with Store(url) as store:
        await RedisHolds(store).place(Hold("hold_1", TenantId("demo"), HoldScope(), *order))


@pytest.mark.parametrize(("review", "told"), [(date(2026, 1, 31), ["tenant demo"]), (date(9999, 1, 1), [])])
def test_a_legal_hold_past_its_review_is_told(settings: Settings, tmp_path: Path, review: date, told: list[str]) -> None:
    async def look() -> list[Finding]:
        async with EmbeddedValkey(tmp_path) as server:
            await _hold(server.url, review)
            return await asyncio.to_thread(lambda: list(examine(settings, SECRET)))

    faults = ill(asyncio.run(look()))
    assert list(faults) == told
    assert all("sordino holds list --tenant demo" in mend for mend in faults.values())


async def test_a_tenant_with_data_and_no_file_is_named_and_one_that_has_left_is_not(
    settings: Settings, valkey: EmbeddedValkey, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in ("demo", "gone", "left", "_house"):
        await store.ask("XADD", f"sordino:{{{tenant}}}:evidence", "1-0", "entry", "x")

    async def find(_: RedisOffboarding, tenant: TenantId) -> object:
        return SimpleNamespace(status=Status.DONE) if tenant == "left" else None

    monkeypatch.setattr(RedisOffboarding, "find", find)
    named = replace(settings, redis_url=valkey.url)
    faults = ill(await asyncio.to_thread(lambda: list(examine(named, SECRET))))
    assert list(faults) == ["tenant gone"]
    assert "sordino tenants offboard gone" in faults["tenant gone"]


def test_a_public_address_in_plain_text_is_a_fault(settings: Settings) -> None:
    assert "public address" in ill(list(examine(replace(settings, public_url="http://calls.example"), SECRET)))


def test_the_command_tells_programs_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SORDINO_DATA", str(settings.data))
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "a" * 32)
    assert main(["doctor", "--format", "json"]) == 0
    assert all(row["well"] for row in json.loads(capsys.readouterr().out))


def test_how_people_sign_in_is_told_and_a_wrong_setting_is_named(settings: Settings) -> None:
    env = {**SECRET, "SORDINO_OIDC_ISSUER": "https://login.acme.example", "SORDINO_OIDC_CLIENT_ID": "sordino"}
    assert "SORDINO_OIDC_ROLES" in next(each.says for each in examine(settings, env) if each.what == "sign-in" and not each.well)
    told = {each.what: each.says for each in examine(settings, {**env, "SORDINO_OIDC_ROLES": "ops=operator:*"})}
    assert told["sign-in"] == "people sign in at https://login.acme.example, with mfa"


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ({"SORDINO_ANCHOR_DIR": "/no/such/folder"}, "mount it, or make it"),
        ({"SORDINO_ANCHOR_DIR": "/", "SORDINO_ANCHOR_EVERY": "often"}, "15m"),
        ({"SORDINO_TSA_URL": "https://tsa.example", "SORDINO_TSA_ROOTS": "/no/such.pem"}, "SORDINO_ANCHOR_DIR"),
    ],
)
def test_a_witness_who_would_see_nothing_is_found(settings: Settings, wrong: dict[str, str], mend: str) -> None:
    """A second place that is not mounted witnesses nothing."""
    assert mend in ill(list(examine(settings, {**SECRET, **wrong})))["anchors"]


def test_who_sees_the_evidence_from_outside_is_told(settings: Settings, tmp_path: Path) -> None:
    found = {finding.what: finding for finding in examine(settings, {**SECRET, "SORDINO_ANCHOR_DIR": str(tmp_path)})}
    assert found["anchors"].well
    assert str(tmp_path) in found["anchors"].says
