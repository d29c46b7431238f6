"""Rows of texts and dialogues, as ``sordino redact --jsonl`` reads them: what is found in each, and what stands in it as gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.ports import Detector
from gateway.redaction.dialogue import Dialogue, Side
from gateway.redaction.mask import Pseudonyms
from gateway.redaction.score import Line, Mark
from gateway.redaction.spans import resolve
from gateway.values import Private, Span

Row = Mapping[str, Any]
"""``{"id", "text"}`` or ``{"id", "turns": [{"speaker", "text"}]}``, checked."""

_ASKERS = frozenset({"agent", "assistant", "bot"})
"""Speakers who ask; everybody else answers."""
_FORMS = ("correction", "readback", "spelled")


async def spans(detector: Detector, text: str, *, language: str = "en", previous: str = "") -> tuple[Span, ...]:
    """What would be masked in one text. Raises RedactionUnavailable."""
    return resolve(text, await detector.detect(Private(text), language=language, previous=previous))


async def found(detector: Detector, row: Row, language: str = "en") -> list[tuple[Span, ...]]:
    """The spans of a row's text, or of each turn of a dialogue: a turn is understood by the turns before it, as on a call."""
    if "turns" not in row:
        return [await spans(detector, row["text"], language=language)]
    dialogue = Dialogue(Pseudonyms(language=language))
    said: dict[str, str] = {}
    turns = []
    for turn in row["turns"]:
        speaker = str(turn.get("speaker", ""))
        others = " ".join(text for who, text in said.items() if who != speaker)
        text = turn["text"]
        detected = await detector.detect(Private(text), language=language, previous=f"{others} {said.get(speaker, '')}".strip())
        side = Side.AGENT if speaker in _ASKERS else Side.CALLER
        resolved = resolve(text, dialogue.heard(text, detected, side=side))
        said[speaker] = dialogue.plan(Private(text), text, resolved).apply(text)
        if side is Side.AGENT:
            dialogue.asked(said[speaker])
        turns.append(resolved)
    return turns


def as_json(row: Row, found_in: Sequence[Sequence[Span]]) -> dict[str, Any]:
    """What was found, as the row that ``sordino redact --jsonl`` prints."""
    shown = [[{"start": each.start, "end": each.end, "type": each.entity} for each in spans] for spans in found_in]
    return (
        {"id": row["id"], "turns": [{"spans": spans} for spans in shown]}
        if "turns" in row
        else {"id": row["id"], "spans": shown[0]}
    )


def has_gold(row: Row) -> bool:
    """Whether every text of a row says what is private in it: ``spans`` of ``{"start", "end", "type"}``."""
    texts = row.get("turns", [row])
    return all(isinstance(text.get("spans"), list) and all(_is_span(each) for each in text["spans"]) for text in texts)


def _is_span(span: object) -> bool:
    if not isinstance(span, dict) or not isinstance(span.get("type"), str):
        return False
    return all(type(span.get(end)) is int for end in ("start", "end"))


def lines(row: Row, found_in: Sequence[Sequence[Span]]) -> list[Line]:
    """A row with gold and what was found in it, one line a text. ``score`` reads them."""
    name = str(row["id"])
    if "turns" not in row:
        return [Line(name, row["text"], _gold(row["spans"]), _found(found_in[0]), str(row.get("speaker", "")))]
    out: list[Line] = []
    for number, (turn, spans_of_turn) in enumerate(zip(row["turns"], found_in, strict=True)):
        before = f"{out[-1].speaker}: {out[-1].text}" if out else ""
        gold, marks = _gold(turn["spans"]), _found(spans_of_turn)
        out.append(Line(f"{name}#{number}", turn["text"], gold, marks, str(turn.get("speaker", "")), before, name))
    return out


def _gold(given: Sequence[Mapping[str, Any]]) -> tuple[Mark, ...]:
    return tuple(
        Mark(
            each["start"],
            each["end"],
            each["type"],
            form=str(each.get("form") or next((form for form in _FORMS if each.get(form)), "plain")),
            entity=str(each.get("entity", "")) if each.get("split") else "",
        )
        for each in given
    )


def _found(given: Sequence[Span]) -> tuple[Mark, ...]:
    return tuple(Mark(each.start, each.end, str(each.entity), each.detector, each.why) for each in given)
