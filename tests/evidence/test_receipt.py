"""A receipt says what happened on a call, and whoever holds it finds out if a single byte of what it says was changed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.errors import EvidenceInvalid
from gateway.evidence import receipt
from gateway.evidence.canonical import canonical, parse
from gateway.evidence.chain import MEMORY, CallChain
from gateway.evidence.keys import key_id
from gateway.evidence.receipt import build, verify
from gateway.values import Hop
from tests.evidence.samples import (
    ENDED,
    KEY,
    LISTENING,
    NOON,
    OTHER_KEY,
    PLAYED,
    PUBLIC,
    STARTED,
    UNPROVEN,
    Step,
    entries,
    hop,
    signed,
)

RECEIPT = signed()
TEXT = RECEIPT.to_json()
FAILED: Step = ("call.failed", {"code": "upstream_failed"})


def ended(outcome: str) -> Step:
    return "call.ended", {"outcome": outcome, "duration_ms": 900, "frames_dropped": 44}


def test_a_receipt_tells_what_happened_on_the_call() -> None:
    told: Any = RECEIPT.document
    assert (RECEIPT.tenant, RECEIPT.call, RECEIPT.outcome, RECEIPT.code) == ("acme", "call_01", "completed", None)
    assert (told["started"], told["duration_ms"]) == ("2026-11-01T12:00:00.000000Z", 61000)
    assert (told["listened"], told["gate"], told["frames_dropped_before_listening"]) == (True, "kept", 302)
    assert told["masked"] == {"CREDIT_CARD": 1, "PERSON": 3}
    [announcement] = told["announcements"]
    assert announcement["proven"] is True
    assert [row["hop"] for row in told["hops"]] == ["stt", "llm", "llm"]
    assert told["policy_digest"] == "sha256:" + "a" * 64
    assert told["chain"] == {"first": 1, "last": 17, "entries": 9, "unconfirmed": 0, "head": RECEIPT.entries[-1].hash}


def test_a_receipt_verifies_offline_and_says_whose_word_it_is() -> None:
    unknown = verify(TEXT)
    assert not unknown.trusted
    assert unknown.statement.endswith(f"It is signed by key {key_id(PUBLIC)}, which you have not confirmed.")
    known = verify(TEXT.decode(), PUBLIC)
    assert known.trusted
    assert "which you gave" in known.statement
    assert known.receipt == RECEIPT


def test_white_space_and_the_order_of_members_do_not_matter() -> None:
    shuffled = json.dumps(dict(reversed(list(json.loads(TEXT).items()))), indent=None, ensure_ascii=True)
    assert verify(shuffled, PUBLIC).receipt.outcome == "completed"


def test_a_receipt_signed_by_another_key_is_refused() -> None:
    other = build(entries(), sign=OTHER_KEY.sign, public_key=OTHER_KEY.public_key().public_bytes_raw())
    with pytest.raises(EvidenceInvalid, match="not by the key that you gave"):
        verify(other.to_json(), PUBLIC)


def test_every_flipped_bit_of_every_byte_is_found_or_changes_nothing_that_it_says() -> None:
    """Byte by byte: for each one a few other values. Either it is refused, or the receipt's meaning is the very same."""
    short = signed(entries((STARTED, PLAYED, LISTENING, ("masked", {"counts": {"PERSON": 1}}), ENDED))).to_json()
    meaning = canonical(parse(short))
    compact = json.dumps(json.loads(short), separators=(",", ":")).encode()
    for place, byte in enumerate(compact):
        flipped = bytearray(compact)
        flipped[place] = byte ^ (1 << (place % 7))
        assert _refused(bytes(flipped)) or canonical(parse(bytes(flipped))) == meaning, place


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(TEXT) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_whatever_is_cut_out_or_put_in_anywhere_is_found_or_changes_nothing_that_it_says(at: int, new: bytes, cut: int) -> None:
    changed = TEXT[:at] + new + TEXT[at + cut :]
    assert _refused(changed) or canonical(parse(changed)) == canonical(parse(TEXT))


def _refused(text: bytes) -> bool:
    try:
        verify(text)
    except EvidenceInvalid:
        return True
    return False


def _at(document: Any, *path: str | int) -> Any:
    for step in path:
        document = document[step]
    return document


