"""Incidents: what went wrong, whom it touches, by when they must be told, and that they were (promise 18).

An incident is a case of the gateway's own, and beside it a case of each tenant that it touches, under the same id: a tenant's
evidence says nothing of another tenant. All of them have the shortest of the touched tenants' clocks, counted from awareness.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from gateway.errors import EvidenceUnavailable, InvalidRequest, NotFound
from gateway.evidence.chain import timestamp
from gateway.evidence.entries import Json
from gateway.evidence.scope import Concerns, Scan, Scope
from gateway.policy.cases import Case, CaseEvent
from gateway.policy.clocks import BreachClock, breach_clocks
from gateway.policy.load import PolicySet
from gateway.policy.model import TenantPolicy
from gateway.policy.notice_message import NoticeMessage
from gateway.policy.regions import ancestors, is_region
from gateway.ports import Clock, Ids
from gateway.reports.breach import PAPERS, Breach
from gateway.reports.breach_draft import Draft
from gateway.runner.cases import HOUSE, INCIDENT, CaseBook
from gateway.runner.incidents_record import (
    MESSAGE,
    NOTICE,
    SCOPED,
    Incident,
    Report,
    alert,
    counted,
    last_scope,
    touched_by,
)
from gateway.values import TenantId

LONGEST_WHAT = 2_000
_NUMBER = re.compile(r"\+\d[\d\s().-]{5,}\d|\d{9,}|\b0\d{2,5}[ /-]\d[\d -]{4,}\d")
_ADDRESS = re.compile(r"[^\s@]@[^\s@]+\.[^\s@]")


class Chain(Protocol):
    async def tenants(self) -> Sequence[TenantId]:
        """Whoever has evidence, also where their policy is gone. Raises StoreUnavailable."""
        ...

    async def read(self, scan: Scan) -> None:
        """Show ``scan`` what it needs of its tenant's evidence. Raises StoreUnavailable."""
        ...


