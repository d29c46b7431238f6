"""Access keys, grants of reveal and broken glass, with their evidence: what nobody can prove does not happen (promise 26)."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.adapters.stores.access_log import RedisAccessLog
from gateway.adapters.stores.api_keys import BREAK_GLASS, HOUSE, AccessKey, AccessKeys, Wish
from gateway.adapters.stores.people import Person, RedisPeople
from gateway.adapters.stores.reveals import RedisReveals, Reveal
from gateway.errors import InvalidRequest, NotFound
from gateway.evidence.entries import Draft, Entry, Json
from gateway.policy.contacts import Contacts
from gateway.policy.free_text import looks_personal
from gateway.policy.model import TenantPolicy
from gateway.policy.notice_message import NoticeMessage, moment
from gateway.policy.roles import EVERY_TENANT, Held, Principal, Role, check_lasting, check_may_give, role_of
from gateway.ports import Clock, Ids, Ledger
from gateway.runner.account import CallAccount
from gateway.runner.notices import NoticeSender, attempt
from gateway.values import CallId, Private, TenantId

log = logging.getLogger(__name__)

REVEAL_MINUTES, MOST_REVEAL_MINUTES = 15, 8 * 60
GLASS_MINUTES, MOST_GLASS_MINUTES = 15, 60
LONGEST_REASON = 200
AT_ONCE = 16
"""Chains that are written to at the same time."""
ReadEntries = Callable[[TenantId, CallId], AsyncIterator[Entry]]
OWN_ID = re.compile(r"[a-z]{2,12}_[0-9a-z]{16,40}", re.ASCII)
"""The form of an id that a gateway makes. What is none may be anything, and stands in no evidence."""
HOST = "host"
"""Who works on the gateway's own machine, by the command line."""
ON_THE_HOST = Principal(HOST, HOST, (Held(Role.OWNER, frozenset({EVERY_TENANT})),))
"""The same as who asks: whoever has the machine has the store and the master key."""


@dataclass(frozen=True, slots=True)
class AccessParts:
    """What the desk stands on. ``tenants``: those of the policies in force. ``senders``: by channel, as notices have them."""

    keys: AccessKeys
    people: RedisPeople
    reveals: RedisReveals
    ledger: Ledger
    entries: ReadEntries
    log: RedisAccessLog
    tenants: Callable[[], Mapping[str, TenantPolicy]]
    senders: Mapping[str, NoticeSender]
    clock: Clock
    ids: Ids


