"""A tenant's accounts with those who carry its calls: who they are, and which secret proves that a request comes from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.policy.fields import Model, SecretName, TwilioAccount


class Twilio(Model):
    """The tenant's account at Twilio. ``auth_token`` names the secret that checks the webhook's signature."""

    account: TwilioAccount | None = None
    auth_token: SecretName


class Telnyx(Model):
    """The tenant's account at Telnyx. ``public_key`` names the secret with the key that its webhooks are checked with."""

    public_key: SecretName


class Plivo(Model):
    """The tenant's account at Plivo. ``auth_token`` names the secret that checks the webhook's signature."""

    auth_token: SecretName


class Vonage(Model):
    """The tenant's account at Vonage. ``signature_secret`` names the secret that signs its webhooks."""

    signature_secret: SecretName


class Exotel(Model):
    """The tenant's account at Exotel. ``webhook_key`` names the secret that stands in the URLs of its applets."""

    webhook_key: SecretName
    connect_applet: Annotated[bool, Field(strict=True)] = False
    """Whether a Connect applet that asks ``/voice/exotel/after`` stands behind the Voicebot: else nobody can be handed over."""


class Sip(Model):
    """Calls from the gateway's own SIP trunk, behind a session border controller."""

    network: Literal["private"]
    """Speech on the trunk is not encrypted: say that its network is yours alone (promise 24)."""


class LiveKit(Model):
    """The tenant's rooms. ``room_key`` names the secret that everybody in them has, and encrypts and decrypts with."""

    room_key: SecretName


class Carrier(Model):
    twilio: Twilio | None = None
    telnyx: Telnyx | None = None
    plivo: Plivo | None = None
    vonage: Vonage | None = None
    exotel: Exotel | None = None
    livekit: LiveKit | None = None
    sip: Sip | None = None

    def secrets(self) -> dict[str, str]:
        """Carrier to the name of the secret that its requests are checked (LiveKit's rooms: encrypted) with, for each account."""
        names = {
            "twilio": self.twilio and self.twilio.auth_token,
            "telnyx": self.telnyx and self.telnyx.public_key,
            "plivo": self.plivo and self.plivo.auth_token,
            "vonage": self.vonage and self.vonage.signature_secret,
            "exotel": self.exotel and self.exotel.webhook_key,
            "livekit": self.livekit and self.livekit.room_key,
        }
        return {carrier: name for carrier, name in names.items() if name}
