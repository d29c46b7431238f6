"""What was said on calls, in Redis or Valkey, each call under a key of its own (promises 11, 14 and 25).

``sordino:{tenant}:transcripts`` is a hash of call to facts: no word is in it. ``sordino:{tenant}:transcript:<call>:turns`` is a
hash of number to turn (who, when, masked text), ``…:values`` one of placeholder to value; both hold ciphertext only (AES-256-GCM,
bound to tenant, call and place). Their key is the shelf's, of kind ``transcript``: it is destroyed first, and nothing is written
for a call whose key is gone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.adapters.stores import names
from gateway.adapters.stores.line import Script
from gateway.adapters.stores.redis import Store
from gateway.errors import NotFound, StoreUnavailable
from gateway.locks import CALL, KeyShelf, key_id
from gateway.values import CallId, MaskedText, Placeholder, Private, TenantId

KIND = "transcript"
NONCE_BYTES = 12
WRITING, KEPT = "writing", "kept"
_DIGEST = b"sordino transcript value 1\x00"

_WRITE = Script("""
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 1, #ARGV, 3 do redis.call('HSET', KEYS[1 + tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]) end
return 1
""")
"""Writes only while the call's key is there: what was destroyed stays destroyed."""


@dataclass(frozen=True, slots=True)
class TranscriptFacts:
    """One transcript. ``consent`` is the entry that it rests on; ``keep_s`` how long the policy of its call keeps it."""

    call: CallId
    started: str
    consent: str
    purpose: str
    keep_s: int
    key_id: str = ""
    state: str = WRITING
    turns: int = 0


@dataclass(frozen=True, slots=True)
class TurnKept:
    """One turn: ``caller`` or ``agent``, when (aware UTC, ISO 8601), and the masked text. ``cut``: it was interrupted."""

    speaker: str
    at: str
    text: MaskedText
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Transcript:
    """A transcript as it was read. ``values``: what stands behind its placeholders."""

    facts: TranscriptFacts
    turns: tuple[TurnKept, ...]
    values: Mapping[Placeholder, Private[str]]


class RedisTranscripts:
    """Every tenant's transcripts. Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store, keys: KeyShelf) -> None:
        self._store = store
        self._keys = keys

    async def begin(self, tenant: TenantId, facts: TranscriptFacts) -> CallTranscript:
        """The transcript of a call, with a new key, and in the list."""
        key = await self._keys.key(tenant, facts.call, KIND, create=True)
        if key is None:
            raise _destroyed()
        facts = replace(facts, key_id=key_id(CALL, key))
        await self._put(tenant, facts)
        return CallTranscript(self._store, tenant, facts, key)

    async def find(self, tenant: TenantId, call: CallId) -> TranscriptFacts | None:
        stored = await self._store.ask("HGET", names.key(tenant, "transcripts"), names.checked(call))
        return None if stored is None else _facts(stored)

    async def list(self, tenant: TenantId) -> list[TranscriptFacts]:
        """All of this tenant's, the oldest first."""
        stored = await self._store.ask("HVALS", names.key(tenant, "transcripts"))
        return sorted((_facts(each) for each in stored), key=lambda facts: facts.started)

    async def read(self, tenant: TenantId, call: CallId) -> Transcript | None:
        """Every turn of it, in order. None: there is none. Raises StoreUnavailable when something in it was altered."""
        facts = await self.find(tenant, call)
        opened = await self._open(tenant, facts) if facts is not None else None
        if facts is None or opened is None:
            return None
        turns, values = await opened.all()
        return Transcript(facts, turns, values)

    async def opened(self, tenant: TenantId, call: CallId) -> CallTranscript:
        """To write to one that there is. Raises NotFound."""
        facts = await self.find(tenant, call)
        opened = await self._open(tenant, facts) if facts is not None else None
        if opened is None:
            raise NotFound("there is no transcript of that call")
        return opened

    async def delete(self, tenant: TenantId, call: CallId) -> str:
        """Destroy its key, then the rest. The key's id; empty: there was none. What is gone already is no error."""
        facts = await self.find(tenant, call)
        gone = await self._keys.destroy(tenant, call, KIND)
        await self._store.ask("DEL", *_places(tenant, call)[1:])
        await self._store.ask("HDEL", names.key(tenant, "transcripts"), call)
        return gone or (facts.key_id if facts is not None else "")

    async def _open(self, tenant: TenantId, facts: TranscriptFacts) -> CallTranscript | None:
        key = await self._keys.key(tenant, facts.call, KIND, create=False)
        return None if key is None else CallTranscript(self._store, tenant, facts, key)

    async def _put(self, tenant: TenantId, facts: TranscriptFacts) -> None:
        await self._store.ask("HSET", names.key(tenant, "transcripts"), names.checked(facts.call), json.dumps(asdict(facts)))


