"""``sordino backup``: what is kept comes back from a file, and what was deleted since does not."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest

from gateway.adapters.audit.backup_file import SUFFIX
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.system import RandomIds, SystemClock
from gateway.cli.main import main
from gateway.policy.retention import HoldScope
from gateway.runner.backup import KeySeal
from gateway.settings import Settings
from gateway.values import DataClass
from tests.runner.lived import ACME, CALLS, GLOBEX, SECRET, WHO, Lived, lived, write_policies

T = TypeVar("T")


@pytest.fixture
def house(tmp_path: Path, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway that has been in use, with its store on a server of its own."""
    key = tmp_path / "master.key"
    key.touch(mode=0o600)
    key.write_text("A" * 43 + "=")
    policies = write_policies(tmp_path / "policies")
    environment = {"DATA": tmp_path / "data", "POLICIES": policies, "REDIS_URL": valkey.url, "MASTER_KEY_FILE": key}
    for name, value in environment.items():
        monkeypatch.setenv(f"SORDINO_{name}", str(value))

    async def empty() -> None:
        async with Store(valkey.url, timeout_s=20) as store, store.answers() as client:
            await client.flushall()

    asyncio.run(empty())
    in_it(lambda gateway: gateway.live())
    return tmp_path


def in_it(work: Callable[[Lived], Awaitable[T]], **elsewhere: object) -> T:
    async def inside() -> T:
        settings = Settings.from_env({**os.environ, **{f"SORDINO_{name}": str(value) for name, value in elsewhere.items()}})
        async with lived(settings) as gateway:
            return await work(gateway)

    return asyncio.run(inside())


def made(house: Path) -> Path:
    assert main(["backup", "create", str(house / "backups")]) == 0
    (path,) = (house / "backups").glob(f"*{SUFFIX}")
    return path


def restored(house: Path, file: Path, *more: str, code: int = 0) -> Path:
    assert main(["backup", "restore", str(file), "--into", str(house / "new"), *more]) == code
    return house / "new"


