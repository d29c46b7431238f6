"""Calls that go out: the check before dialling, opt-outs, lists and consents. Every answer is in the tenant's evidence.

A number becomes its keyed hash at this desk's door; behind it nothing knows the number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from gateway.errors import InvalidRequest
from gateway.evidence.entries import Json
from gateway.policy.consent import ANY_PURPOSE, Answer, ConsentRecord, How
from gateway.policy.jurisdiction import Whereabouts, locate
from gateway.policy.model import CONVERSATION, TenantPolicy
from gateway.policy.outbound import DialAnswer, DialQuestion, Known, ListHit, may_dial
from gateway.policy.phone import e164
from gateway.policy.retention import reason_of_a_person
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.values import CallId, Private, TenantId

Subject = Callable[[TenantId, Private[str]], str]
"""The keyed hash that stands for a number of that tenant's, in whatever form. Raises InvalidRequest for what is none."""
LIST_OF_TOMORROW = timedelta(days=1)
RESTRICTED = "they have restricted the use of their data: it is only stored (GDPR art. 18)"


class Imported(Protocol):
    """A do-not-call list as it was taken over."""

    @property
    def name(self) -> str: ...
    @property
    def as_of(self) -> date: ...
    @property
    def imported_at(self) -> datetime: ...
    @property
    def numbers(self) -> int: ...


class Suppression(Protocol):
    async def opt_out(self, tenant: TenantId, subject: str, at: datetime) -> datetime: ...
    async def opted_out(self, tenant: TenantId, subject: str) -> datetime | None: ...
    async def lift(self, tenant: TenantId, subject: str) -> bool: ...
    async def replace_list(
        self, tenant: TenantId, name: str, subjects: Iterable[str], *, as_of: date, imported_at: datetime
    ) -> Imported: ...
    async def lists(self, tenant: TenantId) -> Sequence[Imported]: ...
    async def hits(self, tenant: TenantId, subject: str) -> tuple[ListHit, ...]: ...
    async def attempts(self, tenant: TenantId, subject: str, at: datetime) -> int: ...
    async def take_attempt(self, tenant: TenantId, subject: str, at: datetime, *, most: int) -> bool: ...


class Restrictions(Protocol):
    async def restricted(self, tenant: TenantId, subject: str) -> datetime | None: ...


class Consents(Protocol):
    async def of(self, tenant: TenantId, subject: str) -> tuple[ConsentRecord, ...]: ...
    async def add(self, tenant: TenantId, records: Sequence[tuple[str, ConsentRecord]]) -> None: ...


@dataclass(frozen=True, slots=True)
class DialReport:
    """The answer about one call, where the called party may be, and where the answer stands in the evidence."""

    answer: DialAnswer
    where: Whereabouts
    at: datetime
    evidence: CallId


