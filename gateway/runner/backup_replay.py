"""What a restored store is told again of what happened since its backup was made, read from newer evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.departed import RedisDeparted
from gateway.adapters.stores.holds import RedisHolds
from gateway.adapters.stores.offboarding import RedisOffboarding
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.adapters.stores.suppression import RedisSuppression
from gateway.adapters.stores.transcripts import RedisTranscripts
from gateway.errors import BackupInvalid
from gateway.evidence.certificate import KIND as DELETED
from gateway.evidence.entries import Entry
from gateway.locks import KeyShelf
from gateway.policy.consent import ANY_PURPOSE, Answer, ConsentRecord, How
from gateway.policy.offboarding import Done, Offboarding, Status, Step, Times
from gateway.policy.retention import Hold, HoldScope
from gateway.runner.backup_rectified import KINDS as RECTIFIED
from gateway.runner.backup_rectified import Rectified
from gateway.runner.backup_since import Since
from gateway.runner.holdings import Holding, Item
from gateway.runner.places import ConsentsHolding
from gateway.values import CallId, DataClass, TenantId

OF_OFFBOARDING = "offboarding."
LEFT = f"{OF_OFFBOARDING}{Step.KEY_DESTROYED}"
"""The kind of the entry that ends a tenant: none of its data comes back."""
CONSENTS, CONSENTS_HOLDING = "consent.recorded", ConsentsHolding.name
_OBJECTIONS = ("outbound.opted_out", "outbound.lifted", "rights.restricted", "rights.lifted")


@dataclass(frozen=True, slots=True)
class Replay:
    """Tells one tenant's restored store what happened since, and looks afterwards whether anything came back."""

    store: Store
    holdings: Sequence[Holding]
    shelf: KeyShelf
    _anew: set[tuple[str, str]] = field(default_factory=set)
    """What came anew after it had been deleted, by holding and person: its records may be of before."""

    async def run(self, entries: AsyncIterator[Entry], done: Since) -> Since:
        """``entries``: those behind the head of the backup's header. Raises BackupInvalid, StoreUnavailable."""
        rectified: Rectified | None = None
        async for entry in entries:
            try:
                if entry.draft.kind in RECTIFIED:
                    rectified = rectified or self._rectified(entry.draft.tenant)
                    rectified.tell(entry)
                await self._tell(entry, done)
            except (KeyError, TypeError, ValueError):
                raise BackupInvalid(
                    f"entry {entry.seq} ({entry.draft.kind}) of {entry.draft.tenant} does not say what this version must know",
                    hint="restore with the version that the gateway runs",
                ) from None
        if rectified is not None:
            done.rectified += await rectified.remove()
            done.came_back += [f"words of {call} that were put right" for call in await rectified.wrong()]
        return done

    def _rectified(self, tenant: TenantId) -> Rectified:
        return Rectified(tenant, RedisTranscripts(self.store, self.shelf), RedisConsents(self.store))

    async def _tell(self, entry: Entry, done: Since) -> None:
        kind, body = entry.draft.kind, entry.draft.body
        if kind == DELETED:
            done.deletions += 1
            done.deleted_again += await self._delete(entry.draft.tenant, body)
        elif kind in ("hold.placed", "hold.lifted"):
            done.holds += 1
            await self._hold(entry.draft.tenant, kind, body)
        elif kind in _OBJECTIONS:
            done.objections += await self._object(entry)
        elif kind == CONSENTS:
            await self._consent(entry, done)
        elif kind.startswith(OF_OFFBOARDING):
            done.left = done.left or kind == LEFT
            await self._leave(entry)

    async def prove(self, entries: AsyncIterator[Entry], done: Since) -> Since:
        """Look for everything that was deleted since: whatever is there came back."""
        async for entry in entries:
            if entry.draft.kind != DELETED or (str(entry.draft.body["holding"]), str(entry.draft.body["of"])) in self._anew:
                continue
            if item := await self._there(entry.draft.tenant, entry.draft.body):
                done.came_back.append(f"{item.holding} {item.id}")
        return done

    async def _delete(self, tenant: TenantId, body: Mapping[str, Any]) -> int:
        item = await self._there(tenant, body)
        self._anew.discard((str(body["holding"]), str(body["of"])))
        if item is None:
            return 0
        await self._holding(str(body["holding"])).delete(item)
        return 1

    async def _there(self, tenant: TenantId, body: Mapping[str, Any]) -> Item | None:
        """What was deleted, if it is here. A person who came back afterwards is another matter; a call never comes back."""
        holding, of = self._holding(str(body["holding"])), str(body["of"])
        if (item := await holding.of_call(tenant, CallId(of))) is not None:
            return item
        item = await holding.of_person(tenant, of)
        return None if item is None or item.since > datetime.fromisoformat(str(body["gone"])) else item

    def _holding(self, name: str) -> Holding:
        for holding in self.holdings:
            if holding.name == name:
                return holding
        raise BackupInvalid(
            f"something was deleted from {name} since, and this version of Sordino has no such place",
            hint="restore with the version that the gateway runs",
        )

    async def _hold(self, tenant: TenantId, kind: str, body: Mapping[str, Any]) -> None:
        holds = RedisHolds(self.store)
        if kind == "hold.lifted":
            await holds.lift(tenant, str(body["hold"]))
            return
        await holds.place(_hold_of(tenant, body))

    async def _object(self, entry: Entry) -> int:
        """Who asked not to be called, or not to be processed, is believed again; who took that back, too."""
        tenant, kind, body = entry.draft.tenant, entry.draft.kind, entry.draft.body
        subject = body.get("subject")
        if not isinstance(subject, str):
            return 0
        if kind == "outbound.opted_out":
            since = datetime.fromisoformat(str(body["not_to_be_called_since"]))
            await RedisSuppression(self.store).opt_out(tenant, subject, since)
            record = ConsentRecord(Answer.WITHDRAWN, ANY_PURPOSE, How(str(body["how"])), entry.draft.at, str(body["proof"]))
            await RedisConsents(self.store).add(tenant, [(subject, record)])
            self._anew.add((CONSENTS_HOLDING, subject))
        elif kind == "outbound.lifted":
            await RedisSuppression(self.store).lift(tenant, subject)
        elif kind == "rights.restricted":
            await RedisSubjects(self.store).restrict(tenant, subject, entry.draft.at)
        else:
            await RedisSubjects(self.store).lift(tenant, subject)
        return 1

    async def _consent(self, entry: Entry, done: Since) -> None:
        """What was taken back since is taken back again, and what was agreed to is agreed to again.

        Evidence of earlier versions does not say when somebody had agreed, nor until when: then they must be asked anew.
        """
        tenant, consents = entry.draft.tenant, RedisConsents(self.store)
        body: Mapping[str, Any] = entry.draft.body
        rows: Any = body.get("records", ())
        said = [(str(row["subject"]), _record_of(row, entry.draft.at)) for row in rows]
        known = [(subject, record) for subject, record in said if record is not None]
        had = {subject: set(await consents.of(tenant, subject)) for subject in {subject for subject, _ in known}}
        await consents.add(tenant, [(subject, record) for subject, record in known if record not in had[subject]])
        self._anew.update((CONSENTS_HOLDING, subject) for subject, _ in known)
        withdrawn = sum(record.answer is Answer.WITHDRAWN for _, record in known)
        done.objections += withdrawn
        done.consents += len(known) - withdrawn
        done.consents_unknown += len(rows) - len(known)
        if body.get("part", 1) == 1:
            done.consents_unknown += max(0, int(body["count"]) - int(body.get("named", len(rows))))

    async def _leave(self, entry: Entry) -> None:
        """Where the tenant's end stands: begun since, gone on with, or taken back."""
        log, tenant, body, at = RedisOffboarding(self.store), entry.draft.tenant, entry.draft.body, entry.draft.at
        state, word = await log.find(tenant), entry.draft.kind.removeprefix(OF_OFFBOARDING)
        before = 0 if state is None else state.version
        if word == Step.ANNOUNCED and (state is None or state.id != body["offboarding"]):
            begun = {Step.ANNOUNCED: Done(at, at)}
            about = (str(body["offboarding"]), tenant, str(body["reason"]), str(body["by"]), at, _times(body))
            await log.save(Offboarding(*about, steps=begun, version=before + 1), before=before)
        elif state is None or state.id != body["offboarding"]:
            return
        elif word == "cancelled":
            await log.save(replace(state, status=Status.CANCELLED, version=before + 1), before=before)
        elif word in set(Step):
            step = Step(word)
            if step is Step.CONTACT_DELETED:
                await RedisDeparted(self.store).forget(tenant)
            await log.save(replace(state.begin(step, at).end(step, at, {}), version=before + 1), before=before)