def test_everything_that_was_kept_comes_back(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each tenant its own, readable as before, and verified to its last entry of evidence."""
    had = in_it(lambda gateway: gateway.readable(ACME))
    new = restored(house, made(house), "--report", str(house / "report.json"))
    assert in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="") == had
    assert had[CALLS[0]] >= {"recordings", "transcripts", "receipts"}
    said = capsys.readouterr().out
    assert "evidence verified to entry 13" in said
    report = json.loads((house / "report.json").read_text())
    assert report["tenants"]["globex"]["since"]["came_back"] == []


def test_what_was_erased_since_does_not_come_back(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(house)

    async def meanwhile(gateway: Lived) -> None:
        await gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator")
        subject = await gateway.desk.of_person(GLOBEX, WHO)
        await gateway.desk.deletions.delete(GLOBEX, subject, why="request of the caller", by="operator")

    in_it(meanwhile)
    new = restored(house, file)
    at_acme = in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")
    assert CALLS[0] not in at_acme
    assert {"recordings", "transcripts", "receipts"} <= at_acme[CALLS[1]]
    assert WHO in at_acme, "the same person's consents at another tenant are another matter"
    assert WHO not in in_it(lambda gateway: gateway.readable(GLOBEX), DATA=new, REDIS_URL="")
    assert "done again" in capsys.readouterr().out


def test_what_was_erased_is_unreadable_also_for_who_says_that_nothing_was(house: Path) -> None:
    """Its key is nowhere: neither in the old backup nor in the keys beside it, with all that is left and the master key."""
    file = made(house)
    in_it(lambda gateway: gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator"))
    new = restored(house, file, "--without-newer-evidence")
    back = in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")
    assert back[CALLS[0]].isdisjoint({"recordings", "transcripts"})
    assert {"recordings", "transcripts"} <= back[CALLS[1]]


def test_holds_and_objections_since_hold_in_the_new_store(house: Path) -> None:
    file = made(house)

    async def meanwhile(gateway: Lived) -> None:
        scope = HoldScope(call=CALLS[1], data_class=DataClass.AUDIO)
        review = date(2126, 1, 1)
        await gateway.desk.holds.place(ACME, scope, reason="claim", approver="counsel", review=review, by="operator")

    in_it(meanwhile)
    new = restored(house, file)

    async def holds(gateway: Lived) -> list[HoldScope]:
        assert await RedisSuppression(gateway.store).opted_out(ACME, "b" * 64) is not None
        return [hold.scope for hold in await gateway.desk.holds.holds(ACME)]

    assert in_it(holds, DATA=new, REDIS_URL="") == [HoldScope(call=CALLS[1], data_class=DataClass.AUDIO)]


def test_a_drill_is_written_down_and_leaves_nothing(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(house)
    in_it(lambda gateway: gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator"))
    assert main(["backup", "drill", str(file)]) == 0
    assert "the drill was passed" in capsys.readouterr().out

    async def drills(gateway: Lived) -> list[dict[str, object]]:
        return [dict(each.draft.body) async for each in gateway.ledger.entries(ACME) if each.draft.kind == "drill.passed"]

    (told,) = in_it(drills)
    assert told["deleted_again"] == told["deletions_since"] != 0
    assert told["came_back"] == 0


def test_a_tenant_whose_key_was_destroyed_is_unreadable_in_every_old_backup(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made(house)

    async def destroy(gateway: Lived) -> None:
        await gateway.keys.shelf.destroy_tenant(GLOBEX)
        await KeySeal(gateway.store, gateway.keys.masters, SystemClock(), RandomIds()).destroyed()

    in_it(destroy)
    new = restored(house, file)
    assert "its data is not readable" in capsys.readouterr().out
    assert in_it(lambda gateway: gateway.readable(GLOBEX), DATA=new, REDIS_URL="") == {}
    assert in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")


def test_nothing_private_and_no_key_can_be_read_in_the_files(house: Path) -> None:
    file = made(house)

    async def locked(gateway: Lived) -> bytes:
        return bytes(await gateway.store.ask("GET", f"sordino:{{acme}}:audio:{CALLS[0]}:key"))

    raw = file.read_bytes() + (house / "backups" / "keys.sealed").read_bytes()
    assert SECRET.encode() not in raw
    assert in_it(locked) not in raw
    assert WHO.encode() not in raw


REFUSED: list[tuple[list[str], str]] = [
    (["create", "{house}/backups", "--region", "us"], "a backup may not be kept in us"),
    (["create", "{house}/backups", "--region", "atlantis"], "no such region"),
    (["restore", "{file}", "--into", "{house}/data"], "files of calls under"),
    (["restore", "{house}/policies/subprocessors.yaml", "--into", "{house}/new"], "no backup of Sordino"),
    (["list", "{house}/nowhere"], "there is no folder"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED, ids=[words[0] + " " + told for words, told in REFUSED])
def test_what_cannot_be_done_is_told_and_nothing_is_written(
    house: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    file = made(house)
    assert main(["backup", *(word.format(house=house, file=file) for word in words)]) == 1
    assert told in (error := capsys.readouterr().err)
    assert "Traceback" not in error
    assert list((house / "backups").glob(f"*{SUFFIX}")) == [file]


def test_a_store_that_lost_its_evidence_is_not_taken_for_the_newest(
    house: Path, valkey: EmbeddedValkey, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else everything that was deleted since would come back, unseen."""
    file = made(house)

    async def lost(gateway: Lived) -> None:
        await gateway.store.ask("DEL", "sordino:{acme}:evidence")

    in_it(lost)
    restored(house, file, code=1)
    assert "older evidence of tenant acme than the backup has" in capsys.readouterr().err


def test_backups_are_listed_and_a_damaged_one_is_named(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(house)
    (house / "backups" / f"x{SUFFIX}").write_bytes(file.read_bytes()[:50])
    assert main(["backup", "list", str(house / "backups")]) == 1
    said = capsys.readouterr().out
    assert f"{file.name}  20" in said
    assert "acme, globex" in said
    assert f"x{SUFFIX}  the header of this backup was cut off or altered" in said