class Incidents:
    """Everything that is done about incidents. Every method raises StoreUnavailable, and where it writes EvidenceUnavailable."""

    def __init__(self, book: CaseBook, chain: Chain, policies: Callable[[], PolicySet], clock: Clock, ids: Ids) -> None:
        self._book = book
        self._chain = chain
        self._policies = policies
        self._clock = clock
        self._ids = ids

    def now(self) -> datetime:
        """The time that clocks are compared with."""
        return self._clock.now()

    async def open(self, report: Report, *, by: str, incident_id: str = "") -> Incident:
        """Put it on record, find out whom it touches, and start their clocks. With an id that is there already: that one.

        Raises:
            InvalidRequest: the window is none, nothing is said of what happened.
            NotFound, PolicyUnavailable: a sub-processor or tenant that nobody knows.
        """
        now = self._clock.now()
        facts = self._checked(report, now)
        main = await self._book.open(
            HOUSE,
            INCIDENT,
            about=report.cause,
            deadlines={},
            facts={**facts, "by": by},
            notes={"what": report.what},
            case_id=incident_id or self._ids.new("incident"),
        )
        if last_scope(main):
            return await self.get(main.id)
        incident = await self.scope(main.id)
        if self._book.reaches(HOUSE):
            await self._book.tell(HOUSE, incident.id, alert(incident, self._clock.now()))
        return incident

    async def scope(self, incident_id: str) -> Incident:
        """Read the evidence again: whom it touches now. A tenant that comes to it is put on record, and gets the shortest clock.

        Raises NotFound; InvalidRequest: it is closed.
        """
        incident = await self.get(incident_id)
        if not incident.main.open:
            raise InvalidRequest(f"the incident {incident_id} is closed")
        named = [str(each) for each in _list(incident.main.facts["tenants"])]
        everybody = named or sorted({*self._policies().tenants, *await self._chain.tenants()})
        asked = [TenantId(tenant) for tenant in everybody if tenant != HOUSE]
        found = [await self.read(incident, tenant) for tenant in asked]
        touched = {each.tenant: each for each in found if each.calls or each.tenant in named or each.tenant in incident.parts}
        clocks = breach_clocks(self._policies(), touched, incident.aware)
        unproven: list[EvidenceUnavailable] = []
        for clock in clocks:
            try:
                await self._into(incident, clock, clocks[0], touched[TenantId(clock.tenant)])
            except EvidenceUnavailable as error:
                unproven.append(error)  # it is in the book, and the others are put on record all the same
        counts: dict[str, Json] = {
            tenant: {"calls": len(each.calls), "people": len(each.people), "hops": each.hops, "chain": each.facts["chain"]}
            for tenant, each in touched.items()
        }
        shortest: dict[str, Json] = {"hours": clocks[0].hours, "why": list(clocks[0].why)} if clocks else {}
        deadlines = _earlier(incident.main, clocks[0].due) if clocks else {}
        await self._book.event(HOUSE, incident_id, SCOPED, {"tenants": counts, **shortest}, deadlines=deadlines)
        if unproven:
            raise unproven[0]
        return await self.get(incident_id)

    async def read(self, incident: Incident, tenant: TenantId) -> Scope:
        """What the evidence of this tenant says of it, the calls by name included."""
        scan = Scan(tenant, incident.window, _concerns(incident.main))
        await self._chain.read(scan)
        return scan.scope()

    async def draft(self, incident_id: str, tenant: TenantId, paper: str = NOTICE) -> Draft:
        """A paper about it, written from what is on record, with blanks for what only people know.

        Raises NotFound: it does not touch this tenant, or there is no such paper.
        """
        write = PAPERS.get(paper)
        if write is None:
            raise NotFound(f"there is no paper {paper[:40]!r}", hint=f"there are {', '.join(PAPERS)}")
        incident = await self.get(incident_id)
        return write(self._breach(incident, tenant))

    async def notify(self, incident_id: str, tenant: TenantId, *, by: str, text: str = "", preliminary: bool = False) -> Incident:
        """Send the notice to the tenant's contacts, until it arrives on each channel: the clock stops when the first one has it.

        ``text``: the filled-in draft; without it the draft itself. With ``preliminary`` what is still blank is said to follow
        (GDPR art. 33(4) permits information in phases).

        Raises:
            InvalidRequest: blanks are left, or the tenant has no contacts.
        """
        incident = await self.get(incident_id)
        draft = PAPERS[NOTICE](self._breach(incident, tenant))
        words = (text or draft.markdown).strip()
        left = draft.blanks_in(words)
        if left and not preliminary:
            raise InvalidRequest(
                f"the notice has {len(left)} blank(s)",
                hint="fill them in (sordino incidents draft), or send it as preliminary now and the rest later",
                reasons=left,
            )
        policy = self._policies().tenant(tenant)
        if not policy.contacts.channels:
            raise InvalidRequest(
                f"{tenant} has no contacts", hint="add contacts: {mail: [ADDRESS]} to its file, or tell it by letter"
            )
        words = draft.without_blanks(words)
        name = f"{incident_id}_{NOTICE}_{sha256(words.encode()).hexdigest()[:12]}"
        subject = f"{'Preliminary notice' if left else 'Notice'} of a personal data breach ({incident_id})"
        data = {"incident": incident_id, "preliminary": bool(left), "by": by, **counted(incident, tenant)}
        message = NoticeMessage(name, MESSAGE, self._clock.now(), subject, words + "\n", data)
        await self._book.tell(tenant, incident_id, message, meets=(NOTICE,))
        return await self.settle(incident_id)

    async def given(self, incident_id: str, tenant: TenantId, *, by: str, proof: str) -> Incident:
        """The tenant was told by other means; ``proof`` says where that is proven. Raises InvalidRequest, NotFound."""
        _of_nobody(proof)
        incident = await self.get(incident_id)
        incident.scope(tenant)
        await self._book.event(tenant, incident_id, "told.otherwise", {"by": by}, notes={"proof": proof}, meets=(NOTICE,))
        return await self.settle(incident_id)

    async def event(self, incident_id: str, what: str, *, by: str, note: str = "", tenants: Iterable[str] = ()) -> Incident:
        """Something happened (``contained``, ``cause.found``): on record for the gateway, and for the tenants that are named.

        Raises NotFound, InvalidRequest.
        """
        _of_nobody(note)
        incident, notes = await self.get(incident_id), {"note": note} if note else None
        named = [TenantId(tenant) for tenant in tenants]
        for tenant in named:
            incident.scope(tenant)
        for tenant in (HOUSE, *named):
            await self._book.event(tenant, incident_id, what, {"by": by}, notes=notes)
        return await self.get(incident_id)

    async def close(self, incident_id: str, outcome: str, *, by: str, reason: str = "") -> Incident:
        """It is over.

        Raises:
            InvalidRequest: it is closed already, or a touched tenant was not told and no ``reason`` says why it need not be.
        """
        _of_nobody(reason)
        incident = await self.settle(incident_id)
        if incident.untold and not reason:
            raise InvalidRequest(
                f"no notice has reached {', '.join(incident.untold)}",
                hint="notify them first, or give a reason why they need not be told: it goes on record",
            )
        if not incident.main.open:
            raise InvalidRequest(f"the incident {incident_id} is closed already")
        for tenant, case in (*incident.parts.items(), (HOUSE, incident.main)):
            if case.open:
                if reason:
                    await self._book.event(tenant, incident_id, "closing.reason", {"by": by}, notes={"reason": reason})
                await self._book.close(tenant, incident_id, outcome, {"by": by})
        return await self.get(incident_id)

    async def settle(self, incident_id: str) -> Incident:
        """The incident's own clock stops when the last touched tenant was reached. As it stands then."""
        incident = await self.get(incident_id)
        mine = incident.main.deadlines.get(NOTICE)
        if incident.main.open and mine is not None and mine.met_at is None and incident.parts and not incident.untold:
            await self._book.event(HOUSE, incident_id, "all.told", {"tenants": list(incident.parts)}, meets=(NOTICE,))
            return await self.get(incident_id)
        return incident

    async def get(self, incident_id: str) -> Incident:
        """Raises NotFound."""
        main = await self._book.get(HOUSE, incident_id)
        if main.kind != INCIDENT:
            raise NotFound(f"{incident_id} is no incident")
        parts: dict[TenantId, Case] = {}
        for tenant in touched_by(main):
            try:
                parts[tenant] = await self._book.get(tenant, incident_id)
            except NotFound:
                continue  # its evidence and its cases went with it when it left
        return Incident(main, parts)

    async def list(self, *, open_only: bool = False) -> Sequence[Incident]:
        """The oldest first."""
        cases = await self._book.list(HOUSE, kind=INCIDENT, open_only=open_only)
        return [await self.get(case.id) for case in cases]

    def _checked(self, report: Report, now: datetime) -> dict[str, Json]:
        policies, aware = self._policies(), report.aware or now
        if any(at.utcoffset() is None for at in (report.start, report.end, aware)):
            raise InvalidRequest("a time has no zone", hint="write RFC 3339: 2026-12-01T09:30:00Z")
        if report.start >= report.end:
            raise InvalidRequest("the window ends before it begins")
        if aware > now:
            raise InvalidRequest("nobody can have become aware of it in the future")
        if not report.what.strip() or len(report.what) > LONGEST_WHAT:
            raise InvalidRequest("say what happened", hint=f"in at most {LONGEST_WHAT} characters, without names of callers")
        _of_nobody(report.what)
        if report.processor and report.processor not in policies.registry.entries:
            raise NotFound(f"there is no sub-processor {report.processor[:64]!r}", hint="sordino subprocessors list shows them")
        if report.region and not is_region(report.region):
            raise InvalidRequest(f"{report.region[:40]!r} is no region", hint="write eu, de, us/tx, local")
        for tenant in report.tenants:
            if tenant != HOUSE:
                policies.tenant(tenant)
        return {
            "from": timestamp(report.start),
            "to": timestamp(report.end),
            "aware_at": timestamp(aware),
            "processor": report.processor,
            "region": report.region,
            "tenants": sorted(set(report.tenants)),
            "cause": report.cause,
        }

    async def _into(self, incident: Incident, clock: BreachClock, shortest: BreachClock, scope: Scope) -> None:
        """One touched tenant's own case, with what its evidence says."""
        tenant, case = TenantId(clock.tenant), incident.parts.get(TenantId(clock.tenant))
        if case is None:
            facts = {name: incident.main.facts[name] for name in ("from", "to", "aware_at", "processor", "region", "cause")}
            own: dict[str, Json] = {"own_hours": clock.hours, "own_why": list(clock.why), "hours": shortest.hours}
            notes, deadlines = {"what": incident.main.notes.get("what", "")}, {NOTICE: shortest.due}
            about, whole = incident.id, {**facts, **own}
            with suppress(EvidenceUnavailable):  # the next entry says it
                await self._book.open(
                    tenant, INCIDENT, about=about, deadlines=deadlines, facts=whole, notes=notes, case_id=incident.id
                )
            case = await self._book.get(tenant, incident.id)
        await self._book.event(tenant, incident.id, SCOPED, scope.facts, deadlines=_earlier(case, shortest.due))

    def _breach(self, incident: Incident, tenant: TenantId) -> Breach:
        policy: TenantPolicy = self._policies().tenant(tenant)
        scope = incident.scope(tenant)
        names = {str(id_): entry.name for id_, entry in self._policies().registry.entries.items()}
        processor = str(incident.main.facts["processor"])
        return Breach(
            incident=incident.id,
            tenant=tenant,
            what=incident.main.notes.get("what", ""),
            scope=scope,
            window=(incident.window.start, incident.window.end),
            aware=incident.aware,
            due=incident.due or incident.aware,
            processor=names.get(processor, processor),
            names=names,
            region=str(incident.main.facts["region"]),
            cause=incident.main.about,
            steps=tuple((event.at, event.what, event.notes.get("note", "")) for event in _human(incident.main.events)),
            policy=policy,
            written=self._clock.now(),
        )


def _of_nobody(text: str) -> None:
    """What people write of an incident is kept in clear: it names no caller's number or address. Raises InvalidRequest."""
    if _NUMBER.search(text) or _ADDRESS.search(text):
        raise InvalidRequest(
            "this text has a telephone number or a mail address in it", hint="write what happened without whom it happened to"
        )


def _human(events: Iterable[CaseEvent]) -> Iterable[CaseEvent]:
    """What people wrote down themselves."""
    own = {"opened", SCOPED, "closed", "all.told", "letter", "notified", "attempted"}
    return [event for event in events if event.what not in own]


def _concerns(main: Case) -> Concerns | None:
    processor, region = str(main.facts["processor"]), str(main.facts["region"])
    if not processor and not region:
        return None
    return lambda to, place: processor in ("", to) and (not region or region in ancestors(place))


def _earlier(case: Case, due: datetime) -> dict[str, datetime]:
    """The deadline, where it is not met and comes earlier than the one that runs: no reading of the evidence gives more time."""
    now = case.deadlines.get(NOTICE)
    return {NOTICE: due} if now is None or (now.met_at is None and due < now.at) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
