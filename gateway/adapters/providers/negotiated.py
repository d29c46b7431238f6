"""Which version of TLS was spoken with each processor, told to the evidence of the call that it was spoken for (promise 24)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.evidence.entries import Json
from gateway.policy.egress import Grant
from gateway.values import CallId, TenantId

MOST_CALLS = 10_000
"""Calls that are followed at a time. One that ended is let go of when as many newer ones have come."""

Write = Callable[[Mapping[str, Json]], None]


@dataclass(slots=True)
class _Followed:
    write: Write
    told: set[tuple[str, str, str, str]] = field(default_factory=set)


class Negotiated:
    """``saw`` is for the session that requests go out by; ``follow`` for who writes the evidence of a call."""

    def __init__(self) -> None:
        self._calls: OrderedDict[tuple[TenantId, CallId], _Followed] = OrderedDict()

    def follow(self, tenant: TenantId, call: CallId, write: Write) -> None:
        """From now on ``write`` is given the body of each ``hop.negotiated`` of this call: once for each that differs."""
        followed = self._calls.setdefault((tenant, call), _Followed(write))
        followed.write = write
        self._calls.move_to_end((tenant, call))
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)

    def saw(self, grant: Grant, version: str, cipher: str) -> None:
        """A request under this Grant was answered over such a connection."""
        followed = self._calls.get((grant.tenant, grant.call))
        fact = (str(grant.processor), grant.host, version, cipher)
        if followed is not None and fact not in followed.told:
            followed.told.add(fact)
            followed.write({"hop": str(grant.hop), "processor": fact[0], "host": fact[1], "tls": version, "cipher": cipher})
