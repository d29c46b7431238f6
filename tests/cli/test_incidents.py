"""``sordino incidents`` and ``sordino cases`` on a store of their own: what is done, told, written and refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.cli.main import main
from tests.policy.samples import REGISTRY

TENANT = "tenant: acme\nregions: [eu]\nbreach_hours: 48\n"


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Policies and a data folder of this test's own, with its store up as beside a gateway."""
    policies = tmp_path / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY)
    (policies / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SORDINO_POLICIES", str(policies))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    server = EmbeddedValkey(tmp_path / "data")
    asyncio.run(server.start())
    yield tmp_path
    asyncio.run(server.stop())


OPEN = ["incidents", "open", "--from", "2026-01-01", "--to", "2026-01-02T00:00Z", "--what", "Keys \x1b[31mleaked"]


def test_an_incident_from_the_terminal(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Opened, drafted, told by letter, closed; listed and shown, on paper too; its case has a calendar."""
    assert main([*OPEN, "--tenant", "acme", "--format", "json"]) == 0
    name = json.loads(capsys.readouterr().out)["incident"]
    assert main(["incidents", "show", name]) == 0
    told = capsys.readouterr().out
    assert "acme: 0 calls, 0 people" in told
    assert "to be told by" in told
    assert "\x1b" not in told
    assert main(["incidents", "draft", name, "--tenant", "acme", "-o", str(house / "n.md")]) == 0
    assert "blank(s) to fill in" in capsys.readouterr().out
    assert "[fill in: " in (house / "n.md").read_text()
    assert main(["incidents", "draft", name, "--tenant", "acme", "--paper", "india-board", "--html"]) == 0
    assert capsys.readouterr().out.startswith("<!doctype html>")
    assert main(["incidents", "notify", name, "--tenant", "acme", "--text", str(house / "n.md")]) == 1
    assert "sordino: the notice has" in capsys.readouterr().err
    assert main(["incidents", "event", name, "contained", "--note", "changed", "--tenant", "acme"]) == 0
    assert main(["cases", "list", "--open"]) == 0
    assert capsys.readouterr().out.count(name) >= 2
    assert main(["cases", "calendar", "--tenant", "acme", "-o", str(house / "a.ics")]) == 0
    assert b"\r\nBEGIN:VEVENT\r\n" in (house / "a.ics").read_bytes()
    capsys.readouterr()
    assert main(["cases", "calendar"]) == 0
    everybodys = capsys.readouterr().out
    assert "(acme)" in everybodys
    assert everybodys.count("BEGIN:VEVENT") > (house / "a.ics").read_text().count("BEGIN:VEVENT") - 1
    assert main(["incidents", "notify", name, "--tenant", "acme", "--given", "registered letter 7"]) == 0
    assert main(["incidents", "close", name, "resolved"]) == 0
    capsys.readouterr()
    assert main(["incidents", "list"]) == 0
    assert "closed: resolved" in capsys.readouterr().out
    assert main(["incidents", "show", name, "--html", str(house / "i.html")]) == 0
    assert "Told by other means" in (house / "i.html").read_text()
    assert main(["cases", "show", name, "--tenant", "acme"]) == 0
    assert "contained" in capsys.readouterr().out


def test_an_overdue_case_is_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """For whoever runs it every morning."""
    assert main([*OPEN, "--tenant", "acme", "--aware", "2026-01-02T12:00Z"]) == 0
    assert "OVERDUE by" in capsys.readouterr().out
    assert main(["cases", "list", "--tenant", "acme"]) == 1
    assert main(["cases", "list", "--kind", "rights.access"]) == 0
    assert "no case is on record" in capsys.readouterr().out


def test_the_evidence_in_the_store_is_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*OPEN, "--tenant", "acme"]) == 0
    capsys.readouterr()
    assert main(["incidents", "verify"]) == 0
    told = capsys.readouterr().out
    assert "acme: 2 entries, whole" in told


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["incidents", "show", "incident_none"], 1, "there is no such case"),
        ([*OPEN[:-1], " "], 1, "say what happened"),
        ([*OPEN, "--processor", "nobody"], 1, "there is no sub-processor"),
        ([*OPEN, "--tenant", "nobody"], 1, "there is no policy for this tenant"),
        (["cases", "show", "case_none", "--tenant", "acme"], 1, "there is no such case"),
    ],
)
def test_a_mistake_is_told_and_mended(command: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command) == code
    assert said in capsys.readouterr().err


def test_a_time_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["incidents", "open", "--from", "yesterday", "--to", "2026-01-01", "--what", "x"])
    assert ended.value.code == 2
    assert "write a time: 2026-12-01T09:30Z" in capsys.readouterr().err
