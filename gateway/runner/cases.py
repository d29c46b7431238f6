"""The case book: requests and incidents with their deadlines, on record step by step (promises 18, 19, 20 and 23).

The book says what is to be done by when, the evidence proves what was done. The book is written first; an entry that the ledger
did not take is written by the next round, so a gateway that dies between the two leaves nothing unproven.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

from gateway.errors import EvidenceInvalid, EvidenceUnavailable, InvalidRequest, NotFound, PolicyUnavailable, StoreUnavailable
from gateway.evidence.canonical import plain
from gateway.evidence.chain import digest
from gateway.evidence.entries import Json
from gateway.policy.cases import (
    ATTEMPTED,
    CLOSED,
    NOTIFIED,
    OPENED,
    RESERVED,
    Case,
    CaseEvent,
    Due,
    Letter,
    fold,
    letter_event,
    reminder,
    to_deliver,
)
from gateway.policy.contacts import Contacts
from gateway.policy.load import PolicySet
from gateway.policy.notice_message import NoticeMessage
from gateway.ports import Clock, Ids, Ledger
from gateway.reports.ics import appointment, as_ics
from gateway.runner.account import CallAccount
from gateway.runner.notices import ATTEMPTS, NoticeSender, attempt
from gateway.values import CallId, TenantId

HOUSE = TenantId("_house")
"""Whose cases those are that concern the gateway as a whole: no file can name a tenant so."""
INCIDENT = "incident"
NEAR = timedelta(days=7)
PROOF_S, PROOF_LOOK_S = 10, 0.02
PROOF_LOOKS = int(PROOF_S / PROOF_LOOK_S)
"""How long the writing of a case's evidence belongs to one gateway, and how the others wait for it."""
CLAIM_S = 120
"""How long one attempt to deliver belongs to the gateway that makes it: longer than any channel takes."""

_WORD = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+){0,5}")
LONGEST_WORD, LONGEST_ABOUT, LONGEST_NOTE = 40, 128, 20_000


class CaseLog(Protocol):
    """Where the book is kept. Every method raises StoreUnavailable."""

    async def events(self, tenant: TenantId, case_id: str) -> tuple[CaseEvent, ...]: ...
    async def add(self, tenant: TenantId, case_id: str, seen: int, events: Sequence[CaseEvent], *, live: bool) -> bool: ...
    async def claim(self, tenant: TenantId, what: str, *, for_s: int) -> bool: ...
    async def release(self, tenant: TenantId, what: str) -> None: ...
    async def ids(self, tenant: TenantId, *, live_only: bool = False) -> tuple[str, ...]: ...
    async def many(self, tenant: TenantId, ids: Sequence[str]) -> tuple[tuple[CaseEvent, ...], ...]: ...
    async def unproven(self, tenant: TenantId) -> tuple[str, ...]: ...
    async def proven(self, tenant: TenantId, case_id: str) -> tuple[int, str]: ...
    async def prove(self, tenant: TenantId, case_id: str, count: int, head: str) -> None: ...


Decide = Callable[[Case | None, datetime], Sequence[CaseEvent]]


