"""The machine itself: its clock, its randomness, its secrets."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import Misconfigured
from gateway.values import Private

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that is read as a digit."""
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,79}")
_OTHERS_MAY_READ = 0o077


class SystemClock:
    """Implements ``gateway.ports.Clock``."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class RandomIds:
    """Implements ``gateway.ports.Ids``: 48 bits of time in ms, then 80 random bits, as in a ULID."""

    def new(self, prefix: str) -> str:
        number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
        digits = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
        return f"{prefix}_{''.join(digits)}"


class Secrets:
    """Implements ``gateway.ports.Secrets``: an environment variable, or a file of that name in the secrets folder."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._env = os.environ if env is None else env

    def read(self, name: str) -> Private[str]:
        """Raises Misconfigured: there is none, it is empty, or others on this machine may read its file."""
        path = self._path(name)
        if value := self._env.get(name, "").strip():
            return Private(value)
        try:
            if path.stat().st_mode & _OTHERS_MAY_READ:
                raise Misconfigured(f"others may read the secret {name}", hint=f"chmod 600 {path}")
            value = path.read_text(encoding="utf-8").strip()
        except OSError:
            raise Misconfigured(f"the secret {name} is not set", hint=f"export {name}=… or write it into {path}") from None
        except UnicodeDecodeError:
            raise Misconfigured(f"the secret {name} is no text", hint=f"write it into {path} as UTF-8") from None
        if not value:
            # An empty key would be a key that everybody has.
            raise Misconfigured(f"the secret {name} is empty", hint=f"write it into {path}, or remove that file")
        return Private(value)

    def read_or_create(self, name: str) -> Private[str]:
        """The secret, or a fresh one (256 random bits, URL-safe) in its file. Raises Misconfigured when it cannot be written."""
        path = self._path(name)
        try:
            if not self._env.get(name, "").strip() and not path.exists():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write_whole(path, secrets.token_urlsafe(32))
        except OSError as error:
            raise Misconfigured(f"the secret {name} cannot be kept: {error.strerror}", hint="set SORDINO_DATA") from None
        return self.read(name)

    def _path(self, name: str) -> Path:
        if not _SECRET_NAME.fullmatch(name):
            raise Misconfigured(f"{name!r} is not the name of a secret", hint="name an environment variable: OPENAI_API_KEY")
        return self._folder / name


def _write_whole(path: Path, text: str) -> None:
    """The whole file, mode 0600, unless there is one already: two that begin at once agree on the first one's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
