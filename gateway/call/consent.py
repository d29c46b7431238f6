"""The caller's answer to an announcement: what is asked, what can come of it, and what a call remembers of answers.

The gate's table (``gateway.call.flow``) walks through this. Only a plain yes gives consent, or staying where that was
announced as the answer; silence, a hang-up and what cannot be understood give none (promise 13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.call.answer import Meaning
from gateway.policy.announcing import RECORDING, AnnouncementMode, OnDecline
from gateway.policy.consent import How
from gateway.policy.opt_out import KeyWatch
from gateway.values import Pcm, Private

MOST_PLAYS = 2
"""An announcement that is not answered is played once more, then silence is a no."""
NO_ANSWER, UNCLEAR, HUNG_UP = "no-answer", "unclear", "hung-up"
"""Beside ``gateway.policy.consent.How``: how a no came that nobody said. It stands in the evidence, not in the consent ledger."""
DECLINED, NOBODY = "declined", "nobody"
"""The messages that end a call which was not agreed to: goodbye, and that no person can be reached."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What an announcement asks. ``accept`` and ``decline`` are telephone keys; None: no key answers. Times in ms."""

    mode: AnnouncementMode
    wait_ms: int
    purpose: str = RECORDING
    on_decline: OnDecline = OnDecline.HANG_UP
    accept: str | None = None
    decline: str | None = None

    @property
    def spoken(self) -> bool:
        """Whether a spoken answer counts."""
        return self.mode is AnnouncementMode.SPOKEN_YES

    def accepts(self, key: Private[str]) -> bool:
        return self.accept is not None and key == Private(self.accept)

    def declines(self, key: Private[str]) -> bool:
        return self.decline is not None and key == Private(self.decline)


# --- what can happen ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnswerHeard:
    """The ear for answers understood something that was said after the ``play``-th playing of an announcement."""

    announcement: str
    play: int
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class AnswerOverdue:
    """The time to answer is over."""

    announcement: str
    play: int


@dataclass(frozen=True, slots=True)
class ConsentWithdrawn:
    """The caller takes back the agreement to be recorded."""

    how: How


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """The agent hands the caller over to a person."""


# --- what is to be done ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AwaitAnswer:
    """Send AnswerOverdue after so many ms (and not while an answer is just being spoken or understood)."""

    announcement: str
    play: int
    within_ms: int


@dataclass(frozen=True, slots=True)
class OpenAnswerEar:
    """Open the ear that understands yes and no and nothing else: local, under a Grant for consent. Not the conversation's."""

    announcement: str
    play: int
    language: str


@dataclass(frozen=True, slots=True)
class HearAnswer:
    """Pass this to the ear for answers, and to nobody else."""

    pcm: Private[Pcm]


@dataclass(frozen=True, slots=True)
class CloseAnswerEar:
    """Forget what it heard."""


@dataclass(frozen=True, slots=True)
class GiveConsent:
    """The purpose may be followed from now on. ``by_caller`` False: somebody who joined said so."""

    purpose: str
    how: How
    by_caller: bool = True


@dataclass(frozen=True, slots=True)
class RefuseConsent:
    """The caller said no: keep that as their last word on the purpose."""

    purpose: str
    how: How


@dataclass(frozen=True, slots=True)
class RevokeConsent:
    """The purpose may be followed no longer, from this moment. ``how`` None: until those who have joined agree as well."""

    purpose: str
    how: How | None = None


@dataclass(frozen=True, slots=True)
class TransferCall:
    """Hand the caller to a person; where the carrier cannot, play the message instead."""

    otherwise: str


@dataclass(slots=True)
class Answers:
    """What one call remembers of what was answered. A no stays a no for the whole call, whoever joins."""

    agreed: dict[str, How] = field(default_factory=dict)
    """Purposes agreed to in this round of asking."""
    refused: set[str] = field(default_factory=set)
    withdrawn: bool = False
    early_no: bool = False
    """The key for no was pressed while the announcement was still playing."""
    plays: dict[str, int] = field(default_factory=dict)
    """How often each announcement was begun in this call; names its marks and timers."""
    tries: int = 0
    """How often the present announcement was played in this round."""

    def begin(self, announcement: str) -> int:
        """One more playing of it; its number."""
        self.early_no = False
        self.tries += 1
        self.plays[announcement] = self.plays.get(announcement, 0) + 1
        return self.plays[announcement]

    def new_round(self) -> None:
        """Everybody is asked again."""
        self.agreed.clear()
        self.tries = 0

    def to_give(self) -> Mapping[str, How]:
        """What was agreed to by everybody asked, and never refused."""
        return {purpose: how for purpose, how in self.agreed.items() if purpose not in self.refused}


def watch_for(asked: Asking | None) -> KeyWatch | None:
    """Who could press a key to say no may press it alone, later, to take a yes back."""
    return KeyWatch(asked.decline) if asked is not None and asked.decline is not None else None
