"""The plot of a call as a table: in which phase, on which event, which commands. No I/O, no clock: time is an argument.

The announcement is a gate (promise 12). Until every required announcement was played to its last frame and the carrier returned
its mark, nothing of the caller is kept: frames and keys are counted and dropped. Whatever goes wrong before that ends in a call
that never listened.
"""

# ruff: noqa: SLF001 - the table at the end names the steps of its own class

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStarted, LegStopped, MarkReturned
from gateway.evidence.entries import Json
from gateway.values import Pcm, Private

MARK_GRACE_MS = 5_000
"""How long after the last frame of an announcement the carrier may take to return its mark."""
MARK_EARLY_MS = 50
"""How much sooner than its audio lasts a mark may come back (a carrier's clock runs a little fast). A mark sooner than that
proves nothing. Less than the lead with which frames are sent, so a carrier that acknowledges before playing is found out."""


class Phase(StrEnum):
    """Where a call stands."""

    CONNECTED = "connected"
    ANNOUNCING = "announcing"
    LISTENING = "listening"
    TELLING = "telling"
    """The caller is being told that the call cannot go on."""
    ENDED = "ended"


class Outcome(StrEnum):
    """How a call ended, as its receipt says it."""

    COMPLETED = "completed"
    NEVER_LISTENED = "never_listened"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One required announcement with the facts that its proof needs. Durations in ms."""

    id: str
    rule: str
    language: str
    text_sha256: str
    audio_sha256: str
    total_ms: int

    @property
    def mark(self) -> str:
        return f"announcement:{self.id}"


# --- what can happen, beside the leg's own events ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlayedOut:
    """The last frame of an announcement was sent and its mark asked for."""

    announcement: str


@dataclass(frozen=True, slots=True)
class MarkOverdue:
    """The carrier had its time to return the mark."""

    announcement: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Something that the call stands on cannot answer. ``code`` is one of our public error codes."""

    code: str


@dataclass(frozen=True, slots=True)
class AgentFinished:
    """The agent said what it had to say and ends the call."""


@dataclass(frozen=True, slots=True)
class Told:
    """The caller heard (or could no longer hear) that the call cannot go on."""


Event = LegEvent | PlayedOut | MarkOverdue | Failed | AgentFinished | Told


# --- what is to be done --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Write:
    """Put this on record. Unless ``anyway``, the commands after it wait for the ledger's confirmation."""

    kind: str
    body: Mapping[str, Json]
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class PlayAnnouncement:
    """Play it whole, uninterruptible, and ask the carrier for its mark at the end."""

    announcement: Announcement


@dataclass(frozen=True, slots=True)
class AwaitMark:
    """Send MarkOverdue after so many ms, unless the phase has moved on."""

    announcement: Announcement
    within_ms: int


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """Only now may an ear exist."""


@dataclass(frozen=True, slots=True)
class Hear:
    """Pass this on to the conversation."""

    pcm: Private[Pcm]


@dataclass(frozen=True, slots=True)
class CloseConversation:
    """Stop hearing, thinking and speaking."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Play a pre-recorded message: it needs no processor, no store, no ledger."""

    asset: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the carrier's leg."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Make the receipt: the call is over."""

    outcome: Outcome
    code: str | None = None


Command = Write | PlayAnnouncement | AwaitMark | OpenConversation | Hear | CloseConversation | Tell | HangUp | Seal


