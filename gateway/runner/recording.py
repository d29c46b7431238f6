"""The recorder of one call: both voices in time, for as long as the caller agrees, written chunk by chunk (promises 11, 14, 33).

It is told of each frame as it is heard and as it is played, and asks the consent token before each one and again before each
chunk. Where spoken personal data is to be hidden it holds the caller's words back until they were understood and masked
(``gateway.runner.held``): what nobody has understood is never written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import SordinoError
from gateway.evidence.entries import Json
from gateway.policy.announcing import RECORDING
from gateway.policy.consent import How
from gateway.policy.recording import OnWithdrawal, Recording, Redact, WithoutStorage
from gateway.ports import Clock, Conversation
from gateway.runner.held import Held
from gateway.runner.sides import SAMPLE_BYTES, Side, bleep, interleaved
from gateway.tasks import TaskOwner
from gateway.values import Gap, Pcm, Private

CHUNK_S = 1.0
SETTLES_AFTER_S = 0.3
"""Frames of the network come late, and frames of ours are sent ahead of the caller's ear: what is older than this stays."""
SUSPENDED = "consent"
"""The reason of a gap in which somebody on the line has not agreed yet."""


class Sink(Protocol):
    """Where a recording is written: encrypted, piece by piece, on the disk when each method returns."""

    @property
    def facts(self) -> Mapping[str, Json]:
        """What the evidence says of it: consent, key id, format, processor."""
        ...

    async def sound(self, at: int, samples: Private[bytes]) -> None:
        """Both voices from sample ``at`` on. Raises StoreUnavailable."""
        ...

    async def gap(self, gap: Gap) -> None:
        """Raises StoreUnavailable."""
        ...

    async def finish(self, samples: int) -> Mapping[str, Json]:
        """The last chunk. What the evidence says of the whole. Raises StoreUnavailable."""
        ...

    async def discard(self) -> None:
        """What was never begun on record is gone, its key first. Raises StoreUnavailable."""
        ...

    async def delete(self) -> bool:
        """All of it is gone, its key first, with a certificate. False: a legal hold keeps it as it is now.

        Raises StoreUnavailable, EvidenceUnavailable.
        """
        ...


