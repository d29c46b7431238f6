"""``sordino evidence`` verifies a file offline, says in words what is wrong, and has exit codes that a script can trust."""

from __future__ import annotations

import argparse
import base64
import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.cli.evidence import add_parser
from gateway.evidence.facts import hop_body
from gateway.evidence.keys import key_id, public_key_pem
from gateway.evidence.receipt import build
from gateway.policy.fields import Tls
from gateway.values import Hop
from tests.evidence.samples import ENDED, LISTENING, OTHER_KEY, PLAYED, PUBLIC, STARTED, UNPROVEN, Step, entries, grant, signed


def sordino(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="sordino")
    add_parser(parser.add_subparsers())
    parsed = parser.parse_args(arguments)
    code: int = parsed.run(parsed)
    return code


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    (tmp_path / "receipt.json").write_bytes(signed().to_json())
    return tmp_path / "receipt.json"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "signing.pub").write_text(public_key_pem(PUBLIC))
    return tmp_path / "signing.pub"


def test_a_good_receipt_gives_0_and_says_that_the_key_is_still_to_be_confirmed(
    receipt: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", None)  # offline: nothing could be asked
    assert sordino("evidence", "verify", str(receipt)) == 0
    out = capsys.readouterr().out
    assert out.startswith("verified: call call_01 of acme, completed\n")
    assert f"signed by key {key_id(PUBLIC)}, which you have not confirmed" in out
    assert "gate: kept" in out
    assert "durability: fsync" in out


@pytest.mark.parametrize("written", ["file", "text"])
def test_with_the_operators_key_the_signer_is_confirmed(
    receipt: Path, key: Path, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = str(key) if written == "file" else base64.b64encode(PUBLIC).decode()
    assert sordino("evidence", "verify", str(receipt), "--key", given) == 0
    assert "which you gave, signed it" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"SORDREC1\0\0\0\1{}", "the sound of a call, locked"),
        (b"RIFF\x24\0\0\0WAVE", "a sound file"),
        (b"-----BEGIN PUBLIC KEY-----\n", "given with --key"),
        (b"%PDF-1.7\n\xff", "a PDF"),
        (b"\x1f\x8b\x08\0", "unpack it first"),
        (b"SORDBAK1\0", "a backup whose header was cut off"),
        (b"\xff\xfe\0\1", "a binary file"),
        (b"\x89PNG\r\n\x1a\n", "a binary file"),
        (b"x" * 5_000 + b"\0", "line 1, column 1"),
        (b'{"a": "\xff"}', "byte 7: this is not UTF-8"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "show"])
