"""The commands of evidence and backups when a chain's beginning was deleted after its time: each works, or says what is gone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.audit.backup_file import SUFFIX
from gateway.adapters.system import SystemClock
from gateway.cli.main import main
from gateway.evidence import head as heads
from gateway.evidence.merkle import Growing
from gateway.runner.chain_expiry import ChainExpiry
from gateway.values import CallId
from tests.cli.lived_in import in_it
from tests.runner.kept import HandClock
from tests.runner.lived import ACME, BEGAN, CALLS, Lived

DAY = timedelta(days=1)
KEEP = 100 * DAY
AFTER_THE_FIRST = BEGAN + KEEP + DAY / 2
"""One call of acme is over by then: entries 1 to 4 of 12."""


def cut(at: Callable[[], datetime] = lambda: AFTER_THE_FIRST) -> None:
    """What the sweeper does when it is that time."""

    async def sweep(gateway: Lived) -> None:
        due = await ChainExpiry(gateway.store, HandClock(at())).due(ACME, KEEP)
        assert due is not None
        await gateway.desk.deletions.delete(ACME, [due.item], why="its time is over", by="retention")

    in_it(sweep)


def early_head(path: Path, size: int, *, altered: bool = False) -> Path:
    """The head that somebody took when the chain had so many entries; ``altered``: and another one among them."""

    async def head(gateway: Lived) -> bytes:
        tree, last = Growing(), ""
        async for entry in gateway.ledger.entries(ACME):
            if entry.seq <= size:
                tree.add(b"another one" if altered and entry.seq == size else heads.leaf(entry.hash))
                last = entry.hash
        key = gateway.signing
        return heads.to_json(heads.head(ACME, size, tree.root, last, BEGAN, sign=key.sign, public_key=key.public_key))

    path.write_bytes(in_it(head))
    return path


def public(lived_in: Path) -> str:
    return str(lived_in / "data" / "keys" / "signing.pub")


@pytest.fixture
def here(lived_in: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(lived_in)
    return lived_in


def test_a_bundle_says_what_was_deleted_and_verifies(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Offline, by the entry in it; one that begins later, or ends earlier, says what it always says."""
    cut()
    assert main(["evidence", "export", "--tenant", "acme", "-o", "all.zip"]) == 0
    told = capsys.readouterr().out
    assert "wrote all.zip: 10 entries, 2 calls, 2 receipts, 1 certificates" in told
    assert "not in it: entries 1 to 4 were deleted after their time, and all before them: evidence.cut, entry 13" in told
    assert main(["evidence", "verify", "all.zip", "--key", public(here)]) == 0
    told = capsys.readouterr().out
    assert "chain: entries 5 to 14" in told
    assert "the earlier part was deleted after its time: entries 1 to 4" in told
    assert "very first" not in told

    day = f"{BEGAN + 2 * DAY:%Y-%m-%d}"
    for more in (["--from", day], ["--to", day]):
        assert main(["evidence", "export", "--tenant", "acme", "-o", "part.zip", *more]) == 0
        capsys.readouterr()
        assert main(["evidence", "verify", "part.zip"]) == 0
        assert "to be the continuation of an earlier bundle, that one must end with sha256:" in capsys.readouterr().out


