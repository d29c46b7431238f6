"""What becomes of transcripts after their calls: listed, read masked, read in clear with a reason, corrected, deleted.

To read one in clear, and to correct one, is written behind the call's own entries, and waits for the ledger (promises 22 and 26).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from gateway.adapters.stores.transcripts import WRITING, RedisTranscripts, Transcript, TranscriptFacts, TurnKept
from gateway.errors import InvalidRequest, NotFound
from gateway.evidence.entries import Entry, Json
from gateway.policy.retention import reason_of_a_person
from gateway.ports import Clock, Ledger
from gateway.redaction.unmask import unmask
from gateway.runner.account import CallAccount
from gateway.runner.holdings import Copy, Deleted, Item, OfCalls, moment
from gateway.runner.to_delete import Deleting
from gateway.values import CallId, DataClass, Placeholder, Private, TenantId

LONGEST_VALUE = 1_000

Entries = Callable[[TenantId, CallId], AsyncIterator[Entry]]
"""The entries of one call, in order."""


@dataclass(frozen=True, slots=True)
class Clear:
    """A transcript in clear: each turn's text as it was said, but for card data, which is kept nowhere."""

    facts: TranscriptFacts
    turns: tuple[tuple[TurnKept, Private[str]], ...]


@dataclass(frozen=True, slots=True)
class Rectified:
    """One correction. ``before`` and ``after`` name the values by hashes under the call's key, as the evidence does."""

    placeholder: Placeholder
    before: str
    after: str
    key_id: str


class TranscriptDesk:
    """Every method raises StoreUnavailable; those that write evidence raise EvidenceUnavailable too."""

    def __init__(
        self, store: RedisTranscripts, ledger: Ledger, entries: Entries, clock: Clock, deleting: Deleting | None = None
    ) -> None:
        """``deleting``: what callers no longer agree to."""
        self._store = store
        self._ledger = ledger
        self._entries = entries
        self._clock = clock
        self._deleting = deleting or Deleting()

    async def list(self, tenant: TenantId) -> list[TranscriptFacts]:
        """Every transcript of the tenant, the oldest first."""
        return await self._store.list(tenant)

    async def find(self, tenant: TenantId, call: CallId) -> TranscriptFacts | None:
        return await self._store.find(tenant, call)

    async def read(self, tenant: TenantId, call: CallId) -> Transcript:
        """The masked turns. Raises NotFound, also where its caller no longer agrees to it."""
        found = await self._store.read(tenant, call)
        if found is None:
            raise NotFound("there is no transcript of that call", hint=f"sordino transcripts list --tenant {tenant}")
        if found.facts.state == WRITING and await self._deleting.awaited(tenant, call):
            raise NotFound("the agreement to that transcript was taken back", hint="it is being deleted")
        return found

    async def read_in_clear(self, tenant: TenantId, call: CallId, *, reason: str, by: str) -> Clear:
        """The turns in clear, once the evidence says who reads them, and why. Raises NotFound, InvalidRequest: no reason."""
        why = reason_of_a_person(reason)
        found = await self.read(tenant, call)
        account = await self._account(tenant, call)
        await account.write("transcript.revealed", {"reason": why, "by": by, "key_id": found.facts.key_id})
        return in_clear(found)

    async def stands(self, tenant: TenantId, call: CallId, wrong: Placeholder | Private[str]) -> bool:
        """Whether there is a transcript of that call with that value in it: what ``rectify`` would alter."""
        found = await self._store.read(tenant, call)
        return found is not None and bool(_named(found, wrong))

    async def rectify(
        self, tenant: TenantId, call: CallId, wrong: Placeholder | Private[str], right: Private[str], *, by: str
    ) -> tuple[Rectified, ...]:
        """Put the right value where a wrong one stands: named by its placeholder, or by the value itself.

        The evidence has the hashes first; asked again after a failure, it is as if it had been asked once.

        Raises:
            NotFound: there is no transcript of that call, or nothing in it has that value.
            InvalidRequest: the new value is none.
        """
        if not right.map(lambda text: 0 < len(text.strip()) <= LONGEST_VALUE).reveal():
            raise InvalidRequest("there is no value to write", hint=f"write 1 to {LONGEST_VALUE} characters")
        found = await self.read(tenant, call)
        named = _named(found, wrong)
        if not named:
            raise NotFound("nothing in that transcript has that value")
        opened = await self._store.opened(tenant, call)
        done = tuple(
            Rectified(name, opened.digest(found.values[name]), opened.digest(right), found.facts.key_id)
            for name in named
            if found.values[name] != right
        )
        account = await self._account(tenant, call)
        for each in done:
            body = {"placeholder": str(each.placeholder), "before": each.before, "after": each.after, "key_id": each.key_id}
            await account.write("transcript.rectified", {**body, "by": by})
        await opened.write({}, dict.fromkeys(named, right))
        return done

    async def destroy(self, tenant: TenantId, call: CallId) -> str:
        """Destroy key and text; the key's id. For the engine of deletions, which writes it down and certifies it."""
        return await self._store.delete(tenant, call)

    async def _account(self, tenant: TenantId, call: CallId) -> CallAccount:
        last = ""
        async for entry in self._entries(tenant, call):
            last = entry.hash
        return CallAccount(tenant, call, self._ledger, self._clock, after=last)


