"""Somebody outside sees the head of a chain: an authority that stamps it, or a second place. What is no proof is refused."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.adapters.audit.authority import Authority as Client
from gateway.adapters.audit.second_place import SecondPlace
from gateway.errors import EvidenceInvalid, Misconfigured, UpstreamFailed, UpstreamTimeout
from gateway.evidence.anchor import anchor, read_anchor, read_roots
from gateway.evidence.canonical import canonical
from gateway.evidence.head import head
from tests.adapters.audit.authorities import NEEDS_OPENSSL, authority
from tests.evidence.samples import ACME, KEY, NOON, PUBLIC

LAST = "sha256:" + "ab" * 32
ROOT = b"\1" * 32
HEAD = head(ACME, 3, ROOT, LAST, NOON, sign=KEY.sign, public_key=PUBLIC)


@NEEDS_OPENSSL
async def test_an_authority_stamps_a_head_and_learns_a_hash_only(tmp_path: Path) -> None:
    """Who trusts the authority has its time; who does not is told so; nothing of the tenant is in what it was asked."""
    async with authority(tmp_path / "tsa") as server, Client(server.url, read_roots(server.root)) as client:
        stamp = await client.see(HEAD)
        assert hashlib.sha256(canonical(HEAD)).digest() in server.asked[0]
        assert b"acme" not in server.asked[0]
        assert LAST[7:].encode() not in server.asked[0]
        found = read_anchor(anchor(HEAD, client.name, stamp), read_roots(server.root))
    assert (found.by, found.confirmed, found.head.size) == ("127.0.0.1", True, 3)
    assert found.at.startswith("20")
    assert not read_anchor(anchor(HEAD, "127.0.0.1", stamp)).confirmed


@NEEDS_OPENSSL
async def test_a_stamp_of_another_head_or_by_another_authority_is_refused(tmp_path: Path) -> None:
    """Also where the answer brings the other authority's certificates along."""
    async with authority(tmp_path / "a") as one, authority(tmp_path / "b") as other, Client(one.url) as client:
        stamp = await client.see(HEAD)
        with pytest.raises(EvidenceInvalid, match="not by an authority that you trust"):
            read_anchor(anchor(HEAD, "a", stamp), read_roots(other.root))
        later = head(ACME, 4, b"\1" * 32, LAST, NOON, sign=KEY.sign, public_key=PUBLIC)
        with pytest.raises(EvidenceInvalid, match="of something else than this head"):
            read_anchor(anchor(later, "a", stamp))
        async with Client(one.url, read_roots(other.root)) as careful:
            with pytest.raises(UpstreamFailed, match="not by an authority that you trust"):
                await careful.see(HEAD)


@NEEDS_OPENSSL
@pytest.mark.parametrize(
    ("manners", "says"),
    [
        ("broken", "answered with HTTP 503"),
        ("page", "answered with HTTP 200"),
        ("junk", "this is no time stamp"),
        ("endless", "larger than any"),
        ("replay", "answers another request"),
    ],
)
async def test_an_authority_that_misbehaves_is_a_failure_with_a_reason(tmp_path: Path, manners: str, says: str) -> None:
    """Its own words are not passed on."""
    async with authority(tmp_path / "tsa") as server, Client(server.url) as client:
        await client.see(HEAD)
        server.manners = manners
        with pytest.raises(UpstreamFailed, match=says) as refused:
            await client.see(HEAD)
    assert "secret words" not in str(refused.value)


@NEEDS_OPENSSL
async def test_a_silent_authority_is_not_waited_for_without_end(tmp_path: Path) -> None:
    async with authority(tmp_path / "tsa") as server, Client(server.url, timeout_s=0.2) as client:
        server.manners = "silent"
        with pytest.raises(UpstreamTimeout):
            await client.see(HEAD)


def test_an_authority_elsewhere_is_asked_over_tls_only() -> None:
    with pytest.raises(Misconfigured, match="SORDINO_TSA_URL"):
        Client("http://tsa.example/")


async def test_a_second_place_keeps_each_head_once(tmp_path: Path) -> None:
    """What is there is never replaced: who could rewrite the chain cannot rewrite it there by us."""
    place = SecondPlace(tmp_path / "elsewhere")
    assert await place.see(HEAD) == ""
    path = tmp_path / "elsewhere" / "acme" / "000000000003.json"
    assert json.loads(path.read_bytes()) == HEAD
    later = head(ACME, 3, ROOT, LAST, NOON + timedelta(hours=1), sign=KEY.sign, public_key=PUBLIC)
    assert await place.see(later) == "", "the same history, told at another time"
    assert json.loads(path.read_bytes()) == HEAD
    assert list(path.parent.iterdir()) == [path]
    assert read_anchor(anchor(HEAD, place.name)).at == HEAD["made"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UpstreamFailed, match="second place"):
        await SecondPlace(tmp_path / "file").see(HEAD)


@pytest.mark.parametrize(("root", "last"), [(b"\2" * 32, LAST), (ROOT, "sha256:" + "cd" * 32)])
async def test_a_second_place_that_has_seen_another_history_says_so(tmp_path: Path, root: bytes, last: str) -> None:
    """As many entries, and others: the chain was rewritten since, and the operator is told."""
    place = SecondPlace(tmp_path)
    await place.see(HEAD)
    with pytest.raises(EvidenceInvalid, match="the evidence of acme was rewritten: entry 3"):
        await place.see(head(ACME, 3, root, last, NOON, sign=KEY.sign, public_key=PUBLIC))
    assert json.loads((tmp_path / "acme" / "000000000003.json").read_bytes()) == HEAD


@pytest.mark.parametrize("text", [b"", b'{"root"', b"[]", b'{"size":3}'])
async def test_a_head_that_nobody_can_read_there_was_seen_by_nobody(tmp_path: Path, text: bytes) -> None:
    """Somebody was killed while it was written; it is not replaced, and not called seen."""
    path = tmp_path / "acme" / "000000000003.json"
    path.parent.mkdir()
    path.write_bytes(text)
    with pytest.raises(UpstreamFailed, match="in which there is none"):
        await SecondPlace(tmp_path).see(HEAD)
    assert path.read_bytes() == text


async def test_a_second_place_without_second_names_for_files_keeps_heads_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A share of another machine."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    for _ in range(2):
        assert await SecondPlace(tmp_path).see(HEAD) == ""
    assert [json.loads(each.read_bytes()) for each in (tmp_path / "acme").iterdir()] == [HEAD]
