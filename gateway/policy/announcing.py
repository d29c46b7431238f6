"""Announcements: what callers are told before anything of them is heard, in which language, and who must hear it (promise 12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, model_validator

from gateway.policy.fields import Asset, Language, Model, Region, Slug, Text, fault
from gateway.policy.regions import ancestors


class AnnouncementMode(StrEnum):
    """What the caller does after the words: nothing, stay, press a key, say yes (promise 12, 13)."""

    NOTIFY = "notify"
    STAY_ON_LINE = "stay-on-line"
    KEY_PRESS = "key-press"
    SPOKEN_YES = "spoken-yes"


class OnDecline(StrEnum):
    """What happens when the caller does not agree."""

    CONTINUE_UNRECORDED = "continue-unrecorded"
    HUMAN = "human"
    HANG_UP = "hang-up"


class Disclosure(StrEnum):
    """What a law wants told: that it is an AI, that the call is recorded, what becomes of the data, who calls, how to opt out."""

    AI = "ai"
    RECORDING = "recording"
    PRIVACY = "privacy"
    CALLER = "caller"
    OPT_OUT = "opt-out"


def _served(mode: AnnouncementMode) -> AnnouncementMode:
    if mode is not AnnouncementMode.NOTIFY:
        raise fault(f"the mode {mode.value} is not served yet", "this version plays announcements with mode: notify only")
    return mode


class Announcement(Model):
    """Words that must be played to their end before anything of the caller is heard.

    The same ``id`` in several languages is one announcement: the caller hears it in the call's language.
    """

    id: Slug
    """Its name; the same in every language."""
    text: Text
    """The words."""
    language: Language = "en"
    """What it is spoken in."""
    asset: Asset
    """Name of the WAV in ``announcements/`` that says exactly ``text``."""
    mode: Annotated[AnnouncementMode, AfterValidator(_served)] = AnnouncementMode.NOTIFY
    """What the caller does after it."""
    on_decline: OnDecline | None = None
    """What happens when the caller does not agree."""
    says: tuple[Disclosure, ...] = ()
    """What these words tell: the policy's ``disclose`` is checked against it."""
    when: tuple[Region, ...] | None = None
    """Only when one end of the call is (or may be) in one of these places; left out: always."""

    @model_validator(mode="after")
    def _asks(self) -> Announcement:
        if self.on_decline is not None and self.mode is AnnouncementMode.NOTIFY:
            raise fault(
                "on_decline stands where nothing is asked", "remove it, or ask with mode: stay-on-line, key-press or spoken-yes"
            )
        return self

    def concerns(self, places: Collection[str] | None) -> bool:
        """Whether a call with its ends in ``places`` needs it. None: nobody knows where they are, so it does."""
        if self.when is None or places is None:
            return True
        return any(_may_lie_in(place, wanted) for place in places for wanted in self.when)


class RequiredAnnouncement(Announcement):
    """An announcement in force, with the rule that asks for it: ``tenant:demo`` or ``pack:eu-ai-act``."""

    rule: str


def _may_lie_in(place: str, wanted: str) -> bool:
    return wanted in ancestors(place) or place in ancestors(wanted)


def chosen(
    announcements: Iterable[RequiredAnnouncement], language: str, places: Collection[str] | None
) -> tuple[RequiredAnnouncement, ...]:
    """Of each announcement that such a call needs, the one in ``language`` (``de-AT`` takes ``de``), else the first written."""
    by_id: dict[str, list[RequiredAnnouncement]] = {}
    for announcement in announcements:
        if announcement.concerns(places):
            by_id.setdefault(announcement.id, []).append(announcement)
    return tuple(min(same, key=lambda each: _distance(each.language, language)) for same in by_id.values())


def _distance(written: str, wanted: str) -> int:
    if written == wanted:
        return 0
    return 1 if written.split("-")[0] == wanted.split("-")[0] else 2