class TranscriptsHolding(OfCalls):
    """Implements ``gateway.runner.holdings.Holding`` for what was said on calls."""

    name = "transcripts"
    data_class = DataClass.TRANSCRIPT

    def __init__(self, desk: TranscriptDesk) -> None:
        self._desk = desk

    async def items(self, tenant: TenantId) -> AsyncIterator[Item]:
        for facts in await self._desk.list(tenant):
            yield self._item(tenant, facts)

    async def of_call(self, tenant: TenantId, call: CallId) -> Item | None:
        facts = await self._desk.find(tenant, call)
        return None if facts is None else self._item(tenant, facts)

    async def delete(self, item: Item) -> Deleted:
        return Deleted(("store",), await self._desk.destroy(item.tenant, CallId(item.id)) or item.key_id)

    async def copies(self, item: Item) -> AsyncIterator[Copy]:
        """For people as text, for machines as JSON: in clear, because both are for who has the right to it."""
        try:
            found = in_clear(await self._desk.read(item.tenant, CallId(item.id)))
        except NotFound:
            return
        yield Copy(f"transcripts/{item.id}.txt", as_text(found).map(str.encode))
        yield Copy(f"transcripts/{item.id}.json", as_json(found).map(str.encode))

    def _item(self, tenant: TenantId, facts: TranscriptFacts) -> Item:
        return Item(
            data_class=self.data_class,
            tenant=tenant,
            id=facts.call,
            holding=self.name,
            since=moment(facts.started),
            keep=timedelta(seconds=facts.keep_s),
            key_id=facts.key_id,
        )


def in_clear(found: Transcript) -> Clear:
    """Every turn with its values in their places. What has none is said as its kind."""
    return Clear(found.facts, tuple((turn, unmask(turn.text, found.values.get)) for turn in found.turns))


def as_text(found: Clear) -> Private[str]:
    """One line a turn: when, who, what."""
    return Private("".join(f"{turn.at}  {turn.speaker}: {text.reveal()}\n" for turn, text in found.turns))


def as_rows(found: Clear) -> Private[list[dict[str, Json]]]:
    """The turns as a program reads them."""
    return Private([{**asdict(turn), "text": text.reveal()} for turn, text in found.turns])


def as_json(found: Clear) -> Private[str]:
    """The facts and the turns, as a file."""
    facts = asdict(found.facts)
    return as_rows(found).map(lambda rows: json.dumps({"facts": facts, "turns": rows}, ensure_ascii=False, indent=2) + "\n")


def _named(found: Transcript, wrong: Placeholder | Private[str]) -> list[Placeholder]:
    """The placeholders whose value is meant."""
    return [name for name, value in found.values.items() if name == wrong or _same(value, wrong)]


def _same(value: Private[str], wrong: Placeholder | Private[str]) -> bool:
    return isinstance(wrong, Private) and value.map(_plain) == wrong.map(_plain)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
