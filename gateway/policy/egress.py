"""The one place that lets data out: it answers a question about egress with a Grant or with reasons (law 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Permission to send one kind of data of one call to one processor. Made only in this file, used once, written down.

    ``send`` are the flags that must be in the request so that the processor's promise holds (``store: false``).
    ``secret`` names the environment variable or file of the key, never the key.
    """

    id: str
    tenant: TenantId
    call: CallId
    hop: Hop
    processor: ProcessorId
    processor_name: str
    dialect: str
    base_url: str
    host: str
    region: str
    model: str
    purpose: str
    categories: frozenset[DataCategory]
    masked: bool
    send: Mapping[str, object] = field(default_factory=dict)
    secret: str | None = None
    mechanism: str = "none-needed"
    training: str = "prohibited"
    policy_digest: str = ""
    registry_digest: str = ""
    issued_at: datetime


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
    excluding: frozenset[ProcessorId] = frozenset()
    """Processors that already failed in this turn."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules said of one candidate. ``reasons`` is empty exactly when it is permitted."""

    processor: ProcessorId
    region: str
    reasons: tuple[str, ...]

    @property
    def permitted(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. ``grant`` is the first permitted candidate's, or ``None``: refused, and ``verdicts`` says why for each."""

    grant: Grant | None
    verdicts: tuple[Verdict, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Every no, as a sentence that names the processor."""
        return tuple(f"{v.processor}: {reason}" for v in self.verdicts for reason in v.reasons)
