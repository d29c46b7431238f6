"""The places where data of calls and persons is kept, each as a holding: listed, deleted and copied in the same way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.consents import RedisConsents
from gateway.adapters.stores.idle import IdleConversations, parts_of
from gateway.adapters.stores.receipts import Receipts
from gateway.adapters.stores.recordings import RecordingFacts
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.subjects import RedisSubjects
from gateway.errors import NotFound, StoreUnavailable
from gateway.locks import Locked
from gateway.ports import Clock
from gateway.runner.holdings import (
    CALLERS,
    PERSONS,
    SPOKEN,
    Copy,
    Deleted,
    HandedToNobody,
    Item,
    Link,
    OfCalls,
    OfPersons,
    moment,
)
from gateway.runner.recordings import RecordingDesk
from gateway.values import CallId, DataClass, Private, TenantId

PAGE = 500
STORE, DISK = "store", "disk"
_TIME_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class RecordingsHolding(OfCalls):
    """The sound of calls, wherever the policy has it kept."""

    name = "recordings"
    data_class = DataClass.AUDIO

    def __init__(self, desk: RecordingDesk) -> None:
        self._desk = desk

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        for facts in await self._desk.list(tenant):
            yield self._item(tenant, facts)

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        facts = await self._desk.find(tenant, call)
        return None if facts is None else self._item(tenant, facts)

    async def delete(self, item: Item) -> Deleted:
        facts = await self._desk.destroy(item.tenant, CallId(item.id))
        where = (STORE, DISK) if facts is None or facts.dialect == "folder" else (STORE, DISK, facts.processor)
        return Deleted(where, item.key_id if facts is None else facts.key_id)

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        try:
            async with self._desk.export(item.tenant, CallId(item.id), reason="a copy for who has the right to it") as found:
                wav = b"".join([piece async for piece in found.wav])
        except NotFound:
            return
        yield Copy(f"recordings/{item.id}.wav", Private(wav))

    def _item(self, tenant: TenantId, facts: RecordingFacts) -> Item:
        return Item(
            data_class=self.data_class,
            tenant=tenant,
            id=facts.call,
            holding=self.name,
            since=moment(facts.started),
            keep=timedelta(seconds=facts.keep_s),
            key_id=facts.key_id,
        )


class VaultHolding(OfCalls, HandedToNobody):
    """What stands behind the placeholders of calls and conversations, and the masked texts of the latter.

    The store forgets it by itself (``retention.vault``) and it dies with its call; what is here is of calls that go on, or whose
    gateway died. It is the key to masked texts, and handed to nobody: only its call opens it.
    """

    name = "vault"
    data_class = DataClass.VAULT

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._idle = IdleConversations(store)

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        prefix = names.key(tenant, "vault") + ":"
        seen = set[str]()
        async for name in scanned(self._store, f"{prefix}*:key"):
            call = name.removeprefix(prefix).removesuffix(":key")
            if call not in seen and (item := await self.of_call(tenant, CallId(call))) is not None:
                seen.add(call)
                yield item

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        key, values, texts = parts_of(tenant, call)
        locked = await self._store.ask("GET", key)
        if locked is None and not await self._store.ask("EXISTS", values) and not await self._store.ask("HGET", texts, "version"):
            return None
        known = Locked.of(bytes(locked)) if locked is not None else None
        since = begun(call) or self._clock.now()
        return Item(self.data_class, tenant, call, self.name, since, key_id="" if known is None else known.id)

    async def delete(self, item: Item) -> Deleted:
        await self._idle.destroy(item.tenant, CallId(item.id))
        return Deleted((STORE,), item.key_id)


class ReceiptUnreadable(StoreUnavailable):
    """A file that has the name of a receipt and is none: nobody knows how old it is."""


class ReceiptsHolding(OfCalls):
    """Receipts of calls, in files and in the store. What they say stays in the evidence, which has a life of its own."""

    name = "receipts"
    data_class = DataClass.METADATA

    def __init__(self, receipts: Receipts, machine: Callable[[], str] = lambda: "") -> None:
        """``machine`` names the disk that their files are on: of another gateway's file, that one takes it away."""
        self._receipts = receipts
        self._machine = machine

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        """Raises ReceiptUnreadable behind all that can be read."""
        unreadable: ReceiptUnreadable | None = None
        async for call in self._receipts.each(tenant):
            since = begun(call)
            try:
                item = await self.of_call(tenant, call) if since is None else self._item(tenant, call, since)
            except ReceiptUnreadable as error:
                unreadable = error
                continue
            if item is not None:
                yield item
        if unreadable is not None:
            raise unreadable

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        since = begun(call) or await self._ended(tenant, call)
        if since is None or not await self._receipts.has(tenant, call):
            return None
        return self._item(tenant, call, since)

    def _item(self, tenant: TenantId, call: CallId, since: datetime) -> Item:
        return Item(self.data_class, tenant, call, self.name, since)

    async def delete(self, item: Item) -> Deleted:
        await self._receipts.delete(item.tenant, CallId(item.id))
        return Deleted((f"{DISK} {self._machine()}".strip(), STORE))

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        text = await self._receipts.load(item.tenant, CallId(item.id))
        if text is not None:
            yield Copy(f"receipts/{item.id}.json", Private(text))

    async def _ended(self, tenant: TenantId, call: CallId) -> datetime | None:
        text = await self._receipts.load(tenant, call)
        if text is None:
            return None
        try:
            said = json.loads(text)
            return datetime.fromisoformat(said.get("ended") or said.get("started") or said["entries"][-1]["at"])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            raise ReceiptUnreadable(
                f"the receipt {call}.json cannot be read", hint="restore it from a backup, or move it away"
            ) from None


