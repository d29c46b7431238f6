"""What a file is that is no evidence, for who gave the wrong one: its kind by its first bytes, and what to give instead."""

from __future__ import annotations

from pathlib import Path

from gateway.adapters.audit.backup_file import MAGIC as BACKUP
from gateway.adapters.audit.backup_file import read_header
from gateway.adapters.recordings.format import MAGIC as RECORDING
from gateway.errors import BackupInvalid

GIVE = "give a receipt (JSON), a bundle (sordino evidence export), a proof or a certificate"
_TRY_BACKUP = "sordino backup drill tries whether it comes back"
_BEGINNINGS = (
    (RECORDING, "the sound of a call, locked"),
    (b"RIFF", "a sound file (WAV)"),
    (b"-----BEGIN", "a key or a certificate in PEM: a public key is given with --key"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
)
_LOOK = 4096


def other_kind(path: Path) -> str:
    """What the file is, and what to give, in one sentence; empty: it may be JSON, whose reader says what is wrong in it.

    Raises OSError.
    """
    with path.open("rb") as file:
        beginning = file.read(_LOOK)
    if beginning.startswith(BACKUP):
        return f"this is {_of_backup(path)}, not evidence: {GIVE}"
    for start, what in _BEGINNINGS:
        if beginning.startswith(start):
            return f"this is no evidence, but {what}; {GIVE}"
    if beginning.lstrip().startswith(b"{"):
        return ""  # JSON, perhaps altered: its reader names the place
    return f"this is a binary file, and no evidence: {GIVE}" if _is_binary(beginning) else ""


def _of_backup(path: Path) -> str:
    try:
        sealed = read_header(path).id.startswith("keys_")
    except BackupInvalid:
        return f"a backup whose header was cut off or altered ({_TRY_BACKUP})"
    return "a backup's sealed keys" if sealed else f"a backup ({_TRY_BACKUP})"


def _is_binary(beginning: bytes) -> bool:
    if b"\0" in beginning:
        return True
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end < len(beginning)  # a letter may go on behind the part that was read
    return False
