"""Runs one call: feeds what happens into the plot (``gateway.call.flow``) and performs its commands.

This is the only place where the plot meets the world. It knows ports, no carrier and no model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.call.child import ChildSignalled, Sign
from gateway.call.consent import (
    AnswerOverdue,
    AwaitAnswer,
    CloseAnswerEar,
    GiveConsent,
    HearAnswer,
    OpenAnswerEar,
    RefuseConsent,
    RevokeConsent,
    TransferCall,
)
from gateway.call.events import CallerAudio, LegStopped, MarkReturned
from gateway.call.flow import CallFlow
from gateway.call.payment import PaymentCommand
from gateway.call.plot import (
    Admit,
    AgentFinished,
    AwaitMark,
    CloseConversation,
    ConsentCommand,
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
    PlotCommand,
    Seal,
    Tell,
    Told,
    Write,
)
from gateway.errors import EvidenceUnavailable, SordinoError
from gateway.evidence.entries import Json
from gateway.ports import Clock, Conversation, ConversationEvents, Playout, SpanHandle, Telemetry, TurnShown
from gateway.runner.account import CallAccount
from gateway.runner.answering import Answering, MakeAnswerEar
from gateway.runner.consents import CallConsents
from gateway.runner.leg import Leg, MeetingLeg
from gateway.runner.payment import PaymentDesk, PaymentParts
from gateway.runner.playout import PacedPlayout, PlayedTap
from gateway.runner.showing import Shown
from gateway.runner.transfer import TRANSFER, Transfers
from gateway.tasks import TaskOwner
from gateway.values import Pcm, Private

WAITING_FRAMES = 500
"""How many frames may wait (10 s) before caller audio is dropped: a stuck ledger must not fill the memory."""
SHOWN = ("announcement.", "consent.", "listening.", "payment.", "child.", "call.transferred", "call.failed", "call.ended")
"""Kinds of entry that somebody who watches is shown."""
CLOSE_WITHIN_S = 4.0
TELL_GRACE_S = 2.0

MakeConversation = Callable[[Playout, ConversationEvents, SpanHandle], Conversation]
SealReceipt = Callable[[Outcome, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CallParts:
    """What one call is run with. ``sounds`` holds the announcements by id and the messages by name."""

    flow: CallFlow
    leg: Leg
    account: CallAccount
    sounds: Mapping[str, Pcm]
    make_conversation: MakeConversation
    seal: SealReceipt
    clock: Clock
    telemetry: Telemetry
    shown: Shown
    consents: CallConsents = field(default_factory=CallConsents)
    make_answer_ear: MakeAnswerEar | None = None
    tap: PlayedTap | None = None
    """Who keeps what the caller hears; None: nobody."""
    payment: PaymentParts | None = None
    transfers: Transfers = field(default_factory=Transfers)
    child: Callable[[Sign], None] = lambda sign: None
    """Told when the leg knows of a child: shuts every way out, and then posts it."""


class CallRunner:
    """One call from its first frame to its receipt. ``await run()`` returns when the receipt is made."""

    def __init__(self, parts: CallParts) -> None:
        self._p = parts
        self._flow = parts.flow
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._playout = PacedPlayout(parts.leg, parts.clock, parts.tap)
        self._conversation: Conversation | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tasks = TaskOwner("call", on_failure=self._task_failed)
        self._answering = Answering(parts.make_answer_ear, self._tasks, self.post)
        self._payment = _payment_desk(parts, self._tasks, self._playout, self.post)
        self._began = parts.clock.monotonic()
        self._span: SpanHandle | None = None
        self.frames_late = 0
        """Frames of the caller that came while too many waited, and were dropped."""

    async def run(self) -> Outcome:
        """Raises nothing of its own: every failure is an event of the plot and stands in the receipt."""
        telemetry = self._p.telemetry
        telemetry.gauge("sordino_calls_active", +1)
        outcome = Outcome.FAILED
        try:
            with telemetry.span("sordino.call", carrier=str(self._flow.started.get("carrier", ""))) as span:
                self._span = span
                async with self._tasks:
                    self._tasks.start(self._read_leg(), name="leg")
                    self._tasks.start(self._playout.run(), name="playout")
                    outcome = await self._until_sealed()
                span.set(outcome=outcome.value)
        finally:
            telemetry.gauge("sordino_calls_active", -1)
            self._playout.close()
            if self._payment is not None:
                self._payment.close()
            await self._close_conversation()
        return outcome

    async def _until_sealed(self) -> Outcome:
        while True:
            event = await self._events.get()
            sealed = await self._happen(event)
            if sealed is not None:
                return sealed

    async def _happen(self, event: Event) -> Outcome | None:
        if isinstance(event, MarkReturned):
            self._playout.mark_returned(event.name)
        if isinstance(event, LegStopped):
            self._playout.close()
        outcome: Outcome | None = None
        for command in self._flow.on(event, self._at_ms()):
            try:
                await (self._pay(command) if isinstance(command, PaymentCommand) else self._perform(command))
            except SordinoError as error:
                if self._flow.phase is not Phase.ENDED:
                    return await self._happen(Failed(error.code))
                # Nobody is left to tell, and what ends the call goes on: a receipt that could not be kept ends it too.
                self._p.telemetry.count("sordino_refusals_total", reason=error.code)
            if isinstance(command, Seal):
                outcome = command.outcome
        return outcome

    # --- commands ---------------------------------------------------------------------------------------------------

    async def _perform(self, command: PlotCommand) -> None:
        match command:
            case Hear(pcm):
                self._hear(pcm)
            case Write():
                await self._write(command)
            case OpenConversation():
                self._open_conversation()
            case Admit(joined, to_answer):
                if isinstance(self._p.leg, MeetingLeg):
                    await self._p.leg.admit(joined, to_answer=to_answer)
            case CloseConversation():
                await self._close_conversation()
            case Seal(outcome, code):
                await self._p.seal(outcome, code)
            case PlayAnnouncement() | AwaitMark() | Tell() | HangUp():
                await self._sound(command)
            case _:
                await self._consent(command)

    def _hear(self, pcm: Private[Pcm]) -> None:
        if self._conversation is not None and not (self._payment is not None and self._payment.blind):
            self._conversation.hear(pcm)

    async def _pay(self, command: PaymentCommand) -> None:
        if self._payment is not None:
            await self._payment.perform(command)

    async def _sound(self, command: PlayAnnouncement | AwaitMark | Tell | HangUp) -> None:
        """What the caller is to hear without any agent."""
        match command:
            case PlayAnnouncement():
                self._tasks.start(self._play(command), name="announce")
            case AwaitMark(announcement, within_ms, play):
                self._tasks.start(self._overdue(MarkOverdue(announcement.id, play), within_ms), name="mark")
            case Tell(asset):
                self._tasks.start(self._tell(asset), name="tell")
            case HangUp():
                await self._p.leg.close()

    async def _consent(self, command: ConsentCommand) -> None:
        match command:
            case OpenAnswerEar():
                self._answering.open(command)
                await self._p.leg.listen()
            case HearAnswer(pcm):
                self._answering.hear(pcm)
            case CloseAnswerEar():
                self._answering.close()
            case AwaitAnswer():
                self._tasks.start(self._answer_overdue(command), name="wait")
            case GiveConsent() | RefuseConsent() | RevokeConsent():
                await self._keep_answer(command)
            case TransferCall(otherwise):
                self._tasks.start(self._transfer(otherwise), name="tell")

    async def _keep_answer(self, command: GiveConsent | RefuseConsent | RevokeConsent) -> None:
        try:
            await self._p.consents.perform(command)
        except SordinoError as error:
            if self._flow.phase not in (Phase.TELLING, Phase.ENDED):
                raise
            # A no holds without the ledger: the call ends because of it, and the receipt says what the ledger lacks.
            await self._write(Write("consent.not_kept", {"purpose": command.purpose, "code": error.code}, anyway=True))

    async def _write(self, command: Write) -> None:
        self._count(command)
        late: dict[str, Json] = {"frames_late": self.frames_late} if command.kind == "call.ended" and self.frames_late else {}
        try:
            await self._p.account.write(command.kind, {**command.body, **late})
        except EvidenceUnavailable:
            if not command.anyway:
                raise

    def _count(self, command: Write) -> None:
        if command.kind.startswith("announcement."):
            outcome = command.kind.removeprefix("announcement.")
            self._p.telemetry.count("sordino_announcement_total", outcome=outcome)
        if command.kind.startswith(SHOWN):
            facts = {key: value for key, value in command.body.items() if isinstance(value, str | int)}
            self._p.shown(TurnShown(command.kind, facts=facts))

    async def _play(self, command: PlayAnnouncement) -> None:
        announcement = command.announcement
        if command.clearing:
            self._playout.clear()
        self._p.shown(TurnShown("announcing", facts={"id": announcement.id, "total_ms": announcement.total_ms}))
        with self._p.telemetry.span("sordino.announce", language=announcement.language, total_ms=announcement.total_ms):
            segment = self._playout.begin(announcement.mark(command.play))
            await segment.push(self._p.sounds[announcement.id])
            segment.end()
            await segment.all_sent.wait()
            self._events.put_nowait(PlayedOut(announcement.id, command.play))

    async def _overdue(self, event: Event, within_ms: int) -> None:
        await asyncio.sleep(within_ms / 1000)
        self._events.put_nowait(event)

    async def _answer_overdue(self, command: AwaitAnswer) -> None:
        await asyncio.sleep(command.within_ms / 1000)
        await self._answering.settled()
        self._events.put_nowait(AnswerOverdue(command.announcement, command.play))

    def _open_conversation(self) -> None:
        assert self._span is not None  # noqa: S101 - set before the first event is read
        self._conversation = self._p.make_conversation(self._playout, _Events(self), self._span)
        # In a task of its own: it may take long, and a caller who hangs up meanwhile is not to wait for it.
        self._opening = self._tasks.start(self._start(self._conversation), name="open")

    async def _start(self, conversation: Conversation) -> None:
        await conversation.start()
        await self._p.leg.listen()

    async def _close_conversation(self) -> None:
        """Within the bound, whatever the conversation does: the caller is to be told, and the receipt to be made."""
        conversation, self._conversation = self._conversation, None
        opening, self._opening = self._opening, None
        if opening is not None:
            await self._ended(opening)
        if conversation is None:
            return
        self._playout.clear()
        if not await self._ended(self._tasks.start(conversation.aclose(), name="close"), within_s=CLOSE_WITHIN_S):
            self._p.telemetry.count("sordino_refusals_total", reason="conversation_close_timeout")

    async def _ended(self, task: asyncio.Task[None], *, within_s: float = 0.0) -> bool:
        """Wait for a task, cancel it when its time is over, and say whether it ended by itself. Its failure is reported."""
        done, _ = await asyncio.wait({task}, timeout=within_s)
        if not done:
            task.cancel()
            await asyncio.wait({task}, timeout=CLOSE_WITHIN_S)
        return bool(done)

    async def _tell(self, asset: str) -> None:
        sound = self._p.sounds[asset]
        self._playout.clear()
        segment = self._playout.begin(f"tell:{asset}")
        try:
            async with asyncio.timeout(sound.ms / 1000 + TELL_GRACE_S):
                await segment.push(sound)
                segment.end()
                await segment.played()
        except TimeoutError:
            pass
        self._events.put_nowait(Told())

    async def _transfer(self, otherwise: str) -> None:
        facts = await self._p.transfers.hand_over(self._p.leg)
        await self._write(Write("call.transferred", facts, anyway=True))
        await self._tell(TRANSFER if facts["done"] else otherwise)

    # --- events -----------------------------------------------------------------------------------------------------

    async def _read_leg(self) -> None:
        stopped = False
        async for event in self._p.leg.events():
            stopped = stopped or isinstance(event, LegStopped)
            if isinstance(event, ChildSignalled):
                self._p.child(event.sign)
                continue
            if isinstance(event, CallerAudio) and self._events.qsize() > WAITING_FRAMES:
                self.frames_late += 1
                continue
            self._events.put_nowait(event)
        if not stopped:
            self._events.put_nowait(LegStopped("cut"))

    def _task_failed(self, name: str, failure: BaseException) -> None:
        """A part of the call broke. The call ends the way the law of fail-closed says; the class name is all that is told."""
        code = failure.code if isinstance(failure, SordinoError) else "internal"
        self._p.telemetry.count("sordino_refusals_total", reason=code)
        telling = name.endswith(":tell")
        self._events.put_nowait(Told() if telling else Failed(code))

    def post(self, event: Event) -> None:
        """Something happened beside the leg."""
        self._events.put_nowait(event)

    def _at_ms(self) -> int:
        return int((self._p.clock.monotonic() - self._began) * 1000)

    async def record(self, kind: str, body: Mapping[str, Json]) -> None:
        await self._p.account.write(kind, body)

    def show(self, turn: TurnShown) -> None:
        self._p.shown(turn)


class _Events:
    """The conversation's way back to the call."""

    def __init__(self, runner: CallRunner) -> None:
        self._runner = runner

    def failed(self, code: str) -> None:
        self._runner.post(Failed(code))

    def finished(self) -> None:
        self._runner.post(AgentFinished())

    async def record(self, kind: str, body: Mapping[str, Json]) -> None:
        await self._runner.record(kind, body)

    def show(self, turn: TurnShown) -> None:
        self._runner.show(turn)


def _payment_desk(parts: CallParts, tasks: TaskOwner, playout: Playout, post: Callable[[Event], None]) -> PaymentDesk | None:
    return PaymentDesk(parts.payment, tasks, playout, parts.sounds, post, parts.telemetry) if parts.payment else None
