"""What commands share that check files of evidence: the key in the verifier's own hand, and text that is safe on a terminal."""

from __future__ import annotations

from pathlib import Path

from gateway.evidence.keys import read_public_key


def trusted_key(given: str | None) -> bytes | None:
    """The raw public key of ``--key``: a PEM file, or the key's base64 text; None where it was not given.

    Raises:
        EvidenceInvalid: it is neither. OSError: the file cannot be read.
    """
    if given is None:
        return None
    path = Path(given)
    return read_public_key(path.read_bytes() if path.exists() or given.endswith((".pub", ".pem")) else given.encode())


def safe(text: object) -> str:
    """Text for a terminal: whatever stands in a file, it cannot move the cursor or change the colours."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))
