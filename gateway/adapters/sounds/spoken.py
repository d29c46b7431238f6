"""Announcements that are written and not recorded: this machine's voice speaks each once, and the audio is kept."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from importlib.metadata import version
from pathlib import Path

from gateway.adapters.sounds.recorded import Sound, sound_of
from gateway.audio import wav
from gateway.errors import Misconfigured, PolicyUnavailable, RedactionUnavailable, SordinoError, UpstreamFailed
from gateway.policy.announcing import Announcement
from gateway.values import Pcm

log = logging.getLogger(__name__)

READY_WITHIN_S = 30.0
"""How long a call waits for an announcement that is being spoken."""


def voice_name() -> str:
    """The voice as the kept audio names it: another version of it speaks everything again."""
    return f"hibari {version('hibari-tts')} heart"


class Spoken:
    """The audio of announcements without an asset, by text, language and voice.

    A file's name is the SHA-256 of those three and the SHA-256 of the file itself, so a damaged one is known and made again.
    """

    def __init__(
        self, folder: Path, speak: Callable[[str], Awaitable[Pcm]], voice_ready: Callable[[], Awaitable[None]], *, voice: str
    ) -> None:
        """``speak`` says words; it is asked only after ``voice_ready`` returned."""
        self._folder = folder
        self._speak = speak
        self._voice_ready = voice_ready
        self._voice = voice
        self._sounds: dict[str, Sound] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._changed = asyncio.Event()

    def sound(self, words: Announcement) -> Sound:
        """What is played for it, once ``prepare`` has it. Raises PolicyUnavailable before."""
        sound = self._sounds.get(self._key(words))
        if sound is None:
            raise PolicyUnavailable(f"the announcement `{words.id}` is not spoken yet", hint="call again in a moment")
        return sound

    async def prepare(self, announcements: Iterable[Announcement]) -> None:
        """Have the audio of those that name no asset: from memory, from the folder, else from the voice.

        Raises:
            PolicyUnavailable: the gateway did not warm up, the voice failed, or it needs longer than ``READY_WITHIN_S``.
            Misconfigured: the words make no sound, or the folder cannot be read or written.
        """
        missing = [words for words in announcements if words.asset is None and self._key(words) not in self._sounds]
        for words in missing:
            try:
                async with asyncio.timeout(READY_WITHIN_S):
                    await self._prepare(words)
            except (TimeoutError, UpstreamFailed, RedactionUnavailable):
                hint = "run `sordino doctor`, or record it and name the WAV as its asset"
                raise PolicyUnavailable(f"the announcement `{words.id}` could not be spoken", hint=hint) from None

    async def keep(self, announcements: Callable[[], Iterable[Announcement]]) -> None:
        """Prepare all of them, and again after each ``look_again``, until cancelled. A failure is told; the calls try again."""
        while True:
            self._changed.clear()
            for words in announcements():
                try:
                    await self.prepare([words])
                except SordinoError as error:
                    log.error("%s (%s)", error.message, error.hint)  # noqa: TRY400  (a person needs no traceback)
            await self._changed.wait()

    def look_again(self) -> None:
        """The announcements changed."""
        self._changed.set()

    async def _prepare(self, words: Announcement) -> None:
        key = self._key(words)
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key in self._sounds:
                return
            try:
                sound = await asyncio.to_thread(self._kept, key)
                if sound is None:
                    await self._voice_ready()
                    pcm = await self._speak(words.text)
                    if not pcm.samples:
                        raise Misconfigured(f"the announcement `{words.id}` makes no sound", hint="write words, or name an asset")
                    sound = await asyncio.to_thread(self._store, key, wav(pcm))
            except OSError as error:
                broken = f"the spoken announcements in {self._folder} cannot be kept: {error.strerror}"
                raise Misconfigured(broken, hint="mend its permissions") from None
            self._sounds[key] = sound

    def _key(self, words: Announcement) -> str:
        return hashlib.sha256("\0".join((words.text, words.language, self._voice)).encode()).hexdigest()

    def _kept(self, key: str) -> Sound | None:
        for path in sorted(self._folder.glob(f"{key}.*.wav")):
            data = path.read_bytes()
            if path.name == _name(key, data):
                return sound_of(path, data)
            path.unlink(missing_ok=True)
        return None

    def _store(self, key: str, data: bytes) -> Sound:
        """Whole or not at all, for the owner alone."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / _name(key, data)
        descriptor, draft = tempfile.mkstemp(dir=self._folder, prefix=".")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)
            raise
        return sound_of(path, data)


def _name(key: str, data: bytes) -> str:
    return f"{key}.{hashlib.sha256(data).hexdigest()}.wav"
