"""Numbers as keyed hashes: what stands for a person in stores and evidence, where no number may stand in clear.

HMAC-SHA256 (RFC 2104) under a key of the tenant, which HKDF (RFC 5869) derives from the identity key
(``gateway.adapters.stores.identity``). Telephone numbers are few enough to try them all, so a plain hash would hide nothing;
without the identity key, which the master key locks, this one does.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from gateway.adapters.keys.derived import DerivedKeys
from gateway.policy.phone import e164
from gateway.values import Private, TenantId

Home = Callable[[TenantId], str]
"""The country (two letters) of a tenant's numbers in national form; empty: not known."""
_PURPOSE = b"sordino subject hash 1\x00"


class SubjectHash:
    """``hashes(tenant, number)``: one hash for all spellings of a number. The same person has another one at another tenant
    (promise 27).
    """

    def __init__(self, key: Private[bytes], home: Home = lambda _: "") -> None:
        """``key``: the identity key, at least 32 bytes."""
        self._keys = DerivedKeys(key, _PURPOSE)
        self._home = home

    def __call__(self, tenant: TenantId, number: Private[str]) -> str:
        """64 hexadecimal digits.

        Raises:
            InvalidRequest: no number, or one in national form where no home is known. The message does not repeat it.
        """
        text = e164(number, self._home(tenant)).reveal()
        return hmac.new(self._keys.of(tenant), text.encode("ascii"), hashlib.sha256).hexdigest()
