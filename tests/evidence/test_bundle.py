"""A bundle of evidence: whatever is changed in it after it was written, its reader is told where."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BundleInvalid
from gateway.evidence.bundle import CHAIN, KEY, MANIFEST, PARTS, POLICIES, RECEIPTS, REGISTRIES
from gateway.evidence.chain import genesis, seal_written
from gateway.evidence.entries import Draft
from gateway.evidence.keys import key_id
from gateway.values import TenantId
from tests.evidence.bundles import Parts, documented, parts
from tests.evidence.samples import ACME, CALL, NOON, OTHER_KEY, PUBLIC

GOOD = parts()
OTHER = parts(tenant=TenantId("other"))
COUNT = len(GOOD.lines(CHAIN))


def test_a_good_bundle_says_what_is_in_it() -> None:
    """And what is not: the documents behind digests that calls name."""
    bundle = GOOD.verified(trusted=PUBLIC)
    assert (bundle.tenant, bundle.entries, bundle.calls, bundle.receipts, bundle.strays) == ("acme", COUNT, 3, 3, 0)
    assert (bundle.key_id, bundle.trusted) == (key_id(PUBLIC), True)
    assert (bundle.without_policy, bundle.without_registry) == (("a" * 64,), ("b" * 64,))
    assert not GOOD.verified().trusted


def without(part: str, line: int) -> Callable[[Parts], Parts]:
    return lambda given: given.changed(part, b"".join(given.lines(part)[: line - 1] + given.lines(part)[line:]))


def swapped(part: str, line: int) -> Callable[[Parts], Parts]:
    def change(given: Parts) -> Parts:
        lines = given.lines(part)
        lines[line - 1 : line + 1] = lines[line - 1 : line + 1][::-1]
        return given.changed(part, b"".join(lines))

    return change


def replaced(part: str, line: int, old: bytes, new: bytes) -> Callable[[Parts], Parts]:
    def change(given: Parts) -> Parts:
        lines = given.lines(part)
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new, 1)
        return given.changed(part, b"".join(lines))

    return change


def added(part: str, line: bytes) -> Callable[[Parts], Parts]:
    return lambda given: given.changed(part, given.of[part] + line)


def cut(part: str, by: int = 5) -> Callable[[Parts], Parts]:
    return lambda given: given.changed(part, given.of[part][:-by])


def rehashed(line: int) -> Callable[[Parts], Parts]:
    """An operator writes another entry in the place of one, with a hash that fits."""

    def change(given: Parts) -> Parts:
        lines = given.lines(CHAIN)
        entry = json.loads(lines[line - 1])
        draft = Draft(ACME, entry["call"], entry["kind"], NOON, {**entry["body"], "more": 1}, entry["call_previous"])
        lines[line - 1] = seal_written(draft, entry["seq"], entry["previous"])[1] + b"\n"
        return given.changed(CHAIN, b"".join(lines))

    return change


def foreign_thread(given: Parts) -> Parts:
    """A last entry that claims a thread of its call which the chain does not have."""
    last = json.loads(given.lines(CHAIN)[-1])
    draft = Draft(ACME, CALL, "note", NOON, {}, "sha256:" + "0" * 64)
    return given.changed(CHAIN, given.of[CHAIN] + seal_written(draft, COUNT + 1, last["hash"])[1] + b"\n")


@pytest.mark.parametrize(
    ("change", "part", "line", "said"),
    [
        (replaced(CHAIN, 4, b"6000", b"6001"), CHAIN, 4, "the hash"),
        (rehashed(7), CHAIN, 8, "entry 8 (listening.started) does not follow the entry before it"),
        (rehashed(COUNT), RECEIPTS, 3, "another entry than the chain has"),
        (without(CHAIN, 9), CHAIN, 9, "stands where entry 9 should stand"),
        (without(CHAIN, COUNT), RECEIPTS, 3, "entries that the chain does not have"),
        (swapped(CHAIN, 6), CHAIN, 6, "entry 7 (listening.started) stands where entry 6 should stand"),
        (added(CHAIN, b"{}\n"), CHAIN, COUNT + 1, "lacks member"),
        (added(CHAIN, b"\n"), CHAIN, COUNT + 1, "this line is empty"),
        (added(CHAIN, b"x"), CHAIN, COUNT + 1, "this line is cut off"),
        (cut(CHAIN), CHAIN, COUNT, "this line is cut off"),
        (replaced(CHAIN, 3, b'{"at"', b'{ "at"'), CHAIN, 3, "not written in canonical form"),
        (replaced(CHAIN, 3, b'"v":1', b'"v":1,"v":1'), CHAIN, 3, "there twice"),
        (foreign_thread, CHAIN, COUNT + 1, "does not follow any earlier entry of its call"),
        (lambda given: given.changed(CHAIN, OTHER.of[CHAIN]), CHAIN, 1, "entry 1 (call.started) belongs to another tenant"),
        (lambda given: given.changed(RECEIPTS, OTHER.of[RECEIPTS]), RECEIPTS, 1, "belongs to another tenant"),
        (swapped(RECEIPTS, 1), RECEIPTS, 2, "another entry"),
        (replaced(RECEIPTS, 2, b'"completed"', b'"failed"'), RECEIPTS, 2, "does not have the hash"),
        (added(POLICIES, OTHER.of[POLICIES]), POLICIES, 2, "this policy belongs to another tenant"),
        (replaced(POLICIES, 1, b'["eu"]', b'["us"]'), POLICIES, 1, "does not have the digest that it says"),
        (replaced(REGISTRIES, 1, b"eu-llm", b"us-llm"), REGISTRIES, 1, "does not have the digest that it says"),
        (added(REGISTRIES, documented("policy", [])), REGISTRIES, 2, "exactly a digest and a registry"),
        (added("notices.jsonl", OTHER.of["consents.jsonl"]), "notices.jsonl", 1, "belongs to another tenant"),
        (added("certificates.jsonl", b"[]\n"), "certificates.jsonl", 1, "this is not a certificate"),
        (added("consents.jsonl", b"{]\n"), "consents.jsonl", 2, "this line cannot be read"),
        (added(KEY, b"x"), KEY, None, "not the key that signed"),
    ],
)
def test_even_who_signs_anew_cannot_change_it_unseen(
    change: Callable[[Parts], Parts], part: str, line: int | None, said: str
) -> None:
    """The manifest is signed over the changed parts, by the right key: the first broken place is named all the same."""
    changed = change(GOOD)
    with pytest.raises(BundleInvalid) as found:
        changed.verified()
    assert said in found.value.message
    assert (found.value.part, found.value.line) == (part, line)


@pytest.mark.parametrize("part", [part for part in PARTS if GOOD.of[part]])
def test_what_the_manifest_does_not_cover_is_not_taken(part: str) -> None:
    """A part that is longer or shorter than it was, or was changed where nothing else looks."""
    stated = GOOD.manifest()
    for changed in (added(part, GOOD.lines(part)[-1]), cut(part, len(GOOD.lines(part)[-1]))):
        with pytest.raises(BundleInvalid):
            changed(GOOD).verified(stated)
    with pytest.raises(BundleInvalid, match=r"consents\.jsonl: .*does not have the SHA-256"):
        replaced("consents.jsonl", 1, b"s1", b"s2")(GOOD).verified(stated)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (b"", "cannot be read"),
        (b"[]", "not a bundle of the format"),
        (b"\xff" * 10, "not UTF-8"),
        (b" " * 65_537, "larger than 65536 bytes"),
        (GOOD.manifest().replace(b"sordino.bundle/1", b"sordino.bundle/2"), "not a bundle of the format"),
        (GOOD.manifest().replace(b'"acme"', b'"acne"'), "the signature does not fit"),
        (GOOD.manifest().replace(b'"from"', b'"frum"'), "lacks something"),
        (GOOD.manifest().replace(b'"bytes":0', b'"bytes":-1', 1), "lacks something"),
        (GOOD.manifest().replace(b"consents.jsonl", b"consent5.jsonl"), "lacks something"),
        (GOOD.manifest().replace(b"Ed25519", b"Ed25518"), "the signature is not of the algorithm Ed25519"),
        (GOOD.manifest(key=OTHER_KEY), "not by the key that you gave"),
    ],
)
def test_a_manifest_that_is_not_ours_is_told(stated: bytes, said: str) -> None:
    """Nothing else is read then."""
    with pytest.raises(BundleInvalid, match=said) as found:
        GOOD.verified(stated, trusted=PUBLIC)
    assert found.value.part == MANIFEST


@pytest.mark.parametrize(
    "span",
    [{"entries": 1}, {"last": COUNT + 1}, {"head": "sha256:0"}, {"first": 2}, {"before": genesis(TenantId("other"))}],
)
def test_the_manifest_speaks_the_truth_of_the_chain(span: dict[str, Any]) -> None:
    """How many entries, from where to where, between which hashes."""
    with pytest.raises(BundleInvalid) as found:
        GOOD.verified(GOOD.manifest(**span))
    assert found.value.part == CHAIN


def test_a_later_stretch_stands_by_itself_and_never_claims_to_be_the_first() -> None:
    """Cut at the front with a manifest that says so: good, calls that began before it included."""
    later = Parts({**GOOD.of, CHAIN: b"".join(GOOD.lines(CHAIN)[4:])})
    bundle = later.verified()
    assert (bundle.entries, bundle.manifest["chain"]["first"]) == (COUNT - 4, 5)
    with pytest.raises(BundleInvalid, match="not the first of the chain"):
        later.verified(later.manifest(before=genesis(ACME)))


def test_an_entry_that_was_never_acted_on_is_counted() -> None:
    """The store took it, the gateway was not told, and went on from the entry before it."""
    lines = GOOD.lines(CHAIN)
    one, last = json.loads(lines[-4]), json.loads(lines[-1])
    draft = Draft(ACME, one["call"], "note", NOON, {}, one["hash"])
    more = seal_written(draft, COUNT + 1, last["hash"])[1] + b"\n"
    assert GOOD.changed(CHAIN, GOOD.of[CHAIN] + more).verified().strays == 1


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_byte_can_be_changed(data: st.DataObject) -> None:
    """Whichever part, whichever byte, to whatever, or taken out, or put in: it is always the typed error."""
    part = data.draw(st.sampled_from([MANIFEST, *(name for name in PARTS if GOOD.of[name])]))
    whole = GOOD.manifest() if part == MANIFEST else GOOD.of[part]
    at = data.draw(st.integers(0, len(whole) - 1))
    piece = data.draw(st.binary(max_size=2))
    changed = whole[:at] + piece + whole[at + 1 :]
    # White space around the manifest means nothing, wherever JSON has it.
    if changed == whole or (part == MANIFEST and not piece.strip() and changed.strip() == whole.strip()):
        return
    given_parts, stated = (GOOD, changed) if part == MANIFEST else (GOOD.changed(part, changed), GOOD.manifest())
    with pytest.raises(BundleInvalid):
        given_parts.verified(stated)
