"""The plot of a call as a table: in which phase, on which event, which commands. No I/O, no clock: time is an argument.

The announcement is a gate (promise 12). Until every required announcement was played to its last frame, the carrier returned
its mark, and what it asks was answered as the policy wants, nothing of the caller is kept: frames and keys are counted and
dropped, and only the ear for yes and no hears an answer that is to be spoken. Whatever goes wrong before that ends in a call
that never listened.
"""

# ruff: noqa: SLF001 - the table at the end names the steps of its own class

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.call.answer import Meaning
from gateway.call.consent import (
    DECLINED,
    HUNG_UP,
    MOST_PLAYS,
    NO_ANSWER,
    NOBODY,
    UNCLEAR,
    AnswerHeard,
    AnswerOverdue,
    Answers,
    Asking,
    AwaitAnswer,
    CloseAnswerEar,
    ConsentWithdrawn,
    GiveConsent,
    HearAnswer,
    OpenAnswerEar,
    RefuseConsent,
    RevokeConsent,
    TransferCall,
    watch_for,
)
from gateway.call.events import CallerAudio, KeyPressed, LegStarted, LegStopped, MarkReturned, ParticipantJoined
from gateway.call.plot import (
    Admit,
    AgentFinished,
    Announcement,
    AwaitMark,
    CloseConversation,
    Command,
    Event,
    Failed,
    HangUp,
    Hear,
    MarkOverdue,
    OpenConversation,
    Outcome,
    Phase,
    PlayAnnouncement,
    PlayedOut,
    Seal,
    Tell,
    Told,
    Write,
    answer_facts,
    facts_of,
)
from gateway.evidence.entries import Json
from gateway.policy.announcing import RECORDING, AnnouncementMode, OnDecline
from gateway.policy.consent import How
from gateway.policy.opt_out import KeyWatch

__all__ = ["Announcement", "CallFlow", "Event", "Hear", "Outcome", "Phase", "PlayedOut"]

