"""The quick way of reading evidence says yes only where the careful one does, whatever was done to the text."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BundleInvalid, EvidenceInvalid
from gateway.evidence import lines, quick
from gateway.evidence.canonical import MAX_INT, canonical, parse
from gateway.evidence.chain import CallChain, genesis, seal_written
from gateway.evidence.facts import KINDS, check_body, is_body
from gateway.evidence.lines import BLOCK, Walk, read_quickly, split
from gateway.values import CallId
from tests.evidence.bundles import parts
from tests.evidence.samples import ACME, NOON, WHOLE

ENTRIES = [line.rstrip(b"\n") for line in parts().lines("chain.jsonl")]
HASH = b'"hash":"'

leaves = (
    st.none() | st.booleans() | st.integers() | st.integers(0, 9) | st.floats() | st.text() | st.sampled_from(["mark", "none"])
)
trees = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)

PIECES = [
    *(b'"', b" ", b"\t", b"1", b"0", b"-", b"-0", b"00", b"e", b"E1", b".0", b".5", b"1e5", b"12345678901234567890", b"NaN"),
    *(b"{", b"}", b"[", b"]", b"[]", b",", b":", b"null", b"true", b"\\", b"\\u0041", b"\\u00e9", b"\\/", b"\\n", b"\\ud83d"),
    *(b"\xc3\xa9", b"\xc3", b"\xef\xbf\xbd", b"\xf0\x9f\x98\x80", b"\x7f", b"\x00", b'"v":1,', b'"v":1}', b'"hash":"', b'"a":1,'),
]


def rehashed(line: bytes) -> bytes:
    """The line with the hash that fits all the rest of it, so that nothing is refused for its hash alone."""
    before, said, behind = line.rpartition(HASH)
    rest = behind[len("sha256:") + 64 :]
    return before + said + b"sha256:" + sha256(before + rest[2:]).hexdigest().encode() + rest


def careful(line: bytes) -> Any:
    """What the careful way reads; None for what it refuses."""
    try:
        return lines._carefully(line)
    except EvidenceInvalid:
        return None


def chain(count: int) -> list[bytes]:
    """Lines of a chain from its beginning: whole calls, one after the other."""
    last, found = genesis(ACME), list[bytes]()
    for number in range(count):
        call = CallChain(ACME, CallId(f"call_{number}"))
        for kind, body in WHOLE:
            entry, line = seal_written(call.draft(kind, NOON, body), len(found) + 1, last)
            last = call.add(entry).hash
            found.append(line)
    return found


CHAIN = chain(18)


def walked(data: bytes) -> Walk:
    walk = Walk(ACME, genesis(ACME))
    walk.over(lambda: split([data], "chain.jsonl", lines.LONGEST_LINE), lambda _: None)
    return walk


def test_every_entry_that_a_gateway_writes_is_read_the_quick_way() -> None:
    """One by one and together, with the very members that the careful way reads."""
    assert [read_quickly([line]) for line in ENTRIES] == [[careful(line)] for line in ENTRIES]
    assert read_quickly(CHAIN) == [careful(line) for line in CHAIN]


@pytest.mark.parametrize("name", ["é", "Zürich, 日本", "\u007f\u2028\ufffd", '\n\t"\\/\u0001'])
def test_letters_of_every_day_are_read_quickly(name: str) -> None:
    """A processor's name may have them."""
    assert quick.read(canonical({name: name, "a": [name]})) == {name: name, "a": [name]}


def test_names_that_two_orders_sort_differently_go_the_careful_way() -> None:
    """RFC 8785 sorts by UTF-16 code units, the quick writer by UTF-8: they differ for a letter beyond U+FFFF."""
    text = canonical({"\U0001f600": 1, "\ufffd": 2})
    other = quick.write(json.loads(text))
    assert other != text
    assert [quick.read(text), quick.read(other)] == [None, None]


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_of_an_entry_with_some_bytes_changed_the_quick_way_accepts_no_more_than_the_careful_one(data: st.DataObject) -> None:
    """Bytes flipped, put in, taken out, or said twice; with the hash that fits what then stands there."""
    line = data.draw(st.sampled_from(ENTRIES))
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(line)))
        upto = at + data.draw(st.integers(0, 3))
        piece = data.draw(
            st.sampled_from(PIECES) | st.binary(max_size=2) | st.just(line[at : at + data.draw(st.integers(0, 40))])
        )
        line = line[:at] + piece + line[upto:]
    line = data.draw(st.sampled_from([line, rehashed(line)]))
    found = read_quickly([line])
    assert found is None or found == [careful(line)]