class ConsentsHolding(OfPersons):
    """What each person agreed to and took back, under the keyed hash of their number."""

    name = "consents"
    data_class = DataClass.CONSENT

    def __init__(self, store: Store) -> None:
        self._store = store
        self._consents = RedisConsents(store)

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        prefix = names.key(tenant, "consents") + ":"
        seen = set[str]()
        async for name in scanned(self._store, f"{prefix}*"):
            subject = name.removeprefix(prefix)
            if subject not in seen and (item := await self.of_person(tenant, subject)) is not None:
                seen.add(subject)
                yield item

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        records = await self._consents.of(tenant, subject)
        if not records:
            return None
        return Item(self.data_class, tenant, subject, self.name, max(record.at for record in records))

    async def delete(self, item: Item) -> Deleted:
        await self._consents.forget(item.tenant, item.id, until=item.since)  # what was taken back meanwhile stays
        return Deleted((STORE,))

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        rows = [
            {
                "answer": record.answer.value,
                "purpose": record.purpose,
                "how": record.how.value,
                "at": record.at.isoformat(),
                "proof": record.proof,
                "until": None if record.until is None else record.until.isoformat(),
            }
            for record in await self._consents.of(item.tenant, item.id)
        ]
        if rows:
            yield Copy("consents.json", Private(json.dumps(rows, ensure_ascii=False, indent=2).encode()))


class AttemptsHolding(OfPersons):
    """How often a person was called in the last day. The store forgets it after two."""

    name = "attempts"
    data_class = DataClass.CONTACT

    def __init__(self, store: Store) -> None:
        self._store = store

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        prefix = names.key(tenant, "attempts") + ":"
        seen = set[str]()
        async for name in scanned(self._store, f"{prefix}*"):
            subject = name.removeprefix(prefix)
            if subject not in seen and (item := await self.of_person(tenant, subject)) is not None:
                seen.add(subject)
                yield item

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        newest = await self._store.ask("ZREVRANGE", names.key(tenant, "attempts", subject), 0, 0, "WITHSCORES")
        if not newest:
            return None
        return Item(self.data_class, tenant, subject, self.name, datetime.fromtimestamp(float(newest[1]), UTC))

    async def delete(self, item: Item) -> Deleted:
        await self._store.ask("DEL", names.key(item.tenant, "attempts", item.id))
        return Deleted((STORE,))

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        times = await self._store.ask("ZRANGE", names.key(item.tenant, "attempts", item.id), 0, -1, "WITHSCORES")
        rows = [datetime.fromtimestamp(float(at), UTC).isoformat() for at in times[1::2]]
        if rows:
            yield Copy("attempts.json", Private(json.dumps(rows, indent=2).encode()))


