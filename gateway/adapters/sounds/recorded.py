"""What is played without any processor: the announcements of a policy, the apology, the refusal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.audio import read_wav, resample
from gateway.errors import InvalidRequest, Misconfigured, PolicyUnavailable
from gateway.policy.announcing import Announcement
from gateway.values import Pcm

TELEPHONE_HZ = 8_000
APOLOGY = "apology"
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Sound:
    """A recording as it is played (8 kHz), and the digest of its file."""

    pcm: Pcm
    sha256: str


class Sounds:
    """Recordings by file name. Each is read once; a changed file is read again."""

    def __init__(self, find: Callable[[str], Path], spoken: Callable[[Announcement], Sound] | None = None) -> None:
        """``find``: where the file of that name stands; raises PolicyUnavailable when there is none.

        ``spoken``: the sound of an announcement without an asset; raises PolicyUnavailable while there is none.
        """
        self._find = find
        self._spoken = spoken
        self._read: dict[tuple[Path, int, int], Sound] = {}

    def asset(self, name: str) -> Sound:
        """The recording of that file name.

        Raises:
            PolicyUnavailable: there is none.
            Misconfigured: it is no 16-bit mono WAV, holds no sound at all, or cannot be read.
        """
        return self._load(self._find(name))

    def announcement(self, words: Announcement) -> Sound:
        """The announcement as it is recorded, else as this machine's voice spoke it. Raises as ``asset``."""
        if words.asset is not None:
            return self.asset(words.asset)
        if self._spoken is None:
            raise PolicyUnavailable(f"the announcement `{words.id}` has no recording", hint="name the WAV as its asset")
        return self._spoken(words)

    def message(self, name: str, language: str) -> Sound:
        """``apology`` or ``refused`` in that language, else in English."""
        try:
            return self.asset(f"{name}.{language}.wav")
        except PolicyUnavailable:
            return self.asset(f"{name}.en.wav")

    def _load(self, path: Path) -> Sound:
        try:
            facts = path.stat()
            key = (path, facts.st_mtime_ns, facts.st_size)
            if key not in self._read:
                self._read[key] = sound_of(path, path.read_bytes())
        except OSError as error:
            raise Misconfigured(f"the recording {path} cannot be read: {error.strerror}", hint="mend its permissions") from None
        return self._read[key]


def sound_of(path: Path, data: bytes) -> Sound:
    """A WAV file as it is played. Raises Misconfigured, with its path."""
    try:
        pcm = resample(read_wav(data), TELEPHONE_HZ)
    except InvalidRequest as error:
        raise Misconfigured(f"the recording {path} cannot be played: {error.message}", hint=error.hint) from None
    if not pcm.samples:
        # An announcement of no length would be "played" without anybody having heard it.
        raise Misconfigured(f"the recording {path} is empty", hint="record what it is to say")
    return Sound(pcm, hashlib.sha256(data).hexdigest())
