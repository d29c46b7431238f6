"""The conversations of the model proxy: which one a request belongs to, and what this gateway knows of it.

A conversation belongs to one tenant. Its id is one of ours, which nobody can guess. A name that the tenant's own program chose is
kept as a keyed digest of tenant and name, so that no tenant can name another's, and a name that tells of a caller is nowhere
written down.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import InvalidRequest, NotFound
from gateway.policy.model import TenantPolicy
from gateway.ports import CallVault, Clock, Ids, Ledger, Masker
from gateway.redaction.mask import Masked
from gateway.runner.account import CallAccount
from gateway.runner.proxy.beginning import Beginning
from gateway.runner.rights_spoken import SpokenOnCall
from gateway.values import CallId, EntityType, MaskedText, Placeholder, Private, Span, TenantId

PREFIX = "call"
MOST_LIVE = 2_000
"""Conversations that this gateway keeps in memory; one that it let go of is read from the store when it comes again."""
MOST_TEXTS = 4_000
_OURS = re.compile(rf"{PREFIX}_[0-9a-z]{{26}}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,127}")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class StoredConversation(CallVault, Protocol):
    """A conversation's vault: it also keeps texts that are masked already, and the place in the evidence."""

    head: str
    values: dict[Placeholder, Private[str]]

    def digest(self, *parts: str) -> bytes: ...
    async def unchanged(self) -> bool: ...
    async def texts(self, digests: Sequence[bytes]) -> dict[bytes, str]: ...
    async def keep(self, texts: Mapping[bytes, str], head: str) -> None: ...


class StoredConversations(Protocol):
    async def open(self, tenant: TenantId, call: CallId, *, create: bool) -> StoredConversation | None: ...
    async def called(self, tenant: TenantId, name: str, fresh: CallId, *, instead_of: CallId | None = None) -> CallId: ...


class ConversationMasker(Masker, Protocol):
    """A mask that can go on where another gateway, or this one before, has left off."""

    async def mask(
        self,
        text: Private[str],
        *,
        previous: str = "",
        from_model: bool = False,
        said: bool = True,
        program: bool = False,
    ) -> Masked:
        """``program``: instructions, or descriptions of tools, which a programmer wrote."""
        ...

    async def found(self, text: Private[str]) -> tuple[Span, ...]:
        """What would be masked in a text that nobody said, without remembering any of it. Raises RedactionUnavailable."""
        ...

    def named(self, value: Private[str]) -> Placeholder | None:
        """The placeholder of a value of this conversation that is exactly this text, in whatever form it was said."""
        ...

    async def unknown(self, text: MaskedText) -> tuple[Span, ...]: ...
    def recall(self, values: Mapping[Placeholder, Private[str]]) -> None: ...
    async def move_to(self, vault: CallVault) -> None: ...
    def current(self, text: MaskedText) -> MaskedText: ...


@dataclass(frozen=True, slots=True)
class Known:
    """A text that is masked already, and how many private values of each kind stand masked in it."""

    text: MaskedText
    counts: Mapping[EntityType, int]


Digest = Callable[..., bytes]
"""The name of a text among others: from its parts, under a key."""


@dataclass(slots=True)
class Conversation:
    """One conversation as this gateway knows it. Take ``turn`` while you mask."""

    tenant: TenantPolicy
    call: CallId
    stored: StoredConversation
    masker: ConversationMasker
    account: CallAccount
    digest: Digest
    texts: dict[bytes, Known] = field(default_factory=dict)
    unkept: dict[bytes, Known] = field(default_factory=dict)
    """Texts that are not in the store yet, by the store's own digest."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: int = 0
    """Requests of it that this gateway is answering now."""
    begun: bool = False
    """Whether its beginning is on record, or on its way there."""
    beginning: Beginning = field(default_factory=Beginning)
    """What its last request began with, as it was masked."""
    ended_with: bytes = b""
    """What a nameless one is waiting under (``Conversations.may_go_on``)."""
    used: float = 0.0
    """When this gateway has used it last, in monotonic seconds."""
    subject: str | None = None
    """Whose it is, as a keyed hash; empty: nobody's that is known; None: nobody has looked yet."""
    child: bool = False
    """Whether there is a child in it: nobody is asked and nothing is answered any more."""
    spoken: SpokenOnCall | None = None
    """What is said in it by which it is found again."""
    continues: str = ""
    """The call whose placeholders it goes on with, where no name connects the two."""

    def known(self, parts: tuple[str, ...]) -> Known | None:
        return self.texts.get(self.digest(*parts))

    def know(self, parts: tuple[str, ...], known: Known) -> None:
        if len(self.texts) >= MOST_TEXTS:
            self.texts.pop(next(iter(self.texts)))
        self.texts[self.digest(*parts)] = self.unkept[self.stored.digest(*parts)] = known