class CaseBook:
    """Everything that is done about cases. Time is the clock's.

    Methods that write raise StoreUnavailable (nothing happened, or it is not known), and EvidenceUnavailable: it is in the book,
    and its proof is written by a later round.
    """

    def __init__(
        self,
        log: CaseLog,
        ledger: Ledger,
        policies: Callable[[], PolicySet],
        senders: Mapping[str, NoticeSender],
        clock: Clock,
        ids: Ids,
        house: Contacts | None = None,
    ) -> None:
        """``senders`` by channel (``webhook``, ``mail``); a channel without one fails with each attempt.

        ``house``: the operator's own people, who are told of incidents and their deadlines.
        """
        self._log = log
        self._ledger = ledger
        self._policies = policies
        self._senders = senders
        self._clock = clock
        self._ids = ids
        self._house = house or Contacts()

    async def open(
        self,
        tenant: TenantId,
        kind: str,
        *,
        about: str,
        deadlines: Mapping[str, datetime],
        facts: Mapping[str, Json] | None = None,
        notes: Mapping[str, str] | None = None,
        case_id: str = "",
    ) -> Case:
        """A new case; with a ``case_id`` that is there already: that one, and nothing happens.

        ``about``: a keyed hash, a call's id, an incident's. ``facts`` go into the evidence, ``notes`` (free text) stay here.

        Raises:
            InvalidRequest: a name or a time cannot be one.
        """
        _check_word("kind of case", kind)
        if not about or len(about) > LONGEST_ABOUT or not about.isprintable():
            raise InvalidRequest("a case is about something: a keyed hash, a call's id")
        opening = {**(facts or {}), "kind": kind, "about": about}
        step = _step(OPENED, self._clock.now(), opening, notes, (), deadlines)

        def begin(case: Case | None, at: datetime) -> Sequence[CaseEvent]:
            return [] if case is not None else [step]

        return await self._happen(tenant, case_id or self._ids.new("case"), begin)

    async def event(
        self,
        tenant: TenantId,
        case_id: str,
        what: str,
        facts: Mapping[str, Json] | None = None,
        *,
        notes: Mapping[str, str] | None = None,
        meets: Sequence[str] = (),
        deadlines: Mapping[str, datetime] | None = None,
    ) -> Case:
        """Something happened: ``what`` is a word of the caller's (``identity.checked``). ``meets``: deadlines that it keeps.

        ``deadlines``: such as run from now on, or are moved.

        Raises:
            NotFound: there is no such case.
            InvalidRequest: the word is the book's own, or a deadline is not known.
        """
        _check_word("kind of event", what)
        if what in RESERVED:
            raise InvalidRequest(f"{what} is written by the case book itself")
        step = _step(what, self._clock.now(), facts, notes, meets, deadlines)
        return await self._happen(tenant, case_id, _in_a_case(step))

    async def tell(self, tenant: TenantId, case_id: str, message: NoticeMessage, *, meets: Sequence[str] = ()) -> Case:
        """Send ``message`` to the tenant's contacts on every channel, again and again until it arrives; ``meets`` are kept then.

        The first attempts are made before this answers. The message is kept with the case. The same ``message.id`` twice is one.
        """
        channels = self._contacts(tenant).channels
        _plain(message.data)

        def write(case: Case | None, at: datetime) -> Sequence[CaseEvent]:
            if case is None:
                raise _missing()
            return [] if message.id in case.letters else [letter_event(message, channels, meets)]

        case = await self._happen(tenant, case_id, write)
        for letter, channel in to_deliver(case, self._clock.now()):
            if letter.message.id == message.id:
                case = await self._deliver(case, letter, channel)
        return case

    async def close(self, tenant: TenantId, case_id: str, outcome: str, facts: Mapping[str, Json] | None = None) -> Case:
        """It is over: ``outcome`` is a word (``done``, ``refused``). Its deadlines no longer run; letters are still delivered.

        Raises NotFound; InvalidRequest: it is closed already.
        """
        _check_word("outcome", outcome)
        step = _step(CLOSED, self._clock.now(), {**(facts or {}), "outcome": outcome}, None, (), None)
        return await self._happen(tenant, case_id, _in_a_case(step))

    async def get(self, tenant: TenantId, case_id: str) -> Case:
        """Raises NotFound, StoreUnavailable."""
        found = _folded(case_id, tenant, await self._log.events(tenant, case_id))
        if found is None:
            raise _missing()
        return found

    async def list(self, tenant: TenantId, *, kind: str = "", open_only: bool = False) -> tuple[Case, ...]:
        """The tenant's cases, the oldest first. Raises StoreUnavailable."""
        found = await self._read(tenant, live_only=open_only)
        return tuple(case for case in found if kind in ("", case.kind) and (case.open or not open_only))

    async def calendar(self, tenant: TenantId | None = None) -> str:
        """Every deadline that runs, of one or of all (``tenants``), as an iCalendar file. Raises StoreUnavailable."""
        whose = self.tenants() if tenant is None else (tenant,)
        cases = [case for each in whose for case in await self.list(each, open_only=True)]
        rows = [appointment(case, deadline) for case in cases for deadline in case.running]
        return as_ics(f"Sordino: deadlines of {tenant or 'all'}", rows, made=self._clock.now())

    async def due(self, now: datetime | None = None, *, within: timedelta = NEAR, tenants: Sequence[str] = ()) -> tuple[Due, ...]:
        """Deadlines of open cases that are past or end ``within`` that time, the most urgent first. Raises StoreUnavailable."""
        at = now or self._clock.now()
        near: deque[Due] = deque()
        for tenant in tenants or self.tenants():
            for case in await self.list(TenantId(tenant), open_only=True):
                near.extend(Due(case, each, each.at - at) for each in case.running if each.at - at <= within)
        return tuple(sorted(near, key=lambda each: (each.deadline.at, each.case.id)))

    def tenants(self) -> tuple[TenantId, ...]:
        """Everybody who may have cases: the tenants, and the gateway itself."""
        return (HOUSE, *(TenantId(name) for name in sorted(self._policies().tenants)))

    async def keep(self, tenant: TenantId) -> tuple[Case, ...]:
        """One round for one tenant: prove what is not proven, tell of deadlines, deliver what is due. Gives its open cases.

        Any number of gateways on one store may do it at once: each attempt is made by one of them, and if that one dies, by
        another. What the ledger does not take now stays ``unproven``, and people are told all the same.

        Raises StoreUnavailable: the next round goes on where this one stopped.
        """
        cases = await self._read(tenant, live_only=True)
        for case_id in await self.unproven(tenant):
            with suppress(EvidenceUnavailable):
                await self._prove(tenant, case_id, 0)
        kept: deque[Case] = deque()
        for case in cases:
            now = self._clock.now()
            with suppress(EvidenceUnavailable):
                if self._is_reminded(case) and (message := reminder(case, now)) is not None:
                    await self.tell(tenant, case.id, message)
            for letter, channel in to_deliver(case, now):
                with suppress(EvidenceUnavailable):
                    await self._deliver(case, letter, channel)
            kept.append(case)
        return tuple(case for case in kept if case.open)

    async def unproven(self, tenant: TenantId) -> tuple[str, ...]:
        """Cases with events that the evidence may not have. Raises StoreUnavailable."""
        return await self._log.unproven(tenant)

    async def _read(self, tenant: TenantId, *, live_only: bool) -> tuple[Case, ...]:
        ids = await self._log.ids(tenant, live_only=live_only)
        stored = zip(ids, await self._log.many(tenant, ids), strict=True)
        found = (_folded(name, tenant, events) for name, events in stored)
        return tuple(case for case in found if case is not None)

    async def _deliver(self, case: Case, letter: Letter, channel: str) -> Case:
        message, made = letter.message, letter.deliveries[channel].attempts
        if not await self._log.claim(case.tenant, f"{case.id} {message.id} {channel} {made}", for_s=CLAIM_S):
            return case
        tried = await attempt(self._senders, channel, self._contacts(case.tenant), message)
        facts = {"letter": message.id, "letter_kind": message.kind, "channel": channel, "proof": tried.proof}
        step = _step(NOTIFIED if tried.delivered else ATTEMPTED, self._clock.now(), facts, None, (), None)
        return await self._happen(case.tenant, case.id, _in_a_case(step))

    async def _happen(self, tenant: TenantId, case_id: str, decide: Decide) -> Case:
        """Decide on the case as it is, write it to the book if nobody was faster, then to the evidence."""
        for _ in range(ATTEMPTS):
            events = await self._log.events(tenant, case_id)
            new = decide(_folded(case_id, tenant, events), self._clock.now())
            after = fold(case_id, tenant, (*events, *new))
            if await self._log.add(tenant, case_id, len(events), new, live=after.live):
                await self._prove(tenant, case_id, len(after.events))
                return after
        raise StoreUnavailable("too many gateways write to this case at once")

    async def _prove(self, tenant: TenantId, case_id: str, upto: int) -> None:
        """Returns when the evidence has the first ``upto`` events: one gateway at a time writes them, the others wait for it."""
        what = f"proof of {case_id}"
        for _ in range(PROOF_LOOKS):
            if await self._log.claim(tenant, what, for_s=PROOF_S):
                try:
                    await self._write(tenant, case_id)
                finally:
                    await self._log.release(tenant, what)
                return
            if (await self._log.proven(tenant, case_id))[0] >= upto:
                return
            await asyncio.sleep(PROOF_LOOK_S)
        raise EvidenceUnavailable("another gateway writes this case's evidence, and does not come to an end")

    async def _write(self, tenant: TenantId, case_id: str) -> None:
        """What is in the book into the evidence. What was written and not noted as such is written again, with its number."""
        count, head = await self._log.proven(tenant, case_id)
        events = await self._log.events(tenant, case_id)
        if not events:
            return
        kind = str(events[0].facts.get("kind"))
        account = CallAccount(tenant, CallId(case_id), self._ledger, self._clock, after=head)
        for number, event in enumerate(events[count:], start=count + 1):
            await account.write(*_entry(case_id, kind, number, event))
            await self._log.prove(tenant, case_id, number, account.head)
        if count >= len(events):
            await self._log.prove(tenant, case_id, count, head)

    def reaches(self, tenant: TenantId) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._contacts(tenant).channels)

    def _is_reminded(self, case: Case) -> bool:
        """To tell a tenant of an incident is the operator's own deadline: its people are reminded of it, where there are any."""
        if case.kind == INCIDENT and case.tenant != HOUSE and self.reaches(HOUSE):
            return False
        return self.reaches(case.tenant)

    def _contacts(self, tenant: TenantId) -> Contacts:
        if tenant == HOUSE:
            return self._house
        try:
            return self._policies().tenant(tenant).contacts
        except PolicyUnavailable:
            return Contacts()  # a tenant that is no more: there is nobody to tell


