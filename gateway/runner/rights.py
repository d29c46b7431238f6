"""Requests of persons from the first word to the last: opened, identity checked, released where it must be, carried out.

A number becomes its keyed hash at this desk's door; behind it nothing knows the number (promises 17 and 19 to 23).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.errors import InvalidRequest, NotFound, PolicyRefused
from gateway.evidence.entries import Json
from gateway.policy.cases import Case
from gateway.policy.model import TenantPolicy
from gateway.policy.notice_message import NoticeMessage, moment
from gateway.policy.phone import e164
from gateway.ports import Clock
from gateway.reports.rights_dossier import Dossier
from gateway.runner import rights_case as cases
from gateway.runner.deletion import Held
from gateway.runner.outbound import Subject
from gateway.runner.rights_acts import Acted, Acts
from gateway.runner.rights_case import BEGUN, FORWARD, IDENTIFIED, NOTHING_FOUND, RELEASED, TOLD, Right, Via
from gateway.runner.rights_handout import Handout, Kept, facts_of, items_of, zipped
from gateway.runner.rights_spoken import Spoken, SpokenPersons
from gateway.values import CallId, Private, TenantId

DONE = "done"
LETTERS = {Via.DIRECT: FORWARD, Via.REGULATOR: TOLD}
"""The deadline that the letter to the tenant keeps."""


class CaseBook(Protocol):
    """``gateway.runner.cases``."""

    async def open(
        self,
        tenant: TenantId,
        kind: str,
        *,
        about: str,
        deadlines: Mapping[str, datetime],
        facts: Mapping[str, Json] | None = None,
    ) -> Case: ...
    async def event(
        self,
        tenant: TenantId,
        case_id: str,
        what: str,
        facts: Mapping[str, Json] | None = None,
        *,
        meets: Sequence[str] = (),
    ) -> Case: ...
    async def tell(self, tenant: TenantId, case_id: str, message: NoticeMessage, *, meets: Sequence[str] = ()) -> Case: ...
    async def close(self, tenant: TenantId, case_id: str, outcome: str, facts: Mapping[str, Json] | None = None) -> Case: ...
    async def get(self, tenant: TenantId, case_id: str) -> Case: ...
    async def list(self, tenant: TenantId, *, kind: str = "", open_only: bool = False) -> Sequence[Case]: ...


@dataclass(frozen=True, slots=True)
class Correction:
    """A wrong value and the right one."""

    old: Private[str]
    new: Private[str]


class RightsDesk:
    """Every method raises StoreUnavailable and EvidenceUnavailable: what is not on record may not have happened."""

    def __init__(
        self,
        book: CaseBook,
        kept: Kept,
        acts: Acts,
        tenant: Callable[[str], TenantPolicy],
        subject: Subject,
        clock: Clock,
        spoken: SpokenPersons | None = None,
    ) -> None:
        self._book = book
        self._kept = kept
        self._acts = acts
        self._tenant = tenant
        self._subject = subject
        self._spoken = spoken
        self._clock = clock

    # --- the case -----------------------------------------------------------------------------------------------------

    def subject_of(self, tenant: str, number: Private[str], *, country: str = "") -> str:
        """The keyed hash of a number in any usual form. Raises InvalidRequest, without repeating it."""
        policy = self._tenant(tenant)
        return self._subject(TenantId(policy.tenant), e164(number, country) if country else number)

    async def person(self, tenant: str, who: Private[str] | Spoken, *, country: str = "") -> str:
        """The keyed hash of a number in any usual form, or of what was said. Raises InvalidRequest, without repeating it."""
        if not isinstance(who, Spoken):
            return self.subject_of(tenant, who, country=country)
        if self._spoken is None:
            raise InvalidRequest("nobody is found here by what they said", hint="ask by their number")
        return await self._spoken.subject(self._tenant(tenant), who)

    async def found(self, case: Case) -> list[CallId]:
        """The calls that a request is about, the oldest first: of a person, or the one that it names."""
        call = _call_of(case)
        return [call] if call is not None else await self._acts.calls_of(case.tenant, case.about, None)

    async def open(
        self,
        tenant: str,
        right: Right,
        who: Private[str] | Spoken,
        *,
        by: str,
        via: Via = Via.TENANT,
        call: CallId | None = None,
        reason: str = "",
        account: bool = False,
        country: str = "",
    ) -> Case:
        """A new request. What came to us directly, or from a regulator, is passed on to the tenant at once, and until it arrives.

        Args:
            who: their number, or what they say that they said on a call.
            by: who takes it; stands in the evidence, as does ``reason``.
            call: only this call is meant.
            account: a whole account goes with it, which has a deadline of its own.

        Raises:
            InvalidRequest: the number is none, nobody is found by such words, or a text could hold personal data.
            NotFound: the call is not theirs.
        """
        name = TenantId(self._tenant(tenant).tenant)
        subject = await self.person(tenant, who, country=country)
        facts: dict[str, Json] = {"via": via.value, "by": cases.said(by, "who takes the request")}
        if isinstance(who, Spoken):
            facts[cases.SPOKEN] = who.kind
        if reason:
            facts["reason"] = cases.said(reason, "the reason")
        if call is not None:
            await self._check_theirs(name, right, subject, call)
            facts["call"] = call
        due = cases.deadlines(via, self._clock.now(), account=account)
        case = await self._book.open(name, cases.kind_of(right), about=subject, deadlines=due, facts=facts)
        if via in LETTERS:
            case = await self._book.tell(name, case.id, cases.letter_of(case), meets=[LETTERS[via]])
        return case

    async def show(self, tenant: str, case_id: str) -> Case:
        """Raises NotFound; InvalidRequest for a case that is no request of a person."""
        case = await self._book.get(TenantId(tenant), case_id)
        cases.right_of(case)
        return case

    async def list(
        self, tenant: str, *, number: Private[str] | Spoken | None = None, country: str = "", open_only: bool = False
    ) -> Sequence[Case]:
        """The tenant's requests, the oldest first; with a number, or what was said, those of that person."""
        subject = None if number is None else await self.person(tenant, number, country=country)
        found = cases.of_person(await self._book.list(TenantId(tenant), open_only=open_only), subject)
        if not found:
            self._tenant(tenant)  # what was asked of a tenant that has left stays; a name that nobody has is told
        return found

    async def identify(self, tenant: str, case_id: str, *, method: str, by: str) -> Case:
        """Somebody made sure that who asks is who they say: how, and who did."""
        case = await self.show(tenant, case_id)
        facts: dict[str, Json] = {"method": cases.said(method, "how it was checked"), "by": cases.said(by, "who checked it")}
        return await self._book.event(case.tenant, case.id, IDENTIFIED, facts)

    async def notified(self, tenant: str, case_id: str, *, by: str, proof: str) -> Case:
        """The tenant was told by other means: ``proof`` says where that stands."""
        case = await self.show(tenant, case_id)
        via = cases.via_of(case)
        if via not in LETTERS:
            raise InvalidRequest("this request came from the tenant: nobody is to be told of it")
        facts: dict[str, Json] = {"by": cases.said(by, "who told the tenant"), "proof": cases.said(proof, "the proof")}
        return await self._book.event(case.tenant, case.id, "tenant.told", facts, meets=[LETTERS[via]])

    async def release(self, tenant: str, case_id: str, *, by: str, authorisation: str) -> Case:
        """A regulator's request may be answered: a second person says so, with a written authorisation (promise 23).

        Raises:
            Forbidden: it is somebody who took part already.
            InvalidRequest: there is nothing to release, or no reference.
        """
        case = await self.show(tenant, case_id)
        who, paper = cases.said(by, "who releases it"), cases.said(authorisation, "the reference of the authorisation")
        cases.check_release(case, who)
        return await self._book.event(case.tenant, case.id, RELEASED, {"by": who, "authorisation": paper})

    # --- carrying it out ----------------------------------------------------------------------------------------------

    async def hand_out(self, tenant: str, case_id: str, *, by: str, language: str = "") -> Handout:
        """Access, portability, right to know: the evidence has it before the first piece leaves, the case is closed by the last.

        Raises:
            PolicyRefused: something must come first; ``reasons`` say what.
            InvalidRequest: this right hands nothing out.
        """
        policy, case = self._tenant(tenant), await self._ready(tenant, case_id)
        right = cases.right_of(case)
        if not right.hands_out:
            raise InvalidRequest(f"to {right.value} hands nothing out")
        call = _call_of(case)
        calls = await self._acts.calls_of(case.tenant, case.about, call)
        dossier = Dossier(
            right=right.value,
            tenant=policy.tenant,
            subject=case.about,
            case=case.id,
            made=self._clock.now(),
            language=language or policy.language,
            identity={name: value for name, value in (cases.identity(case) or {}).items() if name in ("method", "by", "at")},
            calls=(),
            recipients=(),
            head=(0, ""),
        )
        dossier = await facts_of(self._kept, policy, dossier, calls)
        whole = call is None
        items = [] if right is Right.KNOW else await items_of(self._kept, case.tenant, case.about, calls, whole=whole)
        body = self._body(case, by) | {"calls": len(calls), "recipients": len(dossier.recipients), "items": len(items)}
        evidence = await self._acts.prove(case.tenant, f"rights.{right.value}", body)
        facts: dict[str, Json] = {"evidence": evidence, "calls": len(calls), "recipients": len(dossier.recipients)}

        async def done(size: Mapping[str, Json]) -> None:
            await self._book.close(case.tenant, case.id, DONE, {**facts, **size, "by": body["by"]})

        return Handout(f"{right.value}-{case.id}.zip", facts, zipped(dossier, items, done))

    async def do(self, tenant: str, case_id: str, *, by: str, correction: Correction | None = None) -> Acted:
        """Erase, rectify, restrict, lift. Done when it answers, unless ``finished`` is false: then the case stays open.

        A hold keeps its scope from an erasure, which takes the rest; of a correction that it touches nothing is done at all.

        Raises:
            PolicyRefused: something must come first; ``reasons`` say what.
            InvalidRequest: this right hands something out, or a correction lacks its values.
        """
        case = await self._ready(tenant, case_id)
        right = cases.right_of(case)
        body = self._body(case, by)
        if right is Right.ERASE:
            return await self._erase(case, body)
        if right is Right.RECTIFY:
            if correction is None:
                raise InvalidRequest("a correction needs the wrong value and the right one")
            if held := await self._acts.keeps_as_it_is(case.tenant, case.about, _call_of(case), correction.old, correction.new):
                return await self._held(case, body, held)
            facts = await self._rectify(case, correction, str(body["by"]))
        elif right is Right.RESTRICT:
            facts = await self._acts.restrict(case.tenant, case.about)
        elif right is Right.LIFT:
            facts = await self._acts.lift(case.tenant, case.about)
        else:
            raise InvalidRequest(f"{right.value} hands something out", hint="ask for the file")
        evidence = await self._acts.prove(case.tenant, _ACTS[right], body | facts)
        await self._book.close(case.tenant, case.id, DONE, {"evidence": evidence, "by": body["by"]})
        return Acted(right.value, evidence, facts)

    async def resume(self, tenant: str, *, begun_before: datetime) -> int:
        """Go on with erasures that a gateway began before that time and did not end. How many are finished now.

        Raises what ``do`` does: the others wait for the next round.
        """
        finished = 0
        for case in await self._book.list(TenantId(tenant), kind=cases.kind_of(Right.ERASE), open_only=True):
            begun = cases.last(case, BEGUN)
            if begun is not None and begun.at < begun_before and not cases.why_not(case):
                finished += (await self._erase(case, self._body(case, str(begun.facts["by"])))).finished
        return finished

    async def _rectify(self, case: Case, correction: Correction, by: str) -> dict[str, Json]:
        """The hashes are on record first: asked again after a failure, it is as if it had been asked once."""
        old, new = correction.old, correction.new
        hashes = self._acts.hashes(case.tenant, old, new)
        last, begun = case.events[-1], {"by": by, **hashes}
        interrupted = last.what == BEGUN and {name: last.facts.get(name) for name in hashes} == hashes
        if not interrupted:
            await self._book.event(case.tenant, case.id, BEGUN, begun)
        try:
            return {**await self._acts.rectify(case.tenant, case.about, _call_of(case), old, new), **hashes}
        except NotFound:
            if interrupted:
                return {"places": {}, **hashes}
            await self._book.event(case.tenant, case.id, NOTHING_FOUND, {"by": by})
            raise

    async def _held(self, case: Case, body: Mapping[str, Json], held: tuple[Held, ...]) -> Acted:
        """A correction that a hold forbids: nothing was altered, and the evidence says which order wanted that."""
        holds: list[Json] = [*sorted({each.hold.id for each in held})]
        facts: dict[str, Json] = {"places": {}, "finished": False, "holds": holds}
        evidence = await self._acts.prove(case.tenant, "rights.not_rectified", {**body, **facts})
        return Acted(Right.RECTIFY.value, evidence, facts, (), held, finished=False)

    async def _erase(self, case: Case, body: Mapping[str, Json]) -> Acted:
        if cases.last(case, BEGUN) is None:
            await self._book.event(case.tenant, case.id, BEGUN, {"by": body["by"]})
        call = _call_of(case)
        why = f"request of the person, case {case.id}"
        done = await self._acts.erase(case.tenant, case.about, call, why=why, by=str(body["by"]))
        holds: list[Json] = [*sorted({each.hold.id for each in done.held})]
        facts: dict[str, Json] = {
            "finished": done.finished,
            "calls": done.calls,
            "certificates": len(done.certificates),
            "holds": holds,
            "kept": list(done.kept),
            "going_on": done.going_on,
        }
        evidence = await self._acts.prove(case.tenant, "rights.erased", {**body, **facts})
        if done.finished:
            await self._book.close(case.tenant, case.id, DONE, {"evidence": evidence, "by": body["by"]})
        return Acted(Right.ERASE.value, evidence, facts, done.certificates, done.held, done.finished)

    async def _check_theirs(self, tenant: TenantId, right: Right, subject: str, call: CallId) -> None:
        """Raises NotFound: the call is not theirs. An erasure that somebody died over may have forgotten already whose it was."""
        try:
            await self._acts.calls_of(tenant, subject, call)
        except NotFound:
            earlier = await self._book.list(tenant, kind=cases.kind_of(Right.ERASE)) if right is Right.ERASE else ()
            if not any(each.about == subject and _call_of(each) == call for each in earlier):
                raise

    async def _ready(self, tenant: str, case_id: str) -> Case:
        case = await self.show(tenant, case_id)
        if reasons := cases.why_not(case):
            raise PolicyRefused("this request cannot be carried out yet", hint=cases.mends(case) or reasons[0], reasons=reasons)
        return case

    def _body(self, case: Case, by: str) -> dict[str, Json]:
        """What every act of a case says in the evidence."""
        found: dict[str, Json] = {"case": case.id, "subject": case.about, "by": cases.said(by, "who does it")}
        found["via"] = cases.via_of(case).value
        if (checked := cases.identity(case)) is not None:
            found["identity"] = {str(name): value for name, value in checked.items()}
        if (released := cases.last(case, RELEASED)) is not None:
            found["released"] = {**released.facts, "at": moment(released.at)}
        if (call := _call_of(case)) is not None:
            found["call"] = call
        if kind := cases.spoken_of(case):
            found[cases.SPOKEN] = kind
        return found


_ACTS = {Right.RECTIFY: "rights.rectified", Right.RESTRICT: "rights.restricted", Right.LIFT: "rights.lifted"}


def _call_of(case: Case) -> CallId | None:
    call = case.facts.get("call")
    return CallId(str(call)) if call else None


async def collected(pieces: AsyncIterator[bytes]) -> bytes:
    """All pieces of a hand-out together: for who has the memory."""
    return b"".join([piece async for piece in pieces])
