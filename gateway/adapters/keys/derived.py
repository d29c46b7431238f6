"""A key of each tenant that HKDF (RFC 5869) derives from the one that no rotation changes: for hashes that must stay the same."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.values import Private, TenantId

LEAST_BYTES = 32


class DerivedKeys:
    """``keys.of(tenant)``: 32 bytes, others for another tenant or purpose (promise 27)."""

    def __init__(self, key: Private[bytes], purpose: bytes) -> None:
        """``key``: at least 32 bytes."""
        if len(key.reveal()) < LEAST_BYTES:
            raise ValueError(f"keys are derived from one of at least {LEAST_BYTES} bytes")
        self._key = key
        self._purpose = purpose
        self._of_tenant: dict[TenantId, bytes] = {}

    def of(self, tenant: TenantId) -> bytes:
        key = self._of_tenant.get(tenant)
        if key is None:
            info = self._purpose + tenant.encode()
            key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(self._key.reveal())
            self._of_tenant[tenant] = key
        return key