class Digest:
    """What names a value of one call in the evidence: 64 hexadecimal digits, and nothing without the call's key."""

    def __init__(self, key: Private[bytes]) -> None:
        self._key = key

    def __call__(self, value: Private[str]) -> str:
        text = value.reveal().encode("utf-8", "surrogatepass")
        return hmac.new(self._key.reveal(), _DIGEST + text, hashlib.sha256).hexdigest()


class CallTranscript:
    """One call's transcript, opened."""

    def __init__(self, store: Store, tenant: TenantId, facts: TranscriptFacts, key: Private[bytes]) -> None:
        self.facts = facts
        self.digest = Digest(key)
        self._store = store
        self._tenant = tenant
        self._cipher = AESGCM(key.reveal())
        self._places = _places(tenant, facts.call)

    async def write(self, turns: Mapping[int, TurnKept], values: Mapping[Placeholder, Private[str]]) -> None:
        """Turns by their number, in the place of what was there, and values, in one step.

        Raises StoreUnavailable unless the store has confirmed it; also once its key was destroyed.
        """
        said: list[str | bytes] = []
        for number, turn in turns.items():
            said += ["1", str(number), self._lock(json.dumps(asdict(turn)), "turn", str(number))]
        for placeholder, value in values.items():
            said += ["2", placeholder, self._lock(value.reveal(), "value", placeholder)]
        if said and await self._store.run(_WRITE, self._places, *said) != 1:
            raise _destroyed()

    async def forget(self, placeholders: Sequence[Placeholder]) -> None:
        """What stands behind these is gone: the turns that name them say their kind. Raises StoreUnavailable."""
        await self._store.ask("HDEL", self._places[2], *placeholders)

    async def finish(self, turns: int) -> None:
        """It is whole."""
        facts = replace(self.facts, state=KEPT, turns=turns)
        index = names.key(self._tenant, "transcripts")
        if await self._store.ask("EXISTS", self._places[0]) != 1:
            raise _destroyed()
        await self._store.ask("HSET", index, self.facts.call, json.dumps(asdict(facts)))

    async def all(self) -> tuple[tuple[TurnKept, ...], dict[Placeholder, Private[str]]]:
        """Raises StoreUnavailable when something does not open."""
        said = await self._pairs(self._places[1])
        numbered = sorted((int(number), data) for number, data in said)
        turns = tuple(_turn(self._unlock(data, "turn", str(number))) for number, data in numbered)
        values = {
            Placeholder(name.decode()): Private(self._unlock(data, "value", name.decode()))
            for name, data in await self._pairs(self._places[2])
        }
        return turns, values

    async def _pairs(self, name: str) -> Sequence[tuple[bytes, bytes]]:
        flat = await self._store.ask("HGETALL", name)
        return list(zip(flat[::2], flat[1::2], strict=True))

    def _lock(self, text: str, *place: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), self._bound(place))

    def _unlock(self, data: bytes, *place: str) -> str:
        try:
            text = self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._bound(place))
        except (InvalidTag, ValueError):
            raise StoreUnavailable("a part of this transcript does not open: it was altered or moved") from None
        return text.decode("utf-8", "surrogatepass")

    def _bound(self, place: Sequence[str]) -> bytes:
        return json.dumps([KIND, self._tenant, self.facts.call, *place], separators=(",", ":")).encode("ascii")


def _places(tenant: TenantId, call: CallId) -> tuple[str, str, str]:
    """The names of the call's key, its turns and its values."""
    return (
        names.key(tenant, KIND, call, "key"),
        names.key(tenant, KIND, call, "turns"),
        names.key(tenant, KIND, call, "values"),
    )


def _facts(stored: bytes) -> TranscriptFacts:
    try:
        return TranscriptFacts(**json.loads(stored))
    except (ValueError, TypeError):
        raise StoreUnavailable("the list of transcripts holds what cannot be read", hint="restore it from a backup") from None


def _turn(text: str) -> TurnKept:
    found: Any = json.loads(text)
    return TurnKept(found["speaker"], found["at"], MaskedText(found["text"]), found["cut"])


def _destroyed() -> StoreUnavailable:
    return StoreUnavailable("the transcript of this call was destroyed")
