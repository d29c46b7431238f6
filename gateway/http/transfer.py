"""``/voice/{carrier}/after``: our stream has ended, and the carrier asks what to do with the call: dial a person, or hang up.

The address was given to the carrier together with the stream, with a token that is sealed for this very call and taken once.
Beside it the request must be the carrier's, as every other one. Exotel's flows have fixed addresses: there the key in it proves
the request, and the mark that the call left proves the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from aiohttp import web

from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.carriers.webhook import QUERY, TOKEN_PARAMETER, Asked, Ringing, Webhook
from gateway.errors import Forbidden, InvalidRequest, SordinoError, Unauthenticated
from gateway.http.voice import Desk, Handler, proven_for, read_request, refusal, token_of
from gateway.values import Private, TenantId

LIFE = timedelta(hours=24)
"""No call lasts longer than its token."""

PersonOf = Callable[[TenantId], Private[str] | None]
"""The number that this tenant's callers are handed over to, if the policy permits to dial it now."""


class Marks(Protocol):
    """The calls that wait to be handed over (``adapters/stores/handovers.py``)."""

    async def mark(self, tenant: TenantId, carrier: str, call: str) -> None: ...
    async def take(self, tenant: TenantId, carrier: str, call: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Handing:
    """What handing over stands on. ``tokens`` open no media stream: their key is another one."""

    tokens: StreamTokens
    marks: Marks
    person_of: PersonOf

    def after(self, desk: Desk, webhook: Webhook, tenant: TenantId, ringing: Ringing) -> str:
        """Where the carrier asks when the stream has ended; empty where the call then ends anyway."""
        if self.person_of(tenant) is None or webhook.takes == QUERY:
            return ""
        claims = StreamClaims(
            tenant=tenant,
            carrier_call=ringing.carrier_call,
            from_number=Private(""),
            to_number=Private(""),
            expires_at=desk.clock.now() + LIFE,
            jti=desk.ids.new("after"),
        )
        return f"{desk.public_url.rstrip('/')}/voice/{webhook.carrier}/after?{TOKEN_PARAMETER}={self.tokens.mint(claims)}"

    async def hand_over(self, tenant: TenantId, carrier: str, call: str) -> bool:
        """The call is to be handed over as soon as its stream has ended. Raises StoreUnavailable."""
        if self.person_of(tenant) is None:
            return False
        await self.marks.mark(tenant, carrier, call)
        return True


def after_webhook(webhook: Webhook, desk: Desk, handing: Handing) -> Handler:
    """The handler of one carrier's question. A wrong token, a wrong signature and a second asking get the same 403."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body, fields = await read_request(request, webhook.takes)
            asked = Asked(desk.public_url.rstrip("/") + request.raw_path, request.headers, body, fields)
            tenant, call = await whose(asked)
            number = handing.person_of(tenant) if await handing.marks.take(tenant, webhook.carrier, call) else None
            answer = webhook.dial(number) if number is not None else webhook.hang_up()
        except SordinoError as error:
            return refusal(error)
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=answer.text, content_type=answer.content_type, status=answer.status, headers=headers)

    async def whose(asked: Asked) -> tuple[TenantId, str]:
        if webhook.takes == QUERY:
            return await proven_for(webhook, desk, asked), webhook.ringing(dict(asked.fields)).carrier_call
        claims = _claims(asked, handing, desk)
        proof = webhook.proven(desk.secret_of(claims.tenant, webhook.carrier), asked, desk.clock.now())
        if proof is None or not await desk.first_time(claims.jti, int(LIFE.total_seconds())):
            raise Forbidden("this request is not the carrier's about a call of ours, or was made before")
        return claims.tenant, claims.carrier_call

    return handle


def _claims(asked: Asked, handing: Handing, desk: Desk) -> StreamClaims:
    token = token_of(asked.url)
    try:
        return handing.tokens.verify(token, carrier_call=None, now=desk.clock.now())
    except (Unauthenticated, InvalidRequest):
        raise Forbidden("this request is not the carrier's about a call of ours, or was made before") from None
