"""A receipt shows the caller's answer beside each announcement, and counts a gate that opened without one as broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.evidence.entries import Json
from gateway.evidence.facts import hop_body
from gateway.evidence.receipt import Receipt, verify
from gateway.values import Hop
from tests.evidence.samples import ENDED, LISTENING, PLAYED, PUBLIC, STARTED, Step, entries, grant, signed

ASKED: Step = (PLAYED[0], {**PLAYED[1], "mode": "key-press"})
ANSWER: Mapping[str, Json] = {
    "id": "ai-and-privacy",
    "rule": "gdpr-strict",
    "language": "en",
    "mode": "key-press",
    "purpose": "recording",
    "how": "key-press",
    "after_ms": 900,
    "play": 1,
}
YES: Step = ("consent.given", ANSWER)
NO: Step = ("consent.declined", {**ANSWER, "then": "hang-up"})
GOES_ON: Step = ("consent.declined", {**ANSWER, "then": "continue-unrecorded"})
NEVER: Step = ("call.ended", {**ENDED[1], "outcome": "never_listened"})


def ear(purpose: str, region: str = "local", hop: Hop = Hop.STT) -> Step:
    body: Any = hop_body(grant(hop, "ear", region))
    return ("hop", {**body, "grant": {**body["grant"], "purpose": purpose}})


def signed_of(steps: list[Step]) -> Receipt:
    return signed(entries(steps))


GATES = {
    "a yes": ([ASKED, YES, LISTENING, ENDED], "kept"),
    "a no after which the call may go on": ([ASKED, GOES_ON, LISTENING, ENDED], "kept"),
    "asked twice, answered once": ([ASKED, ASKED, YES, LISTENING, ENDED], "kept"),
    "no answer, and yet it listened": ([ASKED, LISTENING, ENDED], "broken"),
    "a no, and yet it listened": ([ASKED, NO, LISTENING, ENDED], "broken"),
    "asked again after the yes, and not answered": ([ASKED, YES, ASKED, LISTENING, ENDED], "broken"),
    "a no": ([ASKED, NO, NEVER], "not_reached"),
    "a local ear for the answer": ([ASKED, ear("consent"), YES, LISTENING, ENDED], "kept"),
    "an ear elsewhere for the answer": ([ASKED, ear("consent", "eu"), YES, LISTENING, ENDED], "broken"),
    "a local ear for the talk": ([ASKED, ear("conversation"), YES, LISTENING, ENDED], "broken"),
    "a model for the answer": ([ASKED, ear("consent", hop=Hop.LLM), YES, LISTENING, ENDED], "broken"),
}


@pytest.mark.parametrize(("steps", "gate"), GATES.values(), ids=GATES.keys())
def test_the_gate_holds_only_with_an_answer(steps: list[Step], gate: str) -> None:
    assert signed_of([STARTED, *steps]).document["gate"] == gate


def test_the_answer_stands_beside_its_announcement() -> None:
    rows: Any = signed_of([STARTED, ASKED, YES, LISTENING, ENDED]).document["announcements"]
    at = rows[0]["answer"].pop("at")
    assert at.endswith("Z")
    assert rows[0]["answer"] == {"said": "yes", "purpose": "recording", "how": "key-press", "after_ms": 900}


def test_what_was_taken_back_stands_in_a_list_of_its_own_and_verifies() -> None:
    withdrawn: Step = ("consent.withdrawn", {"purpose": "recording", "how": "spoken", "then": "hang-up"})
    made = signed_of([STARTED, ASKED, YES, LISTENING, withdrawn, ENDED])
    found: Any = verify(made.to_json(), PUBLIC).receipt.document["withdrawn"]
    assert [(row["purpose"], row["how"]) for row in found] == [("recording", "spoken")]


def test_a_receipt_without_any_is_as_it_always_was() -> None:
    assert "withdrawn" not in signed_of([STARTED, PLAYED, LISTENING, ENDED]).document
