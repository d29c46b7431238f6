"""``sordino subprocessors``, ``outbound`` and ``consent`` on a store of their own: what is done, told and refused."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.cli.main import main
from tests.policy.samples import REGISTRY

TENANT = """\
tenant: acme
regions: [eu]
outbound:
  countries: [us]
  calling_hours: [{between: "00:00-24:00"}]
  do_not_call: [ftc]
  quiet_holidays: false
  attempts_per_day: 2
route:
  llm: [{processor: eu-llm, model: small}, {processor: home-llm, model: "*"}]
"""
NUMBER = "+15125550100"
NOON = "2027-03-02T12:00:00-06:00"


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Policies and a data folder of this test's own; no gateway runs."""
    policies = tmp_path / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY.replace("status: active", "status: pending", 1))
    (policies / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SORDINO_POLICIES", str(policies))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    return tmp_path


def test_an_announced_sub_processor_shows_what_keeps_it_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody to tell: the mend is named; a letter of long ago starts the clock; an objection stops it."""
    assert main(["subprocessors", "announce", "eu-llm"]) == 0
    assert "add `contacts` to the tenant's file" in capsys.readouterr().out
    assert main(["subprocessors", "announce", "eu-llm", "--given", "2026-01-02", "--proof", "letter 7"]) == 0
    told = capsys.readouterr().out
    assert "no notice or objection keeps it out" in told
    assert "letter: delivered 2026-01-02" in told
    assert main(["subprocessors", "object", "eu-llm", "--tenant", "acme", "--reason", "EU only"]) == 0
    assert "a solution is due by" in capsys.readouterr().out
    assert main(["subprocessors", "settle", "eu-llm", "--tenant", "acme", "--outcome", "accepted"]) == 0
    capsys.readouterr()
    assert main(["subprocessors", "list", "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["tenants"]
    assert (row["objection"], row["why"]) == ("accepted", "")


def test_the_public_list_is_written(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page and JSON, into a folder that need not be there."""
    assert main(["subprocessors", "publish", "--out", str(house / "public")]) == 0
    assert "A model in the EU" in (house / "public" / "subprocessors.html").read_text()
    assert json.loads((house / "public" / "subprocessors.json").read_text())["subprocessors"][0]["id"] == "eu-llm"
    assert "wrote" in capsys.readouterr().out


def test_a_number_is_checked_step_by_step(
    house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each refusal names what is missing, until nothing is; then an opt-out refuses for good."""
    check = ["outbound", "check", "--tenant", "acme", "--to", NUMBER, "--purpose", "reminder"]
    assert main(check) == 1
    assert "no: the do-not-call list ftc was never imported" in capsys.readouterr().out
    numbers = house / "list.csv"
    numbers.write_text("512,5550199\n")
    day = "2026-11-20"
    assert (
        main(["outbound", "import-list", "--tenant", "acme", "--name", "ftc", "--as-of", day, "--country", "us", str(numbers)])
        == 0
    )
    assert "ftc: 1 number(s) as of 2026-11-20" in capsys.readouterr().out
    assert main(["outbound", "lists", "--tenant", "acme"]) == 0
    assert "as of 2026-11-20" in capsys.readouterr().out
    assert main(["consent", "give", "--tenant", "acme", "--number", NUMBER, "--purpose", "reminder", "--proof", "form 17"]) == 0
    capsys.readouterr()
    assert main([*check, "--at", NOON, "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["reasons"] == ["the do-not-call list ftc is of 2026-11-20, older than 31 days"]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{NUMBER}\n"))  # so that it stands in no list of processes
    assert main(["outbound", "opt-out", "--tenant", "acme", "--number", "-", "--proof", "letter 7"]) == 0
    assert main(["consent", "show", "--tenant", "acme", "--number", NUMBER]) == 0
    told_text = capsys.readouterr().out
    assert told_text.index("given") < told_text.index("withdrawn")
    assert main([*check, "--at", NOON]) == 1
    assert "not to be called" in capsys.readouterr().out
    assert main(["outbound", "lift", "--tenant", "acme", "--number", NUMBER, "--proof", "letter 8"]) == 0


def test_consents_are_imported_from_csv(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = house / "consents.csv"
    file.write_text(
        f"number,purpose,at,proof\n{NUMBER},reminder,2026-01-02,form 1\n+15125550101,reminder,2026-01-03T10:00:00Z,form 2\n"
    )
    assert main(["consent", "import", "--tenant", "acme", str(file)]) == 0
    assert capsys.readouterr().out == "2 consent(s)\n"


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (["consent", "import", "--tenant", "acme"], "number,purpose\n", "list.csv:1:1: the column at is missing"),
        (
            ["consent", "import", "--tenant", "acme"],
            "number,purpose,at,proof\n+15125550100,x,soon,f\n",
            "list.csv:2:1: this is not a time",
        ),
        (
            ["consent", "import", "--tenant", "acme"],
            "number,purpose,at,proof\n+15125550100,,2026-01-01,f\n",
            "list.csv:2:1: a consent needs",
        ),
        (
            ["consent", "import", "--tenant", "acme"],
            "number,purpose,at,proof\n5125550100,reminder,2026-01-01,f\n",
            "list.csv:2:1: this is not a telephone number",
        ),
        (
            ["outbound", "import-list", "--tenant", "acme", "--name", "ftc", "--as-of", "2026-01-01"],
            "5125550100\n",
            "list.csv:1:1: this is no telephone number",
        ),
    ],
)
def test_a_faulty_file_is_told_with_its_line(
    house: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str, says: str
) -> None:
    """And nothing of it is taken over: one line left out could be the one person who must not be called."""
    file = house / "list.csv"
    file.write_text(text)
    assert main([*arguments, str(file)]) == 1
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("name", "day", "note"),
    [
        ("fct", "today", "acme asks for no list of this name; did you mean `ftc`?"),
        ("ftc", "2026-01-01", "it is older than 31 days, so nobody is called until a newer one is imported"),
        ("ftc", "today", ""),
    ],
)
def test_a_list_that_cannot_do_what_it_is_meant_for_is_told(
    house: Path, capsys: pytest.CaptureFixture[str], name: str, day: str, note: str
) -> None:
    numbers = house / "list.csv"
    numbers.write_text("512,5550199\n")
    as_of = datetime.now(UTC).date().isoformat() if day == "today" else day
    arguments = ["outbound", "import-list", "--tenant", "acme", "--name", name, "--as-of", as_of, "--country", "us", str(numbers)]
    assert main(arguments) == 0
    assert capsys.readouterr().err.strip().removeprefix("note: ") == note


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["subprocessors", "show", "nobody"], "there is no sub-processor 'nobody'"),
        (["subprocessors", "announce", "eu-llm", "--given", "2026-01-02"], "needs --proof"),
        (["subprocessors", "settle", "eu-llm", "--tenant", "acme", "--outcome", "avoided"], "no open objection"),
        (["outbound", "check", "--tenant", "nobody", "--to", NUMBER], "there is no policy for this tenant"),
        (["outbound", "check", "--tenant", "acme", "--to", "512 555"], "E.164"),
        (["outbound", "import-list", "--tenant", "acme", "--name", "x", "--as-of", "2026-01-01", "nowhere.csv"], "No such file"),
    ],
)
def test_a_mistake_is_told_with_how_to_mend_it(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    """On stderr, exit code 1, no traceback."""
    assert main(arguments) == 1
    told = capsys.readouterr().err
    assert says in told
    assert "Traceback" not in told
