"""What a caller may ask for, on a store with ten thousand calls of three tenants: each right from the request to its end."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.stores import names
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.system import RandomIds
from gateway.errors import PolicyRefused
from gateway.evidence.chain import timestamp
from gateway.policy.cases import Case
from gateway.runner.outbound import RESTRICTED
from gateway.runner.rights import Correction, collected
from gateway.runner.rights_acts import Acted
from gateway.runner.rights_case import Right
from gateway.values import CallId, DataClass, Private, TenantId
from tests.conftest import PATIENCE_S
from tests.journeys.persons import (
    ACME,
    ANNE,
    ANNES_CALLS,
    BETA,
    GAMMA,
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
OTHERS = 30
"""Persons beside her at each tenant whose words and consents are kept."""
NAME, RIGHT_STREET, LETTER = "Anne Beispielhuber", "Ulmenweg 3", "letter of 3 May 2025"
SAID = {"person": NAME, "street_address": STREET, "medical_record": "Patient Bisoprolol-77"}
SENTENCE = f"I am {NAME} of {STREET} in file {SAID['medical_record']}"
IN_CLEAR = tuple(
    form
    for word in ("15112345678", "0151 12345678", "Beispielhuber", STREET, RIGHT_STREET, SAID["medical_record"])
    for form in dict.fromkeys((word.encode(), json.dumps(word)[1:-1].encode()))
)
"""What no file may hold, as it is and as JSON writes it."""


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


@dataclass(frozen=True, slots=True)
class Journey:
    """Ten thousand calls on a disk of their own, and Anne's way through her rights at one of three tenants."""

    house: House
    disk: Path

    @property
    def hers(self) -> tuple[CallId, CallId, CallId]:
        """Her calls with a recording, with values in a vault, with a transcript."""
        first, second, third, *_ = self.house.calls[ACME]
        return first, second, third

    async def set_out(self) -> None:
        """At each tenant the same of hers, and as much of others."""
        house = self.house
        await house.store.ask("CONFIG", "SET", "rdbcompression", "no")  # what is compressed could not be searched
        house.calls = await seed(house.store, house.hashes, calls=CALLS)
        house.seeded[ACME] = int(await house.store.ask("XLEN", names.key(ACME, "evidence")))
        for tenant in TENANTS:
            first, second, third, *_ = house.calls[tenant]
            await house.record(tenant, first)
            await house.remember(tenant, second, person=NAME, street_address=STREET)
            await house.write_down(tenant, third, "I am <PERSON_1> of <STREET_ADDRESS_1> in file <MEDICAL_RECORD_1>", SAID)
            await house.agreed(tenant, house.anne(tenant), LETTER)
            for number in range(OTHERS):
                call = CallId(f"call_other_{number}")
                await house.write_down(tenant, call, "I live in <STREET_ADDRESS_1>", {"street_address": STREET})
                await house.agreed(tenant, house.hashes(tenant, Private(f"+49160{number:07d}")), LETTER)

    async def nothing_in_clear(self) -> None:
        """No byte of the store's files and of the data folder is one of hers; what was planted there is found."""
        canary = f"canary {RandomIds().new('canary')}"
        await self.house.store.ask("SET", "sordino:canary", canary)
        (self.house.folder / "canary").write_text(f"{canary} too")
        data = await asyncio.to_thread(raw_bytes, self.disk)
        assert data.count(canary.encode()) >= 2
        assert [secret for secret in IN_CLEAR if secret in data] == []

    async def carried_out(self, right: Right, correction: Correction | None = None) -> Acted:
        case = await asked(self.house, right)
        done = await self.house.righting.desk.do(ACME, case.id, by="Kim", correction=correction)
        assert done.finished
        assert not (await self.house.righting.desk.show(ACME, case.id)).open
        return done

    async def others_are_as_they_were(self) -> None:
        """What other tenants have of her, and what this one has of others."""
        house = self.house
        for tenant in TENANTS[1:]:
            first, second, third, *_ = house.calls[tenant]
            assert await house.righting.persons.calls(tenant, house.anne(tenant)) == house.calls[tenant]
            assert (await house.recalled(tenant, second))["<STREET_ADDRESS_1>"] == STREET
            assert (await house.written_down(tenant, third))["<STREET_ADDRESS_1>"] == STREET
            assert await house.proofs(tenant, house.anne(tenant)) == [LETTER]
            assert [item for item in await house.data.of_call(tenant, first) if item.data_class is DataClass.AUDIO]
        other = house.hashes(ACME, Private("+491600000001"))
        assert await house.proofs(ACME, other) == [LETTER]
        assert (await house.written_down(ACME, CallId("call_other_1")))["<STREET_ADDRESS_1>"] == STREET
        assert await house.may_leave(ACME, other)


