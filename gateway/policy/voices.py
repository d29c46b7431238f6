"""Which voice a route prefers: one that may have everything, or one that may have masked text only."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.policy.fields import Mask
from gateway.policy.masks import DEFAULT
from gateway.policy.model import TenantPolicy
from gateway.policy.registry import Registry
from gateway.values import DataCategory, Hop, ProcessorId


def prefers_masked_voice(policy: TenantPolicy, registry: Registry) -> bool:
    """Whether ``route.tts`` names somebody who may have masked transcripts only before the first who may have whole ones.

    Whether either is permitted at all is asked at the call: this only says that two are worth asking for. They are not where the
    mask towards the model is laxer than the one towards voices: what is said was masked for the model.
    """
    if _laxer(policy.masks(Hop.LLM), policy.masks(Hop.TTS)):
        return False
    for candidate in policy.route.tts:
        entry = registry.entries.get(ProcessorId(candidate.processor))
        if entry is not None and DataCategory.TRANSCRIPT in entry.accepts:
            return False
        if entry is not None and DataCategory.MASKED_TRANSCRIPT in entry.accepts:
            return True
    return False


def _laxer(one: Mapping[str, Mask], other: Mapping[str, Mask]) -> bool:
    """Whether ``one`` leaves more of any kind than ``other``."""
    return any(one.get(kind, one[DEFAULT]).laxity > other.get(kind, other[DEFAULT]).laxity for kind in {*one, *other})
