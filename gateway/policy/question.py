"""The question that the policy answers: may this data of this call go to some processor for this hop, now?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId


class Health(StrEnum):
    """How a processor has answered lately. ``slow`` lets others go first, ``down`` leaves it out; neither permits anything."""

    WELL = "well"
    SLOW = "slow"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The question: may this data of this call go to some processor for this hop, now?"""

    tenant: TenantId
    call: CallId
    hop: Hop
    categories: frozenset[DataCategory]
    purpose: str
    at: datetime
    grant_id: str
    origin: str = ""
    """Law of the data's origin as a country or region code (``eu``, ``us``); empty: not known."""
    origins: frozenset[str] = frozenset()
    """The same for a call whose two ends, or their candidates, are under several laws: all of them count (``jurisdiction``)."""
    excluding: frozenset[ProcessorId] = frozenset()
    """Processors that already failed in this turn."""
    model: str = ""
    """The model that the client asked for; it is granted where the tenant's route says ``*``."""
    about: frozenset[DataCategory] = frozenset()
    """What the text speaks of, also where it is masked: a turn with a card number is about payment."""
    health: Mapping[ProcessorId, Health] = field(default_factory=dict)
    """Who has not answered well lately; who is not named is well."""
    barred: Mapping[ProcessorId, str] = field(default_factory=dict)
    """Whom this tenant may not use now, with the sentence why: objected to, or notice that still runs (promises 3 to 5)."""
    noticed: frozenset[ProcessorId] = frozenset()
    """Whose notice to this tenant has run out: a pending one among them is in use from then on."""
