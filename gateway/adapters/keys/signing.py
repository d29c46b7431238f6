"""The gateway's Ed25519 key (RFC 8032), which signs receipts."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.adapters.keys.files import read_key, read_or_create_key
from gateway.errors import Misconfigured
from gateway.evidence.keys import key_id, public_key_pem


class SigningKey:
    """``sign`` and ``public_key`` are what ``gateway.evidence.receipt.build`` asks for."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()
        """Raw, 32 bytes."""

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> SigningKey:
        """Reads the key, and leaves its public half beside it as ``<name>.pub`` (PEM): that is the file for auditors.

        Raises:
            Misconfigured: see ``gateway.adapters.keys.files``.
        """
        key = cls(read_or_create_key(path) if create else read_key(path))
        if create:
            key._leave_public_half(path.with_suffix(".pub"))
        return key

    @property
    def id(self) -> str:
        return key_id(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)

    def _leave_public_half(self, path: Path) -> None:
        pem = public_key_pem(self.public_key)
        try:
            if path.exists() and path.read_text(encoding="ascii", errors="replace") == pem:
                return
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            draft.write_text(pem, encoding="ascii")
            draft.replace(path)
        except OSError as error:
            raise Misconfigured(f"the public key {path} cannot be written: {error.strerror}") from None

    def __repr__(self) -> str:
        return f"SigningKey(id={self.id})"