class CallersHolding(Link):
    """Whose call a call is. Only of one call at a time: all of a person's are in ``PersonsHolding``, and go with it.

    The person stays there without calls: number data is kept until the contract's end, and for its time after it.
    """

    name = CALLERS
    data_class = DataClass.METADATA

    def __init__(self, subjects: RedisSubjects, clock: Clock) -> None:
        self._subjects = subjects
        self._clock = clock

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        if await self._subjects.of_call(tenant, call) is None:
            return None
        return Item(self.data_class, tenant, call, self.name, begun(call) or self._clock.now())

    async def delete(self, item: Item) -> Deleted:
        call = CallId(item.id)
        if (subject := await self._subjects.of_call(item.tenant, call)) is not None:
            await self._subjects.gone(item.tenant, subject, call)
        return Deleted((STORE,))


class SpokenHolding(Link):
    """Whom what was said on a call names. Of one call at a time; it is no number data, so who has no call left is forgotten."""

    name = SPOKEN
    data_class = DataClass.METADATA

    def __init__(self, subjects: RedisSubjects, clock: Clock) -> None:
        self._subjects = subjects
        self._clock = clock

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        if not await self._subjects.spoken_of(tenant, call):
            return None
        return Item(self.data_class, tenant, call, self.name, begun(call) or self._clock.now())

    async def delete(self, item: Item) -> Deleted:
        call = CallId(item.id)
        for subject in await self._subjects.spoken_of(item.tenant, call):
            await self._subjects.forget(item.tenant, subject, [call])
        return Deleted((STORE,))


class PersonsHolding(OfPersons):
    """Which calls are whose, by number and by what was said. Delete it last of a person's: it is how the others are found."""

    name = PERSONS
    data_class = DataClass.CONTACT

    def __init__(self, subjects: RedisSubjects) -> None:
        self._subjects = subjects

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        async for subject, at in self._subjects.everybody(tenant):
            yield Item(self.data_class, tenant, subject, self.name, at)

    async def of_person(self, tenant: TenantId, subject: str) -> Item | None:
        at = await self._subjects.seen(tenant, subject)
        return None if at is None else Item(self.data_class, tenant, subject, self.name, at)

    async def delete(self, item: Item) -> Deleted:
        await self._subjects.forget(item.tenant, item.id, until=item.since)  # who calls meanwhile is found by the next look
        return Deleted((STORE,))

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        calls = await self._subjects.calls(item.tenant, item.id)
        if calls:
            yield Copy("calls.json", Private(json.dumps(calls, indent=2).encode()))


async def scanned(store: Store, pattern: str) -> AsyncIterator[str]:
    """The names in the store that match; one may come twice. Raises StoreUnavailable."""
    cursor = 0
    while True:
        async with store.answers() as client:
            page: Any
            cursor, page = await client.scan(cursor, match=pattern, count=PAGE)
        for name in page:
            yield name.decode()
        if not int(cursor):
            return


def begun(call: CallId) -> datetime | None:
    """When a call of ours began: its id says it, to the millisecond. None: somebody else gave it its id."""
    _, _, digits = call.rpartition("_")
    if len(digits) != 26 or any(digit not in _TIME_DIGITS for digit in digits):
        return None
    ms = 0
    for digit in digits[:10]:
        ms = ms << 5 | _TIME_DIGITS.index(digit)
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
