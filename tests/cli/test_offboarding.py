"""``sordino tenants offboard``: a tenant leaves, with everything that is its own, and nothing of it stays behind unsaid."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.cli.main import main
from gateway.errors import TenantLeaving
from gateway.values import Private
from tests.cli.lived_in import in_it
from tests.runner.lived import ACME, CALLS, GLOBEX, SECRET, WHO, Lived


def offboard(*words: str, code: int = 0) -> None:
    assert main(["tenants", "offboard", "acme", *words]) == code


def test_a_dry_run_says_what_would_go_and_does_nothing(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offboard("--dry-run", "--format", "json")
    told = json.loads(capsys.readouterr().out)
    assert {each["holding"]: each["items"] for each in told["would_go"]}["recordings"] == len(CALLS)
    offboard("--status", code=1)
    assert "nobody ends tenant acme" in capsys.readouterr().err


def test_an_announced_tenant_has_its_export_and_nothing_new_begins(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def key(gateway: Lived) -> Private[str]:
        return (await TenantKeys(gateway.store).create(ACME, now=gateway.desk.holds._clock.now()))[1]

    secret = in_it(key)
    offboard("--reason", "contract ended")
    said = capsys.readouterr().out
    path = Path(said.split("what it takes along: ")[1].strip())
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert any(SECRET.encode() in archive.read(name) for name in names if "transcripts" in name)
        assert f"data/recordings/{CALLS[0]}/recordings/{CALLS[0]}.wav" in names
        (lived_in / "evidence.zip").write_bytes(archive.read("evidence.zip"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert (
        main(["evidence", "verify", str(lived_in / "evidence.zip"), "--key", str(lived_in / "data" / "keys" / "signing.pub")])
        == 0
    )

    async def refused(gateway: Lived) -> None:
        with pytest.raises(TenantLeaving):
            await TenantKeys(gateway.store).enter(secret, "chat", now=gateway.desk.holds._clock.now())

    in_it(refused)


def test_an_end_is_taken_back_before_data_is_deleted(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    had = in_it(lambda gateway: gateway.readable(ACME))
    offboard("--reason", "contract ended")
    offboard("--cancel", "--reason", "they stay")
    assert "cancelled" in capsys.readouterr().out
    assert in_it(lambda gateway: gateway.readable(ACME)) == had
    assert list((lived_in / "data" / "offboarding" / "acme").iterdir()) == []


def test_without_waiting_data_and_key_go_at_once_and_number_data_when_its_time_is_over(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other tenant is as it was."""
    others = in_it(lambda gateway: gateway.readable(GLOBEX))
    offboard("--reason", "contract ended", "--wait-days", "0")
    left = in_it(lambda gateway: gateway.readable(ACME))
    assert left == {WHO: {"persons"}} or set(left) <= {WHO}
    assert "consents" not in left.get(WHO, set())
    offboard("--cancel", "--reason", "they stay", code=1)
    assert "cannot be taken back" in capsys.readouterr().err
    offboard("--certificate", str(lived_in / "end.json"), code=1)
    assert "is not over" in capsys.readouterr().err
    assert in_it(lambda gateway: gateway.readable(GLOBEX)) == others


WRONG: list[tuple[list[str], str]] = [
    ([], "no reason is given"),
    (["--reason", "r", "--wait-days", "-1"], "a time of the end is negative"),
    (["--reason", "r", "--ends", "2020-01-01"], "longer ago than its data may be kept"),
]


def test_what_cannot_be_is_told(lived_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, told in WRONG:
        offboard(*words, code=1)
        assert told in capsys.readouterr().err
    offboard("--status", code=1)
