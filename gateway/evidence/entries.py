"""What an entry of the evidence is, before and after it is sealed into the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from gateway.values import CallId, TenantId

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Draft:
    """What happened, before it is sealed. ``body`` holds no private text: names of things, counts, digests, times in ms."""

    tenant: TenantId
    call: CallId
    kind: str
    """``call.started``, ``announcement.played``, ``hop``, ``masked``, ``refused``, ``call.ended``…"""
    at: datetime
    body: Mapping[str, Json]
    call_previous: str
    """Hash of this call's entry before, or the call's genesis (see ``chain.genesis``)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sealed entry: its place in the tenant's chain and the hash that covers all of it."""

    seq: int
    previous: str
    draft: Draft
    hash: str
    durable: str
    """How the store confirmed it: ``fsync``, ``memory`` (server without an append-only file). Not covered by the hash."""
