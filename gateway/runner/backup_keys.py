"""The keys of one backup: each section has its own, for this file alone (HKDF, RFC 5869).

All come from a secret of the file, which the master key locks. A tenant's data needs the tenant's backup key as well, which is on
the shelf like any key of the tenant: where that is destroyed, the section of every old backup is as good as random bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.adapters.audit.backup_file import DATA, MANIFEST_KEY, Header, Section
from gateway.errors import BackupInvalid, StoreUnavailable
from gateway.locks import KEY_BYTES, KeyShelf, MasterLocks, fresh_key
from gateway.values import CallId, Private, TenantId

KIND = "backup"
OF_TENANT = CallId("backup")
"""Under this name, where others have a call's id, a tenant's backup key is on the shelf."""
_PURPOSE = b"sordino backup 1"


def new_secret(masters: MasterLocks, backup: str) -> tuple[str, bytes, Private[bytes]]:
    """For a new file: which master key locks its secret, that secret locked, and itself. Raises Misconfigured."""
    lock, secret = masters.current(), fresh_key()
    return lock.id, lock.lock(KIND, secret, KIND, backup), secret


def secret_of(header: Header, masters: MasterLocks) -> Private[bytes]:
    """Raises BackupInvalid: none of our master keys opens it."""
    try:
        return masters.of(header.key_id).open(header.secret, KIND, header.id)
    except StoreUnavailable:
        raise BackupInvalid(
            f"this backup needs the master key {header.key_id}, and it is not here",
            hint="put the key that the gateway had when it was made beside the present one, as its file's name and .previous",
        ) from None


async def tenant_key(shelf: KeyShelf, tenant: TenantId, *, create: bool) -> Private[bytes] | None:
    """The tenant's backup key; None: it was destroyed. Raises StoreUnavailable."""
    return await shelf.key(tenant, OF_TENANT, KIND, create=create)


def keys_of(
    secret: Private[bytes], sections: Sequence[Section], of_tenant: Mapping[TenantId, Private[bytes] | None]
) -> dict[int, bytes | None]:
    """The key of each section, and of the manifest."""
    keys: dict[int, bytes | None] = {MANIFEST_KEY: _derived(secret, None, "manifest", "")}
    for number, section in enumerate(sections):
        theirs = of_tenant.get(section.tenant) if section.part == DATA else None
        gone = section.part == DATA and theirs is None
        keys[number] = None if gone else _derived(secret, theirs, section.part, section.tenant)
    return keys


def _derived(secret: Private[bytes], also: Private[bytes] | None, part: str, tenant: str) -> bytes:
    info = b"\0".join([_PURPOSE, part.encode(), tenant.encode()])
    material = secret.reveal() + (b"" if also is None else also.reveal())
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(material)