def test_a_head_from_before_still_fits_the_bundle_and_proofs_of_what_stays(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So an auditor who kept one sees that nothing but the beginning went, and that it went as it was."""
    assert main(["evidence", "head", "--tenant", "acme", "-o", "whole.json"]) == 0
    just = early_head(here / "just.json", 4)
    cut()
    assert main(["evidence", "head", "--tenant", "acme", "-o", "later.json"]) == 0
    assert "the head of 14 entries of acme" in capsys.readouterr().out
    assert main(["evidence", "export", "--tenant", "acme", "-o", "all.zip"]) == 0
    for head in ("whole.json", "later.json", just):
        assert main(["evidence", "consistent", str(head), "all.zip", "--key", public(here)]) == 0
        assert "consistent: the 14 entries" in capsys.readouterr().out
    assert main(["evidence", "prove", "--tenant", "acme", "--call", "call_2", "--since", "whole.json"]) == 0
    assert main(["evidence", "verify", "proof.json", "--key", public(here)]) == 0
    told = capsys.readouterr().out
    assert "verified: entry 8 (call.ended, call_2) of acme" in told
    assert "nothing of the 12 entries" in told
    assert main(["evidence", "consistent", "whole.json", "proof.json", "--key", public(here)]) == 0


def test_what_is_gone_is_said_plainly(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A call of the part that went, and a head of before: no error that speaks of a rewritten history."""
    early = str(early_head(here / "early.json", 2))
    cut()
    assert main(["evidence", "export", "--tenant", "acme", "-o", "all.zip"]) == 0
    capsys.readouterr()
    asked = [
        (["prove", "--tenant", "acme", "--call", "call_1"], "there is no evidence of that call"),
        (["prove", "--tenant", "acme", "--call", "call_2", "--since", early], "that head covers 2 entries"),
        (["consistent", early, "all.zip"], "that head covers 2 entries"),
    ]
    for command, says in asked:
        assert main(["evidence", *command]) != 0
        told = capsys.readouterr().err
        assert says in told
        assert "entries 1 to 4 were deleted after their time" in told
        assert "rewritten" not in told


def test_a_head_of_another_history_does_not_fit(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What went is in the root as it was: other entries in its place, or behind it, are seen."""
    others = [str(early_head(here / f"other{size}.json", size, altered=True)) for size in (4, 6)]
    cut()
    assert main(["evidence", "export", "--tenant", "acme", "-o", "all.zip"]) == 0
    for other in others:
        assert main(["evidence", "consistent", other, "all.zip", "--key", public(here)]) == 1
        assert "history was rewritten" in capsys.readouterr().err


def restored(here: Path, code: int = 0) -> Path:
    (file,) = (here / "backups").glob(f"*{SUFFIX}")
    assert main(["backup", "restore", str(file), "--into", str(here / "new")]) == code
    return here / "new"


def test_a_backup_from_before_does_not_bring_the_beginning_back(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "create", str(here / "backups")]) == 0
    cut()
    new = restored(here)
    assert "1 done again" in capsys.readouterr().out

    async def places(gateway: Lived) -> list[int]:
        assert await gateway.ledger.beginning(ACME) is not None
        return [entry.seq async for entry in gateway.ledger.entries(ACME)]

    assert in_it(places, DATA=new, REDIS_URL="")[0] == 5


def test_a_backup_from_after_comes_back_and_verifies(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut()
    assert main(["backup", "create", str(here / "backups")]) == 0
    new = restored(here)
    assert "acme: " in capsys.readouterr().out

    async def said(gateway: Lived) -> str:
        found = await gateway.ledger.beginning(ACME)
        return "" if found is None else found.said

    assert in_it(said, DATA=new, REDIS_URL="").startswith("entries 1 to 4")


def test_a_backup_that_is_older_than_what_is_kept_of_the_evidence_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody knows any more what was deleted of its data meanwhile: it would come back unseen."""
    assert main(["backup", "create", str(here / "backups")]) == 0
    in_it(lambda gateway: gateway.call(ACME, CallId("call_4"), BEGAN + 3 * DAY))
    cut(lambda: SystemClock().now() + 2 * KEEP)
    restored(here, code=1)
    told = capsys.readouterr().err
    assert "entries 13 to 17 of tenant acme, which follow those of the backup, were deleted after their time" in told
    assert "take a newer backup" in told


def test_a_tenant_that_leaves_takes_along_what_there_is_and_it_verifies(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every certificate of its deletions, and the word of what was deleted after its time."""
    cut()
    for call in (CALLS[1], CALLS[2]):
        in_it(lambda gateway, call=call: gateway.desk.erase_call(ACME, call, why="request", by="operator"))  # type: ignore[misc]
    assert main(["tenants", "offboard", "acme", "--reason", "contract ended"]) == 0
    with zipfile.ZipFile(capsys.readouterr().out.split("what it takes along: ")[1].strip()) as archive:
        (here / "evidence.zip").write_bytes(archive.read("evidence.zip"))
    assert main(["evidence", "verify", "evidence.zip", "--key", public(here)]) == 0
    told = capsys.readouterr().out
    assert "the earlier part was deleted after its time: entries 1 to 4" in told
    assert " certificates of acme" in told
