"""Announcements: what callers are told before anything of them is heard, in which language, and who must hear it (promise 12)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema, model_validator

from gateway.policy.fields import Asset, Duration, Language, Model, Region, Slug, Text, fault
from gateway.policy.regions import ancestors
from gateway.policy.transcripts import TRANSCRIPT


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


RECORDING = "recording"
"""What an announcement asks about where it names nothing else: whether the call may be recorded."""
WAITS = {
    AnnouncementMode.STAY_ON_LINE: timedelta(seconds=3),
    AnnouncementMode.KEY_PRESS: timedelta(seconds=8),
    AnnouncementMode.SPOKEN_YES: timedelta(seconds=6),
}
"""How long an answer is waited for, where the file does not say."""
VOICE_LANGUAGE = "en"
"""What this machine's voice speaks: an announcement in another language needs a recording."""
_LONGEST_WAIT = timedelta(seconds=60)


def _telephone_key(value: str) -> str:
    if len(value) != 1 or value not in "0123456789*#":
        raise fault("this is not a key of a telephone", 'write one of 0 to 9, * or #, in quotes: "1"')
    return value


def _wait(value: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= value <= _LONGEST_WAIT:
        raise fault("nobody is waited for like this", "write between 1s and 60s")
    return value


TelephoneKey = Annotated[str, AfterValidator(_telephone_key), WithJsonSchema({"type": "string", "pattern": "^[0-9*#]$"})]


class AnswerKeys(Model):
    """The keys that answer. Tell callers in the announcement's own words."""

    accept: TelephoneKey = "1"
    """This key says yes."""
    decline: TelephoneKey = "2"
    """This key says no; pressed alone during the call it takes a yes back."""

    @model_validator(mode="after")
    def _differ(self) -> AnswerKeys:
        if self.accept == self.decline:
            raise fault("the same key says yes and no", "name two keys")
        return self


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
    asset: Asset | None = None
    """Name of the WAV in ``announcements/`` that says exactly ``text``; left out (English only): this machine speaks ``text``."""
    mode: AnnouncementMode = AnnouncementMode.NOTIFY
    """How the caller agrees: by staying (``stay-on-line``), ``key-press``, ``spoken-yes``; ``notify`` asks nothing."""
    asks: Slug | None = None
    """The purpose that the answer is about, as the consent ledger names it; left out: ``recording``."""
    keys: AnswerKeys | None = None
    """The keys that answer, in every mode that asks; left out: 1 and 2 with ``key-press``, and none with the others."""
    wait: Annotated[Duration, AfterValidator(_wait)] | None = None
    """How long an answer is waited for; left out: 3s with ``stay-on-line``, 8s with ``key-press``, 6s with ``spoken-yes``."""
    on_decline: OnDecline | None = None
    """What happens when the caller does not agree; left out: ``hang-up``."""
    says: tuple[Disclosure, ...] = ()
    """What these words tell: the policy's ``disclose`` is checked against it."""
    when: tuple[Region, ...] | None = None
    """Only when one end of the call is (or may be) in one of these places; left out: always."""

    @model_validator(mode="after")
    def _asks(self) -> Announcement:
        if self.mode is AnnouncementMode.NOTIFY:
            for key in ("asks", "keys", "wait", "on_decline"):
                if getattr(self, key) is not None:
                    how = "remove it, or ask with mode: stay-on-line, key-press or spoken-yes"
                    raise fault(f"{key} stands where nothing is asked", how)
        elif self.on_decline is OnDecline.CONTINUE_UNRECORDED and self.purpose not in (RECORDING, TRANSCRIPT):
            raise fault(f"without a yes to {self.purpose} the call cannot go on unrecorded", "write on_decline: hang-up or human")
        return self

    @property
    def playable(self) -> bool:
        """Whether there is, or can be, anything to play: a recording is named, or this machine's voice knows the language."""
        return self.asset is not None or self.language.split("-")[0] == VOICE_LANGUAGE

    @property
    def purpose(self) -> str:
        """What the answer is about."""
        return self.asks or RECORDING

    @property
    def answer_keys(self) -> AnswerKeys | None:
        """The keys that answer; None: no key does."""
        return self.keys or (AnswerKeys() if self.mode is AnnouncementMode.KEY_PRESS else None)

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
