"""A tenant's whole end as the gateway wires it: over HTTP, with real stores and files, from announcement to certificate."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import aiohttp
import pytest

from gateway.adapters.audit.backup_file import read_header
from gateway.adapters.audit.sealed_file import SEALED
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.recordings import RedisRecordings
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.snapshot import Snapshot
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.system import RandomIds
from gateway.adapters.telemetry.null import NullTelemetry
from gateway.calling import Calls
from gateway.cli.main import main
from gateway.errors import StoreUnavailable, TenantLeaving
from gateway.evidence.entries import Json
from gateway.leaving import Leaving, LeavingNeeds, open_leaving
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.policy.offboarding import Offboarding, Status, Step
from gateway.runner.account import CallAccount
from gateway.runner.backup import BackupParts, Backups
from gateway.runner.backup_keys import tenant_key
from gateway.runner.backup_restore import RestoreParts, Restoring
from gateway.runner.leg import Leg
from gateway.runner.places import ConsentsHolding, ReceiptsHolding
from gateway.settings import Settings
from gateway.values import CallId, Private, TenantId
from tests.http.listening import serving
from tests.runner.lived import ACME, CALLS, GLOBEX, WHO, Lived, lived, write_policies

T = TypeVar("T")
AUTH = {"Authorization": "Bearer operator-key"}
PATH = "/api/v1/tenants/acme/offboarding"


@dataclass
class Clock:
    at: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0


@dataclass
class House:
    gateway: Lived
    leaving: Leaving
    clock: Clock
    http: aiohttp.ClientSession
    folder: Path

    async def asked(self, method: str, path: str = PATH, status: int = 200, **more: Any) -> Any:
        async with self.http.request(method, path, headers=AUTH, **more) as answer:
            body = await answer.json()
            assert answer.status == status, body
            return body

    def another(self) -> Leaving:
        """Another gateway, with a disk of its own."""
        gateway = self.gateway
        kept = (self.folder / "other", gateway.store, gateway.ledger, gateway.keys, gateway.desk, gateway.signing)
        tenants = PolicyFolder.open(gateway.settings.policies).policies.tenants
        return open_leaving(LeavingNeeds(*kept, lambda: tenants, self.clock, RandomIds(), NullTelemetry()))

    def backups(self) -> Backups:
        gateway = self.gateway
        about = (gateway.store, gateway.keys.shelf, gateway.keys.masters, gateway.settings.data)
        return Backups(BackupParts(*about, dict, gateway.ledger, self.clock, RandomIds()))


@asynccontextmanager
async def opened(tmp_path: Path, valkey: EmbeddedValkey) -> AsyncIterator[House]:
    async with Store(valkey.url, timeout_s=20) as store:
        await store.ask("FLUSHDB")
    key = tmp_path / "master.key"
    key.touch(mode=0o600)
    key.write_text("A" * 43 + "=")
    named = {"DATA": tmp_path / "data", "POLICIES": write_policies(tmp_path / "policies"), "REDIS_URL": valkey.url}
    settings = Settings.from_env({f"SORDINO_{name}": str(value) for name, value in {**named, "MASTER_KEY_FILE": key}.items()})
    clock = Clock()
    async with lived(settings) as gateway:
        await gateway.live()
        kept = (settings.data, gateway.store, gateway.ledger, gateway.keys, gateway.desk, gateway.signing)
        tenants = dict(PolicyFolder.open(settings.policies).policies.tenants)
        leaving = open_leaving(LeavingNeeds(*kept, lambda: tenants, clock, RandomIds(), NullTelemetry()))
        async with serving(leaving.routes(Private("operator-key"))) as http:
            yield House(gateway, leaving, clock, http, tmp_path)


@pytest.fixture
async def house(tmp_path: Path, valkey: EmbeddedValkey) -> AsyncIterator[House]:
    async with opened(tmp_path, valkey) as opened_house:
        yield opened_house


async def test_a_tenant_leaves_and_its_certificate_says_what_went_and_what_stays(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it can be read any more, also in a backup of before; the other tenant is as it was."""
    others = await house.gateway.readable(GLOBEX)
    old = await house.backups().create(house.folder / "backups", region="local")
    await house.asked("GET", status=404)
    preview = await house.asked("GET", PATH + "/preview")
    assert {each["holding"]: each["items"] for each in preview["would_go"]}["recordings"] == 3

    begun = await house.asked("POST", status=202, json={"reason": "contract ended"})
    assert (begun["status"], begun["next"]) == ("active", "data_deleted")
    assert await house.leaving.ended(ACME) == house.clock.at
    await house.asked("GET", PATH + "/certificate", status=404)

    house.clock.at += timedelta(days=8)
    await house.leaving.round()
    assert set(await house.gateway.readable(ACME)) == {WHO}
    house.clock.at += timedelta(days=13)
    await house.leaving.round()
    ended = await house.asked("GET")
    assert (ended["status"], ended["next"], ended["overdue"]) == ("done", None, None)
    assert await house.gateway.readable(ACME) == {}
    assert await house.leaving.log.all() == ()

    certificate = house.folder / "end.json"
    async with house.http.get(PATH + "/certificate", headers=AUTH) as answer:
        certificate.write_bytes(await answer.read())
    assert main(["evidence", "verify", str(certificate), "--key", str(house.folder / "data" / "keys" / "signing.pub")]) == 0
    assert "tenant acme has left" in capsys.readouterr().out
    certificate.write_bytes(certificate.read_bytes().replace(b"contract ended", b"contract broken"))
    assert main(["evidence", "verify", str(certificate)]) == 1
    assert "changed after it was signed" in capsys.readouterr().err

    assert ACME in read_header(old.path).tenants
    assert await tenant_key(house.gateway.keys.shelf, ACME, create=False) is None
    assert await house.gateway.readable(GLOBEX) == others
    async with Snapshot(house.gateway.store) as snapshot:
        assert b"acme" not in (house.folder / "backups" / "keys.sealed").read_bytes()
        assert not [name async for batch in snapshot.key_names() for name in batch if "{acme}" in name]


