"""What a caller may ask for, on a store with ten thousand calls of three tenants: each right from the request to its end."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.errors import PolicyRefused
from gateway.policy.cases import Case
from gateway.runner.rights import Correction, collected
from gateway.runner.rights_case import Right
from gateway.values import CallId, Private
from tests.conftest import PATIENCE_S
from tests.journeys.persons import (
    ACME,
    ANNE,
    ANNES_CALLS,
    BETA,
    NOBODY,
    NOW,
    SECRETS,
    STREET,
    TENANTS,
    House,
    names_in,
    open_house,
    seed,
)
from tests.reports.fitting import faults

CALLS = 10_000


@pytest.fixture
async def house(store: Store, tmp_path: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as running:
        yield await open_house(store, tmp_path, running)


async def asked(house: House, right: Right, number: str = ANNE, *, identity: str = "called back") -> Case:
    """A request whose asker was checked."""
    desk = house.righting.desk
    case = await desk.open(ACME, right, Private(number), by="Kim")
    return await desk.identify(ACME, case.id, method=identity, by="Kim") if identity else case


async def handed_out(house: House, right: Right, number: str = ANNE) -> zipfile.ZipFile:
    case = await asked(house, right, number)
    found = await house.righting.desk.hand_out(ACME, case.id, by="Kim")
    file = zipfile.ZipFile(io.BytesIO(await collected(found.pieces)))
    assert file.testzip() is None
    return file


async def test_every_right_on_ten_thousand_calls(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Access, know, rectify, restrict, erase: what is hers and nobody else's, at this tenant and at no other."""
    house.calls = await seed(house.store, house.hashes, calls=CALLS)
    mine, desk = house.calls[ACME], house.righting.desk
    for tenant in TENANTS:
        await house.record(tenant, house.calls[tenant][0])
        await house.remember(tenant, house.calls[tenant][1], person="Anne Beispielhuber", address=STREET)

    with await handed_out(house, Right.ACCESS, "0151 / 12345678") as file:
        data = json.loads(file.read("data.json"))
        assert list(faults(data, json.loads(file.read("data.schema.json")))) == []
        page = file.read("index.html").decode()
        wav = next(name for name in file.namelist() if name.endswith(".wav"))
        assert file.read(wav).startswith(b"RIFF")
    assert [each["call"] for each in data["calls"]] == mine
    assert {each["name"]: each["calls"] for each in data["recipients"]} == {"Eu-Llm GmbH": 20, "Hearing GmbH": 20}
    assert data["retention_s"]["metadata"] == 2_592_000
    assert data["evidence"]["entries"] > CALLS // 3
    assert "Ihre Daten bei acme" in page
    assert "http" not in page.replace("http-equiv", "")

    with await handed_out(house, Right.KNOW) as file:
        assert sorted(file.namelist()) == ["data.json", "data.schema.json", "index.html"]
        known = json.loads(file.read("data.json"))
    assert known["recipients"] == data["recipients"]
    assert known["sources"] == ["call", "carrier"]
    assert len(known["evidence"]["head"]) > 64

    case = await asked(house, Right.RECTIFY)
    done = await desk.do(ACME, case.id, by="Kim", correction=Correction(Private(STREET), Private("Ulmenweg 3")))
    assert done.facts["places"] == {"vault": 1}
    assert (await house.recalled(ACME, mine[1]))["<ADDRESS_1>"] == "Ulmenweg 3"
    assert (await house.recalled(BETA, house.calls[BETA][1]))["<ADDRESS_1>"] == STREET

    await RedisSuppression(house.store).opt_out(ACME, house.anne(), NOW)
    case = await asked(house, Right.ERASE)
    erased = await desk.do(ACME, case.id, by="Kim")
    assert erased.finished
    assert erased.facts["calls"] == ANNES_CALLS
    assert {each.data_class.value for each in erased.certificates} >= {"audio", "vault", "contact"}
    assert any("not to be called stays" in str(sentence) for sentence in erased.facts["kept"])  # type: ignore[union-attr]
    assert await house.righting.persons.calls(ACME, house.anne()) == []
    assert await house.recalled(ACME, mine[1]) == {}
    assert await RedisSuppression(house.store).opted_out(ACME, house.anne()) == NOW
    assert [path.parent.name for path in house.folder.glob("recordings/**/*") if path.is_file()] != []

    with await handed_out(house, Right.ACCESS) as file:
        after = json.loads(file.read("data.json"))
    assert (after["calls"], after["files"]) == ([], [])
    for tenant in TENANTS[1:]:
        assert await house.righting.persons.calls(tenant, house.anne(tenant)) == house.calls[tenant]
        assert (await house.recalled(tenant, house.calls[tenant][1]))["<ADDRESS_1>"] == STREET
        assert await house.data.of_call(tenant, house.calls[tenant][0]) != []
    said = names_in([*await house.evidence("rights."), *await house.evidence("case."), *await house.evidence("deletion.")])
    for secret in SECRETS:
        assert secret not in said + caplog.text
        assert await house.in_store(secret) == []


async def test_after_an_erasure_the_raw_files_hold_nothing_that_would_open(own_valkey: EmbeddedValkey, tmp_path: Path) -> None:
    """No number and no word in clear, before or after; the locked keys of her calls were there, and are not any more."""
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store, AsyncExitStack() as running:
        house = await open_house(store, tmp_path / "house", running, purging=True)
        house.calls = await seed(store, house.hashes, calls=12, annes=2)
        first, second = house.calls[ACME]
        await house.record(ACME, first)
        await house.remember(ACME, second, person="Anne Beispielhuber", address=STREET)
        locked = await locked_keys(store, first, second)
        assert len(locked) == 2
        before = await asyncio.to_thread(raw_bytes, tmp_path)
        assert all(key in before for key in locked)
        case = await asked(house, Right.ERASE)
        done = await house.righting.desk.do(ACME, case.id, by="Kim")
        assert done.finished
        assert {each.document["append_only_file"] for each in done.certificates if each.key_id} == {"rewritten"}
        after = await asyncio.to_thread(raw_bytes, tmp_path)
    for key in locked:
        assert key not in after
    for secret in SECRETS:
        assert secret.encode() not in before
        assert secret.encode() not in after


async def locked_keys(store: Store, *calls: CallId) -> list[bytes]:
    """The keys of these calls as the store has them: locked, and enough to open everything with the master key."""
    names = [f"sordino:{{{ACME}}}:{kind}:{call}:key" for kind in ("vault", "audio") for call in calls]
    found = [await store.ask("GET", name) for name in names]
    return [bytes(each) for each in found if each is not None]


def raw_bytes(folder: Path) -> bytes:
    """Everything on disk: the store's own files, and recordings."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "master.key")


async def test_nothing_is_handed_out_before_somebody_checked_who_asks(house: House) -> None:
    case = await asked(house, Right.ACCESS, identity="")
    with pytest.raises(PolicyRefused) as refused:
        await house.righting.desk.hand_out(ACME, case.id, by="Kim")
    assert "identity" in refused.value.reasons[0]
    assert await house.evidence("rights.") == []


async def test_who_never_called_gets_an_honest_answer_and_it_is_on_record(house: House) -> None:
    with await handed_out(house, Right.ACCESS, NOBODY) as file:
        data = json.loads(file.read("data.json"))
        page = file.read("index.html").decode()
    assert (data["calls"], data["recipients"], data["files"]) == ([], [], [])
    assert "kein Anruf von Ihnen" in page
    (entry,) = await house.evidence("rights.")
    assert (entry.draft.kind, entry.draft.body["calls"]) == ("rights.access", 0)
