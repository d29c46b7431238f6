"""The transcript of one call: what was said, masked, for as long as the caller agrees (promises 11, 14, 32 and 33).

Each turn is asked for the consent token when it is said, and is written once it has been through the mask. What a later turn
tells of an earlier one is masked in what was written already. Nothing of it exists in the store before the evidence says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from gateway.adapters.stores.transcripts import TurnKept
from gateway.errors import RedactionUnavailable, SordinoError, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.policy.announcing import RECORDING
from gateway.policy.categories import category_of
from gateway.policy.consent import How
from gateway.policy.recording import OnWithdrawal
from gateway.policy.transcripts import TRANSCRIPT, Transcripts
from gateway.ports import Clock, Conversation
from gateway.redaction.placeholder import scanner
from gateway.runner.to_delete import TAKEN_BACK
from gateway.tasks import TaskOwner
from gateway.values import DataCategory, MaskedText, Pcm, Placeholder, Private


class Uttered(Protocol):
    """One turn as the conversation tells it (``gateway.adapters.conversation.scribe``)."""

    @property
    def speaker(self) -> str: ...
    @property
    def cut(self) -> bool: ...
    def now(self) -> MaskedText | None: ...
    async def settle(self) -> MaskedText: ...
    def value(self, placeholder: Placeholder) -> Private[str] | None: ...


class Sheet(Protocol):
    """Where a transcript is written: encrypted, and in the store when each method returns. Raises StoreUnavailable."""

    @property
    def evidence(self) -> Mapping[str, Json]:
        """What the evidence says of it: consent, purpose, key id."""
        ...

    async def write(self, turns: Mapping[int, TurnKept], values: Mapping[Placeholder, Private[str]]) -> None: ...
    async def finish(self, turns: int) -> None: ...
    async def discard(self) -> None:
        """What was never begun on record is gone, its key first."""
        ...

    async def delete(self, why: str) -> bool:
        """All of it is gone, its key first, with a certificate. False: a legal hold keeps it as it is now."""
        ...


OpenSheet = Callable[[], Awaitable[Sheet]]
"""A new transcript of this call. Raises PolicyRefused: no agreement is on record; StoreUnavailable."""
Record = Callable[[str, Mapping[str, Json]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ScribeParts:
    """What a transcriber stands on. ``may_keep`` is the consent token; ``blind`` whether card data is being given."""

    rules: Transcripts
    may_keep: Callable[[], bool]
    blind: Callable[[], bool]
    open: OpenSheet
    record: Record
    clock: Clock


class _Then(Enum):
    """What becomes of a transcript that nothing is added to any more."""

    KEEP = auto()
    DELETE = auto()
    LEAVE = auto()


@dataclass(slots=True)
class _Line:
    turn: Uttered
    at: str
    kept: MaskedText | None = None
    """As it stands in the store."""


class Transcriber:
    """Implements ``gateway.adapters.conversation.scribe.Scribe`` for one call."""

    def __init__(self, parts: ScribeParts) -> None:
        self._p = parts
        self._lines: list[_Line] = []
        self._values: dict[Placeholder, Private[str]] = {}
        self._sheet: Sheet | None = None
        self._more = asyncio.Event()
        self._writing = asyncio.Lock()
        self._closed = False
        """Nothing more is kept."""
        self._why = "ended"
        self._tasks = TaskOwner("transcript", on_failure=self._broke)
        self._writer: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    def add(self, turn: Uttered) -> None:
        """Somebody has said something: it is kept if the caller agrees at this moment, and no card data is being given."""
        # Whatever was said may tell of what was written before.
        self._more.set()
        if self._closed or self._p.blind() or not self._p.may_keep():
            return
        self._lines.append(_Line(turn, self._p.clock.now().isoformat(timespec="milliseconds")))
        if self._writer is None:
            self._writer = self._tasks.start(self._run(), name="writer")

    def revoked(self, purpose: str, how: How | None) -> None:
        """The agreement was taken back: for good (``how``), or until those who joined agree too, and then it goes on by itself.

        Who wants no recording wants no transcript either, whatever was asked.
        """
        if how is not None and purpose in (RECORDING, TRANSCRIPT):
            if self._p.rules.on_withdrawal is OnWithdrawal.KEEP_UNTIL_THEN:
                self._closed, self._why = True, "withdrawn"
            else:
                self._end("withdrawn", _Then.DELETE)

    def stop(self, why: str) -> None:
        """Nothing more is written, not even what waits; what was written is for others to delete. ``why``: for the evidence."""
        self._end(why, _Then.LEAVE)

    async def finish(self) -> None:
        """The call is over: what may be kept is written. Returns when the evidence has it."""
        self._end(self._why, _Then.KEEP)
        if self._ending is not None:
            await asyncio.wait({self._ending})
        await self._tasks.aclose()

    # --- writing --------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            self._more.clear()
            async with self._writing:
                await self._write()

    async def _write(self) -> None:
        """What is new, and what is masked otherwise by now."""
        changed = {
            number: text for number, line in enumerate(self._lines) if (text := line.turn.now()) is not None and text != line.kept
        }
        if not changed:
            return
        sheet = await self._opened()
        turns = {number: self._kept(self._lines[number], text) for number, text in changed.items()}
        values = self._new_values()
        await sheet.write(turns, values)
        self._values |= values
        for number, text in changed.items():
            self._lines[number].kept = text

    async def _opened(self) -> Sheet:
        if self._sheet is None:
            sheet = await self._p.open()
            try:
                await self._p.record("transcript.started", sheet.evidence)
            except SordinoError:
                await sheet.discard()
                raise
            self._sheet = sheet
        return self._sheet

    def _kept(self, line: _Line, text: MaskedText) -> TurnKept:
        return TurnKept(line.turn.speaker, line.at, text, line.turn.cut)

    def _new_values(self) -> dict[Placeholder, Private[str]]:
        """What stands behind the placeholders. Card data and the like is in no transcript, not even sealed (promise 33)."""
        found: dict[Placeholder, Private[str]] = {}
        for line in self._lines:
            for each in scanner().all(line.turn.now() or ""):
                value = None if category_of(each.entity) is DataCategory.PAYMENT else line.turn.value(each.name)
                if value is not None and self._values.get(each.name) != value:
                    found[each.name] = value
        return found

    # --- ending ---------------------------------------------------------------------------------------------------------

    def _end(self, why: str, then: _Then) -> None:
        self._closed = True
        if self._writer is not None and self._ending is None:
            self._ending = self._tasks.start(self._ended(why, then), name="ending")

    async def _ended(self, why: str, then: _Then) -> None:
        try:
            async with self._writing:
                if self._writer is not None:
                    self._writer.cancel()
                if then is _Then.DELETE:
                    await self._discard(why)
                    return
                if then is _Then.KEEP:
                    await self._write_all()
                await self._stopped(why)
        except SordinoError as error:
            await self._failed(error.code)

    async def _write_all(self) -> None:
        for line in self._lines:
            with suppress(RedactionUnavailable, StoreUnavailable):
                await line.turn.settle()
        await self._write()

    async def _stopped(self, why: str) -> None:
        if self._sheet is not None:
            turns = sum(line.kept is not None for line in self._lines)
            await self._sheet.finish(turns)
            await self._p.record("transcript.stopped", {"why": why, "turns": turns})

    async def _discard(self, why: str) -> None:
        turns = sum(line.kept is not None for line in self._lines)
        self._lines.clear()
        self._values.clear()
        if self._sheet is not None:
            if await self._sheet.delete(TAKEN_BACK if why == "withdrawn" else why):
                await self._p.record("transcript.deleted", {"why": why, "key_id": self._sheet.evidence["key_id"]})
            else:
                await self._sheet.finish(turns)
                await self._p.record("transcript.stopped", {"why": why, "turns": turns, "held": True})

    def _broke(self, name: str, failure: BaseException) -> None:
        """The store or the ledger failed the transcript: nothing more is kept, and the call goes on."""
        self._closed = True
        code = failure.code if isinstance(failure, SordinoError) else "internal"
        self._ending = self._ending or self._tasks.start(self._failed(code), name="failed")

    async def _failed(self, code: str) -> None:
        # Where the ledger is what failed, there is nobody left to tell.
        with suppress(SordinoError):
            await self._p.record("transcript.failed", {"code": code})


class TranscribedConversation:
    """A conversation that is written down: implements ``gateway.ports.Conversation``."""

    def __init__(self, conversation: Conversation, transcriber: Transcriber) -> None:
        self._conversation = conversation
        self._transcriber = transcriber

    async def start(self) -> None:
        await self._conversation.start()

    def hear(self, pcm: Private[Pcm]) -> None:
        self._conversation.hear(pcm)

    async def aclose(self) -> None:
        try:
            await self._conversation.aclose()
        finally:
            await self._transcriber.finish()
