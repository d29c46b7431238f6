"""``sordino rights`` on a gateway's data while none runs: from the request to the file, and what is waited for."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from pathlib import Path

import pytest

from gateway.adapters.keys.master import MasterKeys
from gateway.adapters.keys.subjects import SubjectHash
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.ledger import RedisLedger
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.system import SystemClock
from gateway.cli.main import main
from gateway.keeping import open_keys
from gateway.runner.account import CallAccount
from gateway.settings import Settings
from gateway.values import CallId, Private
from tests.journeys.persons import ACME, ANNE, POLICY, drafts
from tests.policy.samples import REGISTRY

CALL = CallId("call_01j00000000000000000000001")
OF_ANNE = ["--tenant", "acme", "--subject", "0151 12345678"]


@pytest.fixture
def house(tmp_path: Path, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data with one call of Anne's in it."""
    policies = tmp_path / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY)
    (policies / "tenants" / "acme.yaml").write_text(POLICY.format(tenant="acme", language="de"))
    environment = {
        "SORDINO_DATA": str(tmp_path / "data"),
        "SORDINO_POLICIES": str(policies),
        "SORDINO_REDIS_URL": valkey.url,
        "SORDINO_MASTER_KEY_FILE": str(tmp_path / "master.key"),
    }
    MasterKeys.from_file(tmp_path / "master.key", create=True)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    async def called() -> None:
        async with Store(valkey.url, timeout_s=20) as store, RedisLedger(store, timeout_s=20) as ledger:
            async with store.answers() as client:
                await client.flushall()
            keys = await open_keys(Settings.from_env(environment, policies=policies), store)
            subject = SubjectHash(keys.identity)(ACME, Private(ANNE))
            await RedisSubjects(store).note(ACME, subject, CALL, SystemClock().now())
            account = CallAccount(ACME, CALL, ledger, SystemClock())
            for draft in drafts(ACME, CALL, 0, subject):
                await account.write(draft.kind, draft.body)

    asyncio.run(called())
    return tmp_path


def test_access_waits_for_the_check_and_then_writes_a_file_for_one_reader(
    house: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first command says what comes next; the second one carries it out."""
    assert main(["rights", "access", *OF_ANNE]) == 1
    told = capsys.readouterr().out
    case = told.split()[1]
    assert "identity" in told
    assert f"--case {case}" in told
    again = ["rights", "access", "--tenant", "acme", "--case", case, "--identity", "called back", "--by", "Kim", "-o", "anne.zip"]
    assert main(again) == 0
    assert "1 calls, 2 recipients" in capsys.readouterr().out
    assert (house / "anne.zip").stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(house / "anne.zip") as file:
        assert json.loads(file.read("data.json"))["calls"][0]["call"] == CALL
    assert main(["rights", "list", "--tenant", "acme"]) == 0
    listed = capsys.readouterr().out
    assert "access" in listed
    assert "closed" in listed
    assert "12345678" not in told + listed


def test_a_number_may_come_by_the_input(house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it stands in no list of processes and in no shell's history."""
    monkeypatch.setattr("sys.stdin", io.StringIO("+49 151 12345678\n"))
    assert main(["rights", "restrict", "--tenant", "acme", "--subject", "-", "--by", "Kim"]) == 0
    assert "no dialling, no recogniser, no model" in capsys.readouterr().out
    assert main(["rights", "lift", *OF_ANNE]) == 0
    assert "may be used again" in capsys.readouterr().out


def test_an_erasure_answers_when_it_is_done(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stays is named with its reason; afterwards the honest answer is that there is nothing."""
    assert main(["rights", "erase", *OF_ANNE, "--by", "Kim"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("erased: 1 calls")
    assert "kept: the evidence" in told
    assert main(["rights", "know", *OF_ANNE, "--identity", "called back", "--format", "json", "-o", "know.zip"]) == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 0
    assert main(["rights", "list", *OF_ANNE, "--format", "json"]) == 0
    assert [each["right"] for each in json.loads(capsys.readouterr().out)] == ["erase", "know"]


def test_a_regulators_request_needs_two_people(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rights", "know", *OF_ANNE, "--via", "regulator", "--identity", "letter head", "--by", "Kim"]) == 1
    case = capsys.readouterr().out.split()[1]
    of_case = ["--tenant", "acme", "--case", case]
    assert main(["rights", "told", *of_case, "--proof", "letter", "--by", "Kim"]) == 0
    assert main(["rights", "release", *of_case, "--authorisation", "order 7", "--by", "Kim"]) == 1
    assert "ask a second person" in capsys.readouterr().err
    assert main(["rights", "release", *of_case, "--authorisation", "order 7", "--by", "Sam"]) == 0
    assert main(["rights", "show", *of_case]) == 0
    assert "waits" not in capsys.readouterr().out.splitlines()[-1]
    assert main(["rights", "know", *of_case, "--by", "Kim"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["access", "--tenant", "acme"], "say whose request it is"),
        (["access", "--tenant", "acme", "--subject", "SECRET 12345678"], "this is not a telephone number"),
        (["access", "--tenant", "nobody", "--subject", ANNE], "there is no policy for this tenant"),
        (["erase", *OF_ANNE, "--call", "call_9"], "has no such call"),
        (["show", "--tenant", "acme", "--case", "case_9"], "no such case"),
        (["restrict", *OF_ANNE, "--reason", f"asked by {ANNE}"], "held a number or an address"),
        (["rectify", *OF_ANNE, "--old", "same", "--new", "same"], "not two different values"),
        (["access", *OF_ANNE, "--identity", "called back", "-o", "no-such-folder/anne.zip"], "cannot be written"),
    ],
)
def test_mistakes_are_told_without_repeating_the_number(
    house: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rights", *arguments]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "12345678" not in error
    assert main(["rights", "list", "--tenant", "acme"]) == 0
    assert "no such requests" in capsys.readouterr().out, "what was mistyped is no request with a deadline"


def test_a_number_that_was_typed_without_quotes_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not understood is named by its options alone."""
    with pytest.raises(SystemExit) as ended:
        main(["rights", "access", "--tenant", "acme", "--subject", "+49", "151", "12345678", "--reazon=by 12345678"])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "unrecognized arguments: … … --reazon" in error
    assert "12345678" not in error
