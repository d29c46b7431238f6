"""Handing a caller over to a person: whether the policy permits it and the line can, and what is written of it (promise 30)."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.errors import SordinoError
from gateway.evidence.entries import Json
from gateway.policy.dialling import Outbound
from gateway.policy.transfer import Transfer, countries_of, why_not
from gateway.runner.leg import Leg, TransferringLeg

TRANSFER = "transfer"
"""The message that the caller hears before the line goes to the person."""
NOBODY_NAMED = "the policy names nobody who takes callers over (transfer: {to: …})"
NO_WAY = "the way that this call came in cannot hand it over"


@dataclass(frozen=True, slots=True)
class Transfers:
    """To whom callers of one tenant are handed over, if to anybody."""

    transfer: Transfer | None = None
    rules: Outbound = field(default_factory=Outbound)

    async def hand_over(self, leg: Leg) -> dict[str, Json]:
        """Have the carrier dial the person once the leg is closed. What evidence says of it: ``done``, and where to or why not.

        The number stands in no answer: only the countries that it may be in.
        """
        reasons = await self._hand_over(leg)
        if reasons or self.transfer is None:
            return {"done": False, "reasons": list(reasons)}
        return {"done": True, "to": list(countries_of(self.transfer))}

    async def _hand_over(self, leg: Leg) -> tuple[str, ...]:
        if self.transfer is None:
            return (NOBODY_NAMED,)
        if reasons := why_not(self.transfer, self.rules):
            return reasons
        try:
            return () if isinstance(leg, TransferringLeg) and await leg.transfer() else (NO_WAY,)
        except SordinoError as error:
            return (f"it could not be prepared ({error.code})",)