MARK_GRACE_MS = 5_000
"""How long after the last frame of an announcement the carrier may take to return its mark."""
MARK_EARLY_MS = 50
"""How much sooner than its audio lasts a mark may come back (a carrier's clock runs a little fast). A mark sooner than that
proves nothing. Less than the lead with which frames are sent, so a carrier that acknowledges before playing is found out."""


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
    answers: Answers = field(default_factory=Answers)
    _playing: int = 0
    _play: int = 1
    _play_began_ms: int = 0
    _asked_ms: int = 0
    _sent_whole: bool = False
    _failure: str | None = None
    _heard: bool = False
    _open: bool = False
    """Whether there is a conversation."""
    _joined: bool = False
    """Whether somebody beside the caller is asked."""
    _joins: int = 0
    """How many ParticipantJoined there were."""
    _watch: KeyWatch | None = None

    def on(self, event: Event, at_ms: int) -> list[Command]:
        """The commands, in order. An event that means nothing in this phase gives none."""
        step = TABLE.get((self.phase, type(event)))
        return step(self, event, at_ms) if step else []

    @property
    def current(self) -> Announcement:
        return self.announcements[self._playing]

    # --- announcing ------------------------------------------------------------------------------------------------

    def _start(self, event: LegStarted, at_ms: int) -> list[Command]:
        first: list[Command] = [Write("call.started", dict(self.started))]
        return first + (self._announce(at_ms) if self.announcements else self._listen())

    def _announce(self, at_ms: int, *, clearing: bool = False) -> list[Command]:
        self.phase = Phase.ANNOUNCING
        self._play_began_ms = at_ms
        self._sent_whole = False
        self._play = self.answers.begin(self.current.id)
        return [PlayAnnouncement(self.current, self._play, clearing)]

    def _next(self, at_ms: int) -> list[Command]:
        self._playing += 1
        self.answers.tries = 0
        return self._announce(at_ms) if self._playing < len(self.announcements) else self._listen()

    def _listen(self) -> list[Command]:
        self.phase = Phase.LISTENING
        by_caller, resumed = not self._joined, self._open
        given = [GiveConsent(purpose, how, by_caller) for purpose, how in self.answers.to_give().items()]
        self._watch = self._watch or watch_for(self._asking_for(RECORDING))
        self._heard = self._open = True
        if resumed:
            return [Write("listening.resumed", self._dropped()), *given, Admit(self._joins)]
        return [Write("listening.started", self._dropped()), *given, OpenConversation(), Admit(self._joins)]

    def _drop_frame(self, event: CallerAudio, at_ms: int) -> list[Command]:
        self.frames_dropped += 1
        return []

    def _drop_key(self, event: KeyPressed, at_ms: int) -> list[Command]:
        self.keys_dropped += 1
        return []

    def _early_key(self, event: KeyPressed, at_ms: int) -> list[Command]:
        """A yes to words that nobody has heard to their end is none. A no is one: it holds when they have ended."""
        ask = self.current.ask
        self.answers.early_no |= ask is not None and ask.declines(event.key)
        return self._drop_key(event, at_ms)

    def _played_out(self, event: PlayedOut, at_ms: int) -> list[Command]:
        if (event.announcement, event.play) != (self.current.id, self._play):
            return []
        self._sent_whole = True
        unplayed = max(0, self._play_began_ms + self.current.total_ms - at_ms)
        return [AwaitMark(self.current, unplayed + MARK_GRACE_MS, self._play)]

    def _mark(self, event: MarkReturned, at_ms: int) -> list[Command]:
        if event.name != self.current.mark(self._play):
            return []
        took = at_ms - self._play_began_ms
        if not self._sent_whole or took < self.current.total_ms - MARK_EARLY_MS:
            return self._unproven(at_ms, "the carrier acknowledged it sooner than it can have been played")
        proof: dict[str, Json] = {"played_ms": self.current.total_ms, "acknowledged": self.acknowledged_by, "ack_ms": took}
        proven = Write("announcement.played", {**facts_of(self.current), **proof, **self._dropped()})
        return [proven, *(self._ask(self.current.ask, at_ms) if self.current.ask else self._next(at_ms))]

    def _mark_overdue(self, event: MarkOverdue, at_ms: int) -> list[Command]:
        if (event.announcement, event.play) != (self.current.id, self._play):
            return []
        return self._unproven(at_ms, "the carrier never acknowledged that it was played")

    def _hung_up_unheard(self, event: LegStopped, at_ms: int) -> list[Command]:
        return [self._not_proven(at_ms, "the caller hung up before it had ended"), *self._close(), *self._end(at_ms)]

    def _hung_up_silent(self, event: LegStopped, at_ms: int) -> list[Command]:
        return self._end(at_ms)

    def _unproven(self, at_ms: int, why: str) -> list[Command]:
        self.phase = Phase.TELLING
        return [*self._close(), self._not_proven(at_ms, why), Tell("refused")]

    def _not_proven(self, at_ms: int, why: str) -> Write:
        played = min(self.current.total_ms, max(0, at_ms - self._play_began_ms))
        body: dict[str, Json] = {
            **facts_of(self.current),
            "played_ms": played,
            "acknowledged": "none",
            "why": why,
            **self._dropped(),
        }
        return Write("announcement.unproven", body, anyway=True)

    # --- asking ----------------------------------------------------------------------------------------------------

    def _ask(self, ask: Asking, at_ms: int) -> list[Command]:
        self.phase = Phase.ASKING
        self._asked_ms = at_ms
        if self.answers.early_no:
            return self._no(How.KEY_PRESS, at_ms)
        now = self.current
        ear: list[Command] = [OpenAnswerEar(now.id, self._play, now.language)] if ask.spoken else []
        answering: list[Command] = [Admit(self._joins, to_answer=True)] if ask.spoken and self._joined else []
        return [*ear, *answering, AwaitAnswer(now.id, self._play, ask.wait_ms)]

    def _answer_audio(self, event: CallerAudio, at_ms: int) -> list[Command]:
        return [HearAnswer(event.pcm)] if self._asked.spoken else self._drop_frame(event, at_ms)

    def _answer_key(self, event: KeyPressed, at_ms: int) -> list[Command]:
        if event.asked and self._asked.accepts(event.key):
            return self._yes(How.KEY_PRESS, at_ms)
        if self._asked.declines(event.key):
            return self._no(How.KEY_PRESS, at_ms)
        return self._drop_key(event, at_ms)

    def _answer_heard(self, event: AnswerHeard, at_ms: int) -> list[Command]:
        if (event.announcement, event.play) != (self.current.id, self._play) or not self._asked.spoken:
            return []
        if event.meaning is Meaning.UNCLEAR:
            return self._once_more(UNCLEAR, at_ms)
        return self._yes(How.SPOKEN, at_ms) if event.meaning is Meaning.YES else self._no(How.SPOKEN, at_ms)

    def _answer_overdue(self, event: AnswerOverdue, at_ms: int) -> list[Command]:
        if (event.announcement, event.play) != (self.current.id, self._play):
            return []
        stayed = self._asked.mode is AnnouncementMode.STAY_ON_LINE
        return self._yes(How.STAYED, at_ms) if stayed else self._once_more(NO_ANSWER, at_ms)

    def _once_more(self, why: str, at_ms: int) -> list[Command]:
        if self.answers.tries >= MOST_PLAYS:
            return self._no(why, at_ms)
        return [*self._close_ear(), *self._announce(at_ms)]

    def _yes(self, how: How, at_ms: int) -> list[Command]:
        ask = self._asked
        self.answers.agreed[ask.purpose] = how
        said = Write("consent.given", self._answer(ask, how, at_ms))
        return [*self._close_ear(), said, *self._next(at_ms)]

    def _no(self, how: str, at_ms: int) -> list[Command]:
        ask = self._asked
        self.answers.refused.add(ask.purpose)
        said = Write("consent.declined", self._answer(ask, how, at_ms) | {"then": ask.on_decline.value}, anyway=True)
        kept: list[Command] = [RefuseConsent(ask.purpose, How(how))] if isinstance(how, How) and not self._joined else []
        ear = self._close_ear()
        after = self._next(at_ms) if ask.on_decline is OnDecline.CONTINUE_UNRECORDED else self._part(ask.on_decline)
        return [*ear, said, *kept, *after]

    def _part(self, how: OnDecline) -> list[Command]:
        """Without agreement the call ends, or a person takes it."""
        self.phase = Phase.TELLING
        return [*self._close(), TransferCall(NOBODY) if how is OnDecline.HUMAN else Tell(DECLINED)]

    def _hung_up_asked(self, event: LegStopped, at_ms: int) -> list[Command]:
        ask = self._asked
        self.answers.refused.add(ask.purpose)
        said = Write("consent.declined", self._answer(ask, HUNG_UP, at_ms) | {"then": OnDecline.HANG_UP.value}, anyway=True)
        return [*self._close_ear(), said, *self._close(), *self._end(at_ms)]

    @property
    def _asked(self) -> Asking:
        ask = self.current.ask
        assert ask is not None  # noqa: S101 - only what asks is in the phase of asking
        return ask

    def _close_ear(self) -> list[Command]:
        return [CloseAnswerEar()] if self.phase is Phase.ASKING and self._asked.spoken else []

    def _asking_for(self, purpose: str) -> Asking | None:
        return next((each.ask for each in self.announcements if each.ask is not None and each.ask.purpose == purpose), None)

    def _answer(self, ask: Asking, how: str, at_ms: int) -> dict[str, Json]:
        return answer_facts(self.current, ask, how, after_ms=at_ms - self._asked_ms, play=self._play)

    # --- when somebody joins, and when consent is taken back ---------------------------------------------------------

    def _participant(self, event: ParticipantJoined, at_ms: int) -> list[Command]:
        """Whoever comes later has heard nothing: everything is announced and asked again, and meanwhile nothing is heard."""
        ear, suspended = self._close_ear(), [RevokeConsent(each) for each in self.answers.to_give()] if self._open else []
        self._joined = self._joined or self._open
        self._joins += 1
        self._playing = 0
        self.answers.new_round()
        again = self._announce(at_ms, clearing=True) if self.announcements else [Admit(self._joins)]
        return [*ear, *suspended, Write("participant.joined", self._dropped()), *again]

    def _withdrawn(self, event: ConsentWithdrawn, at_ms: int) -> list[Command]:
        return self._take_back(event.how) if self._open and not self.answers.withdrawn else []

    def _take_back(self, how: How) -> list[Command]:
        asked = self._asking_for(RECORDING)
        then = asked.on_decline if asked is not None else OnDecline.CONTINUE_UNRECORDED
        goes_on = then is OnDecline.CONTINUE_UNRECORDED
        ear, said = self._close_ear(), self._recorded(how, then.value, anyway=not goes_on)
        return said if goes_on else [*ear, *said, *self._part(then)]

    def _recorded(self, how: How, then: str, *, anyway: bool) -> list[Command]:
        self.answers.withdrawn = True
        self.answers.refused.add(RECORDING)
        body: dict[str, Json] = {"purpose": RECORDING, "how": how.value, "then": then}
        return [RevokeConsent(RECORDING, how), Write("consent.withdrawn", body, anyway)]

    # --- while listening -------------------------------------------------------------------------------------------

    def _hear(self, event: CallerAudio, at_ms: int) -> list[Command]:
        taken_back = self._take_back(How.KEY_PRESS) if self._key_stood_alone(at_ms) else []
        return [*taken_back, Hear(event.pcm)] if self.phase is Phase.LISTENING else taken_back

    def _key(self, event: KeyPressed, at_ms: int) -> list[Command]:
        taken_back = self._take_back(How.KEY_PRESS) if self._key_stood_alone(at_ms) else []
        if self._watch is not None:
            self._watch.pressed(event.key, at_ms)
        return taken_back

    def _key_stood_alone(self, at_ms: int) -> bool:
        return self._watch is not None and self._watch.asked(at_ms) and not self.answers.withdrawn

    def _finished(self, event: AgentFinished, at_ms: int) -> list[Command]:
        return [*self._close_ear(), *self._close(), *self._end(at_ms), HangUp()] if self._open else []

    def _hung_up(self, event: LegStopped, at_ms: int) -> list[Command]:
        taken_back = self._watch is not None and self._watch.ended() and not self.answers.withdrawn
        return [*(self._recorded(How.KEY_PRESS, HUNG_UP, anyway=True) if taken_back else []), *self._close(), *self._end(at_ms)]

    # --- when something fails --------------------------------------------------------------------------------------

    def _fail(self, event: Failed, at_ms: int) -> list[Command]:
        ear = self._close_ear()
        self.phase = Phase.TELLING
        self._failure = event.code
        return [*ear, *self._close(), Write("call.failed", {"code": event.code}, anyway=True), Tell("apology")]

    def _told(self, event: Told | LegStopped, at_ms: int) -> list[Command]:
        hang_up: list[Command] = [] if isinstance(event, LegStopped) else [HangUp()]
        return [*self._end(at_ms), *hang_up]

    def _close(self) -> list[Command]:
        was_open, self._open = self._open, False
        return [CloseConversation()] if was_open else []

    def _end(self, at_ms: int) -> list[Command]:
        self.phase = Phase.ENDED
        listened = Outcome.COMPLETED if self._heard else Outcome.NEVER_LISTENED
        outcome = Outcome.FAILED if self._failure else listened
        body: dict[str, Json] = {"outcome": outcome.value, "duration_ms": at_ms, **self._dropped()}
        return [Write("call.ended", body, anyway=True), Seal(outcome, self._failure)]

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
    (Phase.ANNOUNCING, KeyPressed): CallFlow._early_key,
    (Phase.ANNOUNCING, PlayedOut): CallFlow._played_out,
    (Phase.ANNOUNCING, MarkReturned): CallFlow._mark,
    (Phase.ANNOUNCING, MarkOverdue): CallFlow._mark_overdue,
    (Phase.ANNOUNCING, LegStopped): CallFlow._hung_up_unheard,
    (Phase.ANNOUNCING, Failed): CallFlow._fail,
    (Phase.ANNOUNCING, AgentFinished): CallFlow._finished,
    (Phase.ANNOUNCING, ParticipantJoined): CallFlow._participant,
    (Phase.ANNOUNCING, ConsentWithdrawn): CallFlow._withdrawn,
    (Phase.ASKING, CallerAudio): CallFlow._answer_audio,
    (Phase.ASKING, KeyPressed): CallFlow._answer_key,
    (Phase.ASKING, AnswerHeard): CallFlow._answer_heard,
    (Phase.ASKING, AnswerOverdue): CallFlow._answer_overdue,
    (Phase.ASKING, LegStopped): CallFlow._hung_up_asked,
    (Phase.ASKING, Failed): CallFlow._fail,
    (Phase.ASKING, AgentFinished): CallFlow._finished,
    (Phase.ASKING, ParticipantJoined): CallFlow._participant,
    (Phase.ASKING, ConsentWithdrawn): CallFlow._withdrawn,
    (Phase.LISTENING, CallerAudio): CallFlow._hear,
    (Phase.LISTENING, KeyPressed): CallFlow._key,
    (Phase.LISTENING, ParticipantJoined): CallFlow._participant,
    (Phase.LISTENING, ConsentWithdrawn): CallFlow._withdrawn,
    (Phase.LISTENING, AgentFinished): CallFlow._finished,
    (Phase.LISTENING, LegStopped): CallFlow._hung_up,
    (Phase.LISTENING, Failed): CallFlow._fail,
    (Phase.TELLING, CallerAudio): CallFlow._drop_frame,
    (Phase.TELLING, KeyPressed): CallFlow._drop_key,
    (Phase.TELLING, Told): CallFlow._told,
    (Phase.TELLING, LegStopped): CallFlow._told,
}
"""Everything that a call can do. What is not here does nothing: a second start, a stray mark, audio after the end."""