MakeMasker = Callable[[TenantPolicy, CallVault], ConversationMasker]
OpenStore = Callable[[TenantPolicy], StoredConversations]


class Conversations:
    """Finds and begins conversations. ``name_key`` makes ids of names; all gateways on one store share it."""

    def __init__(
        self, open_store: OpenStore, make_masker: MakeMasker, ledger: Ledger, clock: Clock, ids: Ids, *, name_key: bytes
    ) -> None:
        self._open_store = open_store
        self._make_masker = make_masker
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._name_key = name_key
        self._live: OrderedDict[tuple[str, CallId], Conversation] = OrderedDict()
        self._nameless: OrderedDict[bytes, Conversation] = OrderedDict()
        self._called: OrderedDict[tuple[TenantId, CallId], CallId] = OrderedDict()

    def digest(self, *parts: str) -> bytes:
        """BLAKE2b under our key (RFC 7693), the parts with their lengths before them: what this process knows a text by."""
        lengths = ",".join([str(len(part)) for part in parts])
        data = f"{lengths}:{''.join(parts)}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=self._name_key, digest_size=24).digest()

    async def find(self, tenant: TenantPolicy, named: str | None, *, history: bytes | None = None) -> Conversation:
        """The conversation of that name, or a new one.

        ``history``: digest of all that was said before, for a client that names nothing. A new conversation takes over what the
        one that ended with exactly these words knew: nothing but what stands in the request itself, and once only, so that two
        callers never share a conversation.

        Raises:
            NotFound: it has the form of our ids, and this tenant has no such conversation.
            InvalidRequest: it cannot be a name.
            StoreUnavailable: nobody can tell.
        """
        if named is None:
            fresh = await self._open(tenant, CallId(self._ids.new(PREFIX)), create=True)
            before = self._nameless.pop(history, None) if history is not None else None
            if before is not None and before.tenant.digest == tenant.digest and not before.busy:
                self.forget(before)
                await before.masker.move_to(fresh.stored)
                fresh.masker, fresh.texts, fresh.beginning = before.masker, before.texts, before.beginning
                fresh.continues, fresh.subject = before.call, before.subject
                fresh.spoken = before.spoken and before.spoken.moved_to(fresh.call)
            return fresh
        if _OURS.fullmatch(named):
            return await self._open(tenant, CallId(named), create=False)
        if not _NAME.fullmatch(named):
            raise InvalidRequest(
                "X-Sordino-Call is no name of a conversation", hint="send one of our ids, or up to 128 letters, digits and -_.:@+"
            )
        return await self._by_name(tenant, self._id_of(tenant.tenant, named))

    async def existing(self, tenant: TenantPolicy, named: str) -> Conversation:
        """The conversation of that name or id, which must be there. Raises NotFound, InvalidRequest, StoreUnavailable."""
        if not _OURS.fullmatch(named) and not _NAME.fullmatch(named):
            raise InvalidRequest("that is no name of a conversation")
        call = CallId(named)
        if not _OURS.fullmatch(named):
            name = self._id_of(tenant.tenant, named)
            call = await self._open_store(tenant).called(TenantId(tenant.tenant), name, name)
        return await self._open(tenant, call, create=False)

    async def _by_name(self, tenant: TenantPolicy, name: CallId) -> Conversation:
        """A name's conversation; after its end the same name begins another one, with an id of its own."""
        owner = TenantId(tenant.tenant)
        known = self._called.get((owner, name))
        if known is not None and (live := await self._still_live(tenant, known)) is not None:
            return live
        store = self._open_store(tenant)
        fresh = CallId(self._ids.new(PREFIX))
        call = await store.called(owner, name, fresh)
        try:
            found = await self._open(tenant, call, create=True)
        except NotFound:
            call = await store.called(owner, name, fresh, instead_of=call)
            found = await self._open(tenant, call, create=True)
        self._called[owner, name] = call
        while len(self._called) > MOST_LIVE:
            self._called.popitem(last=False)
        return found

    def may_go_on(self, conversation: Conversation, history: bytes) -> None:
        """A nameless conversation has come to the end of a turn, with these words: whoever says them again goes on there."""
        conversation.ended_with = history
        self._nameless[history] = conversation
        while len(self._nameless) > MOST_LIVE:
            self._nameless.popitem(last=False)

    def let_go(self, tenant: TenantId, call: CallId) -> bool:
        """Keep nothing of it here any more. False: this gateway is answering a request of it."""
        live = self._live.get((tenant, call))
        if live is None:
            return True
        if live.busy:
            return False
        self._nameless.pop(live.ended_with, None)
        self.forget(live)
        return True

    def drop_idle(self) -> None:
        """Let go of what nobody has used for as long as its vault lives: here, too, values do not outlive it."""
        now = self._clock.monotonic()

        def is_over(each: Conversation) -> bool:
            return not each.busy and now - each.used > each.tenant.retention.vault.total_seconds()

        for where in [where for where, each in self._live.items() if is_over(each)]:
            del self._live[where]
        for history in [history for history, each in self._nameless.items() if is_over(each)]:
            del self._nameless[history]

    def forget(self, conversation: Conversation) -> None:
        """Read it from the store when it comes again: another gateway has changed it, or a mask was left half done."""
        self._live.pop((conversation.tenant.tenant, conversation.call), None)

    async def _open(self, tenant: TenantPolicy, call: CallId, *, create: bool) -> Conversation:
        live = await self._still_live(tenant, call)
        if live is not None:
            return live
        stored = await self._open_store(tenant).open(TenantId(tenant.tenant), call, create=create)
        if stored is None:
            raise NotFound("there is no such conversation of yours", hint="leave X-Sordino-Call out to begin one")
        where = (tenant.tenant, call)
        # Two requests may have come at once: the first one's stays.
        live = self._live.get(where)
        if live is not None and live.tenant.digest == tenant.digest:
            return live
        masker = self._make_masker(tenant, stored)
        masker.recall(stored.values)
        account = CallAccount(TenantId(tenant.tenant), call, self._ledger, self._clock, after=stored.head)
        mine = Conversation(tenant, call, stored, masker, account, self.digest, begun=bool(stored.head))
        mine.used = self._clock.monotonic()
        self._live[where] = mine
        while len(self._live) > MOST_LIVE:
            self._live.popitem(last=False)
        return mine

    async def _still_live(self, tenant: TenantPolicy, call: CallId) -> Conversation | None:
        """What this gateway has of it, unless the policy or another gateway has changed it since."""
        where = (tenant.tenant, call)
        live = self._live.get(where)
        if live is None or live.tenant.digest != tenant.digest:
            return None
        if not live.busy:
            if not await live.stored.unchanged():
                self._live.pop(where, None)
                return None
            if not live.busy:
                live.account.go_on_behind(live.stored.head)
        if where in self._live:
            self._live.move_to_end(where)
        live.used = self._clock.monotonic()
        # It is named now, and what it will know is no longer what its words alone tell.
        self._nameless.pop(live.ended_with, None)
        return live

    def _id_of(self, tenant: str, name: str) -> CallId:
        digest = hmac.digest(self._name_key, f"{tenant}\0{name}".encode(), hashlib.sha256)
        number = int.from_bytes(digest[:17], "big") >> 6
        return CallId(f"{PREFIX}_" + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)))