class AccessDesk:
    """Every method raises StoreUnavailable or EvidenceUnavailable when it cannot be sure."""

    def __init__(self, parts: AccessParts) -> None:
        self._parts = parts

    async def who(self, secret: Private[str]) -> Principal | None:
        """Whose access key that is; nobody's, or not any more: None."""
        key = await self._parts.keys.find(secret, now=self._parts.clock.now())
        return key.principal if key is not None else None

    def chains(self, tenants: Iterable[str]) -> frozenset[str]:
        """Where it is written down: what is about no tenant, or about none that there is, in the house's chain."""
        known = self._parts.tenants()
        return frozenset(tenant if tenant in known else HOUSE for tenant in tenants) or frozenset({HOUSE})

    async def write(self, kind: str, tenants: Iterable[str], body: Mapping[str, Json]) -> None:
        """One entry in the chain of each tenant."""
        await self._write(kind, self.chains(tenants), body)

    async def _write_everywhere(self, kind: str, body: Mapping[str, Json]) -> None:
        await self._write(kind, {HOUSE, *self._parts.tenants()}, body)

    async def _write(self, kind: str, chains: Iterable[str], body: Mapping[str, Json]) -> None:
        few = asyncio.Semaphore(AT_ONCE)  # the store has a bound in time for each

        async def one(chain: str) -> None:
            async with few:
                await self._entry(TenantId(chain), kind, body)

        await asyncio.gather(*(one(chain) for chain in sorted(chains)))

    async def _entry(self, chain: TenantId, kind: str, body: Mapping[str, Json]) -> None:
        parts = self._parts
        entry = CallId(parts.ids.new("access"))
        await CallAccount(chain, entry, parts.ledger, parts.clock).write(kind, body)
        await parts.log.note(chain, entry)

    async def log(self, tenant: str, most: int) -> list[Draft]:
        """The last entries about access to a tenant's data, the newest first; ``""``: those about the house. Raises NotFound."""
        if tenant:
            self._known((tenant,))
        chain = TenantId(tenant or HOUSE)
        found = await self._parts.log.newest(chain, most)
        return [entry.draft for each in reversed(found) async for entry in self._parts.entries(chain, each)]

    # --- keys -------------------------------------------------------------------------------------------------------

    async def create_key(self, wish: Wish, *, by: Principal) -> tuple[AccessKey, Private[str]]:
        """A new key, shown once.

        Raises:
            InvalidRequest: there can be no such key.
            Forbidden: it could do more than who asks for it.
            NotFound: there is no such tenant.
        """
        if wish.kind == BREAK_GLASS:
            raise InvalidRequest("such a key is made by breaking the glass", hint="sordino access break-glass --reason …")
        check_may_give(by, role_of(wish.role), wish.tenants, wish.rights)
        self._known(wish.tenants)
        key, secret = await self._parts.keys.create(wish, now=self._parts.clock.now())
        await self._proven(key, "access.key_created", by.id)
        return key, secret

    async def rotate_key(self, key_id: str, *, grace: timedelta, by: Principal) -> tuple[AccessKey, Private[str]]:
        """A new key in place of one, which stays good for ``grace``.

        Raises:
            InvalidRequest: it is no longer good.
            Forbidden: it can do more than who asks for it.
            NotFound: there is none.
        """
        for old in await self._parts.keys.all():
            if old.id == key_id:
                check_may_give(by, role_of(old.role), old.tenants, old.rights)
        key, secret = await self._parts.keys.rotate(key_id, now=self._parts.clock.now(), grace=grace)
        await self._proven(key, "access.key_rotated", by.id, instead_of=key_id)
        return key, secret

    async def revoke_key(self, key_id: str, *, by: str) -> AccessKey:
        """Raises NotFound."""
        key = await self._parts.keys.revoke(key_id, now=self._parts.clock.now())
        await self._proven(key, "access.key_revoked", by)
        return key

    async def keys(self) -> list[AccessKey]:
        """Every key that there was, the oldest first."""
        return await self._parts.keys.all()

    async def _proven(self, key: AccessKey, kind: str, by: str, **more: Json) -> None:
        body: dict[str, Json] = {
            "key": key.id,
            "key_kind": key.kind,
            "role": key.role,
            "tenants": list(key.tenants),
            "rights": list(key.rights),
            "until": key.expires_at,
            "by": by,
            **more,
        }
        if EVERY_TENANT in key.tenants:
            await self._write_everywhere(kind, body)
        else:
            await self.write(kind, key.tenants, body)

    # --- people -----------------------------------------------------------------------------------------------------

    async def people(self) -> list[Person]:
        """Everybody who ever signed in and was not forgotten."""
        return await self._parts.people.all()

    async def end_sessions(self, person: str, *, by: str) -> int:
        """From now on no session of theirs opens anything. How many there were."""
        ended = await self._parts.people.end_all(person)
        await self.write("access.sessions_ended", (), {"who": person, "by": by, "sessions": ended})
        return ended

    async def forget(self, person: str, *, by: str) -> None:
        """Their name goes, and their sessions end. Raises NotFound."""
        if not await self._parts.people.forget(person):
            raise NotFound("there is no such person", hint="sordino access people list")
        await self.write("access.person_forgotten", (), {"who": person, "by": by})

    # --- revealing --------------------------------------------------------------------------------------------------

    async def grant_reveal(
        self, who: Principal, tenant: str, *, reason: str, call: str = "", minutes: int = REVEAL_MINUTES
    ) -> Reveal:
        """From when this returns they may see private text of the tenant, or of a call of it. Raises InvalidRequest, NotFound."""
        self._known((tenant,))
        parts, said = self._parts, _reason(reason)
        if call and not OWN_ID.fullmatch(call):
            raise InvalidRequest("that is no call's id", hint="write it as `sordino` shows it: call_ and 26 characters")
        if not 1 <= minutes <= MOST_REVEAL_MINUTES:
            raise InvalidRequest(f"private text is shown for 1 to {MOST_REVEAL_MINUTES} minutes")
        until = parts.clock.now() + timedelta(minutes=minutes)
        grant = Reveal(parts.ids.new("reveal"), who.id, tenant, call, said, until.isoformat())
        body: dict[str, Json] = {"who": who.id, "grant": grant.id, "call": call, "reason": said, "until": grant.until}
        await self.write("access.reveal_granted", (tenant,), body)
        await parts.reveals.add(grant, longest_s=MOST_REVEAL_MINUTES * 60)
        return grant

    async def reveals(self, who: Principal, tenants: Iterable[str]) -> list[Reveal]:
        """The grants of somebody that have not ended."""
        now = self._parts.clock.now()
        return [each for tenant in sorted(tenants) for each in await self._parts.reveals.of(TenantId(tenant), who.id, now=now)]

    async def reveal_for(self, who: Principal, tenant: str, call: str) -> Reveal | None:
        """The grant by which they may see private text of that call now."""
        now = self._parts.clock.now()
        found = await self._parts.reveals.of(TenantId(tenant), who.id, now=now)
        return next((each for each in found if each.covers(call, now)), None)

    async def end_reveal(self, who: Principal, tenant: str, grant_id: str) -> None:
        """Raises NotFound."""
        if not await self._parts.reveals.end(TenantId(tenant), who.id, grant_id):
            raise NotFound("there is no such grant of yours")
        await self.write("access.reveal_ended", (tenant,), {"who": who.id, "grant": grant_id})

    # --- breaking the glass -----------------------------------------------------------------------------------------

    async def break_glass(self, by: Principal, *, reason: str, minutes: int = GLASS_MINUTES) -> tuple[AccessKey, Private[str]]:
        """A key with an owner's rights for minutes. It is in every tenant's evidence before it is, and every tenant is told.

        Raises:
            InvalidRequest: no reason, or too long.
            Forbidden: who asks has such a key already: each has its own reason, and its end.
        """
        check_lasting(by)
        parts, said = self._parts, _reason(reason)
        if not 1 <= minutes <= MOST_GLASS_MINUTES:
            raise InvalidRequest(f"the glass stays broken for 1 to {MOST_GLASS_MINUTES} minutes")
        now = parts.clock.now()
        until = now + timedelta(minutes=minutes)
        body: dict[str, Json] = {"by": by.id, "reason": said, "until": until.isoformat()}
        await self._write_everywhere("access.glass_broken", body)
        wish = Wish(Role.OWNER.value, (EVERY_TENANT,), timedelta(minutes=minutes), "", BREAK_GLASS, reason=said)
        key, secret = await parts.keys.create(wish, now=now)
        log.warning("the glass was broken: the key %s has an owner's rights for %d minutes", key.id, minutes)
        await self._tell(key, now, until)
        return key, secret

    async def _tell(self, key: AccessKey, now: datetime, until: datetime) -> None:
        """Each contact once, all at the same time; how it went stands in the tenant's evidence."""

        async def tell(tenant: str, contacts: Contacts, channel: str) -> None:
            data = {"tenant": tenant, "key": key.id, "at": moment(now), "until": moment(until), "reason": key.reason}
            message = NoticeMessage(f"{key.id}_{tenant}", "access.glass_broken", now, "Emergency access", _letter(data), data)
            tried = await attempt(self._parts.senders, channel, contacts, message)
            told: dict[str, Json] = {"key": key.id, "channel": channel, "delivered": tried.delivered, "proof": tried.proof}
            await self.write("access.told", (tenant,), told)

        everybody = sorted(self._parts.tenants().items())
        await asyncio.gather(
            *(tell(name, each.contacts, channel) for name, each in everybody for channel in each.contacts.channels)
        )

    def _known(self, tenants: Iterable[str]) -> None:
        known = self._parts.tenants()
        for tenant in tenants:
            if tenant != EVERY_TENANT and tenant not in known:
                raise NotFound("there is no such tenant in the policies", hint="sordino tenants list")


def _reason(given: str) -> str:
    said = " ".join(given.split())
    if not said or len(said) > LONGEST_REASON:
        raise InvalidRequest("a reason is needed", hint=f"in words, up to {LONGEST_REASON} characters; no names of callers")
    if looks_personal(said):
        raise InvalidRequest("the reason looks as if it held a number or an address", hint="it stands in the evidence")
    return said


def _letter(data: Mapping[str, str]) -> str:
    return "\n".join(
        (
            "Somebody of ours has taken emergency access to your data.",
            "",
            f"  From:   {data['at']}",
            f"  Until:  {data['until']}",
            f"  Reason: {data['reason']}",
            f"  Key:    {data['key']}",
            "",
            "What is done with it stands in your evidence, entry by entry.",
            "",
        )
    )