@pytest.mark.timeout(300)
async def test_every_right_on_ten_thousand_calls(
    own_valkey: EmbeddedValkey, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Access, know, portability, rectify, restrict, lift, erase: what is hers and nobody else's, here and at no other tenant.

    After each of them no byte on disk is a number or a word of hers in clear.
    """
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store, AsyncExitStack() as running:
        journey = Journey(await open_house(store, tmp_path / "house", running, purging=True), tmp_path)
        await journey.set_out()
        rights = (access, know, portability, rectify_what_was_said, rectify_a_proof, restrict, lift, erase, access_again)
        for right in rights:
            await right(journey)
            await journey.nothing_in_clear()
            await journey.others_are_as_they_were()
        proven = await journey.house.evidence("")
        said = names_in([entry for entry in proven if entry.draft.kind.startswith(("rights.", "case.", "deletion."))])
    assert {entry.draft.kind for entry in proven if entry.draft.kind.startswith("rights.")} == {
        f"rights.{act}" for act in ("access", "know", "export", "rectified", "restricted", "lifted", "erased")
    }
    for secret in (*SECRETS, RIGHT_STREET, *SAID.values()):
        assert secret not in said + caplog.text


async def access(journey: Journey) -> None:
    """A page for people, data for programs, the sound and the words; every call of hers."""
    with await handed_out(journey.house, Right.ACCESS, "0151 / 12345678") as file:
        data, files = bundle(file)
        page = file.read("index.html").decode()
    assert [each["call"] for each in data["calls"]] == journey.house.calls[ACME]
    assert {each["name"]: each["calls"] for each in data["recipients"]} == {"Eu-Llm GmbH": 20, "Hearing GmbH": 20}
    assert {kind for each in data["calls"] for kind in each["announcements"]} == {"ai-and-privacy"}
    assert data["retention_s"]["metadata"] == 2_592_000
    assert data["evidence"]["entries"] > CALLS
    assert data["restricted_since"] is None
    assert {Path(name).suffix for name in files} == {".wav", ".txt", ".json"}
    assert next(content for name, content in files.items() if name.endswith(".wav")).startswith(b"RIFF")
    said = next(content for name, content in files.items() if name.endswith(".txt"))
    assert SENTENCE in said.decode()
    assert "Ihre Daten bei acme" in page
    assert "http" not in page.replace("http-equiv", "")


async def know(journey: Journey) -> None:
    """Who got what and why, without the data itself."""
    with await handed_out(journey.house, Right.KNOW) as file:
        assert sorted(file.namelist()) == ["data.json", "data.schema.json", "index.html"]
        known, files = bundle(file)
    assert files == {}
    assert {each["processor"] for each in known["recipients"]} == {"eu-llm", "hearing"}
    assert known["sources"] == ["call", "carrier", "tenant"]
    assert known["masked"] == {"PERSON": 20, "PHONE_NUMBER": 20}
    assert len(known["evidence"]["head"]) > 64


async def portability(journey: Journey) -> None:
    """What she takes elsewhere is read by a program alone: whose, which calls, what was said, what she agreed to."""
    with await handed_out(journey.house, Right.EXPORT) as file:
        data, files = bundle(file)
    assert (data["right"], data["controller"], data["subject"]) == ("export", ACME, journey.house.anne())
    assert [each["call"] for each in data["calls"]] == journey.house.calls[ACME]
    parsed = {Path(name).name: json.loads(content) for name, content in files.items() if name.endswith(".json")}
    first, _, third = journey.hers
    said = parsed[f"{third}.json"]
    assert (said["facts"]["call"], said["turns"][0]["text"]) == (
        third,
        SENTENCE,
    )
    assert [each["proof"] for each in parsed["consents.json"]] == [LETTER]
    assert parsed["calls.json"] == journey.house.calls[ACME]
    assert any(Path(name).name == f"{first}.wav" for name in files)


async def rectify_what_was_said(journey: Journey) -> None:
    """In her vault and in her transcript at once, each with its entry."""
    _, second, third = journey.hers
    done = await journey.carried_out(Right.RECTIFY, Correction(Private(STREET), Private(RIGHT_STREET)))
    assert done.facts["places"] == {"vault": 1, "transcript": 1}
    assert await journey.house.recalled(ACME, second) == {"<PERSON_1>": NAME, "<STREET_ADDRESS_1>": RIGHT_STREET}
    values = await journey.house.written_down(ACME, third)
    assert values == {"<PERSON_1>": NAME, "<STREET_ADDRESS_1>": RIGHT_STREET, "<MEDICAL_RECORD_1>": SAID["medical_record"]}
    (entry,) = await journey.house.evidence("transcript.rectified")
    assert (entry.draft.call, entry.draft.body["placeholder"]) == (third, "<STREET_ADDRESS_1>")
    assert entry.draft.body["before"] != entry.draft.body["after"]


async def rectify_a_proof(journey: Journey) -> None:
    """In what is kept of her consents."""
    done = await journey.carried_out(Right.RECTIFY, Correction(Private("May 2025"), Private("June 2025")))
    assert done.facts["places"] == {"consent": 1}
    assert await journey.house.proofs(ACME, journey.house.anne()) == ["letter of 3 June 2025"]


async def restrict(journey: Journey) -> None:
    """No Grant for a call of hers and no call to her; all of it stays stored, and whoever reads it is told since when."""
    house, anne = journey.house, journey.house.anne()
    assert await house.may_leave(ACME, anne)
    assert RESTRICTED not in await why_not_dialled(house, ACME)
    done = await journey.carried_out(Right.RESTRICT)
    assert done.facts["since"] == timestamp(NOW)
    assert await house.righting.persons.restricted(ACME, anne) == NOW
    assert not await house.may_leave(ACME, anne)
    assert RESTRICTED in await why_not_dialled(house, ACME)
    for tenant in TENANTS[1:]:
        assert await house.may_leave(tenant, house.anne(tenant))
        assert RESTRICTED not in await why_not_dialled(house, tenant)
    with await handed_out(house, Right.ACCESS) as file:
        data, files = bundle(file)
    assert data["restricted_since"] == timestamp(NOW)
    assert len(data["calls"]) == ANNES_CALLS
    assert RIGHT_STREET in next(content for name, content in files.items() if name.endswith(".txt")).decode()


async def lift(journey: Journey) -> None:
    """As before it."""
    await journey.carried_out(Right.LIFT)
    assert await journey.house.may_leave(ACME, journey.house.anne())
    assert RESTRICTED not in await why_not_dialled(journey.house, ACME)


async def erase(journey: Journey) -> None:
    """Every class in every place, certified; who is not to be called is still not called."""
    house, anne = journey.house, journey.house.anne()
    first, second, third = journey.hers
    await RedisSuppression(house.store).opt_out(ACME, anne, NOW)
    done = await journey.carried_out(Right.ERASE)
    assert done.facts["calls"] == ANNES_CALLS
    assert {each.data_class.value for each in done.certificates} == {"audio", "vault", "transcript", "consent", "contact"}
    assert {each.document["append_only_file"] for each in done.certificates if each.key_id} == {"rewritten"}
    assert any("not to be called stays" in str(sentence) for sentence in done.facts["kept"])  # type: ignore[union-attr]
    assert await house.righting.persons.calls(ACME, anne) == []
    assert await house.recalled(ACME, second) == {}
    assert await house.written_down(ACME, third) == {}
    assert await house.proofs(ACME, anne) == []
    assert await house.data.of_call(ACME, first) == []
    sounds = [path.parts for path in house.folder.glob("recordings/**/*") if path.is_file()]
    assert [tenant for tenant in TENANTS if any(tenant in parts for parts in sounds)] == [BETA, GAMMA]
    assert await RedisSuppression(house.store).opted_out(ACME, anne) == NOW


async def access_again(journey: Journey) -> None:
    """Nothing is there any more, and the answer says what stays."""
    with await handed_out(journey.house, Right.ACCESS) as file:
        data, files = bundle(file)
    assert (data["calls"], data["consents"], files) == ([], [], {})
    assert data["not_to_be_called_since"] == timestamp(NOW)


def bundle(file: zipfile.ZipFile) -> tuple[dict[str, Any], dict[str, bytes]]:
    """``data.json`` as its own schema says it is, and every file that it names, whole."""
    data: dict[str, Any] = json.loads(file.read("data.json"))
    assert list(faults(data, json.loads(file.read("data.schema.json")))) == []
    files = {each["path"]: file.read(each["path"]) for each in data["files"]}
    assert {*files, "data.json", "data.schema.json", "index.html"} == set(file.namelist())
    for each in data["files"]:
        content = files[each["path"]]
        assert (len(content), hashlib.sha256(content).hexdigest()) == (each["bytes"], each["sha256"])
    return data, files


async def why_not_dialled(house: House, tenant: TenantId) -> tuple[str, ...]:
    return (await house.governing.dial.check(tenant, Private(ANNE))).answer.reasons


async def test_after_an_erasure_the_raw_files_hold_nothing_that_would_open(own_valkey: EmbeddedValkey, tmp_path: Path) -> None:
    """No number and no word in clear, before or after; the locked keys of her calls were there, and are not any more."""
    async with Store(own_valkey.url, timeout_s=PATIENCE_S) as store, AsyncExitStack() as running:
        house = await open_house(store, tmp_path / "house", running, purging=True)
        house.calls = await seed(store, house.hashes, calls=12, annes=2)
        first, second = house.calls[ACME]
        await house.record(ACME, first)
        await house.remember(ACME, second, person="Anne Beispielhuber", street_address=STREET)
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
