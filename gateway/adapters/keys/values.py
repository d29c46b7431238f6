"""Values as keyed hashes: evidence can say that one was replaced by another, and nobody can guess either from it.

HMAC-SHA256 (RFC 2104) under a key of the tenant, which HKDF (RFC 5869) derives from the key that no rotation changes. Names and
addresses are few enough to try them all, so a plain hash would hide nothing.
"""

from __future__ import annotations

import hashlib
import hmac

from gateway.adapters.keys.derived import DerivedKeys
from gateway.values import Private, TenantId

_PURPOSE = b"sordino value hash 1\x00"


class ValueHash:
    """``hashes(tenant, value)``: 64 hexadecimal digits, another one at another tenant."""

    def __init__(self, key: Private[bytes]) -> None:
        """``key``: at least 32 bytes."""
        self._keys = DerivedKeys(key, _PURPOSE)

    def __call__(self, tenant: TenantId, value: Private[str]) -> str:
        return hmac.new(self._keys.of(tenant), value.reveal().encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
