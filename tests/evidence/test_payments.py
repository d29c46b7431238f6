"""What a receipt proves of pauses for card data: two markers without content, and nothing between but the processor's hops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gateway.errors import EvidenceInvalid
from gateway.evidence.chain import seal_unconfirmed
from gateway.evidence.entries import Draft, Json
from gateway.evidence.receipt import verify
from gateway.values import Hop
from tests.evidence.samples import ACME, CALL, ENDED, LISTENING, NOON, PLAYED, STARTED, Step, entries, hop, signed

PAUSED: Step = ("payment.paused", {"pause": 1, "reason": "question", "field": "number"})
MORE: Step = ("payment.answered", {"pause": 1, "field": "number", "verdict": "more"})
TAKEN: Step = ("payment.answered", {"pause": 1, "field": "code", "verdict": "accepted"})
MARKER: Mapping[str, Json] = {"pause": 1, "ms": 8_000, "keys": 21, "handed_over": 2, "frames_unheard": 400}
RESUMED: Step = ("payment.resumed", {**MARKER, "reason": "accepted"})
ABANDONED: Step = ("payment.abandoned", {**MARKER, "reason": "left"})
PAYS = hop(Hop.PAYMENT)


def payments(*steps: Step) -> list[dict[str, Any]]:
    """What the signed receipt of such a call says, read back by its verifier."""
    receipt = signed(entries([STARTED, PLAYED, LISTENING, hop(Hop.STT), *steps, ENDED]))
    found: Any = verify(receipt.to_json()).receipt.document.get("payments", [])
    return list(found)


def test_a_pause_is_told_with_both_markers_and_what_the_processor_said() -> None:
    (row,) = payments(PAUSED, PAYS, MORE, PAYS, TAKEN, RESUMED, hop(Hop.LLM))
    assert row == {
        "pause": 1,
        "reason": "question",
        "field": "number",
        "at": "2026-11-01T12:00:00.548000Z",
        "ended": "accepted",
        "until": "2026-11-01T12:00:01.233000Z",
        "answers": ["more", "accepted"],
        "blind": "kept",
        "ms": 8_000,
        "keys": 21,
        "handed_over": 2,
        "frames_unheard": 400,
    }


def test_a_call_without_a_pause_says_nothing_of_it() -> None:
    assert payments(hop(Hop.LLM)) == []


BROKEN: dict[str, Sequence[Step]] = {
    "a model was asked": [PAUSED, hop(Hop.LLM), RESUMED],
    "a recogniser": [PAUSED, PAYS, hop(Hop.STT), TAKEN, RESUMED],
    "a voice": [PAUSED, hop(Hop.TTS), ABANDONED],
    "a storage": [PAUSED, hop(Hop.STORAGE), RESUMED],
    "words were masked": [PAUSED, ("masked", {"counts": {"CREDIT_CARD": 1}}), RESUMED],
    "in a pause that never ended": [PAUSED, hop(Hop.LLM)],
}


@pytest.mark.parametrize("steps", BROKEN.values(), ids=BROKEN.keys())
def test_anything_else_between_the_markers_shows(steps: Sequence[Step]) -> None:
    assert [row["blind"] for row in payments(*steps)] == ["broken"]


CONTRADICTIONS: dict[str, Sequence[Step]] = {
    "a pause within a pause": [PAUSED, PAUSED],
    "an end without a beginning": [RESUMED],
    "an answer without a pause": [TAKEN],
    "the end of another pause": [PAUSED, ("payment.resumed", {**MARKER, "pause": 2, "reason": "agent"})],
}


@pytest.mark.parametrize("steps", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_markers_that_contradict_each_other_make_no_receipt(steps: Sequence[Step]) -> None:
    with pytest.raises(EvidenceInvalid, match="payment pause"):
        payments(*steps)


def test_the_second_marker_cannot_be_unconfirmed() -> None:
    """Behind it the caller is heard again."""
    draft = Draft(ACME, CALL, "payment.resumed", NOON, RESUMED[1], "sha256:" + "0" * 64)
    with pytest.raises(EvidenceInvalid, match="needs the store's confirmation"):
        seal_unconfirmed(draft)
