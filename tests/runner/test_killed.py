"""Real processes killed (SIGKILL) over an erasure or a tenant's end, twice, and in each other's midst.

Whoever asks again is served, nothing is called finished before it is, and in the end not a byte of it is left: neither in the
files of the store nor on the disk.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.deletions import Intent, RedisDeletions
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.key_shelf import tenant_key
from gateway.adapters.stores.redis import Store
from gateway.evidence.certificate import KIND, Certificate
from gateway.evidence.chain import verify_chain
from gateway.evidence.entries import Entry
from gateway.settings import Settings
from gateway.values import Private
from tests.conftest import PATIENCE_S
from tests.runner.lived import ACME, BEGAN, CALLS, GLOBEX, Lived, lived, write_policies
from tests.runner.mortal import Ended, run

T = TypeVar("T")
NUMBER = "+4915112345678"
ONE, TWO = CALLS[:2]
CALL = ("calls", "erase", "--tenant", ACME, "--call", ONE, "--why", "request of the caller")
PERSON = ("rights", "erase", "--tenant", ACME, "--subject", NUMBER, "--identity", "called back", "--by", "Kim")
OF_PERSON = (*PERSON, "--call", ONE)
END = ("tenants", "offboard", ACME, "--reason", "contract ended", "--wait-days", "0")
CALL_KEY = re.compile(r"sordino:\{acme\}:(audio|transcript):(\w+):key")


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of acme: what is kept, by holding and id, and what the gateway says of it."""

    entries: list[Entry]
    certificates: list[Certificate]
    pending: list[Intent]
    there: set[tuple[str, str]]

    def said(self, kind: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.draft.kind == kind]

    @property
    def proven(self) -> list[tuple[str, str]]:
        """What the evidence says to be gone."""
        return [(str(entry.draft.body["holding"]), str(entry.draft.body["of"])) for entry in self.said(KIND)]


@dataclass
class House:
    """A gateway's store and disk, as they were before anybody asked for anything: again for each test."""

    root: Path
    server: EmbeddedValkey
    who: str = ""
    bytes_of: dict[str, bytes] = field(default_factory=dict)
    """Of acme: its own locked key, those of its calls, and the end of each recording's file. The name begins with the call."""
    _kept: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def environment(self) -> dict[str, str]:
        named = {"DATA": self.data, "POLICIES": self.root / "policies", "MASTER_KEY_FILE": self.root / "master.key"}
        return {"SORDINO_REDIS_URL": self.server.url, **{f"SORDINO_{name}": str(value) for name, value in named.items()}}

    def run(self, command: tuple[str, ...], kill: int = 0) -> Ended:
        return run(command, self.environment, kill=kill)

    def inside(self, work: Callable[[Lived], Awaitable[T]]) -> T:
        async def in_it() -> T:
            async with lived(Settings.from_env(self.environment)) as gateway:
                return await work(gateway)

        return asyncio.run(in_it())

    async def live(self, gateway: Lived) -> None:
        """Two calls of one person at acme, and one at globex."""
        self.who = SubjectHash(gateway.keys.identity)(ACME, Private(NUMBER))
        for tenant, call in ((ACME, ONE), (ACME, TWO), (GLOBEX, ONE)):
            await gateway.call(tenant, call, BEGAN, who=self.who)
        async with gateway.store.answers() as client:
            names: Any = await client.keys("*")
            for name in names:
                value: Any = await client.dump(name)
                self._kept[name] = (max(0, await client.pttl(name)), value)
                if (key := CALL_KEY.fullmatch(name.decode())) is not None:
                    locked: Any = await client.get(name)
                    self.bytes_of[f"{key[2]} {key[1]}"] = locked
            keys: Any = await client.hgetall(tenant_key(ACME))
        self.bytes_of["acme"] = keys[keys[b"current"]]
        for call in (ONE, TWO):
            self.bytes_of[f"{call} sound"] = (self.data / "recordings" / ACME / f"{call}.srec").read_bytes()[-64:]
        assert len(self.bytes_of) == 7
        shutil.copytree(self.data, self.root / "kept")

    def again(self) -> None:
        async def restore() -> None:
            async with Store(self.server.url, timeout_s=PATIENCE_S) as store, store.answers() as client:
                await client.flushall()
                for name, (ttl_ms, value) in self._kept.items():
                    await client.restore(name, ttl_ms, value)

        shutil.rmtree(self.data)
        shutil.copytree(self.root / "kept", self.data)
        asyncio.run(restore())
        assert self.left == {*self.bytes_of}, "what is looked for afterwards is found before"

    @property
    def left(self) -> set[str]:
        """Of which there is a byte for byte copy, in any file of the store or of the data folder."""
        places = (self.server.log.parent, self.data)
        raw = b"".join(path.read_bytes() for place in places for path in sorted(place.rglob("*")) if path.is_file())
        return {name for name, found in self.bytes_of.items() if found in raw}

    def seen(self) -> Seen:
        """As another gateway sees it: what is said to be gone is, and nothing half deleted looks as if it had been altered."""
        found = self.inside(_seen)
        verify_chain(found.entries, tenant=ACME)
        certified = {(each.holding, each.of) for each in found.certificates}
        assert not found.there & {*certified, *found.proven}, "what is said to be gone is there"
        return found

    def is_gone(self, seen: Seen, *whose: str) -> None:
        """Everything of these calls or persons is gone, with its certificate, and no byte of it is left."""
        assert [each.field for each in seen.pending if each.id in whose] == []
        assert [each for each in seen.there if each[1] in whose] == []
        assert [name for name in self.left if name.split()[0] in whose] == []


