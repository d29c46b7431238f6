"""``sordino backup``: what is kept comes back from a file, and what was deleted since does not."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gateway.adapters.audit.backup_file import SUFFIX
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.stores.transcripts import RedisTranscripts
from gateway.adapters.system import RandomIds, SystemClock
from gateway.cli.main import main
from gateway.evidence.keys import public_key_pem
from gateway.policy.consent import consent_for
from gateway.policy.retention import HoldScope
from gateway.runner.key_seal import KeySeal
from gateway.transcribing import open_transcripts
from gateway.values import DataClass, Private
from tests.cli.lived_in import in_it
from tests.evidence.samples import PUBLIC
from tests.runner.lived import ACME, CALLS, GLOBEX, SECRET, WHO, Lived


def made(lived_in: Path) -> Path:
    assert main(["backup", "create", str(lived_in / "backups")]) == 0
    (path,) = (lived_in / "backups").glob(f"*{SUFFIX}")
    return path


def restored(lived_in: Path, file: Path, *more: str, code: int = 0) -> Path:
    assert main(["backup", "restore", str(file), "--into", str(lived_in / "new"), *more]) == code
    return lived_in / "new"


def test_everything_that_was_kept_comes_back(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each tenant its own, readable as before, and verified to its last entry of evidence."""
    had = in_it(lambda gateway: gateway.readable(ACME))
    new = restored(lived_in, made(lived_in), "--report", str(lived_in / "report.json"))
    assert in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="") == had
    assert had[CALLS[0]] >= {"recordings", "transcripts", "receipts"}
    said = capsys.readouterr().out
    assert "globex: " in said
    assert "evidence verified to entry 5\n" in said
    report = json.loads((lived_in / "report.json").read_text())
    assert report["tenants"]["globex"]["since"]["came_back"] == []


