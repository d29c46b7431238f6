"""``sordino redact``: a person's text in, masked text or spans out; a person's mistake is told where it is."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from gateway.cli.main import main

SAID = "my name is Ann Lee, my card is four five three two one one eight zero nine six six one two three four five"


def test_standard_input_comes_back_masked_and_explained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SAID}\n"))
    assert main(["redact", "--explain", "--operator", "last4", "-"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "my name is <PERSON>, my card is <CREDIT_CARD> ending 2345\n"
    for part in ("PERSON", "11-18", "CREDIT_CARD", "1.00", "SpokenNumbers", "Luhn"):
        assert part in shown.err


def test_many_rows_give_spans_for_texts_and_for_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = [
        {"speaker": "agent", "text": "what is your pin number"},
        {"speaker": "caller", "text": "four one two seven"},
        {"speaker": "agent", "text": "that takes two days"},
    ]
    rows = tmp_path / "rows.jsonl"
    rows.write_text("\n".join([json.dumps({"id": "a", "text": SAID}), "", json.dumps({"id": "b", "turns": turns})]))
    assert main(["redact", "--jsonl", str(rows)]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [(SAID[span["start"] : span["end"]], span["type"]) for span in first["spans"]] == [
        ("Ann Lee", "PERSON"),
        ("four five three two one one eight zero nine six six one two three four five", "CREDIT_CARD"),
    ]
    assert second == {"id": "b", "turns": [{"spans": []}, {"spans": [{"start": 0, "end": 18, "type": "PIN"}]}, {"spans": []}]}


MISTAKES = [
    (b'{"id": 1, "text": "swordfish"\n', "rows.jsonl:1:30: not a JSON object"),
    (b'{"id": 1, "text": "x"}\n{"text": "swordfish"}\n', "rows.jsonl:2:1: the row lacks"),
    (b'{"id": 1, "turns": [{"speaker": "swordfish"}]}', "rows.jsonl:1:1: the row lacks"),
    (b"[1]", "rows.jsonl:1:1: the row lacks"),
    (b'{"id": 1, "text": "\xff"}', "is not UTF-8 text (byte 19)"),
]


@pytest.mark.parametrize(("content", "told"), MISTAKES)
def test_a_row_that_cannot_be_read_is_told_with_its_place_and_without_its_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, told: str
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_bytes(content)
    assert main(["redact", "--jsonl", str(rows)]) == 1
    shown = capsys.readouterr()
    assert told in shown.err
    assert "swordfish" not in shown.err
    assert shown.out == ""


def test_a_file_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["redact", "--file", str(tmp_path / "nothing.txt")]) == 1
    assert "there is no file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--text", "a", "--file", "b"], ["--text", "a", "--operator", "shred"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["redact", *arguments])
    assert ended.value.code == 2