async def _seen(gateway: Lived) -> Seen:
    there = set[tuple[str, str]]()
    for holding in gateway.desk.holdings:
        items = [item async for item in holding.items(ACME)]
        if holding.name == "callers":  # it lists none by itself
            items = [item for call in (ONE, TWO) if (item := await holding.of_call(ACME, call)) is not None]
        for item in items:
            there.add((holding.name, item.id))
            _ = [copy async for copy in holding.copies(item)]
    return Seen(
        entries=[entry async for entry in gateway.ledger.entries(ACME)],
        certificates=[each async for each in gateway.desk.certificates.all(ACME)],
        pending=await RedisDeletions(gateway.store).pending(ACME),
        there=there,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("killed")
    server = EmbeddedValkey(root / "server")
    asyncio.run(server.start())
    house = House(root, server)
    write_policies(root / "policies", "regions: [eu]\norigins: [de]\n")
    (root / "master.key").touch(mode=0o600)
    (root / "master.key").write_text("A" * 43 + "=")
    house.inside(house.live)
    yield house
    asyncio.run(server.stop())


@pytest.fixture
def house(built: House) -> House:
    built.again()
    return built


def asked(house: House, command: tuple[str, ...], kill: int = 0) -> tuple[Ended, Seen]:
    """Ask, and see that what is said to be done is done: by a process that ended well, and by the evidence of any."""
    ended = house.run(command, kill)
    seen = house.seen()
    if command in (CALL, OF_PERSON) and ended.code == 0:
        house.is_gone(seen, ONE)
    for entry in seen.said("rights.erased"):
        if entry.draft.body["finished"]:
            house.is_gone(seen, *([str(entry.draft.body["call"])] if "call" in entry.draft.body else (ONE, TWO, house.who)))
    if seen.said("offboarding.data_deleted"):
        house.is_gone(replace(seen, there={each for each in seen.there if each[0] != "callers"}), ONE, TWO)
    if seen.said("offboarding.key_destroyed"):
        assert not house.left
    return ended, seen


def each_once(seen: Seen, what: set[tuple[str, str]]) -> None:
    """One entry and one certificate for each thing, and nothing is left to do."""
    assert sorted(seen.proven) == sorted(what)
    assert sorted((each.holding, each.of) for each in seen.certificates) == sorted(what)
    assert seen.pending == []


def of_call(call: str) -> set[tuple[str, str]]:
    return {(place, call) for place in ("recordings", "transcripts", "receipts")}


@pytest.mark.parametrize(("first", "second"), [(14, 0), (18, 32), (21, 9), (25, 36), (29, 24), (34, 12)])
def test_a_call_whose_erasure_was_killed_twice_is_erased_for_who_asks_again(house: House, first: int, second: int) -> None:
    """It is not said to be unknown because half of it is gone, and every certificate is shown."""
    asked(house, CALL, first)
    asked(house, CALL, second)
    ended, seen = asked(house, CALL)
    assert ended.code == 0, ended.said
    each_once(seen, {*of_call(ONE), ("callers", ONE)})
    assert seen.there == {*of_call(TWO), ("callers", TWO), ("consents", house.who), ("persons", house.who)}
    again = house.run(CALL)
    assert (again.code, again.said.count("certificate_")) == (0, 4)


@pytest.mark.parametrize(("first", "second"), [(48, 60), (76, 0), (86, 92)])
def test_one_call_of_a_person_whose_erasure_was_killed_is_erased_for_who_asks_again(
    house: House, first: int, second: int
) -> None:
    """It is theirs to ask for, also when nobody knows any more whose it was; what else there is of them stays."""
    asked(house, OF_PERSON, first)
    asked(house, OF_PERSON, second)
    ended, seen = asked(house, OF_PERSON)
    assert ended.code == 0, ended.said
    assert seen.said("rights.erased")[-1].draft.body["finished"]
    each_once(seen, {*of_call(ONE), ("callers", ONE)})
    assert seen.there == {*of_call(TWO), ("callers", TWO), ("consents", house.who), ("persons", house.who)}


@pytest.mark.parametrize(
    ("first", "second"), [(20, 13), (44, 0), (60, 36), (68, 95), (76, 24), (84, 80), (92, 0), (100, 65), (106, 0), (109, 121)]
)
def test_a_person_whose_erasure_was_killed_twice_is_erased_for_who_asks_again(house: House, first: int, second: int) -> None:
    """Neither an exit code nor the evidence says that it is finished before the last byte is gone and certified."""
    asked(house, PERSON, first)
    asked(house, PERSON, second)
    ended, seen = asked(house, PERSON)
    assert ended.code == 0, ended.said
    assert seen.said("rights.erased")[-1].draft.body["finished"]
    each_once(seen, {*of_call(ONE), *of_call(TWO), ("consents", house.who), ("persons", house.who)})
    assert seen.there == set()


@pytest.mark.parametrize(("first", "second"), [(36, 57), (100, 115), (116, 32), (132, 144), (148, 61), (180, 90)])
def test_a_tenants_end_that_was_killed_twice_is_finished_by_who_asks_again(house: House, first: int, second: int) -> None:
    """Its key is destroyed last, and of what is left to keep for some days only whose number it was is there."""
    asked(house, END, first)
    asked(house, END, second)
    ended, seen = asked(house, END)
    assert ended.code == 0, ended.said
    assert len(seen.said("offboarding.key_destroyed")) == 1
    each_once(seen, {*of_call(ONE), *of_call(TWO), ("consents", house.who)})
    assert seen.there == {("persons", house.who), ("callers", ONE), ("callers", TWO)}


@pytest.mark.parametrize(
    ("first", "kill", "second", "then"),
    [
        (PERSON, 60, END, 100),
        (CALL, 22, PERSON, 0),
        (CALL, 26, PERSON, 60),
        (CALL, 30, END, 120),
        (END, 90, PERSON, 50),
        (END, 110, PERSON, 0),
        (END, 130, CALL, 0),
        (END, 150, PERSON, 80),
    ],
)
def test_one_that_was_killed_is_crossed_by_another_one(
    house: House, first: tuple[str, ...], kill: int, second: tuple[str, ...], then: int
) -> None:
    """Whoever comes second does not call finished what the first one has left half done."""
    asked(house, first, kill)
    asked(house, second, then)
    for command in (second, first):
        ended, _ = asked(house, command)
        assert ended.code == 0, ended.said
    seen = house.seen()
    assert seen.pending == []
    assert sorted(seen.proven) == sorted({*seen.proven})
