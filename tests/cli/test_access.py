"""``sordino access`` on a store of its own: roles, keys, the log, and the glass that is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.main import main
from gateway.policy.roles import RIGHTS, Right, Role
from tests.policy.samples import REGISTRY

TENANT = """\
tenant: acme
regions: [eu]
route:
  llm: [{processor: eu-llm, model: small}]
"""


@pytest.fixture(autouse=True)
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Policies and a data folder of this test's own; no gateway runs."""
    policies = tmp_path / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "subprocessors.yaml").write_text(REGISTRY)
    (policies / "tenants" / "acme.yaml").write_text(TENANT)
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SORDINO_POLICIES", str(policies))
    monkeypatch.delenv("SORDINO_REDIS_URL", raising=False)
    return tmp_path


def rows(capsys: pytest.CaptureFixture[str], *command: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["access", *command, "--format", "json"]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_the_table_of_roles_is_printed_as_it_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "roles"]) == 0
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()[1:]}
    for right in Right:
        assert lines[right.value][1 : 1 + len(Role)] == ["yes" if right in RIGHTS[role] else "-" for role in Role]


def test_a_key_is_made_rotated_and_revoked_and_each_step_is_in_the_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "keys", "create", "--role", "auditor", "--tenant", "acme", "--name", "Ms Audit"]) == 0
    made = capsys.readouterr()
    assert made.out.startswith("sak_")
    assert "shown this once" in made.err
    (key,) = rows(capsys, "keys", "list")
    assert (key["role"], key["tenants"], key["name"]) == ("auditor", ["acme"], "Ms Audit")
    assert made.out.strip() not in json.dumps(key)
    assert main(["access", "keys", "rotate", str(key["id"]), "--grace", "1h"]) == 0
    assert main(["access", "keys", "revoke", str(key["id"])]) == 0
    assert [row["kind"] for row in rows(capsys, "log", "--tenant", "acme")] == [
        "access.key_revoked",
        "access.key_rotated",
        "access.key_created",
    ]
    assert main(["access", "keys", "list"]) == 0
    told = capsys.readouterr().out
    assert "revoked until" in told
    assert "good until" in told
    assert main(["access", "log", "--tenant", "acme"]) == 0
    assert "key_created" in capsys.readouterr().out


def test_the_glass_is_broken_with_a_reason_for_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", "break-glass", "--reason", "the identity provider is down", "--minutes", "5"]) == 0
    assert capsys.readouterr().out.startswith("sak_")
    for chain in ((), ("--tenant", "acme")):
        assert rows(capsys, "log", *chain)[-1]["reason"] == "the identity provider is down"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["keys", "create", "--role", "auditor", "--tenant", "nobody"], "there is no such tenant"),
        (["keys", "create", "--role", "owner", "--service"], "a program gets the role service"),
        (["keys", "create", "--role", "auditor", "--right", "private.reveal"], "does not have every right"),
        (["keys", "create", "--role", "auditor", "--expires", "9999d"], "up to 366 days"),
        (["keys", "create", "--role", "auditor", "--name", "a;b"], "not plain text"),
        (["keys", "revoke", "key_0"], "no such access key"),
        (["break-glass", "--reason", " "], "a reason is needed"),
        (["break-glass", "--reason", "anne@example.org asks"], "looks as if it held a number or an address"),
        (["break-glass", "--reason", "why", "--minutes", "600"], "1 to 60 minutes"),
    ],
)
def test_what_cannot_be_is_told_with_how_to_mend_it(command: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["access", *command]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
