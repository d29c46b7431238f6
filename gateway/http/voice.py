"""``/voice/{carrier}``: a carrier asks what to do with a call. The answer connects it to our media socket, or turns it away."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

from aiohttp import web

from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.carriers.webhook import FORM, QUERY, TOKEN_PARAMETER, Asked, Proof, Ringing, Webhook, stream_url
from gateway.errors import Forbidden, InvalidRequest, PayloadTooLarge, SordinoError
from gateway.policy.jurisdiction import carrier_place
from gateway.ports import Clock, Ids
from gateway.values import Private, TenantId

__all__ = ["MAX_BODY_BYTES", "TOKEN_PARAMETER", "Desk", "voice_webhook"]

MAX_BODY_BYTES = 16 * 1024
MAX_FIELDS = 100
TOKEN_LIFE = timedelta(seconds=60)

TenantOf = Callable[[Private[str]], TenantId | None]
"""The tenant that a called number belongs to."""
SecretOf = Callable[[TenantId, str], Private[str]]
"""What the tenant's requests of this carrier are checked with; raises a SordinoError when there is none."""
FirstTime = Callable[[str, int], Awaitable[bool]]
"""Whether this name was never seen in the last so many seconds. Raises StoreUnavailable."""
Admit = Callable[[TenantId], bool]
"""Whether a call of this tenant is taken now. False: the caller hears the busy tone."""
After = Callable[[Webhook, TenantId, Ringing], str]
Handler = Callable[[web.Request], Awaitable[web.Response]]

_NOBODY = Private("no tenant has this token")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the webhooks of all carriers stand on. ``public_url``: the gateway's address as carriers call it."""

    public_url: str
    tenant_of: TenantOf
    secret_of: SecretOf
    tokens: StreamTokens
    clock: Clock
    ids: Ids
    first_time: FirstTime
    admit: Admit = lambda _: True
    after: After = lambda webhook, tenant, ringing: ""
    """Where the carrier asks what next when our stream has ended; empty: nowhere, and the call ends with it."""


def voice_webhook(webhook: Webhook, desk: Desk) -> Handler:
    """The handler of one carrier's webhook.

    A wrong or missing signature, one that was used before and a number that nobody has get the very same 403, so that nobody can
    try out which numbers are served. No number, name or signature is logged or stands in an error.

    Raises:
        Misconfigured: the public URL is no https URL (http is taken for this machine only).
    """
    socket = stream_url(desk.public_url, f"/media/{webhook.carrier}")
    base = desk.public_url.rstrip("/")

    async def handle(request: web.Request) -> web.Response:
        try:
            if not request.raw_path.startswith("/"):
                raise InvalidRequest("the webhook is called by its path")
            body, fields = await read_request(request, webhook.takes)
            asked = Asked(base + request.raw_path, request.headers, body, fields)
            tenant = await proven_for(webhook, desk, asked)
            if not desk.admit(tenant):
                answer = webhook.busy()
            else:
                ringing = webhook.ringing(dict(fields))
                token = desk.tokens.mint(_claims(tenant, ringing, desk), max_chars=webhook.max_token_chars)
                answer = webhook.connect(socket, ringing, token)
                if after := desk.after(webhook, tenant, ringing):
                    answer = webhook.then(answer, after)
        except SordinoError as error:
            return refusal(error)
        headers = {"Cache-Control": "no-store"}
        return web.Response(text=answer.text, content_type=answer.content_type, status=answer.status, headers=headers)

    return handle


async def read_request(request: web.Request, takes: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The body, and what it says (or the query)."""
    if takes == QUERY:
        return b"", _pairs(request.rel_url.raw_query_string)
    wanted = "application/x-www-form-urlencoded" if takes == FORM else "application/json"
    if request.content_type != wanted:
        raise InvalidRequest(f"the webhook takes a {takes} ({wanted})")
    body = bytearray()
    async for piece in request.content.iter_chunked(4096):
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"the webhook takes at most {MAX_BODY_BYTES} bytes")
    if takes != FORM:
        return bytes(body), _object(bytes(body))
    if not body.isascii():
        raise InvalidRequest("the form of the webhook cannot be read")
    return bytes(body), _pairs(body.decode("ascii"))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    try:
        fields = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        fields = None
    if fields is None:
        raise InvalidRequest("the form of the webhook cannot be read")
    return tuple(fields)


def token_of(url: str) -> str:
    """The token in the query of a URL, or nothing."""
    found = parse_qs(urlsplit(url).query, max_num_fields=MAX_FIELDS).get(TOKEN_PARAMETER, [""])
    return found[0]


def _object(body: bytes) -> tuple[tuple[str, str], ...]:
    """The texts of a JSON object; what is no text says nothing to us."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or len(found) > MAX_FIELDS:
        raise InvalidRequest("the body of the webhook is no JSON object that we can read")
    return tuple((name, value) for name, value in found.items() if isinstance(value, str))


async def proven_for(webhook: Webhook, desk: Desk, asked: Asked) -> TenantId:
    called = webhook.called(dict(asked.fields))
    tenant = desk.tenant_of(Private(called)) if called else None
    secret = _NOBODY
    if tenant is not None:
        try:
            secret = desk.secret_of(tenant, webhook.carrier)
        except SordinoError as error:
            _log.error("no call can come in for tenant %s: %s", tenant, error)
            tenant = None
    # The signature is computed for an unknown number too, so that the answer takes as long.
    proof = webhook.proven(secret, asked, desk.clock.now())
    if tenant is None or proof is None or not await _first(desk, proof):
        raise Forbidden(
            "this request is not signed by the carrier for a number of ours",
            reasons=(f"{webhook.proven_by} is missing or wrong, or the called number is not served here.",),
        )
    return tenant


async def _first(desk: Desk, proof: Proof) -> bool:
    return not proof.once or await desk.first_time(proof.once, proof.within_s)


def _claims(tenant: TenantId, ringing: Ringing, desk: Desk) -> StreamClaims:
    return StreamClaims(
        tenant=tenant,
        carrier_call=ringing.carrier_call,
        from_number=ringing.from_number,
        to_number=ringing.to_number,
        expires_at=desk.clock.now() + TOKEN_LIFE,
        jti=desk.ids.new("stream"),
        caller_place=next(iter(carrier_place(ringing.country, ringing.state)), ""),
    )


def refusal(error: SordinoError) -> web.Response:
    body = {"error": {"code": error.code, "message": error.message, "sordino": {"reasons": list(error.reasons)}}}
    return web.json_response(body, status=error.http_status)