async def test_no_call_and_no_request_of_it_begins_from_then_on(house: House) -> None:
    """Calls are refused before the first word of their evidence, programs with the reason instead of "no such key"."""
    keys, now = TenantKeys(house.gateway.store), datetime.now(UTC)
    _, secret = await keys.create(ACME, now=now)
    _, others = await keys.create(GLOBEX, now=now)
    await house.asked("POST", status=202, json={"reason": "contract ended"})
    stands_on: Any = SimpleNamespace(store=house.gateway.store)
    tenant: Any = SimpleNamespace(tenant="acme")
    with pytest.raises(TenantLeaving, match="account is ending"):
        await Calls(stands_on)._started(tenant, "twilio", cast(Leg, None))
    with pytest.raises(TenantLeaving) as refused:
        await keys.enter(secret, "chat", now=now)
    assert (refused.value.code, refused.value.reasons) == ("policy_refused", ("the tenant is being offboarded",))
    await keys.enter(others, "chat", now=now)


async def test_an_end_that_was_taken_back_lets_calls_begin_again(house: House) -> None:
    await house.asked("POST", status=202, json={"reason": "contract ended"})
    cancelled = await house.asked("DELETE", params={"reason": "they stay"})
    assert cancelled["status"] == Status.CANCELLED.value
    await house.leaving.log.check(ACME)
    assert await house.leaving.ended(ACME) is None
    again = await house.asked("DELETE", status=403, params={"reason": "they stay"})
    assert "is cancelled already" in again["error"]["message"]


async def test_an_end_that_is_taken_back_at_another_gateway_is_cancelled_where_its_export_lies(house: House) -> None:
    """Calls begin at once; it is called cancelled, on record, when the file that is in clear is gone."""
    state = await house.leaving.desk.start(ACME, reason="contract ended", by="operator")
    export = house.leaving.exports.path(state)
    other = house.another()
    assert export.exists()
    assert (await other.desk.cancel(ACME, reason="they stay", by="operator")).status is Status.CANCELLING
    await house.leaving.log.check(ACME)
    assert await other.ended(ACME) is None
    with pytest.raises(StoreUnavailable, match="still being taken back"):
        await other.desk.start(ACME, reason="they leave after all", by="operator")
    await other.round()
    assert (await house.asked("GET"))["status"] == "cancelling"
    assert export.exists()
    await house.leaving.round()
    assert (await house.asked("GET"))["status"] == "cancelled"
    assert not export.exists()
    assert await house.leaving.log.all() == ()
    told = [each.draft.body async for each in house.gateway.ledger.entries(ACME) if each.draft.kind == "offboarding.cancelled"]
    assert [(body["reason"], body["by"]) for body in told] == [("they stay", "operator")]