@dataclass(slots=True)
class CallFlow:
    """One call's state. ``on(event, at_ms)`` gives the commands; ``at_ms`` counts from the call's start and never goes back."""

    announcements: tuple[Announcement, ...]
    started: Mapping[str, Json] = field(default_factory=dict)
    """Facts for the first entry: carrier, direction, digests, language."""
    acknowledged_by: str = "mark"
    """Whose word the proof of an announcement is, in the record's terms: ``mark`` (the carrier), ``playout`` (our own clock)."""
    phase: Phase = Phase.CONNECTED
    frames_dropped: int = 0
    keys_dropped: int = 0
    _playing: int = 0
    _play_began_ms: int = 0
    _sent_whole: bool = False
    _failure: str | None = None
    _heard: bool = False

    def on(self, event: Event, at_ms: int) -> list[Command]:
        """The commands, in order. An event that means nothing in this phase gives none."""
        step = TABLE.get((self.phase, type(event)))
        return step(self, event, at_ms) if step else []

    @property
    def current(self) -> Announcement:
        return self.announcements[self._playing]

    # --- before listening ------------------------------------------------------------------------------------------

    def _start(self, event: LegStarted, at_ms: int) -> list[Command]:
        first: list[Command] = [Write("call.started", dict(self.started))]
        return first + (self._announce(at_ms) if self.announcements else self._listen())

    def _announce(self, at_ms: int) -> list[Command]:
        self.phase = Phase.ANNOUNCING
        self._play_began_ms = at_ms
        self._sent_whole = False
        return [PlayAnnouncement(self.current)]

    def _listen(self) -> list[Command]:
        self.phase = Phase.LISTENING
        self._heard = True
        return [Write("listening.started", self._dropped()), OpenConversation()]

    def _drop_frame(self, event: CallerAudio, at_ms: int) -> list[Command]:
        self.frames_dropped += 1
        return []

    def _drop_key(self, event: KeyPressed, at_ms: int) -> list[Command]:
        self.keys_dropped += 1
        return []

    def _played_out(self, event: PlayedOut, at_ms: int) -> list[Command]:
        if event.announcement != self.current.id:
            return []
        self._sent_whole = True
        unplayed = max(0, self._play_began_ms + self.current.total_ms - at_ms)
        return [AwaitMark(self.current, within_ms=unplayed + MARK_GRACE_MS)]

    def _mark(self, event: MarkReturned, at_ms: int) -> list[Command]:
        if event.name != self.current.mark:
            return []
        took = at_ms - self._play_began_ms
        if not self._sent_whole or took < self.current.total_ms - MARK_EARLY_MS:
            return self._unproven(at_ms, "the carrier acknowledged it sooner than it can have been played")
        proof: dict[str, Json] = {"played_ms": self.current.total_ms, "acknowledged": self.acknowledged_by, "ack_ms": took}
        proven = Write("announcement.played", {**self._facts(), **proof, **self._dropped()})
        self._playing += 1
        return [proven, *(self._announce(at_ms) if self._playing < len(self.announcements) else self._listen())]

    def _mark_overdue(self, event: MarkOverdue, at_ms: int) -> list[Command]:
        if event.announcement != self.current.id:
            return []
        return self._unproven(at_ms, "the carrier never acknowledged that it was played")

    def _hung_up_unheard(self, event: LegStopped, at_ms: int) -> list[Command]:
        return [self._not_proven(at_ms, "the caller hung up before it had ended"), *self._end(at_ms)]

    def _hung_up_silent(self, event: LegStopped, at_ms: int) -> list[Command]:
        return self._end(at_ms)

    def _unproven(self, at_ms: int, why: str) -> list[Command]:
        self.phase = Phase.TELLING
        return [self._not_proven(at_ms, why), Tell("refused")]

    def _not_proven(self, at_ms: int, why: str) -> Write:
        played = min(self.current.total_ms, max(0, at_ms - self._play_began_ms))
        body: dict[str, Json] = {**self._facts(), "played_ms": played, "acknowledged": "none", "why": why, **self._dropped()}
        return Write("announcement.unproven", body, anyway=True)

    # --- while listening -------------------------------------------------------------------------------------------

    def _hear(self, event: CallerAudio, at_ms: int) -> list[Command]:
        return [Hear(event.pcm)]

    def _finished(self, event: AgentFinished, at_ms: int) -> list[Command]:
        return [CloseConversation(), *self._end(at_ms), HangUp()]

    def _hung_up(self, event: LegStopped, at_ms: int) -> list[Command]:
        return [CloseConversation(), *self._end(at_ms)]

    # --- when something fails --------------------------------------------------------------------------------------

    def _fail(self, event: Failed, at_ms: int) -> list[Command]:
        listening = self.phase is Phase.LISTENING
        self.phase = Phase.TELLING
        self._failure = event.code
        close: list[Command] = [CloseConversation()] if listening else []
        return [*close, Write("call.failed", {"code": event.code}, anyway=True), Tell("apology")]

    def _told(self, event: Told | LegStopped, at_ms: int) -> list[Command]:
        hang_up: list[Command] = [] if isinstance(event, LegStopped) else [HangUp()]
        return [*self._end(at_ms), *hang_up]

    def _end(self, at_ms: int) -> list[Command]:
        self.phase = Phase.ENDED
        listened = Outcome.COMPLETED if self._heard else Outcome.NEVER_LISTENED
        outcome = Outcome.FAILED if self._failure else listened
        body: dict[str, Json] = {"outcome": outcome.value, "duration_ms": at_ms, **self._dropped()}
        return [Write("call.ended", body, anyway=True), Seal(outcome, self._failure)]

    # --- facts for the record --------------------------------------------------------------------------------------

    def _facts(self) -> dict[str, Json]:
        now = self.current
        return {
            "id": now.id,
            "rule": now.rule,
            "language": now.language,
            "text_sha256": now.text_sha256,
            "audio_sha256": now.audio_sha256,
            "total_ms": now.total_ms,
        }

    def _dropped(self) -> dict[str, Json]:
        return {"frames_dropped": self.frames_dropped, "keys_dropped": self.keys_dropped}


Step = Callable[[CallFlow, Any, int], list[Command]]

TABLE: Mapping[tuple[Phase, type[Event]], Step] = {
    (Phase.CONNECTED, LegStarted): CallFlow._start,
    (Phase.CONNECTED, CallerAudio): CallFlow._drop_frame,
    (Phase.CONNECTED, KeyPressed): CallFlow._drop_key,
    (Phase.CONNECTED, LegStopped): CallFlow._hung_up_silent,
    (Phase.CONNECTED, Failed): CallFlow._fail,
    (Phase.ANNOUNCING, CallerAudio): CallFlow._drop_frame,
    (Phase.ANNOUNCING, KeyPressed): CallFlow._drop_key,
    (Phase.ANNOUNCING, PlayedOut): CallFlow._played_out,
    (Phase.ANNOUNCING, MarkReturned): CallFlow._mark,
    (Phase.ANNOUNCING, MarkOverdue): CallFlow._mark_overdue,
    (Phase.ANNOUNCING, LegStopped): CallFlow._hung_up_unheard,
    (Phase.ANNOUNCING, Failed): CallFlow._fail,
    (Phase.LISTENING, CallerAudio): CallFlow._hear,
    (Phase.LISTENING, AgentFinished): CallFlow._finished,
    (Phase.LISTENING, LegStopped): CallFlow._hung_up,
    (Phase.LISTENING, Failed): CallFlow._fail,
    (Phase.TELLING, CallerAudio): CallFlow._drop_frame,
    (Phase.TELLING, KeyPressed): CallFlow._drop_key,
    (Phase.TELLING, Told): CallFlow._told,
    (Phase.TELLING, LegStopped): CallFlow._told,
}
"""Everything that a call can do. What is not here does nothing: a second start, a stray mark, audio after the end."""