def _record_of(row: Mapping[str, Any], recorded: datetime) -> ConsentRecord | None:
    """What somebody said, as far as the evidence tells. None: an agreement whose time is not known."""
    answer, how, at, until = Answer(row["answer"]), How(row["how"]), row.get("at"), row.get("until")
    if at is None:
        # Of an earlier version: the time of the entry is no earlier than what it tells of, so the withdrawal counts.
        return ConsentRecord(answer, row["purpose"], how, recorded, row["proof"]) if answer is Answer.WITHDRAWN else None
    begins, ends = datetime.fromisoformat(at), datetime.fromisoformat(until) if until else None
    if begins.tzinfo is None or (ends is not None and ends.tzinfo is None):
        raise ValueError("a time without its zone")
    return ConsentRecord(answer, row["purpose"], how, begins, row["proof"], ends)


def _times(body: Mapping[str, Any]) -> Times:
    named = ("ends", "data_from", "data_by", "contact_from", "contact_by")
    return Times(*(datetime.fromisoformat(str(body[name])) for name in named))


def _hold_of(tenant: TenantId, body: Mapping[str, Any]) -> Hold:
    scope: Mapping[str, str] = body["scope"]
    start, end = (datetime.fromisoformat(scope[name]) if name in scope else None for name in ("from", "to"))
    kept = HoldScope(
        call=CallId(scope["call"]) if "call" in scope else None,
        subject=scope.get("subject"),
        data_class=DataClass(scope["class"]) if "class" in scope else None,
        start=start,
        end=end,
    )
    about = (str(body["reason"]), str(body["approver"]), date.fromisoformat(body["review"]))
    return Hold(str(body["hold"]), tenant, kept, *about, datetime.fromisoformat(body["placed"]), str(body["by"]))
