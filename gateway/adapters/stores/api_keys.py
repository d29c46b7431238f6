"""Access keys: who may use the control interface, in which role, for which tenants and until when.

A key is ``sak_`` and 43 characters: 256 random bits, shown once. The store has its SHA-256 only (see ``tenant_keys``), in the
hash ``sordino:{_house}:access-keys``. No tenant can be called ``_house``: their names have no underscore.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import InvalidRequest, NotFound, StoreUnavailable
from gateway.policy.roles import EVERY_TENANT, Held, Principal, Role, rights_of, role_of
from gateway.values import Private

HOUSE = "_house"
PREFIX = "sak_"
SECRET_BYTES = 32
PERSON, SERVICE, BREAK_GLASS = "person", "service", "break-glass"
LONGEST_LIFE = timedelta(days=366)
_KEY = re.compile(r"sak_[A-Za-z0-9_-]{43}", re.ASCII)
_NAME = re.compile(r"[\w .-]{0,64}", re.ASCII)
_REPLACE = Script("""
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
""")
"""Writes a record in the place of the one that was read: a key that somebody revokes meanwhile stays revoked."""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key without its secret. Times are RFC 3339; ``revoked_at`` is empty for one that is not."""

    id: str
    kind: str
    """``person``, ``service`` or ``break-glass``."""
    name: str
    role: str
    tenants: tuple[str, ...]
    created_at: str
    expires_at: str
    rights: tuple[str, ...] = ()
    """Which of the role's rights; empty: all of them."""
    revoked_at: str = ""
    reason: str = ""
    """Why the glass was broken."""

    def usable(self, now: datetime) -> bool:
        return not self.revoked_at and now < datetime.fromisoformat(self.expires_at)

    @property
    def principal(self) -> Principal:
        role = Role(self.role)
        only = rights_of(self.rights, role) if self.rights else None
        broke = self.kind == BREAK_GLASS
        return Principal(self.id, self.kind, (Held(role, frozenset(self.tenants), only),), self.reason, broke)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new key is to be."""

    role: str
    tenants: tuple[str, ...]
    lives: timedelta
    name: str = ""
    kind: str = PERSON
    rights: tuple[str, ...] = ()
    reason: str = ""

    def checked(self) -> Wish:
        """Raises InvalidRequest."""
        role = role_of(self.role)
        rights_of(self.rights, role)
        if self.kind not in (PERSON, SERVICE, BREAK_GLASS):
            raise InvalidRequest("there is no such kind of key", hint=f"choose from {PERSON}, {SERVICE}")
        if self.kind == SERVICE and role is not Role.SERVICE:
            raise InvalidRequest("a program gets the role service", hint="give a key for a person, or choose --role service")
        if not self.tenants or (EVERY_TENANT in self.tenants and len(self.tenants) > 1):
            raise InvalidRequest("a key is for tenants by their names, or for all", hint='name them, or write "*" alone')
        for tenant in self.tenants:
            if tenant != EVERY_TENANT:
                names.checked(tenant)
        if not _NAME.fullmatch(self.name):
            raise InvalidRequest("the key's name is not plain text", hint="use up to 64 letters, digits, spaces, `.`, `_`, `-`")
        if not timedelta(0) < self.lives <= LONGEST_LIFE:
            raise InvalidRequest("a key lives for up to 366 days", hint="rotate it before: sordino access keys rotate")
        return replace(self, rights=tuple(sorted(set(self.rights))), tenants=tuple(sorted(set(self.tenants))))


class AccessKeys:
    """The access keys of one store. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._place = names.key(HOUSE, "access-keys")

    async def create(self, wish: Wish, *, now: datetime) -> tuple[AccessKey, Private[str]]:
        """A new key, and its secret form: it is nowhere else, and cannot be shown again. Raises InvalidRequest."""
        wish = wish.checked()
        secret = Private(PREFIX + secrets.token_urlsafe(SECRET_BYTES))
        key = AccessKey(
            id=f"key_{secrets.token_hex(8)}",
            kind=wish.kind,
            name=wish.name,
            role=wish.role,
            tenants=wish.tenants,
            created_at=now.isoformat(),
            expires_at=(now + wish.lives).isoformat(),
            rights=wish.rights,
            reason=wish.reason,
        )
        await self._write(secret.map(_digest), key)
        return key, secret

    async def find(self, secret: Private[str], *, now: datetime) -> AccessKey | None:
        """The usable key of that secret."""
        if not secret.map(_is_key).reveal():
            return None
        stored: Any = await self._store.ask("HGET", self._place, secret.map(_digest).reveal())
        key = _key(stored) if stored else None
        return key if key is not None and key.usable(now) else None

    async def all(self) -> list[AccessKey]:
        """Every key that there was, the oldest first."""
        return sorted((key for _, key in await self._all()), key=lambda key: (key.created_at, key.id))

    async def revoke(self, key_id: str, *, now: datetime) -> AccessKey:
        """From now on nobody is let in by it. Raises NotFound."""
        digest, key = await self._find(key_id)
        if key.revoked_at:
            return key
        gone = replace(key, revoked_at=now.isoformat())
        await self._write(Private(digest), gone, instead_of=key)
        return gone

    async def rotate(self, key_id: str, *, now: datetime, grace: timedelta = timedelta(0)) -> tuple[AccessKey, Private[str]]:
        """A new key for the same, for as long; the old one is good for ``grace`` more. Raises NotFound, InvalidRequest."""
        digest, old = await self._find(key_id)
        if not old.usable(now) or old.kind == BREAK_GLASS:
            raise InvalidRequest("that key is no longer good, or was for minutes only", hint="create a new one")
        lives = datetime.fromisoformat(old.expires_at) - datetime.fromisoformat(old.created_at)
        wish = Wish(old.role, old.tenants, lives, old.name, old.kind, old.rights)
        fresh, secret = await self.create(wish, now=now)
        until = min(now + grace, datetime.fromisoformat(old.expires_at))
        left = replace(old, expires_at=until.isoformat()) if grace else replace(old, revoked_at=now.isoformat())
        await self._write(Private(digest), left, instead_of=old)
        return fresh, secret

    async def _all(self) -> list[tuple[str, AccessKey]]:
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(self._place)
        return [(digest.decode(), _key(record)) for digest, record in stored.items()]

    async def _find(self, key_id: str) -> tuple[str, AccessKey]:
        for digest, key in await self._all():
            if key.id == key_id:
                return digest, key
        raise NotFound("there is no such access key", hint="sordino access keys list")

    async def _write(self, digest: Private[str], key: AccessKey, *, instead_of: AccessKey | None = None) -> None:
        before = _line(instead_of) if instead_of else ""
        if not await self._store.run(_REPLACE, [self._place], digest.reveal(), before, _line(key)):
            raise StoreUnavailable("somebody else has changed that key just now", hint="look at it, and try again")


def held_for(tenants: Iterable[str]) -> tuple[str, ...]:
    """Tenants as a key names them; nobody: all."""
    return tuple(tenants) or (EVERY_TENANT,)


def _is_key(secret: str) -> bool:
    return _KEY.fullmatch(secret) is not None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _line(key: AccessKey) -> str:
    return json.dumps(asdict(key), sort_keys=True)


def _key(stored: bytes) -> AccessKey:
    fields = json.loads(stored)
    return AccessKey(**{**fields, "tenants": tuple(fields["tenants"]), "rights": tuple(fields["rights"])})
