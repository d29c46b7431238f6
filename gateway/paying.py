"""Wiring of what a call can do beside talking: pauses for card data (promise 33), a hand-over, a child (promise 32)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from gateway.adapters.conversation.taking import Taking
from gateway.adapters.payments.webhook import PaymentWebhook
from gateway.adapters.providers.outbound import Saw, outbound_session, tls_contexts
from gateway.call.child import CHILD
from gateway.call.consent import TransferAsked
from gateway.call.flow import Announcement
from gateway.call.payment import MESSAGES
from gateway.call.plot import Event
from gateway.call.restricted import RESTRICTED, RestrictedFlow
from gateway.evidence.entries import Json
from gateway.policy.model import TenantPolicy
from gateway.ports import Clock, Egress, Masker, Secrets
from gateway.runner.children import Childhood, minding_children, shut_for_children
from gateway.runner.egress import GuardedEgress
from gateway.runner.payment import Blind, PaymentParts, PaymentPause, PaymentProcessor, watching
from gateway.runner.transfer import TRANSFER, Transfers


async def open_payments(secrets: Secrets, clock: Clock, running: AsyncExitStack, saw: Saw | None = None) -> PaymentWebhook:
    """The way to payment processors. Its session is closed with ``running``; ``saw`` hears what TLS is spoken with them."""
    session = await running.enter_async_context(outbound_session(saw))
    return PaymentWebhook(session, secrets, clock.now, tls=tls_contexts())


@dataclass(frozen=True, slots=True)
class Extras:
    """What one call can do beside talking, by its policy."""

    tenant: TenantPolicy
    pause: PaymentPause | None
    childhood: Childhood

    @staticmethod
    def of(tenant: TenantPolicy) -> Extras:
        pause = PaymentPause(tenant.payment, tenant.language) if tenant.payment is not None else None
        return Extras(tenant, pause, Childhood(tenant.children))

    @property
    def messages(self) -> tuple[str, ...]:
        """The recorded messages that it may have to play."""
        paying = MESSAGES if self.pause is not None else ()
        child = (CHILD,) if self.tenant.children.minded else ()
        return (RESTRICTED, *paying, *child, *((TRANSFER,) if self.tenant.transfer is not None else ()))

    def flow(
        self, announcements: tuple[Announcement, ...], started: dict[str, Json], acknowledged_by: str, *, barred: str = ""
    ) -> RestrictedFlow:
        """``barred``: why nothing of this call may be heard (``gateway.call.restricted``)."""
        tenant = self.tenant
        return RestrictedFlow(
            announcements,
            started=started,
            acknowledged_by=acknowledged_by,
            terms=tenant.payment,
            children=tenant.children,
            barred=barred,
            hands_over=tenant.transfer is not None,
        )

    def seeing(self, egress: Egress) -> Egress:
        """The call's door for everybody but the payment processor."""
        minding = shut_for_children(egress, self.childhood)
        return minding if self.pause is None else GuardedEgress(minding, self.pause.guard)

    def masker(self, masker: Masker) -> Masker:
        return minding_children(masker if self.pause is None else watching(masker, self.pause), self.childhood)

    def payment(self, egress: Egress, processor: PaymentProcessor, recorder: Blind | None) -> PaymentParts | None:
        blinds = (recorder,) if recorder is not None else ()
        return None if self.pause is None else PaymentParts(self.pause, egress, processor, blinds)

    @property
    def transfers(self) -> Transfers:
        return Transfers(self.tenant.transfer, self.tenant.outbound)

    def taking(self, post: Callable[[Event], None]) -> Taking:
        """What the agent may ask for. ``post`` tells the call."""
        named = self.tenant.transfer is not None
        child = self.childhood if self.tenant.children.minded else None
        transfer = (lambda: post(TransferAsked())) if named else None
        return Taking(self.pause, transfer, child=child, child_tool=self.tenant.children.tool)

    def keys_are_card_data(self) -> bool:
        """Whether a key that is pressed now is nobody's business but the payment processor's."""
        return self.pause is not None and self.pause.blind