def test_what_was_erased_since_does_not_come_back(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(lived_in)

    async def meanwhile(gateway: Lived) -> None:
        await gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator")
        subject = await gateway.desk.of_person(GLOBEX, WHO)
        await gateway.desk.deletions.delete(GLOBEX, subject, why="request of the caller", by="operator")

    in_it(meanwhile)
    new = restored(lived_in, file)
    at_acme = in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")
    assert CALLS[0] not in at_acme
    assert {"recordings", "transcripts", "receipts"} <= at_acme[CALLS[1]]
    assert WHO in at_acme, "the same person's consents at another tenant are another matter"
    assert WHO not in in_it(lambda gateway: gateway.readable(GLOBEX), DATA=new, REDIS_URL="")
    assert "done again" in capsys.readouterr().out


def test_without_the_old_store_bundles_of_evidence_tell_what_was_erased_of_every_tenant(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bundle of one tenant alone, or of before, is not enough: what was deleted of the others would come back unseen."""
    assert main(["evidence", "export", "--tenant", "globex", "-o", str(lived_in / "early.zip")]) == 0
    file = made(lived_in)
    in_it(lambda gateway: gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator"))
    bundles = []
    for tenant in (ACME, GLOBEX):
        bundles += ["--evidence", str(lived_in / f"{tenant}.zip")]
        assert main(["evidence", "export", "--tenant", tenant, "-o", bundles[-1]]) == 0
    for number, too_few in enumerate((bundles[:2], [*bundles[:2], "--evidence", str(lived_in / "early.zip")])):
        into = str(lived_in / f"too-few-{number}")
        assert main(["backup", "restore", str(file), "--into", into, *too_few]) == 1
        assert "nothing tells what was deleted of tenant globex since" in capsys.readouterr().err
    new = restored(lived_in, file, *bundles)
    assert CALLS[0] not in in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")


def test_on_a_new_machine_bundles_are_believed_only_from_the_key_that_is_given(
    lived_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who could have any bundle believed would have data deleted, or hide that it was."""
    file, bundles = made(lived_in), []
    in_it(lambda gateway: gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator"))
    for tenant in (ACME, GLOBEX):
        bundles += ["--evidence", str(lived_in / f"{tenant}.zip")]
        assert main(["evidence", "export", "--tenant", tenant, "-o", bundles[-1]]) == 0
    key, other = lived_in / "data" / "keys" / "signing.pub", tmp_path / "other.pub"
    other.write_text(public_key_pem(PUBLIC))
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "new-machine"))
    for more, told in (
        ([], "anybody could have signed"),
        (["--key", str(other)], "not by the key that you gave"),
        (["--key", str(tmp_path / "nowhere.pub")], "nowhere.pub"),
    ):
        assert main(["backup", "restore", str(file), "--into", str(lived_in / "refused"), *bundles, *more]) == 1
        assert told in (error := capsys.readouterr().err)
        assert "Traceback" not in error
    assert not (lived_in / "refused" / "receipts").exists()
    new = restored(lived_in, file, *bundles, "--key", str(key))
    monkeypatch.setenv("SORDINO_DATA", str(lived_in / "data"))
    assert CALLS[0] not in in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")


def test_what_was_erased_is_unreadable_also_for_who_says_that_nothing_was(lived_in: Path) -> None:
    """Its key is nowhere: neither in the old backup nor in the keys beside it, with all that is left and the master key."""
    file = made(lived_in)
    in_it(lambda gateway: gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator"))
    new = restored(lived_in, file, "--without-newer-evidence")
    back = in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")
    assert back[CALLS[0]].isdisjoint({"recordings", "transcripts"})
    assert {"recordings", "transcripts"} <= back[CALLS[1]]


def test_holds_and_objections_since_hold_in_the_new_store(lived_in: Path) -> None:
    file = made(lived_in)

    async def meanwhile(gateway: Lived) -> None:
        scope = HoldScope(call=CALLS[1], data_class=DataClass.AUDIO)
        review = date(2126, 1, 1)
        await gateway.desk.holds.place(ACME, scope, reason="claim", approver="counsel", review=review, by="operator")

    in_it(meanwhile)
    new = restored(lived_in, file)

    async def holds(gateway: Lived) -> list[HoldScope]:
        assert await RedisSuppression(gateway.store).opted_out(ACME, "b" * 64) is not None
        return [hold.scope for hold in await gateway.desk.holds.holds(ACME)]

    assert in_it(holds, DATA=new, REDIS_URL="") == [HoldScope(call=CALLS[1], data_class=DataClass.AUDIO)]


def test_what_was_taken_back_agreed_to_and_put_right_since_is_so_in_the_new_store(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody who took an agreement back agrees again, and no wrong word comes back: it is taken out, and named."""
    number, other = "+15125550100", "+15125550101"

    def consent(word: str, whose: str, *more: str) -> None:
        said = ["--tenant", "acme", "--number", whose, "--purpose", "reminder", "--proof", "form 17", *more]
        assert main(["consent", word, *said]) == 0

    async def put_right(gateway: Lived) -> None:
        transcripts = open_transcripts(gateway.store, gateway.keys.shelf, gateway.ledger, SystemClock())
        await transcripts.desk.rectify(ACME, CALLS[0], Private(SECRET), Private("Marta Quintana"), by="rights")

    consent("give", number)
    file = made(lived_in)
    consent("withdraw", number)
    consent("give", other, "--until", "2126-01-01T00:00:00Z")
    in_it(put_right)
    capsys.readouterr()
    new = restored(lived_in, file, "--report", str(lived_in / "report.json"))
    told = capsys.readouterr().out
    assert "1 objections and withdrawals and 1 agreements known again" in told
    assert f"put right since, and wrong in the backup: words of {CALLS[0]}" in told
    assert json.loads((lived_in / "report.json").read_text())["tenants"]["acme"]["since"]["rectified"] == [CALLS[0]]

    async def kept(gateway: Lived) -> tuple[list[str], list[bool], object]:
        transcripts, consents = RedisTranscripts(gateway.store, gateway.keys.shelf), RedisConsents(gateway.store)
        read = [await transcripts.read(ACME, call) for call in CALLS[:2]]
        words = [value.reveal() for each in read if each is not None for value in each.values.values()]
        subject, now = SubjectHash(gateway.keys.identity), SystemClock().now()
        said = [await consents.of(ACME, subject(ACME, Private(each))) for each in (number, other)]
        (entry,) = [each async for each in gateway.ledger.entries(ACME) if each.draft.kind == "backup.restored"]
        return words, [consent_for(each, "reminder", now).holds for each in said], entry.draft.body["rectified_removed"]

    assert in_it(kept, DATA=new, REDIS_URL="") == ([SECRET], [False, True], [CALLS[0]])


def test_a_drill_is_written_down_and_leaves_nothing(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(lived_in)
    in_it(lambda gateway: gateway.desk.erase_call(ACME, CALLS[0], why="request of the caller", by="operator"))
    assert main(["backup", "drill", str(file)]) == 0
    assert "the drill was passed" in capsys.readouterr().out

    async def drills(gateway: Lived) -> list[dict[str, object]]:
        return [dict(each.draft.body) async for each in gateway.ledger.entries(ACME) if each.draft.kind == "drill.passed"]

    (told,) = in_it(drills)
    assert told["deleted_again"] == told["deletions_since"] != 0
    assert told["came_back"] == 0


def test_a_tenant_whose_key_was_destroyed_is_unreadable_in_every_old_backup(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made(lived_in)

    async def destroy(gateway: Lived) -> None:
        await gateway.keys.shelf.destroy_tenant(GLOBEX)
        await KeySeal(gateway.store, gateway.keys.masters, SystemClock(), RandomIds()).destroyed()

    in_it(destroy)
    new = restored(lived_in, file)
    assert "its data is not readable" in capsys.readouterr().out
    assert in_it(lambda gateway: gateway.readable(GLOBEX), DATA=new, REDIS_URL="") == {}
    assert in_it(lambda gateway: gateway.readable(ACME), DATA=new, REDIS_URL="")


def test_a_backup_of_before_the_master_key_was_changed_needs_that_key_and_says_so(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = made(lived_in)
    old, place = (lived_in / "master.key").read_bytes(), lived_in / "master.key"
    assert main(["keys", "rotate"]) == 0
    capsys.readouterr()
    for earlier in lived_in.glob("master.key.*"):
        earlier.unlink()
    assert main(["backup", "drill", str(file)]) == 1
    assert "needs the master key" in (error := capsys.readouterr().err)
    assert ".previous" in error
    previous = place.with_name("master.key.previous")
    previous.touch(mode=0o600)
    previous.write_bytes(old)
    assert main(["backup", "drill", str(file)]) == 0


def test_who_verifies_a_backup_as_evidence_is_told_what_it_is(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(lived_in)
    kinds = {file.with_name("keys.sealed"): "a backup's sealed keys, not evidence", file: "a backup (sordino backup"}
    for path, what in kinds.items():
        assert main(["evidence", "verify", str(path)]) == 1
        assert f"NOT VALID: this is {what}" in capsys.readouterr().err


def test_nothing_private_and_no_key_can_be_read_in_the_files(lived_in: Path) -> None:
    file = made(lived_in)

    async def locked(gateway: Lived) -> bytes:
        return bytes(await gateway.store.ask("GET", f"sordino:{{acme}}:audio:{CALLS[0]}:key"))

    raw = file.read_bytes() + (lived_in / "backups" / "keys.sealed").read_bytes()
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


def test_what_cannot_be_done_is_told_and_nothing_is_written(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(lived_in)
    for words, told in REFUSED:
        assert main(["backup", *(word.format(house=lived_in, file=file) for word in words)]) == 1
        assert told in (error := capsys.readouterr().err)
        assert "Traceback" not in error
    assert list((lived_in / "backups").glob(f"*{SUFFIX}")) == [file]


def test_a_store_that_lost_its_evidence_is_not_taken_for_the_newest(
    lived_in: Path, valkey: EmbeddedValkey, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else everything that was deleted since would come back, unseen."""
    file = made(lived_in)

    async def lost(gateway: Lived) -> None:
        await gateway.store.ask("DEL", "sordino:{acme}:evidence")

    in_it(lost)
    restored(lived_in, file, code=1)
    assert "older evidence of tenant acme than the backup has" in capsys.readouterr().err


def test_backups_are_listed_and_a_damaged_one_is_named(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = made(lived_in)
    (lived_in / "backups" / f"x{SUFFIX}").write_bytes(file.read_bytes()[:50])
    assert main(["backup", "list", str(lived_in / "backups")]) == 1
    said = capsys.readouterr().out
    assert f"{file.name}  20" in said
    assert "acme, globex" in said
    assert f"x{SUFFIX}  the header of this backup was cut off or altered" in said
