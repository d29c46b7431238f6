"""Which voice a route prefers: one that may have everything, or one that may have masked text only."""

from __future__ import annotations

from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Registry
from gateway.values import DataCategory, ProcessorId


def prefers_masked_voice(policy: TenantPolicy, registry: Registry) -> bool:
    """Whether ``route.tts`` names somebody who may have masked transcripts only before the first who may have whole ones.

    Whether either is permitted at all is asked at the call: this only says that two are worth asking for.
    """
    for candidate in policy.route.tts:
        entry = registry.entries.get(ProcessorId(candidate.processor))
        if entry is not None and DataCategory.TRANSCRIPT in entry.accepts:
            return False
        if entry is not None and DataCategory.MASKED_TRANSCRIPT in entry.accepts:
            return True
    return False
