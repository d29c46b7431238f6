"""``sordino report`` writes a paper of what is in force now, notices and objections included."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.cli.main import main
from tests.policy.samples import REGISTRY, TENANT


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Policies and a data folder of this test's own; no gateway runs."""
    (tmp_path / "policies" / "tenants").mkdir(parents=True)
    (tmp_path / "policies" / "subprocessors.yaml").write_text(REGISTRY)
    (tmp_path / "policies" / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SORDINO_POLICIES", str(tmp_path / "policies"))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    return tmp_path


def test_an_objection_takes_a_company_out_of_the_record_at_once(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before it, the company stands among the recipients; after it, on no paper but where it says why not."""
    assert main(["report", "ropa", "--tenant", "acme", "--controller", "Acme & Co", "-o", str(house / "ropa.html")]) == 0
    assert capsys.readouterr().out == f"wrote {house / 'ropa.html'}\n"
    page = (house / "ropa.html").read_text()
    assert "A model in the EU" in page
    assert "Acme &amp; Co" in page
    assert main(["subprocessors", "object", "eu-llm", "--tenant", "acme", "--reason", "local only"]) == 0
    capsys.readouterr()
    assert main(["report", "ropa", "--tenant", "acme"]) == 0
    page = capsys.readouterr().out
    assert "A model in the EU" not in page
    assert "A model on this machine" in page


def test_an_unknown_tenant_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """And what to do; no half a page."""
    assert main(["report", "annex", "--tenant", "nobody"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "there is no policy for this tenant" in said.err