class DialDesk:
    """Raises StoreUnavailable and EvidenceUnavailable from everything it does: then nobody is dialled."""

    def __init__(
        self,
        suppression: Suppression,
        consents: Consents,
        ledger: Ledger,
        tenant: Callable[[str], TenantPolicy],
        subject: Subject,
        clock: Clock,
        ids: Ids,
        restrictions: Restrictions | None = None,
    ) -> None:
        self._suppression = suppression
        self._restrictions = restrictions
        self._consents = consents
        self._ledger = ledger
        self._tenant = tenant
        self._subject = subject
        self._clock = clock
        self._ids = ids

    async def check(
        self,
        tenant: str,
        number: Private[str],
        *,
        purpose: str = CONVERSATION,
        at: datetime | None = None,
        dialling: bool = False,
        carrier: Collection[str] = (),
    ) -> DialReport:
        """Whether this number may be called, with every reason against it.

        Args:
            at: the time to ask about; now if left out.
            dialling: the call is placed if the answer is yes: it counts as one of the day's attempts.
            carrier: places that the carrier names for the called party.

        Raises:
            InvalidRequest: no number with its country, or dialling at another time than now.
        """
        if dialling and at is not None:
            raise InvalidRequest("a call can be placed now only", hint="ask without a time, or ask without dialling")
        policy, name = self._tenant(tenant), TenantId(tenant)
        number = e164(number)  # a carrier may be at home elsewhere: without its country nobody knows who would be called
        subject, moment = self._subject(name, number), at or self._clock.now()
        where = locate(number, carrier=carrier)
        answer = may_dial(policy.outbound, DialQuestion(where, purpose, moment), await self._known(name, subject, moment))
        if self._restrictions is not None and await self._restrictions.restricted(name, subject) is not None:
            answer = DialAnswer((*answer.reasons, RESTRICTED))
        most = policy.outbound.attempts_per_day
        if dialling and answer.permitted and not await self._suppression.take_attempt(name, subject, moment, most=most):
            answer = DialAnswer((f"another call to them has just used the last of {most} attempts a day",))
        body: dict[str, Json] = {
            "subject": subject,
            "purpose": purpose,
            "asked_for": moment.isoformat(),
            "dialling": dialling,
            "places": list(where.places),
            "why": list(where.why),
            "reasons": list(answer.reasons),
            "consent": _consent(answer.consent),
            "policy_digest": policy.digest,
        }
        kind = "outbound.permitted" if answer.permitted else "outbound.refused"
        return DialReport(answer, where, moment, await self._prove(name, kind, body))

    async def opt_out(self, tenant: str, number: Private[str], *, how: How, proof: str) -> CallId:
        """They are not to be called again, and every consent of theirs is withdrawn. In force when this returns."""
        name, at = TenantId(self._tenant(tenant).tenant), self._clock.now()
        subject = self._subject(name, number)
        first = await self._suppression.opt_out(name, subject, at)
        await self._consents.add(name, [(subject, ConsentRecord(Answer.WITHDRAWN, ANY_PURPOSE, how, at, proof))])
        body: dict[str, Json] = {
            "subject": subject,
            "how": how.value,
            "proof": proof,
            "not_to_be_called_since": first.isoformat(),
        }
        return await self._prove(name, "outbound.opted_out", body)

    async def lift(self, tenant: str, number: Private[str], *, proof: str) -> CallId:
        """They asked to be called again: ``proof`` says where. Their consent must be given anew beside it.

        Raises:
            InvalidRequest: they never asked not to be called.
        """
        name = TenantId(self._tenant(tenant).tenant)
        subject, proof = self._subject(name, number), reason_of_a_person(proof, "proof")
        if not await self._suppression.lift(name, subject):
            raise InvalidRequest("this number has not opted out")
        return await self._prove(name, "outbound.lifted", {"subject": subject, "proof": proof})

    async def consent(self, tenant: str, number: Private[str], record: ConsentRecord) -> CallId:
        """Write down what somebody said about a purpose."""
        return await self.import_consents(tenant, [(number, record)])

    async def import_consents(self, tenant: str, said: Iterable[tuple[Private[str], ConsentRecord]]) -> CallId:
        """Write down many.

        Raises:
            InvalidRequest: one of them says something about a time that is still to come, or is about no number.
        """
        name, now = TenantId(self._tenant(tenant).tenant), self._clock.now()
        records = [(self._subject(name, number), record) for number, record in said]
        if any(record.at > now for _, record in records):
            raise InvalidRequest("consent cannot be on record from a time that is still to come")
        await self._consents.add(name, records)
        # A store that comes back from a backup learns from here what was taken back: of that each one is named.
        named = [each for each in records if each[1].answer is Answer.WITHDRAWN]
        named += [each for each in records if each[1].answer is Answer.GIVEN][:FEW]
        rows: list[Json] = [_row(subject, record) for subject, record in named]
        parts = [rows[at : at + FEW] for at in range(0, len(rows), FEW)] or [[]]
        account = CallAccount(name, CallId(self._ids.new("outbound")), self._ledger, self._clock)
        for number, part in enumerate(parts, 1):
            body: dict[str, Json] = {"count": len(records), "named": len(rows), "part": number, "records": part}
            await account.write("consent.recorded", body)
        return account.call

    async def consents_of(self, tenant: str, number: Private[str]) -> tuple[ConsentRecord, ...]:
        """Everything that this person said, the oldest first."""
        name = TenantId(self._tenant(tenant).tenant)
        return await self._consents.of(name, self._subject(name, number))

    async def import_list(self, tenant: str, name: str, numbers: Iterable[Private[str]], *, as_of: date) -> Imported:
        """A do-not-call list as of that day, in place of the one of that name.

        Raises:
            InvalidRequest: the day is still to come.
        """
        owner, now = TenantId(self._tenant(tenant).tenant), self._clock.now()
        if as_of > (now + LIST_OF_TOMORROW).date():
            raise InvalidRequest("a list cannot be of a day that is still to come")
        subjects = (self._subject(owner, number) for number in numbers)
        imported = await self._suppression.replace_list(owner, name, subjects, as_of=as_of, imported_at=now)
        body: dict[str, Json] = {"list": name, "as_of": as_of.isoformat(), "numbers": imported.numbers}
        await self._prove(owner, "do-not-call.imported", body)
        return imported

    async def lists(self, tenant: str) -> Sequence[Imported]:
        return await self._suppression.lists(TenantId(self._tenant(tenant).tenant))

    async def _known(self, tenant: TenantId, subject: str, at: datetime) -> Known:
        return Known(
            lists=await self._suppression.hits(tenant, subject),
            opted_out=await self._suppression.opted_out(tenant, subject),
            consents=await self._consents.of(tenant, subject),
            attempts=await self._suppression.attempts(tenant, subject, at),
        )

    async def _prove(self, tenant: TenantId, kind: str, body: Mapping[str, Json]) -> CallId:
        case = CallId(self._ids.new("outbound"))
        await CallAccount(tenant, case, self._ledger, self._clock).write(kind, body)
        return case


FEW = 100
"""Agreements of an import that are named one by one in the evidence, and what one entry names."""


def _row(subject: str, record: ConsentRecord) -> Json:
    said = {"answer": record.answer.value, "purpose": record.purpose, "how": record.how.value, "proof": record.proof}
    until = {"until": record.until.isoformat()} if record.until else {}
    return {"subject": subject, **said, "at": record.at.isoformat(), **until}


def _consent(record: ConsentRecord | None) -> Json:
    if record is None:
        return None
    return {"purpose": record.purpose, "how": record.how.value, "at": record.at.isoformat(), "proof": record.proof}
