"""What becomes of private values: for each kind of data, and where it matters, for each hop that would receive it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gateway.policy.categories import CATEGORY, NEVER_KEPT, category_of
from gateway.policy.fields import EntityKey, Mask, Model
from gateway.values import DataCategory, Hop

DEFAULT = "default"
HOPS = tuple(hop for hop in Hop if hop is not Hop.PAYMENT)
"""Where a text may go. Keyed digits are no text, and reach whom they are for."""


class MaskFor(Model):
    """``drop`` for every receiver, or a mapping: ``default``, and another for a hop: ``{default: pseudonym, tts: keep}``."""

    default: Mask | None = None
    telephony: Mask | None = None
    stt: Mask | None = None
    llm: Mask | None = None
    tts: Mask | None = None
    realtime: Mask | None = None
    storage: Mask | None = None
    telemetry: Mask | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict | MaskFor) else {"default": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "enum": [mask.value for mask in Mask]}, handler(core_schema)]}

    @property
    def hops(self) -> tuple[Hop | None, ...]:
        """Where it says something of its own; None for everywhere else."""
        written = self.model_fields_set
        return (None,) if written == {DEFAULT} else (None, *(hop for hop in HOPS if hop.value in written))

    def at(self, hop: Hop | None) -> Mask | None:
        """What is said for this hop; without one, for every hop that is not named."""
        own: Mask | None = getattr(self, hop.value, None) if hop is not None else None
        return own if own is not None else self.default


Masking = dict[EntityKey, MaskFor]


def said(masking: Mapping[str, MaskFor], kind: str, hop: Hop | None) -> Mask | None:
    """What one file says of a kind at a hop: of the kind itself, or by its default."""
    for key in (kind, DEFAULT):
        if key in masking and (mask := masking[key].at(hop)) is not None:
            return mask
    return None


def joined(layers: Sequence[Masking], hop: Hop | None = None) -> dict[str, Mask]:
    """The strictest of what all files say, for every kind that one of them names and for ``default``."""
    return {kind: _strictest(_stated(layers, kind, hop)) for kind in _kinds(layers)}


def _kinds(layers: Sequence[Masking]) -> list[str]:
    """What is joined by name: what a file names, and what a stand-in by default would not do for."""
    named = {DEFAULT, *(kind for masking in layers for kind in masking)}
    usual = [masking[DEFAULT] for masking in layers if DEFAULT in masking]
    if any(stated.at(hop) is Mask.SURROGATE for stated in usual for hop in (None, *HOPS)):
        named |= {kind for kind in CATEGORY if category_of(kind) in NEVER_KEPT}
    return sorted(named)


def _stated(layers: Sequence[Masking], kind: str, hop: Hop | None) -> list[Mask]:
    """What each file says of a kind. Whose ``surrogate`` means ``drop`` has said ``drop``: no other file makes it laxer."""
    found = [mask for masking in layers if (mask := said(masking, kind, hop)) is not None]
    return [never_kept(kind, mask) if mask is Mask.SURROGATE else mask for mask in found]


def joined_apart(layers: Sequence[Masking]) -> dict[str, dict[str, Mask]]:
    """Hop to kind to mask, for each that differs from what holds at the other hops."""
    usual = joined(layers)
    named = [hop for hop in HOPS if any(getattr(stated, hop) is not None for masking in layers for stated in masking.values())]
    found = {hop.value: {kind: mask for kind, mask in joined(layers, hop).items() if mask is not usual[kind]} for hop in named}
    return {hop: masks for hop, masks in found.items() if masks}


def never_kept(kind: str, mask: Mask) -> Mask:
    """``mask``, and where it would leave payment or identity data as it is, its last four digits at most.

    Nor has such data a plausible stand-in, which somebody may take for a real number: it is dropped. A kind that no table knows
    has no stand-in at all, and keeps its placeholder.
    """
    if kind == DEFAULT or category_of(kind) not in NEVER_KEPT:
        return mask
    if mask is Mask.SURROGATE:
        return Mask.DROP if kind in CATEGORY else mask
    return Mask.LAST4 if mask is Mask.KEEP else mask


def for_hop(masking: Mapping[str, Mask], own: Mapping[str, Mask]) -> dict[str, Mask]:
    """What a masker needs for a hop: every kind with its mask, ``default`` for the others."""
    masks = {**masking, **own}
    if (usual := masks[DEFAULT]) in (Mask.KEEP, Mask.SURROGATE):
        masks = {**dict.fromkeys((kind for kind in CATEGORY if category_of(kind) in NEVER_KEPT), usual), **masks}
    return {kind: never_kept(kind, mask) for kind, mask in masks.items()}


def left_in(masks: Mapping[str, Mask]) -> frozenset[DataCategory]:
    """The data that stands unmasked in a text under these masks, beside the masked text itself."""
    if masks[DEFAULT] is Mask.KEEP:
        return frozenset((DataCategory.TRANSCRIPT,))
    return frozenset(category_of(kind) for kind, mask in masks.items() if mask is Mask.KEEP)


def _strictest(stated: Sequence[Mask]) -> Mask:
    return min(stated, key=lambda mask: mask.laxity, default=Mask.PSEUDONYM)


def wrongly_kept(masking: Mapping[str, MaskFor]) -> list[tuple[str, ...]]:
    """Paths in a masking section at which payment or identity data would be kept towards something that reads text."""
    readers = (Hop.LLM, Hop.REALTIME, Hop.STORAGE, Hop.TELEMETRY)
    paths: list[tuple[str, ...]] = []
    for kind, stated in masking.items():
        if kind == DEFAULT or category_of(kind) not in NEVER_KEPT:
            continue
        keys = (DEFAULT, *(hop.value for hop in readers))
        paths += [(kind, key) for key in keys if getattr(stated, key) is Mask.KEEP]
    return paths
