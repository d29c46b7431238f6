"""People who signed in, and their sessions. A session ends by itself, or at once when somebody ends it.

``sordino:{_house}:people`` has a line for each person; ``sordino:{_house}:session:<digest>`` a session, which the store lets go
of when its time is over; ``sordino:{_house}:sessions-of:<person>`` the digests of one person's. The secret of a session is in
the browser alone.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.adapters.stores import names
from gateway.adapters.stores.api_keys import HOUSE
from gateway.adapters.stores.redis import Store
from gateway.policy.roles import Held, Principal, Right, Role
from gateway.values import Private

SESSION = "session"
LIVES = timedelta(hours=1)
"""A session's longest life. Who is signed in at the provider gets the next one by one click, with the roles that hold then."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has signed in. ``name`` is what the provider calls them; ``seen_at`` is RFC 3339."""

    id: str
    name: str
    issuer: str
    roles: tuple[str, ...]
    seen_at: str


def person_id(key: Private[bytes], issuer: str, subject: Private[str]) -> str:
    """A keyed hash of who they are at their provider: the same for the same person, and nothing to who has not the key."""
    said = b"sordino person 1\x00" + json.dumps([issuer, subject.reveal()]).encode()
    return f"person_{hmac.new(key.reveal(), said, hashlib.sha256).hexdigest()[:32]}"


class RedisPeople:
    """Every method raises StoreUnavailable when the store does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._place = names.key(HOUSE, "people")

    async def begin(self, person: Person, held: tuple[Held, ...], *, now: datetime) -> Private[str]:
        """A session of theirs, by its secret."""
        secret = secrets.token_urlsafe(32)
        place, index = self._session(secret), names.key(HOUSE, "sessions-of", person.id)
        record = json.dumps({"person": person.id, "until": (now + LIVES).isoformat(), "held": [_told(each) for each in held]})
        async with self._store.answers() as client, client.pipeline(transaction=True) as together:
            together.hset(self._place, person.id, json.dumps(asdict(person)))
            together.set(place, record, ex=int(LIVES.total_seconds()))
            together.sadd(index, place)
            together.expire(index, int(LIVES.total_seconds()))
            await together.execute()
        return Private(secret)

    async def who(self, secret: Private[str], *, now: datetime) -> Principal | None:
        """Whose session that is; None where there is none, or not any more."""
        stored: Any = await self._store.ask("GET", self._session(secret.reveal()))
        if not stored:
            return None
        record = json.loads(stored)
        if now >= datetime.fromisoformat(record["until"]):
            return None
        return Principal(record["person"], SESSION, tuple(_held(each) for each in record["held"]))

    async def end(self, secret: Private[str]) -> None:
        """Sign out."""
        await self._store.ask("DEL", self._session(secret.reveal()))

    async def end_all(self, person: str) -> int:
        """Every session of somebody. How many."""
        index = names.key(HOUSE, "sessions-of", person)
        async with self._store.answers() as client:
            places: Any = await client.smembers(index)
            gone: Any = await client.delete(*places) if places else 0
            await client.delete(index)
        return int(gone)

    async def all(self) -> list[Person]:
        """Everybody who ever signed in, by their ids."""
        async with self._store.answers() as client:
            stored: Any = await client.hgetall(self._place)
        people = (json.loads(each) for each in stored.values())
        return sorted((Person(**{**each, "roles": tuple(each["roles"])}) for each in people), key=lambda each: each.id)

    async def forget(self, person: str) -> bool:
        """Their name is kept no longer, and their sessions end: the evidence has their id alone. False: nobody is known so."""
        await self.end_all(person)
        async with self._store.answers() as client:
            gone: Any = await client.hdel(self._place, person)
        return bool(gone)

    @staticmethod
    def _session(secret: str) -> str:
        return names.key(HOUSE, "session", hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest())


def _told(held: Held) -> dict[str, Any]:
    return {"role": held.role.value, "tenants": sorted(held.tenants), "only": _names(held.only)}


def _names(rights: Iterable[Right] | None) -> list[str] | None:
    return sorted(right.value for right in rights) if rights is not None else None


def _held(told: dict[str, Any]) -> Held:
    only = frozenset(Right(each) for each in told["only"]) if told["only"] is not None else None
    return Held(Role(told["role"]), frozenset(told["tenants"]), only)
