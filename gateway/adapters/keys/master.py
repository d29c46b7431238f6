"""The master keys of a gateway: one, and while it is changed the one before and the one after it as well."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateway.adapters.keys.envelope import MasterKey
from gateway.adapters.keys.files import KEY_BYTES, read_key, read_or_create_key
from gateway.errors import Misconfigured, StoreUnavailable
from gateway.locks import MASTER, KeyLock, does_not_open
from gateway.values import CallId, Private, TenantId

NEXT, PREVIOUS = ".next", ".previous"
"""What the names of the files end with that lie beside the master key's while it is changed."""

Read = Callable[[], tuple[bytes, ...]]
"""Every master key that there is now, the current one first."""


class MasterKeys:
    """Implements ``gateway.locks.MasterLocks``. Keys that were put in place meanwhile are found when they are needed."""

    def __init__(self, read: Read, refresh: Callable[[], Awaitable[None]] | None = None) -> None:
        """``refresh``: what must have been awaited before ``read`` tells of keys that were put in place meanwhile.

        Raises Misconfigured.
        """
        self._read = read
        self._refresh = refresh
        self._known: dict[str, tuple[KeyLock, MasterKey]] = {}
        self._current = self._look()

    @classmethod
    def fixed(cls, *keys: bytes) -> MasterKeys:
        """These and no others, the current one first."""
        return cls(lambda: keys)

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> MasterKeys:
        """Raises Misconfigured: see ``gateway.adapters.keys.files``."""
        if create:
            read_or_create_key(path)
        return cls(lambda: _of_files(path))

    @classmethod
    def from_secret(cls, secret: Private[str], following: Private[str] | None = None) -> MasterKeys:
        """From values of the environment, in base64. ``following``: the key that takes its place. Raises Misconfigured."""
        texts = [("SORDINO_MASTER_KEY", secret), *([("SORDINO_MASTER_KEY_NEXT", following)] if following else [])]
        keys = tuple(_decoded(name, text) for name, text in texts)
        return cls(lambda: keys)

    def current(self) -> KeyLock:
        self._current = self._look()
        return self._known[self._current][0]

    async def refresh(self) -> None:
        if self._refresh is not None:
            await self._refresh()

    def of(self, lock_id: str) -> KeyLock:
        if lock_id not in self._known:
            self._current = self._look()
        if lock_id not in self._known:
            raise does_not_open()
        return self._known[lock_id][0]

    def unwrap(self, wrapped: bytes, *, tenant: TenantId, call: CallId, kind: str) -> bytes:
        failed = does_not_open()
        for _, old in self._known.values():
            try:
                return old.unwrap(wrapped, tenant=tenant, call=call, kind=kind)
            except StoreUnavailable as error:
                failed = error
        raise failed

    def secret(self) -> Private[bytes]:
        """The current key itself: what older gateways derived other keys from. Raises Misconfigured."""
        return Private(self._read()[0])

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the keys that there are, the current one first. Raises Misconfigured."""
        return tuple(KeyLock(MASTER, Private(key)).id for key in self._read())

    def _look(self) -> str:
        keys = [(KeyLock(MASTER, Private(key)), MasterKey(key)) for key in self._read()]
        self._known = {lock.id: (lock, old) for lock, old in keys}
        return keys[0][0].id

    def __repr__(self) -> str:
        return f"MasterKeys(current={self._current})"


def _of_files(path: Path) -> tuple[bytes, ...]:
    while True:
        first = read_key(path)
        beside = [read_key(each) for name in (NEXT, PREVIOUS) if (each := path.with_name(path.name + name)).exists()]
        # The next key takes its place by a rename: who read before and after it has missed none of them.
        if read_key(path) == first:
            return (first, *(key for key in beside if key != first))


def _decoded(name: str, text: Private[str]) -> bytes:
    try:
        key = base64.b64decode(text.reveal().strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            f"{name} does not hold {KEY_BYTES} bytes in base64", hint="make one: head -c 32 /dev/urandom | base64"
        )
    return key