def test_another_file_is_told_by_what_it_is_and_what_to_give(
    tmp_path: Path, content: bytes, told: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """But what begins as JSON does is told by the place that is wrong in it."""
    (tmp_path / "file").write_bytes(content)
    assert sordino("evidence", command, str(tmp_path / "file")) == 1
    error = capsys.readouterr().err
    assert f"{tmp_path / 'file'}: NOT VALID: " in error
    assert told in error
    assert told.startswith(("byte", "line")) or "give a receipt (JSON), a bundle" in error


def test_show_says_which_tls_was_spoken_and_which_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = "hop", hop_body(replace(grant(Hop.LLM, "eu-llm", "eu"), host="llm.example", tls=Tls.V1_3))
    told = {"hop": "llm", "processor": "eu-llm", "host": "llm.example", "tls": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"}
    steps: list[Step] = [STARTED, PLAYED, LISTENING, asked, ("hop.negotiated", told), ENDED]
    (tmp_path / "receipt.json").write_bytes(signed(entries(steps)).to_json())
    assert sordino("evidence", "show", str(tmp_path / "receipt.json")) == 0
    table = capsys.readouterr().out.partition("Spoken on the way")[2]
    assert "TLSv1.3" in table
    assert "1.3" in table.replace("TLSv1.3", "")


def test_a_receipt_without_tls_shows_no_table_of_it(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("evidence", "show", str(receipt)) == 0
    assert "Spoken on the way" not in capsys.readouterr().out


def test_a_changed_receipt_gives_1_and_names_the_place_on_stderr(receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(receipt.read_text())
    document["hops"][0]["region"] = "eu"
    receipt.write_text(json.dumps(document))
    for command in ("verify", "show"):
        assert sordino("evidence", command, str(receipt)) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == f"{receipt}: NOT VALID: the summary's hops[0].region is not what the entries show\n"


def test_a_receipt_of_someone_else_gives_1(receipt: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = build(entries(), sign=OTHER_KEY.sign, public_key=OTHER_KEY.public_key().public_bytes_raw())
    receipt.write_bytes(other.to_json())
    assert sordino("evidence", "verify", str(receipt), "--key", str(key)) == 1
    assert "not by the key that you gave" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[]", b"{}", b"[" * 100_000])
def test_a_file_that_is_no_receipt_gives_1_and_no_traceback(
    receipt: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt.write_bytes(content)
    assert sordino("evidence", "verify", str(receipt)) == 1
    assert "NOT VALID" in capsys.readouterr().err


def test_wrong_usage_gives_2_and_says_what_to_do(receipt: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sordino("evidence", "verify", str(tmp_path / "none.json")) == 2
    assert "none.json: cannot be read: No such file" in capsys.readouterr().err
    assert sordino("evidence", "verify", str(tmp_path)) == 2
    capsys.readouterr()
    assert sordino("evidence", "verify", str(receipt), "--key", str(tmp_path / "none.pub")) == 2
    assert "none.pub: cannot be read" in capsys.readouterr().err
    assert sordino("evidence", "verify", str(receipt), "--key", "not a key") == 2
    assert "--key: this is not an Ed25519 public key (give the PEM file" in capsys.readouterr().err
    for arguments in (("evidence",), ("evidence", "verify"), ("evidence", "burn", "x")):
        with pytest.raises(SystemExit) as left:
            sordino(*arguments)
        assert left.value.code == 2


def test_show_gives_an_auditor_the_whole_picture(
    receipt: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert sordino("evidence", "show", str(receipt)) == 0
    out = capsys.readouterr().out
    for fact in (
        "completed",
        "kept: every announcement was played whole and acknowledged",
        "302 frames",
        "CREDIT_CARD 1, PERSON 3",
        "ai-and-privacy",
        "6000 of 6000 ms",
        "mark after 6050 ms",
        "local-demo-llm",
        "masked_transcript, metadata",
        "region us is not among eu, local",
        "Nothing in this receipt was changed",
    ):
        assert fact in out


def test_show_says_it_loudly_when_the_gate_did_not_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "r.json").write_bytes(signed(entries((STARTED, UNPROVEN, LISTENING, ENDED))).to_json())
    assert sordino("evidence", "show", str(tmp_path / "r.json")) == 0
    out = capsys.readouterr().out
    assert "BEFORE EVERY ANNOUNCEMENT WAS PROVEN" in out
    assert "no: the caller hung up" in out


def test_nothing_in_a_receipt_can_move_the_cursor_or_dress_itself_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nasty: Step = ("refused", {"hop": "\x1b[2Jllm", "reasons": ["[bold red]fine[/]", "\r\x07gone"]})
    (tmp_path / "r.json").write_bytes(signed(entries((STARTED, nasty, ENDED))).to_json())
    assert sordino("evidence", "show", str(tmp_path / "r.json")) == 0
    out = capsys.readouterr().out
    assert not {"\x1b", "\r", "\x07"} & set(out)
    assert "[bold red]" in out


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("evidence", "--help"), ("evidence", "verify", "--help"), ("evidence", "show", "--help")):
        with pytest.raises(SystemExit):
            sordino(*arguments)
        assert "example: sordino evidence" in capsys.readouterr().out
