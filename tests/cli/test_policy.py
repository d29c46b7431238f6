"""``sordino policy`` as a person at a terminal sees it."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

from gateway.adapters.stores.policy_folder import shipped_policies
from gateway.cli.policy import add_parser


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "policies"
    shutil.copytree(shipped_policies(), copy)
    return copy


def sordino(*arguments: str) -> int:
    parser = argparse.ArgumentParser("sordino")
    add_parser(parser.add_subparsers(required=True))
    chosen = parser.parse_args(["policy", *arguments])
    code = chosen.run(chosen)
    assert isinstance(code, int)
    return code


def test_check_of_a_good_folder_says_what_is_in_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("check", "--policies", str(folder)) == 0
    assert "good: 1 tenant(s)" in capsys.readouterr().out


def test_check_says_which_rules_of_a_pack_this_version_does_not_enforce(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = folder / "tenants" / "demo.yaml"
    demo.write_text(demo.read_text().replace("extends: []", "extends: [eu-ai-act]"))
    assert sordino("check", "--policies", str(folder)) == 0
    assert "pack eu-ai-act states what this version does not enforce: marked-output" in capsys.readouterr().out


def test_check_shows_each_fault_with_its_place_and_how_to_mend_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = folder / "tenants" / "demo.yaml"
    demo.write_text(demo.read_text().replace("training: prohibited", "trainig: prohibited"))
    assert sordino("check", "--policies", str(folder)) == 1
    said = capsys.readouterr().err
    assert f"{demo}:10:1: unknown key `trainig`" in said
    assert "did you mean `training`?" in said
    assert "1 finding(s)" in said


def test_check_speaks_json_to_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "subprocessors.yaml").write_text("id: x\n")
    assert sordino("check", "--policies", str(folder), "--format", "json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert set(answer["findings"][0]) == {"file", "line", "column", "message", "hint"}


def test_check_of_a_folder_that_is_not_there_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("check", "--policies", str(tmp_path / "nowhere")) == 1
    assert "there is no such folder" in capsys.readouterr().err


def test_explain_shows_candidates_rules_and_the_sentence_of_each_no(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("explain", "--policies", str(folder), "--tenant", "demo", "--hop", "llm") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "transport" in next(line for line in lines if "purpose" in line and "training" in line)
    assert next(line for line in lines if "local-demo-llm" in line).rstrip().endswith("<- chosen")
    assert "  no  openai-global: its region us is not in the tenant's regions (local) [region]" in lines


MISTRAL = "{reference: DPA, reviewed_on: 2026-11-01, training: prohibited, retention_days: 0, region: fr}"


@pytest.mark.parametrize(("asked", "least"), [("", "1.2"), ('tls: "1.3"\n', "1.3")])
def test_explain_says_which_tls_a_processor_is_reached_with_at_least(
    folder: Path, capsys: pytest.CaptureFixture[str], asked: str, least: str
) -> None:
    """On the screen where it is more than usual; for programs always, and empty where there is none to speak."""
    (folder / "agreements.yaml").write_text(f"mistral: {MISTRAL}\n")
    route = "route: {llm: [{processor: mistral}, {processor: local-demo-llm}]}\n"
    (folder / "tenants" / "strict.yaml").write_text(f"tenant: strict\nregions: [fr]\norigins: [fr]\n{asked}{route}")
    question = ("explain", "--policies", str(folder), "--tenant", "strict", "--hop", "llm", "--at", "2026-11-22")
    assert sordino(*question) == 0
    assert ("mistral is reached with TLS 1.3 and nothing less" in capsys.readouterr().out) is (least == "1.3")
    assert sordino(*question, "--format", "json") == 0
    [hop] = json.loads(capsys.readouterr().out)["hops"]
    assert [(each["processor"], each["tls"]) for each in hop["candidates"]] == [("mistral", least), ("local-demo-llm", "")]


def test_explain_without_a_hop_shows_the_whole_route(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("explain", "--policies", str(folder)) == 0
    said = capsys.readouterr().out
    assert all(f"\n{hop}: " in said for hop in ("stt", "llm", "tts"))


def test_explain_answers_for_other_data_another_day_and_another_origin(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    question = ("--data", "transcript", "--at", "2027-01-01", "--origin", "in", "--format", "json")
    assert sordino("explain", "--policies", str(folder), "--hop", "llm", *question) == 1
    hop = json.loads(capsys.readouterr().out)["hops"][0]
    assert hop["permitted"] is False
    assert hop["candidates"][2]["rules"]["data"] == "it may not receive transcript (only masked_transcript)"
    assert hop["candidates"][0]["rules"]["mechanism"] == "no transfer mechanism from in to us is known"


def test_explain_of_a_hop_without_a_route_says_that_nobody_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("explain", "--policies", str(folder), "--hop", "storage") == 1
    assert "the tenant's route names nobody for storage" in capsys.readouterr().out


def test_explain_of_an_unknown_tenant_suggests_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("explain", "--policies", str(folder), "--tenant", "dmeo") == 2
    assert "did you mean `demo`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [("explain", "--hop", "brain"), ("explain", "--at", "tomorrow"), ("explain", "--data", "gossip"), ("check", "-x"), ()],
)
def test_wrong_usage_ends_with_two(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        sordino(*arguments)
    assert stopped.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_schema_writes_what_is_missing_and_leaves_what_is_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sordino("schema", "--policies", str(folder))
    capsys.readouterr()
    right = (folder / "schema" / "pack.json").read_text()
    (folder / "schema" / "pack.json").write_text("{}")
    assert sordino("schema", "--policies", str(folder)) == 0
    assert capsys.readouterr().out == f"written {folder}/schema/pack.json\n"
    assert sordino("schema", "--policies", str(folder)) == 0
    assert "nothing to change" in capsys.readouterr().out
    assert (folder / "schema" / "pack.json").read_text() == right


@pytest.mark.parametrize("command", ["check", "lint", "explain", "test", "diff", "schema"])
def test_each_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        sordino(command, "--help")
    assert stopped.value.code == 0
    assert f"example: sordino policy {command}" in capsys.readouterr().out


def test_the_folder_may_come_from_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "tenants" / "demo.yaml").unlink()
    monkeypatch.setenv("SORDINO_POLICIES", str(folder))
    assert sordino("check") == 0
    assert "good: 0 tenant(s)" in capsys.readouterr().out
