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


def test_rows_with_gold_give_a_page_of_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "page.html"
    gold = [{"start": 11, "end": 18, "type": "PERSON"}, {"start": 0, "end": 2, "type": "URL"}]
    turns = [{"speaker": "agent", "text": "what is your pin number", "spans": []}]
    rows.write_text("\n".join(json.dumps(row) for row in ({"id": "a", "text": SAID, "spans": gold}, {"id": "b", "turns": turns})))
    assert main(["redact", "--jsonl", str(rows), "--page", str(out)]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["a", "b"]
    page = out.read_text(encoding="utf-8")
    for part in ('<mark class="missed"', '<mark class="extra"', '<mark class="right"', "2 texts of rows", "SpokenNumbers"):
        assert part in page


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"id": 1, "text": "swordfish"}', "row 1 does not say what is private"),
        ('{"id": 1, "text": "x", "spans": [{"start": 0, "end": "swordfish", "type": "PIN"}]}', "row 1 does not say"),
        ('{"id": 1, "turns": [{"speaker": "caller", "text": "swordfish"}]}', "row 1 does not say"),
    ],
)
def test_a_page_needs_rows_that_say_what_is_private(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, told: str
) -> None:
    """Before any model is loaded, and without the words of the row."""
    rows, out = tmp_path / "rows.jsonl", tmp_path / "page.html"
    rows.write_text(row)
    assert main(["redact", "--jsonl", str(rows), "--page", str(out)]) == 1
    shown = capsys.readouterr()
    assert told in shown.err
    assert "swordfish" not in shown.err
    assert not out.exists()


def test_a_page_without_rows_and_a_page_that_cannot_be_written_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["redact", "--text", "hello", "--page", str(tmp_path / "page.html")]) == 1
    assert "--page needs rows" in capsys.readouterr().err
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"id": 1, "text": "hello", "spans": []}')
    assert main(["redact", "--jsonl", str(rows), "--page", str(tmp_path / "nowhere" / "page.html")]) == 1
    assert "page.html cannot be written: there is no folder" in capsys.readouterr().err
