"""Number data on a real store: kept until the contract's end and twenty days, whatever became of the calls (promise 15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.settings import Settings
from gateway.values import CallId, DataClass, TenantId
from tests.runner.kept import HandClock
from tests.runner.lived import ACME, BEGAN, CALLS, GLOBEX, WHO, Lived, lived, write_policies

LATER = BEGAN + timedelta(days=60)
"""By then nothing else is kept of any call."""
DAY = timedelta(days=1)


@dataclass
class House:
    gateway: Lived
    clock: HandClock
    ended: datetime | None = None

    async def sweep(self, at: datetime) -> None:
        """The round of a gateway's own sweeper at that time."""
        self.clock.at = at
        desk, settings = self.gateway.desk, self.gateway.settings
        tenants = PolicyFolder.open(settings.policies).policies.tenants

        async def ended(tenant: TenantId) -> datetime | None:
            return self.ended if tenant == ACME else None

        swept = await replace(desk, needs=replace(desk.needs, clock=self.clock)).sweeper(lambda: tenants, ended=ended).sweep()
        assert (swept.left, swept.held) == ((), 0)

    async def known(self, tenant: TenantId = ACME) -> list[str]:
        """Whose number data is kept."""
        (persons,) = (holding for holding in self.gateway.desk.holdings if holding.name == "persons")
        return [item.id async for item in persons.items(tenant)]

    async def certified(self, data_class: DataClass) -> list[tuple[str, str]]:
        """What of this class is certified to be gone: where it was, and of whom."""
        found = [each async for each in self.gateway.desk.certificates.all(ACME)]
        return [(each.holding, each.of) for each in found if each.data_class is data_class]


@pytest.fixture
async def house(tmp_path: Path, valkey: EmbeddedValkey) -> AsyncIterator[House]:
    async with Store(valkey.url, timeout_s=20) as store:
        await store.ask("FLUSHDB")
    key = tmp_path / "master.key"
    key.touch(mode=0o600)
    key.write_text("A" * 43 + "=")
    named = {"DATA": tmp_path / "data", "POLICIES": write_policies(tmp_path / "policies"), "REDIS_URL": valkey.url}
    settings = Settings.from_env({f"SORDINO_{name}": str(value) for name, value in {**named, "MASTER_KEY_FILE": key}.items()})
    async with lived(settings) as gateway:
        await gateway.live()
        yield House(gateway, HandClock())


async def test_whose_last_call_has_gone_is_kept_while_the_contract_runs(house: House) -> None:
    """The keyed hash alone: no call is theirs any more, and nothing says that number data was deleted."""
    await house.sweep(LATER)
    subjects = RedisSubjects(house.gateway.store)
    assert await subjects.calls(ACME, WHO) == []
    assert [await subjects.of_call(ACME, call) for call in CALLS] == [None] * len(CALLS)
    assert await house.known() == [WHO]
    assert await house.certified(DataClass.CONTACT) == []
    assert sorted(of for holding, of in await house.certified(DataClass.METADATA) if holding == "callers") == sorted(CALLS)


async def test_it_goes_twenty_days_after_the_contract_not_a_moment_before_and_certified_as_contact(house: House) -> None:
    """Both bounds; the other tenant's contract runs on."""
    await house.sweep(LATER)
    house.ended = LATER
    await house.sweep(LATER + 20 * DAY - timedelta(seconds=1))
    assert await house.known() == [WHO]
    assert await house.certified(DataClass.CONTACT) == []
    await house.sweep(LATER + 20 * DAY)
    assert await house.known() == []
    assert await house.certified(DataClass.CONTACT) == [("persons", WHO)]
    assert await house.known(GLOBEX) == [WHO]


async def test_who_calls_again_after_all_their_calls_have_gone_is_the_same_person(house: House) -> None:
    """Found with the new call alone."""
    await house.sweep(LATER)
    await RedisSubjects(house.gateway.store).note(ACME, WHO, CallId("call_9"), LATER)
    assert await RedisSubjects(house.gateway.store).calls(ACME, WHO) == ["call_9"]
    assert await house.known() == [WHO]


async def test_a_call_that_is_erased_leaves_its_person_and_a_person_that_is_erased_leaves_nothing(house: House) -> None:
    desk = house.gateway.desk
    for call in CALLS:
        await desk.erase_call(ACME, call, why="asked for", by="operator")
    assert await house.known() == [WHO]
    items = [item for item in await desk.of_person(ACME, WHO) if item.data_class is DataClass.CONTACT]
    await desk.deletions.delete(ACME, items, why="asked for", by="operator")
    assert await house.known() == []
    assert await house.certified(DataClass.CONTACT) == [("persons", WHO)]
