"""What one call may do now because its caller agreed: asked before each piece of data is kept (promises 11 and 13)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from gateway.call.consent import GiveConsent, RefuseConsent, RevokeConsent
from gateway.call.consent_words import withdraws
from gateway.policy.announcing import RECORDING
from gateway.policy.consent import Answer, How
from gateway.ports import Masker
from gateway.redaction.mask import Masked
from gateway.values import Private

KeepAnswer = Callable[[str, Answer, How], Awaitable[None]]
"""Puts what the caller said about a purpose into the consent ledger. Raises StoreUnavailable or EvidenceUnavailable."""
Withdraw = Callable[[How], None]


class CallConsents:
    """The tokens of one call. A recorder asks ``may_record`` before each chunk that it keeps; nobody else can make it true."""

    def __init__(self, keep: KeepAnswer | None = None, on_revoked: Callable[[str, How | None], None] | None = None) -> None:
        """``keep``: None for callers without a number, of whom there is no ledger. ``on_revoked`` hears of each loss,
        at once; without a How it lasts until those who joined agree too."""
        self._keep = keep
        self._on_revoked = on_revoked
        self._held: set[str] = set()

    @property
    def may_record(self) -> bool:
        return self.holds(RECORDING)

    def holds(self, purpose: str) -> bool:
        """Whether everybody who was asked has agreed, and nobody has taken it back."""
        return purpose in self._held

    async def perform(self, command: GiveConsent | RefuseConsent | RevokeConsent) -> None:
        """A yes holds once it is in the ledger; a no holds at once, before the ledger is asked.

        Raises StoreUnavailable or EvidenceUnavailable: the ledger does not have it.
        """
        match command:
            case GiveConsent(purpose, how, by_caller):
                if by_caller:
                    await self._say(purpose, Answer.GIVEN, how)
                self._held.add(purpose)
            case RefuseConsent(purpose, how):
                await self._say(purpose, Answer.WITHDRAWN, how)
            case RevokeConsent(purpose, how):
                self._revoke(purpose, how)
                if how is not None:
                    await self._say(purpose, Answer.WITHDRAWN, how)

    def _revoke(self, purpose: str, how: How | None) -> None:
        if purpose in self._held:
            self._held.remove(purpose)
        if self._on_revoked is not None:
            self._on_revoked(purpose, how)

    async def _say(self, purpose: str, answer: Answer, how: How) -> None:
        if self._keep is not None:
            await self._keep(purpose, answer, how)


def minding(masker: Masker, withdraw: Withdraw) -> Masker:
    """A call's masker that reads each turn of the caller for the wish not to be recorded, before it is masked."""
    return cast(Masker, _MindingMasker(masker, withdraw))


class _MindingMasker:
    """Only ``mask`` is its own: whatever else a masker can do goes to the one behind it."""

    def __init__(self, masker: Masker, withdraw: Withdraw) -> None:
        self._masker = masker
        self._withdraw = withdraw

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        if said and not from_model and withdraws(text):
            self._withdraw(How.SPOKEN)
        return await self._masker.mask(text, previous=previous, from_model=from_model, said=said)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._masker, name)
