"""Wiring of what a call's agent may do beside talking: pauses for card data (promise 33), and the hand-over to a person."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from gateway.adapters.conversation.taking import Taking
from gateway.adapters.payments.webhook import PaymentWebhook
from gateway.adapters.providers.outbound import outbound_session
from gateway.call.consent import TransferAsked
from gateway.call.flow import Announcement
from gateway.call.payment import MESSAGES
from gateway.call.payment_flow import PaymentFlow
from gateway.call.plot import Event
from gateway.evidence.entries import Json
from gateway.policy.model import TenantPolicy
from gateway.ports import Clock, Egress, Masker, Secrets
from gateway.runner.payment import Blind, PaymentParts, PaymentPause, PaymentProcessor, SeeingEgress, watching
from gateway.runner.transfer import TRANSFER, Transfers


async def open_payments(secrets: Secrets, clock: Clock, running: AsyncExitStack) -> PaymentWebhook:
    """The way to payment processors. Its session is closed with ``running``."""
    return PaymentWebhook(await running.enter_async_context(outbound_session()), secrets, clock.now)


@dataclass(frozen=True, slots=True)
class Extras:
    """What one call can do beside talking, by its policy."""

    tenant: TenantPolicy
    pause: PaymentPause | None

    @staticmethod
    def of(tenant: TenantPolicy) -> Extras:
        return Extras(tenant, PaymentPause(tenant.payment, tenant.language) if tenant.payment is not None else None)

    @property
    def messages(self) -> tuple[str, ...]:
        """The recorded messages that it may have to play."""
        return (*(MESSAGES if self.pause is not None else ()), *((TRANSFER,) if self.tenant.transfer is not None else ()))

    def flow(self, announcements: tuple[Announcement, ...], started: dict[str, Json], acknowledged_by: str) -> PaymentFlow:
        return PaymentFlow(announcements, started=started, acknowledged_by=acknowledged_by, terms=self.tenant.payment)

    def seeing(self, egress: Egress) -> Egress:
        """The call's door for everybody but the payment processor."""
        return egress if self.pause is None else SeeingEgress(egress, self.pause)

    def masker(self, masker: Masker) -> Masker:
        return masker if self.pause is None else watching(masker, self.pause)

    def payment(self, egress: Egress, processor: PaymentProcessor, recorder: Blind | None) -> PaymentParts | None:
        blinds = (recorder,) if recorder is not None else ()
        return None if self.pause is None else PaymentParts(self.pause, egress, processor, blinds)

    @property
    def transfers(self) -> Transfers:
        return Transfers(self.tenant.transfer, self.tenant.outbound)

    def taking(self, post: Callable[[Event], None]) -> Taking:
        """What the agent may ask for. ``post`` tells the call."""
        named = self.tenant.transfer is not None
        return Taking(self.pause, (lambda: post(TransferAsked())) if named else None)

    def keys_are_card_data(self) -> bool:
        """Whether a key that is pressed now is nobody's business but the payment processor's."""
        return self.pause is not None and self.pause.blind