_ENTRIES = frozenset({*RESERVED, "scoped"})


def _entry(case_id: str, kind: str, number: int, event: CaseEvent) -> tuple[str, dict[str, Json]]:
    """Kind and body of an event's evidence: ``incident.*`` for incidents, ``case.*`` for every other case."""
    body: dict[str, Json] = {
        "case": case_id,
        "case_kind": kind,
        "event": number,
        "what": event.what,
        "happened_at": event.at.isoformat(),
        "facts": dict(event.facts),
    }
    if event.notes:
        body["notes_sha256"] = {name: digest(text.encode()) for name, text in event.notes.items()}
    if event.deadlines:
        body["deadlines"] = {name: at.isoformat() for name, at in event.deadlines.items()}
    if event.meets:
        body["meets"] = list(event.meets)
    family = INCIDENT if kind == INCIDENT else "case"
    return f"{family}.{event.what if event.what in _ENTRIES else 'event'}", body


def _step(
    what: str,
    at: datetime,
    facts: Mapping[str, Any] | None,
    notes: Mapping[str, str] | None,
    meets: Sequence[str],
    deadlines: Mapping[str, datetime] | None,
) -> CaseEvent:
    for name, when in (deadlines or {}).items():
        _check_word("deadline", name)
        if when.utcoffset() is None:
            raise InvalidRequest(f"the deadline {name} has no time zone")
    for name, text in (notes or {}).items():
        _check_word("note", name)
        if len(text) > LONGEST_NOTE:
            raise InvalidRequest(f"the note {name} is too long", hint=f"at most {LONGEST_NOTE} characters")
    return CaseEvent(what, at, _plain(facts or {}), dict(notes or {}), dict(deadlines or {}), tuple(meets))