LEFT = ["{id}.zip", ".{id}.zip.4242", ".{id}.zip.0f0f.evidence", "..{id}.zip.0f0f.evidence.4242", "evidence.zip", "older.zip"]


@pytest.mark.parametrize(("days", "stays"), [(0, {"{id}.zip"}), (8, set()), (21, set())])
async def test_nothing_in_clear_is_left_of_exports_that_somebody_was_killed_over(
    house: House, days: int, stays: set[str]
) -> None:
    """On every gateway's disk, whoever ended the export; what the tenant is to take along lies there until its data goes."""
    state = await house.leaving.desk.start(GLOBEX, reason="contract ended", by="operator")
    other = house.another()
    house.clock.at += timedelta(days=days)
    await house.leaving.round()
    for leaving in (house.leaving, other):
        folder = leaving.exports.path(state).parent
        folder.mkdir(parents=True, exist_ok=True)
        for name in LEFT:
            (folder / name.format(id=state.id)).write_bytes(b"clear text of callers")
        await leaving.round()
        assert {each.name for each in folder.iterdir()} == {name.format(id=state.id) for name in stays}


async def test_the_draft_of_an_export_that_is_being_written_is_left_alone(house: House) -> None:
    """Another process of this machine writes it."""
    parts = house.leaving.desk._p
    begun = await house.leaving.desk.start(ACME, reason="contract ended", by="operator")
    writing = replace(begun, steps={**begun.steps, Step.EXPORTED: replace(begun.steps[Step.EXPORTED], ended=None)})
    draft = house.leaving.exports.path(begun).with_name(f".{begun.id}.zip.0f0f")
    draft.write_bytes(b"half of it")
    assert await parts.log.save(replace(writing, version=begun.version + 1), before=begun.version)
    await house.leaving.exports.tidy(parts.log.find)
    assert draft.exists()
    await house.leaving.round()
    assert not draft.exists()


async def test_a_recording_elsewhere_of_a_tenant_whose_file_is_gone_is_waited_for_by_name(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing says any more where it may be deleted. All the rest of the tenant goes, and so do the others."""
    for tenant in (ACME, GLOBEX):
        await house.leaving.desk.start(tenant, reason="contract ended", by="operator")
    await RedisRecordings(house.gateway.store).change(ACME, CALLS[0], dialect="s3")
    (tmp_path / "policies" / "tenants" / "acme.yaml").unlink()
    settings = house.gateway.settings
    async with lived(settings) as again:
        kept = (settings.data, again.store, again.ledger, again.keys, again.desk, again.signing)
        tenants = PolicyFolder.open(settings.policies).policies.tenants
        leaving = open_leaving(LeavingNeeds(*kept, lambda: tenants, house.clock, RandomIds(), NullTelemetry()))
        house.clock.at += timedelta(days=8)
        await leaving.round()
        (why,) = (await leaving.desk.show(ACME)).steps[Step.DATA_DELETED].waits
        assert "put the tenant's file back until its end is over" in why
        left = {holding.name for holding in again.desk.holdings for _ in [item async for item in holding.items(ACME)]}
        assert left == {"recordings", "persons"}
        assert Step.KEY_DESTROYED in (await leaving.desk.show(GLOBEX)).steps
    assert "could not go on" not in caplog.text


async def test_what_cannot_be_done_for_one_keeps_nothing_else_from_being_done(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys beside backups that cannot be replaced, a tenant whose end cannot go on: the others' go on."""
    for tenant in (ACME, GLOBEX):
        await house.leaving.desk.start(tenant, reason="contract ended", by="operator")
    house.clock.at += timedelta(days=8)
    advance = house.leaving.desk.advance

    async def advanced(tenant: TenantId) -> Offboarding:
        if tenant == ACME:
            raise StoreUnavailable("no")
        return await advance(tenant)

    async def full() -> tuple[str, ...]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(house.leaving.desk, "advance", advanced)
    monkeypatch.setattr(house.leaving.seal, "seal_all", full)
    await house.leaving.round()
    assert "No space left on device" in caplog.text
    assert (await house.leaving.desk.show(GLOBEX)).steps[Step.DATA_DELETED].ended


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "`reason` is missing, empty or no text"),
    ({"reason": 7}, "`reason` is missing, empty or no text"),
    ({"reason": "r", "ends": "soon"}, "a time is none"),
    ({"reason": "r", "wait_days": -1}, "is negative"),
]


