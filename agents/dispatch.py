"""Whose call a job is. It is decided before the caller is heard, and a job that is nobody's or two tenants' is refused.

A tenant is named by the job's metadata or the room's, as JSON: ``{"tenant": "acme"}``; by the agent name that the job was
dispatched to, where a tenant has that name; by the worker, if it serves one tenant alone; or by the number that was called. All
that name one must name the same.
"""

from __future__ import annotations

import json

from livekit import rtc
from livekit.protocol.agent import Job

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.errors import PolicyUnavailable
from gateway.governing import Ends
from gateway.policy.model import TenantPolicy
from gateway.values import Private


def tenant_of(
    job: Job, policies: PolicyFolder, caller: rtc.RemoteParticipant | None = None, *, serves: str | None = None
) -> TenantPolicy | None:
    """The tenant whose call it is; None when nothing names any. ``serves``: the one tenant of this worker, if it has one.

    A number counts only from a caller that LiveKit SIP brought: other participants may write their own attributes.

    Raises:
        PolicyUnavailable: one is named that does not exist, or they do not agree.
    """
    named = {
        "this worker": serves,
        "the job's metadata": _named(job.metadata),
        "the room's metadata": _named(job.room.metadata),
        "the agent's name": job.agent_name if job.agent_name in policies.policies.tenants else None,
        "the called number": _called(caller, policies),
    }
    given = {who: name for who, name in named.items() if name is not None}
    if not given:
        return None
    if len(set(given.values())) > 1:
        raise PolicyUnavailable(f"{' and '.join(given)} name different tenants", hint="one job is one tenant's")
    who, name = next(iter(given.items()))
    if name not in policies.policies.tenants:
        known = ", ".join(sorted(policies.policies.tenants))
        raise PolicyUnavailable(f"{who} names a tenant that does not exist", hint=f"there are: {known}")
    return policies.tenant(name)


def ends_of(caller: rtc.RemoteParticipant) -> Ends:
    """Both numbers of a caller that LiveKit SIP brought; none of anybody else, who may write their own attributes."""
    if caller.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return Ends()
    told = caller.attributes
    return Ends(Private(told.get("sip.phoneNumber", "")), Private(told.get("sip.trunkPhoneNumber", "")))


def _called(caller: rtc.RemoteParticipant | None, policies: PolicyFolder) -> str | None:
    if caller is None or caller.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return None
    tenant = policies.tenant_for_number(caller.attributes.get("sip.trunkPhoneNumber", ""))
    return tenant.tenant if tenant else None


def _named(metadata: str) -> str | None:
    try:
        found = json.loads(metadata)
    except ValueError:
        return None
    name = found.get("tenant") if isinstance(found, dict) else None
    return str(name) if name is not None else None