def _set(*path: str | int, to: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        _at(document, *path[:-1])[path[-1]] = to

    return change


def _swap(document: Any) -> None:
    rows = document["entries"]
    rows[4], rows[5] = rows[5], rows[4]


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (_set("entries", 4, "body", "counts", "PERSON", to=0), r"entry 5 of the receipt \(masked\) does not have the hash"),
        (_set("entries", 0, "at", to="2026-11-01T12:00:00.000001Z"), r"entry 1 of the receipt \(call.started\) does not have"),
        (lambda d: d["entries"].pop(4), r"entry 5 of the receipt \(hop\) does not follow the entry before it"),
        (lambda d: d["entries"].pop(), "the summary's ended is not|the summary's .* is not what the entries show"),
        (lambda d: d["entries"].append(d["entries"][-1]), "entry 10 .* does not follow"),
        (_swap, "entry 5 .* does not follow"),
        (lambda d: d["entries"].clear(), "has no entries"),
        (_set("entries", to={}), "no list of entries"),
        (_set("entries", 1, "durable", to="surely"), "entry 2 .* does not say how it was confirmed"),
        (_set("entries", 1, "durable", to=["fsync"]), "entry 2 .* does not say how it was confirmed"),
        (_set("entries", 1, "durable", to=MEMORY), "the summary's durability is not"),
        (_set("entries", 1, "note", to=1), "unknown member 'note'"),
        (_set("hops", 0, "region", to="eu"), r"the summary's hops\[0\].region is not what the entries show"),
        (_set("listened", to=1), "the summary's listened is not"),
        (_set("gate", to="broken"), "the summary's gate is not"),
        (_set("remark", to="all good"), "the summary has 'remark', which the entries do not show"),
        (lambda d: d.pop("masked"), "the summary lacks masked"),
        (_set("chain", "last", to=99), "the summary's chain.last is not"),
        (_set("format", to="sordino.receipt/2"), "not a receipt of the format"),
        (_set("signature", "algorithm", to="none"), "not of the algorithm Ed25519"),
        (_set("signature", "key_id", to="0" * 16), "key_id is not that of its public key"),
        (_set("signature", "value", to=base64.b64encode(bytes(64)).decode()), "the signature does not fit"),
        (_set("signature", "value", to="AAAA"), "value is not 64 bytes in base64"),
        (_set("signature", "value", to=None), "value is not text"),
        (_set("signature", to=None), "not signed"),
        (lambda d: d.pop("signature"), "not signed"),
    ],
)
def test_the_first_wrong_place_is_named_in_words(tamper: Callable[[Any], object], says: str) -> None:
    document = json.loads(TEXT)
    tamper(document)
    with pytest.raises(EvidenceInvalid, match=says):
        verify(json.dumps(document))


def test_the_unused_bits_of_base64_cannot_be_used_to_make_a_second_text_of_one_signature() -> None:
    document = json.loads(TEXT)
    value = document["signature"]["value"]
    assert value.endswith("==")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    document["signature"]["value"] = value[:-3] + letters[letters.index(value[-3]) + 1] + "=="
    assert base64.b64decode(document["signature"]["value"]) == base64.b64decode(value)
    with pytest.raises(EvidenceInvalid, match="base64"):
        verify(json.dumps(document))


@pytest.mark.parametrize(
    ("steps", "outcome", "code", "gate"),
    [
        ((STARTED, PLAYED, LISTENING, ENDED), "completed", None, "kept"),
        ((STARTED, LISTENING, ENDED), "completed", None, "kept"),
        ((STARTED, UNPROVEN, ended("never_listened")), "never_listened", None, "not_reached"),
        ((ended("never_listened"),), "never_listened", None, "none"),
        ((STARTED, PLAYED, LISTENING, FAILED, ended("failed")), "failed", "upstream_failed", "kept"),
        ((STARTED, PLAYED, LISTENING), "failed", "evidence_unavailable", "kept"),
        ((STARTED, UNPROVEN, LISTENING, ENDED), "completed", None, "broken"),
        ((STARTED, UNPROVEN, PLAYED, LISTENING, ENDED), "completed", None, "kept"),
        ((STARTED, PLAYED, hop(Hop.STT), LISTENING, ENDED), "completed", None, "broken"),
        ((STARTED, hop(Hop.STT), ENDED), "completed", None, "broken"),
        ((STARTED, hop(Hop.LLM), ENDED), "completed", None, "none"),
    ],
    ids=[
        "an ordinary call",
        "no announcement required",
        "hung up during the announcement",
        "hung up at once",
        "the model went down",
        "the end was never confirmed",
        "listened although not proven",
        "the announcement was played again",
        "speech was sent out before listening",
        "speech was sent out and nobody was told",
        "text only",
    ],
)
def test_outcome_and_gate_are_derived_from_the_entries(
    steps: tuple[Step, ...], outcome: str, code: str | None, gate: str
) -> None:
    receipt = signed(entries(steps))
    assert (receipt.outcome, receipt.code, receipt.document["gate"]) == (outcome, code, gate)
    assert verify(receipt.to_json(), PUBLIC).receipt.outcome == outcome


def test_an_announcement_cut_short_is_not_proven_even_if_it_says_played() -> None:
    short: Step = ("announcement.played", {**PLAYED[1], "played_ms": 5999})
    assert signed(entries((STARTED, short, LISTENING, ENDED))).document["gate"] == "broken"


