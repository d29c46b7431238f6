"""The gateway signs with a key of its own and leaves the public half where an auditor can be given it."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.keys.signing import SigningKey
from gateway.evidence.keys import key_id, read_public_key, signature_holds
from gateway.evidence.receipt import build, verify
from tests.evidence.samples import entries


def test_what_it_signs_holds_under_its_public_key_only(tmp_path: Path) -> None:
    key, other = (SigningKey.from_file(tmp_path / name, create=True) for name in ("one.key", "two.key"))
    assert signature_holds(key.public_key, key.sign(b"message"), b"message")
    assert not signature_holds(key.public_key, key.sign(b"message"), b"massage")
    assert not signature_holds(other.public_key, key.sign(b"message"), b"message")


def test_the_public_half_lies_beside_it_and_verifies_a_receipt(tmp_path: Path) -> None:
    key = SigningKey.from_file(tmp_path / "keys" / "signing.key", create=True)
    public = read_public_key((tmp_path / "keys" / "signing.pub").read_bytes())
    receipt = build(entries(), sign=key.sign, public_key=key.public_key)
    assert verify(receipt.to_json(), public).key_id == key.id == key_id(public)


def test_the_next_start_has_the_same_key_and_puts_back_a_public_half_that_is_gone_or_wrong(tmp_path: Path) -> None:
    key = SigningKey.from_file(tmp_path / "signing.key", create=True)
    for wrong in (b"\xff wrong", None):
        (tmp_path / "signing.pub").unlink()
        if wrong is not None:
            (tmp_path / "signing.pub").write_bytes(wrong)
        again = SigningKey.from_file(tmp_path / "signing.key", create=True)
        assert again.public_key == key.public_key == read_public_key((tmp_path / "signing.pub").read_bytes())


def test_it_shows_only_its_name(tmp_path: Path) -> None:
    key = SigningKey.from_file(tmp_path / "signing.key", create=True)
    assert repr(key) == f"SigningKey(id={key.id})"