OpenSink = Callable[[int], Awaitable[Sink]]
"""Opens the storage that the policy permits, at this rate. Raises NoPermittedRoute, StoreUnavailable, EvidenceUnavailable."""
Record = Callable[[str, Mapping[str, Json]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RecorderParts:
    """What a recorder stands on. ``may_record`` is the consent token; ``refused`` ends a call that may not go on unrecorded."""

    rules: Recording
    may_record: Callable[[], bool]
    open: OpenSink
    record: Record
    refused: Callable[[str], None]
    clock: Clock


@dataclass(slots=True)
class _Gaps:
    """Stretches without a recording, in samples. The last one is open while ``since`` is set."""

    done: list[tuple[int, int, str]] = field(default_factory=list)
    since: int | None = None
    reason: str = ""

    def begin(self, at: int, reason: str) -> None:
        if self.since is None:
            self.since, self.reason = at, reason

    def end(self, at: int) -> None:
        if self.since is not None and at > self.since:
            self.done.append((self.since, at, self.reason))
        self.since = None


class Recorder:
    """One call's recorder. Nothing of it exists on the disk before the caller agreed and the evidence says so."""

    def __init__(self, parts: RecorderParts, *, rate: int) -> None:
        """``rate`` in Hz, of both channels."""
        self._p = parts
        self._rate = rate
        self._caller, self._agent = Side(rate), Side(rate)
        self._held = Held(rate, bleep=parts.rules.redact is Redact.BLEEP) if parts.rules.redact is not Redact.NONE else None
        self._gaps = _Gaps()
        self._written = 0
        self._origin: float | None = None
        self._paused: str | None = None
        self._over = False
        self._stop = asyncio.Event()
        self._writing = asyncio.Lock()
        self._sink: Sink | None = None
        self._tasks = TaskOwner("recorder", on_failure=self._broke)
        self._writer: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._told: list[Gap] = []

    # --- what happens on the call -------------------------------------------------------------------------------------

    def heard(self, pcm: Private[Pcm]) -> None:
        """The next frame of the caller, in the order in which the conversation hears them."""
        taken, frame = self._takes(), pcm.reveal()
        samples = self._caller.converted(frame)
        at = self._caller.place(samples, self._now()) if taken else None
        if self._held is not None:
            self._held.heard(samples, frame.ms, at=at)
        elif at is not None:
            self._caller.put(samples, at)

    def played(self, pcm: Pcm, at: float, *, private: bool) -> None:
        """A frame that the caller will have begun to hear at ``at`` (monotonic). ``private``: it may hold restored words."""
        taken, samples = self._takes(), self._agent.converted(pcm)
        if not taken or self._origin is None:
            return
        place = int((at - self._origin) * self._rate)
        if private and self._held is not None:
            length = len(samples) // SAMPLE_BYTES
            samples = bleep(length, self._rate, place) if self._p.rules.redact is Redact.BLEEP else bytes(len(samples))
        self._agent.play(samples, place)

    def cleared(self, at: float) -> None:
        """What was to be heard after ``at`` will not be."""
        if self._origin is not None:
            self._agent.cut(int((at - self._origin) * self._rate))

    @property
    def held(self) -> Held | None:
        """Whom the ear tells what was understood; None: nothing is hidden in this recording."""
        return self._held

    def pause(self, reason: str) -> None:
        """Keep nothing from now on. ``reason`` is a word for the gap's marker, never content."""
        self._paused = self._paused or reason
        self._gaps.begin(self._now(), reason)

    def resume(self) -> None:
        """Go on, if the caller agrees. What was said meanwhile is in no recording."""
        self._paused = None
        if self._origin is not None and self._p.may_record():
            self._gaps.end(self._now())

    def revoked(self, purpose: str, how: How | None) -> None:
        """The token was lost: for good (``how``), or until those who joined agree too. Nothing said since is written."""
        if purpose != RECORDING or self._origin is None or self._over:
            return
        self._forget()
        if how is None:
            self._gaps.begin(self._written, SUSPENDED)
        else:
            self._over = True
            self._ending = self._tasks.start(self._in_the_end(self._withdrawn()), name="withdrawn")

    async def finish(self) -> None:
        """The call is over: write what may be written, and close the file. Returns when the evidence has it."""
        if self._origin is not None and not self._over:
            self._over = True
            self._stop.set()
            if self._writer is not None:
                await asyncio.wait({self._writer})
            await self._in_the_end(self._end())
        if self._ending is not None:
            await asyncio.wait({self._ending})
        await self._tasks.aclose()

    # --- taking -------------------------------------------------------------------------------------------------------

    def _takes(self) -> bool:
        if self._over or not self._p.may_record():
            return False
        if self._origin is None:
            self._origin = self._p.clock.monotonic()
            self._writer = self._tasks.start(self._run(), name="writer")
        if self._paused is not None:
            self._gaps.begin(self._now(), self._paused)
            return False
        self._gaps.end(self._now())
        return True

    def _now(self) -> int:
        return 0 if self._origin is None else int((self._p.clock.monotonic() - self._origin) * self._rate)

    def _forget(self) -> None:
        self._caller.forget()
        self._agent.forget()
        if self._held is not None:
            self._held.forget()

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        if not await self._begun():
            return
        while not self._stop.is_set():
            try:
                async with asyncio.timeout(CHUNK_S):
                    await self._stop.wait()
            except TimeoutError:
                pass
            await self.look()

    async def look(self) -> None:
        """Write what is due: at most a second's worth lies in memory beside what is held back."""
        async with self._writing:
            if not self._over:
                await self._write_until(self._settled())

    async def _begun(self) -> bool:
        try:
            self._sink = await self._p.open(self._rate)
            await self._p.record("recording.started", {**self._sink.facts, "redact": self._p.rules.redact.value})
        except SordinoError as error:
            await self._not_begun(error)
            return False
        return True

    async def _not_begun(self, error: SordinoError) -> None:
        """No entry, no recording; and without a recording the call goes on, or ends, as the policy says."""
        self._over = True
        self._forget()
        if self._sink is not None:
            await self._sink.discard()
        then = self._p.rules.without_storage
        await self._p.record("recording.refused", {"code": error.code, "reasons": list(error.reasons), "then": then.value})
        if then is WithoutStorage.HANG_UP:
            self._p.refused(error.code)

    def _settled(self) -> int:
        """Up to which sample both sides are known and may be written."""
        until = self._now() - int(SETTLES_AFTER_S * self._rate)
        if self._held is not None:
            self._held.release(self._caller, now=self._now())
            until = min(until, self._held.waiting_from(until))
        return until

    async def _write_until(self, until: int) -> None:
        """Whole chunks, each after the token was asked once more."""
        while self._sink is not None and self._written < (until := self._before_gap(until)):
            start, end, reason = self._gaps.done[0] if self._gaps.done else (until, until, "")
            if self._written >= start:
                await self._write_gap(min(start, self._written), end, reason)
                continue
            upto = min(until, start, self._written + int(CHUNK_S * self._rate))
            if not self._p.may_record():
                return
            at, both = self._written, interleaved(self._caller.take(upto), self._agent.take(upto))
            self._written = upto
            await self._sink.sound(at, Private(both))

    def _before_gap(self, until: int) -> int:
        """Nothing is written past the beginning of a gap whose end is not known."""
        return until if self._gaps.since is None else min(until, self._gaps.since)

    async def _write_gap(self, start: int, end: int, reason: str) -> None:
        self._gaps.done.pop(0)
        self._caller.skip(end)
        self._agent.skip(end)
        self._written = max(self._written, end)
        await self._tell(Gap(self._ms(start), self._ms(end), reason))

    async def _tell(self, gap: Gap) -> None:
        if self._sink is not None:
            self._told.append(gap)
            await self._sink.gap(gap)

    def _ms(self, samples: int) -> int:
        return samples * 1000 // self._rate

    # --- ending -------------------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """After the writer: everything that was settled or can be now, then the last chunk."""
        if self._sink is None:
            return
        async with self._writing:
            await self._write_the_rest()
        await self._stopped("ended")

    async def _write_the_rest(self) -> None:
        now = max(self._now(), self._caller.end)
        if self._held is not None:
            self._held.release(self._caller, now=now, all_of_it=True)
        self._gaps.end(now)
        await self._write_until(now)

    async def _withdrawn(self) -> None:
        """The file is closed or deleted, as the policy says; the writer writes no other chunk meanwhile."""
        self._stop.set()
        if self._writer is not None:
            await asyncio.wait({self._writer})
        if self._sink is None:
            return
        if self._p.rules.on_withdrawal is OnWithdrawal.KEEP_UNTIL_THEN:
            await self._stopped("withdrawn")
            return
        deleted = await self._sink.delete()
        await self._p.record("recording.stopped", {"why": "withdrawn", **self._extent(), **({} if deleted else {"held": True})})
        if deleted:
            await self._p.record("recording.deleted", {"why": "withdrawn", "key_id": self._sink.facts["key_id"]})

    async def _stopped(self, why: str) -> None:
        if self._sink is not None:
            facts = await self._sink.finish(self._written)
            await self._p.record("recording.stopped", {"why": why, **self._extent(), **facts})

    def _extent(self) -> dict[str, Json]:
        gaps: list[Json] = [{"start_ms": gap.start_ms, "end_ms": gap.end_ms, "reason": gap.reason} for gap in self._told]
        return {"ms": self._ms(self._written), "gaps": gaps}

    async def _in_the_end(self, ending: Coroutine[None, None, None]) -> None:
        try:
            await ending
        except SordinoError as error:
            await self._failed(error.code)

    def _broke(self, name: str, failure: BaseException) -> None:
        """The disk or the ledger failed the recorder: nothing more is kept, and the call goes on."""
        self._over = True
        self._stop.set()
        self._forget()
        code = failure.code if isinstance(failure, SordinoError) else "internal"
        self._ending = self._ending or self._tasks.start(self._failed(code), name="failed")

    async def _failed(self, code: str) -> None:
        # Where the ledger is what failed there is nobody left to tell: the file alone then says that it was cut.
        with suppress(SordinoError):
            await self._p.record("recording.failed", {"code": code, **self._extent()})


class RecordedConversation:
    """A conversation whose caller is recorded too: implements ``gateway.ports.Conversation``."""

    def __init__(self, conversation: Conversation, recorder: Recorder) -> None:
        self._conversation = conversation
        self._recorder = recorder

    async def start(self) -> None:
        await self._conversation.start()

    def hear(self, pcm: Private[Pcm]) -> None:
        self._recorder.heard(pcm)
        self._conversation.hear(pcm)

    async def aclose(self) -> None:
        try:
            await self._conversation.aclose()
        finally:
            await self._recorder.finish()
