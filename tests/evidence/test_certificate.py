"""A certificate of a deletion: whoever has the public key knows offline that nothing in it was changed, alone or in a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BundleInvalid, EvidenceInvalid
from gateway.evidence.bundle import CERTIFICATES, CHAIN
from gateway.evidence.canonical import canonical
from gateway.evidence.certificate import (
    KIND,
    Certificate,
    Destroyed,
    certify,
    is_certificate,
    stored_certificate,
    verify_certificate,
)
from gateway.evidence.chain import CallChain, record, seal, timestamp
from gateway.evidence.entries import Entry
from gateway.values import CallId, DataClass, TenantId
from tests.evidence.bundles import Parts, parts
from tests.evidence.samples import ACME, KEY, NOON, OTHER_KEY, PUBLIC

GONE = Destroyed(
    certificate="certificate_1",
    data_class=DataClass.AUDIO,
    of="call_1",
    holding="recordings",
    key_id="0123456789abcdef",
    where=("store", "disk"),
    why="request of the caller",
    by="operator",
    decided=NOON,
    gone=NOON + timedelta(seconds=2),
    append_only_file="rewritten",
)


def entry_of(facts: Destroyed = GONE, *, seq: int = 7, tenant: TenantId = ACME, previous: str = "sha256:" + "0" * 64) -> Entry:
    chain = CallChain(tenant, CallId(facts.certificate))
    return seal(chain.draft(KIND, NOON + timedelta(seconds=3), facts.body()), seq, previous, durable="fsync")


def certificate(entry: Entry | None = None) -> Certificate:
    return certify(entry_of() if entry is None else entry, sign=KEY.sign, public_key=PUBLIC)


def test_a_certificate_says_what_was_deleted_with_which_key_why_by_whom_and_when() -> None:
    entry = entry_of()
    verified = verify_certificate(certificate(entry).to_json(), PUBLIC)
    found = verified.certificate
    assert verified.trusted
    assert (found.tenant, found.data_class, found.holding, found.of) == (ACME, DataClass.AUDIO, "recordings", "call_1")
    assert (found.id, found.key_id, found.place) == ("certificate_1", "0123456789abcdef", (7, entry.hash))
    stated = {name: found.document[name] for name in ("why", "by", "decided", "gone", "at", "where", "append_only_file")}
    assert stated == {
        "why": "request of the caller",
        "by": "operator",
        "decided": timestamp(NOON),
        "gone": timestamp(NOON + timedelta(seconds=2)),
        "at": timestamp(NOON + timedelta(seconds=3)),
        "where": ["store", "disk"],
        "append_only_file": "rewritten",
    }
    assert stored_certificate(found.to_json()) == found
    assert not verify_certificate(found.to_json()).trusted


def test_nobody_is_trusted_whose_key_the_verifier_did_not_give() -> None:
    other = OTHER_KEY.public_key().public_bytes_raw()
    with pytest.raises(EvidenceInvalid, match="not by the key that you gave"):
        verify_certificate(certificate().to_json(), other)


@pytest.mark.parametrize("wrong", [{"kind": "note"}, {"body": {}}, {"body": {**GONE.body(), "more": 1}}])
def test_only_an_entry_that_says_so_makes_a_certificate(wrong: dict[str, Any]) -> None:
    entry = entry_of()
    with pytest.raises(EvidenceInvalid, match="does not say that something was deleted"):
        certificate(replace(entry, draft=replace(entry.draft, **wrong)))


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("why"),
        lambda document: document.update(more="x"),
        lambda document: document.update({"class": "everything"}),
        lambda document: document.update(where="store"),
        lambda document: document.update(where=[1]),
        lambda document: document.update(entry={"seq": "7", "hash": "x"}),
        lambda document: document.update(entry={"seq": True, "hash": "x"}),
        lambda document: document.update(signature="none"),
        lambda document: document.update(signature={**document["signature"], "public_key": "eA=="}),
        lambda document: document.update(format="sordino.certificate/2"),
        lambda document: document.update(key_id=None),
        lambda document: document.update(why="another reason"),
    ],
)
def test_what_is_changed_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(certificate().to_json())
    change(document)
    with pytest.raises(EvidenceInvalid):
        verify_certificate(json.dumps(document))


@given(st.data())
def test_no_byte_of_it_can_be_changed(data: st.DataObject) -> None:
    whole = certificate().to_json().rstrip()
    at = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda each: each != whole[at]))
    changed = whole[:at] + bytes([byte]) + whole[at + 1 :]
    try:
        found = verify_certificate(changed, PUBLIC).certificate
    except EvidenceInvalid:
        return
    assert found.document == certificate().document, "only how it is written was changed: a space for another, say"


@pytest.mark.parametrize(
    ("text", "said"), [(b"{}", False), (b"[]", False), (b"\xff", False), (b'{"format":"sordino.certificate/9"}', True)]
)
def test_a_file_says_what_it_is(text: bytes, said: bool) -> None:
    assert is_certificate(text) is said


# --- in a bundle ------------------------------------------------------------------------------------------------------


def with_deletions(*numbers: int) -> tuple[Parts, list[Certificate]]:
    """A bundle at whose chain's end things were deleted, with their certificates."""
    given_, certificates = parts(), list[Certificate]()
    chain = given_.lines(CHAIN)
    last = json.loads(chain[-1])
    seq, previous = last["seq"], last["hash"]
    for number in numbers:
        entry = entry_of(replace(GONE, certificate=f"certificate_{number}"), seq=seq + 1, previous=previous)
        seq, previous = entry.seq, entry.hash
        certificates.append(certificate(entry))
        given_ = given_.changed(CHAIN, given_.of[CHAIN] + _line(entry))
    return given_, certificates


def _line(entry: Entry) -> bytes:
    return canonical(record(entry)) + b"\n"


def holding(bundle: Parts, certificates: list[Certificate]) -> Parts:
    return bundle.changed(CERTIFICATES, b"".join(each.to_json() for each in certificates))


def test_a_bundle_holds_each_certificate_against_the_chain() -> None:
    bundle, certificates = with_deletions(1, 2, 3)
    assert holding(bundle, certificates).verified().certificates == 3


def other_tenants() -> Certificate:
    return certificate(entry_of(tenant=TenantId("other")))


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        (lambda found: [found[0], found[0]], 2, "there twice"),
        (lambda found: [found[1], found[0]], 2, "not in its place"),
        (lambda found: [*found, certificate(entry_of(seq=99))], 3, "an entry that the chain lacks"),
        (lambda found: [certificate(entry_of(seq=2)), *found], 1, "another entry than the chain has"),
        (lambda found: [other_tenants()], 1, "another tenant"),
        (lambda found: [Certificate({**found[0].document, "why": "x"})], 1, "was changed after it was signed"),
    ],
)
def test_a_certificate_that_the_chain_does_not_bear_out_is_named(
    change: Callable[[list[Certificate]], list[Certificate]], line: int, said: str
) -> None:
    bundle, certificates = with_deletions(1, 2)
    with pytest.raises(BundleInvalid, match=said) as found:
        holding(bundle, change(certificates)).verified()
    assert (found.value.part, found.value.line) == (CERTIFICATES, line)