def test_the_word_of_our_own_clock_is_a_proof_and_the_receipt_shows_whose_word_it_is() -> None:
    ours: Step = ("announcement.played", {**PLAYED[1], "acknowledged": "playout"})
    told: Any = signed(entries((STARTED, ours, LISTENING, ENDED))).document
    assert (told["gate"], told["announcements"][0]["proven"], told["announcements"][0]["acknowledged"]) == (
        "kept",
        True,
        "playout",
    )


def test_nobodys_word_is_no_proof() -> None:
    nobody: Step = ("announcement.played", {**PLAYED[1], "acknowledged": "none"})
    assert signed(entries((STARTED, nobody, LISTENING, ENDED))).document["gate"] == "broken"


def test_entries_that_contradict_each_other_give_no_receipt() -> None:
    with pytest.raises(EvidenceInvalid, match="never_listened, and yet"):
        signed(entries((STARTED, PLAYED, LISTENING, ended("never_listened"))))
    with pytest.raises(EvidenceInvalid, match=r"2 entries of kind call\.ended"):
        signed(entries((STARTED, ENDED, ENDED)))


def test_a_call_whose_store_died_has_a_true_receipt_that_admits_it() -> None:
    thread = CallChain(entries()[0].draft.tenant, entries()[0].draft.call, entries()[:4])
    for kind, body in (("call.failed", {"code": "evidence_unavailable"}), ended("failed")):
        thread.add_unconfirmed(thread.draft(kind, NOON, body))
    receipt = verify(signed(thread.entries).to_json(), PUBLIC).receipt
    chain: Any = receipt.document["chain"]
    assert (receipt.outcome, receipt.code, receipt.durability) == ("failed", "evidence_unavailable", "unconfirmed")
    assert chain["unconfirmed"] == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"durable": "unconfirmed"}, "unconfirmed and still claims a place"),
        ({"durable": "unconfirmed", "seq": 0}, "unconfirmed and still claims a place|hash"),
    ],
)
def test_a_confirmed_entry_cannot_be_passed_off_as_an_unconfirmed_one(change: dict[str, Any], says: str) -> None:
    document = json.loads(TEXT)
    document["entries"][-1].update(change)
    with pytest.raises(EvidenceInvalid, match=says):
        verify(json.dumps(document))


def test_entries_of_two_calls_or_none_give_no_receipt() -> None:
    with pytest.raises(EvidenceInvalid, match="has no entries"):
        signed([])
    other = entries(call=type(entries()[0].draft.call)("call_02"))
    with pytest.raises(EvidenceInvalid, match="belongs to another call"):
        signed([*entries()[:2], *other[2:]])


def test_a_receipt_without_fsync_says_so() -> None:
    assert signed(entries(durable=MEMORY)).durability == "memory"


junk = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3))


@settings(deadline=None)
@given(st.sampled_from(sorted(json.loads(TEXT))), junk)
def test_whatever_stands_where_a_part_of_a_receipt_should_stand_is_refused_with_the_one_error(name: str, junk: Any) -> None:
    document = json.loads(TEXT)
    assume(json.dumps(document[name]) != json.dumps(junk))
    document[name] = junk
    assert _refused(json.dumps(document).encode())


def test_verifying_asks_for_nothing_but_the_text() -> None:
    assert KEY.public_key().public_bytes_raw() == verify(TEXT).receipt.public_key


LINE = canonical(RECEIPT.document)


def resigned(document: Any) -> Any:
    """What somebody who has the key makes of a changed receipt."""
    unsigned = {**document, "signature": {name: item for name, item in document["signature"].items() if name != "value"}}
    value = base64.b64encode(KEY.sign(canonical(unsigned))).decode("ascii")
    return {**document, "signature": {**document["signature"], "value": value}}


def test_a_receipt_on_one_line_is_read_the_quick_way() -> None:
    """As bundles hold it; the one that people read has the same content, and goes the careful way."""
    found = receipt._quickly(LINE)
    assert found is not None
    assert found == receipt._carefully(LINE) == receipt._carefully(TEXT)
    assert receipt._quickly(TEXT) is None


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_quick_way_says_yes_only_where_the_careful_one_does(data: st.DataObject) -> None:
    """For a receipt with any piece changed: signed again by somebody, or not."""
    at = data.draw(st.integers(0, len(LINE)))
    piece = data.draw(st.sampled_from([b'"', b" ", b"1", b"0", b"e", b".", b"{", b"[]", b"null", b"true", b"\xc3\xa9", b""]))
    line = LINE[:at] + piece + LINE[at + data.draw(st.integers(0, 4)) :]
    if data.draw(st.booleans()):
        try:
            line = canonical(resigned(parse(line)))
        except (EvidenceInvalid, KeyError, TypeError, AttributeError):
            assume(condition=False)
    found = receipt._quickly(line)
    if found is not None:
        assert found == receipt._carefully(line)