def _plain(facts: Mapping[str, Any]) -> dict[str, Json]:
    """As the evidence will have them. Raises InvalidRequest, before anything has happened."""
    try:
        return {name: plain(value, f"facts.{name}", below=4) for name, value in facts.items()}
    except EvidenceInvalid as error:
        raise InvalidRequest(f"this cannot be a fact of a case: {error.message}") from None


def _in_a_case(step: CaseEvent) -> Decide:
    def decide(case: Case | None, at: datetime) -> Sequence[CaseEvent]:
        if case is None:
            raise _missing()
        return [step]

    return decide


def _folded(case_id: str, tenant: TenantId, events: Sequence[CaseEvent]) -> Case | None:
    if not events:
        return None
    try:
        return fold(case_id, tenant, events)
    except (InvalidRequest, KeyError, ValueError, TypeError):
        raise StoreUnavailable("the case book contradicts itself", hint="restore it from a backup") from None


def _missing() -> NotFound:
    return NotFound("there is no such case of this tenant", hint="sordino cases list shows them")


def _check_word(what: str, word: str) -> None:
    if len(word) > LONGEST_WORD or _WORD.fullmatch(word) is None:
        raise InvalidRequest(f"{word[:LONGEST_WORD]!r} is no {what}", hint="small letters, digits and dots: identity.checked")