@settings(max_examples=200, deadline=None)
@given(tree=trees, ascii_only=st.booleans(), sorted_names=st.booleans(), spaces=st.sampled_from([",:", ", :", ",: "]))
def test_a_text_that_is_read_quickly_is_canonical(tree: Any, ascii_only: bool, sorted_names: bool, spaces: str) -> None:
    """And what is canonical, without rare letters and not too deep, is read quickly."""
    separators = (spaces[: spaces.index(":")], spaces[spaces.index(":") :])
    written = json.dumps(tree, ensure_ascii=ascii_only, sort_keys=sorted_names, separators=separators)
    text = written.encode("utf-8", "surrogatepass")
    try:
        value = parse(text)
        plainly = canonical(value) == text and value is not None
    except EvidenceInvalid:
        value, plainly = None, False
    found = quick.read(text)
    if found is not None:
        assert plainly
        assert found == value
    elif plainly:
        assert any(ord(letter) > 0xFFFF for letter in written)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e5}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":%d}' % (MAX_INT + 1),
        b'{"a":-%d}' % (MAX_INT + 1),
        b'{"a":%d}' % 2**70,
        b'{"a":"\\u0041"}',
        b'{"a":"\\/"}',
        b'{"a":"\\u00e9"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'{"a": 1}',
        b'{"a":1} ',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":NaN}',
        b'{"a":1',
        b"",
        b'{"a":' + b"[" * 63 + b"]" * 63 + b"}",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"[" * 100_000,
    ],
)
def test_what_is_not_plainly_canonical_is_not_read_quickly(text: bytes) -> None:
    """Twice the same member, another order or spelling, fractions, large numbers, broken or deep texts: nothing raises."""
    assert quick.read(text) is None
    assert read_quickly([text]) is None


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_body_fits_its_kind_quickly_where_the_careful_check_finds_no_fault(data: st.DataObject) -> None:
    """And only there: for bodies that a JSON reader gave, both say the same."""
    kind = data.draw(st.sampled_from([*KINDS, "a.kind.of.tomorrow"]))
    names = [*KINDS.get(kind, {}), "frames_dropped", "keys_dropped", "refused", "policy_digest", "more"]
    samples = [body for known, body in WHOLE if known == kind]
    body: dict[str, Any] = json.loads(json.dumps(data.draw(st.sampled_from([*samples, {}]))))
    likely = st.sampled_from(
        ["text", 0, 5, -1, True, False, None, [], ["text"], [1], {}, {"n": 1}, {"n": -1}, "none", "completed"]
    )
    body |= data.draw(st.dictionaries(st.sampled_from(names), likely | leaves, max_size=3 if samples else len(names)))
    if kind == "hop" and isinstance(grant := body.get("grant"), dict) and grant:
        grant[data.draw(st.sampled_from(sorted(grant)))] = data.draw(likely)
    try:
        check_body(kind, body)
    except EvidenceInvalid:
        assert not is_body(kind, body)
    else:
        assert is_body(kind, body)


def test_a_chain_of_many_blocks_is_walked_whole() -> None:
    """Its last link, its number of entries."""
    walk = walked(b"\n".join(CHAIN) + b"\n")
    assert (walk.count, walk.seq, walk.head) == (len(CHAIN), len(CHAIN), json.loads(CHAIN[-1])["hash"])
    assert len(CHAIN) > 2 * BLOCK


@pytest.mark.parametrize("at", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5, len(CHAIN) - 1])
@pytest.mark.parametrize("what", ["altered", "altered and hashed again", "taken out", "twice", "of another tenant"])
def test_the_first_broken_line_is_named_wherever_it_stands_in_its_block(at: int, what: str) -> None:
    """Even if the file is also cut off behind it."""
    changed = rehashed(CHAIN[at].replace(b"2026-11-01T12", b"2026-11-01T13"))
    other = rehashed(CHAIN[at].replace(b'"tenant":"acme"', b'"tenant":"acne"'))
    put = {
        "altered": [CHAIN[at].replace(b"2026-11-01T12", b"2026-11-01T13")],
        "altered and hashed again": [changed],
        "taken out": [],
        "twice": [CHAIN[at], CHAIN[at]],
        "of another tenant": [other],
    }[what]
    found = [*CHAIN[:at], *put, *CHAIN[at + 1 :]]
    with pytest.raises(BundleInvalid) as error:
        walked(b"\n".join(found) + b"\n{")
    line = at + 2 if what in {"altered and hashed again", "twice"} else at + 1
    assert error.value.line == line
    assert ("cut off" in error.value.message) == (line > len(found))
