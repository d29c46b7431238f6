"""Each place of data as a holding, on a real store: found by call or person, listed, copied, and gone when it was deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.conversations import RedisConversations
from gateway.adapters.stores.key_shelf import RedisKeyShelf
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.stores.vault import RedisVault
from gateway.adapters.system import RandomIds
from gateway.evidence.chain import CallChain, genesis, seal
from gateway.evidence.entries import Json
from gateway.evidence.receipt import Receipt, build
from gateway.policy.consent import Answer, ConsentRecord, How
from gateway.runner.holdings import Holding, Item
from gateway.runner.places import (
    AttemptsHolding,
    CallersHolding,
    ConsentsHolding,
    PersonsHolding,
    ReceiptsHolding,
    SpokenHolding,
    VaultHolding,
    begun,
)
from gateway.values import CallId, Placeholder, Private, TenantId
from tests.runner.kept import ACME, SIGNING, START, HandClock

GLOBEX = TenantId("globex")
CALL = CallId(RandomIds().new("call"))
F00D, BEEF = "f00d" * 16, "beef" * 16
"""Keyed hashes of two persons."""
PERSON = Placeholder("<PERSON_1>")


@dataclass
class Lived:
    """One call of a person at acme, and the same at globex, in every place that the store and the disk have."""

    store: Store
    clock: HandClock
    receipts: Receipts
    shelf: RedisKeyShelf

    def places(self) -> dict[str, Holding]:
        subjects = RedisSubjects(self.store)
        found: tuple[Holding, ...] = (
            VaultHolding(self.store, self.clock),
            ReceiptsHolding(self.receipts),
            ConsentsHolding(self.store),
            AttemptsHolding(self.store),
            CallersHolding(subjects, self.clock),
            SpokenHolding(subjects, self.clock),
            PersonsHolding(subjects),
        )
        return {each.name: each for each in found}

    async def item(self, name: str, tenant: TenantId = ACME) -> Item | None:
        place = self.places()[name]
        return await place.of_call(tenant, CALL) or await place.of_person(tenant, F00D)


@pytest.fixture
async def lived(store: Store, tmp_path: Path) -> Lived:
    shelf = RedisKeyShelf(store, MasterKeys.fixed(bytes(range(32))))
    receipts, subjects = Receipts(store, tmp_path / "receipts"), RedisSubjects(store)
    for tenant in (ACME, GLOBEX):
        vault = await RedisVault(store, shelf).open(tenant, CALL)
        await vault.remember({PERSON: Private("Ada Lovelace")})
        await receipts.save(receipt(tenant, CALL))
        record = ConsentRecord(Answer.GIVEN, "recording", How.SPOKEN, START, CALL)
        await RedisConsents(store).add(tenant, [(F00D, record), (BEEF, record)])
        await RedisSuppression(store).take_attempt(tenant, F00D, datetime.now(UTC), most=3)
        await RedisSuppression(store).opt_out(tenant, F00D, START)
        await subjects.note(tenant, F00D, CALL, START)
        await subjects.note(tenant, F00D, CallId("call_other"), START + timedelta(days=1))
        await subjects.spoken(tenant, f"spoken_{BEEF}", CALL, START)
    return Lived(store, HandClock(), receipts, shelf)


def receipt(tenant: TenantId, call: CallId) -> Receipt:
    chain = CallChain(tenant, call)
    chain.add(seal(chain.draft("call.started", START, {}), 1, genesis(tenant)))
    ended: dict[str, Json] = {"outcome": "completed", "duration_ms": 1000}
    chain.add(seal(chain.draft("call.ended", START, ended), 2, chain.entries[0].hash))
    return build(chain.entries, sign=SIGNING.sign, public_key=SIGNING.public_key)


PLACES = ["vault", "receipts", "consents", "attempts", "callers", "spoken", "persons"]


@pytest.mark.parametrize("name", PLACES)
async def test_what_is_kept_is_found_and_gone_once_it_was_deleted_at_this_tenant_alone(lived: Lived, name: str) -> None:
    place, item = lived.places()[name], await lived.item(name)
    assert item is not None
    assert (item.tenant, item.holding, item.data_class) == (ACME, name, place.data_class)
    assert item.since.utcoffset() is not None
    if name not in ("callers", "spoken"):
        assert item.id in [each.id async for each in place.items(ACME)]

    for _ in range(2):
        assert (await place.delete(item)).where
        assert await lived.item(name) is None
        assert item.id not in [each.id async for each in place.items(ACME)]
        assert [copy async for copy in place.copies(item)] == []

    assert await lived.item(name, GLOBEX) is not None, "the same person's at another tenant"
    others = [other for other in PLACES if other != name and await lived.item(other) is None]
    assert others == (["callers"] if name == "persons" else []), "who knows a person knows their calls"


async def test_a_withdrawal_behind_the_decision_to_delete_consents_stays(lived: Lived) -> None:
    """Else who took an agreement back at the wrong moment would be nobody who ever did."""
    consents, place = RedisConsents(lived.store), lived.places()["consents"]
    item = await place.of_person(ACME, F00D)
    assert item is not None
    withdrawn = ConsentRecord(Answer.WITHDRAWN, "any", How.SPOKEN, START + timedelta(microseconds=1), "call_77")
    await consents.add(ACME, [(F00D, withdrawn)])
    for _ in range(2):
        await place.delete(item)
        assert await consents.of(ACME, F00D) == (withdrawn,)


async def test_the_vaults_key_is_named_and_dies_with_it(lived: Lived) -> None:
    item = await lived.item("vault")
    assert item is not None
    assert len(item.key_id) == 16
    assert (await lived.places()["vault"].delete(item)).key_id == item.key_id
    assert await lived.shelf.key(ACME, CALL, "vault", create=False) is None
    conversation = await RedisConversations(lived.store, lived.shelf).open(ACME, CALL, create=True)
    assert conversation is None, "it has ended: no gateway goes on in it"


async def test_a_receipt_begins_with_its_call_whoever_named_it(lived: Lived) -> None:
    """An id of ours tells when; for another one the receipt is asked."""
    named = CallId("order-17")
    await lived.receipts.save(receipt(ACME, named))
    lived.receipts.path(ACME, CALL).unlink()  # the store has it, too
    found = {item.id: item.since async for item in lived.places()["receipts"].items(ACME)}
    assert found == {CALL: begun(CALL), named: START}


async def test_a_person_gets_copies_of_what_is_theirs(lived: Lived) -> None:
    copies: dict[str, bytes] = {}
    for name in ("receipts", "consents", "attempts", "persons"):
        item = await lived.item(name)
        assert item is not None
        copies |= {each.name: each.content.reveal() async for each in lived.places()[name].copies(item)}
    assert sorted(copies) == ["attempts.json", "calls.json", "consents.json", f"receipts/{CALL}.json"]
    (consent,) = json.loads(copies["consents.json"])
    assert (consent["answer"], consent["purpose"], consent["proof"]) == ("given", "recording", CALL)
    assert json.loads(copies["calls.json"]) == [CALL, "call_other"]
    assert len(json.loads(copies["attempts.json"])) == 1


async def test_who_asked_not_to_be_called_stays_known_as_that_when_all_else_is_gone(lived: Lived) -> None:
    for name in PLACES:
        item = await lived.item(name)
        if item is not None:
            await lived.places()[name].delete(item)
    assert await RedisSuppression(lived.store).opted_out(ACME, F00D) == START
    async with lived.store.answers() as client:
        left = [name.decode() async for name in client.scan_iter(match=f"*{F00D}*")]
    assert [name for name in left if "acme" in name] == []


@pytest.mark.parametrize("id_", ["order-17", "call_", "call_01j", f"call_{'u' * 26}", f"call_{'0' * 25}é", "x" * 26])
def test_an_id_that_is_not_ours_tells_no_time(id_: str) -> None:
    found = begun(CallId(id_))
    assert found is None or found.year > 9000


def test_an_id_of_ours_tells_when_its_call_began() -> None:
    found = begun(CallId(RandomIds().new("call")))
    assert found is not None
    assert abs(found - datetime.now(UTC)) < timedelta(hours=1)