async def test_what_is_wrong_with_a_wish_is_told_and_who_is_nobody_is_not_let_in(house: House) -> None:
    for body, told in WRONG:
        assert told in (await house.asked("POST", status=400, json=body))["error"]["message"]
    await house.asked("GET", status=404)
    async with house.http.get(PATH) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("name", ["acmee", "_house", "_gateway"])
async def test_only_a_tenant_of_the_policies_is_ended(house: House, name: str) -> None:
    """A misspelt name ends nobody, and the gateway's own data is no tenant's."""
    path = f"/api/v1/tenants/{name}/offboarding"
    await house.asked("GET", path + "/preview", status=404)
    await house.asked("POST", path, status=404, json={"reason": "contract ended"})
    assert await house.leaving.log.all() == ()


async def test_keys_beside_backups_that_are_not_here_are_told_until_they_are_replaced(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder on another machine: the gateway there replaces them, this one says that they are old."""
    await house.backups().create(house.folder / "backups", region="local")
    moved(house.folder / "backups", house.folder / "elsewhere")
    await house.leaving.seal.destroyed()
    await house.leaving.round()
    assert "are older than they may be" in caplog.text
    caplog.clear()
    moved(house.folder / "elsewhere", house.folder / "backups")
    before = (house.folder / "backups" / "keys.sealed").read_bytes()
    await house.leaving.round()
    assert (house.folder / "backups" / "keys.sealed").read_bytes() != before
    assert "are older than they may be" not in caplog.text


async def test_a_restored_store_knows_which_tenants_have_begun_to_leave_or_stay_after_all(house: House) -> None:
    """Of both the backup knows the contrary: one left since, the other's end was taken back since."""
    await house.leaving.desk.start(GLOBEX, reason="contract ended", by="operator")
    old = await house.backups().create(house.folder / "backups", region="local")
    await house.leaving.desk.cancel(GLOBEX, reason="they stay", by="operator")
    await house.leaving.desk.start(ACME, reason="contract ended", by="operator")
    subject = ConsentRecord(Answer.WITHDRAWN, "recording", How.SPOKEN, house.clock.at, "call_1")
    account = CallAccount(ACME, CallId("outbound_1"), house.gateway.ledger, house.clock)
    row: dict[str, Json] = {"subject": WHO, "answer": "withdrawn", "purpose": "recording", "how": "spoken", "proof": "call_1"}
    await account.write("consent.recorded", {"count": 1, "records": [row]})
    url = house.gateway.settings.redis_url
    async with (
        Store(f"{url}?db=3", timeout_s=20) as store,
        RedisLedger(store, timeout_s=20) as ledger,
        Snapshot(store) as snapshot,
    ):
        await store.ask("FLUSHDB")
        masters = house.gateway.keys.masters
        shelf, new = RedisKeyShelf(store, masters), house.folder / "new"
        places = ConsentsHolding(store), ReceiptsHolding(Receipts(store, new / "receipts"))
        into = RestoreParts(store, snapshot, ledger, new, shelf, masters, lambda: given(places), house.clock, RandomIds())
        await Restoring(into).run(old.path, old.path.with_name(SEALED), [house.gateway.ledger])
        there = RedisOffboarding(store)
        with pytest.raises(TenantLeaving):
            await there.check(ACME)
        await there.check(GLOBEX)
        back, live = await there.find(ACME), await house.leaving.log.find(ACME)
        assert back is not None
        assert live is not None
        assert (back.id, back.times, set(back.steps)) == (live.id, live.times, set(live.steps))
        assert (await RedisConsents(store).of(ACME, WHO))[-1] == subject


async def given(value: T) -> T:
    return value


def moved(folder: Path, to: Path) -> None:
    folder.rename(to)
