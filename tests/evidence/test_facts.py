"""What is written down of a hop is what an auditor asks about, and a body that no reader could use is refused at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import EvidenceInvalid
from gateway.evidence.facts import check_body, grant_body, hop_body, refused_body
from gateway.policy.egress import Verdict
from gateway.policy.fields import Tls
from gateway.values import Hop, ProcessorId
from tests.evidence.samples import ANNOUNCEMENT, UNPROVEN, WHOLE, grant


def test_a_grant_is_written_with_everything_but_the_secrets_name_and_the_address_path() -> None:
    body = grant_body(grant(Hop.LLM))
    assert body == {
        "id": "grant_llm",
        "hop": "llm",
        "processor": "local-demo-llm",
        "processor_name": "Scripted demo model",
        "dialect": "openai",
        "host": "127.0.0.1",
        "region": "local",
        "model": "demo",
        "purpose": "conversation",
        "categories": ["masked_transcript", "metadata"],
        "masked": True,
        "sent": {"store": False},
        "mechanism": "none-needed",
        "training": "prohibited",
        "policy_digest": "",
        "registry_digest": "",
    }


def test_the_tls_that_a_grant_asks_for_is_written_beside_what_it_permits() -> None:
    """So that an auditor can hold what was negotiated against it."""
    asked = grant_body(replace(grant(Hop.LLM), tls=Tls.V1_3))
    assert asked == {**grant_body(grant(Hop.LLM)), "tls": "1.3"}


def test_a_hop_names_who_was_refused_and_why_and_not_who_was_merely_next() -> None:
    verdicts = (
        Verdict(ProcessorId("a"), "us", ("region us is not permitted", "training is not prohibited")),
        Verdict(ProcessorId("b"), "eu", ()),
    )
    assert hop_body(grant(Hop.LLM), verdicts)["refused"] == [
        {"processor": "a", "region": "us", "reasons": ["region us is not permitted", "training is not prohibited"]}
    ]


def test_every_kind_that_the_gateway_writes_passes() -> None:
    for kind, body in (*WHOLE, UNPROVEN, ("refused", refused_body(Hop.LLM, ["a: no"])), ("call.failed", {"code": "x"})):
        check_body(kind, body)


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("announcement.played", {**ANNOUNCEMENT, "acknowledged": "mark"}, "lacks its field ack_ms"),
        ("announcement.played", {**ANNOUNCEMENT, "acknowledged": "surely", "ack_ms": 1}, "acknowledged that is not"),
        ("announcement.played", {**ANNOUNCEMENT, "acknowledged": "mark", "ack_ms": True}, "ack_ms that is not whole"),
        ("announcement.unproven", {"id": "x"}, "lacks its field why"),
        ("hop", {"grant": {"id": "g"}}, "grant that is not a grant with"),
        ("refused", {"hop": "llm", "reasons": "no"}, "reasons that is not a list of sentences"),
        ("masked", {"counts": {"PERSON": -1}}, "counts that is not a count"),
        ("call.failed", {}, "lacks its field code"),
        ("call.ended", {"outcome": "fine", "duration_ms": 1}, "outcome that is not completed"),
        ("listening.started", {"frames_dropped": "many"}, "frames_dropped that is not a count"),
    ],
)
def test_a_body_that_no_reader_could_use_is_refused_by_name(kind: str, body: Any, says: str) -> None:
    with pytest.raises(EvidenceInvalid, match=f"an entry of kind {kind} .*{says}"):
        check_body(kind, body)


@pytest.mark.parametrize("whose", ["mark", "playout", "none"])
def test_an_announcement_names_whose_word_its_proof_is(whose: str) -> None:
    check_body("announcement.played", {**ANNOUNCEMENT, "acknowledged": whose, "ack_ms": 1})


def test_more_fields_and_new_kinds_are_welcome() -> None:
    check_body("call.failed", {"code": "x", "phase": "listening"})
    check_body("weather.noted", {"by": "key"})
