"""``POST /voice/twilio``: Twilio asks what to do with a call. The answer connects it to our media socket, or turns it away."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from aiohttp import web

from gateway.adapters.carriers import twilio_webhook
from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.errors import Forbidden, InvalidRequest, PayloadTooLarge, SordinoError
from gateway.policy.jurisdiction import carrier_place
from gateway.ports import Clock, Ids
from gateway.values import Private, TenantId

MAX_BODY_BYTES = 16 * 1024
MAX_FIELDS = 100
TOKEN_PARAMETER = "token"  # noqa: S105 - the name of the parameter, no secret
TOKEN_LIFE = timedelta(seconds=60)

TenantOf = Callable[[Private[str]], TenantId | None]
"""The tenant that a called number belongs to."""
AuthTokenOf = Callable[[TenantId], Private[str]]
"""The tenant's Twilio auth token; raises a SordinoError when there is none."""
Admit = Callable[[TenantId], bool]
"""Whether a call of this tenant is taken now. False: the caller hears the busy tone."""
Handler = Callable[[web.Request], Awaitable[web.Response]]

_CALL_SID = re.compile(r"CA[0-9a-f]{32}")
_NOBODY = Private("no tenant has this token")
_log = logging.getLogger(__name__)


def twilio_voice(
    *,
    public_url: str,
    tenant_of: TenantOf,
    auth_token_of: AuthTokenOf,
    tokens: StreamTokens,
    clock: Clock,
    ids: Ids,
    admit: Admit = lambda _: True,
    media_path: str = "/media/twilio",
) -> Handler:
    """The handler of the webhook. ``public_url`` is the gateway's address as Twilio calls it (SORDINO_PUBLIC_URL).

    A wrong or missing signature and a number that nobody has get the very same 403, so that nobody can try out which numbers
    are served. No number, name or signature is logged or stands in an error.

    Raises:
        Misconfigured: the public URL is no https URL (http is taken for this machine only).
    """
    socket = twilio_webhook.stream_url(public_url, media_path)
    base = public_url.rstrip("/")

    async def handle(request: web.Request) -> web.Response:
        try:
            if not request.raw_path.startswith("/"):
                raise InvalidRequest("the webhook is called by its path")
            form = await _form(request)
            tenant = _signed_for(request, base + request.raw_path, form, tenant_of, auth_token_of)
            if not admit(tenant):
                return _twiml(twilio_webhook.reject(busy=True))
            fields = dict(form)
            token = tokens.mint(_claims(tenant, fields, clock, ids))
            return _twiml(twilio_webhook.connect(socket, {TOKEN_PARAMETER: token}))
        except SordinoError as error:
            return _refusal(error)

    return handle


async def _form(request: web.Request) -> tuple[tuple[str, str], ...]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise InvalidRequest("the webhook takes a form (application/x-www-form-urlencoded)")
    body = bytearray()
    async for piece in request.content.iter_chunked(4096):
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise PayloadTooLarge(f"the webhook takes at most {MAX_BODY_BYTES} bytes")
    try:
        text = body.decode("ascii")
        fields = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        fields = None
    if fields is None:
        raise InvalidRequest("the form of the webhook cannot be read")
    return tuple(fields)


def _signed_for(
    request: web.Request, url: str, form: tuple[tuple[str, str], ...], tenant_of: TenantOf, auth_token_of: AuthTokenOf
) -> TenantId:
    called = dict(form).get("To", "")
    tenant = tenant_of(Private(called)) if called else None
    auth_token = _NOBODY
    if tenant is not None:
        try:
            auth_token = auth_token_of(tenant)
        except SordinoError as error:
            _log.error("no call can come in for tenant %s: %s", tenant, error)
            tenant = None
    signature = request.headers.get(twilio_webhook.SIGNATURE_HEADER, "")
    # The signature is computed for an unknown number too, so that the answer takes as long.
    signed = twilio_webhook.is_signed(auth_token, url, form, signature)
    if tenant is None or not signed:
        raise Forbidden(
            "this request is not signed by the carrier for a number of ours",
            reasons=(f"{twilio_webhook.SIGNATURE_HEADER} is missing or wrong, or the called number is not served here.",),
        )
    return tenant


def _claims(tenant: TenantId, fields: Mapping[str, str], clock: Clock, ids: Ids) -> StreamClaims:
    call = fields.get("CallSid", "")
    if not _CALL_SID.fullmatch(call):
        raise InvalidRequest("the form has no CallSid as Twilio writes it")
    return StreamClaims(
        tenant=tenant,
        carrier_call=call,
        from_number=Private(fields.get("From", "")),
        to_number=Private(fields.get("To", "")),
        expires_at=clock.now() + TOKEN_LIFE,
        jti=ids.new("stream"),
        caller_place=next(iter(carrier_place(fields.get("FromCountry", ""), fields.get("FromState", ""))), ""),
    )


def _twiml(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/xml", headers={"Cache-Control": "no-store"})


def _refusal(error: SordinoError) -> web.Response:
    body = {"error": {"code": error.code, "message": error.message, "sordino": {"reasons": list(error.reasons)}}}
    return web.json_response(body, status=error.http_status)
