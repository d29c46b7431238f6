"""How a tenant takes card data on calls: by key, to its payment processor alone, while everything else is blind (promise 33)."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from gateway.policy.fields import Duration, Model, fault

PAYMENT = "payment"
"""The purpose of handing keyed digits over. It is allowed exactly where the policy has a ``payment`` section."""

_SHORTEST, _LONGEST = timedelta(seconds=5), timedelta(minutes=10)


class Starts(StrEnum):
    """What begins a pause beside the agent's own tool: its question for card data, or card data in what a caller says."""

    QUESTION = "question"
    DETECTED = "detected"


class Resume(StrEnum):
    """What ends a pause that nobody has ended when its time is over."""

    EXPLICIT = "explicit"
    TIMED = "timed"


def _within(value: timedelta) -> timedelta:
    if not _SHORTEST <= value <= _LONGEST:
        raise fault("nobody keys in a card like this", "write between 5s and 10m")
    return value


class Payment(Model):
    """While card data is given, nobody hears, reads or keeps anything; keys go to the processor in ``route.payment`` alone."""

    starts: tuple[Starts, ...] = tuple(Starts)
    """What begins a pause beside the agent's tool: ``question`` (the agent asks for a card), ``detected`` (a caller says one)."""
    resume: Resume = Resume.EXPLICIT
    """When ``within`` is over: ``explicit`` ends the call, because a card may still be said; ``timed`` listens again."""
    within: Annotated[Duration, AfterValidator(_within)] = timedelta(seconds=120)
    """The longest that one pause lasts."""
