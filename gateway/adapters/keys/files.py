"""Key files: 32 secret bytes in base64, readable by their owner alone."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path

from gateway.disk import sync_folder
from gateway.errors import Misconfigured

KEY_BYTES = 32


def read_key(path: Path) -> bytes:
    """The 32 bytes of a key file.

    Raises:
        Misconfigured: the file is missing, not a plain file, readable or writable by others than its owner, or does not hold
            32 bytes in base64. The message names the file and how to mend it, never what is in it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Misconfigured(
            f"the key file {path} does not exist", hint=f"make one: (umask 077; head -c 32 /dev/urandom | base64 > {path})"
        ) from None
    except OSError as error:
        raise Misconfigured(f"the key file {path} cannot be read: {error.strerror}") from None
    try:
        _check_owner_only(path, os.fstat(descriptor))
        text = os.read(descriptor, 4096)
    finally:
        os.close(descriptor)
    return _decode(path, text)


def read_or_create_key(path: Path) -> bytes:
    """Like ``read_key``; a missing file is made first, from the system's randomness, whole or not at all, mode 0600.

    Two gateways that start together end up with the same key. Raises Misconfigured, also when the file cannot be made.
    """
    if not path.exists():
        try:
            _create(path)
        except OSError as error:
            raise Misconfigured(f"the key file {path} cannot be made: {error.strerror}") from None
    return read_key(path)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # unlike a rename it never replaces the key that another gateway made first
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def _check_owner_only(path: Path, facts: os.stat_result) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise Misconfigured(f"the key file {path} is not a plain file")
    if facts.st_mode & 0o077:
        raise Misconfigured(
            f"the key file {path} is open to others than its owner (mode {stat.S_IMODE(facts.st_mode):04o})",
            hint=f"if nobody has read it: chmod 600 {path}; else make a new key",
        )


def _decode(path: Path, text: bytes) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise Misconfigured(
            f"the key file {path} does not hold {KEY_BYTES} bytes in base64",
            hint=f"make a new one: (umask 077; head -c 32 /dev/urandom | base64 > {path})",
        )
    return key
