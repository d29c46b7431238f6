"""What was spoken as keyed hashes: what stands for a person who is known by an e-mail address or a customer's number.

HMAC-SHA256 (RFC 2104) under a key of the tenant, which HKDF (RFC 5869) derives from the key that no rotation changes. The kind
is hashed with the value, so that a customer's number and a telephone number of the same digits are two persons.
"""

from __future__ import annotations

import hashlib
import hmac

from gateway.adapters.keys.derived import DerivedKeys
from gateway.values import Private, TenantId

PREFIX = "spoken_"
"""What tells such a hash from that of a number: the two can never be the same person's name by chance or on purpose."""
_PURPOSE = b"sordino spoken identity hash 1\x00"


class SpokenHash:
    """``hashes(tenant, kind, form)``: ``spoken_`` and 64 hexadecimal digits, others at another tenant."""

    def __init__(self, key: Private[bytes]) -> None:
        """``key``: at least 32 bytes."""
        self._keys = DerivedKeys(key, _PURPOSE)

    def __call__(self, tenant: TenantId, kind: str, form: Private[str]) -> str:
        """``form``: the one form of the value (``gateway.redaction.identity``)."""
        said = f"{kind}\x00{form.reveal()}".encode("utf-8", "surrogatepass")
        return PREFIX + hmac.new(self._keys.of(tenant), said, hashlib.sha256).hexdigest()
