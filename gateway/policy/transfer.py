"""To whom callers are handed over when they want a person: the number, and whether it may be dialled (promise 30)."""

from __future__ import annotations

from gateway.policy.dialling import Outbound
from gateway.policy.fields import E164, Model
from gateway.policy.jurisdiction import locate
from gateway.values import Private


class Transfer(Model):
    """A person who takes calls over. From then on this gateway hears nothing of the call any more."""

    to: E164
    """The person's number. Its country must stand in ``outbound.countries``."""


def why_not(transfer: Transfer, rules: Outbound) -> tuple[str, ...]:
    """Every reason against dialling it, as a sentence that names countries and never the number; none: it may be dialled.

    Where the number leaves several countries open, each must be permitted.
    """
    countries = countries_of(transfer)
    if not countries:
        return ("the country of the number in transfer.to is not known",)
    named = ", ".join(rules.countries) or "none"
    return tuple(
        f"{each} is not among the countries that may be called ({named})" for each in countries if each not in rules.countries
    )


def countries_of(transfer: Transfer) -> tuple[str, ...]:
    """Where the person may be, as countries: what evidence says instead of the number."""
    return locate(Private(transfer.to)).countries
