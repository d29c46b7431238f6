"""What a call plays before it listens: the policy's announcements as the plot needs them, and the sounds of all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from gateway.call.consent import DECLINED, NOBODY, Asking
from gateway.call.plot import Announcement
from gateway.policy.announcing import WAITS, AnnouncementMode, OnDecline, RequiredAnnouncement
from gateway.policy.opt_out import OPT_OUT_KEY, KeyWatch
from gateway.values import Pcm

MESSAGES = ("apology", "refused", DECLINED, NOBODY)
"""Recordings that every call has at hand, by name."""


class Sound(Protocol):
    @property
    def pcm(self) -> Pcm: ...
    @property
    def sha256(self) -> str: ...


class Sounds(Protocol):
    """Announcements as recorded or spoken, and messages by name and language. Raises PolicyUnavailable or Misconfigured."""

    def announcement(self, words: RequiredAnnouncement, /) -> Sound: ...
    def message(self, name: str, language: str) -> Sound: ...


def to_play(required: Iterable[RequiredAnnouncement], sounds: Sounds) -> tuple[Announcement, ...]:
    """The announcements of a call, with the digests of their words and of the very audio that is played."""
    return tuple(
        Announcement(
            id=each.id,
            rule=each.rule,
            language=each.language,
            text_sha256=hashlib.sha256(each.text.encode()).hexdigest(),
            audio_sha256=sounds.announcement(each).sha256,
            total_ms=int(sounds.announcement(each).pcm.ms),
            ask=asking(each),
        )
        for each in required
    )


def asking(announcement: RequiredAnnouncement) -> Asking | None:
    """What it asks of the caller; None: nothing."""
    if announcement.mode is AnnouncementMode.NOTIFY:
        return None
    keys, wait = announcement.answer_keys, announcement.wait or WAITS[announcement.mode]
    return Asking(
        mode=announcement.mode,
        wait_ms=int(wait.total_seconds() * 1000),
        purpose=announcement.purpose,
        on_decline=announcement.on_decline or OnDecline.HANG_UP,
        accept=keys.accept if keys else None,
        decline=keys.decline if keys else None,
    )


def all_sounds(
    required: Iterable[RequiredAnnouncement], sounds: Sounds, language: str, *, more: Iterable[str] = ()
) -> dict[str, Pcm]:
    """What a call may have to play, read before it begins: announcements by id, messages by name, ``more`` of them."""
    announced = {each.id: sounds.announcement(each).pcm for each in required}
    return announced | {name: sounds.message(name, language).pcm for name in (*MESSAGES, *more)}


def opt_out_watch(announcements: Sequence[Announcement]) -> KeyWatch:
    """The watch for "do not call me again" by key, unless this call gave that key another meaning in its announcements."""
    taken = any(OPT_OUT_KEY in (each.ask.accept, each.ask.decline) for each in announcements if each.ask is not None)
    return KeyWatch("" if taken else OPT_OUT_KEY)
