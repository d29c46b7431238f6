"""Wiring of the carriers: for each one the webhook by which it asks, and the media socket by which a call comes in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from aiohttp import web

from gateway.adapters.carriers.exotel import ExotelMedia
from gateway.adapters.carriers.exotel_webhook import ExotelWebhook
from gateway.adapters.carriers.plivo import PlivoMedia
from gateway.adapters.carriers.plivo_webhook import PlivoWebhook
from gateway.adapters.carriers.stream_token import StreamClaims, StreamTokens
from gateway.adapters.carriers.telnyx import TelnyxMedia
from gateway.adapters.carriers.telnyx_webhook import TelnyxWebhook
from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.adapters.carriers.twilio_webhook import TwilioWebhook
from gateway.adapters.carriers.vonage import VonageMedia
from gateway.adapters.carriers.vonage_webhook import VonageWebhook
from gateway.adapters.carriers.webhook import Webhook
from gateway.adapters.stores.handovers import Handovers
from gateway.adapters.stores.once import OnlyOnce
from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.adapters.stores.redis import Store
from gateway.call.events import LegStarted
from gateway.errors import Misconfigured, Unauthenticated
from gateway.http.media import MediaCodec, SocketLeg, TakeCall, media_socket
from gateway.http.transfer import Handing, after_webhook
from gateway.http.voice import TOKEN_PARAMETER, Desk, voice_webhook
from gateway.policy.transfer import why_not
from gateway.ports import Clock, Ids, Secrets, Telemetry
from gateway.values import Private, TenantId

TOKEN_GOOD_FOR_S = 120

_CARRIERS: tuple[tuple[Webhook, Callable[[], MediaCodec]], ...] = (
    (TwilioWebhook(), TwilioMedia),
    (TelnyxWebhook(), TelnyxMedia),
    (PlivoWebhook(), PlivoMedia),
    (VonageWebhook(), VonageMedia),
    (ExotelWebhook(), ExotelMedia),
)

RunCall = Callable[[SocketLeg, StreamClaims, str], Awaitable[None]]
"""Runs a call that its carrier may bring in (``claims``, the carrier's name), to its end."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What the carriers' paths stand on."""

    policies: PolicyFolder
    secrets: Secrets
    tokens: StreamTokens
    once: OnlyOnce
    clock: Clock
    ids: Ids
    telemetry: Telemetry
    run: RunCall
    handovers: Handovers
    after_tokens: StreamTokens
    """Sealed with another key than ``tokens``: they open no media stream."""

    def routes(self, public_url: str) -> list[web.RouteDef]:
        """``/voice/{carrier}`` and ``/media/{carrier}`` of every carrier. ``public_url``: our address as carriers call it.

        Raises:
            Misconfigured: it is plaintext, or no address.
        """
        desk = Desk(
            public_url=public_url,
            tenant_of=self._tenant_of,
            secret_of=self._secret_of,
            tokens=self.tokens,
            clock=self.clock,
            ids=self.ids,
            first_time=self._first_time,
        )
        handing = self._handing()
        desk = replace(desk, after=lambda webhook, tenant, ringing: handing.after(desk, webhook, tenant, ringing))
        paths: list[web.RouteDef] = []
        for webhook, codec in _CARRIERS:
            name = webhook.carrier
            paths.append(web.route(webhook.method, f"/voice/{name}", voice_webhook(webhook, desk)))
            paths.append(web.route(webhook.method, f"/voice/{name}/after", after_webhook(webhook, desk, handing)))
            paths.append(web.get(f"/media/{name}", media_socket(name, codec, self._taking(name, handing), self.telemetry)))
        return paths

    def _taking(self, carrier: str, handing: Handing) -> TakeCall:
        async def take(leg: SocketLeg, started: LegStarted) -> None:
            token = started.parameters.get(TOKEN_PARAMETER, "")
            claims = self.tokens.verify(token, carrier_call=started.carrier_call, now=self.clock.now())
            if not await self.once.first_time(claims.jti, within_s=TOKEN_GOOD_FOR_S):
                raise Unauthenticated("this media stream was opened before")
            if self._can_hand_over(claims.tenant, carrier):
                leg.hand_over = partial(handing.hand_over, claims.tenant, carrier, claims.carrier_call)
            await self.run(leg, claims, carrier)

        return take

    def _handing(self) -> Handing:
        return Handing(self.after_tokens, self.handovers, self._person_of)

    def _person_of(self, tenant: TenantId) -> Private[str] | None:
        policy = self.policies.tenant(tenant)
        if policy.transfer is None or why_not(policy.transfer, policy.outbound):
            return None
        return Private(policy.transfer.to)

    def _can_hand_over(self, tenant: TenantId, carrier: str) -> bool:
        """Exotel's flow is the tenant's own; every other carrier asks because our answer says so."""
        exotel = self.policies.tenant(tenant).carrier.exotel
        return carrier != "exotel" or (exotel is not None and exotel.connect_applet)

    async def _first_time(self, name: str, within_s: int) -> bool:
        return await self.once.first_time(name, within_s=within_s)

    def _tenant_of(self, called: Private[str]) -> TenantId | None:
        tenant = self.policies.tenant_for_number(called.reveal())
        return TenantId(tenant.tenant) if tenant else None

    def _secret_of(self, tenant: TenantId, carrier: str) -> Private[str]:
        name = self.policies.tenant(tenant).carrier.secrets().get(carrier)
        if name is None:
            raise Misconfigured(f"tenant {tenant} has no account at {carrier}", hint=f"add carrier: {{{carrier}: …}} to its file")
        return self.secrets.read(name)


def handing_over(store: Store, key: bytes) -> tuple[Handovers, StreamTokens]:
    """What handing callers over stands on. ``key``: the identity key; what these tokens are sealed with is derived from it."""
    return Handovers(store), StreamTokens(Private(hmac.digest(key, b"sordino transfer tokens", hashlib.sha256)))
